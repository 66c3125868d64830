#include "service/hosting/state_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "engine/checkpoint/safetensors_writer.h"
#include "tests/service/support/scratch_folder.h"
#include "tests/support/run_op.h"

namespace lazynet::hosting {
namespace {

using ::testing::HasSubstr;
using testing::Values;

class StateDirectoryTest : public ::testing::Test {
 protected:
  std::unique_ptr<StateDirectory> Open() { return *StateDirectory::Open(folder_.path()); }

  static SavedState StateNamed(const std::string& hash, float value) {
    return {.definition = "definition",
            .binding = Binding{.source = Binding::Source::kAdmin,
                               .input_shapes = {Shape{2, 3}, Shape{}},
                               .time = std::chrono::system_clock::from_time_t(1234)},
            .parameter_hash = hash,
            .client_values = {{"fc1.weight", Values({2}, {value, value})}},
            .replaced = {"fc1.weight"}};
  }

  testing::ScratchFolder folder_;
};

TEST_F(StateDirectoryTest, GivesBackWhatItWasGiven) {
  const auto state = Open();
  EXPECT_FALSE(state->Load("m", 1)->has_value());
  ASSERT_TRUE(state->Create("m", 1, StateNamed("hash", 0.5f)).ok());
  const SavedState loaded = **state->Load("m", 1);
  EXPECT_EQ(loaded.definition, "definition");
  EXPECT_EQ(loaded.binding->source, Binding::Source::kAdmin);
  EXPECT_EQ(loaded.binding->input_shapes, (std::vector<Shape>{Shape{2, 3}, Shape{}}));
  EXPECT_EQ(std::chrono::system_clock::to_time_t(loaded.binding->time), 1234);
  EXPECT_TRUE(loaded.binding->adopted);
  EXPECT_EQ(loaded.parameter_hash, "hash");
  EXPECT_EQ(loaded.replaced, (std::set<std::string>{"fc1.weight"}));
  ASSERT_EQ(loaded.client_values.size(), 1u);
  EXPECT_EQ(loaded.client_values[0].second->values<float>()[1], 0.5f);
  ASSERT_TRUE(state->Forget("m", 1).ok());
  EXPECT_FALSE(state->Load("m", 1)->has_value());
  EXPECT_TRUE(state->Forget("m", 1).ok());
}

TEST_F(StateDirectoryTest, TheFirstOfSeveralWins) {
  const auto one = Open();
  const auto other = Open();
  ASSERT_TRUE(one->Create("m", 1, StateNamed("first", 1)).ok());
  EXPECT_EQ(other->Create("m", 1, StateNamed("second", 2)).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ((*other->Load("m", 1))->parameter_hash, "first");
  ASSERT_TRUE(other->Replace("m", 1, StateNamed("second", 2)).ok());
  EXPECT_EQ((*one->Load("m", 1))->parameter_hash, "second");
}

TEST_F(StateDirectoryTest, ValuesWaitForABinding) {
  const auto state = Open();
  SavedState values = StateNamed("", 1);
  values.binding.reset();
  ASSERT_TRUE(state->Replace("m", 1, values).ok());
  EXPECT_FALSE((*state->Load("m", 1))->binding);
  ASSERT_TRUE(state->Create("m", 1, StateNamed("hash", 2)).ok());
  ASSERT_TRUE(state->Replace("m", 1, values).ok());
  EXPECT_EQ((*state->Load("m", 1))->parameter_hash, "hash") << "values take no binding's place";
  ASSERT_TRUE(state->SetAside("m", 1, "reason").ok());
  EXPECT_FALSE(state->Load("m", 1)->has_value());
  ASSERT_TRUE(state->Replace("m", 1, values).ok());
  ASSERT_TRUE(state->Forget("m", 1).ok());
  EXPECT_FALSE(state->Load("m", 1)->has_value());
}

// Servers wrote values alone under the name of the state.
TEST_F(StateDirectoryTest, ValuesOfAnOlderServerAreFoundUntilThereIsABinding) {
  const auto state = Open();
  folder_.Write("networks/m/1/state.safetensors", "");
  const Tensor value = Values({1}, {7});
  const checkpoint::NamedTensorView view{"fc1.bias", value.view()};
  ASSERT_TRUE(checkpoint::WriteSafetensors(folder_.path() / "networks/m/1/state.safetensors",
                                           {&view, 1}, {{"lazynet.definition", "definition"}})
                  .ok());
  const auto old = *state->Load("m", 1);
  ASSERT_TRUE(old.has_value());
  EXPECT_FALSE(old->binding);
  EXPECT_EQ(old->client_values[0].second->values<float>()[0], 7);
  ASSERT_TRUE(state->Create("m", 1, StateNamed("first", 1)).ok());
  EXPECT_EQ(state->Create("m", 1, StateNamed("second", 1)).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ((*state->Load("m", 1))->parameter_hash, "first");
  ASSERT_TRUE(state->Replace("m", 1, StateNamed("third", 1)).ok());
  EXPECT_EQ((*state->Load("m", 1))->parameter_hash, "third");
  ASSERT_TRUE(state->Forget("m", 1).ok());
  EXPECT_FALSE(state->Load("m", 1)->has_value());
}

TEST_F(StateDirectoryTest, SetsAsideWithTheReason) {
  const auto state = Open();
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(state->Create("m", 1, StateNamed("hash", 1)).ok());
    ASSERT_TRUE(state->SetAside("m", 1, "it is too blue").ok());
    EXPECT_FALSE(state->Load("m", 1)->has_value());
    const auto note = folder_.path() / "networks/m/1" / fmt::format("set-aside-{}.txt", i);
    std::string text;
    std::getline(std::ifstream(note) >> std::ws, text);
    EXPECT_EQ(text, "it is too blue");
    EXPECT_TRUE(std::filesystem::exists(folder_.path() / "networks/m/1" /
                                        fmt::format("set-aside-{}.safetensors", i)));
  }
}

TEST_F(StateDirectoryTest, RemovesWhatKilledWritersLeft) {
  Open();
  for (const char* name :
       {"networks/m/1/.tmp-0123", "checkpoints/.tmp-4567", "checkpoints/.tmp-89"}) {
    folder_.Write(name, "x");
  }
  const auto before = std::filesystem::file_time_type::clock::now() - std::chrono::hours(25);
  for (const char* name : {"networks/m/1/.tmp-0123", "checkpoints/.tmp-4567"}) {
    std::filesystem::last_write_time(folder_.path() / name, before);
  }
  Open();
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "networks/m/1/.tmp-0123"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "checkpoints/.tmp-4567"));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "checkpoints/.tmp-89"));
}

TEST_F(StateDirectoryTest, RefusesWhatIsNoState) {
  const auto state = Open();
  std::filesystem::create_directories(folder_.path() / "networks/m/1");
  std::ofstream(folder_.path() / "networks/m/1/state.safetensors") << "nonsense";
  EXPECT_EQ(state->Load("m", 1).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(StateDirectoryTest, CheckpointsHavePlainNamesAndComeBackByteForByte) {
  const auto state = Open();
  const nn::StateDict values{{"b", Values({2}, {1, 2})}, {"a", Values({1}, {3})}};
  const auto bytes = state->SaveCheckpoint("one", values, false);
  ASSERT_TRUE(bytes.ok());
  const auto loaded = state->LoadCheckpoint("one");
  ASSERT_TRUE(loaded.ok());
  ASSERT_TRUE(state->SaveCheckpoint("two", *loaded, false).ok());
  const auto read = [&](const char* name) {
    std::ifstream file(folder_.path() / "checkpoints" / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_EQ(read("one.safetensors").size(), *bytes);
  EXPECT_EQ(read("one.safetensors"), read("two.safetensors"));
  EXPECT_EQ(state->SaveCheckpoint("one", values, false).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(state->SaveCheckpoint("one", values, true).ok());
  EXPECT_EQ(state->LoadCheckpoint("three").status().code(), absl::StatusCode::kNotFound);
  for (const char* name : {"", ".", "..", "../one", "a/b", ".hidden", "one two"}) {
    EXPECT_EQ(state->LoadCheckpoint(name).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(state->SaveCheckpoint(name, values, true).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(StateDirectoryTest, RemembersRegisteredNetworks) {
  const auto state = Open();
  const StateDirectory::Registered network{
      .name = "m", .version = 3, .definition = "layers {}", .serving = "x"};
  ASSERT_TRUE(state->Register(network, checkpoint::IfExists::kFail).ok());
  auto networks = *state->RegisteredNetworks();
  ASSERT_EQ(networks.size(), 1u);
  EXPECT_EQ(networks[0].name, "m");
  EXPECT_EQ(networks[0].version, 3);
  EXPECT_EQ(networks[0].definition, "layers {}");
  EXPECT_EQ(networks[0].serving, "x");
  ASSERT_TRUE(state->Unregister("m", 3).ok());
  EXPECT_TRUE(state->RegisteredNetworks()->empty());
}

int step_to_die_at = 0;

// Ends the process as kill -9 would, before step `step_to_die_at`.
void DieAtStep(const char*) {
  if (--step_to_die_at == 0) _exit(9);
}

// Runs `change` in a process of its own that ends before step `step`; false when it came through.
bool DiesAt(int step, const std::function<void()>& change) {
  const pid_t child = fork();
  if (child == 0) {
    step_to_die_at = step;
    checkpoint::SetWriteStepHook(DieAtStep);
    change();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status) == 9;
}

// At whatever step a process is killed, what it leaves is the old state or the new one.
TEST_F(StateDirectoryTest, KilledAtAnyStepItLeavesTheOldStateOrTheNew) {
  const auto state = Open();
  struct Change {
    const char* name;
    std::function<void()> run;
  };
  const Change changes[] = {
      {"create", [&] { (void)state->Create("m", 1, StateNamed("new", 2)); }},
      {"replace", [&] { (void)state->Replace("m", 1, StateNamed("new", 2)); }},
      {"forget", [&] { (void)state->Forget("m", 1); }},
      {"set aside", [&] { (void)state->SetAside("m", 1, "reason"); }},
  };
  for (const Change& change : changes) {
    const bool creates = std::string(change.name) == "create";
    const bool removes = std::string(change.name) == "forget" || change.name[0] == 's';
    int died = 0;
    for (int step = 1;; ++step) {
      ASSERT_TRUE(state->Forget("m", 1).ok());
      if (!creates) {
        ASSERT_TRUE(state->Create("m", 1, StateNamed("old", 1)).ok());
      }
      const bool dies = DiesAt(step, change.run);
      const auto after = state->Load("m", 1);
      ASSERT_TRUE(after.ok()) << change.name << " step " << step << ": " << after.status();
      const std::string found = *after ? (*after)->parameter_hash : "nothing";
      const std::string old_state = creates ? "nothing" : "old";
      const std::string new_state = removes ? "nothing" : "new";
      if (dies) {
        EXPECT_TRUE(found == old_state || found == new_state) << change.name << " step " << step;
        if (*after) {
          EXPECT_EQ((*after)->client_values[0].second->values<float>()[0],
                    found == "old" ? 1.0f : 2.0f);
        }
        ++died;
        continue;
      }
      EXPECT_EQ(found, new_state) << change.name;
      break;
    }
    EXPECT_GE(died, removes ? 2 : 5) << change.name;
  }
}

}  // namespace
}  // namespace lazynet::hosting
