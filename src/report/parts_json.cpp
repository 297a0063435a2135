#include "report/parts_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "report/parts.hpp"

namespace headroom::report {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json known(double value) { return value > 0 ? number(value) : Json(nullptr); }

Json time_s(double s) {
  constexpr double endless = 1e17;  // a queue that grows is told as 1e18 s
  return std::abs(s) < endless ? number(s) : Json(nullptr);
}

Json quantity(double si, const std::string& unit) {
  return {{"value", number(in_unit(si, unit))}, {"unit", unit}};
}

Json lines_json(const std::vector<study::Line>& lines, const Trace& trace) {
  Json out = Json::object();
  for (const auto& line : lines) {
    Json value = quantity(line.si, line.unit);
    value["label"] = line.label;
    if (line.node != no_node) value["id"] = trace.at(line.node).id;
    out[line.key] = std::move(value);
  }
  return out;
}

Json dims_json(const std::vector<std::pair<std::string, std::string>>& dims) {
  Json out = Json::object();
  for (const auto& [key, value] : dims) {
    const auto n = split_number(value);
    out[key] = n && n->unit.empty() ? Json(static_cast<long>(n->number)) : Json(value);
  }
  return out;
}

Json texts_json(const std::vector<std::pair<std::string, std::string>>& texts) {
  Json out = Json::object();
  for (const auto& [key, value] : texts) out[key] = value;
  return out;
}

Json intervals_json(const std::vector<study::Interval>& intervals, const std::string& origin) {
  Json out = Json::object();
  for (const auto& i : intervals)
    out[i.key] = {{"low", quantity(i.low, i.unit)["value"]},
                  {"likely", quantity(i.likely, i.unit)["value"]},
                  {"high", quantity(i.high, i.unit)["value"]},
                  {"unit", i.unit}};
  if (!origin.empty()) out["from"] = origin;
  return out;
}

Json changes_json(const std::vector<study::ChangeRow>& changes, int tried, const char* what) {
  Json out = Json::array();
  for (const auto& c : changes)
    out.push_back({{"key", c.key},
                   {"action", c.action},
                   {"needs", c.needs},
                   {"gain", number(c.gain)},
                   {what, c.plan}});
  return {{"tried", tried}, {"worthwhile", out}};
}

Json flags_json(const std::vector<study::LaunchText>& flags) {
  Json out = Json::object();
  for (const auto& f : flags)
    out[f.launcher] = {{"program", f.program}, {"text", f.text}, {"not_expressed", f.cannot}};
  return out;
}

Json limits_json(const std::vector<Margin>& margins) {
  Json out = Json::array();
  for (const auto& m : margins) {
    Json remedies = Json::array();
    for (const auto& r : m.remedies) remedies.push_back(r.action);
    out.push_back({{"id", m.id},
                   {"limit", m.limit},
                   {"need", quantity(m.need, m.unit)},
                   {"have", quantity(m.have, m.unit)},
                   {"headroom", number(m.headroom())},
                   {"holds", m.holds()},
                   {"why", m.why},
                   {"remedies", remedies}});
  }
  return out;
}

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string answer_json(const std::string& scenario, const std::string& file, bool fits,
                        Json runs) {
  return dumped({{"scenario", scenario},
                 {"file", file},
                 {"verdict", fits ? "fits" : "does not fit"},
                 {"runs", std::move(runs)}});
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace headroom::report
