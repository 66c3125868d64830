#!/usr/bin/python3
"""Every layer through a live server against PyTorch, with equal initial values drawn by both.

  layers_test.py SERVER_BINARY BACKEND
"""
import pathlib
import sys
import tempfile
import unittest
import warnings

import numpy as np

import elementwise_layers
import layers
import networks
import reduction_layers
import resampling_layers
import sequence_layers
import shape_layers
from serving import Client, assert_close, connect, lazynet_process

BINARY, BACKEND = sys.argv.pop(1), sys.argv.pop(1)
SEED = 20240229


def all_cases():
    return [*layers.cases(), *elementwise_layers.cases(), *reduction_layers.cases(),
            *sequence_layers.cases(), *shape_layers.cases(), *resampling_layers.cases(),
            *networks.cases()]


def write_models(folder, cases):
    for case in cases:
        model = folder / case.name
        model.mkdir()
        (model / "network.textproto").write_text(case.definition(SEED))


class Layers(unittest.TestCase):
    def test_every_layer_agrees_with_pytorch(self):
        warnings.simplefilter("ignore")  # lazy modules are "experimental" in 1.13
        cases = all_cases()
        generator = np.random.default_rng(1)
        with tempfile.TemporaryDirectory() as folder:
            write_models(pathlib.Path(folder), cases)
            with lazynet_process.Server(BINARY, folder, "--backend", BACKEND) as server:
                with connect(server) as channel:
                    client = Client(channel)
                    for case in cases:
                        self.compare(client, case, generator)

    def compare(self, client, case, generator):
        module = case.make_module(SEED)
        for request in case.requests:
            with self.subTest(case=case.name, request=request):
                inputs = case.make_inputs(request, generator)
                wanted = case.wanted(module, inputs)
                got = client.infer(case.name, dict(zip(case.inputs, inputs)))
                self.assertEqual(len(got), len(wanted))
                for name, one, other in zip(case.outputs, got, wanted):
                    with self.subTest(output=name):
                        assert_close(one, other)


if __name__ == "__main__":
    unittest.main()
