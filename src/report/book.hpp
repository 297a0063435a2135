// A scenario as a workbook (XLSX): for those who reckon on.
//
//   std::string bytes = book(figures, year);
//
// Sheets: Summary; Inputs (what the cash flow is made from, then every input with its source);
// Cash flow (own, month by month); Margins; Bill of materials; Energy; Figures (every computed
// figure with its formula).
//
// LIVE. Headroom, sums of the bill, capital and running cost by cause, the cash flow with its
// discounting, growth, replacement, resale and tax, cost of a GPU-hour and of what is made are
// formulas over the cells of Inputs, Margins and Bill: a changed input recalculates, to the cent
// what the engine says (tests/cli/workbook.py, by LibreOffice). An amount that these formulas do
// not reproduce from its inputs stands as a number and says so.
//
// Not live: everything that the engine finds by search or by solving (plans, loads, temperatures,
// energy); other ways than owning, whose months stand as numbers.
//
// Deterministic. Complexity: O(months + trace). Errors: std::runtime_error when memory fails.
#pragma once

#include <string>

#include "study/facility_year.hpp"
#include "study/report_figures.hpp"

namespace headroom::report {

/// `year` may be null. `date` of the study, YYYY-MM-DD or empty: the file's own date.
std::string book(const study::ReportFigures& figures, const study::FacilityAnswer* year,
                 const std::string& date);

}  // namespace headroom::report
