#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// RNN, LSTM and GRU(input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
// dropout=0, bidirectional=False), RNN also nonlinearity='tanh', LSTM also proj_size=0. Lazy
// input_size: the last dim.
//
// Inputs: [T, N, input_size], batch_first [N, T, input_size], or without N; then, optionally, the
// initial state [D num_layers, N, P], for LSTM that and the cells' [D num_layers, N, hidden_size],
// never batch-first. D is 2 where bidirectional, else 1; P is proj_size, or hidden_size without.
// Outputs: output [T, N, D P], h_n and, for LSTM, c_n, shaped as the initial states.
std::unique_ptr<const Layer> MakeRnn(AttributeReader& reader);
std::unique_ptr<const Layer> MakeLstm(AttributeReader& reader);
std::unique_ptr<const Layer> MakeGru(AttributeReader& reader);

// Gates of a cell: the rows of its weights over hidden_size.
int64_t GateCount(backend::Recurrent::Cell cell);

// The cell of argument nonlinearity: tanh (default) or relu.
backend::Recurrent::Cell RnnCellOf(AttributeReader& reader);

}  // namespace lazynet::nn
