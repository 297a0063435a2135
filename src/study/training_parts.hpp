// What the parts of training_run.cpp share. Internal to study.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "study/context.hpp"
#include "study/training_run.hpp"
#include "train/advice.hpp"
#include "train/flags.hpp"
#include "train/interval.hpp"
#include "train/timeline.hpp"
#include "workload/transformer.hpp"

namespace headroom::study {

/// What one GPU costs for an hour, with its place in the trace.
struct GpuPrice {
  Figure<MoneyRate> rate;  ///< node == no_node: nobody knows
  std::string origin;
  bool known() const { return rate.node != no_node; }
};
GpuPrice gpu_hour_price(Context& c, const TrainingOptions& options);
Section money_section(Context& c, const Work& work, const GpuPrice& price);

/// Candidates as rows of a table.
class RowMaker {
 public:
  RowMaker(const train::Job& job, const Work& work, const GpuPrice& price);
  PlanRow row(const train::Candidate& c) const;

 private:
  const train::Job& job_;
  double tokens_ = 0, goodput_ = 1, usd_per_gpu_s_ = 0;
};

std::vector<std::string> objective_names();
void set_objective(Context& c, const TrainingOptions& options);
std::vector<PlanRow> pareto_rows(const train::Job& job, const train::SearchOptions& search,
                                 const Work& work, const RowMaker& rows);

/// Step time, days and cost, low to high.
void add_intervals(const Work& work, const train::Job& job, TrainingRun& out);
/// Whether runs like this one were held against measurements.
void judge_domain(const Work& work, const train::Job& job, TrainingRun& out);
/// Changes in the job, another system, another checkpoint interval.
void add_changes(Context& c, const Work& work, const train::Job& job, const GpuPrice& price,
                 TrainingRun& out);
/// Why the plan that the user fixed cannot be laid out, each as a mistake.
void add_illegalities(const Work& work, const TrainingRun& run, Diagnostics& out);

}  // namespace headroom::study
