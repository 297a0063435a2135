// Reliability: how often a thing of the facility fails, how long it is out, and what else takes it
// out of service. One entry a kind of thing; what a scenario does not override.
//
//   time between failures  of one unit in service; a rate of f a year is 8,760 h / f
//   repair                 from failure until it carries load again, with its spread: sigma of the
//                          logarithm of a lognormal distribution
//   shape                  Weibull; 1 (left out): exponential, no ageing
//   common cause           share of failures that take all equal units of the bank (beta factor)
//   maintenance            each unit is out for `maintenance`, once in `maintenance_every`
//   standby                ready when called, failure to start on demand, MTTF while it runs
#pragma once

#include "catalog/catalog.hpp"

namespace headroom::catalog {

struct Reliability : Entry {
  static constexpr std::string_view kind = "reliability";

  Value<Time> mtbf, mttr;
  Value<Scalar> repair_sigma;
  Value<Scalar> shape;
  Value<Scalar> beta;
  Value<Time> maintenance_every, maintenance;
  Value<Scalar> ready;
  Value<Scalar> failure_to_start;
  Value<Time> run_mttf;
  Value<Scalar> failure_on_demand;

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
