#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string>

#include "engine/backend/backend.h"

namespace lazynet::backend {

// A layout as oneDNN describes it: strides, blocks and padding of every axis.
class DnnlLayout final : public Layout {
 public:
  explicit DnnlLayout(const dnnl::memory::desc& desc) : desc_(desc) {}

  size_t bytes() const override { return desc_.get_size(); }
  bool Equals(const Layout& other) const override;
  std::string name() const override;
  const dnnl::memory::desc& desc() const { return desc_; }

 private:
  dnnl::memory::desc desc_;
};

// The shape's dims as oneDNN takes them; a scalar is [1].
dnnl::memory::dims DimsOf(const Shape& shape);
dnnl::memory::dims DimsOf(const AxisVector& axes);

// Of FP32 or BF16.
using ElementType = dnnl::memory::data_type;
inline constexpr ElementType kF32 = ElementType::f32;
ElementType TypeOf(DType dtype);

// Row-major.
dnnl::memory::desc DenseDesc(const dnnl::memory::dims& dims, ElementType type = kF32);

// In whatever layout the primitive likes best.
dnnl::memory::desc AnyDesc(const dnnl::memory::dims& dims, ElementType type = kF32);

// With `axis` innermost and the others row-major around it; axis 1 gives [N, spatial..., C].
dnnl::memory::desc AxisLastDesc(const dnnl::memory::dims& dims, int axis, ElementType type = kF32);

// Of other sizes with the axes ordered and blocked as in `model`, of equal rank and type.
dnnl::memory::desc DescLike(const dnnl::memory::desc& model, const dnnl::memory::dims& dims);

// The same memory described without `axis`, whose size is 1.
dnnl::memory::desc RemoveAxis(const dnnl::memory::desc& desc, int axis);

// Whether the elements of two descriptors lie at the same places. Strides of axes of size 1 do not
// matter, unlike for operator==: [N, 1, H, W] is dense and channels-last at once.
bool SamePlaces(const dnnl::memory::desc& a, const dnnl::memory::desc& b);
bool IsDense(const dnnl::memory::desc& desc);

// A layout of [N, C, ...] as N images of blocks of channels: [images, channel_blocks, elements,
// block]. Row-major is block 1, channels-last block C, nChw16c block 16 with the last one padded.
struct ChannelBlocks {
  int64_t images = 1;
  int64_t channel_blocks = 1;
  int64_t elements = 1;  // the product of the spatial axes, which are row-major
  int64_t block = 1;
};
std::optional<ChannelBlocks> ChannelBlocksOf(const dnnl::memory::desc& desc);

// The axes of such a layout as they lie in memory: [images, channel_blocks, spatial..., block].
Shape MemoryShape(const ChannelBlocks& blocks, const dnnl::memory::dims& dims);

// Where axis `axis` of [N, C, spatial...] is among them. Of channels in blocks: the outer place.
size_t MemoryAxis(const dnnl::memory::desc& desc, const ChannelBlocks& blocks, size_t axis);

// The same layout for other spatial sizes.
dnnl::memory::desc WithSpatialSizes(const dnnl::memory::desc& desc, const ChannelBlocks& blocks,
                                    const dnnl::memory::dims& dims);

// Whether channels, or others, lie in blocks of a fixed size.
bool IsBlocked(const dnnl::memory::desc& desc);

// The same places for elements of another type.
dnnl::memory::desc WithType(const dnnl::memory::desc& desc, ElementType type);

// How many elements there are, padding included.
size_t ElementCount(const dnnl::memory::desc& desc);

// Whether there are elements beyond the value's own; they are kept zero.
bool HasPadding(const dnnl::memory::desc& desc);

dnnl::memory::desc DescOf(const Value& value, const LayoutPtr& layout);
LayoutPtr MakeLayout(const dnnl::memory::desc& desc);  // null when dense

// Text that tells apart all descriptors whose elements lie differently: a part of cache keys.
std::string Serialize(const dnnl::memory::desc& desc);

}  // namespace lazynet::backend
