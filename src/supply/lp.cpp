#include "supply/lp.hpp"

#include <ClpSimplex.hpp>
#include <ClpSolve.hpp>
#include <CoinPackedMatrix.hpp>

namespace headroom::supply {

LpAnswer Lp::solve() const {
  ClpSimplex clp;
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
  clp.initialSolve(how);

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
