// A linear program, solved by COIN-OR CLP (simplex; EPL-2.0), whose headers stay in lp.cpp.
//
//   minimise  sum cost_j x_j   with   low_i <= sum_j a_ij x_j <= high_i,   low_j <= x_j <= high_j
//
//   Lp lp;
//   const int x = lp.column(0, 10, 3.0);           // bounds, cost
//   const int row = lp.row(5, Lp::infinite);
//   lp.add(row, x, 1);
//   const LpAnswer a = lp.solve();                 // a.x[x] == 5, a.price[row] == 3
//
// `price` is d objective / d right-hand side of a row, `reduced` d objective / d bound of a column
// that stands at one; at a degenerate optimum they are one of the two one-sided derivatives.
// Deterministic, one thread. Complexity: in practice some multiple of the nonzeros; 80,000 columns
// a few seconds. Not thread-safe on one object.
#pragma once

#include <vector>

#include "base/progress.hpp"

namespace headroom::supply {

enum class LpStatus : unsigned char { optimal, infeasible, unbounded, failed };

struct LpAnswer {
  LpStatus status = LpStatus::failed;
  double objective = 0;
  std::vector<double> x, reduced;  ///< of the columns
  std::vector<double> price;       ///< of the rows
  int iterations = 0;
};

class Lp {
 public:
  static constexpr double infinite = 1e30;

  int column(double low, double high, double cost) {
    column_low_.push_back(low), column_high_.push_back(high), cost_.push_back(cost);
    return static_cast<int>(cost_.size()) - 1;
  }
  int row(double low, double high) {
    row_low_.push_back(low), row_high_.push_back(high);
    return static_cast<int>(row_low_.size()) - 1;
  }
  /// Coefficient of a column in a row; each pair at most once.
  void add(int row, int column, double a) {
    rows_.push_back(row), columns_.push_back(column), values_.push_back(a);
  }
  int rows() const { return static_cast<int>(row_low_.size()); }
  int columns() const { return static_cast<int>(cost_.size()); }
  /// Throws `Stopped` when asked to stop, within a few pivots.
  LpAnswer solve(Progress* progress = nullptr) const;

 private:
  std::vector<double> column_low_, column_high_, cost_, row_low_, row_high_, values_;
  std::vector<int> rows_, columns_;
};

}  // namespace headroom::supply
