#!/usr/bin/python3
"""A real Prometheus scrapes the server, and promtool reads its metrics.

  prometheus_test.py SERVER_BINARY
"""
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import lazynet_process  # noqa: E402

BINARY = sys.argv.pop(1)
MODELS = lazynet_process.ROOT / "deploy/models"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read(url):
    return urllib.request.urlopen(url, timeout=10).read().decode()


class Prometheus(unittest.TestCase):
    def setUp(self):
        if shutil.which("prometheus") is None:
            self.skipTest("NOT TESTED: prometheus is not installed")

    def test_promtool_has_no_complaint(self):
        with lazynet_process.Server(BINARY, MODELS) as server:
            text = read(f"http://127.0.0.1:{server.metrics_port}/metrics")
        check = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                               capture_output=True)
        self.assertEqual(check.stdout + check.stderr, "")
        self.assertEqual(check.returncode, 0)

    def test_prometheus_scrapes_the_server(self):
        with lazynet_process.Server(BINARY, MODELS) as server, \
                tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "prometheus.yml"
            config.write_text(
                "global: { scrape_interval: 1s }\nscrape_configs:\n  - job_name: lazynet\n"
                f"    static_configs: [{{ targets: ['127.0.0.1:{server.metrics_port}'] }}]\n")
            port = free_port()
            process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
            try:
                query = urllib.parse.quote(
                    'lazynet_network_state{model="lazy_mlp",state="lazy"}')
                result = self.poll(f"http://127.0.0.1:{port}/api/v1/query?query={query}")
                self.assertEqual(result[0]["value"][1], "1")
            finally:
                process.terminate()
                process.wait(timeout=30)

    def poll(self, url, seconds=60):
        """The query's result, once there is one: Prometheus scrapes when it likes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                result = json.loads(read(url))["data"]["result"]
                if result:
                    return result
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(0.2)
        self.fail(f"no answer to {url} within {seconds} s")


if __name__ == "__main__":
    unittest.main()
