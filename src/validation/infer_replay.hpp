// InferReplay: measured runs through the serving engine, request by request.
//
// LOGS. The run's own arrivals and lengths. A log's times are the server's: TTFT and latency run
// from `queued_ts`, when the scheduler takes the request in. An engine that is in a step takes it
// in at the end of that step, so the replay, too, counts from the first step that starts after the
// arrival. No delivery to a client is added.
//
// OPEN LOOP. The load generator is inference-perf. Its "constant" load draws exponential gaps and
// stretches them until they fill the stage (loadgen/load_timer.py, ConstantLoadTimer): arrivals
// are Poisson given their number, so a server that averages 111 of 128 sequences queues at times.
// Which gaps a run drew is not known; 16 draws are replayed and their requests pooled (one of a
// run with an overloaded stage, whose queue outgrows chance).
// Prompts are sent in turn. The rows' mean prompt length is whole in hundredths wherever all
// requests finished, and the same in both stages of a run, which only passes over 100 (not users x
// system prompts, 44 to 50) explain; it does not grow, so no answer is fed back. These 100 share
// nothing here (assumed: shared system prompts leave TTFT p99 12.0 % off instead of 11.1 %). The
// first pass is computed, later ones find all but the last block. Stages of one run follow each
// other in one engine, the second one warm. vLLM composes a step while the one before runs
// (asynchronous scheduling), one of the 1.5 steps of delivery that infer/capacity.cpp derives: a
// request that arrives among cold prompts waits for theirs. TTFT and latency are the client's.
// Answers have the length that was asked for: (E2E - TTFT) / ITL of the rows is twice that within 1
// %, the client having counted two stream events a token, so its ITL and TPOT are half of the
// server's, and `output_tokens_mean` is the client's own tokenisation of the text.
//
// OVERLOAD is told before anything runs: the stage's rate against the rate at which a replica
// saturates (infer::Replica).
//
// CLOSED LOOP. C users, ten prompts each, lengths drawn as the client does, all of them at once at
// the start. The TTFT that the rows of InferenceX report without naming the statistic is the mean:
// 64 users with prompts of 8,192 tokens wait 1.8 s by the rows, 1.9 s on average in the replay
// and 0.45 s in its median.
//
// Complexity: one step of the engine each, 1 to 5 us.
#pragma once

#include <string>
#include <vector>

#include "serving/engine.hpp"
#include "validation/infer_predict.hpp"

namespace headroom::validation {

struct Seen {
  double ttft_s = 0, tpot_s = 0, e2e_s = 0;
};

/// "ttft_p90" of what was seen; nothing for a metric that is none of it.
std::optional<double> statistic(const std::vector<Seen>& seen, const std::string& metric);

/// What a log's own times say.
std::vector<Seen> seen_of(const RequestLog& log);
/// The log's requests through one engine.
std::vector<Seen> replay_log(const InferCase& c, const infer::StepModel& step);

/// The stages of one open-loop run, in order.
struct StageResult {
  std::vector<Seen> seen;
  bool overloaded = false;  ///< told before the run
  double saturation_s = 0;  ///< requests/s
};
std::vector<StageResult> replay_stages(const std::vector<const InferCase*>& stages,
                                       const infer::StepModel& step);

/// A closed loop of the case's users.
std::vector<Seen> replay_closed(const InferCase& c, const infer::StepModel& step);

/// Settings of the engine for a case.
serving::EngineConfig engine_of(const InferCase& c, const infer::StepModel& step);

}  // namespace headroom::validation
