#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/nn/network.h"

namespace lazynet::v1 {
class ServingConfig;
}

namespace lazynet::hosting {

// What the classes of an output are called, in their order; "" for one without a name.
struct OutputLabels {
  std::string file;  // as the configuration names it; empty: there are no labels
  std::vector<std::string> names;
};

// The text of a file of this name, which is a plain one without folders.
using ReadLabelFile = std::function<absl::StatusOr<std::string>(const std::string& name)>;

// One for each output of the network, or none if the configuration has none: a label is a line of
// its file. INVALID_ARGUMENT for unknown outputs, files with folders in their names, and too many
// or too long labels; errors of `read`.
absl::StatusOr<std::vector<OutputLabels>> ReadOutputLabels(const v1::ServingConfig& config,
                                                           const nn::Network& network,
                                                           const ReadLabelFile& read);

}  // namespace lazynet::hosting
