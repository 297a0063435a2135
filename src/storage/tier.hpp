// One tier of storage, resolved against the catalogue. Internal to storage.
#pragma once

#include <string>

#include "base/trace.hpp"
#include "storage/spec.hpp"

namespace headroom::storage {

/// What a tier must do, in total.
struct TierNeed {
  Information bytes;
  Bandwidth read, write;
};

struct TierState {
  std::string name;  ///< kebab
  const catalog::StorageSystem* system = nullptr;
  bool sized = false;  ///< units chosen here
  double units = 0;
  Figure<Information> usable;  ///< usable x fill, whole tier
  Figure<Bandwidth> read, write;
  Figure<Money> price;
  Value<Money> unit_price;
  Bandwidth client;  ///< most that one client reads; 0: no cap
};

bool holds(const Tier& tier, std::string_view purpose);

/// Units that a need asks of a system; at least its fewest. 0 when the system cannot meet it.
double units_for(const catalog::StorageSystem& system, const Value<Scalar>& fill,
                 const TierNeed& need);

TierState resolve(const Tier& tier, const TierNeed& need, double nodes, const std::string& prefix,
                  const catalog::Catalog& catalog, Trace& trace);

}  // namespace headroom::storage
