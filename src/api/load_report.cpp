// What a load found: as text, JSON and rows.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <iterator>

#include "api/load.hpp"
#include "requests/text_file.hpp"

namespace headroom::api {
namespace {

using nlohmann::ordered_json;

std::string ms(double s) { return fmt::format("{:.{}f}", 1e3 * s, s < 0.1 ? 2 : s < 10 ? 1 : 0); }

void row(std::string& out, const char* name, const LoadPercentiles& p) {
  out += fmt::format("{:<22}{:>10}{:>10}{:>10}{:>10}{:>10}\n", name, ms(p.mean), ms(p.p50),
                     ms(p.p90), ms(p.p99), ms(p.worst));
}

std::string counts(const LoadSummary& s) {
  std::string out = fmt::format("{} sent, {} good", s.sent, s.good);
  const auto add = [&](std::size_t n, const char* what) {
    if (n > 0) out += fmt::format(", {} {}", n, what);
  };
  add(s.failed, "failed");
  add(s.timed_out, "timed out");
  add(s.stopped, "cut off");
  add(s.not_sent, "not sent");
  return out;
}

std::string tokens_line(const LoadSummary& s) {
  std::string out = fmt::format("tokens    {:.0f} in, {:.0f} out, {:.1f} out/s", s.input_tokens,
                                s.output_tokens, s.output_per_s);
  if (s.cached_tokens > 0)
    out += fmt::format(", {:.1f} % of input cached", 100 * s.cached_tokens / s.input_tokens);
  if (s.prompt_ratio > 0)
    out += fmt::format("; the server counts {:+.1f} % of our prompt words",
                       100 * (s.prompt_ratio - 1));
  if (s.tokens_per_event > 1.005)
    out += fmt::format("; {:.2f} tokens an event", s.tokens_per_event);
  if (!s.usage && s.good > 0) out += "; not all answers told usage, events are counted";
  return out + "\n";
}

std::string comparison(const LoadAnswer& a) {
  if (a.comparison.empty()) return {};
  std::string out = fmt::format("\nbeside the prediction for {}\n{:<22}{:>12}{:>12}{:>12}\n",
                                a.deployment, "", "measured", "predicted", "difference");
  for (const auto& c : a.comparison) {
    const bool time = c.unit == "s";
    const auto number = [&](double v) { return time ? ms(v) + " ms" : fmt::format("{:.4g}", v); };
    out += fmt::format(
        "{:<22}{:>12}{:>12}{:>11}%\n", time ? c.metric : c.metric + " " + c.unit,
        number(c.measured), number(c.predicted),
        c.measured != 0 ? fmt::format("{:+.1f} ", 100 * (c.predicted / c.measured - 1)) : "- ");
  }
  return out;
}

ordered_json json_of(const LoadPercentiles& p) {
  return {{"mean_s", p.mean},
          {"p50_s", p.p50},
          {"p90_s", p.p90},
          {"p99_s", p.p99},
          {"worst_s", p.worst}};
}

/// A text that a CSV cell can hold.
std::string cell(std::string text) {
  for (char& c : text)
    if (c == ',' || c == '"' || static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

std::string sample_json(const LoadSample& x) {
  ordered_json j = {{"arrival_s", x.sent_s},
                    {"prompt", x.prompt_counted > 0 ? x.prompt_counted : x.prompt},
                    {"output", x.tokens() > 0 ? x.tokens() : x.output},
                    {"request", x.request},
                    {"due_s", x.due_s},
                    {"outcome", fate_name(x.fate)},
                    {"status", x.status}};
  if (x.first_s >= 0) j["ttft_s"] = x.ttft_s(), j["longest_gap_s"] = x.longest_gap_s;
  if (x.tokens() > 1 && x.first_s >= 0) j["tpot_s"] = x.tpot_s();
  if (x.end_s >= 0) j["e2e_s"] = x.e2e_s();
  j["events"] = x.events;
  if (x.cached >= 0) j["cached_tokens"] = x.cached;
  j["asked_prompt"] = x.prompt;
  j["asked_output"] = x.output;
  if (x.fate != LoadFate::good)
    j["error"] = x.error.empty() ? std::string(fate_name(x.fate)) : x.error;
  return j.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string sample_csv(const LoadSample& x) {
  return fmt::format("{:.6f},{},{},{},{:.6f},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{},{},{},{},{}\n",
                     x.sent_s, x.prompt_counted > 0 ? x.prompt_counted : x.prompt,
                     x.tokens() > 0 ? x.tokens() : x.output, x.request, x.due_s, fate_name(x.fate),
                     x.status, x.first_s >= 0 ? x.ttft_s() : 0, x.first_s >= 0 ? x.tpot_s() : 0,
                     x.longest_gap_s, x.end_s >= 0 ? x.e2e_s() : 0, x.events, std::max(0, x.cached),
                     x.prompt, x.output,
                     x.fate == LoadFate::good ? ""
                     : x.error.empty()        ? fate_name(x.fate)
                                              : cell(x.error));
}

}  // namespace

std::string load_text(const LoadAnswer& a) {
  const auto& s = a.summary;
  std::string out =
      fmt::format("{}  model {}  {}\n", a.url, a.model,
                  a.endpoint == Endpoint::chat ? "/v1/chat/completions" : "/v1/completions");
  out += fmt::format("{}{} loop, {:.1f} s, {:.4g} requests/s: {}\n",
                     a.interrupted ? "interrupted; what ended is kept. " : "",
                     a.closed ? "closed" : "open", s.span_s, s.rate_per_s, counts(s));
  out += tokens_line(s);
  out += fmt::format("\n{:<22}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "milliseconds", "mean", "p50",
                     "p90", "p99", "worst");
  row(out, "time to first token", s.ttft);
  row(out, "time per output token", s.tpot);
  row(out, "between events (ITL)", s.itl);
  row(out, "end to end", s.e2e);
  if (!a.closed) row(out, "sent after due (lag)", s.lag);
  out += comparison(a);
  if (s.behind)
    out += fmt::format(
        "\nTHE CLIENT FELL BEHIND: {} requests waited for a connection, lag p99 {} ms. These are "
        "not "
        "the arrivals that were asked for; raise --concurrency or lower the rate.\n",
        s.held, ms(s.lag.p99));
  for (std::size_t i = 0; i < s.errors.size() && i < 8; ++i)
    out += fmt::format("{}{} x {}\n", i == 0 ? "\n" : "", s.errors[i].second, s.errors[i].first);
  if (s.errors.size() > 8) out += fmt::format("and {} other errors\n", s.errors.size() - 8);
  for (const auto& note : a.notes) out += "note: " + note + "\n";
  return out;
}

std::string load_json(const LoadAnswer& a) {
  const auto& s = a.summary;
  ordered_json j = {{"url", a.url},
                    {"model", a.model},
                    {"endpoint", a.endpoint == Endpoint::chat ? "chat" : "completions"},
                    {"loop", a.closed ? "closed" : "open"},
                    {"interrupted", a.interrupted},
                    {"sent", s.sent},
                    {"good", s.good},
                    {"failed", s.failed},
                    {"timed_out", s.timed_out},
                    {"stopped", s.stopped},
                    {"not_sent", s.not_sent},
                    {"span_s", s.span_s},
                    {"rate_per_s", s.rate_per_s},
                    {"input_tokens", s.input_tokens},
                    {"output_tokens", s.output_tokens},
                    {"cached_tokens", s.cached_tokens},
                    {"output_tokens_per_s", s.output_per_s},
                    {"tokens_by_usage", s.usage},
                    {"prompt_tokens_counted_over_asked", s.prompt_ratio},
                    {"tokens_per_event", s.tokens_per_event},
                    {"ttft", json_of(s.ttft)},
                    {"tpot", json_of(s.tpot)},
                    {"itl", json_of(s.itl)},
                    {"e2e", json_of(s.e2e)},
                    {"lag", json_of(s.lag)},
                    {"held_back", s.held},
                    {"client_fell_behind", s.behind}};
  j["errors"] = ordered_json::array();
  for (const auto& [text, n] : s.errors) j["errors"].push_back({{"error", text}, {"requests", n}});
  if (!a.comparison.empty()) {
    j["deployment"] = a.deployment;
    j["comparison"] = ordered_json::array();
    for (const auto& c : a.comparison)
      j["comparison"].push_back({{"metric", c.metric},
                                 {"unit", c.unit},
                                 {"measured", c.measured},
                                 {"predicted", c.predicted}});
  }
  j["notes"] = a.notes;
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<std::size_t> write_samples(const LoadAnswer& a, const std::string& path) {
  std::string stem = path;
  if (stem.ends_with(".gz")) stem.resize(stem.size() - 3);
  std::string out;
  if (stem.ends_with(".jsonl")) {
    for (const auto& x : a.samples) out += sample_json(x);
  } else if (stem.ends_with(".csv")) {
    out =
        "arrival_s,prompt,output,request,due_s,outcome,status,ttft_s,tpot_s,longest_gap_s,e2e_s,"
        "events,cached_tokens,asked_prompt,asked_output,error\n";
    for (const auto& x : a.samples) out += sample_csv(x);
  } else {
    Diagnostic d;
    d.file = path;
    d.message = "the name says no form, expected .csv, .jsonl, .csv.gz or .jsonl.gz";
    return failure(std::move(d));
  }
  return requests::save_text(out, path);
}

}  // namespace headroom::api
