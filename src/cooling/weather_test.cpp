// Weather: EPW files (real ones when ../shared is there), the mistakes they may hold, synthetic
// years against the climates they are made from, and shifts.
#include "cooling/weather.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>

#include "cooling/psychrometrics.hpp"

namespace headroom::cooling {
namespace {

double mean(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}
double at_most(const std::vector<double>& v, double t) {
  return static_cast<double>(std::count_if(v.begin(), v.end(), [&](double x) { return x <= t; }));
}
const catalog::Climate& climate(const char* id) {
  const auto* c = catalog::Catalog::builtin().find<catalog::Climate>(id);
  EXPECT_NE(c, nullptr) << id;
  return *c;
}

// --- A small world of our own -------------------------------------------------

constexpr int days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

std::vector<std::string> lines_of_a_year(bool leap = false) {
  std::vector<std::string> lines{"LOCATION,Testville,TS,TST,none,000000,50.0,8.0,1.0,100.0",
                                 "DESIGN CONDITIONS,0",
                                 "TYPICAL/EXTREME PERIODS,0",
                                 "GROUND TEMPERATURES,0",
                                 "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
                                 "COMMENTS 1,",
                                 "COMMENTS 2,",
                                 "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31"};
  for (int m = 1; m <= 12; ++m) {
    const int days = days_of[m - 1] + (leap && m == 2 ? 1 : 0);
    for (int d = 1; d <= days; ++d) {
      for (int h = 1; h <= 24; ++h) {
        lines.push_back(
            fmt::format("2001,{},{},{},0,flags,{:.1f},5.0,60,100000,0,0,300,0,0,0,0,0,"
                        "0,0,180,3.0,5,5,20,2000,9,999999999,10,0.1,0,88,0.2,0,0",
                        m, d, h, 10.0 + 0.5 * (h % 12)));
      }
    }
  }
  return lines;
}

std::string join(const std::vector<std::string>& lines) {
  std::string s;
  for (const auto& line : lines) s += line + "\r\n";
  return s;
}

std::string replaced(std::string line, int column, const std::string& with) {
  std::size_t from = 0;
  for (int i = 1; i < column; ++i) from = line.find(',', from) + 1;
  return line.replace(from, line.find(',', from) - from, with);
}

TEST(Epw, reads_a_plain_year_and_a_leap_year) {
  const auto year = parse_epw("t.epw", join(lines_of_a_year()));
  ASSERT_TRUE(year) << render(year.error());
  EXPECT_EQ(year->hours(), 8760u);
  EXPECT_EQ(year->name, "Testville");
  EXPECT_DOUBLE_EQ(year->dry_bulb_c[0], 10.5);
  EXPECT_DOUBLE_EQ(year->elevation_m, 100);
  EXPECT_LT(year->wet_bulb_c[0], year->dry_bulb_c[0]);
  const auto leap = parse_epw("t.epw", join(lines_of_a_year(true)));
  ASSERT_TRUE(leap) << render(leap.error());
  EXPECT_EQ(leap->hours(), 8784u);
}

// Seven different faults, each found at its line and column in one pass.
TEST(Epw, names_every_fault_at_its_place_in_one_pass) {
  auto lines = lines_of_a_year();
  lines[10] = replaced(lines[10], 7, "99.9");     // line 11: dry bulb missing
  lines[20] = replaced(lines[20], 9, "170");      // line 21: relative humidity out of range
  lines[30] = replaced(lines[30], 10, "999999");  // line 31: pressure missing
  lines[40] = lines[39];                          // line 41: hour repeated; one hour missing
  lines[50] = lines[50].substr(0, 60);            // line 51: too few columns
  std::swap(lines[60], lines[61]);                // line 62: unsorted
  lines[70] = replaced(lines[70], 7, "warm");     // line 71: no number
  lines[80] = replaced(lines[80], 2, "13");       // line 81: month 13
  const auto year = parse_epw("bad.epw", join(lines));
  ASSERT_FALSE(year);
  const auto& all = year.error().all();
  const auto found = [&](int line, int column, const std::string& words) {
    return std::any_of(all.begin(), all.end(), [&](const Diagnostic& d) {
      return d.file == "bad.epw" && d.line == line && d.column == column &&
             d.message.find(words) != std::string::npos;
    });
  };
  const auto column = [&](int line, int cell) {
    std::size_t from = 0;
    for (int i = 1; i < cell; ++i) {
      from = lines[static_cast<std::size_t>(line) - 1].find(',', from) + 1;
    }
    return static_cast<int>(from) + 1;
  };
  EXPECT_TRUE(found(11, column(11, 7), "dry bulb is missing"));
  EXPECT_TRUE(found(21, column(21, 9), "relative humidity 170"));
  EXPECT_TRUE(found(31, column(31, 10), "pressure is missing"));
  EXPECT_TRUE(found(41, column(41, 2), "again, first in line 40"));
  EXPECT_TRUE(found(42, 1, "1 hour missing before this line"));
  EXPECT_TRUE(found(51, 1, "columns, expected 35"));
  EXPECT_TRUE(found(62, column(62, 2), "stands after"));
  EXPECT_TRUE(found(71, column(71, 7), "'warm' is no number"));
  EXPECT_TRUE(found(81, column(81, 2), "month '13', expected 1 to 12"));
  EXPECT_EQ(all.size(), 10u) << render(year.error());  // line 81's hour is missing too
}

TEST(Epw, fills_short_gaps_only_on_request_and_counts_them) {
  auto lines = lines_of_a_year();
  lines[20] = replaced(lines[20], 7, "99.9");
  lines.erase(lines.begin() + 100, lines.begin() + 103);
  EXPECT_FALSE(parse_epw("gap.epw", join(lines)));
  EXPECT_FALSE(parse_epw("gap.epw", join(lines), {.fill_gap_h = 2}));
  const auto filled = parse_epw("gap.epw", join(lines), {.fill_gap_h = 3});
  ASSERT_TRUE(filled) << render(filled.error());
  EXPECT_EQ(filled->interpolated, 4u);
  EXPECT_NEAR(filled->dry_bulb_c[12], (filled->dry_bulb_c[11] + filled->dry_bulb_c[13]) / 2, 1e-9);
}

TEST(Epw, hostile_text_is_an_error_and_no_crash) {
  for (const char* text : {"", "LOCATION", ",,,,\n,,,\n",
                           "LOCATION,a,b,c,d,e,99,999,x,-\n\n\n\n"
                           "\n\n\n\n1,2,3",
                           "\n\n\n\n\n\n\n\n\n\n1,99999999999,1,1"}) {
    EXPECT_FALSE(parse_epw("x", text)) << text;
  }
  EXPECT_FALSE(read_epw("/nonexistent/file.epw"));
}

// --- The eight files ----------------------------------------------------------

struct Site {
  const char* file;
  double db_mean, db_p99_6, wb_mean, wb_p99_6, wb_max, wb_le_13, wb_le_20, wb_le_24, db_le_30;
};
class Shared : public testing::TestWithParam<Site> {};

// Against statistics made of the same files by another program (weather.yaml).
TEST_P(Shared, statistics) {
  const Site& s = GetParam();
  const std::string path =
      std::string(HEADROOM_SOURCE_DIR) + "/../shared/data/facility/epw/" + s.file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const auto w = read_epw(path);
  ASSERT_TRUE(w) << render(w.error());
  ASSERT_EQ(w->hours(), 8760u);
  EXPECT_NEAR(mean(w->dry_bulb_c), s.db_mean, 0.01);
  EXPECT_NEAR(exceeded_in(w->dry_bulb_c, 0.004), s.db_p99_6, 0.11);
  EXPECT_NEAR(mean(w->wet_bulb_c), s.wb_mean, 0.06);
  EXPECT_NEAR(exceeded_in(w->wet_bulb_c, 0.004), s.wb_p99_6, 0.06);
  EXPECT_NEAR(*std::max_element(w->wet_bulb_c.begin(), w->wet_bulb_c.end()), s.wb_max, 0.05);
  EXPECT_NEAR(at_most(w->wet_bulb_c, 13), s.wb_le_13, 25);
  EXPECT_NEAR(at_most(w->wet_bulb_c, 20), s.wb_le_20, 25);
  EXPECT_NEAR(at_most(w->wet_bulb_c, 24), s.wb_le_24, 25);
  EXPECT_NEAR(at_most(w->dry_bulb_c, 30), s.db_le_30, 1);
  for (std::size_t h = 0; h < w->hours(); ++h) {
    ASSERT_LE(w->wet_bulb_c[h], w->dry_bulb_c[h] + 1e-5) << h;
    ASSERT_LE(w->dew_point_c[h], w->wet_bulb_c[h] + 0.3) << h;
  }
}
INSTANTIATE_TEST_SUITE_P(Sites, Shared,
                         testing::Values(Site{"CHE_Zuerich-Kloten_1990_2010_TMY.epw", 9.92, 28.8,
                                              7.62, 21.51, 23.17, 6619, 8542, 8760, 8749},
                                         Site{"SGP_Singapore-Changi_1990_2010_TMY.epw", 27.63, 33.5,
                                              25.38, 28.91, 29.73, 0, 0, 1668, 7236},
                                         Site{"SWE_Stockholm.Arlanda.024600_IWEC.epw", 6.49, 25.5,
                                              4.54, 17.52, 19.3, 7692, 8760, 8760, 8760},
                                         Site{"USA_AZ_Phoenix-Sky.Harbor.epw", 24.67, 42.8, 13.13,
                                              27.28, 32.96, 4606, 7348, 8590, 5742},
                                         Site{"USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw", 9.99,
                                              32.2, 7.15, 25.44, 26.95, 5664, 7912, 8610, 8612},
                                         Site{"USA_TX_Dallas-Fort.Worth.epw", 19.81, 38.3, 14.63,
                                              26.78, 29.32, 3567, 5738, 8137, 7436},
                                         Site{"USA_VA_Leesburg.Exec.epw", 13.78, 35.0, 10.45, 25.9,
                                              29.08, 4878, 7121, 8562, 8430},
                                         Site{"USA_WA_Seattle-Tacoma.epw", 11.68, 30.6, 8.92, 20.88,
                                              24.0, 6770, 8680, 8759, 8716}));

// --- Synthetic years ----------------------------------------------------------

class Synthetic : public testing::TestWithParam<const char*> {};

TEST_P(Synthetic, has_the_statistics_of_its_climate) {
  const auto& c = climate(GetParam());
  const auto w = synthetic_year(c);
  ASSERT_EQ(w.hours(), 8760u);
  EXPECT_NEAR(mean(w.dry_bulb_c), catalog::absolute(c.dry_bulb.mean).in_celsius(), 0.1);
  EXPECT_NEAR(mean(w.wet_bulb_c), catalog::absolute(c.wet_bulb.mean).in_celsius(), 0.1);
  EXPECT_NEAR(exceeded_in(w.dry_bulb_c, 0.004), catalog::absolute(c.dry_bulb.design).in_celsius(),
              0.6);
  EXPECT_NEAR(exceeded_in(w.wet_bulb_c, 0.004), catalog::absolute(c.wet_bulb.design).in_celsius(),
              0.6);
  for (double t = -10; t <= 34; t += 2) {  // at the bins' edges, where the histogram is exact
    EXPECT_NEAR(at_most(w.wet_bulb_c, t),
                c.hours_wet_bulb_at_most(Temperature::celsius(t)).in(hour), 20)
        << t;
    EXPECT_NEAR(at_most(w.dry_bulb_c, t),
                c.hours_dry_bulb_at_most(Temperature::celsius(t)).in(hour), 20)
        << t;
  }
  for (std::size_t h = 0; h < w.hours(); ++h) {
    ASSERT_LE(w.wet_bulb_c[h], w.dry_bulb_c[h] + 1e-9);
  }
}

// Afternoons are warmer than nights, and one hour tells much of the next.
TEST_P(Synthetic, has_a_day_and_persistence) {
  const auto w = synthetic_year(climate(GetParam()));
  double night = 0, afternoon = 0, a = 0, b = 0;
  const double m = mean(w.dry_bulb_c);
  for (std::size_t h = 0; h + 1 < w.hours(); ++h) {
    if (h % 24 == 4) night += w.dry_bulb_c[h] / 365;
    if (h % 24 == 15) afternoon += w.dry_bulb_c[h] / 365;
    a += (w.dry_bulb_c[h] - m) * (w.dry_bulb_c[h + 1] - m);
    b += (w.dry_bulb_c[h] - m) * (w.dry_bulb_c[h] - m);
  }
  EXPECT_GT(afternoon - night, 2.5);
  EXPECT_LT(afternoon - night, 22);
  EXPECT_GT(a / b, 0.9);
}

TEST_P(Synthetic, is_the_same_every_time_and_another_with_another_seed) {
  const auto& c = climate(GetParam());
  EXPECT_EQ(synthetic_year(c).dry_bulb_c, synthetic_year(c).dry_bulb_c);
  EXPECT_NE(synthetic_year(c, 1).dry_bulb_c, synthetic_year(c, 2).dry_bulb_c);
}
INSTANTIATE_TEST_SUITE_P(Climates, Synthetic,
                         testing::Values("chicago-il", "singapore", "phoenix-az", "denver",
                                         "stockholm", "sydney"));

TEST(SyntheticYear, south_is_warm_in_january_and_north_in_july) {
  const auto month = [](const WeatherYear& w, std::size_t day) {
    double sum = 0;
    for (std::size_t h = day * 24; h < (day + 30) * 24; ++h) sum += w.dry_bulb_c[h] / 720;
    return sum;
  };
  const auto sydney = synthetic_year(climate("sydney")), denver = synthetic_year(climate("denver"));
  EXPECT_GT(month(sydney, 0), month(sydney, 181) + 5);
  EXPECT_GT(month(denver, 181), month(denver, 0) + 12);
}

TEST(Shift, holds_relative_humidity_or_dew_point) {
  const auto w = synthetic_year(climate("chicago-il"));
  const auto by_relative = shifted(w, 3, HumidityHeld::relative);
  const auto by_dew = shifted(w, 3, HumidityHeld::dew_point);
  for (std::size_t h = 0; h < w.hours(); h += 97) {
    EXPECT_NEAR(by_relative.dry_bulb_c[h], w.dry_bulb_c[h] + 3, 1e-12);
    const double p = w.pressure_pa[h];
    const double before = std::min(1.0, relative_of_humidity(w.dry_bulb_c[h], w.humidity[h], p));
    EXPECT_NEAR(relative_of_humidity(by_relative.dry_bulb_c[h], by_relative.humidity[h], p), before,
                1e-9);
    EXPECT_NEAR(by_dew.humidity[h], w.humidity[h], 1e-12);
    EXPECT_GT(by_relative.wet_bulb_c[h], by_dew.wet_bulb_c[h] - 1e-6);
    EXPECT_LT(by_dew.wet_bulb_c[h], w.wet_bulb_c[h] + 3);
  }
  // 3 K with the dew point held, then back: the same year.
  const auto back = shifted(by_dew, -3, HumidityHeld::dew_point);
  EXPECT_NEAR(mean(back.wet_bulb_c), mean(w.wet_bulb_c), 0.02);
}

TEST(Psychrometrics, dew_point_undoes_humidity) {
  for (double t = -30; t <= 35; t += 5) {
    // The curves over ice and water meet at 0 degC with a step of 0.05 Pa.
    const double tolerance = t == 0 ? 2e-3 : 1e-6;
    EXPECT_NEAR(dew_point_c(humidity_of_dew_point(t, 95000), 95000), t, tolerance) << t;
  }
  EXPECT_EQ(dew_point_c(0, 101325), -100);
  // ASHRAE Fundamentals ch. 1, table 2: saturated air at 20 degC holds 0.014758 kg/kg.
  EXPECT_NEAR(humidity_of_relative(20, 1, 101325), 0.014758, 0.00008);
}

TEST(DesignDays, extreme_is_worse_than_design) {
  const auto w = synthetic_year(climate("dallas-tx"));
  const auto d = design_days(w);
  EXPECT_GT(d.extreme.dry_bulb_c, d.by_dry_bulb.dry_bulb_c);
  EXPECT_GT(d.extreme_wet.wet_bulb_c, d.by_wet_bulb.wet_bulb_c);
  EXPECT_GT(d.by_dry_bulb.dry_bulb_c, d.by_wet_bulb.dry_bulb_c - 1e-9);
  EXPECT_LT(d.by_dry_bulb.wet_bulb_c, d.by_wet_bulb.wet_bulb_c + 1e-9);
}

}  // namespace
}  // namespace headroom::cooling
