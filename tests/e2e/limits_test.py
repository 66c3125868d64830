#!/usr/bin/python3
"""Limits that show from outside the process: file descriptors, connections, memory.

  limits_test.py SERVER_BINARY
"""
import json
import os
import pathlib
import re
import resource
import socket
import struct
import sys
import unittest

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import lazynet_process  # noqa: E402

STUBS = lazynet_process.make_stubs()
from proto import inference_pb2, inference_pb2_grpc  # noqa: E402

BINARY = sys.argv.pop(1)
MODELS = lazynet_process.ROOT / "deploy/models"
MIB = 1 << 20

# A server short of memory may send a new connection away before it breaks those that hold most.
RETRIES = json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": {
    "maxAttempts": 5, "initialBackoff": "0.2s", "maxBackoff": "2s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})


class Limits(unittest.TestCase):
    def start(self, *flags, files=None):
        self.server = lazynet_process.Server(BINARY, MODELS, *flags)
        if files:
            self.server.command = ["prlimit", f"--nofile={files}:{files}", *self.server.command]
        self.server.__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)
        self.pid = self.server.process.pid

    def channel(self):
        channel = grpc.insecure_channel(f"127.0.0.1:{self.server.grpc_port}",
                                        options=[("grpc.use_local_subchannel_pool", 1),
                                                 ("grpc.service_config", RETRIES)])
        self.addCleanup(channel.close)
        return channel

    def ask(self):
        stub = inference_pb2_grpc.GRPCInferenceServiceStub(self.channel())
        request = inference_pb2.ServerLiveRequest()
        return stub.ServerLive(request, timeout=60, wait_for_ready=True).live

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.server.grpc_port))
        self.addCleanup(client.close)
        return client

    # The server speaks first: what it takes, it greets with its settings.
    def is_taken(self, client):
        try:
            return client.recv(1) != b""
        except ConnectionResetError:
            return False

    def test_connections_beyond_the_most_are_closed_and_room_is_found_again(self):
        self.start("--max-connections", "10")
        clients = [self.connect() for _ in range(30)]
        taken = [client for client in clients if self.is_taken(client)]
        self.assertEqual(len(taken), 10)
        for client in taken:
            client.close()
        self.assertTrue(self.ask())

    def test_connections_leave_file_descriptors_for_other_things(self):
        self.start(files=200)
        clients = [self.connect() for _ in range(150)]
        self.assertEqual(sum(map(self.is_taken, clients)), 66)

    def test_a_server_without_descriptors_goes_on_when_it_has_some(self):
        self.start()
        was = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        open_files = len(os.listdir(f"/proc/{self.pid}/fd"))
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (min(3, open_files), was[1]))
        client = self.connect()
        self.server.wait_for_log("connections refused")
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, was)
        self.assertTrue(self.is_taken(client))
        self.assertTrue(self.ask())

    # A request of 4 MiB of which the first 64 KiB come, as many as a client may send unasked.
    def send_unfinished(self):
        def frame(kind, flags, stream, payload):
            return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + \
                struct.pack(">I", stream) + payload
        headers = {b":method": b"POST", b":scheme": b"http", b":authority": b"localhost",
                   b":path": b"/inference.GRPCInferenceService/ModelInfer",
                   b"content-type": b"application/grpc", b"te": b"trailers"}
        block = b"".join(bytes([0, len(name)]) + name + bytes([len(value)]) + value
                         for name, value in headers.items())
        message = b"\0" + struct.pack(">I", 4 * MIB) + bytes(65535 - 5)
        client = self.connect()
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") +
                       frame(1, 4, 1, block))
        for begin in range(0, len(message), 16384):
            client.sendall(frame(0, 0, 1, message[begin:begin + 16384]))
        return client

    def test_messages_that_do_not_end_take_no_more_than_they_may(self):
        self.start("--connection-memory-bytes", str(2 * MIB))
        self.ask()
        before = self.peak_bytes()
        for _ in range(500):
            try:
                self.send_unfinished()
            except OSError:
                pass  # broken already
        self.assertTrue(self.ask())
        self.assertLess(self.peak_bytes() - before, 24 * MIB)

    def peak_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def test_what_would_be_large_decompressed_is_not(self):
        self.start("--max-message-bytes", str(MIB))
        self.ask()
        before = self.peak_bytes()
        large = bytes(32 * MIB)  # a thousandth of it when it is compressed
        channel = self.channel()
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            for make in (channel.unary_unary, channel.stream_stream):
                streams = make == channel.stream_stream
                call = make("/inference.GRPCInferenceService/" +
                            ("ModelStreamInfer" if streams else "ModelInfer"))
                if streams:
                    answers = call(iter([large]), compression=compression, timeout=120)
                    error = inference_pb2.ModelStreamInferResponse.FromString(next(answers))
                    self.assertIn("when decompressed", error.error_message)
                    continue
                with self.assertRaises(grpc.RpcError) as error:
                    call(large, compression=compression, timeout=120)
                self.assertEqual(error.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
                self.assertIn("when decompressed", error.exception.details())
        # Other calls do not take what is compressed, but in the admin's hands.
        with self.assertRaises(grpc.RpcError):
            channel.unary_unary("/inference.GRPCInferenceService/ModelReady")(
                large, compression=grpc.Compression.Gzip, timeout=120)
        self.assertLess(self.peak_bytes() - before, 24 * MIB)
        self.assertTrue(self.ask())


if __name__ == "__main__":
    unittest.main()
