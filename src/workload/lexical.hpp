// Lexical retrieval (BM25 over an inverted index), beside the vectors of retrieval.hpp.
//
//   memory      documents x tokens of one x bytes a token
//   core time   server's work + terms x documents x share read / postings a core scores a second
//   alone       server + core time, on one core
//
// A token of text leaves {1, 1.5, 3} bytes: postings of document and frequency compress to 1-2
// bytes (variable byte, PForDelta: systemoverflow.com "BM25 implementation", secondary, read
// 2026-11); the high end keeps positions (assumed).
//
// Of a term's postings block-max WAND scores a part and skips the rest. Ding and Suel 2011 on GOV2
// (25.2 M documents, as quoted in pg_textsearch's OPTIMIZATION_ROADMAP.md, read 2026-11): every
// posting takes 225 ms for 3.8 M documents, 15 % of all, block-max WAND 28 ms. With four terms a
// query (assumed) that is 3.8 % of the documents a term, an eighth of them scored:
// `postings_share` 0.47 %. A core scores 17 M a second there; 50 M today (assumed).
//   Check: Elasticsearch, 8.84 M passages of MS MARCO, one shard, 1,583 queries/s (VectorDBBench,
//   full-text run of 2026-06): 5.1 core-ms a query if its node has eight cores (recalled), 5.3 by
//   this. Its p95 of 30.6 and p99 of 50.2 ms one at a time are a lognormal of mean 12 ms and cv
//   0.83, network to the cloud included; 10.3 ms by this, where the server's 5 ms are fitted to it.
// The cost grows linearly with the collection and with the terms, which is the careful side: longer
// lists are skipped better, and a further term may even make a query faster.
//
// Complexity O(1). Pure functions.
#pragma once

#include "base/quantity.hpp"
#include "base/value.hpp"

namespace headroom::workload {

struct LexicalIndex {
  double terms = 6;              ///< of a query; MS MARCO's mean (recalled)
  double bytes_per_token = 1.5;  ///< of the documents
};

inline constexpr double postings_share = 0.038 * 28 / 225;  ///< of the documents, a term
inline constexpr double postings_per_core_s = 50e6;
/// Standard deviation over mean of a query's time: terms differ by orders of magnitude.
inline constexpr double lexical_latency_cv = 0.83;

Information lexical_bytes(const LexicalIndex& index, double documents, Tokens document);
/// Core-seconds of one query, {low, likely, high}: scoring within a factor of three.
Value<Time> lexical_core_time(const LexicalIndex& index, double documents);
/// Mean time of one query on an idle node, {low, likely, high}.
Value<Time> lexical_latency(const LexicalIndex& index, double documents);

}  // namespace headroom::workload
