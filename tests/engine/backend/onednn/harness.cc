#include "tests/engine/backend/onednn/harness.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/backend/onednn/dnnl_layout.h"
#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/onednn/own/bf16.h"
#include "engine/backend/packed_weights.h"
#include "engine/backend/threads.h"

namespace lazynet::testing {
namespace {

using backend::LayoutPtr;
using backend::PreparedOp;
using backend::Value;

// As on a serving thread. gtest's main belongs to the library, hence the environment.
class OneThread : public ::testing::Environment {
 public:
  void SetUp() override { omp_set_num_threads(1); }
};
[[maybe_unused]] const auto* const one_thread = ::testing::AddGlobalTestEnvironment(new OneThread);

// Memory that nobody may take for zeros or for numbers.
absl::StatusOr<Buffer> Poisoned(size_t bytes) {
  ASSIGN_OR_RETURN(Buffer buffer, Buffer::Allocate(bytes));
  if (bytes > 0) std::memset(buffer.data(), 0xff, bytes);
  return buffer;
}

absl::StatusOr<Buffer> Run(const PreparedOp& prepared, const std::vector<const std::byte*>& srcs,
                           size_t dst_bytes) {
  ASSIGN_OR_RETURN(Buffer dst, Poisoned(dst_bytes));
  ASSIGN_OR_RETURN(Buffer scratch, Poisoned(prepared.scratch_bytes));
  RETURN_IF_ERROR(prepared.kernel->Run({srcs, dst.data(), scratch.data()}));
  return dst;
}

absl::StatusOr<Buffer> Reorder(const Value& value, const std::byte* data, const LayoutPtr& from,
                               const LayoutPtr& to) {
  ASSIGN_OR_RETURN(const PreparedOp reorder, Onednn().PrepareReorder(value, from, to));
  return Run(reorder, {data}, backend::LayoutBytes(value, to));
}

template <typename T>
bool SameElements(const Buffer& a, const Buffer& b) {
  const auto* left = reinterpret_cast<const T*>(a.data());
  const auto* right = reinterpret_cast<const T*>(b.data());
  return std::equal(left, left + a.size() / sizeof(T), right, [](T i, T j) {
    const float x = backend::own::Widen(i), y = backend::own::Widen(j);
    return x == y || (std::isnan(x) && std::isnan(y));
  });
}

// The elements, of which 0 and -0 are the same.
bool SameValues(DType dtype, const Buffer& a, const Buffer& b) {
  return dtype == DType::kBf16 ? SameElements<backend::own::Bf16>(a, b) : SameElements<float>(a, b);
}

bool SameBytes(const Buffer& a, const Buffer& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string Name(Arrival arrival) {
  switch (arrival) {
    case Arrival::kDense:
      return "dense";
    case Arrival::kChannelsLast:
      return "channels last";
    case Arrival::kBlocked8:
      return "blocks of 8";
    case Arrival::kBlocked16:
      return "blocks of 16";
  }
  return "";
}

LayoutPtr LayoutOf(Arrival arrival, const Shape& shape, DType dtype) {
  using tag = dnnl::memory::format_tag;
  if (arrival == Arrival::kDense || shape.rank() < 3 || shape.rank() > 5) return nullptr;
  const auto dims = backend::DimsOf(shape);
  if (arrival == Arrival::kChannelsLast) {
    return backend::MakeLayout(backend::AxisLastDesc(dims, 1, backend::TypeOf(dtype)));
  }
  const size_t spatial_axes = dims.size() - 3;
  const tag tags8[] = {tag::aBc8b, tag::aBcd8b, tag::aBcde8b};
  const tag tags16[] = {tag::aBc16b, tag::aBcd16b, tag::aBcde16b};
  const tag layout = arrival == Arrival::kBlocked8 ? tags8[spatial_axes] : tags16[spatial_axes];
  return backend::MakeLayout({dims, backend::TypeOf(dtype), layout});
}

const backend::Backend& Onednn() {
  static const auto onednn = backend::MakeOnednnBackend(nullptr);
  return *onednn;
}

absl::StatusOr<OpResult> RunArrived(backend::OpKind kind, const std::vector<OpInput>& inputs,
                                    const Shape& output_shape, Arrival arrival,
                                    std::optional<DType> output_dtype) {
  backend::Graph graph;
  std::vector<backend::ValueId> ids;
  std::vector<LayoutPtr> layouts;
  for (size_t i = 0; i < inputs.size(); ++i) {
    layouts.emplace_back();
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
      layouts.back() = LayoutOf(arrival, tensor.shape(), tensor.dtype());
    }
  }
  graph.AddOp(std::move(kind), ids, output_shape, "op", output_dtype);
  const backend::Op& op = graph.ops.back();
  backend::PackedWeights packed;
  const auto prepare = [&](int threads) {
    backend::SetKernelThreads(threads);
    return Onednn().Prepare(graph, op, layouts, packed);
  };
  ASSIGN_OR_RETURN(const PreparedOp shared, prepare(3));
  ASSIGN_OR_RETURN(const PreparedOp prepared, prepare(1));
  if (prepared.src_layouts.size() != inputs.size()) return Internal("layouts are missing");

  std::vector<Buffer> buffers;
  std::vector<const std::byte*> srcs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    srcs.push_back(nullptr);
    if (!inputs[i].tensor || inputs[i].constant) continue;
    const Value& value = graph.value(ids[i]);
    ASSIGN_OR_RETURN(Buffer arrived, Reorder(value, inputs[i].tensor->data(), nullptr, layouts[i]));
    ASSIGN_OR_RETURN(Buffer wanted,
                     Reorder(value, arrived.data(), layouts[i], prepared.src_layouts[i]));
    buffers.push_back(std::move(wanted));
    srcs.back() = buffers.back().data();
  }
  const Value& value = graph.value(op.output);
  const size_t dst_bytes = backend::LayoutBytes(value, prepared.dst_layout);
  ASSIGN_OR_RETURN(const Buffer dst, Run(prepared, srcs, dst_bytes));
  ASSIGN_OR_RETURN(const Buffer again, Run(prepared, srcs, dst_bytes));
  if (!SameBytes(dst, again)) return Internal("a second run gives another result");

  if (prepared.implementation.starts_with("own:")) {
    ASSIGN_OR_RETURN(const Buffer by_three, Run(shared, srcs, dst_bytes));
    if (!SameBytes(dst, by_three)) return Internal("three threads give another result");
  }

  ASSIGN_OR_RETURN(Buffer dense, Reorder(value, dst.data(), prepared.dst_layout, nullptr));
  ASSIGN_OR_RETURN(const Buffer padded, Reorder(value, dense.data(), nullptr, prepared.dst_layout));
  if (!SameValues(value.dtype, dst, padded))
    return Internal("the padding of the result is not zero");

  if (prepared.in_place) {
    if (!backend::SameLayout(prepared.src_layouts[0], prepared.dst_layout)) {
      return Internal("in place, but in another layout");
    }
    ASSIGN_OR_RETURN(Buffer copy, Buffer::Allocate(dst_bytes));
    std::memcpy(copy.data(), srcs[0], dst_bytes);
    srcs[0] = copy.data();
    ASSIGN_OR_RETURN(Buffer scratch, Poisoned(prepared.scratch_bytes));
    RETURN_IF_ERROR(prepared.kernel->Run({srcs, copy.data(), scratch.data()}));
    if (!SameBytes(dst, copy)) return Internal("running in place gives another result");
  }
  auto owner = std::make_shared<Buffer>(std::move(dense));
  return OpResult{Tensor::Wrap(value.dtype, value.shape, owner, owner->data()),
                  prepared.implementation};
}

void ExpectNear(std::span<const float> got, const std::vector<double>& want, double absolute,
                double relative) {
  ASSERT_EQ(got.size(), want.size());
  int failures = 0;
  for (size_t i = 0; i < want.size() && failures < 5; ++i) {
    const double value = got[i];
    const auto rounded = static_cast<float>(want[i]);  // infinite beyond the range of a float
    const bool equal = std::isnan(rounded) ? std::isnan(value)
                       : std::isinf(rounded)
                           ? value == double{rounded}
                           : std::abs(value - want[i]) <= absolute + relative * std::abs(want[i]);
    if (equal) continue;
    ++failures;
    ADD_FAILURE() << "element " << i << ": got " << value << ", wanted " << want[i];
  }
}

std::string ExpectInAllLayouts(const backend::OpKind& kind, const std::vector<OpInput>& inputs,
                               const Shape& output_shape, const std::vector<double>& want,
                               double absolute, double relative) {
  std::string implementation;
  for (const Arrival arrival : kArrivals) {
    SCOPED_TRACE(Name(arrival));
    const auto result = RunArrived(kind, inputs, output_shape, arrival);
    if (!result.ok()) {
      ADD_FAILURE() << result.status();
      continue;
    }
    if (arrival == Arrival::kDense) implementation = result->implementation;
    SCOPED_TRACE(result->implementation);
    ExpectNear(result->dst.values<float>(), want, absolute, relative);
  }
  return implementation;
}

}  // namespace lazynet::testing
