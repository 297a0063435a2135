#include "money/assess.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "catalog/finance.hpp"
#include "catalog/price.hpp"
#include "money/finance_math.hpp"

namespace headroom::money {
namespace {

SourcePtr us() { return assumed("test"); }
constexpr auto per_hour = dollar / hour;

// One 8xH100 node in a colo hall: 410,000 USD installed with its share of the
// fabric, 3 years, 8 %, 30 % residual, 190 USD/kW-month for 10.2 kW, energy
// 8.3 c/kWh, 5 % upkeep a year and 2,500 USD a month of staff.
struct Node {
  Trace trace;
  Spec spec;
  Demand demand;

  Node() {
    BillLine line;
    line.id = "gpu.node";
    line.category = "accelerators";
    line.item = "8xH100 node";
    line.count = 1;
    line.unit_price = 410e3 * dollar;
    demand.bill.add(line);
    demand.start = "2027-01-01";
    demand.accelerator = "h100-sxm";
    demand.accelerators = figure("gpus", Scalar(8), "GPU");
    demand.it_power_max = figure("it_max", 10.2 * kilowatt, "kW");
    demand.it_power = figure("it", 8.5 * kilowatt, "kW");
    demand.pue = figure("pue", Scalar(1.3), "");
    demand.energy_rate = figure("meter", 8.5 * 1.3 * kilowatt, "kW");
    demand.energy_price = figure("price", 0.083 * (dollar / kilowatt_hour), "USD/kWh");
    spec.horizon = {3 * year, us()};
    spec.discount = {Scalar(0.08), us()};
    spec.escalation = {Scalar(0), us()};
    spec.residual = {Scalar(0.30), us()};
    spec.economic_life = {5 * year, us()};
    spec.utilisation = {Scalar(1), us()};
    spec.colo = {190 * (dollar / kilowatt / month), us()};
    spec.colo_pue = {Scalar(1.3), us()};
    spec.it_maintenance = {Scalar(0.05), us()};
    spec.hardware_people = {Scalar(1), us()};
    spec.person = {2500 * (dollar / month), us()};
    spec.platform_people = {Scalar(0), us()};
    spec.facility_people = {Scalar(0), us()};
    spec.facility_maintenance = {Scalar(0), us()};
    spec.rent_extras = {Scalar(0), us()};
    spec.cloud_rent = {6.88 * per_hour, us()};
    spec.neocloud_rent = {2.35 * per_hour, us()};
    spec.prices_as_of = "2026-03-01";
  }
  template <class Q>
  Figure<Q> figure(const char* id, Q q, const char* unit) {
    return trace.constant(id, q, unit, us());
  }
  Result run() { return assess(spec, demand, catalog::Catalog::builtin(), trace); }
};

const Path& way(const Result& r, Way w) {
  const auto it =
      std::find_if(r.paths.begin(), r.paths.end(), [&](const Path& p) { return p.way == w; });
  EXPECT_NE(it, r.paths.end());
  return *it;
}

const Margin* find(const Result& r, const std::string& id) {
  const auto it = std::find_if(r.findings.margins.begin(), r.findings.margins.end(),
                               [&](const Margin& m) { return m.id == id; });
  return it == r.findings.margins.end() ? nullptr : &*it;
}

double usd_h(MoneyRate rate) { return rate.in(per_hour); }

TEST(Money, AnOwnedNodeInColoCostsWhatTheAnnuitySays) {
  Node s;
  const auto r = s.run();
  // By hand: capital recovery + 5 % upkeep + colo + energy + staff, over 8 x 730 h.
  const double i = std::pow(1.08, 1.0 / 12) - 1;
  const double v = std::pow(1 + i, -36);
  const double recovery = (410e3 - 123e3 * v) * i / (1 - v);
  const double monthly = recovery + 410e3 * 0.05 / 12 + 190 * 10.2 + 8.5 * 1.3 * 730 * 0.083 + 2500;
  const auto& colo = way(r, Way::colo);
  EXPECT_NEAR(usd_h(colo.per_installed_gpu_hour), monthly / (8 * 730), 1e-6);
  EXPECT_NEAR(usd_h(colo.per_installed_gpu_hour), 2.84, 0.03);
}

double running(const Path& p, const std::string& name) {
  for (const auto& item : p.operating) {
    if (item.name == name) return item.amount.in(dollar / year);
  }
  return 0;
}

// Two servers of eight: 0.032 of an engineer by the thousand. Nobody is hired so.
TEST(Money, ASmallClusterStillNeedsHalfAnEngineer) {
  Node s;
  s.spec.hardware_people = {};
  s.spec.platform_people = {};
  s.spec.person = {160e3 * (dollar / year), us()};
  const auto r = s.run();
  EXPECT_NEAR(running(way(r, Way::own), "platform people"), 80e3, 1);
  EXPECT_NEAR(running(way(r, Way::own), "hardware people"), 40e3, 1);
  const auto floors =
      std::count_if(r.findings.remarks.begin(), r.findings.remarks.end(),
                    [](const auto& t) { return t.find("at the floor of") != std::string::npos; });
  EXPECT_EQ(floors, 2);
  s.demand.accelerators = s.figure("many", Scalar(16384), "GPU");
  EXPECT_NEAR(running(way(s.run(), Way::own), "platform people"), 16.384 * 2 * 160e3, 1);
  s.demand.accelerators = s.figure("desk", Scalar(1), "GPU");
  EXPECT_NEAR(running(way(s.run(), Way::own), "platform people"), 0.002 * 160e3, 1);
}

TEST(Money, RacksAreNotCalledFacility) {
  Node s;
  BillLine racks;
  racks.id = "building.hall-a.racks";
  racks.category = "racks";
  racks.item = "rack";
  racks.count = 10;
  racks.unit_price = 5000 * dollar;
  s.demand.bill.add(racks);
  s.demand.facility_exists = true;
  const auto r = s.run();
  const auto& own = way(r, Way::own).capital;
  const auto it =
      std::find_if(own.begin(), own.end(), [](const Item& i) { return i.cause == Cause::racks; });
  ASSERT_NE(it, own.end());
  EXPECT_EQ(it->amount.in(dollar), 50e3);
  for (const auto& i : own) EXPECT_NE(i.cause, Cause::facility);
  // A landlord's space comes with racks.
  for (const auto& i : way(r, Way::colo).capital) EXPECT_NE(i.cause, Cause::racks);
}

TEST(Money, BreakEvenUtilisationIsAResult) {
  // The same node with the colo's price of space as part of what is owned:
  // 2.84 USD/GPU-h installed.
  Node s;
  s.spec.hardware_people = {Scalar(1 + 190 * 10.2 / 2500), us()};
  auto r = s.run();
  const double own = usd_h(way(r, Way::own).per_installed_gpu_hour);
  EXPECT_NEAR(own, 2.84, 0.03);
  EXPECT_NEAR(way(r, Way::cloud).break_even->value, own / 6.88, 1e-9);
  EXPECT_EQ(way(r, Way::cloud).break_even_text, "41 %");
  EXPECT_EQ(way(r, Way::neocloud).break_even_text, "never");
  s.spec.cloud_rent = {3.99 * per_hour, us()};
  r = s.run();
  EXPECT_NEAR(way(r, Way::cloud).break_even->value, 0.71, 0.01);
}

TEST(Money, AtBreakEvenBothWaysCostTheSame) {
  // Holds whatever the inputs: idle draw, staff on both sides, extras, tax.
  for (const bool taxed : {false, true}) {
    Node s;
    s.spec.rent_extras = {Scalar(0.2), us()};
    s.spec.platform_people = {Scalar(0.1), us()};
    if (taxed) s.spec.tax = {Scalar(0.25), us()};
    const auto r = s.run();
    const auto& cloud = way(r, Way::cloud);
    ASSERT_TRUE(cloud.break_even);
    s.spec.utilisation = {cloud.break_even->value, us()};
    const auto even = s.run();
    EXPECT_NEAR(usd_h(way(even, Way::own).per_used_gpu_hour),
                usd_h(way(even, Way::cloud).per_used_gpu_hour), 1e-9);
  }
}

TEST(Money, IdleDrawMakesTheBreakEvenEarlier) {
  Node s;
  const double all_fixed = way(s.run(), Way::cloud).break_even->value;
  s.demand.idle_rate = s.figure("idle", 3 * kilowatt, "kW");
  const auto r = s.run();
  const double u = way(r, Way::cloud).break_even->value;
  EXPECT_LT(u, all_fixed);
  // At u the energy is idle + u (busy - idle); everything else is as at full use.
  const double own = usd_h(way(r, Way::own).per_installed_gpu_hour);
  const double by_use = (8.5 * 1.3 - 3) * 0.083 / 8;
  EXPECT_NEAR(own - by_use + u * by_use, u * 6.88, 1e-9);
}

TEST(Money, AnHourOfP5ForAYearIs861283Dollars) {
  Node s;
  s.spec.cloud_price = "h100-aws-on-demand-2025-01";
  s.spec.cloud_rent = {};
  const auto r = s.run();
  const double yearly = way(r, Way::cloud).operating_total.in(dollar / year);
  EXPECT_NEAR(yearly, 8 * 12.29 * 8760, 1);
  EXPECT_NEAR(yearly, 98.32 * 8760, 861283 * 1e-4);
  EXPECT_EQ(way(r, Way::cloud).price_as_of, "2025-01-01");
}

TEST(Money, CashFlowCarriesPresentCostAndDates) {
  Node s;
  const auto r = s.run();
  for (const auto& p : r.paths) {
    double present = 0;
    for (const auto& m : p.months) present += m.total() / std::pow(1.08, m.index / 12.0);
    EXPECT_NEAR(present, p.present_cost.in(dollar), 1e-3);
    ASSERT_EQ(p.months.size(), 37u);
    EXPECT_EQ(p.months[0].date, "2027-01-01");
    EXPECT_EQ(p.months[36].date, "2030-01-01");
  }
  EXPECT_EQ(way(r, Way::own).months[0].total(), 410e3);
  EXPECT_NEAR(way(r, Way::own).months[36].usd[static_cast<int>(Cause::residual)], -123e3, 1e-6);
}

TEST(Money, BridgesSumToTheDifference) {
  Node s;
  const auto r = s.run();
  ASSERT_EQ(r.bridges.size(), 3u);
  for (const auto& b : r.bridges) {
    MoneyRate sum;
    for (const auto& step : b.steps) sum += step.change;
    EXPECT_NEAR(
        usd_h(sum),
        usd_h(way(r, b.to).per_used_gpu_hour.value - way(r, Way::own).per_used_gpu_hour.value),
        1e-9);
  }
}

TEST(Money, ReturnsComeFromTheDatedCashFlow) {
  Node s;
  const auto r = s.run();
  const auto& cloud = way(r, Way::cloud);
  ASSERT_TRUE(cloud.irr);
  std::vector<DatedFlow> flows;
  for (std::size_t m = 0; m < cloud.months.size(); ++m) {
    flows.push_back({*day_number(cloud.months[m].date),
                     cloud.months[m].total() - way(r, Way::own).months[m].total()});
  }
  EXPECT_NEAR(xnpv(flows, *cloud.irr), 0, 0.01);
  EXPECT_GT(*cloud.irr, *cloud.mirr);  // savings are reinvested at 8 % only
}

TEST(Money, TaxLeavesARentWhatItIs) {
  // A price before tax that leaves nothing over: for a rent the rent itself.
  Node s;
  s.spec.tax = {Scalar(0.21), us()};
  const auto r = s.run();
  EXPECT_NEAR(usd_h(way(r, Way::cloud).per_used_gpu_hour), 6.88, 1e-9);
  // Capital is written off slower than it is paid, so owning costs more than before tax.
  Node before;
  EXPECT_GT(usd_h(way(r, Way::own).per_used_gpu_hour),
            usd_h(way(before.run(), Way::own).per_used_gpu_hour));
}

TEST(Money, NewBuildingsCostTheirConstructionPrice) {
  Node s;
  s.demand.facility_exists = false;
  s.spec.construction = {11700 * (dollar / kilowatt), us()};
  const auto r = s.run();
  EXPECT_NEAR(way(r, Way::own).capital_total.in(dollar), 410e3 + 11700 * 10.2, 1e-6);
  EXPECT_NEAR(way(r, Way::colo).capital_total.in(dollar), 410e3, 1e-6);
  // 20 years of life: 17/20 of it is left after three.
  const auto& last = way(r, Way::own).months.back();
  EXPECT_NEAR(last.usd[static_cast<int>(Cause::residual)], -(0.3 * 410e3 + 11700 * 10.2 * 17 / 20),
              1e-6);
}

// The trade press's table of a 100,000-GPU site: GPUs 100,000 x 30,000, chassis
// 100,000 x 15,000, 200,000 NDR ports x 8,000, 50 PB at 10 USD/GB, 250 MW at 12 M
// USD/MW, first year's energy at 5 c/kWh and 200 M USD of operations.
Node trade_article(double storage_per_gb) {
  Node s;
  s.demand.bill = {};
  auto line = [&](const char* item, const char* category, double count, double each) {
    BillLine l;
    l.id = item;
    l.category = category;
    l.item = item;
    l.count = count;
    l.unit_price = each * dollar;
    s.demand.bill.add(l);
  };
  line("gpu", "accelerators", 100000, 30000);
  line("chassis", "accelerators", 100000, 15000);
  line("ndr-port", "network", 200000, 8000);
  line("storage", "storage", 50e6, storage_per_gb);
  s.demand.accelerators = s.figure("gpus", Scalar(100000), "GPU");
  s.demand.it_power_max = s.figure("it_max", 250 * megawatt, "MW");
  s.demand.energy_rate = s.figure("meter", 250 * megawatt, "MW");
  s.demand.energy_price = s.figure("price", 0.05 * (dollar / kilowatt_hour), "USD/kWh");
  s.demand.facility_exists = false;
  s.spec.construction = {12000 * (dollar / kilowatt), us()};
  s.spec.it_maintenance = {Scalar(0), us()};
  s.spec.hardware_people = {Scalar(0), us()};
  s.spec.facility_people = {Scalar(1000), us()};
  s.spec.person = {200e3 * (dollar / year), us()};
  return s;
}

double capital_and_first_year(const Result& r) {
  const auto& own = way(r, Way::own);
  return own.capital_total.in(dollar) + own.operating_total.in(dollar / year);
}

TEST(Money, TradeArticlesHundredThousandGpusSumTo991Billion) {
  auto printed = trade_article(10);
  EXPECT_NEAR(capital_and_first_year(printed.run()), 9.9095e9, 1e3);
  // 50 PB at the 10 cents a GB that the article itself names is 5 M, not 500 M.
  auto corrected = trade_article(0.10);
  EXPECT_NEAR(capital_and_first_year(corrected.run()), 9.4145e9, 1e3);
  EXPECT_NEAR(way(corrected.run(), Way::own).operating_total.in(dollar / year), 309.5e6, 1e3);
}

TEST(Money, ReplacementIsPaidWhenTheEconomicLifeEnds) {
  Node s;
  s.spec.horizon = {6 * year, us()};
  s.spec.economic_life = {4 * year, us()};
  s.spec.residual = {};
  const auto own = way(s.run(), Way::own);
  const auto gpu = static_cast<int>(Cause::accelerators);
  EXPECT_EQ(own.months[48].usd[gpu], 410e3);
  // At 48 months the curve is half way from 30 % at 36 to 10 % at 60.
  EXPECT_NEAR(own.months[48].usd[static_cast<int>(Cause::residual)], -0.20 * 410e3, 1);
  // The second machine is two years old at the end: between 62.5 % and 30 %.
  EXPECT_NEAR(own.months[72].usd[static_cast<int>(Cause::residual)], -0.4625 * 410e3, 1);
}

TEST(Money, UnpricedLinesAreNamedAndNeverFree) {
  Node s;
  BillLine line;
  line.id = "fabric.leaf";
  line.category = "network";
  line.item = "leaf switch";
  line.count = 4;
  s.demand.bill.add(line);
  const auto r = s.run();
  ASSERT_EQ(r.unpriced.size(), 1u);
  EXPECT_EQ(r.unpriced[0], "4 x leaf switch");
}

TEST(Money, AnUnpricedAcceleratorTakesADatedStreetPrice) {
  Node s;
  s.demand.bill = {};
  const auto r = s.run();
  EXPECT_NEAR(way(r, Way::own).capital_total.in(dollar), 8 * 30000, 1);
}

TEST(Money, WaysWithoutADatedRentAreLeftOutAndSaid) {
  Node s;
  s.demand.accelerator = "no-such-chip";
  s.spec.cloud_rent = s.spec.neocloud_rent = {};
  const auto r = s.run();
  EXPECT_EQ(r.paths.size(), 2u);  // own and colo
  EXPECT_FALSE(r.findings.remarks.empty());
}

TEST(Money, NewestDatedOfferIsTaken) {
  Node s;
  s.spec.cloud_rent = s.spec.neocloud_rent = {};
  const auto r = s.run();
  EXPECT_EQ(way(r, Way::neocloud).price_id, "h100-contract-1y-2026-03");
  EXPECT_EQ(way(r, Way::cloud).price_id, "h100-aws-on-demand-2026-09");
}

TEST(Money, OldPricesAndShortContractsAreSaid) {
  Node s;
  s.spec.cloud_rent = s.spec.neocloud_rent = {};
  auto says = [](const Result& r, const char* what) {
    return std::any_of(r.findings.remarks.begin(), r.findings.remarks.end(),
                       [&](const std::string& x) { return x.find(what) != std::string::npos; });
  };
  EXPECT_FALSE(says(s.run(), "before the first day"));  // 2026 prices, service from 2027-01
  EXPECT_TRUE(says(s.run(), "contract of 12 months is taken to be renewed"));
  s.demand.start = "2029-01-01";
  EXPECT_TRUE(says(s.run(), "before the first day"));
}

TEST(Money, LowerGoodputElsewhereNeedsMoreRentedHours) {
  Node s;
  s.demand.goodput = s.figure("goodput", Scalar(0.9), "%");
  s.spec.cloud_goodput = {Scalar(0.75), us()};
  EXPECT_NEAR(usd_h(way(s.run(), Way::cloud).per_used_gpu_hour), 6.88 * 0.9 / 0.75, 1e-9);
}

TEST(Money, BudgetHoldsOrFallsShort) {
  Node s;
  EXPECT_EQ(find(s.run(), "money.budget"), nullptr);  // not asked
  s.spec.budget = {500e3 * dollar, us()};
  EXPECT_TRUE(find(s.run(), "money.budget")->holds());
  s.spec.budget = {200e3 * dollar, us()};
  const auto r = s.run();
  const auto* m = find(r, "money.budget");
  EXPECT_FALSE(m->holds());
  ASSERT_FALSE(m->remedies.empty());
  EXPECT_EQ(m->remedies[0].action, "buy 3 of the 8 accelerators at the same cost each");
}

TEST(Money, OperatingBudgetHoldsOrFallsShort) {
  Node s;
  const double yearly = way(s.run(), Way::own).operating_total.in(dollar / year);
  s.spec.operating_budget = {yearly * 1.01 * (dollar / year), us()};
  EXPECT_TRUE(find(s.run(), "money.operating_budget")->holds());
  s.spec.operating_budget = {yearly * 0.9 * (dollar / year), us()};
  const auto r = s.run();
  EXPECT_FALSE(find(r, "money.operating_budget")->holds());
  EXPECT_FALSE(find(r, "money.operating_budget")->remedies.empty());
}

TEST(Money, GpuHourTargetNamesTheUtilisationThatMeetsIt) {
  Node s;
  s.spec.utilisation = {Scalar(0.5), us()};
  s.spec.target_gpu_hour = {6 * per_hour, us()};
  EXPECT_TRUE(find(s.run(), "money.gpu_hour")->holds());
  s.spec.target_gpu_hour = {4 * per_hour, us()};
  const auto r = s.run();
  const auto* m = find(r, "money.gpu_hour");
  EXPECT_FALSE(m->holds());
  const int wanted =
      static_cast<int>(std::ceil(usd_h(way(r, Way::own).per_installed_gpu_hour) / 4 * 100));
  EXPECT_EQ(m->remedies[0].action, "put " + std::to_string(wanted) + " % of the GPU-hours to use");
}

Product chat(Node& s) {
  Product p;
  p.name = "chat";
  p.gpus = s.figure("chat.gpus", Scalar(8), "GPU");
  p.input_rate = s.figure("chat.in", 3000 * (token / second), "token/s");
  p.output_rate = s.figure("chat.out", 1000 * (token / second), "token/s");
  return p;
}

TEST(Money, TokensCarryTheWholeCostBySplit) {
  Node s;
  s.demand.products.push_back(chat(s));
  s.demand.products[0].prefill_share = {Scalar(0.2), us()};
  const auto r = s.run();
  ASSERT_EQ(r.products.size(), 1u);
  const auto& p = r.products[0];
  const double total = 8 * usd_h(way(r, Way::own).per_installed_gpu_hour);  // USD/h
  EXPECT_NEAR(p.per_input->in(dollar / million_tokens), total * 0.2 / (3000 * 3600 / 1e6), 1e-9);
  EXPECT_NEAR(p.per_output->in(dollar / million_tokens), total * 0.8 / (1000 * 3600 / 1e6), 1e-9);
  const MoneyRate back = p.per_input->value * s.demand.products[0].input_rate.value +
                         p.per_output->value * s.demand.products[0].output_rate.value;
  EXPECT_NEAR(usd_h(back), total, 1e-9);
}

TEST(Money, TokenPriceTargetHoldsOrFallsShort) {
  Node s;
  s.demand.products.push_back(chat(s));
  const auto unit = dollar / million_tokens;
  s.spec.target_token_price = {8 * unit, us()};  // about 16 USD/h over 3.6 Mtoken/h: 4.6
  EXPECT_TRUE(find(s.run(), "money.chat.token_price")->holds());
  s.spec.target_token_price = {2 * unit, us()};
  const auto r = s.run();
  EXPECT_FALSE(find(r, "money.chat.token_price")->holds());
  EXPECT_FALSE(find(r, "money.chat.token_price")->remedies.empty());
}

TEST(Money, ARunCostsItsGpuHours) {
  Node s;
  s.spec.utilisation = {Scalar(0.8), us()};
  Product p;
  p.name = "tune";
  p.kind = Product::Kind::training;
  p.gpus = s.figure("tune.gpus", Scalar(8), "GPU");
  p.run_time = s.figure("tune.time", 10 * day, "d");
  p.run_tokens = s.figure("tune.tokens", 4e9 * token, "token");
  s.demand.products.push_back(p);
  const auto r = s.run();
  const double used = usd_h(way(r, Way::own).per_used_gpu_hour);
  EXPECT_NEAR(r.products[0].per_run->in(dollar), 8 * 240 * used, 1e-6);
  EXPECT_NEAR(r.products[0].per_token->in(dollar / million_tokens), 8 * 240 * used / 4000, 1e-9);
}

TEST(Money, DelayCostsInterimRentAndCarriedInterest) {
  Node s;
  EXPECT_FALSE(s.run().delay_cost);
  s.demand.delay = s.figure("delay", 6 * month, "mo");
  const auto r = s.run();
  const double months = 6 * (410e3 * 0.08 / 12 + 8 * 2.35 * 730 - 8.5 * 1.3 * 730 * 0.083);
  EXPECT_NEAR(r.delay_cost->in(dollar), months, 1);
}

TEST(Money, StrandedAcceleratorsAndMegawattsHaveAPrice) {
  Node s;
  EXPECT_FALSE(s.run().stranded_cost);
  s.demand.accelerators_usable = s.figure("usable", Scalar(6), "GPU");
  const auto r = s.run();
  EXPECT_NEAR(r.stranded_cost->in(dollar / year),
              2 * 8760 * usd_h(way(r, Way::own).per_installed_gpu_hour), 1e-3);
  s.demand.accelerators_usable = {};
  s.demand.facility_exists = false;
  s.demand.facility_capacity = s.figure("built", 20.4 * kilowatt, "kW");
  EXPECT_GT(s.run().stranded_cost->in(dollar / year), 0);
}

TEST(Money, TakeOrPayIsAFloorUnderTheDemandCharge) {
  Node s;
  s.spec.demand_charge = {15 * (dollar / kilowatt / month), us()};
  s.demand.peak_power = s.figure("peak", 10 * kilowatt, "kW");
  const double at_peak = way(s.run(), Way::own).operating_total.in(dollar / year);
  s.demand.contracted_power = s.figure("contract", 20 * kilowatt, "kW");
  s.spec.take_or_pay = {Scalar(0.85), us()};  // 17 kW billed
  EXPECT_NEAR(way(s.run(), Way::own).operating_total.in(dollar / year) - at_peak, 7 * 15 * 12,
              1e-6);
}

TEST(Money, NothingToCostIsARemark) {
  Node s;
  s.demand.accelerators = {};
  const auto r = s.run();
  EXPECT_TRUE(r.paths.empty());
  EXPECT_FALSE(r.findings.remarks.empty());
}

RC_GTEST_PROP(Money, MoreUtilisationNeverRaisesTheLevelisedCost, ()) {
  Node s;
  const double u = *rc::gen::inRange(5, 90) / 100.0;
  s.spec.utilisation = {Scalar(u), us()};
  const double before = usd_h(way(s.run(), Way::own).per_used_gpu_hour);
  s.spec.utilisation = {Scalar(u + 0.05), us()};
  RC_ASSERT(usd_h(way(s.run(), Way::own).per_used_gpu_hour) <= before);
}

RC_GTEST_PROP(Money, LevelisedCostDoesNotChangeWithScale, ()) {
  Node s;
  const int k = *rc::gen::inRange(2, 1000);
  const double one = usd_h(way(s.run(), Way::colo).per_used_gpu_hour);
  BillLine line = s.demand.bill.lines().front();
  line.count = k;
  s.demand.bill = {};
  s.demand.bill.add(line);
  s.demand.accelerators = s.figure("gpus", Scalar(8.0 * k), "GPU");
  for (auto* f : {&s.demand.it_power_max, &s.demand.it_power, &s.demand.energy_rate}) {
    f->value *= k;
  }
  s.spec.hardware_people = {Scalar(k), us()};
  RC_ASSERT(std::abs(usd_h(way(s.run(), Way::colo).per_used_gpu_hour) - one) < 1e-9 * one);
}

RC_GTEST_PROP(Money, DearerCapitalOrEnergyNeverMakesOwningCheaper, ()) {
  Node s;
  const double base = usd_h(way(s.run(), Way::own).per_used_gpu_hour);
  s.spec.discount = {Scalar(0.08 + *rc::gen::inRange(0, 20) / 100.0), us()};
  s.demand.energy_price = s.figure(
      "p", (0.083 + *rc::gen::inRange(0, 50) / 100.0) * (dollar / kilowatt_hour), "USD/kWh");
  RC_ASSERT(usd_h(way(s.run(), Way::own).per_used_gpu_hour) >= base - 1e-12);
}

TEST(PriceCatalogue, EveryPriceIsDatedAndNamesItsAccelerator) {
  for (const auto* p : catalog::Catalog::builtin().all<catalog::Price>()) {
    SCOPED_TRACE(p->id);
    EXPECT_TRUE(day_number(p->as_of));
    const auto known = catalog::Catalog::builtin().ids("accelerator");
    EXPECT_TRUE(std::binary_search(known.begin(), known.end(), p->accelerator)) << p->accelerator;
    EXPECT_NE(p->rent.given, p->purchase.given);
  }
}

TEST(FinanceCatalogue, DefaultGivesEveryFigure) {
  const auto* d = catalog::Catalog::builtin().find<catalog::Finance>("default");
  ASSERT_NE(d, nullptr);
  const Number* all[] = {&d->discount,
                         &d->escalation,
                         &d->horizon,
                         &d->it_book_life,
                         &d->it_economic_life,
                         &d->it_tax_life,
                         &d->facility_life,
                         &d->utilisation,
                         &d->it_maintenance,
                         &d->facility_maintenance,
                         &d->construction,
                         &d->colo,
                         &d->colo_pue,
                         &d->person,
                         &d->facility_people_per_mw,
                         &d->hardware_people_per_1000,
                         &d->platform_people_per_1000,
                         &d->hardware_people_least,
                         &d->platform_people_least,
                         &d->rent_extras};
  for (const auto* n : all) EXPECT_TRUE(n->given);
  EXPECT_GE(d->residual.size(), 3u);
}

}  // namespace
}  // namespace headroom::money
