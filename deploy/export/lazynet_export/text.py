"""Writes a Definition as network.textproto."""
import math

from .definition import Word

WIDEST = 140


def literal(value):
    """A value of a field."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "nan"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        whole = value == int(value) and abs(value) < 1e15 and \
            (value != 0 or math.copysign(1, value) > 0)
        return repr(int(value) if whole else value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(literal, value))}]"
    return repr(int(value))


def quote(text):
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
    return '"' + "".join(escapes.get(one, one) for one in text) + '"'


def message(arguments):
    fields = [f"{name}: {literal(value)}" for name, value in arguments.items()
              if value is not None]
    return "{ " + " ".join(fields) + " }" if fields else "{}"


def repeated(name, texts):
    """One text, or a list of them."""
    return f"{name}: {quote(texts[0]) if len(texts) == 1 else literal(list(texts))}"


def layer_line(layer, before, width):
    """`before` is the source that a layer without inputs reads."""
    parts = [f"name: {quote(layer.name)}".ljust(width + 8)]
    sources = [value.source for value in layer.inputs]
    if sources and sources != [before]:
        parts.append(repeated("inputs", sources))
    if layer.same_as:
        parts.append(f"same_as: {quote(layer.same_as)}")
    else:
        parts.append(f"{layer.field} {message(layer.arguments)}")
    if layer.dtype:
        parts.append(f"dtype: {quote(layer.dtype)}")
    comment = f"  # {layer.comment}" if layer.comment else ""
    line = f"layers {{ {' '.join(parts)} }}{comment}"
    if len(line) <= WIDEST or len(parts) < 3:
        return line
    return f"layers {{ {parts[0].rstrip()}\n" + \
        "\n".join(f"  {part}" for part in parts[1:]) + f" }}{comment}"


def network_text(definition):
    lines = [f"# {line}".rstrip() for line in definition.title]
    for one in definition.inputs:
        fields = {"name": one.name, "datatype": one.datatype if one.datatype != "FP32" else None,
                  "shape": one.shape}
        lines.append(f"inputs {message(fields)}")
    group, before = None, None
    if len(definition.inputs) == 1:
        before = definition.inputs[0].name
    widths = {}
    for layer in definition.layers:
        width = len(quote(layer.name))
        widths[layer.group] = max(widths.get(layer.group, 0), min(width, 40) - 2)
    for layer in definition.layers:
        if layer.group != group:
            lines.append("")
            if layer.group:
                kind = definition.groups.get(layer.group)
                lines.append(f"# {layer.group}: {kind}" if kind else f"# {layer.group}")
            group = layer.group
        lines.append(layer_line(layer, before, widths[group]))
        before = layer.name
    if definition.outputs != [("output", before)]:
        lines.append("")
        lines += [f"outputs {message({'name': name, 'layer': source})}"
                  for name, source in definition.outputs]
    if definition.seed:
        lines.append(f"seed: {definition.seed}")
    if definition.parameter_dtype != "FP32":
        lines.append(f"parameter_dtype: {quote(definition.parameter_dtype)}")
    return "\n".join(lines) + "\n"
