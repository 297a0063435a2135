// InferCase: a measured serving row as a replica that the infer and serving layers can evaluate.
//
// What a row leaves open is filled in by one rule each, and `assumptions` names it:
//   KV format       fp8 where weights are fp8 or fp4, else 16 bit
//   lengths         InferenceX draws them from 0.8 to 1.0 of the nominal: mean 0.9 (client's
//                   RANDOM_RANGE_RATIO); others exact
//   budget          tokens a step: 8,192, as vLLM, TensorRT-LLM and SGLang have by default on
//                   large GPUs; 2,048 for TensorRT-LLM 0.x
//   dataset         MLPerf's mean lengths (outputs from the row's own token and request rates)
//   degrees         where ep > 1 the file multiplies tp (or attention_dp) and ep: divided again
//
// QUANTITIES. Each measured statistic is one: "ttft" and "tpot" (statistic not stated), "ttft_p90",
// "itl_mean", "out_tok_s", "decode_tok_s:tg512" ... Times in seconds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "catalog/serving_software.hpp"
#include "infer/capacity.hpp"
#include "validation/infer_names.hpp"
#include "validation/infer_rows.hpp"

namespace headroom::validation {

enum class Scene : unsigned char {
  closed_loop,    ///< `concurrency` users, each with one request at a time
  disaggregated,  ///< the same with prefill and decode on GPUs of their own
  offline,        ///< all requests at once
  online,         ///< arrivals at `rate`
  static_batch,   ///< a batch runs from prompt to last token
  prompt_only,    ///< one prompt, its first token
  single_user,    ///< one sequence: decode and prompt rates apart
  open_loop,      ///< a stage at constant rate, prompts that repeat
  log,            ///< the run's own requests
};
std::string_view scene_name(Scene scene);

struct Measure {
  std::string metric;
  double value = 0;  ///< seconds or tokens/s
  std::string unit;  ///< "s" or "token/s"
  double at = 0;     ///< tokens that the metric itself names (tg512: 512)
};

/// Workers of one kind of a disaggregated deployment.
struct Pool {
  infer::Layout layout;
  int workers = 0;   ///< 0: not stated
  double batch = 0;  ///< most sequences of a worker; 0: not stated
};

struct InferCase {
  std::string id, source, scenario;
  const catalog::Model* model = nullptr;
  ServingDevice device;
  ServingEngine engine;
  const catalog::ServingSoftware* software = nullptr;  ///< of the catalogue
  std::string precision;                               ///< of the row, in lower case
  infer::Layout layout;
  infer::EngineLimits limits;
  int replicas = 1;  ///< instances behind the figure
  Pool prefill_pool, decode_pool;
  Scene scene = Scene::closed_loop;
  double concurrency = 0;
  double input = 0, output = 0;  ///< tokens, mean
  double input_cv = 0, output_cv = 0;
  double cached = 0;
  double rate_s = 0;    ///< 0: all at once
  double requests = 0;  ///< of the whole run; 0: not known
  double beams = 1;
  double events = 1;        ///< stream events a token, as the client counts them
  int draft = 0;            ///< tokens proposed a step (MTP)
  bool overloaded = false;  ///< of a stage, once it is known
  bool drawn = false;       ///< lengths uniform in 0.8 to 1.0 of the nominal
  std::vector<Measure> measures;
  std::vector<std::string> assumptions;
  const InferRow* row = nullptr;

  /// "llama-3.1-70b|h200-sxm|vllm|fp8": rows that a calibration serves together.
  std::string group() const;
};

/// The case, or why the row cannot be compared.
tl::expected<InferCase, std::string> build_case(const InferRow& row,
                                                const catalog::Catalog& catalog);

}  // namespace headroom::validation
