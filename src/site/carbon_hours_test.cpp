// Shapes keep the mean; files are read by their head, and every fault is told at its place.
#include "site/carbon_hours.hpp"

#include <gtest/gtest.h>

#include <string>

namespace headroom::site {
namespace {

TEST(CarbonHours, ShapesKeepTheYearlyMean) {
  for (const auto p :
       {CarbonProfile::solar, CarbonProfile::flat, CarbonProfile::thermal, CarbonProfile::wind}) {
    const auto shape = carbon_shape(p, 8760);
    double sum = 0, least = 9;
    for (const double x : shape) sum += x, least = std::min(least, x);
    EXPECT_NEAR(sum, 8760, 1e-6);
    EXPECT_GT(least, 0.3);
  }
  const auto solar = carbon_shape(CarbonProfile::solar, 8760);
  EXPECT_LT(solar[180 * 24 + 12], solar[180 * 24 + 20]);
  EXPECT_LT(solar[180 * 24 + 12], solar[12]);  // more sun in June
}

std::string year(const std::string& head, const std::string& line) {
  std::string text = head;
  for (int h = 0; h < 8760; ++h) text += line;
  return text;
}

TEST(CarbonHours, ReadsOneColumnOrTheNamedOne) {
  const auto plain = parse_carbon("a.csv", year("", "360\n"));
  ASSERT_TRUE(plain);
  EXPECT_NEAR((*plain)[7], 0.36 / 3.6e6, 1e-15);
  const auto named =
      parse_carbon("b.csv", year("time,price,Carbon intensity kgCO2e/kWh\n", "2025,50,0.25\r\n"));
  ASSERT_TRUE(named);
  EXPECT_NEAR((*named)[0], 0.25 / 3.6e6, 1e-15);
}

TEST(CarbonHours, NamesEveryFault) {
  auto text = year("", "360\n");
  text.replace(0, 4, "abc\n-1\n");
  const auto bad = parse_carbon("c.csv", "gCO2/kWh\n" + text);
  ASSERT_FALSE(bad);
  const auto all = bad.error().all();
  ASSERT_EQ(all.size(), 3u) << render(bad.error());
  EXPECT_EQ(all[0].line, 2);
  EXPECT_EQ(all[1].line, 3);
  EXPECT_NE(all[2].message.find("8761 hours"), std::string::npos);
  EXPECT_FALSE(parse_carbon("d.csv", "time,price\n1,2\n"));
  EXPECT_FALSE(read_carbon("/nowhere.csv"));
}

}  // namespace
}  // namespace headroom::site
