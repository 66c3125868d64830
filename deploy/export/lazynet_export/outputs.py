"""The outputs of a network: the tensors in what forward returns."""


def flatten_outputs(value, name, found):
    """Appends a name and a value for each tensor of a dict, a tuple, or both in one another."""
    if isinstance(value, dict):
        parts = [(str(key), one) for key, one in value.items()]
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        parts = list(zip(value._fields, value))
    elif isinstance(value, (tuple, list)):
        parts = [(str(i), one) for i, one in enumerate(value)]
        if not name:
            name = "output"
    elif value is None:
        return
    else:
        found.append((name, value))
        return
    for key, one in parts:
        flatten_outputs(one, f"{name}_{key}" if name else key, found)
