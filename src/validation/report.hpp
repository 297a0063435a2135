// Report: predicted against measured, the one form that every `validate` verb gives.
//
// A row's error is predicted / measured - 1. The figures of a summary are of |error|:
//
//   median, p90   quantiles with linear interpolation between order statistics (type 7)
//   mean, worst   of |error|
//   coverage80    share of rows with an interval (low < high) that holds the measured value
//
// JSON (`to_json`), errors as fractions, null where there is no row to take it of:
//   {"summary": {"rows","skipped","median","mean","p90","worst","coverage80"},
//    "groups":  [{"group", ...the same...}],
//    "rows":    [{"id","group","measured","predicted","unit","error","low","high"}],
//    "skipped": [{"id","reason"}]}
// followed by what the verb adds under names of its own.
//
// Thread-safe, no globals. Complexity: O(n log n).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headroom::validation {

struct Row {
  std::string id;
  std::string group;  ///< source: the id up to the first '-'
  double measured = 0;
  double predicted = 0;
  std::string unit;
  double low = 0, high = 0;  ///< 80 % interval of the prediction; equal: none
  std::string detail;        ///< one line on why: the prediction taken apart; text only
  std::string label;         ///< group of the text table when that is not `group`

  double error() const { return predicted / measured - 1; }
  bool covered() const { return low <= measured && measured <= high; }
};

struct Skipped {
  std::string id;
  std::string group;
  std::string reason;
};

struct Summary {
  std::size_t rows = 0, skipped = 0;
  double median = 0, mean = 0, p90 = 0, worst = 0;
  std::size_t intervals = 0;  ///< rows that have one
  double coverage80 = 0;
  double bias = 0;  ///< median of the signed error; text only
};

struct Group {
  std::string name;
  Summary summary;
};

struct Report {
  std::vector<Row> rows;
  std::vector<Skipped> skipped;
};

/// Quantile of unsorted values, linear between order statistics; 0 when there are none.
double quantile(std::vector<double> values, double share);

/// Quantile of values with weights, linear between the middles of the weights.
struct Weighted {
  double value = 0, weight = 1;
};
double weighted_quantile(std::vector<Weighted> values, double share);

Summary summarise(const std::vector<Row>& rows, std::size_t skipped);
inline Summary summarise(const Report& r) { return summarise(r.rows, r.skipped.size()); }

enum class GroupBy : unsigned char { group, label };
/// By name. Groups of which every row was skipped are there too (by `group` only).
std::vector<Group> by_group(const Report& report, GroupBy what = GroupBy::group);

/// The id up to its first '-'.
std::string group_of(std::string_view id);

/// A further top-level member of the JSON: its name and its value as JSON text.
using Extra = std::pair<std::string, std::string>;
std::string to_json(const Report& report, const std::vector<Extra>& extras = {});

struct TextOptions {
  std::string title;  ///< "Step time, calibrated"
  GroupBy by = GroupBy::group;
  std::string by_name = "source";
  std::size_t worst = 15;  ///< rows printed, worst first
  bool all_rows = false;   ///< print all of them, in order
};
std::string to_text(const Report& report, const TextOptions& options);
/// Only the table of groups and the total, as Markdown.
std::string to_markdown(const Report& report, GroupBy by = GroupBy::group,
                        std::string_view by_name = "source");

}  // namespace headroom::validation
