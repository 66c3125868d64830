#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/op.h"
#include "tests/support/run_op.h"

namespace lazynet::backend {

// One case of op_goldens.json or movement_goldens.json; see make_op_goldens.py and
// make_movement_goldens.py.
struct OpGolden {
  std::string name;  // "convolution/7"
  OpKind kind;
  std::vector<testing::OpInput> inputs;  // FP32
  Shape output_shape;
  std::vector<double> expected;
  bool exact = false;
};

// The cases of one op ("convolution"), in the files' order; all when `op` is empty. A file that
// is not as its script writes it ends the process.
std::vector<OpGolden> ReadOpGoldens(std::string_view op);

}  // namespace lazynet::backend
