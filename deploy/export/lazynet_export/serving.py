"""Writes serving.textproto: how the network is bound, and what requests may be."""
from .text import message, quote


def serving_text(inputs, examples, bind_at_load, max_batch):
    """Its text, or None if there is nothing to say.

    `inputs` are the definition's; an example gives the shape that binds.
    """
    lines = []
    if bind_at_load:
        lines.append("binding_policy: AT_LOAD")
        for one in inputs:
            fields = {"name": one.name, "shape": examples[one.argument].given}
            lines.append(f"bind_inputs {message(fields)}")
    if max_batch:
        for one in inputs:
            rest = " dims {}" * (len(examples[one.argument].shape) - 1)
            lines.append(f"input_limits {{ name: {quote(one.name)} "
                         f"dims {{ max: {max_batch} }}{rest} }}")
    return "\n".join(lines) + "\n" if lines else None
