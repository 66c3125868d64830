#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan/plan.h"
#include "service/hosting/bound_network.h"
#include "service/hosting/environment.h"
#include "service/hosting/hosted_definition.h"
#include "service/hosting/inference_statistics.h"
#include "service/hosting/parameter_maker.h"
#include "service/hosting/shape_log.h"

namespace lazynet::hosting {

// What it takes to run requests of one set of input shapes.
struct Executable {
  std::shared_ptr<BoundNetwork> bound;  // keeps alive what the plan reads
  std::shared_ptr<const plan::Plan> plan;
  std::shared_ptr<const plan::Plan> wide;  // for all threads; null if it is no faster, or not built
};

// A plan to look at, which is not cached.
struct PlanView {
  std::shared_ptr<BoundNetwork> bound;     // null: the network is not bound, and there is no plan
  std::shared_ptr<const plan::Plan> plan;  // what `description` is of
  plan::PlanDescription description;       // without kernels if there is no plan
  std::vector<Shape> outputs;              // of the network, for the whole batch
};

// What materializing for some input shapes would do.
struct Forecast {
  std::vector<std::pair<int, int>> created;  // node and parameter of what has no value yet
  std::vector<nn::Sizes> sizes;              // per node, as far as they are known
  std::vector<Shape> outputs;                // of the network; empty with errors
  size_t created_bytes = 0;
  size_t parameter_bytes = 0;  // of all
  std::vector<absl::Status> errors;
};

// What is known of a hosted network at one moment.
struct Standing {
  std::shared_ptr<BoundNetwork> bound;            // the parameters, and how they came
  std::shared_ptr<const EvictedNetwork> evicted;  // if they were, and are not back yet
  std::shared_ptr<const nn::ParameterSet> parameters;

  // Null while lazy.
  const Binding* binding() const;

  // hosting::ParameterHash of bound parameters, which takes long when it is asked for first, or of
  // evicted ones where it was; else empty.
  std::string ParameterHash(const nn::Network& network) const;
};

// One version of one definition inside the server.
//
//   lazy --Prepare, Initialize, Load--> materializing --> ready --Reset--> lazy
//                                           \--error--> lazy
//   ready --EvictParameters--> evicted --whoever needs them--> ready
//
// Between Announce and Retire it is hosted: only then its events and metrics are told. An evicted
// network is bound: its sizes, binding and hash stay as they are, and what comes back
// has that hash. Safe for use by many threads.
class HostedNetwork : public Evictable, public std::enable_shared_from_this<HostedNetwork> {
 public:
  using State = NetworkState;

  // Takes the checkpoint's values, then what the state directory remembers, evicted where there is
  // no free memory for that, and is ready at once when those, or the definition, leave no size
  // unknown, or the serving options say so. A state that does not fit is set aside.
  // INVALID_ARGUMENT when the checkpoint does not fit the network; errors of binding at load, and
  // of reading a state that may fit: to start without it would lose what it holds.
  static absl::StatusOr<std::shared_ptr<HostedNetwork>> Create(HostedDefinition definition,
                                                               const Environment& environment);

  ~HostedNetwork() override;
  HostedNetwork(const HostedNetwork&) = delete;
  HostedNetwork& operator=(const HostedNetwork&) = delete;

  const nn::Network& network() const { return *definition_.network; }
  int64_t version() const { return definition_.version; }
  const ServingOptions& serving() const { return definition_.serving; }
  const QueueOptions& queue() const { return serving().queue; }
  const std::vector<OutputLabels>& labels() const { return definition_.labels; }
  metrics::NetworkProbe& probe() const { return *probe_; }
  InferenceStatistics& statistics() { return statistics_; }
  const InferenceStatistics& statistics() const { return statistics_; }

  // The repository hosts it: tells its state, and goes on to.
  void Announce();

  // Another one has its place, or none: nothing of it is told or written any more, for requests
  // that still run on it. Waits for what is being written.
  void Retire();

  // Why a remembered state was not used; empty when it was, or there was none.
  std::string set_aside() const;

  State state() const;

  Standing Look() const;

  // The parameters, and how they came; null while lazy or evicted.
  std::shared_ptr<BoundNetwork> bound() const { return Look().bound; }

  // What is known of the parameters at this moment.
  std::shared_ptr<const nn::ParameterSet> parameters() const { return Look().parameters; }

  // The same with the values of evicted parameters, which are then made again. Takes as long as
  // Prepare, and has its errors.
  absl::StatusOr<std::shared_ptr<const nn::ParameterSet>> ParametersWithValues();

  // hosting::ParameterHash, empty while lazy. Takes long when it is asked for first, and for
  // parameters that were evicted before that as long as Prepare, with its errors.
  absl::StatusOr<std::string> ParameterHash();

  // Of the parameters, but for those in mapped files, and of the packed weights.
  size_t MemoryBytes() const;

  // The executable for these shapes if it is there. Counts a hit or a miss of the plan cache.
  std::optional<Executable> Find(std::span<const Shape> input_shapes);

  // Whether a request may have these shapes now, by limits, policy and inference alone; what
  // Prepare would answer but for memory. INVALID_ARGUMENT names the layer, and what bound it and
  // when; FAILED_PRECONDITION while only an administrator may bind.
  absl::Status Check(std::span<const Shape> input_shapes) const;

  // The same whatever the policy.
  absl::Status CheckShapes(std::span<const Shape> input_shapes) const;

  // Builds the plan that Prepare would build, or, of a network that is not bound, tells its ops.
  // Takes long; for build lanes. The network stays as it is, but for evicted parameters, which are
  // made again. Errors as Prepare's.
  absl::StatusOr<PlanView> ViewPlan(std::span<const Shape> input_shapes);

  // Materializes if nothing has yet, and builds the plan for these shapes if it is not there. Takes
  // long; for build lanes. An error leaves the network as it was. RESOURCE_EXHAUSTED when the
  // memory budget has no room, and none can be made.
  absl::StatusOr<Executable> Prepare(std::span<const Shape> input_shapes);

  // Builds one more plan, for one thread or for all, that is not there and that nobody waits for,
  // if the network is still bound as it was. Takes long; for build lanes.
  absl::Status AddPlan(const std::shared_ptr<BoundNetwork>& bound,
                       std::span<const Shape> input_shapes, bool wide);

  // Whether the executable lacks a plan for all threads, and would gain from it.
  bool GainsFromWidening(const Executable& executable) const;

  // The same as Prepare, ahead of requests, and AddPlan for all lanes where that gains.
  absl::Status WarmUp(std::span<const Shape> input_shapes);

  // The same as Prepare by an administrator, whatever the policy.
  absl::StatusOr<Executable> Initialize(std::span<const Shape> input_shapes);

  // What Initialize would do, and everything that is wrong. Changes nothing.
  Forecast Foresee(std::span<const Shape> input_shapes) const;

  // nn::LoadStateDict, then ready if that leaves no size unknown. ABORTED when another server on
  // the state directory was first, whose parameters are then taken over. `dry` changes nothing.
  absl::Status Load(const nn::StateDict& values, nn::LoadOptions options, bool dry,
                    nn::LoadReport& report);

  // Back to the definition and the checkpoint beside it.
  absl::Status Reset();

  // What requests had before the server started, by the state directory.
  const ShapeHistory& remembered_shapes() const { return shapes_.remembered(); }

  // Writes the shapes that requests had since then to the state directory, if there is one and the
  // most used have changed.
  absl::Status RecordShapes();

  // As the memory budget calls them. Nothing of a pinned network can go. Parameters that clients
  // loaded can only go where the state directory has them.
  size_t EvictableBytes() const override;
  void EvictUnusedPlans() override;
  bool EvictPlan() override;
  bool EvictParameters() override;

 private:
  using Known = ParameterMaker::Known;

  HostedNetwork(HostedDefinition definition, const Environment& environment);

  absl::Status LoadCheckpoint();
  absl::Status Start();

  // What shapes make of the sizes that are known, by limits and inference.
  absl::StatusOr<nn::Inference> Infer(const Standing& now,
                                      std::span<const Shape> input_shapes) const;
  absl::StatusOr<Executable> PrepareFor(std::span<const Shape> input_shapes,
                                        Binding::Source source);
  absl::StatusOr<std::shared_ptr<const plan::Plan>> BuildPlan(BoundNetwork& bound,
                                                              std::span<const Shape> shapes,
                                                              int threads = 1) const;
  std::shared_ptr<const plan::Plan> FindWide(BoundNetwork& bound, const plan::Plan& plan,
                                             std::span<const Shape> input_shapes) const;
  absl::StatusOr<Executable> BindAndPlan(std::span<const Shape> input_shapes,
                                         Binding::Source source);
  absl::Status BindKnown(Binding::Source source);
  absl::Status LoadBound(const BoundNetwork& before, nn::ParameterSet loaded,
                         ParameterMaker::Room room);
  absl::Status BindLoaded(const nn::ParameterSet& known);
  absl::Status KeepLoaded(Known known);

  absl::Status Remember(const BoundNetwork& bound, const absl::Status& if_retired);
  // What becomes of a state that there is no free memory for.
  enum class WhenFull { kEvictOthers, kBeginEvicted };
  absl::Status AdoptOrSetAside(WhenFull when_full = WhenFull::kEvictOthers);
  absl::Status Adopt(const SavedState& saved, WhenFull when_full);
  template <typename Evict>
  bool EvictFrom(const BoundNetwork& bound, const Evict& evict);
  absl::StatusOr<SavedState> StateToKeep(const BoundNetwork& bound) const;
  absl::Status BringBack();

  // Writes to the state directory, or returns the other status.
  absl::Status WriteUnlessRetired(const absl::Status& if_retired,
                                  const std::function<absl::Status()>& write);
  void TellState();
  void ShowState(State state);
  void Publish(std::shared_ptr<BoundNetwork> bound);
  void PublishEvicted(std::shared_ptr<const EvictedNetwork> evicted);
  void Unbind(Known known);
  void ShowParameters();

  const HostedDefinition definition_;
  const Environment& environment_;
  const std::shared_ptr<metrics::NetworkProbe> probe_;
  const ParameterMaker maker_;
  ShapeLog shapes_;
  InferenceStatistics statistics_;
  Known base_;  // definition and checkpoint; set by Create
  MemoryBudget::Resident resident_;

  std::mutex changing_;  // held through every change: one materialization, one plan at a time

  // To change the stage both are held, to read it one of them.
  enum class Stage { kMade, kHosted, kRetired };
  Stage stage_ = Stage::kMade;
  std::mutex telling_;  // held while events and metrics are told; before mutex_
  std::mutex writing_;  // held while the state directory is written

  mutable std::mutex mutex_;  // guards all below, for moments only
  Known known_;               // while neither bound nor evicted
  std::shared_ptr<BoundNetwork> bound_;
  std::shared_ptr<const EvictedNetwork> evicted_;
  State state_ = State::kLazy;
  std::string set_aside_;
};

}  // namespace lazynet::hosting
