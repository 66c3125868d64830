#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "service/scheduling/lane_job.h"

namespace lazynet::scheduling {

// Why a job was not taken.
struct Refusal {
  std::string_view reason;  // of the metric shed_total
  absl::Status status;      // RESOURCE_EXHAUSTED
  std::chrono::nanoseconds retry_after{0};
};

// Who is run next: the jobs that wait for lanes, in a line for each network. A set of rules that
// knows no threads; who shares it locks it, and tells the time.
//
// Between lines: start-time fair queueing (Goyal, Vin, Cheng 1996). Each line has a virtual time,
// which the lanes' time that its jobs took moves on, divided by its share; the line that is least
// far on is served. So busy networks get lane time by their shares whatever a job of theirs takes,
// and one that comes after a while starts where the others are. Of deficit round robin it has the
// bounds, without a quantum, which jobs of 10 us and of 100 ms do not have in common.
//
// Within a line: by priority, then by arrival. A job takes along those behind it that are of its
// family, as many items as gain from that.
class FairQueue {
 public:
  using Time = LaneJob::Time;

  // `lanes` that jobs are run on at the same time.
  explicit FairQueue(size_t lanes) : lanes_(static_cast<int64_t>(lanes)) {}

  // Takes a job, until Pop or another Take gives it back. Refused, and left alone, when its line is
  // full, or when it would wait for too long, or beyond its deadline, as it is predicted.
  std::optional<Refusal> Push(LaneJob& job, Time now);

  // Jobs of one line, to be run as one, and the lane time that they are predicted to take. To be
  // told to Finish afterwards.
  struct Batch {
    std::vector<LaneJob*> jobs;
    int64_t items = 0;
    const hosting::QueueOptions* line = nullptr;
    std::chrono::nanoseconds predicted{0};
  };

  // What is to be run next; nothing if no job waits, or all wait for others to be run with.
  std::optional<Batch> Pop(Time now);

  // When Pop has something: a moment that may be past, or nothing while no job waits.
  std::optional<Time> ReadyAt() const;

  // The lane time that a batch really took.
  void Finish(const Batch& batch, std::chrono::nanoseconds taken);

  // Jobs whose deadlines have passed.
  std::vector<LaneJob*> TakeExpired(Time now);

  // Jobs of a line that nobody waits for any more, so that they keep no place from others. As all
  // jobs of the line are looked at, they are looked for once in 10 ms at most, in long lines less
  // often.
  std::vector<LaneJob*> TakeCancelled(const hosting::QueueOptions& line, Time now);

  // All that are left, in no order.
  std::vector<LaneJob*> TakeAll();

  size_t size() const { return size_; }

  // About how long a job of this line that is pushed now would wait.
  std::chrono::nanoseconds PredictedWait(const hosting::QueueOptions& line) const;

 private:
  struct Entry {
    LaneJob* job;
    const plan::BatchFamily* family;
    Time arrived;
    Time deadline;
    int64_t items;
    std::chrono::nanoseconds predicted;
  };
  using Level = std::list<Entry>;

  // Its options may be gone, with their network, when it has no jobs.
  struct Line {
    const hosting::QueueOptions* options;
    uint64_t id;  // for the order of equals
    double share = 1;
    double virtual_time = 0;                 // nanoseconds
    absl::btree_map<int64_t, Level> levels;  // by priority; none is empty
    int64_t jobs = 0;
    std::chrono::nanoseconds predicted{0};  // of its jobs
    int running = 0;                        // batches
    mutable std::optional<Time> ready;      // when its first batch may go; nothing: not known
    Time sweep_at = Time::min();            // the next time that cancelled jobs are looked for
  };
  using Turn = std::pair<double, std::pair<uint64_t, Line*>>;  // virtual time, id

  // Where an entry is, to take it out of the middle.
  struct Place {
    Line* line;
    int64_t priority;
    Level::iterator entry;
  };

  static Turn TurnOf(Line& line) { return {line.virtual_time, {line.id, &line}}; }
  static Time ReadyAt(const Line& line);
  static Time FindReadyAt(const Line& line);
  static std::vector<Place> Collect(Line& line);
  Line& LineOf(const hosting::QueueOptions& options);
  Batch Take(Line& line);
  Entry Remove(const Place& place);
  void MoveOn(Line& line, double nanoseconds);
  bool IsForgettable(const Line& line) const;

  const int64_t lanes_;
  absl::flat_hash_map<const hosting::QueueOptions*, std::unique_ptr<Line>> lines_;
  size_t most_lines_ = 64;       // until those that may be forgotten are looked for
  absl::btree_set<Turn> turns_;  // lines with jobs
  double shares_ = 0;            // of them
  absl::btree_map<std::pair<Time, LaneJob*>, Place> deadlines_;
  uint64_t next_id_ = 0;
  double virtual_time_ = 0;  // of the line that was served last
  size_t size_ = 0;
  std::chrono::nanoseconds predicted_{0};  // of all jobs
};

}  // namespace lazynet::scheduling
