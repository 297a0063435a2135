#include "base/hours_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>

namespace headroom {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '"' || s.front() == '\t'))
    s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '"' || s.back() == '\r' || s.back() == '\t'))
    s.remove_suffix(1);
  return s;
}

/// A cell and the column where it starts.
struct Cell {
  std::string_view text;
  int column = 1;
};

std::vector<Cell> cells_of(std::string_view line) {
  std::vector<Cell> cells;
  std::size_t at = 0;
  while (true) {
    const auto end = std::min(line.find_first_of(",;", at), line.size());
    cells.push_back({trimmed(line.substr(at, end - at)), static_cast<int>(at) + 1});
    if (end >= line.size()) return cells;
    at = end + 1;
  }
}

bool number(std::string_view text, double& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

class Reader {
 public:
  Reader(const std::string& name, const HoursFormat& format) : name_(name), f_(format) {}

  Result<HoursColumn> read(std::string_view text) {
    int line = 0;
    while (!text.empty()) {
      ++line;
      const auto end = std::min(text.find('\n'), text.size());
      const auto content = trimmed(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      if (!content.empty()) read_line(cells_of(content), line);
    }
    const std::size_t n = out_.values.size() + faults_;
    if (n != 8760 && n != 8784)
      fail(line, 1, fmt::format("{} hours", n), "8,760 or 8,784 lines, from 1 January 0:00");
    if (!mistakes_.empty()) return failure(std::move(mistakes_));
    return std::move(out_);
  }

 private:
  void read_line(const std::vector<Cell>& cells, int line) {
    if (!first_) return add(cells, line);
    first_ = false;
    double value = 0;
    const bool headed = std::none_of(cells.begin(), cells.end(),
                                     [&](const Cell& c) { return number(c.text, value); });
    if (headed) return head(cells, line);
    if (cells.size() > 1)
      fail(line, 1, "several columns without a head line",
           fmt::format("name the one of the {}", f_.what));
    add(cells, line);
  }

  void head(const std::vector<Cell>& cells, int line) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto name = lower(cells[i].text);
      const bool says = std::any_of(f_.heads.begin(), f_.heads.end(), [&](const std::string& h) {
        return name.find(h) != std::string::npos;
      });
      if (!says && cells.size() > 1) continue;
      column_ = i, out_.head = name;
      return;
    }
    fail(line, 1, "no column of " + f_.what,
         fmt::format("name one '{}'", f_.example.empty() ? f_.what : f_.example));
  }

  void add(const std::vector<Cell>& cells, int line) {
    if (column_ >= cells.size()) {
      ++faults_;
      return fail(line, 1, fmt::format("{} columns", cells.size()),
                  fmt::format("{} is column {}", f_.what, column_ + 1));
    }
    const Cell& c = cells[column_];
    double value = 0;
    if (!number(c.text, value) || !std::isfinite(value) || value < f_.low || value > f_.high) {
      ++faults_;
      return fail(line, c.column, fmt::format("'{}' is no {}", c.text.substr(0, 40), f_.what),
                  expected());
    }
    out_.values.push_back(value);
  }

  std::string expected() const {
    if (std::isinf(f_.high) && std::isinf(f_.low)) return "a number";
    if (std::isinf(f_.high)) return fmt::format("a number of at least {:g}", f_.low);
    return fmt::format("{:g} to {:g}", f_.low, f_.high);
  }

  void fail(int line, int column, std::string message, std::string hint) {
    mistakes_.add({name_, line, column, "", std::move(message), std::move(hint), ""});
  }

  const std::string& name_;
  const HoursFormat& f_;
  Diagnostics mistakes_;
  HoursColumn out_;
  std::size_t column_ = 0, faults_ = 0;
  bool first_ = true;
};

}  // namespace

Result<HoursColumn> parse_hours(const std::string& name, std::string_view text,
                                const HoursFormat& format) {
  return Reader(name, format).read(text);
}

Result<HoursColumn> read_hours(const std::string& path, const HoursFormat& format) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    Diagnostics mistakes;
    mistakes.add({path, 0, 0, "", "cannot be read", "a CSV file with a line an hour", ""});
    return failure(std::move(mistakes));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_hours(path, text, format);
}

}  // namespace headroom
