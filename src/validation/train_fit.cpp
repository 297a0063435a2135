#include "validation/train_fit.hpp"

#include <cmath>
#include <map>

namespace headroom::validation {

train::RateRange fit_range(const std::vector<SourcedRate>& rates, std::ptrdiff_t without) {
  std::map<std::string, int> rows;
  for (std::size_t i = 0; i < rates.size(); ++i)
    if (std::ptrdiff_t(i) != without) ++rows[rates[i].source];
  std::vector<Weighted> values;
  for (std::size_t i = 0; i < rates.size(); ++i)
    if (std::ptrdiff_t(i) != without)
      values.push_back({rates[i].ln_rate, 1.0 / rows[rates[i].source]});
  train::RateRange out;
  out.rows = int(values.size());
  out.likely = weighted_quantile(values, 0.5);
  out.low = weighted_quantile(values, 0.1), out.high = weighted_quantile(values, 0.9);
  return out;
}

Report leave_one_row_out(const TrainValidation& raw) {
  std::map<std::string, std::vector<std::size_t>> by_software;
  for (std::size_t i = 0; i < raw.facts.size(); ++i)
    by_software[raw.facts[i].calibrated_as].push_back(i);
  Report out = raw.steps;
  for (const auto& [software, rows] : by_software) {
    std::vector<SourcedRate> rates;
    for (const auto i : rows)
      rates.push_back(
          {std::log(raw.facts[i].raw_s / raw.steps.rows[i].measured), raw.steps.rows[i].group});
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const auto range = train::shrunk(fit_range(rates, std::ptrdiff_t(k)), raw.pooled);
      auto& row = out.rows[rows[k]];
      const double raw_s = raw.facts[rows[k]].raw_s;
      row.predicted = raw_s * std::exp(-range.likely);
      row.low = raw_s * std::exp(-range.high), row.high = raw_s * std::exp(-range.low);
    }
  }
  return out;
}

}  // namespace headroom::validation
