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

// HNSW anchors at 1M x 768, recall 0.95, in core-seconds: Milvus 16 vCPU 3,465 qps 4.6 ms and
// Elastic Cloud 8 vCPU 1,442 qps 5.5 ms (VectorDBBench leaderboard v2, Cohere 1M); Qdrant
// 8 vCPU 1,235 qps at 0.983 on 1M x 1536 int8 scales to 1.4 ms (qdrant.tech benchmarks 2024-06).
struct Anchor {
  double seconds, size_exponent;
};
constexpr Anchor hnsw_low{1.4e-3, 0.2}, hnsw_likely{4e-3, 0.5}, hnsw_high{6e-3, 0.9};
// Milvus on Cohere 1M: 3,465 / 2,233 / 1,345 qps at recall 0.953 / 0.976 / 0.985.
constexpr double recall_exponent = 0.75;
constexpr double anchor_vectors = 1e6, anchor_bytes = 768, anchor_miss = 0.05;

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

double hnsw_seconds(const Anchor& a, const VectorIndex& index, double vectors, double recall) {
  const double width = index.dimensions * index.bytes_per_dimension / anchor_bytes;
  const double miss = (1 - recall) / anchor_miss;
  return a.seconds * width * std::pow(miss, -recall_exponent) *
         std::pow(vectors / anchor_vectors, a.size_exponent);
}

Value<Time> hnsw_time(const VectorIndex& index, double vectors, double recall) {
  std::array<double, 3> s = {hnsw_seconds(hnsw_low, index, vectors, recall),
                             hnsw_seconds(hnsw_likely, index, vectors, recall),
                             hnsw_seconds(hnsw_high, index, vectors, recall)};
  std::sort(s.begin(), s.end());  // below 1M vectors the steeper law is the cheaper one
  return {s[0] * second, s[1] * second, s[2] * second,
          published("VectorDBBench leaderboard v2 and Qdrant benchmarks, our fit", "2024-06")};
}

/// Mean wait over service time in an M/M/c queue (Sakasegawa 1977).
double relative_wait(double busy, double cores) {
  return std::pow(busy, std::sqrt(2 * (cores + 1)) - 1) / (cores * (1 - busy));
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

SearchFleet size_search(const VectorIndex& index, double vectors, double recall, Rate rate,
                        const SearchNode& node) {
  SearchFleet f;
  const double memory = std::max(node.memory.in(byte), 1.0);
  f.shards = std::max(1.0, std::ceil(index_bytes(index, vectors).in(byte) / memory));
  const double service = query_core_time(index, vectors / f.shards, recall).get().in(second);
  const double load = std::max(rate.si(), 0.0) * service;  // cores busy on each shard
  const double cores = std::max(node.cores, 1.0);
  const double limit = std::clamp(node.utilisation, 0.01, 0.99);
  f.replicas = std::max(1.0, std::ceil(load / (cores * limit)));
  f.nodes = f.shards * f.replicas;
  f.busy = load / (f.replicas * cores);
  f.latency = service * (1 + relative_wait(f.busy, cores)) * second;
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
