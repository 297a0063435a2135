// Request mixes from catalogue traces and from plain numbers.
#include "workload/requests.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "catalog/catalog.hpp"

namespace headroom::workload {
namespace {

using catalog::RequestTrace;

const RequestTrace& trace(std::string_view id) {
  const auto* t = catalog::Catalog::builtin().find<RequestTrace>(id);
  if (!t) throw std::runtime_error("no trace " + std::string(id));
  return *t;
}

TEST(Traces, EveryEntryIsConsistent) {
  const auto all = catalog::Catalog::builtin().all<RequestTrace>();
  EXPECT_GE(all.size(), 8u);
  for (const auto* t : all) {
    ASSERT_TRUE(t->input.mean && t->output.mean) << t->id;
    for (const auto* s : {&t->input, &t->output}) {
      if (!s->p50 || !s->p99) continue;
      EXPECT_LT(s->p50.get(), s->p99.get()) << t->id;
      if (s->p90) {
        EXPECT_LE(s->p50.get(), s->p90.get()) << t->id;
        EXPECT_LE(s->p90.get(), s->p99.get()) << t->id;
      }
    }
    if (t->rate && t->span) {
      EXPECT_NEAR(t->rate.get() * t->span.get() / t->requests.get(), 1, 0.01) << t->id;
    }
    EXPECT_GE(request_mix(*t).peak_rate, request_mix(*t).rate) << t->id;
  }
}

TEST(Quantiles, PassThroughTheGivenPoints) {
  const Lengths l = lengths(trace("azure-conv-2023").input);
  EXPECT_NEAR(quantile(l, 0.5).si(), 1020, 1e-6);
  EXPECT_NEAR(quantile(l, 0.9).si(), 2734.5, 1e-6);
  EXPECT_NEAR(quantile(l, 0.99).si(), 4142, 1e-6);
}

TEST(Quantiles, LognormalClosedForm) {
  // Mean 1000 and variation 1: median 1000 / sqrt(2), p99 = median e^(2.3263 sqrt(ln 2)).
  const Lengths l = lognormal_length(1000 * token, 1);
  EXPECT_NEAR(quantile(l, 0.5).si(), 1000 / std::sqrt(2), 1e-6);
  EXPECT_NEAR(quantile(l, 0.99).si(),
              1000 / std::sqrt(2) * std::exp(2.3263478740408408 * std::sqrt(std::log(2))), 1e-6);
  EXPECT_NEAR(quantile(fixed_length(300 * token), 0.999).si(), 300, 1e-9);
}

TEST(Quantiles, VariationIsFittedWhenMissing) {
  // azure-code gives mean 2,048 and median 1,469: lognormal variation sqrt((mean/p50)^2 - 1).
  const Lengths l = lengths(trace("azure-code-2023").input);
  EXPECT_NEAR(l.variation, std::sqrt(std::pow(2048.0 / 1469, 2) - 1), 1e-12);
  // mooncake outputs: the mean lies below the median, so the 99th percentile decides.
  const Lengths m = lengths(trace("mooncake-conversation").output);
  EXPECT_GT(m.variation, 0.4);
  EXPECT_LT(m.variation, 0.6);
  EXPECT_EQ(lengths(trace("mooncake-toolagent").input).variation, 0);
}

RC_GTEST_PROP(QuantileProperty, Monotone, ()) {
  const auto ids = catalog::Catalog::builtin().ids("request-trace");
  const auto id = *rc::gen::elementOf(ids);
  const double a = *rc::gen::inRange(1, 9999) / 1e4, b = *rc::gen::inRange(1, 9999) / 1e4;
  for (const auto* s : {&trace(id).input, &trace(id).output}) {
    const Lengths l = lengths(*s);
    RC_ASSERT(quantile(l, std::min(a, b)) <= quantile(l, std::max(a, b)));
  }
}

TEST(Mix, ContextDuringDecode) {
  RequestMix mix;
  mix.input = fixed_length(1000 * token);
  mix.output = fixed_length(200 * token);
  EXPECT_DOUBLE_EQ(mean_decode_context(mix).si(), 1100);
  // Exponential lengths (variation 1): a step finds its request at the full mean on average.
  mix.output = lognormal_length(200 * token, 1);
  EXPECT_DOUBLE_EQ(mean_decode_context(mix).si(), 1200);
}

TEST(Mix, PrefixReuseSparesPrefill) {
  const RequestMix mix = request_mix(trace("mooncake-conversation"));
  EXPECT_NEAR(fresh_input(mix).si(), 12035 * (1 - 0.366), 1e-6);
  EXPECT_NEAR(concurrency(mix.rate, 10 * second), 34.01, 1e-9);
}

}  // namespace
}  // namespace headroom::workload
