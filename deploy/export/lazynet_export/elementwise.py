"""Activations: the same arguments as a class of torch.nn and as functions."""
# class, field, arguments with defaults, functions
ACTIVATIONS = (
    ("ReLU", "relu", {}, ("torch.relu", "F.relu", ".relu")),
    ("ReLU6", "relu6", {}, ("F.relu6",)),
    ("LeakyReLU", "leaky_relu", {"negative_slope": 0.01}, ("F.leaky_relu",)),
    ("ELU", "elu", {"alpha": 1.0}, ("F.elu",)),
    ("CELU", "celu", {"alpha": 1.0}, ("torch.celu", "F.celu")),
    ("SELU", "selu", {}, ("torch.selu", "F.selu")),
    ("GELU", "gelu", {"approximate": "none"}, ("F.gelu",)),
    ("SiLU", "silu", {}, ("F.silu",)),
    ("Mish", "mish", {}, ("F.mish",)),
    ("Hardswish", "hardswish", {}, ("F.hardswish",)),
    ("Hardsigmoid", "hardsigmoid", {}, ("F.hardsigmoid",)),
    ("Hardtanh", "hardtanh", {"min_val": -1.0, "max_val": 1.0}, ("F.hardtanh",)),
    ("Sigmoid", "sigmoid", {}, ("torch.sigmoid", "F.sigmoid", ".sigmoid", "torch.special.expit")),
    ("Tanh", "tanh", {}, ("torch.tanh", "F.tanh", ".tanh")),
    ("LogSigmoid", "log_sigmoid", {}, ("F.logsigmoid",)),
    ("Softplus", "softplus", {"beta": 1.0, "threshold": 20.0}, ("F.softplus",)),
    ("Softsign", "softsign", {}, ("F.softsign",)),
    ("Tanhshrink", "tanhshrink", {}, ("F.tanhshrink",)),
    ("Hardshrink", "hardshrink", {"lambd": 0.5},
     ("torch.hardshrink", "F.hardshrink", ".hardshrink")),
    ("Softshrink", "softshrink", {"lambd": 0.5}, ("F.softshrink",)),
    ("Threshold", "threshold", {"threshold": None, "value": None},
     ("torch.threshold", "F.threshold")),
    ("GLU", "glu", {"dim": -1}, ("F.glu",)),
)


def written(defaults, values):
    """The fields whose values are not PyTorch's defaults."""
    made = {}
    for name, default in defaults.items():
        value = values[name]
        if isinstance(default, float):
            value = float(value)
        made[name] = None if default is not None and value == default else value
    return made
