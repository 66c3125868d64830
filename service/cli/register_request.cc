#include "service/cli/register_request.h"

#include <google/protobuf/util/json_util.h>

#include <string>
#include <utility>

#include "service/cli/text_file.h"
#include "service/hosting/definition.h"
#include "service/hosting/serving_options.h"

namespace lazynet::cli {
namespace {

absl::Status ReadDefinition(const std::string& path, v1::RegisterNetworkRequest& request) {
  ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
  if (IsJson(path)) {
    ASSIGN_OR_RETURN(*request.mutable_definition(), hosting::ReadDefinitionJson(text));
    return absl::OkStatus();
  }
  request.set_text(std::move(text));
  return absl::OkStatus();
}

absl::Status ReadServing(const std::string& path, v1::RegisterNetworkRequest& request) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  if (IsJson(path)) {
    const auto status =
        google::protobuf::util::JsonStringToMessage(text, request.mutable_serving());
    return status.ok() ? absl::OkStatus() : InvalidArgument("{}", status.message().ToString());
  }
  ASSIGN_OR_RETURN(*request.mutable_serving(), hosting::ParseServingText(text));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::RegisterNetworkRequest> MakeRegisterRequest(const Options& options) {
  v1::RegisterNetworkRequest request;
  request.set_name(options.model);
  request.set_version(options.version);
  if (const absl::Status status = ReadDefinition(options.file, request); !status.ok()) {
    return Annotate(options.file, status);
  }
  if (options.serving_file.empty()) return request;
  if (const absl::Status status = ReadServing(options.serving_file, request); !status.ok()) {
    return Annotate(options.serving_file, status);
  }
  return request;
}

}  // namespace lazynet::cli
