#!/usr/bin/python3
"""Random networks through a live server against PyTorch.

  random_networks_test.py SERVER_BINARY BACKEND [COUNT [SEED]]

Where PyTorch fails the server must answer INVALID_ARGUMENT, when the definition is loaded or at the
request; where PyTorch works, it must give the same. COUNT networks are made, 500 by default; the
same SEED gives the same ones.
"""
import collections
import pathlib
import random
import re
import sys
import tempfile
import unittest
import warnings

import grpc
import torch

import random_networks
from serving import TOLERANCES, Client, connect, lazynet_process

BINARY, BACKEND = sys.argv.pop(1), sys.argv.pop(1)
COUNT = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 500
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 1

# Deliberate differences: who refuses what the other takes, its message, and why.
DIFFERENCES = [
    ("lazynet", r"of at least 1, got|, got 0( |$)",
     "sizes of 0 would leave parameters, windows or statistics without values; PyTorch warns"),
    ("lazynet", r"\(MaxPool1d\): wants an? (input|rank) of",
     "PyTorch's max_pool1d, unlike 2d and 3d, gives outputs without elements and takes rank 1"),
    ("lazynet", r": argument \w+ wants .*, got -\d+$",
     "PyTorch does not look at an argument that nothing depends on, as a dilation of 1x1 kernels"),
    ("lazynet", r": initializer of \"\w+\": \w+: wants a rank|: argument output_padding wants less",
     "PyTorch's functions do not look at tensors without elements"),
    ("lazynet", r"\(AdaptiveAvgPool[23]d\): wants a rank of",
     "PyTorch's go to size 1 by a mean, of any rank"),
    ("lazynet", r"\(Concat\): wants",
     "torch.cat passes over inputs of shape [0], whatever the others are"),
    ("lazynet", r"\((GroupNorm|BatchNorm\dd)\): wants num_\w+ \d+, got",
     "a number of channels that is given holds, with parameters or without"),
    ("lazynet", r"\(PReLU\): wants \d+ channels \(num_parameters\), got 1 in",
     "a size that one use of a shared layer tells holds for all, also before the first request"),
    ("PyTorch", r"^RuntimeError: Invalid padding size, expected",
     "circular padding takes inputs without N as well"),
    ("PyTorch", r"^IndexError: select\(\): index 0 out of range for tensor of size \[0\]",
     "PyTorch's instance norm with running statistics fails on a batch of 0"),
    ("PyTorch", r"^TypeError: adaptive_avg_pool1d\(\): argument 'output_size'",
     "-1 keeps the input's size in one dimension as well, where PyTorch has no None"),
    ("PyTorch", r"^RuntimeError: input image \(T: .* smaller than kernel size",
     "PyTorch's avg_pool3d, unlike 1d and 2d, leaves padding out when it looks for room"),
]


def deliberate(who, message):
    return any(refuses == who and re.search(pattern, message)
               for refuses, pattern, _ in DIFFERENCES)


class Outcome:
    """Outputs, or the message of an error and its code."""

    def __init__(self, outputs=None, message="", code=None):
        self.outputs, self.message, self.code = outputs, message, code


def in_torch(network, module, inputs):
    if isinstance(module, Outcome):
        return module
    try:
        with torch.no_grad():
            return Outcome(module(inputs))
    except Exception as error:  # of many types
        return Outcome(message=f"{type(error).__name__}: {error}")


def in_lazynet(client, name, inputs):
    try:
        return Outcome(client.infer(name, inputs))
    except grpc.RpcError as error:
        return Outcome(message=error.details(), code=error.code())


def check_outputs(got, wanted, exact):
    """Values agree, or are about as far from the exact ones as PyTorch's own are: a small variance
    under a root, for one, makes much of any rounding. FP64 networks have no exact ones."""
    assert len(got) == len(wanted), f"{len(got)} outputs, wanted {len(wanted)}"
    for i, (one, other) in enumerate(zip(got, wanted)):
        assert one.dtype == other.dtype, f"output {i}: {one.dtype}, wanted {other.dtype}"
        assert one.shape == other.shape, f"output {i}: {one.shape}, wanted {other.shape}"
        if one.numel() == 0:
            continue
        one, other = one.double(), other.double()
        if not torch.isfinite(other).all():
            continue
        error = (one - other).abs()
        scale = 1 + other.abs().max()
        if exact is None:
            allowed = 1e3 * TOLERANCES[torch.float64] * scale
        else:
            own = (other - exact[i].double()).abs().max()
            allowed = TOLERANCES[torch.float32] * scale + 20 * own
        assert (error <= allowed).all(), (
            f"output {i} differs by {error.max()}, allowed {allowed}:\n{one}\nwanted\n{other}")


class RandomNetworks(unittest.TestCase):
    def test_they_agree_with_pytorch(self):
        warnings.simplefilter("ignore")
        generator = random_networks.Generator(SEED)
        networks = [generator.network() for _ in range(COUNT)]
        self.counts = collections.Counter()
        rng = random.Random(SEED)
        with tempfile.TemporaryDirectory() as folder:
            for i, network in enumerate(networks):
                model = pathlib.Path(folder) / f"net{i}"
                model.mkdir()
                (model / "network.textproto").write_text(network.definition())
            flags = "--backend", BACKEND
            with lazynet_process.Server(BINARY, folder, *flags) as server:
                with connect(server) as channel:
                    client = Client(channel)
                    for i, network in enumerate(networks):
                        self.compare(client, f"net{i}", network, rng)
        kinds = {layer.kind for network in networks for layer in network.layers}
        print(f"{COUNT} networks, {len(kinds)} kinds of layers: {dict(self.counts)}")
        self.assertGreater(self.counts["both work"], COUNT // 2)

    def compare(self, client, name, network, rng):
        try:
            module = network.module()
        except Exception as error:
            module = Outcome(message=f"{type(error).__name__}: {error}")
        # The batch, then some axis, other than in the first request.
        for change in (None, (0, rng.choice([-1, 1, 2])), (rng.randrange(5), rng.choice([-1, 1]))):
            inputs = random_networks.make_inputs(network, rng, change)
            if any(not fits(inputs[name], shape) for name, shape in network.constraints.items()):
                continue
            wanted = in_torch(network, module, inputs)
            got = in_lazynet(client, name, inputs)
            with self.subTest(network=name, change=change):
                self.judge(network, module, inputs, wanted, got)
            if wanted.outputs is None or got.outputs is None:
                return  # what they hold by now may differ

    def judge(self, network, module, inputs, wanted, got):
        shapes = {name: tuple(tensor.shape) for name, tensor in inputs.items()}
        about = f"\n{network.definition()}inputs {shapes}\n"
        if wanted.outputs is not None and got.outputs is not None:
            self.counts["both work"] += 1
            exact = None
            if network.dtype == "FP32":
                doubles = {name: tensor.double() if tensor.is_floating_point() else tensor
                           for name, tensor in inputs.items()}
                exact = in_torch(network, random_networks.in_double(module), doubles).outputs
            try:
                check_outputs(got.outputs, wanted.outputs, exact)
            except AssertionError as error:
                self.fail(f"{error}{about}")
        elif wanted.outputs is None and got.outputs is None:
            self.counts["both refuse"] += 1
            at_load = "is unavailable: definition: " in got.message
            self.assertTrue(at_load or got.code == grpc.StatusCode.INVALID_ARGUMENT,
                            f"{got.code}: {got.message}{about}PyTorch says {wanted.message}")
        elif got.outputs is None:
            self.counts["only lazynet refuses"] += 1
            self.assertTrue(deliberate("lazynet", got.message),
                            f"lazynet says {got.message}{about}")
        else:
            self.counts["only PyTorch refuses"] += 1
            self.assertTrue(deliberate("PyTorch", wanted.message),
                            f"PyTorch says {wanted.message}{about}")


def fits(tensor, shape):
    return tensor.dim() == len(shape) and all(
        wanted in (-1, size) for wanted, size in zip(shape, tensor.shape))


if __name__ == "__main__":
    unittest.main()
