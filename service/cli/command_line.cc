#include "service/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <ostream>

#include "service/cli/cli.h"
#include "service/version.h"

namespace lazynet::cli {
namespace {

constexpr const char* kServerVariable = "LAZYNET_SERVER";
constexpr const char* kDefaultServer = "127.0.0.1:8001";

constexpr const char* kFooter =
    "Exit status: 0 done, 1 the server said no or is not healthy, 2 wrong arguments or a file "
    "that\n"
    "cannot be used, 3 no server reached.\n"
    "\n"
    "Examples:\n"
    "  lazynet wait && lazynet models\n"
    "  lazynet infer lazy_mlp --input random:2x64\n"
    "  lazynet describe lazy_mlp\n"
    "\n"
    "lazynet COMMAND --help says more about a command.";

constexpr const char* kModelsFooter =
    "Examples:\n"
    "  lazynet models\n"
    "  lazynet models --json | jq -r '.models[] | select(.state == \"READY\") | .name'";

constexpr const char* kMetadataFooter =
    "Examples:\n"
    "  lazynet metadata mnist\n"
    "  lazynet metadata mnist --json | jq '.inputs[0].shape'";

constexpr const char* kDescribeFooter =
    "Never fixes any size: only inputs do, and `lazynet infer` sends some.\n"
    "\n"
    "Examples:\n"
    "  lazynet describe lazy_mlp\n"
    "  lazynet describe lazy_mlp --json | jq .unknown_parameters";

constexpr const char* kInferFooter =
    "SPEC, the source of an input's elements:\n"
    "  FILE.npy                    an array of NumPy's\n"
    "  FILE.safetensors[:TENSOR]   one tensor of a file; the one called as the input, if not said\n"
    "  raw:FILE:SHAPE              dense little-endian elements of the type that the model takes\n"
    "  zeros:SHAPE, ones:SHAPE\n"
    "  random:SHAPE[:SEED]         uniform in [0, 1); the same for the same seed (default 0)\n"
    "SHAPE is sizes joined by x, such as 2x3, or the word scalar. A SPEC with = in it wants "
    "NAME=.\n"
    "\n"
    "Examples:\n"
    "  lazynet infer lazy_mlp --input random:2x64\n"
    "  lazynet infer mnist --input digits.safetensors --slice 0:8\n"
    "  lazynet infer encoder --input ids=ids.npy --input mask=ones:1x128 --output pooled -o out/\n"
    "  lazynet infer mnist --input raw:digit.f32:1x1x28x28 --json | jq '.outputs[0].data'";

constexpr const char* kHealthFooter =
    "Exit status: 0 if the answer is SERVING, 2 for wrong arguments, else 1, also when no server "
    "is\n"
    "reached.\n"
    "\n"
    "Examples:\n"
    "  lazynet health\n"
    "  lazynet health mnist --server inference:8001 --timeout 1";

constexpr const char* kWaitFooter =
    "Exit status: 0 as soon as the answer is SERVING; when the time is up 3 if no server was\n"
    "reached, else 1.\n"
    "\n"
    "Examples:\n"
    "  lazynet-server --model-repository models & lazynet wait\n"
    "  lazynet wait mnist --timeout 300";

std::string DefaultServer() {
  const char* value = std::getenv(kServerVariable);
  return value != nullptr && *value != '\0' ? value : kDefaultServer;
}

std::string CheckSeconds(std::string& text) {
  double seconds = -1;
  constexpr double kMost = 1e9;
  if (CLI::detail::lexical_cast(text, seconds) && seconds >= 0 && seconds <= kMost) return "";
  return "wants seconds from 0 to 1e9, got \"" + text + "\"";
}

class Flags {
 public:
  Flags() {
    options_.server = DefaultServer();
    app_.set_version_flag("--version", std::string("lazynet ") + kVersion);
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.require_subcommand(1);
    app_.footer(kFooter);
    app_.get_formatter()->column_width(30);
    app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
    AddModels();
    AddMetadata();
    AddDescribe();
    AddInfer();
    AddHealth();
    AddWait();
  }

  CLI::App& app() { return app_; }

  bool IsCommand(const std::string& name) const {
    return std::any_of(commands_.begin(), commands_.end(),
                       [&](const auto& known) { return known.first->get_name() == name; });
  }

  absl::StatusOr<Options> Finish() {
    const CLI::App* chosen = app_.get_subcommands().front();
    const Known& known = commands_.at(chosen);
    options_.command = known.command;
    if (chosen->get_option("--timeout")->count() == 0) options_.timeout_seconds = known.timeout;
    if (known.command == Command::kInfer) RETURN_IF_ERROR(FinishInfer());
    return options_;
  }

 private:
  struct Known {
    Command command;
    double timeout;
  };

  // What every command has.
  CLI::App* Add(Command command, const char* name, const char* description, const char* footer,
                double timeout) {
    CLI::App* sub = app_.add_subcommand(name, description);
    sub->footer(footer);
    sub->group("Commands");
    commands_[sub] = {command, timeout};
    sub->add_option("--server", options_.server, "Where the server is (env LAZYNET_SERVER)")
        ->option_text(std::string("HOST:PORT [") + kDefaultServer + "]");
    sub->add_option("--timeout", options_.timeout_seconds,
                    "For the whole command; 0 waits without end")
        ->transform(CLI::Validator(CheckSeconds, ""))
        ->option_text("SECONDS [" + CLI::detail::to_string(static_cast<int>(timeout)) + "]");
    sub->add_flag("--json", options_.json, "Print JSON to stdout");
    return sub;
  }

  void AddModel(CLI::App* sub, bool required) {
    sub->add_option("model", options_.model, "Name of the model")
        ->required(required)
        ->option_text(required ? "" : "(optional)");
  }
  void AddVersion(CLI::App* sub) {
    sub->add_option("--version", options_.version,
                    "Version of the model; the server chooses if none")
        ->option_text("NUMBER");
  }

  void AddModels() {
    Add(Command::kModels, "models", "List the models of the server's repository", kModelsFooter,
        10);
  }
  void AddMetadata() {
    CLI::App* sub = Add(Command::kMetadata, "metadata", "Print what a model takes and gives",
                        kMetadataFooter, 10);
    AddModel(sub, true);
    AddVersion(sub);
  }
  void AddDescribe() {
    CLI::App* sub =
        Add(Command::kDescribe, "describe",
            "Look into a network: layers, parameters, what is not known yet", kDescribeFooter, 10);
    AddModel(sub, true);
    AddVersion(sub);
  }
  void AddInfer() {
    CLI::App* sub = Add(Command::kInfer, "infer", "Send inputs to a model and print its outputs",
                        kInferFooter, 60);
    AddModel(sub, true);
    AddVersion(sub);
    Repeated(sub, "-i,--input", inputs_, "An input (see below); once for each")
        ->required()
        ->option_text("[NAME=]SPEC");
    Repeated(sub, "--output", options_.infer.outputs, "An output to ask for; all if none is named")
        ->option_text("NAME");
    sub->add_option("--slice", slice_, "Send only these rows of each input's outermost axis")
        ->option_text("BEGIN:END");
    sub->add_option("--id", options_.infer.id, "Id of the request, which the answer carries")
        ->option_text("TEXT");
    sub->add_option("--format", format_, "How to give the outputs")
        ->check(CLI::IsMember({"table", "json", "npy"}))
        ->option_text("table|json|npy [table]");
    sub->add_option("-o", options_.infer.destination,
                    "Write outputs as .npy to FILE.npy, or to FOLDER/OUTPUT.npy")
        ->option_text("FILE.npy|FOLDER");
    sub->add_option("--width", options_.infer.width, "Characters of a table's line")
        ->check(CLI::Range(20, 1'000'000))
        ->option_text("NUMBER [120]");
    sub->add_option("--rows", options_.infer.rows, "Rows of a table; 0 prints all")
        ->check(CLI::Range(0, 1'000'000'000))
        ->option_text("NUMBER [100]");
  }
  void AddHealth() {
    AddModel(Add(Command::kHealth, "health", "Ask whether the server, or a model, is healthy",
                 kHealthFooter, 2),
             false);
  }
  void AddWait() {
    AddModel(Add(Command::kWait, "wait", "Wait until the server, or a model, is healthy",
                 kWaitFooter, 60),
             false);
  }

  // One value each time, so that what follows is not taken for another.
  CLI::Option* Repeated(CLI::App* sub, const char* flags, std::vector<std::string>& values,
                        const char* description) {
    return sub->add_option(flags, values, description)->allow_extra_args(false);
  }

  absl::Status FinishInfer() {
    InferOptions& infer = options_.infer;
    for (const std::string& input : inputs_) {
      ASSIGN_OR_RETURN(InputSpec spec, ParseInputSpec(input));
      infer.inputs.push_back(std::move(spec));
    }
    if (!slice_.empty()) {
      ASSIGN_OR_RETURN(infer.slice, ParseRows(slice_));
    }
    if (format_.empty()) format_ = infer.destination.empty() ? "table" : "npy";
    infer.format = format_ == "json"  ? Format::kJson
                   : format_ == "npy" ? Format::kNpy
                                      : Format::kTable;
    const bool npy = infer.format == Format::kNpy;
    if (npy && infer.destination.empty()) {
      return InvalidArgument("--format npy wants -o FILE.npy or -o FOLDER");
    }
    if (!npy && !infer.destination.empty()) {
      return InvalidArgument("-o wants --format npy, got {}", format_);
    }
    return absl::OkStatus();
  }

  CLI::App app_{"Client of an inference server for lazy networks.", "lazynet"};
  Options options_;
  std::map<const CLI::App*, Known> commands_;
  std::vector<std::string> inputs_;
  std::string slice_;
  std::string format_;
};

}  // namespace

ParsedCommandLine ParseCommandLine(const std::vector<std::string>& args, std::ostream& out,
                                   std::ostream& err) {
  Flags flags;
  // The library would only say that a command is required.
  if (!args.empty() && !args[0].starts_with('-') && !flags.IsCommand(args[0])) {
    err << "lazynet: no command is called \"" << args[0] << "\" (lazynet --help lists them)\n";
    return {kUsage, {}};
  }
  try {
    flags.app().parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::ParseError& error) {
    return {flags.app().exit(error, out, err) == 0 ? kDone : kUsage, {}};
  }
  absl::StatusOr<Options> options = flags.Finish();
  if (options.ok()) return {std::nullopt, *std::move(options)};
  err << "lazynet: " << Message(options.status()) << '\n';
  return {kUsage, {}};
}

}  // namespace lazynet::cli
