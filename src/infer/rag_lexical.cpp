// BM25 beside the vectors: its index, its nodes, its time, and the later of the two searches.
#include <algorithm>
#include <cmath>

#include "infer/queue.hpp"
#include "infer/rag_study.hpp"
#include "workload/lexical.hpp"

namespace headroom::infer {

void RagStudy::lexical() {
  const workload::LexicalIndex usual;
  const auto terms = given("query-terms", spec.query_terms, Scalar(usual.terms),
                           "questions of MS MARCO (recalled)", "");
  const auto bytes = given("lexical-bytes", spec.lexical_bytes, usual.bytes_per_token * byte,
                           "compressed postings without positions", "B");
  const workload::LexicalIndex inverted{terms.value.si(), bytes.value.in(byte)};
  const double documents_indexed = r.chunks.value.si();
  r.lexical_index = book.derive("lexical-index",
                                workload::lexical_bytes(inverted, documents_indexed, chunk.value),
                                "GB", "chunks x chunk x bytes a token", {r.chunks, chunk, bytes});
  const double memory = std::max(node_memory.value.si(), 1.0);
  const double shards = std::max(1.0, std::ceil(r.lexical_index.value.si() / memory));
  const double cores = std::max(spec.node_cores, 1), each = documents_indexed / shards;
  const auto core_time =
      book.input("lexical-core-time", workload::lexical_core_time(inverted, each), "ms");
  const auto alone = book.input("lexical-alone", workload::lexical_latency(inverted, each), "ms");
  const double load = peak.value.si() * core_time.value.si();
  const double copies =
      std::max<double>(spec.index_replicas, std::ceil(load / (cores * search_ceiling)));
  lexical_nodes = shards * copies;
  const auto busy = book.derive("lexical-busy", Scalar(load / (copies * cores)), "%",
                                "peak rate x core time of a BM25 query / (copies x cores)",
                                {peak, core_time, r.lexical_index});
  const double cv = workload::lexical_latency_cv;
  Response one;
  one.service_mean = alone.value.si();
  one.service_cv = cv;
  one.wait_mean = sakasegawa_wait(cores, busy.value.si(), core_time.value.si(), arrival2, cv * cv);
  one.busy = wait_chance(cores, busy.value.si());
  r.lexical_time =
      book.derive("lexical-time", one.quantile(std::pow(percentile, 1 / (2 * shards))) * second,
                  "ms", "BM25 alone x its spread at the percentile + wait for a core",
                  {alone, core_time, busy, terms});
}

void RagStudy::later_of_both() {
  r.search_time =
      book.derive("search-time", std::max(r.vector_time.value, r.lexical_time.value), "ms",
                  "the later of vector search and BM25, at the root of the percentile",
                  {r.vector_time, r.lexical_time});
}

}  // namespace headroom::infer
