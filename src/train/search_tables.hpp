// CostTables: what plans share, computed once. Inner header of search, and of bench.
//
//   CostTables tables(job);
//   memory(job, tables.sizes(), tables.storage(plan), plan);
//   step_time(job, tables.costs(plan), plan);
//
// A table is keyed by the dimensions that say they are used by it (search_space.hpp), so equal
// keys mean equal entries. References stay valid while the tables grow. One object a thread.
//
// Complexity: a look-up about 20 ns; a miss 2-5 us (layer_cost).
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "train/search_space.hpp"

namespace headroom::train {

class CostTables {
 public:
  explicit CostTables(const Job& job) : job_(job), sizes_(train::sizes(job)) {}

  const Sizes& sizes() const { return sizes_; }
  const PlanCosts& costs(const ParallelPlan& plan);
  const ActivationBytes& storage(const ParallelPlan& plan);

 private:
  static constexpr std::size_t most_keys = 16;
  using Key = std::array<int, most_keys>;
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  static Key key(const ParallelPlan& plan, unsigned use);

  const Job& job_;
  Sizes sizes_;
  std::unordered_map<Key, PlanCosts, Hash> costs_;
  std::unordered_map<Key, ActivationBytes, Hash> storage_;
};

}  // namespace headroom::train
