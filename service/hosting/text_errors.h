#pragma once

#include <google/protobuf/io/tokenizer.h>

#include <string>

#include "engine/core/status.h"

namespace lazynet::hosting {

// Keeps the first error of protobuf's text parser; lines and columns count from 1.
class TextErrors : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("{}:{}: {}", line + 1, column + 1, message);
  }

  absl::Status ToStatus() const { return InvalidArgument("{}", text_); }

 private:
  std::string text_;
};

}  // namespace lazynet::hosting
