#include "service/cli/text_report.h"

#include <fmt/format.h>

#include <map>
#include <ostream>

#include "service/cli/table.h"
#include "service/cli/text_format.h"

namespace lazynet::cli::text {

void Print(const inference::RepositoryIndexResponse& response, std::ostream& out) {
  if (response.models_size() == 0) {
    out << "no models\n";
    return;
  }
  Table table({{"name"}, {"version", true}, {"state"}, {"reason"}});
  for (const auto& model : response.models()) {
    table.Add({model.name(), model.version(), model.state(), model.reason()});
  }
  table.Print(out);
}

void Print(const inference::ModelMetadataResponse& response, std::ostream& out) {
  std::string versions;
  for (const std::string& version : response.versions()) {
    versions += (versions.empty() ? "" : ", ") + version;
  }
  out << Printable(fmt::format("{} ({}), versions {}", response.name(), response.platform(),
                               versions.empty() ? "none" : versions))
      << "\n\n";
  Table table({{""}, {"name"}, {"datatype"}, {"shape"}});
  for (const auto& tensor : response.inputs()) {
    table.Add({"input", tensor.name(), tensor.datatype(), ShapeText(tensor.shape())});
  }
  for (const auto& tensor : response.outputs()) {
    table.Add({"output", tensor.name(), tensor.datatype(), ShapeText(tensor.shape())});
  }
  table.Print(out);
  const std::map<std::string, std::string> properties(response.properties().begin(),
                                                      response.properties().end());
  if (!properties.empty()) out << '\n';
  for (const auto& [key, value] : properties) {
    out << Printable(fmt::format("{}: {}", key, value)) << '\n';
  }
}

}  // namespace lazynet::cli::text
