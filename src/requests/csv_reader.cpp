// Comma-separated traces with a header. One pass, no allocation a row.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "requests/rows.hpp"

namespace headroom::requests {
namespace {

struct Column {
  std::string name;
  Role role = Role::none;
  double seconds = 0;
};

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r'))
    s.remove_suffix(1);
  return s;
}

/// Takes the next cell off [p, end); a quoted one may hold commas. `more`: a comma follows it.
std::string_view next_cell(const char*& p, const char* end, bool& more) {
  const char* begin = p;
  const char* stop = nullptr;
  if (p < end && *p == '"') {
    const auto left = static_cast<std::size_t>(end - p - 1);
    stop = static_cast<const char*>(std::memchr(p + 1, '"', left));
    if (stop != nullptr) begin = p + 1, p = stop + 1;
  }
  while (p < end && *p != ',') ++p;
  if (stop == nullptr) stop = p;
  more = p < end;
  if (more) ++p;
  return {begin, static_cast<std::size_t>(stop - begin)};
}

/// Digits and nothing else, the common case.
inline bool plain_integer(std::string_view s, std::int64_t& value) {
  if (s.empty() || s.size() > 18) return false;
  std::int64_t v = 0;
  for (const char c : s) {
    const auto d = static_cast<unsigned>(c - '0');
    if (d > 9) return false;
    v = v * 10 + d;
  }
  value = v;
  return true;
}

class CsvReader {
 public:
  CsvReader(std::string_view text, Rows& rows) : text_(text), rows_(rows) {}

  void read() {
    line_.begin = text_.data();
    if (!next_line() || !header()) return;
    guess_rows();
    while (!rows_.full() && next_line())
      if (!trim({line_.begin, length()}).empty()) row();
  }

 private:
  std::size_t length() const { return static_cast<std::size_t>(line_.end - line_.begin); }

  /// Moves to the next line; false at the end.
  bool next_line() {
    const char* end = text_.data() + text_.size();
    if (at_ >= end && at_ != nullptr) return false;
    line_.begin = at_ == nullptr ? text_.data() : at_;
    if (line_.begin >= end) return false;
    const auto* stop = static_cast<const char*>(
        std::memchr(line_.begin, '\n', static_cast<std::size_t>(end - line_.begin)));
    line_.end = stop == nullptr ? end : stop;
    line_.number = ++number_;
    at_ = stop == nullptr ? end : stop + 1;
    if (line_.end > line_.begin && line_.end[-1] == '\r') --line_.end;
    return true;
  }

  void guess_rows() {
    const auto left = static_cast<std::size_t>(text_.data() + text_.size() - at_);
    const auto* stop = static_cast<const char*>(std::memchr(at_, '\n', left));
    if (stop != nullptr) rows_.reserve(left / static_cast<std::size_t>(stop - at_ + 1) + 16);
  }

  bool header() {
    const char* p = line_.begin;
    std::vector<std::string> found;
    for (bool more = true; more;) {
      std::string_view name = trim(next_cell(p, line_.end, more));
      Column column;
      if (name.starts_with("hashes@")) {  // our own: the block's tokens stand in the name
        std::int64_t tokens = 0;
        if (!parse_integer(name.substr(7), tokens) || tokens < 1 || tokens > 1 << 20) {
          rows_.broken(1, fmt::format("'{}': expected hashes@N, N tokens a block", name));
          return false;
        }
        rows_.stream().block_tokens = static_cast<int>(tokens);
        name = "hashes";
      }
      column.name = std::string(name);
      if (const Field* f = find_field(name)) column.role = f->role, column.seconds = f->seconds;
      found.push_back(column.name);
      columns_.push_back(std::move(column));
    }
    return require(Role::prompt, "prompt lengths", found) &
           require(Role::output, "answer lengths", found);
  }

  bool require(Role role, const char* what, const std::vector<std::string>& found) {
    const auto has = [role](const Column& c) { return c.role == role; };
    if (std::any_of(columns_.begin(), columns_.end(), has)) return true;
    const auto names = names_of(role);
    std::string hint;
    for (const auto& name : found) {
      const auto near = nearest(name, names, 1);
      if (hint.empty() && !near.empty())
        hint = fmt::format("is '{}' meant to be '{}'?", name, near[0]);
    }
    if (hint.empty()) hint = fmt::format("known names: {}", fmt::join(names, ", "));
    rows_.broken(1, fmt::format("no column with {} among: {}", what, fmt::join(found, ", ")), hint);
    return false;
  }

  void row() {
    Row row;
    row.first_hash = rows_.stream().hashes.size();
    const char* p = line_.begin;
    std::size_t cells = 0;
    bool more = true;
    for (const auto& column : columns_) {
      if (!more) return count_wrong(cells, line_.end, row);
      const char* begin = p;
      const auto cell = trim(next_cell(p, line_.end, more));
      ++cells;
      if (column.role != Role::none && !value(column, cell, begin, row)) return undo(row);
    }
    if (more)
      return count_wrong(cells + 1 + static_cast<std::size_t>(std::count(p, line_.end, ',')), p,
                         row);
    rows_.add(row, line_);
  }

  void count_wrong(std::size_t cells, const char* at, const Row& row) {
    rows_.bad(line_, at, "",
              fmt::format("{} cells, expected the {} of the header", cells, columns_.size()),
              "is the line cut off, or a comma within a number?");
    undo(row);
  }

  void undo(const Row& row) { rows_.stream().hashes.resize(row.first_hash); }

  bool value(const Column& column, std::string_view cell, const char* at, Row& row) {
    // Optional cells may be empty.
    if (cell.empty() && column.role != Role::arrival && column.role != Role::prompt &&
        column.role != Role::output)
      return true;
    row.set(column.role, at);
    switch (column.role) {
      case Role::arrival:
        return arrival(column, cell, at, row);
      case Role::prompt:
        return integer(column, cell, at, row.prompt);
      case Role::output:
        return integer(column, cell, at, row.output);
      case Role::after:
        return integer(column, cell, at, row.after);
      case Role::shared:
        return integer(column, cell, at, row.shared);
      case Role::shared_tokens:
        return integer(column, cell, at, row.shared_tokens);
      case Role::adapter:
        return integer(column, cell, at, row.adapter);
      case Role::priority:
        return integer(column, cell, at, row.priority);
      case Role::session:
        row.session = cell;
        return true;
      case Role::model:
        row.model = cell;
        return true;
      case Role::region:
        row.region = cell;
        return true;
      case Role::traffic_class:
        row.traffic_class = cell;
        return true;
      case Role::hashes:
        return hashes(column, cell, at);
      case Role::delay:
        return number(column, cell, at, row.delay_s);
      case Role::error:
        row.failed = true;
        return true;
      case Role::phase:
        row.failed = cell == "warmup";
        return true;
      default:
        return true;
    }
  }

  bool integer(const Column& column, std::string_view cell, const char* at, std::int64_t& out) {
    if (plain_integer(cell, out) || parse_integer(cell, out)) return true;
    return expected(column, cell, at, "a whole number");
  }

  bool number(const Column& column, std::string_view cell, const char* at, double& out) {
    if (!parse_number(cell, out)) return expected(column, cell, at, "a number");
    out *= column.seconds;
    return true;
  }

  bool arrival(const Column& column, std::string_view cell, const char* at, Row& row) {
    if (cell.size() >= 19 && cell[4] == '-') {
      row.exact = true;
      if (parse_time(cell, row.time_ns)) return true;
      return expected(column, cell, at, "a time like 2023-11-16 18:15:46.6805900");
    }
    if (!parse_number(cell, row.time_s))
      return expected(column, cell, at, "a number, or a time like 2023-11-16 18:15:46.68");
    row.time_s *= column.seconds;
    return true;
  }

  bool hashes(const Column& column, std::string_view cell, const char* at) {
    auto& all = rows_.stream().hashes;
    const char* p = cell.data();
    const char* end = p + cell.size();
    while (p < end) {
      std::uint64_t h = 0;
      const auto r = std::from_chars(p, end, h);
      if (r.ec != std::errc{} || (r.ptr < end && *r.ptr != ' '))
        return expected(column, cell, at, "whole numbers apart by blanks");
      all.push_back(h);
      p = r.ptr + 1;
    }
    return true;
  }

  bool expected(const Column& column, std::string_view cell, const char* at, const char* what) {
    rows_.bad(line_, at, column.name,
              cell.empty() ? fmt::format("the cell is empty, expected {}", what)
                           : fmt::format("'{}', expected {}", cell.substr(0, 40), what));
    return false;
  }

  std::string_view text_;
  Rows& rows_;
  std::vector<Column> columns_;
  Line line_;
  const char* at_ = nullptr;
  int number_ = 0;
};

}  // namespace

void read_csv(std::string_view text, Rows& rows) { CsvReader(text, rows).read(); }

}  // namespace headroom::requests
