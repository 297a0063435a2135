#include "train/search_tables.hpp"

namespace headroom::train {

std::size_t CostTables::Hash::operator()(const Key& key) const {
  std::uint64_t h = 0;
  for (int n : key) h = (h ^ static_cast<std::uint64_t>(n)) * 0x9E3779B97F4A7C15u, h ^= h >> 29;
  return h;
}

CostTables::Key CostTables::key(const ParallelPlan& plan, unsigned use) {
  Key out{};
  std::size_t n = 0;
  for (const auto& d : dimensions())
    if (d.uses & use) out.at(n++) = d.get(plan);
  return out;
}

const PlanCosts& CostTables::costs(const ParallelPlan& plan) {
  const auto [at, fresh] = costs_.try_emplace(key(plan, uses_kernels));
  if (fresh) at->second = {sizes_, layer_cost(job_, plan), end_cost(job_, plan)};
  return at->second;
}

const ActivationBytes& CostTables::storage(const ParallelPlan& plan) {
  const auto [at, fresh] = storage_.try_emplace(key(plan, uses_storage));
  if (fresh) at->second = activation_bytes(job_, plan);
  return at->second;
}

}  // namespace headroom::train
