#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace lazynet::scheduling {

// A queue for each of several keys, which have turns: each gives the oldest of its values. Not for
// use by several threads.
template <typename Key, typename Value>
class RoundRobin {
 public:
  void Push(const Key& key, Value value) {
    std::deque<Value>& line = lines_[key];
    if (line.empty()) turns_.push_back(key);
    line.push_back(std::move(value));
    ++size_;
  }

  // There must be one.
  Value Pop() {
    const Key key = std::move(turns_.front());
    turns_.pop_front();
    const auto found = lines_.find(key);
    Value value = std::move(found->second.front());
    found->second.pop_front();
    --size_;
    if (found->second.empty()) {
      lines_.erase(found);
    } else {
      turns_.push_back(key);
    }
    return value;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Of one key.
  size_t size(const Key& key) const {
    const auto found = lines_.find(key);
    return found == lines_.end() ? 0 : found->second.size();
  }

 private:
  absl::flat_hash_map<Key, std::deque<Value>> lines_;  // none is empty
  std::deque<Key> turns_;
  size_t size_ = 0;
};

}  // namespace lazynet::scheduling
