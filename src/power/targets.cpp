#include "power/targets.hpp"

#include "power/chain.hpp"

namespace headroom::power {

Power frontier_power(double cpu, double gpus) {
  constexpr double nodes = 74 * 128, rectifiers = nodes / 4, any_rating = 1e6;
  const double node_w = cpu * 280 + (1 - cpu) * 90 + gpus * 560 + (4 - gpus) * 88 + 74.26 + 80 + 30;
  Chain chain;
  chain.distribution = {
      {Power::from_si(any_rating), nodes * 13 / 0.98 / any_rating, 1 / 0.98 - 1, 0}};
  chain.ups = {Power::from_si(any_rating), rectifiers * 17 / 0.96 / any_rating, 1 / 0.96 - 1, 0};
  chain.mechanical_on_ups = 1;
  const Loads loads{{nodes * node_w * watt}, rectifiers * 250 * watt, 25 * 8473.47 * watt};
  return solve(chain, loads).meter;
}

}  // namespace headroom::power
