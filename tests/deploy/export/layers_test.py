#!/usr/bin/python3
"""Every function and module of the tables: the definition it becomes, and what a server makes of
that against PyTorch.

  layers_test.py SERVER_BINARY            compares
  layers_test.py --write                  writes the definitions anew, to be read before a commit
"""
import pathlib
import sys
import unittest
import warnings

import function_cases
import module_cases
from served import Repository, run_cases

FILE = pathlib.Path(__file__).resolve().parent / "layer_texts.txt"
BINARY = sys.argv.pop(1) if len(sys.argv) > 1 else None


def texts():
    """The definitions of all cases."""
    repository, lines = Repository(), []
    for table, names in ((function_cases, function_cases.CASES),
                         (module_cases, module_cases.cases())):
        for name in names:
            repository.add(name, *table.make(name))
            lines.append(repository.text(name).replace(", exported by lazynet-export.", ""))
    return "\n".join(lines)


class Layers(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore")

    def test_definitions_are_those_of_the_file(self):
        self.maxDiff = None
        self.assertMultiLineEqual(texts(), FILE.read_text())

    def test_functions_compute_what_pytorch_does(self):
        run_cases(self, BINARY, function_cases.CASES, function_cases.make)

    def test_modules_compute_what_pytorch_does(self):
        run_cases(self, BINARY, module_cases.cases(), module_cases.make)


if __name__ == "__main__":
    if BINARY == "--write":
        warnings.simplefilter("ignore")
        FILE.write_text(texts())
    else:
        unittest.main()
