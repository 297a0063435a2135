#include "study/facility_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "catalog/region.hpp"
#include "requests/synthetic.hpp"
#include "site/carbon_hours.hpp"

namespace headroom::study {
namespace {

constexpr double usual_swing = 0.25, usual_peak_h = 15, usual_weekend = 0.85;  // assumed

bool answers_people(WorkKind kind) {
  return kind == WorkKind::serve || kind == WorkKind::rag || kind == WorkKind::edge;
}

requests::Diurnal diurnal_of(const DayProfile& p) {
  auto d = requests::Diurnal::cosine(p.swing.or_else(Scalar(0)),
                                     p.peak.or_else(usual_peak_h * hour).si() / 3600);
  d.weekend = p.weekend.or_else(Scalar(1));
  return d;
}

/// Share of a cluster's busy accelerators that answer people.
double answering(const Context& c, const Machines& m) {
  double people = 0, all = 0;
  for (const auto& w : c.work) {
    if (w.machines != &m || w.spec == nullptr) continue;
    all += w.gpus_held;
    if (answers_people(w.spec->kind)) people += w.gpus_held;
  }
  return all > 0 ? people / all : 0;
}

/// Hours of power about `mean`, W, within 0 and `max`: `part` of it moves as `day` does.
std::vector<double> shape_of(const requests::Diurnal& day, double part, double mean, double max,
                             std::size_t hours, bool& flattened) {
  std::vector<double> more(hours, 0.0);  // W above the mean
  // 8,760 hours are not whole weeks.
  double off = 0, most = 0, least = 0;
  for (std::size_t h = 0; h < hours; ++h) {
    more[h] = part * (day.at(static_cast<double>(h) * 3600 + 1800) - 1);
    off += more[h] / static_cast<double>(hours);
  }
  for (double& x : more) x -= off, most = std::max(most, x), least = std::min(least, x);
  double keep = 1;
  if (most > max - mean && most > 0) keep = std::max(0.0, (max - mean) / most);
  if (least < -mean && least < 0) keep = std::min(keep, mean / -least);
  flattened = flattened || keep < 1;
  for (double& x : more) x = mean + keep * x;
  return more;
}

}  // namespace

HallShapes hall_shapes(const Context& c, std::size_t hours) {
  HallShapes out;
  auto usual = requests::Diurnal::cosine(usual_swing, usual_peak_h);
  usual.weekend = usual_weekend;
  for (const auto& hall : c.halls) {
    for (const auto& racks : hall.groups) {
      const double mean = racks.typical.si();
      out.by_group.emplace_back(hours, mean);
      const auto* m = racks.machines;
      if (m == nullptr) continue;
      const bool given = m->spec->profile.has_value();
      const double share = given ? 1 : answering(c, *m);
      const auto day = given ? diurnal_of(*m->spec->profile) : usual;
      if (share <= 0 || !day.any()) continue;
      out.by_group.back() = shape_of(day, m->it_typical.value.si() * share, mean, racks.max.si(),
                                     hours, out.flattened);
      out.flat = false;
      out.assumed = out.assumed || !given;
    }
  }
  return out;
}

Result<HourlyCarbon> hourly_carbon(const Context& c, const FacilityOptions& options,
                                   std::size_t hours) {
  HourlyCarbon out;
  if (!options.carbon.empty()) {
    auto read = site::read_carbon(options.carbon);
    if (!read) return failure(read.error());
    out.kg_per_j = std::move(*read);
    // A leap year's file beside a year of 8,760 h, or the other way round.
    const std::size_t had = out.kg_per_j.size();
    out.kg_per_j.resize(hours);
    for (std::size_t h = had; h < hours; ++h) out.kg_per_j[h] = out.kg_per_j[h - 24];
    out.origin = "hours of " + options.carbon;
    return out;
  }
  double mean = 0;
  std::string whose;
  if (c.site.carbon_intensity.node != no_node) {
    mean = c.site.carbon_intensity.value.si();
    whose = "the site's yearly mean";
  } else if (c.scenario.site) {
    const auto* region = c.catalog.find<catalog::Region>(c.scenario.site->region);
    if (region != nullptr && region->carbon) {
      mean = region->carbon.get().si();
      whose = "the yearly mean of the grid of " + region->place;
    }
  }
  if (mean <= 0) return out;
  const auto profile =
      c.scenario.site ? c.scenario.site->carbon.profile : site::CarbonProfile::solar;
  out.kg_per_j = site::carbon_shape(profile, hours);
  for (double& x : out.kg_per_j) x *= mean;
  const auto name = site::carbon_profile_names()[static_cast<std::size_t>(profile)];
  out.origin = profile == site::CarbonProfile::flat
                   ? whose
                   : fmt::format("{}, shaped by the hour: {}, assumed", whose, name);
  return out;
}

}  // namespace headroom::study
