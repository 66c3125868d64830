#include "service/scheduling/fair_queue.h"

#include "engine/core/status.h"
#include "service/scheduling/batch_size.h"

namespace lazynet::scheduling {
namespace {

using hosting::QueueOptions;
using std::chrono::nanoseconds;

// How many waiting jobs are looked at for others to run with the first one.
constexpr int kLookedAt = 256;

// Between two looks for cancelled jobs, for each so many that are looked at.
constexpr std::chrono::milliseconds kBetweenSweeps{10};
constexpr int64_t kSweptAtOnce = 1024;

// A batch that takes longer keeps its requests from their answers for more than it gains.
constexpr std::chrono::milliseconds kLongBatch{100};

// Items that a batch may have which a job of this family begins.
int64_t MostItems(const plan::BatchFamily& family, const QueueOptions& options) {
  if (!family.independent()) return 1;
  if (options.max_batch_size > 0) return options.max_batch_size;
  const nanoseconds item_time = std::max(family.item_time(), nanoseconds(1));
  return std::min({family.group_size(), QueueOptions::kMostTogether,
                   std::max<int64_t>(1, kLongBatch / item_time)});
}

int64_t Milliseconds(nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

}  // namespace

std::optional<Refusal> FairQueue::Push(LaneJob& job, Time now) {
  const QueueOptions& options = job.queue();
  const nanoseconds wait = PredictedWait(options);
  const auto found = lines_.find(&options);
  if (found != lines_.end() && found->second->jobs >= options.capacity) {
    return Refusal{"queue_full",
                   ResourceExhausted("the queue is full: {} requests wait", options.capacity),
                   wait};
  }
  if (wait > options.max_wait) {
    return Refusal{"queue_wait",
                   ResourceExhausted("the queue is too long: a request waits {} ms at most, and "
                                     "would wait about {} ms",
                                     options.max_wait.count(), Milliseconds(wait)),
                   wait - options.max_wait};
  }
  if (wait.count() > 0 && job.deadline() != Time::max() && wait > job.deadline() - now) {
    return Refusal{"deadline",
                   ResourceExhausted("the queue is too long: the request would wait about {} ms, "
                                     "and has {} ms until its deadline",
                                     Milliseconds(wait), Milliseconds(job.deadline() - now)),
                   wait};
  }
  Line& line = LineOf(options);
  const Entry entry{&job, &job.family(), now, job.deadline(), job.items(), job.predicted()};
  if (line.jobs++ == 0) {
    line.share = options.share;
    line.virtual_time = std::max(line.virtual_time, virtual_time_);
    turns_.insert(TurnOf(line));
    shares_ += line.share;
  }
  line.ready.reset();
  line.predicted += entry.predicted;
  predicted_ += entry.predicted;
  ++size_;
  const int64_t priority = job.priority();
  Level& level = line.levels[priority];
  const auto place = level.insert(level.end(), entry);
  if (entry.deadline != Time::max()) {
    deadlines_[{entry.deadline, &job}] = {&line, priority, place};
  }
  return std::nullopt;
}

FairQueue::Line& FairQueue::LineOf(const QueueOptions& options) {
  if (const auto found = lines_.find(&options); found != lines_.end()) return *found->second;
  if (lines_.size() >= most_lines_) {
    absl::erase_if(lines_, [&](const auto& line) { return IsForgettable(*line.second); });
    most_lines_ = std::max<size_t>(most_lines_, 2 * lines_.size());
  }
  auto& line = lines_[&options];
  line = std::make_unique<Line>(Line{.options = &options, .id = next_id_++});
  return *line;
}

bool FairQueue::IsForgettable(const Line& line) const {
  return line.jobs == 0 && line.running == 0 && line.virtual_time <= virtual_time_;
}

FairQueue::Entry FairQueue::Remove(const Place& place) {
  Line& line = *place.line;
  const Entry entry = *place.entry;
  const auto level = line.levels.find(place.priority);
  level->second.erase(place.entry);
  if (level->second.empty()) line.levels.erase(level);
  if (entry.deadline != Time::max()) deadlines_.erase({entry.deadline, entry.job});
  line.ready.reset();
  line.predicted -= entry.predicted;
  predicted_ -= entry.predicted;
  --size_;
  if (--line.jobs == 0) {
    turns_.erase(TurnOf(line));
    shares_ = turns_.empty() ? 0 : shares_ - line.share;
  }
  return entry;
}

void FairQueue::MoveOn(Line& line, double nanoseconds) {
  const bool waits = line.jobs > 0 && turns_.erase(TurnOf(line)) > 0;
  line.virtual_time += nanoseconds / line.share;
  if (waits) turns_.insert(TurnOf(line));
}

// The first job, and those that may be run with it.
std::vector<FairQueue::Place> FairQueue::Collect(Line& line) {
  const auto first = line.levels.begin()->second.begin();
  std::vector<Place> places{{&line, line.levels.begin()->first, first}};
  const int64_t most = MostItems(*first->family, *line.options);
  int64_t items = first->items;
  size_t round_places = 1;
  int64_t round_items = items;
  int looked_at = 0;
  for (auto& [priority, level] : line.levels) {
    for (auto entry = level.begin(); entry != level.end(); ++entry) {
      if (items >= most || looked_at++ >= kLookedAt) break;
      if (entry == first || entry->family != first->family) continue;
      if (items + entry->items > most) continue;
      items += entry->items;
      places.push_back({&line, priority, entry});
      if (RoundBatchSize(items) != items) continue;
      round_places = places.size();
      round_items = items;
    }
  }
  // The rest goes with those that come, unless it is much.
  if (2 * round_items >= items) places.resize(round_places);
  return places;
}

FairQueue::Time FairQueue::ReadyAt(const Line& line) {
  if (!line.ready) line.ready = FindReadyAt(line);
  return *line.ready;
}

FairQueue::Time FairQueue::FindReadyAt(const Line& line) {
  const Entry& first = line.levels.begin()->second.front();
  const auto delay = line.options->max_batch_delay;
  int64_t missing = MostItems(*first.family, *line.options) - first.items;
  if (delay.count() == 0 || missing <= 0) return first.arrived;
  Time ready = first.arrived + delay;
  int looked_at = 0;
  for (const auto& [priority, level] : line.levels) {
    for (const Entry& entry : level) {
      if (looked_at++ >= kLookedAt) break;
      // Of any family: they all wait for the first.
      if (entry.deadline != Time::max()) {
        ready = std::min(ready, entry.deadline - entry.predicted);
      }
      if (&entry == &first || entry.family != first.family) continue;
      missing -= entry.items;
      if (missing <= 0) return first.arrived;
    }
  }
  return ready;
}

std::optional<FairQueue::Time> FairQueue::ReadyAt() const {
  std::optional<Time> earliest;
  for (const Turn& turn : turns_) {
    const Time ready = ReadyAt(*turn.second.second);
    if (!earliest || ready < *earliest) earliest = ready;
  }
  return earliest;
}

std::optional<FairQueue::Batch> FairQueue::Pop(Time now) {
  for (const Turn& turn : turns_) {
    Line& line = *turn.second.second;
    if (ReadyAt(line) <= now) return Take(line);
  }
  return std::nullopt;
}

FairQueue::Batch FairQueue::Take(Line& line) {
  virtual_time_ = std::max(virtual_time_, line.virtual_time);
  Batch batch{.line = line.options};
  for (const Place& place : Collect(line)) {
    const Entry entry = Remove(place);
    batch.jobs.push_back(entry.job);
    batch.items += entry.items;
    batch.predicted += entry.predicted;
  }
  ++line.running;
  MoveOn(line, static_cast<double>(batch.predicted.count()));
  return batch;
}

void FairQueue::Finish(const Batch& batch, nanoseconds taken) {
  const auto found = lines_.find(batch.line);
  if (found == lines_.end()) return;
  --found->second->running;
  found->second->ready.reset();  // with what the run tells about its family
  MoveOn(*found->second, static_cast<double>((taken - batch.predicted).count()));
}

std::vector<LaneJob*> FairQueue::TakeExpired(Time now) {
  std::vector<LaneJob*> expired;
  while (!deadlines_.empty() && deadlines_.begin()->first.first <= now) {
    expired.push_back(Remove(deadlines_.begin()->second).job);
  }
  return expired;
}

std::vector<LaneJob*> FairQueue::TakeCancelled(const QueueOptions& options, Time now) {
  std::vector<LaneJob*> cancelled;
  const auto found = lines_.find(&options);
  if (found == lines_.end() || now < found->second->sweep_at) return cancelled;
  Line& line = *found->second;
  line.sweep_at = now + kBetweenSweeps * (1 + line.jobs / kSweptAtOnce);
  std::vector<Place> places;
  for (auto& [priority, level] : line.levels) {
    for (auto entry = level.begin(); entry != level.end(); ++entry) {
      if (entry->job->cancelled()) places.push_back({&line, priority, entry});
    }
  }
  for (const Place& place : places) cancelled.push_back(Remove(place).job);
  return cancelled;
}

std::vector<LaneJob*> FairQueue::TakeAll() {
  std::vector<LaneJob*> all;
  while (!turns_.empty()) {
    Line& line = *turns_.begin()->second.second;
    const auto level = line.levels.begin();
    all.push_back(Remove({&line, level->first, level->second.begin()}).job);
  }
  return all;
}

nanoseconds FairQueue::PredictedWait(const QueueOptions& options) const {
  const auto found = lines_.find(&options);
  if (found == lines_.end() || found->second->jobs == 0) return nanoseconds(0);
  const Line& line = *found->second;
  const double own = static_cast<double>(line.predicted.count()) * shares_ / line.share;
  const auto most = static_cast<double>(predicted_.count());
  return nanoseconds(static_cast<int64_t>(std::min(own, most)) / lanes_);
}

}  // namespace lazynet::scheduling
