#include "engine/backend/onednn/primitive_kernel.h"

#include <oneapi/dnnl/dnnl_debug.h>

#include <cstdlib>
#include <utility>

namespace lazynet::backend {
namespace {

// oneDNN keeps the primitives last made, so that equal ones of a network, or of networks that are
// alike, are made once. Its 1024 would hold some 40 MB of plans that are long gone.
constexpr int kPrimitivesKept = 256;

void LimitPrimitiveCache() {
  if (std::getenv("DNNL_PRIMITIVE_CACHE_CAPACITY") == nullptr) {
    dnnl::set_primitive_cache_capacity(kPrimitivesKept);
  }
}

}  // namespace

const dnnl::engine& CpuEngine() {
  // Never destroyed: threads may still hold streams of it when the process ends.
  static const dnnl::engine& engine = []() -> const dnnl::engine& {
    LimitPrimitiveCache();
    return *new dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return engine;
}

dnnl::stream& ThreadStream() {
  thread_local dnnl::stream stream(CpuEngine());
  return stream;
}

dnnl::primitive_attr UserScratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

struct PrimitiveKernel::ArgumentSet {
  std::vector<dnnl::memory> memories;
  std::vector<dnnl_exec_arg_t> arguments;
};

PrimitiveKernel::PrimitiveKernel(std::string layer, dnnl::primitive primitive,
                                 std::vector<Argument> arguments)
    : layer_(std::move(layer)), primitive_(std::move(primitive)), arguments_(std::move(arguments)) {
  Release(Acquire());
}

PrimitiveKernel::~PrimitiveKernel() {
  for (std::atomic<ArgumentSet*>& slot : idle_) delete slot.load();
}

std::unique_ptr<PrimitiveKernel::ArgumentSet> PrimitiveKernel::Acquire() const {
  for (std::atomic<ArgumentSet*>& slot : idle_) {
    if (slot.load(std::memory_order_relaxed) == nullptr) continue;
    std::unique_ptr<ArgumentSet> set(slot.exchange(nullptr, std::memory_order_acquire));
    if (set != nullptr) return set;
  }
  auto set = std::make_unique<ArgumentSet>();
  for (const Argument& argument : arguments_) {
    // oneDNN's interface has no const; constants are only read.
    void* data = argument.constant == nullptr ? DNNL_MEMORY_NONE
                                              : const_cast<std::byte*>(argument.constant->data());
    set->memories.emplace_back(argument.desc, CpuEngine(), data);
    set->arguments.push_back({argument.id, set->memories.back().get()});
  }
  return set;
}

void PrimitiveKernel::Release(std::unique_ptr<ArgumentSet> set) const {
  for (std::atomic<ArgumentSet*>& slot : idle_) {
    ArgumentSet* expected = nullptr;
    if (slot.compare_exchange_strong(expected, set.get(), std::memory_order_release,
                                     std::memory_order_relaxed)) {
      static_cast<void>(set.release());
      return;
    }
  }
}

absl::Status PrimitiveKernel::Run(const Buffers& buffers) const {
  try {
    std::unique_ptr<ArgumentSet> set = Acquire();
    for (size_t i = 0; i < arguments_.size(); ++i) {
      const std::byte* data = nullptr;
      switch (const int from = arguments_[i].from) {
        case Argument::kConstant:
          continue;
        case Argument::kDst:
          data = buffers.dst;
          break;
        case Argument::kScratch:
          data = buffers.scratch;
          break;
        default:
          data = buffers.srcs[static_cast<size_t>(from)];
      }
      dnnl::error::wrap_c_api(
          dnnl_memory_set_data_handle(set->memories[i].get(),
                                      const_cast<std::byte*>(data) + arguments_[i].offset),
          "could not set the memory of an argument");
    }
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive_.get(), ThreadStream().get(),
                               static_cast<int>(set->arguments.size()), set->arguments.data()),
        "could not execute a primitive");
    Release(std::move(set));
    return absl::OkStatus();
  } catch (const dnnl::error& error) {
    return FromDnnl(layer_, error);
  }
}

absl::Status FromDnnl(std::string_view layer, const dnnl::error& error) {
  const char* status = dnnl_status2str(error.status);
  if (error.status == dnnl_out_of_memory) {
    return ResourceExhausted("layer \"{}\": oneDNN: {}: {}", layer, error.message, status);
  }
  return Internal("layer \"{}\": oneDNN: {}: {}", layer, error.message, status);
}

}  // namespace lazynet::backend
