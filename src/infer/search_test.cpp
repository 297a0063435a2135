#include "infer/search.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "infer/fixtures.hpp"

namespace headroom::infer {
namespace {

using namespace test;

struct Bench {
  catalog::Model model = llama_70b();
  catalog::Accelerator big = h100(), small = accelerator("l40s", 362, 733, 48, 864);
  Asked asked;
  SearchSpace space;

  Bench() {
    asked.model = &model;
    asked.load.input = 1155, asked.load.input_cv = 1;
    asked.load.output = 211, asked.load.output_cv = 0.8;
    asked.load.rate_s = 20;
    asked.peak_s = 40;
    asked.targets = {1, 0.05, 0, 0.99};
    space.devices.push_back(device("dgx-h100", big, hgx(), 2.5));
    space.devices.push_back(device("l40s-box", small, hgx(1), 0.9));
    space.formats = {Layout{1, 1, Precision::fp8, Precision::fp8},
                     Layout{1, 1, Precision::bf16, Precision::bf16}};
  }
  static Device device(std::string id, const catalog::Accelerator& a, fabric::Path path,
                       double usd_hour) {
    Device d;
    d.id = d.name = std::move(id);
    d.accelerator = &a;
    d.path = path;
    d.usd_per_gpu_s = usd_hour / 3600;
    d.overhead = 1.3;
    return d;
  }
};

/// The same by hand: every combination through `evaluate`, no families, no threads.
Candidate by_hand(const Bench& b, Objective objective) {
  Candidate best;
  long place = 0;
  SearchSpace s = b.space;
  usual_limits(s);
  for (std::size_t d = 0; d < s.devices.size(); ++d) {
    for (const auto& f : s.formats) {
      for (const int tp : {1, 2, 4, 8}) {
        if (!illegal_degree(b.model, tp, 1, int(s.devices[d].path.domain)).empty()) continue;
        for (const int batch : s.max_batch) {
          for (const int budget : s.budget) {
            const Layout l{tp, 1, f.weights, f.kv};
            EngineLimits e;
            e.max_batch = batch, e.budget = budget;
            Candidate c = evaluate(b.asked, s.devices[d], l, e);
            c.device = int(d);
            c.place = place++;
            if (c.feasible && (best.device < 0 || better(c, best, objective))) best = c;
          }
        }
      }
    }
  }
  return best;
}

TEST(ServingSearch, IsTheBestOfAllByEveryObjective) {
  Bench b;
  b.space.pp = {1};
  for (const auto o : {Objective::cost, Objective::energy, Objective::gpus, Objective::fastest}) {
    const auto hand = by_hand(b, o);
    const auto r = search(b.asked, b.space, {.objective = o});
    ASSERT_TRUE(r.found());
    const auto& c = r.best.front();
    EXPECT_EQ(c.device, hand.device);
    EXPECT_EQ(c.serve.layout.tp, hand.serve.layout.tp);
    EXPECT_EQ(c.serve.layout.weights, hand.serve.layout.weights);
    EXPECT_EQ(c.serve.limits.max_batch, hand.serve.limits.max_batch);
    EXPECT_EQ(c.serve.limits.budget, hand.serve.limits.budget);
    EXPECT_EQ(c.serve.replicas, hand.serve.replicas);
    EXPECT_EQ(c.usd_s, hand.usd_s);
  }
}

TEST(ServingSearch, StagesOnlyWhereADomainCannotHoldTheWeights) {
  Bench b;
  b.asked.targets = {};
  const auto most_stages = [&](const std::string& device) {
    int most = 0;
    for (const auto& c : search(b.asked, b.space, {.keep = 50, .front = true}).best)
      if (b.space.devices[std::size_t(c.device)].id == device)
        most = std::max(most, c.serve.layout.pp);
    return most;
  };
  EXPECT_EQ(most_stages("dgx-h100"), 1);
  EXPECT_GE(most_stages("l40s-box"), 2);  // 48 GB, one card a domain
  b.space.tp = {1};
  EXPECT_GE(most_stages("dgx-h100"), 2);  // 141 GB in bf16: asked for by leaving one degree
}

TEST(ServingSearch, KeepsItsPromises) {
  Bench b;
  const auto r = search(b.asked, b.space, {.keep = 10});
  ASSERT_TRUE(r.found());
  for (const auto& c : r.best) {
    EXPECT_LE(c.ttft_p_s, b.asked.targets.ttft_s);
    EXPECT_LE(c.tpot_p_s, b.asked.targets.tpot_s);
    EXPECT_GE(c.rate_s * b.asked.ceiling, b.asked.peak_s * (1 - 1e-9));
    EXPECT_GE(c.usd_s, r.best.front().usd_s * (1 - 1e-3));
    EXPECT_GT(c.power_w, 0);
  }
}

TEST(ServingSearch, AnswersAlikeForAnyNumberOfThreads) {
  Bench b;
  b.space.drafts = {{}, {4, 0.7, 0.05}};
  b.space.disaggregated = true;
  const auto one = search(b.asked, b.space, {.keep = 8, .threads = 1, .front = true});
  for (const int threads : {2, 5}) {
    const auto many = search(b.asked, b.space, {.keep = 8, .threads = threads, .front = true});
    ASSERT_EQ(many.best.size(), one.best.size());
    ASSERT_EQ(many.front.size(), one.front.size());
    for (std::size_t i = 0; i < one.best.size(); ++i) {
      EXPECT_EQ(many.best[i].place, one.best[i].place);
      EXPECT_EQ(many.best[i].tpot_p_s, one.best[i].tpot_p_s);
      EXPECT_EQ(many.best[i].power_w, one.best[i].power_w);
    }
    for (std::size_t i = 0; i < one.front.size(); ++i)
      EXPECT_EQ(many.front[i].place, one.front[i].place);
    EXPECT_EQ(many.evaluated, one.evaluated);
  }
}

TEST(ServingSearch, MoreRequestsNeverNeedFewerGpus) {
  Bench b;
  double gpus = 0;
  for (const double rate : {1.0, 5.0, 20.0, 60.0, 200.0, 1000.0}) {
    b.asked.load.rate_s = rate, b.asked.peak_s = 2 * rate;
    const auto r = search(b.asked, b.space, {.objective = Objective::gpus});
    ASSERT_TRUE(r.found()) << rate;
    EXPECT_GE(r.best.front().gpus, gpus) << rate;
    gpus = r.best.front().gpus;
  }
}

TEST(ServingSearch, StricterPromisesNeverCostLess) {
  Bench b;
  double usd = 1e9;
  for (const double tpot : {0.02, 0.03, 0.05, 0.1}) {
    b.asked.targets.tpot_s = tpot;
    const auto r = search(b.asked, b.space, {});
    if (!r.found()) continue;
    EXPECT_LE(r.best.front().usd_s, usd * (1 + 1e-9)) << tpot;
    usd = r.best.front().usd_s;
  }
  EXPECT_LT(usd, 1e9);
}

TEST(ServingSearch, NoneOfTheFrontBeatsAnother) {
  Bench b;
  const auto r = search(b.asked, b.space, {.front = true});
  ASSERT_GE(r.front.size(), 3u);
  for (const auto& x : r.front) {
    for (const auto& y : r.front) {
      const bool everywhere = x.usd_s < y.usd_s * 0.999 && x.tpot_p_s < y.tpot_p_s * 0.999 &&
                              x.power_w < y.power_w * 0.999;
      EXPECT_FALSE(everywhere);
    }
  }
  EXPECT_NEAR(r.front.front().usd_s, r.best.front().usd_s, 1e-3 * r.front.front().usd_s);
}

TEST(ServingSearch, NamesTheNearestAndWhatBinds) {
  Bench b;
  b.asked.targets.tpot_s = 1e-3;
  const auto r = search(b.asked, b.space, {});
  EXPECT_FALSE(r.found());
  ASSERT_GE(r.nearest.device, 0);
  EXPECT_EQ(r.nearest.binding, Binding::tpot);
  EXPECT_GT(r.nearest.violation, 1);
  EXPECT_NE(r.obstacle.find("TPOT"), std::string::npos) << r.obstacle;
}

TEST(ServingSearch, TooFewGpusAreToldAsSuch) {
  Bench b;
  b.space.devices[0].most_gpus = b.space.devices[1].most_gpus = 2;
  const auto r = search(b.asked, b.space, {});
  EXPECT_FALSE(r.found());
  EXPECT_LE(r.nearest.violation, 1);
  EXPECT_GT(r.nearest.gpus, 2);
  EXPECT_NE(r.obstacle.find("GPUs"), std::string::npos) << r.obstacle;
}

// Prefill apart keeps prompts out of the way of decodes: a tight TPOT beside long prompts.
TEST(ServingSearch, DisaggregationWinsWherePromptsDisturb) {
  Bench b;
  b.space.devices.resize(1);
  b.asked.load.input = 6000, b.asked.load.input_cv = 0.3;
  b.asked.load.output = 150;
  b.asked.targets = {2, 0.02, 0, 0.99};
  b.space.disaggregated = true;
  const auto r = search(b.asked, b.space, {.objective = Objective::gpus, .keep = 20});
  ASSERT_TRUE(r.found());
  const auto& c = r.best.front();
  EXPECT_TRUE(c.disaggregated);
  EXPECT_GT(c.prefill.replicas, 0);
  EXPECT_GT(c.transfer_s, 0);
  EXPECT_LE(c.ttft_p_s, 2);
  EXPECT_LE(c.tpot_p_s, 0.02);
}

TEST(ServingSearch, FormatsAreNeverLoweredUnasked) {
  Bench b;
  b.space.formats = {Layout{1, 1, Precision::bf16, Precision::bf16}};
  for (const auto& c : search(b.asked, b.space, {.keep = 50}).best) {
    EXPECT_EQ(c.serve.layout.weights, Precision::bf16);
    EXPECT_EQ(c.serve.layout.kv, Precision::bf16);
  }
}

TEST(ServingSearch, DegreesThatDoNotSplitNameTheNearest) {
  const auto m = llama_70b();
  EXPECT_TRUE(illegal_degree(m, 4, 1, 8).empty());
  const auto three = illegal_degree(m, 3, 1, 8);
  EXPECT_NE(three.find("64 heads"), std::string::npos) << three;
  EXPECT_NE(three.find("2 or 4"), std::string::npos) << three;
  EXPECT_NE(illegal_degree(m, 16, 1, 8).find("scale-up domain"), std::string::npos);
  EXPECT_NE(illegal_degree(m, 8, 100, 8).find("80 layers"), std::string::npos);
  EXPECT_EQ(legal_degrees(m, 8), (std::vector{1, 2, 4, 8}));
}

}  // namespace
}  // namespace headroom::infer
