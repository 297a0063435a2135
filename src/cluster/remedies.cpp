#include "cluster/remedies.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/units.hpp"

namespace headroom::cluster {
namespace {

// Nobody saves more often (assumed): every save stops the step, takes file-system operations of
// every rank and is one more write that can fail, none of which Daly's formula counts when the
// stall is milliseconds. Gemini (Wang et al., SOSP 2023) saves every step, but only into the
// memory of other hosts.
constexpr Time shortest_interval = 1 * minute;
// A remedy that lifts ETTR by less is not worth its line.
constexpr double least_gain = 0.005;
// A copy to the host's own memory takes no longer.
constexpr Time long_stall = 10 * second;

std::string span(Time t) { return format_scaled(t.si(), "s"); }

Remedy advice(std::string action, std::string source = {}) {
  return {std::move(action), std::nullopt, std::nullopt, std::move(source)};
}

}  // namespace

Time chosen_interval(const Cycle& cycle) {
  return std::max({daly_interval(cycle.write, cycle.mtbf), cycle.staleness, shortest_interval});
}

std::vector<Remedy> checkpoint_remedies(const Cycle& cycle, double gpus) {
  std::vector<Remedy> out;
  Cycle changed = cycle;
  changed.interval = chosen_interval(cycle);
  if (changed.interval < cycle.interval) {
    out.push_back(advice(fmt::format("checkpoint every {}: {:.1f} % of the time productive",
                                     span(changed.interval), ettr(changed).si() * 100),
                         "cluster/goodput.hpp"));
  }
  if (cycle.write > long_stall) {
    out.push_back(
        advice("write checkpoints to local memory first and drain them while the job "
               "goes on, so that the stall falls to seconds"));
  }
  if (cycle.staleness > cycle.mtbf / 2) {
    out.push_back(advice(fmt::format("give checkpoints more write bandwidth: one takes {} to drain",
                                     span(cycle.staleness))));
  }
  if (out.empty()) {
    out.push_back(advice(
        fmt::format("run on fewer than {} GPUs, or on GPUs that fail less", format_number(gpus))));
  }
  return out;
}

std::vector<Remedy> goodput_remedies(const Cycle& cycle, const GoodputNow& now) {
  std::vector<Remedy> out;
  // Planned stops cost the same whatever is done about failures.
  const double unplanned = ettr(cycle).si();
  const double planned = unplanned > 0 ? now.ettr / unplanned : 1.0;
  auto offer = [&](const std::string& action, Cycle changed) {
    changed.interval = chosen_interval(changed);
    const double then = ettr(changed).si() * planned;
    if (then < now.ettr + least_gain) return;
    out.push_back(advice(fmt::format("{}: {:.1f} %", action, then * 100), "cluster/goodput.hpp"));
  };
  if (now.interval_given) { offer("checkpoint every " + span(chosen_interval(cycle)), cycle); }
  Cycle faster = cycle;
  faster.write = cycle.write / 10;
  offer(fmt::format("stall for {} a checkpoint (copy to host memory, write behind)",
                    span(faster.write)),
        faster);
  Cycle drained = cycle;
  drained.staleness = cycle.staleness / 2;
  offer(
      fmt::format("twice the write bandwidth: a checkpoint drains in {}", span(drained.staleness)),
      drained);
  Cycle quick = cycle;
  quick.restart = cycle.restart / 5;
  quick.detection = cycle.detection / 5;
  offer(fmt::format("detect and restart in {} (hot spares, in-process restart)",
                    span(quick.restart + quick.detection)),
        quick);
  Cycle steadier = cycle;
  steadier.mtbf = cycle.mtbf * 2;
  offer(fmt::format("half the failures (replace nodes that fail often, or run on half of the {} "
                    "GPUs)",
                    format_number(now.gpus)),
        steadier);
  return out;
}

}  // namespace headroom::cluster
