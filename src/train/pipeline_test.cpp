#include "train/pipeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include "train/pipeline_simulation.hpp"

namespace headroom::train {
namespace {

constexpr Schedule all_schedules[] = {Schedule::gpipe, Schedule::one_f_one_b,
                                      Schedule::zero_bubble_h1, Schedule::zero_bubble_v,
                                      Schedule::dualpipe};

Pipeline equal(Schedule s, int ranks, int chunks, int micro_batches, StageTimes t = {1, 1, 1}) {
  Pipeline p;
  p.schedule = s, p.ranks = ranks, p.chunks = chunks, p.micro_batches = micro_batches;
  p.first = p.middle = p.last = p.first_inner = p.last_inner = t;
  return p;
}

double bubble(const Pipeline& p) {
  const auto t = simulate(p);
  return t.total - t.ranks[0].busy;
}

// --- Published values -----------------------------------------------------------------

TEST(PipelineBubble, GPipeAnd1F1BLoseOnePassOfEachKindARank) {
  for (const int p : {2, 4, 8, 16})
    for (const auto s : {Schedule::gpipe, Schedule::one_f_one_b}) {
      const auto line = equal(s, p, 1, 3 * p, {1, 1.2, 0.8});
      // (p-1)/m of the ideal time: Narayanan et al. 2021 sec. 2.2.1.
      EXPECT_NEAR(bubble(line) / (3 * p * 3.0), (p - 1) / (3.0 * p), 1e-12);
    }
}

TEST(PipelineBubble, InterleavingDividesItByTheChunks) {
  for (const int v : {2, 3, 6}) {
    const auto line = equal(Schedule::one_f_one_b, 8, v, 32, {1, 1.2, 0.8});
    // (p-1)/(v m): Narayanan et al. 2021 sec. 2.2.2.
    EXPECT_NEAR(bubble(line) / (32 * v * 3.0), 7 / (v * 32.0), 1e-12);
  }
}

TEST(PipelineBubble, ZeroBubbleH1LeavesAThird) {
  // Qi et al. 2023 table 2: (p-1)(f + b - w), a third of 1F1B's for equal passes.
  EXPECT_NEAR(bubble(equal(Schedule::zero_bubble_h1, 8, 1, 24)) /
                  bubble(equal(Schedule::one_f_one_b, 8, 1, 24)),
              1 / 3.0, 1e-12);
  const auto uneven = equal(Schedule::zero_bubble_h1, 8, 1, 24, {1, 1.1, 0.9});
  EXPECT_NEAR(bubble(uneven), 7 * (1 + 1.1 - 0.9), 1e-9);
}

TEST(PipelineBubble, ZeroBubbleVIdlesOnlyBeforeItsFirstAndAfterItsLastPass) {
  const auto t = simulate(equal(Schedule::zero_bubble_v, 8, 1, 24));
  for (const auto& r : t.ranks) EXPECT_NEAR(r.for_activations + r.for_gradients, 0, 1e-9);
  EXPECT_NEAR(t.total - t.ranks[0].busy, 7, 1e-9);
}

TEST(PipelineBubble, DualPipeAsItsPaperSays) {
  // DeepSeek-V3 table 2: (p/2-1)(F&B + B - 3W) with B = b + w, for equal passes.
  for (const int p : {4, 8, 16}) {
    EXPECT_NEAR(bubble(equal(Schedule::dualpipe, p, 1, 4 * p)), (p / 2 - 1) * (3 + 2 - 3.0), 1e-9);
    // Overlap of the pair's communication shows in F&B.
    auto hidden = equal(Schedule::dualpipe, p, 1, 4 * p);
    hidden.paired = 0.9;
    EXPECT_LT(simulate(hidden).total, simulate(equal(Schedule::dualpipe, p, 1, 4 * p)).total);
  }
}

TEST(PipelineMemory, HighWaterMarks) {
  for (int r = 0; r < 8; ++r) {
    const auto at = [&](Schedule s, int v, int m) {
      return simulate(equal(s, 8, v, m)).ranks[r].in_flight;
    };
    EXPECT_EQ(at(Schedule::gpipe, 1, 24), 24);
    EXPECT_EQ(at(Schedule::one_f_one_b, 1, 24), 8 - r);
    EXPECT_EQ(at(Schedule::one_f_one_b, 1, 3), std::min(3, 8 - r));
    // Megatron-Core's warm-up, and the pass running.
    EXPECT_NEAR(at(Schedule::one_f_one_b, 4, 24), (2 * (7 - r) + 3 * 8 + 1) / 4.0, 1e-12);
    EXPECT_EQ(at(Schedule::zero_bubble_h1, 1, 24), 8);  // "the same on all workers"
    EXPECT_EQ(at(Schedule::zero_bubble_v, 1, 24), 8);
    EXPECT_EQ(at(Schedule::dualpipe, 1, 24), 9);  // p + 1
  }
}

// --- Conservation -----------------------------------------------------------------------

using Key = std::tuple<int, int, int>;  // stage, micro-batch, lane

/// Every pass once, none at the same time as another of its rank (but for pairs), each
/// after what it needs.
void check_conserved(const Pipeline& p) {
  const auto t = simulate(p);
  const bool dual = p.schedule == Schedule::dualpipe;
  std::map<Key, double> forward, inputs, weights;
  std::map<Key, int> where;
  for (std::size_t r = 0; r < t.ranks.size(); ++r) {
    double free = 0;
    const Op* former = nullptr;
    for (const auto& op : t.ranks[r].ops) {
      const Key key{op.stage, op.slot.micro_batch, dual ? op.slot.chunk : 0};
      const bool second = former && former->slot.paired && op.slot.paired &&
                          former->start == op.start && op.slot.pass != Pass::forward;
      if (second) {
        EXPECT_EQ(op.end, former->end);
      } else {
        EXPECT_GE(op.start, free - 1e-9);
      }
      free = op.end, former = &op;
      const auto pass = op.slot.pass;
      auto& done = pass == Pass::forward            ? forward
                   : pass == Pass::backward_weights ? weights
                                                    : inputs;
      const double when = pass == Pass::backward_weights ? op.start : op.end;
      EXPECT_TRUE(done.emplace(key, when).second);
      if (pass == Pass::backward) weights.emplace(key, op.end);
      if (pass == Pass::forward) where[key] = int(r);
    }
    const auto& k = t.ranks[r];
    EXPECT_NEAR(k.busy + k.sending + k.idle(), t.total, 1e-6);
    EXPECT_GT(k.drain, -p.send_s - 1e-9);
  }
  const std::size_t passes = std::size_t(stage_count(p)) * p.micro_batches;
  ASSERT_EQ(forward.size(), passes);
  ASSERT_EQ(inputs.size(), passes);
  ASSERT_EQ(weights.size(), passes);
  for (const auto& [key, end] : forward) {
    auto before = key;
    if (--std::get<0>(before) < 0) continue;
    const double send = where[before] == where[key] ? 0 : p.send_s;
    EXPECT_LE(forward[before] + send + p.middle.f * 0.2, end + 1e-9);
  }
  for (const auto& [key, end] : inputs) {
    auto after = key;
    ++std::get<0>(after);
    const auto& source = std::get<0>(after) == stage_count(p) ? forward[key] : inputs[after];
    EXPECT_LE(source + p.middle.b * 0.2, end + 1e-9);
    EXPECT_GE(weights[key], end - 1e-9);
  }
}

TEST(PipelineSimulation, RunsEveryPassOnceInOrder) {
  for (const auto s : all_schedules)
    for (const int p : {2, 4, 6})
      for (const int m : {2 * p, 5 * p}) {
        auto line = equal(s, p, 1, m, {1, 1.3, 0.7});
        line.last = {1.5, 1.6, 1.1}, line.send_s = 0.07, line.exposed = 0.5;
        check_conserved(line);
      }
  for (const int v : {2, 4}) check_conserved(equal(Schedule::one_f_one_b, 4, v, 12));
  check_conserved(equal(Schedule::one_f_one_b, 8, 1, 3));
  check_conserved(equal(Schedule::zero_bubble_h1, 8, 1, 3));
}

TEST(PipelineSimulation, SlowerStagesAndSendsNeverHelp) {
  for (const auto s : all_schedules) {
    auto line = equal(s, 4, 1, 12, {1, 1.2, 0.8});
    double last = simulate(line).total;
    for (int i = 0; i < 5; ++i) {
      line.last.f *= 1.1, line.last.b *= 1.1, line.send_s += 0.02;
      const double now = simulate(line).total;
      EXPECT_GE(now, last);
      last = now;
    }
  }
}

TEST(PipelineSimulation, TakesAnyStageTimes) {
  const auto line = equal(Schedule::one_f_one_b, 3, 1, 6);
  const auto t = simulate(line, {{1, 1, 1}, {2, 2, 2}, {1, 1, 1}});
  EXPECT_EQ(t.ranks[1].busy, 36);
  EXPECT_GE(t.total, 36 + 1 + 2);  // filled and drained by the first
}

// --- Closed form against simulation ------------------------------------------------------

class Dice {
 public:
  double real(double a, double b) { return a + (b - a) * double(g_() >> 11) * 0x1p-53; }
  int whole(int a, int b) { return a + int(g_() % std::uint64_t(b - a + 1)); }

 private:
  std::mt19937_64 g_{2026};
};

struct Grid {
  Schedule schedule;
  bool interleaved;
  double heaviest_first;  ///< first stage over a middle one
};

StageTimes scaled(const StageTimes& t, double x) { return {t.f * x, t.b * x, t.w * x}; }

/// p 2..64, v 1..8, m p..16 p, ends 0.25..3 of a middle stage, sends 0..5 % of it.
Pipeline draw(Dice& dice, const Grid& g, int i) {
  Pipeline p;
  p.schedule = g.schedule;
  p.ranks = dice.whole(2, i % 8 ? 16 : 64);
  if (g.schedule == Schedule::dualpipe) p.ranks = p.ranks / 2 * 2;
  p.chunks = g.interleaved ? dice.whole(2, 8) : 1;
  const int most = i % 2 ? 4 : 16;
  p.micro_batches =
      g.interleaved ? p.ranks * dice.whole(1, most) : dice.whole(p.ranks, p.ranks * most);
  if (g.schedule == Schedule::zero_bubble_v)
    p.micro_batches = std::max(p.micro_batches, 2 * p.ranks - 1);
  if (g.schedule == Schedule::dualpipe)
    p.micro_batches = std::max(p.micro_batches / 2 * 2, 2 * p.ranks);
  // From attention-heavy layers and full recomputation (b) to few weights trained (w).
  p.middle = {1, dice.real(0.8, 2.6), dice.real(0.3, 1)};
  p.first = p.last = p.first_inner = p.last_inner = p.middle;
  if (i % 3) {
    if (i % 3 == 1) p.first = scaled(p.middle, dice.real(0.25, g.heaviest_first));
    p.last = scaled(p.middle, dice.real(0.25, 3));
    p.last.b *= dice.real(0.8, 1.2), p.last.w *= dice.real(0.8, 1.2);
    if (i % 2) p.first_inner = p.last_inner = scaled(p.middle, dice.real(0.5, 1));
  }
  if (i % 4) {
    p.send_s = dice.real(0, 0.05) * p.middle.total();
    p.exposed = i % 4 == 1 ? 0 : i % 4 == 2 ? 1 : dice.real(0, 1);
  }
  return p;
}

TEST(PipelineTime, ClosedFormIsWithinHalfAPercentOfTheSimulation) {
  const Grid grids[] = {{Schedule::gpipe, false, 3},           {Schedule::one_f_one_b, false, 3},
                        {Schedule::one_f_one_b, true, 1.1},    {Schedule::zero_bubble_h1, false, 2},
                        {Schedule::zero_bubble_v, false, 1.2}, {Schedule::dualpipe, false, 1.2}};
  std::printf("%-18s %6s %10s %10s %10s\n", "closed form", "cases", "worst", "p99", "mean");
  for (const auto& g : grids) {
    Dice dice;
    std::vector<double> off;
    double sum = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto p = draw(dice, g, i);
      ASSERT_EQ(schedule_problem(p.schedule, p.ranks, p.chunks, p.micro_batches), "");
      const double played = simulate(p).total;
      off.push_back(std::abs(pipeline_seconds(p) / played - 1));
      sum += off.back();
      EXPECT_LE(off.back(), 0.005) << schedule_name(p.schedule) << " p " << p.ranks << " v "
                                   << p.chunks << " m " << p.micro_batches;
    }
    std::sort(off.begin(), off.end());
    std::printf("%-18s %6zu %9.4f%% %9.4f%% %9.4f%%\n",
                g.interleaved ? "1f1b interleaved" : std::string(schedule_name(g.schedule)).c_str(),
                off.size(), 100 * off.back(), 100 * off[off.size() * 99 / 100],
                100 * sum / double(off.size()));
  }
}

TEST(PipelineTime, TwoRanksOfManyAlikeChunksAreExactUpToFourGroups) {
  for (const int v : {2, 3, 4, 7, 30, 60})
    for (const int m : {2, 4, 6, 8})
      for (const double send : {0.0, 0.1, 0.7}) {
        auto line = equal(Schedule::one_f_one_b, 2, v, m, {1, 1.3, 0.7});
        line.first = {1.6, 1.2, 0.9}, line.last = {2.1, 2.4, 1.1}, line.send_s = send;
        line.first_inner = {0.9, 1.25, 0.6}, line.last_inner = {0.8, 1.1, 0.7};
        EXPECT_NEAR(pipeline_seconds(line) / simulate(line).total, 1, 1e-12)
            << v << " " << m << " " << send;
      }
}

TEST(PipelineTime, LatencyIsHiddenByInterleavingOnly) {
  const int p = 8, m = 32;
  auto line = equal(Schedule::one_f_one_b, p, 1, m, {1, 1.2, 0.8});
  line.send_s = 0.1;
  // A path over m + p - 1 ranks turns every p of them, and crosses a send twice between.
  const int passed = m + p - 1, turns = (passed + p - 1) / p;
  EXPECT_NEAR(simulate(line).total, passed * 3 + 2 * (passed - turns) * 0.1, 1e-9);
  EXPECT_NEAR(pipeline_time(line).sends, 2 * (passed - turns) * 0.1, 1e-9);
  line.chunks = 4;
  EXPECT_NEAR(simulate(line).total, (4 * m + p - 1) * 3 + 2 * (4 * p - 1) * 0.1, 1e-9);
  EXPECT_NEAR(pipeline_time(line).sends, 2 * (4 * p - 1) * 0.1, 1e-9);
}

TEST(PipelineTime, AHeavyLastChunkSlowsEveryGroup) {
  // The rank's chunks together are as long as another's, but p passes of the heavy one hold
  // its neighbours up while they are run.
  auto line = equal(Schedule::one_f_one_b, 8, 2, 64);
  line.last = {1.5, 1.5, 1.5}, line.last_inner = {0.5, 0.5, 0.5};
  const auto even = equal(Schedule::one_f_one_b, 8, 2, 64);
  EXPECT_EQ(simulate(line).ranks[7].busy, simulate(even).ranks[7].busy);
  const double slower = simulate(line).total / simulate(even).total;
  EXPECT_GT(slower, 1.15);
  EXPECT_NEAR(pipeline_seconds(line) / simulate(line).total, 1, 0.005);
}

TEST(PipelineTime, PartsSumToTheTotal) {
  Dice dice;
  for (const auto s : all_schedules)
    for (int i = 0; i < 200; ++i) {
      const auto p = draw(dice, {s, false, 1.2}, i);
      const auto t = pipeline_time(p);
      EXPECT_NEAR(t.busy + t.sends + t.bubble, t.total, 1e-9 * t.total);
      EXPECT_GE(t.bubble, -1e-9 * t.total) << schedule_name(s) << p.ranks << " " << p.micro_batches;
      EXPECT_GE(t.sends, -0.005 * t.total);
      double most = 0;
      for (const auto& r : simulate(p).ranks) most = std::max(most, r.busy);
      EXPECT_NEAR(t.busy, most, 1e-9 * most);
    }
}

TEST(PipelineTime, OneRankHasNoBubble) {
  for (const auto s : {Schedule::gpipe, Schedule::one_f_one_b, Schedule::zero_bubble_h1}) {
    const auto p = equal(s, 1, 1, 6, {1, 2, 1});
    EXPECT_EQ(pipeline_time(p).total, 24);
    EXPECT_EQ(simulate(p).total, 24);
  }
}

TEST(PipelineTime, FewerMicroBatchesThanRanks) {
  for (const auto s : {Schedule::gpipe, Schedule::one_f_one_b, Schedule::zero_bubble_h1})
    for (int m = 1; m < 8; ++m) {
      const auto p = equal(s, 8, 1, m, {1, 1.2, 0.8});
      EXPECT_NEAR(pipeline_seconds(p) / simulate(p).total, 1, 0.005) << schedule_name(s) << m;
    }
}

TEST(PipelineInFlight, MatchesTheSimulation) {
  Dice dice;
  for (const auto s : all_schedules)
    for (int i = 0; i < 120; ++i) {
      const auto p = draw(dice, {s, s == Schedule::one_f_one_b && i % 2 == 0, 1.2}, i % 8 ? i : 1);
      const auto t = simulate(p);
      for (int r = 0; r < p.ranks; ++r)
        ASSERT_NEAR(in_flight(s, p.ranks, p.chunks, p.micro_batches, r), t.ranks[r].in_flight,
                    1e-12)
            << schedule_name(s) << " p " << p.ranks << " m " << p.micro_batches << " r " << r;
    }
}

// --- Legality ---------------------------------------------------------------------------

TEST(ScheduleProblem, NamesTheNearestChoice) {
  const auto says = [](Schedule s, int p, int v, int m, const char* what) {
    const auto text = schedule_problem(s, p, v, m);
    EXPECT_NE(text.find(what), std::string::npos) << text;
  };
  says(Schedule::one_f_one_b, 8, 2, 20, "take 16 or 24");
  says(Schedule::one_f_one_b, 1, 2, 20, "take 1 chunk");
  says(Schedule::zero_bubble_h1, 4, 2, 8, "1 chunk a rank");
  says(Schedule::zero_bubble_v, 4, 1, 6, "take 7 or more");
  says(Schedule::dualpipe, 5, 1, 20, "take 4 or 6");
  says(Schedule::dualpipe, 4, 1, 6, "take 8");
  says(Schedule::dualpipe, 4, 1, 9, "take 10");
  says(Schedule::gpipe, 0, 1, 9, "at least one rank");
  EXPECT_EQ(schedule_problem(Schedule::one_f_one_b, 8, 2, 24), "");
  EXPECT_EQ(schedule_problem(Schedule::dualpipe, 4, 1, 8), "");
}

}  // namespace
}  // namespace headroom::train
