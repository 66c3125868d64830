"""Exports many small modules into one repository, and compares each with PyTorch."""
import pathlib
import sys
import tempfile

import torch

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/zoo"))
from compare import (Client, connect, export, flattened, lazynet_process, make_inputs,  # noqa: E402
                     relative_error)
from lazynet_export.definition import DATATYPES  # noqa: E402
from lazynet_export.text import network_text  # noqa: E402


def input_options(inputs):
    """--input for what is not FP32."""
    made = []
    for name, shape in inputs.items():
        dtype = make_inputs(shape, 0).dtype
        if dtype != torch.float32:
            made.append(f"{name}:{DATATYPES[dtype]}")
    return made


class Repository:
    """A folder of exported models, and the cases they were made of."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.cases, self.exported = {}, {}

    def add(self, name, module, inputs):
        """Exports a module; `inputs` are shapes, or functions that make tensors."""
        self.exported[name] = export(module, pathlib.Path(self.folder.name) / name,
                                     inputs=input_options(inputs), title=name)
        self.cases[name] = module, inputs

    def text(self, name):
        return network_text(self.exported[name].definition)

    def check(self, test, binary, tolerance=1e-4):
        """Asks a server for every model; a subTest each."""
        with lazynet_process.Server(binary, self.folder.name) as server, \
                connect(server) as channel:
            client = Client(channel)
            for name, (module, inputs) in self.cases.items():
                with test.subTest(case=name):
                    tensors = {key: make_inputs(shape, seed)
                               for seed, (key, shape) in enumerate(inputs.items())}
                    with torch.no_grad():
                        wanted = flattened(module(*(one.clone() for one in tensors.values())))
                    outputs = [key for key, _ in self.exported[name].definition.outputs]
                    got = client.infer(name, tensors, outputs)
                    test.assertEqual(len(got), len(wanted))
                    for one, other in zip(got, wanted):
                        test.assertLessEqual(relative_error(one, other), tolerance)


def run_cases(test, binary, names, make):
    """All cases of a table."""
    repository = Repository()
    for name in names:
        repository.add(name, *make(name))
    repository.check(test, binary)
