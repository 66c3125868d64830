#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

#include "engine/backend/backend.h"

namespace lazynet::backend {

// The process's one CPU engine.
const dnnl::engine& CpuEngine();

// This thread's stream on it.
dnnl::stream& ThreadStream();

// The attributes of all our primitives: scratch memory comes from the caller, because with oneDNN's
// own a primitive may run only on the thread that made it.
dnnl::primitive_attr UserScratchpad();

// What a primitive reads or writes, and where a run finds it.
struct Argument {
  static constexpr int kDst = -1;
  static constexpr int kScratch = -2;
  static constexpr int kConstant = -3;

  int id = 0;  // DNNL_ARG_SRC, ...
  dnnl::memory::desc desc;
  int from = kDst;                         // an op input >= 0, or one of the above
  std::shared_ptr<const Buffer> constant;  // for kConstant
  size_t offset = 0;                       // bytes behind the start of what a run is given
};

// A primitive with its arguments. A run borrows a set of memory objects made by an earlier one, so
// that it only sets pointers; sets are made when all are in use, by the threads running at once.
class PrimitiveKernel final : public Kernel {
 public:
  PrimitiveKernel(std::string layer, dnnl::primitive primitive, std::vector<Argument> arguments);
  ~PrimitiveKernel() override;

  absl::Status Run(const Buffers& buffers) const override;

 private:
  struct ArgumentSet;

  std::unique_ptr<ArgumentSet> Acquire() const;
  void Release(std::unique_ptr<ArgumentSet> set) const;

  std::string layer_;
  dnnl::primitive primitive_;
  std::vector<Argument> arguments_;
  mutable std::array<std::atomic<ArgumentSet*>, 8> idle_{};  // owned
};

// The layer's failure as a status.
absl::Status FromDnnl(std::string_view layer, const dnnl::error& error);

}  // namespace lazynet::backend
