#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/cli/credentials.h"
#include "service/cli/input_spec.h"
#include "service/cli/shape_text.h"

namespace lazynet::cli {

enum class Command {
  kModels,
  kMetadata,
  kDescribe,
  kInfer,
  kBench,
  kTop,
  kHealth,
  kWait,
  kMaterialize,
  kReset,
  kRegister,
  kUnregister,
  kSaveCheckpoint,
  kLoadCheckpoint,
  kWatch,
  kCheck,
  kSaveStateDict,
  kLoadStateDict,
  kDiffStateDicts,
};

enum class Format { kTable, kJson, kNpy };

enum class BenchFormat { kText, kJson, kMarkdown };

enum class PlanFormat { kText, kJson, kDot, kSvg };

struct InferOptions {
  std::vector<InputSpec> inputs;
  // Which rows of the inputs to send; all when not given.
  std::optional<Rows> slice;
  // Asked for in the request; empty = all outputs.
  std::vector<std::string> outputs;
  // Sent with the request.
  std::string id;
  // Ask what the server spent on it.
  bool timing = false;
  Format format = Format::kTable;
  // For npy: a file if it ends in .npy, else a folder.
  std::string destination;
  // Of a table: characters of a line, and rows; 0 rows = all of them.
  int width = 120;
  int rows = 100;
};

struct BenchOptions {
  // Each is a measurement of its own.
  std::vector<int> concurrency;
  std::vector<double> rates;  // requests a second
  double window_seconds = 1;
  int most_windows = 10;
  uint64_t seed = 0;
  // Kinds of requests, instead of one model and its inputs; empty = none.
  std::string mix_file;
  BenchFormat format = BenchFormat::kText;
  // An SVG to write; empty = none.
  std::string plot_file;
};

struct TopOptions {
  double interval_seconds = 2;
  bool once = false;
};

// Where a state dict comes from.
struct StateDictSource {
  // As it was given.
  std::string text;
  // A file, or a model and its version.
  std::string file;
  std::string model;
  std::string version;
};

struct Options {
  Command command = Command::kModels;
  std::string server;
  Credentials credentials;
  // For the whole command; 0 = no limit.
  double timeout_seconds = 0;
  bool json = false;
  // Empty = none given.
  std::string model;
  std::string version;
  InferOptions infer;
  BenchOptions bench;
  TopOptions top;
  // Of `watch`, instead of one model; empty = all.
  std::vector<std::string> models;
  // Of `watch`: events to wait for; 0 = without end.
  int64_t count = 0;
  // Of `describe`: the plan instead of the network, its form, and how often to run it to measure
  // it; 0 = not at all.
  bool plan = false;
  PlanFormat plan_format = PlanFormat::kText;
  uint32_t profile_runs = 0;
  // For inputs, of `materialize`, `check` and `describe`.
  std::vector<NamedShape> shapes;
  // Say what would happen, and change nothing.
  bool validate_only = false;
  // Keys that are missing or unexpected are errors.
  bool strict = true;
  // The state dict to save or load, or the definition to check or register, and how it is served;
  // no file = the defaults.
  std::string file;
  std::string serving_file;
  // The state dicts to compare.
  StateDictSource a;
  StateDictSource b;
  // What a checkpoint is called at the server, and whether it may replace another.
  std::string checkpoint;
  bool overwrite = false;
};

}  // namespace lazynet::cli
