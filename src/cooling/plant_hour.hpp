// One hour of the plant (plant.hpp) in steady state.
//
//   PlantSolver solver(plant);
//   HourState s = solver.at({.dry_bulb_c = 30, .wet_bulb_c = 22, .share = 0.9});
//
// Forward through paths, loops and stages; a loop whose stages cannot hold its set point is
// solved for the supply temperature at which they take all the heat (valves open, coolant and
// air get warmer: `short_k`). Where a stage starts at a temperature and then takes more than there
// is, it runs part of the hour. Energy: `HourState::imbalance()` compares what came in (IT, losses,
// electricity) with what was counted where it left; below 1e-9 (tested).
//
// Complexity: about 0.3 us a path and 1 us a loop. The solver keeps the last answer of each path
// for equal inputs; it is not to be shared between threads.
#pragma once

#include <array>
#include <span>

#include "cooling/plant.hpp"

namespace headroom::cooling {

struct HourInput {
  double dry_bulb_c = 20, wet_bulb_c = 15, pressure_pa = 101325;
  double humidity = -1;              ///< kg/kg; below 0: from wet bulb
  double share = 1;                  ///< of every group's full load
  std::span<const double> shares{};  ///< one a group; empty: `share`
  std::span<const double> losses{};  ///< one a hall, W; empty: the hall's own straight line
  std::size_t hour = 0;              ///< of the year, for profiles
};

struct HourState {
  // In.
  double it_w = 0, loss_w = 0;
  double room_fans_w = 0, coolant_pumps_w = 0, loop_pumps_w = 0, tower_pumps_w = 0;
  double rejection_fans_w = 0, compressors_w = 0, heat_pumps_w = 0;
  double other_w = 0;
  // Out.
  double by_tower_w = 0, by_dry_w = 0, by_outside_air_w = 0, by_condenser_air_w = 0;
  double reused_w = 0;
  double unmet_w = 0;     ///< heat nothing takes: no steady state exists
  double expanded_w = 0;  ///< of by_condenser_air_w: by room units with their own compressor
  // Water, kg/s.
  double tower_evaporation = 0, pad_evaporation = 0, blow_down = 0, drift = 0;
  // Temperatures; the worst of all groups and halls.
  double short_k = 0;  ///< coolant, air or supply water above its set point
  double warmest_supply_c = -273.15, warmest_coolant_c = -273.15, warmest_inlet_c = -273.15;
  double chip_c = -273.15, chip_margin_k = 1e9;  ///< to the chip's limit
  double tower_cold_c = -273.15;                 ///< water leaving the last tower that ran
  bool compressor = false;      ///< a compressor ran for a water loop or a direct-expansion unit
  bool outside_curves = false;  ///< a machine's EIR curves did not cover the point

  /// Electricity of cooling: without IT, losses and `other_w`.
  double cooling_w() const {
    return room_fans_w + coolant_pumps_w + loop_pumps_w + tower_pumps_w + rejection_fans_w +
           compressors_w + heat_pumps_w;
  }
  double makeup() const { return tower_evaporation + pad_evaporation + blow_down + drift; }
  double imbalance() const;
};

class PlantSolver {
 public:
  explicit PlantSolver(const Plant& plant);
  HourState at(const HourInput& input);
  /// Supply temperature of each loop, coolant of each group, air of each hall after `at`.
  std::span<const double> loop_supply_c() const { return loop_supply_; }
  std::span<const double> coolant_c() const { return coolant_; }
  std::span<const double> air_c() const { return air_; }
  /// Hottest chips of each group; -273.15 where it has none.
  std::span<const double> chip_c() const { return chip_; }
  /// Flows of a group's liquid path, or of a hall's coil, after `at`.
  struct Flows {
    double heat_w = 0;  ///< into the water, pumps and fans included
    double hot = 0;     ///< coolant's or air's capacity rate, W/K (0: vapour)
    double water = 0;   ///< facility water's, W/K
  };
  Flows liquid(std::size_t group) const { return flows(liquid_[group]); }
  Flows coil(std::size_t hall) const { return flows(coil_[hall]); }
  /// A hall's air after `at`.
  struct AirFlow {
    double heat_w = 0;     ///< IT, losses and fans into it
    double air = 0;        ///< capacity rate through its units, W/K
    double carried_w = 0;  ///< of the heat, by outside air or direct expansion
  };
  AirFlow hall_air(std::size_t hall) const { return hall_air_[hall]; }
  /// A loop after `at`: capacity rate, electricity of its pumps, cold water of its tower.
  struct LoopFlow {
    double rate = 0, pump_w = 0, heat_w = 0;  ///< heat with that of the pumps
    bool compressor = false;                  ///< a chiller helped
    double tower_cold_c = -273.15;
  };
  LoopFlow loop_flow(std::size_t loop) const { return loop_flow_[loop]; }
  /// The hour of the last `at` with other heat on its loops (pumps included) and other heat carried
  /// by outside air or direct expansion: flows and set points stay, stages follow the heat. Heat
  /// they do not take is `unmet_w` (below 0: they took more).
  HourState with_heat(const HourInput& input, std::span<const double> loop_heat_w,
                      std::span<const double> carried_w);

 private:
  // A heat exchanger on a water loop: a group's liquid or a hall's coil.
  struct Path {
    const Exchanger* exchanger = nullptr;
    std::size_t loop = 0;
    double most_water = 0, set_c = 0;
    double heat_w = 0, hot = 0;  // this hour
    Served served;
    struct Known {
      double heat = -1, hot = 0, water = 0;
      Served served;
    };
    std::array<Known, 4> known{};  // last answers, oldest overwritten
    std::size_t next_known = 0;
  };

  static Flows flows(const Path& p) { return {p.heat_w, p.hot, p.heat_w > 0 ? p.served.cold : 0}; }
  void load_group(std::size_t g, double share, HourState& s);
  void load_hall(std::size_t h, const HourInput& in, HourState& s);
  double outside_air(const HallAir& hall, double heat_w, double air, double load,
                     const HourInput& in, HourState& s);
  void expand(const HallAir& hall, double heat_w, const HourInput& in, HourState& s);
  void serve_path(Path& path, double water_c);
  double run_loop(std::size_t l, double supply_c, const HourInput& in, HourState& s);
  void solve_loop(std::size_t l, const HourInput& in, HourState& s);
  void finish(const HourInput& in, HourState& s);
  double share_of(std::size_t g, const HourInput& in) const {
    return in.shares.empty() ? in.share : in.shares[g];
  }

  const Plant& plant_;
  std::vector<Path> liquid_, coil_;  // one a group, one a hall
  std::vector<double> air_heat_;     // of each group, this hour
  std::vector<double> group_hot_;    // capacity rate of each group's coolant
  std::vector<double> loop_supply_, coolant_, air_, chip_;
  std::vector<bool> housed_;  // groups that stand in a hall
  double rate_ = 0;           // capacity rate of the loop last run
  std::vector<AirFlow> hall_air_;
  std::vector<LoopFlow> loop_flow_;
  HourState before_loops_;
};

}  // namespace headroom::cooling
