// What the parts of facility_transient.cpp share. Internal to study.
#pragma once

#include "power/waveform.hpp"
#include "study/context.hpp"
#include "study/facility_transient.hpp"

namespace headroom::study {

/// A training job as a wave of its accelerators.
struct SwingJob {
  const Work* work = nullptr;
  power::TrainingJob job;
  double max_w = 0;  ///< of one accelerator
};

struct SwingServing {
  const Work* work = nullptr;
  power::ServingLoad load;
};

/// Everything that swings, and what does not.
struct Swing {
  std::vector<SwingJob> jobs;
  std::vector<SwingServing> serving;
  std::size_t largest = 0;  ///< of jobs, by peak less trough
  double it_mean_w = 0;     ///< of the clusters in question
  double constant_w = 0;    ///< of IT: hosts, network, storage, idle machines
  double meter_mean_w = 0;
  double slope = 1;  ///< of the meter over IT

  double meter(double it_w) const { return meter_mean_w + slope * (it_w - it_mean_w); }
};

Swing swing_of(Context& c, const power::SwingDefaults& defaults, const TransientOptions& options,
               TransientAnswer& a);

/// Phases of one step of a planned training job.
std::vector<power::Phase> phases_of(const Work& work,
                                    std::vector<std::pair<std::string, double>>& parts);
/// Busy draw of an accelerator such that the mean of the phases is `mean_w`, waiting at `wait_w`.
power::Levels levels_of(const std::vector<power::Phase>& phases, double mean_w, double wait_w,
                        double max_w);

/// IT watts of a window, with and without limits in the accelerators.
struct ItWindow {
  power::Series plain, held;
  double burned_j = 0, deferred_j = 0;
};
struct HoldLimits {
  double floor = 0;        ///< of an accelerator's maximum
  double ramp_it_w_s = 0;  ///< 0: none
};
ItWindow steady_window(const Swing& swing, const TransientOptions& options,
                       const power::SampleGrid& grid, const HoldLimits& limits);
ItWindow event_window(const Swing& swing, const TransientOptions& options,
                      const power::SampleGrid& grid, const power::JobEvents& events,
                      const HoldLimits& limits);

/// Ways to meet the steady limits, cheapest first.
std::vector<SmoothingPlan> smoothing_plans(Context& c, const Swing& swing,
                                           const TransientOptions& options,
                                           const power::SampleGrid& grid,
                                           const power::Target& target, double energy_usd_j);

/// Storage that smooths in the way of shelves, UPS batteries and plants.
power::StorageKind shelf_kind();
power::StorageKind ups_kind(const catalog::Catalog& catalog, const power::StorageSpec& spec);
power::StorageKind bess_kind(const power::StorageSpec& spec);

/// Limits as margins, with remedies from the plans.
void transient_margins(TransientAnswer& a);

/// Sags: loads, battery, generators of the scenario; GPU time lost.
void ride_sags(Context& c, const power::TransientSpec& spec, TransientAnswer& a);

/// USD a joule; 0: nobody knows.
double energy_price(const Context& c);

}  // namespace headroom::study
