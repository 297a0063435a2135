// Findings: what every layer hands back to study: limits, plans, a bill, and
// remarks that a reader must see (an assumption that matters, a part of the
// scenario that was not asked).
#pragma once

#include <string>
#include <vector>

#include "base/bill.hpp"
#include "base/margin.hpp"

namespace headroom {

/// A choice a layer found for the user, e.g. a parallel plan.
struct Plan {
  std::string id;  ///< "train.pretrain.parallel"
  std::string layer;
  std::string summary;  ///< one line: "TP 8 x PP 16 x DP 128, micro-batch 1"
  /// Named parts in display order: {"tp", "8"}.
  std::vector<std::pair<std::string, std::string>> items;
};

struct Findings {
  std::vector<Margin> margins;
  std::vector<Plan> plans;
  std::vector<std::string> remarks;
  BillOfMaterials bill;

  void append(Findings other);
};

}  // namespace headroom
