// `lazynet state-dict`.

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/checkpoint/safetensors_writer.h"
#include "tests/service/cli/client_test.h"

namespace lazynet::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr size_t kPieceBytes = size_t{1} << 20;

v1::StateDictPart Entry(const std::string& key, const std::string& datatype,
                        const std::vector<int64_t>& shape, uint64_t bytes) {
  v1::StateDictPart part;
  v1::StateDictEntry& entry = *part.mutable_entry();
  entry.set_key(key);
  entry.set_datatype(datatype);
  for (const int64_t dim : shape) entry.add_shape(dim);
  entry.set_byte_size(bytes);
  return part;
}

v1::StateDictPart Uninitialized(const std::string& key, const std::vector<int64_t>& shape) {
  v1::StateDictPart part = Entry(key, "FP32", shape, 0);
  part.mutable_entry()->set_uninitialized(true);
  return part;
}

v1::StateDictPart Data(const std::string& bytes) {
  v1::StateDictPart part;
  part.set_data(bytes);
  return part;
}

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// Tensors of floats, as a file.
void WriteFloats(const std::string& path,
                 const std::map<std::string, std::vector<float>>& tensors) {
  std::vector<checkpoint::NamedTensorView> views;
  for (const auto& [name, values] : tensors) {
    views.push_back({name,
                     {DType::kFp32, Shape{static_cast<int64_t>(values.size())},
                      reinterpret_cast<const std::byte*>(values.data())}});
  }
  ASSERT_TRUE(checkpoint::WriteSafetensors(path, views).ok());
}

class StateDictTest : public ClientTest {
 protected:
  void Serve(std::vector<v1::StateDictPart> parts) {
    server_.handlers.get_state_dict = [this, parts](const v1::GetStateDictRequest& request) {
      request_ = request;
      return Stream<v1::StateDictPart>{parts, absl::OkStatus()};
    };
  }

  const ScratchFolder folder_;
  const std::string file_ = folder_ / "m.safetensors";
  v1::GetStateDictRequest request_;
};

using SaveTest = StateDictTest;

TEST_F(SaveTest, WritesWhatComesInPieces) {
  const std::string bytes = BytesOf<float>({1, 2, 3, 4});
  Serve({Entry("fc.weight", "FP32", {2, 2}, 16), Data(bytes.substr(0, 5)), Data(""),
         Data(bytes.substr(5)), Entry("empty", "FP32", {0, 3}, 0),
         Uninitialized("lazy.weight", {-1}), Entry("steps", "INT64", {}, 8),
         Data(BytesOf<int64_t>({7}))});
  const Outcome outcome = Ask({"state-dict", "save", "m", file_, "--version", "2"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_EQ(outcome.err, "lazynet: warning: left out, without values: lazy.weight\n");
  EXPECT_THAT(outcome.out, HasSubstr("m.safetensors: 3 keys, "));
  EXPECT_EQ(request_.name(), "m");
  EXPECT_EQ(request_.version(), "2");
  EXPECT_FALSE(request_.without_values());
  const auto file = checkpoint::SafetensorsFile::Open(file_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->tensors().size(), 3u);
  EXPECT_EQ((*file)->metadata(), (checkpoint::Metadata{{"format", "pt"}}));
  EXPECT_EQ((*file)->Find("fc.weight")->shape(), (Shape{2, 2}));
  EXPECT_THAT((*file)->Find("fc.weight")->values<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ((*file)->Find("empty")->shape(), (Shape{0, 3}));
  EXPECT_THAT((*file)->Find("steps")->values<int64_t>(), ElementsAre(7));
}

TEST_F(SaveTest, ReportsInJson) {
  Serve({Entry("a", "FP32", {1}, 4), Data(BytesOf<float>({1})), Uninitialized("b", {-1})});
  const Outcome outcome = Ask({"state-dict", "save", "m", file_, "--json"});
  EXPECT_EQ(json::parse(outcome.out), json({{"file", file_},
                                            {"file_bytes", std::filesystem::file_size(file_)},
                                            {"keys", {"a"}},
                                            {"uninitialized_keys", {"b"}}}));
}

TEST_F(SaveTest, TellsABrokenAnswerFromNoAnswer) {
  const struct {
    std::vector<v1::StateDictPart> parts;
    const char* message;
  } rows[] = {
      {{Data("1234")}, "wants at most 0 bytes, got 4"},
      {{Entry("a", "FP32", {1}, 4), Data("12345")}, "wants at most 4 bytes, got 5"},
      {{Entry("a", "FP32", {1}, 4), Data("123")}, "key \"a\": wants 1 bytes more, got none"},
      {{Entry("a", "FP32", {1}, 4), Entry("b", "FP32", {1}, 4)}, "key \"a\": wants 4 bytes more"},
      {{Entry("a", "FP32", {2}, 4)}, "key \"a\": FP32 [2] wants 8 bytes, got 4"},
      {{Entry("a", "FP32", {-1}, 4)}, "key \"a\": wants dims from 0 to"},
      {{Entry("a", "FP32", {1 << 30, 1 << 30}, 4)}, "key \"a\": wants at most"},
      {{Entry("a", "BYTES", {1}, 4)}, "key \"a\": datatype BYTES cannot be read here"},
      {{Uninitialized("a", {-1}), Uninitialized("a", {-1})}, "key \"a\": wants a key once"},
      {{v1::StateDictPart()}, "wants an entry or its bytes"},
  };
  for (const auto& row : rows) {
    Serve(row.parts);
    const Outcome outcome = Ask({"state-dict", "save", "m", file_});
    EXPECT_EQ(outcome.code, kRefused) << row.message;
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("the answer of " + server_.address()), HasSubstr(row.message)));
    EXPECT_FALSE(std::filesystem::exists(file_));
  }
  server_.handlers.get_state_dict = [](const auto&) { return NotFound("no model \"m\""); };
  EXPECT_EQ(Ask({"state-dict", "save", "m", file_}).err, "lazynet: NOT_FOUND: no model \"m\"\n");
  EXPECT_EQ(RunClient({"state-dict", "save", "m", file_, "--server", "unix:/nonexistent"}).code,
            kUnreachable);
}

TEST_F(SaveTest, WritesNothingWhenTheStreamBreaksOff) {
  server_.handlers.get_state_dict = [](const auto&) {
    return Stream<v1::StateDictPart>{{Entry("a", "FP32", {1}, 4), Data("1234")},
                                     absl::UnavailableError("the server drains")};
  };
  const Outcome outcome = Ask({"state-dict", "save", "m", file_});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_EQ(outcome.err, "lazynet: UNAVAILABLE: the server drains\n");
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(SaveTest, NamesTheFileThatCannotBeWritten) {
  Serve({});
  const Outcome outcome = Ask({"state-dict", "save", "m", folder_ / "none/m.safetensors"});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("none/m.safetensors: "));
}

class LoadTest : public StateDictTest {
 protected:
  LoadTest() {
    response_.set_state(v1::NETWORK_STATE_READY);
    server_.handlers.load_state_dict =
        [this](const std::vector<v1::LoadStateDictRequest>& messages) {
          messages_ = messages;
          return response_;
        };
  }

  std::vector<v1::LoadStateDictRequest> messages_;
  v1::LoadStateDictResponse response_;
};

TEST_F(LoadTest, SendsTheShardsOfAnIndex) {
  WriteFloats(folder_ / "1.safetensors", {{"b", {1}}});
  WriteFloats(folder_ / "2.safetensors", {{"a", {2}}});
  const std::string index = folder_ / "m.safetensors.index.json";
  std::ofstream(index) << R"({"weight_map": {"a": "2.safetensors", "b": "1.safetensors"}})";
  EXPECT_EQ(Ask({"state-dict", "load", "m", index}).code, kDone);
  ASSERT_EQ(messages_.size(), 5u);
  EXPECT_EQ(messages_[1].entry().key(), "a");
  EXPECT_EQ(messages_[2].data(), BytesOf<float>({2}));
  EXPECT_EQ(messages_[3].entry().key(), "b");
  EXPECT_THAT(Ask({"state-dict", "save", "m", index}).err, HasSubstr("wants FILE.safetensors"));
}

TEST_F(LoadTest, SendsEachTensorInPieces) {
  const std::vector<float> large((2 * kPieceBytes + 12) / 4, 3);
  WriteFloats(file_, {{"a", {}}, {"b", large}, {"c", {1, 2}}});
  const Outcome outcome = Ask({"state-dict", "load", "m", file_, "--version", "2"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(outcome.out,
            "loaded, now ready\n"
            "missing     none\n"
            "unexpected  none\n"
            "lossy       none\n"
            "unknown     none\n");
  ASSERT_EQ(messages_.size(), 8u);
  EXPECT_EQ(messages_[0].target().name(), "m");
  EXPECT_EQ(messages_[0].target().version(), "2");
  EXPECT_TRUE(messages_[0].target().strict());
  EXPECT_FALSE(messages_[0].target().validate_only());
  EXPECT_EQ(messages_[1].entry().key(), "a");
  EXPECT_EQ(messages_[1].entry().byte_size(), 0u);
  EXPECT_EQ(messages_[2].entry().key(), "b");
  EXPECT_EQ(messages_[2].entry().datatype(), "FP32");
  EXPECT_THAT(messages_[2].entry().shape(), ElementsAre(large.size()));
  EXPECT_EQ(messages_[2].entry().byte_size(), large.size() * 4);
  EXPECT_EQ(messages_[3].data().size(), kPieceBytes);
  EXPECT_EQ(messages_[4].data().size(), kPieceBytes);
  EXPECT_EQ(messages_[3].data() + messages_[4].data() + messages_[5].data(), BytesOf(large));
  EXPECT_EQ(messages_[6].entry().key(), "c");
  EXPECT_EQ(messages_[7].data(), BytesOf<float>({1, 2}));
}

TEST_F(LoadTest, ListsAllThatIsWrong) {
  WriteFloats(file_, {});
  response_.add_missing_keys("a");
  response_.add_unexpected_keys("b");
  response_.add_errors("key \"a\" is missing");
  response_.add_unknown_parameters("fc.weight");
  response_.set_state(v1::NETWORK_STATE_LAZY);
  const Outcome outcome = Ask({"state-dict", "load", "m", file_, "--no-strict", "--validate-only"});
  EXPECT_FALSE(messages_[0].target().strict());
  EXPECT_TRUE(messages_[0].target().validate_only());
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_EQ(outcome.out,
            "would not load, now lazy\n"
            "missing     1: a\n"
            "unexpected  1: b\n"
            "lossy       none\n"
            "unknown     1: fc.weight\n");
  EXPECT_EQ(outcome.err, "lazynet: key \"a\" is missing\n");
  response_.clear_errors();
  EXPECT_THAT(Ask({"state-dict", "load", "m", file_, "--validate-only"}).out,
              HasSubstr("would load, then lazy\n"));
  EXPECT_EQ(json::parse(Ask({"state-dict", "load", "m", file_, "--json"}).out)["missing_keys"],
            json({"a"}));
}

TEST_F(LoadTest, HearsARefusalBeforeItHasSentAll) {
  WriteFloats(file_, {{"a", std::vector<float>(16 * kPieceBytes / 4)}});
  server_.handlers.load_state_dict = nullptr;
  const Outcome outcome = Ask({"state-dict", "load", "m", file_});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_EQ(outcome.err, "lazynet: UNIMPLEMENTED: not in this test\n");
}

TEST_F(LoadTest, NamesTheFileThatCannotBeUsed) {
  std::ofstream(file_) << "no tensors";
  for (const std::string& file : {file_, folder_ / "none.safetensors", folder_ / "index.json"}) {
    const Outcome outcome = Ask({"state-dict", "load", "m", file});
    EXPECT_EQ(outcome.code, kUsage) << file;
    EXPECT_THAT(outcome.err, HasSubstr(file));
    EXPECT_TRUE(messages_.empty());
  }
}

using DiffTest = StateDictTest;

TEST_F(DiffTest, FindsNothingBetweenEqualSides) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  WriteFloats(file_, {{"a", {1, nan}}, {"b", {}}});
  Serve({Entry("b", "FP32", {0}, 0), Entry("a", "FP32", {2}, 8), Data(BytesOf<float>({1, nan}))});
  for (const auto& sides : {std::array{file_, std::string("model:m")},
                            std::array{std::string("model:m"), file_}, std::array{file_, file_}}) {
    const Outcome outcome = Ask({"state-dict", "diff", sides[0], sides[1]});
    EXPECT_EQ(outcome.code, kDone) << outcome.err;
    EXPECT_EQ(outcome.out, "keys: 0 differ, 2 equal\n");
  }
  EXPECT_EQ(json::parse(Ask({"state-dict", "diff", file_, "model:m", "--json"}).out),
            json::parse(R"({"different": [], "equal_keys": 2})"));
}

TEST_F(DiffTest, SaysHowKeysDiffer) {
  const std::string other = folder_ / "o.safetensors";
  WriteFloats(file_, {{"gone", {1}}, {"same", {1}}, {"shape", {1, 2}}, {"value", {1, -2, 3}}});
  WriteFloats(other, {{"new", {1, 2}}, {"same", {1}}, {"shape", {1}}, {"value", {1, -2.5, 3.25}}});
  const Outcome outcome = Ask({"state-dict", "diff", file_, other});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(json::parse(Ask({"state-dict", "diff", file_, other, "--json"}).out), json::parse(R"({
    "different": [
      {"key": "gone", "a": {"datatype": "FP32", "shape": [1], "uninitialized": false}, "b": null,
       "largest_difference": null},
      {"key": "new", "a": null, "b": {"datatype": "FP32", "shape": [2], "uninitialized": false},
       "largest_difference": null},
      {"key": "shape", "a": {"datatype": "FP32", "shape": [2], "uninitialized": false},
       "b": {"datatype": "FP32", "shape": [1], "uninitialized": false},
       "largest_difference": null},
      {"key": "value", "a": {"datatype": "FP32", "shape": [3], "uninitialized": false},
       "b": {"datatype": "FP32", "shape": [3], "uninitialized": false},
       "largest_difference": 0.5}],
    "equal_keys": 1})"));
}

TEST_F(DiffTest, PrintsATableOfModels) {
  server_.handlers.get_state_dict = [](const v1::GetStateDictRequest& request) {
    Stream<v1::StateDictPart> stream;
    if (request.version() == "1") {
      stream.messages = {Entry("a", "FP32", {1}, 4), Data(BytesOf<float>({0.5})),
                         Uninitialized("b", {-1, 3}), Entry("c", "INT64", {1}, 8),
                         Data(BytesOf<int64_t>({std::numeric_limits<int64_t>::max()}))};
    } else {
      EXPECT_EQ(request.version(), "");
      stream.messages = {Entry("a", "FP64", {1}, 8), Data(BytesOf<double>({0.5})),
                         Uninitialized("b", {2, 3}), Entry("c", "INT64", {1}, 8),
                         Data(BytesOf<int64_t>({std::numeric_limits<int64_t>::max() - 1}))};
    }
    return stream;
  };
  const Outcome outcome = Ask({"state-dict", "diff", "model:m/1", "model:m"});
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_EQ(outcome.out,
            "key  model:m/1                  model:m                    largest difference\n"
            "a    FP32 [1]                   FP64 [1]                                    -\n"
            "b    FP32 [?, 3] uninitialized  FP32 [2, 3] uninitialized                   -\n"
            "c    INT64 [1]                  INT64 [1]                                   1\n"
            "\n"
            "keys: 3 differ, 0 equal\n");
}

TEST_F(DiffTest, ADifferenceToNaNIsNaN) {
  const std::string other = folder_ / "o.safetensors";
  WriteFloats(file_, {{"nan", {1, 5}}, {"zero", {0}}});
  WriteFloats(other, {{"nan", {std::nanf(""), 6}}, {"zero", {-0.0f}}});
  const json report = json::parse(Ask({"state-dict", "diff", file_, other, "--json"}).out);
  EXPECT_EQ(report["different"][0]["largest_difference"], "NaN");
  EXPECT_EQ(report["different"][1]["largest_difference"], 0.0);
}

TEST_F(DiffTest, RefusesSidesThatAreNone) {
  const struct {
    std::vector<std::string> sides;
    const char* message;
  } rows[] = {
      {{"a.safetensors"}, "b is required"},
      {{"a.npy", "model:m"}, "wants FILE.safetensors, got \"a.npy\""},
      {{"model:", "model:m"}, "wants model:NAME[/VERSION], got \"model:\""},
      {{"none.safetensors", "model:m"}, "none.safetensors: "},
  };
  for (const auto& row : rows) {
    std::vector<std::string> args = {"state-dict", "diff"};
    args.insert(args.end(), row.sides.begin(), row.sides.end());
    const Outcome outcome = Ask(args);
    EXPECT_EQ(outcome.code, kUsage) << row.message;
    EXPECT_THAT(outcome.err, HasSubstr(row.message));
    EXPECT_EQ(outcome.out, "");
  }
}

}  // namespace
}  // namespace lazynet::cli
