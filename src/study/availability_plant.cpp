#include <fmt/format.h>

#include <algorithm>

#include "cooling/throttle.hpp"
#include "study/availability_parts.hpp"

namespace headroom::study {
namespace {

using availability::Ride;
using cooling::Failure;
using cooling::FailureEvent;

FailureEvent event(Failure what, std::size_t index) {
  FailureEvent e;
  e.what = what, e.index = index;
  return e;
}

}  // namespace

void AvailabilitySystem::say(std::string text) {
  if (std::find(a_.remarks.begin(), a_.remarks.end(), text) == a_.remarks.end())
    a_.remarks.push_back(std::move(text));
}

// When the first racks of a hall trip or throttle, and what the hall does from then on: the mean
// of its racks by their power.
void AvailabilitySystem::hall_after(const cooling::Walk& walk, std::size_t hall,
                                    const cooling::Throttle& throttle, RideThrough& out) const {
  double full = 0, runs = 0;
  const auto first = [&](double at_s) {
    out.seconds = out.seconds < 0 ? at_s : std::min(out.seconds, at_s);
  };
  for (const std::size_t k : plant_.halls[hall].groups) {
    const auto& g = walk.groups[k];
    const double watts = plant_.groups[k].racks * plant_.groups[k].rack_w;
    const double power = g.power.empty() ? 1 : g.power.back();
    double after = 1;
    if (g.shutdown_at_s >= 0) {
      first(g.shutdown_at_s);
      after = power <= 0 ? 0 : power;
    } else if (g.throttle_at_s >= 0 && power < 1 - 1e-6) {
      first(g.throttle_at_s);
      after = cooling::clock_share(throttle, power);
    }
    full += watts, runs += watts * after;
  }
  if (full > 0) out.after = runs / full;
}

// One walk a share: what the hall's racks do when so much of this is lost at full load on the
// design day.
std::vector<Ride> AvailabilitySystem::ride(std::size_t hall, const std::string& what,
                                           const std::vector<FailureEvent>& events,
                                           double restart_s) {
  cooling::HourInput in;
  in.dry_bulb_c = days_.by_dry_bulb.dry_bulb_c, in.wet_bulb_c = days_.by_dry_bulb.wet_bulb_c;
  in.pressure_pa = days_.by_dry_bulb.pressure_pa;
  cooling::WalkOptions options;
  options.horizon_s = 1800;
  std::vector<Ride> out;
  for (const double share : {0.25, 0.5, 0.75, 1.0}) {
    auto lost = events;
    for (auto& e : lost) e.share = share;
    const auto walk = cooling::walk(plant_, in, lost, options);
    RideThrough r;
    r.hall = c_.halls[hall].title, r.what = what, r.lost = share, r.after = 1;
    hall_after(walk, hall, options.throttle, r);
    Ride point{share, 0, 1};
    if (r.seconds >= 0) {
      const double left = r.seconds - restart_s;
      point.rate = left > 0 ? 1 / left : availability::never;
      point.after = std::min(1.0, r.after);
    }
    // Losing more is never better, whatever a controller does in between.
    if (!out.empty()) {
      point.rate = std::max(point.rate, out.back().rate);
      point.after = std::min(point.after, out.back().after);
    }
    out.push_back(point);
    if (share == 1) a_.rides.push_back(r);
  }
  // A rate without end has no straight line to it: from the share before on, at once.
  for (std::size_t i = 0; i + 1 < out.size(); ++i)
    if (out[i + 1].rate == availability::never && out[i].rate < availability::never) {
      Ride before = out[i];
      before.lost = out[i + 1].lost - 1e-9;
      out.insert(out.begin() + std::ptrdiff_t(i) + 1, before);
      break;
    }
  return out;
}

int AvailabilitySystem::add_view(const Bank& bank, const std::string& title) {
  availability::View v;
  v.name = bank.name, v.title = title;
  const int group = add_group(
      parts_.make(bank.part, bank.name, bank.title, bank.units),
      bank.technology != nullptr ? bank.technology->price : Value<PowerPrice>{}, bank.unit_w);
  v.source(bank.name, group, bank.unit_w);
  a_.system.views.push_back(std::move(v));
  return int(a_.system.views.size()) - 1;
}

void AvailabilitySystem::add_sink(int view, std::size_t hall, double demand_w,
                                  std::vector<Ride> ride) {
  availability::Sink s;
  s.load = int(hall), s.node = 0, s.demand_w = demand_w, s.sheds = false;
  s.ride = std::move(ride);
  s.recover_s = 600;  // of what is stored in water and metal (assumed)
  if (demand_w > 0) a_.system.views[std::size_t(view)].sinks.push_back(std::move(s));
}

void AvailabilitySystem::hall_cooling(std::size_t i) {
  const auto& hall = c_.halls[i];
  const auto& design = c_.cooling.design.halls[i];
  double liquid = 0, air = plant_.halls[i].loss_w;
  std::vector<FailureEvent> pumps;
  for (const std::size_t k : plant_.halls[i].groups) {
    const auto& g = plant_.groups[k];
    liquid += g.racks * g.rack_w * g.liquid_share;
    air += g.racks * g.rack_w * (1 - g.liquid_share);
    if (g.liquid_share > 0) pumps.push_back(event(Failure::coolant_pumps, k));
  }
  const auto spec = hall.spec->cooling.value_or(cooling::HallSpec{});
  if (liquid > 0) {
    if (spec.cdus) {
      const int v = add_view({"cdu", hall.scope + ".cdu", "CDUs of " + hall.title, spec.cdus.count,
                              spec.cdus.each.get().si(), design.technology},
                             "coolant of " + hall.title);
      add_sink(v, i, liquid, ride(i, "coolant pumps", pumps, 0));
    } else {
      say(hall.title + ": its CDUs are not given and are taken to hold");
    }
  }
  if (air <= 0) return;
  if (!spec.units) {
    say(hall.title + ": its room units are not given and are taken to hold");
    return;
  }
  const int v = add_view({"room-unit", hall.scope + ".room-unit", "room units of " + hall.title,
                          spec.units.count, spec.units.each.get().si(), design.room},
                         "air of " + hall.title);
  add_sink(v, i, air, ride(i, "room fans", {event(Failure::hall_fans, i)}, 0));
}

void AvailabilitySystem::heat_rejection() {
  std::vector<FailureEvent> rejection, pumps;
  for (std::size_t l = 0; l < plant_.loops.size(); ++l) {
    bool used = false;
    for (const auto& g : plant_.groups) used = used || (g.liquid_share > 0 && g.loop == l);
    for (const auto& h : plant_.halls) used = used || (!h.direct_expansion && h.loop == l);
    if (!used) continue;
    pumps.push_back(event(Failure::loop_pumps, l));
    rejection.push_back(event(Failure::tower, l));
    if (plant_.loops[l].chillers.capacity_w > 0) rejection.push_back(event(Failure::chillers, l));
  }
  if (pumps.empty()) return;  // direct expansion
  const auto spec = c_.scenario.cooling.value_or(cooling::PlantSpec{});
  double it = 0;
  for (const auto& hall : c_.halls) it += hall.it_max.value.si();
  const auto each_hall = [&](int view, double heat, const char* what, const auto& events) {
    for (std::size_t i = 0; i < c_.halls.size(); ++i)
      if (it > 0)
        add_sink(view, i, heat * c_.halls[i].it_max.value.si() / it, ride(i, what, events, 0));
  };
  const double heat = c_.cooling.at_design.water_heat.si();
  each_hall(add_view({"water-pump", "water-pump", "facility water pumps", 2, 0}, "facility water"),
            heat, "facility water pumps", pumps);
  say("facility water pumps: two, one needed (assumed: a scenario does not count them)");
  if (!spec.capacity) {
    say("heat rejection: its units are not given and are taken to hold");
    return;
  }
  const bool chills = c_.cooling.design.plant.has_chiller();
  const bool tower = c_.cooling.design.plant.on_tower();
  const Bank bank = {chills  ? "chiller"
                     : tower ? "cooling-tower"
                             : "dry-cooler",
                     chills  ? "chiller"
                     : tower ? "tower"
                             : "dry-cooler",
                     chills  ? "chillers"
                     : tower ? "towers"
                             : "dry coolers",
                     spec.capacity.count, spec.capacity.each.get().si()};
  each_hall(add_view(bank, "heat rejection"), c_.cooling.at_design.plant_heat.si(),
            "heat rejection", rejection);
}

void AvailabilitySystem::plant() {
  for (std::size_t i = 0; i < c_.halls.size(); ++i) hall_cooling(i);
  heat_rejection();
  std::erase_if(a_.system.views, [](const auto& v) { return v.sinks.empty(); });
}

}  // namespace headroom::study
