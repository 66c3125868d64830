#!/usr/bin/python3
"""The server through grpcio, with stubs made from proto/: a client that is not ours.

  python_client_test.py SERVER_BINARY EARLY_THREAD_LIBRARY
"""
import os
import pathlib
import sys
import unittest
from unittest import mock

import grpc
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import lazynet_process  # noqa: E402

STUBS = lazynet_process.make_stubs()
from proto import inference_pb2, inference_pb2_grpc  # noqa: E402
from proto.grpc.health.v1 import health_pb2, health_pb2_grpc  # noqa: E402
from proto.lazynet.v1 import lazynet_pb2, lazynet_pb2_grpc  # noqa: E402

BINARY = sys.argv.pop(1)
EARLY_THREAD = sys.argv.pop(1)
MODELS = lazynet_process.ROOT / "deploy/models"


def infer_request(model, array):
    request = inference_pb2.ModelInferRequest(model_name=model, id="7")
    request.inputs.add(name="input", datatype="FP32", shape=array.shape)
    request.raw_input_contents.append(array.astype("<f4").tobytes())
    return request


class PythonClient(unittest.TestCase):
    def setUp(self):
        self.server = lazynet_process.Server(BINARY, MODELS)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.server.grpc_port}")
        self.addCleanup(self.channel.close)
        self.stub = inference_pb2_grpc.GRPCInferenceServiceStub(self.channel)

    def test_infers_over_raw_contents(self):
        images = np.zeros((3, 1, 28, 28), "f4")
        response = self.stub.ModelInfer(infer_request("mnist", images))
        self.assertEqual(response.id, "7")
        self.assertEqual(list(response.outputs[0].shape), [3, 10])
        logits = np.frombuffer(response.raw_output_contents[0], "<f4")
        self.assertEqual(logits.size, 30)

    def test_compressed_requests_are_read(self):
        request = infer_request("mnist", np.zeros((2, 1, 28, 28), "f4"))
        plain = self.stub.ModelInfer(request)
        packed = self.stub.ModelInfer(request, compression=grpc.Compression.Gzip)
        self.assertEqual(plain.raw_output_contents, packed.raw_output_contents)

    def test_lazy_network_is_described_before_and_after(self):
        lazy = lazynet_pb2_grpc.LazyNetworkServiceStub(self.channel)
        ask = lazynet_pb2.DescribeNetworkRequest(name="lazy_mlp")
        self.assertTrue(lazy.DescribeNetwork(ask).has_uninitialized_params)
        self.stub.ModelInfer(infer_request("lazy_mlp", np.ones((10, 10), "f4")))
        self.assertFalse(lazy.DescribeNetwork(ask).has_uninitialized_params)

    def test_health_answers_per_model(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        for name in ("", "mnist", "lazy_mlp"):
            status = health.Check(health_pb2.HealthCheckRequest(service=name)).status
            self.assertEqual(status, health_pb2.HealthCheckResponse.SERVING)
        with self.assertRaises(grpc.RpcError) as error:
            health.Check(health_pb2.HealthCheckRequest(service="nobody"))
        self.assertEqual(error.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_bytes_that_are_no_request_are_refused(self):
        call = self.channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        with self.assertRaises(grpc.RpcError) as error:
            call(b"\x0a\xff\xff\xff")
        self.assertEqual(error.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)

    def test_reflection_lists_the_services(self):
        # ServerReflectionRequest{list_services: ""}: field 7, written by hand.
        call = self.channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        answer = next(iter(call(iter([b"\x3a\x00"]), timeout=10)))
        for name in (b"inference.GRPCInferenceService", b"lazynet.v1.LazyNetworkService",
                     b"grpc.health.v1.Health"):
            self.assertIn(name, answer)

    def test_sigterm_ends_with_0(self):
        self.server.__exit__()
        self.assertEqual(self.server.exit_code, 0)
        self.assertIn("draining", self.server.log)

    def test_sigterm_ends_with_0_where_a_library_has_a_thread(self):
        environment = {
            "LD_PRELOAD": f"{os.environ.get('LD_PRELOAD', '')} {EARLY_THREAD}".strip(),
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        for _ in range(3):  # the signal goes to any thread that takes it
            with mock.patch.dict(os.environ, environment):
                server = lazynet_process.Server(BINARY, MODELS)
                server.__enter__()
            server.__exit__()
            self.assertEqual(server.exit_code, 0)
            self.assertIn("draining", server.log)


if __name__ == "__main__":
    unittest.main()
