#include "engine/backend/onednn/dnnl_layout.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace lazynet::backend {
namespace {

using dnnl::memory;

const dnnl_blocking_desc_t& Blocking(const memory::desc& desc) {
  return desc.data.format_desc.blocking;
}

// Row-major strides of the axes taken in `order`, outermost first.
memory::dims StridesInOrder(const memory::dims& dims, const std::vector<size_t>& order) {
  memory::dims strides(dims.size());
  memory::dim stride = 1;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    strides[*axis] = stride;
    stride *= dims[*axis];
  }
  return strides;
}

}  // namespace

bool DnnlLayout::Equals(const Layout& other) const {
  const auto* layout = dynamic_cast<const DnnlLayout*>(&other);
  return layout != nullptr && SamePlaces(desc_, layout->desc_);
}

// The axes from the outermost to the innermost, those in blocks as capitals; then the blocks.
std::string DnnlLayout::name() const {
  const dnnl_memory_desc_t& data = desc_.data;
  if (data.format_kind != dnnl_blocked) return "opaque";
  constexpr std::string_view kNames[] = {"nc", "ncw", "nchw", "ncdhw"};
  const bool named = data.ndims >= 2 && data.ndims <= 5;
  const std::string_view letters = named ? kNames[data.ndims - 2] : "abcdefghijkl";
  const dnnl_blocking_desc_t& blocking = Blocking(desc_);
  std::vector<int> order(static_cast<size_t>(data.ndims));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return blocking.strides[a] > blocking.strides[b]; });
  const auto letter = [&](dnnl_dim_t axis) { return letters[static_cast<size_t>(axis)]; };
  const auto blocks_end = blocking.inner_idxs + blocking.inner_nblks;
  std::string name;
  for (const int axis : order) {
    const bool blocked = std::find(blocking.inner_idxs, blocks_end, axis) != blocks_end;
    name += static_cast<char>(blocked ? letter(axis) - 'a' + 'A' : letter(axis));
  }
  for (int i = 0; i < blocking.inner_nblks; ++i) {
    name += fmt::format("{}{}", blocking.inner_blks[i], letter(blocking.inner_idxs[i]));
  }
  return name;
}

memory::dims DimsOf(const Shape& shape) {
  if (shape.rank() == 0) return {1};
  return {shape.dims().begin(), shape.dims().end()};
}

memory::dims DimsOf(const AxisVector& axes) { return {axes.begin(), axes.end()}; }

ElementType TypeOf(DType dtype) {
  LAZYNET_CHECK(dtype == DType::kFp32 || dtype == DType::kBf16);
  return dtype == DType::kBf16 ? ElementType::bf16 : ElementType::f32;
}

memory::desc DenseDesc(const memory::dims& dims, ElementType type) {
  std::vector<size_t> order(dims.size());
  std::iota(order.begin(), order.end(), size_t{0});
  return memory::desc(dims, type, StridesInOrder(dims, order));
}

memory::desc AnyDesc(const memory::dims& dims, ElementType type) {
  return memory::desc(dims, type, memory::format_tag::any);
}

memory::desc AxisLastDesc(const memory::dims& dims, int axis, ElementType type) {
  std::vector<size_t> order;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i != static_cast<size_t>(axis)) order.push_back(i);
  }
  order.push_back(static_cast<size_t>(axis));
  return memory::desc(dims, type, StridesInOrder(dims, order));
}

memory::desc DescLike(const memory::desc& model, const memory::dims& dims) {
  const dnnl_blocking_desc_t& from = Blocking(model);
  memory::desc desc = DenseDesc(dims, model.data_type());
  dnnl_blocking_desc_t& blocking = desc.data.format_desc.blocking;
  blocking.inner_nblks = from.inner_nblks;
  memory::dims blocks(dims.size(), 1);
  memory::dim inner = 1;
  for (int i = 0; i < from.inner_nblks; ++i) {
    blocking.inner_blks[i] = from.inner_blks[i];
    blocking.inner_idxs[i] = from.inner_idxs[i];
    blocks[static_cast<size_t>(from.inner_idxs[i])] *= from.inner_blks[i];
    inner *= from.inner_blks[i];
  }
  // An axis of size 1 in the model has a stride that says nothing; among equal strides the order
  // of the axes is kept.
  std::vector<size_t> order(dims.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return from.strides[a] > from.strides[b]; });
  memory::dim stride = inner;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    const memory::dim padded = (dims[*axis] + blocks[*axis] - 1) / blocks[*axis] * blocks[*axis];
    desc.data.padded_dims[*axis] = padded;
    blocking.strides[*axis] = stride;
    stride *= padded / blocks[*axis];
  }
  return desc;
}

memory::desc RemoveAxis(const memory::desc& desc, int axis) {
  memory::desc removed = desc;
  dnnl_memory_desc_t& data = removed.data;
  dnnl_blocking_desc_t& blocking = data.format_desc.blocking;
  const auto remove = [&](dnnl_dim_t* values) {
    std::copy(values + axis + 1, values + data.ndims, values + axis);
    values[data.ndims - 1] = 0;
  };
  remove(data.dims);
  remove(data.padded_dims);
  remove(data.padded_offsets);
  remove(blocking.strides);
  for (int i = 0; i < blocking.inner_nblks; ++i) {
    LAZYNET_CHECK(blocking.inner_idxs[i] != axis);
    if (blocking.inner_idxs[i] > axis) --blocking.inner_idxs[i];
  }
  --data.ndims;
  return removed;
}

bool SamePlaces(const memory::desc& a, const memory::desc& b) {
  if (a == b) return true;
  if (a.data.format_kind != dnnl_blocked || b.data.format_kind != dnnl_blocked) return false;
  if (a.data.ndims != b.data.ndims || a.data.offset0 != b.data.offset0) return false;
  if (a.data.data_type != b.data.data_type || a.data.extra.flags != b.data.extra.flags) {
    return false;
  }
  const dnnl_blocking_desc_t& left = Blocking(a);
  const dnnl_blocking_desc_t& right = Blocking(b);
  if (left.inner_nblks != right.inner_nblks) return false;
  for (int i = 0; i < left.inner_nblks; ++i) {
    if (left.inner_blks[i] != right.inner_blks[i] || left.inner_idxs[i] != right.inner_idxs[i]) {
      return false;
    }
  }
  for (int i = 0; i < a.data.ndims; ++i) {
    if (a.data.dims[i] != b.data.dims[i] || a.data.padded_dims[i] != b.data.padded_dims[i] ||
        a.data.padded_offsets[i] != b.data.padded_offsets[i]) {
      return false;
    }
    if (a.data.padded_dims[i] != 1 && left.strides[i] != right.strides[i]) return false;
  }
  return true;
}

bool IsDense(const memory::desc& desc) {
  return SamePlaces(desc, DenseDesc(desc.dims(), desc.data_type()));
}

std::optional<ChannelBlocks> ChannelBlocksOf(const memory::desc& desc) {
  const memory::dims dims = desc.dims();
  ChannelBlocks result{dims[0], dims[1], 1, 1};
  for (size_t i = 2; i < dims.size(); ++i) result.elements *= dims[i];
  // Of one channel or one pixel a layout is row-major too; the longer rows are the better ones.
  if (SamePlaces(desc, AxisLastDesc(dims, 1, desc.data_type()))) {
    std::swap(result.channel_blocks, result.block);
    return result;
  }
  if (IsDense(desc)) return result;
  const dnnl_blocking_desc_t& blocking = Blocking(desc);
  if (blocking.inner_nblks != 1 || blocking.inner_idxs[0] != 1) return std::nullopt;
  result.block = blocking.inner_blks[0];
  result.channel_blocks = desc.data.padded_dims[1] / result.block;
  memory::dims outer = dims;
  outer[1] = result.channel_blocks;
  memory::dim stride = result.block;
  for (size_t i = dims.size(); i-- > 0; stride *= outer[i]) {
    if (outer[i] != 1 && blocking.strides[i] != stride) return std::nullopt;
  }
  return result;
}

Shape MemoryShape(const ChannelBlocks& blocks, const memory::dims& dims) {
  Shape::Dims shape{blocks.images, blocks.channel_blocks};
  shape.insert(shape.end(), dims.begin() + 2, dims.end());
  shape.push_back(blocks.block);
  return Shape(std::move(shape));
}

size_t MemoryAxis(const memory::desc& desc, const ChannelBlocks& blocks, size_t axis) {
  const bool last = axis == 1 && !IsBlocked(desc) && blocks.channel_blocks == 1;
  return last ? static_cast<size_t>(desc.data.ndims) : axis;
}

memory::desc WithSpatialSizes(const memory::desc& desc, const ChannelBlocks& blocks,
                              const memory::dims& dims) {
  if (IsBlocked(desc)) return DescLike(desc, dims);
  const ElementType type = desc.data_type();
  return blocks.block > 1 ? AxisLastDesc(dims, 1, type) : DenseDesc(dims, type);
}

bool IsBlocked(const memory::desc& desc) { return Blocking(desc).inner_nblks > 0; }

memory::desc WithType(const memory::desc& desc, ElementType type) {
  memory::desc other = desc;
  other.data.data_type = dnnl::memory::convert_to_c(type);
  return other;
}

size_t ElementCount(const memory::desc& desc) {
  return desc.get_size() / memory::data_type_size(desc.data_type());
}

bool HasPadding(const memory::desc& desc) {
  return !std::equal(desc.data.dims, desc.data.dims + desc.data.ndims, desc.data.padded_dims);
}

memory::desc DescOf(const Value& value, const LayoutPtr& layout) {
  if (layout == nullptr) return DenseDesc(DimsOf(value.shape), TypeOf(value.dtype));
  const auto* dnnl_layout = dynamic_cast<const DnnlLayout*>(layout.get());
  LAZYNET_CHECK(dnnl_layout != nullptr);
  return dnnl_layout->desc();
}

LayoutPtr MakeLayout(const memory::desc& desc) {
  return IsDense(desc) ? nullptr : std::make_shared<const DnnlLayout>(desc);
}

std::string Serialize(const memory::desc& desc) {
  if (desc.data.format_kind == dnnl_format_kind_wino) {
    const dnnl_wino_desc_t& wino = desc.data.format_desc.wino_desc;
    return fmt::format("wino{}r{}a{},i{}o{},{}x{},{}x{}", static_cast<int>(wino.wino_format),
                       wino.r, wino.alpha, wino.ic, wino.oc, wino.ic_block, wino.oc_block,
                       wino.ic2_block, wino.oc2_block);
  }
  LAZYNET_CHECK(desc.data.format_kind == dnnl_blocked);
  const dnnl_blocking_desc_t& blocking = Blocking(desc);
  std::string text = fmt::format("t{}x{}o{}", static_cast<int>(desc.data.data_type),
                                 desc.data.extra.flags, desc.data.offset0);
  for (int i = 0; i < desc.data.ndims; ++i) {
    text +=
        fmt::format(",{}p{}s{}", desc.data.dims[i], desc.data.padded_dims[i], blocking.strides[i]);
  }
  for (int i = 0; i < blocking.inner_nblks; ++i) {
    text += fmt::format(",{}b{}", blocking.inner_idxs[i], blocking.inner_blks[i]);
  }
  return text;
}

}  // namespace lazynet::backend
