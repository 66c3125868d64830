#!/usr/bin/python3
"""All golden networks of the lazy semantics' reference over gRPC: registered as definitions, their
parameters initialized from shapes alone, read back as state dicts and compared bit for bit.

  golden_networks_test.py SERVER_BINARY
"""
import hashlib
import json
import pathlib
import sys
import tempfile
import unittest

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import lazynet_process  # noqa: E402

STUBS = lazynet_process.make_stubs()
from proto.lazynet.v1 import lazynet_pb2, lazynet_pb2_grpc, network_pb2  # noqa: E402

BINARY = sys.argv.pop(1)
GOLDEN = lazynet_process.ROOT / "../shared/reference/torch_rng_golden.json"
DTYPES = {"float32": "FP32", "float64": "FP64", "float16": "FP16", "bfloat16": "BF16"}

# Each layer type of the file: its field, what `in` and `out` are called.
FIELDS = {"Linear": ("linear", "in_features", "out_features"),
          "Embedding": ("embedding", None, None)}
for n in (1, 2, 3):
    FIELDS[f"Conv{n}d"] = (f"conv{n}d", "in_channels", "out_channels")
    FIELDS[f"ConvTranspose{n}d"] = (f"conv_transpose{n}d", "in_channels", "out_channels")
    FIELDS[f"BatchNorm{n}d"] = (f"batch_norm{n}d", "num_features", None)
    FIELDS[f"InstanceNorm{n}d"] = (f"instance_norm{n}d", "num_features", None)
NAMES = {"kernel": "kernel_size", "track": "track_running_stats", "num": "num_embeddings",
         "dim": "embedding_dim"}


def add_layer(definition, index, args):
    kind = args["type"].removeprefix("Lazy")
    layer = definition.layers.add(name=str(index), dtype=DTYPES[args["dtype"]]
                                  if "dtype" in args else "")
    field, size_in, size_out = FIELDS.get(kind, (kind.lower(), None, None))
    message = getattr(layer, field)
    message.SetInParent()
    for key, value in args.items():
        if key in ("type", "dtype"):
            continue
        name = {"in": size_in, "out": size_out}.get(key, NAMES.get(key, key))
        repeated = message.DESCRIPTOR.fields_by_name[name]
        if repeated.label == repeated.LABEL_REPEATED:
            getattr(message, name).extend(value if isinstance(value, list) else [value])
        else:
            setattr(message, name, value)
    return layer


def make_request(name, case):
    """The registration of a case, and the shapes of its inputs."""
    seed = case["seed_low32"]
    definition = network_pb2.NetworkDefinition(seed=seed, parameter_dtype=DTYPES[case["to"]]
                                               if "to" in case else "")
    layers = [add_layer(definition, i, args) for i, args in enumerate(case["layers"])]
    # Where embeddings stand among others only the order of draws is meant: no chain.
    apart = len(layers) > 1 and case["layers"][0]["type"] == "Embedding"
    shapes = {}
    for i, layer in enumerate(layers if apart else layers[:1]):
        embeds = case["layers"][i]["type"] == "Embedding"
        definition.inputs.add(name=f"in{i}", datatype="INT64" if embeds else layer.dtype)
        layer.inputs.append(f"in{i}")
        weight = case["params"].get(f"{i}.weight")
        shapes[f"in{i}"] = [1, weight["shape"][1]] if apart and not embeds else case["input"]
    return lazynet_pb2.RegisterNetworkRequest(name=name, definition=definition), shapes


@unittest.skipUnless(GOLDEN.exists(), f"NOT TESTED: no golden file at {GOLDEN}")
class GoldenNetworks(unittest.TestCase):
    def test_every_network_over_grpc(self):
        cases = json.loads(GOLDEN.read_text())["cases"]
        tensors = 0
        with tempfile.TemporaryDirectory() as folder, \
                lazynet_process.Server(BINARY, folder) as server, \
                grpc.insecure_channel(f"127.0.0.1:{server.admin_port}") as channel:
            stub = lazynet_pb2_grpc.LazyNetworkServiceStub(channel)
            for number, case in enumerate(cases):
                with self.subTest(case=case["name"], seed=case["seed"]):
                    tensors += self.compare(stub, f"case{number}", case)
        self.assertEqual((len(cases), tensors), (132, 444))

    def compare(self, stub, name, case):
        request, shapes = make_request(name, case)
        stub.RegisterNetwork(request)
        initialize = lazynet_pb2.InitializeParametersRequest(name=name)
        for input_name, shape in shapes.items():
            initialize.inputs.add(name=input_name, shape=shape)
        stub.InitializeParameters(initialize)
        digests = {}
        for part in stub.GetStateDict(lazynet_pb2.GetStateDictRequest(name=name)):
            if part.HasField("entry"):
                key = part.entry.key
                digests[key] = hashlib.sha256()
            else:
                digests[key].update(part.data)
        self.assertEqual({key: digest.hexdigest() for key, digest in digests.items()},
                         {key: value["sha256"] for key, value in case["params"].items()})
        return len(digests)


if __name__ == "__main__":
    unittest.main()
