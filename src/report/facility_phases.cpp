#include "report/facility_phases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "report/parts.hpp"
#include "report/table.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;
using study::PhaseLimit;

std::string signed_percent(double headroom) {
  return std::isfinite(headroom) ? fmt::format("{:+.0f} %", 100 * headroom)
                                 : std::string("no need");
}
std::string amount(double si, const std::string& unit) { return format(si, unit); }
Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

Json limit(const PhaseLimit& l) {
  return {{"id", l.id},
          {"limit", l.limit},
          {"need", number(in_unit(l.need, l.unit))},
          {"have", number(in_unit(l.have, l.unit))},
          {"unit", l.unit},
          {"headroom", number(l.headroom)},
          {"add", l.add.empty() ? Json(nullptr) : Json(l.add)}};
}

}  // namespace

std::string facility_phases_text(const std::vector<study::FacilityPhase>& phases,
                                 const TextOptions& options) {
  const auto bold = [&](const std::string& s) {
    return options.colour ? "\033[1m" + s + "\033[0m" : s;
  };
  const auto width = static_cast<std::size_t>(std::max(60, options.width));
  Table table({{"phase", Align::left, 28},
               {"racks", Align::right, 0},
               {"GPUs", Align::right, 0},
               {"rack", Align::right, 0},
               {"IT", Align::right, 0},
               {"meter", Align::right, 0},
               {"binds", Align::left, 36},
               {"headroom", Align::right, 0},
               {"short", Align::right, 0}});
  for (const auto& p : phases)
    table.add({p.name, fmt::format("{:.0f}", p.racks), fmt::format("{:.0f}", p.gpus),
               format_scaled(p.rack_max_w, "W"), format_scaled(p.it_max_w, "W"),
               format_scaled(p.meter_max_w, "W"), p.binding.limit,
               signed_percent(p.binding.headroom), fmt::format("{}", p.missed.size())},
              options.colour && !p.fits ? "31" : "");
  std::string out = bold("Phases") + "\n" + table.str();
  for (const auto& p : phases) {
    if (p.missed.empty()) continue;
    out += "\n" + bold("To be added for: " + p.name) + "\n";
    for (const auto& l : p.missed)
      out += wrap(fmt::format("{}: needs {}, has {}{}", l.limit, amount(l.need, l.unit),
                              amount(l.have, l.unit), l.add.empty() ? "" : "; " + l.add),
                  width, "  ");
  }
  return out;
}

std::string facility_phases_json(const std::vector<study::FacilityPhase>& phases) {
  Json list = Json::array();
  for (const auto& p : phases) {
    Json missed = Json::array();
    for (const auto& l : p.missed) missed.push_back(limit(l));
    list.push_back({{"name", p.name},
                    {"racks", number(p.racks)},
                    {"gpus", number(p.gpus)},
                    {"rack_max_w", number(p.rack_max_w)},
                    {"it_max_w", number(p.it_max_w)},
                    {"meter_max_w", number(p.meter_max_w)},
                    {"pue", number(p.pue)},
                    {"fits", p.fits},
                    {"binding", limit(p.binding)},
                    {"missed", missed}});
  }
  return Json{{"phases", list}}.dump(2) + "\n";
}

}  // namespace headroom::report
