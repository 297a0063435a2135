// Pipeline: schedules of a pipeline-parallel step, their placement of stages and
// their closed-form time and memory. pipeline_simulation.hpp plays the same
// schedules event by event; pipeline_test.cpp holds the two within 0.5 %.
//
// A pipeline of `ranks` p, `chunks` v on a rank and `micro_batches` m. A stage needs
// f seconds for a forward pass, b for the backward pass by inputs and w by weights.
// Stages are named by place: `first` is the model's first stage (embedding), `last`
// its last (head and loss), `middle` every other one. With interleaving the remaining
// chunks of the end ranks have their own times, since the ends give up layers.
//
//   schedule            bubble, equal stages, no sends    activations on rank 0
//   gpipe               (p-1)(f+b+w)                      m
//   one_f_one_b v=1     (p-1)(f+b+w)                      min(m, p)
//   one_f_one_b v>1     (p-1)(f+b+w), f, b, w of a chunk  min(m v, 2(p-1)+(v-1)p+1) / v
//   zero_bubble_h1      (p-1)(f+b-w)                      min(m, p), on every rank
//   zero_bubble_v       (p-1) max(f, b)                   min(m, p), on every rank
//   dualpipe            (p/2-1)(f&b + f - 2w)             p + 1, and weights twice
//
// zero_bubble_v's f and b are those of a chunk, half a rank's layers. dualpipe's paper
// writes (p/2-1)(F&B + B - 3W) with B = b + w: the same for f = b; for b well over f
// it is that less f. All hold where w <= b; pipeline_time knows the rest. Activations are
// counted until the pass by weights has run; what the pass by inputs frees is not taken off.
//
// UNEVEN STAGES AND SENDS. 1F1B paces at its slowest stage and hides no latency: where
// a send takes L after its pass, every micro-batch waits about 2 L (p-1)/p. Interleaved
// it hides L in the steady part and waits 2 (p v - 1) L in all; but a heavy last chunk
// (head) is not averaged with the rank's other chunks, since neighbours run only two
// passes ahead of each other: it slows every group of p micro-batches.
//
// ACCURACY against the simulation, worst of 1000 cases each (pipeline_test.cpp prints it;
// p 2..64, v 2..8, m p..16 p, b 0.8..2.6 f, w 0.3..1 f, last stage 0.25..3 of a middle one,
// first 0.25..3 (gpipe, 1F1B), ..2 (zb-h1), ..1.2 (dualpipe, zb-v), ..1.1 (interleaved);
// sends 0..5 % of a stage, blocking to asynchronous): gpipe exact, 1F1B 0.03 %, interleaved
// 0.04 %, zb-h1 0.01 %, zb-v 0.2 %, dualpipe 0.3 %; over wider searches 0.6 %. Outside:
// first stages heavier than that cost interleaving and the V up to some 8 %, sends longer
// than a pass by weights zb-h1 about 1 %; two interleaved ranks of unlike chunks up to 0.9 %.
//
// SOURCES. GPipe: Huang et al. 2019, arXiv 1811.06965. 1F1B with flush and
// interleaving: Narayanan et al. 2021, arXiv 2104.04473, in the order of Megatron-Core
// schedules.py (warm-up 2(p-r-1) + (v-1)p, groups of p micro-batches). ZB-H1: Qi et
// al. 2023, arXiv 2401.10241, in the order of its authors' code (W delayed by the
// rank's number). ZB-V: Qi et al. 2024, arXiv 2405.15362, in the order of PyTorch's
// ScheduleZBVZeroBubble. DualPipe: DeepSeek-V3, arXiv 2412.19437, in the order of
// github.com/deepseek-ai/DualPipe dualpipe.py.
#pragma once

#include <string>
#include <string_view>

#include "train/plan.hpp"

namespace headroom::train {

std::string_view schedule_name(Schedule s);  ///< "1f1b", "zb-h1", ...

/// Seconds of one stage for one micro-batch.
struct StageTimes {
  double f = 0;  ///< forward
  double b = 0;  ///< backward by inputs: what the stage before waits for
  double w = 0;  ///< backward by weights: nobody waits; schedules that do not split run b + w
  double total() const { return f + b + w; }
};

struct Pipeline {
  Schedule schedule = Schedule::one_f_one_b;
  int ranks = 1;
  int chunks = 1;  ///< stages on a rank under one_f_one_b; the other schedules ignore it
  int micro_batches = 1;
  StageTimes first, middle, last;
  StageTimes first_inner, last_inner;  ///< other chunks of rank 0 and p-1; only with chunks > 1
  /// From the end of a pass until the neighbour has its result, and the share of it
  /// in which the sender cannot compute (1: blocking sends, 0: asynchronous).
  double send_s = 0;
  double exposed = 0;
  /// DualPipe: time of a forward and a backward pass run together over that of both
  /// apart; below 1 where each hides the other's communication.
  double paired = 1;
};

/// Stages of the model along the pipeline: p v; 2 p for zero_bubble_v; p for dualpipe.
int stage_count(const Pipeline& p);
/// Times of stage s of stage_count.
StageTimes stage_times(const Pipeline& p, int s);

/// Seconds; total = busy + sends + bubble.
struct PipelineTime {
  double total = 0;   ///< from the first pass's start to the last one's end
  double busy = 0;    ///< computing, on the rank with most to do
  double sends = 0;   ///< what sends add
  double bubble = 0;  ///< that rank's idle time without them
};
/// O(1); two interleaved ranks whose passes never fall into step: O(chunks). Requires an empty
/// schedule_problem.
PipelineTime pipeline_time(const Pipeline& p);
/// Its total alone, in half the time.
double pipeline_seconds(const Pipeline& p);

/// Most micro-batches whose activations rank `rank` holds at once, in shares of its
/// layers (dualpipe: of one of its two stages), until the last pass that needs them.
double in_flight(Schedule s, int ranks, int chunks, int micro_batches, int rank);

/// Why (schedule, ranks, chunks, micro_batches) cannot run, with the nearest choice
/// that can; empty where it can.
std::string schedule_problem(Schedule s, int ranks, int chunks, int micro_batches);

}  // namespace headroom::train
