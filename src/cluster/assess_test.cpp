#include "cluster/assess.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "catalog/failure_rate.hpp"

namespace headroom::cluster {
namespace {

SourcePtr us() { return assumed("test"); }

// 2,048 HGX H100 nodes under one synchronous job: the Llama 3 405B run.
struct Llama {
  Trace trace;
  Spec spec;
  Demand demand;

  Llama() {
    demand.scope = "gpu";
    demand.accelerator = "h100-sxm";
    demand.gpus = trace.constant("gpus", Scalar(16384), "GPU", us());
    demand.nodes = trace.constant("nodes", Scalar(2048), "node", us());
    demand.jobs.push_back(job("pretrain", 16384));
    spec.detection = {60 * second, us()};
    spec.restart = {300 * second, us()};
  }
  Job job(const std::string& name, double gpus) {
    Job j;
    j.name = name;
    j.gpus = trace.constant(name + ".gpus", Scalar(gpus), "GPU", us());
    j.productive = trace.constant(name + ".time", 50 * day, "d", us());
    j.checkpoint_write = trace.constant(name + ".write", 10 * second, "s", us());
    return j;
  }
  Result run() { return assess(spec, demand, catalog::Catalog::builtin(), trace); }
};

const Margin* find(const Result& r, const std::string& id) {
  const auto it = std::find_if(r.findings.margins.begin(), r.findings.margins.end(),
                               [&](const Margin& m) { return m.id == id; });
  return it == r.findings.margins.end() ? nullptr : &*it;
}

TEST(Cluster, Llama3StopsEvery50700GpuHours) {
  Llama s;
  const auto r = s.run();
  EXPECT_EQ(r.population, "llama-3-405b");
  EXPECT_NEAR(r.gpu_mtbf.in(hour), 16384 * 54 * 24 / 419.0, 1e-6);
  EXPECT_NEAR(r.gpu_mtbf.in(hour), 50700, 50);
  ASSERT_EQ(r.jobs.size(), 1u);
  EXPECT_NEAR(r.jobs[0].mtbf.in(hour), 3.093, 0.001);
  EXPECT_GT(r.jobs[0].ettr.value, 0.90);
  EXPECT_NEAR(r.jobs[0].interval.in(minute), 7.75, 0.01);
  // 50 productive days take 50/0.928 = 53.9 days, with 418 stops: the published run.
  EXPECT_NEAR(r.jobs[0].elapsed.in(day), 53.9, 0.2);
  EXPECT_NEAR(r.jobs[0].stops.value, 419, 4);
}

TEST(Cluster, MetaProjectsOnePointEightHoursAt16384) {
  Llama s;
  s.spec.failures = "meta-rsc-1";
  const auto r = s.run();
  EXPECT_NEAR(r.jobs[0].mtbf.in(hour), 1.80, 0.01);
  s.demand.gpus = s.demand.jobs[0].gpus = s.trace.constant("g", Scalar(131072), "GPU", us());
  s.demand.nodes = s.trace.constant("n", Scalar(16384), "node", us());
  EXPECT_NEAR(s.run().jobs[0].mtbf.in(hour), 0.23, 0.01);
}

TEST(Cluster, JobsThatWantMoreThanThereIsFallShort) {
  Llama s;
  EXPECT_TRUE(find(s.run(), "cluster.gpu.gpus")->holds());
  s.demand.jobs.push_back(s.job("tune", 800));
  s.demand.node_price = s.trace.constant("price", 400e3 * dollar, "USD", us());
  const auto r = s.run();
  const auto* m = find(r, "cluster.gpu.gpus");
  EXPECT_FALSE(m->holds());
  EXPECT_EQ(m->need, 17184);
  ASSERT_FALSE(m->remedies.empty());
  EXPECT_EQ(m->remedies[0].action, "add 100 nodes of 8 GPUs");
  EXPECT_EQ(m->remedies[0].cost->in(dollar), 40e6);
}

TEST(Cluster, SparesTakeGpusAwayFromJobs) {
  Llama s;
  s.spec.spares = {Scalar(48), us()};
  const auto r = s.run();
  EXPECT_EQ(r.gpus_usable.value, 16000);
  EXPECT_FALSE(find(r, "cluster.gpu.gpus")->holds());
}

TEST(Cluster, SparesCoverTheRepairsOrFallShort) {
  Llama s;
  EXPECT_EQ(find(s.run(), "cluster.gpu.spares"), nullptr);  // not asked
  s.spec.repair_time = {24 * hour, us()};
  s.spec.spares = {Scalar(40), us()};
  // 419 stops in 54 days = 7.76 a day, 321 of 419 take the node out: 5.9 nodes in repair.
  auto r = s.run();
  EXPECT_NEAR(r.nodes_in_repair.value, 7.76 * 321 / 419, 0.03);
  EXPECT_GE(r.spares_needed.value, 12);  // Poisson of mean 5.9 at 99 %: 12
  EXPECT_LE(r.spares_needed.value, 13);
  EXPECT_TRUE(find(r, "cluster.gpu.spares")->holds());
  s.spec.repair_time = {10 * day, us()};
  r = s.run();
  const auto* m = find(r, "cluster.gpu.spares");
  EXPECT_FALSE(m->holds());
  EXPECT_GE(m->remedies.size(), 2u);
  // With all spares out the job waits for a repair, and goodput falls.
  EXPECT_LT(r.jobs[0].ettr.value, 0.9);
}

TEST(Cluster, GoodputDemandHoldsOrNot) {
  Llama s;
  EXPECT_EQ(find(s.run(), "cluster.gpu.pretrain.goodput"), nullptr);  // not asked
  s.spec.goodput = {Scalar(0.90), us()};
  EXPECT_TRUE(find(s.run(), "cluster.gpu.pretrain.goodput")->holds());
  s.demand.jobs[0].goodput = {Scalar(0.97), us()};  // ByteRobust's, with our restart times
  const auto r = s.run();
  const auto* m = find(r, "cluster.gpu.pretrain.goodput");
  EXPECT_FALSE(m->holds());
  EXPECT_GE(m->remedies.size(), 2u);
}

// A stall of 5 ms would have Daly save every few seconds, into a write that drains for 11 s.
TEST(Cluster, NearlyFreeCheckpointsAreStillAMinuteApart) {
  Llama s;
  s.demand.jobs[0].checkpoint_write = s.trace.constant("stall", 5 * millisecond, "s", us());
  s.demand.jobs[0].checkpoint_drain = s.trace.constant("drain", 11 * second, "s", us());
  EXPECT_NEAR(s.run().jobs[0].interval.in(minute), 1, 1e-12);
  EXPECT_LT(s.run().jobs[0].daly.in(minute), 0.5);
  s.demand.jobs[0].checkpoint_drain = s.trace.constant("slow", 150 * second, "s", us());
  EXPECT_NEAR(s.run().jobs[0].interval.in(second), 150, 1e-9);
}

// Of a stall of 5 ms there is nothing to gain; of restarts there is.
TEST(Cluster, RemediesThatGainNothingAreLeftOut) {
  Llama s;
  s.demand.jobs[0].checkpoint_write = s.trace.constant("stall", 5 * millisecond, "s", us());
  s.spec.goodput = {Scalar(0.99), us()};
  const auto r = s.run();
  const auto* m = find(r, "cluster.gpu.pretrain.goodput");
  ASSERT_FALSE(m->holds());
  ASSERT_FALSE(m->remedies.empty());
  for (const auto& remedy : m->remedies) {
    EXPECT_EQ(remedy.action.find("stall"), std::string::npos) << remedy.action;
    EXPECT_EQ(remedy.action.find("bandwidth"), std::string::npos) << remedy.action;
  }
}

TEST(Cluster, RemarksNameTheClusterOnce) {
  Llama s;
  s.demand.title = "cluster gpu";
  s.demand.accelerator = "b200-sxm";
  const auto r = s.run();
  ASSERT_FALSE(r.findings.remarks.empty());
  EXPECT_TRUE(r.findings.remarks[0].starts_with("cluster gpu takes")) << r.findings.remarks[0];
}

TEST(Cluster, CheckpointsRarerThanFailuresFallShort) {
  Llama s;
  EXPECT_TRUE(find(s.run(), "cluster.gpu.pretrain.checkpoint")->holds());
  s.spec.checkpoint_interval = {4 * hour, us()};
  const auto r = s.run();
  EXPECT_FALSE(find(r, "cluster.gpu.pretrain.checkpoint")->holds());
  // The workload's own interval goes before the cluster's.
  s.demand.jobs[0].checkpoint_interval = {15 * minute, us()};
  EXPECT_TRUE(find(s.run(), "cluster.gpu.pretrain.checkpoint")->holds());
}

TEST(Cluster, ServingIsCountedButNotCheckpointed) {
  Llama s;
  s.demand.jobs[0].gang = false;
  const auto r = s.run();
  EXPECT_TRUE(r.jobs.empty());
  EXPECT_EQ(r.gpus_wanted.value, 16384);
}

TEST(Cluster, PlannedStopsAndSoftwareFailuresCostGoodput) {
  Llama s;
  const double base = s.run().jobs[0].ettr.value;
  s.spec.maintenance_interval = {1 * day, us()};
  const double stopped = s.run().jobs[0].ettr.value;
  EXPECT_NEAR(stopped, base / (1 + 310.0 / 86400), 1e-9);
  s.spec.job_mtbf = {10 * hour, us()};
  EXPECT_NEAR(s.run().jobs[0].mtbf.in(hour), 1 / (1 / 3.0931 + 0.1), 0.001);
}

TEST(Cluster, AnEmptyClusterSaysSoAndComputesNothing) {
  Llama s;
  s.demand.gpus = {};
  s.demand.nodes = {};
  const auto r = s.run();
  EXPECT_FALSE(r.findings.remarks.empty());
  EXPECT_TRUE(r.jobs.empty());
  EXPECT_FALSE(find(r, "cluster.gpu.gpus")->holds());
}

TEST(Cluster, UnknownPopulationIsARemark) {
  Llama s;
  s.spec.failures = "no-such-fleet";
  const auto r = s.run();
  EXPECT_TRUE(r.jobs.empty());
  EXPECT_FALSE(r.findings.remarks.empty());
}

RC_GTEST_PROP(Cluster, LongerRepairsNeverNeedFewerSpares, ()) {
  Llama s;
  const double hours = *rc::gen::inRange(1, 400);
  s.spec.repair_time = {hours * hour, us()};
  const double need = s.run().spares_needed.value;
  s.spec.repair_time = {(hours + 24) * hour, us()};
  RC_ASSERT(s.run().spares_needed.value >= need);
}

TEST(FailurePopulations, EveryEntryGivesARate) {
  for (const auto* p : catalog::Catalog::builtin().all<catalog::FailurePopulation>()) {
    SCOPED_TRACE(p->id);
    EXPECT_GT(p->gpu_time_between().in(hour), 100);
    EXPECT_LT(p->gpu_time_between().in(hour), 1e6);
    EXPECT_FALSE(p->counts.empty());
    double causes = 0;
    for (const auto& c : p->causes) causes += c.count.likely;
    if (!p->causes.empty()) { EXPECT_EQ(causes, p->interruptions.get().si()); }
  }
}

}  // namespace
}  // namespace headroom::cluster
