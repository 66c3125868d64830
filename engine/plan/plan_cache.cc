#include "engine/plan/plan_cache.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/types/span.h"

namespace lazynet::plan {

size_t PlanCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

size_t PlanCache::size() const {
  const std::lock_guard lock(mutex_);
  return by_use_.size();
}

PlanCache::PlanPtr PlanCache::Remove(Entries::iterator entry, Why why) {
  Part& part = *entry->part;
  Part::Change change{.entries = -1, .bytes = part.BytesWithout(*entry->plan)};
  if (why == Why::kEvicted) change.age_at_eviction = Clock::now() - entry->inserted;
  part.entries_.erase(entry->key);
  PlanPtr plan = std::move(entry->plan);
  by_use_.erase(entry);
  part.Tell(change);
  return plan;
}

size_t PlanCache::KeyHash::operator()(const KeyView& key) const {
  return absl::HashOf(absl::MakeConstSpan(key.input_shapes.data(), key.input_shapes.size()),
                      key.threads);
}

bool PlanCache::KeyEqual::operator()(const KeyView& a, const KeyView& b) const {
  return a.threads == b.threads && std::ranges::equal(a.input_shapes, b.input_shapes);
}

std::optional<PlanCache::Entries::iterator> PlanCache::Part::Oldest(bool idle) const {
  std::optional<Entries::iterator> oldest;
  for (const auto& [key, entry] : entries_) {
    if (idle && entry->plan.use_count() > 1) continue;
    if (!oldest || entry->last_use < (*oldest)->last_use) oldest = entry;
  }
  return oldest;
}

int64_t PlanCache::Part::BytesWith(const Plan& plan) {
  size_t bytes = plan.own_bytes();
  for (const Plan::Part& part : plan.parts()) {
    if (programs_[part.program.get()]++ == 0) bytes += part.program->bytes();
  }
  return static_cast<int64_t>(bytes);
}

int64_t PlanCache::Part::BytesWithout(const Plan& plan) {
  size_t bytes = plan.own_bytes();
  for (const Plan::Part& part : plan.parts()) {
    const auto found = programs_.find(part.program.get());
    if (--found->second > 0) continue;
    programs_.erase(found);
    bytes += part.program->bytes();
  }
  return -static_cast<int64_t>(bytes);
}

void PlanCache::Part::Tell(const Change& change) {
  bytes_ += static_cast<size_t>(change.bytes);
  cache_.bytes_ += static_cast<size_t>(change.bytes);
  if (observer_ != nullptr) observer_(change);
}

PlanCache::Part::~Part() {
  std::vector<PlanPtr> gone;
  const std::lock_guard lock(cache_.mutex_);
  while (!entries_.empty()) {
    gone.push_back(cache_.Remove(entries_.begin()->second, Why::kReplaced));
  }
}

PlanCache::PlanPtr PlanCache::Part::Find(std::span<const Shape> input_shapes, int threads) {
  const std::lock_guard lock(cache_.mutex_);
  const auto found = entries_.find(KeyView(input_shapes, threads));
  if (found == entries_.end()) return nullptr;
  cache_.by_use_.splice(cache_.by_use_.begin(), cache_.by_use_, found->second);
  found->second->last_use = ++cache_.uses_;
  found->second->used = true;
  ++found->second->found;
  return found->second->plan;
}

void PlanCache::Part::Insert(PlanPtr plan) {
  Key key{plan->input_shapes(), plan->threads()};
  std::vector<PlanPtr> gone;
  const std::lock_guard lock(cache_.mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) {
    gone.push_back(cache_.Remove(found->second, Why::kReplaced));
  }
  if (entries_.size() >= capacity_) gone.push_back(cache_.Remove(*Oldest(false), Why::kEvicted));
  const int64_t bytes = BytesWith(*plan);
  cache_.by_use_.push_front({this, key, std::move(plan), Clock::now(), ++cache_.uses_});
  entries_[std::move(key)] = cache_.by_use_.begin();
  Tell({.entries = 1, .bytes = bytes});
  while (cache_.bytes_ > cache_.capacity_ && cache_.by_use_.size() > 1) {
    gone.push_back(cache_.Remove(std::prev(cache_.by_use_.end()), Why::kEvicted));
  }
}

size_t PlanCache::Part::EvictIdle() {
  PlanPtr gone;
  const std::lock_guard lock(cache_.mutex_);
  const auto oldest = Oldest(true);
  if (!oldest) return 0;
  gone = cache_.Remove(*oldest, Why::kEvicted);
  return 1;
}

size_t PlanCache::Part::EvictUnused() {
  std::vector<PlanPtr> gone;
  const std::lock_guard lock(cache_.mutex_);
  std::vector<Entries::iterator> unused;
  for (const auto& [key, entry] : entries_) {
    if (!std::exchange(entry->used, false) && entry->plan.use_count() == 1) unused.push_back(entry);
  }
  for (const Entries::iterator entry : unused) gone.push_back(cache_.Remove(entry, Why::kEvicted));
  return gone.size();
}

std::vector<std::pair<PlanCache::PlanPtr, uint64_t>> PlanCache::Part::TakeUses() {
  const std::lock_guard lock(cache_.mutex_);
  std::vector<std::pair<PlanPtr, uint64_t>> uses;
  for (const auto& [key, entry] : entries_) {
    uses.emplace_back(entry->plan, std::exchange(entry->found, 0));
  }
  return uses;
}

std::vector<PlanCache::PlanPtr> PlanCache::Part::plans() const {
  const std::lock_guard lock(cache_.mutex_);
  std::vector<Entries::iterator> by_use;
  for (const auto& [key, entry] : entries_) by_use.push_back(entry);
  std::ranges::sort(by_use, std::greater<>(), [](const auto& entry) { return entry->last_use; });
  std::vector<PlanPtr> plans;
  for (const Entries::iterator entry : by_use) plans.push_back(entry->plan);
  return plans;
}

size_t PlanCache::Part::size() const {
  const std::lock_guard lock(cache_.mutex_);
  return entries_.size();
}

size_t PlanCache::Part::bytes() const {
  const std::lock_guard lock(cache_.mutex_);
  return bytes_;
}

size_t PlanCache::Part::idle_bytes() const {
  const std::lock_guard lock(cache_.mutex_);
  size_t bytes = 0;
  absl::flat_hash_set<const Program*> others;  // that plans in use run, or that are counted
  for (const bool idle : {false, true}) {
    for (const auto& [key, entry] : entries_) {
      if ((entry->plan.use_count() == 1) != idle) continue;
      if (idle) bytes += entry->plan->own_bytes();
      for (const Plan::Part& part : entry->plan->parts()) {
        if (others.insert(part.program.get()).second && idle) bytes += part.program->bytes();
      }
    }
  }
  return bytes;
}

}  // namespace lazynet::plan
