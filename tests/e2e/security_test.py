#!/usr/bin/python3
"""The client's TLS flags and token against a real server, whose files change while it runs.

  security_test.py SERVER_BINARY CLIENT_BINARY
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import certificates  # noqa: E402
import lazynet_process  # noqa: E402

SERVER, CLIENT = sys.argv.pop(1), sys.argv.pop(1)
MODELS = lazynet_process.ROOT / "deploy/models"


class Security(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.authority = certificates.Authority(self.folder, "authority")
        self.certificate, self.key = self.authority.issue("server", "DNS:localhost,IP:127.0.0.1")
        self.own = self.authority.issue("operator", "DNS:operator.example")
        self.tokens = self.folder / "tokens"
        self.tokens.write_text("secret\n")

    def start(self, *flags, models=MODELS):
        self.server = lazynet_process.Server(
            SERVER, models, "--tls-certificate", self.certificate, "--tls-key", self.key, *flags)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)

    def run_client(self, *args, code=0, admin=False, env=None):
        port = self.server.admin_port if admin else self.server.grpc_port
        done = subprocess.run([CLIENT, *map(str, args), "--server", f"127.0.0.1:{port}"],
                              capture_output=True, text=True, timeout=60,
                              env={**os.environ, **(env or {})})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_every_kind_of_command_speaks_tls(self):
        self.start()
        trust = ["--tls-ca", self.authority.certificate]
        self.assertIn("SERVING", self.run_client("wait", *trust))
        self.assertIn("mnist", self.run_client("models", *trust))
        self.run_client("infer", "lazy_mlp", "--input", "random:2x8", *trust)
        self.run_client("watch", "--count", 1, *trust)
        self.run_client("bench", "lazy_mlp", "--input", "random:2x8", "--window", "0.01", *trust)
        self.run_client("reset", "lazy_mlp", *trust, admin=True)
        environment = {"LAZYNET_CLIENT_TLS_CA": str(self.authority.certificate)}
        self.run_client("health", env=environment)
        self.run_client("models", "--tls=false", code=3, env=environment)

    def test_a_server_that_is_not_trusted_is_not_reached(self):
        self.start()
        self.run_client("models", code=3)  # plain text
        self.run_client("models", "--tls", code=3)  # the system's authorities did not sign it
        other = certificates.Authority(self.folder, "other")
        self.run_client("models", "--tls-ca", other.certificate, code=3)
        self.run_client("models", "--tls-ca", self.authority.certificate, "--tls-server-name",
                        "elsewhere.example", code=3)
        self.run_client("models", "--tls-ca", self.authority.certificate, "--tls-server-name",
                        "localhost")

    def test_flags_that_cannot_be_used_are_named(self):
        self.start()
        for flags, said in (
                (["--tls-ca", self.key], f"--tls-ca {self.key}: wants certificates"),
                (["--tls-ca", "none.pem"], "--tls-ca: none.pem: No such file or directory"),
                (["--tls-certificate", self.own[0]], "--tls-key"),
                (["--tls-certificate", self.own[0], "--tls-key", self.key], "is not the key")):
            self.assertIn(said, self.run_client("models", *flags, code=2))
        self.assertIn("--token-file: none: No such file",
                      self.run_client("reset", "lazy_mlp", "--token-file", "none", code=2,
                                      admin=True))

    def test_clients_show_a_certificate_and_a_token(self):
        self.start("--tls-client-ca", self.authority.certificate, "--admin-client-names",
                   "operator.example", "--admin-token-file", self.tokens)
        trust = ["--tls-ca", self.authority.certificate]
        show = [*trust, "--tls-certificate", self.own[0], "--tls-key", self.own[1]]
        self.run_client("models", *trust, code=3)
        self.run_client("models", *show)
        self.assertIn("UNAUTHENTICATED", self.run_client("reset", "mnist", *show, code=1,
                                                         admin=True))
        self.run_client("reset", "mnist", *show, "--token-file", self.tokens, admin=True)
        wrong = self.folder / "wrong"
        wrong.write_text("wrong")
        denied = self.run_client("reset", "mnist", *show, "--token-file", wrong, code=1, admin=True)
        self.assertIn("PERMISSION_DENIED", denied)
        self.assertNotIn(str(self.folder), denied)

    def test_hangup_reads_all_files_again(self):
        models = self.folder / "models"
        (models / "m").mkdir(parents=True)
        (models / "m/network.textproto").write_text('layers { name: "y" relu {} }')
        self.start("--admin-token-file", self.tokens, models=models)
        trust = ["--tls-ca", self.authority.certificate]
        authority = certificates.Authority(self.folder, "next")
        new, key = authority.issue("new", "IP:127.0.0.1")
        shutil.copy(key, self.key)
        shutil.copy(new, self.certificate)
        self.tokens.write_text("")
        shutil.copytree(models / "m", models / "n")
        self.server.process.send_signal(signal.SIGHUP)
        self.server.wait_for_log("TLS certificate read: valid until")
        self.server.wait_for_log("admin tokens stay as they were: --admin-token-file")
        self.server.wait_for_log("model n version 1 is loaded")
        self.run_client("models", *trust, code=3)
        self.assertIn("n", self.run_client("models", "--tls-ca", authority.certificate))
        self.tokens.write_text("secret2")
        shutil.rmtree(models / "n")
        self.certificate.write_text("junk")
        self.server.process.send_signal(signal.SIGHUP)
        self.server.wait_for_log("TLS files stay as they were: --tls-certificate")
        self.server.wait_for_log("admin tokens read again")
        self.server.wait_for_log("model n version 1 is unloaded")
        self.run_client("reset", "m", "--tls-ca", authority.certificate, "--token-file",
                        self.tokens, admin=True)

    def test_a_start_with_a_wrong_file_ends_with_1_and_the_reason(self):
        command = lazynet_process.Server(SERVER, MODELS, "--tls-certificate", self.certificate,
                                         "--tls-key", self.tokens).command
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"--tls-key {self.tokens}: wants a private key in PEM form", done.stderr)


if __name__ == "__main__":
    unittest.main()
