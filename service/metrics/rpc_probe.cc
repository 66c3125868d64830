#include "service/metrics/rpc_probe.h"

#include <algorithm>

#include "service/metrics/registry.h"
#include "service/metrics/status_code_index.h"
#include "service/metrics/store.h"

namespace lazynet::metrics {
namespace {

// What gRFC A66 calls methods that a server does not know.
constexpr std::string_view kOther = "other";

}  // namespace

void MethodProbe::RecordStarted() const { series_->started.Add(); }

void MethodProbe::RecordEnded(absl::StatusCode code, std::chrono::nanoseconds duration,
                              size_t received_bytes, size_t sent_bytes) const {
  MethodSeries::Ended& ended = series_->ended[IndexOf(code)];
  ended.received_bytes.Observe(static_cast<int64_t>(received_bytes));
  ended.sent_bytes.Observe(static_cast<int64_t>(sent_bytes));
  ended.duration.Observe(duration.count());
}

RpcProbe::RpcProbe(Registry& registry, const std::vector<std::string>& methods)
    : store_(registry.store()) {
  std::vector<std::string> names = methods;
  names.emplace_back(kOther);
  std::sort(names.begin(), names.end());
  MethodTable table;
  for (std::string& name : names) {
    table.push_back(std::make_shared<MethodSeries>());
    table.back()->method = std::move(name);
  }
  store_->ShowMethods(std::move(table));
}

RpcProbe::~RpcProbe() = default;

MethodProbe RpcProbe::Method(std::string_view method) const {
  if (method.starts_with('/')) method.remove_prefix(1);
  const MethodTable& table = store_->methods();
  const auto find = [&](std::string_view name) {
    return std::lower_bound(
        table.begin(), table.end(), name,
        [](const auto& series, std::string_view wanted) { return series->method < wanted; });
  };
  const auto found = find(method);
  const bool known = found != table.end() && (*found)->method == method;
  return MethodProbe(known ? **found : **find(kOther));
}

}  // namespace lazynet::metrics
