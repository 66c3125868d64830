#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>

namespace lazynet::backend::own {

// The instruction sets that our kernels are compiled for.
enum class Isa { kSse2, kAvx2, kAvx512 };

// The best one that this CPU has and that oneDNN is allowed to use: one switch limits both.
inline Isa DetectIsa() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto includes = [isa](dnnl::cpu_isa other) {
    return (isa & static_cast<unsigned>(other)) == static_cast<unsigned>(other);
  };
  if (includes(dnnl::cpu_isa::avx512_core)) return Isa::kAvx512;
  return includes(dnnl::cpu_isa::avx2) ? Isa::kAvx2 : Isa::kSse2;
}

// Whether there is AVX512_BF16 too.
inline bool DetectBf16() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (isa & wanted) == wanted;
}

inline std::string_view Name(Isa isa) {
  return isa == Isa::kAvx512 ? "avx512" : isa == Isa::kAvx2 ? "avx2" : "sse2";
}

// Of the versions of a function made by for_each_isa.inc, the one for `isa`.
template <typename Function>
Function Select(Isa isa, Function sse2, Function avx2, Function avx512) {
  return isa == Isa::kAvx512 ? avx512 : isa == Isa::kAvx2 ? avx2 : sse2;
}

}  // namespace lazynet::backend::own
