#include "report/parts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace headroom::report {

namespace {

constexpr double endless_s = 1e9;  // 30 years: a queue that grows
constexpr double close = 0.1;      // headroom below which a limit is worth a word

}  // namespace

double in_unit(double si, std::string_view unit) {
  const auto parsed = parse_unit(unit);
  return parsed ? (si - parsed->offset) / parsed->factor : si;
}

std::string percent(double share, int digits) {
  return fmt::format("{:.{}f} %", 100 * share, digits);
}

std::string seconds(double s, int digits) {
  if (!std::isfinite(s) || s > endless_s) return "never";
  if (s >= 100) return format_number(s, std::max(digits, 4)) + " s";
  if (s >= 1) return format_number(s, digits) + " s";
  if (s >= 1e-3) return format_number(s * 1e3, 3) + " ms";
  return s > 0 ? format_number(s * 1e6, 3) + " us" : "0";
}

std::string gibibytes(double bytes, int digits) {
  return fmt::format("{:.{}f} GiB", bytes / bytes_per_gib, digits);
}

std::string figure(double x, int digits) { return x > 0 ? format_number(x, digits) : "-"; }

std::string bar(double share, std::size_t width) {
  static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double cells = std::clamp(share, 0.0, 1.0) * double(width);
  std::string out;
  for (int i = 0; i < int(cells); ++i) out += "█";
  return out + eighths[int((cells - std::floor(cells)) * 8)];
}

TextWriter::TextWriter(const TextOptions& options)
    : o_(options), width_(static_cast<std::size_t>(std::max(60, options.width))) {}

std::string TextWriter::paint(const std::string& text, std::string_view style) const {
  return o_.colour ? fmt::format("\033[{}m{}\033[0m", style, text) : text;
}

void TextWriter::title(const std::string& text) { out_ += "\n" + paint(text, "1") + "\n"; }

void TextWriter::line(std::string_view label, const std::string& text) {
  out_ += fmt::format("  {:<28}{}\n", label, text);
}

void TextWriter::list(const std::string& head, const std::vector<std::string>& texts) {
  if (!texts.empty()) title(head);
  for (const auto& text : texts) out_ += wrap(text, width_, "  ");
}

void Sheet::prose(std::string_view text, std::string_view indent) {
  out_ += wrap(text, width_, indent);
}

void Sheet::section(const study::Section& section) {
  if (section.lines.empty()) return;
  title(section.title);
  Table rows({{"", Align::left, 60}, {"", Align::right, 0}});
  for (const auto& line : section.lines) rows.add({line.label, format_scaled(line.si, line.unit)});
  put(rows);
}

void Sheet::money(const study::Section& lines, const std::string& price_origin) {
  section(lines);
  if (!price_origin.empty() && !lines.lines.empty()) prose("price: " + price_origin);
}

void Sheet::intervals(const std::vector<study::Interval>& intervals, const std::string& origin) {
  if (intervals.empty()) return;
  title("80 % interval");
  Table rows({{"", Align::left, 30},
              {"low", Align::right, 0},
              {"likely", Align::right, 0},
              {"high", Align::right, 0}});
  for (const auto& i : intervals)
    rows.add({i.label, format_scaled(i.low, i.unit), format_scaled(i.likely, i.unit),
              format_scaled(i.high, i.unit)});
  put(rows);
  prose("from " + origin);
}

void Sheet::flags(const std::vector<study::LaunchText>& flags) {
  for (const auto& f : flags) {
    title(f.program);
    raw(f.text);
    for (const auto& c : f.cannot) prose("not expressed: " + c, "# ");
  }
}

void Sheet::limits(const std::vector<Margin>& margins) {
  bool headed = false;
  for (const auto& m : margins) {
    if (m.holds() && (m.headroom() > close || m.remedies.empty())) continue;
    if (!headed) title("Limits that fall short or are close");
    headed = true;
    raw("  " + paint(m.limit, m.holds() ? "33" : "31") + " " + headroom_text(m.headroom()) + "\n");
    prose(m.why, "    ");
    for (const auto& r : m.remedies) prose("- " + r.action, "    ");
  }
}

void Sheet::remarks(const std::vector<std::string>& remarks) {
  if (remarks.empty()) return;
  title("Remarks");
  for (const auto& remark : remarks) prose("- " + remark);
}

}  // namespace headroom::report
