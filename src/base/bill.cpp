#include "base/bill.hpp"

#include "base/findings.hpp"

namespace headroom {

Money BillOfMaterials::total() const {
  Money sum;
  for (const auto& line : lines_) sum += line.total();
  return sum;
}

Money BillOfMaterials::total(const std::string& category) const {
  Money sum;
  for (const auto& line : lines_) {
    if (line.category == category) sum += line.total();
  }
  return sum;
}

void Findings::append(Findings other) {
  auto move_all = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  move_all(margins, other.margins);
  move_all(plans, other.plans);
  move_all(remarks, other.remarks);
  bill.append(other.bill);
}

}  // namespace headroom
