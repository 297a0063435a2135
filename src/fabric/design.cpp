#include "fabric/design.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "fabric/network.hpp"
#include "fabric/report.hpp"

namespace headroom::fabric {
namespace {

using catalog::NetworkTechnology;

// Light in fibre: refractive index 1.47 (ITU-T G.652), 4.9 ns/m.
constexpr double fibre_s_per_m = 4.9e-9;

/// Adapter that stands for the system's own when the user names none.
std::string_view usual_nic(const catalog::System& system, bool ethernet, Bandwidth speed) {
  if (system.vendor == "AWS" || system.vendor == "Amazon") return "efa-v3";
  if (ethernet) return "connectx-7-ethernet";
  if (speed.in(gigabit_per_second) <= 200) return "connectx-6";
  return speed.in(gigabit_per_second) <= 400 ? "connectx-7" : "connectx-8";
}

struct Adapters {
  const catalog::Nic* nic = nullptr;  ///< describes them; null when the catalogue lacks it
  bool bought = false;                ///< named by the user, so priced here
  int count = 0;                      ///< of one system
  Figure<Bandwidth> speed;
};

class Designer {
 public:
  Designer(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog, Trace& trace)
      : spec_(spec),
        demand_(demand),
        catalog_(catalog),
        trace_(trace),
        prefix_("fabric." + demand.scope + ".") {}

  Design run() {
    out_.kind = resolve(spec_.kind, nodes());
    adapters_ = adapters();
    wiring_ = wiring();
    if (adapters_.count == 0 || adapters_.speed.value.si() <= 0) return without_network();
    if (out_.kind == Kind::none) return alone();
    const catalog::Switch* used = compute_switch();
    if (!used) return without_network();
    const Network compute = compute_network(*used);
    out_.used = compute.used;
    out_.counts = compute.counts;
    Report report(spec_, demand_, catalog_, trace_, wiring_, out_);
    report.compute(compute, adapters_.speed, adapters_.count, ethernet_);
    if (Network storage; storage_network(storage)) report.storage(storage);
    if (adapters_.bought) buy_adapters();
    report.totals();
    out_.latency = latency(compute);
    out_.path = make_path(*demand_.system, *demand_.accelerator, scale_out());
    return std::move(out_);
  }

 private:
  std::string id(std::string_view name) const { return prefix_ + std::string(name); }
  long nodes() const { return std::max(0L, std::lround(demand_.systems.value)); }

  Adapters adapters() {
    Adapters a;
    a.count = spec_.nics > 0 ? spec_.nics : demand_.system->compute_nics.count;
    const catalog::Nic* named =
        spec_.nic.empty() ? nullptr : catalog_.find<catalog::Nic>(spec_.nic);
    Value<Bandwidth> speed = spec_.nic_speed;
    if (!speed && named) speed = named->speed;
    if (!speed) speed = demand_.system->compute_nics.speed;
    if (speed) a.speed = trace_.input(id("nic-speed"), speed, "Gb/s");
    a.bought = named != nullptr;
    ethernet_ = is_ethernet(named);
    a.nic = named
                ? named
                : catalog_.find<catalog::Nic>(usual_nic(*demand_.system, ethernet_, a.speed.value));
    return a;
  }

  bool is_ethernet(const catalog::Nic* named) const {
    if (named) return named->technology != NetworkTechnology::infiniband;
    if (const auto* s = catalog_.find<catalog::Switch>(spec_.network_switch))
      return s->technology != NetworkTechnology::infiniband;
    const std::string& maker = demand_.system->vendor;
    if (maker == "AWS" || maker == "Google") return true;
    return demand_.accelerator->vendor != "NVIDIA";
  }

  Wiring wiring() {
    Wiring w;
    const double systems = std::max(1.0, demand_.systems.value.si());
    const double racks = demand_.racks > 0 ? demand_.racks : systems;
    w.systems_per_rack = std::max(1.0, systems / racks);
    w.geometry = {racks,
                  std::max(1.0, demand_.racks_per_row),
                  demand_.rack_pitch,
                  demand_.row_pitch,
                  trace_.constant(id("dressing"), 4.0 * metre, "m",
                                  assumed("2 m at each end from port to tray and back")),
                  trace_.constant(id("in-rack-link"), 2.0 * metre, "m",
                                  assumed("top of rack to the middle of a 42U rack and slack"))};
    w.leaf_in_rack = spec_.leaf_place == LeafPlace::in_rack ||
                     (spec_.leaf_place == LeafPlace::automatic && out_.kind == Kind::fat_tree);
    if (spec_.host_links == HostLinks::copper) w.host_wish = CableWish::copper;
    if (spec_.host_links == HostLinks::optical) w.host_wish = CableWish::optical;
    w.longest_host = spec_.longest_host_link;
    w.longest_switch = spec_.longest_switch_link;
    return w;
  }

  Design without_network() {
    if (nodes() > 1)
      out_.findings.remarks.push_back(
          fmt::format("fabric {}: {} has no scale-out adapters in the catalogue; name `nics` and "
                      "`nic_speed` to "
                      "design its network",
                      demand_.scope, demand_.system->name));
    out_.kind = Kind::none;
    out_.path = make_path(*demand_.system, *demand_.accelerator, {});
    return std::move(out_);
  }

  /// No network asked: fine for one system, a limit for more.
  Design alone() {
    Request q{.kind = Kind::none, .nodes = nodes(), .rails = adapters_.count};
    out_.counts = count(q);
    if (nodes() > 1) {
      const auto have = trace_.constant(id("systems-without-network"), Scalar(1), "system",
                                        assumed("without a network each system stands alone"));
      out_.findings.margins.push_back(
          make_margin(id("ports"), "systems joined, " + demand_.scope, demand_.systems, have,
                      "system")
              .because(fmt::format(
                  "{} systems are asked to work together and no network joins them.", nodes()))
              .remedy({"set `fabric.kind` to rail or fat-tree", {}, {}, ""}));
    }
    out_.path = make_path(*demand_.system, *demand_.accelerator, scale_out());
    if (nodes() > 1) out_.path.scale_out = Bandwidth{};
    return std::move(out_);
  }

  Request request() const {
    return {.kind = out_.kind,
            .nodes = nodes(),
            .rails = adapters_.count,
            .taper = spec_.oversubscription.or_else(Scalar(1)),
            .planes = spec_.planes,
            .tiers = spec_.tiers,
            .dimensions = spec_.dimensions};
  }

  const catalog::Switch* compute_switch() const {
    if (const auto* named = catalog_.find<catalog::Switch>(spec_.network_switch)) return named;
    return catalog_.find<catalog::Switch>(usual_switch(adapters_.speed.value, ethernet_));
  }

  Network compute_network(const catalog::Switch& used) const {
    Network n = lay_out(catalog_, used, request(), adapters_.speed.value, wiring_);
    if (out_.kind == Kind::torus) n.used = nullptr;  // adapters are wired to each other
    return n;
  }

  /// The second network, of the system's storage adapters. False when there is none.
  bool storage_network(Network& n) {
    const catalog::SystemNics& nics = demand_.system->storage_nics;
    if (!spec_.storage_network || nics.count == 0 || !nics.speed) return false;
    const catalog::Switch* used = catalog_.find<catalog::Switch>(spec_.storage_switch);
    if (!used) used = catalog_.find<catalog::Switch>(usual_switch(nics.speed.get(), ethernet_));
    if (!used) return false;
    Request q{.kind = Kind::fat_tree,
              .nodes = nodes() * nics.count + std::lround(demand_.storage_units),
              .rails = 1,
              .taper = spec_.storage_oversubscription.or_else(Scalar(1))};
    Wiring w = wiring_;
    w.leaf_in_rack = false;
    w.host_wish = CableWish::any;
    w.longest_host = {};
    w.systems_per_rack *= nics.count;  // its endpoints are adapters
    n = lay_out(catalog_, *used, q, nics.speed.get(), w);
    return true;
  }

  void buy_adapters() {
    BillLine line;
    line.id = id("nic");
    line.category = "network";
    line.item = adapters_.nic->name;
    line.count = static_cast<double>(nodes()) * adapters_.count;
    if (adapters_.nic->price) {
      line.unit_price = adapters_.nic->price.get();
      line.price_low = adapters_.nic->price.low;
      line.price_high = adapters_.nic->price.high;
      line.price_node = trace_.input(id("nic-price"), adapters_.nic->price, "USD");
    }
    out_.findings.bill.add(std::move(line));
  }

  /// Share of line rate that collectives reach on the slowest path.
  Figure<Scalar> efficiency() {
    const Value<Scalar> fallback(0.92, assumed("as 400 Gb/s Ethernet adapters"));
    const Value<Scalar>& listed =
        adapters_.nic && adapters_.nic->efficiency ? adapters_.nic->efficiency : fallback;
    const auto nic = trace_.input(id("nic-efficiency"), listed, "%");
    const bool spread =
        spec_.routing == Routing::adaptive ||
        (spec_.routing == Routing::automatic && (!out_.used || out_.used->adaptive_routing));
    if (spread || out_.counts.tiers < 2) return nic;
    // Random permutation over 8,192 hosts, per-flow ECMP: slowest flow's share at 8, 16, 32 queue
    // pairs is 0.54, 0.68, 0.80 (max-min solve; docs/models/fabric.md).
    const auto hash = trace_.input(
        id("static-routing-share"),
        Value<Scalar>(
            0.54, 0.68, 0.80,
            published("max-min solve of per-flow ECMP, 8,192 hosts, 8/16/32 queue pairs a "
                      "host: slowest flow's share of line rate",
                      "2026-11")),
        "%");
    out_.findings.remarks.push_back(fmt::format(
        "fabric {}: flows are hashed to paths (static routing), so the slowest of a collective "
        "gets about 68 % (54-80 %) of its line rate; adaptive routing would lift this",
        demand_.scope));
    return trace_.derive(id("efficiency"), Scalar(nic.value * hash.value), "%",
                         "adapter efficiency x share of the slowest flow under static hashing",
                         {nic, hash});
  }

  ScaleOut scale_out() {
    const double gpus = std::max(1, demand_.system->accelerators);
    const auto per_gpu = trace_.derive(
        id("line-rate-per-gpu"), adapters_.count / gpus * adapters_.speed.value, "Gb/s",
        fmt::format("{} adapters of a system over {:.0f} accelerators", adapters_.count, gpus),
        {adapters_.speed});
    const auto share = efficiency();
    trace_.derive(id("rate-per-gpu"), share.value * per_gpu.value, "GB/s",
                  "line rate x share that collectives reach", {per_gpu, share});
    ScaleOut s;
    s.per_gpu = per_gpu;
    s.efficiency = share.value;
    s.ethernet = ethernet_;
    s.oversubscription = out_.counts.bisection > 0 ? 1 / out_.counts.bisection : 1;
    s.group = static_cast<double>(out_.counts.group) * gpus / adapters_.count;
    s.in_network_reduction = spec_.in_network_reduction && reduces();
    if (s.in_network_reduction)
      trace_.derive(id("in-network-rate"), in_network_share().get() * per_gpu.value, "GB/s",
                    "line rate x share that in-network reduction reaches",
                    {per_gpu, trace_.input(id("in-network-share"), in_network_share(), "%")});
    return s;
  }

  /// The switches can do what the scenario asks of them; says so when not.
  bool reduces() {
    if (out_.used != nullptr && out_.used->in_network_reduction && !ethernet_) return true;
    if (out_.used != nullptr)
      out_.findings.remarks.push_back(fmt::format(
          "fabric {}: {} does not reduce in the network, so in_network_reduction changes nothing; "
          "Quantum switches of InfiniBand do (qm8700, qm9700, q3400-ra)",
          demand_.scope, out_.used->name));
    return false;
  }

  Figure<Time> latency(const Network& n) {
    const Time nic = adapters_.nic ? adapters_.nic->latency.or_else(Time{}) : Time{};
    const Time hop = n.used ? n.used->latency.or_else(Time{}) : nic;
    const double cables = n.counts.tiers > 1 ? 2 * (n.counts.tiers - 1) : 0;
    const double metres = 2 * n.longest_host.in(metre) + cables * n.longest_switch.in(metre);
    const Time total = 2 * nic + n.counts.hops * hop + metres * fibre_s_per_m * second;
    return trace_.derive(id("latency"), total, "us",
                         fmt::format("two adapters of {}, {} switches of {}, {:.0f} m of cable at "
                                     "4.9 ns/m",
                                     format(nic, "us"), n.counts.hops, format(hop, "ns"), metres),
                         {});
  }

  const Spec& spec_;
  const Demand& demand_;
  const catalog::Catalog& catalog_;
  Trace& trace_;
  std::string prefix_;
  Design out_;
  Adapters adapters_;
  Wiring wiring_;
  bool ethernet_ = false;
};

}  // namespace

Design design(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace) {
  return Designer(spec, demand, catalog, trace).run();
}

}  // namespace headroom::fabric
