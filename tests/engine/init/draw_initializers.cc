// Initializes tensors as its input says, for live_test.py: reads lines of JSON,
//   {"seed": 0, "dtype": "FP32", "steps": [{"init": "eye", "shape": [2, 2]}, ...]}
// and for each writes a line: a step's elements as hexadecimal bytes, one after the other,
// separated by spaces, and the bits of one more uniform value.

#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/init/distributions.h"
#include "tests/engine/init/initializer_json.h"

namespace lazynet::init {
namespace {

using Json = nlohmann::ordered_json;

void Print(const Tensor& tensor) {
  std::string text;
  for (size_t i = 0; i < tensor.bytes(); ++i) {
    fmt::format_to(std::back_inserter(text), "{:02x}", std::to_integer<int>(tensor.data()[i]));
  }
  std::cout << text << ' ';
}

absl::Status Draw(const Json& request) {
  Generator generator(request["seed"].get<uint64_t>());
  const DType dtype = *ParseDType(request["dtype"].get<std::string>());
  for (const Json& step : request["steps"]) {
    const std::vector<int64_t> dims = step["shape"];
    ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, Shape(std::span(dims))));
    RETURN_IF_ERROR(Initialize(InitializerOf(step), generator, tensor.mutable_view()));
    Print(tensor);
  }
  ASSIGN_OR_RETURN(Tensor next, Tensor::Allocate(DType::kFp32, Shape{}));
  Uniform(generator, 0.0, 1.0, next.mutable_view());
  Print(next);
  std::cout << '\n';
  return absl::OkStatus();
}

}  // namespace
}  // namespace lazynet::init

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const absl::Status status = lazynet::init::Draw(nlohmann::ordered_json::parse(line));
    if (!status.ok()) {
      std::cerr << status << " for " << line << '\n';
      return 1;
    }
  }
  return 0;
}
