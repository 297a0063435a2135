// Power lost, event by event: batteries carry, generators start, switches transfer, breakers trip,
// racks drop, pumps and fans stop and come back.
//
//   ChainWalk w = walk_chain(graph, {{.lost = {grid, 1}}}, {.horizon_s = 600});
//   w.halls[0].dropped_at_s, w.cooling   // handed to the cooling walk
//
// Between events nothing changes but what is stored: battery energy falls with its load, breakers
// and windings warm (breaker.hpp), fuel burns. The next event is therefore known in closed form:
//   battery empty   energy / load            trip       tau ln(...), or what is left of the table
//   set ready       when wanted + start_s    fuel out   fuel / load
//   loads back      power back + restart_s   lost, back as given
// A set is wanted when what it feeds has no live source of lower rank. All sets that are not lost
// start; `start_probability` says how likely enough of them do (k of n by `start_failure`).
//
// RACKS. Power supplies carry 20 ms (SEMI F47, ITI curve; recalled): a transfer that leaves a rack
// without power for longer drops it, as a dead path does; transfer switches take their `start_s`,
// other ties 0.1 s (assumed). A rack that dropped stays off: people and jobs bring it back.
// Cooling and other loads stop and start again by themselves.
//
// ENERGY. In each interval sources and batteries give what loads and losses take: `imbalance`.
//
// Not modelled: recharging, inrush, voltage sags (ride_through), load steps a set cannot take,
// batteries' fade by rate (Peukert), breakers that cool after everything stops.
// Deterministic. O(events x nodes). No errors: the graph is closed.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "power/sweep.hpp"

namespace headroom::power {

struct TimedLoss {
  Outage lost;
  double at_s = 0;
  double back_s = std::numeric_limits<double>::infinity();
};

struct ChainWalkOptions {
  double horizon_s = 600;
  double hold_up_s = 0.020;  ///< a rack's power supplies
  double tie_s = 0.1;        ///< transfer of what is no transfer switch (assumed)
};

enum class ChainEventKind : unsigned char {
  lost,
  back,
  on_battery,
  battery_empty,
  set_wanted,
  set_ready,
  fuel_out,
  transfer,  ///< a node draws from another rank
  trip,
  racks_drop,
  load_stops,  ///< cooling or other
  load_starts,
};

struct ChainEvent {
  double at_s = 0;
  ChainEventKind kind = ChainEventKind::lost;
  int node = -1;
  double value = 0;  ///< lost, back: units; racks_drop: racks; on_battery: W; trip: use
};

/// Loads between two events.
struct ChainInterval {
  double from_s = 0, to_s = 0;
  double it_w = 0, given_w = 0, battery_w = 0, generator_w = 0, loss_w = 0;
  double mechanical = 1;  ///< live share of cooling's power
};

struct HallPower {
  std::string hall;
  double racks = 0, dropped_racks = 0;
  double it_w = 0, dropped_w = 0;
  double dropped_at_s = -1;  ///< the first; -1: none
  double dark_rack_s = 0;    ///< racks off, times seconds to the horizon
  double dark_w_s = 0;       ///< IT energy not drawn, J
  double dropped_share() const { return it_w > 0 ? dropped_w / it_w : 0; }
};

struct ChainWalk {
  double horizon_s = 0;
  std::vector<ChainEvent> events;
  std::vector<ChainInterval> intervals;
  std::vector<HallPower> halls;
  double battery_left_s = -1;  ///< of the emptiest that carried, at its load; -1: none carried
  double sets_wanted_at_s = -1;
  double start_probability = 1;  ///< that as many sets start as the load needs
  int sets_needed = 0;
  double worst_imbalance = 0;
  State end;        ///< what is out at the horizon
  Solution steady;  ///< at the horizon

  double dropped_racks() const;
};

ChainWalk walk_chain(const Graph& graph, const std::vector<TimedLoss>& losses,
                     const ChainWalkOptions& options = {});

/// Probability that at least `needed` of `units` start, each failing with `failure`.
double start_probability(int units, int needed, double failure);

}  // namespace headroom::power
