#include "fabric/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace headroom::fabric {
namespace {

template <class Q>
void price_of(BillLine& line, const Value<Q>& price) {
  if (!price) return;
  line.unit_price = price.get();
  line.price_low = price.low;
  line.price_high = price.high;
}

std::string count_of(long n) { return format_number(static_cast<double>(n)); }

/// Another network in place of the present one, at its whole price: that of a design that
/// does not carry the load is no base for a difference.
Remedy instead(const Network& other, const Network& present, std::string action) {
  action += fmt::format(", in place of switches and cables for {}",
                        format_scaled(present.price().si(), "USD"));
  Remedy r{std::move(action), other.price(), {}, "switch and cable catalogue"};
  if (other.used->lead_time) r.lead_time = other.used->lead_time.get();
  return r;
}

/// What more a network costs than another, never below zero.
Money dearer(const Network& a, const Network& b) {
  return std::max(0.0, a.price().si() - b.price().si()) * dollar;
}

}  // namespace

Report::Report(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
               Trace& trace, const Wiring& wiring, Design& out)
    : spec_(spec),
      demand_(demand),
      catalog_(catalog),
      trace_(trace),
      wiring_(wiring),
      out_(out),
      prefix_("fabric." + demand.scope + ".") {}

std::string Report::id(std::string_view name) const { return prefix_ + std::string(name); }

void Report::bill_switches(const Network& net, const std::string& prefix, const Tier& tier,
                           const std::string& role) {
  if (!net.used || tier.count == 0) return;
  const auto counted =
      trace_.derive(prefix + tier.name, Scalar(static_cast<double>(tier.count)), "switch",
                    fmt::format("{} switches of {} tiers, radix {} at {}, {} endpoints, taper {:g}",
                                tier.name, net.counts.tiers, net.request.radix,
                                format(net.link, "Gb/s"), net.counts.host_links, net.request.taper),
                    {demand_.systems});
  BillLine line;
  line.id = prefix + tier.name;
  line.category = "network";
  line.item = net.used->name + " (" + role + tier.name + ")";
  line.count = static_cast<double>(tier.count);
  line.count_node = counted;
  price_of(line, net.used->price);
  if (net.used->price)
    line.price_node = trace_.input(prefix + tier.name + "-price", net.used->price, "USD");
  if (net.used->lead_time) line.lead_time = net.used->lead_time.get();
  out_.findings.bill.add(std::move(line));
  switch_nodes_.push_back(counted);
}

void Report::bill_cables(const Network& net, const std::string& prefix) {
  for (const CableRun& run : net.cables) {
    const LinkCost cost = link_cost(*run.cable, run.length, run.host);
    BillLine line;
    line.id = prefix + (run.host ? "host-" : "switch-") + run.cable->id;
    line.category = "network";
    line.item = fmt::format("{}, {:.0f} m ({} link)", run.cable->name, run.length.in(metre),
                            run.host ? "host" : "switch");
    line.count = run.count;
    line.count_node =
        trace_.derive(line.id, Scalar(run.count), "cable",
                      run.host ? "host links that this cable serves" : "links between switches",
                      {demand_.systems});
    if (cost.priced) {
      line.unit_price = cost.price;
      line.price_low = cost.low.si();
      line.price_high = cost.high.si();
    }
    if (run.cable->lead_time) line.lead_time = run.cable->lead_time.get();
    cable_nodes_.push_back(line.count_node);
    out_.findings.bill.add(std::move(line));
    cables_ += run.count;
  }
  plugs_ += net.plugs();
  plug_power_ += net.plug_power();
}

void Report::add(const Network& net, const std::string& prefix, const std::string& role) {
  bill_switches(net, prefix, {"leaf", net.counts.leaf, 0}, role);
  bill_switches(net, prefix, {"spine", net.counts.spine, 0}, role);
  bill_switches(net, prefix, {"core", net.counts.core, 0}, role);
  bill_cables(net, prefix);
  if (!net.used) return;
  const double n = static_cast<double>(net.counts.switches());
  switches_ += n;
  typical_ += n * net.used->power.typical.or_else(net.used->power.max).or_else(Power{});
  max_ += n * net.used->power.max.or_else(net.used->power.typical).or_else(Power{});
  out_.rack_units += n * net.used->rack_units;
  out_.weight += n * net.used->weight.or_else(Mass{});
}

void Report::compute(const Network& net, Figure<Bandwidth> nic, int nics, bool ethernet) {
  add(net, prefix_, "");
  if (net.used) ports(net, nic, ethernet);
  bisection(net, nic, nics);
  copper(net);
  reach(net);
  at_hand(net, {"leaf", net.counts.leaf, spec_.leaf_switches});
  at_hand(net, {"spine", net.counts.spine, spec_.spine_switches});
  at_hand(net, {"core", net.counts.core, spec_.core_switches});
}

void Report::storage(const Network& net) {
  out_.storage = net.counts;
  add(net, prefix_ + "storage-", "storage ");
}

void Report::ports(const Network& net, Bandwidth nic, bool ethernet) {
  const auto need =
      trace_.derive(id("endpoints"), Scalar(static_cast<double>(net.request.endpoints())), "port",
                    fmt::format("systems x {} links each", net.request.rails), {demand_.systems});
  const auto have = trace_.derive(
      id("most-endpoints"), Scalar(static_cast<double>(net.counts.most)), "port",
      fmt::format("most of a {} of {} tiers with radix {} at {}, taper {:g}, {} planes",
                  kind_names()[static_cast<std::size_t>(out_.kind)], net.counts.tiers,
                  net.request.radix, format(net.link, "Gb/s"), net.request.taper,
                  net.request.planes),
      {});
  Margin m = make_margin(id("ports"), "network ports, " + demand_.scope, need, have, "port");
  // A shape that does not fit although its ports would: whole bundles do not come out.
  if (!net.counts.feasible && m.need <= m.have) m.have = m.need * 0.999;
  m.why = fmt::format("{} links of {} must meet; {} of radix {} carries {} in {} tiers.",
                      count_of(net.request.endpoints()), format(net.link, "Gb/s"), net.used->name,
                      net.request.radix, count_of(net.counts.most), net.counts.tiers);
  if (m.headroom() < 0.1) port_remedies(net, nic, ethernet, m);
  out_.findings.margins.push_back(std::move(m));
}

void Report::port_remedies(const Network& net, Bandwidth nic, bool ethernet, Margin& m) const {
  Request free_tiers = net.request;
  free_tiers.tiers = 0;
  if (const auto* s = cheapest_switch(catalog_, free_tiers, nic, wiring_, ethernet)) {
    const Network other = lay_out(catalog_, *s, free_tiers, nic, wiring_);
    m.remedies.push_back(
        instead(other, net,
                fmt::format("use {} {} in {} tiers", count_of(other.counts.switches()), s->name,
                            other.counts.tiers)));
  }
  Request split = free_tiers;
  split.planes *= 2;
  const Network planes = lay_out(catalog_, *net.used, split, nic, wiring_);
  if (planes.counts.feasible) {
    m.remedies.push_back(instead(
        planes, net,
        fmt::format("split every adapter into {} planes of {} (each switch then has radix {}): "
                    "{} {} in {} tiers",
                    split.planes, format(planes.link, "Gb/s"),
                    net.request.radix * split.planes / std::max(1, net.request.planes),
                    count_of(planes.counts.switches()), net.used->name, planes.counts.tiers)));
  }
  if (m.remedies.empty()) {
    m.remedies.push_back({fmt::format("divide the cluster into networks of {} endpoints or fewer, "
                                      "or taper above the leaves",
                                      count_of(net.counts.most)),
                          {},
                          {},
                          "docs/models/fabric.md"});
  }
}

void Report::bisection(const Network& net, Figure<Bandwidth> nic, int nics) {
  const double half = demand_.systems.value * nics / 2;
  const Bandwidth full = half * nic.value;
  out_.bisection = trace_.derive(id("bisection"), net.counts.bisection * full, "TB/s",
                                 "half the endpoints x adapter speed x share that crosses the cut",
                                 {demand_.systems, nic});
  out_.oversubscription = trace_.derive(
      id("oversubscription"), Scalar(net.counts.bisection > 0 ? 1 / net.counts.bisection : 1e9), "",
      "injection bandwidth over bisection, in whole switches", {out_.bisection});
  if (!spec_.max_oversubscription) return;
  const auto most = trace_.input(id("max-oversubscription"), spec_.max_oversubscription, "");
  const auto need = trace_.derive(id("bisection-need"), (1.0 / most.value.si()) * full, "TB/s",
                                  "half the endpoints x adapter speed / tolerated oversubscription",
                                  {demand_.systems, nic, most});
  Margin m =
      make_margin(id("bisection"), "bisection, " + demand_.scope, need, out_.bisection, "TB/s");
  m.why =
      fmt::format("The work tolerates {:g}:1; {} links into {} towards the top tier make {:.2g}:1.",
                  most.value.si(), net.counts.host_links,
                  net.counts.tiers == 3 ? net.counts.core_links : net.counts.switch_links(),
                  out_.oversubscription.value.si());
  if (m.headroom() < 0 && net.used) {
    Request wider = net.request;
    wider.taper = most.value;
    const Network other = lay_out(catalog_, *net.used, wider, nic, wiring_);
    const long more = other.counts.switches() - net.counts.switches();
    Remedy r{fmt::format("build {:g}:1: {} more switches and {} more links", most.value.si(), more,
                         other.counts.switch_links() - net.counts.switch_links()),
             dearer(other, net),
             {},
             "switch and cable catalogue, the difference"};
    if (net.used->lead_time) r.lead_time = net.used->lead_time.get();
    m.remedies.push_back(std::move(r));
  }
  out_.findings.margins.push_back(std::move(m));
}

void Report::copper(const Network& net) {
  if (spec_.host_links != HostLinks::copper) return;
  const catalog::Cable* cable = longest_cable(catalog_, net.link, CableWish::copper);
  if (!cable) {
    out_.findings.remarks.push_back(fmt::format("fabric {}: no copper cable of {} is catalogued",
                                                demand_.scope, format(net.link, "Gb/s")));
    return;
  }
  const auto need = trace_.derive(id("longest-host-link"), net.longest_host, "m",
                                  "half the unit's row and rows, and dressing", {});
  const auto have = trace_.input(id("copper-reach"), cable->reach, "m");
  Margin m = make_margin(id("copper"), "copper reach, " + demand_.scope, need, have, "m");
  m.why = fmt::format("The farthest system is {} of cable from its leaf; {} reaches {}.",
                      format(need.value, "m"), cable->name, format(have.value, "m"));
  if (m.headroom() < 0.1) {
    Wiring glass = wiring_;
    glass.host_wish = CableWish::optical;
    const Network other = lay_out(catalog_, *net.used, net.request, net.link, glass);
    m.remedies.push_back(
        {fmt::format(
             "use optics for {} host links ({} more power)", count_of(net.counts.host_links),
             format_scaled(std::max(0.0, (other.plug_power() - net.plug_power()).si()), "W")),
         dearer(other, net),
         {},
         "cable catalogue, the difference"});
    m.remedies.push_back(
        {"put the leaf switches in the racks (`leaf_place: in-rack`)", {}, {}, "geometry"});
  }
  out_.findings.margins.push_back(std::move(m));
}

void Report::reach(const Network& net) {
  if (net.counts.switch_links() == 0) return;
  const catalog::Cable* cable = longest_cable(catalog_, net.link, CableWish::any);
  if (!cable) {
    out_.findings.remarks.push_back(
        fmt::format("fabric {}: no cable of {} is catalogued, so links between switches are not "
                    "priced",
                    demand_.scope, format(net.link, "Gb/s")));
    return;
  }
  const auto need = trace_.derive(id("longest-switch-link"), net.longest_switch, "m",
                                  "half a row and half the rows of the hall, and dressing", {});
  const auto have = trace_.input(id("cable-reach"), cable->reach, "m");
  Margin m = make_margin(id("reach"), "cable reach, " + demand_.scope, need, have, "m");
  m.why = fmt::format("Leaves and spines stand up to {} of cable apart; {} reaches {}.",
                      format(need.value, "m"), cable->name, format(have.value, "m"));
  if (m.headroom() < 0.1)
    m.remedies.push_back(
        {"place spines per building and join buildings by coherent optics", {}, {}, ""});
  out_.findings.margins.push_back(std::move(m));
}

void Report::at_hand(const Network& net, const Tier& tier) {
  if (tier.at_hand == 0 || !net.used) return;
  const auto need = trace_.derive(id(tier.name + "-need"), Scalar(static_cast<double>(tier.count)),
                                  "switch", "switches that the topology takes", {demand_.systems});
  const auto have = trace_.input(
      id(tier.name + "-at-hand"),
      Value<Scalar>(static_cast<double>(tier.at_hand),
                    std::make_shared<Source>(
                        Source{"scenario", "as written in the scenario", "", "", Trust::user})),
      "switch");
  Margin m =
      make_margin(id(tier.name), tier.name + " switches, " + demand_.scope, need, have, "switch");
  m.why =
      fmt::format("{} endpoints over radix {} take {} {} switches; {} are at hand.",
                  net.counts.host_links, net.request.radix, tier.count, tier.name, tier.at_hand);
  if (tier.count > tier.at_hand) {
    const double more = static_cast<double>(tier.count - tier.at_hand);
    Remedy r{fmt::format("buy {:.0f} more {}", more, net.used->name), {}, {}, "switch catalogue"};
    if (net.used->price) r.cost = more * net.used->price.get();
    if (net.used->lead_time) r.lead_time = net.used->lead_time.get();
    m.remedies.push_back(std::move(r));
  }
  out_.findings.margins.push_back(std::move(m));
}

void Report::totals() {
  out_.switches = trace_.derive(id("switches"), Scalar(switches_), "switch",
                                "all tiers of all networks", switch_nodes_);
  out_.cables =
      trace_.derive(id("cables"), Scalar(cables_), "cable", "host and switch links", cable_nodes_);
  out_.plugs =
      trace_.derive(id("plugs"), Scalar(plugs_), "",
                    "optical modules at both ends, twin-port modules counted once", {out_.cables});
  const auto optics = trace_.derive(id("optics-power"), plug_power_, "kW",
                                    "power of plugs at adapters and switches", {out_.cables});
  const auto boxes = trace_.derive(id("switch-power"), typical_, "kW",
                                   "switches x typical power without optics", {out_.switches});
  out_.power = trace_.derive(id("power"), typical_ + plug_power_, "kW", "switches + optics",
                             {boxes, optics});
  out_.power_max = trace_.derive(id("power-max"), max_ + plug_power_, "kW",
                                 "switches at their maximum + optics", {out_.switches, optics});
  out_.capital = trace_.derive(id("capital"), out_.findings.bill.total(), "USD",
                               "sum of the network's bill", {out_.switches, out_.cables});
}

}  // namespace headroom::fabric
