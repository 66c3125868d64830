"""The networks of the zoo: torchvision's, and a few of our own, with random weights.

Their batch normalization has statistics of random images, so that values keep their size on the
way and the outputs depend on the input.
"""
import dataclasses
from typing import Callable

import torch
import torchvision
from torch import nn

import own_models
from compare import make_inputs

SEED = 11

# Images that the statistics are of: with fewer some channels hardly vary, and normalization makes
# much of the next image.
SETTLED = 16


@dataclasses.dataclass
class Entry:
    """A network and what is asked of it.

    `make` gives the module. Each part of `parts` is exported by itself: options of export, then
    requests, which are inputs by name, as shapes or functions that make a tensor of a generator.
    """
    name: str
    make: Callable
    parts: list
    quick: bool = False
    # What PyTorch's answers are computed in: FP64 where those in FP32 have rounding errors of half of
    # what is tolerated.
    dtype: torch.dtype = torch.float32


def images(*shapes):
    return [{"x": shape} for shape in shapes]


def ids(high, *shape):
    return lambda generator: torch.randint(0, high, shape, generator=generator)


def classifier(name, *, sizes=(224, 192), quick=False, argument="x", **options):
    """One of torchvision.models; two batch sizes, two image sizes."""
    large, small = sizes
    shapes = (1, 3, large, large), (2, 3, large, large), (2, 3, small, small)
    requests = [{argument: shape} for shape in shapes]
    return Entry(name, lambda: getattr(torchvision.models, name)(**options), [({}, requests)],
                 quick)


def fixed_sizes(name, sizes, argument="x"):
    """A classifier that is traced with sizes: an export for each image size."""
    parts = [({"inputs": [f"{argument}=1,3,{size},{size}"]},
              [{argument: (1, 3, size, size)}, {argument: (3, 3, size, size)}])
             for size in sizes]
    return Entry(name, lambda: getattr(torchvision.models, name)(), parts)


def segmenter(name):
    return Entry(name, lambda: getattr(torchvision.models.segmentation, name)(
        weights=None, weights_backbone=None, num_classes=21, aux_loss=True),
        [({}, images((1, 3, 160, 192), (2, 3, 160, 192), (2, 3, 129, 145)))], dtype=torch.float64)


def fpn():
    return torchvision.models.detection.backbone_utils.resnet_fpn_backbone("resnet50",
                                                                           weights=None)


def entries():
    no_init = {"init_weights": False}
    return [
        classifier("alexnet"),
        classifier("vgg11_bn", sizes=(224, 160)),
        classifier("resnet18", sizes=(96, 64), quick=True),
        classifier("resnet50"),
        classifier("resnext50_32x4d"),
        classifier("wide_resnet50_2", sizes=(160, 128)),
        classifier("squeezenet1_1", sizes=(96, 64), quick=True),
        classifier("densenet121"),
        classifier("googlenet", **no_init),
        classifier("inception_v3", sizes=(299, 224), **no_init),
        classifier("mobilenet_v2"),
        classifier("mobilenet_v3_small", sizes=(96, 64), quick=True),
        classifier("mnasnet1_0"),
        classifier("efficientnet_b0"),
        classifier("efficientnet_v2_s"),
        classifier("regnet_y_400mf"),
        classifier("convnext_tiny"),
        classifier("shufflenet_v2_x1_0", sizes=(96, 64), quick=True),
        Entry("vit_b_16", torchvision.models.vit_b_16,
              [({}, images((1, 3, 224, 224), (3, 3, 224, 224)))]),
        fixed_sizes("swin_t", (224, 192)),
        segmenter("fcn_resnet50"),
        segmenter("deeplabv3_resnet50"),
        Entry("fpn_resnet50", fpn, [({}, images((1, 3, 128, 96), (2, 3, 128, 96),
                                                (2, 3, 75, 101)))]),
        Entry("bert_base", own_models.Bert, [({}, [
            {"ids": ids(1000, 1, 16)}, {"ids": ids(1000, 2, 16)}, {"ids": ids(1000, 2, 33)}])]),
        Entry("bert_small", lambda: own_models.Bert(width=32, depth=2, heads=4), [({}, [
            {"ids": ids(1000, 1, 16)}, {"ids": ids(1000, 2, 9)}])], True),
        Entry("lstm", own_models.Tagger, [({}, [
            {"ids": ids(50, 1, 7)}, {"ids": ids(50, 3, 7)}, {"ids": ids(50, 3, 12)}])], True),
        Entry("unet", own_models.UNet, [({}, images((1, 3, 32, 48), (2, 3, 32, 48),
                                                    (2, 3, 37, 41)))], True),
    ]


def make_module(entry):
    """Its module in eval mode, with weights of SEED."""
    torch.manual_seed(SEED)
    module = entry.make().eval()
    settle(module, entry)
    return module.eval()


def settle(module, entry):
    """Gives batch normalization weights that are not 1, and then the statistics of a batch.

    The weights are small, as training makes them: then residual networks do not multiply rounding
    errors. What starts as zeros, like the head of a vision transformer, gets values.
    """
    for one in module.modules():
        if isinstance(one, nn.Linear) and not one.weight.any():
            nn.init.xavier_uniform_(one.weight)
    norms = [one for one in module.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]
    for one in norms:
        nn.init.uniform_(one.weight, 0.2, 0.5)
        nn.init.normal_(one.bias, std=0.1)
    for one in module.modules():
        if type(one).__name__ == "FrozenBatchNorm2d":
            nn.init.uniform_(one.weight, 0.5, 1.0)
            nn.init.normal_(one.bias, std=0.1)
            nn.init.normal_(one.running_mean, std=0.1)
            nn.init.uniform_(one.running_var, 0.5, 1.0)
    if not norms:
        return
    momenta = [one.momentum for one in norms]
    for one in norms:
        one.momentum = 1.0
        one.train()
    name, shape = next(iter(entry.parts[0][1][0].items()))
    with torch.no_grad():
        module(**{name: make_inputs((SETTLED, *shape[1:]), SEED)})
    for one, momentum in zip(norms, momenta):
        one.momentum = momentum
