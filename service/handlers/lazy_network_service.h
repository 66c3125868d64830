#pragma once

#include <atomic>
#include <string>

#include "proto/lazynet/v1/lazynet.grpc.pb.h"
#include "service/handlers/admin_only.h"
#include "service/handlers/describe_plan.h"
#include "service/hosting/repository.h"

namespace lazynet::handlers {

// What the Open Inference Protocol has no words for: looking into lazy networks, and, on the
// administrator's listener, deciding how they come by sizes and values.
class LazyNetworkService : public v1::LazyNetworkService::Service {
 public:
  struct Options {
    AdminOnly admin;                          // for calls that change something
    size_t max_load_bytes = size_t{4} << 30;  // of one LoadStateDict
    PlanDescriber::Limits plans;              // of DescribePlan
  };

  // `build_lane` is there while calls come.
  LazyNetworkService(hosting::Repository& repository, const hosting::NetworkEvents& events,
                     const hosting::StateDirectory* state, scheduling::BuildLane& build_lane,
                     Options options)
      : repository_(repository),
        events_(events),
        state_(state),
        options_(std::move(options)),
        plans_(build_lane, options_.plans) {}

  grpc::Status DescribeNetwork(grpc::ServerContext* context,
                               const v1::DescribeNetworkRequest* request,
                               v1::DescribeNetworkResponse* response) override;
  grpc::Status DescribePlan(grpc::ServerContext* context, const v1::DescribePlanRequest* request,
                            v1::DescribePlanResponse* response) override;
  grpc::Status GetStateDict(grpc::ServerContext* context, const v1::GetStateDictRequest* request,
                            grpc::ServerWriter<v1::StateDictPart>* writer) override;
  grpc::Status WatchNetworks(grpc::ServerContext* context, const v1::WatchNetworksRequest* request,
                             grpc::ServerWriter<v1::NetworkEvent>* writer) override;
  grpc::Status InitializeParameters(grpc::ServerContext* context,
                                    const v1::InitializeParametersRequest* request,
                                    v1::InitializeParametersResponse* response) override;
  grpc::Status LoadStateDict(grpc::ServerContext* context,
                             grpc::ServerReader<v1::LoadStateDictRequest>* reader,
                             v1::LoadStateDictResponse* response) override;
  grpc::Status SaveCheckpoint(grpc::ServerContext* context,
                              const v1::SaveCheckpointRequest* request,
                              v1::SaveCheckpointResponse* response) override;
  grpc::Status LoadCheckpoint(grpc::ServerContext* context,
                              const v1::LoadCheckpointRequest* request,
                              v1::LoadStateDictResponse* response) override;
  grpc::Status ResetParameters(grpc::ServerContext* context,
                               const v1::ResetParametersRequest* request,
                               v1::ResetParametersResponse* response) override;
  grpc::Status RegisterNetwork(grpc::ServerContext* context,
                               const v1::RegisterNetworkRequest* request,
                               v1::RegisterNetworkResponse* response) override;
  grpc::Status UnregisterNetwork(grpc::ServerContext* context,
                                 const v1::UnregisterNetworkRequest* request,
                                 v1::UnregisterNetworkResponse* response) override;

 private:
  // PERMISSION_DENIED, with the hint, where only what looks is served.
  absl::Status DescribePlanFor(const grpc::ServerContext& context,
                               const v1::DescribePlanRequest& request,
                               v1::DescribePlanResponse& response);
  absl::Status Initialize(const grpc::ServerContext& context,
                          const v1::InitializeParametersRequest& request,
                          v1::InitializeParametersResponse& response);
  absl::Status Load(const grpc::ServerContext& context,
                    grpc::ServerReader<v1::LoadStateDictRequest>& reader,
                    v1::LoadStateDictResponse& response);
  absl::Status Save(const grpc::ServerContext& context, const v1::SaveCheckpointRequest& request,
                    v1::SaveCheckpointResponse& response);
  absl::Status LoadSaved(const grpc::ServerContext& context,
                         const v1::LoadCheckpointRequest& request,
                         v1::LoadStateDictResponse& response);
  absl::Status Reset(const grpc::ServerContext& context, const v1::ResetParametersRequest& request,
                     v1::ResetParametersResponse& response);
  absl::Status Register(const grpc::ServerContext& context,
                        const v1::RegisterNetworkRequest& request,
                        v1::RegisterNetworkResponse& response);

  hosting::Repository& repository_;
  const hosting::NetworkEvents& events_;
  const hosting::StateDirectory* const state_;
  const Options options_;
  PlanDescriber plans_;
  std::atomic<int> watchers_{0};
};

}  // namespace lazynet::handlers
