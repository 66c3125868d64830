#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <ostream>

#include "service/cli/enum_text.h"
#include "service/cli/table.h"
#include "service/cli/text_format.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

void PrintCreated(const v1::InitializeParametersResponse& response, std::ostream& out) {
  if (response.created_size() == 0) return;
  Table table({{"parameter"}, {"datatype"}, {"shape"}, {"bytes", true}});
  for (const v1::ParameterDescription& parameter : response.created()) {
    table.Add({parameter.name(), parameter.datatype(), ParameterShape(parameter),
               Bytes(parameter.bytes())});
  }
  out << '\n';
  table.Print(out);
}

}  // namespace

void Print(const v1::InitializeParametersResponse& response, bool validate_only,
           std::ostream& out) {
  out << fmt::format("parameters {}: {}, {}; {} in all\n",
                     validate_only ? "to be created" : "created", response.created_size(),
                     Bytes(response.created_bytes()), Bytes(response.parameter_bytes()));
  PrintCreated(response, out);
  out << '\n';
  PrintLine("outputs", TensorsText(response.outputs()), out);
  if (response.has_binding()) PrintLine("binding", BindingText(response.binding()), out);
  if (!response.parameter_hash().empty()) PrintLine("hash", response.parameter_hash(), out);
}

void Print(const v1::LoadStateDictResponse& response, bool validate_only, std::ostream& out) {
  const char* verb = !validate_only              ? "loaded, now"
                     : response.errors().empty() ? "would load, then"
                                                 : "would not load, now";
  out << verb << ' ' << EnumText(response.state()) << '\n';
  PrintLine("missing", Counted(response.missing_keys()), out);
  PrintLine("unexpected", Counted(response.unexpected_keys()), out);
  PrintLine("lossy", Counted(response.lossy_keys()), out);
  PrintLine("unknown", Counted(response.unknown_parameters()), out);
  if (!response.parameter_hash().empty()) PrintLine("hash", response.parameter_hash(), out);
}

void Print(const v1::SaveCheckpointResponse& response, const std::string& checkpoint,
           std::ostream& out) {
  out << Printable(fmt::format("{}: {} keys, {}", checkpoint, response.keys_size(),
                               Bytes(response.file_bytes())))
      << '\n';
}

void Print(const v1::ResetParametersResponse& response, const std::string& model,
           std::ostream& out) {
  out << Printable(fmt::format("{}: {}", model, EnumText(response.state()))) << '\n';
}

void Print(const v1::RegisterNetworkResponse& response, const std::string& model,
           std::ostream& out) {
  out << Printable(fmt::format("{} version {}: {}", model, response.version(),
                               EnumText(response.state())))
      << '\n';
}

void Print(const v1::UnregisterNetworkResponse&, const std::string& model, std::ostream& out) {
  out << Printable(model) << ": no longer hosted\n";
}

void Print(const v1::NetworkEvent& event, std::ostream& out) {
  std::string line = fmt::format("{} version {}: {}", event.name(), event.version(),
                                 event.removed() ? "removed" : EnumText(event.state()));
  if (event.has_time()) {
    line = google::protobuf::util::TimeUtil::ToString(event.time()) + "  " + line;
  }
  if (!event.reason().empty()) line += ", " + event.reason();
  out << Printable(line) << '\n';
}

}  // namespace lazynet::cli::text
