#!/usr/bin/python3
"""Trained networks and real inputs of ../shared/data through a live server: the outputs that
PyTorch stored.

  real_networks_test.py SERVER_BINARY BACKEND [PICTURE.png]

The picture shows what espcn-x3 makes: its input made larger by bicubic interpolation, and by it.
Exits with 77, a skip, where the folder is missing.
"""
import pathlib
import shutil
import sys
import tempfile
import unittest

import numpy as np
import onnx
import onnx.numpy_helper
import torch
import torchvision

import real_networks
from serving import Client, connect, lazynet_process
import safetensors_file

BINARY, BACKEND = sys.argv.pop(1), sys.argv.pop(1)
PICTURE = sys.argv.pop(1) if sys.argv[1:] and sys.argv[1].endswith(".png") else None
DATA = lazynet_process.ROOT.parent / "shared/data"

# Agreement of sums in another order over many layers; see the README of the data.
TOLERANCE = 1e-4


def write_models(folder):
    for name, definition in real_networks.NETWORKS.items():
        model = folder / name.replace("/", "-")
        model.mkdir()
        (model / "network.textproto").write_text(definition)
        weights = DATA / f"{name}.safetensors"
        if not weights.exists():
            tensors = onnx_tensors(weights.with_suffix(".onnx"))
            safetensors_file.write(model / "weights.safetensors", tensors)
        elif name in real_networks.KEYS:
            tensors = real_networks.renamed(name, safetensors_file.read(weights))
            safetensors_file.write(model / "weights.safetensors", tensors)
        else:
            shutil.copyfile(weights, model / "weights.safetensors")


def onnx_tensors(path):
    arrays = {one.name: onnx.numpy_helper.to_array(one)
              for one in onnx.load(path).graph.initializer}
    return {key: torch.from_numpy(array.copy())
            for key, array in real_networks.from_onnx(arrays).items()}


def digits():
    pixels = np.fromfile(DATA / "mnist-lazy-cnn/test-images-u8.bin", "u1")
    return torch.from_numpy(pixels.reshape(200, 1, 28, 28).astype("f4") / 255)


def digit_logits(file):
    logits = np.fromfile(DATA / file, "<f4")
    return torch.from_numpy(logits.reshape(200, 10))


def requests():
    """Network, input, outputs, and what the client does with them."""
    for name in real_networks.NETWORKS:
        folder, file = name.split("/")
        if folder == "mnist-lazy-cnn":
            which = {"model": "f32", "model-f16": "f16-weights", "model-bf16": "bf16-weights"}[file]
            yield name, digits(), [digit_logits(f"mnist-lazy-cnn/logits-{which}.bin")]
            continue
        if folder == "onnx-mnist-8":
            yield name, digits(), [digit_logits("onnx-mnist-8/logits-f32.bin")]
            continue
        own = DATA / f"{name}.io.safetensors"
        tensors = safetensors_file.read(own if own.exists() else DATA / folder / "io.safetensors")
        if folder == "mtcnn":
            # P-Net takes pictures of three sizes.
            for key in tensors:
                if key.startswith(file) and key.endswith(".input"):
                    case = key[:-len(".input")]
                    yield name, tensors[key], [tensors[f"{case}.prob"], tensors[f"{case}.box"]]
        elif folder == "espcn-x3":
            yield name, tensors["input"], [tensors["output"]]
            yield name, tensors["input.31x53"], [tensors["output.93x159"]]
        else:
            yield name, tensors["input"], [tensors["output"]]


class RealNetworks(unittest.TestCase):
    def test_stored_outputs_are_given(self):
        with tempfile.TemporaryDirectory() as folder:
            write_models(pathlib.Path(folder))
            with lazynet_process.Server(BINARY, folder, "--backend", BACKEND) as server:
                with connect(server) as channel:
                    client = Client(channel)
                    for name, value, wanted in requests():
                        with self.subTest(network=name, shape=tuple(value.shape)):
                            self.compare(client, name, value, wanted)

    def compare(self, client, name, value, wanted):
        got = client.infer(name.replace("/", "-"), {"input": value})
        if PICTURE and name.startswith("espcn") and value.shape[-1] == value.shape[-2]:
            larger = torch.nn.functional.interpolate(value, scale_factor=3.0, mode="bicubic")
            torchvision.utils.save_image(torch.cat([larger, got[0]], 3).clamp(0, 1), PICTURE)
        self.assertEqual(len(got), len(wanted))
        for one, other in zip(got, wanted):
            self.assertEqual(one.shape, other.shape)
            np.testing.assert_allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE)

    def test_every_network_of_the_data_is_here(self):
        known = real_networks.NETWORKS.keys()
        files = {f"{path.parent.name}/{path.stem}" for path in DATA.glob("*/*.safetensors")
                 if not path.parent.name.startswith("safetensors-")}
        inputs = {name for name in files if name.endswith("io")} | {
            "mnist-lazy-cnn/layers-of-digit-0"}
        self.assertEqual(files - inputs - known, set())


if __name__ == "__main__":
    if not DATA.is_dir():
        print("NOT COMPARED with the stored outputs of ../shared/data, which is not here")
        sys.exit(77)
    unittest.main()
