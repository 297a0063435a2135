#include "requests/traffic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "catalog/request_trace.hpp"
#include "requests/rows.hpp"
#include "requests/text_spec.hpp"

namespace headroom::requests {
namespace {

constexpr TrafficOption options_table[] = {
    {"--format", "Trace",
     "azure, burstgpt, vidur, mooncake, lengths, aiperf, guidellm, vllm, "
     "servegen or headroom; left out: by its column names"},
    {"--skip-bad", "Trace", "Leave bad rows out and count them", false},
    {"--sort", "Trace", "Accept rows that are not in order of arrival", false},
    {"--from", "Trace", "Start this far into the trace, e.g. 10min"},
    {"--span", "Trace", "And take so much of it, e.g. 1h"},
    {"--rate-scale", "Trace", "Arrivals so many times as dense, e.g. 1.5"},
    {"--workload", "Trace", "ServeGen: folder within the archive, e.g. m-large"},
    {"--lengths-from", "Trace", "ServeGen: archive with the data sets"},
    {"--requests", "Trace", "At most so many requests"},
    {"--arrivals", "Synthetic load",
     "poisson (default), gamma:cv=2, weibull:cv=2, constant, "
     "bursts:factor=4,share=10%,length=30s, "
     "closed:users=64,think=2s, at-once"},
    {"--rate", "Synthetic load", "Mean arrivals of requests, e.g. 20/s"},
    {"--duration", "Synthetic load", "Arrivals end after, e.g. 1h"},
    {"--input", "Synthetic load",
     "Prompt tokens: 512, uniform:64..512, "
     "lognormal:mean=1155,p99=4142, exponential:mean=300, "
     "quantiles:p50=,p90=,p99="},
    {"--output", "Synthetic load", "Answer tokens, in the same words"},
    {"--lengths", "Synthetic load", "Pairs of lengths drawn from a trace"},
    {"--like", "Synthetic load", "A request-trace of the catalogue, e.g. azure-conv-2023"},
    {"--sessions", "Synthetic load", "turns=5,think=30s,context=32768 [,fixed]"},
    {"--prefixes", "Synthetic load", "System prompts: 10:tokens=800,zipf=1,share=90%"},
    {"--adapters", "Synthetic load", "LoRA adapters: 100:zipf=1,share=50%"},
    {"--diurnal", "Synthetic load", "swing=60%,peak=15h,weekend=70%,start=9h"},
    {"--class", "Synthetic load",
     "A class of requests, may be repeated: \"name=chat share=70% like=sharegpt priority=1\"", true,
     true},
    {"--block-tokens", "Synthetic load", "Tokens of a block by which sessions are recognised; 128"},
    {"--seed", "Synthetic load", "Another seed, another stream; 1"},
};

std::vector<std::string> keys(std::initializer_list<const char*> names) {
  return {names.begin(), names.end()};
}

/// "64..512" after the name.
bool range(std::string_view text, double& low, double& high) {
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) return false;
  return parse_number(text.substr(0, dots), low) && parse_number(text.substr(dots + 2), high);
}

Lengths lognormal(TextSpec& spec) {
  if (!spec.has("mean")) {
    spec.wrong("mean", "a lognormal needs its mean and p99 or cv", "lognormal:mean=1155,p99=4142");
  }
  const double mean = spec.count("mean", 1, 1e-9);
  const bool by_p99 = spec.has("p99");
  const double p99 = spec.count("p99", mean), cv = spec.number("cv", 1, 0, 100);
  if (!by_p99) return Lengths::lognormal_by_cv(mean, cv);
  if (p99 < mean) {
    spec.wrong("p99", fmt::format("{:g} lies below the mean {:g}", p99, mean));
  } else if (p99 > 14.96 * mean) {
    spec.wrong("p99",
               fmt::format("{:g} is {:.1f} times the mean; a lognormal reaches 14.9 times", p99,
                           p99 / mean),
               "quantiles:p50=,p90=,p99=,mean= takes any");
  }
  return Lengths::lognormal_by_p99(mean, std::clamp(p99, mean, 14.96 * mean));
}

Lengths uniform(TextSpec& spec, const std::string& text) {
  double low = 1, high = 1;
  const auto colon = text.find(':');
  if (spec.has("mean")) {
    const double mean = spec.count("mean", 1), ratio = spec.number("ratio", 0, 0, 1);
    return Lengths::uniform(std::max(1.0, std::floor(mean * (1 - ratio))),
                            std::ceil(mean * (1 + ratio)));
  }
  if (colon == std::string::npos || !range(std::string_view(text).substr(colon + 1), low, high)) {
    spec.wrong("", "expected LOW..HIGH, or mean= and ratio=", "uniform:64..512");
  } else {
    spec.flag(text.substr(colon + 1));
    if (low > high || low < 1)
      spec.wrong("", fmt::format("{:g} to {:g} is no range from 1 up", low, high),
                 low > high && high >= 1 ? fmt::format("uniform:{:g}..{:g}?", high, low) : "");
  }
  return Lengths::uniform(low, std::max(low, high));
}

Lengths quantiles(TextSpec& spec) {
  for (const char* key : {"p50", "p99"})
    if (!spec.has(key)) spec.wrong(key, "is missing", "quantiles:p50=208,p90=2092,p99=23423");
  const double p50 = spec.count("p50", 1), p99 = spec.count("p99", p50);
  const double p90 = spec.count("p90", p50 * std::pow(p99 / p50, 1.28155 / 2.32635));
  const double mean = spec.count("mean", 0, 0);
  if (!(p50 <= p90 && p90 <= p99)) spec.wrong("p90", "expected p50 <= p90 <= p99");
  return Lengths::quantiles(p50, std::max(p50, p90), std::max({p50, p90, p99}), mean);
}

Lengths lengths_of(const std::string& text, const std::string& option, Diagnostics& bad) {
  TextSpec spec(option, text, bad);
  const auto& name = spec.name();
  double tokens = 0;
  Lengths l;
  if (parse_number(name, tokens) || name == "fixed") {
    if (name == "fixed") {
      const auto colon = text.find(':');
      const auto value = colon == std::string::npos ? "" : text.substr(colon + 1);
      if (!parse_number(value, tokens)) tokens = 0;
      spec.flag(value);
    }
    if (tokens < 1 || tokens > 1e9 || tokens != std::floor(tokens))
      spec.wrong("", fmt::format("'{}', expected a whole number of tokens from 1 up", text));
    l = Lengths::fixed(std::max(1.0, tokens));
  } else if (name == "uniform") {
    l = uniform(spec, text);
  } else if (name == "lognormal") {
    l = lognormal(spec);
  } else if (name == "exponential") {
    if (!spec.has("mean")) spec.wrong("mean", "is missing", "exponential:mean=300");
    l = Lengths::exponential(spec.count("mean", 1));
  } else if (name == "quantiles") {
    l = quantiles(spec);
  } else {
    spec.unknown_name(keys({"fixed", "uniform", "lognormal", "exponential", "quantiles"}));
    return l;
  }
  const double least = spec.count("least", 1), most = spec.count("most", 1 << 30);
  if (least > most) spec.wrong("least", fmt::format("{:g} is more than most={:g}", least, most));
  l.hold(static_cast<std::int32_t>(least), static_cast<std::int32_t>(std::max(least, most)));
  spec.finish();
  return l;
}

Arrivals arrivals_of(const std::string& text, Diagnostics& bad) {
  TextSpec spec("--arrivals", text, bad);
  Arrivals a;
  const auto& name = spec.name();
  if (name == "poisson") {
    a.process = Process::poisson;
  } else if (name == "gamma" || name == "weibull") {
    a.process = name == "gamma" ? Process::gamma : Process::weibull;
    a.cv = spec.number("cv", 1, 0.01, 100);
  } else if (name == "constant") {
    a.process = Process::constant;
  } else if (name == "at-once") {
    a.process = Process::at_once;
  } else if (name == "bursts") {
    a.process = Process::bursts;
    a.burst = spec.number("factor", a.burst, 1, 1e6);
    a.burst_share = spec.number("share", a.burst_share, 1e-6, 0.999);
    a.burst_s = spec.seconds("length", a.burst_s);
  } else if (name == "closed") {
    a.process = Process::closed;
    if (!spec.has("users")) spec.wrong("users", "is missing", "closed:users=64");
    a.users = static_cast<int>(spec.count("users", 1, 1, 1e7));
    a.think_s = spec.seconds("think", 0);
  } else {
    spec.unknown_name(
        keys({"poisson", "gamma", "weibull", "constant", "bursts", "closed", "at-once"}));
    return a;
  }
  spec.finish();
  return a;
}

void sessions_of(const std::string& text, TrafficClass& c, Diagnostics& bad) {
  TextSpec spec("--sessions", text, bad);
  c.turns = spec.number("turns", 1, 1, 1e4);
  c.think_s = spec.seconds("think", c.think_s);
  c.context = static_cast<int>(spec.count("context", c.context, 1, 1e9));
  c.turns_fixed = spec.flag("fixed");
  if (!spec.has("turns")) spec.wrong("turns", "is missing", "--sessions turns=5,think=30s");
  spec.finish();
}

/// The count before the colon: "10:tokens=800".
int leading_count(TextSpec& spec, int most) {
  double n = 0;
  if (parse_number(spec.name(), n) && n >= 1 && n <= most && n == std::floor(n))
    return static_cast<int>(n);
  spec.wrong("", fmt::format("'{}', expected a count from 1 to {}", spec.name(), most));
  return 0;
}

void prefixes_of(const std::string& text, TrafficClass& c, Diagnostics& bad) {
  TextSpec spec("--prefixes", text, bad);
  c.prefixes = leading_count(spec, 1 << 20);
  c.prefix_tokens = static_cast<int>(spec.count("tokens", 0, 1, 1e8));
  if (!spec.has("tokens")) spec.wrong("tokens", "is missing", "--prefixes 10:tokens=800");
  c.prefix_zipf = spec.number("zipf", 1, 0, 10);
  c.prefix_share = spec.number("share", 1, 0, 1);
  spec.finish();
}

void adapters_of(const std::string& text, TrafficClass& c, Diagnostics& bad) {
  TextSpec spec("--adapters", text, bad);
  c.adapters = leading_count(spec, 65535);
  c.adapter_zipf = spec.number("zipf", 1, 0, 10);
  c.adapter_share = spec.number("share", 1, 0, 1);
  spec.finish();
}

Diurnal diurnal_of(const std::string& text, Diagnostics& bad) {
  TextSpec spec("--diurnal", text, bad);
  Diurnal d;
  const auto list = spec.text("hours");
  if (!list.empty()) {
    std::size_t n = 0;
    for (std::size_t from = 0; from <= list.size(); ++n) {
      const auto stop = std::min(list.find(';', from), list.size());
      double f = -1;
      if (!parse_number(std::string_view(list).substr(from, stop - from), f) || f < 0)
        spec.wrong("hours", fmt::format("'{}', expected factors from 0 up, apart by ';'", list));
      if (n < 24) d.hour[n] = f;
      from = stop + 1;
    }
    if (n != 24) spec.wrong("hours", fmt::format("{} factors, expected 24", n));
  } else {
    d = Diurnal::cosine(spec.number("swing", 0.5, 0, 1), spec.seconds("peak", 15 * 3600.0) / 3600);
  }
  d.weekend = spec.number("weekend", 1, 0, 10);
  d.start_s = spec.seconds("start", 0);
  spec.finish();
  return d;
}

struct Found {
  const std::string* text = nullptr;
  explicit operator bool() const { return text != nullptr; }
};

Found find(const OptionList& options, std::string_view flag) {
  Found found;
  for (const auto& [name, value] : options)
    if (name == flag) found.text = &value;
  return found;
}

void refuse(Diagnostics& bad, const std::string& option, std::string message,
            std::string hint = {}) {
  Diagnostic d;
  d.file = option;
  d.message = std::move(message);
  d.hint = std::move(hint);
  bad.add(std::move(d));
}

double quantity(const OptionList& options, const char* flag, Dim dim, const char* example,
                Diagnostics& bad) {
  const auto given = find(options, flag);
  double si = 0;
  if (!given) return 0;
  if (parse_quantity(*given.text, dim, si) && si >= 0) return si;
  refuse(bad, flag,
         fmt::format("'{}', expected {} with its unit", *given.text, dimension_name(dim)),
         fmt::format("e.g. {}", example));
  return 0;
}

double whole(const OptionList& options, const char* flag, double otherwise, double most,
             Diagnostics& bad) {
  const auto given = find(options, flag);
  if (!given) return otherwise;
  const auto parts = split_number(*given.text);
  if (parts && parts->unit.empty() && parts->number >= 0 && parts->number <= most &&
      parts->number == std::floor(parts->number))
    return parts->number;
  refuse(bad, flag, fmt::format("'{}', expected a whole number from 0 to {:g}", *given.text, most));
  return otherwise;
}

const catalog::RequestTrace* entry(const std::string& id, const catalog::Catalog* catalog,
                                   const std::string& option, Diagnostics& bad) {
  if (catalog == nullptr) {
    refuse(bad, option, "no catalogue is at hand");
    return nullptr;
  }
  const auto* trace = catalog->find<catalog::RequestTrace>(id);
  if (trace != nullptr) return trace;
  const auto ids = catalog->ids(catalog::RequestTrace::kind);
  auto hint = did_you_mean(id, ids);
  if (hint.empty()) hint = fmt::format("known: {}", fmt::join(ids, ", "));
  refuse(bad, option, fmt::format("the catalogue has no request-trace '{}'", id), hint);
  return nullptr;
}

/// "name=chat share=70% input=lognormal:mean=1155,p99=4142 ...": pairs apart by blanks.
TrafficClass class_of(const std::string& text, const TrafficClass& base,
                      const catalog::Catalog* catalog, Diagnostics& bad) {
  TextSpec spec("--class", text, bad, ' ');
  TrafficClass c = base;
  const auto like = spec.text("like");
  if (!like.empty())
    if (const auto* trace = entry(like, catalog, "--class", bad)) c = class_like(*trace);
  c.name = spec.text("name", like.empty() ? c.name : like);
  c.model = spec.text("model", c.model);
  c.share = spec.number("share", 1, 0, 1e9);
  c.priority = static_cast<int>(spec.number("priority", 0, -32768, 32767));
  const auto part = [&](const char* key, auto&& use) {
    const auto value = spec.text(key);
    if (!value.empty()) use(value);
  };
  part("input", [&](const auto& v) { c.input = lengths_of(v, "--class input", bad); });
  part("output", [&](const auto& v) { c.output = lengths_of(v, "--class output", bad); });
  part("sessions", [&](const auto& v) { sessions_of(v, c, bad); });
  part("prefixes", [&](const auto& v) { prefixes_of(v, c, bad); });
  part("adapters", [&](const auto& v) { adapters_of(v, c, bad); });
  spec.finish();
  return c;
}

Synthetic synthetic_of(const OptionList& options, const catalog::Catalog* catalog,
                       Diagnostics& bad) {
  Synthetic s;
  auto& c = s.classes[0];
  if (const auto like = find(options, "--like")) {
    if (const auto* trace = entry(*like.text, catalog, "--like", bad)) {
      c = class_like(*trace);
      c.name = "default";
      s.rate_per_s = trace->rate ? trace->rate.get().si() : 0;
      if (trace->burstiness && std::abs(trace->burstiness.get() - 1.0) > 0.02)
        s.arrivals = {Process::gamma, trace->burstiness.get()};
    }
  }
  if (const auto v = find(options, "--arrivals")) s.arrivals = arrivals_of(*v.text, bad);
  if (const double r = quantity(options, "--rate", Rate::dim, "20/s", bad); r > 0) s.rate_per_s = r;
  s.duration_s = quantity(options, "--duration", Time::dim, "1h", bad);
  s.requests = static_cast<std::size_t>(whole(options, "--requests", 0, most_generated, bad));
  s.seed = static_cast<std::uint64_t>(whole(options, "--seed", 1, 9e15, bad));
  s.block_tokens = static_cast<int>(whole(options, "--block-tokens", 128, 1 << 20, bad));
  if (const auto v = find(options, "--input")) c.input = lengths_of(*v.text, "--input", bad);
  if (const auto v = find(options, "--output")) c.output = lengths_of(*v.text, "--output", bad);
  if (const auto v = find(options, "--sessions")) sessions_of(*v.text, c, bad);
  if (const auto v = find(options, "--prefixes")) prefixes_of(*v.text, c, bad);
  if (const auto v = find(options, "--adapters")) adapters_of(*v.text, c, bad);
  if (const auto v = find(options, "--diurnal")) s.diurnal = diurnal_of(*v.text, bad);
  if (const auto v = find(options, "--lengths")) {
    const auto trace = read(*v.text);
    if (!trace)
      bad.add(trace.error());
    else
      for (const auto& r : trace->requests) c.pairs.emplace_back(r.prompt, r.output);
  }
  const TrafficClass base = c;
  std::vector<TrafficClass> classes;
  for (const auto& [name, value] : options)
    if (name == "--class") classes.push_back(class_of(value, base, catalog, bad));
  if (!classes.empty()) s.classes = std::move(classes);
  return s;
}

Result<Stream> traced(const OptionList& options, ReadReport* report) {
  Diagnostics bad;
  ReadOptions o;
  const auto text = [&](const char* flag) {
    const auto v = find(options, flag);
    return v ? *v.text : std::string();
  };
  o.format = text("--format");
  o.workload = text("--workload");
  o.lengths_from = text("--lengths-from");
  o.skip_bad = static_cast<bool>(find(options, "--skip-bad"));
  o.sort = static_cast<bool>(find(options, "--sort"));
  o.rate_per_s = quantity(options, "--rate", Rate::dim, "20/s", bad);
  o.seed = static_cast<std::uint64_t>(whole(options, "--seed", 1, 9e15, bad));
  const double from = quantity(options, "--from", Time::dim, "10min", bad);
  const double span = quantity(options, "--span", Time::dim, "1h", bad);
  const auto most = static_cast<std::size_t>(whole(options, "--requests", 0, 4e9, bad));
  double scale = 1;
  if (const auto v = find(options, "--rate-scale"))
    if (!parse_number(*v.text, scale) || !(scale > 0))
      refuse(bad, "--rate-scale", fmt::format("'{}', expected a factor above 0", *v.text),
             "e.g. 1.5");
  for (const auto& [name, value] : options) {
    const auto& table = options_table;
    const auto* known = std::find_if(std::begin(table), std::end(table),
                                     [&](const TrafficOption& t) { return name == t.flag; });
    if (known != std::end(table) && std::string_view(known->group) != "Trace" && name != "--seed" &&
        name != "--rate")
      refuse(bad, name, "shapes a synthetic load, but a trace is given",
             "leave the trace out, or --rate-scale it");
  }
  if (!bad.empty()) return failure(std::move(bad));
  o.from_s = from;  // ServeGen draws only what is wanted
  o.span_s = span;
  const auto path = text("--trace");
  ReadReport found;
  auto stream = read(path, o, &found);
  if (report != nullptr) *report = found;
  if (!stream) return stream;
  const bool drawn = found.format == "servegen";
  if (!drawn && (from > 0 || span > 0)) *stream = cut(*stream, from, span);
  if (most > 0 && stream->requests.size() > most) *stream = cut(*stream, 0, 0, most);
  if (scale != 1) scale_rate(*stream, scale);
  if (!stream->requests.empty()) return stream;
  refuse(bad, path, "holds no request in this window", "see --from and --span");
  return failure(std::move(bad));
}

}  // namespace

std::span<const TrafficOption> traffic_options() { return options_table; }

Result<Lengths> parse_lengths(const std::string& text, const std::string& option) {
  Diagnostics bad;
  auto l = lengths_of(text, option, bad);
  if (!bad.empty()) return failure(std::move(bad));
  return l;
}

Result<Synthetic> parse_synthetic(const OptionList& options, const catalog::Catalog* catalog) {
  Diagnostics bad;
  auto s = synthetic_of(options, catalog, bad);
  if (!bad.empty()) return failure(std::move(bad));
  return s;
}

Result<Stream> traffic(const OptionList& options, const catalog::Catalog* catalog,
                       ReadReport* report) {
  if (find(options, "--trace")) return traced(options, report);
  const auto s = parse_synthetic(options, catalog);
  if (!s) return failure(s.error());
  auto stream = generate(*s);
  if (stream && report != nullptr) report->rows = stream->requests.size();
  return stream;
}

namespace {

Lengths lengths_like(const catalog::LengthStatistics& l) {
  const auto of = [](const Value<Tokens>& v) { return v ? v.get().si() : 0.0; };
  const double mean = of(l.mean), p50 = of(l.p50), p99 = of(l.p99);
  const double p90 =
      l.p90 ? of(l.p90) : p50 * std::pow(p99 / std::max(1.0, p50), 1.28155 / 2.32635);
  if (p50 > 0 && p99 >= p50) return Lengths::quantiles(p50, std::clamp(p90, p50, p99), p99, mean);
  if (p99 > mean && p99 < 14.96 * mean) return Lengths::lognormal_by_p99(mean, p99);
  return Lengths::lognormal_by_cv(std::max(1.0, mean), l.variation ? l.variation.get().si() : 1.0);
}

}  // namespace

TrafficClass class_like(const catalog::RequestTrace& trace) {
  TrafficClass c;
  c.name = trace.id;
  c.input = lengths_like(trace.input);
  c.output = lengths_like(trace.output);
  if (trace.correlation) c.correlation = trace.correlation.get().si();
  if (trace.prefix_reuse) c.reuse = trace.prefix_reuse.get().si();
  return c;
}

}  // namespace headroom::requests
