#include "service/cli/shape_text.h"

#include <utility>

namespace lazynet::cli {

absl::StatusOr<Shape> ParseShape(std::string_view text, char separator) {
  if (text == "scalar") return Shape();
  Shape::Dims dims;
  for (std::string_view rest = text;;) {
    const size_t end = rest.find(separator);
    const auto dim = ParseNumber<int64_t>(rest.substr(0, end));
    if (!dim) {
      return InvalidArgument(
          "a shape wants sizes joined by {0}, such as 2{0}3, or the word scalar; got \"{1}\"",
          separator, text);
    }
    dims.push_back(*dim);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (const absl::Status status = CheckBounds({dims.data(), dims.size()}); !status.ok()) {
    return Annotate(fmt::format("shape {}", text), status);
  }
  return Shape(std::move(dims));
}

absl::StatusOr<NamedShape> ParseNamedShape(std::string_view text) {
  const size_t equals = text.rfind('=');
  const bool named = equals != std::string_view::npos;
  absl::StatusOr<Shape> shape = ParseShape(named ? text.substr(equals + 1) : text, ',');
  if (shape.ok() && equals == 0) shape = InvalidArgument("wants a name before =");
  if (!shape.ok()) return Annotate(fmt::format("--shape \"{}\"", text), shape.status());
  return NamedShape{std::string(named ? text.substr(0, equals) : ""), *std::move(shape)};
}

}  // namespace lazynet::cli
