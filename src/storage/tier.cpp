#include "storage/tier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/units.hpp"

namespace headroom::storage {
namespace {

std::string kebab(std::string text) {
  for (char& c : text) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '-';
  }
  return text;
}

template <class Q>
double whole(Q need, Q each) {
  return each.si() > 0 ? std::ceil(need.si() / each.si() - 1e-9) : 0;
}

/// The tier's own figure when given, else units x the system's.
template <class Q>
Figure<Q> rate(Trace& trace, const std::string& id, const Value<Q>& own, const Value<Q>& each,
               const Figure<Scalar>& units, std::string_view unit) {
  if (own) return trace.input(id, own, unit);
  if (!each) return {};
  const auto one = trace.input(id + "-each", each, unit);
  return trace.derive(id, units.value * one.value, unit, "units x each", {units, one});
}

Value<Scalar> fill_of(const Tier& tier, const catalog::StorageSystem* system) {
  if (tier.fill) return tier.fill;
  if (system && system->fill) return system->fill;
  return Value<Scalar>(0.8,
                       published("Machine Learning Engineering Open Book, storage chapter: keep "
                                 "a shared file system below 80 %",
                                 "2026"));
}

}  // namespace

bool holds(const Tier& tier, std::string_view purpose) {
  return tier.holds.empty() ||
         std::find(tier.holds.begin(), tier.holds.end(), purpose) != tier.holds.end();
}

double units_for(const catalog::StorageSystem& system, const Value<Scalar>& fill,
                 const TierNeed& need) {
  const Information usable = fill.or_else(Scalar(1)).si() * system.capacity.or_else(Information{});
  return std::max({static_cast<double>(system.min_units), whole(need.bytes, usable),
                   whole(need.read, system.read.or_else(Bandwidth{})),
                   whole(need.write, system.write.or_else(Bandwidth{}))});
}

TierState resolve(const Tier& tier, const TierNeed& need, double nodes, const std::string& prefix,
                  const catalog::Catalog& catalog, Trace& trace) {
  TierState t;
  t.system = catalog.find<catalog::StorageSystem>(tier.system);
  t.name = kebab(tier.name.empty() ? tier.system : tier.name);
  const std::string id = prefix + t.name + ".";
  const catalog::StorageSystem none, &system = t.system ? *t.system : none;
  const Value<Scalar> fill = fill_of(tier, t.system);
  const bool local = t.system && system.storage_class == catalog::StorageClass::local;
  t.sized = t.system && tier.count == 0 && !tier.capacity && !local;
  t.units = tier.count > 0 ? tier.count
            : local        ? nodes
            : t.sized      ? units_for(system, fill, need)
                           : 1;
  const auto units = t.sized ? trace.derive(id + "units", Scalar(t.units), "",
                                            "fewest units that meet capacity, read and write", {})
                             : trace.constant(id + "units", Scalar(t.units), "",
                                              assumed(local ? "one set of drives in every node"
                                                            : "as written in the scenario"));
  const auto raw = rate(trace, id + "usable", tier.capacity, system.capacity, units, "TB");
  const auto share = trace.input(id + "fill", fill, "%");
  t.usable = trace.derive(id + "room", share.value.si() * raw.value, "TB",
                          "usable capacity x share that may be filled", {raw, share});
  t.read = rate(trace, id + "read", tier.read, system.read, units, "GB/s");
  t.write = rate(trace, id + "write", tier.write, system.write, units, "GB/s");
  t.client = system.client.or_else(Bandwidth{});
  t.unit_price = system.unit_price();
  if (tier.price) {
    t.price = trace.input(id + "price", tier.price, "USD");
  } else if (t.unit_price) {
    const auto each = trace.input(id + "unit-price", t.unit_price, "USD");
    t.price = trace.derive(id + "price", t.units * each.value, "USD", "units x price of one",
                           {units, each});
  }
  return t;
}

}  // namespace headroom::storage
