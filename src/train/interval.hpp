// Interval: how far a predicted step time may be off, from measured runs.
//
// Every validated run has a residual x = ln(measured rate / modelled rate), the model without
// any scalar. The catalogue keeps, for each training software and each source of its runs,
// the median of exp(x) and the range of 80 % of them (`runs`), written by tools/fit-train.
//
// For a software with n rows whose own 80 % range around its median is [a, b] in ln:
//
//   spread = n / (n + k) [a, b] + k / (n + k) [A, B]         k = 6 rows
//
// where [A, B] is the range of all sources' residuals around their common median, a source of
// n rows with weight sqrt(n): the miss of a source that nobody has measured. Few rows shrink
// to it, many speak for themselves. A software without runs gets [A, B].
//
// OUTSIDE the validated domain (an accelerator, a precision, a kind of model, twice the length
// of sequence or number of GPUs that any run of this software has; of a software without runs:
// of all software) the wider of the two is taken, and half again as much for each reason
// (assumed: nothing measured says more).
// `why` names the reasons in one sentence.
//
// Complexity: about 10 us (a mixture quantile over some twenty sources). Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "catalog/training_software.hpp"
#include "train/cost.hpp"

namespace headroom::train {

/// ln of measured over modelled rate: median and the ends of the middle 80 %.
struct RateRange {
  double likely = 0, low = 0, high = 0;
  int rows = 0;
};

struct Interval {
  double low_s = 0, high_s = 0;  ///< a step
  std::string group;             ///< software whose runs it rests on; "all sources" otherwise
  int rows = 0;                  ///< measured runs behind it
  bool validated = false;        ///< the job lies inside the validated domain
  std::string why;               ///< one sentence; empty when validated
};

/// `own` with its ends shrunk to the pooled spread by its rows (see above); `pooled` when it
/// has none.
RateRange shrunk(const RateRange& own, const RateRange& pooled);

/// Residuals of the catalogue, perhaps without one source's (leave-one-source-out).
class Residuals {
 public:
  explicit Residuals(const catalog::Catalog& catalog, std::string_view without_source = {});

  /// All sources, each with the square root of its rows as weight.
  const RateRange& pooled() const { return pooled_; }
  /// The software whose runs calibrate this one: itself, or its stand-in when it has none.
  const catalog::TrainingSoftware& runs_of(const catalog::TrainingSoftware& software) const;
  /// Of one software's runs (or of what stands in for it); rows = 0 when there are none.
  RateRange of(const catalog::TrainingSoftware& software) const;
  /// `of`, or `pooled` where there are no runs: what a calibrated prediction divides by.
  RateRange serving(const catalog::TrainingSoftware& software) const;

  /// The interval of a step of `modelled_s` seconds without any scalar, around
  /// modelled_s / exp(centre).
  Interval interval(const catalog::TrainingSoftware& software, const Job& job,
                    const ParallelPlan& plan, double modelled_s, double centre) const;

 private:
  std::string outside(const catalog::TrainingSoftware& software, const Job& job,
                      const ParallelPlan& plan, int& reasons) const;

  const catalog::Catalog& catalog_;
  std::string without_;
  RateRange pooled_;
};

/// The 80 % interval of a predicted step (with its software factor inside), from the
/// built-in catalogue's runs of job.software.id.
Interval interval(const Job& job, const ParallelPlan& plan, double step_s);

/// Quantile of a mixture of two-piece normal distributions in ln, one a range, of weight
/// rows^power. `share` in (0, 1). 0 for none.
double mixture_quantile(const std::vector<RateRange>& parts, double share, double power = 0);

}  // namespace headroom::train
