// The workbook's cash flow of owning and the inputs behind it. Internal to report.
//
// The rules are money's (money/assess.hpp), written as formulas over named cells:
//   month m = 0 .. n           discount factor (1 + r)^(-m/12), growth (1 + g)^int((m-1)/12)
//   IT       bought in month 0 and every L months before n, sold after L months or at n
//   resale   price x share at that age, straight lines between the curve's points
//   racks, facility            bought in month 0, written off evenly over their life
//   tax      -rate x (running cost + depreciation + loss on sale)
//   cost of an installed GPU-hour = present cost / present GPU-hours / (1 - tax)
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/workbook.hpp"
#include "study/report_figures.hpp"

namespace headroom::report {

/// Where a number that may be changed stands.
struct NamedCell {
  std::string name;
  double value = 0;  ///< as it stands in the cell
};

class CashBook {
 public:
  /// `bill`: live sums of the bill by cause, e.g. {"network", {"bill_network", 5e6}}.
  CashBook(const study::ReportFigures& figures, std::map<std::string, NamedCell> bill);

  /// Writes the inputs from this row on and returns the row behind them.
  int write_inputs(Workbook& book, Workbook::Sheet& sheet, int row);
  void write_flow(Workbook& book, Workbook::Sheet& sheet);

 private:
  struct Amount {
    std::string label, formula;
    double usd = 0;
    bool live = false, grows = false;
    std::string cause, id;
  };
  /// A formula with its value, so that each is checked against the engine.
  struct Term {
    std::string text;
    double value = 0;
  };

  void find_drivers();
  Amount capital(const study::CostItem& item);
  Amount running(const study::CostItem& item);
  Term driver(NodeId node);
  std::optional<Term> energy(const TraceNode& node);
  std::optional<Term> product_of(const TraceNode& node);
  Term si(const Term& term, const std::string& unit) const;
  void named(Workbook& book, Workbook::Sheet& sheet, int row, const std::string& label,
             const std::string& name, double value, const std::string& unit,
             const std::string& origin);
  void curve(Workbook& book, Workbook::Sheet& sheet, int& row);
  void amounts(Workbook& book, Workbook::Sheet& sheet, int& row);
  void result(Workbook& book, Workbook::Sheet& sheet, int& row);
  void products(Workbook& book, Workbook::Sheet& sheet, int& row);
  std::optional<Term> price_of(const study::CostProduct::Price& price, const std::string& rate,
                               const std::string& run);
  void month(Workbook::Sheet& sheet, int row, int m);
  double resale_at(double age) const;

  const study::ReportFigures& f_;
  const Trace& trace_;
  std::map<std::string, NamedCell> bill_;
  std::vector<NodeId> drivers_;
  std::map<NodeId, std::string> names_;
  std::vector<Amount> capital_, running_;
  int rows_ = 0, first_ = 0;  ///< months of the table, its first row
};

}  // namespace headroom::report
