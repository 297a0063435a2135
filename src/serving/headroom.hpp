// Headroom: what the time of steps goes to, and what to add to move an SLO. Internal to serving.
//
// SPLIT. The engine counts steps, not their parts; the mean step with a prompt in it and the mean
// step without are asked of the step model again and their parts scaled to the time measured:
//   steps with prompts   one a prompt and budget of its tokens, at most all
//   network              collectives
//   host                 host
//   compute : bandwidth  of the rest, C^3 : M^3 with C = FLOPs / peak and M = bytes / bandwidth of
//                        the step (the shares that the smooth roofline gives them)
// What prompts add to their steps is the time of prefill; the rest of the steps is decoding.
//
// BINDING of an SLO
//   TPOT  the largest part of a step without prompts
//   TTFT  what keeps requests waiting when they wait longer than a step: KV memory when the cache
//         was filled (over 95 %) or requests were preempted, seats when max_num_seqs was reached,
//         else the budget's step; otherwise the largest part of a step with a prompt
//   E2E   that of TPOT, unless more of it is spent before the first token
#pragma once

#include "infer/oracle.hpp"
#include "serving/engine.hpp"
#include "serving/replay.hpp"

namespace headroom::serving {

struct StepShares {
  TimeSplit decode, prompt;  ///< of a mean step each, summing to one (or nothing)
  double prefill_s = 0;      ///< of the busy time
  double decode_s = 0;
};
StepShares step_shares(const infer::StepOracle& oracle, const EngineConfig& config,
                       const Tally& tally);

/// The largest part.
Resource largest(const TimeSplit& split);

/// Headroom of each SLO given. `shares` and `tally` of the pool that serves most.
std::vector<SloHeadroom> slo_headroom(const Summary& s, const Slo& slo, const StepShares& shares,
                                      const EngineConfig& config, const Tally& tally);

}  // namespace headroom::serving
