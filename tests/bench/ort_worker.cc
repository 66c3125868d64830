// ONNX Runtime's side of compare.sh: loads an ONNX file, then runs it as the lines of standard
// input say. README.md beside this file has the protocol, which the other engines' workers share.

#include <dlfcn.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/worker.h"

namespace lazynet::bench {
namespace {

[[noreturn]] void Fail(const std::string& text) {
  std::cerr << "ort_worker: " << text << std::endl;
  std::exit(1);
}

// The part of ONNX Runtime's C API that is needed, so that a library without its headers will do.
// The API is one table of function pointers, whose order never changes: later versions append.
// The numbers are the positions in `struct OrtApi` of its onnxruntime_c_api.h; all that are used
// here belong to version 1 of the table.
namespace ort {

struct Allocator;
struct Env;
struct Session;
struct SessionOptions;
struct Status;
struct TensorInfo;
struct Value;

constexpr uint32_t kTableVersion = 1;
constexpr int kLogErrors = 3;
constexpr int kSequential = 0;
constexpr int kAllOptimizations = 99;
constexpr int kFloat = 1;
constexpr int kInt64 = 7;

struct Base {
  void* const* (*table)(uint32_t version);
  const char* (*version)();
};

void* const* table = nullptr;

template <size_t kIndex, typename Signature>
struct Function;

template <size_t kIndex, typename Result, typename... Arguments>
struct Function<kIndex, Result(Arguments...)> {
  Result operator()(Arguments... arguments) const {
    return reinterpret_cast<Result (*)(Arguments...)>(table[kIndex])(arguments...);
  }
};

constexpr Function<2, const char*(const Status*)> kMessageOf;

// Most functions return a status, which is null when all is well.
template <size_t kIndex, typename... Arguments>
struct Function<kIndex, Status*(Arguments...)> {
  void operator()(Arguments... arguments) const {
    const Status* status = reinterpret_cast<Status* (*)(Arguments...)>(table[kIndex])(arguments...);
    if (status != nullptr) Fail(kMessageOf(status));
  }
};

constexpr Function<3, Status*(int severity, const char* name, Env**)> kCreateEnv;
constexpr Function<7, Status*(const Env*, const char* path, const SessionOptions*, Session**)>
    kCreateSession;
constexpr Function<9, Status*(Session*, const void* run_options, const char* const* input_names,
                              const Value* const* inputs, size_t, const char* const* output_names,
                              size_t, Value** outputs)>
    kRun;
constexpr Function<10, Status*(SessionOptions**)> kCreateSessionOptions;
constexpr Function<13, Status*(SessionOptions*, int mode)> kSetExecutionMode;
constexpr Function<23, Status*(SessionOptions*, int level)> kSetOptimizationLevel;
constexpr Function<24, Status*(SessionOptions*, int threads)> kSetIntraOpThreads;
constexpr Function<25, Status*(SessionOptions*, int threads)> kSetInterOpThreads;
constexpr Function<31, Status*(const Session*, size_t*)> kOutputCount;
constexpr Function<37, Status*(const Session*, size_t, Allocator*, char**)> kOutputName;
constexpr Function<48, Status*(Allocator*, const int64_t* dims, size_t rank, int type, Value**)>
    kCreateTensor;
constexpr Function<51, Status*(Value*, void**)> kDataOf;
constexpr Function<60, Status*(const TensorInfo*, int*)> kTypeOf;
constexpr Function<64, Status*(const TensorInfo*, size_t*)> kElementsOf;
constexpr Function<65, Status*(const Value*, TensorInfo**)> kInfoOf;
constexpr Function<78, Status*(Allocator**)> kDefaultAllocator;
constexpr Function<99, void(TensorInfo*)> kReleaseInfo;

// Returns the version of the library.
std::string Open(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) Fail(dlerror());
  const auto base = reinterpret_cast<const Base* (*)()>(dlsym(library, "OrtGetApiBase"));
  if (base == nullptr) Fail(path + " has no OrtGetApiBase");
  table = base()->table(kTableVersion);
  if (table == nullptr) Fail(path + " does not know version 1 of the API");
  return base()->version();
}

}  // namespace ort

struct Tensor {
  ort::Value* value;
  char* data;
  size_t bytes;
  int type;
};

Tensor TensorOf(ort::Value* value) {
  ort::TensorInfo* info = nullptr;
  ort::kInfoOf(value, &info);
  int type = 0;
  size_t elements = 0;
  ort::kTypeOf(info, &type);
  ort::kElementsOf(info, &elements);
  ort::kReleaseInfo(info);
  void* data = nullptr;
  ort::kDataOf(value, &data);
  const size_t bytes = elements * (type == ort::kInt64 ? sizeof(int64_t) : sizeof(float));
  return {value, static_cast<char*>(data), bytes, type};
}

struct Input {
  std::string name;
  Tensor tensor;
};

// The memory is ONNX Runtime's own, so that it is aligned as it likes it.
Input ReadInput(const std::string& text, ort::Allocator* allocator) {
  const auto input = ParseInputFile(text);
  if (!input) Fail("--input wants NAME=DTYPE:DIMS:FILE, got " + text);
  const auto& [name, dtype, dims, path] = *input;
  if (dtype != "FP32" && dtype != "INT64") Fail("--input: FP32 or INT64, not " + dtype);
  ort::Value* value = nullptr;
  ort::kCreateTensor(allocator, dims.data(), dims.size(),
                     dtype == "FP32" ? ort::kFloat : ort::kInt64, &value);
  const Tensor tensor = TensorOf(value);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(tensor.data, static_cast<std::streamsize>(tensor.bytes))) {
    Fail("--input " + text + ": the file has not all elements");
  }
  return {name, tensor};
}

class Runner {
 public:
  Runner(const ort::Env* env, ort::Allocator* allocator, const std::string& path, int threads,
         const std::vector<Input>& inputs) {
    ort::SessionOptions* options = nullptr;
    ort::kCreateSessionOptions(&options);
    ort::kSetOptimizationLevel(options, ort::kAllOptimizations);
    ort::kSetExecutionMode(options, ort::kSequential);
    ort::kSetIntraOpThreads(options, threads);
    ort::kSetInterOpThreads(options, 1);
    ort::kCreateSession(env, path.c_str(), options, &session_);
    for (const Input& input : inputs) {
      input_names_.push_back(input.name.c_str());
      inputs_.push_back(input.tensor.value);
    }
    size_t outputs = 0;
    ort::kOutputCount(session_, &outputs);
    outputs_.resize(outputs);
    for (size_t i = 0; i < outputs; ++i) {
      char* name = nullptr;
      ort::kOutputName(session_, i, allocator, &name);
      output_names_.push_back(name);
    }
  }

  // The first run makes the outputs; later ones find their tensors there and write into them.
  void Run() {
    ort::kRun(session_, nullptr, input_names_.data(), inputs_.data(), inputs_.size(),
              output_names_.data(), output_names_.size(), outputs_.data());
  }

  // Whole runs for at least so long, and at least three.
  Json WriteOutputs(const std::string& folder) const {
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const Tensor tensor = TensorOf(outputs_[i]);
      if (tensor.type != ort::kFloat) Fail(std::string(output_names_[i]) + " is not FP32");
      std::ofstream file(folder + "/" + std::to_string(i) + ".bin", std::ios::binary);
      if (!file.write(tensor.data, static_cast<std::streamsize>(tensor.bytes)).flush()) {
        Fail(folder + " cannot be written to");
      }
    }
    return Json::object();
  }

 private:
  ort::Session* session_ = nullptr;
  std::vector<const char*> input_names_, output_names_;
  std::vector<const ort::Value*> inputs_;
  std::vector<ort::Value*> outputs_;
};

Json Answer(Runner& runner, const std::string& line) {
  const size_t space = line.find(' ');
  const std::string command = line.substr(0, space);
  const std::string argument = space == std::string::npos ? "" : line.substr(space + 1);
  if (command == "run") return Measure([&] { runner.Run(); }, std::atoll(argument.c_str()));
  if (command == "outputs") return runner.WriteOutputs(argument);
  if (command == "memory") return MemoryReport();
  Fail("no command is called " + command);
}

void Serve(const std::string& library, const std::string& path, int threads,
           const std::vector<std::string>& specs) {
  const std::string version = ort::Open(library);
  ort::Env* env = nullptr;
  ort::Allocator* allocator = nullptr;
  ort::kCreateEnv(ort::kLogErrors, "bench", &env);
  ort::kDefaultAllocator(&allocator);
  std::vector<Input> inputs;
  for (const std::string& spec : specs) inputs.push_back(ReadInput(spec, allocator));

  const Clock::time_point start = Clock::now();
  Runner runner(env, allocator, path, threads, inputs);
  const int64_t load = NanosecondsSince(start);
  runner.Run();
  Json ready{{"engine", "ONNX Runtime"},
             {"version", version},
             {"load_ns", load},
             {"first_ns", NanosecondsSince(start) - load}};
  ready.update(MemoryReport());
  std::cout << ready << std::endl;
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    std::cout << Answer(runner, line) << std::endl;
  }
}

}  // namespace
}  // namespace lazynet::bench

int main(int argc, char** argv) {
  CLI::App app("ONNX Runtime's worker of compare.sh");
  std::string library = "libonnxruntime.so.1", path;
  int threads = 1;
  std::vector<std::string> inputs;
  app.add_option("model", path, "an ONNX file")->required();
  app.add_option("--library", library, "ONNX Runtime's shared library");
  app.add_option("--threads", threads, "that run one operator");
  app.add_option("--input", inputs, "NAME=DTYPE:DIMS:FILE")->required();
  CLI11_PARSE(app, argc, argv);
  lazynet::bench::Serve(library, path, threads, inputs);
  // The session's threads may still run: nothing of it is torn down.
  std::cout.flush();
  std::_Exit(0);
}
