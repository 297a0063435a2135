#include "train/search.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>

#include "train/search_space.hpp"
#include "train/test_jobs.hpp"

namespace headroom::train {
namespace {

using test::bench;
using test::plan;

TEST(Search, EveryAnswerIsLegalAndFits) {
  for (const char* id : {"llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b"}) {
    const auto b = bench(id, "h100-sxm", 128, 4096, 1024);
    const auto found = search(b.job);
    ASSERT_TRUE(found.fits()) << id;
    for (const auto& c : found.best) {
      EXPECT_EQ(illegal(b.job, c.plan), "") << summary(c.plan);
      EXPECT_LE(c.memory.total(), usable_bytes(b.job));
      EXPECT_LE(c.plan.gpus(), 128);
      EXPECT_DOUBLE_EQ(c.plan.global_batch(), 1024);
    }
  }
}

TEST(Search, FindsTheBestOfAnIndependentEnumeration) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 16, 4096, 64);
  const auto found = search(b.job);
  ASSERT_TRUE(found.fits());
  double best = 0;
  for (int tp : {1, 2, 4, 8})
    for (int pp : {1, 2, 4, 8, 16})
      for (int vpp : {1, 2, 4, 8, 16, 32})
        for (int mbs : {1, 2, 4, 8, 16})
          for (int r : {0, 1, 2})
            for (int z : {1, 3}) {
              if (16 % (tp * pp) != 0 || (pp > 1 && z == 3)) continue;
              auto p = plan(tp, pp, vpp, 16 / (tp * pp), 1);
              p.micro_batch = mbs;
              if (64 % (p.dp * mbs) != 0) continue;
              p.micro_batches = 64 / (p.dp * mbs);
              p.recompute = Recompute(r);
              p.zero = Zero(z);
              if (!illegal(b.job, p).empty()) continue;
              const auto c = evaluate(b.job, p);
              if (c.memory.total() <= usable_bytes(b.job)) best = std::max(best, c.tokens_per_s);
            }
  EXPECT_GE(found.best[0].tokens_per_s, best * (1 - 1e-9));
}

TEST(Search, KeepsTensorParallelismInsideTheDomain) {
  const auto b = bench("llama-3.1-405b", "h100-sxm", 1024, 8192, 512);
  for (const auto& c : search(b.job, {{}, 20}).best) EXPECT_LE(c.plan.tp, 8);
}

TEST(Search, HonoursEveryFixedPart) {
  const auto b = bench("llama-3.1-405b", "h100-sxm", 16384, 8192, 2048);
  PlanSpec fixed;
  fixed.tp = 8, fixed.pp = 16, fixed.dp = 128;
  const auto found = search(b.job, {fixed, 1});
  ASSERT_TRUE(found.fits());
  EXPECT_EQ(found.best[0].plan.tp, 8);
  EXPECT_EQ(found.best[0].plan.pp, 16);
  EXPECT_EQ(found.best[0].plan.dp, 128);
}

TEST(Search, NamesTheNearestLegalChoice) {
  const auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 64);
  PlanSpec fixed;
  fixed.tp = 7;
  const auto found = search(b.job, {fixed, 1});
  EXPECT_EQ(found.legal, 0);
  EXPECT_NE(found.obstacle.find("tp 7 does not divide 64 heads; nearest is 4 or 8"),
            std::string::npos)
      << found.obstacle;
}

TEST(Search, PinsHoldAnyDimensionOfTheTable) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 16, 4096, 64);
  for (const auto name : dimension_names()) {
    const SearchOptions open{.keep = 1, .exhaustive = true};
    // The value of some plan that is not the best, so that the pin has work to do.
    const auto all = search(b.job, {.keep = 4000, .exhaustive = true}).best;
    const auto dims = dimensions();
    const auto d = std::find_if(dims.begin(), dims.end(), [&](auto& x) { return x.name == name; });
    auto other = std::find_if(all.begin(), all.end(), [&](const Candidate& c) {
      return d->get(c.plan) != d->get(all[0].plan);
    });
    if (other == all.end()) other = all.begin();  // a dense model has one ep
    const int value = d->get(other->plan);
    auto pinned = open;
    pinned.pins = {{std::string(name), value}};
    const auto found = search(b.job, pinned);
    ASSERT_TRUE(found.fits()) << name << " " << value;
    EXPECT_EQ(d->get(found.best[0].plan), value) << name;
    // The best of all that have the value, or to which it makes no difference.
    EXPECT_GE(found.best[0].tokens_per_s, other->tokens_per_s) << name;
  }
  const auto wrong = search(b.job, {.pins = {{"sp", 1}}});
  EXPECT_EQ(wrong.obstacle.substr(0, 31), "'sp' is no dimension of a plan;");
}

TEST(Search, PinsBelowOneAreRefused) {
  const auto b = bench("mixtral-8x7b", "h100-sxm", 64, 4096, 64);
  for (const char* name : {"pp", "tp", "cp", "ep", "micro-batch", "dp", "vpp"})
    for (int value : {0, -3}) {
      const auto found = search(b.job, {.pins = {{name, value}}});
      EXPECT_EQ(found.legal, 0);
      EXPECT_EQ(found.obstacle, "every part of a plan is 1 or more, not " + std::string(name) +
                                    " " + std::to_string(value));
    }
}

TEST(Search, ObstaclesBlameOnlyWhatIsFixed) {
  const auto b = bench("mixtral-8x7b", "h100-sxm", 64, 4096, 64);
  PlanSpec fixed;
  fixed.ep = 3;
  EXPECT_EQ(search(b.job, {fixed, 1}).obstacle,
            "ep 3 does not divide 8 experts; nearest is 2 or 4");
  fixed = {};
  fixed.tp = 8, fixed.pp = 8, fixed.dp = 3;
  EXPECT_EQ(search(b.job, {fixed, 1}).obstacle.substr(0, 37),
            "tp 8 x pp 8 x cp 1 x dp 3 is 192 GPUs");
  fixed = {};
  fixed.micro_batch = 3;
  EXPECT_EQ(search(b.job, {fixed, 1}).obstacle,
            "dp 1 x micro-batch 3 does not divide a batch of 64 sequences; nearest batch is 63 or "
            "66");
}

TEST(Search, ReportsTheLeastPlanWhenNothingFits) {
  const auto b = bench("llama-3.1-405b", "h100-sxm", 16, 8192, 64);
  const auto found = search(b.job);
  EXPECT_FALSE(found.fits());
  ASSERT_GT(found.legal, 0);
  // 405.9e9 x 18 B over 16 GPUs is 457 GB at least.
  EXPECT_GT(found.least_memory.memory.total(), 405.85e9 * 18 / 16);
  EXPECT_LT(found.least_memory.memory.total(), 1.3 * 405.85e9 * 18 / 16);
}

TEST(Search, TheLargestJobsTakeMilliseconds) {
  for (int gpus : {16384, 100000}) {
    auto b = bench("llama-3.1-405b", "h100-sxm", gpus, 8192, 2048);
    b.job.batch_fixed = false;
    const auto start = std::chrono::steady_clock::now();
    const auto found = search(b.job);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_TRUE(found.fits());
    EXPECT_LT(took.count(), 0.25);  // about 3 ms in a Release build; loose for sanitizers
  }
}

// --- Exhaustive --------------------------------------------------------------------------

SearchOptions all_plans() { return {.keep = 1'000'000, .exhaustive = true}; }

/// Nested loops that know nothing of the table of dimensions: every plan of a dense model on
/// all of `gpus` GPUs, but for sequence parallelism, which is on.
struct Enumerated {
  long legal = 0, fitting = 0;
  double best = 0;
};
Enumerated enumerate_all(const Job& job) {
  Enumerated out;
  const int layers = job.model->layers, batch = int(job.sequences);
  for (int pp = 1; pp <= layers; ++pp)
    for (int tp = 1; tp <= job.model->heads; ++tp)
      for (int cp = 1; cp <= job.sequence / 256; ++cp)
        for (int micro = 1; micro <= batch; ++micro)
          for (int vpp = 1; vpp <= layers; ++vpp) {
            if (job.gpus % (pp * tp * cp) != 0) continue;
            auto p = plan(tp, pp, vpp, job.gpus / (pp * tp * cp), 1);
            p.cp = cp, p.micro_batch = micro;
            if (batch % (p.dp * micro) != 0) continue;
            p.micro_batches = batch / (p.dp * micro);
            // A finer cut that leaves the longest chunk as it was is no plan of its own.
            const auto chunk = [&](int v) { return (layers + pp * v - 1) / (pp * v); };
            if (vpp > 1 && chunk(vpp) == chunk(vpp - 1)) continue;
            for (int balanced : {0, 1})
              for (int zero : {0, 1, 2, 3})
                for (int recompute : {0, 1, 2}) {
                  const double head = sizes(job).head_layers;
                  const auto a = stage_layers(layers, pp, vpp, head);
                  const auto b = stage_layers(layers, pp, vpp, 0);
                  if (!balanced && (!b.legal || (a.first == b.first && a.middle == b.middle &&
                                                 a.last == b.last)))
                    continue;
                  if (zero > 0 && p.dp * cp == 1) continue;
                  if (zero == 2 && pp > 1) continue;
                  p.balanced = balanced != 0, p.zero = Zero(zero);
                  p.recompute = Recompute(recompute);
                  if (!illegal(job, p).empty()) continue;
                  ++out.legal;
                  const auto c = evaluate(job, p);
                  if (c.memory.total() > usable_bytes(job)) continue;
                  ++out.fitting;
                  out.best = std::max(out.best, c.tokens_per_s);
                }
          }
  return out;
}

TEST(Exhaustive, CountsAndRanksWhatNestedLoopsFind) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 16, 4096, 48);
  auto options = all_plans();
  options.all_gpus = true;
  const auto found = search(b.job, options);
  const auto with = [](const Candidate& c) { return c.plan.sequence_parallel == (c.plan.tp > 1); };
  const auto loops = enumerate_all(b.job);
  EXPECT_EQ(std::count_if(found.best.begin(), found.best.end(), with), loops.fitting);
  EXPECT_EQ(found.evaluated, found.legal);
  EXPECT_GT(found.legal, loops.legal);
  EXPECT_DOUBLE_EQ(found.best[0].tokens_per_s, loops.best);
  for (const auto& c : found.best) {
    ASSERT_EQ(c.plan.gpus(), 16) << summary(c.plan);
    ASSERT_EQ(illegal(b.job, c.plan), "") << summary(c.plan);
  }
}

TEST(Exhaustive, ListsNoPlanTwice) {
  const auto b = bench("mixtral-8x7b", "h100-sxm", 32, 4096, 64);
  const auto found = search(b.job, all_plans());
  ASSERT_EQ(long(found.best.size()), found.fitting);
  for (std::size_t k = 1; k < found.best.size(); ++k)
    ASSERT_FALSE(found.best[k].plan == found.best[k - 1].plan) << summary(found.best[k].plan);
}

TEST(Exhaustive, IsNeverBehindThePlanner) {
  for (const char* id : {"llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b"}) {
    const auto b = bench(id, "h100-sxm", 64, 4096, 256);
    const auto quick = search(b.job), all = search(b.job, {.exhaustive = true});
    ASSERT_TRUE(quick.fits() && all.fits()) << id;
    EXPECT_GE(all.best[0].tokens_per_s, quick.best[0].tokens_per_s * (1 - 1e-9)) << id;
    EXPECT_GT(all.legal, quick.legal);
    // And the planner leaves little on the table.
    EXPECT_GT(quick.best[0].tokens_per_s, 0.93 * all.best[0].tokens_per_s) << id;
  }
}

TEST(Exhaustive, TablesGiveWhatOnePlanAloneGives) {
  const auto b = bench("deepseek-v3", "h100-sxm", 256, 4096, 512);
  const auto found = search(b.job, {.keep = 500, .exhaustive = true});
  ASSERT_TRUE(found.fits());
  for (const auto& c : found.best) {
    const auto alone = evaluate(b.job, c.plan);
    ASSERT_EQ(alone.tokens_per_s, c.tokens_per_s) << summary(c.plan);
    ASSERT_EQ(alone.memory.total(), c.memory.total()) << summary(c.plan);
  }
}

TEST(Exhaustive, NoPlanBeatsItsMachine) {
  for (const char* id : {"gpt-3-175b", "mixtral-8x7b"}) {
    const auto b = bench(id, "a100-sxm-80gb", 128, 2048, 192);
    const auto found = search(b.job, {.keep = 1, .exhaustive = true});
    ASSERT_TRUE(found.fits()) << id;
    const auto& c = found.best[0];
    EXPECT_LT(utilisation(b.job, c.plan, step_flops(b.job, c.plan).model_causal, c.time.total()),
              0.8)
        << id << ": " << summary(c.plan);
  }
}

TEST(Finer, VariesEverySettingAndOnlyLegally) {
  auto b = bench("deepseek-v3", "h100-sxm", 64, 4096, 64);
  b.job.memory_bytes = 2e12;  // so that nothing is ruled out by memory
  PlanSpec fixed;
  fixed.pp = 2, fixed.tp = 2, fixed.cp = 1, fixed.ep = 8, fixed.micro_batch = 1;
  const SearchOptions plain{.fixed = fixed, .keep = 100'000, .exhaustive = true};
  auto finer = plain;
  finer.finer = true;
  const auto without = search(b.job, plain), with = search(b.job, finer);
  ASSERT_TRUE(without.fits() && with.fits());
  EXPECT_GE(with.best[0].tokens_per_s, without.best[0].tokens_per_s);
  ASSERT_EQ(long(with.best.size()), with.fitting);
  // A larger space: nothing is lost.
  for (const auto& c : without.best) {
    ASSERT_FALSE(has_options(c.plan)) << summary(c.plan);
    ASSERT_TRUE(std::any_of(with.best.begin(), with.best.end(), [&](const Candidate& w) {
      return w.plan == c.plan;
    })) << summary(c.plan);
  }
  for (const auto& c : with.best) ASSERT_EQ(illegal(b.job, c.plan), "") << summary(c.plan);
  const auto any = [&](auto property) {
    return std::any_of(with.best.begin(), with.best.end(),
                       [&](const Candidate& c) { return property(c.plan); });
  };
  EXPECT_TRUE(any([](const ParallelPlan& p) { return p.etp > 1; }));
  EXPECT_TRUE(any([](const ParallelPlan& p) { return p.offload_optimiser == 1; }));
  for (auto s : {Schedule::gpipe, Schedule::one_f_one_b, Schedule::zero_bubble_h1,
                 Schedule::zero_bubble_v, Schedule::dualpipe})
    EXPECT_TRUE(any([&](const ParallelPlan& p) { return p.schedule == s; })) << schedule_name(s);
  EXPECT_TRUE(any([](const ParallelPlan& p) { return p.offload_activations == 1; }));
}

TEST(Schedules, AreAsTheUserSaidIn1F1BsPlace) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 16, 4096, 64);
  for (auto s :
       {Schedule::gpipe, Schedule::zero_bubble_h1, Schedule::zero_bubble_v, Schedule::dualpipe})
    for (bool exhaustive : {false, true}) {
      PlanSpec fixed;
      fixed.schedule = 1 + int(s);
      const auto found = search(b.job, {.fixed = fixed, .keep = 500, .exhaustive = exhaustive});
      ASSERT_TRUE(found.fits()) << found.obstacle;
      for (const auto& c : found.best) {
        ASSERT_EQ(c.plan.schedule, s);
        ASSERT_EQ(illegal(b.job, c.plan), "") << summary(c.plan);
        ASSERT_EQ(c.tokens_per_s, evaluate(b.job, c.plan).tokens_per_s) << summary(c.plan);
      }
    }
  for (const auto& c : search(b.job, {.keep = 500, .exhaustive = true}).best)
    ASSERT_EQ(c.plan.schedule, Schedule::one_f_one_b);
  PlanSpec odd;
  odd.schedule = 1 + int(Schedule::dualpipe), odd.pp = 5;
  EXPECT_NE(search(b.job, {.fixed = odd}).obstacle.find("5 is odd, take 4 or 6"),
            std::string::npos);
}

TEST(Finer, WhatTheUserFixedStays) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 16, 4096, 64);
  PlanSpec fixed;
  fixed.hsdp = 8, fixed.zero = 3;
  fixed.recompute_modules = Modules{}.with(Module::mlp);
  fixed.offload_optimiser = Value<Scalar>(0.25, assumed("test"));
  for (bool exhaustive : {false, true}) {
    const auto found = search(b.job, {.fixed = fixed, .keep = 500, .exhaustive = exhaustive});
    ASSERT_TRUE(found.fits()) << found.obstacle;
    for (const auto& c : found.best) {
      ASSERT_EQ(c.plan.hsdp, 8);
      ASSERT_EQ(c.plan.modules, fixed.recompute_modules);
      ASSERT_EQ(c.plan.recompute, Recompute::selective);
      ASSERT_EQ(c.plan.offload_optimiser, 0.25);
      ASSERT_EQ(illegal(b.job, c.plan), "") << summary(c.plan);
    }
  }
}

/// Bit for bit: no tolerance.
void expect_same(const SearchResult& a, const SearchResult& b, const std::string& what) {
  const auto same = [&](const Candidate& x, const Candidate& y) {
    EXPECT_EQ(x.plan, y.plan) << what;
    EXPECT_EQ(x.tokens_per_s, y.tokens_per_s) << what;
    EXPECT_EQ(x.time.total(), y.time.total()) << what;
    EXPECT_EQ(x.memory.total(), y.memory.total()) << what;
  };
  EXPECT_EQ(a.legal, b.legal) << what;
  EXPECT_EQ(a.fitting, b.fitting) << what;
  same(a.least_memory, b.least_memory);
  ASSERT_EQ(a.best.size(), b.best.size()) << what;
  for (std::size_t k = 0; k < a.best.size(); ++k) same(a.best[k], b.best[k]);
  ASSERT_EQ(a.front.size(), b.front.size()) << what;
  for (std::size_t k = 0; k < a.front.size(); ++k) same(a.front[k], b.front[k]);
}

TEST(Threads, AnyNumberGivesTheSameLists) {
  for (bool exhaustive : {false, true})
    for (auto objective :
         {Objective::fastest, Objective::smallest, Objective::cheapest, Objective::least_memory}) {
      const auto b = bench("mixtral-8x7b", "h100-sxm", 64, 4096, 128);
      SearchOptions o{.keep = 50, .exhaustive = exhaustive, .front = true, .objective = objective};
      o.prices = {.gpu_hour = 2, .energy_kwh = 0.1, .idle_w = 100, .busy_w = 700};
      const auto one = search(b.job, o);
      ASSERT_TRUE(one.fits());
      for (int threads : {2, 3, 7}) {
        o.threads = threads;
        expect_same(one, search(b.job, o),
                    std::string(objective_name(objective)) + " on " + std::to_string(threads));
      }
    }
}

TEST(Threads, MoreThanThereIsWorkForIsHarmless) {
  const auto b = bench("llama-3.1-8b", "h100-sxm", 1, 4096, 4);
  const auto one = search(b.job);
  expect_same(one, search(b.job, {.keep = 3, .threads = 64}), "64 threads");
}

// --- Open batches ------------------------------------------------------------------------

TEST(OpenBatch, MovesToSuitInterleavingByAtMostAQuarter) {
  auto b = bench("llama-3.1-405b", "h100-sxm", 3000, 8192, 2048);
  b.job.batch_fixed = false;
  const auto found = search(b.job, {.keep = 50});
  ASSERT_TRUE(found.fits());
  bool interleaved = false;
  for (const auto& c : found.best) {
    EXPECT_EQ(illegal(b.job, c.plan), "") << summary(c.plan);
    EXPECT_NEAR(c.plan.global_batch() / 2048, 1, 0.25);
    interleaved |= c.plan.vpp > 1;
  }
  EXPECT_TRUE(interleaved);
}

RC_GTEST_PROP(SearchProperties, MoreMemoryIsNeverSlower, ()) {
  auto b = bench("llama-3.1-70b", "h100-sxm", 64, 8192, 128);
  const double gb = *rc::gen::inRange(40, 160);
  b.job.memory_bytes = gb * 1e9;
  const auto small = search(b.job);
  b.job.memory_bytes = (gb + 20) * 1e9;
  const auto large = search(b.job);
  if (!small.fits()) return;
  RC_ASSERT(large.fits());
  RC_ASSERT(large.best[0].tokens_per_s >= small.best[0].tokens_per_s * (1 - 1e-9));
}

RC_GTEST_PROP(SearchProperties, NoGpuCountCrashesIt, ()) {
  auto b = bench("mixtral-8x7b", "h100-sxm", *rc::gen::inRange(0, 3000), 4096, 1024);
  b.job.batch_fixed = *rc::gen::arbitrary<bool>();
  const auto found = search(b.job);
  for (const auto& c : found.best) RC_ASSERT(std::isfinite(c.tokens_per_s) && c.tokens_per_s > 0);
  RC_ASSERT(found.legal > 0 || !found.obstacle.empty());
}

}  // namespace
}  // namespace headroom::train
