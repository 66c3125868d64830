#!/usr/bin/python3
"""A lazy ResNet binds to one channel at its first request, with the very bits of PyTorch's.

  lazy_test.py SERVER_BINARY [resnet50]
"""
import hashlib
import pathlib
import sys
import tempfile
import unittest
import warnings

import torch
import torchvision
from torch import nn

from served import Client, connect, export, lazynet_process, relative_error
from proto.lazynet.v1 import lazynet_pb2, lazynet_pb2_grpc

BINARY = sys.argv.pop(1)
MODEL = sys.argv.pop(1) if len(sys.argv) > 1 else "resnet18"
SEED = 20


def lazy_version(layer):
    """What PyTorch's lazy class makes of a layer without its sizes."""
    if type(layer) is nn.Conv2d:
        return nn.LazyConv2d(layer.out_channels, layer.kernel_size, layer.stride, layer.padding,
                             layer.dilation, layer.groups, layer.bias is not None,
                             layer.padding_mode)
    if type(layer) is nn.BatchNorm2d:
        return nn.LazyBatchNorm2d(layer.eps, layer.momentum, layer.affine,
                                  layer.track_running_stats)
    if type(layer) is nn.Linear:
        return nn.LazyLinear(layer.out_features, layer.bias is not None)
    return None


def make_lazy(module):
    for name, child in module.named_children():
        lazy = lazy_version(child)
        if lazy is None:
            make_lazy(child)
        else:
            setattr(module, name, lazy)
    return module.eval()


class Tables(nn.Module):
    """Registers its tables in another order than it reads them."""

    def __init__(self, linear):
        super().__init__()
        self.first, self.second = nn.Embedding(5, 3), nn.Embedding(5, 3)
        self.fc = linear

    def forward(self, ids):
        return self.fc(torch.cat([self.second(ids), self.first(ids)], -1))


class Lazy(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore")

    def state_dict(self, server):
        """Shapes and digests of the parameters on the server."""
        with connect(server) as channel:
            stub = lazynet_pb2_grpc.LazyNetworkServiceStub(channel)
            found = {}
            for part in stub.GetStateDict(lazynet_pb2.GetStateDictRequest(name="net")):
                if part.HasField("entry"):
                    key = part.entry.key
                    found[key] = hashlib.sha256()
                else:
                    found[key].update(part.data)
        return {key: digest.hexdigest() for key, digest in found.items()}

    def test_tables_are_drawn_as_they_are_registered(self):
        ids = torch.tensor([[1, 4], [0, 2]])
        torch.manual_seed(SEED)
        lazy = Tables(nn.LazyLinear(2)).eval()
        with torch.no_grad():
            wanted = lazy(ids)
        with tempfile.TemporaryDirectory() as folder:
            export(Tables(nn.Linear(6, 2)), pathlib.Path(folder) / "net", seed=SEED, lazy=True)
            with lazynet_process.Server(BINARY, folder) as server, connect(server) as channel:
                got, = Client(channel).infer("net", {"ids": ids})
        self.assertLessEqual(relative_error(got, wanted), 1e-6)

    def test_the_first_request_makes_what_pytorch_makes(self):
        module = getattr(torchvision.models, MODEL)()
        lazy = make_lazy(getattr(torchvision.models, MODEL)())
        image = torch.randn(1, 1, 96, 96, generator=torch.Generator().manual_seed(1))
        torch.manual_seed(SEED)
        with torch.no_grad():
            wanted = lazy(image)
        for made, options in ((module, {"lazy": True}),
                              (make_lazy(getattr(torchvision.models, MODEL)()), {})):
            with self.subTest(options=options), tempfile.TemporaryDirectory() as folder:
                export(made, pathlib.Path(folder) / "net", seed=SEED, **options)
                files = sorted(one.name for one in (pathlib.Path(folder) / "net").iterdir())
                self.assertEqual(files, ["network.textproto"])
                with lazynet_process.Server(BINARY, folder) as server, \
                        connect(server) as channel:
                    got, = Client(channel).infer("net", {"x": image})
                    digests = self.state_dict(server)
                self.assertLessEqual(relative_error(got, wanted), 1e-4)
                self.assertEqual(digests, {
                    key: hashlib.sha256(one.numpy().tobytes()).hexdigest()
                    for key, one in lazy.state_dict().items()})


if __name__ == "__main__":
    unittest.main()
