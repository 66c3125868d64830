#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "service/hosting/bound_network.h"
#include "service/hosting/environment.h"
#include "service/hosting/hosted_definition.h"

namespace lazynet::hosting {

metrics::MaterializationSource ForMetrics(Binding::Source source);

// Whether a state with this error belongs to other parameters, or is none.
inline bool IsMisfit(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status);
}

// Makes the parameters of one network, counted by the memory budget and by its probe. Keeps none.
// Safe for use by many threads.
class ParameterMaker {
 public:
  using Known = std::shared_ptr<const nn::ParameterSet>;

  // `asking` is the network that room is made for. All outlive this.
  ParameterMaker(const HostedDefinition& definition, const Environment& environment,
                 std::shared_ptr<metrics::NetworkProbe> probe, const Evictable* asking)
      : definition_(definition),
        environment_(environment),
        probe_(std::move(probe)),
        asking_(asking) {}

  // The server's, or the network's own where they are narrower.
  nn::MaterializeOptions Options() const;

  using Room = std::unique_ptr<MemoryBudget::Share>;

  // Counts as long as the set is there. The new values have their memory from `room`, here and
  // below.
  Known Counted(nn::ParameterSet set, Room room = nullptr) const;

  std::shared_ptr<BoundNetwork> MakeBound(nn::ParameterSet set, const Binding& binding,
                                          Room room = nullptr) const;

  // Room for the values in `set` that `before` has not, if there is any before.
  absl::StatusOr<Room> RoomFor(const nn::ParameterSet& set, const nn::ParameterSet* before) const;

  // Gives what `known` lacks its initial values; without shapes its sizes are known.
  absl::StatusOr<std::shared_ptr<BoundNetwork>> Materialized(
      const nn::ParameterSet& known, std::optional<std::vector<Shape>> input_shapes,
      Binding binding, metrics::MaterializationSource source) const;

  // What makes it again, with the hash of a bound one if that is known.
  SavedState StateOf(const BoundNetwork& bound) const;
  SavedState StateOf(const nn::ParameterSet& known) const;

  // The same for the state directory, with the hash.
  SavedState StateToSave(const BoundNetwork& bound) const;

  // What a state makes of the definition and checkpoint, which are `base`. `known` becomes what it
  // says without a binding; null is returned then.
  absl::StatusOr<std::shared_ptr<BoundNetwork>> FromState(
      const nn::ParameterSet& base, const SavedState& state, nn::ParameterSet& known,
      metrics::MaterializationSource source) const;

  // What an eviction of that would leave, without making it.
  absl::StatusOr<EvictedNetwork> EvictedFromState(const nn::ParameterSet& base,
                                                  const SavedState& state) const;

  // Memory of the values that an evicted network is without.
  absl::StatusOr<size_t> BytesToDraw(const EvictedNetwork& evicted) const;

 private:
  // A state beside the definition: what it says before anything is drawn, and what goes in after.
  struct Fitted {
    nn::ParameterSet known;
    nn::StateDict after;
    std::optional<std::vector<Shape>> input_shapes;
  };
  absl::StatusOr<Fitted> Fit(const nn::ParameterSet& base, const SavedState& state) const;

  const nn::Network& network() const { return *definition_.network; }

  const HostedDefinition& definition_;
  const Environment& environment_;
  const std::shared_ptr<metrics::NetworkProbe> probe_;
  const Evictable* const asking_;
};

}  // namespace lazynet::hosting
