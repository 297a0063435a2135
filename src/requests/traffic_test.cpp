#include "requests/traffic.hpp"

#include <gtest/gtest.h>

#include "catalog/request_trace.hpp"
#include "requests/stats.hpp"

namespace headroom::requests {
namespace {

const catalog::Catalog& catalog_at_hand() { return catalog::Catalog::builtin(); }

std::string errors(const OptionList& options) {
  const auto s = traffic(options, &catalog_at_hand());
  EXPECT_FALSE(s);
  return s ? "" : render(s.error());
}

Stream good(const OptionList& options) {
  auto s = traffic(options, &catalog_at_hand());
  EXPECT_TRUE(s) << (s ? "" : render(s.error()));
  return s ? std::move(*s) : Stream{};
}

TEST(Traffic, OneLineOfOptions) {
  const auto s = good({{"--arrivals", "gamma:cv=2"},
                       {"--rate", "20/s"},
                       {"--duration", "20min"},
                       {"--input", "lognormal:mean=1155,p99=4142"},
                       {"--output", "uniform:64..128"}});
  const auto found = stats(s);
  EXPECT_NEAR(found.burstiness, 2, 0.12);
  EXPECT_NEAR(found.rate_per_s, 20, 1);
  EXPECT_NEAR(found.input.mean, 1155, 40);
  EXPECT_EQ(found.output.worst, 128);
  EXPECT_LE(s.requests.back().arrival_s, 1200);
}

TEST(Traffic, RatesTakeTheirUnits) {
  EXPECT_NEAR(stats(good({{"--rate", "600/min"}, {"--requests", "5000"}})).rate_per_s, 10, 0.6);
  EXPECT_NEAR(stats(good({{"--rate", "10 1/s"}, {"--requests", "5000"}})).rate_per_s, 10, 0.6);
}

TEST(Traffic, LikeACatalogueEntry) {
  const auto s = stats(good({{"--like", "azure-conv-2023"}, {"--requests", "20000"}}));
  EXPECT_NEAR(s.input.p50, 1020, 30);
  EXPECT_NEAR(s.input.p99, 4142, 200);
  EXPECT_NEAR(s.input.mean, 1154.7, 25);
  EXPECT_NEAR(s.output.mean, 211.1, 6);
  EXPECT_NEAR(s.rate_per_s, 5.53, 0.2);
  const auto m = stats(good({{"--like", "mooncake-conversation"}, {"--requests", "5000"}}));
  EXPECT_NEAR(m.reused_tokens, 0.366, 0.02);
}

TEST(Traffic, ClassesWithTheirOwnWords) {
  const auto s =
      good({{"--rate", "10/s"},
            {"--requests", "4000"},
            {"--class", "name=chat share=75% input=100 output=10 model=a"},
            {"--class", "name=agent share=25% like=sharegpt sessions=turns=3,think=5s"}});
  EXPECT_EQ(s.classes, (std::vector<std::string>{"chat", "agent"}));
  EXPECT_GT(stats(s).following, 400u);
}

TEST(Traffic, EveryMistakeInOnePassWithTheNearestWord) {
  const auto text = errors({{"--arrivals", "gama:cv=2"},
                            {"--rate", "20"},
                            {"--input", "lognormal:mean=100,p99=50,pp=3"},
                            {"--output", "uniform:9..3"},
                            {"--duration", "soon"},
                            {"--sessions", "turns=3,think=5"}});
  EXPECT_NE(text.find("--arrivals:1:1: 'gama' is not known"), std::string::npos) << text;
  EXPECT_NE(text.find("did you mean 'gamma'?"), std::string::npos);
  EXPECT_NE(text.find("--rate: '20', expected a rate with its unit"), std::string::npos) << text;
  EXPECT_NE(text.find("--input:1:24: p99: 50 lies below the mean 100"), std::string::npos) << text;
  EXPECT_NE(text.find("--input:1:27: pp: unknown key"), std::string::npos) << text;
  EXPECT_NE(text.find("uniform:3..9?"), std::string::npos);
  EXPECT_NE(text.find("--duration: 'soon'"), std::string::npos);
  EXPECT_NE(text.find("think: '5', expected a time with its unit"), std::string::npos) << text;
  EXPECT_NE(text.find("5s or 5min?"), std::string::npos);
}

TEST(Traffic, MoreMistakes) {
  EXPECT_NE(errors({{"--like", "azure-conv"}}).find("azure-conv-2023"), std::string::npos);
  EXPECT_NE(
      errors({{"--arrivals", "bursts:factor=20,share=10%"}, {"--rate", "1/s"}, {"--requests", "9"}})
          .find("factor at most 10"),
      std::string::npos);
  EXPECT_NE(errors({{"--input", "0"}}).find("from 1 up"), std::string::npos);
  EXPECT_NE(errors({{"--input", "lognormal:mean=10,p99=900"}}).find("quantiles:"),
            std::string::npos);
  EXPECT_NE(errors({{"--diurnal", "hours=1;2;3"}}).find("3 factors, expected 24"),
            std::string::npos);
  EXPECT_NE(errors({{"--trace", "x.csv"}, {"--input", "512"}}).find("a trace is given"),
            std::string::npos);
  EXPECT_NE(errors({{"--arrivals", "closed:users=4"}, {"--input", "5"}}).find("--requests"),
            std::string::npos);
}

TEST(Traffic, LengthsByEveryName) {
  for (const char* text : {"512", "fixed:512", "uniform:512..512", "uniform:mean=512,ratio=0"}) {
    const auto l = parse_lengths(text);
    ASSERT_TRUE(l) << text << render(l.error());
    EXPECT_EQ(l->at(0.3), 512) << text;
  }
  EXPECT_NEAR(parse_lengths("exponential:mean=300")->mean(), 300, 2);
  EXPECT_EQ(parse_lengths("exponential:mean=300,most=100")->at(3), 100);
  // vLLM bench, --random-range-ratio 0.2.
  EXPECT_EQ(parse_lengths("uniform:mean=1000,ratio=0.2")->at(-9), 800);
  EXPECT_EQ(parse_lengths("uniform:mean=1000,ratio=20%")->at(9), 1200);
}

}  // namespace
}  // namespace headroom::requests
