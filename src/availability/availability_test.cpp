// Closed forms against enumeration and published examples; histories against Markov.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "availability/exact.hpp"
#include "availability/generators.hpp"
#include "availability/simulate.hpp"
#include "availability/states.hpp"

namespace headroom::availability {
namespace {

constexpr double h = 3600, year = 8760 * h;

TEST(KOfN, IsWhatEnumerationSays) {
  const std::vector<double> p{0.9, 0.75, 0.6, 0.99, 0.5};
  for (int k = 0; k <= 5; ++k) {
    double sum = 0, equal = 0;
    for (unsigned bits = 0; bits < 32; ++bits) {
      double x = 1, y = 1;
      for (unsigned i = 0; i < 5; ++i) {
        x *= bits >> i & 1 ? p[i] : 1 - p[i];
        y *= bits >> i & 1 ? 0.83 : 1 - 0.83;
      }
      if (std::popcount(bits) >= k) sum += x, equal += y;
    }
    EXPECT_NEAR(k_of_n(k, p), sum, 1e-14);
    EXPECT_NEAR(k_of_n(k, 5, 0.83), equal, 1e-14);
  }
  EXPECT_EQ(k_of_n(3, 2, 0.9), 0);
}

// availability.yaml, ups_2n: MTBF 250,000 h, MTTR 8 h.
TEST(Markov, UpsOfThePublishedCase) {
  const BankRates one{.units = 1, .failure = 1 / 250000.0, .repair = 1 / 8.0};
  EXPECT_NEAR(units_out(one)[0], 0.9999680010, 1e-10);
  const BankRates two{.units = 2, .failure = 1 / 250000.0, .repair = 1 / 8.0};
  EXPECT_NEAR(1 - units_out(two)[2], 0.9999999990, 1e-10);
  const BankRates five{.units = 5, .failure = 1 / 250000.0, .repair = 1 / 8.0};
  EXPECT_NEAR(units_out(five)[0] + units_out(five)[1], 0.9999999898, 1e-10);
}

// With a crew a unit, units are independent; with one crew it is a machine-repair queue.
TEST(Markov, CrewsAndIndependence) {
  const double l = 1 / 100.0, m = 1 / 20.0;
  const auto free = units_out({.units = 4, .failure = l, .repair = m});
  for (int d = 0; d <= 4; ++d)
    EXPECT_NEAR(free[std::size_t(d)], binomial(4, d, l / (l + m)), 1e-14);
  const auto one = units_out({.units = 2, .failure = l, .repair = m, .crews = 1});
  const double a = 2 * l / m, b = a * l / m;
  EXPECT_NEAR(one[2], b / (1 + a + b), 1e-14);
  // The general solver and the product form agree where both hold.
  const auto with = units_out({.units = 4, .failure = l, .repair = m, .common = 1e-300});
  for (int d = 0; d <= 4; ++d) EXPECT_NEAR(with[std::size_t(d)], free[std::size_t(d)], 1e-12);
  // Cold standby of one spare: classic closed form.
  const auto cold = units_out({.units = 2, .failure = l, .repair = m, .needed = 1, .dormancy = 0});
  const double r = l / m;
  EXPECT_NEAR(cold[2], r * r / 2 / (1 + r + r * r / 2), 1e-14);
}

// One of two without repair: 2 e^-x - e^-2x; a single unit: e^-x, in one piece and in many.
TEST(Markov, SurvivalOverTime) {
  for (const double x : {0.1, 1.0, 5.0, 200.0}) {
    const BankRates two{.units = 2, .failure = x, .repair = 0};
    EXPECT_NEAR(bank_survival(two, 1, 1), 2 * std::exp(-x) - std::exp(-2 * x), 1e-12) << x;
    EXPECT_NEAR(bank_survival(two, 0, 1), std::exp(-2 * x), 1e-12) << x;
  }
  // Repair helps, common cause does not.
  const BankRates repaired{.units = 3, .failure = 0.01, .repair = 0.1};
  BankRates common = repaired;
  common.common = 0.001;
  EXPECT_GT(bank_survival(repaired, 1, 100), bank_survival({.units = 3, .failure = 0.01}, 1, 100));
  EXPECT_NEAR(bank_survival(common, 1, 100), bank_survival(repaired, 1, 100) * std::exp(-0.1),
              1e-12);
}

// REopt's printed examples (backup_reliability.jl); steps of one hour, MTTF 5 steps.
TEST(Generators, ReoptExamples) {
  const GeneratorType two{.count = 2, .mttf_s = 5 * h, .power_w = 1};
  const std::vector<double> need_both{2, 2, 2};
  const auto both = survival_steps(std::span(&two, 1), need_both);
  EXPECT_NEAR(both[0], 0.64, 1e-12);
  EXPECT_NEAR(both[1], 0.4096, 1e-12);
  EXPECT_NEAR(both[2], 0.262144, 1e-12);
  // Rows 1 and 2 of the docstring's tables: loads from hour 1 and hour 2.
  const auto rows = [&](std::vector<double> load, bool marginal) {
    return survival_steps(std::span(&two, 1), load, {.marginal = marginal});
  };
  const auto first = rows({1, 2, 2}, true), second = rows({2, 2, 1}, true),
             joint = rows({2, 2, 1}, false), third = rows({2, 1, 1}, false);
  const double marginal1[] = {0.96, 0.4096, 0.262144}, marginal2[] = {0.64, 0.4096, 0.761856},
               joint2[] = {0.64, 0.4096, 0.393216}, joint3[] = {0.64, 0.6144, 0.557056};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(first[i], marginal1[i], 1e-12);
    EXPECT_NEAR(second[i], marginal2[i], 1e-12);
    EXPECT_NEAR(joint[i], joint2[i], 1e-12);
    EXPECT_NEAR(third[i], joint3[i], 1e-12);
  }
}

// The docstring's example with a battery of 2 kWh and 1 kW that holds 1 kWh.
TEST(Generators, ReoptBattery) {
  const GeneratorType two{.count = 2, .mttf_s = 5 * h, .power_w = 1};
  const Battery battery{.energy_j = 2 * h, .power_w = 1, .bins = 3, .start_j = 1 * h};
  const auto row = [&](std::vector<double> load, bool marginal) {
    return survival_steps(std::span(&two, 1), battery, load, {.marginal = marginal});
  };
  const double marginal[4][3] = {
      {1, 0.8704, 0.557056}, {0.96, 0.6144, 0.77824}, {0.96, 0.896, 0.8192}, {1, 0.96, 0.761856}};
  const double joint[4][3] = {
      {1, 0.8704, 0.557056}, {0.96, 0.6144, 0.57344}, {0.96, 0.896, 0.8192}, {1, 0.96, 0.761856}};
  const double load[] = {1, 2, 2, 1};
  for (std::size_t t = 0; t < 4; ++t) {
    const std::vector<double> w{load[t], load[(t + 1) % 4], load[(t + 2) % 4]};
    const auto m = row(w, true), j = row(w, false);
    for (std::size_t d = 0; d < 3; ++d) {
      EXPECT_NEAR(m[d], marginal[t][d], 1e-12) << t << " " << d;
      EXPECT_NEAR(j[d], joint[t][d], 1e-12) << t << " " << d;
    }
  }
}

TEST(Generators, StartAndTrial) {
  const std::vector<GeneratorType> types{{.count = 2, .ready = 0.99, .failure_to_start = 0.05},
                                         {.count = 1, .ready = 0.95, .failure_to_start = 0.1}};
  const auto start = start_distribution(types);
  const double printed[] = {0.000513336, 0.0162283, 0.128258, 0.00302691, 0.0956912, 0.756282};
  const double half_digit[] = {5e-10, 5e-8, 5e-7, 5e-9, 5e-8, 5e-7};
  const double f[] = {1 - 0.99 * 0.95, 1 - 0.95 * 0.9};
  ASSERT_EQ(start.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(start[i], printed[i], half_digit[i]);
    const int n = int(i % 3);
    const double a = n == 0   ? f[0] * f[0]
                     : n == 1 ? 2 * f[0] * (1 - f[0])
                              : (1 - f[0]) * (1 - f[0]);
    EXPECT_NEAR(start[i], a * (i < 3 ? f[1] : 1 - f[1]), 1e-9);
  }
  const std::vector<int> counts{2, 1};
  const std::vector<double> fail{0.1, 0.25};
  const auto last = after_trial(counts, fail);
  const double algebra[] = {0.0025, 0.045, 0.2025, 0.0075, 0.135, 0.6075};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(last[i], algebra[i], 1e-9);
}

// Steps that grow short become continuous time; repair in the outage helps.
TEST(Generators, ContinuousTimeAndRepair) {
  const GeneratorType four{
      .count = 5, .ready = 0.995, .failure_to_start = 0.0094, .mttf_s = 1100 * h, .power_w = 1};
  EXPECT_NEAR(survival(four, 4, 96 * h), 0.92326, 5e-6);
  const std::vector<double> load(96 * 60, 4.0);
  EXPECT_NEAR(survival_steps(std::span(&four, 1), load, {.step_s = 60}).back(),
              survival(four, 4, 96 * h), 1e-5);
  EXPECT_NEAR(survival_repaired(four, 4, 96 * h, 0, 1), survival(four, 4, 96 * h), 1e-12);
  EXPECT_GT(survival_repaired(four, 4, 96 * h, 24 * h, 1), survival(four, 4, 96 * h));
}

// --- A system by histories and by Markov --------------------------------------------

Group bank(const char* name, int units, double mtbf_h, double mttr_h) {
  Group g;
  g.name = g.title = name;
  g.units = units, g.mtbf_s = mtbf_h * h, g.repair.mean_s = mttr_h * h;
  return g;
}

/// Three of four, two of three and a bus in series, one load of one watt.
System series() {
  System s;
  const int a = s.add(bank("a", 4, 2000, 40)), b = s.add(bank("b", 3, 1500, 30)),
            c = s.add(bank("bus", 1, 50000, 6));
  s.loads.push_back({.name = "hall", .title = "hall", .gpus = 10});
  View v{.name = "power", .title = "power"};
  const int x = v.source("a", a, 1 / 3.0), y = v.node("b", b, 0.5, {x}),
            z = v.node("bus", c, 0, {y});
  v.sinks.push_back({.load = 0, .node = z, .demand_w = 1});
  s.views.push_back(v);
  return s;
}

TEST(Simulate, AgreesWithMarkovWithinItsInterval) {
  const auto s = series();
  ASSERT_TRUE(mistakes_of(s).empty());
  const auto e = exact(s, {.order = 6});
  const double up = (1 - units_out({.units = 1, .failure = 1 / 50000., .repair = 1 / 6.})[1]);
  const auto a = units_out({.units = 4, .failure = 1 / 2000., .repair = 1 / 40.}),
             b = units_out({.units = 3, .failure = 1 / 1500., .repair = 1 / 30.});
  const double closed = 1 - up * (a[0] + a[1]) * (b[0] + b[1]);
  EXPECT_NEAR(e.unavailability, closed, e.bound + 1e-12);
  const auto r = simulate(s, {.years = 20, .histories = 4000, .seed = 7});
  EXPECT_NEAR(r.site_hours.mean, 8760 * closed, 1.3 * r.site_hours.error);
  EXPECT_LT(r.site_hours.error, 0.02 * r.site_hours.mean);
  EXPECT_NEAR(r.site_outages.mean, e.frequency * year, 1.3 * r.site_outages.error);
  EXPECT_LT(r.worst_imbalance, 1e-12);
  // All of its GPU time, and nothing else, is lost while it is short... in proportion.
  EXPECT_LE(r.lost_gpu_s.mean, 10 * r.site_hours.mean * h * (1 + 1e-12));
}

TEST(Simulate, OneCrewAndCommonCauseAgreeWithMarkov) {
  System s = series();
  s.groups.resize(1);
  s.groups[0].beta = 0.1;
  s.views[0].nodes.resize(1);
  s.views[0].sinks[0].node = 0;
  const auto out = units_out(
      {.units = 4, .failure = 0.9 / 2000., .repair = 1 / 40., .crews = 1, .common = 0.1 / 2000.});
  const double closed = 1 - out[0] - out[1];
  const auto r = simulate(s, {.years = 20, .histories = 4000, .seed = 3, .crews = 1});
  EXPECT_NEAR(r.site_hours.mean, 8760 * closed, 1.3 * r.site_hours.error);
  EXPECT_LT(r.site_hours.error, 0.03 * r.site_hours.mean);
  EXPECT_NEAR(exact(s, {.order = 6, .crews = 1}).unavailability, closed, 1e-12);
}

// What is passed over quickly is what would be walked through: maintenance that never begins
// switches the short cut off only while it is open, so a tiny window changes (almost) nothing.
TEST(Simulate, RepairShapesHaveTheSameMean) {
  System s = series();
  const double exponential = simulate(s, {.histories = 3000, .seed = 5}).site_outages.mean;
  for (auto& g : s.groups) g.repair.shape = RepairShape::lognormal, g.repair.sigma = 0.5;
  const auto lognormal = simulate(s, {.histories = 3000, .seed = 5});
  // Insensitivity: with a crew a unit the share of time out depends on the mean repair alone.
  const auto e = exact(s, {.order = 6});
  EXPECT_NEAR(lognormal.site_hours.mean, 8760 * e.unavailability, 1.3 * lognormal.site_hours.error);
  EXPECT_NEAR(lognormal.site_outages.mean, exponential, 0.05 * exponential);
}

TEST(Simulate, WeibullHasItsMean) {
  System s;
  auto g = bank("pump", 1, 1000, 50);
  g.shape = 2.5;
  const int pump = s.add(g);
  s.loads.push_back({.name = "hall", .gpus = 1});
  View v{.name = "water"};
  const int n = v.source("pump", pump);
  v.sinks.push_back({.load = 0, .node = n, .demand_w = 1});
  s.views.push_back(v);
  const auto r = simulate(s, {.years = 50, .histories = 400, .seed = 2});
  EXPECT_NEAR(r.site_hours.mean, 8760 * 50.0 / 1050, 0.01 * r.site_hours.mean);
}

/// Utility with two sets, battery of `battery_s`, both views of it.
System backed(int sets, double battery_s) {
  System s;
  auto utility = bank("utility", 1, 4380, 8);
  utility.external = true, utility.crew = false;
  Group gen;
  gen.name = gen.title = "sets";
  gen.units = sets, gen.standby = true, gen.start_s = 10;
  gen.ready = 0.995, gen.failure_to_start = 0.0094, gen.run_mttf_s = 1100 * h;
  gen.repair.mean_s = 24 * h;
  const int u = s.add(utility), g = s.add(gen);
  s.loads.push_back({.name = "hall", .gpus = 100});
  View v{.name = "power"};
  const int a = v.source("utility", u), b = v.source("sets", g, 1),
            bus = v.node("bus", -1, 0, {a, b});
  v.sinks.push_back({.load = 0, .node = bus, .demand_w = 1});
  if (battery_s > 0) v.sinks[0].ride = {{0, 0, 1}, {1, 1 / battery_s, 0}};
  s.views.push_back(v);
  return s;
}

// An outage of the utility is one of the load when the only set does not start, or fails before
// the mains are back: closed form for exponential times.
TEST(Simulate, GeneratorsStartAndRun) {
  const auto r = simulate(backed(1, 60), {.years = 20, .histories = 20000, .seed = 11});
  const double calls = year / (4380 * h + 8 * h), ready = 0.995 * (1 - 0.0094);
  const double runs = 1100.0 / (1100 + 8);  // exponential outage of 8 h outlasted
  // Outages of the utility shorter than the battery do not count; a set in repair from the last
  // call (24 h) makes a few more.
  const double fails = 1 - ready * runs;
  EXPECT_NEAR(r.site_outages.mean, calls * fails, 0.03 * calls * fails);
  EXPECT_GT(r.by_trigger[std::size_t(Trigger::start)], 0);
  EXPECT_GT(r.by_trigger[std::size_t(Trigger::run)], 0);
}

TEST(Simulate, ABatteryBridgesTheStart) {
  const SimulateOptions o{.years = 20, .histories = 1000, .seed = 1};
  const auto with = simulate(backed(3, 60), o), without = simulate(backed(3, 0), o),
             late = simulate(backed(3, 5), o);
  EXPECT_NEAR(without.site_outages.mean, 2, 0.1);  // every loss of the mains is noticed
  EXPECT_NEAR(late.site_outages.mean, without.site_outages.mean, 0.05);
  EXPECT_LT(with.site_outages.mean, 0.01);
}

TEST(Simulate, SameBitsOnAnyNumberOfThreads) {
  auto s = backed(2, 60);
  s.groups[0].maintenance_every_s = 0;
  SimulateOptions o{.years = 20, .histories = 2000, .seed = 9, .error = 0.01};
  const auto one = simulate(s, o);
  o.threads = 3;
  const auto three = simulate(s, o);
  EXPECT_EQ(one.site_hours.mean, three.site_hours.mean);
  EXPECT_EQ(one.site_hours.error, three.site_hours.error);
  EXPECT_EQ(one.lost_gpu_s.mean, three.lost_gpu_s.mean);
  ASSERT_EQ(one.causes.size(), three.causes.size());
  for (std::size_t i = 0; i < one.causes.size(); ++i)
    EXPECT_EQ(one.causes[i].hours, three.causes[i].hours);
  o.seed = 10;
  EXPECT_NE(simulate(s, o).site_hours.mean, one.site_hours.mean);
}

TEST(Simulate, FuelRunsOut) {
  auto s = backed(2, 60);
  s.groups[1].fuel_s = 4 * h;
  SimulateOptions o{.years = 20, .histories = 500, .seed = 4};
  const double all = simulate(s, o).site_outages.mean;
  o.refuel = 0;
  const auto dry = simulate(s, o);
  // Exponential outages of 8 h: e^-0.5 of them outlast the tank.
  EXPECT_NEAR(dry.by_trigger[std::size_t(Trigger::fuel)], 2 * std::exp(-0.5), 0.05);
  EXPECT_LT(all, 0.1);
}

// Only what can be missed is maintained unnoticed; the rest is a planned outage, counted apart.
TEST(Simulate, Maintenance) {
  auto s = series();
  for (auto& g : s.groups) g.maintenance_every_s = year, g.maintenance_s = 8 * h;
  const SimulateOptions o{.years = 20, .histories = 3000, .seed = 6};
  const auto with = simulate(s, o), without = simulate(series(), o);
  EXPECT_DOUBLE_EQ(with.planned_hours, 8);  // the bus alone
  EXPECT_EQ(with.planned_groups, std::vector<int>{2});
  EXPECT_GT(with.site_outages.mean, without.site_outages.mean);
  SimulateOptions people = o;
  people.error = 0.2;
  EXPECT_GT(simulate(s, people).by_trigger[std::size_t(Trigger::person)], 0.1);
}

// A gang loses all of its GPUs where a part of the racks is shed, and its restart; others a part.
TEST(Simulate, GangsLoseMoreThanTheirShare) {
  auto s = series();
  s.loads[0].gang_gpus = 10;
  const auto plain = simulate(series(), {.histories = 500}), gang = simulate(s, {.histories = 500});
  EXPECT_GT(gang.lost_gpu_s.mean, plain.lost_gpu_s.mean);
  EXPECT_EQ(gang.site_hours.mean, plain.site_hours.mean);
  EXPECT_NEAR(gang.lost_gpu_s.mean, 10 * gang.site_hours.mean * h, 1e-6 * gang.lost_gpu_s.mean);
  s.loads[0].rework_s = 600, s.loads[0].gang_restart_s = 300;
  const auto restart = simulate(s, {.histories = 500});
  EXPECT_NEAR(restart.lost_gpu_s.mean - gang.lost_gpu_s.mean, 9000 * restart.site_outages.mean,
              1e-6 * restart.lost_gpu_s.mean);
}

// --- States ---------------------------------------------------------------------------

TEST(Exact, MoreUnitsNeverLowerAvailability) {
  double last = 1;
  for (int units = 3; units <= 6; ++units) {
    auto s = series();
    s.groups[0].units = units;
    const auto e = exact(s, {.order = 4});
    EXPECT_LT(e.unavailability, last + 1e-15) << units;
    EXPECT_GE(e.bound, 0);
    last = e.unavailability;
  }
}

TEST(Exact, CutsAndImportance) {
  const auto e = exact(series(), {.order = 4});
  ASSERT_EQ(e.cuts.size(), 3u);  // two of a, two of b, the bus
  for (const auto& c : e.cuts) ASSERT_EQ(c.units.size(), 1u);
  // Birnbaum of the bus: it is alone in series, so 1 less what the others spoil.
  const auto bus = std::find_if(e.importance.begin(), e.importance.end(),
                                [](const auto& i) { return i.group == 2; });
  const auto a = out_shares(series(), 0, 0), b = out_shares(series(), 1, 0);
  EXPECT_NEAR(bus->birnbaum, (a[0] + a[1]) * (b[0] + b[1]), 1e-4);
  double sum = 0;
  for (const auto& i : e.importance) sum += i.fussell_vesely;
  EXPECT_GE(sum, 1);  // every bad state holds a cut
}

// Two banks in parallel through a shared bus, and a bridge, by brute force over all states.
TEST(Exact, SharedPartsAgainstEnumeration) {
  System s;
  std::vector<int> g;
  for (int i = 0; i < 5; ++i)
    g.push_back(s.add(bank(fmt::format("c{}", i).c_str(), 1, 100 + 10 * i, 10)));
  s.loads.push_back({.name = "hall"});
  View v{.name = "bridge"};
  const int a = v.source("a", g[0]), b = v.source("b", g[1]), x = v.node("x", g[2], 0, {a, b}),
            c = v.node("c", g[3], 0, {a, x}), d = v.node("d", g[4], 0, {b, x}),
            end = v.node("end", -1, 0, {c, d});
  v.sinks.push_back({.load = 0, .node = end, .demand_w = 1});
  s.views.push_back(v);
  const auto e = exact(s, {.order = 5});
  double bad = 0;
  for (unsigned bits = 0; bits < 32; ++bits) {
    double p = 1;
    for (unsigned i = 0; i < 5; ++i) {
      const double u = 10 / (110.0 + 10 * i);
      p *= bits >> i & 1 ? 1 - u : u;
    }
    const bool A = bits & 1, B = bits & 2, X = (bits & 4) && (A || B), C = (bits & 8) && (A || X),
               D = (bits & 16) && (B || X);
    if (!C && !D) bad += p;
  }
  EXPECT_NEAR(e.unavailability, bad, 1e-14);
  EXPECT_EQ(e.bound, 0);
}

TEST(Tier, FollowsTheTopology) {
  auto s = backed(2, 60);
  EXPECT_EQ(tier_of(s, {}).level, 4);  // two sets, one needed, nothing else can fail
  EXPECT_EQ(tier_of(s, {"a gap"}).level, 3);
  EXPECT_EQ(tier_of(backed(1, 60), {}).level, 1);
  // A single bus, path: redundant components, not concurrently maintainable.
  const int bus = s.add(bank("bus", 1, 1e6, 8));
  s.groups[std::size_t(bus)].path = true;
  s.views[0].nodes[2].group = bus;
  const auto t = tier_of(s, {});
  EXPECT_EQ(t.level, 2);
  EXPECT_EQ(t.not_maintained, std::vector<int>{bus});
}

TEST(Mistakes, EachIsNamed) {
  auto s = series();
  s.groups[0].units = 0, s.groups[1].repair.mean_s = 0, s.groups[2].name = "a";
  auto all = mistakes_of(s);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_NE(all[0].find("at least one unit"), std::string::npos);
  EXPECT_NE(all[1].find("never repaired"), std::string::npos);
  EXPECT_NE(all[2].find("called so"), std::string::npos);
  s = series();
  s.views[0].nodes[0].inputs = {2};
  ASSERT_EQ(mistakes_of(s).size(), 1u);
  EXPECT_NE(mistakes_of(s)[0].find("feeds itself"), std::string::npos);
  s = series();
  s.views[0].sinks[0].demand_w = 2;
  ASSERT_EQ(mistakes_of(s).size(), 1u);
  EXPECT_NE(mistakes_of(s)[0].find("gets 67 %"), std::string::npos) << mistakes_of(s)[0];
  s.views[0].sinks[0].node = 9;
  EXPECT_NE(mistakes_of(s)[0].find("there is not"), std::string::npos);
}

}  // namespace
}  // namespace headroom::availability
