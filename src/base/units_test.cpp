#include "base/units.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace headroom {
namespace {

double si(std::string_view unit) { return parse_unit(unit).value().factor; }

// Each factor against an independent definition.
TEST(Units, FactorsAreTheDefinedOnes) {
  EXPECT_DOUBLE_EQ(si("kW"), 1e3);
  EXPECT_DOUBLE_EQ(si("kVA"), 1e3);  // at unity power factor
  EXPECT_EQ(parse_unit("MVA")->dim, Power::dim);
  EXPECT_DOUBLE_EQ(si("kWh"), 3.6e6);
  EXPECT_DOUBLE_EQ(si("GB/s"), 8e9);
  EXPECT_DOUBLE_EQ(si("Gb/s"), 1e9);
  EXPECT_DOUBLE_EQ(si("GiB"), 8.0 * (1 << 30));
  EXPECT_NEAR(si("W/ft2"), 10.7639, 1e-4);
  EXPECT_NEAR(si("gal/min"), 6.30902e-5, 1e-9);
  EXPECT_NEAR(si("lb/ft2"), 4.88243, 1e-4);
  EXPECT_DOUBLE_EQ(si("USD/kWh"), 1 / 3.6e6);
  EXPECT_DOUBLE_EQ(si("USD/kW/mo"), 1 / (1e3 * 730 * 3600));
  EXPECT_DOUBLE_EQ(si("gCO2e/kWh"), 1e-3 / 3.6e6);
  EXPECT_DOUBLE_EQ(si("TFLOP/s"), 1e12);
  EXPECT_DOUBLE_EQ(si("USD/Mtoken"), 1e-6);
  EXPECT_DOUBLE_EQ(si("%"), 0.01);
  EXPECT_DOUBLE_EQ(si("W/cm2"), 1e4);
  EXPECT_NEAR(si("psi"), 6894.757, 1e-3);
}

TEST(Units, CaseMatters) {
  EXPECT_FALSE(parse_unit("kw"));
  EXPECT_FALSE(parse_unit("Gbps"));
  EXPECT_NE(si("MW"), si("mW"));
  EXPECT_FALSE(parse_unit("kW/"));
  EXPECT_FALSE(parse_unit("/s/"));
  EXPECT_FALSE(parse_unit("degC/W"));
}

TEST(Units, CelsiusHasAnOffset) {
  const auto unit = parse_unit("degF").value();
  EXPECT_NEAR(72 * unit.factor + unit.offset, 295.372, 1e-3);
}

TEST(Units, SplitsNumbers) {
  EXPECT_DOUBLE_EQ(split_number("15.6e12 token")->number, 15.6e12);
  EXPECT_EQ(split_number("15.6e12 token")->unit, "token");
  EXPECT_DOUBLE_EQ(split_number("16_384 GPU")->number, 16384);
  EXPECT_EQ(split_number("120kW")->unit, "kW");
  EXPECT_EQ(split_number("3 EB")->unit, "EB");
  EXPECT_DOUBLE_EQ(split_number("-4 K")->number, -4);
  for (const char* bad :
       {"", "kW", "nan", "inf", "-inf", ".nan", "1e999 W", "--3", "1.2.3", "e5"}) {
    EXPECT_FALSE(split_number(bad)) << bad;
  }
  // An underscore groups digits and stands nowhere else.
  EXPECT_EQ(split_number("1__000 W")->unit, "__000 W");
  EXPECT_EQ(split_number("1_ W")->unit, "_ W");
  EXPECT_FALSE(split_number("_1 W"));
}

TEST(Units, FormatsForPeople) {
  EXPECT_EQ(format(40800.0, "kW"), "40.8 kW");
  EXPECT_EQ(format(0.05, "%"), "5 %");
  EXPECT_EQ(format_number(16384), "16,384");
  EXPECT_EQ(format_number(1234567.8), "1,234,568");
  EXPECT_EQ(format_number(0.0012346), "0.001235");
  EXPECT_EQ(format_number(9999.7), "10,000");
  EXPECT_EQ(format_number(100), "100");
  EXPECT_EQ(format_number(3.937e25), "3.937e25");
  EXPECT_EQ(format_scaled(250e6, "kW"), "250 MW");
  EXPECT_EQ(format_scaled(0, "kW"), "0 kW");
  EXPECT_EQ(format_scaled(1482, "MUSD"), "1.482 kUSD");
  EXPECT_EQ(format_scaled(2.5 / 3600, "USD/h"), "2.5 USD/h");
}

// Any finite number written with 17 digits reads back as itself.
RC_GTEST_PROP(Units, NumbersRoundTrip, (double x)) {
  RC_PRE(std::isfinite(x));
  char text[40];
  std::snprintf(text, sizeof text, "%.17g kW", x);
  const auto parsed = split_number(text);
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(parsed->number == x);
  RC_ASSERT(parsed->unit == "kW");
}

// Whatever the bytes, the parsers return.
RC_GTEST_PROP(Units, NeverCrash, (const std::string& text)) {
  (void)split_number(text);
  (void)parse_unit(text);
  RC_SUCCEED("returned");
}

}  // namespace
}  // namespace headroom
