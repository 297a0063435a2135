// The same system exactly, where it can be: every combination of units out, weighted by its share
// of time.
//
//   const auto e = exact(system);
//   e.unavailability, e.bound      share of time some load is short; what was not looked at, at
//   most
//
// Groups are independent of each other: each a Markov chain of units out (exact.hpp) with its
// crews, common cause, and one unit out for maintenance in its share of the time; standby units by
// the chance that they start and outlast a failure of the utility. States with more than `order`
// units out in all (standby units not counted) are not looked at; their chance is `bound`.
//
// WHAT IT LEAVES OUT, and simulate.hpp has: ride-through (here a view that is short is an outage at
// once), shapes of distributions, crews shared between groups, people, fuel.
//
//   cut            smallest sets of units out that make some load short, to the order
//   Birnbaum       d(unavailability) / d(a unit's unavailability)
//   Fussell-Vesely share of the unavailability in states that hold a cut with the group
//
// TIERS, as the published definitions read (Uptime Institute, Tier Standard: Topology), not a
// certification. The utility counts as absent and standby sets as running.
//   II   redundant capacity components: any one of them out, nothing is lost
//   III  concurrently maintainable: any one component at all, paths included
//   IV   fault tolerant: as III, by itself and without a gap (`gaps`): cooling rides through until
//        it is back
//
// Complexity: states up to the order, each once a view. No errors.
#pragma once

#include <string>
#include <vector>

#include "availability/system.hpp"

namespace headroom::availability {

struct ExactOptions {
  int order = 3;
  int crews = 0;  ///< of each group; 0: one a unit
};

struct Cut {
  std::vector<std::pair<int, int>> units;  ///< group, units out
  double chance = 0;                       ///< that at least these are out
};

struct Importance {
  int group = 0;
  double unavailability = 0;  ///< of one unit
  double birnbaum = 0, fussell_vesely = 0;
};

struct Exact {
  double unavailability = 0, bound = 0;
  double frequency = 0;                ///< a second, into a state in which some load is short
  std::vector<Cut> cuts;               ///< most likely first
  std::vector<Importance> importance;  ///< a group, by Fussell-Vesely
  std::vector<double> view_unavailability;
};

Exact exact(const System& system, const ExactOptions& options = {});

/// Share of time with d units out, of one group.
std::vector<double> out_shares(const System& system, int group, int crews);

struct Tier {
  int level = 1;                    ///< 1 to 4
  std::vector<int> not_redundant;   ///< capacity groups that cannot lose a unit
  std::vector<int> not_maintained;  ///< groups, paths too, of which none can be taken out
  std::vector<std::string> gaps;    ///< what stands between III and IV
};

/// `gaps` come from the caller, who knows starts and rides.
Tier tier_of(const System& system, std::vector<std::string> gaps);

}  // namespace headroom::availability
