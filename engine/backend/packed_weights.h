#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "engine/core/buffer.h"

namespace lazynet::backend {

// What the key of a constant starts with that was computed for some input shapes only: it is kept
// while a kernel uses it, not as long as the parameters.
inline constexpr char kTransientKey = '~';

// Constants in the layouts that kernels asked for, each stored once and shared by all plans of one
// parameter set. Safe for use by many threads; kernels hold what they got, so that running a plan
// never comes here.
class PackedWeights {
 public:
  // The buffer stored under `key`; made by `pack` when it is not there yet. A failed pack stores
  // nothing and returns its error.
  absl::StatusOr<std::shared_ptr<const Buffer>> GetOrPack(
      const std::string& key, const std::function<absl::StatusOr<Buffer>()>& pack);

  // Bytes of all buffers stored.
  size_t bytes() const { return bytes_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<const Buffer> Counted(Buffer buffer) const;
  void DropUnused();

  std::mutex mutex_;  // guards the maps, and is held while packing: a key is packed once
  absl::flat_hash_map<std::string, std::shared_ptr<const Buffer>> kept_;
  absl::flat_hash_map<std::string, std::weak_ptr<const Buffer>> transient_;
  size_t drop_at_ = 64;  // transient entries, dead ones included, at which the dead are dropped

  // Buffers may outlive this.
  std::shared_ptr<std::atomic<size_t>> bytes_ = std::make_shared<std::atomic<size_t>>(0);
};

}  // namespace lazynet::backend
