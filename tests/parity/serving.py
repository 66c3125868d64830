"""Requests to a live server, with tensors of PyTorch."""
import pathlib
import sys

import grpc
import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import lazynet_process  # noqa: E402
from case import DTYPES  # noqa: E402

STUBS = lazynet_process.make_stubs()
from proto import inference_pb2, inference_pb2_grpc  # noqa: E402

NAMES = {dtype: name for name, dtype in DTYPES.items()}

# Sums in another order; for 16 bits one rounding of the result. Integers and BOOL are exact.
TOLERANCES = {torch.float32: 2e-5, torch.float64: 1e-12, torch.bfloat16: 2**-8,
              torch.float16: 2**-10}


def to_bytes(tensor):
    tensor = tensor.contiguous()
    if tensor.dtype == torch.bfloat16:  # numpy has none
        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


def from_bytes(data, datatype, shape):
    if not data:
        return torch.empty(list(shape), dtype=DTYPES[datatype])
    return torch.frombuffer(bytearray(data), dtype=DTYPES[datatype]).reshape(list(shape))


def connect(server):
    """A channel for answers of any size."""
    return grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}",
                                 [("grpc.max_receive_message_length", -1)])


class Client:
    """Infers on the server behind a channel."""

    def __init__(self, channel):
        self.stub = inference_pb2_grpc.GRPCInferenceServiceStub(channel)

    def infer(self, model, inputs, outputs=()):
        """Outputs in the order of their names in `outputs`, or as the network has them; `inputs` by
        name."""
        request = inference_pb2.ModelInferRequest(model_name=model)
        for name, tensor in inputs.items():
            request.inputs.add(name=name, datatype=NAMES[tensor.dtype], shape=tensor.shape)
            request.raw_input_contents.append(to_bytes(tensor))
        for name in outputs:
            request.outputs.add(name=name)
        response = self.stub.ModelInfer(request)
        return [from_bytes(data, output.datatype, output.shape)
                for output, data in zip(response.outputs, response.raw_output_contents)]


def assert_close(got, wanted, tolerance=None):
    """Equal dtypes and shapes, and values within the dtype's tolerance."""
    assert got.dtype == wanted.dtype, f"dtype {got.dtype}, wanted {wanted.dtype}"
    assert got.shape == wanted.shape, f"shape {tuple(got.shape)}, wanted {tuple(wanted.shape)}"
    tolerance = tolerance or TOLERANCES.get(wanted.dtype, 0)
    np.testing.assert_allclose(got.double().numpy(), wanted.double().numpy(), rtol=tolerance,
                               atol=tolerance)
