#include "report/table.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace headroom::report {

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

namespace {

std::string clip(const std::string& text, std::size_t most) {
  if (most == 0 || columns_of(text) <= most) return text;
  std::string out;
  std::size_t used = 0;
  for (const char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts && ++used >= most) break;
    out += c;
  }
  return out + "…";
}

std::string padded(const std::string& text, std::size_t width, Align align) {
  const std::size_t have = columns_of(text);
  const std::string fill(width > have ? width - have : 0, ' ');
  return align == Align::left ? text + fill : fill + text;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string Table::str(std::string_view indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = columns_of(columns_[c].head);
    for (const auto& row : rows_) {
      if (c < row.cells.size())
        width = std::max(width, columns_of(clip(row.cells[c], columns_[c].most)));
    }
    widths.push_back(width);
  }
  auto line = [&](const std::vector<std::string>& cells) {
    std::string out(indent);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const std::string cell = c < cells.size() ? clip(cells[c], columns_[c].most) : "";
      out += padded(cell, widths[c], columns_[c].align) + (c + 1 < columns_.size() ? "  " : "");
    }
    return trimmed(out);
  };
  std::string out;
  std::vector<std::string> heads;
  for (const auto& column : columns_) heads.push_back(column.head);
  const bool headed = std::any_of(heads.begin(), heads.end(), [](auto& h) { return !h.empty(); });
  if (headed) out += line(heads) + "\n";
  for (const auto& row : rows_) {
    const std::string body = line(row.cells);
    out += row.style.empty() ? body + "\n" : "\033[" + row.style + "m" + body + "\033[0m\n";
  }
  return out;
}

std::string wrap(std::string_view text, std::size_t width, std::string_view indent) {
  std::string out;
  std::string line;
  std::size_t at = 0;
  const std::size_t room = width > indent.size() + 20 ? width - indent.size() : 20;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const auto word = text.substr(at, end - at);
    if (!line.empty() && columns_of(line) + 1 + columns_of(word) > room) {
      out += std::string(indent) + line + "\n";
      line.clear();
    }
    if (!word.empty()) line += (line.empty() ? "" : " ") + std::string(word);
    at = end + 1;
  }
  if (!line.empty()) out += std::string(indent) + line + "\n";
  return out;
}

std::string headroom_bar(double headroom, std::size_t width) {
  static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
  const std::size_t half = width / 2;
  const double h = std::clamp(headroom, -1.0, 1.0);
  const auto steps =
      static_cast<std::size_t>(std::round(std::abs(h) * static_cast<double>(half) * 8));
  std::string bar;
  if (h >= 0) {
    for (std::size_t i = 0; i < half; ++i) bar += " ";
    bar += "│";
    for (std::size_t i = 0; i < steps / 8; ++i) bar += "█";
    return bar + eighths[steps % 8];
  }
  // A shortfall grows to the left from the limit; whole cells only, since there
  // are no right-aligned eighth blocks.
  const std::size_t cells = std::max<std::size_t>((steps + 4) / 8, 1);
  for (std::size_t i = 0; i < half; ++i) bar += i < half - cells ? " " : "▒";
  return bar + "│";
}

std::string headroom_text(double headroom) {
  if (std::isnan(headroom)) return "not a limit";
  if (!std::isfinite(headroom)) return "holds";
  if (headroom >= 9) return fmt::format("{:.0f}x", headroom + 1);
  const double percent = headroom * 100;
  if (std::abs(percent) < 9.95) return fmt::format("{:+.1f} %", percent);
  return fmt::format("{:+.0f} %", percent);
}

}  // namespace headroom::report
