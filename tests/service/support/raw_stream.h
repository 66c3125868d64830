#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace lazynet::testing {

// A stream both ways of any method, without its message types.
class RawStream {
 public:
  // `method` is /package.Service/Method.
  RawStream(const std::shared_ptr<grpc::Channel>& channel, const char* method)
      : stream_(Factory::Create(
            channel.get(),
            grpc::internal::RpcMethod(method, grpc::internal::RpcMethod::BIDI_STREAMING, channel),
            &context_)) {}

  bool Write(const std::string& message) {
    const grpc::Slice slice(message);
    return stream_->Write(grpc::ByteBuffer(&slice, 1));
  }
  bool Read() {
    grpc::ByteBuffer message;
    return stream_->Read(&message);
  }
  // What is left to read is lost.
  grpc::Status Finish() {
    while (Read()) {
    }
    return stream_->Finish();
  }
  grpc::ClientContext& context() { return context_; }

 private:
  using Factory = grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>;

  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream_;
};

inline constexpr const char* kReflection =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
inline const std::string kListServices("\x3a\0", 2);  // a ServerReflectionRequest

}  // namespace lazynet::testing
