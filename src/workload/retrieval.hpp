// Retrieval-augmented generation: what the documents, the index and the queries cost.
//
//   corpus -> chunks -> embedding FLOPs -> index memory -> query cost -> extra prefill
//
// Memory formulas are exact for the named libraries. The cost of a query is empirical: it
// is anchored at measured operating points (VectorDBBench, Qdrant benchmarks) and comes as
// a range, because engines differ by a factor of four at equal recall and nobody's figure
// holds for another's data. See docs/models/workload.md for the rows.
//
// Complexity O(layers). Pure functions.
#pragma once

#include <string_view>

#include "base/quantity.hpp"
#include "base/value.hpp"
#include "catalog/model.hpp"

namespace headroom::workload {

// --- Corpus ----------------------------------------------------------------------

/// Chunks of `chunk` tokens that overlap by `overlap`: ceil((corpus - overlap) /
/// (chunk - overlap)) as if the corpus were one text; at least one when it is not empty.
/// `overlap` at or above `chunk` is taken as chunk - 1.
double chunk_count(Tokens corpus, Tokens chunk, Tokens overlap);
/// Embedding every chunk once: chunks x chunk x forward FLOPs of a token at that length.
Flops embedding_flops(const catalog::Model& model, double chunks, Tokens chunk);
/// Length of the vector that an embedding model yields.
int vector_length(const catalog::Model& model);

// --- Index -----------------------------------------------------------------------

enum class IndexKind : unsigned char {
  flat,    ///< exhaustive, recall 1
  hnsw,    ///< navigable graph
  ivf_pq,  ///< inverted lists of product-quantised codes
};
std::string_view index_kind_name(IndexKind kind);

struct VectorIndex {
  IndexKind kind = IndexKind::hnsw;
  int dimensions = 1024;
  double bytes_per_dimension = 4;  ///< fp32 4, fp16 2, int8 scalar quantisation 1
  int links = 16;                  ///< HNSW M; the bottom layer has 2 M links
  int code_bytes = 64;             ///< IVF-PQ bytes of one code
  int lists = 0;                   ///< IVF lists; 0 = 4 sqrt(N) (Faiss guideline)
  int probes = 64;                 ///< IVF lists a query visits
  /// Graph index allocations beyond vectors and links: ScyllaDB sizes at 1.2.
  double overhead = 1.2;
};

/// Memory of the index over `vectors` vectors.
///   flat    N d b
///   hnsw    N (d b + 2 M x 4) x overhead                         (Faiss wiki; ScyllaDB sizing)
///   ivf-pq  N (code + 8) + lists d 4 + 256 d 4                    (Faiss wiki: 8-byte ids)
Information index_bytes(const VectorIndex& index, double vectors);

/// Core-seconds of one query, {low, likely, high}: what a query takes from a node's throughput.
///   flat    bytes / core bandwidth, exact
///   hnsw    anchor x (1 kB + d b) / (1 kB + 768 B) x ((1 - recall) / 0.05)^-0.75 x (N / 1e6)^0.5
///           anchor 0.84 - 3 - 6 ms at 1M x 768 B, recall 0.95; the exponent of N is 0.2 for the
///           low and 0.9 for the high end (single graph against many segments)
///   ivf-pq  N x probes / lists codes / core bandwidth; its recall is not predicted
/// Reading a vector costs a random access, as long as streaming 1 kB (100 ns at 10 GB/s), and its
/// bytes. `recall` is clamped to [0.5, 0.999]. Never zero for a non-empty index.
Value<Time> query_core_time(const VectorIndex& index, double vectors, double recall);

/// Mean time of one query on an idle node, {low, likely, high}. Not `query_core_time`: a graph
/// search visits ever more segments in parallel, so its latency grows with ln N (Malkov and
/// Yashunin 2018, section 4.2) while the core time of all segments grows faster.
///   hnsw    server + search x (1 kB + d b) / (1 kB + 768 B) x ((1 - recall) / 0.05)^-0.75
///           x ln N / ln 1e6
///           server 0.3 - 1 - 5 ms, search 0.5 - 1.5 - 4 ms; the high end grows with N^0.37
///   flat, ivf-pq  server + scan on one core
/// The server's part is parsing, merging and the reply; the network to it is not in.
Value<Time> query_latency(const VectorIndex& index, double vectors, double recall);
/// Standard deviation over mean of that time: p99 is then 1.7 times the mean.
inline constexpr double query_latency_cv = 0.25;

/// A fleet of search nodes, each with `cores` cores and `memory` for the index.
struct SearchNode {
  double cores = 16;
  Information memory = 64 * gigabyte;
  double utilisation = 0.6;  ///< share of core time a node may use at the peak
};
struct SearchFleet {
  double shards = 1;    ///< nodes that hold one copy of the index
  double replicas = 1;  ///< copies needed to carry the rate
  double nodes = 1;     ///< shards x replicas
  double load = 0;      ///< cores that the rate keeps busy on each shard, all copies together
  double busy = 0;      ///< utilisation of a node's cores at the rate
  Time core_time;       ///< of one query on one shard
  Time latency;         ///< mean of one query on an idle shard; queueing is the caller's
};
/// Nodes that carry `rate` queries a second at `recall`. A query visits every shard in
/// parallel; shards come from memory, copies from core time under `utilisation`.
SearchFleet size_search(const VectorIndex& index, double vectors, double recall, Rate rate,
                        const SearchNode& node = {});

// --- Prompt ----------------------------------------------------------------------

struct RagPrompt {
  double passages = 5;  ///< chunks put into the prompt
  Tokens chunk = 512 * token;
  Tokens instructions = 200 * token;  ///< template and citations around them
};
/// Prefill tokens a request carries beyond the user's question.
Tokens extra_prefill(const RagPrompt& prompt);
/// FLOPs of reranking `candidates` chunks against the question with a cross-encoder.
Flops rerank_flops(const catalog::Model& model, double candidates, Tokens chunk, Tokens question);

}  // namespace headroom::workload
