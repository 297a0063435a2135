// Search: the configuration that serves this traffic inside these SLOs at the least cost.
//
//   SearchResult r = search(asked, space, {.objective = Objective::cost, .threads = 2});
//   r.best.front()        the chosen one; `best` holds the next best behind it
//   r.front               those that none beats in cost, in time per token and in energy at once
//   r.nearest, r.obstacle when nothing meets the SLOs: what comes nearest, and what binds it
//
// SPACE. Every combination of device, formats of weights and KV cache, tensor and pipeline degree,
// speculation, max_num_seqs and max_num_batched_tokens that is legal:
//   heads % tp == 0; the KV heads are split or, beyond their number, copied whole
//   (tp % kv_heads == 0); layers >= pp; mixtures: tp x attention_dp inside the domain, ep divides
//   them and the experts; tp inside the scale-up domain; weights and one request
//   fit the memory; the draft tokens of a full batch leave room in the budget.
// Pipeline stages are tried only where no tensor degree of one domain holds the weights (or where
// they are asked for): no run with stages stands among those the model is held against.
// With `disaggregated`, for every device and format also the cheapest pool of prefill replicas
// beside the cheapest pool of decode replicas: x prefill : y decode, a prompt's KV cache crosses
// the network in between. Formats are only those that are given: nothing is lowered silently.
//
// EACH is evaluated by the closed form (capacity.hpp): the rate one replica carries inside the
// SLOs, the replicas for the peak at `ceiling` of it and `spare` more, what those replicas then
// promise at the peak, and their power at the mean rate.
//
//   cost      = GPUs x price of a GPU-hour                              (by device; 0: unknown)
//   power     = GPUs x (time on prompts, decoding and idle, each at its watts) x PUE, at the mean
//   rate violation = max over SLOs of (time of one request alone / SLO); > 1: cannot be met
//
// ORDER is total: the objective's figure to four digits, then GPUs, then TPOT to two digits, then
// the distance from the engine's default limits, then the place in the space. So the answer
// depends neither on the order of evaluation nor on `threads`.
//
// SHARED. The step model of a (device, formats, tp, pp, speculation) is built once for all its
// limits; those families are what threads share. A SLO is tested by one evaluation of a tail, not
// by the bisection for a percentile (Response::within).
//
// Complexity: ~0.15 ms a configuration and core (bench/search_bench.cpp). Deterministic,
// thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "infer/capacity.hpp"

namespace headroom::infer {

/// One kind of GPU that can be had.
struct Device {
  std::string id;  ///< of the system, or of the accelerator
  std::string name;
  const catalog::Accelerator* accelerator = nullptr;
  fabric::Path path;
  double usd_per_gpu_s = 0;  ///< 0: unknown
  /// One GPU with its part of the server; 0: the GPU alone (hardware.hpp).
  double prefill_w = 0, decode_w = 0, idle_w = 0;
  double overhead = 1;  ///< PUE
  int most_gpus = 0;    ///< had; 0: as many as it takes
  Engine engine = Engine::vllm;
};

/// Mean power at the meter of one GPU of a device whose time goes to prompts and to decoding.
double device_power_w(const Device& device, double prefill, double decode);

/// Speculative decoding as one dimension of the space; length 0: none.
struct Draft {
  int length = 0;
  double acceptance = 0, cost = 0;
};

struct SearchSpace {
  std::vector<Device> devices;
  std::vector<Layout> formats;  ///< weights and kv; degrees are not read
  std::vector<int> tp, pp;      ///< empty: every legal one (pp: 1 where one domain is enough)
  /// Mixtures only: experts spread `ep` ways, attention run `attention_dp` times beside itself.
  /// Empty: 1, and experts over all ranks with attention on 1, 2, 4, ... of its own replicas.
  std::vector<int> ep, attention_dp;
  std::vector<int> max_batch, budget;
  std::vector<Draft> drafts{Draft{}};
  double memory_share = 0.9;
  bool disaggregated = false;
  bool aggregated = true;
};

/// vLLM's usual settings: 64 to 1,024 sequences, 2,048 to 16,384 tokens.
void usual_limits(SearchSpace& space);

struct Asked {
  const catalog::Model* model = nullptr;
  Load load;          ///< mean rate in `rate_s`
  double peak_s = 0;  ///< requests/s that size the fleet
  Targets targets;
  double ceiling = 0.85;
  double spare = 0;
  double longest = 0;  ///< tokens of the longest request that must fit; 0: the mean one
};

enum class Objective : unsigned char { cost, energy, gpus, fastest };
std::span<const std::string_view> objective_names();

struct SearchOptions {
  Objective objective = Objective::cost;
  int keep = 5;
  int threads = 1;
  bool front = false;
  Progress* progress = nullptr;  ///< who watches, and may have the search throw `Stopped`
};

/// One pool of equal replicas.
struct Pool {
  Layout layout;
  EngineLimits limits;
  double replicas = 0;
  double rate_s = 0;  ///< one replica carries inside the SLOs
  double gpus() const { return replicas * layout.gpus(); }
};

struct Candidate {
  int device = -1;
  Pool serve;    ///< all replicas, or those that decode
  Pool prefill;  ///< disaggregated only
  bool disaggregated = false;
  bool feasible = false;  ///< meets the SLOs, on the GPUs had
  Binding binding = Binding::memory;
  double gpus = 0;
  double ttft_s = 0, ttft_p_s = 0, tpot_s = 0, tpot_p_s = 0, e2e_s = 0, e2e_p_s = 0;  ///< at peak
  double transfer_s = 0;  ///< of a prompt's KV cache, disaggregated
  double usd_s = 0;       ///< 0: no price
  double power_w = 0;     ///< at the meter, at the mean rate
  double violation = 0;   ///< of one request alone; <= 1 when the SLOs can be met
  double rate_s = 0;      ///< requests/s of the fleet inside the SLOs
  long place = 0;         ///< in the space
};

struct SearchResult {
  std::vector<Candidate> best;   ///< feasible, best first
  std::vector<Candidate> front;  ///< cheapest first
  Candidate nearest;             ///< when nothing is feasible; device -1: nothing is legal
  std::string obstacle;          ///< why, in words; empty when something is feasible
  long legal = 0, evaluated = 0, feasible = 0;
  bool found() const { return !best.empty(); }
};

SearchResult search(const Asked& asked, const SearchSpace& space,
                    const SearchOptions& options = {});

/// One configuration, as given: legality is not asked.
Candidate evaluate(const Asked& asked, const Device& device, const Layout& layout,
                   const EngineLimits& limits, double replicas = 0);

/// Why a degree of tensor or pipeline parallelism is not legal for a model, with the nearest that
/// is; empty when it is.
std::string illegal_degree(const catalog::Model& model, int tp, int pp, int domain);
/// Legal tensor degrees up to a domain.
std::vector<int> legal_degrees(const catalog::Model& model, int domain);

/// Whether a device multiplies these weights without widening them, or they are four-bit
/// integers, which every engine unpacks.
bool runs_format(const catalog::Accelerator& accelerator, Precision weights);

/// `a` before `b` by an objective.
bool better(const Candidate& a, const Candidate& b, Objective objective);

}  // namespace headroom::infer
