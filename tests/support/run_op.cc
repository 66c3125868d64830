#include "tests/support/run_op.h"

#include <algorithm>
#include <random>
#include <utility>

#include "engine/backend/packed_weights.h"

namespace lazynet::testing {
namespace {

using backend::Kernel;
using backend::LayoutPtr;
using backend::PreparedOp;
using backend::Value;

absl::StatusOr<Buffer> RunPrepared(const PreparedOp& prepared,
                                   const std::vector<const std::byte*>& srcs, size_t dst_bytes) {
  ASSIGN_OR_RETURN(Buffer dst, Buffer::Allocate(dst_bytes));
  ASSIGN_OR_RETURN(Buffer scratch, Buffer::Allocate(prepared.scratch_bytes));
  RETURN_IF_ERROR(prepared.kernel->Run({srcs, dst.data(), scratch.data()}));
  return dst;
}

absl::StatusOr<Buffer> Reorder(const backend::Backend& backend, const Value& value,
                               const std::byte* data, const LayoutPtr& from, const LayoutPtr& to) {
  ASSIGN_OR_RETURN(const PreparedOp reorder, backend.PrepareReorder(value, from, to));
  return RunPrepared(reorder, {data}, backend::LayoutBytes(value, to));
}

}  // namespace

absl::StatusOr<OpResult> RunOp(const backend::Backend& backend, backend::OpKind kind,
                               std::vector<OpInput> inputs, Shape output_shape,
                               std::optional<DType> output_dtype) {
  backend::Graph graph;
  std::vector<backend::ValueId> ids;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].tensor) {
      ids.push_back(backend::kNoValue);
      continue;
    }
    const Tensor& tensor = *inputs[i].tensor;
    if (inputs[i].constant) {
      ids.push_back(graph.AddConstant(
          tensor.dtype(), tensor.shape(),
          {"input" + std::to_string(i), [tensor] { return absl::StatusOr<Tensor>(tensor); }}));
    } else {
      ids.push_back(graph.AddInput(tensor.dtype(), tensor.shape()));
    }
  }
  graph.AddOp(std::move(kind), ids, std::move(output_shape), "op", output_dtype);
  const backend::Op& op = graph.ops.back();

  backend::PackedWeights packed;
  const std::vector<LayoutPtr> dense(inputs.size());
  ASSIGN_OR_RETURN(const PreparedOp prepared, backend.Prepare(graph, op, dense, packed));

  std::vector<Buffer> reordered;
  std::vector<const std::byte*> srcs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].tensor || inputs[i].constant) {
      srcs.push_back(nullptr);
      continue;
    }
    srcs.push_back(inputs[i].tensor->data());
    if (prepared.src_layouts[i] != nullptr) {
      ASSIGN_OR_RETURN(Buffer buffer, Reorder(backend, graph.value(ids[i]), srcs.back(), nullptr,
                                              prepared.src_layouts[i]));
      reordered.push_back(std::move(buffer));
      srcs.back() = reordered.back().data();
    }
  }
  const Value& value = graph.value(op.output);
  ASSIGN_OR_RETURN(Buffer dst,
                   RunPrepared(prepared, srcs, backend::LayoutBytes(value, prepared.dst_layout)));
  if (prepared.in_place) {
    ASSIGN_OR_RETURN(Buffer copy, Buffer::Allocate(dst.size()));
    std::copy_n(srcs[0], copy.size(), copy.data());
    std::vector<const std::byte*> in_place_srcs = srcs;
    in_place_srcs[0] = copy.data();
    ASSIGN_OR_RETURN(Buffer scratch, Buffer::Allocate(prepared.scratch_bytes));
    RETURN_IF_ERROR(prepared.kernel->Run({in_place_srcs, copy.data(), scratch.data()}));
    if (!std::equal(copy.data(), copy.data() + copy.size(), dst.data())) {
      return Internal("running in place gives another result");
    }
  }
  if (prepared.dst_layout != nullptr) {
    ASSIGN_OR_RETURN(dst, Reorder(backend, value, dst.data(), prepared.dst_layout, nullptr));
  }
  auto owner = std::make_shared<Buffer>(std::move(dst));
  return OpResult{Tensor::Wrap(value.dtype, value.shape, owner, owner->data()),
                  prepared.implementation};
}

Tensor Values(Shape shape, const std::vector<float>& values) {
  return ValuesOf(DType::kFp32, std::move(shape), values);
}

Tensor Values64(Shape shape, const std::vector<double>& values) {
  return ValuesOf(DType::kFp64, std::move(shape), values);
}

Tensor Noise(Shape shape, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<size_t>(shape.num_elements()));
  for (float& value : values) value = static_cast<float>(generator() >> 8) * 0x1p-23f - 1.0f;
  return Values(std::move(shape), values);
}

}  // namespace lazynet::testing
