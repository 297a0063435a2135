#include "catalog/reliability.hpp"

namespace headroom::catalog {

void Reliability::fields(spec::Fields& f) {
  entry_fields(f);
  f.number("mtbf", mtbf, "h", "Time between failures of one unit in service").above(0);
  f.number("mttr", mttr, "h", "From failure until it carries load again").above(0);
  f.number("repair_sigma", repair_sigma, "",
           "Spread of the repair: sigma of its logarithm; 0: always the same")
      .between(0, 4);
  f.number("shape", shape, "", "Weibull shape of the time to failure; 1: it does not age")
      .between(0.2, 10);
  f.number("beta", beta, "%", "Share of failures that take all equal units of the bank")
      .between(0, 100);
  f.number("maintenance_every", maintenance_every, "yr", "Between two of one unit").above(0);
  f.number("maintenance", maintenance, "h", "How long a unit is out for it").above(0);
  f.number("ready", ready, "%", "Standby: not in maintenance or repair when it is called")
      .between(0, 100);
  f.number("failure_to_start", failure_to_start, "%", "Standby: on demand, of a unit that is ready")
      .between(0, 100);
  f.number("run_mttf", run_mttf, "h", "Standby: time to failure while it runs").above(0);
  f.number("failure_on_demand", failure_on_demand, "%",
           "Does not do its part when it is called: a battery, a switch")
      .between(0, 100);
}

}  // namespace headroom::catalog
