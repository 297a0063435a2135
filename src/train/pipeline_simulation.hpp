// Pipeline simulation: one step of a pipeline schedule played pass by pass.
//
// Every rank works through its published order of passes, one at a time; a pass
// starts when the rank is free and its input has arrived:
//
//   forward  of stage s     after forward of stage s-1 (+ send, if on another rank)
//   backward of stage s     after backward of stage s+1 (+ send); on the last stage
//                           after its own forward
//   weights  of stage s     after backward of stage s
//
// A send leaves when its pass ends. Its `exposed` share keeps the sender busy; the
// receiver has the data after all of it. Passes that run together (DualPipe) start
// when both have their input and end together.
//
// Deterministic. O(p v m) time and memory.
#pragma once

#include <vector>

#include "train/pipeline.hpp"

namespace headroom::train {

enum class Pass : unsigned char {
  forward,
  backward,         ///< by inputs and weights in one
  backward_inputs,  ///< split: by inputs only
  backward_weights
};
std::string_view pass_name(Pass p);  ///< "forward"

/// One entry of a rank's order.
struct Slot {
  Pass pass = Pass::forward;
  bool paired = false;  ///< runs together with the next (or, for the second, the former) entry
  int chunk = 0;        ///< of the rank; for dualpipe the direction
  int micro_batch = 0;
};
/// What every rank does, in order. Requires an empty schedule_problem.
std::vector<std::vector<Slot>> pass_order(const Pipeline& p);

/// What a pass waited for after the rank was free.
enum class Wait : unsigned char { none, activations, gradients };

struct Op {
  Slot slot;
  int stage = 0;              ///< of the model
  double start = 0, end = 0;  ///< seconds; `end` excludes the exposed send
  double waited = 0;          ///< seconds the rank stood idle before `start`
  Wait wait = Wait::none;
};

struct RankTrace {
  std::vector<Op> ops;                            ///< by start
  double busy = 0;                                ///< seconds computing
  double sending = 0;                             ///< seconds kept busy by sends
  double fill = 0;                                ///< idle before its first pass
  double for_activations = 0, for_gradients = 0;  ///< idle between passes
  double drain = 0;                               ///< idle after its last
  /// Most micro-batches whose activations are held at once, counted in shares of the
  /// rank's layers (dualpipe: of one of its two stages). Held from the start of the
  /// forward pass to the end of the last pass that needs them.
  double in_flight = 0;
  double idle() const { return fill + for_activations + for_gradients + drain; }
};

struct Timeline {
  Pipeline pipeline;
  std::vector<RankTrace> ranks;
  double total = 0;  ///< seconds from the first pass's start to the last one's end
};

Timeline simulate(const Pipeline& p);
/// The same with any times; `stages` has stage_count entries.
Timeline simulate(const Pipeline& p, const std::vector<StageTimes>& stages);

}  // namespace headroom::train
