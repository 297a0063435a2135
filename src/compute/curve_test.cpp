#include "compute/curve.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace headroom::compute {
namespace {

TEST(Lg, IsLog2AtPowersOfTwoAndMonotoneBetween) {
  for (int e = -20; e <= 50; ++e) EXPECT_DOUBLE_EQ(lg(std::ldexp(1.0, e)), e);
  EXPECT_DOUBLE_EQ(lg(3), 1.5);
  double before = lg(1);
  for (double x = 1.01; x < 100; x *= 1.01) {
    EXPECT_GT(lg(x), before);
    EXPECT_NEAR(lg(x), std::log2(x), 0.0861);
    before = lg(x);
  }
}

TEST(Curve, PassesItsKnotsIsStraightBetweenAndFlatBeyond) {
  Curve<3> c{.first = 10, .per_step = 0.5, .knots = {1, 2, 4}};
  EXPECT_DOUBLE_EQ(c.at(10), 1);
  EXPECT_DOUBLE_EQ(c.at(11), 1.5);
  EXPECT_DOUBLE_EQ(c.at(12), 2);
  EXPECT_DOUBLE_EQ(c.at(13), 3);
  EXPECT_DOUBLE_EQ(c.at(14), 4);
  EXPECT_DOUBLE_EQ(c.at(-1e9), 1);
  EXPECT_DOUBLE_EQ(c.at(1e300), 4);
  EXPECT_DOUBLE_EQ(c.at(std::nan("")), 1);
}

TEST(WaveCurve, HasItsKnotsWhereItSays) {
  WaveCurve w;
  for (std::size_t i = 0; i < w.knots.size(); ++i) w.knots[i] = static_cast<double>(i);
  for (int i = 0; i <= 16; ++i) EXPECT_DOUBLE_EQ(w.at(i / 4.0), i);
  EXPECT_DOUBLE_EQ(w.at(5), 17);
  EXPECT_DOUBLE_EQ(w.at(6), 18);
  EXPECT_DOUBLE_EQ(w.at(7), 18.5);
  EXPECT_DOUBLE_EQ(w.at(8), 19);
  EXPECT_DOUBLE_EQ(w.at(1e18), 19);
}

TEST(Curve, IsOneUntilFilled) { EXPECT_DOUBLE_EQ(Curve<7>{}.at(3.3), 1); }

}  // namespace
}  // namespace headroom::compute
