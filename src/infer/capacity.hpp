// Capacity of one replica in steady state, in closed form.
//
// A replica runs continuous batching with chunked prefill. Requests come at l a second, with
// prompts of n fresh tokens, answers of m tokens, E tokens a sequence and step (1 without
// speculation), K = (m - 1) / E steps, and a token budget. Everything follows from the mean step:
//
//   T = E[t(b)] + E[x q(x)]            b sequences and x prompt tokens arrive in proportion to T:
//                                      E[b] = l K T, E[x] = l n T
//   S = (E'[t(b)] + o + q (found - typical) / K) / (1 - rho)     a step as an answer meets it
//   TPOT = S / E,  B = l K S           decoding sequences (Little's law)
//
// t(b) is taken over the spread of b (negative binomial), q(x), the time of prompt tokens, over the
// spread of x, as the straight line o + q x through it; rho = l n q. E' is what a decoding sequence
// meets: B itself and others, more than the mean of steps by the variance over mean of starts,
//   [(ca^2 + (cw^2) rho^2) / (1 - rho)^2, as far as answers overlap] / (1 - own):
// a prompt lengthens its step, more arrive in it, and all of that family decode side by side (a
// branching process; own: the same by sequences' share of t; cw: spread of the prompts' work).
// found - typical: prompt tokens that wait when an answer starts, behind its own long step, and
// when any step ends (queue.hpp, read_prompts: balance of the budget's backlog).
//
// The attention of prompts is summed over their lognormal lengths, with what it takes more where
// short ones share the step and where the end of the budget cuts one in two.
//
// N = B + prompts at work is capped by max_num_seqs, by the KV cache (free memory over what a
// sequence holds, prompt + (m/2)(1 + cv_m^2) tokens on average: a running sequence is a
// length-biased one), and by the budget: K (1 + g) + n tokens a request. The rate of a closed loop
// at the cap is `saturation`.
//
// TTFT (open loop) = rest of the running step, own steps and those of prompts before it
//                    (read_prompts, Little's law) + wait for a slot (Sakasegawa) + delivery.
//   Its percentile takes prompts as lognormal and the wait, when there is one, as Weibull with the
//   second moment of a wait before one server (Takacs).
// TPOT's percentile: the batch's spread B / (1 - its own share of the step) over one residence,
//   and sqrt(K (1 + cv_n^2)) p / m for the K = l m TPOT prompts that cut in.
// E2E's percentile: mean TTFT + TPOT x the answer's length at that percentile.
//
// CLOSED LOOP: `concurrency` requests at all times, the next one sent when one ends: a prompts a
// step with N = a (K + c), c = E[ceil(n / (budget - B))], T = t(B) + f (t(B, a n / f) - t(B)), l =
// a / T. Answers of one length keep together those that began together: they come in waves, one of
// the budget's prompts each, that never meet, so f = 1 / (K + 1) a wave; else they mix and
// f = 1 - exp(-a c).
//
// Speculative decoding: a step reads the KV once, multiplies (g+1) tokens a sequence,
// runs g draft steps of `draft_cost`, and yields E tokens.
//
// VALIDITY. Steady state below saturation. Held against the engine at every change
// (serving/engine_steady_test.cpp): dense and mixtures, budgets of 2,048 to 16,384, 20 to 70 % of
// saturation, lengths of cv up to 1: mean TPOT, batch and throughput within 3 %, mean TTFT within
// 10 %, its p90 within 20 %, and the rate at saturation within 3 %; TPOT is up to 5 % low at 79 %.
// Seen outside of that without a word of it: 4 % on TPOT for prompts of two budgets on a mixture
// that decodes less than one sequence, 6 % for prompts of cv 0.7 that take half the budget of one
// GPU at 80 %. `OperatingPoint::beyond` says why a point lies outside:
// above 70 %, prompts of work spread wider than sqrt(E[w^2]/E[w]^2 - 1) = 1.3 or of more than four
// budgets, or so many sequences that waits for a place and preemptions count. Left to the
// replaying engine: preemption, prefix-cache misses by eviction, routing imbalance and start-up.
// `operate` at or above saturation returns `stable == false`, and times at the cap.
//
// COMPLEXITY. operate ~20 us; capacity ~150 us, since targets are tested without their
// percentiles' bisection. Every figure is finite. Pure, thread-safe.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "infer/oracle.hpp"
#include "infer/queue.hpp"

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

/// Steps between the end of a prompt's own step and its first token at the client: vLLM V1
/// schedules the next step before it hands out the last, and streams in pairs. 20 stages of real
/// servers (inference-sim's training runs, 2026-02, 7B to 70B on H100) have their median TTFT
/// at 2.9 to 3.3 steps with nothing but a cached prompt's last block to read: half a step of
/// waiting, one of work, 1.5 of this.
inline constexpr double delivery_steps = 1.5;

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
enum class Binding : unsigned char { ttft, tpot, e2e, kv_cache, max_batch, memory, token_budget };
const char* binding_name(Binding binding);

/// Why a point lies outside of where the closed form was held against the engine.
enum class Beyond : unsigned char { none, load, lengths, places };
/// In words; empty for `none`.
const char* beyond_text(Beyond beyond);

struct OperatingPoint {
  bool stable = false;
  Beyond beyond = Beyond::none;
  double rate_s = 0;
  double saturation_s = 0;  ///< requests/s at the batch cap
  double batch = 0;         ///< decoding sequences, mean
  double running = 0;       ///< and those whose prompts are being read
  double batch_cap = 0;     ///< the smallest of KV, max_batch and what the token budget lets in
  double slots = 0;         ///< running / batch_cap
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

/// A replica that a fixed number of requests keep busy.
struct ClosedLoop {
  bool fits = false;         ///< false: the weights or one request do not fit; all else is 0
  double concurrency = 0;    ///< asked
  double running = 0;        ///< of these in the engine: the rest wait for a slot or for KV
  double batch = 0;          ///< of those, decoding
  double rate_s = 0;         ///< requests/s
  double output_s = 0;       ///< answer tokens/s of the replica
  double input_s = 0;        ///< prompt tokens/s, cached ones included
  double prefill_share = 0;  ///< of time
  Time step;                 ///< of decodes only
  Time tpot, ttft, e2e;      ///< means; TPOT without the first token
  StepTime parts;            ///< mean step by part, prompts included; sums to TPOT x tokens a step
};

/// One replica under a load.
class Replica {
 public:
  Replica(const catalog::Model& model, const StepModel& step, const EngineLimits& limits);

  OperatingPoint operate(const Load& load, double percentile) const;
  /// Shares of time in which it steps at all, and in which it reads prompts.
  struct Use {
    double busy = 0, prefill = 0;
  };
  Use use(const Load& load) const;
  /// Closed loop of `concurrency` requests of these lengths (`rate_s` is not read).
  ClosedLoop closed_loop(double concurrency, const Load& lengths) const;
  /// The largest rate that meets the targets, with its operating point and what binds.
  struct Capacity {
    OperatingPoint at;
    Binding binding = Binding::memory;
    bool feasible = false;  ///< false: not even a single request meets them
  };
  Capacity capacity(const Load& shape, const Targets& targets) const;

  const Memory& memory() const { return memory_; }
  const StepModel& step() const { return oracle_.model(); }
  const StepOracle& oracle() const { return oracle_; }
  const EngineLimits& limits() const { return limits_; }
  /// Time per output token of a batch, speculation included, prefill aside.
  double token_s(double batch, double context) const;
  double kv_cap(double context) const;

 private:
  /// One mean step.
  struct Mix {
    double rate = 0;        ///< requests/s
    double prompts = 0;     ///< a
    double batch = 0;       ///< B
    double running = 0;     ///< N
    double chunks = 1;      ///< c
    double carrying = 0;    ///< f
    double tokens = 0;      ///< x
    double room = 0;        ///< of the budget beside the decodes
    double decode_s = 0;    ///< t(B) as a decoding sequence meets it
    double step_s = 0;      ///< S, as it meets steps
    double typical_s = 0;   ///< T, mean of all steps
    double interval_s = 0;  ///< E[T^2] / E[T]: the step that an arrival falls into
    double full_s = 0;      ///< a step whose budget is used up
    double token_s = 0;     ///< what one more prompt token adds
    double used = 0;        ///< share of time in which the budget is used up
    double cuts = 0;        ///< of a prompt by the end of the budget
    double first_s = 0;     ///< arrival to the end of a prompt's last step
    double crowd = 1;       ///< variance over mean of the batch
    double extra_s = 0;     ///< of S, by prompts that came behind a request\'s own
    double rate_s() const { return rate; }
  };
  /// What does not change with the rate.
  struct Shape {
    double fresh = 0, keys = 0, context = 0, steps = 0, yield = 1, beside = 1;
    double together = 1;  ///< prompts that come at the same moment
    double kept = 0;      ///< as far as they stay together: 1 for answers of one length
    double lengths = 1;   ///< E[n^2] / n^2 of prompts
    double square = 1;    ///< E[w^2] / w^2 of the work of prompts
    std::array<double, 4> attention_s{};  ///< of a prompt, mean, by prompts in its step
    double cut_s = 0;                     ///< what a cut adds
    double cuts = 0;                      ///< of a prompt, by its length alone
    double product_s = 0;                 ///< of a prompt token, attention aside
    double slots = 0;                     ///< sequences that fit
    double prompts_cap = 0;               ///< a at which the budget is used up
  };
  /// A step as long as `step_s`, and the time that what arrives in it takes.
  struct Trial {
    double cuts = 0;  ///< of a prompt by the end of the budget, beside those by its length
    double step_s = 0, batch = 0, room = 0, chunks = 1, carrying = 0;
    double plain_s = 0;    ///< decodes, mean of all steps
    double seen_s = 0;     ///< decodes, as a decoding sequence meets them
    double more = 0;       ///< sequences that it meets beside the mean of steps
    double each_s = 0;     ///< of one more sequence
    double reading_s = 0;  ///< prompts, mean of all steps
    double token_s = 0;    ///< of one more prompt token
  };
  Shape shape(const Load& load) const;
  void prompt_work(const Load& load, Shape& s) const;
  double chunks(const Load& load, double fresh, double room) const;
  Mix mix(const Load& load, const Shape& s, double prompts) const;
  double carrying_s(const Shape& s, const Mix& m, double seen, double carried) const;
  Mix open(const Load& load, const Shape& s, double rate, double most) const;
  Trial trial(const Load& load, const Shape& s, double rate, double step_s, double cuts) const;
  Trial settle(const Load& load, const Shape& s, double rate, double most, double cuts) const;
  Mix arriving(const Load& load, const Shape& s, double rate, double most, const Trial& t) const;
  static double attention_s(const Shape& s, double others);
  double crowd(const Load& load, const Shape& s, double rho, double own, double generation) const;
  /// Prompts a step at which `running` sequences run.
  double prompts_at(const Load& load, const Shape& s, double running) const;
  OperatingPoint point(const Load& load, const Shape& s, const Mix& m, double percentile,
                       bool stable) const;
  void answer_times(const Load& load, const Shape& s, const Mix& m, double percentile,
                    OperatingPoint& o) const;
  Beyond beyond(const Shape& s, const Mix& m, double saturation) const;
  TokenTimes answer_spread(const Load& load, const Shape& s, const Mix& m) const;
  double prompt_cv(const Load& load, const Shape& s, const Mix& m) const;
  Response first_token(const Load& load, const Shape& s, const Mix& m, OperatingPoint& o) const;
  void usage(const Shape& s, const Mix& m, OperatingPoint& o) const;
  StepTime parts(const Shape& s, const Mix& m) const;
  std::optional<Binding> broken(const Load& load, const Shape& s, const Mix& m,
                                const Targets& targets, double cap, Binding place) const;
  double time_s(double batch, double context, double tokens, double keys, double prompts) const;

  StepOracle oracle_;
  EngineLimits limits_;
  Memory memory_;
  double longest_ = 0;
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
