#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "engine/core/buffer.h"

namespace lazynet::backend {

// Constants in the layouts that kernels asked for, each stored once and shared by all plans of one
// parameter set. Kernels hold what they got, so that running a plan never comes here; what no
// kernel holds any more is gone, and packed again when it is asked for. Safe for use by many
// threads, which may pack different keys at the same time.
class PackedWeights {
 public:
  // Told how many bytes more, or less, are held, by whatever thread made or dropped a buffer; as
  // buffers may outlive this, until the last one is gone.
  using Observer = std::function<void(int64_t bytes)>;

  // Asked, by the thread that packs, whether a buffer of so many bytes may be kept. What it returns
  // lives a little longer than the buffer.
  using Admission = std::function<absl::StatusOr<std::shared_ptr<const void>>(size_t bytes)>;

  explicit PackedWeights(Observer observer = nullptr, Admission admission = nullptr)
      : held_(std::make_shared<Held>(std::move(observer))), admission_(std::move(admission)) {}

  // The buffer stored under `key`; made by `pack` when it is not there. A failed pack, and one
  // that is not admitted, stores nothing and returns its error.
  absl::StatusOr<std::shared_ptr<const Buffer>> GetOrPack(
      const std::string& key, const std::function<absl::StatusOr<Buffer>()>& pack);

  // What is known about a constant, such as its largest element: kept, unlike the constant in its
  // layouts. A failure is not.
  absl::StatusOr<double> GetOrMeasure(const std::string& key,
                                      const std::function<absl::StatusOr<double>()>& measure);

  // Bytes of all buffers that are held.
  size_t bytes() const { return held_->bytes.load(std::memory_order_relaxed); }

 private:
  struct Slot {
    std::mutex mutex;  // held while packing: a key is packed once
    std::weak_ptr<const Buffer> buffer;
  };

  struct Held {
    explicit Held(Observer o) : observer(std::move(o)) {}
    void Add(const Buffer& buffer, int64_t sign);

    std::atomic<size_t> bytes = 0;
    const Observer observer;
  };

  std::shared_ptr<Slot> FindSlot(const std::string& key);
  std::shared_ptr<const Buffer> Counted(Buffer buffer, std::shared_ptr<const void> share) const;

  std::mutex mutex_;  // guards the maps, for moments only
  absl::flat_hash_map<std::string, std::shared_ptr<Slot>> slots_;
  size_t drop_at_ = 64;  // slots at which those without a buffer are dropped
  absl::flat_hash_map<std::string, double> measures_;

  const std::shared_ptr<Held> held_;
  const Admission admission_;
};

}  // namespace lazynet::backend
