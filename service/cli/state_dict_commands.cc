#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "engine/checkpoint/safetensors_index.h"
#include "engine/checkpoint/safetensors_writer.h"
#include "service/cli/commands.h"
#include "service/cli/state_dict.h"
#include "service/cli/state_dict_diff.h"
#include "service/cli/text_format.h"

namespace lazynet::cli {
namespace {

// Gives `take` every item that the server has for a model.
ExitCode ReadModel(Session& session, const std::string& model, const std::string& version,
                   const TakeItem& take) {
  v1::GetStateDictRequest request;
  request.set_name(model);
  request.set_version(version);
  StateDictAssembler assembler(take);
  absl::Status read;
  const absl::Status call = session.client().GetStateDict(request, [&](const auto& part) {
    read = assembler.Add(part);
    return read.ok();
  });
  if (!call.ok()) return session.CallFailed(call);
  if (read.ok()) read = assembler.Finish();
  return read.ok() ? kDone : session.AnswerFailed(read);
}

ExitCode FileFailed(Session& session, const std::string& file, const absl::Status& status) {
  return session.Fail(kUsage, fmt::format("{}: {}", file, Message(status)));
}

// The same for one side of a comparison.
ExitCode ReadSide(Session& session, const StateDictSource& source, const TakeItem& take) {
  if (!source.model.empty()) return ReadModel(session, source.model, source.version, take);
  const auto tensors = checkpoint::ReadSafetensors(source.file);
  if (!tensors.ok()) return FileFailed(session, source.file, tensors.status());
  for (const auto& [name, tensor] : *tensors) {
    const absl::Status status = take({name, tensor.dtype(), tensor.shape(), tensor});
    if (!status.ok()) return FileFailed(session, source.file, status);
  }
  return kDone;
}

}  // namespace

ExitCode SaveStateDict(Session& session) {
  const Options& options = session.options();
  std::vector<StateDictItem> items;
  SavedStateDict saved{.file = options.file};
  const ExitCode code = ReadModel(session, options.model, options.version, [&](StateDictItem item) {
    (item.values ? saved.keys : saved.uninitialized_keys).push_back(item.key);
    if (item.values) items.push_back(std::move(item));
    return absl::OkStatus();
  });
  if (code != kDone) return code;
  std::vector<checkpoint::NamedTensorView> views;
  for (const StateDictItem& item : items) views.push_back({item.key, item.values->view()});
  // As PyTorch's own files say it; some readers ask for it.
  const absl::Status status = checkpoint::WriteSafetensors(options.file, views, {{"format", "pt"}});
  if (!status.ok()) return FileFailed(session, options.file, status);
  std::error_code ignored;
  saved.file_bytes = std::filesystem::file_size(options.file, ignored);
  if (!saved.uninitialized_keys.empty()) {
    session.Warn(fmt::format("left out, without values: {}", text::Join(saved.uninitialized_keys)));
  }
  return session.Show(absl::StatusOr<SavedStateDict>(std::move(saved)));
}

ExitCode LoadStateDict(Session& session) {
  const Options& options = session.options();
  auto tensors = checkpoint::ReadSafetensors(options.file);
  if (!tensors.ok()) return FileFailed(session, options.file, tensors.status());
  v1::LoadTarget target;
  target.set_name(options.model);
  target.set_version(options.version);
  target.set_strict(options.strict);
  target.set_validate_only(options.validate_only);
  StateDictMessages messages(std::move(target), *std::move(tensors));
  return session.ShowWithErrors(
      session.client().LoadStateDict([&](auto& message) { return messages.Next(message); }),
      options.validate_only);
}

ExitCode DiffStateDicts(Session& session) {
  const Options& options = session.options();
  StateDictComparison comparison;
  ExitCode code = ReadSide(session, options.a, [&](StateDictItem item) {
    comparison.AddA(std::move(item));
    return absl::OkStatus();
  });
  if (code != kDone) return code;
  code = ReadSide(session, options.b, [&](const StateDictItem& item) {
    comparison.AddB(item);
    return absl::OkStatus();
  });
  if (code != kDone) return code;
  const absl::StatusOr<StateDictDiff> diff = std::move(comparison).Finish();
  session.Show(diff, options.a.text, options.b.text);
  return diff->different.empty() ? kDone : kRefused;
}

}  // namespace lazynet::cli
