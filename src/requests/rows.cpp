#include "requests/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.hpp"

namespace headroom::requests {
namespace {

constexpr double ms = 1e-3, ns = 1e-9;
constexpr double most_span_s = 1e10;

// Names as the tools write them. Sources: the files under data/infer/traces (README there);
// AIPerf docs "Working with Profile Export Files" and "Trace Replay with Mooncake Traces";
// GuideLLM src/guidellm/schemas/base/request_stats.py; vLLM vllm/benchmarks/serve.py.
constexpr Field fields[] = {
    {"arrival_s", Role::arrival, 1, "headroom"},
    {"prompt", Role::prompt, 0, "headroom"},
    {"output", Role::output, 0, "headroom"},
    {"after", Role::after, 0, "headroom"},
    {"session", Role::session, 0, "headroom"},
    {"class", Role::traffic_class, 0, "headroom"},
    {"region", Role::region, 0, ""},
    {"model", Role::model, 0, ""},
    {"adapter", Role::adapter, 0, "headroom"},
    {"priority", Role::priority, 0, ""},
    {"shared", Role::shared, 0, "headroom"},
    {"shared_tokens", Role::shared_tokens, 0, "headroom"},
    {"hashes", Role::hashes, 0, "headroom"},
    {"block_tokens", Role::block_tokens, 0, ""},

    {"TIMESTAMP", Role::arrival, 1, "azure"},
    {"ContextTokens", Role::prompt, 0, "azure"},
    {"GeneratedTokens", Role::output, 0, "azure"},

    {"Timestamp", Role::arrival, 1, "burstgpt"},
    {"Request tokens", Role::prompt, 0, "burstgpt"},
    {"Response tokens", Role::output, 0, "burstgpt"},
    {"Session ID", Role::session, 0, "burstgpt"},
    {"Model", Role::model, 0, "burstgpt"},
    {"Log Type", Role::traffic_class, 0, "burstgpt"},

    {"arrived_at", Role::arrival, 1, "vidur"},
    {"num_prefill_tokens", Role::prompt, 0, "vidur"},
    {"num_decode_tokens", Role::output, 0, "vidur"},

    {"timestamp", Role::arrival, ms, "mooncake"},
    {"input_length", Role::prompt, 0, "mooncake"},
    {"output_length", Role::output, 0, "mooncake"},
    {"hash_ids", Role::hashes, 0, "mooncake"},
    {"session_id", Role::session, 0, "mooncake"},
    {"delay", Role::delay, ms, "mooncake"},
    {"text_input", Role::text, 0, "mooncake"},

    {"arrival_time_ns", Role::arrival, ns, "lengths"},
    {"arrival_time", Role::arrival, 1, "lengths"},
    {"input_toks", Role::prompt, 0, "lengths"},
    {"output_toks", Role::output, 0, "lengths"},
    {"prompt_len", Role::prompt, 0, "lengths"},
    {"input_len", Role::prompt, 0, "lengths"},
    {"output_len", Role::output, 0, "lengths"},
    {"expected_output_len", Role::output, 0, "lengths"},
    {"prompt_tokens", Role::prompt, 0, "lengths"},
    {"completion_tokens", Role::output, 0, "lengths"},
    {"input_tokens", Role::prompt, 0, "lengths"},
    {"output_tokens", Role::output, 0, "lengths"},
    {"prompt_tokens_count", Role::prompt, 0, "lengths"},
    {"output_tokens_count", Role::output, 0, "lengths"},
    {"conversations", Role::conversation, 0, "lengths"},

    {"metadata.request_start_ns", Role::arrival, ns, "aiperf"},
    {"metrics.input_sequence_length", Role::prompt, 0, "aiperf"},
    {"metrics.output_sequence_length", Role::output, 0, "aiperf"},
    {"metadata.benchmark_phase", Role::phase, 0, "aiperf"},
    {"metadata.was_cancelled", Role::error, 0, "aiperf"},
    {"error", Role::error, 0, ""},
};

}  // namespace

const Field* find_field(std::string_view name) {
  for (const auto& f : fields)
    if (f.name == name) return &f;
  return nullptr;
}

std::vector<std::string> names_of(Role role) {
  std::vector<std::string> out;
  for (const auto& f : fields)
    if (f.role == role) out.emplace_back(f.name);
  return out;
}

std::uint16_t intern(std::vector<std::string>& names, std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<std::uint16_t>(i);
  if (names.size() == 1 && names[0] == "default") {
    names[0] = std::string(name);
    return 0;
  }
  if (names.size() < 0xffff) names.emplace_back(name);
  return static_cast<std::uint16_t>(names.size() - 1);
}

std::uint64_t session_block(std::uint64_t session, std::uint64_t index) {
  // SplitMix64's finaliser over both numbers (Steele, Lea, Flood, OOPSLA 2014).
  std::uint64_t x = (session + 1) * 0x9E3779B97F4A7C15ull + (index + 1) * 0xD1B54A32D192ED03ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

bool parse_number(std::string_view text, double& value) {
  const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
  return r.ec == std::errc{} && r.ptr == text.data() + text.size() && std::isfinite(value);
}

bool parse_integer(std::string_view text, std::int64_t& value) {
  const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (r.ec == std::errc{} && r.ptr == text.data() + text.size()) return true;
  double number = 0;
  if (!parse_number(text, number) || number != std::floor(number) || std::abs(number) > 9e15)
    return false;
  value = static_cast<std::int64_t>(number);
  return true;
}

namespace {

/// Days from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
  y -= m <= 2 ? 1 : 0;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

bool digits(std::string_view text, std::size_t at, std::size_t n, unsigned& value) {
  if (at + n > text.size()) return false;
  value = 0;
  for (std::size_t i = at; i < at + n; ++i) {
    const auto d = static_cast<unsigned>(text[i] - '0');
    if (d > 9) return false;
    value = value * 10 + d;
  }
  return true;
}

/// "Z", "+00:00", "+0100" or nothing: seconds east of UTC.
bool parse_zone(std::string_view text, std::int64_t& east_s) {
  east_s = 0;
  if (text.empty() || text == "Z" || text == " UTC") return true;
  unsigned h = 0, m = 0;
  if ((text[0] != '+' && text[0] != '-') || !digits(text, 1, 2, h)) return false;
  const std::size_t colon = text.size() > 3 && text[3] == ':' ? 1 : 0;
  if (text.size() > 3 && (!digits(text, 3 + colon, 2, m) || text.size() != 5 + colon)) return false;
  east_s = (text[0] == '-' ? -1 : 1) * static_cast<std::int64_t>(h * 3600 + m * 60);
  return true;
}

}  // namespace

bool parse_time(std::string_view text, std::int64_t& value) {
  unsigned y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' ||
      (text[10] != ' ' && text[10] != 'T'))
    return false;
  if (!digits(text, 0, 4, y) || !digits(text, 5, 2, mo) || !digits(text, 8, 2, d) ||
      !digits(text, 11, 2, h) || !digits(text, 14, 2, mi) || !digits(text, 17, 2, s))
    return false;
  if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || s > 60 || y < 1678 || y > 2261)
    return false;
  std::int64_t fraction = 0, unit = 1'000'000'000;
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.')
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
      if (unit > 1) fraction += (unit /= 10) * (text[at] - '0');
  std::int64_t east_s = 0;
  if (!parse_zone(text.substr(at), east_s)) return false;
  const std::int64_t seconds = days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + s - east_s;
  value = seconds * 1'000'000'000 + fraction;
  return true;
}

Rows::Rows(std::string file, std::string format, const ReadOptions& options)
    : options_(options), format_(std::move(format)), sort_(options.sort) {
  stream_.name = std::move(file);
  report_.format = format_;
}

void Rows::bad(const Line& line, const char* where, std::string_view path, std::string message,
               std::string hint) {
  ++report_.rows;
  Diagnostic d;
  auto& list = options_.skip_bad ? report_.bad : errors_;
  if (list.count() < Diagnostics::limit) {
    d.file = stream_.name;
    d.line = line.number;
    d.column =
        where == nullptr || where < line.begin ? 1 : static_cast<int>(where - line.begin) + 1;
    d.path = std::string(path);
    d.message = std::move(message);
    d.hint = std::move(hint);
    d.excerpt.assign(line.begin, std::min(line.end, line.begin + 4096));
  }
  list.add(std::move(d));
  if (options_.skip_bad) ++report_.skipped;
}

void Rows::broken(int line, std::string message, std::string hint) {
  Diagnostic d;
  d.file = stream_.name;
  d.line = line;
  d.column = line > 0 ? 1 : 0;
  d.message = std::move(message);
  d.hint = std::move(hint);
  errors_.add(std::move(d));
  broken_ = true;
}

void Rows::note(std::string text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end())
    notes_.push_back(std::move(text));
}

bool Rows::check_lengths(const Row& row, const Line& line) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const auto check = [&](Role role, const char* what, std::int64_t tokens) {
    if (!row.has(role)) {
      bad(line, line.end, what, fmt::format("the row has no {} length", what),
          fmt::format("known names: {}", fmt::join(names_of(role), ", ")));
      return false;
    }
    if (tokens >= 1 && tokens <= most) return true;
    bad(line, row.where(role), what,
        fmt::format("{} token{}, expected {}", tokens, tokens == 1 ? "" : "s",
                    tokens < 1 ? "at least 1" : fmt::format("at most {}", most)),
        tokens < 1 ? "--skip-bad leaves such rows out and counts them" : "");
    return false;
  };
  return check(Role::prompt, "prompt", row.prompt) && check(Role::output, "output", row.output);
}

bool Rows::check_time(const Row& row, const Line& line, double& time_s) {
  const bool ours = format_ == "headroom";
  if (!timed_) {
    timed_ = true;
    if (!ours && row.exact) base_ns_ = row.time_ns;
    if (!ours && !row.exact) base_s_ = row.time_s;
    last_s_ = -std::numeric_limits<double>::infinity();
  }
  std::int64_t since_ns = 0;
  const bool near = !row.exact || !__builtin_sub_overflow(row.time_ns, base_ns_, &since_ns);
  time_s = row.exact ? static_cast<double>(since_ns) * 1e-9 : row.time_s - base_s_;
  if (!near || !(std::abs(time_s) <= most_span_s)) {
    bad(line, row.where(Role::arrival), "arrival",
        "lies more than 300 years from the first row's: are its units the format's?");
    return false;
  }
  if (ours && time_s < 0) {
    bad(line, row.where(Role::arrival), "arrival",
        fmt::format("{} s, expected 0 or later", time_s));
    return false;
  }
  if (time_s >= last_s_ || sort_) {
    last_s_ = std::max(last_s_, time_s);
    return true;
  }
  bad(line, row.where(Role::arrival), "arrival",
      fmt::format("lies {:.6g} s before the row above; rows stand in order of arrival",
                  last_s_ - time_s),
      "--sort puts them in order");
  return false;
}

bool Rows::check_links(const Row& row, const Line& line) {
  const auto known = static_cast<std::int64_t>(stream_.requests.size());
  if (row.has(Role::after) && (row.after < 0 || row.after >= known)) {
    bad(line, row.where(Role::after), "after",
        fmt::format("row {} is not above this one, expected 0 to {}", row.after, known - 1));
    return false;
  }
  const double pause = row.has(Role::after) ? row.time_s : row.delay_s;
  if (!(pause >= 0 && pause <= most_span_s) && (row.has(Role::after) || row.has(Role::delay))) {
    bad(line, row.where(row.has(Role::after) ? Role::arrival : Role::delay), "delay",
        fmt::format("{} s after the answer before, expected 0 or later", pause));
    return false;
  }
  if (row.adapter < 0 || row.adapter > 0xffff) {
    bad(line, row.where(Role::adapter), "adapter",
        fmt::format("{}, expected 0 (none) to 65535", row.adapter));
    return false;
  }
  if (row.shared_tokens < 0 || row.shared_tokens > row.prompt) {
    bad(line, row.where(Role::shared_tokens), "shared_tokens",
        fmt::format("{}, expected 0 to the {} tokens of the prompt", row.shared_tokens,
                    row.prompt));
    return false;
  }
  return true;
}

void Rows::continue_session(const Row& row, Request& request) {
  if (!row.has(Role::session) || row.session.empty()) return;
  if (format_ == "headroom") {
    std::int64_t number = 0;
    if (parse_integer(row.session, number) && number >= 0)
      request.session = static_cast<std::uint32_t>(number);
    return;
  }
  auto& turn = sessions_[std::string(row.session)];
  if (turn.last == no_request) turn.number = static_cast<std::uint32_t>(sessions_.size() - 1);
  request.session = turn.number;
  // AIPerf's sessions: a turn adds to what was said before, and waits for the last answer.
  if (format_ == "mooncake" && request.blocks == 0) {
    request.prompt = static_cast<std::int32_t>(std::min<std::int64_t>(
        row.prompt + turn.context, std::numeric_limits<std::int32_t>::max()));
    turn.context = request.prompt + row.output;
    request.first_block = static_cast<std::uint32_t>(stream_.hashes.size());
    request.blocks = static_cast<std::uint32_t>(request.prompt / stream_.block_tokens);
    for (std::uint32_t i = 0; i < request.blocks; ++i)
      stream_.hashes.push_back(session_block(turn.number, i));
  }
  if (turn.last != no_request && (row.has(Role::delay) || !row.has(Role::arrival))) {
    request.after = turn.last;
    request.arrival_s = row.delay_s;
  }
  turn.last = static_cast<std::uint32_t>(stream_.requests.size());
}

void Rows::add(const Row& row, const Line& line) {
  const bool failed = row.failed || (format_ == "burstgpt" && row.output == 0 && row.prompt > 0);
  const auto undo = [&] { stream_.hashes.resize(std::min(stream_.hashes.size(), row.first_hash)); };
  if (failed) {
    undo();
    return count_failed();
  }
  double time_s = 0;
  const bool follows = row.has(Role::after);
  if (!check_lengths(row, line) || !check_links(row, line) ||
      (row.has(Role::arrival) && !follows && !check_time(row, line, time_s)))
    return undo();
  ++report_.rows;
  if (follows) time_s = row.time_s;
  if (!row.has(Role::arrival) && !row.has(Role::session)) untimed_ = true;
  Request r;
  r.arrival_s = time_s;
  r.prompt = static_cast<std::int32_t>(row.prompt);
  r.output = static_cast<std::int32_t>(row.output);
  r.first_block = static_cast<std::uint32_t>(row.first_hash);
  r.blocks = static_cast<std::uint32_t>(stream_.hashes.size() - row.first_hash);
  if (r.blocks == 0) r.first_block = 0;
  if (follows) r.after = static_cast<std::uint32_t>(row.after);
  if (row.shared >= 0 && row.shared_tokens > 0) {
    r.shared = static_cast<std::uint32_t>(row.shared);
    r.shared_tokens = static_cast<std::int32_t>(row.shared_tokens);
  }
  r.adapter = static_cast<std::uint16_t>(row.adapter);
  r.priority = static_cast<std::int16_t>(std::clamp<std::int64_t>(row.priority, -32768, 32767));
  if (!row.model.empty()) r.model = intern(stream_.models, row.model);
  if (!row.region.empty()) {
    const std::string_view of = row.traffic_class.empty() ? "default" : row.traffic_class;
    r.traffic_class = intern(stream_.classes, fmt::format("{}@{}", of, row.region));
  } else if (!row.traffic_class.empty()) {
    r.traffic_class = intern(stream_.classes, row.traffic_class);
  }
  continue_session(row, r);
  stream_.requests.push_back(r);
}

void Rows::sort() {
  auto& all = stream_.requests;
  const auto earlier = [](const Request& a, const Request& b) { return a.arrival_s < b.arrival_s; };
  const bool linked =
      std::any_of(all.begin(), all.end(), [](const Request& r) { return r.after != no_request; });
  if (!linked) {
    std::stable_sort(all.begin(), all.end(), earlier);
    if (format_ == "headroom" || all.empty()) return;
    const double first = all.front().arrival_s;
    for (auto& r : all) r.arrival_s -= first;
    return;
  }
  // A request that follows another stands where its predecessor does.
  std::vector<double> start(all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    start[i] = all[i].after == no_request ? all[i].arrival_s : start[all[i].after];
  std::vector<std::uint32_t> order(all.size()), place(all.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return start[a] < start[b]; });
  for (std::uint32_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  std::vector<Request> sorted;
  sorted.reserve(all.size());
  for (const auto i : order) {
    sorted.push_back(all[i]);
    if (all[i].after != no_request) sorted.back().after = place[all[i].after];
  }
  all = std::move(sorted);
}

void Rows::draw_arrivals() {
  if (options_.rate_per_s <= 0) {
    note("the file tells no arrivals: all requests arrive at once (--rate draws Poisson arrivals)");
    return;
  }
  note(fmt::format("the file tells no arrivals: Poisson at {:.6g}/s, seed {}", options_.rate_per_s,
                   options_.seed));
  const headroom::Stream random(options_.seed, "requests/arrivals");
  double t = 0;
  for (std::size_t i = 0; i < stream_.requests.size(); ++i) {
    stream_.requests[i].arrival_s = t;
    t += random.exponential(1 / options_.rate_per_s, i, 0);
  }
}

Result<Stream> Rows::finish(ReadReport* report) {
  if (!broken_ && stream_.requests.empty() && errors_.empty())
    broken(0, report_.rows == 0 ? "holds no requests"
                                : fmt::format("none of {} rows is a request", report_.rows));
  if (untimed_ && !timed_) draw_arrivals();
  if (sort_) sort();
  report_.notes = std::move(notes_);
  if (report != nullptr) *report = report_;
  if (!errors_.empty()) return failure(std::move(errors_));
  return std::move(stream_);
}

}  // namespace headroom::requests
