#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/checkpoint/file.h"
#include "engine/nn/parameter_set.h"
#include "service/hosting/binding.h"
#include "service/hosting/shape_history.h"

namespace lazynet::hosting {

// What is remembered of one network: what fixed its sizes, and the values that clients gave it. The
// definition, the checkpoint beside it and this make every parameter again, bit for bit.
struct SavedState {
  std::string definition;          // fingerprint of the definition it belongs to
  std::optional<Binding> binding;  // nothing: only values, for whatever binds the network
  std::string parameter_hash;      // with a binding
  nn::StateDict client_values;
  std::set<std::string> replaced;  // keys of them that were drawn first, see BoundNetwork
};

// The server's memory across restarts, which several servers may share:
//   <folder>/networks/<model>/<version>/state.safetensors      SavedState with a binding
//   <folder>/networks/<model>/<version>/values.safetensors     SavedState before there is one
//   <folder>/networks/<model>/<version>/bound.safetensors      with one, where an older server left
//                                                              values as state.safetensors
//   <folder>/networks/<model>/<version>/shapes.json            ShapeHistory
//   <folder>/networks/<model>/<version>/network.textproto      of a registered network
//   <folder>/networks/<model>/<version>/serving.textproto      beside it
//   <folder>/networks/<model>/<version>/set-aside-<n>.*        what did not fit, and why
//   <folder>/checkpoints/<name>.safetensors
// Every file is there whole or not at all, whatever happens to the process or the machine; values
// can be read by any program that reads safetensors. Safe for use by many threads. Errors name no
// paths; they are those of WriteFileAtomically.
class StateDirectory {
 public:
  // Makes the folder if it is missing, and removes what writers that were killed left a day ago or
  // earlier. FAILED_PRECONDITION when it cannot be written.
  static absl::StatusOr<std::unique_ptr<StateDirectory>> Open(std::filesystem::path folder);

  // The one with a binding if there is one, else the values. Nothing when there is none.
  // INVALID_ARGUMENT for a file that is no state.
  absl::StatusOr<std::optional<SavedState>> Load(const std::string& model, int64_t version) const;

  // Of a state with a binding, in place of the values. ALREADY_EXISTS when another server was
  // first.
  absl::Status Create(const std::string& model, int64_t version, const SavedState& state) const;

  // Of either kind; the other one stays.
  absl::Status Replace(const std::string& model, int64_t version, const SavedState& state) const;

  absl::Status Forget(const std::string& model, int64_t version) const;

  // The shapes that requests had, for a warm-up. Of several servers the last one to save wins.
  // Nothing when there are none, or for another definition; INVALID_ARGUMENT for a file that is no
  // history.
  absl::StatusOr<std::optional<ShapeHistory>> LoadShapes(const std::string& model, int64_t version,
                                                         std::string_view definition) const;
  absl::Status SaveShapes(const std::string& model, int64_t version, std::string_view definition,
                          const ShapeHistory& shapes) const;

  // Renames state and values so that they are not found any more, and writes the reason beside it.
  absl::Status SetAside(const std::string& model, int64_t version, std::string_view reason) const;

  // Checkpoints by plain name: INVALID_ARGUMENT for a name that is none.
  absl::StatusOr<uint64_t> SaveCheckpoint(const std::string& name, const nn::StateDict& values,
                                          bool overwrite) const;
  absl::StatusOr<nn::StateDict> LoadCheckpoint(const std::string& name) const;

  // Networks that were registered, to host them again.
  struct Registered {
    std::string name;
    int64_t version = 1;
    std::string definition;  // text form
    std::string serving;     // text form, may be empty
    absl::Status status;     // why the texts cannot be read
  };
  absl::Status Register(const Registered& network, checkpoint::IfExists if_exists) const;
  absl::Status Unregister(const std::string& model, int64_t version) const;
  absl::StatusOr<std::vector<Registered>> RegisteredNetworks() const;

 private:
  explicit StateDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path FolderOf(const std::string& model, int64_t version) const;
  absl::Status Save(const std::string& model, int64_t version, const SavedState& state,
                    checkpoint::IfExists if_exists) const;

  const std::filesystem::path folder_;
};

// Letters, digits, '_', '-' and '.', not first; at most 255 bytes: what models, and so folders, may
// be called.
bool IsPlainName(std::string_view name);

}  // namespace lazynet::hosting
