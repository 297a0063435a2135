#include "base/quantity.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/series.hpp"

namespace headroom {
namespace {

// Four DGX H100 at 10.2 kW for a day: 40.8 kW, 979.2 kWh.
TEST(Quantity, MultipliesDimensions) {
  const Power load = 4 * (10.2 * kilowatt);
  const Energy day_energy = load * (24 * hour);
  EXPECT_DOUBLE_EQ(load.in(kilowatt), 40.8);
  EXPECT_DOUBLE_EQ(day_energy.in(kilowatt_hour), 979.2);
}

// A ratio of equal dimensions is a plain double.
TEST(Quantity, RatioIsANumber) {
  const double ratio = (30 * megawatt) / (10 * megawatt);
  EXPECT_DOUBLE_EQ(ratio, 3);
}

// 400 Gb/s is 50 GB/s, and a GiB is not a GB.
TEST(Quantity, BitsAndBytes) {
  EXPECT_DOUBLE_EQ((400 * gigabit_per_second).in(gigabyte_per_second), 50);
  EXPECT_NEAR((1 * gibibyte).in(gigabyte), 1.073741824, 1e-12);
}

// 0.083 USD/kWh x 10.2 kW x 730 h = 618 USD, the trade's month.
TEST(Quantity, PriceTimesEnergy) {
  const EnergyPrice price = 0.083 * (dollar / kilowatt_hour);
  const Money month_bill = price * (10.2 * kilowatt * (1 * month));
  EXPECT_NEAR(month_bill.in(dollar), 0.083 * 10.2 * 730, 1e-9);
}

TEST(Temperature, PointsAndDifferences) {
  const Temperature t = Temperature::celsius(20) + 10 * kelvin;
  EXPECT_DOUBLE_EQ(t.in_celsius(), 30);
  EXPECT_DOUBLE_EQ((t - Temperature::celsius(12)).in(kelvin), 18);
}

// A square of 3 kW for an hour and 1 kW for three: 6 kWh, mean 1.5 kW, maximum 3 kW.
TEST(Series, IntegralMeanMaximum) {
  Series<Power> s(1 * hour, 4, 1 * kilowatt);
  s.set(0, 3 * kilowatt);
  EXPECT_DOUBLE_EQ(s.integral().in(kilowatt_hour), 6);
  EXPECT_DOUBLE_EQ(s.mean().in(kilowatt), 1.5);
  EXPECT_DOUBLE_EQ(s.maximum().in(kilowatt), 3);
  EXPECT_DOUBLE_EQ(s.at(90 * minute).in(kilowatt), 1);
  EXPECT_DOUBLE_EQ(s.at(99 * hour).in(kilowatt), 1);
}

// Compensated summation: 1e16 + 1 - 1e16 keeps the 1.
TEST(Series, SumKeepsSmallTerms) {
  Series<Energy> s(1 * second, 3);
  s.set(0, 1e16 * joule);
  s.set(1, 1 * joule);
  s.set(2, -1e16 * joule);
  EXPECT_DOUBLE_EQ(s.integral().si(), 1);
}

RC_GTEST_PROP(Quantity, AdditionCommutesAndUnitsCancel, (int a, int b)) {
  const Power x = a * kilowatt;
  const Power y = b * megawatt;
  RC_ASSERT(x + y == y + x);
  RC_ASSERT(std::abs((x + y - y - x).in(watt)) <= 1e-6 * (std::abs(a) + std::abs(b) * 1e3) + 1e-9);
}

}  // namespace
}  // namespace headroom
