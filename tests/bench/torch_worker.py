#!/usr/bin/python3
"""PyTorch's side of compare.sh: loads a module, then runs it as the lines of standard input say.

README.md beside this file has the protocol, which the other engines' workers share.
"""
import argparse
import ctypes
import json
import os
import pathlib
import statistics
import sys
import time


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a module that torch.save wrote")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--input", action="append", required=True, help="NAME=DTYPE:DIMS:FILE")
    return parser.parse_args()


def read_input(text):
    name, rest = text.split("=", 1)
    dtype, dims, file = rest.split(":", 2)
    dtype = {"FP32": torch.float32, "INT64": torch.int64}[dtype]
    elements = bytearray(pathlib.Path(file).read_bytes())
    return name, torch.frombuffer(elements, dtype=dtype).reshape([int(n) for n in dims.split(",")])


def memory():
    """Of this process, in bytes."""
    lines = dict(line.split(":", 1) for line in open("/proc/self/status", encoding="ascii"))
    return {key: int(lines[name].split()[0]) * 1024
            for key, name in (("resident_bytes", "VmRSS"), ("peak_resident_bytes", "VmHWM"))}


def blas():
    """The library that multiplies matrices, and the kernels it chose."""
    loaded = {line.split()[-1] for line in open("/proc/self/maps", encoding="utf-8")
              if "blas" in line}
    for path in sorted(loaded):
        library = ctypes.CDLL(path)
        if hasattr(library, "openblas_get_config"):
            library.openblas_get_config.restype = ctypes.c_char_p
            version = library.openblas_get_config().decode().split()
            library.openblas_get_corename.restype = ctypes.c_char_p
            return " ".join(version[:2]) + " " + library.openblas_get_corename().decode()
    return ", ".join(pathlib.Path(path).name for path in sorted(loaded)) or "unknown"


def tensors_of(value):
    return [value] if isinstance(value, torch.Tensor) else \
        [tensor for part in value for tensor in tensors_of(part)]


class Runner:
    def __init__(self, path, inputs):
        self.module = torch.load(path)
        self.inputs = inputs

    def run(self):
        self.outputs = self.module(*self.inputs)

    def measure(self, milliseconds):
        """Whole runs for at least so long, and at least three."""
        times = []
        end = time.perf_counter_ns() + milliseconds * 1_000_000
        while len(times) < 3 or time.perf_counter_ns() < end:
            start = time.perf_counter_ns()
            self.run()
            times.append(time.perf_counter_ns() - start)
        return {"median_ns": int(statistics.median(times)), "min_ns": min(times),
                "runs": len(times)}

    def write_outputs(self, folder):
        for at, output in enumerate(tensors_of(self.outputs)):
            output = output.contiguous().to(torch.float32)
            (pathlib.Path(folder) / f"{at}.bin").write_bytes(output.numpy().tobytes())
        return {}

    def answer(self, line):
        command, _, argument = line.partition(" ")
        if command == "run":
            return self.measure(int(argument))
        if command == "outputs":
            return self.write_outputs(argument)
        if command == "memory":
            return memory()
        raise ValueError(f"no command is called {command}")


def say(answer):
    print(json.dumps(answer), flush=True)


def main(options):
    torch.set_num_threads(options.threads)
    inputs = [tensor for _, tensor in map(read_input, options.input)]
    with torch.inference_mode():
        start = time.perf_counter_ns()
        runner = Runner(options.model, inputs)
        load = time.perf_counter_ns() - start
        runner.run()
        first = time.perf_counter_ns() - start - load
        say({"engine": "PyTorch", "version": torch.__version__, "blas": blas(), "load_ns": load,
             "first_ns": first, **memory()})
        for line in sys.stdin:
            if line.strip() == "quit":
                break
            say(runner.answer(line.strip()))


if __name__ == "__main__":
    OPTIONS = parse()
    # torch.set_num_threads does not reach OpenBLAS, which reads this when it is loaded.
    os.environ["OPENBLAS_NUM_THREADS"] = str(OPTIONS.threads)
    import torch
    import modules  # noqa: F401  the classes that torch.load finds, before it is timed
    import torchvision  # noqa: F401
    main(OPTIONS)
