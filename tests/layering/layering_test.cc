#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace lazynet {
namespace {

namespace fs = std::filesystem;

// Debian's headers all lie on the default include path, so linking alone catches no wrong include.

// Folder -> folders it may include, besides itself. The longest matching folder counts.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"engine/core", {}},
    {"engine/init", {"engine/core"}},
    {"engine/checkpoint", {"engine/core"}},
    {"engine/backend", {"engine/core"}},
    {"engine/backend/reference", {"engine/core", "engine/backend"}},
    {"engine/backend/onednn", {"engine/core", "engine/backend"}},
    {"engine/nn", {"engine/core", "engine/init", "engine/backend"}},
    {"engine/plan", {"engine/core", "engine/backend", "engine/nn"}},
    {"service/logging", {}},
    {"service/net", {"engine/core"}},
    {"service/metrics", {"engine/core", "service/net"}},
    {"service/config", {"engine/core", "service"}},
    {"service/hosting",
     {"engine/core", "engine/checkpoint", "engine/backend", "engine/nn", "engine/plan", "proto",
      "service/metrics"}},
    {"service/security", {"engine/core"}},
    {"service/scheduling", {"engine/core", "engine/backend", "engine/plan", "service/hosting"}},
    {"service/handlers",
     {"engine/core", "engine/nn", "engine/plan", "proto", "service", "service/hosting",
      "service/logging", "service/metrics", "service/scheduling", "service/security"}},
    {"service/cli",
     {"engine/core", "engine/checkpoint", "engine/nn", "engine/plan", "proto", "service",
      "service/hosting", "service/security"}},
    {"service/server",
     {"engine/core", "engine/backend/reference", "engine/backend/onednn", "service",
      "service/config", "service/handlers", "service/hosting", "service/metrics", "service/net",
      "service/scheduling", "service/security"}},
    {"service",
     {"engine/core", "engine/backend", "service/config", "service/logging", "service/server"}},
};

// Headers of a library -> the only folder that may include them.
const std::vector<std::pair<std::string, std::string>> kOnlyIn = {
    {R"((oneapi/dnnl|dnnl).*)", "engine/backend/onednn"},
    {R"(grpcpp/.*)", "service"},
    {R"(.*\.pb\.h)", "service"},
    {R"(google/protobuf/.*)", "service"},
    {R"(prometheus/.*)", "service/metrics"},
    {R"(CLI/.*)", "service"},
    {R"(spdlog/.*)", "service"},
};

// The listed folder that `path` lies in.
std::string FolderOf(const std::string& path) {
  std::string folder = fs::path(path).parent_path().string();
  while (!folder.empty() && !kMayInclude.contains(folder) && folder != "proto") {
    folder = fs::path(folder).parent_path().string();
  }
  return folder;
}

bool IsWithin(const std::string& path, const std::string& folder) {
  return path.starts_with(folder + "/");
}

std::vector<std::string> IncludesOf(const fs::path& file) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
  std::vector<std::string> includes;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::smatch match;
    if (std::regex_search(line, match, kInclude)) includes.push_back(match[1]);
  }
  return includes;
}

// Source files of engine/ and service/, by their path from the root.
std::vector<std::string> SourceFiles() {
  const fs::path root(LAZYNET_SOURCE_DIR);
  std::vector<std::string> files;
  for (const char* top : {"engine", "service"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".h" || extension == ".cc" || extension == ".inc") {
        files.push_back(fs::relative(entry.path(), root).string());
      }
    }
  }
  return files;
}

TEST(Layering, FoldersIncludeOnlyWhatTheyMay) {
  const auto files = SourceFiles();
  ASSERT_GT(files.size(), 100u);
  for (const std::string& file : files) {
    const std::string folder = FolderOf(file);
    ASSERT_FALSE(folder.empty()) << file << " lies in a folder without a rule";
    for (const std::string& include : IncludesOf(fs::path(LAZYNET_SOURCE_DIR) / file)) {
      if (!include.starts_with("engine/") && !include.starts_with("service/") &&
          !include.starts_with("proto/")) {
        continue;
      }
      const std::string target = FolderOf(include);
      EXPECT_TRUE(target == folder || kMayInclude.at(folder).contains(target))
          << file << " includes " << include;
    }
  }
}

TEST(Layering, LibrariesStayInTheirFolders) {
  for (const std::string& file : SourceFiles()) {
    for (const std::string& include : IncludesOf(fs::path(LAZYNET_SOURCE_DIR) / file)) {
      for (const auto& [pattern, folder] : kOnlyIn) {
        if (std::regex_match(include, std::regex(pattern))) {
          EXPECT_TRUE(IsWithin(file, folder)) << file << " includes " << include;
        }
      }
    }
  }
}

}  // namespace
}  // namespace lazynet
