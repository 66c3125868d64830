#include "service/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <ostream>

#include "engine/checkpoint/safetensors_index.h"
#include "service/cli/cli.h"
#include "service/cli/command_table.h"
#include "service/cli/credential_flags.h"
#include "service/version.h"

namespace lazynet::cli {
namespace {

// Where a command's server is when nobody says.
struct DefaultAddress {
  const char* variable;
  const char* address;
};

// A plan may have to be built and measured, which takes up to ten seconds.
constexpr int kPlanSeconds = 60;

constexpr DefaultAddress DefaultOf(Address address) {
  if (address == Address::kAdmin) return {"LAZYNET_ADMIN_SERVER", "127.0.0.1:8003"};
  if (address == Address::kMetrics) return {"LAZYNET_METRICS_SERVER", "127.0.0.1:8002"};
  return {"LAZYNET_SERVER", "127.0.0.1:8001"};
}

std::string DefaultServer(Address address) {
  const DefaultAddress standard = DefaultOf(address);
  const char* value = std::getenv(standard.variable);
  return value != nullptr && *value != '\0' ? value : standard.address;
}

std::string CheckSeconds(std::string& text) {
  double seconds = -1;
  constexpr double kMost = 1e9;
  if (CLI::detail::lexical_cast(text, seconds) && seconds >= 0 && seconds <= kMost) return "";
  return "wants seconds from 0 to 1e9, got \"" + text + "\"";
}

absl::Status CheckFileToWrite(const std::string& file) {
  if (file.ends_with(".safetensors")) return absl::OkStatus();
  return InvalidArgument("wants FILE.safetensors, got \"{}\"", file);
}

// Files to read may also be shards with their index.
absl::Status CheckFileToRead(const std::string& file) {
  if (file.ends_with(checkpoint::kIndexSuffix)) return absl::OkStatus();
  return CheckFileToWrite(file);
}

// Fills the rest of a source from its text.
absl::Status ParseSource(StateDictSource& source) {
  constexpr std::string_view kPrefix = "model:";
  if (!source.text.starts_with(kPrefix)) {
    source.file = source.text;
    return CheckFileToRead(source.file);
  }
  const std::string name = source.text.substr(kPrefix.size());
  const size_t slash = name.find('/');
  source.model = name.substr(0, slash);
  if (slash != std::string::npos) source.version = name.substr(slash + 1);
  if (!source.model.empty()) return absl::OkStatus();
  return InvalidArgument("wants model:NAME[/VERSION], got \"{}\"", source.text);
}

class Flags {
 public:
  Flags() {
    app_.set_version_flag("--version", std::string("lazynet ") + kVersion);
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.require_subcommand(1);
    app_.footer(kFooter);
    app_.get_formatter()->column_width(30);
    app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
    for (const CommandEntry& entry : Commands()) Add(entry);
  }

  CLI::App& app() { return app_; }

  absl::StatusOr<Options> Finish() {
    const CLI::App* chosen = &app_;
    while (!chosen->get_subcommands().empty()) chosen = chosen->get_subcommands().front();
    const CommandEntry& entry = *entries_.at(chosen);
    options_.command = entry.command;
    if (entry.address != Address::kNone) RETURN_IF_ERROR(FinishServer(entry, *chosen));
    for (const std::string& text : shapes_) {
      ASSIGN_OR_RETURN(NamedShape shape, ParseNamedShape(text));
      options_.shapes.push_back(std::move(shape));
    }
    RETURN_IF_ERROR(FinishOwn());
    return options_;
  }

 private:
  // The command, with what every command has.
  void Add(const CommandEntry& entry) {
    CLI::App* sub = Parent(entry.group)->add_subcommand(entry.name, entry.description);
    sub->footer(entry.footer);
    sub->group("Commands");
    entries_[sub] = &entry;
    sub->add_flag("--json", options_.json, "Print JSON to stdout");
    if (entry.address != Address::kNone) AddServer(entry, sub);
    AddOwn(entry.command, sub);
  }

  void AddServer(const CommandEntry& entry, CLI::App* sub) {
    const DefaultAddress standard = DefaultOf(entry.address);
    sub->add_option("--server", options_.server,
                    fmt::format("Where the server is (env {})", standard.variable))
        ->option_text(fmt::format("HOST:PORT [{}]", standard.address));
    sub->add_option("--timeout", options_.timeout_seconds,
                    entry.command == Command::kTop ? "For each look; 0 waits without end"
                    : entry.command == Command::kBench
                        ? "For the calls beside the load; 0 waits "
                          "without end"
                        : "For the whole command; 0 waits without end")
        ->transform(CLI::Validator(CheckSeconds, ""))
        ->option_text(fmt::format("SECONDS [{}]", entry.timeout_seconds));
    if (entry.address != Address::kMetrics) credential_flags_.Add(*sub);  // plain HTTP
  }

  // The application that the commands of a group belong to.
  CLI::App* Parent(const char* group) {
    if (group == nullptr) return &app_;
    CLI::App*& parent = groups_[group];
    if (parent == nullptr) {
      parent = app_.add_subcommand(group, GroupDescription(group));
      parent->require_subcommand(1);
      parent->group("Commands");
      parent->footer(fmt::format("lazynet {} COMMAND --help says more about a command.", group));
    }
    return parent;
  }

  void AddOwn(Command command, CLI::App* sub) {
    switch (command) {
      case Command::kModels:
        return;
      case Command::kMetadata:
        AddModel(sub);
        return;
      case Command::kDescribe:
        AddModel(sub);
        return AddDescribe(sub);
      case Command::kInfer:
        AddModel(sub);
        AddInputs(sub);
        return AddInfer(sub);
      case Command::kBench:
        AddModel(sub)->required(false);
        AddInputs(sub)->required(false);
        return AddBench(sub);
      case Command::kTop:
        sub->add_option("--interval", options_.top.interval_seconds, "Between two frames")
            ->check(CLI::Range(0.01, 86'400.0))
            ->option_text("SECONDS [2]");
        sub->add_flag("--once", options_.top.once, "Print one frame and exit");
        return;
      case Command::kHealth:
      case Command::kWait:
        sub->add_option("model", options_.model, "Name of the model")->option_text("(optional)");
        return;
      case Command::kWatch:
        sub->add_option("model", options_.models, "Names of models; all if none is given")
            ->option_text("(any number)");
        sub->add_option("--count", options_.count, "End after so many events")
            ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}))
            ->option_text("NUMBER");
        return;
      case Command::kCheck:
        AddFile(sub, "The definition")->option_text("FILE.textproto|FILE.json");
        AddShapes(sub);
        return;
      case Command::kMaterialize:
        AddModel(sub);
        AddShapes(sub)->required();
        return AddValidateOnly(sub);
      case Command::kReset:
      case Command::kUnregister:
        AddModel(sub);
        return;
      case Command::kRegister:
        AddModel(sub);
        AddFile(sub, "The definition")->option_text("FILE.textproto|FILE.json");
        sub->add_option("--serving", options_.serving_file, "How to serve it: serving.textproto")
            ->option_text("FILE");
        return;
      case Command::kSaveStateDict:
        AddModel(sub);
        AddFile(sub, "The file to write")->option_text("FILE.safetensors");
        return;
      case Command::kLoadStateDict:
        AddModel(sub);
        AddFile(sub, "The file to send")->option_text("FILE.safetensors");
        return AddLoading(sub);
      case Command::kDiffStateDicts:
        sub->add_option("a", options_.a.text, "One side")->required()->option_text("");
        sub->add_option("b", options_.b.text, "The other side")->required()->option_text("");
        return;
      case Command::kSaveCheckpoint:
        AddModel(sub);
        AddCheckpoint(sub);
        sub->add_flag("--overwrite", options_.overwrite, "Replace what has the name");
        return;
      case Command::kLoadCheckpoint:
        AddModel(sub);
        AddCheckpoint(sub);
        return AddLoading(sub);
    }
  }

  CLI::Option* AddModel(CLI::App* sub) {
    CLI::Option* model =
        sub->add_option("model", options_.model, "Name of the model")->required()->option_text("");
    sub->add_option("--version", options_.version,
                    "Version of the model; the server chooses if none")
        ->option_text("NUMBER");
    return model;
  }

  CLI::Option* AddFile(CLI::App* sub, const char* description) {
    return sub->add_option("file", options_.file, description)->required();
  }

  CLI::Option* AddShapes(CLI::App* sub) {
    return Repeated(sub, "--shape", shapes_, "An input's shape; once for each")
        ->option_text("[NAME=]1,3,224,224");
  }

  void AddDescribe(CLI::App* sub) {
    sub->add_flag("--plan", options_.plan, "Show what a run does, kernel by kernel");
    AddShapes(sub)->description("With --plan, for these input shapes; once for each input");
    sub->add_option("--profile", options_.profile_runs,
                    "With --plan, measure each step in so many runs (on the admin address)")
        ->check(CLI::Range(1, 1000))
        ->option_text("RUNS");
    sub->add_option("--format", format_, "How to give the plan")
        ->check(CLI::IsMember({"text", "json", "dot", "svg"}))
        ->option_text("text|json|dot|svg [text]");
  }

  void AddCheckpoint(CLI::App* sub) {
    sub->add_option("name", options_.checkpoint, "Name of the checkpoint")
        ->required()
        ->option_text("");
  }

  void AddValidateOnly(CLI::App* sub) {
    sub->add_flag("--validate-only", options_.validate_only,
                  "Say what would happen and what is wrong");
  }

  void AddLoading(CLI::App* sub) {
    sub->add_flag("!--no-strict", options_.strict, "Keys may be missing or unexpected");
    AddValidateOnly(sub);
  }

  CLI::Option* AddInputs(CLI::App* sub) {
    CLI::Option* input = Repeated(sub, "-i,--input", inputs_, "An input (see below); once for each")
                             ->required()
                             ->option_text("[NAME=]SPEC");
    Repeated(sub, "--output", options_.infer.outputs, "An output to ask for; all if none is named")
        ->option_text("NAME");
    sub->add_option("--slice", slice_, "Send only these rows of each input's outermost axis")
        ->option_text("BEGIN:END");
    return input;
  }

  void AddBench(CLI::App* sub) {
    BenchOptions& bench = options_.bench;
    sub->add_option(
           "--concurrency", bench.concurrency,
           "Clients that each wait for their answer, on one connection; several numbers are "
           "measured in turn")
        ->delimiter(',')
        ->check(CLI::Range(1, 4096))
        ->option_text("NUMBER,... [1]");
    sub->add_option("--rate", bench.rates, "Requests a second that come in any case (Poisson)")
        ->delimiter(',')
        ->check(CLI::Range(0.001, 1e7))
        ->option_text("NUMBER,...");
    sub->add_option("--window", bench.window_seconds, "How long to measure at a time")
        ->check(CLI::Range(0.01, 3600.0))
        ->option_text("SECONDS [1]");
    sub->add_option("--windows", bench.most_windows, "End after so many that do not agree")
        ->check(CLI::Range(1, 100'000))
        ->option_text("NUMBER [10]");
    sub->add_option("--seed", bench.seed, "Of the random times of --rate, and of --mix")
        ->option_text("NUMBER");
    sub->add_option("--mix", bench.mix_file, "Kinds of requests, instead of MODEL and --input")
        ->option_text("FILE");
    sub->add_option("--format", format_, "How to give the report")
        ->check(CLI::IsMember({"text", "json", "markdown"}))
        ->option_text("text|json|markdown [text]");
    sub->add_option("--plot", bench.plot_file,
                    "Write a picture of the latencies: by percentile, and over time")
        ->option_text("FILE.svg");
  }

  void AddInfer(CLI::App* sub) {
    sub->add_option("--id", options_.infer.id, "Id of the request, which the answer carries")
        ->option_text("TEXT");
    sub->add_flag("--timing", options_.infer.timing,
                  "Also print what the server spent on it, and whether it was cold");
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

  // One value each time, so that what follows is not taken for another.
  CLI::Option* Repeated(CLI::App* sub, const char* flags, std::vector<std::string>& values,
                        const char* description) {
    return sub->add_option(flags, values, description)->allow_extra_args(false);
  }

  absl::Status FinishServer(const CommandEntry& entry, const CLI::App& chosen) {
    if (chosen.get_option("--timeout")->count() == 0) {
      options_.timeout_seconds = options_.plan ? kPlanSeconds : entry.timeout_seconds;
    }
    Address address = entry.address;
    // Every server says what would be created.
    if (entry.command == Command::kMaterialize && options_.validate_only) {
      address = Address::kServer;
    }
    if (options_.profile_runs > 0) address = Address::kAdmin;
    if (chosen.get_option("--server")->count() == 0) options_.server = DefaultServer(address);
    if (address == Address::kMetrics) return absl::OkStatus();
    ASSIGN_OR_RETURN(options_.credentials,
                     credential_flags_.Read(chosen, address == Address::kAdmin));
    return absl::OkStatus();
  }

  absl::Status FinishOwn() {
    switch (options_.command) {
      case Command::kDescribe:
        return FinishDescribe();
      case Command::kInfer:
        return FinishInfer();
      case Command::kBench:
        return FinishBench();
      case Command::kSaveStateDict:
        return CheckFileToWrite(options_.file);
      case Command::kLoadStateDict:
        return CheckFileToRead(options_.file);
      case Command::kDiffStateDicts:
        RETURN_IF_ERROR(ParseSource(options_.a));
        return ParseSource(options_.b);
      default:
        return absl::OkStatus();
    }
  }

  absl::Status FinishDescribe() {
    const char* alone = !shapes_.empty()            ? "--shape"
                        : options_.profile_runs > 0 ? "--profile"
                        : !format_.empty()          ? "--format"
                                                    : nullptr;
    if (!options_.plan && alone != nullptr) return InvalidArgument("{} wants --plan", alone);
    if (options_.json && !format_.empty() && format_ != "json") {
      return InvalidArgument("--json wants --format json, got {}", format_);
    }
    options_.plan_format = options_.json || format_ == "json" ? PlanFormat::kJson
                           : format_ == "dot"                 ? PlanFormat::kDot
                           : format_ == "svg"                 ? PlanFormat::kSvg
                                                              : PlanFormat::kText;
    return absl::OkStatus();
  }

  absl::Status FinishInputs() {
    InferOptions& infer = options_.infer;
    for (const std::string& input : inputs_) {
      ASSIGN_OR_RETURN(InputSpec spec, ParseInputSpec(input));
      infer.inputs.push_back(std::move(spec));
    }
    if (!slice_.empty()) {
      ASSIGN_OR_RETURN(infer.slice, ParseRows(slice_));
    }
    return absl::OkStatus();
  }

  absl::Status FinishBench() {
    BenchOptions& bench = options_.bench;
    if (options_.json && !format_.empty() && format_ != "json") {
      return InvalidArgument("--json wants --format json, got {}", format_);
    }
    bench.format = options_.json || format_ == "json" ? BenchFormat::kJson
                   : format_ == "markdown"            ? BenchFormat::kMarkdown
                                                      : BenchFormat::kText;
    const bool one = !options_.model.empty() || !inputs_.empty();
    if (one == !bench.mix_file.empty()) {
      return InvalidArgument("wants MODEL and --input, or --mix FILE");
    }
    if (one && (options_.model.empty() || inputs_.empty())) {
      return InvalidArgument("{} is required", options_.model.empty() ? "model" : "--input");
    }
    if (!one && (!slice_.empty() || !options_.version.empty() || !options_.infer.outputs.empty())) {
      return InvalidArgument("--mix has versions and inputs of its own, and all outputs");
    }
    return FinishInputs();
  }

  absl::Status FinishInfer() {
    RETURN_IF_ERROR(FinishInputs());
    InferOptions& infer = options_.infer;
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
  CredentialFlags credential_flags_;
  std::map<const CLI::App*, const CommandEntry*> entries_;
  std::map<std::string_view, CLI::App*> groups_;
  std::vector<std::string> inputs_;
  std::vector<std::string> shapes_;
  std::string slice_;
  std::string format_;
};

// The words that should be a command's name and are not. Empty = they are.
std::string UnknownCommand(const std::vector<std::string>& args) {
  if (args.empty() || args[0].starts_with('-')) return "";
  bool group = false;
  for (const CommandEntry& entry : Commands()) {
    if (entry.group == nullptr && args[0] == entry.name) return "";
    if (entry.group == nullptr || args[0] != entry.group) continue;
    group = true;
    if (args.size() == 1 || args[1].starts_with('-') || args[1] == entry.name) return "";
  }
  return group ? args[0] + " " + args[1] : args[0];
}

}  // namespace

ParsedCommandLine ParseCommandLine(const std::vector<std::string>& args, std::ostream& out,
                                   std::ostream& err) {
  // The library would only say that a command is required.
  if (const std::string unknown = UnknownCommand(args); !unknown.empty()) {
    err << "lazynet: no command is called \"" << unknown << "\" (lazynet --help lists them)\n";
    return {kUsage, {}};
  }
  Flags flags;
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
