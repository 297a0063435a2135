// What a scenario says of serving: chat and completion fleets, retrieval-
// augmented generation, embedding, video generation, and models at the edge.
//
//   - {name: chat, kind: serve, model: llama-3.1-70b, precision: fp8, on: gpu,
//      traffic: {rate: 20 request/s, peak: 45 request/s,
//                input: {mean: 1155 token, p99: 4142 token}, output: {mean: 211 token}},
//      slo: {ttft: 1 s, tpot: 50 ms, percentile: 99 %}}
//
// Every Value left unset is decided by the model (assess.hpp) or has the default
// given in its member initialiser with its source.
//
// Words, as the trade uses them:
//   TTFT  time to first token: from arrival at the server to the first output token.
//   TPOT  time per output token: (end-to-end - TTFT) / (output tokens - 1), i.e. the
//         mean gap between tokens of one request, first token not counted.
//   E2E   TTFT + (output tokens - 1) x TPOT.
//   percentile  the share of requests that must meet an SLO (goodput counts those).
#pragma once

#include <optional>
#include <string>

#include "base/quantity.hpp"
#include "base/value.hpp"
#include "catalog/precision.hpp"
#include "spec/fields.hpp"
#include "workload/retrieval.hpp"

namespace headroom::infer {

/// A number format, or "auto": decided by the model (see the field that holds it).
struct Format {
  std::optional<Precision> given;
  Precision or_else(Precision p) const { return given.value_or(p); }
  void field(spec::Fields& f, std::string_view key, std::string_view doc);
};

/// Lengths of prompts or answers over the requests of a workload. The model
/// takes them as lognormal, with the spread read from p99, else from p90.
struct Lengths {
  Value<Tokens> mean;
  Value<Tokens> p90;
  Value<Tokens> p99;
  Value<Scalar> variation;  ///< standard deviation / mean; used when no percentile is given
  void fields(spec::Fields& f);

  /// Coefficient of variation of the lognormal with this mean and p99, else p90; else
  /// `variation`, else `fallback`.
  double cv(double fallback) const;
};

struct Traffic {
  Value<Rate> rate;  ///< mean over the day
  Value<Rate> peak;  ///< busiest quarter of an hour; sizes the fleet
  Value<Scalar> cv;  ///< coefficient of variation of gaps between arrivals; 1 = Poisson
  Lengths input;     ///< prompt tokens, with everything the server must read
  Lengths output;
  std::string trace;           ///< request-trace entry whose statistics fill what is unset
  Value<Scalar> prefix_share;  ///< share of prompt tokens found in the prefix cache
  Value<Scalar> growth;        ///< per year
  void fields(spec::Fields& f);
};

struct Slo {
  Value<Time> ttft;
  Value<Time> tpot;
  Value<Time> e2e;
  Value<Scalar> percentile;
  Value<Tokens> context;  ///< longest request (prompt + answer) that must be served
  void fields(spec::Fields& f);
};

/// Speculative decoding: a draft proposes `length` tokens, the model verifies them.
struct Speculation {
  int length = 4;
  Value<Scalar> acceptance;  ///< chance that one drafted token is accepted
  Value<Scalar> draft_cost;  ///< time of one draft step over one step of the model
  void fields(spec::Fields& f);
};

/// Overrides of what the engine is run with. 0 and unset: the model decides.
struct EngineSpec {
  int tp = 0;
  int pp = 0;
  int ep = 0;            ///< mixtures: ways the experts are spread
  int attention_dp = 0;  ///< mixtures: replicas of attention beside each other
  int max_batch = 0;
  Value<Tokens> token_budget;
  Value<Scalar> memory_fraction;
  std::optional<Speculation> speculation;
  void fields(spec::Fields& f);
};

struct ServiceSpec {
  std::string model;
  Format precision;     ///< of weights and matrix products; auto: bf16
  Format kv_precision;  ///< of the KV cache; auto: bf16, or fp8 when the weights are narrower
  Traffic traffic;
  Slo slo;
  EngineSpec engine;
  Value<Scalar> utilisation;   ///< ceiling of load over capacity at the peak
  bool spare_replica = false;  ///< N+1: the peak must be carried with one replica lost
  Origin origin;               ///< where it was read; line 0 when it was not
  void fields(spec::Fields& f);
};

struct RagSpec {
  Value<Scalar> documents;
  Value<Tokens> document_tokens;  ///< mean length of a document
  Value<Tokens> chunk;
  Value<Scalar> overlap;  ///< share of a chunk repeated in the next one
  std::string embedding_model;
  Value<Scalar> dimensions;  ///< unset: of the embedding model
  workload::IndexKind index = workload::IndexKind::hnsw;
  Value<Information> bytes_per_dimension;
  Value<Scalar> links;               ///< HNSW M
  Value<Scalar> recall;              ///< recall target of the search
  bool hybrid = false;               ///< BM25 beside the vectors, fused by reciprocal rank
  Value<Scalar> query_terms;         ///< of BM25
  Value<Information> lexical_bytes;  ///< of the inverted index a token of the documents
  Value<Scalar> top_k;               ///< chunks put into the prompt
  Value<Scalar> candidates;          ///< chunks the reranker reads; 0: no reranker
  std::string rerank_model;
  Value<Scalar> refresh;           ///< share of the corpus embedded again each day
  Value<Information> node_memory;  ///< memory for the index in one search node
  int node_cores = 32;
  int node_count = 0;  ///< search nodes that exist; 0: not given, they are sized
  int index_replicas = 2;
  std::string residency;    ///< place the documents may not leave; kept for site
  ServiceSpec llm;          ///< its input length is without the retrieved chunks
  Value<Time> first_token;  ///< question to first token, all stages included
  void fields(spec::Fields& f);
};

struct EmbedSpec {
  std::string model;
  Format precision;
  Value<Tokens> corpus;  ///< to embed once
  Value<Time> within;    ///< time allowed for the corpus
  Value<Rate> rate;      ///< online queries
  Value<Tokens> query;   ///< tokens of one query
  void fields(spec::Fields& f);
};

struct VideoSpec {
  std::string model;
  Format precision;
  Value<Scalar> clips;          ///< a day; of pictures as well
  Value<Rate> rate;             ///< in place of `clips`: they arrive at random and wait for GPUs
  int frames = 0;               ///< in place of `clip`; 1: a picture, as an image model makes it
  Value<Time> clip;             ///< length of one clip
  Value<Scalar> width, height;  ///< pixels
  Value<Rate> frame_rate;
  Value<Scalar> steps;      ///< denoising steps
  Value<Scalar> mfu;        ///< of the denoiser; unset: the model's default
  Value<Time> deadline;     ///< time allowed from request to clip; its p99 with a rate
  Value<Time> working_day;  ///< hours a day in which clips may be made
  int gpus_per_clip = 1;
  void fields(spec::Fields& f);
};

struct EdgeSpec {
  std::string model;
  Format precision;
  Value<Scalar> sites;
  Value<Scalar> devices;      ///< boxes a site
  Value<Scalar> requests;     ///< a site and a day
  Value<Scalar> peak_factor;  ///< busiest hour over the mean hour
  Value<Tokens> input, output;
  Value<TokenRate> min_speed;  ///< tokens/s one user must see
  Value<Time> ttft;
  Value<Tokens> context;      ///< longest prompt and answer that must fit
  Value<Time> uplink;         ///< round trip to the central region it is compared with
  Value<Scalar> concurrency;  ///< requests at once one box must take
  void fields(spec::Fields& f);
};

}  // namespace headroom::infer
