// To add a kind: include its header and add one `kind<T>()` line, in the order
// of the tables people read (hardware, facility, work, money, place).
#include "catalog/kinds.hpp"

#include <algorithm>

#include "catalog/accelerator.hpp"
#include "catalog/chiller.hpp"
#include "catalog/climate.hpp"
#include "catalog/cooling_technology.hpp"
#include "catalog/export_rule.hpp"
#include "catalog/failure_rate.hpp"
#include "catalog/finance.hpp"
#include "catalog/lead_time.hpp"
#include "catalog/model.hpp"
#include "catalog/network.hpp"
#include "catalog/power_gear.hpp"
#include "catalog/price.hpp"
#include "catalog/rack.hpp"
#include "catalog/region.hpp"
#include "catalog/reliability.hpp"
#include "catalog/request_trace.hpp"
#include "catalog/residency_rule.hpp"
#include "catalog/serving_software.hpp"
#include "catalog/storage_system.hpp"
#include "catalog/system.hpp"
#include "catalog/training_software.hpp"

namespace headroom::catalog {
namespace {

template <class T>
constexpr KindInfo kind() {
  return {T::kind, []() -> void* { return new T; }, [](void* p) { delete static_cast<T*>(p); },
          [](void* p) { return spec::object_ref(*static_cast<T*>(p)); },
          []() -> void* {
            static T entry;
            return &entry;
          }};
}

constexpr KindInfo table[] = {
    kind<Accelerator>(),
    kind<System>(),
    kind<Switch>(),
    kind<Nic>(),
    kind<Cable>(),
    kind<StorageSystem>(),
    kind<FailurePopulation>(),
    kind<Rack>(),
    kind<PowerGear>(),
    kind<CoolingTechnology>(),
    kind<Chiller>(),
    kind<Reliability>(),
    kind<Climate>(),
    kind<Model>(),
    kind<RequestTrace>(),
    kind<TrainingSoftware>(),
    kind<ServingSoftware>(),
    kind<Price>(),
    kind<Finance>(),
    kind<Region>(),
    kind<LeadTime>(),
    kind<ExportRule>(),
    kind<ResidencyRule>(),
};

}  // namespace

std::span<const KindInfo> kind_table() { return table; }

const KindInfo* find_kind(std::string_view name) {
  const auto all = kind_table();
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const auto& k) { return k.name == name; });
  return it == all.end() ? nullptr : &*it;
}

}  // namespace headroom::catalog
