#include "train/interval.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace headroom::train {
namespace {

using catalog::TrainingSoftware;
using catalog::ValidatedRuns;

// Rows at which a group's own range and the range of all sources weigh the same. Leaving one
// row out of the published runs, 4 to 8 cover 78 to 80 % of them (docs/validation.md).
constexpr double shrink_rows = 6;
// Wider by this for each way in which a job lies outside the validated domain; assumed.
constexpr double outside_factor = 1.5;
// Between median and the ends of the middle 80 % of a normal distribution.
constexpr double deviations_of_80 = 1.2815515655446004;
// Narrowest piece of a mixture in ln: rates are printed to about three digits.
constexpr double least_deviation = 0.002;

RateRange range_of(const ValidatedRuns& r) {
  const Number& n = r.rate;
  const double low = n.ranged() ? n.low : n.likely, high = n.ranged() ? n.high : n.likely;
  return {std::log(n.likely), std::log(low), std::log(high), r.rows};
}

double two_piece_cdf(const RateRange& r, double x) {
  const double below = std::max(least_deviation, (r.likely - r.low) / deviations_of_80);
  const double above = std::max(least_deviation, (r.high - r.likely) / deviations_of_80);
  const double z = (x - r.likely) / (x < r.likely ? below : above);
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

bool has(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// What all runs of a software cover together; added to `all`.
void add_domain(const TrainingSoftware& software, std::string_view without, ValidatedRuns& all) {
  for (const auto& r : software.runs) {
    if (r.group == without) continue;
    all.rows += r.rows;
    all.accelerators.insert(all.accelerators.end(), r.accelerators.begin(), r.accelerators.end());
    all.precisions.insert(all.precisions.end(), r.precisions.begin(), r.precisions.end());
    all.gpus = std::max(all.gpus, r.gpus), all.sequence = std::max(all.sequence, r.sequence);
    all.dense = all.dense || r.dense, all.mixture = all.mixture || r.mixture;
  }
}

/// Ways in which a job lies outside a domain, each as the end of "no measured run ...".
std::vector<std::string> outside_of(const ValidatedRuns& domain, const Job& job,
                                    const ParallelPlan& plan) {
  std::vector<std::string> why;
  if (!job.accelerator.empty() && !has(domain.accelerators, job.accelerator))
    why.push_back(fmt::format("on {}", job.accelerator));
  if (!has(domain.precisions, name(job.precision)))
    why.push_back(fmt::format("in {}", name(job.precision)));
  if (job.model != nullptr && job.model->is_mixture() && !domain.mixture)
    why.emplace_back("of a mixture of experts");
  if (job.model != nullptr && !job.model->is_mixture() && !domain.dense)
    why.emplace_back("of a dense model");
  if (domain.gpus > 0 && plan.gpus() > 2.0 * domain.gpus)
    why.push_back(fmt::format("on more than twice {} GPUs", domain.gpus));
  if (domain.sequence > 0 && job.sequence > 2.0 * domain.sequence)
    why.push_back(fmt::format("beyond twice {} tokens", domain.sequence));
  return why;
}

}  // namespace

double mixture_quantile(const std::vector<RateRange>& parts, double share, double power) {
  if (parts.empty()) return 0;
  double low = parts.front().low, high = parts.front().high;
  for (const auto& p : parts) low = std::min(low, p.low), high = std::max(high, p.high);
  const double margin = 5 * (high - low) + 1;
  low -= margin, high += margin;
  const auto weight = [&](const RateRange& p) { return std::pow(std::max(1, p.rows), power); };
  double total = 0;
  for (const auto& p : parts) total += weight(p);
  for (int k = 0; k < 60; ++k) {
    const double middle = 0.5 * (low + high);
    double sum = 0;
    for (const auto& p : parts) sum += weight(p) * two_piece_cdf(p, middle);
    (sum < share * total ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

RateRange shrunk(const RateRange& own, const RateRange& pooled) {
  if (own.rows == 0) return pooled;
  const double weight = own.rows / (own.rows + shrink_rows);
  const auto blend = [&](double mine, double all) { return weight * mine + (1 - weight) * all; };
  RateRange out = own;
  out.low = own.likely + blend(own.low - own.likely, pooled.low - pooled.likely);
  out.high = own.likely + blend(own.high - own.likely, pooled.high - pooled.likely);
  return out;
}

Residuals::Residuals(const catalog::Catalog& catalog, std::string_view without_source)
    : catalog_(catalog), without_(without_source) {
  std::vector<RateRange> parts;
  for (const auto* software : catalog.all<TrainingSoftware>())
    for (const auto& r : software->runs)
      if (r.group != without_ && r.rate && r.rows > 0) {
        parts.push_back(range_of(r));
        pooled_.rows += r.rows;
      }
  // Between a vote for every source and a vote for every row.
  constexpr double root = 0.5;
  pooled_.likely = mixture_quantile(parts, 0.5, root);
  pooled_.low = mixture_quantile(parts, 0.1, root);
  pooled_.high = mixture_quantile(parts, 0.9, root);
}

const TrainingSoftware& Residuals::runs_of(const TrainingSoftware& software) const {
  if (!software.runs.empty() || software.stands_in.empty()) return software;
  const auto* other = catalog_.find<TrainingSoftware>(software.stands_in);
  return other != nullptr ? *other : software;
}

RateRange Residuals::of(const TrainingSoftware& named) const {
  const auto& software = runs_of(named);
  std::vector<RateRange> parts;
  RateRange out;
  bool all_there = true;
  for (const auto& r : software.runs) {
    if (r.group == without_ || !r.rate || r.rows <= 0) {
      all_there = false;
      continue;
    }
    parts.push_back(range_of(r)), out.rows += r.rows;
  }
  if (parts.empty()) return {};
  // With all its sources the software's own figures are exact; a part is put together.
  if (all_there && software.calibration) {
    const Number& n = software.calibration;
    out.likely = std::log(n.likely);
    out.low = std::log(n.ranged() ? n.low : n.likely);
    out.high = std::log(n.ranged() ? n.high : n.likely);
    return out;
  }
  out.likely = mixture_quantile(parts, 0.5);
  out.low = mixture_quantile(parts, 0.1), out.high = mixture_quantile(parts, 0.9);
  return out;
}

RateRange Residuals::serving(const TrainingSoftware& software) const {
  const auto own = of(software);
  return own.rows > 0 ? own : pooled_;
}

std::string Residuals::outside(const TrainingSoftware& named, const Job& job,
                               const ParallelPlan& plan, int& reasons) const {
  const auto& software = runs_of(named);
  ValidatedRuns domain;
  add_domain(software, without_, domain);
  const bool own = domain.rows > 0;
  if (!own)
    for (const auto* other : catalog_.all<TrainingSoftware>()) add_domain(*other, without_, domain);
  const auto why = outside_of(domain, job, plan);
  reasons = int(why.size());
  const auto list = fmt::format("{}", fmt::join(why, ", nor "));
  if (own) return why.empty() ? list : fmt::format("no measured run of {} {}", named.name, list);
  return fmt::format("no measured run of {}{}{}", named.name,
                     why.empty() ? "" : ", and of any software none ", list);
}

Interval Residuals::interval(const TrainingSoftware& software, const Job& job,
                             const ParallelPlan& plan, double modelled_s, double centre) const {
  const auto own = of(software);
  const auto range = shrunk(own, pooled_);
  const double all_low = pooled_.low - pooled_.likely, all_high = pooled_.high - pooled_.likely;
  double low = range.low - range.likely, high = range.high - range.likely;
  Interval out;
  out.group = own.rows > 0 ? runs_of(software).id : std::string("all sources");
  out.rows = own.rows > 0 ? own.rows : pooled_.rows;
  int reasons = 0;
  out.why = outside(software, job, plan, reasons);
  out.validated = out.why.empty();
  if (!out.validated) {
    const double wider = std::pow(outside_factor, reasons);
    low = wider * std::min(low, all_low), high = wider * std::max(high, all_high);
  }
  // A higher rate is a shorter step.
  out.low_s = modelled_s * std::exp(-centre - high);
  out.high_s = modelled_s * std::exp(-centre - low);
  return out;
}

Interval interval(const Job& job, const ParallelPlan& plan, double step_s) {
  const auto& catalog = catalog::Catalog::builtin();
  static const Residuals residuals(catalog);
  const auto* software = catalog.find<TrainingSoftware>(job.software.id);
  if (software == nullptr) software = catalog.find<TrainingSoftware>("any");
  static const TrainingSoftware unknown;
  return residuals.interval(software != nullptr ? *software : unknown, job, plan, step_s, 0);
}

}  // namespace headroom::train
