#include "requests/synthetic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "requests/distributions.hpp"
#include "requests/stats.hpp"

namespace headroom::requests {
namespace {

Stream made(const Synthetic& s) {
  auto stream = generate(s);
  EXPECT_TRUE(stream) << (stream ? "" : render(stream.error()));
  return stream ? std::move(*stream) : Stream{};
}

std::vector<double> gaps(const Stream& s) {
  std::vector<double> g;
  for (std::size_t i = 1; i < s.requests.size(); ++i)
    g.push_back(s.requests[i].arrival_s - s.requests[i - 1].arrival_s);
  return g;
}

/// Kolmogorov-Smirnov distance to a CDF.
double ks(std::vector<double> x, const std::function<double(double)>& cdf) {
  std::sort(x.begin(), x.end());
  double most = 0;
  const auto n = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double f = cdf(x[i]), at = static_cast<double>(i);
    most = std::max({most, f - at / n, (at + 1) / n - f});
  }
  return most;
}

/// The distance that one sample in a hundred exceeds (Smirnov's asymptote).
double ks_one_percent(std::size_t n) { return 1.628 / std::sqrt(static_cast<double>(n)); }

Synthetic at_rate(double rate, std::size_t n) {
  Synthetic s;
  s.rate_per_s = rate;
  s.requests = n;
  return s;
}

TEST(Arrivals, PoissonGapsAreExponential) {
  const auto g = gaps(made(at_rate(20, 40000)));
  EXPECT_LT(ks(g, [](double x) { return 1 - std::exp(-20 * x); }), ks_one_percent(g.size()));
}

TEST(Arrivals, PoissonCountsPassChiSquare) {
  // 5,000 windows of 1 s at 4/s against Poisson probabilities; cells 0 to 10 and above.
  const auto s = made(at_rate(4, 20000));
  std::map<int, int> in_window;
  const int windows = 4900;
  for (const auto& r : s.requests) ++in_window[static_cast<int>(r.arrival_s)];
  std::vector<double> seen(12), p(12);
  for (int w = 0; w < windows; ++w)
    ++seen[static_cast<std::size_t>(std::min(in_window.contains(w) ? in_window[w] : 0, 11))];
  double term = std::exp(-4.0), sum = 0, chi = 0;
  for (std::size_t k = 0; k < 11; ++k, term *= 4.0 / static_cast<double>(k)) sum += p[k] = term;
  p[11] = 1 - sum;
  for (std::size_t k = 0; k < 12; ++k)
    chi += (seen[k] - windows * p[k]) * (seen[k] - windows * p[k]) / (windows * p[k]);
  EXPECT_LT(chi, 24.7) << "1 % point of chi-square with 11 degrees of freedom";
}

TEST(Arrivals, GammaAndWeibullHaveTheirVariation) {
  for (const auto process : {Process::gamma, Process::weibull})
    for (const double cv : {0.5, 1.0, 2.0, 3.5}) {
      auto s = at_rate(10, 60000);
      s.arrivals = {process, cv};
      const auto found = stats(made(s));
      EXPECT_NEAR(found.burstiness, cv, 0.04 * cv) << cv;
      EXPECT_NEAR(found.rate_per_s, 10, 0.03 * 10 * cv);
    }
}

TEST(Arrivals, GammaOfShapeTwoIsErlang) {
  auto s = at_rate(1, 30000);
  s.arrivals = {Process::gamma, std::sqrt(0.5)};
  const auto g = gaps(made(s));
  EXPECT_LT(ks(g, [](double x) { return 1 - std::exp(-2 * x) * (1 + 2 * x); }),
            ks_one_percent(g.size()));
}

TEST(Arrivals, WeibullShapeInvertsTheVariation) {
  EXPECT_NEAR(weibull_shape(1), 1, 1e-9);
  for (const double k : {0.4, 0.7, 1.5, 3.0}) {
    const double m = std::tgamma(1 + 1 / k);
    EXPECT_NEAR(weibull_shape(std::sqrt(std::tgamma(1 + 2 / k) / (m * m) - 1)), k, 1e-9);
  }
}

TEST(Arrivals, ConstantIsExact) {
  auto s = at_rate(8, 100);
  s.arrivals.process = Process::constant;
  const auto stream = made(s);
  EXPECT_EQ(stream.requests[0].arrival_s, 0);
  EXPECT_EQ(stream.requests[80].arrival_s, 10);
}

TEST(Arrivals, BurstsKeepTheMeanAndHoldTheirShare) {
  auto s = at_rate(20, 0);
  s.duration_s = 20000;
  s.arrivals.process = Process::bursts;
  s.arrivals.burst = 5;
  s.arrivals.burst_share = 0.1;
  s.arrivals.burst_s = 20;
  const auto stream = made(s);
  EXPECT_NEAR(stats(stream).rate_per_s, 20, 1.5);
  // Within a burst 500 requests in 5 s, outside 56: windows above 250 are nearly all bursts.
  std::map<int, double> counts;
  for (const auto& r : stream.requests) ++counts[static_cast<int>(r.arrival_s / 5)];
  int busy = 0;
  for (const auto& [w, n] : counts) busy += n > 250;
  EXPECT_NEAR(busy / 4000.0, 0.1, 0.03);
}

TEST(Arrivals, ClosedLoopChainsItsUsers) {
  Synthetic s;
  s.requests = 100;
  s.arrivals.process = Process::closed;
  s.arrivals.users = 8;
  s.arrivals.think_s = 2;
  const auto stream = made(s);
  double think = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    const auto& r = stream.requests[i];
    EXPECT_EQ(r.after, i < 8 ? no_request : i - 8);
    EXPECT_EQ(r.session, i % 8);
    think += r.arrival_s / 100;
  }
  EXPECT_NEAR(think, 2, 0.6);
  for (std::size_t i = 1; i < 8; ++i)
    EXPECT_GE(stream.requests[i].arrival_s, stream.requests[i - 1].arrival_s);
}

TEST(Days, HoursFollowTheirFactors) {
  Synthetic s;
  s.rate_per_s = 0.5;
  s.duration_s = 7 * 86400;
  s.diurnal = Diurnal::cosine(0.8, 14);
  s.diurnal.weekend = 0.5;
  const auto stream = made(s);
  std::vector<double> per_hour(168);
  for (const auto& r : stream.requests) ++per_hour[static_cast<std::size_t>(r.arrival_s / 3600)];
  EXPECT_NEAR(static_cast<double>(stream.requests.size()), 0.5 * 7 * 86400,
              6 * std::sqrt(0.5 * 7 * 86400));
  for (std::size_t h = 0; h < 168; ++h) {
    const double expected = 1800 * s.diurnal.at(static_cast<double>(h) * 3600);
    EXPECT_NEAR(per_hour[h], expected, 5 * std::sqrt(expected)) << h;
  }
}

TEST(Days, ASilentHourStaysSilent) {
  Synthetic s;
  s.rate_per_s = 1;
  s.duration_s = 86400;
  s.diurnal.hour.fill(1);
  s.diurnal.hour[3] = 0;
  const auto stream = made(s);
  for (const auto& r : stream.requests) EXPECT_NE(static_cast<int>(r.arrival_s / 3600), 3);
}

// --- lengths ---------------------------------------------------------------------------

TEST(LengthsTest, LognormalMeetsItsMeanAndTail) {
  auto s = at_rate(10, 50000);
  s.classes[0].input = Lengths::lognormal_by_p99(1155, 4142);
  const auto found = stats(made(s)).input;
  EXPECT_NEAR(found.mean, 1155, 1155 * 0.02);
  EXPECT_NEAR(found.p99, 4142, 4142 * 0.04);
  EXPECT_NEAR(Lengths::lognormal_by_p99(1155, 4142).mean(), 1155, 2);
  EXPECT_NEAR(Lengths::lognormal_by_cv(500, 0.8).mean(), 500, 2);
}

TEST(LengthsTest, QuantilesMeetAllFour) {
  // DeepSeek-R1 clients of ServeGen: p99 is 18 times the mean, beyond any lognormal.
  const auto l = Lengths::quantiles(208, 2092, 23423, 1268);
  EXPECT_EQ(l.at(0), 208);
  EXPECT_NEAR(l.at(1.2815515655), 2092, 1);
  EXPECT_NEAR(l.at(2.3263478740), 23423, 1);
  // Even with nothing below the median the upper half alone has more than this mean.
  EXPECT_GT(l.mean(), 1268);
  const auto azure = Lengths::quantiles(1020, 2734.5, 4142, 1154.7);
  EXPECT_NEAR(azure.mean(), 1154.7, 3);
}

TEST(LengthsTest, UniformIsEvenAndHoldsItsEnds) {
  const auto l = Lengths::uniform(3, 6);
  std::map<int, int> seen;
  const headroom::Stream random(1, "t");
  for (std::uint64_t i = 0; i < 20000; ++i) ++seen[l.at(random.normal(i, 0))];
  ASSERT_EQ(seen.size(), 4u);
  double chi = 0;
  for (const auto& [value, n] : seen) chi += (n - 5000.0) * (n - 5000.0) / 5000;
  EXPECT_LT(chi, 11.34) << "1 % point with 3 degrees of freedom";
  EXPECT_EQ(seen.begin()->first, 3);
}

TEST(LengthsTest, CorrelationReachesTheStream) {
  auto s = at_rate(10, 20000);
  s.classes[0].input = Lengths::lognormal_by_cv(1000, 0.5);
  s.classes[0].output = Lengths::lognormal_by_cv(300, 0.5);
  s.classes[0].correlation = -0.5;
  // Of two lognormals: (exp(rho s^2) - 1) / (exp(s^2) - 1).
  const double v = std::log(1.25);
  EXPECT_NEAR(stats(made(s)).correlation, (std::exp(-0.5 * v) - 1) / 0.25, 0.02);
}

TEST(LengthsTest, PairsAreDrawnTogether) {
  auto s = at_rate(10, 3000);
  s.classes[0].pairs = {{10, 1}, {20, 2}, {30, 3}};
  for (const auto& r : made(s).requests) ASSERT_EQ(r.prompt, 10 * r.output);
}

// --- classes, sessions, prefixes, adapters -------------------------------------------------

TEST(Classes, SharesAndModelsAndOneSeedAStream) {
  auto s = at_rate(10, 20000);
  s.classes = {TrafficClass{}, TrafficClass{}};
  s.classes[0].name = "chat";
  s.classes[0].share = 3;
  s.classes[0].model = "a";
  s.classes[1].name = "batch";
  s.classes[1].model = "b";
  s.classes[1].priority = 5;
  const auto stream = made(s);
  const auto batch = std::count_if(stream.requests.begin(), stream.requests.end(),
                                   [](const Request& r) { return r.traffic_class == 1; });
  EXPECT_NEAR(static_cast<double>(batch), 5000, 4 * std::sqrt(20000 * 0.25 * 0.75));
  for (const auto& r : stream.requests) {
    ASSERT_EQ(stream.models[r.model], r.traffic_class == 1 ? "b" : "a");
    ASSERT_EQ(r.priority, r.traffic_class == 1 ? 5 : 0);
  }
  const auto again = made(s);
  for (std::size_t i = 0; i < stream.requests.size(); ++i)
    ASSERT_EQ(stream.requests[i].arrival_s, again.requests[i].arrival_s);
  auto longer = s;
  longer.classes[0].input = Lengths::fixed(9);
  const auto other = made(longer);
  EXPECT_EQ(other.requests[500].arrival_s, stream.requests[500].arrival_s)
      << "lengths do not move arrivals";
  s.seed = 2;
  EXPECT_NE(made(s).requests[500].arrival_s, stream.requests[500].arrival_s);
}

TEST(Sessions, GrowWaitAndShareTheirPast) {
  Synthetic s = at_rate(5, 6000);
  auto& c = s.classes[0];
  c.turns = 4;
  c.think_s = 3;
  c.prefixes = 2;
  c.prefix_tokens = 1024;
  c.input = Lengths::fixed(300);
  c.output = Lengths::fixed(100);
  s.block_tokens = 64;
  const auto stream = made(s);
  const auto found = stats(stream);
  EXPECT_NEAR(6000.0 / static_cast<double>(found.sessions), 4, 0.25);
  for (std::uint32_t i = 0; i < stream.requests.size(); ++i) {
    const auto& r = stream.requests[i];
    if (r.after == no_request) {
      EXPECT_EQ(r.prompt, 1324);
      continue;
    }
    const auto& before = stream.requests[r.after];
    ASSERT_EQ(r.prompt, before.prompt + 100 + 300);
    ASSERT_EQ(r.session, before.session);
    const auto old = stream.blocks_of(before), now = stream.blocks_of(r);
    ASSERT_EQ(now.size(), static_cast<std::size_t>((r.prompt + r.output) / 64));
    ASSERT_TRUE(std::equal(old.begin(), old.end(), now.begin()));
  }
  // Sessions of one prefix share 1024 / 64 blocks and no more.
  std::map<std::uint64_t, std::set<std::uint64_t>> sixteenth, seventeenth;
  for (const auto& r : stream.requests) {
    sixteenth[r.shared].insert(stream.blocks_of(r)[15]);
    seventeenth[r.shared].insert(stream.blocks_of(r)[16]);
  }
  EXPECT_EQ(sixteenth.size(), 2u);
  for (const auto& [group, hashes] : sixteenth) EXPECT_EQ(hashes.size(), 1u);
  for (const auto& [group, hashes] : seventeenth) EXPECT_GT(hashes.size(), 100u);
}

TEST(Sessions, EndAtTheContext) {
  Synthetic s = at_rate(5, 500);
  s.classes[0].turns = 50;
  s.classes[0].turns_fixed = true;
  s.classes[0].context = 4000;
  for (const auto& r : made(s).requests) ASSERT_LE(r.prompt + r.output, 4000);
}

TEST(Prefixes, ShareAndPopularity) {
  Synthetic s = at_rate(5, 30000);
  auto& c = s.classes[0];
  c.prefixes = 10;
  c.prefix_tokens = 700;
  c.prefix_share = 0.8;
  c.adapters = 4;
  c.adapter_zipf = 1;
  std::map<std::uint32_t, double> groups, adapters;
  for (const auto& r : made(s).requests) {
    ++adapters[r.adapter];
    if (r.shared == no_request) continue;
    ++groups[r.shared];
    ASSERT_EQ(r.prompt, 512 + 700);
  }
  double with = 0;
  std::vector<double> sizes;
  for (const auto& [g, n] : groups) with += n, sizes.push_back(n);
  EXPECT_NEAR(with / 30000, 0.8, 0.01);
  std::sort(sizes.rbegin(), sizes.rend());
  EXPECT_NEAR(sizes[0] / sizes[1], 2, 0.12) << "Zipf";
  EXPECT_EQ(adapters.count(0), 0u);
  EXPECT_NEAR(adapters[1] / adapters[4], 4, 0.3);
}

TEST(Generate, SaysWhatIsMissing) {
  const auto text = [](const Synthetic& s) {
    const auto r = generate(s);
    return r ? std::string() : render(r.error());
  };
  Synthetic s;
  EXPECT_NE(text(s).find("--rate"), std::string::npos);
  EXPECT_NE(text(s).find("--duration"), std::string::npos) << "both in one pass";
  s = at_rate(1, 10);
  s.arrivals.process = Process::bursts;
  s.arrivals.burst = 20;
  s.arrivals.burst_share = 0.1;
  EXPECT_NE(text(s).find("factor at most 10"), std::string::npos);
  s = at_rate(1e6, 0);
  s.duration_s = 1e6;
  EXPECT_NE(text(s).find("expected at most 1e+08"), std::string::npos);
  s = at_rate(1e-9, 0);
  s.duration_s = 1;
  EXPECT_NE(text(s).find("no request arrives"), std::string::npos);
}

TEST(Shaping, ScaleAndCut) {
  auto s = at_rate(10, 1000);
  s.classes[0].turns = 3;
  auto stream = made(s);
  const auto part = cut(stream, 5, 10);
  ASSERT_FALSE(part.requests.empty());
  for (const auto& r : part.requests) {
    if (r.after == no_request) {
      ASSERT_GE(r.arrival_s, 0);
      ASSERT_LT(r.arrival_s, 10);
    } else {
      ASSERT_EQ(part.requests[r.after].session, r.session);
    }
  }
  const double rate = stats(stream).rate_per_s;
  scale_rate(stream, 2);
  EXPECT_NEAR(stats(stream).rate_per_s, 2 * rate, 1e-9 * rate);
}

}  // namespace
}  // namespace headroom::requests
