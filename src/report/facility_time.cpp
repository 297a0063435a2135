#include "report/facility_time.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "report/table.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;

std::string row(const std::string& label, const std::string& text) {
  return fmt::format("  {:<28}{}\n", label, text);
}
std::string celsius(double c) {
  return c < -200 ? std::string("-") : fmt::format("{:.1f} degC", c);
}
Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json temperature(double c) { return c < -200 ? Json(nullptr) : number(c); }

std::string count(std::size_t n) {
  std::string s = std::to_string(n);
  for (int at = static_cast<int>(s.size()) - 3; at > 0; at -= 3) s.insert(std::size_t(at), ",");
  return s;
}

}  // namespace

std::string facility_time_text(const study::FacilityAnswer& a) {
  if (!a.time) return {};
  const auto& t = *a.time;
  std::string out =
      fmt::format("\nThe same year in the time domain, every {:g} s\n", t.resolution_s);
  out +=
      row("PUE", fmt::format("{:.4f}   ({:+.4f} against the steady hours)", t.pue, t.pue - a.pue));
  out += row("WUE", fmt::format("{:.3f} L/kWh", t.wue_l_kwh));
  out += row("racks, training jobs", fmt::format("{}, {}", count(t.racks), t.jobs));
  out +=
      row("events", fmt::format("{} intervals between them; {} exact steps of blocks, {} skipped "
                                "where nothing moved",
                                count(t.intervals), count(t.steps), count(t.skipped)));
  if (t.fine_steps > 0)
    out += row("near throttling",
               fmt::format("{} steps at {:g} s", count(t.fine_steps), t.resolution_s));
  Table table({{"", Align::left, 0},
               {"racks", Align::right, 0},
               {"hottest chip", Align::right, 0},
               {"hottest coolant", Align::right, 0},
               {"clock lost a rack", Align::right, 0}});
  const auto line = [&](const std::string& label, const auto& x) {
    table.add({label, fmt::format("{:.0f}", x.racks), celsius(x.chip_c), celsius(x.coolant_c),
               format_scaled(x.lost_s, "s")});
  };
  for (const auto& h : t.halls) {
    line(h.title, h);
    if (h.groups.size() < 2) continue;
    for (const auto& r : h.groups)
      line(fmt::format("  {}, {} each", r.name, format_scaled(r.rack_w, "W")), r);
  }
  out += table.str();
  if (t.trips > 0) out += row("racks tripped", count(t.trips));
  for (const auto& w : t.work)
    if (w.tokens > 0)
      out += row("tokens of " + w.name, format_scaled(w.tokens, "token") + " not made");
  out += row("heat not taken at once", fmt::format("{:.1e} of all", t.beyond));
  out +=
      row("in less out and stored", fmt::format("{:.1e} of the worst interval", t.worst_imbalance));
  return out;
}

Json facility_time_json(const study::FacilityAnswer& a) {
  if (!a.time) return nullptr;
  const auto& t = *a.time;
  Json halls = Json::array(), work = Json::array();
  for (const auto& h : t.halls) {
    Json racks = Json::array();
    for (const auto& r : h.groups)
      racks.push_back({{"racks_of", r.name},
                       {"racks", number(r.racks)},
                       {"rack_w", number(r.rack_w)},
                       {"hottest_chip_c", temperature(r.chip_c)},
                       {"hottest_coolant_c", temperature(r.coolant_c)},
                       {"clock_lost_s", number(r.lost_s)}});
    halls.push_back({{"hall", h.title},
                     {"racks", number(h.racks)},
                     {"hottest_chip_c", temperature(h.chip_c)},
                     {"hottest_coolant_c", temperature(h.coolant_c)},
                     {"clock_lost_s", number(h.lost_s)},
                     {"groups", racks}});
  }
  for (const auto& w : t.work)
    work.push_back({{"workload", w.name}, {"tokens_lost", number(w.tokens)}});
  return {{"resolution_s", number(t.resolution_s)},
          {"pue", number(t.pue)},
          {"wue_l_per_kwh", number(t.wue_l_kwh)},
          {"it_j", number(t.it_j)},
          {"meter_j", number(t.meter_j)},
          {"racks", t.racks},
          {"jobs", t.jobs},
          {"blocks", t.blocks},
          {"intervals", t.intervals},
          {"steps", t.steps},
          {"skipped", t.skipped},
          {"fine_steps", t.fine_steps},
          {"trips", t.trips},
          {"throttled_rack_s", number(t.throttled_rack_s)},
          {"not_taken_at_once", number(t.beyond)},
          {"worst_interval_imbalance", number(t.worst_imbalance)},
          {"halls", halls},
          {"work", work}};
}

std::string facility_limits_text(const study::FacilityAnswer& a) {
  std::string out;
  if (a.throttled_h > 0) {
    out += row("power held down", fmt::format("{:.0f} h, by a cap or by chips that throttle; {} "
                                              "GPU-hours of clock lost",
                                              a.throttled_h, format_number(a.lost_gpu_s / 3600)));
    for (const auto& w : a.lost_work)
      out += row("tokens of " + w.name, format_scaled(w.tokens, "token") + " not made for it");
  }
  for (const auto& c : a.classes)
    out += row(c.name, fmt::format("{}: {:.1f} to {:.1f} degC in the year, {:g} to {:g} allowed "
                                   "(limits recalled)",
                                   c.holds() ? "holds" : "missed", c.have_low_c, c.have_high_c,
                                   c.low_c, c.high_c));
  return out;
}

Json facility_limits_json(const study::FacilityAnswer& a) {
  Json classes = Json::array(), work = Json::array();
  for (const auto& c : a.classes)
    classes.push_back({{"class", c.name},
                       {"holds", c.holds()},
                       {"low_c", number(c.low_c)},
                       {"high_c", number(c.high_c)},
                       {"lowest_c", number(c.have_low_c)},
                       {"highest_c", number(c.have_high_c)}});
  for (const auto& w : a.lost_work)
    work.push_back({{"workload", w.name}, {"tokens_lost", number(w.tokens)}});
  return {{"throttled_h", number(a.throttled_h)},
          {"lost_gpu_s", number(a.lost_gpu_s)},
          {"work", work},
          {"classes", classes}};
}

}  // namespace headroom::report
