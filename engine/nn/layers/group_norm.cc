#include "engine/nn/layers/group_norm.h"

#include <optional>

namespace lazynet::nn {
namespace {

class GroupNorm : public Layer {
 public:
  explicit GroupNorm(AttributeReader& reader)
      : num_groups_(reader.RequiredInt("num_groups", 1)),
        eps_(reader.Double("eps", 1e-5)),
        affine_(reader.Bool("affine", true)) {
    reader.Require(eps_ >= 0, fmt::format("argument eps wants at least 0, got {}", eps_));
    const std::optional<int64_t> num_channels = reader.Size("num_channels");
    reader.Require(!num_channels || *num_channels % num_groups_ == 0,
                   fmt::format("num_channels {} wants to be divisible by num_groups {}",
                               num_channels.value_or(0), num_groups_));
    // Without parameters any number of channels that the groups divide will do.
    if (!affine_ && !num_channels) return;
    const int size = AddSize("num_channels", num_channels);
    if (!affine_) return;
    AddParameter({.name = "weight", .extents = {Extent::OfSize(size)}, .initial = {.value = 1}});
    AddParameter({.name = "bias", .extents = {Extent::OfSize(size)}});
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    if (input.rank() < 2) {
      return InvalidArgument("wants a rank of at least 2, got shape {}", input.ToString());
    }
    Shape output = input;
    if (!sizes.empty()) {
      RETURN_IF_ERROR(Resolve(0, input.dim(1), sizes));
      output.set_dim(1, sizes[0]);
    }
    const int64_t channels = output.dim(1);
    if (channels == kUnknownDim) return output;
    if (channels == 0 || channels % num_groups_ != 0) {
      return InvalidArgument("wants num_channels divisible by num_groups {}, got {}", num_groups_,
                             channels);
    }
    // PyTorch refuses statistics of a single value, though it only sees those of a single item.
    if (!input.has_unknown_dim() && input.num_elements() == num_groups_) {
      return InvalidArgument("wants more than 1 value per group, got shape {}", input.ToString());
    }
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    const auto parameter = [&](int index) {
      return affine_ ? lowering.Parameter(index) : backend::kNoValue;
    };
    return lowering.Add(
        backend::Normalization{.statistics = backend::Normalization::Statistics::kPerGroup,
                               .eps = eps_,
                               .groups = num_groups_},
        {src, backend::kNoValue, backend::kNoValue, parameter(0), parameter(1)},
        lowering.shape(src));
  }

  std::string Arguments(const Sizes& sizes) const override {
    return fmt::format("{}, {}, eps={}, affine={}", num_groups_,
                       sizes.empty() ? 0 : ReprSize(sizes, 0), PythonFloat(eps_),
                       PythonBool(affine_));
  }

 private:
  int64_t num_groups_;
  double eps_;
  bool affine_;
};

}  // namespace

std::unique_ptr<const Layer> MakeGroupNorm(AttributeReader& reader) {
  return std::make_unique<GroupNorm>(reader);
}

}  // namespace lazynet::nn
