#include "service/handlers/classification.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/core/float16.h"
#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

constexpr const char* kClassification = "classification";
// A text may be dozens of times as large as the number that it is of.
constexpr int64_t kMostTexts = int64_t{1} << 20;

template <typename T>
bool IsNan(T value) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(value);
  return false;
}

template <typename T>
std::string Text(T score) {
  if constexpr (std::is_floating_point_v<T>) return fmt::format("{:f}", score);
  return fmt::format("{}", score);
}

void AppendText(std::string& payload, std::string_view text) {
  const auto length = static_cast<uint32_t>(text.size());
  for (int shift = 0; shift < 32; shift += 8) {
    payload.push_back(static_cast<char>((length >> shift) & 0xff));
  }
  payload.append(text);
}

// `load` makes a score of an element.
template <typename T, typename Load>
void AppendItem(std::span<const T> item, size_t classes, std::span<const std::string> labels,
                const Load& load, std::string& payload) {
  std::vector<uint32_t> order(item.size());
  std::iota(order.begin(), order.end(), 0);
  const auto is_first = [&](uint32_t a, uint32_t b) {
    const auto left = load(item[a]);
    const auto right = load(item[b]);
    if (IsNan(left) || IsNan(right)) return IsNan(left) == IsNan(right) ? a < b : IsNan(right);
    return left == right ? a < b : left > right;
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(classes),
                    order.end(), is_first);
  for (size_t i = 0; i < classes; ++i) {
    const uint32_t index = order[i];
    std::string text = fmt::format("{}:{}", Text(load(item[index])), index);
    if (index < labels.size() && !labels[index].empty()) text += ":" + labels[index];
    AppendText(payload, text);
  }
}

struct Sizes {
  size_t items = 1;
  size_t item_size = 0;  // elements of each
  size_t classes = 0;    // texts of each
};

template <typename T, typename Load>
std::string Texts(const std::byte* data, const Sizes& sizes, std::span<const std::string> labels,
                  const Load& load) {
  std::string payload;
  const std::span<const T> values(reinterpret_cast<const T*>(data), sizes.items * sizes.item_size);
  for (size_t i = 0; i < sizes.items; ++i) {
    AppendItem(values.subspan(i * sizes.item_size, sizes.item_size), sizes.classes, labels, load,
               payload);
  }
  return payload;
}

absl::StatusOr<std::string> TextsOf(const TensorView& output, const Sizes& sizes,
                                    std::span<const std::string> labels) {
  const auto texts = [&]<typename T>(T) {
    return Texts<T>(output.data, sizes, labels, [](T value) { return value; });
  };
  switch (output.dtype) {
    case DType::kUint8:
      return texts(uint8_t());
    case DType::kUint16:
      return texts(uint16_t());
    case DType::kUint32:
      return texts(uint32_t());
    case DType::kUint64:
      return texts(uint64_t());
    case DType::kInt8:
      return texts(int8_t());
    case DType::kInt16:
      return texts(int16_t());
    case DType::kInt32:
      return texts(int32_t());
    case DType::kInt64:
      return texts(int64_t());
    case DType::kFp16:
      return Texts<uint16_t>(output.data, sizes, labels, HalfToFloat);
    case DType::kBf16:
      return Texts<uint16_t>(output.data, sizes, labels, Bfloat16ToFloat);
    case DType::kFp32:
      return texts(float());
    case DType::kFp64:
      return texts(double());
    case DType::kBool:
      break;
  }
  return InvalidArgument("{} wants an output of numbers, got {}", kClassification,
                         Name(output.dtype));
}

}  // namespace

absl::StatusOr<int64_t> ReadClassification(
    const inference::ModelInferRequest::InferRequestedOutputTensor& output) {
  const auto found = output.parameters().find(kClassification);
  if (found == output.parameters().end()) return 0;
  if (!found->second.has_int64_param()) {
    return InvalidArgument("output \"{}\": {} wants int64_param", output.name(), kClassification);
  }
  const int64_t classes = found->second.int64_param();
  if (classes >= 1) return classes;
  return InvalidArgument("output \"{}\": {} wants at least 1, got {}", output.name(),
                         kClassification, classes);
}

absl::StatusOr<Classification> Classify(const TensorView& output, int64_t classes,
                                        std::span<const std::string> labels) {
  const bool batched = output.shape.rank() >= 2;
  const int64_t items = batched ? output.shape.dim(0) : 1;
  const int64_t item_size = items == 0 ? 0 : output.shape.num_elements() / items;
  const int64_t given = std::min(classes, item_size);
  if (given > kMostTexts / std::max<int64_t>(items, 1)) {
    return InvalidArgument("{} wants at most {} texts in all, got {} for each of {} items",
                           kClassification, kMostTexts, given, items);
  }
  const Sizes sizes{static_cast<size_t>(items), static_cast<size_t>(item_size),
                    static_cast<size_t>(given)};
  ASSIGN_OR_RETURN(std::string texts, TextsOf(output, sizes, labels));
  const auto owner = std::make_shared<const std::string>(std::move(texts));
  return Classification{
      .shape = batched ? Shape{items, given} : Shape{given},
      .payload = Tensor::Wrap(DType::kUint8, Shape{static_cast<int64_t>(owner->size())}, owner,
                              reinterpret_cast<const std::byte*>(owner->data()))};
}

}  // namespace lazynet::handlers
