#include "serving/devices.hpp"

#include <algorithm>
#include <cmath>

#include "compute/kernel.hpp"

namespace headroom::serving {
namespace {

const std::vector<Slice>& slices() {
  static const std::vector<Slice> all = {{"1g", 1, 1, 7}, {"1g+", 1, 2, 4}, {"2g", 2, 2, 3},
                                         {"3g", 3, 4, 2}, {"4g", 4, 4, 1},  {"7g", 7, 8, 1}};
  return all;
}

template <class Q>
void scale(Value<Q>& value, double factor) {
  value.likely *= factor;
  value.low *= factor;
  value.high *= factor;
}

void scale_compute(catalog::Accelerator& a, double factor) {
  for (auto& rate : a.rates) scale(rate.dense, factor);
  for (auto& fit : a.attention) scale(fit.rate_max, factor);
}

}  // namespace

std::optional<Slice> find_slice(std::string_view name) {
  const std::string_view head = name.substr(0, name.find('.'));
  for (const auto& slice : slices())
    if (slice.name == head) return slice;
  return std::nullopt;
}

std::vector<std::string> slice_names() {
  std::vector<std::string> names;
  for (const auto& slice : slices()) names.push_back(slice.name);
  return names;
}

catalog::Accelerator sliced(const catalog::Accelerator& accelerator, const Slice& slice) {
  catalog::Accelerator a = accelerator;
  a.name += " " + slice.name + " slice";
  scale_compute(a, slice.compute_share());
  a.compute_units = std::max(1, static_cast<int>(a.compute_units * slice.compute_share()));
  scale(a.memory, slice.memory_share());
  scale(a.memory_bandwidth, slice.memory_share());
  scale(a.power.max, slice.compute_share());
  scale(a.power.typical, slice.compute_share());
  scale(a.power.idle, slice.compute_share());
  scale(a.price, slice.gpus());
  if (slice.compute < 7) a.scale_up.domain = 1;
  return a;
}

catalog::Accelerator capped(const catalog::Accelerator& accelerator, Power cap) {
  catalog::Accelerator a = accelerator;
  if (!a.power.max || cap >= a.power.max.get() || cap <= Power{}) return a;
  scale_compute(a, compute::clock_at_power(cap / a.power.max.get()));
  scale(a.power.max, cap / accelerator.power.max.get());
  if (a.power.idle && a.power.idle.get() > cap) a.power.idle.fix(cap.si());
  return a;
}

}  // namespace headroom::serving
