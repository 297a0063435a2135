#include "money/finance_math.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <vector>

namespace headroom::money {
namespace {

TEST(FinanceMath, CapitalRecoveryOfATextbookLoan) {
  // 100,000 at 1 % a month over 36 months: 3,321.43 (standard loan tables).
  EXPECT_NEAR(capital_recovery(100000, 0, 0.01, 36), 3321.43, 0.005);
  EXPECT_DOUBLE_EQ(capital_recovery(120, 30, 0, 9), 10);
  EXPECT_EQ(capital_recovery(120, 0, 0.1, 0), 0);
}

RC_GTEST_PROP(FinanceMath, AnAnnuityIsWorthItsPrincipal, ()) {
  const double i = *rc::gen::inRange(0, 300) / 10000.0;
  const int n = *rc::gen::inRange(1, 240);
  const double principal = *rc::gen::inRange(1, 1000000);
  const double residual = principal * *rc::gen::inRange(0, 100) / 100.0;
  std::vector<double> flows(n + 1, capital_recovery(principal, residual, i, n));
  flows[0] = 0;
  flows[n] += residual;
  RC_ASSERT(std::abs(npv(flows, i) - principal) < 1e-6 * principal);
}

TEST(FinanceMath, NpvOfThreeFlowsByHand) {
  const double flows[] = {-100, 60, 60};
  EXPECT_NEAR(npv(flows, 0.10), -100 + 60 / 1.1 + 60 / 1.21, 1e-12);
}

TEST(FinanceMath, IrrOfAQuadraticByItsFormula) {
  // -100 + 60 v + 60 v^2 = 0 -> v = (-60 + sqrt(60^2 + 4*60*100)) / 120.
  const double v = (-60 + std::sqrt(3600 + 24000.0)) / 120;
  const double flows[] = {-100, 60, 60};
  ASSERT_TRUE(irr(flows));
  EXPECT_NEAR(*irr(flows), 1 / v - 1, 1e-10);
  const double only_cost[] = {-100, -5, -5};
  EXPECT_FALSE(irr(only_cost));
  const double loses[] = {-100, 50};  // half is lost
  EXPECT_NEAR(*irr(loses), -0.5, 1e-10);
}

TEST(FinanceMath, XirrOfTwoFlowsIsAPower) {
  const long start = *day_number("2026-01-01");
  const DatedFlow flows[] = {{start, -1000}, {*day_number("2028-07-01"), 1300}};
  const double years = (flows[1].day - start) / 365.0;
  EXPECT_NEAR(*xirr(flows), std::pow(1.3, 1 / years) - 1, 1e-10);
  EXPECT_NEAR(xnpv(flows, *xirr(flows)), 0, 1e-6);
}

TEST(FinanceMath, XirrOfTheSpreadsheetExample) {
  // Microsoft's documented XIRR example: 37.34 %.
  const DatedFlow flows[] = {{*day_number("2008-01-01"), -10000},
                             {*day_number("2008-03-01"), 2750},
                             {*day_number("2008-10-30"), 4250},
                             {*day_number("2009-02-15"), 3250},
                             {*day_number("2009-04-01"), 2750}};
  EXPECT_NEAR(*xirr(flows), 0.373362535, 1e-6);
}

TEST(FinanceMath, MirrOfTheSpreadsheetExample) {
  // Microsoft's documented MIRR example: 12.61 % at 10 % and 12 %.
  const double flows[] = {-120000, 39000, 30000, 21000, 37000, 46000};
  EXPECT_NEAR(*mirr(flows, 0.10, 0.12), 0.126094, 1e-6);
  const double only_cost[] = {-1, -1};
  EXPECT_FALSE(mirr(only_cost, 0.1, 0.1));
}

TEST(FinanceMath, SignChangesWarnOfSeveralRates) {
  const double one[] = {-1, 0, 2, 3};
  const double two[] = {-1, 3, -2};
  EXPECT_EQ(sign_changes(one), 1);
  EXPECT_EQ(sign_changes(two), 2);
  // -1 + 3v - 2v^2 has v = 1 and v = 1/2: rates 0 and 100 %. The one near zero.
  EXPECT_NEAR(*irr(two), 0, 1e-9);
}

TEST(FinanceMath, Dates) {
  EXPECT_EQ(*day_number("1970-01-02"), 1);
  EXPECT_EQ(*day_number("2026-11"), *day_number("2026-11-01"));
  EXPECT_FALSE(day_number("2026-02-30"));
  EXPECT_FALSE(day_number("soon"));
  EXPECT_FALSE(day_number("2026-13-01"));
  EXPECT_FALSE(day_number(""));
  EXPECT_EQ(date_text(add_months(*day_number("2027-01-31"), 1)), "2027-02-28");
  EXPECT_EQ(date_text(add_months(*day_number("2026-11-20"), 14)), "2028-01-20");
}

TEST(FinanceMath, MonthlyRateCompoundsToTheYear) {
  EXPECT_NEAR(std::pow(1 + monthly_rate(0.08), 12), 1.08, 1e-14);
}

}  // namespace
}  // namespace headroom::money
