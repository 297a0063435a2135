#include "requests/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "requests/distributions.hpp"
#include "requests/rows.hpp"

namespace headroom::requests {
namespace {

constexpr double hour_s = 3600, week_s = 7 * 24 * hour_s;
constexpr std::uint64_t prefix_key = 1ull << 40;  // apart from the numbers of sessions

/// Cumulative Zipf weights: rank r has weight r^-s.
std::vector<double> zipf(int n, double s) {
  std::vector<double> up_to;
  double sum = 0;
  for (int r = 1; r <= n; ++r) up_to.push_back(sum += std::pow(r, -s));
  return up_to;
}

std::uint32_t pick(const std::vector<double>& up_to, double u) {
  const auto at = std::upper_bound(up_to.begin(), up_to.end(), u * up_to.back());
  return static_cast<std::uint32_t>(std::min(at, up_to.end() - 1) - up_to.begin());
}

/// Time that runs fast where the rate is high: maps the time of a process of constant rate to
/// that of the stream.
class Clock {
 public:
  Clock(const Synthetic& s, const headroom::Stream& random)
      : s_(s), random_(random), bursts_(s.arrivals.process == Process::bursts) {
    const double share = s.arrivals.burst_share;
    low_ = bursts_ ? (1 - s.arrivals.burst * share) / (1 - share) : 1;
    on_ = bursts_ && random_.uniform(0, 0) < share;
    if (bursts_) switch_s_ = period();
  }

  /// The stream's time `amount` of process time later. Infinity where the rate stays 0.
  double advance(double amount) {
    for (int idle = 0; idle < 10000;) {
      const double factor = (s_.diurnal.any() ? s_.diurnal.at(now_) : 1) *
                            (bursts_ && on_ ? s_.arrivals.burst : low_);
      const double end = next_change();
      const double room = factor * (end - now_);
      if (factor > 0 && amount <= room) {
        now_ += amount / factor;
        return now_;
      }
      amount -= room;
      idle = factor > 0 ? 0 : idle + 1;
      now_ = end;
      if (bursts_ && now_ >= switch_s_) {
        on_ = !on_;
        switch_s_ = now_ + period();
      }
    }
    return std::numeric_limits<double>::infinity();
  }

 private:
  double next_change() const {
    double end = std::numeric_limits<double>::infinity();
    if (s_.diurnal.any()) {
      const double t = now_ + s_.diurnal.start_s;
      end = (std::floor(t / hour_s) + 1) * hour_s - s_.diurnal.start_s;
      if (end <= now_) end = now_ + hour_s;  // rounding at a full hour
    }
    return bursts_ ? std::min(end, switch_s_) : end;
  }
  double period() {
    const double share = s_.arrivals.burst_share;
    const double mean = on_ ? s_.arrivals.burst_s : s_.arrivals.burst_s * (1 - share) / share;
    return random_.exponential(mean, 1, ++periods_);
  }

  const Synthetic& s_;
  const headroom::Stream& random_;
  bool bursts_, on_ = false;
  double low_ = 1, now_ = 0, switch_s_ = 0;
  std::uint64_t periods_ = 0;
};

class Generator {
 public:
  explicit Generator(const Synthetic& s)
      : s_(s),
        gaps_(s.seed, "requests/gaps"),
        switching_(s.seed, "requests/bursts"),
        starts_(s.seed, "requests/starts"),
        bodies_(s.seed, "requests/bodies"),
        clock_(s, switching_) {}

  Stream run() {
    prepare();
    const bool closed = s_.arrivals.process == Process::closed;
    closed ? chains() : open();
    return std::move(stream_);
  }

 private:
  struct Picks {
    std::vector<double> prefixes, adapters;
    std::uint32_t first_group = 0;
  };

  void prepare() {
    stream_.name = "synthetic";
    stream_.block_tokens = s_.block_tokens;
    stream_.classes.clear();
    double sum = 0, starts = 0;
    for (const auto& c : s_.classes) sum += c.share;
    std::uint32_t groups = 0;
    for (const auto& c : s_.classes) {
      stream_.classes.push_back(c.name);
      class_model_.push_back(intern(stream_.models, c.model));
      Picks p;
      p.prefixes = zipf(c.prefixes, c.prefix_zipf);
      p.adapters = zipf(c.adapters, c.adapter_zipf);
      p.first_group = groups;
      groups += static_cast<std::uint32_t>(c.prefixes) + 1;
      picks_.push_back(std::move(p));
      start_up_to_.push_back(starts += c.share / sum / std::max(1.0, c.turns));
    }
    start_rate_ = s_.rate_per_s * starts;
    shape_ = s_.arrivals.process == Process::gamma     ? 1 / (s_.arrivals.cv * s_.arrivals.cv)
             : s_.arrivals.process == Process::weibull ? weibull_shape(s_.arrivals.cv)
                                                       : 1;
    const double expected = s_.requests > 0 ? static_cast<double>(s_.requests)
                                            : s_.rate_per_s * s_.duration_s * 1.02 + 64;
    stream_.requests.reserve(static_cast<std::size_t>(expected));
  }

  bool full() const { return s_.requests > 0 && stream_.requests.size() >= s_.requests; }

  double gap(std::uint64_t i) {
    const double mean = 1 / start_rate_;
    Draws draws(gaps_, i);
    switch (s_.arrivals.process) {
      case Process::gamma:
        return gamma(shape_, mean, draws);
      case Process::weibull:
        return weibull(shape_, mean, draws);
      case Process::constant:
        return i == 0 ? 0 : mean;
      case Process::at_once:
        return 0;
      default:
        return draws.exponential(mean);
    }
  }

  void open() {
    for (std::uint64_t i = 0; !full(); ++i) {
      const double t = clock_.advance(gap(i));
      if (s_.duration_s > 0 ? t >= s_.duration_s : !std::isfinite(t)) return;
      session(i, t, pick(start_up_to_, starts_.uniform(i, 0)));
    }
  }

  void chains() {
    const auto users = static_cast<std::uint64_t>(s_.arrivals.users);
    for (std::uint64_t i = 0; !full(); ++i) {
      Draws body(bodies_, i);
      const double think =
          s_.arrivals.think_s > 0 ? gaps_.exponential(s_.arrivals.think_s, i, 0) : 0;
      Request r = single(pick(start_up_to_, starts_.uniform(i, 0)), body);
      r.arrival_s = think;
      r.session = static_cast<std::uint32_t>(i % users);
      if (i >= users) r.after = static_cast<std::uint32_t>(i - users);
      stream_.requests.push_back(r);
    }
    // First requests by arrival: their users are alike.
    auto& all = stream_.requests;
    const auto first = std::min<std::size_t>(all.size(), users);
    std::vector<double> at;
    for (std::size_t i = 0; i < first; ++i) at.push_back(all[i].arrival_s);
    std::sort(at.begin(), at.end());
    for (std::size_t i = 0; i < first; ++i) all[i].arrival_s = at[i];
  }

  std::pair<std::int32_t, std::int32_t> lengths(const TrafficClass& c, Draws& draws) {
    const double a = draws.normal(), b = draws.normal();
    if (!c.pairs.empty()) {
      const auto n = static_cast<double>(c.pairs.size());
      return c.pairs[static_cast<std::size_t>(std::min(normal_cdf(a) * n, n - 1))];
    }
    const double rho = c.correlation;
    const double z = rho == 0 ? b : rho * a + std::sqrt(std::max(0.0, 1 - rho * rho)) * b;
    return {c.input.at(a), c.output.at(z)};
  }

  /// What a request has before its lengths: class, model, prefix, adapter.
  Request begin(std::uint32_t klass, Draws& draws) {
    const auto& c = s_.classes[klass];
    Request r;
    r.traffic_class = static_cast<std::uint16_t>(klass);
    r.model = class_model_[klass];
    r.priority = static_cast<std::int16_t>(c.priority);
    const double prefix = draws.uniform(), which = draws.uniform(), lora = draws.uniform(),
                 adapter = draws.uniform();
    if (c.prefixes > 0 && prefix < c.prefix_share) {
      r.shared = picks_[klass].first_group + 1 + pick(picks_[klass].prefixes, which);
      r.shared_tokens = c.prefix_tokens;
    }
    if (c.adapters > 0 && lora < c.adapter_share)
      r.adapter = static_cast<std::uint16_t>(1 + pick(picks_[klass].adapters, adapter));
    return r;
  }

  Request single(std::uint32_t klass, Draws& draws) {
    const auto& c = s_.classes[klass];
    Request r = begin(klass, draws);
    const auto [in, out] = lengths(c, draws);
    r.prompt = in + r.shared_tokens;
    r.output = out;
    if (c.reuse > 0 && r.shared == no_request) {
      r.shared = picks_[klass].first_group;
      r.shared_tokens = static_cast<std::int32_t>(c.reuse * in);
    }
    return r;
  }

  int turns_of(const TrafficClass& c, double u) const {
    if (c.turns_fixed) return std::max(1, static_cast<int>(std::lround(c.turns)));
    return 1 + static_cast<int>(std::log(u) / std::log1p(-1 / c.turns));  // geometric
  }

  void session(std::uint64_t i, double t, std::uint32_t klass) {
    const auto& c = s_.classes[klass];
    Draws draws(bodies_, i);
    if (c.turns <= 1) {
      Request r = single(klass, draws);
      r.arrival_s = t;
      stream_.requests.push_back(r);
      return;
    }
    Request r = begin(klass, draws);
    r.session = static_cast<std::uint32_t>(i);
    std::int64_t context = r.shared_tokens;
    const int turns = turns_of(c, draws.uniform());
    for (int k = 0; k < turns && !full(); ++k) {
      const auto [in, out] = lengths(c, draws);
      if (k > 0 && context + in + out > c.context) return;
      r.prompt = static_cast<std::int32_t>(context + in);
      r.output = out;
      r.arrival_s = k == 0 ? t : c.think_s > 0 ? draws.exponential(c.think_s) : 0;
      r.after = k == 0 ? no_request : static_cast<std::uint32_t>(stream_.requests.size() - 1);
      hash(r);
      stream_.requests.push_back(r);
      context += in + out;
    }
  }

  void hash(Request& r) {
    r.first_block = static_cast<std::uint32_t>(stream_.hashes.size());
    const auto whole = (std::int64_t(r.prompt) + r.output) / s_.block_tokens;
    r.blocks = static_cast<std::uint32_t>(whole);
    const auto common =
        r.shared == no_request ? 0u : static_cast<std::uint32_t>(r.shared_tokens / s_.block_tokens);
    for (std::uint32_t b = 0; b < r.blocks; ++b)
      stream_.hashes.push_back(session_block(b < common ? prefix_key + r.shared : r.session, b));
  }

  const Synthetic& s_;
  headroom::Stream gaps_, switching_, starts_, bodies_;
  Clock clock_;
  Stream stream_;
  std::vector<Picks> picks_;
  std::vector<std::uint16_t> class_model_;
  std::vector<double> start_up_to_;
  double start_rate_ = 0, shape_ = 1;
};

void check_classes(const Synthetic& s, Diagnostics& bad) {
  const auto refuse = [&](std::string path, std::string message) {
    Diagnostic d;
    d.path = std::move(path);
    d.message = std::move(message);
    bad.add(std::move(d));
  };
  double sum = 0;
  for (const auto& c : s.classes) {
    sum += c.share;
    if (!(c.share >= 0))
      refuse(c.name + ".share", fmt::format("{:g}, expected 0 or more", c.share));
    if (!(c.turns >= 1))
      refuse(c.name + ".turns", fmt::format("{:g}, expected 1 or more", c.turns));
    if (!(std::abs(c.correlation) <= 1))
      refuse(c.name + ".correlation", fmt::format("{:g}, expected -1 to 1", c.correlation));
    if (c.adapters < 0 || c.adapters > 65535)
      refuse(c.name + ".adapters", fmt::format("{}, expected 0 to 65535", c.adapters));
  }
  if (!(sum > 0)) refuse("classes", "their shares add up to nothing");
}

Diagnostics check(const Synthetic& s) {
  Diagnostics bad;
  const auto refuse = [&](std::string path, std::string message, std::string hint = {}) {
    Diagnostic d;
    d.path = std::move(path);
    d.message = std::move(message);
    d.hint = std::move(hint);
    bad.add(std::move(d));
  };
  const auto& a = s.arrivals;
  const bool paced = a.process != Process::closed && a.process != Process::at_once;
  if (paced && !(s.rate_per_s > 0))
    refuse("rate", "arrivals need a rate above 0", "say --rate 20/s");
  if (paced && s.duration_s <= 0 && s.requests == 0)
    refuse("duration", "the stream has no end", "say --duration 1h or --requests 10000");
  if (!paced && s.requests == 0)
    refuse("requests", "a closed loop, or all at once, needs the number of requests",
           "say --requests 1000");
  if (a.process == Process::closed && a.users < 1)
    refuse("arrivals", "a closed loop needs users", "say --arrivals closed:users=64");
  if ((a.process == Process::gamma || a.process == Process::weibull) && !(a.cv > 0 && a.cv <= 100))
    refuse("arrivals", fmt::format("cv {:g}, expected above 0 to 100", a.cv));
  if (a.process == Process::bursts &&
      !(a.burst_share > 0 && a.burst_share < 1 && a.burst >= 1 && a.burst * a.burst_share <= 1))
    refuse("arrivals",
           fmt::format(
               "bursts of {:g} times the mean for {:g} of the time hold more than all requests",
               a.burst, a.burst_share),
           fmt::format("factor at most {:g} with this share",
                       a.burst_share > 0 ? 1 / a.burst_share : 1));
  const double expected =
      s.requests > 0 ? static_cast<double>(s.requests) : s.rate_per_s * s.duration_s;
  if (expected > most_generated)
    refuse("duration",
           fmt::format("{:.3g} requests, expected at most {:.0e}", expected, most_generated));
  if (s.block_tokens < 1)
    refuse("block-tokens", fmt::format("{}, expected 1 or more", s.block_tokens));
  check_classes(s, bad);
  return bad;
}

}  // namespace

bool Diurnal::any() const {
  return std::any_of(hour.begin(), hour.end(), [](double f) { return f > 0; });
}

double Diurnal::at(double t) const {
  double day = 0;
  for (const double f : hour) day += f / 24;
  const double mean = day * (5 + 2 * weekend) / 7;
  double in_week = std::fmod(t + start_s, week_s);
  if (in_week < 0) in_week += week_s;
  const auto h = static_cast<int>(in_week / hour_s + 1e-9) % 168;
  return hour[static_cast<std::size_t>(h % 24)] * (h >= 120 ? weekend : 1) / mean;
}

Diurnal Diurnal::cosine(double swing, double peak_hour) {
  Diurnal d;
  for (std::size_t h = 0; h < 24; ++h)
    d.hour[h] = 1 + swing * std::cos(2 * 3.14159265358979323846 *
                                     (static_cast<double>(h) + 0.5 - peak_hour) / 24);
  return d;
}

Result<Stream> generate(const Synthetic& synthetic) {
  auto bad = check(synthetic);
  if (!bad.empty()) return failure(std::move(bad));
  Stream stream = Generator(synthetic).run();
  if (!stream.requests.empty()) return stream;
  Diagnostic d;
  d.path = "duration";
  d.message = "no request arrives in this time";
  d.hint = "lengthen it, or raise the rate";
  return failure(std::move(d));
}

void scale_rate(Stream& stream, double factor) {
  for (auto& r : stream.requests)
    if (r.after == no_request) r.arrival_s /= factor;
}

Stream cut(const Stream& stream, double from_s, double span_s, std::size_t most) {
  Stream out;
  out.name = stream.name;
  out.block_tokens = stream.block_tokens;
  out.classes = stream.classes;
  out.models = stream.models;
  std::vector<std::uint32_t> place(stream.requests.size(), no_request);
  for (std::uint32_t i = 0; i < stream.requests.size(); ++i) {
    if (most > 0 && out.requests.size() >= most) break;
    Request r = stream.requests[i];
    if (r.after == no_request) {
      if (r.arrival_s < from_s || (span_s > 0 && r.arrival_s >= from_s + span_s)) continue;
      r.arrival_s -= from_s;
    } else {
      if (place[r.after] == no_request) continue;
      r.after = place[r.after];
    }
    const auto blocks = stream.blocks_of(stream.requests[i]);
    r.first_block = r.blocks > 0 ? static_cast<std::uint32_t>(out.hashes.size()) : 0;
    out.hashes.insert(out.hashes.end(), blocks.begin(), blocks.end());
    place[i] = static_cast<std::uint32_t>(out.requests.size());
    out.requests.push_back(r);
  }
  return out;
}

}  // namespace headroom::requests
