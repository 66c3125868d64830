#pragma once

#include <filesystem>
#include <string>

namespace lazynet::hosting {

// Tells whether the files that a version is made of are those of before, without reading them: a
// digest of names, sizes, times of change and inodes of the files in its folder, and in `model`,
// the folder around it whose files are for all versions. Files that are not there count as such.
std::string SourceStamp(const std::filesystem::path& folder, const std::filesystem::path& model);

}  // namespace lazynet::hosting
