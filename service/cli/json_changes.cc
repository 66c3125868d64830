#include <ostream>

#include "service/cli/enum_text.h"
#include "service/cli/json_format.h"
#include "service/cli/json_report.h"

namespace lazynet::cli::json {

void Print(const v1::InitializeParametersResponse& response, std::ostream& out) {
  Write({{"created", Parameters(response.created())},
         {"created_bytes", response.created_bytes()},
         {"parameter_bytes", response.parameter_bytes()},
         {"errors", Array(response.errors())},
         {"outputs", Tensors(response.outputs())},
         {"binding", response.has_binding() ? Binding(response.binding()) : Json()},
         {"parameter_hash", response.parameter_hash()}},
        out);
}

void Print(const v1::LoadStateDictResponse& response, std::ostream& out) {
  Write({{"missing_keys", Array(response.missing_keys())},
         {"unexpected_keys", Array(response.unexpected_keys())},
         {"lossy_keys", Array(response.lossy_keys())},
         {"errors", Array(response.errors())},
         {"state", EnumText(response.state())},
         {"unknown_parameters", Array(response.unknown_parameters())},
         {"parameter_hash", response.parameter_hash()}},
        out);
}

void Print(const v1::SaveCheckpointResponse& response, std::ostream& out) {
  Write({{"file_bytes", response.file_bytes()},
         {"keys", Array(response.keys())},
         {"uninitialized_keys", Array(response.uninitialized_keys())}},
        out);
}

void Print(const v1::ResetParametersResponse& response, std::ostream& out) {
  Write({{"state", EnumText(response.state())}}, out);
}

void Print(const v1::RegisterNetworkResponse& response, std::ostream& out) {
  Write({{"version", response.version()}, {"state", EnumText(response.state())}}, out);
}

void Print(const v1::UnregisterNetworkResponse&, std::ostream& out) { Write(Json::object(), out); }

void Print(const v1::NetworkEvent& event, std::ostream& out) {
  Write({{"name", event.name()},
         {"version", event.version()},
         {"state", EnumText(event.state())},
         {"reason", event.reason()},
         {"removed", event.removed()},
         {"time", event.has_time() ? Time(event.time()) : Json()}},
        out);
}

}  // namespace lazynet::cli::json
