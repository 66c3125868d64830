#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

bool OpContext::has(int input) const { return input < operands() && id(input) != kNoValue; }

dnnl::memory::desc OpContext::src_desc(int input) const {
  const Value& value = src(input);
  return DescOf(value, value.is_constant() ? nullptr : src_layouts_[static_cast<size_t>(input)]);
}

DType OpContext::dtype() const {
  for (int input = 0; input < inputs(); ++input) {
    if (has(input) && !is_constant(input) && src(input).dtype == DType::kBf16) return DType::kBf16;
  }
  return DType::kFp32;
}

bool OpContext::ComputesBf16() const {
  return dtype() == DType::kBf16 && !OnlyMoves(op_.kind) && !std::holds_alternative<Cast>(op_.kind);
}

bool OpContext::ConstantsFrom(int first) const {
  for (int input = first; input < inputs(); ++input) {
    if (has(input) && !is_constant(input)) return false;
  }
  return true;
}

absl::StatusOr<Tensor> OpContext::MakeConstant(int input) const {
  return graph_.constant(id(input)).make();
}

absl::StatusOr<Argument> OpContext::ConstantArgument(int id_of_argument, int input,
                                                     const dnnl::memory::desc& plain,
                                                     const dnnl::memory::desc& wanted) const {
  const auto make = [&] { return MakeConstant(input); };
  return PackedArgument(id_of_argument, constant_key(input), make, plain, wanted);
}

absl::StatusOr<Argument> OpContext::PackedArgument(
    int id_of_argument, const std::string& key, const std::function<absl::StatusOr<Tensor>()>& make,
    const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted) const {
  // The plain description is part of the key: a convolution and a deconvolution may read one
  // parameter with the channels exchanged and want the same layout.
  const std::string layout_key = key + "/" + Serialize(plain) + "/" + Serialize(wanted);
  const auto pack = [&]() -> absl::StatusOr<Buffer> {
    ASSIGN_OR_RETURN(const Tensor tensor, make());
    ASSIGN_OR_RETURN(Buffer buffer, Buffer::Allocate(wanted.get_size()));
    dnnl::memory from(plain, CpuEngine(), const_cast<std::byte*>(tensor.data()));
    dnnl::memory to(wanted, CpuEngine(), buffer.data());
    dnnl::reorder(from, to).execute(ThreadStream(), from, to);
    return buffer;
  };
  ASSIGN_OR_RETURN(std::shared_ptr<const Buffer> buffer, packed_.GetOrPack(layout_key, pack));
  return Argument{id_of_argument, wanted, Argument::kConstant, std::move(buffer)};
}

absl::StatusOr<Argument> OpContext::SrcArgument(int id_of_argument, int input,
                                                const dnnl::memory::desc& wanted) const {
  if (is_constant(input)) {
    return ConstantArgument(id_of_argument, input, DenseDesc(wanted.dims()), wanted);
  }
  return Argument{id_of_argument, wanted, input, nullptr};
}

absl::StatusOr<PreparedOp> OpContext::Fallback() const {
  if (ComputesBf16() && op_.fused.empty()) {
    return PrepareWidened(graph_, op_, src_layouts_, packed_, backend_);
  }
  if (!op_.fused.empty() || fallback_ == nullptr) {
    return Unimplemented("layer \"{}\": oneDNN has no kernel for this {}", op_.layer,
                         Name(op_.kind));
  }
  const std::vector<LayoutPtr> dense(op_.inputs.size());
  return fallback_->Prepare(graph_, op_, dense, packed_);
}

// Measured with oneDNN 2.6.3: code generated for the shape, which is most of it, and memory
// objects.
size_t PrimitiveBytes(const dnnl::primitive& primitive, std::string_view implementation) {
  switch (primitive.get_kind()) {
    case dnnl::primitive::kind::convolution:
      return implementation.starts_with("brgconv:") ? 80 << 10 : 36 << 10;
    case dnnl::primitive::kind::deconvolution:
    case dnnl::primitive::kind::inner_product:
    case dnnl::primitive::kind::matmul:
      return 36 << 10;
    default:
      return 14 << 10;
  }
}

bool IsReference(std::string_view implementation) {
  return implementation.starts_with("ref") ||
         implementation.find("_ref:") != std::string_view::npos;
}

bool IsSlowBf16(const OpContext& context, std::string_view implementation) {
  return context.dtype() == DType::kBf16 && IsReference(implementation);
}

bool IsGemm(std::string_view implementation) {
  return implementation.find("gemm:") != std::string_view::npos &&
         implementation.find("brgemm") == std::string_view::npos;
}

}  // namespace lazynet::backend
