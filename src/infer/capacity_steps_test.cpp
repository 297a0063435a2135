// The closed form against a few lines that run the steps one by one: arrivals, a token budget, a
// cap of sequences, and the same step oracle. serving's engine is held against it elsewhere.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>
#include <vector>

#include "infer/capacity.hpp"
#include "infer/fixtures.hpp"

namespace headroom::infer {
namespace {

using namespace test;

struct Seen {
  double tpot = 0, ttft = 0, rate = 0, running = 0, tpot_p99 = 0, ttft_p99 = 0, ttft_p50 = 0;
};

double percentile(std::vector<double> v, double p) {
  std::sort(v.begin(), v.end());
  return v[std::min(v.size() - 1, std::size_t(p * double(v.size())))];
}

/// Runs `requests` requests; open loop when `concurrency` is 0.
class Steps {
 public:
  Steps(const StepOracle& oracle, const EngineLimits& limits, const Load& load, int concurrency)
      : oracle_(oracle), limits_(limits), load_(load), closed_(concurrency) {}

  Seen run(int requests) {
    for (int i = 0; i < closed_; ++i) waiting_.push_back(fresh(0));
    if (closed_ == 0) next_ = gap();
    while (done_ < requests) {
      if (closed_ == 0) arrivals();
      if (waiting_.empty() && active_.empty()) {
        now_ = next_;
        continue;
      }
      step();
    }
    return summary();
  }

 private:
  struct One {
    double arrival = 0, first = 0;
    double prompt = 0, left = 0, output = 0, made = 0;
  };

  double draw(double mean, double cv) {
    if (cv <= 0) return mean;
    const double v = std::log1p(cv * cv);
    return std::max(1.0, std::round(std::lognormal_distribution<>(std::log(mean) - v / 2,
                                                                  std::sqrt(v))(random_)));
  }
  double gap() { return std::exponential_distribution<>(load_.rate_s)(random_); }
  One fresh(double at) {
    One r;
    r.arrival = at;
    r.prompt = r.left = draw(load_.input, load_.input_cv);
    r.output = draw(load_.output, load_.output_cv);
    return r;
  }
  void arrivals() {
    for (; next_ <= now_; next_ += gap()) waiting_.push_back(fresh(next_));
  }
  void step() {
    StepLoad l;
    double budget = limits_.budget;
    for (auto& r : active_)
      if (r.left <= 0) ++l.decodes, l.keys += r.prompt + r.made, --budget;
    for (auto& r : active_)  // those at work come before those that wait
      if (r.left > 0) take(r, l, budget);
    while (!waiting_.empty() && active_.size() < limits_.max_batch && budget > 0) {
      active_.push_back(waiting_.front());
      waiting_.pop_front();
      if (active_.back().left > budget) {
        take(active_.back(), l, budget);
        break;
      }
      take(active_.back(), l, budget);
    }
    const double t = oracle_.step_s(l);
    now_ += t;
    area_ += t * double(active_.size());
    finish();
  }
  void take(One& r, StepLoad& l, double& budget) {
    const double n = std::min(r.left, budget);
    if (n <= 0) return;
    l.prefill += n;
    l.prefill_pairs += n * (r.prompt - r.left + n / 2);
    ++l.prompts;
    budget -= n;
    r.left -= n;
    if (r.left <= 0) r.first = -1;  // its first token comes with this step
    r.made = r.left <= 0 ? -1 : 0;
  }
  void finish() {
    for (std::size_t i = 0; i < active_.size();) {
      auto& r = active_[i];
      if (r.left <= 0) {
        if (r.made < 0)
          r.first = now_, r.made = 1;
        else
          ++r.made;
      }
      if (r.left > 0 || r.made < r.output) {
        ++i;
        continue;
      }
      end(r);
      active_.erase(active_.begin() + long(i));
      if (closed_ > 0) waiting_.push_back(fresh(now_));
    }
  }
  void end(const One& r) {
    ++done_;
    if (done_ == warm) start_ = now_, area_ = 0;
    if (done_ <= warm) return;
    ttft_.push_back(r.first - r.arrival);
    if (r.output > 1) tpot_.push_back((now_ - r.first) / (r.output - 1));
    tokens_ += r.output - 1, decoding_ += now_ - r.first;
  }
  Seen summary() {
    Seen s;
    s.tpot = decoding_ / tokens_;
    for (const double t : ttft_) s.ttft += t / double(ttft_.size());
    s.rate = double(ttft_.size()) / (now_ - start_);
    s.running = area_ / (now_ - start_);
    s.tpot_p99 = percentile(tpot_, 0.99);
    s.ttft_p99 = percentile(ttft_, 0.99);
    s.ttft_p50 = percentile(ttft_, 0.5);
    return s;
  }

  static constexpr int warm = 2000;
  const StepOracle& oracle_;
  EngineLimits limits_;
  Load load_;
  int closed_;
  std::mt19937_64 random_{7};
  std::deque<One> waiting_;
  std::vector<One> active_;
  std::vector<double> ttft_, tpot_;
  double now_ = 0, next_ = 1e300, area_ = 0, start_ = 0, tokens_ = 0, decoding_ = 0;
  int done_ = 0;
};

Replica eight(int tp, double budget) {
  EngineLimits limits;
  limits.budget = budget;
  limits.max_batch = 256;
  const auto m = llama_70b();
  return {m, StepModel(m, h100(), hgx(), Layout{tp, 1, Precision::fp8, Precision::fp8}), limits};
}

struct Case {
  double input, input_cv, output, output_cv, budget;
};
const Case cases[] = {{1155, 0, 211, 0, 8192},     {1155, 1, 211, 0.8, 8192},
                      {1155, 1, 211, 0.8, 2048},   {128, 0, 1000, 0.5, 8192},
                      {6000, 0.7, 100, 0.5, 2048}, {300, 0, 20, 0.3, 8192}};

Load load_of(const Case& c) {
  Load l;
  l.input = c.input, l.input_cv = c.input_cv, l.output = c.output, l.output_cv = c.output_cv;
  return l;
}

const bool loud = std::getenv("HEADROOM_PRINT") != nullptr;

TEST(ClosedForm, ClosedLoopWithinThreePercentOfItsSteps) {
  for (const auto& c : cases) {
    const auto replica = eight(4, c.budget);
    for (const int concurrency : {1, 8, 64, 200}) {
      const Load load = load_of(c);
      const auto form = replica.closed_loop(concurrency, load);
      const auto seen = Steps(replica.oracle(), replica.limits(), load, concurrency).run(6000);
      if (loud)
        std::printf("closed %4.0f+%4.0f C %3d: tpot x%.3f rate x%.3f ttft x%.2f (%.1f ms)\n",
                    c.input, c.output, concurrency, form.tpot.si() / seen.tpot,
                    form.rate_s / seen.rate, form.ttft.si() / seen.ttft, 1e3 * seen.ttft);
      EXPECT_NEAR(form.tpot.si() / seen.tpot, 1, 0.03) << c.input << " " << concurrency;
      EXPECT_NEAR(form.rate_s / seen.rate, 1, 0.03) << c.input << " " << concurrency;
    }
  }
}

// Beyond, the batch's own memory grows faster than any run is long.
const std::vector<double> shares{0.05, 0.3, 0.6, 0.7, 0.8};

TEST(ClosedForm, OpenLoopWithinThreePercentOfItsSteps) {
  for (const auto& c : cases) {
    const auto replica = eight(4, c.budget);
    Load load = load_of(c);
    load.rate_s = 1e-6;
    const double most = replica.operate(load, 0.99).saturation_s;
    for (const double share : loud ? shares : std::vector{0.05, 0.3, 0.6}) {
      load.rate_s = share * most;
      const auto form = replica.operate(load, 0.99);
      const auto seen =
          Steps(replica.oracle(), replica.limits(), load, 0).run(loud ? 120000 : 60000);
      const double late = 1.5 * form.step.si();  // delivery, which steps do not have
      if (loud)
        std::printf(
            "open %4.0f+%4.0f %3.0f %%: tpot x%.3f running x%.3f (%.1f) ttft x%.2f (%.0f ms) p50 "
            "x%.2f p99 x%.2f tpot99 x%.2f\n",
            c.input, c.output, 100 * share, form.tpot.si() / seen.tpot, form.running / seen.running,
            seen.running, (form.ttft.si() - late) / seen.ttft, 1e3 * seen.ttft,
            (replica.operate(load, 0.5).ttft_p.si() - late) / seen.ttft_p50,
            (form.ttft_p.si() - late) / seen.ttft_p99, form.tpot_p.si() / seen.tpot_p99);
      if (share > 0.6) continue;
      EXPECT_NEAR(form.tpot.si() / seen.tpot, 1, 0.03) << c.input << " " << share;
      EXPECT_NEAR((form.ttft.si() - late) / seen.ttft, 1, 0.15) << c.input << " " << share;
    }
  }
}

}  // namespace
}  // namespace headroom::infer
