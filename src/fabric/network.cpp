#include "fabric/network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headroom::fabric {
namespace {

void add_run(Network& n, const catalog::Cable* cable, bool host, double count, Length length) {
  if (cable && count > 0) n.cables.push_back({cable, host, count, length});
}

/// Racks around one network rack: those whose systems fill the leaves of a unit.
double unit_racks(const Network& n, const Wiring& w) {
  const double systems = std::max(1.0, static_cast<double>(n.counts.group) / n.request.rails);
  return std::clamp(std::ceil(systems / std::max(1.0, w.systems_per_rack)), 1.0,
                    std::max(1.0, w.geometry.racks));
}

/// Host links: copper for the racks it reaches, optical for the rest.
void add_host_cables(const catalog::Catalog& catalog, Network& n, const Wiring& w) {
  const double racks = unit_racks(n, w), links = static_cast<double>(n.counts.host_links);
  const catalog::Cable* whole = cheapest_cable(catalog, n.link, n.longest_host, w.host_wish, true);
  // What does not reach is reported as a limit; the bill holds what would work.
  if (!whole) whole = cheapest_cable(catalog, n.link, n.longest_host, CableWish::any, true);
  if (w.leaf_in_rack || racks <= 1 || w.longest_host || w.host_wish != CableWish::any) {
    add_run(n, whole, true, links, n.longest_host);
    return;
  }
  const catalog::Cable* copper = longest_cable(catalog, n.link, CableWish::copper);
  const double near =
      copper ? std::floor(links * share_within(w.geometry, racks, copper->reach.get())) : 0;
  if (near > 0) add_run(n, copper, true, near, copper->reach.get());
  add_run(n, cheapest_cable(catalog, n.link, n.longest_host, CableWish::optical, true), true,
          links - near, mean_run(w.geometry, racks));
}

void add_switch_cables(const catalog::Catalog& catalog, Network& n, const Wiring& w) {
  const double links = static_cast<double>(n.counts.switch_links());
  const bool far = w.geometry.racks > 1;
  const Length length =
      w.longest_switch || !far ? n.longest_switch : mean_run(w.geometry, w.geometry.racks);
  add_run(n, cheapest_cable(catalog, n.link, n.longest_switch, CableWish::any, false), false, links,
          length);
}

}  // namespace

Money Network::switch_price() const {
  return used ? static_cast<double>(counts.switches()) * used->price.or_else(Money{}) : Money{};
}

Money Network::cable_price() const {
  Money total;
  for (const CableRun& run : cables)
    total += run.count * link_cost(*run.cable, run.length, run.host).price;
  return total;
}

double Network::plugs() const {
  double total = 0;
  for (const CableRun& run : cables)
    total += run.count * link_cost(*run.cable, run.length, run.host).plugs;
  return total;
}

Power Network::plug_power() const {
  Power total;
  for (const CableRun& run : cables)
    total += run.count * link_cost(*run.cable, run.length, run.host).power;
  return total;
}

Network lay_out(const catalog::Catalog& catalog, const catalog::Switch& used, Request request,
                Bandwidth nic, const Wiring& wiring) {
  Network n;
  n.used = &used;
  n.link = (1.0 / std::max(1, request.planes)) * nic;
  long radix = used.radix(nic);
  if (radix == 0) {  // a fast adapter takes several slower ports
    const Bandwidth port = used.speed.get();
    request.rails *= static_cast<long>(std::ceil(nic.si() / port.si() - 1e-9));
    radix = used.ports;
    n.link = port;
  }
  request.radix = radix;
  n.request = request;
  n.counts = count(request);
  n.longest_host = wiring.longest_host.or_else(
      wiring.leaf_in_rack ? wiring.geometry.in_rack
                          : longest_run(wiring.geometry, unit_racks(n, wiring)));
  n.longest_switch =
      wiring.longest_switch.or_else(longest_run(wiring.geometry, wiring.geometry.racks));
  add_host_cables(catalog, n, wiring);
  add_switch_cables(catalog, n, wiring);
  return n;
}

std::string_view usual_switch(Bandwidth nic, bool ethernet) {
  const double gb_s = nic.in(gigabit_per_second);
  if (ethernet) return "tomahawk5-64x800";
  if (gb_s <= 200) return "qm8700";
  return gb_s <= 400 ? "qm9700" : "q3400-ra";
}

const catalog::Switch* cheapest_switch(const catalog::Catalog& catalog, const Request& request,
                                       Bandwidth nic, const Wiring& wiring, bool ethernet) {
  const catalog::Switch* best = nullptr;
  double best_usd = std::numeric_limits<double>::infinity();
  for (const catalog::Switch* s : catalog.all<catalog::Switch>()) {
    const bool same = (s->technology == catalog::NetworkTechnology::ethernet) == ethernet;
    if (s->reference || !same || !s->price) continue;
    const Network n = lay_out(catalog, *s, request, nic, wiring);
    if (!n.counts.feasible || n.price().si() >= best_usd) continue;
    best = s;
    best_usd = n.price().si();
  }
  return best;
}

}  // namespace headroom::fabric
