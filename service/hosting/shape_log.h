#pragma once

#include "service/hosting/bound_network.h"
#include "service/hosting/hosted_definition.h"
#include "service/hosting/shape_history.h"
#include "service/hosting/state_directory.h"

namespace lazynet::hosting {

// Which shapes the requests of one network have, written to the state directory, if there is one.
class ShapeLog {
 public:
  // Both outlive this.
  ShapeLog(const HostedDefinition& definition, const StateDirectory* state)
      : definition_(definition), state_(state) {}

  // Reads what an earlier run left. To be called first.
  void Load();

  // What requests had before the server started.
  const ShapeHistory& remembered() const { return remembered_; }

  // Adds what the plans of `bound`, if any, were used for, and writes all where the most used have
  // changed. For one thread at a time, as Clear.
  absl::Status Record(BoundNetwork* bound);

  // Forgets what requests had, for Record.
  void Clear();

 private:
  const HostedDefinition& definition_;
  const StateDirectory* const state_;
  ShapeHistory remembered_;  // set by Load
  ShapeHistory shapes_;
  ShapeHistory saved_;
};

}  // namespace lazynet::hosting
