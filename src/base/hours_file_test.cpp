// Columns of hours: chosen by their head, every fault told at its place in one pass.
#include "base/hours_file.hpp"

#include <gtest/gtest.h>

#include <string>

namespace headroom {
namespace {

std::string year(const std::string& head, const std::string& line, int hours = 8760) {
  std::string text = head;
  for (int h = 0; h < hours; ++h) text += line;
  return text;
}

HoursFormat price() {
  HoursFormat f;
  f.what = "price", f.low = -100, f.high = 1000, f.heads = {"usd/mwh", "price"};
  return f;
}

TEST(HoursFile, one_column_with_or_without_a_head) {
  const auto plain = parse_hours("a.csv", year("", "42\n"), price());
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->values.size(), 8760u);
  EXPECT_EQ(plain->head, "");
  const auto headed = parse_hours("a.csv", year("anything\n", "-1.5\r\n", 8784), price());
  ASSERT_TRUE(headed);
  EXPECT_EQ(headed->values.at(8783), -1.5);
  EXPECT_EQ(headed->head, "anything");
}

TEST(HoursFile, of_several_columns_the_named_one) {
  const auto a = parse_hours("a.csv", year("time;Price USD/MWh;load\n", "x;\"7\";9\n"), price());
  ASSERT_TRUE(a);
  EXPECT_EQ(a->values.front(), 7);
  EXPECT_EQ(a->head, "price usd/mwh");
  EXPECT_FALSE(parse_hours("a.csv", year("time,load\n", "1,2\n"), price()));
  EXPECT_FALSE(parse_hours("a.csv", year("", "1,2\n"), price()));
}

TEST(HoursFile, faults_are_told_together_with_line_and_column) {
  const auto bad = parse_hours("p.csv", "time,price\na,x\nb,2000\nc\nd,5\n", price());
  ASSERT_FALSE(bad);
  const auto& all = bad.error().all();
  ASSERT_EQ(all.size(), 4u) << render(bad.error());
  EXPECT_EQ(all[0].line, 2);
  EXPECT_EQ(all[0].column, 3);
  EXPECT_EQ(all[0].message, "'x' is no price");
  EXPECT_EQ(all[1].hint, "-100 to 1000");
  EXPECT_EQ(all[2].line, 4);
  EXPECT_EQ(all[3].message, "4 hours");
  EXPECT_FALSE(read_hours("/no/such/file.csv", price()));
}

}  // namespace
}  // namespace headroom
