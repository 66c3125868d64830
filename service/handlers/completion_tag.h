#pragma once

namespace lazynet::handlers {

// What the poller calls when an asynchronous operation on the completion queue has ended.
class CompletionTag {
 public:
  virtual ~CompletionTag() = default;
  virtual void Proceed(bool ok) = 0;
};

}  // namespace lazynet::handlers
