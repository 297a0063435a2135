#include "availability/spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace headroom::availability {

void UtilitySpec::fields(spec::Fields& f) {
  f.number("every", every, "d", "Between two failures of all of the utility's feeds").above(0);
  f.number("outage", outage, "h", "Mean length of one").above(0);
  f.number("sigma", sigma, "", "Spread: sigma of the logarithm of its length; 0: always the same")
      .between(0, 4);
}

void PartSpec::fields(spec::Fields& f) {
  if (f.here().line > 0) origin = f.here();
  f.reference("part", part, "reliability", "Catalogue entry whose place these figures take")
      .required();
  f.reference("like", like, "reliability", "Entry whose figures are taken instead");
  f.number("mtbf", mtbf, "h", "Time between failures of one unit in service").above(0);
  f.number("mttr", mttr, "h", "From failure until it carries load again").above(0);
  f.number("shape", shape, "", "Weibull shape of the time to failure; 1: it does not age")
      .between(0.2, 10);
  f.number("beta", beta, "%", "Share of failures that take all equal units of the bank")
      .between(0, 100);
  f.number("maintenance_every", maintenance_every, "yr", "Between two of one unit").above(0);
  f.number("maintenance", maintenance, "h", "How long a unit is out for it").above(0);
  f.number("failure_to_start", failure_to_start, "%", "Standby: on demand").between(0, 100);
  f.number("run_mttf", run_mttf, "h", "Standby: time to failure while it runs").above(0);
  if (maintenance_every && maintenance && maintenance.get() >= maintenance_every.get())
    f.mistake("maintenance", "takes longer than the time between two",
              "below " + format(maintenance_every.get(), "h"));
}

void Spec::fields(spec::Fields& f) {
  f.integer("crews", crews, "Repairs that can go on at once; 0: as many as there are failures")
      .between(0, 1000);
  f.integer("histories", histories, "Histories of the site that are simulated")
      .between(10, 10000000);
  f.integer("seed", seed, "Of the random numbers; the same seed gives the same answer")
      .between(0, 2147483647);
  f.number("horizon", horizon, "yr", "Length of one history; default 20 yr").between(0.01, 200);
  f.flag("maintenance", maintenance, "Units are taken out for maintenance");
  f.number("error", error, "%",
           "Chance that a person errs, at a maintenance and at a call of the generators; default "
           "0.3 %")
      .between(0, 100);
  f.number("error_time", error_time, "h", "Until the error is put right; default 1 h").above(0);
  f.number("beta", beta, "%", "Common cause of every part, over the catalogue's").between(0, 100);
  f.number("refuel", refuel, "%", "Chance that fuel comes before the tank is empty; default 95 %")
      .between(0, 100);
  f.number("restart", restart, "h", "From power or cooling back to racks at work; default 1 h")
      .at_least(0);
  f.object("utility", utility, "Failures of the grid at this site");
  f.list("parts", parts, "Figures of components, over the catalogue's");
  for (std::size_t i = 0; i < parts.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (!parts[i].part.empty() && parts[i].part == parts[k].part)
        f.mistake("parts", fmt::format("part '{}' stands twice", parts[i].part),
                  "one entry a part");
}

SimulateOptions options_of(const Spec& s) {
  SimulateOptions o;
  o.years = s.horizon ? s.horizon.get().si() / (8760 * 3600.0) : 20;
  o.histories = s.histories, o.seed = std::uint64_t(s.seed), o.crews = s.crews;
  o.error = s.error.or_else(0.003).si();
  o.error_s = s.error_time ? s.error_time.get().si() : 3600;
  o.refuel = s.refuel.or_else(0.95).si();
  return o;
}

double restart_s(const Spec& s) { return s.restart ? s.restart.get().si() : 3600; }

const catalog::Reliability& Parts::entry_of(const std::string& part) const {
  static const catalog::Reliability none;
  const auto& own = override_of(part);
  const auto* entry = catalog_.find<catalog::Reliability>(own.like.empty() ? part : own.like);
  return entry != nullptr ? *entry : none;
}

const PartSpec& Parts::override_of(const std::string& part) const {
  static const PartSpec none;
  const auto found = std::find_if(spec_.parts.begin(), spec_.parts.end(),
                                  [&](const PartSpec& p) { return p.part == part; });
  return found != spec_.parts.end() ? *found : none;
}

template <class Q>
double Parts::take(const std::string& part, const char* what, const char* unit, const Value<Q>& own,
                   const Value<Q>& entry, double otherwise) {
  const auto& v = own.or_else(entry);
  if (!v) return otherwise;
  const bool known = std::any_of(figures_.begin(), figures_.end(),
                                 [&](const Figure& f) { return f.part == part && f.what == what; });
  if (!known) {
    Figure f;
    f.part = part, f.what = what, f.text = format(v.get(), unit);
    if (v.origin.source) f.source = describe(*v.origin.source), f.trust = v.origin.source->trust;
    figures_.push_back(std::move(f));
  }
  return v.get().si();
}

Group Parts::make(const std::string& part, std::string name, std::string title, int units) {
  const auto& e = entry_of(part);
  const auto& o = override_of(part);
  Group g;
  g.name = std::move(name), g.title = std::move(title), g.units = units;
  const bool utility = part.starts_with("utility");
  g.mtbf_s =
      take(part, "time between failures", "h", utility ? spec_.utility.every : o.mtbf, e.mtbf, 0);
  g.repair.mean_s = take(part, "repair", "h", utility ? spec_.utility.outage : o.mttr, e.mttr, 0);
  const Value<Scalar> none;
  g.repair.sigma =
      take(part, "spread of repair", "", utility ? spec_.utility.sigma : none, e.repair_sigma, 0);
  g.repair.shape = g.repair.sigma > 0 ? RepairShape::lognormal : RepairShape::fixed;
  g.shape = take(part, "Weibull shape", "", o.shape, e.shape, 1);
  g.beta = take(part, "common cause", "%", o.beta.or_else(spec_.beta), e.beta, 0);
  if (spec_.maintenance && !utility) {
    g.maintenance_every_s =
        take(part, "maintenance every", "yr", o.maintenance_every, e.maintenance_every, 0);
    g.maintenance_s = take(part, "maintenance", "h", o.maintenance, e.maintenance, 0);
    if (g.maintenance_s <= 0) g.maintenance_every_s = 0;
  }
  if (e.run_mttf || o.run_mttf) {
    g.standby = true;
    g.mtbf_s = 0;
    g.maintenance_every_s = 0;
    g.ready = take(part, "ready", "%", none, e.ready, 1);
    g.failure_to_start =
        take(part, "failure to start", "%", o.failure_to_start, e.failure_to_start, 0);
    g.run_mttf_s = take(part, "time to failure running", "h", o.run_mttf, e.run_mttf, 0);
  }
  if (utility) g.external = true, g.crew = false, g.beta = 0;
  return g;
}

double Parts::on_demand(const std::string& part) {
  const auto& e = entry_of(part);
  return take(part, "failure on demand", "%", override_of(part).failure_to_start,
              e.failure_on_demand, 0);
}

}  // namespace headroom::availability
