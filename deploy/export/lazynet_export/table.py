"""The table of what is supported, for the README."""
from . import functions, modules, registry  # noqa: F401  they register their handlers

BEGIN = "<!-- supported: made by lazynet-export --table -->"
END = "<!-- end of supported -->"


def grouped(names):
    """Names by where they are from, without doubles, and without what operators call."""
    groups = {}
    for name in names:
        if ".__" in name:
            continue
        space, _, last = name.rpartition(".")
        groups.setdefault(space, set()).add(last)
    return groups


def cell(names):
    return ", ".join(f"`{name}`" for name in sorted(names, key=lambda one: (one.lower(), one)))


TITLES = {"F": "torch.nn.functional", "": "methods of tensors", "operator": "operators",
          "builtins": "attributes of tensors"}


def table():
    lines = ["| from | supported |", "|---|---|"]
    kinds = [name for name in registry.names_of_modules if "." not in name]
    lines.append(f"| torch.nn | {cell(set(kinds))} |")
    others = [name for name in registry.names_of_modules if "." in name]
    for space, names in {**grouped(others), **grouped(registry.names_of_functions)}.items():
        if space == "builtins":
            names = {"T", "mT", "dtype", "shape", "ndim"}
        lines.append(f"| {TITLES.get(space, space)} | {cell(names)} |")
    head, *rest = lines[2:]
    rest.sort(key=lambda line: line.lower())
    return "\n".join([*lines[:2], head, *rest]) + "\n"
