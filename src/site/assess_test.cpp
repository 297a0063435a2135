// Expectations come from a map, a calendar and the rules' own text, not from the code.
#include "site/assess.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "base/units.hpp"
#include "site/calendar.hpp"

namespace headroom::site {
namespace {

const catalog::Catalog& builtin() { return catalog::Catalog::builtin(); }

struct Study {
  Spec spec;
  Demand demand;
  Trace trace;
  Result result;

  Study() { demand.as_of = "2026-11-20"; }
  const Result& run() {
    result = assess(spec, demand, builtin(), trace);
    return result;
  }
  const Margin* margin(std::string_view id) const {
    for (const Margin& m : result.findings.margins) {
      if (m.id == id) return &m;
    }
    return nullptr;
  }
  bool remarks(std::string_view words) const {
    return std::any_of(result.findings.remarks.begin(), result.findings.remarks.end(),
                       [&](const auto& r) { return r.find(words) != std::string::npos; });
  }
  void chip(std::string name, double tpp, double density) {
    demand.chips.push_back(
        {name, name, 8,
         trace.constant(name + ".tpp", Scalar(tpp), "1", published("BIS definition")),
         trace.constant(name + ".density", Scalar(density), "1", published("BIS definition"))});
  }
  void energy(Energy e) { demand.energy = trace.constant("meter", e, "MWh", published("test")); }
};

SourcePtr src() { return published("test"); }

// --- Calendar -------------------------------------------------------------------

TEST(Calendar, KnowsTheCivilCalendar) {
  EXPECT_EQ(day_number("1970-01-01"), 0);
  EXPECT_EQ(*day_number("2024-03-01") - *day_number("2024-02-28"), 2);  // leap year
  EXPECT_EQ(*day_number("2025-03-01") - *day_number("2025-02-28"), 1);
  EXPECT_EQ(day_number("2026-11"), day_number("2026-11-01"));
  EXPECT_EQ(date_after("2026-11-20", 42 * day), "2027-01-01");
}

TEST(Calendar, RefusesWhatIsNoDate) {
  for (const char* text : {"2025-02-29", "2026-13-01", "2026-1-1", "20261120", "", "2026-11-00"}) {
    EXPECT_FALSE(day_number(text)) << text;
  }
}

RC_GTEST_PROP(Calendar, DatesRoundTrip, ()) {
  const long n = *rc::gen::inRange(-20000L, 60000L);
  RC_ASSERT(day_number(iso_date(n)) == n);
}

// --- Distance and round trip ------------------------------------------------------

TEST(Latency, AlgiersToParisIsAsFarAsTheMapSays) {
  const Length d = great_circle(36.75, 3.06, 48.86, 2.35);
  EXPECT_NEAR(d.in(kilometre), 1347, 10);
  // Light in fibre: 2 x 1,347 km / 204,218 km/s = 13.2 ms; with the median path 23 ms.
  EXPECT_NEAR(fibre_rtt(d, 1).in(millisecond), 13.2, 0.2);
  EXPECT_NEAR(fibre_rtt(d, 1.74).in(millisecond), 23.0, 0.3);
}

TEST(Latency, HalfTheWorldIsHalfItsCircumference) {
  EXPECT_NEAR(great_circle(0, 0, 0, 180).in(kilometre), 20015, 1);
  EXPECT_EQ(great_circle(10, 20, 10, 20), Length{});
}

// AWS region pairs, 2017 (distance km, measured ms): inside the P10-P90 band, bar a tenth or so.
TEST(Latency, BandCoversMeasuredPairs) {
  const double pairs[][2] = {{3857, 72.74},  {3510, 86.98},  {5466, 80.55}, {6553, 88.66},
                             {10885, 145.3}, {15539, 216.7}, {962, 19.46},  {8194, 153.2},
                             {8329, 102.5},  {7316, 137.0},  {1087, 19.56}, {9595, 212.4},
                             {10266, 325.9}, {1163, 31.44},  {5320, 73.79}, {6298, 175.3}};
  int inside = 0;
  for (const auto& [km, ms] : pairs) {
    const Time low = fibre_rtt(km * kilometre, 1.30), high = fibre_rtt(km * kilometre, 2.76);
    inside += ms * millisecond >= low && ms * millisecond <= high;
  }
  EXPECT_GE(inside, 12);
}

RC_GTEST_PROP(Latency, FartherIsNeverSooner, ()) {
  const double a = *rc::gen::inRange(0, 20000), b = *rc::gen::inRange(0, 20000);
  const bool farther = a <= b;
  RC_ASSERT(farther == (fibre_rtt(a * kilometre, 1.74) <= fibre_rtt(b * kilometre, 1.74)) ||
            a == b);
}

Users users(std::string region, double limit_ms) {
  Users u;
  u.region = std::move(region);
  u.rtt_limit = Value<Time>(limit_ms * millisecond, src());
  return u;
}

TEST(Latency, UsersInAlgiersReachParisIn50MsButNotIn20) {
  for (auto [limit, holds] : {std::pair{50.0, true}, {20.0, false}}) {
    Study s;
    s.spec.region = "france";
    s.spec.users = {users("algeria", limit)};
    s.run();
    const Margin* m = s.margin("site.rtt.algeria-algiers");
    ASSERT_NE(m, nullptr);
    EXPECT_EQ(m->holds(), holds);
    EXPECT_EQ(m->remedies.empty(), holds);
    EXPECT_NEAR(s.result.latency[0].rtt.in(millisecond), 29.6, 1);
    EXPECT_GT(s.result.latency[0].rtt_high.in(millisecond), 40);
  }
}

TEST(Latency, MeanIsWeightedByShare) {
  Study s;
  s.spec.region = "france";
  s.spec.users = {users("france", 100), users("japan-tokyo", 1000)};
  s.spec.users[0].share = Value<Scalar>(Scalar(0.75), src());
  s.run();
  const auto& l = s.result.latency;
  ASSERT_EQ(l.size(), 2u);
  EXPECT_NEAR(l[1].share, 0.25, 1e-12);
  EXPECT_NEAR(s.result.mean_rtt.in(millisecond),
              0.75 * l[0].rtt.in(millisecond) + 0.25 * l[1].rtt.in(millisecond), 1e-9);
}

// --- Schedule -----------------------------------------------------------------------

TEST(Schedule, VirginiaWaitsForItsGrid) {
  Study s;
  s.spec.region = "us-virginia";
  s.spec.need_by = "2029-11-20";
  s.demand.construction = true;
  s.demand.orders = {{"DGX H100", "hgx", {}, {}}};
  s.run();
  const Margin* m = s.margin("site.ready");
  ASSERT_NE(m, nullptr);
  EXPECT_FALSE(m->holds());
  // Six years of queue, 10 weeks of commissioning, 8 weeks of installation.
  EXPECT_NEAR(s.result.schedule.ready.in(week), 6 * 8760.0 / 168 + 10 + 8, 0.01);
  EXPECT_NEAR(s.result.schedule.energised.in(year), 6, 1e-9);
  EXPECT_NE(m->why.find("Grid connection"), std::string::npos);
  ASSERT_GE(m->remedies.size(), 2u);  // bridging power and a standing hall
  EXPECT_LT(*m->remedies[0].lead_time, s.result.schedule.ready.value);
}

TEST(Schedule, NobodyRentsOutAnEmptyHallOf150Megawatts) {
  Study s;
  s.spec.region = "us-virginia";
  s.spec.need_by = "2029-11-20";
  s.demand.construction = true;
  s.demand.orders = {{"DGX H100", "hgx", {}, {}}};
  s.demand.peak_power = s.trace.constant("peak", 150 * megawatt, "MW", assumed("test"));
  s.run();
  std::string text;
  for (const auto& r : s.margin("site.ready")->remedies) text += r.action + "\n";
  EXPECT_EQ(text.find("take space in a hall"), std::string::npos) << text;
  EXPECT_NE(text.find("split the load over 8"), std::string::npos) << text;
}

// Leaf and spine are ordered on one day and arrive on one day.
TEST(Schedule, ParallelOrdersAreJoinedByAnd) {
  Study s;
  s.spec.region = "us-virginia";
  s.spec.existing = true;
  s.demand.orders = {{"leaf", {}, {26 * week, assumed("test")}, catalog::Phase::equipment},
                     {"spine", {}, {26 * week, assumed("test")}, catalog::Phase::equipment}};
  s.run();
  ASSERT_FALSE(s.result.findings.plans.empty());
  EXPECT_NE(s.result.findings.plans[0].summary.find("critical: leaf and spine, then "),
            std::string::npos)
      << s.result.findings.plans[0].summary;
}

TEST(Schedule, WithGenerationOnSiteTheTransformerSetsTheDate) {
  Study s;
  s.spec.region = "us-virginia";
  s.spec.need_by = "2031-01-01";
  s.spec.grid.on_site = OnSite::gas_engine;
  s.demand.construction = true;
  s.run();
  // 128 weeks of transformer, 26 of fit-out, 10 of commissioning.
  EXPECT_NEAR(s.result.schedule.ready.in(week), 164, 0.01);
  ASSERT_NE(s.margin("site.ready"), nullptr);
  EXPECT_TRUE(s.margin("site.ready")->holds());
}

TEST(Schedule, StandingHallWaitsForServersAlone) {
  Study s;
  s.spec.existing = true;
  s.spec.need_by = "2027-06-01";
  s.demand.construction = true;  // a standing hall is not built again
  s.demand.orders = {{"servers", {}, Value<Time>(20 * week, src()), catalog::Phase::equipment}};
  s.run();
  EXPECT_NEAR(s.result.schedule.ready.in(week), 28, 1e-9);
  ASSERT_NE(s.margin("site.ready"), nullptr);
  EXPECT_NEAR(s.margin("site.ready")->have, (193 * day).si(), 1);  // 20 Nov to 1 Jun
  EXPECT_FALSE(s.margin("site.ready")->holds());
}

TEST(Schedule, PromisedDateStandsOverTheQueue) {
  Study s;
  s.spec.region = "us-virginia";
  s.spec.energised_by = "2027-11-20";
  s.demand.construction = true;
  s.demand.orders = {{"", "nvl72", {}, {}}};
  s.run();
  EXPECT_NEAR(s.result.schedule.energised.in(day), 365, 1e-9);
  EXPECT_NEAR(s.result.schedule.ready.in(day), 365 + 56, 1e-9);
  EXPECT_EQ(s.margin("site.ready"), nullptr);  // no date was asked
}

TEST(Schedule, BuiltHallMayStillQueueForItsConnection) {
  Study s;
  s.spec.grid.queue = Value<Time>(2 * year, src());
  s.demand.orders = {{"", "hgx", {}, {}}};
  s.run();
  EXPECT_NEAR(s.result.schedule.ready.in(week), 2 * 8760.0 / 168 + 8, 1e-6);
  s.spec.existing = true;  // energised already
  s.run();
  EXPECT_NEAR(s.result.schedule.ready.in(week), 16 + 8, 1e-6);
}

TEST(Schedule, CriticalTasksHaveNoSlackAndChainToTheEnd) {
  Study s;
  s.spec.region = "us-texas";
  s.demand.construction = true;
  s.demand.orders = {{"", "hgx", {}, {}}};
  s.run();
  Time chain{};
  for (const Task& t : s.result.schedule.tasks) {
    EXPECT_GE(t.slack.si(), -1e-3) << t.id;
    EXPECT_EQ(t.critical, t.slack < 1 * hour && t.duration > Time{}) << t.id;
    if (t.critical) chain += t.duration;
  }
  EXPECT_NEAR(chain.in(week), s.result.schedule.ready.in(week), 1e-6);
  EXPECT_LE(s.result.schedule.ready_low, s.result.schedule.ready.value);
  EXPECT_GE(s.result.schedule.ready_high, s.result.schedule.ready.value);
}

RC_GTEST_PROP(Schedule, SlowerDeliveryNeverMakesItReadySooner, ()) {
  const int weeks = *rc::gen::inRange(0, 400), more = *rc::gen::inRange(0, 100);
  const auto ready = [](int w) {
    Study s;
    s.spec.region = "sweden";
    s.demand.construction = true;
    s.demand.orders = {{"x", {}, Value<Time>(w * week, src()), catalog::Phase::equipment}};
    return s.run().schedule.ready.value;
  };
  RC_ASSERT(ready(weeks) <= ready(weeks + more));
}

TEST(Schedule, BillLinesBecomeOrdersSlowestKept) {
  BillOfMaterials bill;
  BillLine a{"a", "accelerators", "DGX H100", 16, {}, 0, 0, no_node, no_node, 10 * week, {}, 0};
  BillLine b = a;
  b.lead_time = 30 * week;
  BillLine c{"c", "network", "leaf switch", 4, {}, 0, 0, no_node, no_node, {}, {}, 0};
  BillLine d{"d", "other", "paint", 4, {}, 0, 0, no_node, no_node, {}, {}, 0};
  for (const auto& line : {a, b, c, d}) bill.add(line);
  const auto orders = orders_from(bill, builtin());
  ASSERT_EQ(orders.size(), 2u);
  EXPECT_EQ(orders[0].time.get(), 30 * week);
  EXPECT_EQ(orders[1].lead_time, "network");
}

// --- Export -------------------------------------------------------------------------

struct ExportCase {
  const char* region;
  const char* owner;
  double tpp, density;
  const char* expect;  // "none", "fails", "holds"
};

TEST(Export, FollowsTheRulesText) {
  const ExportCase cases[] = {
      {"china-beijing", "", 15832, 19.4, "fails"},     // H100 to D:5
      {"uae", "", 15832, 19.4, "fails"},               // H100 to D:4
      {"us-virginia", "", 15832, 19.4, "none"},        // at home
      {"france", "", 15832, 19.4, "none"},             // A:5
      {"israel", "", 15832, 19.4, "none"},             // D:4 but A:6
      {"malaysia-johor", "", 15832, 19.4, "none"},     // no D group
      {"malaysia-johor", "CN", 15832, 19.4, "fails"},  // headquarters in D:5
      {"china-beijing", "", 2368, 2.9, "holds"},       // H20: below both prongs
      {"saudi", "", 4000, 6.0, "fails"},               // by density: 4,000 >= 1,600 and 6.0 >= 5.92
      {"saudi", "", 2500, 2.0, "fails"},               // 3A090.b
      {"saudi", "", 1000, 9.0, "holds"},
  };
  for (const auto& k : cases) {
    Study s;
    s.spec.region = k.region;
    s.spec.export_control.owner_country = k.owner;
    s.chip("chip", k.tpp, k.density);
    s.run();
    const Margin* m = s.margin("site.export.chip");
    const std::string got = m == nullptr ? "none" : m->holds() ? "holds" : "fails";
    EXPECT_EQ(got, k.expect) << k.region << " " << k.owner << " " << k.tpp;
    if (m != nullptr && !m->holds()) { EXPECT_FALSE(m->remedies.empty()); }
  }
}

TEST(Export, LicenceInHandLiftsTheLimitAndIsSaid) {
  Study s;
  s.spec.region = "uae";
  s.spec.export_control.licence_held = true;
  s.chip("h100", 15832, 19.4);
  s.run();
  EXPECT_EQ(s.margin("site.export.h100"), nullptr);
  EXPECT_TRUE(s.remarks("a licence is held"));
}

TEST(Export, StaleRuleAnswersUnknown) {
  Study s;
  s.demand.as_of = "2027-02-01";  // past review_by 2026-12-31
  s.spec.region = "china-beijing";
  s.chip("h100", 15832, 19.4);
  s.run();
  EXPECT_EQ(s.margin("site.export.h100"), nullptr);
  EXPECT_TRUE(s.remarks("unknown"));
}

// --- Residency ----------------------------------------------------------------------

TEST(Residency, DemandedJurisdiction) {
  for (auto [region, holds] : {std::pair{"germany-frankfurt", true}, {"us-ohio", false}}) {
    Study s;
    s.spec.region = region;
    s.spec.residency.within = {"EU"};
    s.run();
    const Margin* m = s.margin("site.residency.within");
    ASSERT_NE(m, nullptr);
    EXPECT_EQ(m->holds(), holds);
    EXPECT_EQ(m->remedies.empty(), holds);
  }
}

TEST(Residency, PersonalDataOfEuropeans) {
  struct Case {
    const char* region;
    std::vector<std::string> safeguards;
    bool holds;
  };
  for (const auto& k :
       {Case{"finland", {}, true}, Case{"japan-tokyo", {}, true}, Case{"us-virginia", {}, false},
        Case{"us-virginia", {"dpf"}, true}, Case{"india-mumbai", {"dpf-typo"}, false}}) {
    Study s;
    s.spec.region = k.region;
    s.spec.residency.data = {{"", "personal", "EU"}};
    s.spec.residency.safeguards = k.safeguards;
    s.run();
    const Margin* m = s.margin("site.residency.personal-data.eu-gdpr-v");
    ASSERT_NE(m, nullptr) << k.region;
    EXPECT_EQ(m->holds(), k.holds) << k.region;
  }
}

TEST(Residency, HealthDataNeedAnAgreementEvenAtHome) {
  Study s;
  s.spec.region = "us-iowa";
  s.spec.residency.data = {{"records", "health", "US"}};
  s.run();
  ASSERT_NE(s.margin("site.residency.records.us-hipaa"), nullptr);
  EXPECT_FALSE(s.margin("site.residency.records.us-hipaa")->holds());
}

TEST(Residency, LocalisedDataMayNotLeave) {
  Study s;
  s.spec.region = "singapore";
  s.spec.residency.data = {{"", "financial", "IN"}};
  s.spec.residency.safeguards = {"scc"};
  s.run();
  ASSERT_NE(s.margin("site.residency.financial-data.in-rbi"), nullptr);
  EXPECT_FALSE(s.margin("site.residency.financial-data.in-rbi")->holds());
}

TEST(Residency, UnknownLawIsSaidToBeUnknown) {
  Study s;
  s.spec.region = "kenya";
  s.spec.residency.data = {{"", "personal", "KE"}};
  s.run();
  EXPECT_TRUE(s.result.findings.margins.empty());
  EXPECT_TRUE(s.remarks("unknown"));
}

// --- Carbon, water, price -------------------------------------------------------------

TEST(Carbon, EnergyTimesIntensity) {
  Study s;
  s.spec.grid_carbon = Value<CarbonIntensity>(
      CarbonIntensity::from_si(parse_unit("gCO2e/kWh")->factor * 400), src());
  s.energy(1e6 * kilowatt_hour);
  s.spec.carbon.renewable_share = Value<Scalar>(Scalar(0.6), src());
  s.run();
  EXPECT_NEAR(s.result.carbon_location.in(tonne_co2e), 400, 1e-9);
  EXPECT_NEAR(s.result.carbon_market.in(tonne_co2e), 160, 1e-9);
}

TEST(Carbon, LimitHoldsOnTheBasisThatWasAsked) {
  for (auto [basis, limit_t, holds] : {std::tuple{CarbonBasis::location, 500.0, true},
                                       {CarbonBasis::location, 200.0, false},
                                       {CarbonBasis::market, 200.0, true},
                                       {CarbonBasis::market, 100.0, false}}) {
    Study s;
    s.spec.grid_carbon = Value<CarbonIntensity>(
        CarbonIntensity::from_si(parse_unit("gCO2e/kWh")->factor * 400), src());
    s.spec.carbon.renewable_share = Value<Scalar>(Scalar(0.6), src());
    s.spec.carbon.basis = basis;
    s.spec.carbon.per_year = Value<Carbon>(limit_t * tonne_co2e, src());
    s.energy(1e6 * kilowatt_hour);
    s.run();
    ASSERT_NE(s.margin("site.carbon"), nullptr);
    EXPECT_EQ(s.margin("site.carbon")->holds(), holds);
  }
}

TEST(Carbon, IntensityLimitSeparatesPolandFromSweden) {
  for (auto [region, holds] : {std::pair{"sweden", true}, {"poland", false}}) {
    Study s;
    s.spec.region = region;
    s.spec.carbon.intensity = Value<CarbonIntensity>(
        CarbonIntensity::from_si(parse_unit("gCO2e/kWh")->factor * 100), src());
    s.run();
    ASSERT_NE(s.margin("site.carbon-intensity"), nullptr);
    EXPECT_EQ(s.margin("site.carbon-intensity")->holds(), holds);
    EXPECT_EQ(s.margin("site.carbon-intensity")->remedies.empty(), holds);
  }
}

TEST(Water, StressIsSaidUnlessTheBasinIsSpared) {
  Study s;
  s.spec.region = "us-arizona";
  s.run();
  EXPECT_TRUE(s.remarks("extremely high"));
  s.spec.water_source = WaterSource::none;
  s.run();
  EXPECT_FALSE(s.remarks("extremely high"));
}

TEST(Tariff, LargeLoadRuleAppliesFromItsThreshold) {
  for (auto [mw, said] : {std::pair{30.0, true}, {20.0, false}}) {
    Study s;
    s.spec.region = "us-ohio";
    s.demand.peak_power = s.trace.constant("peak", mw * megawatt, "MW", src());
    s.run();
    EXPECT_EQ(s.remarks("85 % of contracted demand"), said);
    EXPECT_NEAR(s.result.minimum_bill.value, 0.85, 1e-12);
  }
}

TEST(Tariff, InterruptibleConnectionIsSaid) {
  Study s;
  s.spec.region = "us-texas";
  s.run();
  EXPECT_FALSE(s.remarks("not firm"));
  s.spec.grid.firm = false;
  s.run();
  EXPECT_TRUE(s.remarks("not firm"));
}

TEST(Price, ContractBlendsIntoTheEnergyPrice) {
  Study s;
  s.spec.electricity = Value<EnergyPrice>(0.10 * dollar / kilowatt_hour, src());
  s.spec.carbon.ppa_price = Value<EnergyPrice>(0.06 * dollar / kilowatt_hour, src());
  s.spec.carbon.renewable_share = Value<Scalar>(Scalar(0.5), src());
  s.run();
  EXPECT_NEAR(s.result.electricity.value.in(dollar / kilowatt_hour), 0.08, 1e-12);
}

// --- Catalogue --------------------------------------------------------------------------

TEST(Regions, AreComplete) {
  const auto all = builtin().all<catalog::Region>();
  EXPECT_GE(all.size(), 50u);
  for (const auto* r : all) {
    EXPECT_TRUE(r->electricity && r->carbon && r->grid_queue) << r->id;
    EXPECT_FALSE(r->jurisdictions.empty()) << r->id;
    EXPECT_FALSE(r->export_groups.empty()) << r->id;
    EXPECT_LE(r->carbon.low, r->carbon.likely) << r->id;
    EXPECT_GT(r->electricity.get().in(dollar / kilowatt_hour), 0.02) << r->id;
    EXPECT_LT(r->electricity.get().in(dollar / kilowatt_hour), 0.30) << r->id;
  }
}

TEST(Nothing, AskedNothingClaimed) {
  Study s;
  s.run();
  EXPECT_TRUE(s.result.findings.margins.empty());
  EXPECT_EQ(s.result.electricity.node, no_node);
  EXPECT_TRUE(s.remarks("no region"));
}

}  // namespace
}  // namespace headroom::site
