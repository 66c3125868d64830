#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "engine/backend/backend.h"
#include "engine/core/tensor.h"

namespace lazynet::plan {

// Kernels in order, with the places of their operands: what a plan runs, once for all items of a
// batch or several times for a group of them. Immutable: many threads may run it at once, each with
// its own memory.
class Program {
 public:
  // Where a run finds things. Inputs and outputs are dense, in the network's order, and must not
  // overlap. An output that is an input may be null, and is left out then.
  struct Memory {
    std::span<const std::byte* const> inputs;
    std::span<std::byte* const> outputs;
    std::byte* arena = nullptr;    // of arena_bytes()
    std::byte* scratch = nullptr;  // of scratch_bytes()
  };

  // Kernels use the threads that they were prepared for. Allocates nothing. OUT_OF_RANGE when a
  // value is NaN or larger than fast kernels allow: Careful() then gives what it is to be run with.
  absl::Status Run(const Memory& memory) const;

  // Runs, and adds to `times`, which has step_count() elements, how long each step took.
  absl::Status Profile(const Memory& memory, std::span<std::chrono::nanoseconds> times) const;

  // The program for values of any magnitude; this one, if it is that. Made when it is asked for.
  // Safe for use by many threads.
  absl::StatusOr<const Program*> Careful() const;

  // How to make that one.
  using Make = std::function<absl::StatusOr<std::shared_ptr<const Program>>()>;
  void SetCareful(Make make) { make_careful_ = std::move(make); }

  void set_compute_dtype(DType dtype) { compute_dtype_ = dtype; }

  // BF16 if values between ops are kept in that.
  DType compute_dtype() const { return compute_dtype_; }

  size_t arena_bytes() const { return arena_bytes_; }
  size_t scratch_bytes() const { return scratch_bytes_; }

  // About how many bytes the program takes, with its kernels; without the careful one.
  size_t bytes() const {
    return sizeof(Program) + steps_.capacity() * sizeof(Step) + kernel_bytes_;
  }

  size_t step_count() const { return steps_.size(); }

 private:
  friend class ProgramBuilder;

  // Where a value lies when the program runs.
  struct Location {
    enum class Kind { kNone, kArena, kInput, kOutput };
    Kind kind = Kind::kNone;
    size_t at = 0;  // arena: byte offset; input, output: index
  };

  struct Step {
    std::unique_ptr<backend::Kernel> kernel;
    absl::InlinedVector<Location, 5> srcs;
    Location dst;
    int threads = 1;  // that the kernel was prepared for
  };

  template <typename AfterStep>
  absl::Status RunSteps(const Memory& memory, const AfterStep& after_step) const;

  std::vector<Step> steps_;
  DType compute_dtype_ = DType::kFp32;
  size_t arena_bytes_ = 0;
  size_t pointer_bytes_ = 0;  // of scratch: for the addresses that a step reads from
  size_t scratch_bytes_ = 0;
  size_t kernel_bytes_ = 0;

  Make make_careful_;
  mutable std::mutex mutex_;  // guards careful_
  mutable std::shared_ptr<const Program> careful_;
};

}  // namespace lazynet::plan
