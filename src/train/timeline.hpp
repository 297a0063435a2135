// Timeline: one step of a plan's pipeline for people and for trace viewers.
//
//   const auto t = timeline(job, plan);
//   fmt::print("{}", draw(t, {.columns = 120, .colour = true}));
//   write("step.json", to_chrome_trace(t));   // chrome://tracing, ui.perfetto.dev
//
// A timeline is the pipeline's part of a step: passes and sends. Data-parallel traffic,
// the optimiser, stragglers and the software factor come after it (step.hpp); its total
// is the step's compute, bubble and sends before that factor.
#pragma once

#include <string>

#include "train/pipeline_plan.hpp"

namespace headroom::train {

/// Plays the plan's pipeline. Requires an empty schedule_problem(job, plan).
Timeline timeline(const Job& job, const PlanCosts& costs, const ParallelPlan& plan);
Timeline timeline(const Job& job, const ParallelPlan& plan);

struct DrawOptions {
  int columns = 100;    ///< of the terminal; 60 to 400
  bool colour = false;  ///< ANSI colours
  bool utf8 = true;     ///< else plain ASCII
  int rows = 32;        ///< ranks drawn; of more, a quarter of that from either end
};
/// One row a rank: passes with their micro-batch's number (from 1), idle time as dots,
/// its idle share and the most micro-batches it holds; a time axis in ms and a legend. Where
/// passes would be narrower than a column, the middle of the step is left out.
std::string draw(const Timeline& t, const DrawOptions& options = {});

/// {"schedule", "total_ms", "send_ms", "micro_batches", "chunks", "ranks": [{"rank",
/// "busy_ms", "sending_ms", "idle_ms": {"fill", "activations", "gradients", "drain"},
/// "idle_share", "in_flight", "ops": [{"kind", "micro_batch", "chunk", "stage", "start_ms",
/// "end_ms", "waited_ms", "waited_for", "paired"}]}]}; micro-batches, chunks and stages from 0.
std::string to_json(const Timeline& t, int indent = -1);

/// Chrome's trace event format: a complete event a pass, a thread a rank, microseconds.
std::string to_chrome_trace(const Timeline& t);

}  // namespace headroom::train
