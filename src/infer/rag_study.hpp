// The steps of assess(RagSpec): corpus, search, embedding and reranking, the LLM, the chain,
// limits. Private to rag.cpp and rag_limits.cpp.
#pragma once

#include "infer/rag.hpp"

namespace headroom::infer {

/// Load of the GPUs that embed and rerank (assumed).
inline constexpr double support_ceiling = 0.6;
/// Load of the search nodes' cores (assumed).
inline constexpr double search_ceiling = 0.6;

struct RagStudy {
  RagStudy(const RagSpec& s, const RagDemand& d, Trace& t) : spec(s), demand(d), book(t, d.scope) {}

  bool complete_input();
  void corpus();
  void search();
  void lexical();
  void later_of_both();
  void support();
  void service();
  ServiceSpec llm_spec();
  void chain();
  double stage(double service_s, double fixed_s) const;
  Time before_llm() const;
  void search_limits();
  void first_token_limit();
  void first_token_remedies(Margin& m) const;
  RagResult variant(RagSpec other) const;
  void refresh_limit();

  template <class Q>
  Figure<Q> given(const char* key, const Value<Q>& v, Q fallback, const char* why,
                  const char* unit) {
    return book.input(key, v.or_else(Value<Q>(fallback, assumed(why))), unit);
  }

  const RagSpec& spec;
  const RagDemand& demand;
  Book book;
  RagResult r;
  Traffic traffic;
  workload::VectorIndex index;
  workload::SearchFleet fleet;
  Figure<Scalar> documents, recall, top_k, candidates;
  Figure<Tokens> document, chunk, question;
  Figure<Rate> peak;
  Figure<Information> node_memory;
  NodeId embed_node = no_node, device_node = no_node;
  double embed_rate = 0, rerank_rate = 0, percentile = 0.99, arrival2 = 1;
  double lexical_nodes = 0;
  double support_busy = 0, support_wait_s = 0;
  bool ttft_passed_on = false;
};

/// Source of a TTFT that is what the other stages leave of the time to the first token.
SourcePtr left_over();

}  // namespace headroom::infer
