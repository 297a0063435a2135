// Sun, wind, words of the scenario.
#include "supply/profiles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "supply/kinds.hpp"
#include "supply/spec.hpp"

namespace headroom::supply {
namespace {

double mean(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return sum / double(v.size());
}

TEST(Profiles, sun_rises_and_sets) {
  Sky sky;
  sky.latitude = 40, sky.longitude = -75, sky.utc_offset_h = -5;
  const auto a = solar_share(sky);
  ASSERT_EQ(a.size(), 8760u);
  const std::size_t june = 171 * 24, december = 354 * 24;
  for (const std::size_t day : {june, december}) {
    EXPECT_EQ(a[day], 0);
    EXPECT_EQ(a[day + 23], 0);
    EXPECT_GT(a[day + 12], 0);
  }
  EXPECT_GT(a[june + 5], 0);  // sun up before 6
  EXPECT_EQ(a[december + 5], 0);
  for (const double x : a) EXPECT_TRUE(x >= 0 && x <= 1);
  EXPECT_GT(mean(a), 0.10);
  EXPECT_LT(mean(a), 0.32);
  // No sun where the weather measured none, and none of the weather's night is used.
  sky.global_w_m2.assign(8760, 0), sky.direct_w_m2 = sky.diffuse_w_m2 = sky.global_w_m2;
  EXPECT_EQ(mean(solar_share(sky)), 0);
  sky.latitude = -33, sky.longitude = 151, sky.utc_offset_h = 10, sky.global_w_m2.clear();
  const auto south = solar_share(sky);
  double summer = 0, winter = 0;
  for (std::size_t h = 0; h < 60 * 24; ++h) summer += south[h], winter += south[150 * 24 + h];
  EXPECT_GT(summer, winter);
}

TEST(Profiles, capacity_factors_are_met) {
  const Sky sky;
  for (const double f : {0.2, 0.35, 0.45}) EXPECT_NEAR(mean(wind_share(sky, f)), f, 1e-3);
  EXPECT_NEAR(mean(solar_share(sky, 0.22)), 0.22, 1e-6);
  const auto wind = wind_share(sky);
  EXPECT_GT(mean(wind), 0.2);
  EXPECT_LT(mean(wind), 0.6);
  EXPECT_EQ(wind, wind_share(sky));
  Sky calm = sky;
  calm.wind_m_s.assign(8760, 1.0);
  EXPECT_EQ(mean(wind_share(calm)), 0);
}

TEST(Profiles, windows_wrap) {
  const Window night{11, 2, 22, 6};
  EXPECT_TRUE(night.holds(12, 23));
  EXPECT_TRUE(night.holds(1, 5));
  EXPECT_FALSE(night.holds(1, 6));
  EXPECT_FALSE(night.holds(3, 23));
  EXPECT_TRUE((Window{}).holds(7, 0));
}

TEST(Profiles, annuity_pays_capital_back) {
  const double a = annuity(0.08, 20);
  double left = 1;
  for (int y = 0; y < 20; ++y) left = left * 1.08 - a;
  EXPECT_NEAR(left, 0, 1e-12);
  EXPECT_NEAR(annuity(0, 20), 0.05, 1e-15);
}

}  // namespace
}  // namespace headroom::supply
