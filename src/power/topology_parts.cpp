#include "power/topology_parts.hpp"

#include <algorithm>
#include <cmath>

#include "power/limits.hpp"

namespace headroom::power {

using catalog::PowerGear;

std::string_view usual_gear(NodeKind kind) {
  switch (kind) {
    case NodeKind::transformer:
    case NodeKind::substation:
      return gear_transformer;
    case NodeKind::switchgear:
      return gear_switchgear;
    case NodeKind::generator:
      return gear_generator;
    case NodeKind::ups:
      return gear_ups;
    case NodeKind::ups_eco:
      return "ups-eco";
    case NodeKind::battery:
      return gear_battery;
    case NodeKind::pdu:
      return "pdu";
    case NodeKind::rpp:
      return "rpp";
    case NodeKind::busway:
      return gear_busway;
    case NodeKind::power_shelf:
    case NodeKind::rectifier:
      return "power-shelf-33";
    default:
      return {};
  }
}

void set_overload(Node& n, const PowerGear* gear) {
  if (n.rating_w <= 0) return;
  if (n.kind == NodeKind::ups || n.kind == NodeKind::ups_eco) {
    if (gear != nullptr && gear->overload && gear->overload_time)
      n.overload = table_curve(gear->overload.get(), gear->overload_time.get().si(), 1.5, 60);
    return;
  }
  if (n.kind == NodeKind::generator) {
    n.overload = table_curve(1.1, 3600, 1.25, 10);
    return;
  }
  n.trip_w = n.rating_w / 0.8;
  n.overload = breaker_curve(n.trip_w / (std::sqrt(3.0) * usual_volts));
}

void set_start(Node& n, const PowerGear* gear) {
  if (gear == nullptr) return;
  n.start_s = gear->start.or_else(Time{}).si();
  n.start_failure = gear->failure_to_start.or_else(0.0);
}

PhaseUse phase_use(const FeedSpec& feed, int first) {
  PhaseUse p;
  p.phases = feed.phases, p.first = first;
  p.voltage_v = feed.voltage.or_else(Voltage{}).si();
  p.breaker_a = feed.breaker.or_else(Current{}).si();
  p.continuous = feed.continuous.or_else(0.8);
  return p;
}

void rate_feed(const FeedSpec& f, Node& node) {
  const double phases = f.phases == 3 ? std::sqrt(3.0) : 1.0;
  const double share = f.continuous.or_else(0.8);
  if (f.feed) node.rating_w = node.nameplate_w = f.feed.each.get().si();
  if (f.breaker && f.voltage) {
    node.trip_w = phases * f.breaker.get().si() * f.voltage.get().si();
    node.overload = breaker_curve(f.breaker.get().si());
    const double carries = node.trip_w * share;
    if (node.rating_w <= 0 || carries < node.rating_w) node.rating_w = carries;
    if (node.nameplate_w <= 0) node.nameplate_w = carries;
  } else if (node.rating_w > 0) {
    node.trip_w = node.rating_w / share;
    node.overload = breaker_curve(node.trip_w / (std::sqrt(3.0) * usual_volts));
  }
}

double feeds_carry_w(const FeedSpec& feed) {
  Node one;
  rate_feed(feed, one);
  return one.rating_w * catalog::usable_units(std::max(1, feed.feed.count), feed_redundancy(feed));
}

Node battery_of(const Node& ups, double autonomy_s) {
  Node n;
  n.name = ups.name + "-battery";
  n.kind = NodeKind::battery, n.stage_name = "battery", n.side = ups.side, n.count = ups.count;
  n.gear = std::string(gear_battery);
  n.nameplate_w = ups.nameplate_w;
  n.energy_j =
      (ups.nameplate_w + ups.stage.loss(Power::from_si(ups.nameplate_w)).si()) * autonomy_s;
  return n;
}

}  // namespace headroom::power
