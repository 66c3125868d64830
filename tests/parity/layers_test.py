#!/usr/bin/python3
"""Every layer through a live server against PyTorch, with equal initial values drawn by both.

  layers_test.py SERVER_BINARY BACKEND
"""
import pathlib
import sys
import tempfile
import unittest
import warnings

import grpc
import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import lazynet_process  # noqa: E402
import layers  # noqa: E402

STUBS = lazynet_process.make_stubs()
from proto import inference_pb2, inference_pb2_grpc  # noqa: E402

BINARY, BACKEND = sys.argv.pop(1), sys.argv.pop(1)
SEED = 20240229


def write_models(folder, cases):
    for case in cases:
        model = folder / case.name
        model.mkdir()
        (model / "network.textproto").write_text(
            f'layers {{ name: "layer" {case.text} }}\nseed: {SEED}\n')


def infer(stub, model, array):
    request = inference_pb2.ModelInferRequest(model_name=model)
    request.inputs.add(name="input", datatype="FP32", shape=array.shape)
    request.raw_input_contents.append(array.tobytes())
    response = stub.ModelInfer(request)
    output = response.outputs[0]
    return np.frombuffer(response.raw_output_contents[0], "<f4").reshape(output.shape)


class Layers(unittest.TestCase):
    def test_every_layer_agrees_with_pytorch(self):
        warnings.simplefilter("ignore")  # lazy modules are "experimental" in 1.13
        cases = list(layers.cases())
        self.assertGreater(len(cases), 100)
        generator = np.random.default_rng(1)
        with tempfile.TemporaryDirectory() as folder:
            write_models(pathlib.Path(folder), cases)
            with lazynet_process.Server(BINARY, folder, "--backend", BACKEND) as server:
                with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
                    stub = inference_pb2_grpc.GRPCInferenceServiceStub(channel)
                    for case in cases:
                        self.compare(stub, case, generator)

    def compare(self, stub, case, generator):
        torch.manual_seed(SEED)
        module = case.module().eval()
        for shape in case.shapes:
            with self.subTest(case=case.name, shape=shape), torch.no_grad():
                array = generator.standard_normal(shape).astype("f4") * 2
                wanted = module(torch.from_numpy(array)).numpy()
                got = infer(stub, case.name, array)
                self.assertEqual(got.shape, wanted.shape)
                # Float32 sums taken in another order.
                np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-5)


if __name__ == "__main__":
    unittest.main()
