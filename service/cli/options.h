#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/cli/input_spec.h"
#include "service/cli/shape_text.h"

namespace lazynet::cli {

enum class Command {
  kModels,
  kMetadata,
  kDescribe,
  kInfer,
  kHealth,
  kWait,
};

enum class Format { kTable, kJson, kNpy };

struct InferOptions {
  std::vector<InputSpec> inputs;
  // Which rows of the inputs to send; all when not given.
  std::optional<Rows> slice;
  // Asked for in the request; empty = all outputs.
  std::vector<std::string> outputs;
  // Sent with the request.
  std::string id;
  Format format = Format::kTable;
  // For npy: a file if it ends in .npy, else a folder.
  std::string destination;
  // Of a table: characters of a line, and rows; 0 rows = all of them.
  int width = 120;
  int rows = 100;
};

struct Options {
  Command command = Command::kModels;
  std::string server;
  // For the whole command; 0 = no limit.
  double timeout_seconds = 0;
  bool json = false;
  // Empty = none given.
  std::string model;
  std::string version;
  InferOptions infer;
};

}  // namespace lazynet::cli
