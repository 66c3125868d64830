#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/dtype.h"
#include "engine/core/shape.h"
#include "engine/core/status.h"
#include "engine/core/tensor.h"

namespace lazynet::cli {

// What gRPC can carry in one message.
inline constexpr size_t kMaxMessageBytes = (size_t{1} << 31) - 1;

// What an --input argument says: where an input's elements come from.
struct InputSpec {
  enum class Source { kNpy, kSafetensors, kRaw, kZeros, kOnes, kRandom };

  // Empty = the model's only input.
  std::string name;
  Source source = Source::kZeros;
  // npy, safetensors, raw.
  std::string path;
  // safetensors. Empty = the tensor that is called as the input.
  std::string tensor;
  // raw, zeros, ones, random.
  Shape shape;
  // random.
  uint64_t seed = 0;
};

// Reads [NAME=]SPEC; the README lists what a SPEC can be. INVALID_ARGUMENT for anything else.
absl::StatusOr<InputSpec> ParseInputSpec(std::string_view text);

// A range of an axis, `end` excluded; no `end` = to the last.
struct Rows {
  int64_t begin = 0;
  std::optional<int64_t> end;
};

// Reads BEGIN:END; each may be left out. INVALID_ARGUMENT unless the range holds a row.
absl::StatusOr<Rows> ParseRows(std::string_view text);

// The elements for the input called `name`. `datatype` is what the model takes, by its name in the
// protocol; sources that do not say what they hold follow it. Files are mapped, not copied. Any
// error means that the source cannot be used; it names the input and the file.
absl::StatusOr<Tensor> LoadInput(const InputSpec& spec, const std::string& name,
                                 const std::string& datatype);

// Rows of the outermost axis, sharing the elements. INVALID_ARGUMENT when they are not there.
absl::StatusOr<Tensor> SliceRows(const Tensor& tensor, const Rows& rows);

}  // namespace lazynet::cli
