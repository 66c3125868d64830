"""Recurrent layers and their cells. What they return is what PyTorch's do: output and states."""
from torch import nn

from ..arguments import size_or_lazy
from ..definition import Value
from ..errors import Unsupported
from ..registry import given, module


def states(hx):
    if hx is None:
        return []
    return list(hx) if isinstance(hx, (tuple, list)) else [hx]


def recurrent_arguments(c, m):
    return {"input_size": size_or_lazy(c, m.input_size), "hidden_size": m.hidden_size,
            "num_layers": given(m.num_layers, 1), "bias": given(bool(m.bias), True),
            "batch_first": given(m.batch_first, False), "dropout": given(float(m.dropout), 0.0),
            "bidirectional": given(m.bidirectional, False)}


def output_and(c, out, names):
    return (out, *(Value(f"{out.source}:{name}", out.dtype, out.rank) for name in names))


@module("RNN", "GRU")
def rnn(c, m, input, hx=None):
    arguments = recurrent_arguments(c, m)
    if m.mode.startswith("RNN"):
        arguments["nonlinearity"] = given(m.nonlinearity, "tanh")
    out = c.module_layer(m, "gru" if m.mode == "GRU" else "rnn", [input, *states(hx)], arguments,
                         rank=c.rank(input))
    return output_and(c, out, ["h_n"])


@module("LSTM")
def lstm(c, m, input, hx=None):
    arguments = {**recurrent_arguments(c, m), "proj_size": given(m.proj_size, 0)}
    out = c.module_layer(m, "lstm", [input, *states(hx)], arguments, rank=c.rank(input))
    out, hidden, cell = output_and(c, out, ["h_n", "c_n"])
    return out, (hidden, cell)


@module("RNNCell", "GRUCell")
def cell(c, m, input, hx=None):
    arguments = cell_arguments(c, m)
    gru = isinstance(m, nn.GRUCell)
    if not gru:
        arguments["nonlinearity"] = given(m.nonlinearity, "tanh")
    return c.module_layer(m, "gru_cell" if gru else "rnn_cell", [input, *states(hx)], arguments,
                          rank=c.rank(input))


@module("LSTMCell")
def lstm_cell(c, m, input, hx=None):
    if hx is not None and len(states(hx)) != 2:
        raise Unsupported("wants hx as a pair")
    out = c.module_layer(m, "lstm_cell", [input, *states(hx)], cell_arguments(c, m),
                         rank=c.rank(input))
    return output_and(c, out, ["c"])


def cell_arguments(c, m):
    return {"input_size": size_or_lazy(c, m.input_size), "hidden_size": m.hidden_size,
            "bias": given(bool(m.bias), True)}
