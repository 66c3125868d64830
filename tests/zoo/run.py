#!/usr/bin/python3
"""Exports real networks, serves them, and compares their outputs with PyTorch's.

  run.py [--quick] [--models resnet18,swin_t] [--list] [--server SERVER_BINARY]

Each is asked at two batch sizes and two image sizes; an output may be off by 1e-4 of its largest
element. Exit status: 0 all agree, 1 one does not.
"""
import argparse
import os
import sys
import time
import warnings

import grpc
import torch

from compare import ROOT, TOLERANCE, Result, compare
from lazynet_export import ExportError
from models import entries, make_module

COLUMNS = ("model", "layers", "parameters", "export s", "error", "verdict", "shapes")


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", help="names, by commas")
    parser.add_argument("--quick", action="store_true", help="only those that take seconds")
    parser.add_argument("--list", action="store_true", help="print the names, and exit")
    parser.add_argument("--server", default=ROOT / "build/release/service/lazynet-server")
    options = parser.parse_args()
    chosen = [one for one in entries() if one.quick or not options.quick]
    if options.models:
        names = options.models.split(",")
        unknown = set(names) - {one.name for one in entries()}
        if unknown:
            parser.error(f"no model is called {', '.join(sorted(unknown))}; --list tells all")
        chosen = [one for one in entries() if one.name in names]
    return options, chosen


def check(entry, server):
    """The Result of all parts of an entry together."""
    total = Result()
    try:
        module = make_module(entry)
        for options, requests in entry.parts:
            result = compare(module, requests, server, options=options,
                             dtype=entry.dtype)
            total.layers, total.parameters = result.layers, result.parameters
            total.export_seconds += result.export_seconds
            total.shapes += result.shapes
            total.error = max(total.error, result.error)
    except grpc.RpcError as error:
        total.problem = f"{error.code().name}: {error.details()}"
    except (ExportError, AssertionError, RuntimeError) as error:
        total.problem = f"{type(error).__name__}: {error}"
    return total


def line(width, *cells):
    name, layers, parameters, seconds, error, verdict, shapes = cells
    return f"{name:{width}}  {layers:>6}  {parameters:>11}  {seconds:>8}  {error:>7}  " \
           f"{verdict:7}  {shapes}"


def row(width, entry, result):
    shapes = " ".join("x".join(map(str, shape)) for shape in result.shapes)
    return line(width, entry.name, result.layers, f"{result.parameters:,}",
                f"{result.export_seconds:.1f}", f"{result.error:.1e}",
                "ok" if result.good else "FAILED", shapes)


def progress(done, count, name, begin):
    """A bar on a terminal, which the next line overwrites."""
    if not sys.stderr.isatty():
        return
    width = max(os.get_terminal_size(sys.stderr.fileno()).columns - 50, 10)
    bar = "#" * (width * done // count)
    sys.stderr.write(f"\r\033[K[{bar.ljust(width)}] {done}/{count} "
                     f"{time.monotonic() - begin:.0f} s {name}")
    sys.stderr.flush()


def show(text):
    """A line of the table, in place of the bar."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()
    print(text, flush=True)


def main():
    options, chosen = parse()
    if options.list:
        print("\n".join(one.name + (" (quick)" if one.quick else "") for one in chosen))
        return 0
    warnings.simplefilter("ignore")
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    failed, begin = [], time.monotonic()
    width = max(len(one.name) for one in chosen)
    show(line(width, *COLUMNS))
    for done, entry in enumerate(chosen):
        progress(done, len(chosen), entry.name, begin)
        result = check(entry, options.server)
        show(row(width, entry, result))
        if not result.good:
            failed.append((entry.name, result.problem or f"an error above {TOLERANCE}"))
    for name, problem in failed:
        print(f"\n{name}: {problem}")
    print(f"\n{len(chosen) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
