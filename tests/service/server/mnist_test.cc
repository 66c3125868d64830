#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/checkpoint/safetensors.h"
#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

namespace fs = std::filesystem;
using testing::InferAnswer;
using testing::LiveServer;
using testing::TemporaryRepository;

const fs::path kSource(LAZYNET_SOURCE_DIR);
const fs::path kShared = kSource / "../shared/data/mnist-lazy-cnn";

std::vector<char> ReadBytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<float> ReadFloats(const fs::path& path) {
  const std::vector<char> bytes = ReadBytes(path);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
  return values;
}

// The tolerance that PyTorch's logits are to be met with.
void ExpectLogits(std::span<const float> got, std::span<const float> wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], wanted[i], 1e-4 + 1e-4 * std::fabs(wanted[i])) << "element " << i;
  }
}

int CountRight(std::span<const float> logits, std::span<const char> labels) {
  int right = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * 10, 10);
    right += std::max_element(row.begin(), row.end()) - row.begin() == labels[i] ? 1 : 0;
  }
  return right;
}

class Mnist : public ::testing::Test {
 protected:
  Mnist() {
    repository_.AddEmbeddedModels();
    live_ = std::make_unique<LiveServer>(repository_.path());
  }

  // Sends the images in batches of at most `batch`.
  std::vector<float> LogitsOf(const std::vector<float>& images, size_t batch) {
    std::vector<float> logits;
    const size_t count = images.size() / 784;
    for (size_t at = 0; at < count; at += batch) {
      const size_t size = std::min(batch, count - at);
      const auto begin = images.begin() + static_cast<ptrdiff_t>(at * 784);
      const InferAnswer answer = live_->Infer("mnist", {static_cast<int64_t>(size), 1, 28, 28},
                                              {begin, begin + static_cast<ptrdiff_t>(size * 784)});
      EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
      if (!answer.status.ok()) return {};
      const std::vector<float> part = answer.floats();
      logits.insert(logits.end(), part.begin(), part.end());
    }
    return logits;
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(Mnist, ReadsTheEmbeddedDigitsAsPyTorchDoes) {
  const auto digits =
      *checkpoint::SafetensorsFile::Open(kSource / "deploy/examples/mnist-digits.safetensors");
  const auto golden =
      *checkpoint::SafetensorsFile::Open(kSource / "tests/golden/mnist-logits.safetensors");
  const auto images = digits->Find("input")->values<float>();
  const auto labels = digits->Find("labels")->values<int64_t>();
  const auto logits = LogitsOf({images.begin(), images.end()}, 100);
  ExpectLogits(logits, golden->Find("logits")->values<float>());
  const std::vector<char> as_bytes(labels.begin(), labels.end());
  EXPECT_EQ(CountRight(logits, as_bytes), 100);
}

class MnistOf200 : public Mnist, public ::testing::WithParamInterface<size_t> {};

TEST_P(MnistOf200, MeetsPyTorchsLogitsAtEveryBatchSize) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "NOT TESTED: no digits at " << kShared;
  std::vector<float> images;
  for (const char byte : ReadBytes(kShared / "test-images-u8.bin")) {
    images.push_back(static_cast<float>(static_cast<unsigned char>(byte)) / 255.0f);
  }
  // The first ever request is already one of this batch size.
  const std::vector<float> logits = LogitsOf(images, GetParam());
  ExpectLogits(logits, ReadFloats(kShared / "logits-f32.bin"));
  EXPECT_EQ(CountRight(logits, ReadBytes(kShared / "test-labels-u8.bin")), 197);
}

INSTANTIATE_TEST_SUITE_P(Batches, MnistOf200, ::testing::Values(1, 7, 200));

// The same network with every layer as an output.
TEST(MnistLayers, AgreeWithPyTorchsLayerByLayer) {
  if (!fs::exists(kShared)) GTEST_SKIP() << "NOT TESTED: no layer outputs at " << kShared;
  const auto layers = *checkpoint::SafetensorsFile::Open(kShared / "layers-of-digit-0.safetensors");
  TemporaryRepository repository;
  repository.AddEmbeddedModels();
  std::string definition;
  for (const char c : ReadBytes(kSource / "deploy/models/mnist/network.textproto")) definition += c;
  for (const auto& layer : layers->tensors()) {
    if (layer.name != "input" && layer.name != "output") {
      definition += "outputs { name: \"" + layer.name + "\" layer: \"" + layer.name + "\" }\n";
    }
  }
  repository.Write("mnist/network.textproto", definition);
  LiveServer live(repository.path());
  const auto image = layers->Find("input")->values<float>();
  const InferAnswer answer = live.Infer("mnist", {1, 1, 28, 28}, {image.begin(), image.end()});
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  ASSERT_GE(answer.response.outputs_size(), 10);
  for (int i = 0; i < answer.response.outputs_size(); ++i) {
    const std::string& name = answer.response.outputs(i).name();
    const Tensor* wanted = layers->Find(name == "logits" ? "output" : name);
    ASSERT_NE(wanted, nullptr) << name;
    ExpectLogits(answer.floats(i), wanted->values<float>());
  }
}

}  // namespace
}  // namespace lazynet
