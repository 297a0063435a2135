// Embedding: a corpus once, queries all the time.
//
// An encoder reads full batches; its rate is that of prefill steps of 8,192 tokens in the step
// oracle, times 0.80: Text Embeddings Inference on an NVIDIA L4 reads 62,100 token/s of
// bge-large-en-v1.5 (infinity's benchmark page, 2024), where the oracle alone says 77,000.
//
// LIMITS  corpus  GPUs needed to embed the corpus in the time | GPUs had (when both are given)
//         queries query tokens/s                              | rate of the GPUs had
// Pure; < 1 ms.
#pragma once

#include "infer/hardware.hpp"
#include "infer/spec.hpp"

namespace headroom::infer {

/// Share of the step oracle's rate that embedding servers reach.
inline constexpr double embedding_share = 0.80;

struct EmbedDemand {
  std::string scope;
  const catalog::Model* model = nullptr;
  Hardware hardware;
};

struct EmbedResult {
  Findings findings;
  Figure<TokenRate> rate_per_gpu;
  Figure<Scalar> gpus_needed;
  Figure<Time> corpus_time;      ///< with the GPUs had, else with those needed
  Figure<Scalar> gpu_hours;      ///< for the corpus
  Figure<Time> query_time;       ///< of one query on an idle GPU
  Figure<Energy> corpus_energy;  ///< of the accelerators
};

/// Tokens one GPU embeds a second in passages of `passage` tokens.
TokenRate embedding_rate(const catalog::Model& model, const catalog::Accelerator& accelerator,
                         Precision precision, double passage);

EmbedResult assess(const EmbedSpec& spec, const EmbedDemand& demand, Trace& trace);

}  // namespace headroom::infer
