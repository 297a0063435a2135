#include "api/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "api/catalogue.hpp"
#include "api/load_predict.hpp"
#include "api/load_run.hpp"
#include "requests/stats.hpp"
#include "requests/text_spec.hpp"

namespace headroom::api {
namespace {

bool given(const requests::OptionList& options, std::string_view name) {
  return std::any_of(options.begin(), options.end(),
                     [&](const auto& o) { return o.first == name; });
}

/// The options of the stream, with what a load adds to them.
requests::OptionList stream_options(const LoadRequest& r) {
  auto options = r.traffic;
  const bool trace = given(options, "--trace");
  const bool ends = given(options, "--requests");
  if (!trace && r.closed && !given(options, "--arrivals"))
    options.emplace_back("--arrivals", "at-once");
  // A loop that ends by the clock takes as many requests as come to pass.
  const std::size_t plenty = r.most > 0 ? r.most : r.duration_s > 0 ? 100'000 : 1000;
  const bool paced = !trace && !r.closed;
  if (!trace && !ends && (!paced || r.duration_s <= 0))
    options.emplace_back("--requests", std::to_string(plenty));
  if (paced && r.duration_s > 0 && !given(options, "--duration"))
    options.emplace_back("--duration", fmt::format("{} s", r.duration_s));
  return options;
}

LoadPercentiles percentiles(std::vector<double> x) {
  if (x.empty()) return {};
  double sum = 0;
  for (const double v : x) sum += v;
  std::sort(x.begin(), x.end());
  return {sum / static_cast<double>(x.size()), requests::quantile(x, 0.5),
          requests::quantile(x, 0.9), requests::quantile(x, 0.99), x.back()};
}

void count(LoadSummary& s, const LoadSample& x) {
  switch (x.fate) {
    case LoadFate::good:
      ++s.good;
      break;
    case LoadFate::failed:
      ++s.failed;
      break;
    case LoadFate::timed_out:
      ++s.timed_out;
      break;
    case LoadFate::stopped:
      ++s.stopped;
      break;
  }
  s.held += x.held ? 1 : 0;
}

}  // namespace

double load_seconds(const std::string& text, const std::string& option, Diagnostics& mistakes) {
  double s = 0;
  if (requests::parse_quantity(text, Time::dim, s) && s > 0) return s;
  Diagnostic d;
  d.file = option;
  d.message = fmt::format("'{}', expected a time above 0 with its unit", text);
  d.hint = "e.g. 30s, 5min";
  mistakes.add(std::move(d));
  return 0;
}

const char* fate_name(LoadFate fate) {
  switch (fate) {
    case LoadFate::good:
      return "good";
    case LoadFate::failed:
      return "failed";
    case LoadFate::timed_out:
      return "timed out";
    case LoadFate::stopped:
      return "stopped";
  }
  return "";
}

LoadSummary summarise(const std::vector<LoadSample>& samples, const std::vector<float>& gaps,
                      bool closed) {
  LoadSummary s;
  std::vector<double> ttft, tpot, e2e, lag;
  std::map<std::string, std::size_t> errors;
  double first = 0, last_sent = 0, last = 0, asked = 0, counted = 0, events = 0, by_usage = 0;
  bool usage = true;
  for (const auto& x : samples) {
    if (s.sent++ == 0) first = x.sent_s;
    last_sent = std::max(last_sent, x.sent_s);
    last = std::max(last, x.end_s);
    count(s, x);
    if (!closed) lag.push_back(x.sent_s - x.due_s);
    if (!x.error.empty()) ++errors[x.error];
    if (x.fate != LoadFate::good) continue;
    ttft.push_back(x.ttft_s());
    e2e.push_back(x.e2e_s());
    if (x.tokens() > 1) tpot.push_back(x.tpot_s());
    s.input_tokens += x.prompt_counted >= 0 ? x.prompt_counted : x.prompt;
    s.output_tokens += x.tokens();
    s.cached_tokens += std::max(0, x.cached);
    usage = usage && x.output_counted >= 0;
    if (x.prompt_counted >= 0) asked += x.prompt, counted += x.prompt_counted;
    if (x.output_counted >= 0) events += x.events, by_usage += x.output_counted;
  }
  s.usage = usage && s.good > 0;
  s.span_s = last - first;
  if (s.sent > 1 && last_sent > first)
    s.rate_per_s = static_cast<double>(s.sent - 1) / (last_sent - first);
  if (s.span_s > 0) s.output_per_s = s.output_tokens / s.span_s;
  if (asked > 0) s.prompt_ratio = counted / asked;
  if (events > 0) s.tokens_per_event = by_usage / events;
  s.ttft = percentiles(std::move(ttft));
  s.tpot = percentiles(std::move(tpot));
  s.e2e = percentiles(std::move(e2e));
  s.itl = percentiles({gaps.begin(), gaps.end()});
  s.lag = percentiles(std::move(lag));
  // 10 ms is what a person's request may wait in a client without showing in a TTFT of 0.2 s.
  s.behind = s.held * 100 > s.sent || s.lag.p99 > std::max(0.010, 0.05 * s.ttft.p50);
  for (const auto& [text, n] : errors) s.errors.emplace_back(text, n);
  std::stable_sort(s.errors.begin(), s.errors.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return s;
}

Result<LoadAnswer> load(const LoadRequest& request) {
  Diagnostics mistakes;
  const auto url = http::parse_url(request.url);
  if (!url) mistakes.add(url.error());
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  requests::ReadReport report;
  const auto stream = requests::traffic(stream_options(request), &catalog->get(), &report);
  if (!stream) mistakes.add(stream.error());
  mistakes.add(check_deployment(request, catalog->get()));
  if (!mistakes.empty()) return failure(std::move(mistakes));

  const char* key =
      request.key_variable.empty() ? nullptr : std::getenv(request.key_variable.c_str());
  auto run = run_load(request, *url, *stream, key == nullptr ? "" : key);
  if (!run.unreachable.empty()) {
    Diagnostic d;
    d.file = request.url;
    d.message = run.unreachable;
    d.hint = "is the server up, and is this its address? e.g. http://localhost:8000";
    return failure(std::move(d));
  }
  LoadAnswer a;
  a.url = request.url;
  a.model = run.model;
  a.endpoint = request.endpoint;
  a.closed = request.closed;
  a.interrupted = run.interrupted;
  a.concurrency = request.concurrency;
  a.stream = stream->name;
  a.samples = std::move(run.samples);
  a.summary = summarise(a.samples, run.gaps, request.closed);
  a.summary.not_sent = run.not_sent;
  a.notes = std::move(run.notes);
  for (const auto& note : report.notes) a.notes.push_back(note);
  if (report.skipped > 0)
    a.notes.push_back(fmt::format("{} bad rows of the trace were left out", report.skipped));
  compare(request, catalog->get(), *stream, a);
  return a;
}

}  // namespace headroom::api
