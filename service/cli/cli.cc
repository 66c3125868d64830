#include "service/cli/cli.h"

#include <exception>
#include <ostream>

#include "service/cli/command_line.h"
#include "service/cli/commands.h"

namespace lazynet::cli {
namespace {

ExitCode Run(const Options& options, std::ostream& out, std::ostream& err) {
  Session session(options, out, err);
  switch (options.command) {
    case Command::kModels:
      return session.Show(session.client().RepositoryIndex());
    case Command::kMetadata:
      return session.Show(session.client().ModelMetadata(options.model, options.version));
    case Command::kDescribe:
      return Describe(session);
    case Command::kInfer:
      return Infer(session);
    case Command::kBench:
      return Bench(session);
    case Command::kTop:
      return Top(session);
    case Command::kHealth:
      return Health(session);
    case Command::kWait:
      return Wait(session);
    case Command::kWatch:
      return Watch(session);
    case Command::kCheck:
      return Check(session);
    case Command::kMaterialize:
      return Materialize(session);
    case Command::kReset:
      return session.Show(session.client().ResetParameters(options.model, options.version),
                          options.model);
    case Command::kRegister:
      return Register(session);
    case Command::kUnregister:
      return session.Show(session.client().UnregisterNetwork(options.model, options.version),
                          options.model);
    case Command::kSaveStateDict:
      return SaveStateDict(session);
    case Command::kLoadStateDict:
      return LoadStateDict(session);
    case Command::kDiffStateDicts:
      return DiffStateDicts(session);
    case Command::kSaveCheckpoint:
      return SaveCheckpoint(session);
    case Command::kLoadCheckpoint:
      break;
  }
  return LoadCheckpoint(session);
}

}  // namespace

int Main(const std::vector<std::string>& args, std::ostream& out, std::ostream& err) {
  try {
    const ParsedCommandLine parsed = ParseCommandLine(args, out, err);
    const int code = parsed.exit_code ? *parsed.exit_code : Run(parsed.options, out, err);
    if (out.flush()) return code;
    err << "lazynet: the output cannot be written\n";
  } catch (const std::exception& error) {  // out of memory, above all
    err << "lazynet: " << error.what() << '\n';
  }
  return kUsage;
}

}  // namespace lazynet::cli
