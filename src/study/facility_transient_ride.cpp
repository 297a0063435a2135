// Sags: what of the scenario leaves the grid.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "catalog/power_gear.hpp"
#include "study/facility_transient_parts.hpp"
#include "study/training_parts.hpp"

namespace headroom::study {
namespace {

/// Seconds of battery at the load behind the UPS.
double battery_j(const Context& c, const power::Spec& spec, double load_w) {
  const auto* gear = c.catalog.find<catalog::PowerGear>("battery-li-ion");
  double seconds = gear != nullptr && gear->autonomy ? gear->autonomy.get().si() : 300;
  if (spec.ups.autonomy) seconds = spec.ups.autonomy.get().si();
  // Autonomy is at the bank's full rating; without a bank, at this load.
  if (!spec.ups.modules) return seconds * load_w;
  return seconds * spec.ups.modules.each.get().si() * spec.ups.modules.count;
}

void set_loads(const Context& c, const TransientAnswer& a, power::RideSetup& r) {
  const power::Spec spec = c.scenario.power.value_or(power::Spec{});
  const double meter = a.meter_mean_w;
  if (!c.has_facility) {
    r.direct_w = meter;
    return;
  }
  const auto& flow = c.power.typical;
  const double on_ups = spec.ups.mechanical ? double(spec.ups.mechanical.get()) : 0;
  r.mechanical_w = flow.cooling.si() * (1 - on_ups) + flow.other.si();
  const double rest = meter - r.mechanical_w;
  const bool none = spec.ups.redundancy == catalog::Redundancy::none;
  (none ? r.direct_w : r.ups_w) = rest;
  r.battery_j = none ? 0 : battery_j(c, spec, rest);
  r.generator_w = a.generator_w;
  const auto* gear = c.catalog.find<catalog::PowerGear>(
      spec.generator.gear.empty() ? "generator-diesel-2500" : spec.generator.gear);
  if (gear != nullptr && gear->start) r.start_s = gear->start.get().si();
}

/// GPU time lost when machines fall: the outage, and for gangs half of the time between saves.
void count_loss(Context& c, TransientAnswer& a) {
  if (!a.ride.it_lost) return;
  for (const auto& load : a.loads)
    a.lost_gpu_s += load.gpus * (a.ride.it_out_s + load.save_every_s / 2);
  if (const auto price = gpu_hour_price(c, {}); price.known()) {
    a.lost_usd = a.lost_gpu_s * price.rate.value.si();
    a.price_origin = price.origin;
  }
}

}  // namespace

void ride_sags(Context& c, const power::TransientSpec& spec, TransientAnswer& a) {
  if (!a.sags_given) {
    for (const auto& text : spec.sags) power::read_sags(text, a.sags);
    power::order_sags(a.sags);
    a.sags_given = !a.sags.empty();
  }
  if (a.sags.empty()) a.sags = power::july_2024();
  a.ride_setup = power::ride_of(spec.ride);
  set_loads(c, a, a.ride_setup);
  a.ride = power::ride_through(a.ride_setup, a.sags);
  count_loss(c, a);
}

}  // namespace headroom::study
