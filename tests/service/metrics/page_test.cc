#include "service/metrics/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "service/metrics/network_probe.h"
#include "service/metrics/registry.h"
#include "tests/service/metrics/text_format.h"

namespace lazynet::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

class PageTest : public testing::Test {
 protected:
  void Host(int networks) {
    for (int i = 0; i < networks; ++i) {
      probes_.push_back(std::make_unique<NetworkProbe>(registry_, std::to_string(i), "1"));
    }
  }

  Registry registry_;
  std::vector<std::unique_ptr<NetworkProbe>> probes_;
};

TEST_F(PageTest, ComesInPiecesOfWholeLines) {
  Host(200);
  Page page(registry_.store());
  std::string all;
  bool more = true;
  while (more) {
    std::string piece;
    more = page.Next(piece, 10'000);
    EXPECT_TRUE(piece.ends_with('\n'));
    if (more) {
      EXPECT_GE(piece.size(), 10'000u);
    }
    EXPECT_LT(piece.size(), 150'000u);
    all += piece;
  }
  EXPECT_EQ(ValueOf(all, R"(lazynet_plan_cache_bytes{model="199",version="1"})"), 0);
  EXPECT_TRUE(ValueOf(all, "process_threads"));
  EXPECT_EQ(FamiliesOf(all), FamiliesOf(registry_.Text()));
}

TEST_F(PageTest, IsThatOfTheNetworksOfItsBeginning) {
  Host(100);
  Page page(registry_.store());
  std::string text;
  ASSERT_TRUE(page.Next(text, 1));
  probes_.clear();
  const NetworkProbe late(registry_, "late", "1");
  while (page.Next(text)) {
  }
  EXPECT_EQ(ValueOf(text, R"(lazynet_plan_cache_bytes{model="99",version="1"})"), 0);
  EXPECT_THAT(text, Not(HasSubstr("late")));
}

TEST_F(PageTest, EscapesNames) {
  const NetworkProbe probe(registry_, "a \"quoted\"\\\n name", "1");
  EXPECT_THAT(
      registry_.Text(),
      HasSubstr(R"(lazynet_requests_in_flight{model="a \"quoted\"\\\n name",version="1"} 0)"));
}

}  // namespace
}  // namespace lazynet::metrics
