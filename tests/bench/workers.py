"""The engines that are compared, each behind a worker process that README.md's protocol drives."""
import dataclasses
import json
import os
import pathlib
import platform
import selectors
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent

# The machine's wishes for number and behaviour of threads: the flag of the workers decides alone.
# OpenBLAS also may be told a kernel that is slower than the one that it chooses.
THREAD_VARIABLES = ("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "GOTO_", "ORT_")

# A run of the largest network takes half a minute where an engine is slow and the machine busy.
ANSWER_SECONDS = 600


def use_first_cores(count):
    """All engines on the same cores: those of a virtual machine are not equally fast."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


class WorkerError(Exception):
    """A worker that did not start or answer, with what it said last."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """`command` starts its worker for a network's folder, but for threads and inputs.

    tolerance: how far outputs may be off, of the largest element. variant: the same program as
    lazynet with another precision; it is compared with lazynet itself and may be missing.
    """
    key: str
    title: str
    command: tuple
    model: str
    flags: tuple = ()
    environment: dict = dataclasses.field(default_factory=dict)
    tolerance: float = 1e-4
    variant: bool = False

    @property
    def missing(self):
        """The file that its worker lacks, or None."""
        files = (*self.command, *(one for one in self.flags if one.startswith("/")))
        return next((one for one in files if not pathlib.Path(one).exists()), None)

    def command_line(self, folder, threads, inputs):
        return [*self.command, str(folder / self.model), *self.flags, "--threads", str(threads),
                *(part for one in inputs for part in ("--input", one))]

    def variables(self):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(THREAD_VARIABLES)}
        return {**kept, **self.environment}


def onnxruntime_library(work):
    """The one of the npm package onnxruntime-node."""
    cpu = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = work / "node_modules/onnxruntime-node"
    found = sorted(package.glob(f"bin/*/linux/{cpu}/libonnxruntime.so.1"))
    return str(found[-1] if found else package)


def all_engines(build, work):
    """By name, in the order of the tables; ratios are of the first one that is there."""
    lazynet = (str(build / "tests/bench/lazynet_worker"),)
    engines = [
        Engine("lazynet", "lazynet", lazynet, "lazynet"),
        Engine("lazynet-bf16", "lazynet BF16", lazynet, "lazynet", ("--compute", "BF16"),
               tolerance=2e-1, variant=True),
        Engine("onnxruntime", "ONNX Runtime", (str(build / "tests/bench/ort_worker"),),
               "model.onnx", ("--library", onnxruntime_library(work))),
        Engine("pytorch", "PyTorch", ("/usr/bin/python3", str(HERE / "torch_worker.py")),
               "torch.pt"),
    ]
    return {one.key: one for one in engines}


class Worker:
    """A process that loaded a network; a context manager that ends it.

    ready: what it said when it had answered once.
    """

    def __init__(self, command, variables, threads, seconds=ANSWER_SECONDS):
        self.seconds = seconds
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.errors, env=variables,
                                            preexec_fn=lambda: use_first_cores(threads))
        except OSError as error:
            self.errors.close()
            raise WorkerError(str(error)) from error
        self.pending = b""
        try:
            self.ready = self.read()
        except WorkerError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, command):
        try:
            self.process.stdin.write(command.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise WorkerError(self.last_words()) from None
        return self.read()

    def read(self):
        """The next line of the worker, which is JSON."""
        end = time.monotonic() + self.seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.pending:
                if not selector.select(max(0, end - time.monotonic())):
                    self.process.kill()
                    raise WorkerError(f"no answer for {self.seconds} s")
                more = os.read(self.process.stdout.fileno(), 65536)
                if not more:
                    raise WorkerError(self.last_words())
                self.pending += more
        line, self.pending = self.pending.split(b"\n", 1)
        try:
            return json.loads(line)
        except ValueError:
            raise WorkerError(f"this is no answer: {line[:200]!r}") from None

    def last_words(self):
        """The last line that it wrote to its standard error, or its exit code.

        CLI11 has one more, which says nothing.
        """
        code = self.process.wait()
        self.errors.seek(0)
        lines = [line for line in self.errors.read().decode(errors="replace").splitlines()
                 if line.strip() and not line.startswith("Run with --help")]
        return lines[-1].strip() if lines else f"exit code {code}"

    def close(self):
        if self.process.poll() is None:
            try:
                self.process.communicate(b"quit\n", timeout=10)
            except (subprocess.TimeoutExpired, OSError, ValueError):
                self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            try:
                stream.close()
            except OSError:
                pass
