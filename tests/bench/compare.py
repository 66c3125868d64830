#!/usr/bin/python3
"""Times lazynet against ONNX Runtime and PyTorch on the same networks, and checks the outputs.

compare.sh installs and builds what this needs. README.md beside this file tells what is measured.
Exit status: 0 all outputs agree, 1 some do not or an engine failed, 2 wrong use.
"""
import argparse
import contextlib
import datetime
import os
import pathlib
import platform
import sys
import tempfile
import time

import numpy

from results import Measured, Results, Row, from_json, markdown, milliseconds, threads_text, to_json
from workers import Worker, WorkerError, all_engines

ROOT = pathlib.Path(__file__).resolve().parents[2]

QUICK = {"networks": ["mlp", "lenet", "lstm", "mobilenet_v2"], "batches": [1], "threads": [1],
         "rounds": 3, "milliseconds": 30}
FULL = {"networks": None, "batches": [1, 8, 32], "threads": [1, 2], "rounds": 7,
        "milliseconds": 60}

# Medians of fewer rounds say little.
LEAST_ROUNDS = 3

# Threads of an engine that has just answered spin for a while; the next one waits until they sleep.
PAUSE_SECONDS = 0.1

# Processes that wanted to run in the last minute, above which numbers are not to be trusted.
BUSY_LOAD = 0.8

# What makes kernels of different speed.
CPU_FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
             "amx_tile", "amx_bf16", "amx_int8", "asimd", "bf16", "sve")


def names(text):
    return text.split(",")


def numbers(text):
    values = [int(part) for part in text.split(",")]
    if min(values) < 1:
        raise ValueError
    return values


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=names, metavar="NAMES", help="by commas; all")
    parser.add_argument("--batches", type=numbers, help="by commas; 1,8,32")
    parser.add_argument("--threads", type=numbers, help="by commas; 1,2")
    parser.add_argument("--engines", type=names, metavar="NAMES",
                        help="by commas; lazynet,lazynet-bf16,onnxruntime,pytorch")
    parser.add_argument("--rounds", type=int, help="7; each engine runs once in each")
    parser.add_argument("--milliseconds", type=int,
                        help="60; how long an engine runs in a round, at least 3 times")
    parser.add_argument("--seconds", type=float, default=60,
                        help="no more rounds of a configuration after this time and "
                        f"{LEAST_ROUNDS} rounds (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a few networks, a minute")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("bench-results"),
                        metavar="FOLDER", help="for results.md, .json and .svg (default: "
                        "%(default)s)")
    parser.add_argument("--work-dir", type=pathlib.Path, metavar="FOLDER",
                        default=pathlib.Path(tempfile.gettempdir()) / "lazynet-bench",
                        help="for networks and ONNX Runtime, kept for the next time (default: "
                        "%(default)s)")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build/release",
                        metavar="FOLDER", help="with the workers")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE",
                        help="measure nothing, but make the table and the plot of a results.json")
    options = parser.parse_args(arguments)
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.work_dir = options.work_dir.absolute()
    if options.rounds < 1 or options.milliseconds < 1:
        parser.error("--rounds and --milliseconds are at least 1")
    engines = all_engines(options.build_dir.absolute(), options.work_dir)
    unknown = set(options.engines or ()) - set(engines)
    if unknown:
        parser.error(f"no engine is called {', '.join(sorted(unknown))}: {', '.join(engines)}")
    options.engines = [one for key, one in engines.items()
                       if not options.engines or key in options.engines]
    return parser, options


def machine():
    """What the numbers depend on."""
    facts = {}
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            facts.setdefault(name.strip(), value.strip())
    flags = facts.get("flags", facts.get("Features", "")).split()
    model = facts.get("model name", platform.machine())
    if "cpu family" in facts:
        model += f" (family {facts['cpu family']}, model {facts['model']})"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"CPU": model, "cores": len(os.sched_getaffinity(0)),
            "instruction sets": " ".join(one for one in CPU_FLAGS if one in flags) or "-",
            "memory": f"{memory / 2**30:.0f} GiB",
            "system": f"{platform.system()} {platform.release()}",
            "date": datetime.date.today().isoformat()}


def busy():
    """What to say about other programs that run."""
    load = os.getloadavg()[0]
    return [] if load < BUSY_LOAD else [
        f"Other programs ran (load {load:.1f} when this began): ratios are rough and times mean "
        "little."]


def outputs_of(worker):
    """What it computed, as one array for each output."""
    with tempfile.TemporaryDirectory() as folder:
        worker.ask(f"outputs {folder}")
        files = sorted(pathlib.Path(folder).iterdir(), key=lambda file: int(file.stem))
        return [numpy.fromfile(file, "<f4") for file in files]


def error_of(got, wanted):
    """The largest difference over the largest element; infinite where something is missing."""
    if len(got) != len(wanted) or not wanted:
        return float("inf")
    worst = 0.0
    for one, other in zip(got, wanted):
        if one.shape != other.shape or not numpy.isfinite(one).all():
            return float("inf")
        scale = max(float(numpy.abs(other).max(initial=0)), 1e-30)
        worst = max(worst, float(numpy.abs(one - other).max(initial=0)) / scale)
    return worst


def reference_of(outputs):
    """The key of the engine that the others are checked against: PyTorch made the networks."""
    return next((key for key in ("pytorch", "onnxruntime") if key in outputs),
                next(iter(outputs), None))


def check(row, workers, engines):
    """Compares the outputs of all workers, and notes it in the row."""
    outputs = {key: outputs_of(worker) for key, worker in workers.items()}
    reference = reference_of(outputs)
    for key, got in outputs.items():
        measured = row.engines[key]
        measured.error = error_of(got, outputs[reference])
        measured.wrong = not measured.error <= engines[key].tolerance


def run_rounds(row, workers, options):
    """A B C A B C ..., so that what slows the machine for a while slows all of them."""
    end = time.monotonic() + options.seconds
    for done in range(options.rounds):
        if done >= LEAST_ROUNDS and time.monotonic() > end:
            break
        times = {}
        for key, worker in workers.items():
            time.sleep(PAUSE_SECONDS)
            times[key] = worker.ask(f"run {options.milliseconds}")["median_ns"]
        for key, value in times.items():
            row.engines[key].rounds.append(value)


def start(row, stack, folder, inputs, options):
    """The workers of a row, started one after the other so that cold figures are undisturbed."""
    workers = {}
    for engine in options.engines:
        command = engine.command_line(folder, row.threads, inputs)
        try:
            worker = stack.enter_context(
                Worker(command, engine.variables(), row.threads))
        except WorkerError as error:
            if engine.variant:
                row.notes.append(f"{engine.title} is left out: {error}")
            else:
                row.problems.append(f"{engine.title}: {error}")
            continue
        workers[engine.key] = worker
        row.engines[engine.key] = Measured(ready=worker.ready)
    return workers


def measure(network, folder, input_file, batch, threads, options):
    """The Row of one configuration."""
    row = Row(network.name, network.title, batch, threads)
    dims = ",".join(map(str, (batch, *network.shape)))
    inputs = [f"{network.input_name}=FP32:{dims}:{input_file}"]
    engines = {one.key: one for one in options.engines}
    with contextlib.ExitStack() as stack:
        workers = start(row, stack, folder, inputs, options)
        try:
            check(row, workers, engines)
            run_rounds(row, workers, options)
            for key, worker in workers.items():
                row.engines[key].memory = worker.ask("memory")
        except WorkerError as error:
            row.problems.append(str(error))
    return row


class Progress:
    """A bar on a terminal, else a line for each configuration."""

    def __init__(self, count):
        self.count = count
        self.done = 0
        self.begin = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def show(self, what):
        if not self.terminal:
            return
        width = max(os.get_terminal_size(sys.stderr.fileno()).columns - 60, 10)
        bar = "#" * (width * self.done // self.count)
        sys.stderr.write(f"\r\033[K[{bar.ljust(width)}] {self.done}/{self.count} "
                         f"{time.monotonic() - self.begin:.0f} s {what}")
        sys.stderr.flush()

    def finish(self, text):
        self.done += 1
        clear = "\r\033[K" if self.terminal else f"[{self.done}/{self.count}] "
        sys.stderr.write(f"{clear}{text}\n")
        sys.stderr.flush()


def row_text(row, results):
    """For people who wait."""
    parts = []
    for key, one in row.engines.items():
        time_text = f"{milliseconds(one.median_ns)} ms" if one.rounds else "-"
        parts.append(f"{results.titles[key]} {'WRONG' if one.wrong else time_text}")
    for fast, slow, name in results.comparisons:
        ratio = row.ratio(fast, slow)
        parts += [f"{name} {ratio.median:.2f}"] if ratio else []
    return f"{row.title}, batch {row.batch}, {threads_text(row.threads)}: " + \
        ", ".join(parts + row.problems)


def write(results, folder, with_plot=True):
    """results.json and results.md, and results.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(to_json(results) + "\n", encoding="utf-8")
    plot = None
    if with_plot and results.rows and results.peers:
        from plot import draw
        plot = "results.svg" if draw(results, folder / "results.svg") else None
    (folder / "results.md").write_text(markdown(results, plot), encoding="utf-8")


def available(options):
    """Drops the engines whose worker is not there; returns what to say about it."""
    notes = []
    for engine in list(options.engines):
        if engine.missing:
            notes.append(f"{engine.title} is left out: {engine.missing} is missing.")
            options.engines.remove(engine)
    return notes


def version_text(ready):
    return " ".join([ready["version"], *([f"({ready['blas']})"] if "blas" in ready else [])])


def run(parser, options):
    import networks as zoo  # takes torch, which --report and the tests do without
    chosen = options.networks or list(zoo.NETWORKS)
    unknown = set(chosen) - set(zoo.NETWORKS)
    if unknown:
        parser.error(f"no network is called {', '.join(sorted(unknown))}: "
                     f"{', '.join(zoo.NETWORKS)}")
    notes = busy() + available(options)
    if all(engine.variant for engine in options.engines):
        parser.error("nothing to compare. " + " ".join(notes))
    for note in notes:
        print(f"compare: {note}", file=sys.stderr)
    results = Results(
        titles={one.key: one.title for one in options.engines},
        variants=[one.key for one in options.engines if one.variant], machine=machine(),
        options={name: getattr(options, name)
                 for name in ("rounds", "milliseconds", "seconds", "threads", "batches")},
        notes=notes)
    work = [(name, batch, threads) for name in chosen for batch in options.batches
            for threads in options.threads]
    progress = Progress(len(work))
    for name, batch, threads in work:
        network = zoo.NETWORKS[name]
        progress.show(f"{network.title}, batch {batch}, {threads_text(threads)}")
        folder = zoo.prepare(network, options.work_dir)
        file = zoo.input_file(network, folder, batch)
        row = measure(network, folder, file, batch, threads, options)
        results.rows.append(row)
        results.notes += [note for note in row.notes if note not in results.notes]
        for key, measured in row.engines.items():
            results.versions.setdefault(key, version_text(measured.ready))
        progress.finish(row_text(row, results))
        # What is there remains if this is interrupted.
        write(results, options.output, with_plot=False)
    for engine in options.engines:
        if engine.variant and engine.key not in results.versions:
            del results.titles[engine.key]
            results.variants.remove(engine.key)
    return results


def main(arguments):
    parser, options = parse(arguments)
    if options.report:
        results = from_json(options.report.read_text(encoding="utf-8"))
    else:
        results = run(parser, options)
    write(results, options.output)
    print(options.output / "results.md")
    return 0 if results.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
