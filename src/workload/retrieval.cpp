#include "workload/retrieval.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "workload/transformer.hpp"

namespace headroom::workload {
namespace {

constexpr std::array<std::string_view, 3> kind_names = {"flat", "hnsw", "ivf-pq"};

// Streaming rate of one server core when all cores scan: a 12-channel DDR5-4800 socket
// (460 GB/s) over 64 cores gives 7 GB/s, a lightly loaded core twice that. Assumed.
constexpr double core_bandwidth_low = 14e9, core_bandwidth = 10e9, core_bandwidth_high = 7e9;

// Core-seconds of HNSW at 1M x 768 bytes, recall 0.95 (VectorDBBench leaderboard v2, Cohere 1M,
// int8): Milvus on 16 vCPU 3,465 qps at 0.953, 4.4 ms; Elastic Cloud on 8 vCPU 1,442 qps at
// 0.948, 5.7 ms. Qdrant on 8 vCPU, 1M x 1536 int8, 1,235 qps at 0.983 (qdrant.tech benchmarks,
// 2024-06): 2.0 ms. pgvector in memory, 1536 fp32: 999 qps on 2 vCPU, 250k, 0.93 to 2,504 on 8, 1M,
// 0.75 (rivestack.io/pgvector-benchmarks): 0.84 to 2.7 ms.
struct Anchor {
  double seconds, size_exponent;
};
constexpr Anchor hnsw_low{0.84e-3, 0.2}, hnsw_likely{3e-3, 0.5}, hnsw_high{6e-3, 0.9};
// One query alone, mean, 1M x 768 bytes, recall 0.95, in a server's part and a search's part. p99
// of queries sent one by one (VectorDBBench): Milvus 2.2, 2.9, 4.2 ms at 0.953, 0.976, 0.985, which
// is 0.7 + 1.4 x miss^-0.75; 5.1 ms with ten times the vectors (N^0.37); Elastic Cloud 10 to 15 ms,
// and 15 to 18 with ten times (ln N says 1.17 x); Pinecone 13.7 and 14.1. Qdrant alone on 1M x
// 1536, 0.983: mean 2.7 ms, p99 2.9.
struct Alone {
  double server, search;
};
constexpr Alone alone_low{0.3e-3, 0.5e-3}, alone_likely{1e-3, 1.5e-3}, alone_high{5e-3, 4e-3};
constexpr double segmented_exponent = 0.37;
// Milvus on Cohere 1M: 3,465 / 2,233 / 1,345 qps at recall 0.953 / 0.976 / 0.985.
constexpr double recall_exponent = 0.75;
constexpr double anchor_vectors = 1e6, anchor_bytes = 768, anchor_miss = 0.05;
// A random DRAM access of about 100 ns, in bytes streamed at 10 GB/s. Proportional cost would put
// pgvector's fp32 rows three to six times too high.
constexpr double access_bytes = 1024;

double list_count(const VectorIndex& index, double vectors) {
  return index.lists > 0 ? index.lists : std::max(1.0, std::round(4 * std::sqrt(vectors)));
}

double scanned_bytes(const VectorIndex& index, double vectors) {
  if (index.kind == IndexKind::flat) return vectors * index.dimensions * index.bytes_per_dimension;
  const double lists = list_count(index, vectors);
  const double share = std::min(1.0, index.probes / lists);
  return vectors * share * (index.code_bytes + 8) + lists * index.dimensions * 4;
}

Value<Time> scan_time(const VectorIndex& index, double vectors) {
  const double bytes = scanned_bytes(index, vectors);
  return {bytes / core_bandwidth_low * second, bytes / core_bandwidth * second,
          bytes / core_bandwidth_high * second,
          assumed("7 to 14 GB/s a core: a DDR5 server socket's bandwidth over its cores")};
}

/// Work of a search against the anchor's: width of a vector, and recall.
double hnsw_effort(const VectorIndex& index, double recall) {
  const double width = index.dimensions * index.bytes_per_dimension;
  const double miss = (1 - recall) / anchor_miss;
  return (access_bytes + width) / (access_bytes + anchor_bytes) * std::pow(miss, -recall_exponent);
}

Value<Time> ordered(std::array<double, 3> s, SourcePtr source) {
  std::sort(s.begin(), s.end());  // below 1M vectors the steeper law is the cheaper one
  return {s[0] * second, s[1] * second, s[2] * second, std::move(source)};
}

Value<Time> hnsw_time(const VectorIndex& index, double vectors, double recall) {
  const double effort = hnsw_effort(index, recall), size = vectors / anchor_vectors;
  auto at = [&](const Anchor& a) { return a.seconds * effort * std::pow(size, a.size_exponent); };
  return ordered({at(hnsw_low), at(hnsw_likely), at(hnsw_high)},
                 published("VectorDBBench leaderboard v2, Qdrant and pgvector benchmarks, our fit",
                           "2024-06"));
}

Value<Time> hnsw_latency(const VectorIndex& index, double vectors, double recall) {
  const double effort = hnsw_effort(index, recall);
  const double steps = std::log(std::max(vectors, 2.0)) / std::log(anchor_vectors);
  const double segments = std::pow(vectors / anchor_vectors, segmented_exponent);
  auto at = [&](const Alone& a, double growth) { return a.server + a.search * effort * growth; };
  return ordered(
      {at(alone_low, steps), at(alone_likely, steps), at(alone_high, segments)},
      published("VectorDBBench leaderboard v2 (serial p99) and Qdrant benchmarks, our fit",
                "2024-06"));
}

}  // namespace

std::string_view index_kind_name(IndexKind kind) { return kind_names[std::size_t(kind)]; }

double chunk_count(Tokens corpus, Tokens chunk, Tokens overlap) {
  const double total = corpus.si(), length = std::max(chunk.si(), 1.0);
  if (total <= 0) return 0;
  const double shared = std::clamp(overlap.si(), 0.0, length - 1);
  return std::max(1.0, std::ceil((total - shared) / std::max(length - shared, 1.0)));
}

Flops embedding_flops(const catalog::Model& model, double chunks, Tokens chunk) {
  return chunks * chunk * forward_flops(model, chunk.si()).total();
}

int vector_length(const catalog::Model& model) {
  return model.embedding_dim > 0 ? model.embedding_dim : model.hidden;
}

Information index_bytes(const VectorIndex& index, double vectors) {
  const double d = index.dimensions, flat = d * index.bytes_per_dimension;
  switch (index.kind) {
    case IndexKind::flat:
      return vectors * flat * byte;
    case IndexKind::hnsw:
      return vectors * (flat + 2.0 * index.links * 4) * index.overhead * byte;
    case IndexKind::ivf_pq:
      break;
  }
  const double lists = vectors > 0 ? list_count(index, vectors) : 0;
  return (vectors * (index.code_bytes + 8.0) + (lists + 256) * d * 4) * byte;
}

Value<Time> query_core_time(const VectorIndex& index, double vectors, double recall) {
  const double n = std::max(vectors, 1.0);
  if (index.kind != IndexKind::hnsw) return scan_time(index, n);
  return hnsw_time(index, n, std::clamp(recall, 0.5, 0.999));
}

Value<Time> query_latency(const VectorIndex& index, double vectors, double recall) {
  const double n = std::max(vectors, 1.0);
  if (index.kind == IndexKind::hnsw) {
    return hnsw_latency(index, n, std::clamp(recall, 0.5, 0.999));
  }
  const auto scan = scan_time(index, n);
  return {alone_low.server * second + scan.low * second, alone_likely.server * second + scan.get(),
          alone_high.server * second + scan.high * second, scan.origin.source};
}

SearchFleet size_search(const VectorIndex& index, double vectors, double recall, Rate rate,
                        const SearchNode& node) {
  SearchFleet f;
  const double memory = std::max(node.memory.in(byte), 1.0);
  f.shards = std::max(1.0, std::ceil(index_bytes(index, vectors).in(byte) / memory));
  const double each = vectors / f.shards;
  f.core_time = query_core_time(index, each, recall).get();
  f.latency = query_latency(index, each, recall).get();
  f.load = std::max(rate.si(), 0.0) * f.core_time.si();
  const double cores = std::max(node.cores, 1.0);
  const double limit = std::clamp(node.utilisation, 0.01, 0.99);
  f.replicas = std::max(1.0, std::ceil(f.load / (cores * limit)));
  f.nodes = f.shards * f.replicas;
  f.busy = f.load / (f.replicas * cores);
  return f;
}

Tokens extra_prefill(const RagPrompt& prompt) {
  return prompt.passages * prompt.chunk + prompt.instructions;
}

Flops rerank_flops(const catalog::Model& model, double candidates, Tokens chunk, Tokens question) {
  const Tokens pair = chunk + question;
  return candidates * pair * forward_flops(model, pair.si()).total();
}

}  // namespace headroom::workload
