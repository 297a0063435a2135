#include "infer/spec.hpp"

#include <gtest/gtest.h>

#include "infer/queue.hpp"
#include "infer/service.hpp"
#include "spec/reader.hpp"
#include "spec/schema.hpp"

namespace headroom::infer {
namespace {

template <class T>
std::string read_text(T& out, const std::string& yaml) {
  Diagnostics mistakes;
  const auto document = spec::parse_yaml("t.yaml", yaml, mistakes);
  if (!document) return render(mistakes);
  spec::ReadContext context;
  context.document = &*document;
  context.default_source = published("scenario");
  spec::read(document->root, out, context, mistakes);
  return mistakes.empty() ? std::string() : render(mistakes);
}

TEST(Spec, AServiceReadsAsItIsSpoken) {
  ServiceSpec s;
  EXPECT_EQ(read_text(s, R"(
model: llama-3.1-70b
precision: fp8
traffic: {rate: 20 request/s, peak: 45 request/s, input: 1155 token,
          output: {mean: 211 token, p99: 601 token}}
slo: {ttft: 1 s, tpot: 50 ms, percentile: 99 %, context: 8192 token}
engine: {tp: 4, speculation: {length: 3, acceptance: 75 %}}
spare_replica: true
)"),
            "");
  EXPECT_EQ(s.precision.given, Precision::fp8);
  EXPECT_FALSE(s.kv_precision.given);
  EXPECT_EQ(s.traffic.peak.get().si(), 45);
  EXPECT_EQ(s.traffic.input.mean.get().si(), 1155);
  EXPECT_NEAR(s.slo.tpot.get().si(), 0.05, 1e-12);
  EXPECT_NEAR(s.slo.percentile.get().si(), 0.99, 1e-12);
  ASSERT_TRUE(s.engine.speculation);
  EXPECT_EQ(s.engine.speculation->length, 3);
}

TEST(Spec, MistakesAreNamed) {
  ServiceSpec s;
  EXPECT_NE(read_text(s, "precision: fp9"), "");
  EXPECT_NE(read_text(s, "slo: {ttft: 3}"), "");
  EXPECT_NE(read_text(s, "slo: {ttft: 0 s}"), "");
  EXPECT_NE(read_text(s, "traffic: {rate: -1 request/s}"), "");
  EXPECT_NE(read_text(s, "trafic: {}").find("traffic"), std::string::npos);
}

TEST(Spec, EveryKindHasASchema) {
  ServiceSpec service;
  RagSpec rag;
  EmbedSpec embed;
  VideoSpec video;
  EdgeSpec edge;
  EXPECT_NE(spec::json_schema(spec::object_ref(service), "s", "s").find("nvfp4"),
            std::string::npos);
  EXPECT_NE(spec::json_schema(spec::object_ref(rag), "s", "s").find("top_k"), std::string::npos);
  EXPECT_NE(spec::json_schema(spec::object_ref(embed), "s", "s").find("within"), std::string::npos);
  EXPECT_NE(spec::json_schema(spec::object_ref(video), "s", "s").find("deadline"),
            std::string::npos);
  EXPECT_NE(spec::json_schema(spec::object_ref(edge), "s", "s").find("uplink"), std::string::npos);
}

TEST(Spec, OtherKindsRead) {
  RagSpec rag;
  EXPECT_EQ(read_text(rag, R"(
documents: 2e6
chunk: 512 token
index: ivf-pq
recall: 95 %
hybrid: true
query_terms: 8
lexical_bytes: 2 B
node_memory: 256 GB
llm: {model: falcon-40b, traffic: {rate: 3 request/s}}
first_token: 3 s
)"),
            "");
  EXPECT_EQ(rag.index, workload::IndexKind::ivf_pq);
  EXPECT_TRUE(rag.hybrid);
  EXPECT_EQ(rag.query_terms.get().si(), 8);
  VideoSpec video;
  EXPECT_EQ(
      read_text(
          video,
          "{model: wan-2.1-14b, clips: 1000, clip: 5 s, frame_rate: 16 1/s, deadline: 10 min}"),
      "");
  VideoSpec pictures;
  EXPECT_EQ(read_text(pictures, "{model: flux-1-dev, rate: 2 1/s, deadline: 12 s}"), "");
  EXPECT_EQ(pictures.rate.get().si(), 2);
  EXPECT_NE(read_text(pictures, "{model: flux-1-dev, rate: 2 1/s, clips: 9}").find("'rate' both"),
            std::string::npos);
  EdgeSpec edge;
  EXPECT_EQ(read_text(edge,
                      "{model: llama-3.1-8b, precision: int4, sites: 600, requests: 400, uplink: "
                      "40 ms, min_speed: 10 token/s}"),
            "");
  EmbedSpec embed;
  EXPECT_EQ(read_text(embed, "{model: bge-m3, corpus: 1e9 token, within: 24 h, rate: 5 request/s}"),
            "");
}

// Nothing can be answered without a model, so its absence is a mistake, said once, with its place.
template <class T>
void expect_missing(const std::string& yaml, const std::string& words) {
  T spec;
  const std::string text = read_text(spec, yaml);
  EXPECT_EQ(text.find(":1:"), 0u) << text;
  const auto first = text.find(words + " is missing");
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("is missing", first + words.size() + 11), std::string::npos) << text;
}

TEST(Spec, AMissingModelIsAMistake) {
  expect_missing<ServiceSpec>("{traffic: {rate: 1 request/s}}", "'model'");
  expect_missing<EmbedSpec>("{corpus: 1e9 token}", "'model'");
  expect_missing<VideoSpec>("{clips: 10}", "'model'");
  expect_missing<EdgeSpec>("{sites: 10}", "'model'");
  expect_missing<RagSpec>("{documents: 1e6}", "'llm'");
  expect_missing<RagSpec>("{documents: 1e6, llm: {traffic: {rate: 1 request/s}}}", "'model'");
}

// vLLM's defaults of an API server; the scenario's own come first.
TEST(Spec, EngineDefaultsFollowTheDevice) {
  catalog::Accelerator a;
  a.id = "h100-sxm";
  a.memory = {80 * gigabyte, published("data sheet")};
  EXPECT_EQ(engine_limits({}, a).max_batch, 1024);
  EXPECT_EQ(engine_limits({}, a).budget, 8192);
  a.id = "a100-sxm-80gb";
  EXPECT_EQ(engine_limits({}, a).max_batch, 256);
  EXPECT_EQ(engine_limits({}, a).budget, 2048);
  a.id = "l40s";
  a.memory = {48 * gigabyte, published("data sheet")};
  EXPECT_EQ(engine_limits({}, a).max_batch, 256);
  EngineSpec own;
  own.max_batch = 64;
  EXPECT_EQ(engine_limits(own, a).max_batch, 64);
}

// Spread: p99 before p90 before the given variation before the fallback.
TEST(Spec, SpreadOfLengths) {
  const auto said = published("scenario");
  Lengths l;
  EXPECT_EQ(l.cv(0.7), 0.7);
  l.mean = {1000 * token, said};
  l.variation = {1.3, said};
  EXPECT_EQ(l.cv(0.7), 1.3);
  l.p90 = {2000 * token, said};
  EXPECT_NEAR(lognormal_quantile(1000, l.cv(0.7), 0.9), 2000, 1);
  l.p99 = {4000 * token, said};
  EXPECT_NEAR(lognormal_quantile(1000, l.cv(0.7), 0.99), 4000, 1);
}

}  // namespace
}  // namespace headroom::infer
