// Graphs from banks and from lists of nodes: the stages' own losses, redundancy as topology, and
// what is wrong in a list.
#include "power/topology.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "spec/node.hpp"
#include "spec/reader.hpp"

namespace headroom::power {
namespace {

const catalog::Catalog& catalogue() { return catalog::Catalog::builtin(); }

spec::Bank<Power> bank(int count, double each_kw) {
  spec::Bank<Power> b;
  b.count = count;
  b.each = Value<Power>(each_kw * kilowatt, assumed("test"));
  return b;
}

struct Site {
  Spec spec;
  Demand demand;
  Site(double it_kw = 800, int racks = 24) {
    HallDemand h;
    h.scope = "hall-a", h.title = "hall A", h.racks = racks;
    h.it_max.value = it_kw * kilowatt;
    h.rack_max.value = it_kw / racks * kilowatt;
    h.feed.feed = bank(2, 80);
    demand.halls.push_back(h);
    demand.cooling_max.value = 150 * kilowatt;
    spec.grid.feeds = bank(2, 3000), spec.grid.redundancy = Redundancy::two_n;
    spec.transformer.units = bank(2, 2000), spec.transformer.redundancy = Redundancy::two_n;
    spec.generator.units = bank(3, 1000), spec.generator.redundancy = Redundancy::n_plus_1;
    spec.ups.modules = bank(4, 600), spec.ups.redundancy = Redundancy::two_n;
    spec.ups.autonomy = Value<Time>(5 * minute, assumed("test"));
    demand.halls[0].distribution.units = bank(4, 600);
    demand.halls[0].distribution.redundancy = Redundancy::two_n;
  }
  Graph graph() const { return chain_of(spec, demand, catalogue()).graph; }
};

std::size_t place(const Graph& g, const char* name) {
  const int i = g.find(name);
  EXPECT_GE(i, 0) << name;
  return static_cast<std::size_t>(std::max(0, i));
}

ItPower it_after(const Graph& g, std::initializer_list<const char*> lost, int units = 1000) {
  State s = normal(g);
  for (const char* name : lost) s.lost[place(g, name)] = units;
  return it_power(g, s, solve(g, s));
}

Redundancy arbitrary_redundancy() { return static_cast<Redundancy>(*rc::gen::inRange(0, 6)); }

// Whatever the redundancies, the graph at its steady state is power/chain.hpp's chain: what the
// stages lose and what the meter sees.
RC_GTEST_PROP(Topology, the_graph_draws_what_the_stages_draw, ()) {
  Site site(*rc::gen::inRange(100, 3000), 60);
  site.spec.grid.redundancy = arbitrary_redundancy();
  for (auto [bank_of, r] :
       {std::pair(&site.spec.transformer.units, &site.spec.transformer.redundancy),
        std::pair(&site.spec.ups.modules, &site.spec.ups.redundancy)}) {
    *bank_of = bank(6 * *rc::gen::inRange(1, 4), *rc::gen::inRange(200, 2000));
    *r = arbitrary_redundancy();
  }
  auto& h = site.demand.halls[0].distribution;
  h.units = bank(6, 900), h.redundancy = arbitrary_redundancy();
  site.spec.ups.mechanical = Value<Scalar>(0.01 * *rc::gen::inRange(0, 101), assumed("test"));
  const Topology t = chain_of(site.spec, site.demand, catalogue());
  const Flow flow =
      solve(resolve(site.spec, site.demand, catalogue()), loads_max(site.spec, site.demand));
  const Solution x = solve(t.graph, normal(t.graph));
  const Balance b = balance(t.graph, x);
  RC_ASSERT(b.imbalance() < 1e-12);
  // Sides that do not meet one on one (3/2N on 2N) share unevenly, within a hundredth of the loss.
  const double loss = flow.loss().si();
  RC_ASSERT(std::abs(b.load_w - (flow.meter.si() - loss)) < 1e-9 * flow.meter.si());
  RC_ASSERT(std::abs(b.loss_w - loss) < 0.02 * loss);
  RC_ASSERT(it_power(t.graph, normal(t.graph), x).dead_w == 0);
}

TEST(Topology, two_n_all_the_way_is_the_chain_to_rounding) {
  const Site site;
  const Graph g = site.graph();
  const Flow flow =
      solve(resolve(site.spec, site.demand, catalogue()), loads_max(site.spec, site.demand));
  EXPECT_NEAR(balance(g, solve(g, normal(g))).given_w, flow.meter.si(), 1e-9 * flow.meter.si());
  EXPECT_NEAR(it_power(g, normal(g), solve(g, normal(g))).live_racks, 24, 1e-9);
}

TEST(Topology, a_2n_site_loses_no_rack_to_any_one_loss_and_all_to_both_sides) {
  const Graph g = Site().graph();
  for (int i = 0; i < g.size(); ++i) {
    if (is_load(g[i].kind)) continue;
    State s = normal(g);
    s.lost[std::size_t(i)] = g[i].count;
    EXPECT_EQ(it_power(g, s, solve(g, s)).dead_w, 0) << g[i].name;
  }
  EXPECT_GT(it_after(g, {"ups-a", "ups-b"}).dead_w, 799e3);
  EXPECT_EQ(it_after(g, {"grid-a", "grid-b"}).dead_w, 0);  // generators
  EXPECT_GT(it_after(g, {"grid-a", "grid-b", "generator"}).dead_w, 799e3);
  EXPECT_NEAR(it_after(g, {"hall-a.a1", "hall-a.b1"}).dead_w, 400e3, 1);
  EXPECT_EQ(it_after(g, {"hall-a.a1", "hall-a.b2"}).dead_w, 0);
}

// A and B are the same thing with another name.
TEST(Topology, sides_are_symmetric) {
  const Graph g = Site().graph();
  for (const auto& n : g.nodes()) {
    if (n.side != "A") continue;
    std::string twin = n.name;
    if (const auto a = twin.find("-a"); n.name.starts_with("hall")) {
      if (twin.find(".a") == std::string::npos) continue;
      twin.replace(twin.find(".a"), 2, ".b");
    } else {
      twin.replace(a, 2, "-b");
    }
    ASSERT_GE(g.find(twin), 0) << twin;
    State a = normal(g), b = normal(g);
    a.lost[std::size_t(g.find(n.name))] = n.count, b.lost[std::size_t(g.find(twin))] = n.count;
    const Balance left = balance(g, solve(g, a)), right = balance(g, solve(g, b));
    EXPECT_NEAR(left.given_w, right.given_w, 1e-9 * left.given_w) << n.name;
  }
}

TEST(Topology, catcher_takes_the_block_that_dies) {
  Site site;
  site.spec.ups.modules = bank(5, 400), site.spec.ups.redundancy = Redundancy::catcher;
  site.demand.halls[0].distribution.redundancy = Redundancy::n;
  const Graph g = site.graph();
  EXPECT_EQ(it_after(g, {"ups-2"}).dead_w, 0);
  EXPECT_EQ(it_after(g, {"ups-catcher"}).dead_w, 0);
  State s = normal(g);
  s.lost[place(g, "ups-2")] = 1;
  const Solution before = solve(g, normal(g)), after = solve(g, s);
  EXPECT_EQ(before.output_w[place(g, "ups-catcher")], 0);
  EXPECT_DOUBLE_EQ(after.output_w[place(g, "ups-catcher")], before.output_w[place(g, "ups-2")]);
  EXPECT_GT(it_after(g, {"ups-2", "ups-catcher"}).dead_w, 199e3);
}

TEST(Topology, thin_hot_air_leaves_less_of_a_rating) {
  const SiteAir high{2000, 45, 30};
  EXPECT_NEAR(derating(NodeKind::transformer, high), 0.97 * 0.95, 1e-12);
  EXPECT_NEAR(derating(NodeKind::generator, high), (1 - 0.04 * 475 / 300) * (1 - 0.02 * 5 / 11),
              1e-12);
  EXPECT_NEAR(derating(NodeKind::ups, high), 0.9, 1e-12);
  EXPECT_EQ(derating(NodeKind::ups, {}), 1);
  EXPECT_EQ(derating(NodeKind::busway, high), 1);
  const Site site;
  const Graph g = chain_of(site.spec, site.demand, catalogue(), high).graph;
  EXPECT_NEAR(g[g.find("ups-a")].rating_w, 0.9 * 600e3, 1e-6);
  EXPECT_EQ(g[g.find("ups-a")].nameplate_w, 600e3);
}

TEST(Topology, full_racks_and_the_rest_stand_apart) {
  Site site(1000, 12);
  auto& h = site.demand.halls[0];
  h.rack_max.value = 90 * kilowatt, h.boxes = 40, h.boxes_per_rack = 4, h.box_racks = 10;
  const Graph g = site.graph();
  const Solution x = solve(g, normal(g));
  EXPECT_NEAR(it_power(g, normal(g), x).live_w, 1000e3, 1e-6);
  EXPECT_NEAR(it_power(g, normal(g), x).live_racks, 12, 1e-9);
  EXPECT_DOUBLE_EQ(g[g.find("hall-a.racks-1")].load_w, 90e3);
  EXPECT_DOUBLE_EQ(g[g.find("hall-a.racks-1-other")].load_w, 50e3);
}

// --- Lists of nodes ---------------------------------------------------------------

struct Listed {
  Spec spec;
  Diagnostics diagnostics;
};

Listed read_list(const std::string& nodes) {
  Listed out;
  auto document = spec::parse_yaml("site.yaml", "nodes:\n" + nodes, out.diagnostics);
  EXPECT_TRUE(document);
  if (!document) return out;
  spec::ReadContext context;
  context.file = document->file;
  context.document = &*document;
  context.default_source = assumed("test");
  spec::read(document->root, out.spec, context, out.diagnostics);
  return out;
}

std::vector<NodeFault> faults_of(const std::string& nodes, double positions = 0) {
  const auto listed = read_list(nodes);
  EXPECT_TRUE(listed.diagnostics.empty()) << render(listed.diagnostics);
  return check_nodes(listed.spec.nodes, {{"A", positions}});
}

constexpr const char* good =
    "  - {name: grid-a, kind: utility, rating: 3 MW}\n"
    "  - {name: grid-b, kind: utility, rating: 3 MW}\n"
    "  - {name: tx-a, kind: transformer, fed_by: [grid-a], units: 2 x 1500 kW}\n"
    "  - {name: set, kind: generator, units: 3 x 1 MW}\n"
    "  - {name: ats, kind: transfer-switch, fed_by: [tx-a], alternates: [grid-b, set]}\n"
    "  - {name: ups, kind: ups, fed_by: [ats], units: 3 x 500 kW, autonomy: 5 min}\n"
    "  - {name: bus-a, kind: busway, fed_by: [ups], rating: 800 kW}\n"
    "  - {name: bus-b, kind: busway, fed_by: [ups], rating: 800 kW}\n"
    "  - {name: dense, kind: it, fed_by: [bus-a, bus-b], hall: A, racks: 10}\n"
    "  - {name: rest, kind: it, fed_by: bus-a, hall: A}\n"
    "  - {name: chillers, kind: mechanical, fed_by: [ats]}\n"
    "  - {name: lights, kind: other, fed_by: [ats]}\n";

TEST(NodeList, a_good_list_carries_the_halls_racks_by_their_number) {
  auto listed = read_list(good);
  ASSERT_TRUE(listed.diagnostics.empty()) << render(listed.diagnostics);
  EXPECT_TRUE(check_nodes(listed.spec.nodes, {{"A", 24}}).empty());
  Site site(1200, 24);
  site.spec = listed.spec;
  const Graph g = site.graph();
  const Solution x = solve(g, normal(g));
  EXPECT_NEAR(x.output_w[place(g, "dense")], 500e3, 1e-6);
  EXPECT_NEAR(x.output_w[place(g, "rest")], 700e3, 1e-6);
  EXPECT_NEAR(x.output_w[place(g, "chillers")], 150e3, 1e-6);
  EXPECT_NEAR(x.output_w[place(g, "bus-a")], 950e3, 1e-6);
  EXPECT_LT(balance(g, x).imbalance(), 1e-12);
  EXPECT_EQ(it_after(g, {"grid-a", "grid-b"}).dead_w, 0);
  State instant = first_instant(g);
  instant.lost[place(g, "grid-a")] = instant.lost[place(g, "grid-b")] = 1;
  const Solution on_battery = solve(g, instant);
  EXPECT_GT(on_battery.output_w[place(g, "ups-battery")], 1200e3);
  EXPECT_EQ(on_battery.live[place(g, "chillers")], 0);
}

struct Bad {
  const char* line;  ///< added to, or in place of, a line of `good` with that name
  const char* path;
  const char* says;
};

class BadList : public testing::TestWithParam<Bad> {};

TEST_P(BadList, is_named_at_its_line) {
  const Bad& bad = GetParam();
  std::string text = good;
  const std::string line = bad.line;
  const auto name = line.substr(0, line.find(','));
  if (const auto from = text.find(name + ","); from != std::string::npos)
    text.replace(from, text.find('\n', from) + 1 - from, line + "\n");
  else
    text += line + "\n";
  const auto faults = faults_of(text, 24);
  const auto found = std::find_if(faults.begin(), faults.end(), [&](const NodeFault& f) {
    return f.message.find(bad.says) != std::string::npos;
  });
  ASSERT_NE(found, faults.end()) << (faults.empty() ? "no fault" : faults[0].message);
  EXPECT_EQ(found->path, bad.path);
  EXPECT_GT(found->at.line, 1);
  EXPECT_EQ(found->at.column, 5);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadList,
    testing::Values(
        Bad{"  - {name: bus-a, kind: busway, fed_by: [upz], rating: 800 kW}",
            "power.nodes.bus-a.fed_by", "no node is called 'upz'"},
        Bad{"  - {name: bus-a, kind: busway, fed_by: [ups, bus-b], rating: 800 kW, feeds: [ups]}",
            "power.nodes.bus-b", "power runs in a loop"},
        Bad{"  - {name: rest, kind: it, hall: A}", "power.nodes.rest", "no power"},
        Bad{"  - {name: bus-a, kind: busway, fed_by: [ups], rating: 1800 kW}",
            "power.nodes.bus-a.rating", "above the 1.5 MW of all that feeds it"},
        Bad{"  - {name: feed, kind: rack-feed, fed_by: [bus-a], rating: 20 kW, breaker: 60 A, "
            "voltage: 208 V}",
            "power.nodes.feed.breaker", "60 A at 208 V carry 17.29 kW"},
        Bad{"  - {name: spare, kind: battery, rating: 500 kW, runtime: 5 min, feeds: [bus-a]}",
            "power.nodes.spare.feeds", "behind no UPS"},
        Bad{"  - {name: bus-b, kind: busway, fed_by: [ups], rating: 800 kW, autonomy: 5 min}",
            "power.nodes.bus-b.autonomy", "holds no battery"},
        Bad{"  - {name: set, kind: generator, units: 3 x 1 MW, fed_by: [grid-a]}",
            "power.nodes.set.fed_by", "is a source"},
        Bad{"  - {name: dense, kind: it, fed_by: [bus-a, bus-b], hall: B, racks: 10}",
            "power.nodes.dense.hall", "no hall is called 'B'"},
        Bad{"  - {name: dense, kind: it, fed_by: [bus-a, bus-b], hall: A, racks: 30}",
            "power.nodes.grid-a", "30 racks of hall 'A', which has 24 positions"},
        Bad{"  - {name: lights, kind: other, fed_by: [ats], racks: 3}", "power.nodes.lights.racks",
            "belongs to nodes of kind it"},
        Bad{"  - {name: tx-a, kind: transformer, fed_by: [grid-a, grid-a], units: 2 x 1500 kW}",
            "power.nodes.tx-a.fed_by", "named twice"},
        Bad{"  - {name: chillers, kind: mechanical, fed_by: [ats], feeds: [bus-a]}",
            "power.nodes.chillers.feeds", "feeds nothing"}));

TEST(NodeList, mistakes_are_told_together) {
  const auto faults = faults_of(
      "  - {name: grid, kind: utility, rating: 100 kW}\n"
      "  - {name: ups, kind: ups, fed_by: [gird], rating: 50 kW}\n"
      "  - {name: bus, kind: busway, fed_by: [grid], rating: 500 kW}\n");
  // gird; ups without power; bus above grid; hall A without racks.
  EXPECT_EQ(faults.size(), 4u);
}

TEST(NodeList, a_name_twice_and_a_bank_beside_a_rating_are_refused_by_the_reader) {
  const auto listed = read_list(
      "  - {name: grid, kind: utility}\n"
      "  - {name: grid, kind: utility, units: 2 x 5 MW, rating: 3 MW}\n"
      "  - {name: x, kind: utilty}\n");
  ASSERT_EQ(listed.diagnostics.count(), 3u) << render(listed.diagnostics);
  EXPECT_EQ(listed.diagnostics.all()[0].line, 3);
}

}  // namespace
}  // namespace headroom::power
