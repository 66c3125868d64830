#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/reference/reference_backend.h"

namespace lazynet::backend {

// A test (as gtest names it, without the backend) or a golden case ("eltwise/12") that a backend is
// excused from, and why.
struct KnownDifference {
  std::string test;
  std::string reason;
};

struct BackendCase {
  std::string name;
  std::function<std::unique_ptr<Backend>()> make;
  std::vector<KnownDifference> known_differences = {};
};

inline std::ostream& operator<<(std::ostream& out, const BackendCase& backend) {
  return out << backend.name;
}

// The goldens are PyTorch's FP64 results.
inline constexpr const char* kHardswishOverflows =
    "multiplies before it divides, as PyTorch's FP32 does: 3e38 * 6 is inf";

// The backends that every test of an op runs on: a new backend is one line here.
inline std::vector<BackendCase> Backends() {
  return {
      {"reference", MakeReferenceBackend},
      {"onednn",
       [] { return MakeOnednnBackend(MakeReferenceBackend()); },
       {{"eltwise/42", kHardswishOverflows}, {"eltwise/43", kHardswishOverflows}}},
  };
}

}  // namespace lazynet::backend
