// What the fitted scalars and intervals are worth on rows that they have not seen.
//
// leave_one_row_out: every row is predicted with the scalar and the interval that the other
// rows of its software give (each source with the same weight, interval.hpp's shrinking), so
// its coverage is honest where that of `validate_train` on the fitted rows is in-sample.
//
// Complexity: O(n^2) over the rows of one software; 0.1 s for two thousand rows.
#pragma once

#include "validation/train.hpp"

namespace headroom::validation {

/// `raw` is a validation without calibration. Rows of software with a single row keep the
/// pooled scalar.
Report leave_one_row_out(const TrainValidation& raw);

/// Median and range of 80 % of ln rates, each source with the same weight; `without` is an
/// index to leave out, or -1.
struct SourcedRate {
  double ln_rate = 0;
  std::string source;
};
train::RateRange fit_range(const std::vector<SourcedRate>& rates, std::ptrdiff_t without = -1);

}  // namespace headroom::validation
