#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "power/limits.hpp"

namespace headroom::power {
namespace {

using catalog::PowerGear;

constexpr double near_shortfall = 0.10;

// NEC 210.20(A): a breaker shall not be rated below 125 % of the continuous
// load, unless it is listed for 100 % (Schneider data bulletin 0000264293).
Value<Scalar> continuous_rule() {
  return {0.8, published("NEC 210.20(A), breaker at 125 % of continuous load", "2023")};
}

std::string kw(double si) { return format(si, "kW"); }

// What one breaker carries continuously.
Power breaker_power(const FeedSpec& feed, double continuous) {
  const double phases = feed.phases == 3 ? std::sqrt(3.0) : 1.0;
  return phases * (feed.voltage.get() * feed.breaker.get()) * continuous;
}

std::string after_loss(int usable, int count, Redundancy r) {
  if (usable == count) return fmt::format("{} feed{}", count, count == 1 ? "" : "s");
  if (r == Redundancy::two_n) return fmt::format("{} of {} feeds with A or B lost", usable, count);
  return fmt::format("{} of {} feeds with one lost", usable, count);
}

void feed_remedies(const HallDemand& hall, Power have, const catalog::Catalog& catalog, Margin& m) {
  const int fits =
      hall.box_max.si() > 0 && have.si() > 0 ? to_count(std::floor(have / hall.box_max + 1e-9)) : 0;
  if (fits >= 1 && fits < hall.boxes_per_rack) {
    m.remedies.push_back(
        {fmt::format("put {} {} in a rack ({}), which takes {} racks instead of {}", fits, hall.box,
                     kw((hall.box_max * fits).si()), racks_with(fits, hall), hall.racks),
         {},
         {},
         "this layer"});
  }
  const auto* busway = catalog.find<PowerGear>(gear_busway);
  const int sides = std::max(1, hall.feed.feed.count);
  const int usable = std::max(1, catalog::usable_units(sides, feed_redundancy(hall.feed)));
  // Sized to leave the reserve below which a limit counts as near.
  const Power each = hall.rack_max.value * (1 + near_shortfall) / usable;
  Remedy r{fmt::format("feed each rack by {} x {}", sides, kw(each.si())), {}, {}, ""};
  if (busway != nullptr && busway->price) {
    r.cost = busway->price.get() * (each * (sides * std::max(1, hall.racks)));
    r.source = describe(*busway->price.origin.source);
    if (busway->lead_time) r.lead_time = busway->lead_time.get();
  }
  m.remedies.push_back(std::move(r));
}

void finish_feed(Margin m, const HallDemand& hall, Power have, const catalog::Catalog& catalog,
                 Findings& findings) {
  if (m.headroom() < near_shortfall) feed_remedies(hall, have, catalog, m);
  findings.margins.push_back(std::move(m));
}

void feed_limit(const HallDemand& hall, const catalog::Catalog& catalog, Trace& trace,
                Findings& findings) {
  const auto& bank = hall.feed.feed;
  if (!bank || hall.racks == 0) return;
  const std::string id = "power." + hall.scope + ".rack-feed";
  const Redundancy r = feed_redundancy(hall.feed);
  const int usable = catalog::usable_units(bank.count, r);
  const auto each = trace.input(id + ".feed", bank.each, "kW");
  const auto have = trace.derive(id + ".have", each.value * usable, "kW",
                                 after_loss(usable, bank.count, r), {each.node});
  auto m = make_margin(id, "rack feed, " + hall.title, hall.rack_max, have, "kW")
               .because(fmt::format("The fullest rack draws {}{}; {} carry {}.",
                                    kw(hall.rack_max.value.si()),
                                    hall.boxes_per_rack > 0 && !hall.box.empty()
                                        ? fmt::format(" ({} x {})", hall.boxes_per_rack, hall.box)
                                        : std::string(),
                                    after_loss(usable, bank.count, r), kw(have.value.si())));
  finish_feed(std::move(m), hall, have.value, catalog, findings);
}

void breaker_limit(const HallDemand& hall, const catalog::Catalog& catalog, Trace& trace,
                   Findings& findings) {
  const auto& feed = hall.feed;
  if (!feed.breaker || !feed.voltage || hall.racks == 0) return;
  const std::string id = "power." + hall.scope + ".rack-breaker";
  const int count = std::max(1, feed.feed.count);
  const Redundancy r = feed_redundancy(feed);
  const int usable = catalog::usable_units(count, r);
  const auto amps = trace.input(id + ".breaker", feed.breaker, "A");
  const auto volts = trace.input(id + ".voltage", feed.voltage, "V");
  const auto share = trace.input_or(id + ".continuous", feed.continuous, continuous_rule(), "%");
  const auto have = trace.derive(id + ".have", breaker_power(feed, share.value) * usable, "kW",
                                 fmt::format("{}V x I x continuous share x {} usable",
                                             feed.phases == 3 ? "sqrt(3) x " : "", usable),
                                 {amps.node, volts.node, share.node});
  auto m = make_margin(id, "rack breaker, " + hall.title, hall.rack_max, have, "kW")
               .because(fmt::format("{} A at {} V carry {} continuously ({:.0f} % of the breaker, "
                                    "{}); the fullest rack draws {}.",
                                    amps.value.si(), volts.value.si(), kw(have.value.si()),
                                    100 * share.value, after_loss(usable, count, r),
                                    kw(hall.rack_max.value.si())));
  finish_feed(std::move(m), hall, have.value, catalog, findings);
}

void distribution_limit(const HallDemand& hall, const catalog::Catalog& catalog, Trace& trace,
                        Findings& findings) {
  const auto& bank = hall.distribution;
  if (!bank.units) return;
  const std::string id = "power." + hall.scope + ".distribution";
  const auto each = trace.input(id + ".unit", bank.units.each, "kW");
  const int usable = catalog::usable_units(bank.units.count, bank.redundancy);
  const auto have =
      trace.derive(id + ".usable", each.value * usable, "kW",
                   fmt::format("{} of {} units", usable, bank.units.count), {each.node});
  auto m = make_margin(id, "PDUs or busways, " + hall.title, hall.it_max, have, "kW")
               .because(fmt::format("The hall draws {}; {} of {} units of {} carry it after the "
                                    "loss that the design survives.",
                                    kw(hall.it_max.value.si()), usable, bank.units.count,
                                    kw(bank.units.each.get().si())));
  if (m.headroom() < near_shortfall) {
    m.remedies.push_back(
        more_units("unit", bank.units, bank.redundancy, hall.it_max.value, 1.0,
                   catalog.find<PowerGear>(bank.gear.empty() ? gear_busway : bank.gear)));
  }
  findings.margins.push_back(std::move(m));
}

}  // namespace

int racks_with(int fits, const HallDemand& hall) {
  const int boxes = hall.boxes > 0 ? hall.boxes : hall.boxes_per_rack * hall.racks;
  const int others = hall.box_racks > 0 ? std::max(0, hall.racks - hall.box_racks) : 0;
  return others + (boxes + fits - 1) / std::max(1, fits);
}

void hall_limits(const HallDemand& hall, const catalog::Catalog& catalog, Trace& trace,
                 Findings& findings) {
  distribution_limit(hall, catalog, trace, findings);
  feed_limit(hall, catalog, trace, findings);
  breaker_limit(hall, catalog, trace, findings);
}

}  // namespace headroom::power
