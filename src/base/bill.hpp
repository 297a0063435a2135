// BillOfMaterials: what is bought, by whichever layer, for money to price.
//
// A layer that decides "512 leaf switches" writes one line; money neither knows
// nor cares what a leaf switch is. A line whose price nobody knows stays in the
// bill with no price and is reported as unpriced, never as free.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/trace.hpp"

namespace headroom {

struct BillLine {
  std::string id;        ///< "fabric.gpu.leaf"
  std::string category;  ///< accelerators, network, storage, racks, power, cooling, building, other
  std::string item;      ///< name as on a quotation
  double count = 0;
  std::optional<Money> unit_price;
  double price_low = 0, price_high = 0;  ///< USD, of one; 0 when no range is known
  NodeId price_node = no_node;
  NodeId count_node = no_node;
  std::optional<Time> lead_time;  ///< order to delivery
  std::optional<Time> life;       ///< book life; money's default when absent
  double embodied_kgco2e = 0;     ///< of one; 0 when unknown

  Money total() const { return unit_price ? *unit_price * count : Money{}; }
};

class BillOfMaterials {
 public:
  void add(BillLine line) { lines_.push_back(std::move(line)); }
  void append(const BillOfMaterials& other) {
    lines_.insert(lines_.end(), other.lines_.begin(), other.lines_.end());
  }
  const std::vector<BillLine>& lines() const { return lines_; }
  Money total() const;
  Money total(const std::string& category) const;

 private:
  std::vector<BillLine> lines_;
};

}  // namespace headroom
