// What measured serving rows say beyond the step oracle, fitted group by group, and what it is
// worth on rows that the fit has not seen.
//
// A row's time per token is linear in seven numbers (catalog::ServingCalibration):
//
//   t = products x (matrix products, experts, small kernels) + caches x attention
//       + links x collectives + prompts x (kernels of prompt tokens) + host
//       + per_step + per_sequence x sequences + per_prompt x prompts
//
// LEVELS. Rows of one group (model, GPU, engine, precision) are few, so a group's numbers are
// drawn towards those of its family, and those towards the wider one's:
//   all -> engine generation -> + network -> + precision -> + GPU
// (networks of one engine are more alike across GPUs than models on one GPU: over eight random
// halves 0.1 points of median and 0.9 of p90 better that way round).
// Each level minimises  sum (t / measured - 1)^2 / noise^2 + sum ((x - wider x) / spread)^2  with
// x >= 0 and Huber weights: a maximum a posteriori estimate. How tightly a group is drawn to its
// family is chosen by leaving its rows out in turn. A group without rows of its own gets its
// family's numbers. Closed loops of one deployment and of split prefill and decode are groups
// apart: their configurations are not told alike.
//
// RANGES. 80 % of ln(measured / predicted) of rows predicted without themselves (in a group: each
// row left out in turn; of groups: each whole group left out), by the same levels; quantiles of few
// rows are drawn towards the wider level's.
//
// Complexity: n rows at five levels, O(25 n) a fit; leaving out each row in turn O(25 n^2 /
// groups).
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "validation/infer_predict.hpp"

namespace headroom::validation {

inline constexpr std::size_t tuning_terms = 7;
/// products, caches, links, prompts, per_step (s), per_sequence (s), per_prompt (s)
using Tuning = std::array<double, tuning_terms>;
inline constexpr Tuning no_tuning{1, 1, 1, 1, 0, 0, 0};

/// Families a row belongs to, widest first: "", "vllm-v1", "vllm-v1|80x8192x0", ...
inline constexpr std::size_t tuning_levels = 5;
using Families = std::array<std::string, tuning_levels>;
Families families_of(const InferCase& c);

/// A row as the fit sees it. Seconds a token.
struct FitRow {
  std::string row;  ///< id of the measured row: its quantities stay together
  Families families;
  std::array<double, tuning_terms> terms{};
  double rest = 0;  ///< what no number moves: host
  double measured = 0;

  double predicted(const Tuning& t) const;
};
FitRow fit_row(const InferCase& c, const Estimate& e, const Measure& m);

/// Numbers of every family that has rows.
class Tunings {
 public:
  /// Rows for which `use` is true.
  explicit Tunings(const std::vector<FitRow>& rows) { fit(rows, {}, tuning_levels); }
  /// Of the families of all other groups; none of a group's own.
  static Tunings of_others(const std::vector<FitRow>& rows, const std::string& group);
  /// Of the narrowest family that was fitted.
  const Tuning& of(const Families& families) const;
  /// Level at which `of` found its numbers; -1: none.
  int level_of(const Families& families) const;

 private:
  Tunings() = default;
  void fit(const std::vector<FitRow>& rows, const std::string& without, std::size_t levels);

  std::map<std::string, Tuning> by_family_;
};

/// The numbers of one group, its family's at hand. `tightness` scales the spreads; 0: chosen by
/// leaving rows out.
Tuning fit_group(const std::vector<const FitRow*>& rows, const Tuning& wider, double tightness = 0);

/// ln(measured / predicted) of rows that did not take part in their own prediction.
struct Residual {
  Families families;
  std::string row, kind;  ///< kind: what shares a spread ("token", "ttft", ...)
  double ln = 0;
};
/// A factor of 1.6 either way: where nothing is known (assumed).
inline constexpr double unknown_ln = 0.47;

/// [10 %, 90 %] quantiles for a row, by the nearest level, its own measured row never used, and
/// with `whole_group` nothing of its own group.
struct Spread {
  double low = 0, high = 0;
  std::size_t rows = 0;
};
class Spreads {
 public:
  explicit Spreads(std::vector<Residual> residuals) : residuals_(std::move(residuals)) {}
  /// `start` is what holds where nobody was measured.
  Spread of(const Families& families, const std::string& kind, const std::string& row,
            bool whole_group, const Spread& start) const;

 private:
  std::vector<Residual> residuals_;
};

/// Residuals of all rows, each measured row left out of its group's fit in turn.
std::vector<Residual> leave_one_row_out(const std::vector<FitRow>& rows);
/// The same with its whole group left out.
std::vector<Residual> leave_one_group_out(const std::vector<FitRow>& rows);

/// Deterministic halves of a group: true for rows that calibrate.
std::map<std::string, bool> halves(const std::vector<std::pair<std::string, std::string>>& groups);

}  // namespace headroom::validation
