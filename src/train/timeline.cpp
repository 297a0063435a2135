#include "train/timeline.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace headroom::train {
namespace {

using nlohmann::ordered_json;

constexpr double ms = 1e3;  // per second
constexpr double us = 1e6;

const char* wait_name(Wait w) {
  static constexpr const char* names[] = {"nothing", "activations", "gradients"};
  return names[static_cast<int>(w)];
}

ordered_json op_json(const Op& op) {
  ordered_json j;
  j["kind"] = pass_name(op.slot.pass);
  j["micro_batch"] = op.slot.micro_batch;
  j["chunk"] = op.slot.chunk;
  j["stage"] = op.stage;
  j["start_ms"] = op.start * ms;
  j["end_ms"] = op.end * ms;
  if (op.waited > 0) j["waited_ms"] = op.waited * ms, j["waited_for"] = wait_name(op.wait);
  if (op.slot.paired) j["paired"] = true;
  return j;
}

ordered_json rank_json(const Timeline& t, std::size_t r) {
  const auto& k = t.ranks[r];
  ordered_json j;
  j["rank"] = r;
  j["busy_ms"] = k.busy * ms;
  j["sending_ms"] = k.sending * ms;
  j["idle_ms"] = {{"fill", k.fill * ms},
                  {"activations", k.for_activations * ms},
                  {"gradients", k.for_gradients * ms},
                  {"drain", k.drain * ms}};
  j["idle_share"] = t.total > 0 ? k.idle() / t.total : 0;
  j["in_flight"] = k.in_flight;
  auto& ops = j["ops"] = ordered_json::array();
  for (const auto& op : k.ops) ops.push_back(op_json(op));
  return j;
}

}  // namespace

Timeline timeline(const Job& job, const PlanCosts& costs, const ParallelPlan& plan) {
  return simulate(plan_pipeline(job, costs, plan));
}

Timeline timeline(const Job& job, const ParallelPlan& plan) {
  return timeline(job, plan_costs(job, plan), plan);
}

std::string to_json(const Timeline& t, int indent) {
  ordered_json j;
  j["schedule"] = schedule_name(t.pipeline.schedule);
  j["total_ms"] = t.total * ms;
  j["send_ms"] = t.pipeline.send_s * ms;
  j["micro_batches"] = t.pipeline.micro_batches;
  j["chunks"] = stage_count(t.pipeline) / t.pipeline.ranks;
  auto& ranks = j["ranks"] = ordered_json::array();
  for (std::size_t r = 0; r < t.ranks.size(); ++r) ranks.push_back(rank_json(t, r));
  return j.dump(indent);
}

std::string to_chrome_trace(const Timeline& t) {
  auto events = ordered_json::array();
  for (std::size_t r = 0; r < t.ranks.size(); ++r) {
    events.push_back({{"name", "thread_name"},
                      {"ph", "M"},
                      {"pid", 0},
                      {"tid", r},
                      {"args", {{"name", fmt::format("pipeline rank {}", r)}}}});
    for (const auto& op : t.ranks[r].ops)
      events.push_back(
          {{"name", fmt::format("{} {}", pass_name(op.slot.pass), op.slot.micro_batch)},
           {"cat", pass_name(op.slot.pass)},
           {"ph", "X"},
           {"ts", op.start * us},
           {"dur", (op.end - op.start) * us},
           {"pid", 0},
           {"tid", r},
           {"args",
            {{"micro_batch", op.slot.micro_batch},
             {"chunk", op.slot.chunk},
             {"stage", op.stage},
             {"waited_us", op.waited * us},
             {"waited_for", wait_name(op.wait)}}}});
  }
  return ordered_json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}}.dump();
}

}  // namespace headroom::train
