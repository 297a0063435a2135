// Retrieval arithmetic against library formulas and measured operating points.
#include "workload/retrieval.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "catalog/catalog.hpp"
#include "workload/transformer.hpp"

namespace headroom::workload {
namespace {

const Model& model(std::string_view id) {
  const Model* m = catalog::Catalog::builtin().find<Model>(id);
  if (!m) throw std::runtime_error("no model " + std::string(id));
  return *m;
}

TEST(Chunks, OverlapRepeatsTokens) {
  EXPECT_EQ(chunk_count(1000 * token, 100 * token, Tokens{}), 10);
  EXPECT_EQ(chunk_count(1000 * token, 100 * token, 50 * token), 19);
  EXPECT_EQ(chunk_count(10 * token, 100 * token, 50 * token), 1);
  EXPECT_EQ(chunk_count(Tokens{}, 100 * token, Tokens{}), 0);
  EXPECT_EQ(chunk_count(1000 * token, 100 * token, 200 * token), 901);  // overlap capped at 99
  EXPECT_EQ(chunk_count(5 * token, Tokens{}, Tokens{}), 5);
}

TEST(Embedding, BgeLargeOnAnL4IsAThirdOfItsPeak) {
  // infinity's benchmark: 62,100 token/s of bge-large on an L4 (121 dense fp16 TFLOP/s,
  // recalled): the arithmetic must land between 30 and 36 % of peak.
  const Flops each = embedding_flops(model("bge-large"), 1, 450 * token) / 450;
  const double share = 62100 * each.si() / 121e12;
  EXPECT_GT(share, 0.30);
  EXPECT_LT(share, 0.36);
  EXPECT_EQ(vector_length(model("bge-large")), 1024);
}

TEST(IndexMemory, FaissFormula) {
  // d x 4 + M x 2 x 4 bytes: 6,272 at 1,536 and M 16; 3,200 at 768.
  VectorIndex index{.dimensions = 1536, .overhead = 1};
  EXPECT_DOUBLE_EQ(index_bytes(index, 1).in(byte), 6272);
  index.dimensions = 768;
  EXPECT_NEAR(index_bytes(index, 10e6).in(gibibyte), 29.8, 0.05);
  index.kind = IndexKind::flat;
  EXPECT_DOUBLE_EQ(index_bytes(index, 10e6).in(gigabyte), 30.72);
}

TEST(IndexMemory, ProductQuantisationIsAnOrderSmaller) {
  VectorIndex pq{.kind = IndexKind::ivf_pq, .dimensions = 768, .code_bytes = 64};
  const double n = 1e9, lists = std::round(4 * std::sqrt(n));
  EXPECT_DOUBLE_EQ(index_bytes(pq, n).in(byte), n * 72 + (lists + 256) * 768 * 4);
  VectorIndex graph{.dimensions = 768};
  EXPECT_GT(index_bytes(graph, n) / index_bytes(pq, n), 40);
  EXPECT_GT(index_bytes(pq, 0).si(), 0);
}

struct Row {
  const char* name;
  double vectors, dimensions, bytes, recall, qps, cores;
};

TEST(QueryCost, MeasuredPointsLieInTheRange) {
  // VectorDBBench leaderboard v2 and Qdrant benchmarks (see docs/models/workload.md).
  for (const Row& r : {Row{"milvus 1M", 1e6, 768, 1, 0.9528, 3465, 16},
                       Row{"milvus 1M", 1e6, 768, 1, 0.9757, 2233, 16},
                       Row{"milvus 10M", 10e6, 768, 1, 0.951, 437, 16},
                       Row{"elastic 1M", 1e6, 768, 1, 0.9482, 1442, 8},
                       Row{"elastic 10M", 10e6, 768, 1, 0.9558, 824, 8},
                       Row{"qdrant 1M", 1e6, 1536, 1, 0.98344, 1235, 8},
                       Row{"pgvector 250k", 250e3, 1536, 4, 0.93, 999, 2},
                       Row{"pgvector 500k", 500e3, 1536, 4, 0.88, 1797, 4},
                       Row{"pgvector 1M", 1e6, 1536, 4, 0.75, 2504, 8}}) {
    const VectorIndex index{.dimensions = int(r.dimensions), .bytes_per_dimension = r.bytes};
    const auto t = query_core_time(index, r.vectors, r.recall);
    const double measured = r.cores / r.qps;
    EXPECT_LE(t.low, measured) << r.name << " " << r.recall;
    EXPECT_GE(t.high * 1.05, measured) << r.name << " " << r.recall;
  }
}

struct AloneRow {
  const char* name;
  double vectors, bytes, recall, p99_ms;
};

// Queries sent one by one (VectorDBBench leaderboard v2; Qdrant benchmarks at one client).
TEST(QueryLatency, MeasuredTailsLieInTheRange) {
  constexpr double tail = 1.72;  // p99 of a lognormal with cv 0.25 over its mean
  for (const AloneRow& r :
       {AloneRow{"milvus 1M", 1e6, 768, 0.9528, 2.2}, AloneRow{"milvus 1M", 1e6, 768, 0.9849, 4.2},
        AloneRow{"milvus 10M", 10e6, 768, 0.951, 5.1},
        AloneRow{"milvus 10M", 10e6, 768, 0.9733, 13.9},
        AloneRow{"elastic 1M", 1e6, 768, 0.9482, 10.1},
        AloneRow{"elastic 10M", 10e6, 768, 0.9558, 15.5},
        AloneRow{"elastic 10M", 10e6, 768, 0.9501, 18.0},
        AloneRow{"qdrant 1M", 1e6, 1536, 0.98344, 2.9}}) {
    const VectorIndex index{.dimensions = int(r.bytes), .bytes_per_dimension = 1};
    const auto t = query_latency(index, r.vectors, r.recall);
    EXPECT_LE(t.low, r.p99_ms / 1e3) << r.name << " " << r.recall;
    EXPECT_GE(tail * t.high, r.p99_ms / 1e3) << r.name << " " << r.recall;
  }
}

// Malkov and Yashunin: at a fixed recall the path through the graph grows with ln N. From 1M to
// 100M that is 8 / 6, not the 10 of N^0.5.
TEST(QueryLatency, GrowsWithTheLogarithm) {
  const VectorIndex index{.dimensions = 1024};
  const double server = 1e-3;
  const double one = query_latency(index, 1e6, 0.95).get().si() - server;
  const double hundred = query_latency(index, 100e6, 0.95).get().si() - server;
  EXPECT_NEAR(hundred / one, 8.0 / 6, 1e-9);
  EXPECT_GT(query_core_time(index, 100e6, 0.95).get() / query_core_time(index, 1e6, 0.95).get(), 9);
}

// 20M vectors of 1,024 fp32: published p99 of 10M x 768 are 5 to 25 ms.
TEST(QueryLatency, TwentyMillionVectorsTakeMilliseconds) {
  const auto t = query_latency({.dimensions = 1024}, 20e6, 0.95);
  EXPECT_GT(1.72 * t.get().si(), 5e-3);
  EXPECT_LT(1.72 * t.get().si(), 25e-3);
}

RC_GTEST_PROP(QueryLatencyProperty, MoreVectorsWidthOrRecallNeverMakeItFaster, ()) {
  VectorIndex index;
  index.kind = IndexKind(*rc::gen::inRange(0, 3));
  index.dimensions = *rc::gen::inRange(1, 2048);
  const double n = *rc::gen::inRange(1000, 100'000'000);
  const double recall = *rc::gen::inRange(50, 99) / 100.0;
  const double base = query_latency(index, n, recall).get().si();
  RC_ASSERT(base > 0);
  RC_ASSERT(query_latency(index, 2 * n, recall).get().si() >= base * (1 - 1e-12));
  RC_ASSERT(query_latency(index, n, recall + 0.01).get().si() >= base);
  index.dimensions *= 2;
  RC_ASSERT(query_latency(index, n, recall).get().si() >= base);
}

TEST(QueryCost, ExhaustiveSearchIsBoundByMemory) {
  const VectorIndex flat{.kind = IndexKind::flat, .dimensions = 1000, .bytes_per_dimension = 4};
  EXPECT_DOUBLE_EQ(query_core_time(flat, 1e6, 1).get().in(second), 4e9 / 10e9);
  const VectorIndex pq{.kind = IndexKind::ivf_pq, .dimensions = 1000};
  EXPECT_LT(query_core_time(pq, 1e6, 1).get(), query_core_time(flat, 1e6, 1).get());
}

TEST(SearchFleetSize, MemoryShardsAndRateReplicates) {
  const VectorIndex index{.dimensions = 1024, .bytes_per_dimension = 4};
  const SearchNode node{.cores = 16, .memory = 64 * gigabyte, .utilisation = 0.6};
  // 40M x (4,096 + 128) x 1.2 = 203 GB: four nodes of 64 GB.
  const auto idle = size_search(index, 40e6, 0.95, Rate{}, node);
  EXPECT_EQ(idle.shards, 4);
  EXPECT_EQ(idle.replicas, 1);
  EXPECT_EQ(idle.busy, 0);
  const auto busy = size_search(index, 40e6, 0.95, Rate::from_si(1000), node);
  EXPECT_GT(busy.replicas, 1);
  EXPECT_LE(busy.busy, 0.6);
  EXPECT_EQ(busy.latency, idle.latency);  // of one query alone
  EXPECT_NEAR(busy.load, busy.busy * 16 * busy.replicas, 1e-9);
  EXPECT_EQ(busy.nodes, busy.shards * busy.replicas);
}

RC_GTEST_PROP(SearchFleetProperty, NodesAreNeverOverTheirUtilisation, ()) {
  VectorIndex index;
  index.kind = IndexKind(*rc::gen::inRange(0, 3));
  index.dimensions = *rc::gen::inRange(1, 4096);
  const double n = std::pow(10.0, *rc::gen::inRange(0, 10));
  const double recall = *rc::gen::inRange(0, 101) / 100.0;
  const Rate rate = Rate::from_si(*rc::gen::inRange(0, 100000));
  const auto f = size_search(index, n, recall, rate);
  RC_ASSERT(f.busy <= 0.6 + 1e-12);
  RC_ASSERT(std::isfinite(f.latency.si()) && f.latency.si() > 0);
  RC_ASSERT(f.nodes >= 1);
  const auto t = query_core_time(index, n, recall);
  RC_ASSERT(t.low <= t.likely && t.likely <= t.high);
}

TEST(Prompt, PassagesBecomePrefill) {
  EXPECT_DOUBLE_EQ(extra_prefill({5, 512 * token, 200 * token}).si(), 2760);
  const Flops one = rerank_flops(model("bge-large"), 1, 480 * token, 32 * token);
  EXPECT_DOUBLE_EQ(one.si(), 512 * forward_flops(model("bge-large"), 512).total().si());
}

}  // namespace
}  // namespace headroom::workload
