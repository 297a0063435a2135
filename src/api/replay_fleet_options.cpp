// Options of the engine's finer settings, of what happens at known times, and of a fleet's file.
#include <fmt/format.h>

#include "api/replay_parser.hpp"

namespace headroom::api {
namespace {

void speculation(Parser& p, serving::Speculation& s) {
  p.flag("--speculate-adaptive", s.adaptive, true);
  if (!p.has("--speculate")) {
    if (s.adaptive)
      p.fail("--speculate-adaptive", "chooses how many to draft, and nothing is drafted",
             "add --speculate LENGTH:ACCEPTANCE");
    return;
  }
  constexpr double usual_cost = 0.05;  // assumed, as infer::EngineLimits' default
  const auto parts = p.parts("--speculate");
  const auto whole = [](double x) { return x == std::floor(x); };
  const bool good = parts.size() >= 2 && parts.size() <= 4 && parts[0] >= 1 && parts[0] <= 64 &&
                    whole(parts[0]) && parts[1] >= 0 && parts[1] <= 1 &&
                    (parts.size() < 3 || parts[2] >= 0) &&
                    (parts.size() < 4 || (parts[3] >= 1 && parts[3] <= 1e6 && whole(parts[3])));
  if (!good)
    return p.fail(p.shown("--speculate"), "expected LENGTH:ACCEPTANCE[:COST[:OFF-ABOVE]]",
                  "for example 4:0.7:0.05: four drafts, each accepted with 70 %, a draft costs 5 % "
                  "of a step");
  s.length = static_cast<int>(parts[0]);
  s.acceptance = parts[1];
  s.draft_cost = parts.size() >= 3 ? parts[2] : usual_cost;
  if (parts.size() == 4) s.off_above = static_cast<int>(parts[3]);
}

/// "0h:700W,17h:400W".
void caps(Parser& p, study::ReplayOptions& o) {
  p.time("--power-caps-every", o.power_caps_every_s);
  if (!p.has("--power-caps")) {
    if (p.has("--power-caps-every"))
      p.fail(p.shown("--power-caps-every"), "there are no limits to begin again",
             "add --power-caps 0h:700W,17h:400W,21h:700W");
    return;
  }
  std::string text;
  p.text("--power-caps", text);
  const auto wrong = [&](std::string message, std::string hint) {
    p.fail(p.shown("--power-caps"), std::move(message), std::move(hint));
  };
  if (p.has("--power-cap")) wrong("contradicts " + p.shown("--power-cap"), "give one of them");
  for (const auto& one : split(text, ',')) {
    const auto colon = one.find(':');
    double from = 0, watts = 0;
    if (colon == std::string::npos || !read_quantity<Time>(one.substr(0, colon), "h", from) ||
        !read_quantity<Power>(one.substr(colon + 1), "W", watts) || watts <= 0)
      return wrong(fmt::format("'{}' is no FROM:LIMIT", one),
                   "for example 0h:700W,17h:400W,21h:700W");
    const bool first = o.power_caps.empty();
    if (first && from > 0)
      return wrong("the first limit begins after the first arrival", "begin with 0h:");
    if (!first && from <= o.power_caps.back().from_s)
      return wrong(fmt::format("'{}' begins before the one above", one), "in order of time");
    o.power_caps.push_back({from, Power::from_si(watts)});
  }
  if (o.power_caps.empty()) return wrong("holds no limit", "for example 0h:700W,17h:400W");
  if (o.power_caps_every_s > 0 && o.power_caps_every_s <= o.power_caps.back().from_s)
    p.fail(p.shown("--power-caps-every"), "they begin again before the last limit does",
           "longer than the last FROM");
}

/// "10min:0:5min,20min:1".
void losses(Parser& p, study::ReplayOptions& o) {
  if (!p.has("--lose")) return;
  std::string text;
  p.text("--lose", text);
  for (const auto& one : split(text, ',')) {
    const auto parts = split(one, ':');
    double at = 0, repair = -1;
    const auto which = parts.size() >= 2 ? split_number(parts[1]) : std::nullopt;
    const bool good = (parts.size() == 2 || parts.size() == 3) &&
                      read_quantity<Time>(parts[0], "s", at) && which && which->unit.empty() &&
                      which->number == std::floor(which->number) && which->number >= 0 &&
                      which->number < 60000 &&
                      (parts.size() == 2 || read_quantity<Time>(parts[2], "s", repair));
    if (!good)
      return p.fail(p.shown("--lose"), fmt::format("'{}' is no AT:REPLICA[:REPAIR]", one),
                    "for example 10min:0:5min: the first replica, for five minutes");
    if (o.replicas > 0 && which->number >= o.replicas && !p.has("--autoscale"))
      return p.fail(p.shown("--lose"), fmt::format("there is no replica {}", parts[1]),
                    fmt::format("0 to {}", o.replicas - 1));
    o.losses.push_back({at, static_cast<std::uint32_t>(which->number), repair});
  }
}

}  // namespace

void engine_options(Parser& p, study::ReplayOptions& o) {
  constexpr int most = 1 << 24;
  p.whole("--block-size", o.block_tokens, 1, 4096);
  p.number("--watermark", o.watermark, 0, 0.5);
  p.whole("--long-prefill-token-threshold", o.long_prefill_tokens, 1, most);
  p.flag("--reserve-full", o.reserve_full, true);
  p.flag("--async-scheduling", o.async_scheduling, true);
  p.whole("--max-cpu-loras", o.host_loras, 1, 65535);
  if (p.has("--max-cpu-loras") && !p.has("--max-loras"))
    p.fail(p.shown("--max-cpu-loras"), "keeps adapters that leave the GPU, and all of them stay",
           "add --max-loras");
  else if (p.has("--max-cpu-loras") && o.host_loras < o.max_loras)
    p.fail(p.shown("--max-cpu-loras"), "is less than " + p.shown("--max-loras"),
           fmt::format("{} at least", o.max_loras));
  for (const char* name : {"--static", "--no-chunked-prefill"})
    if (p.has(name) && p.has("--long-prefill-token-threshold"))
      p.fail(p.shown("--long-prefill-token-threshold"),
             fmt::format("cuts prompts, and {} reads them whole", name), "leave one of them out");
  speculation(p, o.speculation);
}

void timed_options(Parser& p, study::ReplayOptions& o) {
  p.whole("--replicas", o.replicas, 1, 60000);
  caps(p, o);
  losses(p, o);
}

void fleet_file_options(Parser& p, std::string& file) {
  p.text("--fleet", file);
  if (!p.has("--fleet")) return;
  for (const auto& o : replay_options()) {
    const bool of_pools = o.group == "Model" || o.group == "Machine" || o.group == "Replica" ||
                          o.group == "Fleet" || o.group == "Autoscaling" || o.name == "--classes" ||
                          o.name == "--price";
    const bool beside = o.name == "--routing";
    const std::string name(o.name);
    if (of_pools && !beside && p.has(name.c_str()))
      p.fail(o.flag ? name : p.shown(name.c_str()), "is said by the fleet's file",
             fmt::format("leave it out, or change {}", file));
  }
}

}  // namespace headroom::api
