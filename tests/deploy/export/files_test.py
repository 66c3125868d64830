#!/usr/bin/python3
"""The command, checkpoints, and what is on disk afterwards.

  files_test.py
"""
import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import torch
from torch import nn

from served import ROOT, export
from lazynet_export import ExportError, safetensors
from lazynet_export.command_line import main
from lazynet_export.table import BEGIN, END, table

SOURCE = '''
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=4, name="net"):
        super().__init__()
        self.fc = nn.Linear(width, 2)
        self.bn = nn.BatchNorm1d(2)
        self.aux = nn.Linear(9, 9)

    def forward(self, x):
        return self.bn(self.fc(x))


class Head(Net):
    def forward(self, fc):
        return self.fc(fc)


def make(lazy):
    return nn.Sequential(nn.LazyLinear(3), nn.ReLU()) if lazy else Net()


def fail():
    raise ValueError("no")


ready = Net(3)
number = 7
'''


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "nets.py").write_text(SOURCE)
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)
        self.addCleanup(sys.modules.pop, "nets", None)
        self.addCleanup(setattr, sys, "path", list(sys.path))

    def run_command(self, *arguments, code=0):
        """What the command prints."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self.assertEqual(main(list(map(str, arguments))), code, err.getvalue())
        return out.getvalue() + err.getvalue()

    def files(self, model="models/net"):
        return sorted(one.name for one in (self.folder / model).iterdir())

    def test_a_class_becomes_a_models_folder(self):
        said = self.run_command("nets:Net", "-o", "models/net", "--arg", "width=5", "--arg",
                                "name=other", "--seed", 3)
        self.assertEqual(said, "models/net: 2 layers, 21 numbers of weights\n")
        self.assertEqual(self.files(), ["network.textproto", "weights.safetensors"])
        self.assertIn("seed: 3", (self.folder / "models/net/network.textproto").read_text())
        torch.manual_seed(3)
        wanted = sys.modules["nets"].Net(5).state_dict()
        got = safetensors.read(self.folder / "models/net/weights.safetensors")
        self.assertEqual(list(got), [key for key in wanted if not key.startswith("aux")])
        for key, tensor in got.items():
            self.assertTrue(torch.equal(tensor, wanted[key]), key)
        self.assertEqual(sorted(os.listdir("models")), ["net"], "nothing else is left")

    def test_factories_and_modules_do_as_well(self):
        self.run_command("nets:make", "-o", "a", "--arg", "lazy=True")
        self.assertEqual(self.files("a"), ["network.textproto"])
        self.assertNotIn("in_features", (self.folder / "a/network.textproto").read_text())
        self.run_command("nets:ready", "-o", "b")
        self.assertIn("in_features: 3", (self.folder / "b/network.textproto").read_text())

    def test_wrong_use_is_told(self):
        for arguments, text in (
                (["nets"], "wants MODULE:CLASS"), (["nots:Net"], "nots cannot be imported"),
                (["nets:Not"], "nets has no Not"), (["nets:number"], "cannot be made: TypeError"),
                (["nets:fail"], "cannot be made: ValueError: no"),
                (["nets:Net", "--arg", "width"], "wants NAME=VALUE"),
                (["nets:Net", "--input", "x=1,a"], "1,a is no shape"),
                (["nets:Net", "--input", "x=0"], "sizes are 1 or more"),
                (["nets:Net", "--input", "x:FP31"], "wants name=1,3,224,224[:DATATYPE]"),
                (["nets:Net", "--input", "y=1"], "forward has the arguments x"),
                (["nets:Net", "--bind-at-load"], "--bind-at-load wants --input x"),
                (["nets:Net", "--max-batch", 8], "--max-batch wants --input x=..."),
                (["nets:ready", "--arg", "width=9"], "nets:ready is a module already: --arg width"),
                (["nets:Net", "--checkpoint", "none.pt"], "there is no such file")):
            with self.subTest(arguments=arguments):
                self.assertIn(text, self.run_command(*arguments, "-o", "out", code=1))
                self.assertFalse((self.folder / "out").exists())

    def test_a_folder_that_is_there_is_refused_unless_forced(self):
        self.run_command("nets:Net", "-o", "models/net")
        said = self.run_command("nets:ready", "-o", "models/net", code=1)
        self.assertIn("models/net is there already; --force replaces it", said)
        self.run_command("nets:make", "-o", "models/net", "--arg", "lazy=True", "--force")
        self.assertEqual(self.files(), ["network.textproto"])
        (self.folder / "other").mkdir()
        (self.folder / "other/file").write_text("mine")
        said = self.run_command("nets:Net", "-o", "other", "--force", code=1)
        self.assertIn("other is not a model's folder", said)
        self.assertEqual(self.files("other"), ["file"])
        self.assertEqual(sorted(os.listdir("models")), ["net"])

    def test_checkpoints_of_every_kind_are_loaded_strictly(self):
        self.run_command("nets:Net", "-o", "made")  # imports nets
        torch.manual_seed(9)
        wanted = sys.modules["nets"].Net().state_dict()
        torch.save(wanted, "plain.pt")
        torch.save({"epoch": 3, "state_dict": {f"module.{key}": one for key, one
                                               in wanted.items()}}, "wrapped.pth")
        safetensors.write("net.safetensors", wanted)
        for file in ("plain.pt", "wrapped.pth", "net.safetensors"):
            self.run_command("nets:Net", "-o", "models/net", "--force", "--checkpoint", file)
            got = safetensors.read(self.folder / "models/net/weights.safetensors")
            for key, tensor in got.items():
                self.assertTrue(torch.equal(tensor, wanted[key]), (file, key))
        said = self.run_command("nets:Net", "-o", "x", "--arg", "width=5", "--checkpoint",
                                "plain.pt", code=1)
        self.assertIn("size mismatch for fc.weight", said)
        torch.save({**wanted, "more": torch.zeros(1)}, "more.pt")
        self.assertIn('Unexpected key(s) in state_dict: "more"', self.run_command(
            "nets:Net", "-o", "x", "--checkpoint", "more.pt", code=1))
        torch.save(sys.modules["nets"].Net(), "module.pt")
        self.assertIn("wants a file of tensors", self.run_command(
            "nets:Net", "-o", "x", "--checkpoint", "module.pt", code=1))

    def test_a_checkpoint_is_loaded_into_lazy_layers(self):
        ready = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3))
        torch.save(ready.state_dict(), "net.pt")
        lazy = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d())
        made = export(lazy, self.folder / "net", checkpoint="net.pt")
        self.assertEqual(sorted(made.tensors), sorted(ready.state_dict()))
        self.assertTrue(lazy[1].has_uninitialized_params(), "the module stays as it is")

    def test_a_lazy_network_has_weights_only_from_a_checkpoint_or_where_wanted(self):
        self.run_command("nets:Net", "-o", "a", "--lazy")
        self.assertEqual(self.files("a"), ["network.textproto"])
        text = (self.folder / "a/network.textproto").read_text()
        self.assertIn("linear { out_features: 2 }", text)
        self.assertIn("batch_norm1d {}", text)
        self.run_command("nets:Net", "-o", "b", "--lazy", "--weights")
        self.assertEqual(self.files("b"), ["network.textproto", "weights.safetensors"])
        torch.save(sys.modules["nets"].Net().state_dict(), "plain.pt")
        self.run_command("nets:Net", "-o", "c", "--lazy", "--checkpoint", "plain.pt")
        self.assertEqual(self.files("c"), ["network.textproto", "weights.safetensors"])

    def test_serving_is_written_where_there_is_something_to_say(self):
        self.run_command("nets:Net", "-o", "models/net", "--lazy", "--input", "x=8,4",
                         "--bind-at-load", "--max-batch", 64)
        wanted = 'binding_policy: AT_LOAD\n' \
                 'bind_inputs { name: "x" shape: [8, 4] }\n' \
                 'input_limits { name: "x" dims { max: 64 } dims {} }\n'
        serving = self.folder / "models/net/serving.textproto"
        self.assertEqual(serving.read_text(), wanted)
        said = self.run_command("nets:Head", "-o", "models/net", "--force", "--input", "fc=8,4",
                                "--bind-at-load", "--max-batch", 64)
        self.assertEqual(serving.read_text(), wanted.replace('"x"', '"fc_input"'))
        self.assertIn("forward's fc is the input fc_input: a layer has its name", said)

    def test_safetensors_of_every_dtype_come_back(self):
        tensors = {str(dtype): torch.arange(6).reshape(2, 3).to(dtype)
                   for dtype in safetensors.DTYPES.values()}
        tensors["empty"], tensors["scalar"] = torch.zeros(0, 3), torch.tensor(2.5)
        safetensors.write("all.safetensors", tensors)
        got = safetensors.read("all.safetensors")
        self.assertEqual(list(got), list(tensors))
        for key, tensor in got.items():
            self.assertEqual(tensor.dtype, tensors[key].dtype)
            self.assertTrue(torch.equal(tensor, tensors[key]), key)

    def test_files_that_are_no_safetensors_are_refused(self):
        safetensors.write("good.safetensors", {"a": torch.zeros(4)})
        good = pathlib.Path("good.safetensors").read_bytes()
        for bad in (b"", b"abc", good[:-1], b"\xff" * 16, good[:8] + b"[" + good[9:],
                    good.replace(b"[0, 16]", b"[0, 12]")):
            pathlib.Path("bad.safetensors").write_bytes(bad)
            with self.assertRaisesRegex(ExportError, "is no safetensors file"):
                safetensors.read("bad.safetensors")

    def test_the_script_runs_from_anywhere(self):
        done = subprocess.run([ROOT / "deploy/export/lazynet-export", "nets:Net", "-o", "out"],
                              capture_output=True, text=True, cwd=self.folder, timeout=120,
                              env={**os.environ, "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.files("out"), ["network.textproto", "weights.safetensors"])

    def test_a_python_without_pytorch_is_told(self):
        done = subprocess.run([sys.executable, "-S", "-I", ROOT / "deploy/export/lazynet-export"],
                              capture_output=True, text=True, cwd=self.folder, timeout=120)
        self.assertEqual(done.returncode, 1)
        self.assertIn("has no PyTorch", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_the_readme_has_the_table(self):
        text = (ROOT / "deploy/export/README.md").read_text()
        between = text[text.index(BEGIN) + len(BEGIN):text.index(END)]
        self.assertEqual(between.strip(), table().strip(), "lazynet-export --table prints it")
        self.assertEqual(self.run_command("--table"), table())

    def test_python_calls_export(self):
        made = export(nn.Linear(3, 2), self.folder / "net", max_batch=2, inputs=["input=1,3"])
        self.assertEqual([layer.field for layer in made.definition.layers], ["linear"])
        self.assertEqual(self.files("net"), ["network.textproto", "serving.textproto",
                                             "weights.safetensors"])


if __name__ == "__main__":
    unittest.main()
