"""The networks that are compared: torch modules with random weights, and what is made of them.

Each gets a folder: torch.pt (the module), model.onnx, lazynet/ (a model folder of lazynet's).
"""
import dataclasses
import hashlib
import pathlib
import shutil
import sys
import warnings
from typing import Callable

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from modules import Encoder, Espcn, LeNet, Lstm, Mlp

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy/export"))
from lazynet_export import export  # noqa: E402

SEED = 11

# Images that batch normalization's statistics are of: with fewer some channels hardly vary, and
# normalization makes much of the next image.
SETTLED = 16

# The newest operators that PyTorch 1.13 writes; layer normalization is one of them.
ONNX_OPSET = 17


@dataclasses.dataclass
class Network:
    """A network.

    `shape` is that of one example, without the batch; `input_name` is what forward calls it.
    """
    name: str
    title: str
    make: Callable
    shape: tuple
    input_name: str = "x"


def torchvision_model(name, title):
    return Network(name, title, lambda: getattr(torchvision.models, name)(weights=None),
                   (3, 224, 224))


NETWORKS = {one.name: one for one in [
    Network("mlp", "MLP 784-512-512-10", Mlp, (784,), "input"),
    Network("lenet", "LeNet", LeNet, (1, 28, 28), "input"),
    torchvision_model("resnet18", "ResNet-18"),
    torchvision_model("resnet50", "ResNet-50"),
    torchvision_model("mobilenet_v2", "MobileNetV2"),
    torchvision_model("efficientnet_b0", "EfficientNet-B0"),
    Network("bert_16", "BERT base, 16 tokens", lambda: Encoder(16), (16, 768), "input"),
    Network("bert_128", "BERT base, 128 tokens", lambda: Encoder(128), (128, 768),
            "input"),
    Network("lstm", "LSTM 2 x 256", Lstm, (64, 128)),
    Network("espcn", "ESPCN x3", Espcn, (1, 128, 128), "input"),
]}


def make_input(network, batch, seed=SEED):
    """Normal random numbers; images with large spots, so that deep channels vary as well."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((batch, *network.shape), generator=generator)
    if len(network.shape) != 3:
        return noise
    spots = torch.randn((batch, network.shape[0], 4, 4), generator=generator) * 2
    return noise * 0.3 + F.interpolate(spots, size=network.shape[1:], mode="bilinear")


def settle(module, network):
    """Gives a network weights and statistics with which values keep their size on the way.

    Batch normalization gets small weights, as training makes them, and then the statistics of a
    batch. Without it the layers before ReLU are drawn as He et al. do.
    """
    norms = [one for one in module.modules() if isinstance(one, nn.BatchNorm2d)]
    for one in module.modules():
        if isinstance(one, nn.LayerNorm):
            nn.init.uniform_(one.weight, 0.8, 1.2)
            nn.init.normal_(one.bias, std=0.1)
        elif isinstance(module, (Mlp, LeNet, Espcn)) and hasattr(one, "weight"):
            nn.init.kaiming_normal_(one.weight, nonlinearity="relu")
    if not norms:
        return
    for one in norms:
        nn.init.uniform_(one.weight, 0.2, 0.5)
        nn.init.normal_(one.bias, std=0.1)
        one.momentum = 1.0
        one.train()
    with torch.no_grad():
        module(make_input(network, SETTLED))


def make_module(network):
    torch.manual_seed(SEED)
    module = network.make().eval()
    settle(module, network)
    return module.eval()


def check_values(module, network):
    """What vanishes, explodes or ignores its input would agree whatever an engine does."""
    with torch.no_grad():
        output = module(make_input(network, 2))
    scale = output.abs().max().item()
    spread = (output[0] - output[1]).abs().max().item()
    if not 1e-2 < scale < 1e3 or spread < 0.05 * scale:
        raise AssertionError(f"{network.name}: outputs up to {scale:.1e} that differ by "
                             f"{spread:.1e} are no good to compare")


def sources():
    """What the files depend on, as a short text."""
    digest = hashlib.sha256(f"{torch.__version__} {torchvision.__version__}".encode())
    here = pathlib.Path(__file__)
    files = [here, here.with_name("modules.py"), *sorted((ROOT / "deploy/export").rglob("*.py"))]
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def prepare(network, work):
    """The folder of a network, made unless it is there and its sources are as they were."""
    folder = work / "networks" / network.name
    stamp = folder / "sources"
    if stamp.exists() and stamp.read_text() == sources():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    module = make_module(network)
    check_values(module, network)
    torch.save(module, folder / "torch.pt")
    example = make_input(network, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (example,), folder / "model.onnx", opset_version=ONNX_OPSET,
                          input_names=[network.input_name], output_names=["output"],
                          dynamic_axes={network.input_name: {0: "batch"},
                                        "output": {0: "batch"}})
    export(module, folder / "lazynet", title=network.name)
    stamp.write_text(sources())
    return folder


def input_file(network, folder, batch):
    """The file with the input of a batch size, made unless it is there."""
    file = folder / f"input-{batch}.bin"
    if not file.exists():
        file.write_bytes(make_input(network, batch).numpy().tobytes())
    return file
