#!/usr/bin/python3
"""One server is told to stop under load while another takes over: no call fails, none is lost.

  take_over_test.py SERVER_BINARY
"""
import json
import pathlib
import re
import sys
import tempfile
import threading
import unittest
import urllib.request

import grpc
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import lazynet_process  # noqa: E402

STUBS = lazynet_process.make_stubs()
from proto import inference_pb2, inference_pb2_grpc  # noqa: E402

BINARY = sys.argv.pop(1)
CLIENTS = 8
LAYERS, WIDTH, ROWS = 20, 512, 256

RETRIES = {"methodConfig": [{
    "name": [{"service": "inference.GRPCInferenceService"}],
    "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.02s", "maxBackoff": "0.5s",
                    "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]}


def request_of(model, array):
    request = inference_pb2.ModelInferRequest(model_name=model)
    request.inputs.add(name="input", datatype="FP32", shape=array.shape)
    request.raw_input_contents.append(array.astype("<f4").tobytes())
    return request


class Load:
    """Clients that each send one request after the other, and count what comes back."""

    def __init__(self, addresses, policy):
        config = {**RETRIES, "loadBalancingConfig": [{policy: {}}]}
        self.channel = grpc.insecure_channel(
            "ipv4:" + ",".join(addresses),
            options=[("grpc.service_config", json.dumps(config)), ("grpc.enable_retries", 1)])
        self.stub = inference_pb2_grpc.GRPCInferenceServiceStub(self.channel)
        self.changed = threading.Condition()  # guards the next two
        self.answered = [0] * CLIENTS
        self.failures = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def work(self, client):
        rng = np.random.default_rng(client)
        while not self.over.is_set():
            values = rng.standard_normal((2, 3), "f4")
            try:
                response = self.stub.ModelInfer(request_of("negate", values), timeout=60)
                got = np.frombuffer(response.raw_output_contents[0], "<f4")
                failure = None if (got == -values.ravel()).all() else "a wrong answer"
            except grpc.RpcError as error:
                failure = f"{error.code()}: {error.details()}"
            with self.changed:
                self.answered[client] += failure is None
                self.failures += [failure] if failure else []
                self.changed.notify_all()

    def wait_for_more(self, count):
        """Until each client has that many answers more, or any has failed."""
        with self.changed:
            wanted = [before + count for before in self.answered]
            self.changed.wait_for(lambda: self.failures or all(
                now >= then for now, then in zip(self.answered, wanted)), timeout=120)
            return all(now >= then for now, then in zip(self.answered, wanted))

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.channel.close()


class TakeOver(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.models = pathlib.Path(folder.name)
        (self.models / "negate").mkdir()
        (self.models / "negate/network.textproto").write_text(
            'layers { name: "y" mul { other: -1 } }')
        (self.models / "slow").mkdir()
        (self.models / "slow/network.textproto").write_text("".join(
            f'layers {{ name: "fc{i}" linear {{ out_features: {WIDTH} }} }}\n'
            for i in range(LAYERS)))

    def start(self, *flags):
        server = lazynet_process.Server(BINARY, self.models, *flags)
        server.__enter__()
        self.addCleanup(server.process.kill)
        return server

    def take_over(self, policy, *flags):
        first, second = self.start(*flags), self.start()
        load = Load([f"127.0.0.1:{server.grpc_port}" for server in (first, second)], policy)
        self.addCleanup(load.end)
        self.assertTrue(load.wait_for_more(50), load.failures)
        first.process.terminate()
        self.assertTrue(load.wait_for_more(50), load.failures)
        self.assertEqual(first.process.wait(timeout=60), 0)
        self.assertTrue(load.wait_for_more(50), load.failures)
        load.end()
        self.assertEqual(load.failures, [])
        second.__exit__()
        self.assertEqual(second.exit_code, 0)

    def test_a_client_that_knows_both_addresses_in_order_sees_no_failure(self):
        self.take_over("pick_first")

    def test_a_client_that_balances_sees_no_failure(self):
        self.take_over("round_robin")

    def test_a_grace_period_changes_nothing_for_clients(self):
        self.take_over("round_robin", "--drain-grace", "1")

    def in_flight(self, server):
        url = f"http://127.0.0.1:{server.metrics_port}/metrics"
        text = urllib.request.urlopen(url, timeout=60).read().decode()
        return int(re.search(r'lazynet_requests_in_flight\{model="slow"[^}]*\} (\d+)', text)[1])

    # Without retries, so that what the server dropped would be seen.
    def test_what_was_taken_before_the_signal_is_answered(self):
        server = self.start("--lanes", "1")
        channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}",
                                        options=[("grpc.enable_retries", 0)])
        self.addCleanup(channel.close)
        stub = inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        request = request_of("slow", np.ones((ROWS, WIDTH)))
        stub.ModelInfer(request, timeout=60)  # makes the parameters and the plan
        calls = [stub.ModelInfer.future(request, timeout=120) for _ in range(32)]
        while sum(call.done() for call in calls) + self.in_flight(server) < len(calls):
            pass
        self.assertFalse(all(call.done() for call in calls))
        server.process.terminate()
        for call in calls:
            self.assertEqual(len(call.result().raw_output_contents[0]), ROWS * WIDTH * 4)
        self.assertEqual(server.process.wait(timeout=60), 0)


if __name__ == "__main__":
    unittest.main()
