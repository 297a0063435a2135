#include "requests/stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace headroom::requests {
namespace {

struct Moments {
  double mean = 0, variation = 0;
};

Moments moments(const std::vector<double>& x) {
  Moments m;
  if (x.empty()) return m;
  const auto n = static_cast<double>(x.size());
  for (const double v : x) m.mean += v / n;
  double square = 0;
  for (const double v : x) square += (v - m.mean) * (v - m.mean) / n;
  if (m.mean > 0) m.variation = std::sqrt(square) / m.mean;
  return m;
}

LengthStats lengths(std::vector<double> x) {
  const auto m = moments(x);
  std::sort(x.begin(), x.end());
  return {
      m.mean,     quantile(x, 0.5), quantile(x, 0.9), quantile(x, 0.99), x.empty() ? 0 : x.back(),
      m.variation};
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const auto mx = moments(x), my = moments(y);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - mx.mean) * (y[i] - my.mean);
  const double scale =
      static_cast<double>(x.size()) * mx.mean * mx.variation * my.mean * my.variation;
  return scale > 0 ? sum / scale : 0;
}

double busiest_minute(const std::vector<double>& t) {
  std::size_t most = 0, n = 0;
  double minute = -1;
  for (const double x : t) {
    const double m = std::floor((x - t.front()) / 60);
    n = m == minute ? n + 1 : 1;
    minute = m;
    most = std::max(most, n);
  }
  return static_cast<double>(most) / 60;
}

double busiest_window(const std::vector<double>& t, double window_s) {
  std::size_t most = 0;
  for (std::size_t low = 0, high = 0; high < t.size(); ++high) {
    while (t[high] - t[low] > window_s) ++low;
    most = std::max(most, high - low + 1);
  }
  return static_cast<double>(most) / window_s;
}

void arrivals(const Stream& stream, Stats& s) {
  std::vector<double> t;
  for (const auto& r : stream.requests)
    if (r.after == no_request) t.push_back(r.arrival_s);
  s.following = stream.requests.size() - t.size();
  if (t.size() < 2) return;
  std::sort(t.begin(), t.end());
  s.span_s = t.back() - t.front();
  if (s.span_s <= 0) return;
  s.rate_per_s = static_cast<double>(t.size() - 1) / s.span_s;
  s.peak_minute = s.span_s < 60 ? s.rate_per_s : busiest_minute(t);
  s.peak_quarter = s.span_s < 900 ? s.rate_per_s : busiest_window(t, 900);
  std::vector<double> gaps(t.size() - 1);
  for (std::size_t i = 0; i < gaps.size(); ++i) gaps[i] = t[i + 1] - t[i];
  s.burstiness = moments(gaps).variation;
}

void reuse(const Stream& stream, Stats& s) {
  std::unordered_set<std::uint64_t> seen;
  std::unordered_map<std::uint32_t, std::int32_t> groups;
  seen.reserve(stream.hashes.size());
  double blocks = 0, found_blocks = 0, found_tokens = 0;
  for (const auto& r : stream.requests) {
    const auto own = stream.blocks_of(r);
    std::size_t hit = 0;
    // Blocks beyond the prompt are the answer's: later turns find them, this one does not.
    const auto readable = std::min(
        own.size(),
        static_cast<std::size_t>((r.prompt + stream.block_tokens - 1) / stream.block_tokens));
    while (hit < readable && seen.contains(own[hit])) ++hit;
    seen.insert(own.begin() + static_cast<std::ptrdiff_t>(hit), own.end());
    blocks += static_cast<double>(readable);
    found_blocks += static_cast<double>(hit);
    double tokens = std::min<double>(r.prompt, static_cast<double>(hit) * stream.block_tokens);
    if (r.shared != no_request) {
      auto& group = groups[r.shared];
      tokens = std::max<double>(tokens, std::min(group, r.shared_tokens));
      group = std::max(group, r.shared_tokens);
    }
    found_tokens += tokens;
  }
  s.distinct_blocks = seen.size();
  s.reused_blocks = blocks > 0 ? found_blocks / blocks : 0;
  s.reused_tokens = s.input_tokens > 0 ? found_tokens / s.input_tokens : 0;
}

}  // namespace

double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const double at = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const auto high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

Stats stats(const Stream& stream) {
  Stats s;
  s.requests = stream.requests.size();
  std::vector<double> in, out;
  std::unordered_set<std::uint32_t> sessions;
  for (const auto& r : stream.requests) {
    in.push_back(r.prompt);
    out.push_back(r.output);
    s.input_tokens += r.prompt;
    s.output_tokens += r.output;
    if (r.session != no_request) sessions.insert(r.session);
  }
  s.sessions = sessions.size();
  s.correlation = correlation(in, out);
  s.input = lengths(std::move(in));
  s.output = lengths(std::move(out));
  arrivals(stream, s);
  reuse(stream, s);
  return s;
}

std::string render(const Stats& s) {
  const auto line = [](const char* name, const LengthStats& l) {
    return fmt::format("{:<9} mean {:.1f}  p50 {:.0f}  p90 {:.0f}  p99 {:.0f}  most {:.0f} token\n",
                       name, l.mean, l.p50, l.p90, l.p99, l.worst);
  };
  std::string out = fmt::format("requests  {}", s.requests);
  if (s.following > 0) out += fmt::format(", {} of them wait for another's answer", s.following);
  if (s.sessions > 0) out += fmt::format(", {} sessions", s.sessions);
  out += "\n" + line("input", s.input) + line("output", s.output);
  if (s.span_s > 0)
    out += fmt::format(
        "arrivals  {:.4g}/s over {:.1f} s, busiest 15 min {:.4g}/s, CV of gaps {:.3f}\n",
        s.rate_per_s, s.span_s, s.peak_quarter, s.burstiness);
  if (s.reused_tokens > 0)
    out += fmt::format("prefixes  {:.1f} % of prompt tokens stood in an earlier prompt\n",
                       100 * s.reused_tokens);
  return out;
}

std::string catalog_entry(const Stats& s, const std::string& id) {
  const auto lengths = [](const LengthStats& l) {
    return fmt::format(
        "{{mean: {:.6g} token, p50: {:.6g} token, p90: {:.6g} token, p99: {:.6g} token, "
        "variation: {:.3f}}}",
        l.mean, l.p50, l.p90, l.p99, l.variation);
  };
  std::string out = fmt::format("  - id: {}\n    input: {}\n    output: {}\n    requests: {}\n", id,
                                lengths(s.input), lengths(s.output), s.requests);
  if (s.span_s > 0)
    out += fmt::format(
        "    span: {:.1f} s\n    rate: {:.4g} 1/s\n    peak_rate: {:.4g} 1/s\n    burstiness: "
        "{:.3f}\n",
        s.span_s, s.rate_per_s, s.peak_minute, s.burstiness);
  const double reused = s.distinct_blocks > 0 ? s.reused_blocks : s.reused_tokens;
  if (reused > 0) out += fmt::format("    prefix_reuse: {:.1f} %\n", 100 * reused);
  if (s.correlation != 0) out += fmt::format("    correlation: {:.3f}\n", s.correlation);
  return out;
}

}  // namespace headroom::requests
