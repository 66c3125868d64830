#include "service/handlers/describe_model.h"

#include <string>

#include "service/hosting/signature.h"

namespace lazynet::handlers {
namespace {

// The names of the dtypes are the protocol's: TYPE_FP32 and so on.
inference::DataType TypeOf(DType dtype) {
  inference::DataType type = inference::TYPE_INVALID;
  inference::DataType_Parse("TYPE_" + std::string(Name(dtype)), &type);
  return type;
}

template <typename Tensor, typename Described>
void Describe(const Described& described, const Shape& shape, Tensor& tensor) {
  tensor.set_name(described.name);
  tensor.set_data_type(TypeOf(described.dtype));
  for (const int64_t dim : shape.dims()) tensor.add_dims(dim);
}

void Describe(const hosting::VersionPolicy& policy, inference::ModelVersionPolicy& described) {
  switch (policy.kind) {
    case hosting::VersionPolicy::Kind::kAll:
      described.mutable_all();
      break;
    case hosting::VersionPolicy::Kind::kLatest:
      described.mutable_latest()->set_num_versions(policy.latest);
      break;
    case hosting::VersionPolicy::Kind::kSpecific:
      for (const int64_t version : policy.specific) {
        described.mutable_specific()->add_versions(version);
      }
      break;
  }
}

void Set(inference::StatisticDuration& duration, const hosting::StatisticDuration& value) {
  duration.set_count(value.count);
  duration.set_ns(static_cast<uint64_t>(value.total.count()));
}

template <typename Stages>
void SetStages(const hosting::StageDurations& durations, Stages& stages) {
  Set(*stages.mutable_compute_input(), durations.compute_input);
  Set(*stages.mutable_compute_infer(), durations.compute_infer);
  Set(*stages.mutable_compute_output(), durations.compute_output);
}

void DescribeQueue(const hosting::QueueOptions& queue, inference::ModelConfig& config) {
  if (queue.max_batch_size == 1) return;
  auto& batching = *config.mutable_dynamic_batching();
  batching.set_max_queue_delay_microseconds(static_cast<uint64_t>(queue.max_batch_delay.count()));
  if (queue.priority_levels > 1) {
    batching.set_priority_levels(static_cast<uint64_t>(queue.priority_levels));
    batching.set_default_priority_level(static_cast<uint64_t>(queue.default_priority));
  }
  auto& policy = *batching.mutable_default_queue_policy();
  policy.set_allow_timeout_override(true);
  policy.set_max_queue_size(static_cast<uint32_t>(queue.capacity));
}

}  // namespace

inference::ModelConfig MakeModelConfig(const hosting::HostedNetwork& hosted, size_t lanes) {
  const nn::Network& network = hosted.network();
  inference::ModelConfig config;
  config.set_name(network.name());
  config.set_platform("lazynet_network");
  config.set_backend("lazynet");
  Describe(hosted.serving().versions, *config.mutable_version_policy());
  const hosting::Signature signature = hosting::Describe(hosted);
  for (size_t i = 0; i < network.inputs().size(); ++i) {
    Describe(network.inputs()[i], signature.inputs[i], *config.add_input());
  }
  for (size_t i = 0; i < network.outputs().size(); ++i) {
    auto& output = *config.add_output();
    Describe(network.outputs()[i], signature.outputs[i], output);
    if (!hosted.labels().empty()) output.set_label_filename(hosted.labels()[i].file);
  }
  auto& group = *config.add_instance_group();
  group.set_name(network.name());
  group.set_kind(inference::ModelInstanceGroup::KIND_CPU);
  group.set_count(static_cast<int>(lanes));
  DescribeQueue(hosted.queue(), config);
  config.mutable_model_transaction_policy()->set_decoupled(false);
  (*config.mutable_parameters())["compute"].set_string_value(
      std::string(Name(network.compute_dtype())));
  return config;
}

inference::ModelStatistics DescribeStatistics(const hosting::HostedNetwork& hosted) {
  const hosting::InferenceStatistics::Snapshot now = hosted.statistics().Read();
  inference::ModelStatistics statistics;
  statistics.set_name(hosted.network().name());
  statistics.set_version(std::to_string(hosted.version()));
  statistics.set_last_inference(static_cast<uint64_t>(now.last_inference.count()));
  statistics.set_inference_count(now.items);
  statistics.set_execution_count(now.executions);
  auto& all = *statistics.mutable_inference_stats();
  Set(*all.mutable_success(), now.success);
  Set(*all.mutable_fail(), now.failure);
  Set(*all.mutable_queue(), now.queue);
  SetStages(now.stages, all);
  for (const auto& [items, stages] : now.batches) {
    auto& batch = *statistics.add_batch_stats();
    batch.set_batch_size(items);
    SetStages(stages, batch);
  }
  auto& memory = *statistics.add_memory_usage();
  memory.set_type("CPU");
  memory.set_byte_size(hosted.MemoryBytes());
  return statistics;
}

}  // namespace lazynet::handlers
