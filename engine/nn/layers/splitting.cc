#include "engine/nn/layers/splitting.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

// A layer that hands out a dim in pieces.
class Pieces : public SizedShapeLayer {
 public:
  std::vector<std::string> output_names() const override {
    std::vector<std::string> names;
    for (int64_t i = 0; i < count_; ++i) names.push_back(std::to_string(i));
    return names;
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    RETURN_IF_ERROR(CheckNoScalar(inputs[0]));
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim_, inputs[0]));
    ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, PieceSizes(inputs, axis));
    OutputShapes shapes;
    for (const int64_t size : sizes) {
      Shape shape = inputs[0];
      shape.set_dim(axis, size);
      shapes.push_back(drops_dim_ ? WithoutAxis(shape, axis) : std::move(shape));
    }
    return shapes;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const std::vector<Shape> inputs = InputShapes(lowering);
    const int axis = *AxisOf(dim_, inputs[0]);
    OutputValues values;
    int64_t begin = 0;
    const std::vector<int64_t> sizes = *PieceSizes(inputs, axis);
    for (const int64_t size : sizes) {
      auto value = SliceAxis(lowering, lowering.input(0), axis, begin, size);
      if (drops_dim_) value = lowering.Reshape(value, WithoutAxis(inputs[0], axis));
      values.push_back(value);
      begin += size;
    }
    return values;
  }

 protected:
  // Outputs have names, which take memory, and each is an op.
  static constexpr int64_t kMaxCount = 4096;

  Pieces(AttributeReader& reader, bool drops_dim)
      : dim_(reader.Int("dim", 0)), drops_dim_(drops_dim) {}

  void SetCount(AttributeReader& reader, std::string_view argument, int64_t count) {
    reader.Require(count <= kMaxCount, fmt::format("argument {} wants at most {} pieces, got {}",
                                                   argument, kMaxCount, count));
    count_ = std::min(count, kMaxCount);
  }

  int64_t dim() const { return dim_; }
  int64_t count() const { return count_; }

  // As many as count(); kUnknownDim where they cannot be told.
  virtual absl::StatusOr<std::vector<int64_t>> PieceSizes(std::span<const Shape> inputs,
                                                          int axis) const = 0;

  std::vector<int64_t> UnknownSizes() const {
    return std::vector<int64_t>(static_cast<size_t>(count_), kUnknownDim);
  }

  // Pieces of `piece`, the last of what is left; a dim of size 0 makes one piece.
  absl::StatusOr<std::vector<int64_t>> EqualPieces(const Shape& input, int axis,
                                                   int64_t piece) const {
    const int64_t size = input.dim(axis);
    const int64_t got = std::max<int64_t>((size + piece - 1) / piece, 1);
    if (got != count_) {
      return InvalidArgument("wants a dim {} of {} pieces of {}, got {} from shape {}", dim_,
                             count_, piece, got, input.ToString());
    }
    std::vector<int64_t> sizes(static_cast<size_t>(count_), piece);
    sizes.back() = size - (count_ - 1) * piece;
    return sizes;
  }

 private:
  int64_t dim_;
  int64_t count_ = 1;
  bool drops_dim_;
};

class Chunk : public Pieces {
 public:
  explicit Chunk(AttributeReader& reader) : Pieces(reader, false) {
    SetCount(reader, "chunks", reader.RequiredInt("chunks", 1));
  }

  Arity arity() const override { return {}; }
  std::string Arguments(const Sizes&) const override {
    return fmt::format("chunks={}, dim={}", count(), dim());
  }

 private:
  absl::StatusOr<std::vector<int64_t>> PieceSizes(std::span<const Shape> inputs,
                                                  int axis) const override {
    const int64_t size = inputs[0].dim(axis);
    if (size == kUnknownDim) return UnknownSizes();
    if (size == 0) return std::vector<int64_t>(static_cast<size_t>(count()), 0);
    return EqualPieces(inputs[0], axis, (size + count() - 1) / count());
  }
};

class Split : public Pieces {
 public:
  explicit Split(AttributeReader& reader) : Pieces(reader, false) {
    const auto sizes = reader.Expressions("split_size");
    reader.Require(sizes && !sizes->empty(), "argument split_size wants at least 1 size");
    if (sizes) sizes_ = *sizes;
    const std::optional<int64_t> count = reader.OptionalInt("count");
    listed_ = sizes_.size() > 1;
    if (listed_) {
      const auto listed = static_cast<int64_t>(sizes_.size());
      reader.Require(count.value_or(listed) == listed,
                     fmt::format("argument count wants {}, as many as sizes, got {}", listed,
                                 count.value_or(listed)));
      SetCount(reader, "split_size", listed);
    } else {
      reader.Require(count.has_value(),
                     "argument count is missing: how many pieces one split_size makes");
      reader.Require(count.value_or(1) >= 1,
                     fmt::format("argument count wants at least 1, got {}", count.value_or(1)));
      SetCount(reader, "count", std::max<int64_t>(count.value_or(1), 1));
    }
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("split_size={}, dim={}", listed_ ? Text(sizes_) : sizes_.front().text(),
                       dim());
  }

 private:
  absl::StatusOr<std::vector<int64_t>> PieceSizes(std::span<const Shape> inputs,
                                                  int axis) const override {
    ASSIGN_OR_RETURN(const std::vector<Size> wanted, Evaluate(sizes_, inputs));
    for (const Size& size : wanted) {
      if (size && *size < 0) {
        return InvalidArgument("wants sizes of at least 0, got {} in {}", *size, Text(sizes_));
      }
    }
    return listed_ ? Listed(wanted, inputs[0], axis) : Equal(wanted[0], inputs[0], axis);
  }

  absl::StatusOr<std::vector<int64_t>> Equal(const Size& piece, const Shape& input,
                                             int axis) const {
    const int64_t size = input.dim(axis);
    if (size == kUnknownDim || !piece) return UnknownSizes();
    if (*piece > 0) return EqualPieces(input, axis, *piece);
    if (size == 0 && count() == 1) return std::vector<int64_t>{0};
    return InvalidArgument("wants a split_size of at least 1, got 0 for shape {}",
                           input.ToString());
  }

  absl::StatusOr<std::vector<int64_t>> Listed(const std::vector<Size>& wanted, const Shape& input,
                                              int axis) const {
    std::vector<int64_t> sizes;
    int64_t sum = 0;
    int unknown = 0;
    for (const Size& size : wanted) {
      sizes.push_back(DimOf(size));
      sum += size.value_or(0);
      unknown += size ? 0 : 1;
      RETURN_IF_ERROR(CheckPartialBounds(std::span(&sum, 1)));
    }
    const int64_t size = input.dim(axis);
    const bool fits = size == kUnknownDim || (unknown > 0 ? sum <= size : sum == size);
    if (fits) return sizes;
    return InvalidArgument("wants a dim {} of {} in all, got shape {}", dim(), Text(sizes_),
                           input.ToString());
  }

  std::vector<DimExpression> sizes_;
  bool listed_ = false;
};

class Unbind : public Pieces {
 public:
  explicit Unbind(AttributeReader& reader) : Pieces(reader, true) {
    SetCount(reader, "count", reader.RequiredInt("count", 1));
  }

  Arity arity() const override { return {}; }
  std::string Arguments(const Sizes&) const override {
    return fmt::format("dim={}, count={}", dim(), count());
  }

 private:
  absl::StatusOr<std::vector<int64_t>> PieceSizes(std::span<const Shape> inputs,
                                                  int axis) const override {
    const int64_t size = inputs[0].dim(axis);
    if (size != kUnknownDim && size != count()) {
      return InvalidArgument("wants a dim {} of size {}, got shape {}", dim(), count(),
                             inputs[0].ToString());
    }
    return std::vector<int64_t>(static_cast<size_t>(count()), 1);
  }
};

}  // namespace

std::unique_ptr<const Layer> MakeChunk(AttributeReader& reader) {
  return std::make_unique<Chunk>(reader);
}

std::unique_ptr<const Layer> MakeSplit(AttributeReader& reader) {
  return std::make_unique<Split>(reader);
}

std::unique_ptr<const Layer> MakeUnbind(AttributeReader& reader) {
  return std::make_unique<Unbind>(reader);
}

}  // namespace lazynet::nn
