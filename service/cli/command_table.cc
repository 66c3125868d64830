#include "service/cli/command_table.h"

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
    {Command::kHealth, nullptr, "health", "Ask whether the server, or a model, is healthy",
     kHealthFooter, Address::kServer, 2},
    {Command::kWait, nullptr, "wait", "Wait until the server, or a model, is healthy", kWaitFooter,
     Address::kServer, 60},
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
    "\n"
    "lazynet COMMAND --help says more about a command.";

std::span<const CommandEntry> Commands() { return kCommands; }

}  // namespace lazynet::cli
