#include "service/handlers/rpc_interceptor.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace lazynet::handlers {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;

constexpr std::string_view kRawMethods[] = {"/inference.GRPCInferenceService/ModelInfer",
                                            "/inference.GRPCInferenceService/ModelStreamInfer"};

// Of a method whose messages are protobuf's, or unknown to the server, in which case there is no
// message.
class RpcInterceptor final : public grpc::experimental::Interceptor {
 public:
  RpcInterceptor(Rpcs& rpcs, std::string_view method) : record_(rpcs.Method(method)) {
    record_.Start();
  }

  // Of a call that gRPC gave up.
  ~RpcInterceptor() override { record_.End(absl::StatusCode::kCancelled); }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE)) {
      const auto* message =
          static_cast<const google::protobuf::Message*>(methods->GetRecvMessage());
      if (message != nullptr) record_.Receive(message->ByteSizeLong());
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_MESSAGE)) {
      const grpc::ByteBuffer* message = methods->GetSerializedSendMessage();
      if (message != nullptr) record_.Send(message->Length());
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      record_.End(static_cast<absl::StatusCode>(methods->GetSendStatus().error_code()));
    }
    methods->Proceed();
  }

 private:
  RpcRecord record_;
};

}  // namespace

grpc::experimental::Interceptor* RpcInterceptorFactory::CreateServerInterceptor(
    grpc::experimental::ServerRpcInfo* info) {
  const std::string_view method = info->method();
  const bool raw =
      std::find(std::begin(kRawMethods), std::end(kRawMethods), method) != std::end(kRawMethods);
  return raw ? nullptr : new RpcInterceptor(rpcs_, method);
}

}  // namespace lazynet::handlers
