#include "report/facility_gantt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "report/layout_svg.hpp"
#include "report/parts.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;
using site::Task;
using study::BuildPlan;
using study::GanttAnswer;

double months(Time t) { return t.in(month); }

double longest(const GanttAnswer& a) {
  double m = 0;
  for (const auto& p : a.plans)
    for (const auto& t : p.schedule.tasks) m = std::max(m, months(t.finish + t.slack));
  return std::max(m, 1e-9);
}

std::string when(const BuildPlan& p, Time t) {
  const auto date = p.date(t);
  return date.empty() ? fmt::format("month {:.1f}", months(t)) : date;
}

std::string usd(double v) {
  return v >= 1e8 ? fmt::format("{:.0f} MUSD", v / 1e6) : fmt::format("{:.2f} MUSD", v / 1e6);
}

/// A bar of `width` columns for a project of `total` months.
std::string chart(const Task& t, double total, std::size_t width) {
  const auto column = [&](double m) {
    return std::min(width, std::size_t(std::lround(m / total * double(width))));
  };
  const auto from = std::min(column(months(t.start)), width - 1);
  const auto to = std::max(from + 1, column(months(t.finish)));
  const auto end = std::max(to, column(months(t.finish + t.slack)));
  std::string out(from, ' ');
  for (auto i = from; i < to; ++i) out += t.critical ? "█" : "▒";
  for (auto i = to; i < end; ++i) out += "·";
  return out;
}

void plan_text(Sheet& sheet, const BuildPlan& p, double total) {
  const auto& s = p.schedule;
  sheet.title(p.name);
  if (s.tasks.empty()) {
    sheet.prose("Nothing has to be waited for.");
    return;
  }
  const std::size_t width =
      std::clamp<std::size_t>(sheet.width() > 84 ? sheet.width() - 84 : 16, 16, 60);
  Table t({{"task", Align::left, 34},
           {"start", Align::left, 0},
           {"end", Align::left, 0},
           {"months", Align::right, 0},
           {"slack", Align::right, 0},
           {fmt::format("0 to {:.0f} months", total), Align::left, 0}});
  for (const auto& task : s.tasks) {
    if (task.duration <= Time{}) continue;
    t.add({task.name, when(p, task.start), when(p, task.finish),
           fmt::format("{:.1f}", months(task.duration)),
           task.critical ? "critical" : fmt::format("{:.1f}", months(task.slack)),
           chart(task, total, width)},
          task.critical ? sheet.style("1") : std::string_view{});
  }
  sheet.put(t);
  for (const auto& l : p.missed)
    sheet.prose(fmt::format("Falls short: {}{}", l.limit, l.add.empty() ? "" : "; " + l.add), "  ");
}

std::string capital(const BuildPlan& p) {
  if (!p.capital_usd) return "not asked";
  std::string text = usd(*p.total_usd());
  if (!p.unpriced.empty()) text += " + gear";
  return text;
}

void compare(Sheet& sheet, const GanttAnswer& a) {
  Table t({{"plan", Align::left, 40},
           {"IT", Align::right, 0},
           {"ready", Align::left, 0},
           {"months (range)", Align::left, 0},
           {"late", Align::right, 0},
           {"capital", Align::right, 0},
           {"of it gear", Align::right, 0},
           {"short", Align::right, 0}});
  for (const auto& p : a.plans)
    t.add({p.name, format_scaled(p.it_max_w, "W"), when(p, p.schedule.ready.value),
           fmt::format("{:.1f} ({:.1f} to {:.1f})", months(p.schedule.ready.value),
                       months(p.schedule.ready_low), months(p.schedule.ready_high)),
           p.late_days > 0 ? fmt::format("{:.0f} d", p.late_days) : "-", capital(p),
           p.gear.empty() ? "-" : usd(p.gear_usd()), std::to_string(p.missed.size())});
  sheet.title("Plans");
  sheet.put(t);
}

void gear(Sheet& sheet, const BuildPlan& p) {
  if (p.gear.empty() && p.unpriced.empty() && !p.published_usd) return;
  sheet.title("Gear of the retrofit");
  Table t({{"for", Align::left, 34}, {"order", Align::left, 56}, {"price", Align::right, 0}});
  for (const auto& g : p.gear) t.add({g.limit, g.action, format_scaled(g.usd, "USD")});
  for (const auto& g : p.unpriced) t.add({g, "no price is known", "-"});
  if (!p.gear.empty()) t.add({"sum", "", format_scaled(p.gear_usd(), "USD")}, sheet.style("1"));
  sheet.put(t);
  std::vector<std::string> sources;
  for (const auto& g : p.gear)
    if (std::find(sources.begin(), sources.end(), g.source) == sources.end())
      sources.push_back(g.source);
  if (!sources.empty())
    sheet.prose(fmt::format("Prices: {}; bought and installed, beside running racks it costs more.",
                            fmt::join(sources, "; ")));
  if (p.published_usd)
    sheet.prose(
        fmt::format("Published for a liquid-cooling retrofit of this IT as a whole: {} ({}).",
                    usd(*p.published_usd), p.published_source));
}

void verdict(Sheet& sheet, const GanttAnswer& a) {
  if (!a.in_time())
    sheet.prose(fmt::format("{}: {:.0f} days after the day it is needed.", a.plans.front().name,
                            a.plans.front().late_days));
  const auto *old = a.retrofit(), *fresh = a.new_build();
  if (old == nullptr || fresh == nullptr) return;
  const double gain = months(fresh->schedule.ready.value) - months(old->schedule.ready.value);
  std::string line = fmt::format("The retrofit is ready {:.1f} months {}.", std::abs(gain),
                                 gain >= 0 ? "earlier" : "later");
  if (old->total_usd() && fresh->total_usd()) {
    const double more = *fresh->total_usd() - *old->total_usd();
    line += old->unpriced.empty()
                ? fmt::format(" It costs {} {}.", usd(std::abs(more)), more >= 0 ? "less" : "more")
                : fmt::format(" It is the cheaper way while what has no price costs less than {}.",
                              usd(std::max(0.0, more)));
  }
  sheet.prose(line);
  gear(sheet, *old);
}

Json plan_json(const BuildPlan& p) {
  const auto days = [](Time t) { return Json(t.in(day)); };
  Json tasks = Json::array(), missed = Json::array();
  for (const auto& t : p.schedule.tasks)
    tasks.push_back({{"id", t.id},
                     {"name", t.name},
                     {"start_day", days(t.start)},
                     {"finish_day", days(t.finish)},
                     {"start", p.date(t.start)},
                     {"finish", p.date(t.finish)},
                     {"slack_days", days(t.slack)},
                     {"critical", t.critical}});
  for (const auto& l : p.missed)
    missed.push_back(
        {{"id", l.id},
         {"limit", l.limit},
         {"need", std::isfinite(l.need) ? Json(in_unit(l.need, l.unit)) : Json(nullptr)},
         {"have", std::isfinite(l.have) ? Json(in_unit(l.have, l.unit)) : Json(nullptr)},
         {"unit", l.unit},
         {"add", l.add.empty() ? Json(nullptr) : Json(l.add)}});
  Json gear = Json::array();
  for (const auto& g : p.gear)
    gear.push_back({{"limit", g.limit}, {"order", g.action}, {"usd", g.usd}, {"source", g.source}});
  return {{"name", p.name},
          {"kind", p.retrofit ? "retrofit" : "new-build"},
          {"it_max_w", p.it_max_w},
          {"start", p.schedule.start},
          {"ready", p.date(p.schedule.ready.value)},
          {"ready_day", days(p.schedule.ready.value)},
          {"ready_day_low", days(p.schedule.ready_low)},
          {"ready_day_high", days(p.schedule.ready_high)},
          {"capital_usd", p.capital_usd ? Json(*p.capital_usd) : Json(nullptr)},
          {"total_usd", p.total_usd() ? Json(*p.total_usd()) : Json(nullptr)},
          {"gear", gear},
          {"gear_usd", p.gear_usd()},
          {"published_retrofit_usd", p.published_usd ? Json(*p.published_usd) : Json(nullptr)},
          {"published_retrofit_source", p.published_usd ? Json(p.published_source) : Json(nullptr)},
          {"late_days", p.late_days},
          {"not_priced", p.unpriced},
          {"tasks", tasks},
          {"missed", missed}};
}

}  // namespace

std::string gantt_text(const GanttAnswer& a, const TextOptions& options) {
  Sheet sheet(options);
  compare(sheet, a);
  verdict(sheet, a);
  const double total = longest(a);
  constexpr std::size_t charts = 2;
  for (std::size_t i = 0; i < std::min(charts, a.plans.size()); ++i)
    plan_text(sheet, a.plans[i], total);
  if (a.plans.size() > charts) sheet.prose("Charts of the phases: --json, or -o plan.svg.");
  sheet.remarks(a.remarks);
  return sheet.take();
}

std::string gantt_json(const GanttAnswer& a) {
  Json plans = Json::array();
  for (const auto& p : a.plans) plans.push_back(plan_json(p));
  return Json{{"scenario", a.scenario},
              {"in_time", a.in_time()},
              {"plans", plans},
              {"remarks", a.remarks}}
             .dump(2) +
         "\n";
}

}  // namespace headroom::report
