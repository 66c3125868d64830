#!/usr/bin/python3
"""The client's commands for lazy networks against a real server, which is killed in between.

  lazy_commands_test.py SERVER_BINARY CLIENT_BINARY
"""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import lazynet_process  # noqa: E402

SERVER, CLIENT = sys.argv.pop(1), sys.argv.pop(1)
MODELS = lazynet_process.ROOT / "deploy/models"


class LazyCommands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.start()
        self.addCleanup(lambda: self.server.__exit__(None, None, None))

    def start(self):
        self.server = lazynet_process.Server(SERVER, MODELS, "--state-dir", self.folder / "state")
        self.server.__enter__()

    def kill_and_start(self):
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.communicate()
        self.start()

    def run_client(self, *args, code=0, admin=False):
        port = self.server.admin_port if admin else self.server.grpc_port
        done = subprocess.run([CLIENT, *map(str, args), "--server", f"127.0.0.1:{port}"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def describe(self, model="lazy_mlp"):
        return json.loads(self.run_client("describe", model, "--json"))

    # A channel that nobody waits for looks at its sockets every five seconds.
    def test_waiting_ends_soon_after_the_server_has_started(self):
        address = f"unix:{self.folder}/socket"
        waiting = subprocess.Popen([CLIENT, "wait", "--server", address, "--timeout", "4"],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        with lazynet_process.Server(SERVER, MODELS, grpc_address=address):
            said, _ = waiting.communicate(timeout=60)
        self.assertEqual((waiting.returncode, said), (0, f"{address}: SERVING\n"))

    def test_a_network_from_lazy_to_ready_and_back(self):
        self.assertEqual(self.describe()["state"], "lazy")
        would = self.run_client("materialize", "lazy_mlp", "--shape", "4,64", "--validate-only")
        self.assertIn("fc1.weight", would)
        self.assertEqual(self.describe()["state"], "lazy")
        self.run_client("materialize", "lazy_mlp", "--shape", "4,64", admin=True)
        made = self.describe()
        self.assertEqual((made["state"], made["binding"]["source"]), ("ready", "admin"))

        saved = self.folder / "saved.safetensors"
        self.run_client("state-dict", "save", "lazy_mlp", saved)
        self.run_client("state-dict", "diff", saved, "model:lazy_mlp")
        definition = MODELS / "lazy_mlp/network.textproto"
        self.run_client("register", "copy", definition, admin=True)
        self.run_client("materialize", "copy", "--shape", "4,32", admin=True)
        self.run_client("state-dict", "diff", saved, "model:copy", code=1)
        self.run_client("reset", "copy", admin=True)
        self.run_client("state-dict", "load", "copy", saved, admin=True)
        self.assertEqual(self.describe("copy")["parameter_hash"], made["parameter_hash"])

        # What was acknowledged is there after kill -9.
        self.kill_and_start()
        for model in ("lazy_mlp", "copy"):
            self.assertEqual(self.describe(model)["parameter_hash"], made["parameter_hash"])
        self.run_client("checkpoint", "save", "copy", "best", admin=True)
        self.run_client("reset", "lazy_mlp", admin=True)
        self.assertEqual(self.describe()["state"], "lazy")
        self.run_client("checkpoint", "load", "lazy_mlp", "best", admin=True)
        self.assertEqual(self.describe()["parameter_hash"], made["parameter_hash"])
        self.run_client("unregister", "copy", admin=True)
        self.assertNotIn("copy", self.run_client("models"))

    def test_pytorch_reads_what_was_saved(self):
        import numpy as np
        import torch

        saved = self.folder / "saved.safetensors"
        self.run_client("materialize", "lazy_mlp", "--shape", "4,64", admin=True)
        self.run_client("state-dict", "save", "lazy_mlp", saved)
        data = saved.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + length])
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.LazyLinear(10), torch.nn.ReLU(),
                                     torch.nn.LazyLinear(1), torch.nn.ReLU())
        module(torch.zeros(4, 64))
        names = {"fc1": 0, "fc2": 2}
        for layer, index in names.items():
            for name, wanted in module[index].named_parameters():
                entry = header[f"{layer}.{name}"]
                begin, end = (8 + length + offset for offset in entry["data_offsets"])
                got = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
                np.testing.assert_array_equal(got, wanted.detach().numpy())


if __name__ == "__main__":
    unittest.main()
