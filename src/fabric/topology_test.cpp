#include "fabric/topology.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace headroom::fabric {
namespace {

Counts superpod(long nodes, long radix) {
  return count({.kind = Kind::rail, .nodes = nodes, .rails = 8, .radix = radix});
}

struct Row {
  long nodes, radix, leaf, spine, core, host, leaf_spine, spine_core;
};

class SuperPod : public testing::TestWithParam<Row> {};

// System: NVIDIA DGX SuperPOD reference architectures, compute fabric tables: DGX B200 (k = 64,
// 2 to 64 scalable units), DGX B300 (k = 64) and DGX B300 XDR (k = 144).
// Expectation: every printed count, exactly.
TEST_P(SuperPod, CountsMatchTheReferenceArchitecture) {
  const Row r = GetParam();
  const Counts c = superpod(r.nodes, r.radix);
  EXPECT_TRUE(c.feasible);
  EXPECT_EQ(c.leaf, r.leaf);
  EXPECT_EQ(c.spine, r.spine);
  EXPECT_EQ(c.core, r.core);
  EXPECT_EQ(c.host_links, r.host);
  EXPECT_EQ(c.spine_links, r.leaf_spine);
  EXPECT_EQ(c.core_links, r.spine_core);
}

INSTANTIATE_TEST_SUITE_P(DgxB200, SuperPod,
                         testing::Values(Row{64, 64, 16, 8, 0, 512, 512, 0},
                                         Row{128, 64, 32, 16, 0, 1024, 1024, 0},
                                         Row{256, 64, 64, 32, 0, 2048, 2048, 0},
                                         Row{512, 64, 128, 128, 64, 4096, 4096, 4096},
                                         Row{1024, 64, 256, 256, 128, 8192, 8192, 8192},
                                         Row{2048, 64, 512, 512, 256, 16384, 16384, 16384}));
INSTANTIATE_TEST_SUITE_P(DgxB300Xdr, SuperPod,
                         testing::Values(Row{288, 144, 32, 18, 0, 2304, 2304, 0},
                                         Row{576, 144, 64, 36, 0, 4608, 4608, 0},
                                         Row{1296, 144, 144, 72, 0, 10368, 10368, 0}));

// System: 128 ports of 800 Gb/s as 512 x 200 Gb/s in four planes. NVIDIA: up to 128K GPUs, two
// tiers.
TEST(Topology, PlanesMultiplyTheRadix) {
  const Counts c =
      count({.kind = Kind::fat_tree, .nodes = 131072, .rails = 1, .radix = 128, .planes = 4});
  EXPECT_EQ(c.tiers, 2);
  EXPECT_TRUE(c.feasible);
  EXPECT_EQ(c.most, 131072);
  EXPECT_EQ(c.leaf, 4 * 512);
  EXPECT_EQ(c.spine, 4 * 256);
}

// System: k = 64. A three-tier tree ends at k^3/4 = 65,536 endpoints, two tiers at k^2/2 = 2,048.
TEST(Topology, TreesEndWhereTheRadixDoes) {
  auto tree = [](long n) { return count({.kind = Kind::fat_tree, .nodes = n, .radix = 64}); };
  EXPECT_EQ(tree(64).tiers, 1);
  EXPECT_EQ(tree(65).tiers, 2);
  EXPECT_EQ(tree(2048).tiers, 2);
  EXPECT_EQ(tree(2049).tiers, 3);
  EXPECT_TRUE(tree(65536).feasible);
  EXPECT_FALSE(tree(65537).feasible);
  EXPECT_EQ(tree(65537).most, 65536);
  EXPECT_EQ(tree(65536).switches(), 5 * 65536 / 64);
}

// System: rail-only, k = 64, 8 rails of 2,048 nodes. Expectation (arXiv 2307.12169): 768 switches
// where a rail-optimised three-tier tree of the same 16,384 GPUs takes 1,280.
TEST(Topology, RailOnlySavesTheTopTier) {
  Request q{.kind = Kind::rail_only, .nodes = 2048, .rails = 8, .radix = 64};
  EXPECT_EQ(count(q).switches(), 768);
  q.kind = Kind::rail;
  EXPECT_EQ(count(q).switches(), 1280);
}

// System: a 3:1 taper at k = 64: 48 ports down, 16 up.
TEST(Topology, TaperTradesSpinesForBisection) {
  const Counts c = count({.kind = Kind::fat_tree, .nodes = 480, .radix = 64, .taper = 3});
  EXPECT_EQ(c.leaf, 10);
  EXPECT_EQ(c.spine_links, 160);
  EXPECT_EQ(c.spine, 4);  // 160 / 64 = 2.5, and 3 does not divide 16
  EXPECT_NEAR(c.bisection, 1.0 / 3, 1e-12);
}

// System: dragonfly of radix 63: h = 16, N = 4h^4 + 2h^2; dragonfly+ of radix 64: k^4/16 + k^2/4.
TEST(Topology, DragonfliesMatchTheirPapers) {
  const Counts d = count({.kind = Kind::dragonfly, .nodes = 5000, .radix = 63});
  EXPECT_EQ(d.most, 4L * 65536 + 2 * 256);
  EXPECT_EQ(d.leaf % 32, 0);
  EXPECT_DOUBLE_EQ(d.bisection, 0.5);
  const Counts p = count({.kind = Kind::dragonfly_plus, .nodes = 2048, .radix = 64});
  EXPECT_EQ(p.most, 64L * 64 * 64 * 64 / 16 + 64 * 64 / 4);
  EXPECT_EQ(p.switches(), 4 * 2048 / 64);
  EXPECT_EQ(p.host_links + p.switch_links(), 2048 * 5 / 2);
  EXPECT_FALSE(count({.kind = Kind::dragonfly, .nodes = 3, .rails = 1, .radix = 3}).leaf == 0);
}

// System: a 16 x 16 x 16 torus. Expectation: no switches, 3N cables, bisection 2N/s links.
TEST(Topology, TorusNeedsNoSwitches) {
  const Counts c = count({.kind = Kind::torus, .nodes = 4096, .dimensions = 3});
  EXPECT_EQ(c.switches(), 0);
  EXPECT_EQ(c.switch_links(), 3 * 4096);
  EXPECT_EQ(c.hops, 24);
  EXPECT_NEAR(c.bisection, (2.0 * 4096 / 16) / 6 / 2048, 1e-12);
}

TEST(Topology, NoneCarriesOneSystem) {
  EXPECT_TRUE(count({.kind = Kind::none, .nodes = 1, .rails = 8}).feasible);
  EXPECT_FALSE(count({.kind = Kind::none, .nodes = 2, .rails = 8}).feasible);
  EXPECT_EQ(resolve(Kind::automatic, 1), Kind::none);
  EXPECT_EQ(resolve(Kind::automatic, 2), Kind::rail);
}

// Conservation: in every feasible tree no switch has more links than ports, and the links below
// the top tier carry all hosts.
RC_GTEST_PROP(TopologyProperties, PortsSufficeForLinks, ()) {
  const long radix = 2 * *rc::gen::inRange<long>(4, 80);
  const long rails = *rc::gen::element<long>(1, 2, 4, 8);
  const long nodes = *rc::gen::inRange<long>(1, 9000);
  const double taper = *rc::gen::element(1.0, 1.5, 2.0, 3.0, 7.0);
  const Kind kind = *rc::gen::element(Kind::rail, Kind::fat_tree);
  const Counts c =
      count({.kind = kind, .nodes = nodes, .rails = rails, .radix = radix, .taper = taper});
  RC_PRE(c.feasible);
  RC_ASSERT(c.host_links == nodes * rails);
  RC_ASSERT(c.host_links + c.spine_links <= c.leaf * radix);
  RC_ASSERT(c.spine_links + c.core_links <= c.spine * radix);
  RC_ASSERT(c.core_links <= c.core * radix);
  if (c.tiers == 3) RC_ASSERT(c.spine_links >= c.host_links);
  RC_ASSERT(c.bisection * taper >= 1 - 1e-9);
  RC_ASSERT(nodes * rails <= c.most);
}

// Monotonicity: more nodes never need fewer links, and a looser taper never more switches.
RC_GTEST_PROP(TopologyProperties, LooserTaperNeverNeedsMoreSwitches, ()) {
  const long nodes = *rc::gen::inRange<long>(40, 250);
  Request q{.kind = Kind::fat_tree, .nodes = nodes * 8, .rails = 1, .radix = 64};
  const Counts full = count(q);
  q.taper = 2;
  const Counts half = count(q);
  if (full.tiers == half.tiers) RC_ASSERT(half.switches() <= full.switches());
  RC_ASSERT(half.bisection <= full.bisection);
}

}  // namespace
}  // namespace headroom::fabric
