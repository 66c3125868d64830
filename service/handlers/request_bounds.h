#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "service/handlers/wire.h"

namespace lazynet::handlers {

// What is counted of a ModelInferRequest before any of it is parsed: a few bytes on the wire become
// objects of a hundred, so that a message of a permitted size could take gigabytes. Numbers of
// tensors' contents, typed or raw, grow eightfold at most and are not bounded here.
class RequestBounds {
 public:
  // Entries of inputs, of outputs, and of raw_input_contents.
  static constexpr size_t kMostTensors = 4096;

  // Bytes of names, shapes, parameters, bytes_contents and whatever else is no number of a tensor.
  static constexpr size_t kMostBytes = size_t{1} << 20;

  // A length-delimited field of the request; `value` stands at its first byte and has all of it.
  // INVALID_ARGUMENT when there are more than wanted.
  absl::Status Count(uint32_t field, const SliceReader& value, size_t length);

  // A field that is not length-delimited, or the begin or end of a group, of so many bytes: a
  // request knows none, and the parser keeps those it does not know. As above.
  absl::Status CountOther(size_t bytes) { return CountBytes(bytes); }

 private:
  absl::Status CountBytes(size_t bytes);

  size_t inputs_ = 0;
  size_t outputs_ = 0;
  size_t raw_contents_ = 0;
  size_t bytes_ = 0;
};

}  // namespace lazynet::handlers
