#pragma once

#include "proto/lazynet/v1/lazynet.grpc.pb.h"
#include "service/hosting/repository.h"

namespace lazynet::handlers {

// What the Open Inference Protocol has no words for. Read-only: nothing here materializes.
class LazyNetworkService : public v1::LazyNetworkService::Service {
 public:
  explicit LazyNetworkService(const hosting::Repository& repository) : repository_(repository) {}

  grpc::Status DescribeNetwork(grpc::ServerContext* context,
                               const v1::DescribeNetworkRequest* request,
                               v1::DescribeNetworkResponse* response) override;

 private:
  const hosting::Repository& repository_;
};

}  // namespace lazynet::handlers
