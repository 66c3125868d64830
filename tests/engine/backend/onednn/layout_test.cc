#include <gtest/gtest.h>

#include "engine/backend/onednn/dnnl_layout.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;
using tag = memory::format_tag;

memory::desc Desc(const memory::dims& dims, tag layout) {
  return {dims, memory::data_type::f32, layout};
}

TEST(DnnlLayout, DenseIsNull) {
  EXPECT_EQ(MakeLayout(Desc({2, 3, 4, 5}, tag::nchw)), nullptr);
  EXPECT_NE(MakeLayout(Desc({2, 3, 4, 5}, tag::nhwc)), nullptr);
  EXPECT_NE(MakeLayout(Desc({2, 3, 4, 5}, tag::nChw8c)), nullptr);
}

TEST(DnnlLayout, ChannelsLastOfOneChannelOrOnePixelIsDense) {
  EXPECT_EQ(MakeLayout(Desc({2, 1, 4, 5}, tag::nhwc)), nullptr);
  EXPECT_EQ(MakeLayout(Desc({2, 7, 1, 1}, tag::nhwc)), nullptr);
}

TEST(DnnlLayout, EqualsBySizesAndPlaces) {
  const auto a = MakeLayout(Desc({2, 16, 4, 4}, tag::nChw16c));
  EXPECT_TRUE(SameLayout(a, MakeLayout(Desc({2, 16, 4, 4}, tag::nChw16c))));
  EXPECT_FALSE(SameLayout(a, MakeLayout(Desc({2, 16, 4, 4}, tag::nChw8c))));
  EXPECT_FALSE(SameLayout(a, MakeLayout(Desc({2, 16, 4, 4}, tag::nhwc))));
  EXPECT_FALSE(SameLayout(a, nullptr));
}

TEST(DnnlLayout, BytesCountThePadding) {
  EXPECT_EQ(MakeLayout(Desc({1, 3, 2, 2}, tag::nChw16c))->bytes(), 16u * 4 * 4);
  EXPECT_TRUE(HasPadding(Desc({1, 3, 2, 2}, tag::nChw16c)));
  EXPECT_FALSE(HasPadding(Desc({1, 16, 2, 2}, tag::nChw16c)));
}

TEST(DnnlLayout, IsNamedAsOnednnWritesIt) {
  EXPECT_EQ(DnnlLayout(Desc({2, 3}, tag::ba)).name(), "cn");
  EXPECT_EQ(DnnlLayout(Desc({2, 3, 4}, tag::nwc)).name(), "nwc");
  EXPECT_EQ(DnnlLayout(Desc({2, 3, 4, 5}, tag::nhwc)).name(), "nhwc");
  EXPECT_EQ(DnnlLayout(Desc({2, 3, 4, 5}, tag::nChw16c)).name(), "nChw16c");
  EXPECT_EQ(DnnlLayout(Desc({1, 3, 1, 1}, tag::nChw8c)).name(), "nChw8c");
  EXPECT_EQ(DnnlLayout(Desc({2, 16, 16, 3, 3}, tag::ABcde4b16a4b)).name(), "NCdhw4c16n4c");
  EXPECT_EQ(DnnlLayout(Desc({2, 3, 4, 5, 6, 7}, tag::abdefc)).name(), "abdefc");
  EXPECT_EQ(LayoutName(MakeLayout(Desc({2, 7, 1, 1}, tag::nhwc))), "dense");
}

TEST(DnnlLayout, AxisLastPutsChannelsInnermost) {
  EXPECT_EQ(AxisLastDesc({2, 3, 4, 5}, 1), Desc({2, 3, 4, 5}, tag::nhwc));
  EXPECT_EQ(AxisLastDesc({2, 3, 4}, 1), Desc({2, 3, 4}, tag::nwc));
}

TEST(DnnlLayout, LikeKeepsOrderAndBlocksForOtherSizes) {
  for (const tag layout : {tag::nchw, tag::nhwc, tag::nChw8c, tag::nChw16c}) {
    EXPECT_TRUE(SamePlaces(DescLike(Desc({2, 3, 4, 5}, layout), {1, 37, 6, 2}),
                           Desc({1, 37, 6, 2}, layout)));
  }
}

TEST(DnnlLayout, RemovesAnAxisOfSizeOne) {
  EXPECT_TRUE(SamePlaces(RemoveAxis(Desc({2, 3, 1, 5}, tag::nhwc), 2), Desc({2, 3, 5}, tag::nwc)));
  EXPECT_TRUE(
      SamePlaces(RemoveAxis(Desc({2, 3, 1, 5}, tag::nChw8c), 2), Desc({2, 3, 5}, tag::nCw8c)));
}

TEST(DnnlLayout, SerializationTellsLayoutsApart) {
  const memory::dims dims{16, 16, 4, 4};
  EXPECT_NE(Serialize(Desc(dims, tag::nchw)), Serialize(Desc(dims, tag::nhwc)));
  EXPECT_NE(Serialize(Desc(dims, tag::nChw8c)), Serialize(Desc(dims, tag::nChw16c)));
  EXPECT_NE(Serialize(Desc(dims, tag::OIhw16i16o)), Serialize(Desc(dims, tag::OIhw16o16i)));
  EXPECT_EQ(Serialize(Desc(dims, tag::nhwc)), Serialize(AxisLastDesc(dims, 1)));
}

}  // namespace
}  // namespace lazynet::backend
