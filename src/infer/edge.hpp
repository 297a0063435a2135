// Models at the edge: shops, vehicles, laptops.
//
// One user on one box is bound by reading the weights once a token:
//
//   token/s = bandwidth x efficiency / (weight bytes + KV bytes read a token)
//
// which is a decode step of the step oracle (step.hpp) under llama.cpp's host cost, with
// the device's own stream efficiency. Prompts are bound by compute.
//
// LIMITS (id "infer.<scope>.<...>")
//   memory    weights, workspace, KV of all requests at once | usable memory of the box
//   speed     token/s asked                                  | token/s one user sees, all requests
//   at once ttft      prompt time                                    | allowed load      box-hours
//   a site needs in its busiest hour     | boxes x 80 % context   longest request | model's context
// The answer beside it: the same requests in one central region, with the uplink's
// round trip added to its TTFT.
//
// Usable memory is `memory_usable` of the device, or 75 % where the entry has none (what
// macOS grants its GPU; recalled, unverified). Pure; < 1 ms without a region, ~20 ms with one.
#pragma once

#include "infer/service.hpp"

namespace headroom::infer {

struct EdgeDemand {
  std::string scope;
  const catalog::Model* model = nullptr;
  Hardware box;                     ///< one device of the box; `system` gives power and price
  std::optional<Hardware> central;  ///< region it is compared with
};

struct EdgeResult {
  Findings findings;
  bool feasible = false;
  Figure<TokenRate> speed;         ///< one user alone
  Figure<TokenRate> speed_bound;   ///< bandwidth over bytes, no losses
  Figure<TokenRate> speed_shared;  ///< one user while `concurrency` run
  Figure<Time> ttft;
  Figure<Scalar> busy;         ///< mean share of time a box works
  Figure<Scalar> boxes;        ///< all sites
  Figure<Power> box_power;     ///< mean of one box
  Figure<Power> power;         ///< mean of all
  Figure<TokenEnergy> energy;  ///< of one output token while one request runs
  /// Of one output token over the day, boxes at rest included: what the meter says.
  Figure<TokenEnergy> energy_all_day;
  Figure<TokenRate> input_rate, output_rate;  ///< mean, all sites
  Figure<Tokens> input_per_year, output_per_year;
  std::optional<ServiceResult> central;
  Figure<Time> central_ttft;  ///< with the uplink, when a region was given
};

EdgeResult assess(const EdgeSpec& spec, const EdgeDemand& demand, Trace& trace);

}  // namespace headroom::infer
