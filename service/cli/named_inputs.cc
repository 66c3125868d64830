#include "service/cli/named_inputs.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "service/cli/match_inputs.h"
#include "service/cli/text_format.h"

namespace lazynet::cli {

std::optional<ExitCode> AddInputs(Session& session,
                                  google::protobuf::RepeatedPtrField<v1::BoundInput>& inputs) {
  const Options& options = session.options();
  for (const NamedShape& shape : options.shapes) {
    v1::BoundInput& input = *inputs.Add();
    input.set_name(shape.name);
    for (const int64_t dim : shape.shape.dims()) input.add_shape(dim);
    if (!shape.name.empty()) continue;
    const auto network = session.client().DescribeNetwork(options.model, options.version);
    if (!network.ok()) return session.CallFailed(network.status());
    // An unavailable network has none to tell; its answer to the request says why.
    if (network->inputs().empty()) continue;
    std::vector<std::string> names;
    for (const v1::BoundInput& known : network->inputs()) names.push_back(known.name());
    const auto matched =
        MatchInputs(options.shapes, names,
                    {fmt::format("model \"{}\"", options.model), "--shape wants NAME=SHAPE",
                     text::TensorsText(network->inputs())});
    if (!matched.ok()) return session.Fail(kUsage, Message(matched.status()));
    input.set_name(names[0]);
  }
  return std::nullopt;
}

}  // namespace lazynet::cli
