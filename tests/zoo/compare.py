"""Exports a module, serves it, and compares what it answers with what PyTorch does."""
import copy
import dataclasses
import pathlib
import sys
import tempfile
import time

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy/export"), str(ROOT / "tests/python"),
                str(ROOT / "tests/parity")]
from lazynet_export import export  # noqa: E402
from serving import Client, connect, lazynet_process  # noqa: E402

# Of the largest element of an output.
TOLERANCE = 1e-4


@dataclasses.dataclass
class Result:
    """How one model did. `error` is the largest difference over the largest element."""
    layers: int = 0
    parameters: int = 0
    export_seconds: float = 0.0
    shapes: tuple = ()
    error: float = 0.0
    problem: str = ""

    @property
    def good(self):
        return not self.problem and self.error <= TOLERANCE


def flattened(value):
    """The tensors of what a module returns, in the order of the exported outputs."""
    if isinstance(value, torch.Tensor):
        return [value]
    if value is None:
        return []
    parts = value.values() if isinstance(value, dict) else value
    return [tensor for part in parts for tensor in flattened(part)]


def relative_error(got, wanted):
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        raise AssertionError(f"wanted {wanted.dtype} {tuple(wanted.shape)}, "
                             f"got {got.dtype} {tuple(got.shape)}")
    if wanted.numel() == 0:
        return 0.0
    got, wanted = got.double(), wanted.double()
    if torch.isfinite(wanted).all() and not torch.isfinite(got).all():
        raise AssertionError("got values that are not finite")
    scale = max(wanted.abs().max().item(), 1e-30)
    return (got - wanted).abs().max().item() / scale


def check_spread(outputs):
    """Outputs that do not depend on the input would agree whatever the layers do."""
    for one in outputs:
        if one.dim() and one.shape[0] > 1 and one.is_floating_point():
            scale = one.abs().max().item()
            if not (one[0] - one[1]).abs().max().item() > 100 * TOLERANCE * scale:
                raise AssertionError("PyTorch's outputs hardly depend on the input")


def make_inputs(shape, seed):
    """Normal random numbers of a shape, or what a function of a generator makes.

    Images have large spots besides: on noise alone the channels of deep networks hardly vary, and
    normalization then multiplies rounding errors.
    """
    generator = torch.Generator().manual_seed(seed)
    if callable(shape):
        return shape(generator)
    noise = torch.randn(shape, generator=generator)
    if len(shape) != 4:
        return noise
    spots = torch.randn((*shape[:2], 4, 4), generator=generator) * 2
    return noise * 0.3 + torch.nn.functional.interpolate(spots, size=shape[2:], mode="bilinear")


def answers(module, inputs, dtype):
    """What PyTorch computes in a dtype, as FP32."""
    def cast(tensor, to):
        return tensor.to(to, copy=True) if tensor.is_floating_point() else tensor.clone()
    with torch.no_grad():
        outputs = module(**{name: cast(one, dtype) for name, one in inputs.items()})
    return [cast(one, torch.float32) for one in flattened(outputs)]


def compare(module, requests, binary, *, options=None, server_flags=(), dtype=torch.float32):
    """The Result of exporting `module` and asking it `requests`.

    A request is the inputs by name, each a shape or a function that makes the tensor of a
    generator. PyTorch's answers are computed in `dtype`.
    """
    module.eval()
    result = Result()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        made = export(module, pathlib.Path(folder) / "model", **(options or {}))
        result.export_seconds = time.monotonic() - begin
        result.layers = len(made.definition.layers)
        result.parameters = sum(one.numel() for one in module.parameters())
        outputs = [name for name, _ in made.definition.outputs]
        oracle = copy.deepcopy(module).to(dtype)
        with lazynet_process.Server(binary, folder, *server_flags) as server, \
                connect(server) as channel:
            client = Client(channel)
            for seed, request in enumerate(requests):
                inputs = {name: make_inputs(shape, seed + at * 1000)
                          for at, (name, shape) in enumerate(request.items())}
                result.shapes += tuple(tuple(one.shape) for one in inputs.values())
                wanted = answers(oracle, inputs, dtype)
                check_spread(wanted)
                got = client.infer("model", inputs, outputs)
                if len(got) != len(wanted):
                    raise AssertionError(f"wanted {len(wanted)} outputs, got {len(got)}")
                for one, other in zip(got, wanted):
                    result.error = max(result.error, relative_error(one, other))
    return result
