#include "service/cli/register_request.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <string>
#include <utility>

#include "service/cli/text_file.h"

namespace lazynet::cli {
namespace {

// Keeps the first error; lines and columns count from 1.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("{}:{}: {}", line + 1, column + 1, message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status ParseJson(const std::string& text, google::protobuf::Message& message) {
  const auto status = google::protobuf::util::JsonStringToMessage(text, &message);
  return status.ok() ? absl::OkStatus() : InvalidArgument("{}", status.message().ToString());
}

absl::Status ParseText(const std::string& text, google::protobuf::Message& message) {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  return parser.ParseFromString(text, &message) ? absl::OkStatus()
                                                : InvalidArgument("{}", error.text());
}

absl::Status ReadDefinition(const std::string& path, v1::RegisterNetworkRequest& request) {
  ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
  if (IsJson(path)) return ParseJson(text, *request.mutable_definition());
  request.set_text(std::move(text));
  return absl::OkStatus();
}

absl::Status ReadServing(const std::string& path, v1::RegisterNetworkRequest& request) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  return IsJson(path) ? ParseJson(text, *request.mutable_serving())
                      : ParseText(text, *request.mutable_serving());
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
