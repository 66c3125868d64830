#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// RNNCell, LSTMCell and GRUCell(input_size, hidden_size, bias=True), RNNCell also
// nonlinearity='tanh': one step of RNN, LSTM and GRU. Lazy input_size: the last dim.
//
// Inputs: [N, input_size] or [input_size]; then, optionally, the state [N, hidden_size] or
// [hidden_size], for LSTMCell that and the cell's. Outputs: the new state, and for LSTMCell the new
// cell as "c".
std::unique_ptr<const Layer> MakeRnnCell(AttributeReader& reader);
std::unique_ptr<const Layer> MakeLstmCell(AttributeReader& reader);
std::unique_ptr<const Layer> MakeGruCell(AttributeReader& reader);

}  // namespace lazynet::nn
