#include "fabric/design.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "base/units.hpp"

namespace headroom::fabric {
namespace {

const catalog::Catalog& cat() { return catalog::Catalog::builtin(); }

struct Built {
  Trace trace;
  Design design;
};

Built build(const std::string& system, double count, Spec spec = {}, double racks = 0) {
  Built b;
  const auto* s = cat().find<catalog::System>(system);
  EXPECT_NE(s, nullptr) << system;
  const auto* a = cat().find<catalog::Accelerator>(s->accelerator);
  EXPECT_NE(a, nullptr) << s->accelerator;
  Demand d;
  d.scope = "gpu";
  d.system = s;
  d.accelerator = a;
  d.systems = b.trace.constant("clusters.gpu.systems", Scalar(count), "system", assumed("test"));
  d.racks = racks;
  b.design = design(spec, d, cat(), b.trace);
  return b;
}

const Margin* margin(const Design& d, const std::string& id) {
  const auto& all = d.findings.margins;
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& m) { return m.id == id; });
  return it == all.end() ? nullptr : &*it;
}

double bought(const Design& d, const std::string& id) {
  double n = 0;
  for (const auto& line : d.findings.bill.lines())
    if (line.id == id) n += line.count;
  return n;
}

TEST(Catalogue, EveryNetworkEntryReads) {
  Diagnostics mistakes;
  for (const auto* s : cat().all<catalog::Switch>()) EXPECT_GT(s->ports, 0) << s->id;
  for (const auto* c : cat().all<catalog::Cable>()) EXPECT_TRUE(c->reach.given) << c->id;
  for (const auto* n : cat().all<catalog::Nic>()) EXPECT_TRUE(n->efficiency.given) << n->id;
  EXPECT_GE(cat().ids("switch").size(), 14u);
  const auto* qm = cat().find<catalog::Switch>("qm9700");
  ASSERT_NE(qm, nullptr);
  EXPECT_EQ(qm->radix(400 * gigabit_per_second), 64);
  EXPECT_EQ(qm->radix(200 * gigabit_per_second), 128);
  EXPECT_EQ(qm->radix(800 * gigabit_per_second), 0);
}

// System: DGX SuperPOD of 128 DGX H100 (four scalable units), all defaults. Expectation: 32 leaves,
// 16 spines of QM9700, 1,024 + 1,024 links, non-blocking.
TEST(Design, SuperPodByDefault) {
  const Built b = build("dgx-h100", 128, {}, 32);
  const Design& d = b.design;
  ASSERT_NE(d.used, nullptr);
  EXPECT_EQ(d.used->id, "qm9700");
  EXPECT_EQ(d.kind, Kind::rail);
  EXPECT_EQ(bought(d, "fabric.gpu.leaf"), 32);
  EXPECT_EQ(bought(d, "fabric.gpu.spine"), 16);
  EXPECT_EQ(d.counts.host_links + d.counts.switch_links(), 2048);
  EXPECT_NEAR(d.oversubscription.value, 1, 1e-12);
  EXPECT_NEAR(d.bisection.in(terabyte_per_second), 1024 / 2 * 0.05, 1e-9);
  EXPECT_EQ(d.path.domain, 8);
  EXPECT_NEAR(d.path.scale_out.in(gigabyte_per_second), 47, 0.5);
  ASSERT_NE(margin(d, "fabric.gpu.ports"), nullptr);
  EXPECT_TRUE(margin(d, "fabric.gpu.ports")->holds());
  EXPECT_GT(d.capital.value.si(), 4e6);
  EXPECT_LT(d.latency.in(microsecond), 4);
  EXPECT_GT(d.latency.in(microsecond), 1);
}

// Optics of a two-tier fabric with single-mode links of 400 Gb/s: 9 W at the NIC and 1.5 twin plugs
// of 17 W a GPU make 34.5 W (NVIDIA data sheets); 1,024 GPUs: 35.3 kW and 2,560 modules.
TEST(Design, OpticsPowerPerGpu) {
  Spec spec;
  spec.storage_network = false;
  spec.host_links = HostLinks::optical;
  spec.longest_host_link = Value<Length>(90 * metre, assumed("test"));
  spec.longest_switch_link = Value<Length>(90 * metre, assumed("test"));
  const Built b = build("dgx-h100", 128, spec, 32);
  const TraceNode& optics = b.trace.at(b.trace.find("fabric.gpu.optics-power"));
  EXPECT_NEAR(optics.si, 1024 * 34.5, 1);
  EXPECT_NEAR(b.design.plugs.value, 1024 * 2.5, 1e-9);
}

// System: 9,000 DGX H100: 72,000 ports where k = 64 ends at 65,536.
TEST(Design, PortsRunOut) {
  const Built held = build("dgx-h100", 8192);
  EXPECT_TRUE(margin(held.design, "fabric.gpu.ports")->holds());
  const Built b = build("dgx-h100", 9000);
  const Margin* m = margin(b.design, "fabric.gpu.ports");
  ASSERT_NE(m, nullptr);
  EXPECT_FALSE(m->holds());
  EXPECT_EQ(m->need, 72000);
  EXPECT_EQ(m->have, 65536);
  ASSERT_FALSE(m->remedies.empty());
  EXPECT_NE(m->remedies[0].action.find("Q3400"), std::string::npos) << m->remedies[0].action;
  // A whole network of 72,000 endpoints, not its difference to one that does not fit: above
  // 100 USD a port in switches alone.
  EXPECT_GT(m->remedies[0].cost->in(dollar), 100.0 * 72000);
  EXPECT_NE(m->remedies[0].action.find("in place of"), std::string::npos);
}

// System: built 4:1, the work tolerates 2:1. Expectation: half of what is needed.
TEST(Design, BisectionAgainstToleratedOversubscription) {
  Spec spec;
  spec.kind = Kind::fat_tree;
  spec.oversubscription = Value<Scalar>(3.0, assumed("test"));
  spec.max_oversubscription = Value<Scalar>(2.0, assumed("test"));
  const Built b = build("dgx-h100", 60, spec);
  const Margin* m = margin(b.design, "fabric.gpu.bisection");
  ASSERT_NE(m, nullptr);
  EXPECT_FALSE(m->holds());
  EXPECT_NEAR(m->headroom(), 2.0 / 3 - 1, 1e-9);
  ASSERT_FALSE(m->remedies.empty());
  EXPECT_TRUE(m->remedies[0].cost.has_value());
  EXPECT_GT(b.design.path.oversubscription, 2.9);
  spec.max_oversubscription = Value<Scalar>(4.0, assumed("test"));
  EXPECT_TRUE(margin(build("dgx-h100", 60, spec).design, "fabric.gpu.bisection")->holds());
  spec.max_oversubscription = {};
  EXPECT_EQ(margin(build("dgx-h100", 60, spec).design, "fabric.gpu.bisection"), nullptr);
}

// System: copper asked for. In the rack (2 m) it reaches; across a row of 20 racks it does not.
TEST(Design, CopperReach) {
  Spec spec;
  spec.host_links = HostLinks::copper;
  spec.leaf_place = LeafPlace::in_rack;
  const Built near = build("dgx-h100", 64, spec, 16);
  ASSERT_NE(margin(near.design, "fabric.gpu.copper"), nullptr);
  EXPECT_TRUE(margin(near.design, "fabric.gpu.copper")->holds());
  spec.leaf_place = LeafPlace::row;
  const Built far = build("dgx-h100", 64, spec, 64);
  const Margin* m = margin(far.design, "fabric.gpu.copper");
  ASSERT_NE(m, nullptr);
  EXPECT_FALSE(m->holds());
  EXPECT_GE(m->remedies.size(), 2u);
  EXPECT_EQ(margin(build("dgx-h100", 64).design, "fabric.gpu.copper"), nullptr);
}

// System: spines 3 km from leaves, where the longest cable reaches 2 km.
TEST(Design, CableReach) {
  Spec spec;
  EXPECT_TRUE(margin(build("dgx-h100", 64).design, "fabric.gpu.reach")->holds());
  spec.longest_switch_link = Value<Length>(3 * kilometre, assumed("test"));
  EXPECT_FALSE(margin(build("dgx-h100", 64, spec).design, "fabric.gpu.reach")->holds());
}

// System: 32 leaves needed, 30 at hand.
TEST(Design, SwitchesAtHand) {
  Spec spec;
  spec.leaf_switches = 30;
  spec.spine_switches = 16;
  const Built b = build("dgx-h100", 128, spec, 32);
  const Margin* leaf = margin(b.design, "fabric.gpu.leaf");
  ASSERT_NE(leaf, nullptr);
  EXPECT_FALSE(leaf->holds());
  ASSERT_FALSE(leaf->remedies.empty());
  EXPECT_EQ(leaf->remedies[0].action, "buy 2 more NVIDIA Quantum-2 QM9700");
  EXPECT_TRUE(margin(b.design, "fabric.gpu.spine")->holds());
}

TEST(Design, OneSystemNeedsNoNetworkAndTwoDo) {
  const Built one = build("dgx-h100", 1);
  EXPECT_EQ(one.design.kind, Kind::none);
  EXPECT_TRUE(one.design.findings.margins.empty());
  EXPECT_TRUE(one.design.findings.bill.lines().empty());
  EXPECT_TRUE(one.design.path.has_scale_up());
  Spec spec;
  spec.kind = Kind::none;
  const Built two = build("dgx-h100", 2, spec);
  ASSERT_NE(margin(two.design, "fabric.gpu.ports"), nullptr);
  EXPECT_FALSE(margin(two.design, "fabric.gpu.ports")->holds());
}

// Static hashing on a box without adaptive routing costs about a third of the rate and says so.
TEST(Design, StaticRoutingTaxesTheRate) {
  Spec spec;
  spec.network_switch = "tomahawk4-64x400";
  const Built hashed = build("dgx-h100", 128, spec);
  spec.routing = Routing::adaptive;
  const Built sprayed = build("dgx-h100", 128, spec);
  EXPECT_NEAR(hashed.design.path.scale_out.si() / sprayed.design.path.scale_out.si(), 0.68, 1e-9);
  EXPECT_EQ(hashed.design.findings.remarks.size(), 1u);
  EXPECT_TRUE(sprayed.design.findings.remarks.empty());
}

// SHARP is off by default, works where the switches can, and says so where they cannot.
TEST(Design, SwitchesReduceOnlyWhereAskedAndAble) {
  Spec spec;
  spec.network_switch = "qm9700";
  EXPECT_EQ(build("dgx-h100", 128, spec).design.path.in_network.si(), 0);
  spec.in_network_reduction = true;
  const Built able = build("dgx-h100", 128, spec);
  EXPECT_NEAR(able.design.path.in_network.in(gigabyte_per_second), 0.8 * 50, 1e-9);
  EXPECT_TRUE(able.design.findings.remarks.empty());
  spec.network_switch = "sn5600";
  spec.routing = Routing::adaptive;
  const Built unable = build("dgx-h100", 128, spec);
  EXPECT_EQ(unable.design.path.in_network.si(), 0);
  ASSERT_EQ(unable.design.findings.remarks.size(), 1u);
  EXPECT_NE(unable.design.findings.remarks[0].find("q3400-ra"), std::string::npos);
}

// What is usually bought: InfiniBand for NVIDIA's accelerators whoever builds the box, Ethernet
// else.
TEST(Design, UsualSwitchFollowsTheAccelerator) {
  EXPECT_EQ(build("hgx-h100", 16).design.used->technology, catalog::NetworkTechnology::infiniband);
  for (const auto* s : cat().all<catalog::System>()) {
    const auto* a = cat().find<catalog::Accelerator>(s->accelerator);
    if (!a || a->vendor == "NVIDIA" || s->compute_nics.count == 0) continue;
    const Built b = build(s->id, 16);
    ASSERT_NE(b.design.used, nullptr) << s->id;
    EXPECT_EQ(b.design.used->technology, catalog::NetworkTechnology::ethernet) << s->id;
  }
}

// A torus has cables and no switches.
TEST(Design, TorusBuysCablesOnly) {
  Spec spec;
  spec.kind = Kind::torus;
  spec.storage_network = false;
  const Built b = build("dgx-h100", 64, spec);
  EXPECT_EQ(b.design.switches.value, 0);
  EXPECT_GT(b.design.cables.value, 0);
  EXPECT_EQ(margin(b.design, "fabric.gpu.ports"), nullptr);
}

// A system without scale-out adapters is said to have none.
TEST(Design, NoAdaptersNoNetwork) {
  catalog::System box;
  box.name = "box";
  catalog::Accelerator chip;
  Trace trace;
  Demand d;
  d.scope = "gpu";
  d.system = &box;
  d.accelerator = &chip;
  d.systems = trace.constant("n", Scalar(4), "system", assumed("test"));
  const Design out = design({}, d, cat(), trace);
  EXPECT_EQ(out.used, nullptr);
  EXPECT_EQ(out.findings.remarks.size(), 1u);
}

TEST(Design, EveryCataloguedSystemCanBeNetworked) {
  for (const auto* s : cat().all<catalog::System>()) {
    if (!cat().find<catalog::Accelerator>(s->accelerator)) continue;
    const Built b = build(s->id, 16);
    EXPECT_FALSE(std::isnan(b.design.power.value.si())) << s->id;
    for (const auto& node : b.trace.nodes())
      EXPECT_TRUE(node.unit.empty() || parse_unit(node.unit)) << node.id << " " << node.unit;
  }
}

RC_GTEST_PROP(DesignProperties, MoreSystemsNeverCostLess, ()) {
  const double n = *rc::gen::inRange(2, 1500);
  const Built a = build("dgx-h100", n), b = build("dgx-h100", n * 2);
  RC_ASSERT(b.design.capital.value >= a.design.capital.value);
  RC_ASSERT(b.design.power.value >= a.design.power.value);
  RC_ASSERT(a.design.power_max.value >= a.design.power.value);
}

}  // namespace
}  // namespace headroom::fabric
