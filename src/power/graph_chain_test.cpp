// A chain written node by node, solved as banks are, and the limits of its stages.
#include "power/graph_chain.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "power/topology.hpp"
#include "spec/node.hpp"
#include "spec/reader.hpp"

namespace headroom::power {
namespace {

const catalog::Catalog& catalogue() { return catalog::Catalog::builtin(); }

Spec read_list(const std::string& nodes) {
  Spec out;
  Diagnostics diagnostics;
  auto document = spec::parse_yaml("site.yaml", "nodes:\n" + nodes, diagnostics);
  EXPECT_TRUE(document);
  spec::ReadContext context;
  context.file = document->file;
  context.document = &*document;
  context.default_source = assumed("test");
  spec::read(document->root, out, context, diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << render(diagnostics);
  return out;
}

HallDemand hall(const char* name, double kw, int racks) {
  HallDemand h;
  h.scope = std::string("hall-") + name, h.title = std::string("hall ") + name, h.racks = racks;
  h.it_max.value = kw * kilowatt, h.it_typical.value = 0.7 * kw * kilowatt;
  h.rack_max.value = kw / racks * kilowatt;
  return h;
}

Demand two_halls() {
  Demand d;
  d.halls = {hall("a", 900, 24), hall("b", 300, 10)};
  d.halls[0].title = "hall a", d.halls[1].title = "hall b";
  d.cooling_max.value = 150 * kilowatt, d.cooling_typical.value = 90 * kilowatt;
  return d;
}

// One PDU feeds both halls, so its loss is split by what it passes.
constexpr const char* list =
    "  - {name: grid, kind: utility, rating: 3 MW}\n"
    "  - {name: tx, kind: transformer, fed_by: grid, units: 2 x 1500 kW}\n"
    "  - {name: msb, kind: switchgear, fed_by: tx, rating: 3 MW}\n"
    "  - {name: ups, kind: ups, fed_by: msb, units: 4 x 500 kW}\n"
    "  - {name: bus, kind: busway, fed_by: ups, rating: 1 MW}\n"
    "  - {name: pdu, kind: pdu, fed_by: ups, rating: 1 MW}\n"
    "  - {name: racks-a, kind: it, fed_by: bus, hall: a, racks: 14}\n"
    "  - {name: more-a, kind: it, fed_by: pdu, hall: a}\n"
    "  - {name: racks-b, kind: it, fed_by: pdu, hall: b}\n";
constexpr const char* site_loads =
    "  - {name: plant, kind: mechanical, fed_by: msb}\n"
    "  - {name: lights, kind: other, fed_by: msb}\n";

TEST(GraphChain, LosesByStageWhereTheHeatGoes) {
  const Spec spec = read_list(std::string(list) + site_loads);
  const Demand demand = two_halls();
  const Chain chain = resolve(spec, demand, catalogue());
  ASSERT_NE(chain.graph, nullptr);
  const Loads loads = loads_max(spec, demand);
  const Flow flow = solve(chain, loads);
  const Graph& g = chain.graph->graph();
  const auto loss = [&](const char* name, double output_w) {
    const Node& n = g[g.find(name)];
    return n.count * n.stage.loss(Power::from_si(output_w / n.count)).si();
  };
  const double on_bus = 900e3 * 14 / 24, on_pdu = 900e3 * 10 / 24 + 300e3;
  const double bus = loss("bus", on_bus), pdu = loss("pdu", on_pdu);
  EXPECT_GT(pdu, 0);
  EXPECT_NEAR(flow.distribution_loss[0].si(), bus + pdu * (900e3 * 10 / 24) / on_pdu, 1e-6);
  EXPECT_NEAR(flow.distribution_loss[1].si(), pdu * 300e3 / on_pdu, 1e-6);
  const double ups_out = 1200e3 + bus + pdu;
  EXPECT_NEAR(flow.ups_output.si(), ups_out, 1e-6);
  EXPECT_NEAR(flow.ups_loss.si(), loss("ups", ups_out), 1e-6);
  EXPECT_LT(flow.imbalance(), 1e-12);
  EXPECT_NEAR(flow.meter.si(), balance(g, solve(g, normal(g))).given_w, 1e-3);
}

TEST(GraphChain, CoolingWithoutANodeIsAddedAtTheMeter) {
  const Spec with = read_list(std::string(list) + site_loads), without = read_list(list);
  const Demand demand = two_halls();
  const Flow through = solve(resolve(with, demand, catalogue()), loads_max(with, demand));
  const Flow beside = solve(resolve(without, demand, catalogue()), loads_max(without, demand));
  EXPECT_EQ(beside.cooling, through.cooling);
  EXPECT_LT(beside.meter, through.meter);  // it crosses no transformer
  EXPECT_GT(beside.meter, beside.it + beside.cooling + beside.other);
  EXPECT_LT(beside.imbalance(), 1e-12);
}

RC_GTEST_PROP(GraphChain, balances_and_grows_with_every_load, ()) {
  static const Spec spec = read_list(std::string(list) + site_loads);
  const Demand demand = two_halls();
  const Chain chain = resolve(spec, demand, catalogue());
  Loads loads = loads_max(spec, demand);
  for (Power& p : loads.halls) p = p * (0.01 * *rc::gen::inRange(0, 101));
  loads.cooling = loads.cooling * (0.01 * *rc::gen::inRange(0, 101));
  const Flow flow = solve(chain, loads);
  RC_ASSERT(flow.imbalance() < 1e-12);
  RC_ASSERT(std::abs(flow.it.si() - (loads.halls[0] + loads.halls[1]).si()) < 1e-6);
  Loads more = loads;
  more.halls[1] += 10 * kilowatt;
  RC_ASSERT(solve(chain, more).meter.si() > flow.meter.si() + 10e3);
}

const Margin* find(const Result& r, const std::string& id) {
  const auto it = std::find_if(r.findings.margins.begin(), r.findings.margins.end(),
                               [&](const Margin& m) { return m.id == id; });
  return it == r.findings.margins.end() ? nullptr : &*it;
}

TEST(GraphLimits, EveryRatedStageOfAListIsALimit) {
  const Spec spec = read_list(std::string(list) + site_loads);
  Demand demand = two_halls();
  Trace trace;
  const Result r = assess(spec, demand, catalogue(), trace);
  for (const char* stage : {"grid", "tx", "msb", "ups", "bus", "pdu"}) {
    const Margin* m = find(r, std::string("power.") + stage);
    ASSERT_NE(m, nullptr) << stage;
    EXPECT_GT(m->need, 0) << stage;
    EXPECT_NE(m->have_node, no_node) << stage;
  }
  // One of the two transformers lost: the other carries all, less what the heat takes.
  const Margin* tx = find(r, "power.tx");
  EXPECT_NEAR(tx->have, 1500e3, 1500e3 * 0.02);
  EXPECT_NE(tx->why.find("one of 2 tx"), std::string::npos) << tx->why;
  // The bus is lone: its racks drop when it is lost, and that is said.
  EXPECT_TRUE(std::any_of(r.findings.remarks.begin(), r.findings.remarks.end(), [](const auto& s) {
    return s.find("for want of a second path") != std::string::npos;
  }));
  demand.air.altitude_m = 2500;  // thin air takes from transformers and UPS
  Trace high;
  const Result thin = assess(spec, demand, catalogue(), high);
  EXPECT_LT(find(thin, "power.tx")->have, 0.97 * tx->have);
  EXPECT_NE(find(thin, "power.tx")->why.find("after altitude"), std::string::npos);
}

TEST(GraphLimits, AStageTooSmallIsRemedied) {
  std::string small = list;
  const std::string was = "name: pdu, kind: pdu, fed_by: ups, rating: 1 MW";
  small.replace(small.find(was), was.size(), "name: pdu, kind: pdu, fed_by: ups, rating: 600 kW");
  const Spec spec = read_list(small + site_loads);
  Trace trace;
  const Result r = assess(spec, two_halls(), catalogue(), trace);
  const Margin* m = find(r, "power.pdu");
  ASSERT_NE(m, nullptr);
  EXPECT_NEAR(m->headroom(), 600.0 / 675 - 1, 1e-6);
  ASSERT_FALSE(m->remedies.empty());
  EXPECT_NE(m->remedies[0].action.find("rate pdu for 742.5 kW"), std::string::npos)
      << m->remedies[0].action;
}

// Units that do not share their racks evenly are full before their sum is.
TEST(GraphLimits, ABankUnevenlyLoadedIsTightened) {
  Demand demand;
  demand.halls = {hall("a", 900, 9)};
  demand.halls[0].distribution.units.count = 4;
  demand.halls[0].distribution.units.each = Value<Power>(600 * kilowatt, assumed("test"));
  demand.halls[0].distribution.redundancy = Redundancy::two_n;
  demand.halls[0].feed.feed.count = 2;
  demand.halls[0].feed.feed.each = Value<Power>(200 * kilowatt, assumed("test"));
  Trace trace;
  const Result r = assess(Spec{}, demand, catalogue(), trace);
  const Margin* m = find(r, "power.hall-a.distribution");
  ASSERT_NE(m, nullptr);
  // Nine racks on two pairs: five on one of them, all on one side when the other dies.
  EXPECT_NEAR(m->headroom(), 600.0 / 500 - 1, 1e-6);
  EXPECT_NE(m->why.find("Node by node"), std::string::npos);
}

}  // namespace
}  // namespace headroom::power
