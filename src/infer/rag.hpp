// Retrieval-augmented generation: a chain of stages under one promise.
//
//   question -> embed -> search -> rerank -> prompt with top_k chunks -> first token
//
// The documents are cut into overlapping chunks, each a vector of an index
// (workload/retrieval.hpp sizes it and its queries); the retrieved chunks lengthen the LLM's
// prompt, which is usually what RAG costs most. The LLM's fleet is sized by service.hpp with the
// longer prompt. Embedding and reranking run on the same kind of accelerator and take whole GPUs.
//
// First token, at the service's percentile:
//   embed (one query) + search + rerank + TTFT of the LLM
// Each of the first three is a lognormal or fixed service behind Sakasegawa's wait at the
// utilisation of its own cores or GPUs at the peak (queue.hpp); a search over s shards waits for
// the slowest, the p^(1/s) quantile of one. The stages' tails are added, which bounds the
// percentile of the sum from above. When `first_token` is given and the LLM has no TTFT of its own,
// the LLM is sized for what the other stages leave of it.
//
// HYBRID (`hybrid`): BM25 over an inverted index of the same chunks (workload/lexical.hpp) on nodes
// of its own, at the same time as the vectors, so the search takes the later of the two: the p of
// the later is at most the later of their sqrt(p), as if each decided half. Reciprocal ranks are
// added in microseconds (left out). Each search hands `candidates` to the reranker, which reads
// what is left without duplicates: a quarter is in both lists (assumed). Without a reranker BM25
// changes which chunks are read, not how many.
//
// LIMITS (id "infer.<scope>.<...>")
//   index-memory  indexes of all copies            | memory of the search nodes (when they are
//   given) search        search nodes needed              | nodes that exist (when given)
//   first-token   all stages                       | allowed
//   refresh       GPU-hours to embed again a day   | 24 h of the embedding GPUs (when given)
// and the limits of the LLM service under "infer.<scope>.llm.", its TTFT only where it was asked.
//
// Pure; ~20 ms, ~100 ms when the first token falls short and remedies are worked out.
#pragma once

#include "infer/embed.hpp"
#include "infer/service.hpp"

namespace headroom::infer {

struct RagDemand {
  std::string scope;
  const catalog::Model* llm = nullptr;
  const catalog::Model* embedding = nullptr;
  const catalog::Model* reranker = nullptr;  ///< absent: the embedding model
  Hardware hardware;                         ///< of LLM, embedding and reranking
  const catalog::RequestTrace* trace = nullptr;
};

struct RagResult {
  Findings findings;  ///< with the service's
  ServiceResult service;
  Figure<Scalar> chunks;
  Figure<Information> index;               ///< one copy
  Figure<Information> lexical_index;       ///< one copy; hybrid only
  Figure<Scalar> search_nodes;             ///< needed, for both indexes
  Figure<Scalar> search_busy;              ///< share of the search nodes' core time at the peak
  Figure<Time> vector_time, lexical_time;  ///< parts of search_time; hybrid only
  Figure<Time> embed_time, search_time, rerank_time, first_token;  ///< at the percentile, peak
  Figure<Scalar> build_gpu_hours;                                  ///< to embed the corpus once
  Figure<Tokens> extra_prefill;                                    ///< retrieved tokens a request
  Figure<Scalar> support_gpus;                                     ///< for embedding and reranking
  Figure<Scalar> gpus_needed;                                      ///< LLM, embedding and reranking
};

RagResult assess(const RagSpec& spec, const RagDemand& demand, Trace& trace);

}  // namespace headroom::infer
