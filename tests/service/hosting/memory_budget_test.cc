#include "service/hosting/memory_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/definitions.h"
#include "tests/support/run_op.h"

namespace lazynet::hosting {
namespace {

using testing::Values;

// Holds bytes as plans and parameters until it is told to give them back.
class FakeNetwork : public Evictable {
 public:
  FakeNetwork(MemoryBudget& budget, size_t plan_bytes, size_t parameter_bytes)
      : budget_(budget),
        plan_bytes_(plan_bytes),
        plan_(std::make_unique<MemoryBudget::Share>(budget, plan_bytes)),
        parameter_bytes_(parameter_bytes),
        parameters_(std::make_unique<MemoryBudget::Share>(budget, parameter_bytes)) {
    budget.Add(static_cast<int64_t>(plan_bytes + parameter_bytes));
  }
  ~FakeNetwork() override { budget_.Leave(resident, false); }

  size_t EvictableBytes() const override {
    ++asked;
    if (busy) return 0;
    return (plan_ ? plan_bytes_ : 0) + (parameters_ ? parameter_bytes_ : 0);
  }
  void EvictUnusedPlans() override { ++looks; }
  bool EvictPlan() override { return !busy && std::exchange(plan_, nullptr) != nullptr; }
  bool EvictParameters() override {
    if (busy || parameters_ == nullptr) return false;
    parameters_ = nullptr;
    budget_.Leave(resident, true);
    return true;
  }
  bool has_plan() const { return plan_ != nullptr; }
  bool has_parameters() const { return parameters_ != nullptr; }

  MemoryBudget::Resident resident;
  bool busy = false;
  int looks = 0;
  mutable int asked = 0;

 private:
  MemoryBudget& budget_;
  const size_t plan_bytes_;
  std::unique_ptr<MemoryBudget::Share> plan_;
  const size_t parameter_bytes_;
  std::unique_ptr<MemoryBudget::Share> parameters_;
};

std::shared_ptr<FakeNetwork> Enter(MemoryBudget& budget, size_t plan, size_t parameters) {
  auto network = std::make_shared<FakeNetwork>(budget, plan, parameters);
  budget.Enter(network, network->resident);
  return network;
}

TEST(MemoryBudget, CountsSharesAsLongAsTheyLive) {
  int64_t told = 0;
  MemoryBudget budget(100, [&](int64_t change) { told += change; });
  {
    const auto share = budget.Take(60, "parameters", nullptr);
    ASSERT_TRUE(share.ok());
    EXPECT_EQ(budget.used(), 60u);
    EXPECT_EQ(told, 60);
    EXPECT_TRUE(budget.Admit(40, "plans", nullptr).ok());
    EXPECT_EQ(budget.used(), 60u);
  }
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(told, 0);
}

TEST(MemoryBudget, RefusesWithNumbers) {
  MemoryBudget budget(100);
  const auto share = budget.Take(60, "parameters", nullptr);
  const absl::Status refused = budget.Take(50, "packed weights", nullptr).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Message(refused),
            "wants 50 bytes of packed weights, and of the memory budget of 100 bytes 40 are free "
            "and 0 can be made free");
  EXPECT_EQ(budget.Check(50, "packed weights", nullptr), refused);
}

TEST(MemoryBudget, TakesPlansBeforeParametersAndNoMoreThanItNeeds) {
  MemoryBudget budget(100);
  const auto first = Enter(budget, 10, 30);
  const auto second = Enter(budget, 10, 50);
  EXPECT_TRUE(budget.Admit(9, "plans", nullptr).ok());
  EXPECT_FALSE(first->has_plan());
  EXPECT_TRUE(first->has_parameters());
  EXPECT_TRUE(budget.Admit(30, "plans", nullptr).ok());
  EXPECT_FALSE(first->has_parameters());
  EXPECT_TRUE(second->has_plan());
}

TEST(MemoryBudget, WhoAsksAndWhoIsBusyStays) {
  MemoryBudget budget(100);
  const auto asking = Enter(budget, 10, 30);
  const auto busy = Enter(budget, 10, 30);
  const auto idle = Enter(budget, 10, 10);
  busy->busy = true;
  EXPECT_TRUE(budget.Admit(20, "plans", asking.get()).ok());
  EXPECT_TRUE(asking->has_plan() && asking->has_parameters());
  EXPECT_TRUE(busy->has_plan() && busy->has_parameters());
  EXPECT_FALSE(idle->has_parameters());
}

TEST(MemoryBudget, AsksAFewOfManyNetworksAndNotEachTime) {
  constexpr size_t kNetworks = 10'000;
  MemoryBudget budget(10 * kNetworks);
  std::vector<std::shared_ptr<FakeNetwork>> networks;
  for (size_t i = 0; i < kNetworks; ++i) networks.push_back(Enter(budget, 1, 9));
  std::vector<std::unique_ptr<MemoryBudget::Share>> shares;
  for (int i = 0; i < 50; ++i) shares.push_back(*budget.Take(20, "plans", nullptr));
  int asked = 0;
  size_t evicted = 0;
  for (const auto& network : networks) {
    asked += network->asked;
    evicted += network->has_parameters() ? 0 : 1;
  }
  EXPECT_LE(asked, 50) << "as often as memory is wanted, at most";
  EXPECT_LE(evicted, 2 * (50 * 20 + 10 * kNetworks / 64) / 10);
}

TEST(MemoryBudget, EvictsNobodyInVain) {
  MemoryBudget budget(100);
  const auto network = Enter(budget, 10, 50);
  EXPECT_FALSE(budget.Admit(101, "plans", nullptr).ok());
  EXPECT_TRUE(network->has_plan() && network->has_parameters());
}

TEST(MemoryBudget, WhoIsPassedOverGivesUnusedPlansBack) {
  MemoryBudget budget(100);
  const auto used = Enter(budget, 10, 30);
  const auto idle = Enter(budget, 10, 30);
  used->resident.RecordUse();
  EXPECT_TRUE(budget.Admit(50, "plans", nullptr).ok());
  EXPECT_EQ(used->looks, 1);
  EXPECT_TRUE(used->has_parameters());
  EXPECT_FALSE(idle->has_parameters());
}

TEST(MemoryBudget, AValueOfTwoSetsCountsOnceUntilTheLastIsGone) {
  MemoryBudget budget(1000);
  const auto network = testing::NetworkOf(testing::LazyMlp());
  const auto declared = nn::ParameterSet::Declared(*network);
  const nn::StateDict one = {{"fc2.bias", Values({1}, {1})}};
  const nn::StateDict two = {{"fc1.bias", Values({10}, std::vector<float>(10))}};
  const auto first = *nn::LoadStateDict(*network, declared, one);
  auto shares = budget.Hold(first);
  EXPECT_EQ(budget.used(), 4u);
  {
    const auto both = *nn::LoadStateDict(*network, first, two);
    const auto more = budget.Hold(both);
    EXPECT_EQ(budget.used(), 44u);
    shares.clear();
    EXPECT_EQ(budget.used(), 44u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, ValuesComeOutOfTheRoomThatWasTaken) {
  std::vector<int64_t> told;
  MemoryBudget budget(100, [&](int64_t change) { told.push_back(change); });
  const auto network = testing::NetworkOf(testing::LazyMlp());
  const auto set = *nn::LoadStateDict(*network, nn::ParameterSet::Declared(*network),
                                      {{{"fc1.bias", Values({10}, std::vector<float>(10))}}});
  auto room = *budget.Take(50, "parameters", nullptr);
  const auto shares = budget.Hold(set, std::move(room));
  EXPECT_EQ(budget.used(), 40u);
  EXPECT_EQ(told, (std::vector<int64_t>{50, -10}));
}

// Three of four have room at a time.
TEST(MemoryBudget, ManyThreadsStayWithinIt) {
  MemoryBudget budget(1000);
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        auto share = budget.Take(300, "parameters", nullptr);
        if (!share.ok()) ++refused;
        EXPECT_LE(budget.used(), 1000u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_LT(refused, 4 * 2000);
}

}  // namespace
}  // namespace lazynet::hosting
