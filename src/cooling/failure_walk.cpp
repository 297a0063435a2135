#include "cooling/failure_walk.hpp"

#include <algorithm>
#include <cmath>

#include "cooling/air.hpp"
#include "cooling/compressor.hpp"
#include "cooling/stages.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;

constexpr double air_volume_heat = (air_density * air_heat_capacity).si();
constexpr double valve_opens_k = 1, valve_closes_k = 0.2;
constexpr double stagnant_share = 0.1;  // flow at which stagnant coolant is taken (assumed)

// Two parts of a group: the one a leak isolates, and the rest.
struct Part {
  double share = 0;  // of the group's racks
  std::size_t chip = outside, coolant = outside;
  bool tripped = false;
  double power = 1;
};

struct GroupState {
  Part parts[2];
  std::size_t supply = outside;  // CDU
  PlantSolver::Flows flows;
  double it_w = 0, conductance = 0;  // chip to coolant
  bool valve_open = false;
  std::size_t hall = outside;
};

struct HallState {
  std::size_t cold = outside, hot = outside, cold_mass = outside, hot_mass = outside;
  PlantSolver::Flows flows;
  double air = 0;  // capacity rate that runs, W/K
  double set_c = 0, other_w = 0;
  bool valve_open = false;
};

// What stages can take, linear about the start.
struct Capability {
  double w_k = 0, zero_c = 0;
  double heat(double t) const { return std::max(0.0, w_k * (t - zero_c)); }
};

struct LoopState {
  std::size_t supply = outside, back = outside, basin = outside;
  double hold_c = 0;  // supply temperature while the plant copes
  double pump_w = 0, plate = 0;
  Capability tower, dry;
  double chillers_w = 0, chiller_cop = 1;
  bool on_air = false, limited = false, tripped = false;
};

class Walker {
 public:
  Walker(const Plant& plant, const HourInput& start, const std::vector<FailureEvent>& events,
         const WalkOptions& options)
      : plant_(plant), events_(events), options_(options), solver_(plant), in_(start) {
    if (in_.humidity < 0) {
      in_.humidity =
          humidity(Temperature::celsius(in_.dry_bulb_c), Temperature::celsius(in_.wet_bulb_c),
                   Pressure::from_si(in_.pressure_pa));
    }
    solver_.at(in_);
    make_groups();
    make_halls();
    make_loops();
    settle();
  }

  Walk run() {
    Walk out;
    out.control_s = options_.control_s;
    out.groups.resize(groups_.size());
    out.inlet_c.resize(halls_.size());
    out.supply_c.resize(loops_.size());
    const auto steps = static_cast<std::size_t>(std::ceil(options_.horizon_s / options_.control_s));
    for (std::size_t k = 0; k <= steps; ++k) {
      now_ = static_cast<double>(k) * options_.control_s;
      control();
      record(out);
      if (k == steps) break;
      advance(out);
    }
    out.recovered = std::all_of(groups_.begin(), groups_.end(), [](const GroupState& g) {
      return g.parts[0].power * g.parts[0].share + g.parts[1].power * g.parts[1].share > 1 - 1e-9;
    });
    return out;
  }

 private:
  // --- Building ---------------------------------------------------------------

  double leak_share(std::size_t g) const {
    double share = 0;
    for (const auto& e : events_) {
      if (e.what == Failure::leak && e.index == g) share = std::max(share, e.share);
    }
    return std::clamp(share, 0.0, 1.0);
  }

  std::size_t node(const std::string& name, double capacity, double celsius) {
    t_.push_back(celsius);
    return nodes_.add(name, std::max(capacity, 1.0));
  }

  void make_groups() {
    groups_.resize(plant_.groups.size());
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const auto& spec = plant_.groups[g];
      auto& s = groups_[g];
      const double full = spec.racks * spec.rack_w;
      s.it_w = full * (in_.shares.empty() ? in_.share : in_.shares[g]);
      s.flows = solver_.liquid(g);
      const double cooled = spec.liquid_share > 0 ? spec.liquid_share : 1.0;
      if (spec.chip.power_w > 0 && spec.chip.k_per_w > 0) {
        s.conductance = full * cooled / (spec.chip.power_w * spec.chip.k_per_w);
      }
      s.parts[0].share = leak_share(g);
      s.parts[1].share = 1 - s.parts[0].share;
      const double coolant = solver_.coolant_c()[g];
      for (auto& part : s.parts) {
        if (part.share <= 0) continue;
        const double size = full * part.share;
        if (s.conductance > 0) {
          part.chip = node(spec.name + ".chips", options_.racks.chips * size, coolant + 20);
        }
        if (spec.liquid_share > 0) {
          part.coolant = node(spec.name + ".coolant", options_.racks.coolant * size, coolant + 5);
        }
      }
      if (spec.liquid_share > 0 && spec.family != CoolingFamily::two_phase) {
        s.supply = node(spec.name + ".supply", options_.racks.supply * full, coolant);
      }
    }
  }

  double or_rack(double given, double each, double racks) const {
    return given > 0 ? given : each * std::max(1.0, racks);
  }

  void make_halls() {
    halls_.resize(plant_.halls.size());
    for (std::size_t h = 0; h < halls_.size(); ++h) {
      const auto& spec = plant_.halls[h];
      auto& s = halls_[h];
      double racks = 0, air_heat = 0, rack_air = 0, idle = 0;
      for (const std::size_t g : spec.groups) {
        const auto& group = plant_.groups[g];
        groups_[g].hall = h;
        racks += group.racks;
        air_heat += groups_[g].it_w * (1 - group.liquid_share);
        rack_air += group.racks * group.rack_w * (1 - group.liquid_share) / group.air_rise_k;
        idle += group.racks * group.rack_w;
      }
      s.flows = solver_.coil(h);
      s.air = s.flows.hot > 0 ? s.flows.hot : std::max(rack_air, 1.0);
      s.set_c = solver_.air_c()[h];
      const double load = idle > 0 ? in_.share : 1;
      s.other_w = spec.loss_w * (spec.loss_idle_share + (1 - spec.loss_idle_share) * load);
      s.other_w += std::max(0.0, s.flows.heat_w - air_heat - s.other_w);  // fans
      const double volume = or_rack(options_.halls.air_m3, 9, racks) * air_volume_heat;
      const double rise = (air_heat + s.other_w) / s.air;
      s.cold = node(spec.name + ".cold", volume / 2, s.set_c);
      s.hot = node(spec.name + ".hot", volume / 2, s.set_c + rise);
      // Steel beside the cold and beside the hot air: one lump between them would be a heat leak.
      const double mass = or_rack(options_.halls.mass_j_k, 48e3, racks);
      s.cold_mass = node(spec.name + ".cold mass", mass / 2, s.set_c);
      s.hot_mass = node(spec.name + ".hot mass", mass / 2, s.set_c + rise);
      mass_w_k_.push_back(or_rack(options_.halls.mass_w_k, 200, racks));
    }
  }

  void make_loops() {
    loops_.resize(plant_.loops.size());
    for (std::size_t l = 0; l < loops_.size(); ++l) {
      const auto& spec = plant_.loops[l];
      auto& s = loops_[l];
      double heat = 0;
      const double c = water_of_loop(l, heat);
      s.hold_c = solver_.loop_supply_c()[l];
      const double v = c / (water_density * water_heat_capacity).si();
      s.pump_w = c > 0 ? spec.pump.power_w(v) : 0;
      const auto& i = options_.loops;
      const double design =
          std::max(c, spec.pump.design_m3_s * (water_density * water_heat_capacity).si());
      const double back = s.hold_c + (c > 0 ? (heat + s.pump_w) / c : 0);
      s.supply = node(spec.name + ".supply", design * (i.supply_s + i.store_s), s.hold_c);
      s.back = node(spec.name + ".return", design * i.return_s, back);
      s.basin = node(spec.name + ".basin", design * i.basin_s, s.hold_c);
      measure(s, spec, c, back);
    }
  }

  double water_of_loop(std::size_t l, double& heat) const {
    double c = 0;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (plant_.groups[g].loop == l) {
        c += groups_[g].flows.water, heat += groups_[g].flows.heat_w;
      }
    }
    for (std::size_t h = 0; h < halls_.size(); ++h) {
      if (plant_.halls[h].loop == l && !plant_.halls[h].direct_expansion) {
        c += halls_[h].flows.water, heat += halls_[h].flows.heat_w;
      }
    }
    return c;
  }

  // The stages' full output at two return temperatures.
  void measure(LoopState& s, const WaterLoop& spec, double c, double back) {
    if (c <= 0) return;
    const auto full = [&](const WaterLoop& stages, double t) {
      HourState unused;
      return StageChain(stages, in_, unused).run(c, t, t - 60);
    };
    constexpr double apart_k = 4;
    WaterLoop only = spec;
    only.chillers.capacity_w = 0;
    only.reuse.demand_w = 0;
    only.tower.floor_c = -100;
    WaterLoop dry = only, tower = only;
    dry.tower.water = 0;
    tower.dry.ua_w_k = 0;
    const auto line = [&](double t1, double q1, double t2, double q2) {
      Capability k;
      if (q2 <= q1 || t2 <= t1) return k;
      k.w_k = (q2 - q1) / (t2 - t1);
      k.zero_c = t1 - q1 / k.w_k;
      return k;
    };
    if (spec.dry.ua_w_k > 0) {
      s.dry = line(back, full(dry, back), back + apart_k, full(dry, back + apart_k));
    }
    if (spec.tower.water > 0) {
      const double share = 1;
      s.plate = spec.tower.plate.ua_w_k > 0
                    ? spec.tower.plate.conductance(c, spec.tower.water * share)
                    : c;
      const double q1 = full(tower, back), q2 = full(tower, back + apart_k);
      s.tower = line(back - q1 / s.plate, q1, back + apart_k - q2 / s.plate, q2);
      t_[s.basin] = back - q1 / s.plate;
    }
    s.chillers_w = spec.chillers.capacity_w;
    s.on_air = spec.chillers.on_air;
    const double entering = s.on_air ? in_.dry_bulb_c : t_[s.basin];
    s.chiller_cop = carnot_cop(Temperature::celsius(s.hold_c), Temperature::celsius(entering),
                               s.on_air, spec.chillers.carnot);
  }

  // --- Modes ------------------------------------------------------------------

  double left(Failure what, std::size_t index) const {
    double left = 1;
    for (const auto& e : events_) {
      if (now_ < e.at_s || now_ >= e.back_s) continue;
      const bool all = e.what == Failure::everything;
      if (all || (e.what == what && e.index == index)) left = std::min(left, 1 - e.share);
    }
    return std::max(0.0, left);
  }
  bool leaking(std::size_t g) const {
    return std::any_of(events_.begin(), events_.end(), [&](const FailureEvent& e) {
      return e.what == Failure::leak && e.index == g && now_ >= e.at_s && now_ < e.back_s;
    });
  }

  void control() {
    for (std::size_t g = 0; g < groups_.size(); ++g) control_group(g);
    for (std::size_t h = 0; h < halls_.size(); ++h) {
      valve(halls_[h].valve_open, t_[halls_[h].cold], halls_[h].set_c);
    }
    for (std::size_t l = 0; l < loops_.size(); ++l) control_loop(l);
  }

  static void valve(bool& open, double now_c, double set_c) {
    if (now_c > set_c + valve_opens_k) open = true;
    if (now_c < set_c + valve_closes_k) open = false;
  }

  void control_group(std::size_t g) {
    auto& s = groups_[g];
    if (s.supply != outside) valve(s.valve_open, t_[s.supply], solver_.coolant_c()[g]);
    const bool breathes = plant_.groups[g].liquid_share < 1;  // some of its parts are in air
    for (auto& part : s.parts) {
      if (part.share <= 0) continue;
      const std::size_t hottest = part.chip != outside ? part.chip : part.coolant;
      if (hottest != outside) {
        part.power = power_share(options_.throttle, t_[hottest]);
        if (t_[hottest] >= options_.throttle.shutdown_c) part.tripped = true;
      }
      if (breathes && s.hall != outside && inlet(g) >= options_.air_shutdown_c) part.tripped = true;
      if (part.tripped) part.power = 0;
    }
  }

  double inlet(std::size_t g) const { return t_[halls_[groups_[g].hall].cold]; }

  void control_loop(std::size_t l) {
    auto& s = loops_[l];
    const double c = loop_flow(l);
    if (c <= 0) return void(s.limited = false);
    if (t_[s.basin] > options_.tower_trip_c && !s.on_air) s.tripped = true;
    const double towers = left(Failure::tower, l);
    const double back = t_[s.back];
    const double basin = std::max(0.0, s.plate * (back - t_[s.basin]));
    const double can = (s.tower.w_k > 0 ? basin : 0) + towers * s.dry.heat(back) + chillers(l);
    s.limited = back - can / c > s.hold_c + 1e-9 || (towers < 1 && s.tower.w_k > 0);
  }

  double chillers(std::size_t l) const {
    const auto& s = loops_[l];
    return s.tripped ? 0 : s.chillers_w * left(Failure::chillers, l);
  }

  double group_water(std::size_t g) const {
    const auto& s = groups_[g];
    return s.valve_open ? plant_.groups[g].most_water : s.flows.water;
  }
  double hall_water(std::size_t h) const {
    return halls_[h].valve_open ? plant_.halls[h].most_water : halls_[h].flows.water;
  }
  double loop_flow(std::size_t l) const {
    double c = 0;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (plant_.groups[g].loop == l) c += group_water(g);
    }
    for (std::size_t h = 0; h < halls_.size(); ++h) {
      if (plant_.halls[h].loop == l && !plant_.halls[h].direct_expansion) c += hall_water(h);
    }
    return c * left(Failure::loop_pumps, l);
  }

  // --- The linear system of the present modes ---------------------------------

  void wire(ThermalSystem& n) const {
    for (std::size_t g = 0; g < groups_.size(); ++g) wire_group(n, g);
    for (std::size_t h = 0; h < halls_.size(); ++h) wire_hall(n, h);
    for (std::size_t l = 0; l < loops_.size(); ++l) wire_loop(n, l);
  }

  void wire_group(ThermalSystem& n, std::size_t g) const {
    const auto& spec = plant_.groups[g];
    const auto& s = groups_[g];
    const bool has_loop = spec.loop < loops_.size();
    const double pumps = has_loop ? left(Failure::loop_pumps, spec.loop) : 0;
    const double water = group_water(g) * pumps;
    const double flowing = left(Failure::coolant_pumps, g);
    double running = 0;
    for (std::size_t k = 0; k < 2; ++k) {
      const auto& part = s.parts[k];
      if (part.share <= 0) continue;
      wire_chips(n, g, part, flowing, k == 0 && leaking(g));
      if (k == 1 || !leaking(g)) running += part.share;
    }
    if (spec.liquid_share <= 0 || !has_loop) return;
    const auto& loop = loops_[spec.loop];
    if (spec.family == CoolingFamily::two_phase) {
      const double k = spec.exchanger.conductance(0, water);
      for (const auto& part : s.parts) {
        if (part.share > 0 && water > 0) {
          n.exchange(part.coolant, loop.supply, part.coolant, loop.back, k * part.share);
        }
      }
      return;
    }
    const double hot = s.flows.hot * flowing * running;
    if (hot <= 0) return;
    const double k = water > 0 ? spec.exchanger.conductance(hot, water) : 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto& part = s.parts[i];
      if (part.share <= 0 || (i == 0 && leaking(g))) continue;
      const double share = part.share / running;
      n.advect(part.coolant, s.supply, hot * share);
      n.advect(s.supply, part.coolant, hot * share);
      n.exchange(part.coolant, loop.supply, s.supply, loop.back, k * share);
    }
  }

  // Chips give their heat to the coolant (or air) at the mean of its inlet and outlet, as the
  // steady plant has it; to what stands in the plates where nothing flows.
  void wire_chips(ThermalSystem& n, std::size_t g, const Part& part, double flowing,
                  bool isolated) const {
    if (part.chip == outside) return;
    const auto& spec = plant_.groups[g];
    const auto& s = groups_[g];
    const double design = s.conductance * part.share;
    if (part.coolant == outside) {
      if (s.hall == outside) return;
      const auto& hall = halls_[s.hall];
      n.exchange(part.chip, hall.cold, part.chip, hall.hot, design / 2);
      n.exchange(part.chip, hall.hot, part.chip, hall.hot, design / 2);
      return;
    }
    const double full = spec.racks * spec.rack_w * spec.liquid_share / spec.design_rise_k;
    const bool liquid = s.supply != outside && spec.family != CoolingFamily::rear_door;
    const double flow = liquid && full > 0 ? s.flows.hot * flowing / full : 1;
    const double w_k = design * std::pow(std::max(stagnant_share, flow), spec.chip.exponent);
    if (s.supply == outside || flowing <= 0 || isolated) {
      return n.conduct(
          part.chip, part.coolant,
          s.supply == outside ? design : design * std::pow(stagnant_share, spec.chip.exponent));
    }
    n.exchange(part.chip, s.supply, part.chip, part.coolant, w_k / 2);
    n.exchange(part.chip, part.coolant, part.chip, part.coolant, w_k / 2);
  }

  void wire_hall(ThermalSystem& n, std::size_t h) const {
    const auto& spec = plant_.halls[h];
    const auto& s = halls_[h];
    n.advect(s.cold, s.hot, s.air);
    n.conduct(s.hot, s.hot_mass, mass_w_k_[h] / 2);
    n.conduct(s.cold, s.cold_mass, mass_w_k_[h] / 2);
    const double fans = left(Failure::hall_fans, h);
    if (spec.direct_expansion) {
      n.advect(s.hot, s.cold, s.air * (1 - fans));
      n.terms.push_back({s.hot, outside, s.hot, s.air * fans});
      n.source[s.cold] += s.air * fans * s.set_c;
      return;
    }
    n.advect(s.hot, s.cold, s.air);
    const double water = hall_water(h) * left(Failure::loop_pumps, spec.loop);
    if (fans <= 0 || water <= 0 || s.flows.hot <= 0) return;
    const auto& loop = loops_[spec.loop];
    n.exchange(s.hot, loop.supply, s.cold, loop.back, spec.coil.conductance(s.air * fans, water));
  }

  void wire_loop(ThermalSystem& n, std::size_t l) const {
    const auto& s = loops_[l];
    const double c = loop_flow(l);
    const double towers = left(Failure::tower, l);
    if (c > 0) {
      n.advect(s.supply, s.back, c);
      n.source[s.back] += s.pump_w * left(Failure::loop_pumps, l);
      if (!s.limited) {
        n.terms.push_back({s.back, outside, s.back, c});
        n.source[s.supply] += c * s.hold_c;
        return;
      }
      n.advect(s.back, s.supply, c);
      if (s.tower.w_k > 0) n.exchange(s.back, s.basin, s.supply, s.basin, s.plate);
      if (s.dry.w_k > 0 && towers > 0 && t_[s.back] > s.dry.zero_c) {
        n.terms.push_back({s.supply, outside, s.back, s.dry.w_k * towers});
        n.source[s.supply] += s.dry.w_k * towers * s.dry.zero_c;
      }
      const double lifted = chillers(l);
      n.source[s.supply] -= lifted;
      if (!s.on_air && s.tower.w_k > 0) n.source[s.basin] += lifted * (1 + 1 / s.chiller_cop);
    }
    if (s.tower.w_k > 0 && s.limited && towers > 0) {
      n.surroundings(s.basin, s.tower.zero_c, s.tower.w_k * towers);
    }
  }

  // Everything that shapes the matrix; equal keys mean equal matrices.
  std::vector<double> key() const {
    std::vector<double> k;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      k.push_back(left(Failure::coolant_pumps, g));
      k.push_back(groups_[g].valve_open + 2 * leaking(g));
    }
    for (std::size_t h = 0; h < halls_.size(); ++h) {
      k.push_back(left(Failure::hall_fans, h) + 2 * halls_[h].valve_open);
    }
    for (std::size_t l = 0; l < loops_.size(); ++l) {
      const auto& s = loops_[l];
      k.push_back(left(Failure::loop_pumps, l));
      k.push_back(left(Failure::tower, l));
      k.push_back(s.limited + 2 * (t_[s.back] > s.dry.zero_c));
      k.push_back(chillers(l));
    }
    return k;
  }

  struct Mode {
    ThermalSystem system;
    ExactStepper stepper;
    explicit Mode(ThermalSystem s) : system(std::move(s)), stepper(system) {}
  };

  Mode& mode() {
    auto k = key();
    const auto found = modes_.find(k);
    if (found != modes_.end()) return found->second;
    ThermalSystem system = nodes_;
    wire(system);
    return modes_.emplace(std::move(k), Mode(std::move(system))).first->second;
  }

  std::vector<double> sources(const ThermalSystem& system) const {
    std::vector<double> q = system.source;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const auto& spec = plant_.groups[g];
      const auto& s = groups_[g];
      for (const auto& part : s.parts) {
        if (part.share <= 0) continue;
        const double it = s.it_w * part.share * part.power;
        const double liquid = it * spec.liquid_share;
        const std::size_t chip = part.chip != outside ? part.chip : part.coolant;
        if (liquid > 0) q[chip] += liquid;
        if (s.hall == outside) continue;
        const bool air_chip = liquid <= 0 && part.chip != outside;
        q[air_chip ? part.chip : halls_[s.hall].hot] += it - liquid;
      }
      if (s.supply == outside || left(Failure::coolant_pumps, g) <= 0) continue;
      const double pumps = std::max(0.0, s.flows.heat_w - s.it_w * spec.liquid_share);
      for (const auto& part : s.parts) {
        if (part.share > 0) q[part.coolant] += pumps * part.share;
      }
    }
    for (std::size_t h = 0; h < halls_.size(); ++h) q[halls_[h].hot] += halls_[h].other_w;
    return q;
  }

  void settle() {
    now_ = -1;
    for (auto& g : groups_) g.valve_open = false;
    Mode& m = mode();
    const auto q = sources(m.system);
    for (int i = 0; i < 3; ++i) m.stepper.step(t_, 1e6, q);
  }

  void advance(Walk& out) {
    Mode& m = mode();
    const auto s = m.stepper.step(t_, options_.control_s, sources(m.system));
    out.worst_imbalance = std::max(out.worst_imbalance, s.imbalance());
    out.in_j += s.in_j, out.out_j += s.out_j, out.stored_j += s.stored_j;
  }

  void record(Walk& out) const {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const auto& s = groups_[g];
      auto& w = out.groups[g];
      double chip = -273, coolant = -273, power = 0;
      bool tripped = false;
      for (const auto& part : s.parts) {
        if (part.share <= 0) continue;
        const double fluid = part.coolant != outside ? t_[part.coolant]
                             : s.hall != outside     ? inlet(g)
                                                     : 0;
        coolant = std::max(coolant, fluid);
        chip = std::max(chip, part.chip != outside ? t_[part.chip] : fluid);
        power += part.share * part.power;
        tripped = tripped || part.tripped;
      }
      w.chip_c.push_back(static_cast<float>(chip));
      w.coolant_c.push_back(static_cast<float>(coolant));
      w.power.push_back(static_cast<float>(power));
      if (power < 1 - 1e-9 && w.throttle_at_s < 0) w.throttle_at_s = now_;
      if (tripped && w.shutdown_at_s < 0) w.shutdown_at_s = now_;
      w.lost_s += (1 - power) * options_.control_s;
    }
    for (std::size_t h = 0; h < halls_.size(); ++h) {
      out.inlet_c[h].push_back(static_cast<float>(t_[halls_[h].cold]));
    }
    for (std::size_t l = 0; l < loops_.size(); ++l) {
      out.supply_c[l].push_back(static_cast<float>(t_[loops_[l].supply]));
    }
  }

  const Plant& plant_;
  const std::vector<FailureEvent>& events_;
  const WalkOptions& options_;
  PlantSolver solver_;
  HourInput in_;
  double now_ = -1;
  ThermalSystem nodes_;
  std::vector<double> t_;
  std::vector<GroupState> groups_;
  std::vector<HallState> halls_;
  std::vector<double> mass_w_k_;
  std::vector<LoopState> loops_;
  std::map<std::vector<double>, Mode> modes_;
};

}  // namespace

Walk walk(const Plant& plant, const HourInput& start, const std::vector<FailureEvent>& events,
          const WalkOptions& options) {
  return Walker(plant, start, events, options).run();
}

}  // namespace headroom::cooling
