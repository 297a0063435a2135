// The interval headroom chooses between checkpoints, and what lifts goodput.
// Private to cluster.
#pragma once

#include <vector>

#include "base/margin.hpp"
#include "cluster/goodput.hpp"

namespace headroom::cluster {

/// Daly's optimum, but no shorter than the write behind it (a save must be out of
/// the way before the next one starts) and than a minute.
Time chosen_interval(const Cycle& cycle);

/// Ways to make a checkpoint durable more often than failures come; never empty.
std::vector<Remedy> checkpoint_remedies(const Cycle& cycle, double gpus);

struct GoodputNow {
  double gpus = 0;
  double ettr = 0;              ///< as reported, planned stops included
  bool interval_given = false;  ///< by the scenario
};
/// Ways that lift ETTR by half a point or more, least intrusive first.
std::vector<Remedy> goodput_remedies(const Cycle& cycle, const GoodputNow& now);

}  // namespace headroom::cluster
