#include "validation/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace headroom::validation {
namespace {

using Json = nlohmann::ordered_json;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

Json json(const Summary& s) {
  Json j;
  j["rows"] = s.rows, j["skipped"] = s.skipped;
  const auto figure = [&](const char* key, double v) {
    j[key] = s.rows > 0 ? number(v) : Json(nullptr);
  };
  figure("median", s.median), figure("mean", s.mean), figure("p90", s.p90);
  figure("worst", s.worst);
  j["coverage80"] = s.intervals > 0 ? number(s.coverage80) : Json(nullptr);
  return j;
}

Json json(const Row& r) {
  return {{"id", r.id},
          {"group", r.group},
          {"measured", number(r.measured)},
          {"predicted", number(r.predicted)},
          {"unit", r.unit},
          {"error", number(r.error())},
          {"low", number(r.low)},
          {"high", number(r.high)}};
}

std::string percent(double v) {
  return std::isfinite(v) ? fmt::format("{:.1f} %", 100 * v) : std::string("-");
}

/// Cells of one line of a summary table.
std::vector<std::string> cells(const std::string& name, const Summary& s) {
  if (s.rows == 0) return {name, "0", std::to_string(s.skipped), "-", "-", "-", "-", "-", "-"};
  return {name,
          std::to_string(s.rows),
          std::to_string(s.skipped),
          percent(s.median),
          percent(s.mean),
          percent(s.p90),
          percent(s.worst),
          fmt::format("{:+.1f} %", 100 * s.bias),
          s.intervals > 0 ? fmt::format("{:.0f} %", 100 * s.coverage80) : std::string("-")};
}

using Cells = std::vector<std::vector<std::string>>;

Cells table_of(const Report& report, GroupBy by, std::string_view by_name) {
  Cells out{{std::string(by_name), "rows", "skipped", "median", "mean", "p90", "worst", "bias",
             "in 80 %"}};
  for (const auto& g : by_group(report, by)) out.push_back(cells(g.name, g.summary));
  out.push_back(cells("all", summarise(report)));
  return out;
}

/// Aligned columns, the first to the left.
std::string aligned(const Cells& table) {
  std::vector<std::size_t> width;
  for (const auto& row : table) {
    width.resize(std::max(width.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  }
  std::string out;
  for (const auto& row : table) {
    std::string line = "  ";
    for (std::size_t i = 0; i < row.size(); ++i)
      line += i == 0 ? fmt::format("{:<{}}", row[i], width[i])
                     : fmt::format("  {:>{}}", row[i], width[i]);
    out += line + "\n";
  }
  return out;
}

std::string row_line(const Row& r) {
  const auto range =
      r.high > r.low ? fmt::format(" ({:.4g} to {:.4g})", r.low, r.high) : std::string();
  return fmt::format("  {:+7.1f} %  {}: measured {:.4g} {}, predicted {:.4g}{}{}\n",
                     100 * r.error(), r.id, r.measured, r.unit, r.predicted, range,
                     r.detail.empty() ? "" : "\n             " + r.detail);
}

/// Indices of the rows to print.
std::vector<std::size_t> chosen(const Report& report, const TextOptions& o) {
  std::vector<std::size_t> order(report.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (o.all_rows) return order;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::abs(report.rows[a].error()) > std::abs(report.rows[b].error());
  });
  order.resize(std::min(order.size(), o.worst));
  return order;
}

/// Skipped rows, those of one reason together.
std::string skipped_text(const Report& report, bool all) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const auto& s : report.skipped) by_reason[s.reason].push_back(s.id);
  std::string out;
  for (const auto& [reason, ids] : by_reason) {
    constexpr std::size_t shown = 4;
    out += fmt::format("  {} x {}: ", ids.size(), reason);
    for (std::size_t i = 0; i < ids.size() && (all || i < shown); ++i)
      out += (i > 0 ? ", " : "") + ids[i];
    out += !all && ids.size() > shown ? ", ...\n" : "\n";
  }
  return out;
}

}  // namespace

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = std::clamp(share, 0.0, 1.0) * double(values.size() - 1);
  const auto i = std::size_t(at);
  if (i + 1 >= values.size()) return values.back();
  return values[i] + (at - double(i)) * (values[i + 1] - values[i]);
}

double weighted_quantile(std::vector<Weighted> values, double share) {
  std::sort(values.begin(), values.end(),
            [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  double total = 0;
  for (const auto& v : values) total += v.weight;
  if (values.empty() || total <= 0) return 0;
  double done = 0, at_before = 0, before = values.front().value;
  for (const auto& v : values) {
    const double at = (done + 0.5 * v.weight) / total;
    if (share <= at)
      return at > at_before && done > 0
                 ? before + (v.value - before) * (share - at_before) / (at - at_before)
                 : v.value;
    done += v.weight, at_before = at, before = v.value;
  }
  return values.back().value;
}

Summary summarise(const std::vector<Row>& rows, std::size_t skipped) {
  Summary s;
  s.rows = rows.size(), s.skipped = skipped;
  if (rows.empty()) return s;
  std::vector<double> size, signs;
  for (const auto& r : rows) {
    signs.push_back(r.error());
    size.push_back(std::abs(r.error()));
    if (r.high <= r.low) continue;
    ++s.intervals, s.coverage80 += r.covered() ? 1 : 0;
  }
  if (s.intervals > 0) s.coverage80 /= double(s.intervals);
  s.mean = std::accumulate(size.begin(), size.end(), 0.0) / double(size.size());
  s.median = quantile(size, 0.5), s.p90 = quantile(size, 0.9);
  s.worst = *std::max_element(size.begin(), size.end());
  s.bias = quantile(signs, 0.5);
  return s;
}

std::vector<Group> by_group(const Report& report, GroupBy what) {
  std::map<std::string, std::pair<std::vector<Row>, std::size_t>> parts;
  for (const auto& r : report.rows)
    parts[what == GroupBy::group || r.label.empty() ? r.group : r.label].first.push_back(r);
  if (what == GroupBy::group)
    for (const auto& s : report.skipped) ++parts[s.group].second;
  std::vector<Group> out;
  for (const auto& [name, part] : parts) out.push_back({name, summarise(part.first, part.second)});
  return out;
}

std::string group_of(std::string_view id) { return std::string(id.substr(0, id.find('-'))); }

std::string to_json(const Report& report, const std::vector<Extra>& extras) {
  Json j;
  j["summary"] = json(summarise(report));
  j["groups"] = Json::array(), j["rows"] = Json::array(), j["skipped"] = Json::array();
  for (const auto& g : by_group(report)) {
    Json one{{"group", g.name}};
    one.update(json(g.summary));
    j["groups"].push_back(std::move(one));
  }
  for (const auto& r : report.rows) j["rows"].push_back(json(r));
  for (const auto& s : report.skipped) j["skipped"].push_back({{"id", s.id}, {"reason", s.reason}});
  for (const auto& [name, text] : extras) j[name] = Json::parse(text);
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_text(const Report& report, const TextOptions& o) {
  std::string out = o.title + "\n" + aligned(table_of(report, o.by, o.by_name));
  if (!report.rows.empty()) {
    out += o.all_rows ? "\nRows\n" : "\nWorst rows\n";
    for (const auto i : chosen(report, o)) out += row_line(report.rows[i]);
  }
  if (!report.skipped.empty()) out += "\nSkipped\n" + skipped_text(report, o.all_rows);
  return out;
}

std::string to_markdown(const Report& report, GroupBy by, std::string_view by_name) {
  std::string out;
  bool head = true;
  for (const auto& row : table_of(report, by, by_name)) {
    out += "|";
    for (const auto& cell : row) out += " " + cell + " |";
    out += "\n";
    if (head)
      for (std::size_t i = 0; i < row.size(); ++i) out += i == 0 ? "|---|" : "---:|";
    out += head ? "\n" : "";
    head = false;
  }
  return out;
}

}  // namespace headroom::validation
