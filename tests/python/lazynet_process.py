"""Starts the real server for tests in Python, and makes client stubs from proto/."""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def make_stubs():
    """Compiles proto/ for Python, puts the modules on the path, and returns their folder."""
    folder = tempfile.TemporaryDirectory(prefix="lazynet-stubs-")
    files = ["proto/inference.proto", "proto/model_config.proto",
             "proto/grpc/health/v1/health.proto", "proto/lazynet/v1/lazynet.proto",
             "proto/lazynet/v1/network.proto"]
    subprocess.run(["protoc", f"-I{ROOT}", f"--python_out={folder.name}",
                    f"--grpc_out={folder.name}",
                    "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin", *files],
                   check=True, cwd=ROOT)
    sys.path.insert(0, folder.name)
    return folder


class Server:
    """lazynet-server on free ports of loopback; a context manager that stops it by SIGTERM."""

    def __init__(self, binary, repository, *flags, grpc_address="127.0.0.1:0"):
        self.command = [binary, "--model-repository", str(repository),
                        "--grpc-address", grpc_address, "--metrics-address", "127.0.0.1:0",
                        "--admin-address", "127.0.0.1:0", *flags]
        self.exit_code = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            ports = re.search(r"gRPC port (\d+), metrics port (\d+), admin port (\d+)", line)
            if ports:
                self.grpc_port, self.metrics_port, self.admin_port = map(int, ports.groups())
                return self
        raise RuntimeError("the server did not start:\n" + "".join(lines))

    def wait_for_log(self, text):
        """Reads the log on until a line has `text`, and returns that."""
        for line in self.process.stderr:
            if text in line:
                return line
        raise RuntimeError(f"the server ended without a line with {text!r}")

    def __exit__(self, *_):
        self.process.terminate()
        _, self.log = self.process.communicate(timeout=60)
        self.exit_code = self.process.returncode
