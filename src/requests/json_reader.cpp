// JSON objects, one a line or in an array: a small scanner that keeps the values whose names are
// known and steps over the rest. One pass, no allocation a row but for the hashes.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "requests/rows.hpp"

namespace headroom::requests {
namespace {

/// A role found for a key; keys come in the same order in every row, so the last row's are
/// tried first.
struct Known {
  std::string key;
  Role role = Role::none;
  double seconds = 0;
};

class JsonReader {
 public:
  JsonReader(std::string_view text, Rows& rows)
      : p_(text.data()), end_(p_ + text.size()), line_start_(p_), rows_(rows) {}

  void read() {
    skip_blank();
    array_ = p_ < end_ && *p_ == '[';
    if (array_) ++p_;
    while (!rows_.full()) {
      skip_between();
      if (p_ >= end_ || (array_ && *p_ == ']')) return;
      object();
    }
  }

 private:
  void skip_blank() {
    while (p_ < end_ && (*p_ == ' ' || *p_ == '\t' || *p_ == '\n' || *p_ == '\r')) ++p_;
  }
  void skip_between() {
    for (skip_blank(); array_ && p_ < end_ && *p_ == ','; skip_blank()) ++p_;
  }

  /// The line that holds `at`; lines are counted as far as they are asked for.
  Line line_of(const char* at) {
    const auto find = [](const char* from, const char* to) {
      return static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(to - from)));
    };
    for (const char* n; line_start_ < at && (n = find(line_start_, at)) != nullptr;) {
      line_start_ = n + 1;
      ++number_;
    }
    const char* stop = find(at, end_);
    return {line_start_, stop == nullptr ? end_ : stop, number_};
  }

  void object() {
    Row row;
    row.first_hash = rows_.stream().hashes.size();
    key_index_ = 0;
    wrong_ = nullptr;
    const char* begin = p_;
    const bool whole = members(row, {});
    const Line line = line_of(begin);
    if (whole && wrong_ == nullptr) return rows_.add(row, line);
    rows_.stream().hashes.resize(row.first_hash);
    rows_.bad(line_of(std::max(begin, wrong_)), wrong_, wrong_path_, message_, hint_);
    if (!whole) recover();
  }

  /// After a broken row: on with the next line.
  void recover() {
    const char* from = std::min(p_, end_);
    const auto* stop =
        static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end_ - from)));
    p_ = stop == nullptr ? end_ : stop + 1;
  }

  bool fail(const char* at, std::string message, std::string hint = {}) {
    if (wrong_ == nullptr) {
      wrong_ = at;
      wrong_path_ = path_;
      message_ = std::move(message);
      hint_ = std::move(hint);
    }
    return false;
  }
  /// The syntax is broken: the row cannot be read on.
  bool broken(const char* what) {
    path_ = {};
    const std::string found =
        p_ >= end_ || *p_ == '\n' ? "the end of the line" : fmt::format("'{}'", *p_);
    wrong_ = nullptr;
    return fail(p_, fmt::format("{}, expected {}", found, what));
  }

  /// The members of an object whose '{' is next.
  bool members(Row& row, std::string_view prefix) {
    if (p_ >= end_ || *p_ != '{') return broken("'{', one JSON object a row");
    ++p_;
    space();
    if (p_ < end_ && *p_ == '}') return ++p_, true;
    while (true) {
      std::string_view key;
      if (!string(key)) return broken("a key in quotes");
      space();
      if (p_ >= end_ || *p_ != ':') return broken("':' after the key");
      ++p_;
      space();
      if (!member(row, prefix, key)) return false;
      space();
      if (p_ < end_ && *p_ == ',') {
        ++p_;
        space();
        continue;
      }
      if (p_ < end_ && *p_ == '}') return ++p_, true;
      return broken("',' or '}'");
    }
  }

  void space() {
    while (p_ < end_ && (*p_ == ' ' || *p_ == '\t' || (array_ && (*p_ == '\n' || *p_ == '\r'))))
      ++p_;
  }

  const Known& known(std::string_view prefix, std::string_view key) {
    const std::size_t n = prefix.size() + key.size();
    if (key_index_ < keys_.size()) {
      const std::string_view k = keys_[key_index_].key;
      if (k.size() == n && k.substr(prefix.size()) == key && k.substr(0, prefix.size()) == prefix)
        return keys_[key_index_++];
    }
    Known k;
    k.key = std::string(prefix) + std::string(key);
    if (const Field* f = find_field(k.key)) k.role = f->role, k.seconds = f->seconds;
    if (key_index_ < keys_.size()) {
      keys_[key_index_] = std::move(k);
    } else if (keys_.size() < 64) {
      keys_.push_back(std::move(k));
      return keys_[key_index_++];
    } else {
      spare_ = std::move(k);
      return spare_;
    }
    return keys_[key_index_++];
  }

  bool member(Row& row, std::string_view prefix, std::string_view key) {
    const Known& k = known(prefix, key);
    const Role role = k.role;
    const double seconds = k.seconds;
    const char* at = p_;
    if (role == Role::none) {
      if (p_ < end_ && *p_ == '{' && prefix.empty() && (key == "metadata" || key == "metrics"))
        return members(row, key == "metadata" ? "metadata." : "metrics.");
      return skip_value();
    }
    if (end_ - p_ >= 4 && std::memcmp(p_, "null", 4) == 0) {
      p_ += 4;
      return true;
    }
    path_ = key;
    row.set(role, at);
    if (role == Role::hashes) return hashes();
    if (role == Role::conversation) return conversation(row);
    std::string_view text;
    const bool quoted = p_ < end_ && *p_ == '"';
    if (p_ < end_ && *p_ == '{') {  // AIPerf: {"value": 550, "unit": "tokens"}
      if (role == Role::error) return row.failed = true, skip_value();
      if (!value_of(text)) return false;
    } else if (quoted) {
      if (!string(text)) return broken("a closing quote");
    } else {
      const char* begin = p_;
      if (!skip_value()) return false;
      text = {begin, static_cast<std::size_t>(p_ - begin)};
    }
    assign(role, seconds, text, quoted, at, row);
    return true;
  }

  void assign(Role role, double seconds, std::string_view text, bool quoted, const char* at,
              Row& row) {
    switch (role) {
      case Role::arrival:
        return arrival(seconds, text, at, row);
      case Role::prompt:
        if (quoted && path_ == "prompt") return estimate(text, row.prompt);
        return integer(text, at, row.prompt);
      case Role::output:
        return integer(text, at, row.output);
      case Role::after:
        return integer(text, at, row.after);
      case Role::shared:
        return integer(text, at, row.shared);
      case Role::shared_tokens:
        return integer(text, at, row.shared_tokens);
      case Role::adapter:
        return integer(text, at, row.adapter);
      case Role::priority:
        return integer(text, at, row.priority);
      case Role::block_tokens:
        return block_tokens(text, at);
      case Role::delay:
        return number(seconds, text, at, row.delay_s);
      case Role::session:
        row.session = text;
        return;
      case Role::model:
        row.model = text;
        return;
      case Role::region:
        row.region = text;
        return;
      case Role::traffic_class:
        row.traffic_class = text;
        return;
      case Role::error:
        row.failed = !text.empty() && text != "false";
        return;
      case Role::phase:
        row.failed = row.failed || text == "warmup";
        return;
      case Role::text:
        row.set(Role::prompt, at);
        return estimate(text, row.prompt);
      default:
        return;
    }
  }

  void integer(std::string_view text, const char* at, std::int64_t& out) {
    if (!parse_integer(text, out))
      fail(at, fmt::format("'{}', expected a whole number", text.substr(0, 40)));
  }
  void number(double seconds, std::string_view text, const char* at, double& out) {
    if (parse_number(text, out))
      out *= seconds;
    else
      fail(at, fmt::format("'{}', expected a number", text.substr(0, 40)));
  }

  void arrival(double seconds, std::string_view text, const char* at, Row& row) {
    if (text.size() >= 19 && text[4] == '-') {
      row.exact = true;
      if (!parse_time(text, row.time_ns))
        fail(at, fmt::format("'{}', expected a time like 2024-05-10T00:00:00.009930Z", text));
      return;
    }
    if (seconds == 1e-9) {  // since 1970 a double of ns is 256 ns coarse
      row.exact = true;
      return integer(text, at, row.time_ns);
    }
    number(seconds, text, at, row.time_s);
  }

  void estimate(std::string_view text, std::int64_t& tokens) {
    tokens = std::max<std::int64_t>(
        1, std::llround(static_cast<double>(text.size()) / characters_a_token));
    rows_.note(fmt::format("the file holds text, not counts: {} characters a token assumed",
                           characters_a_token));
  }

  void block_tokens(std::string_view text, const char* at) {
    std::int64_t tokens = 0;
    if (!parse_integer(text, tokens) || tokens < 1 || tokens > 1 << 20)
      fail(at, fmt::format("'{}', expected the tokens of a block, 1 to {}", text, 1 << 20));
    else
      rows_.stream().block_tokens = static_cast<int>(tokens);
  }

  /// A string; escapes stay as they are, for names and lengths do not need them decoded.
  bool string(std::string_view& out) {
    if (p_ >= end_ || *p_ != '"') return false;
    const char* begin = ++p_;
    while (p_ < end_ && *p_ != '"' && *p_ != '\n') p_ += *p_ == '\\' && p_ + 1 < end_ ? 2 : 1;
    if (p_ >= end_ || *p_ != '"') return false;
    out = {begin, static_cast<std::size_t>(p_ - begin)};
    ++p_;
    return true;
  }

  /// Steps over any value.
  bool skip_value() {
    int depth = 0;
    const char* begin = p_;
    do {
      if (p_ >= end_ || (*p_ == '\n' && !array_)) return broken("a value");
      std::string_view ignored;
      switch (*p_) {
        case '"':
          if (!string(ignored)) return broken("a closing quote");
          break;
        case '{':
        case '[':
          ++depth, ++p_;
          break;
        case '}':
        case ']':
          if (depth == 0) return p_ > begin || broken("a value");
          --depth, ++p_;
          break;
        case ',':
          if (depth == 0) return p_ > begin || broken("a value");
          ++p_;
          break;
        case ' ':
        case '\t':
          if (depth == 0 && p_ > begin) return true;
          ++p_;
          break;
        default:
          if (depth == 0) {
            while (p_ < end_ && std::strchr(",}] \t\r\n", *p_) == nullptr) ++p_;
            return p_ > begin || broken("a value");
          }
          ++p_;
      }
    } while (depth > 0);
    return true;
  }

  /// The member "value" of the object that is next.
  bool value_of(std::string_view& text) {
    const char* begin = p_;
    if (!skip_value()) return false;
    const std::string_view all(begin, static_cast<std::size_t>(p_ - begin));
    const auto key = all.find("\"value\"");
    if (key == std::string_view::npos) return fail(begin, "the object has no \"value\""), true;
    auto from = all.find_first_not_of(": \t", key + 7);
    const auto to = all.find_first_of(",} \t", from);
    text = from < to && to != std::string_view::npos ? all.substr(from, to - from) : "";
    return true;
  }

  bool hashes() {
    const char* begin = p_;
    if (p_ >= end_ || *p_ != '[') {
      if (!skip_value()) return false;
      return fail(begin, "expected a list of block hashes, e.g. [1, 2, 3]"), true;
    }
    ++p_;
    auto& all = rows_.stream().hashes;
    while (true) {
      space();
      if (p_ < end_ && *p_ == ']') return ++p_, true;
      if (!hash(all)) return broken("a block hash, a whole number or text in quotes");
      space();
      if (p_ < end_ && *p_ == ',')
        ++p_;
      else if (p_ >= end_ || *p_ != ']')
        return broken("',' or ']'");
    }
  }

  bool hash(std::vector<std::uint64_t>& all) {
    if (p_ < end_ && *p_ == '"') {  // FNV-1a of the text
      std::string_view text;
      if (!string(text)) return false;
      std::uint64_t h = 1469598103934665603ull;
      for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
      all.push_back(h);
      return true;
    }
    if (p_ < end_ && *p_ == '-') {
      std::int64_t h = 0;
      const auto r = std::from_chars(p_, end_, h);
      if (r.ec != std::errc{}) return false;
      all.push_back(static_cast<std::uint64_t>(h));
      p_ = r.ptr;
      return true;
    }
    std::uint64_t h = 0;
    const auto r = std::from_chars(p_, end_, h);
    if (r.ec != std::errc{}) return false;
    all.push_back(h);
    p_ = r.ptr;
    return true;
  }

  /// ShareGPT: [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}, ...].
  bool conversation(Row& row) {
    const char* begin = p_;
    if (!skip_value()) return false;
    const std::string_view all(begin, static_cast<std::size_t>(p_ - begin));
    std::int64_t* const turns[] = {&row.prompt, &row.output};
    const char* const resume = p_;
    std::size_t from = 0, told = 0;
    for (; told < 2 && (from = all.find("\"value\"", from)) != std::string_view::npos; ++told) {
      p_ = begin + from + 7;
      while (p_ < resume && (*p_ == ':' || *p_ == ' ')) ++p_;
      std::string_view text;
      if (!string(text)) break;
      estimate(text, *turns[told]);
      from = static_cast<std::size_t>(p_ - begin);
    }
    p_ = resume;
    if (told < 2) {  // a question without an answer is no request
      row.failed = true;
      return true;
    }
    row.set(Role::prompt, begin);
    row.set(Role::output, begin);
    return true;
  }

  const char* p_;
  const char* end_;
  const char* line_start_;
  int number_ = 1;
  bool array_ = false;
  Rows& rows_;
  std::vector<Known> keys_;
  Known spare_;
  std::size_t key_index_ = 0;
  const char* wrong_ = nullptr;
  std::string_view path_, wrong_path_;
  std::string message_, hint_;
};

}  // namespace

void read_json_lines(std::string_view text, Rows& rows) { JsonReader(text, rows).read(); }

}  // namespace headroom::requests
