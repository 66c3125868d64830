"""export(): from a module to a model's folder."""
import dataclasses
import inspect

import torch
from torch import nn

from . import checkpoint as checkpoints
from . import folder as folders
from . import functions, modules  # noqa: F401  they register their handlers
from .converter import Converter, main_dtype
from .copies import copied
from .definition import DTYPES, Definition, Input
from .errors import ExportError
from .examples import arguments_of, make_values, parse_examples
from .hooks import without_hooks
from .serving import serving_text
from .text import network_text
from .tracing import Tracer, is_leaf


@dataclasses.dataclass
class Exported:
    """What was made of a module."""
    definition: Definition
    tensors: dict  # of weights.safetensors


class OneLayer(nn.Module):
    """A network of one layer, which needs a name for its parameters."""

    def __init__(self, layer):
        super().__init__()
        self.add_module(type(layer).__name__.removeprefix("Lazy").lower(), layer)

        self.signature = inspect.signature(layer.forward)

    def forward(self, **inputs):
        layer, = self.children()
        return layer(**inputs)


def export(module, folder, *, lazy=False, checkpoint=None, inputs=(), seed=0, weights=None,
           force=False, title=None, bind_at_load=False, max_batch=0):
    """Writes `module` to a model's folder, and returns what was written as Exported.

    lazy leaves out every size that lazynet infers. checkpoint is a file for load_state_dict.
    inputs are texts as of --input. weights says whether the initialized parameters are written;
    None: unless lazy. An ExportError tells all that is not supported, and then nothing is written.
    """
    folders.check(folder, force)
    examples = parse_examples(inputs)
    if bind_at_load and not all(one.shape for one in examples.values()):
        raise ExportError(["--bind-at-load wants --input with a shape for each input"])
    made = make(module, lazy=lazy, checkpoint=checkpoint, examples=examples, weights=weights,
                title=title or type(module).__name__)
    made.definition.seed = seed
    unknown = [one.argument for one in made.definition.inputs if one.argument not in examples]
    if bind_at_load and unknown:
        raise ExportError([f"--bind-at-load wants --input {name}=..." for name in unknown])
    shapeless = unknown + [one.name for one in examples.values() if not one.shape]
    if max_batch and shapeless:
        raise ExportError([f"--max-batch wants --input {name}=..., a limit is of all axes"
                           for name in shapeless])
    texts = {"network.textproto": network_text(made.definition),
             "serving.textproto": serving_text(made.definition.inputs, examples, bind_at_load,
                                               max_batch)}
    texts = {name: text for name, text in texts.items() if text}
    folders.write(folder, texts, made.tensors, force)
    return made


def make(module, *, lazy=False, checkpoint=None, examples=None, weights=None, title=""):
    """The definition and the tensors of a module, which stays as it is."""
    if isinstance(module, torch.jit.ScriptModule):
        raise ExportError(["a ScriptModule cannot be traced: export the module it was made of"])
    if checkpoint is not None:
        module = copied(module)
        checkpoints.load(module, checkpoint)
    modes = {one: one.training for one in module.modules()}
    module.eval()
    try:
        made = make_by_tracing(module, lazy, examples or {}, title)
    finally:
        for one, mode in modes.items():
            one.training = mode
    definition, converter = made
    stored = weights if weights is not None else not lazy or checkpoint is not None
    tensors = converter.parameters if stored else converter.shared_parameters()
    tensors = {**tensors, **converter.constants}
    return Exported(definition, tensors)


def make_by_tracing(module, lazy, examples, title):
    """Without sizes if that will do; else with those of the examples."""
    module = without_hooks(module)
    if is_leaf(module):
        module = OneLayer(module).eval()
    try:
        return make_once(module, lazy, examples, title, False)
    except ExportError as error:
        if not examples or not all(one.shape for one in examples.values()):
            raise
        try:
            return make_once(module, lazy, examples, title, True)
        except ExportError as other:
            raise other from error


def make_once(module, lazy, examples, title, concrete):
    signature = module.signature if isinstance(module, OneLayer) else \
        inspect.signature(module.forward)
    names, defaults = arguments_of(signature, examples)
    if concrete and any(name not in examples for name in names):
        raise ExportError([f"--input {name}=... is missing" for name in names
                           if name not in examples])
    tracer = Tracer(module, copied(module).eval() if concrete else None)
    inputs, traced = {}, {}
    for name in names:
        node = tracer.add("input", name, (), {})
        example = examples.get(name)
        values = make_values(example, main_dtype(module)) if concrete else None
        traced[name] = tracer.wrap(node, values)
        if example and example.datatype:
            node.dtype = DTYPES[example.datatype]
        if example and example.shape:
            tracer.ranks[node] = len(example.shape)
        inputs[node] = Input(name, example.datatype if example else None,
                             example.guard() if concrete else None, name)
    nodes = tracer.trace(traced, defaults)
    converter = Converter(module, lazy)
    converter.problems += tracer.problems
    converter.left_out.update(tracer.left_out)
    definition = converter.convert(nodes, inputs, tracer.ranks,
                                   make_title(title, concrete, examples))
    if converter.problems:
        raise ExportError(converter.problems)
    definition.title += [f"Forward's {one.argument} is the input {one.name}: a layer has its name."
                         for one in definition.inputs if one.name != one.argument]
    if converter.left_out:
        counts = [f"{count} {name}{'s' if count > 1 else ''}"
                  for name, count in sorted(converter.left_out.items())]
        definition.title.append(f"Left out, for serving does without: {', '.join(counts)}.")
    return definition, converter


def make_title(title, concrete, examples):
    lines = [f"{title}, exported by lazynet-export."]
    if concrete:
        shapes = [f"{one.name} {one.guard()}" for one in examples.values()]
        lines.append(f"Traced with sizes, and so for these only: {', '.join(shapes)}.")
    return lines
