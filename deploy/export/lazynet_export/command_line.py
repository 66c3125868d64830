"""lazynet-export MODULE:CLASS -o FOLDER"""
import argparse
import ast
import importlib
import os
import sys
import warnings

import torch

from .errors import ExportError
from .exporter import export
from .table import table

EXAMPLES = """\
examples:
  lazynet-export torchvision.models:resnet18 -o models/resnet18 --arg weights=None
  lazynet-export my.package:Net -o models/net --checkpoint net.pt --arg classes=10
  lazynet-export my.package:Net -o models/net --lazy --seed 7
  lazynet-export torchvision.models:swin_t -o models/swin --input x=1,3,224,224
"""


def make_parser():
    parser = argparse.ArgumentParser(
        prog="lazynet-export", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Writes a torch.nn.Module as a model of lazynet: network.textproto and "
                    "weights.safetensors.", epilog=EXAMPLES)
    parser.add_argument("module", nargs="?", metavar="MODULE:CLASS",
                        help="a class, a function that makes a module, or a module, and where it "
                             "is imported from; the current folder is on the path")
    parser.add_argument("-o", "--output", metavar="FOLDER", help="the model's folder, to be made")
    parser.add_argument("--lazy", action="store_true",
                        help="leave out every size that lazynet infers, and the weights")
    parser.add_argument("--weights", action="store_true",
                        help="with --lazy: write the weights that the module has all the same")
    parser.add_argument("--checkpoint", metavar="FILE",
                        help="a state dict (.pt, .pth, .safetensors) to load, strictly")
    parser.add_argument("--input", action="append", default=[], metavar="X=1,3,224,224[:INT64]",
                        help="an input's datatype and a shape to trace with, where the network "
                             "needs one; the first axis may be of any size, or those that are "
                             "given as two sizes, 200..300")
    parser.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE",
                        help="an argument of the class or function, as Python writes it")
    parser.add_argument("--seed", type=int, default=0, metavar="N",
                        help="torch.manual_seed before the module is made, and the network's seed")
    parser.add_argument("--bind-at-load", action="store_true",
                        help="serving.textproto: bind to the shapes of --input when loaded")
    parser.add_argument("--max-batch", type=int, default=0, metavar="N",
                        help="serving.textproto: requests of at most N along the first axis")
    parser.add_argument("--force", action="store_true", help="replace a model that is there")
    parser.add_argument("--table", action="store_true",
                        help="print the table of what is supported, and exit")
    return parser


def parse_arguments(texts):
    made = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise ExportError([f"--arg {text}: wants NAME=VALUE"])
        try:
            made[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            made[name] = value
    return made


def find(path):
    """What MODULE:CLASS names."""
    place, colon, name = path.partition(":")
    if not colon or not name:
        raise ExportError([f"{path}: wants MODULE:CLASS, such as torchvision.models:resnet18"])
    sys.path.insert(0, os.getcwd())
    try:
        found = importlib.import_module(place)
    except ImportError as error:
        raise ExportError([f"{place} cannot be imported: {error}"]) from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise ExportError([f"{place} has no {name}"])
        found = getattr(found, part)
    return found


def make_module(path, arguments, seed):
    found = find(path)
    torch.manual_seed(seed)
    if isinstance(found, torch.nn.Module):
        if arguments:
            raise ExportError([f"{path} is a module already: --arg {name} is for what makes one"
                               for name in arguments])
        return found
    try:
        module = found(**arguments)
    except Exception as error:
        raise ExportError([f"{path} cannot be made: {type(error).__name__}: {error}"]) from error
    if not isinstance(module, torch.nn.Module):
        raise ExportError([f"{path} makes a {type(module).__name__}, no torch.nn.Module"])
    return module


def main(arguments=None):
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.table:
        sys.stdout.write(table())
        return 0
    if not options.module or not options.output:
        parser.error("wants MODULE:CLASS and -o FOLDER")
    warnings.filterwarnings("ignore", message=".*[Ll]azy modules.*")
    try:
        module = make_module(options.module, parse_arguments(options.arg), options.seed)
        made = export(module, options.output, lazy=options.lazy, checkpoint=options.checkpoint,
                      inputs=options.input, seed=options.seed, force=options.force,
                      weights=options.weights or None, title=options.module,
                      bind_at_load=options.bind_at_load, max_batch=options.max_batch)
    except ExportError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        count = len(error.problems)
        print(f"lazynet-export: {count} problem{'s' if count > 1 else ''}; nothing was written",
              file=sys.stderr)
        return 1
    count = sum(tensor.numel() for tensor in made.tensors.values())
    for one in made.definition.inputs:
        if one.name != one.argument:
            print(f"forward's {one.argument} is the input {one.name}: a layer has its name")
    print(f"{options.output}: {len(made.definition.layers)} layers, {count:,} numbers of weights")
    return 0
