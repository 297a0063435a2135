#include "fabric/collective.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "fabric/path.hpp"

namespace headroom::fabric {
namespace {

constexpr Bandwidth gb_s(double v) { return v * gigabyte_per_second; }
constexpr Information gb(double v) { return v * gigabyte; }

// System: ideal links (no latency). Expectation: ring and all-to-all equal their closed forms.
TEST(Collective, IdealDomainEqualsClosedForms) {
  const Path p = ideal_path(gb_s(400), 72, gb_s(50));
  for (double n : {2.0, 3.0, 8.0, 64.0, 72.0}) {
    EXPECT_NEAR(all_reduce(p, gb(1), n, n).si(), 2 * (n - 1) / n / 400, 1e-9 / 400);
    EXPECT_NEAR(all_gather(p, gb(1), n, n).si(), (n - 1) / n / 400, 1e-9 / 400);
    EXPECT_NEAR(reduce_scatter(p, gb(1), n, n).si(), (n - 1) / n / 400, 1e-9 / 400);
    EXPECT_NEAR(all_to_all(p, gb(1), n, n).si(), (n - 1) / n / 400, 1e-9 / 400);
    EXPECT_NEAR(broadcast(p, gb(1), n, n).si(), 1.0 / 400, 1e-9 / 400);
  }
}

// System: 16 domains of 8 on ideal links. Expectation: a ring passes 2 x 127/128 of S out of every
// domain, over eight NICs: 2 x 127/128 x 1/8 / 50 = 4.961 ms for 1 GB; the hops inside hide
// behind it.
TEST(Collective, RingAcrossDomainsIsBoundByNics) {
  const Path p = ideal_path(gb_s(400), 8, gb_s(50));
  EXPECT_NEAR(all_reduce(p, gb(1), 128, 8).si(), 2 * (127.0 / 128) / 8 / 50, 1e-12);
  // One rank a domain: all of S crosses its NIC.
  EXPECT_NEAR(all_reduce(p, gb(1), 16, 1).si(), 2 * (15.0 / 16) / 50, 1e-12);
  EXPECT_NEAR(point_to_point(p, gb(1), true).si(), 1.0 / 400, 1e-12);
  EXPECT_NEAR(point_to_point(p, gb(1), false).si(), 1.0 / 50, 1e-12);
}

// System: 4:1 taper above 256 GPUs. Expectation: all-to-all of 512 sends 256/511 of its traffic
// through the taper; inside 256 the taper is not felt, and rings never feel it.
TEST(Collective, TaperSlowsAllToAllOnly) {
  Path p = ideal_path(gb_s(400), 8, gb_s(50));
  p.leaf = 256;
  const Time small = all_to_all(p, gb(1), 256, 8), ring = all_reduce(p, gb(1), 512, 8);
  const Time flat = all_to_all(p, gb(1), 512, 8);
  p.oversubscription = 4;
  EXPECT_EQ(all_to_all(p, gb(1), 256, 8), small);
  EXPECT_EQ(all_reduce(p, gb(1), 512, 8), ring);
  EXPECT_NEAR(all_to_all(p, gb(1), 512, 8).si(), flat.si() * 4 * 256.0 / 511, 1e-9);
}

TEST(Collective, NothingToDoTakesNoTimeAndNoNetworkTakesForEver) {
  Path p = ideal_path(gb_s(400), 8, Bandwidth{});
  EXPECT_EQ(all_reduce(p, gb(1), 1, 1).si(), 0);
  EXPECT_EQ(all_reduce(p, gb(0), 8, 8).si(), 0);
  EXPECT_TRUE(std::isfinite(all_reduce(p, gb(1), 8, 8).si()));
  EXPECT_TRUE(std::isinf(all_reduce(p, gb(1), 16, 8).si()));
  p.scale_up = Bandwidth{};
  p.overlap = 0.5;
  EXPECT_FALSE(std::isnan(all_reduce(p, gb(1), 16, 8).si()));
}

TEST(Collective, BusBandwidthFollowsNcclTests) {
  EXPECT_DOUBLE_EQ(traffic_factor(Collective::all_reduce, 8), 1.75);
  EXPECT_DOUBLE_EQ(traffic_factor(Collective::all_gather, 8), 0.875);
  EXPECT_DOUBLE_EQ(traffic_factor(Collective::broadcast, 8), 1);
  // 512 MiB over 8 A100 in 4.2259 ms is 222.3 GB/s (NCCL 2.27 table).
  const Information size = 512.0 * 1024 * 1024 * byte;
  EXPECT_NEAR(
      bus_bandwidth(Collective::all_reduce, size, 8, 4.2259 * millisecond).in(gigabyte_per_second),
      222.3, 0.1);
}

Path path_of(const char* link, double rate_gb_s, double domain) {
  catalog::Accelerator a;
  a.scale_up.link = link;
  a.scale_up.bandwidth = Value<Bandwidth>(gb_s(rate_gb_s), assumed("test"));
  catalog::System s;
  s.scale_up.domain = static_cast<int>(domain);
  return make_path(s, a, {.per_gpu = gb_s(50)});
}

struct Published {
  const char* what;
  const char* link;
  double rate, ranks, mib, busbw, tolerance;
};

class InNode : public testing::TestWithParam<Published> {};

// System: all-reduce in one box. Expectation: published bus bandwidth (Machine Learning Engineering
// Open Book, Azure AI benchmarking guide, NCCL tables) within the stated share.
TEST_P(InNode, AllReduceNearMeasured) {
  const Published m = GetParam();
  const Path p = path_of(m.link, m.rate, m.ranks);
  const Information size = m.mib * 1024 * 1024 * byte;
  const Time t = all_reduce(p, size, m.ranks, m.ranks);
  EXPECT_NEAR(
      bus_bandwidth(Collective::all_reduce, size, m.ranks, t).in(gigabyte_per_second) / m.busbw, 1,
      m.tolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Published, InNode,
    testing::Values(Published{"A100", "NVLink 3", 300, 8, 1024, 229.04, 0.1},
                    Published{"A100", "NVLink 3", 300, 8, 64, 171.54, 0.15},
                    Published{"H200", "NVLink 4", 450, 8, 512, 450.29, 0.1},
                    Published{"H200 azure", "NVLink 4", 450, 8, 1024, 467.58, 0.1},
                    Published{"B200", "NVLink 5", 900, 8, 8192, 838, 0.1},
                    Published{"GB200 NVL72", "NVLink 5", 900, 72, 4096, 839.16, 0.15},
                    Published{"H200 4 GPUs", "NVLink 4", 450, 4, 8192, 363.3, 0.1}));

// --- In-network reduction ---------------------------------------------------------------

/// HGX with `nics` adapters of `gbit` for its eight GPUs.
Path sharp_path(const char* link, double rate_gb_s, double nics, double gbit, bool reduces) {
  catalog::Accelerator a;
  a.scale_up.link = link;
  a.scale_up.bandwidth = Value<Bandwidth>(gb_s(rate_gb_s), assumed("test"));
  catalog::System s;
  s.scale_up.domain = 8;
  return make_path(
      s, a, {.per_gpu = nics / 8 * gbit * gigabit_per_second, .in_network_reduction = reduces});
}

// System: ideal links, switches that add. Expectation: a NIC sends its eighth of the buffer once,
// where a ring sends 2 (n-1)/n of it; a reduce-scatter gains no bandwidth, an all-gather nothing.
TEST(InNetworkReduction, SendsEveryByteOnce) {
  Path p = ideal_path(gb_s(4000), 8, gb_s(50));
  const double ring = all_reduce(p, gb(1), 128, 8).si();
  const double scatter = reduce_scatter(p, gb(1), 128, 8).si();
  const double gather = all_gather(p, gb(1), 128, 8).si();
  p.in_network = gb_s(50);
  EXPECT_NEAR(all_reduce(p, gb(1), 128, 8).si(), 1.0 / 8 / 50, 1e-12);
  EXPECT_NEAR(ring / all_reduce(p, gb(1), 128, 8).si(), 2 * 127.0 / 128, 1e-9);
  EXPECT_DOUBLE_EQ(reduce_scatter(p, gb(1), 128, 8).si(), scatter);
  EXPECT_DOUBLE_EQ(all_gather(p, gb(1), 128, 8).si(), gather);
  // Inside a domain nothing crosses the network.
  EXPECT_DOUBLE_EQ(all_reduce(p, gb(1), 8, 8).si(), 2 * 7.0 / 8 / 4000);
}

// System: DGX A100 with four and with eight 200 Gb/s adapters. Expectation: NCCL's author's figures
// for CollNet, 80 GB/s of buffer with four and NVLink's 110 with eight (NVIDIA/nccl issue 320),
// against 1 / (2 x 63/64) of what four adapters carry for a ring.
TEST(InNetworkReduction, ReachesWhatNcclsAuthorSays) {
  const auto algorithm_rate = [](double nics, bool reduces) {
    const Path p = sharp_path("NVLink 3", 300, nics, 200, reduces);
    return 16 / all_reduce(p, gb(16), 128, 8).si();
  };
  EXPECT_NEAR(algorithm_rate(4, true), 80, 0.05 * 80);
  EXPECT_NEAR(algorithm_rate(8, true), 110, 0.15 * 110);
  EXPECT_NEAR(algorithm_rate(4, true) / algorithm_rate(4, false), 1.6, 0.15);
}

// System: 4,096 ranks with little to add. Expectation: the ring's steps are gone, so small
// reduce-scatters gain as well.
TEST(InNetworkReduction, TakesTheStepsFromALargeRing) {
  const Path ring = sharp_path("NVLink 4", 450, 8, 400, false);
  const Path tree = sharp_path("NVLink 4", 450, 8, 400, true);
  const Time long_way = reduce_scatter(ring, gb(0.064), 512, 1);
  EXPECT_GT(long_way / reduce_scatter(tree, gb(0.064), 512, 1), 1.5);
  EXPECT_EQ(all_gather(tree, gb(0.064), 512, 1), all_gather(ring, gb(0.064), 512, 1));
}

TEST(InNetworkReduction, IsOffUnlessAskedForAndNeedsInfiniBand) {
  EXPECT_EQ(path_of("NVLink 4", 450, 8).in_network.si(), 0);
  catalog::Accelerator a;
  EXPECT_EQ(make_path({}, a, {.per_gpu = gb_s(50), .ethernet = true, .in_network_reduction = true})
                .in_network.si(),
            0);
}

RC_GTEST_PROP(InNetworkReduction, NeverTakesLongerAndGrowsWithTheBuffer, ()) {
  const double ranks = *rc::gen::inRange(2, 4000);
  const double inside = *rc::gen::element(1, 2, 4, 8);
  const Information size = *rc::gen::inRange(1, 1'000'000) * 1e-5 * gigabyte;
  const auto op = *rc::gen::element(Collective::all_reduce, Collective::reduce_scatter);
  const Path ring = sharp_path("NVLink 4", 450, 8, 400, false);
  const Path tree = sharp_path("NVLink 4", 450, 8, 400, true);
  const Time t = collective(op, tree, size, ranks, inside);
  RC_ASSERT(t <= collective(op, ring, size, ranks, inside));
  RC_ASSERT(collective(op, tree, 2.0 * size, ranks, inside) >= t);
}

// Llama-style tensor parallelism: serving kernels beat NCCL for one token's activations, 4.7 us
// against 15.6 us for eight H100 (AIConfigurator tables), and lose nothing for large ones.
TEST(Collective, ServingKernelsWinForSmallMessages) {
  const Path nccl = path_of("NVLink 4", 450, 8);
  const Path direct = for_serving(nccl, "NVLink 4");
  const Information small = 16384 * byte;
  EXPECT_NEAR(all_reduce(direct, small, 8, 8).in(microsecond), 5.3, 1.0);
  EXPECT_GT(all_reduce(nccl, small, 8, 8).in(microsecond), 12);
  EXPECT_LE(all_reduce(direct, gb(1), 8, 8), all_reduce(nccl, gb(1), 8, 8));
}

RC_GTEST_PROP(CollectiveProperties, MoreBytesOrLessBandwidthNeverTakeLess, ()) {
  const double ranks = *rc::gen::inRange(2, 2000);
  const double inside = *rc::gen::element(1, 2, 4, 8);
  const double mb = *rc::gen::inRange(1, 100000) / 10.0;
  const auto op =
      *rc::gen::element(Collective::all_reduce, Collective::all_gather, Collective::reduce_scatter,
                        Collective::all_to_all, Collective::broadcast);
  Path p = path_of("NVLink 4", 450, 8);
  const Time t = collective(op, p, mb * 1e-3 * gigabyte, ranks, inside);
  RC_ASSERT(std::isfinite(t.si()));
  RC_ASSERT(t.si() > 0);
  RC_ASSERT(collective(op, p, mb * 2e-3 * gigabyte, ranks, inside) >= t);
  p.scale_out = 0.5 * p.scale_out;
  p.scale_up = 0.5 * p.scale_up;
  RC_ASSERT(collective(op, p, mb * 1e-3 * gigabyte, ranks, inside) >= t);
}

// An all-reduce moves what a reduce-scatter and an all-gather move, so it is never slower than both
// on a path without in-switch reduction, nor faster than the slower of them.
RC_GTEST_PROP(CollectiveProperties, AllReduceIsReduceScatterThenAllGather, ()) {
  const double ranks = *rc::gen::inRange(2, 512);
  Path p = path_of("NVLink 4", 450, 8);
  p.nvls = 1;
  const Information size = *rc::gen::inRange(1, 5000) * 1e-3 * gigabyte;
  const double inside = std::min(8.0, ranks);
  const Time both = reduce_scatter(p, size, ranks, inside) + all_gather(p, size, ranks, inside);
  RC_ASSERT(all_reduce(p, size, ranks, inside).si() <= both.si() * (1 + 1e-9));
}

}  // namespace
}  // namespace headroom::fabric
