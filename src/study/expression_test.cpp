// Expectations by hand and from data sheets, not from the evaluator.
#include "study/expression.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/units.hpp"
#include "study/claims.hpp"

namespace headroom::study {
namespace {

Evaluation run(std::string_view text) {
  return evaluate(text, {catalog::Catalog::builtin(), layer_functions(), {}});
}
double in(std::string_view text, const char* unit) {
  const Evaluation e = run(text);
  EXPECT_TRUE(e) << text << ": " << e.error;
  const auto u = parse_unit(unit);
  EXPECT_TRUE(u && u->dim == e.value.dim) << text;
  return e.value.si / u->factor;
}
std::string error(std::string_view text) {
  const Evaluation e = run(text);
  EXPECT_FALSE(e) << text;
  return e.error;
}

TEST(Expression, PrecedenceIsThatOfSchool) {
  EXPECT_DOUBLE_EQ(in("1 + 2 * 3", "1"), 7);
  EXPECT_DOUBLE_EQ(in("(1 + 2) * 3", "1"), 9);
  EXPECT_DOUBLE_EQ(in("2 * 3 ^ 2", "1"), 18);
  EXPECT_DOUBLE_EQ(in("10 - 4 - 3", "1"), 3);
  EXPECT_DOUBLE_EQ(in("-2 + 5", "1"), 3);
  EXPECT_DOUBLE_EQ(in("1 - -1", "1"), 2);
  EXPECT_DOUBLE_EQ(in("8 / 4 / 2", "1"), 1);
}

TEST(Expression, UnitsMultiplyDivideAndAdd) {
  EXPECT_NEAR(in("5 PB / (10 Gb/s * 80 %)", "d"), 57.87, 0.01);
  EXPECT_DOUBLE_EQ(in("1 kW + 500 W", "kW"), 1.5);
  EXPECT_DOUBLE_EQ(in("2 kW * 3 h", "kWh"), 6);
  EXPECT_DOUBLE_EQ(in("98.32 USD/h * 1 yr", "USD"), 98.32 * 8760);
  EXPECT_DOUBLE_EQ(in("400 Gb/s / (25 Gb/s)", "1"), 16);
  EXPECT_DOUBLE_EQ(in("sqrt(16 m2)", "m"), 4);
  EXPECT_DOUBLE_EQ(in("(3 m) ^ 2", "m2"), 9);
  EXPECT_DOUBLE_EQ(in("4180 J/kg/K * 2 kg * 3 K", "J"), 25080);
}

TEST(Expression, FunctionsAndComparisons) {
  EXPECT_DOUBLE_EQ(in("max(1 kW, 900 W)", "W"), 1000);
  EXPECT_DOUBLE_EQ(in("ceil(125.0001)", "1"), 126);
  EXPECT_DOUBLE_EQ(in("floor(7.9) + round(7.5) + log2(8)", "1"), 18);
  EXPECT_DOUBLE_EQ(in("1 GB > 1 Gb", "1"), 1);
  EXPECT_DOUBLE_EQ(in("if(2 < 1, 5 W, 6 W)", "W"), 6);
}

TEST(Expression, LooksUpTheCatalogueWithItsSource) {
  const Evaluation e = run("system(dgx-h100).power.max * 4");
  ASSERT_TRUE(e) << e.error;
  EXPECT_DOUBLE_EQ(e.value.si, 40800);
  ASSERT_EQ(e.looked.size(), 1u);
  EXPECT_EQ(e.looked[0].text, "system(dgx-h100).power.max");
  EXPECT_NE(e.looked[0].origin.source, nullptr);
  EXPECT_GT(in("accelerator(h100-sxm).rates.fp8.dense", "TFLOP/s"), 1900);
  EXPECT_LT(in("accelerator(h100-sxm).price.low / accelerator(h100-sxm).price.high", "1"), 1);
  EXPECT_DOUBLE_EQ(in("system(dgx-h100).accelerators", "1"), 8);  // an integer field
}

TEST(Expression, CallsLayers) {
  EXPECT_NEAR(in("tpp(accelerator='h100-sxm')", "1"), 15832, 1);  // 1,979 x 8
  EXPECT_NEAR(in("checkpoint_bytes()", "B"), 14, 1e-9);           // 2 + 4 + 4 + 4
  // Young: sqrt(2 x 30 s x 3 h).
  EXPECT_NEAR(in("young_interval(write=30 s, mtbf=3 h)", "s"), 804.98, 0.01);
  // Leviathan: (1 - 0.8^5) / 0.2 / 1.2.
  EXPECT_NEAR(in("speculative_speedup(acceptance=0.8, length=4, draft_cost=0.05)", "1"), 2.8, 0.01);
}

TEST(Expression, SaysWhatIsWrongAndWhere) {
  EXPECT_NE(error("1 kW + 1 kWh").find("do not add"), std::string::npos);
  EXPECT_NE(error("1 kW / 0").find("division by zero"), std::string::npos);
  EXPECT_NE(error("system(dgx-h1000).power.max").find("dgx-h100"), std::string::npos);
  EXPECT_NE(error("system(dgx-h100).power.maxx").find("power.max"), std::string::npos);
  EXPECT_NE(error("nowhere + 1").find("unknown name"), std::string::npos);
  EXPECT_NE(error("tp(accelerator='h100-sxm')").find("unknown function"), std::string::npos);
  EXPECT_NE(error("tpp(chip='h100-sxm')").find("it takes accelerator"), std::string::npos);
  EXPECT_NE(error("tpp(accelerator='h1000')").find("there is no accelerator"), std::string::npos);
  EXPECT_NE(error("young_interval(write=3, mtbf=1 h)").find("expected a time"), std::string::npos);
  EXPECT_NE(error("10 Foo").find("no unit"), std::string::npos);
  EXPECT_NE(error("22 degC").find("in K"), std::string::npos);
  EXPECT_NE(error("(1 + 2").find("expected ')'"), std::string::npos);
  EXPECT_NE(error("").find("ends too early"), std::string::npos);
  EXPECT_NE(error("(1 W) ^ 0.3").find("dimension"), std::string::npos);
  EXPECT_NE(error("10 ^ 400").find("finite"), std::string::npos);
  EXPECT_TRUE(error("1 + $").starts_with("at 5"));
}

TEST(Expression, RefusesToBeOverrun) {
  EXPECT_NE(error(std::string(200, '(') + "1" + std::string(200, ')')).find("deep"),
            std::string::npos);
  EXPECT_NE(error(std::string(5000, '1')).find("4 kB"), std::string::npos);
  EXPECT_NE(error(std::string(300, '-') + "1").find("deep"), std::string::npos);
}

RC_GTEST_PROP(Expression, ArithmeticIsThatOfDoubles, ()) {
  const int a = *rc::gen::inRange(-1000, 1000), b = *rc::gen::inRange(-1000, 1000);
  const int c = *rc::gen::inRange(1, 1000);
  const auto e = run(fmt::format("({} + {}) * {} / {}", a, b, c, c));
  RC_ASSERT(bool(e));
  RC_ASSERT(std::abs(e.value.si - (a + b)) < 1e-9);
}

RC_GTEST_PROP(Expression, NoTextMakesItThrow, ()) {
  const std::string alphabet = "0123456789.eE+-*/^()<>=!,' kWGBsystem(dgx-h100).power_%\"\n";
  const auto picks =
      *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, static_cast<int>(alphabet.size())));
  std::string text;
  for (int p : picks) text += alphabet[static_cast<std::size_t>(p)];
  const auto e = run(text);
  RC_ASSERT(bool(e) || !e.error.empty());
}

}  // namespace
}  // namespace headroom::study
