#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "service/metrics/series.h"

namespace lazynet::metrics {

class Store;

// All metrics in Prometheus' text format, the process_* set included, made in pieces: the page of
// ten thousand networks is some two hundred megabytes, of which nobody should hold more than he is
// about to send. Shows the networks that were there at its making, with their values of the time
// when their piece is made.
class Page {
 public:
  // A piece is made in less than a millisecond.
  static constexpr size_t kPieceBytes = size_t{256} << 10;

  explicit Page(std::shared_ptr<const Store> store);

  // Appends whole lines to `out`: at least so many bytes, unless the page ends. False when it did.
  bool Next(std::string& out, size_t at_least = kPieceBytes);

 private:
  bool Step(std::string& out);

  const std::shared_ptr<const Store> store_;
  std::vector<std::shared_ptr<const NetworkSeries>> networks_;
  MethodTable methods_;
  // What comes next.
  bool begun_ = false;
  size_t family_ = 0;
  size_t network_ = 0;
};

}  // namespace lazynet::metrics
