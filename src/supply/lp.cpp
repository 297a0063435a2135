#include "supply/lp.hpp"

#include <ClpEventHandler.hpp>
#include <ClpSimplex.hpp>
#include <ClpSolve.hpp>
#include <CoinPackedMatrix.hpp>

namespace headroom::supply {
namespace {

/// Counts pivots and ends the simplex when asked to.
class Watch : public ClpEventHandler {
 public:
  explicit Watch(Stage& stage) : stage_(&stage) {}
  int event(Event which) override {
    constexpr int go_on = -1, stop = 5;  // as CLP's ClpEventHandler.hpp: >= 0 stops
    if (which == endOfIteration) stage_->count();
    return stage_->stop_asked() ? stop : go_on;
  }
  ClpEventHandler* clone() const override { return new Watch(*this); }

 private:
  Stage* stage_;
};

}  // namespace

LpAnswer Lp::solve(Progress* progress) const {
  ClpSimplex clp;
  Stage stage(progress, "simplex iterations", 0);
  if (progress != nullptr) {
    const Watch watch(stage);
    clp.passInEventHandler(&watch);
  }
  clp.setLogLevel(0);
  const CoinPackedMatrix given(true, rows_.data(), columns_.data(), values_.data(),
                               static_cast<CoinBigIndex>(values_.size()));
  CoinPackedMatrix matrix(given);
  matrix.setDimensions(rows(), columns());
  clp.loadProblem(matrix, column_low_.data(), column_high_.data(), cost_.data(), row_low_.data(),
                  row_high_.data());
  clp.setPrimalTolerance(1e-8);
  clp.setDualTolerance(1e-8);
  ClpSolve how;
  how.setSolveType(ClpSolve::useDual);
  how.setPresolveType(ClpSolve::presolveOn);
  how.setSpecialOption(2, 1);  // no handler of SIGINT of its own: that is the program's
  clp.initialSolve(how);
  stage.check();

  LpAnswer a;
  const int status = clp.status();
  a.status = status == 0   ? LpStatus::optimal
             : status == 1 ? LpStatus::infeasible
             : status == 2 ? LpStatus::unbounded
                           : LpStatus::failed;
  a.iterations = clp.numberIterations();
  if (a.status != LpStatus::optimal) return a;
  a.objective = clp.objectiveValue();
  const double* x = clp.primalColumnSolution();
  const double* reduced = clp.dualColumnSolution();
  const double* price = clp.dualRowSolution();
  a.x.assign(x, x + columns());
  a.reduced.assign(reduced, reduced + columns());
  a.price.assign(price, price + rows());
  return a;
}

}  // namespace headroom::supply
