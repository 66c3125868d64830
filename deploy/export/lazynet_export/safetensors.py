"""Reads and writes safetensors files."""
import json
import struct

import torch

from .errors import ExportError

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16,
          "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32, "I16": torch.int16,
          "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
LARGEST_HEADER = 100_000_000


def to_bytes(tensor):
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    if flat.dtype == torch.bfloat16:  # numpy has none
        flat = flat.view(torch.int16)
    return flat.numpy().tobytes()


def write(path, tensors):
    header, end = {}, 0
    for key, tensor in tensors.items():
        if tensor.dtype not in NAMES:
            raise ExportError([f"{key}: {tensor.dtype} cannot be stored"])
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[key] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                       "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for tensor in tensors.values():
            file.write(to_bytes(tensor))


def read(path):
    """All tensors by name. ExportError where the file is not what it should be."""
    try:
        with open(path, "rb") as file:
            length, = struct.unpack("<Q", file.read(8))
            if length > LARGEST_HEADER:
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(file.read(length))
            body = file.read()
        return {key: read_tensor(entry, body) for key, entry in header.items()
                if key != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ExportError([f"{path} is no safetensors file: {error}"]) from error


def read_tensor(entry, body):
    begin, end = entry["data_offsets"]
    dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
    count = 1
    for size in shape:
        count *= size
    size = torch.empty(0, dtype=dtype).element_size()
    if not 0 <= begin <= end <= len(body) or end - begin != count * size:
        raise ValueError(f"offsets {begin} to {end} for {count} elements of {size} bytes")
    if count == 0:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(body[begin:end]), dtype=dtype).reshape(shape)
