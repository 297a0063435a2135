#include "availability/spec.hpp"

#include <fmt/format.h>

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
  f.number("target", target, "%",
           "Share of time in which a hall has all the power and cooling it asks for; a limit of "
           "check")
      .between(50, 99.9999999);
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

}  // namespace headroom::availability
