// Capacity of one replica in steady state, in closed form.
//
// A replica runs continuous batching with chunked prefill. With arrivals at rate
// l, prompts of n fresh tokens that add p seconds of prefill work, answers of m tokens, and
// t(B) the time of a decode step of B sequences,
//
//   TPOT = t(B) / (1 - l p)             prefill takes its share of every second
//   B    = l (m - 1) TPOT               Little's law
//   l(B) = B / ((m - 1) t(B) + B p)     both together, solved for B by bisection
//
// B is capped by max_num_seqs and by the KV cache: free memory over what a sequence
// holds, prompt + (m/2)(1 + cv_m^2) tokens on average (a running sequence is a
// length-biased one). The rate at the cap is `saturation`.
//
// TTFT = rest of the running step + queue + own chunks, each with the decodes beside it, +
// delivery:
//   own   = t(B) / 2 + p(n) + max(1, n / budget) t(B) + 1.5 t(B)
//   queue = Kingman's G/G/1 on the prefill work, load l (p + n/budget t(B)),
//           plus Sakasegawa's G/G/k wait for one of the B_max slots.
//   Its percentile takes prompts as lognormal and the wait as exponential when there is one.
// TPOT's percentile: a batch of B + z sqrt(B) (Poisson occupancy), and
//   z sqrt(K (1 + cv_n^2)) p / m for the K = l m TPOT prompts that cut in.
// E2E's percentile: mean TTFT + TPOT x the answer's length at that percentile.
//
// Speculative decoding: a step reads the KV once, multiplies (g+1) tokens a sequence,
// runs g draft steps of `draft_cost`, and yields E tokens.
//
// VALIDITY. Steady state below saturation. Preemption, prefix-cache misses by eviction,
// routing imbalance and engine start-up are left to the replaying engine. `operate` at or
// above saturation returns `stable == false`, and times at the cap.
//
// COMPLEXITY. operate ~20 us; capacity ~0.3 ms; search < 20 ms. Pure, thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "infer/step.hpp"

namespace headroom::infer {

/// What arrives at one replica. Plain numbers: it is the search's inner loop.
struct Load {
  double rate_s = 0;  ///< requests/s
  double arrival_cv = 1;
  double input = 0;  ///< prompt tokens, mean
  double input_cv = 0;
  double output = 0;  ///< answer tokens, mean
  double output_cv = 0;
  double cached = 0;        ///< of the prompt's tokens, found in the prefix cache
  double context() const {  ///< tokens a running sequence holds, mean
    return input + output / 2 * (1 + output_cv * output_cv);
  }
};

/// How the engine is run.
struct EngineLimits {
  double max_batch = 256;     ///< max_num_seqs
  double budget = 8192;       ///< max_num_batched_tokens
  double memory_share = 0.9;  ///< gpu_memory_utilization
  double speculation = 0;     ///< draft length g; 0: none
  double acceptance = 0;
  double draft_cost = 0;
};

/// SLOs in seconds; 0: none.
struct Targets {
  double ttft_s = 0, tpot_s = 0, e2e_s = 0;
  double percentile = 0.99;
};

/// GPU memory of a replica, per GPU.
struct Memory {
  Information had;  ///< usable share of the device
  Information weights;
  Information workspace;  ///< activations, CUDA graphs, communication buffers
  Information kv_free() const { return had - weights - workspace; }
  bool fits() const { return kv_free().si() > 0; }
};
Memory replica_memory(const StepModel& step, const EngineLimits& limits,
                      const catalog::Model& model);

/// What binds a replica's rate.
enum class Binding : unsigned char { ttft, tpot, e2e, kv_cache, max_batch, memory };
const char* binding_name(Binding binding);

struct OperatingPoint {
  bool stable = false;
  double rate_s = 0;
  double saturation_s = 0;  ///< requests/s at the batch cap
  double batch = 0;         ///< running sequences, mean
  double batch_cap = 0;     ///< the smaller of KV and max_batch
  double slots = 0;         ///< batch / batch_cap
  double kv_cap = 0;
  double context = 0;
  double prefill_share = 0;  ///< of time
  Time step;                 ///< of decodes only
  Time tpot, tpot_p, ttft, ttft_p, e2e, e2e_p;
  double steps_s = 0;  ///< engine steps per second while there is work
  double busy = 0;     ///< share of time in which the engine steps at all
  double mfu = 0;      ///< model FLOPs over dense peak
  double mbu = 0;      ///< bytes read over memory bandwidth
  TokenRate output_rate() const { return rate_s * output * token / second; }
  double output = 0;
};

/// One replica under a load.
class Replica {
 public:
  Replica(const catalog::Model& model, const StepModel& step, const EngineLimits& limits);

  OperatingPoint operate(const Load& load, double percentile) const;
  /// The largest rate that meets the targets, with its operating point and what binds.
  struct Capacity {
    OperatingPoint at;
    Binding binding = Binding::memory;
    bool feasible = false;  ///< false: not even a single request meets them
  };
  Capacity capacity(const Load& shape, const Targets& targets) const;

  const Memory& memory() const { return memory_; }
  const StepModel& step() const { return step_; }
  const EngineLimits& limits() const { return limits_; }
  /// Time per output token of a batch, speculation included, prefill aside.
  double token_s(double batch, double context) const;
  double kv_cap(double context) const;

 private:
  /// What every part of an operating point needs.
  struct Flow {
    double rate_s = 0, prefill_s = 0, z = 0, percentile = 0;
  };
  void answer_times(const Load& load, const Flow& flow, OperatingPoint& o) const;
  void first_token_times(const Load& load, const Flow& flow, OperatingPoint& o) const;
  void usage(const Load& load, const Flow& flow, OperatingPoint& o) const;
  std::optional<Binding> broken(const OperatingPoint& o, const Targets& targets) const;
  double prefill_s(const Load& load, double batch) const;
  double rate_at(const Load& load, double batch) const;
  double solve_batch(const Load& load, double cap) const;

  StepModel step_;
  EngineLimits limits_;
  Memory memory_;
};

/// The layouts that can hold the model on a device: tp over the powers of two up to
/// `domain` that divide the heads, and pipeline stages where a whole domain is too
/// small; fixed degrees where the engine spec says so. Unfitting ones are left out.
std::vector<Layout> feasible_layouts(const catalog::Model& model,
                                     const catalog::Accelerator& accelerator,
                                     const fabric::Path& path, const Layout& formats,
                                     const EngineSpec& spec, const EngineLimits& limits,
                                     int most_gpus);

/// One layout with its capacity.
struct Choice {
  Layout layout;
  Replica::Capacity capacity;
  double replicas = 0;  ///< for `peak_s` at the utilisation ceiling, spare included
  double gpus() const { return replicas * layout.gpus(); }
};
/// The choice that needs the fewest GPUs (then the lowest TPOT) for `peak_s` requests/s,
/// no replica loaded above `ceiling` of its capacity, and `spare` replicas beside them; every
/// layout tried is in `tried`.
/// Infeasible choices have no replicas; the best of them by TPOT is returned when nothing fits.
struct Search {
  std::optional<Choice> best;
  std::vector<Choice> tried;
};
Search search_layouts(const catalog::Model& model, const catalog::Accelerator& accelerator,
                      const fabric::Path& path, const std::vector<Layout>& layouts, Engine engine,
                      const EngineLimits& limits, const Load& shape, const Targets& targets,
                      double peak_s, double ceiling, double spare = 0);

}  // namespace headroom::infer
