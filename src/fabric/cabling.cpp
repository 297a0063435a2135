#include "fabric/cabling.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::fabric {
namespace {

bool wanted(const catalog::Cable& cable, CableWish wish) {
  if (wish == CableWish::any) return true;
  return catalog::is_copper(cable.medium) == (wish == CableWish::copper);
}

/// Cables are made for rates; a link runs on the slowest cable that is fast enough.
bool serves(const catalog::Cable& cable, Bandwidth speed) {
  return cable.speed.get().si() >= speed.si() * (1 - 1e-9);
}

double likely_of(const Number& n) { return n.given ? n.likely : 0; }
double low_of(const Number& n) { return n.given ? n.low : 0; }
double high_of(const Number& n) { return n.given ? n.high : 0; }

}  // namespace

Length longest_run(const Geometry& g, double racks) {
  if (racks <= 1) return g.in_rack;
  const double row = std::min(racks, g.racks_per_row);
  const double rows = std::ceil(racks / g.racks_per_row);
  return std::ceil(row / 2) * g.rack_pitch + std::floor(rows / 2) * g.row_pitch + g.dressing;
}

Length mean_run(const Geometry& g, double racks) {
  if (racks <= 1) return g.in_rack;
  return g.dressing + (longest_run(g, racks) - g.dressing) / 2;
}

double share_within(const Geometry& g, double racks, Length reach) {
  if (racks <= 1) return reach >= g.in_rack ? 1 : 0;
  const double spare = reach.si() - g.dressing.si();
  if (spare < 0) return 0;
  const double near = 1 + 2 * std::floor(spare / g.rack_pitch.si() + 1e-9);
  return std::min(1.0, near / racks);
}

const catalog::Cable* cheapest_cable(const catalog::Catalog& catalog, Bandwidth speed,
                                     Length length, CableWish wish, bool host_link) {
  const catalog::Cable* best = nullptr;
  double best_speed = 0, best_price = 0;
  for (const catalog::Cable* cable : catalog.all<catalog::Cable>()) {
    if (!wanted(*cable, wish) || !serves(*cable, speed) || cable->reach.get() < length) continue;
    const double rate = cable->speed.get().si();
    const double price = link_cost(*cable, length, host_link).price.si();
    if (!best || rate < best_speed || (rate == best_speed && price < best_price)) {
      best = cable;
      best_speed = rate;
      best_price = price;
    }
  }
  return best;
}

const catalog::Cable* longest_cable(const catalog::Catalog& catalog, Bandwidth speed,
                                    CableWish wish) {
  const catalog::Cable* best = nullptr;
  for (const catalog::Cable* cable : catalog.all<catalog::Cable>()) {
    if (!wanted(*cable, wish) || !serves(*cable, speed)) continue;
    const bool slower = best && cable->speed.get() < best->speed.get();
    const bool longer =
        best && cable->speed.get() == best->speed.get() && cable->reach.get() > best->reach.get();
    if (!best || slower || longer) best = cable;
  }
  return best;
}

LinkCost link_cost(const catalog::Cable& cable, Length length, bool host_link) {
  const catalog::CableEnd& near = host_link ? cable.nic_end : cable.switch_end;
  const catalog::CableEnd& far = cable.switch_end;
  const double metres = length.in(metre);
  LinkCost c;
  c.power = near.power.or_else(Power{}) + far.power.or_else(Power{});
  auto sum = [&](double (*pick)(const Number&)) {
    return (pick(cable.base_price) + pick(near.price) + pick(far.price) +
            metres * pick(cable.length_price)) *
           dollar;
  };
  c.price = sum(likely_of);
  c.low = sum(low_of);
  c.high = sum(high_of);
  c.priced = cable.base_price.given || near.price.given || far.price.given;
  if (!catalog::is_copper(cable.medium)) c.plugs = (near.half_plugs + far.half_plugs) / 2.0;
  return c;
}

}  // namespace headroom::fabric
