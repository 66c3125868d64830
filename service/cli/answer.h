#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/core/status.h"
#include "engine/core/tensor.h"
#include "proto/inference.pb.h"
#include "service/cli/timing.h"

namespace lazynet::cli {

struct Output {
  std::string name;
  Tensor tensor;
  // Where it was written. Empty = nowhere.
  std::string file;
};

struct Answer {
  std::string model;
  std::string version;
  std::string id;
  std::vector<Output> outputs;
  std::optional<Timing> timing;
};

// The tensors of an answer, checked: an error means that the server broke the protocol, or answered
// with typed contents or BYTES, which are not read here.
absl::StatusOr<Answer> ReadAnswer(const inference::ModelInferResponse& response);

// Writes every output as .npy and notes where. `destination` is the file if it ends in .npy, which
// wants a single output; else a folder, made where missing, for files called as the outputs.
absl::Status WriteOutputs(const std::string& destination, Answer& answer);

// An element of a tensor; half precision becomes float.
using Element = std::variant<bool, int64_t, uint64_t, float, double>;
Element ElementAt(const Tensor& tensor, int64_t index);

}  // namespace lazynet::cli
