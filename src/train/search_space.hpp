// Space: the dimensions of a parallel plan and what may be chosen in each. Inner header of search.
//
// `dimensions()` is the one table: name, field, what the user may fix, choices, and which tables
// of costs depend on it. Search walks it depth first in this order; order of plans, tests of
// completeness and counting read the same table. A new field of ParallelPlan is one line there:
//
//   field<&P::schedule>("schedule", schedule_choices, fixed_schedule),
//
// A choice function appends the values that are legal with the fields before it (in table order);
// it sees the plan with those set. What only shows later (batch, interleaving) is tested by
// Rules once `layout_dimensions()` are set.
#pragma once

#include <span>
#include <vector>

#include "train/search_legal.hpp"

namespace headroom::train {

inline constexpr int open_choice = -1000;  ///< the user left it open

/// What choices may depend on, once a search.
struct Scope {
  const Job& job;
  const SearchOptions& options;
  const Rules& rules;
  std::vector<int> fixed;           ///< by dimension: the user's choice, or open_choice
  std::vector<int> batch_divisors;  ///< of a fixed batch, ascending; empty when it is no number

  Scope(const Job& job, const SearchOptions& options, const Rules& rules);
  bool weighs_gpus() const;
  /// What the walk starts from: the settings that the user gave and no dimension varies.
  ParallelPlan start() const;
};

/// Tables that depend on a dimension.
enum Uses : unsigned {
  uses_none = 0,
  uses_kernels = 1,   ///< PlanCosts: layer_cost and end_cost read the field
  uses_storage = 2,   ///< ActivationBytes reads it
  uses_pipeline = 4,  ///< PipelineTime reads it, beside the layout and PlanCosts
};

struct Dimension {
  const char* name;
  int (*get)(const ParallelPlan&);
  void (*set)(ParallelPlan&, int);
  void (*choices)(const Scope&, const ParallelPlan&, std::vector<int>& out);
  int (*fixed)(const PlanSpec&);
  unsigned uses = uses_none;
  /// The planner stops at the first choice with a plan that fits: later ones are only slower.
  bool first_fit = false;
  bool finer = false;  ///< held as the user gave it unless SearchOptions::finer
};

std::span<const Dimension> dimensions();

/// The choices of dimension `k` after those before it are set: the user's, else the table's.
void list_choices(const Scope& scope, std::size_t k, const ParallelPlan& plan,
                  std::vector<int>& out);

/// Number of leading dimensions that decide how layers, batch and GPUs are laid out: Rules are
/// asked once these are set.
std::size_t layout_dimensions();
/// Indices of dp and vpp: with them the number of micro-batches follows.
std::size_t data_dimension();
std::size_t virtual_dimension();
/// Number of leading dimensions that make one unit of work for a thread.
std::size_t cell_dimensions();

/// Micro-batches that dp and micro-batch leave for the job's batch, at least 1; with an open
/// batch and interleaving the nearest multiple of pp.
int micro_batches(const Job& job, const ParallelPlan& plan);

}  // namespace headroom::train
