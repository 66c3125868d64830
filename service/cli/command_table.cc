#include "service/cli/command_table.h"

#include "engine/core/check.h"

namespace lazynet::cli {
namespace {

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
    "With --plan: what a run does for some input shapes, step by step, with layer, op and what is\n"
    "fused to it, kernel, operands, layouts, bytes and FLOPs; of one group of items where a batch\n"
    "is split. Without --shape it is the plan that was used last. A plan that is not cached is "
    "built\n"
    "and dropped; a network that is not bound shows its ops, without kernels. --profile runs the\n"
    "plan on random floats, and 0 for other datatypes, and adds the median time of each step.\n"
    "\n"
    "Examples:\n"
    "  lazynet describe lazy_mlp\n"
    "  lazynet describe lazy_mlp --json | jq .unknown_parameters\n"
    "  lazynet describe mnist --plan --shape 8,1,28,28 --profile 100\n"
    "  lazynet describe mnist --plan --format svg > plan.svg\n"
    "  lazynet describe mnist --plan --format dot | dot -Tpdf > plan.pdf";

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

constexpr const char* kBenchFooter =
    "One thread sends the same request again and again, and measures in windows until three in a\n"
    "row agree: rates and median latencies within a tenth of their mean. Those are reported; "
    "others\n"
    "are \"not stable\". With --rate a latency is from when the request was due, not from when "
    "it\n"
    "could be sent. Queue, input, infer and output are the server's means, from ModelStatistics.\n"
    "SPEC is as for `lazynet infer`. --timeout is for the calls beside the load.\n"
    "\n"
    "Before all load each kind of request is sent twice: the first answer may be cold, that is, "
    "wait\n"
    "for parameters or a plan; the server says whether it did. --mix names a file of kinds, a "
    "line\n"
    "WEIGHT MODEL[/VERSION] [NAME=]SPEC... each, that are sent at random by their weights.\n"
    "\n"
    "Exit status: 1 if a request failed; else as for all commands.\n"
    "\n"
    "Examples:\n"
    "  lazynet bench mnist --input random:1x1x28x28 --concurrency 1,8,32\n"
    "  lazynet bench mnist --input random:8x1x28x28 --rate 500,1000 --window 5\n"
    "  lazynet bench mnist --input random:1x1x28x28 --json | jq '.levels[0].latency_ns'\n"
    "  lazynet bench --mix kinds.txt --concurrency 8 --format markdown --plot latency.svg";

constexpr const char* kTopFooter =
    "Reads the server's metrics and shows what went on since the last time: busiest models first.\n"
    "P50 and P99 are of the answers in between, within the buckets of the metrics; FLY is what is\n"
    "under way, WAIT the mean wait for a lane, MEMORY parameters, packed weights and plans. End "
    "it\n"
    "with Ctrl-C. Without a terminal frames follow each other; --json prints an object for each.\n"
    "\n"
    "Examples:\n"
    "  lazynet top\n"
    "  lazynet top --server inference:8002 --interval 10\n"
    "  lazynet top --once --json | jq '.models[0]'";

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

constexpr const char* kWatchFooter =
    "First the state of each, then a line for every change; a JSON object a line with --json.\n"
    "\n"
    "Examples:\n"
    "  lazynet watch\n"
    "  lazynet watch lazy_mlp --json | jq --unbuffered -r .state";

constexpr const char* kMaterializeFooter =
    "As a first request would, but from shapes alone. SHAPE is sizes joined by commas, or the "
    "word\n"
    "scalar. With --validate-only nothing changes, every error is listed (exit status 1 if there "
    "is\n"
    "any), and any server will do: without --server the one that `describe` asks.\n"
    "\n"
    "Examples:\n"
    "  lazynet materialize resnet --shape 1,3,224,224 --validate-only\n"
    "  lazynet materialize encoder --shape ids=1,128 --shape mask=1,128";

constexpr const char* kSaveCheckpointFooter =
    "A safetensors file in the server's state directory; NAME has no folder and no extension.\n"
    "\n"
    "Examples:\n"
    "  lazynet checkpoint save lazy_mlp tuned\n"
    "  lazynet checkpoint save lazy_mlp tuned --overwrite";

constexpr const char* kLoadCheckpointFooter =
    "With --validate-only nothing changes and every error is listed (exit status 1 if there is "
    "any).\n"
    "\n"
    "Examples:\n"
    "  lazynet checkpoint load lazy_mlp tuned\n"
    "  lazynet checkpoint load lazy_mlp tuned --no-strict";

constexpr const char* kSaveStateDictFooter =
    "Keys without values are not in the file; a warning names them.\n"
    "\n"
    "Examples:\n"
    "  lazynet state-dict save lazy_mlp lazy_mlp.safetensors";

constexpr const char* kLoadStateDictFooter =
    "FILE.safetensors, or FILE.safetensors.index.json with its shards beside it.\n"
    "Sizes that the values tell become known. With --validate-only nothing changes and every error "
    "is\n"
    "listed (exit status 1 if there is any).\n"
    "\n"
    "Examples:\n"
    "  lazynet state-dict load lazy_mlp lazy_mlp.safetensors --validate-only\n"
    "  lazynet state-dict load lazy_mlp part.safetensors --no-strict";

constexpr const char* kDiffStateDictsFooter =
    "A and B are FILE.safetensors, FILE.safetensors.index.json, or model:NAME[/VERSION], which is "
    "read\n"
    "from the server. Values are equal if their bits are.\n"
    "\n"
    "Exit status: 0 equal, 1 different, or the server said no; else as for all commands.\n"
    "\n"
    "Examples:\n"
    "  lazynet state-dict diff before.safetensors model:lazy_mlp\n"
    "  lazynet state-dict diff model:lazy_mlp/1 model:lazy_mlp/2 --json | jq '.different[].key'";

constexpr const char* kResetFooter =
    "Forgets what requests, administrators and clients added, in the state directory as well.\n"
    "\n"
    "Examples:\n"
    "  lazynet reset lazy_mlp";

constexpr const char* kRegisterFooter =
    "A file whose name ends in .json is JSON, any other is protobuf's text form.\n"
    "\n"
    "Examples:\n"
    "  lazynet register mlp mlp.textproto\n"
    "  lazynet register mlp mlp.json --version 2 --serving serving.textproto";

constexpr const char* kUnregisterFooter =
    "Not for networks of the model repository.\n"
    "\n"
    "Examples:\n"
    "  lazynet unregister mlp --version 2";

constexpr const char* kCheckFooter =
    "No server is asked. Without --shape what follows from it is ?. A file whose name ends in "
    ".json "
    "is\n"
    "JSON, any other is protobuf's text form.\n"
    "\n"
    "Exit status: 0 done, 1 the definition is wrong or cannot take the shapes, 2 wrong arguments "
    "or "
    "a\n"
    "file that cannot be read.\n"
    "\n"
    "Examples:\n"
    "  lazynet check models/lazy_mlp/network.textproto\n"
    "  lazynet check resnet.textproto --shape 1,3,224,224 --json | jq .known_parameter_count";

constexpr CommandEntry kCommands[] = {
    {Command::kModels, nullptr, "models", "List the models of the server's repository",
     kModelsFooter, Address::kServer, 10},
    {Command::kMetadata, nullptr, "metadata", "Print what a model takes and gives", kMetadataFooter,
     Address::kServer, 10},
    {Command::kDescribe, nullptr, "describe",
     "Look into a network: layers, parameters, what is not known yet", kDescribeFooter,
     Address::kServer, 10},
    {Command::kInfer, nullptr, "infer", "Send inputs to a model and print its outputs",
     kInferFooter, Address::kServer, 60},
    {Command::kBench, nullptr, "bench", "Put a model under load, and print rates and latencies",
     kBenchFooter, Address::kServer, 0},
    {Command::kTop, nullptr, "top", "Show rates, percentiles, queues and memory of models, live",
     kTopFooter, Address::kMetrics, 60},
    {Command::kHealth, nullptr, "health", "Ask whether the server, or a model, is healthy",
     kHealthFooter, Address::kServer, 2},
    {Command::kWait, nullptr, "wait", "Wait until the server, or a model, is healthy", kWaitFooter,
     Address::kServer, 60},
    {Command::kWatch, nullptr, "watch", "Print the state of models, and each change as it happens",
     kWatchFooter, Address::kServer, 0},
    {Command::kCheck, nullptr, "check", "Look into a definition without a server", kCheckFooter,
     Address::kNone, 0},
    {Command::kMaterialize, nullptr, "materialize",
     "Fix a network's sizes by input shapes, and make its parameters", kMaterializeFooter,
     Address::kAdmin, 60},
    {Command::kSaveStateDict, "state-dict", "save", "Write a model's parameters to a file",
     kSaveStateDictFooter, Address::kServer, 600},
    {Command::kLoadStateDict, "state-dict", "load", "Give a model the parameters of a file",
     kLoadStateDictFooter, Address::kAdmin, 600},
    {Command::kDiffStateDicts, "state-dict", "diff", "Compare parameters of files and models",
     kDiffStateDictsFooter, Address::kServer, 600},
    {Command::kSaveCheckpoint, "checkpoint", "save", "Write the parameters to a file of the server",
     kSaveCheckpointFooter, Address::kAdmin, 600},
    {Command::kLoadCheckpoint, "checkpoint", "load", "Take the parameters from such a file",
     kLoadCheckpointFooter, Address::kAdmin, 600},
    {Command::kReset, nullptr, "reset", "Take a network back to its definition and checkpoint",
     kResetFooter, Address::kAdmin, 60},
    {Command::kRegister, nullptr, "register", "Host another network, or a version of one",
     kRegisterFooter, Address::kAdmin, 60},
    {Command::kUnregister, nullptr, "unregister", "End hosting what was registered",
     kUnregisterFooter, Address::kAdmin, 60},
};

}  // namespace

const char* const kFooter =
    "Exit status: 0 done, 1 the server said no or is not healthy, 2 wrong arguments or a file "
    "that\n"
    "cannot be used, 3 no server reached.\n"
    "\n"
    "Examples:\n"
    "  lazynet wait && lazynet models\n"
    "  lazynet infer lazy_mlp --input random:2x64\n"
    "  lazynet describe lazy_mlp\n"
    "  lazynet materialize lazy_mlp --shape 2,64\n"
    "\n"
    "What changes something asks the server's admin address, 127.0.0.1:8003 unless "
    "LAZYNET_ADMIN_SERVER\n"
    "or --server says otherwise; everything else asks 127.0.0.1:8001, or LAZYNET_SERVER.\n"
    "`top` asks the metrics address, 127.0.0.1:8002, or LAZYNET_METRICS_SERVER.\n"
    "lazynet COMMAND --help says more about a command.";

std::span<const CommandEntry> Commands() { return kCommands; }

const char* GroupDescription(std::string_view group) {
  if (group == "state-dict") return "Save, load and compare parameters here";
  LAZYNET_CHECK(group == "checkpoint");
  return "Save and load parameters at the server";
}

}  // namespace lazynet::cli
