#include "service/hosting/state_directory.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/safetensors_writer.h"
#include "service/hosting/versions.h"

namespace lazynet::hosting {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kState = "state.safetensors";
constexpr std::string_view kValues = "values.safetensors";
// A binding where an older server left values alone as the state: they stay where they are, since
// of several servers none could take them away without taking a binding that came meanwhile.
constexpr std::string_view kLaterState = "bound.safetensors";
constexpr std::string_view kShapes = "shapes.json";
// In the order in which they go: values are found only when no binding is, so that it goes last.
constexpr std::array kStates = {kValues, kState, kLaterState};
constexpr std::string_view kDefinition = "network.textproto";
constexpr std::string_view kServing = "serving.textproto";
constexpr size_t kMaxShapesBytes = size_t{1} << 20;

// Keys of a state's metadata.
constexpr const char* kDefinitionKey = "lazynet.definition";
constexpr const char* kBindingKey = "lazynet.binding";
constexpr const char* kHashKey = "lazynet.parameter_hash";
constexpr const char* kReplacedKey = "lazynet.replaced";

absl::Status MakeFolders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return absl::OkStatus();
  return FailedPrecondition("state directory: a folder cannot be made: {}", error.message());
}

absl::Status InState(const absl::Status& status) { return Annotate("state directory", status); }

std::string WriteBinding(const Binding& binding) {
  json shapes = json::array();
  for (const Shape& shape : binding.input_shapes) {
    shapes.push_back(std::vector<int64_t>(shape.dims().begin(), shape.dims().end()));
  }
  const auto seconds = std::chrono::system_clock::to_time_t(binding.time);
  return json{{"source", Name(binding.source)}, {"input_shapes", shapes}, {"time", seconds}}.dump();
}

absl::StatusOr<Binding> ReadBinding(const std::string& text) {
  try {
    const json read = json::parse(text);
    Binding binding{.adopted = true};
    const auto source = ParseSource(read.at("source").get<std::string>());
    if (!source) return InvalidArgument("state: unknown binding source");
    binding.source = *source;
    for (const json& dims : read.at("input_shapes")) {
      const auto values = dims.get<std::vector<int64_t>>();
      RETURN_IF_ERROR(CheckBounds(values));
      binding.input_shapes.emplace_back(std::span<const int64_t>(values));
    }
    binding.time = std::chrono::system_clock::from_time_t(read.at("time").get<int64_t>());
    return binding;
  } catch (const json::exception& error) {
    return InvalidArgument("state: the binding cannot be read: {}", error.what());
  }
}

std::vector<checkpoint::NamedTensorView> ViewsOf(const nn::StateDict& values) {
  std::vector<checkpoint::NamedTensorView> views;
  for (const auto& [key, tensor] : values) {
    if (tensor) views.push_back({key, tensor->view()});
  }
  return views;
}

nn::StateDict ValuesOf(const checkpoint::SafetensorsFile& file) {
  nn::StateDict values;
  for (const auto& entry : file.tensors()) values.emplace_back(entry.name, entry.tensor);
  return values;
}

// Of the files that WriteFileAtomically leaves when it is killed, those that no writer can have
// open any more. What cannot be looked at stays.
void RemoveTemporaries(const fs::path& folder) {
  const auto oldest_in_use = fs::file_time_type::clock::now() - std::chrono::hours(24);
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const bool temporary = entry->path().filename().string().starts_with(".tmp-");
    if (!temporary || !entry->is_regular_file(ignored)) continue;
    const auto time = entry->last_write_time(ignored);
    if (!ignored && time < oldest_in_use) fs::remove(entry->path(), ignored);
  }
}

// Nothing when there is no such file.
absl::StatusOr<std::optional<SavedState>> ReadState(const fs::path& path) {
  const auto file = checkpoint::SafetensorsFile::Open(path);
  if (absl::IsNotFound(file.status())) return std::optional<SavedState>();
  if (!file.ok()) return InState(file.status());
  const checkpoint::Metadata& metadata = (*file)->metadata();
  SavedState state;
  const auto definition = metadata.find(kDefinitionKey);
  if (definition == metadata.end()) return InvalidArgument("state: names no definition");
  state.definition = definition->second;
  if (const auto binding = metadata.find(kBindingKey); binding != metadata.end()) {
    ASSIGN_OR_RETURN(state.binding, ReadBinding(binding->second));
  }
  if (const auto hash = metadata.find(kHashKey); hash != metadata.end()) {
    state.parameter_hash = hash->second;
  }
  if (state.binding && state.parameter_hash.empty()) {
    return InvalidArgument("state: a binding without {}", kHashKey);
  }
  if (const auto replaced = metadata.find(kReplacedKey); replaced != metadata.end()) {
    try {
      state.replaced = json::parse(replaced->second).get<std::set<std::string>>();
    } catch (const json::exception& error) {
      return InvalidArgument("state: {} cannot be read: {}", kReplacedKey, error.what());
    }
  }
  state.client_values = ValuesOf(**file);
  return std::optional<SavedState>(std::move(state));
}

absl::StatusOr<std::string> ReadText(const fs::path& path) {
  const auto file = checkpoint::MappedFile::Open(path);
  if (!file.ok()) return Annotate(path.filename().string(), file.status());
  const std::span<const std::byte> bytes = (*file)->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

absl::StatusOr<std::vector<fs::path>> FoldersIn(const fs::path& folder) {
  try {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.is_directory()) folders.push_back(entry.path());
    }
    return folders;
  } catch (const fs::filesystem_error& failure) {
    return FailedPrecondition("state directory: {}", failure.code().message());
  }
}

absl::Status WriteText(const fs::path& path, std::string_view text,
                       checkpoint::IfExists if_exists) {
  const std::span<const std::byte> piece = std::as_bytes(std::span(text));
  return checkpoint::WriteFileAtomically(path, {&piece, 1}, if_exists);
}

}  // namespace

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
         });
}

absl::StatusOr<std::unique_ptr<StateDirectory>> StateDirectory::Open(fs::path folder) {
  RETURN_IF_ERROR(MakeFolders(folder / "networks"));
  RETURN_IF_ERROR(MakeFolders(folder / "checkpoints"));
  const fs::path probe = folder / "networks" / ".probe";
  RETURN_IF_ERROR(InState(WriteText(probe, "", checkpoint::IfExists::kReplace)));
  RETURN_IF_ERROR(InState(checkpoint::RemoveFile(probe)));
  RemoveTemporaries(folder);
  return std::unique_ptr<StateDirectory>(new StateDirectory(std::move(folder)));
}

fs::path StateDirectory::FolderOf(const std::string& model, int64_t version) const {
  return folder_ / "networks" / model / std::to_string(version);
}

absl::StatusOr<std::optional<SavedState>> StateDirectory::Load(const std::string& model,
                                                               int64_t version) const {
  const fs::path folder = FolderOf(model, version);
  std::optional<SavedState> values;
  for (const std::string_view name : {kState, kLaterState, kValues}) {
    ASSIGN_OR_RETURN(auto state, ReadState(folder / name));
    if (!state) continue;
    if (state->binding) return state;
    values = std::move(state);
  }
  return values;
}

absl::Status StateDirectory::Save(const std::string& model, int64_t version,
                                  const SavedState& state, checkpoint::IfExists if_exists) const {
  const fs::path folder = FolderOf(model, version);
  RETURN_IF_ERROR(MakeFolders(folder));
  std::string_view name = kValues;
  checkpoint::Metadata metadata{{"format", "pt"}, {kDefinitionKey, state.definition}};
  if (state.binding) {
    ASSIGN_OR_RETURN(const auto there, ReadState(folder / kState));
    name = there && !there->binding ? kLaterState : kState;
    metadata[kBindingKey] = WriteBinding(*state.binding);
    metadata[kHashKey] = state.parameter_hash;
    if (!state.replaced.empty()) metadata[kReplacedKey] = json(state.replaced).dump();
  }
  return InState(checkpoint::WriteSafetensors(folder / name, ViewsOf(state.client_values), metadata,
                                              if_exists));
}

absl::Status StateDirectory::Create(const std::string& model, int64_t version,
                                    const SavedState& state) const {
  RETURN_IF_ERROR(Save(model, version, state, checkpoint::IfExists::kFail));
  // They are in the state; where they stay nobody reads them.
  checkpoint::RemoveFile(FolderOf(model, version) / kValues).IgnoreError();
  return absl::OkStatus();
}

absl::Status StateDirectory::Replace(const std::string& model, int64_t version,
                                     const SavedState& state) const {
  return Save(model, version, state, checkpoint::IfExists::kReplace);
}

absl::Status StateDirectory::Forget(const std::string& model, int64_t version) const {
  const fs::path folder = FolderOf(model, version);
  std::error_code error;
  if (!fs::exists(folder, error)) return absl::OkStatus();
  RETURN_IF_ERROR(InState(checkpoint::RemoveFile(folder / kShapes)));
  for (const std::string_view name : kStates) {
    RETURN_IF_ERROR(InState(checkpoint::RemoveFile(folder / name)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<ShapeHistory>> StateDirectory::LoadShapes(
    const std::string& model, int64_t version, std::string_view definition) const {
  const fs::path path = FolderOf(model, version) / kShapes;
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return std::optional<ShapeHistory>();
  if (size > kMaxShapesBytes) {
    return InvalidArgument("{}: wants at most {} bytes, got {}", kShapes, kMaxShapesBytes, size);
  }
  ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  auto read = ShapeHistory::FromJson(text, definition);
  if (!read.ok()) return Annotate(kShapes, read.status());
  return read;
}

absl::Status StateDirectory::SaveShapes(const std::string& model, int64_t version,
                                        std::string_view definition,
                                        const ShapeHistory& shapes) const {
  const fs::path folder = FolderOf(model, version);
  RETURN_IF_ERROR(MakeFolders(folder));
  return InState(
      WriteText(folder / kShapes, shapes.ToJson(definition), checkpoint::IfExists::kReplace));
}

absl::Status StateDirectory::SetAside(const std::string& model, int64_t version,
                                      std::string_view reason) const {
  const fs::path folder = FolderOf(model, version);
  for (int n = 1;; ++n) {
    const fs::path note = folder / fmt::format("set-aside-{}.txt", n);
    std::error_code error;
    if (fs::exists(note, error)) continue;
    // The note first: a file without its reason would be a riddle.
    const absl::Status written =
        WriteText(note, std::string(reason) + "\n", checkpoint::IfExists::kFail);
    if (written.code() == absl::StatusCode::kAlreadyExists) continue;
    RETURN_IF_ERROR(InState(written));
    for (const std::string_view name : kStates) {
      const std::string kind =
          name == kState ? "" : fmt::format("{}.", fs::path(name).stem().string());
      const absl::Status renamed = checkpoint::RenameFile(
          folder / name, folder / fmt::format("set-aside-{}.{}safetensors", n, kind));
      if (!absl::IsNotFound(renamed)) RETURN_IF_ERROR(InState(renamed));
    }
    return absl::OkStatus();
  }
}

absl::StatusOr<uint64_t> StateDirectory::SaveCheckpoint(const std::string& name,
                                                        const nn::StateDict& values,
                                                        bool overwrite) const {
  if (!IsPlainName(name)) {
    return InvalidArgument(
        "a checkpoint's name wants letters, digits, '_', '-' and '.', got \"{}\"", name);
  }
  const fs::path path = folder_ / "checkpoints" / (name + ".safetensors");
  const absl::Status written = checkpoint::WriteSafetensors(
      path, ViewsOf(values), {{"format", "pt"}},
      overwrite ? checkpoint::IfExists::kReplace : checkpoint::IfExists::kFail);
  if (written.code() == absl::StatusCode::kAlreadyExists) {
    return absl::AlreadyExistsError(fmt::format("checkpoint \"{}\" is there already", name));
  }
  RETURN_IF_ERROR(InState(written));
  std::error_code error;
  return fs::file_size(path, error);
}

absl::StatusOr<nn::StateDict> StateDirectory::LoadCheckpoint(const std::string& name) const {
  if (!IsPlainName(name)) {
    return InvalidArgument(
        "a checkpoint's name wants letters, digits, '_', '-' and '.', got \"{}\"", name);
  }
  const auto file =
      checkpoint::SafetensorsFile::Open(folder_ / "checkpoints" / (name + ".safetensors"));
  if (file.status().code() == absl::StatusCode::kNotFound) {
    return NotFound("no checkpoint is called \"{}\"", name);
  }
  if (!file.ok()) return Annotate(fmt::format("checkpoint \"{}\"", name), file.status());
  return ValuesOf(**file);
}

// The definition last: a network without one is not there.
absl::Status StateDirectory::Register(const Registered& network,
                                      checkpoint::IfExists if_exists) const {
  const fs::path folder = FolderOf(network.name, network.version);
  RETURN_IF_ERROR(MakeFolders(folder));
  RETURN_IF_ERROR(
      InState(WriteText(folder / kServing, network.serving, checkpoint::IfExists::kReplace)));
  return InState(WriteText(folder / kDefinition, network.definition, if_exists));
}

absl::Status StateDirectory::Unregister(const std::string& model, int64_t version) const {
  const fs::path folder = FolderOf(model, version);
  for (const std::string_view name : {kDefinition, kServing}) {
    RETURN_IF_ERROR(InState(checkpoint::RemoveFile(folder / name)));
  }
  return Forget(model, version);
}

// One that cannot be read stops no other.
absl::StatusOr<std::vector<StateDirectory::Registered>> StateDirectory::RegisteredNetworks() const {
  ASSIGN_OR_RETURN(const auto models, FoldersIn(folder_ / "networks"));
  std::vector<Registered> networks;
  for (const fs::path& model : models) {
    const std::string name = model.filename().string();
    const auto versions = FoldersIn(model);
    if (!versions.ok()) networks.push_back({.name = name, .status = versions.status()});
    if (!versions.ok()) continue;
    for (const fs::path& folder : *versions) {
      const auto version = ParseVersion(folder.filename().string());
      if (!version) continue;
      const auto definition = ReadText(folder / kDefinition);
      if (absl::IsNotFound(definition.status())) continue;
      const auto serving = ReadText(folder / kServing);
      Registered network{.name = name, .version = *version, .status = definition.status()};
      if (definition.ok()) network.definition = *definition;
      if (serving.ok()) network.serving = *serving;
      if (!absl::IsNotFound(serving.status())) network.status.Update(serving.status());
      networks.push_back(std::move(network));
    }
  }
  return networks;
}

}  // namespace lazynet::hosting
