#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "report/facility_gantt.hpp"
#include "report/layout_svg.hpp"

namespace headroom::report {
namespace {

constexpr double names_px = 330, chart_px = 720, right_px = 110, row_px = 20;

constexpr const char* style = R"(<style>
svg{font:11px system-ui,sans-serif;background:#fff;color-scheme:light dark}.h{font-size:14px;font-weight:600}
.bg{fill:#fff}text{fill:#1c2733}.soft{fill:#5b6875}.grid{stroke:#dfe4e9}
.task{fill:#7fb3d5}.critical{fill:#d9542b}.slack{fill:none;stroke:#5b6875;stroke-dasharray:2 2}
@media (prefers-color-scheme:dark){svg{background:#12171d}.bg{fill:#12171d}text{fill:#e4e9ee}.soft{fill:#a3afbb}
.grid{stroke:#2b343d}.task{fill:#4a7fa5}.critical{fill:#e05f3a}.slack{stroke:#a3afbb}}
</style>
)";

/// Clipped to what stands left of the chart.
std::string short_name(const std::string& name) {
  constexpr std::size_t most = 48;
  if (name.size() <= most) return name;
  std::size_t end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end) + "...";
}

}  // namespace

std::string gantt_svg(const study::GanttAnswer& a) {
  double total = 1;
  for (const auto& p : a.plans)
    for (const auto& t : p.schedule.tasks) total = std::max(total, (t.finish + t.slack).in(month));
  const double each = total > 72 ? 12 : total > 24 ? 6 : total > 10 ? 2 : 1;
  const double px = chart_px / total;
  std::string body;
  auto out = std::back_inserter(body);
  double y = 14;
  const auto text = [&](double x, double at, const std::string& s, const char* cls) {
    fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x, at, cls,
                   xml_text(s));
  };
  for (const auto& p : a.plans) {
    y += 26;
    text(16, y,
         fmt::format("{}: ready after {:.1f} months", p.name, p.schedule.ready.value.in(month)),
         "h");
    y += 20;
    const double top = y;
    std::string bars;
    std::swap(bars, body);
    for (const auto& t : p.schedule.tasks) {
      if (t.duration <= Time{}) continue;
      const double from = names_px + t.start.in(month)*px, w = t.duration.in(month)*px;
      text(16, y + 18, short_name(t.name), "");
      fmt::format_to(out,
                     "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"12\">"
                     "<title>{}: month {:.1f} to {:.1f}, slack {:.1f}</title></rect>\n",
                     t.critical ? "critical" : "task", from, y + 8, std::max(1.0, w),
                     xml_text(t.name), t.start.in(month), t.finish.in(month), t.slack.in(month));
      if (t.slack.in(month) > 0.05)
        fmt::format_to(out, "<path class=\"slack\" d=\"M{:.1f} {:.1f}h{:.1f}\"/>\n", from + w,
                       y + 14, t.slack.in(month)*px);
      y += row_px;
    }
    std::swap(bars, body);
    for (double m = 0; m <= total + 1e-9; m += each) {
      const double x = names_px + m * px;
      fmt::format_to(out, "<path class=\"grid\" d=\"M{0:.1f} {1:.1f}V{2:.1f}\"/>\n", x, top, y + 6);
      text(x + 2, top, fmt::format("{:.0f}", m), "soft");
    }
    body += bars;
    y += 10;
  }
  y += 18;
  text(16, y, "months since the start; red: critical, blue: has slack (dotted)", "soft");
  const double width = names_px + chart_px + right_px;
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
             "viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\"><title>{2}</title>\n",
             width, y + 16, xml_text(a.scenario)) +
         style + "<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n" + body + "</svg>\n";
}

}  // namespace headroom::report
