// Advice: what to change next, found by evaluating it.
//
//   for (const Change& c : advise(job, gpu, now, options)) print(c.action, c.gain, c.needs);
//
// One thing is changed at a time in the job (its precision, batch, software, network,
// memory) or in what the user fixed of the plan, the planner is asked again, and the
// gain is the rate of the best plan then over the rate now:
//
//   gain = tokens/s of the best plan after the change / tokens/s now - 1
//
// So a gain is what is left of a change once the plan has been fitted to it, and two
// gains do not add up. Changes that gain nothing are listed too (`gain` of 0 or below), so
// that a report can say what was tried. Changes that need another machine in the catalogue
// (a newer GPU) or failures (checkpoint interval) belong to study, which knows both.
//
// What is tried, as far as it applies:
//   plan.<dim>      one fixed dimension of the plan left to the planner
//   plan            all of them
//   precision.<p>   narrower formats that the GPU multiplies natively
//   batch.2, .4     a larger global batch
//   overlap         tensor, expert and pipeline communication 90 % hidden
//   cuda-graphs     kernels replayed, the host launches nothing
//   attention       fused attention at the device's best rate
//   balance         experts evenly loaded
//   jitter          no stragglers
//   network.2       twice the NICs' bandwidth
//   network.taper   no oversubscription
//   domain.72       a scale-up domain of 72 GPUs
//   memory.1.5, .2  more memory a GPU at the same bandwidth
//
// Complexity: one search a change, some fifteen. Deterministic, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "train/search.hpp"

namespace headroom::train {

struct Change {
  std::string key;     ///< stable: "precision.fp8"
  std::string action;  ///< what to do, as one would tell a colleague
  std::string needs;   ///< what it costs or asks for
  double gain = 0;     ///< of tokens/s, relative
  Candidate then;      ///< best plan after the change
};

/// Gains below this are not worth a person's time.
inline constexpr double worthwhile_gain = 0.01;

/// Every change that was tried and fits the memory, largest gain first.
/// `accelerator` is the one that `job.device` was made from; `options.fixed` is what the
/// user fixed.
std::vector<Change> advise(const Job& job, const catalog::Accelerator& accelerator,
                           const Candidate& now, const SearchOptions& options);

}  // namespace headroom::train
