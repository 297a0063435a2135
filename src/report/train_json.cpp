#include <nlohmann/json.hpp>

#include <algorithm>

#include "report/parts_json.hpp"
#include "report/train_report.hpp"

namespace headroom::report {
namespace {

using study::PlanRow;
using study::TrainingRun;

Json plan_json(const PlanRow& row) {
  Json out = {{"summary", row.summary},
              {"plan", dims_json(row.dims)},
              {"gpus", row.gpus},
              {"tokens_per_s", quantity(row.tokens_per_s, "token/s")},
              {"step_time", quantity(row.step_s, "s")}};
  out["mfu"] = quantity(row.mfu, "%");
  out["memory"] = {{"value", row.memory / 1e9}, {"unit", "GB"}};
  out["cost"] = row.usd_per_token > 0
                    ? Json{{"value", row.usd_per_token * 1e9}, {"unit", "USD/Gtoken"}}
                    : Json(nullptr);
  out["duration"] = row.days > 0 ? Json{{"value", row.days}, {"unit", "d"}} : Json(nullptr);
  return out;
}

Json plans_json(const std::vector<PlanRow>& rows) {
  Json out = Json::array();
  for (const auto& row : rows) out.push_back(plan_json(row));
  return out;
}

Json step_json(const TrainingRun& run) {
  Json parts = Json::array();
  double total = 0;
  for (const auto& part : run.step) {
    total += part.seconds;
    parts.push_back({{"part", part.name},
                     {"exposed_s", number(part.seconds)},
                     {"hidden_s", number(part.hidden)}});
  }
  return {{"total_s", number(total)}, {"parts", parts}};
}

Json memory_json(const TrainingRun& run) {
  Json items = Json::object();
  for (const auto& item : run.memory) items[item.name] = item.bytes / 1e9;
  return {{"unit", "GB"},
          {"rank", run.memory_rank},
          {"items", items},
          {"allocated", run.memory_allocated / 1e9},
          {"reserved", run.memory_reserved / 1e9},
          {"need", run.memory_total / 1e9},
          {"safe", run.memory_safe / 1e9},
          {"have", run.memory_have / 1e9}};
}

Json rl_json(const TrainingRun& run) {
  Json out = Json::array();
  for (const auto& plan : run.rl) {
    Json phases = Json::array();
    for (const auto& phase : plan.phases)
      phases.push_back(
          {{"phase", phase.name}, {"seconds", number(phase.seconds)}, {"gpus", phase.gpus}});
    out.push_back({{"placement", study::placement_names()[std::size_t(plan.placement)]},
                   {"fits", plan.fits},
                   {"why", plan.why},
                   {"iteration_s", number(plan.iteration_s)},
                   {"phases", phases},
                   {"generation_gpus", plan.generation_gpus},
                   {"training_gpus", plan.training_gpus},
                   {"replica_gpus", plan.replica_gpus},
                   {"replicas", plan.replicas},
                   {"answers_at_once", number(plan.batch)},
                   {"tail_share", number(plan.tail_share)},
                   {"idle_share", number(plan.idle_share)},
                   {"training_plan", plan.training_plan},
                   {"tokens_generated", number(plan.tokens)},
                   {"gpu_hours", number(plan.gpu_hours())}});
  }
  return out;
}

Json ranks_json(const TrainingRun& run) {
  Json out = Json::array();
  for (const auto& r : run.ranks)
    out.push_back({{"rank", r.rank},
                   {"layers", r.layers},
                   {"weights", r.weights / 1e9},
                   {"gradients_optimiser", r.state / 1e9},
                   {"activations", r.activations / 1e9},
                   {"other", r.other / 1e9},
                   {"allocated", r.allocated / 1e9},
                   {"reserved", r.reserved / 1e9},
                   {"total", r.total / 1e9}});
  return out;
}

Json run_json(const TrainingRun& run, const Trace& trace) {
  Json out = {{"workload", run.workload},
              {"fits", run.fits},
              {"laid_out", run.laid_out},
              {"job", texts_json(run.job)}};
  out["evaluated"] = run.evaluated;
  out["plans"] = plans_json(run.plans);
  if (!run.front.empty()) out["front"] = plans_json(run.front);
  out["step"] = step_json(run);
  out["memory"] = memory_json(run);
  if (!run.ranks.empty()) out["memory"]["ranks"] = ranks_json(run);
  if (!run.rl.empty()) out["reinforcement_learning"] = rl_json(run);
  for (const auto* section : {&run.speed, &run.run, &run.reliability, &run.energy, &run.money})
    if (!section->key.empty()) out[section->key] = lines_json(section->lines, trace);
  out["price_origin"] = run.price_origin;
  out["interval80"] =
      intervals_json(run.intervals, run.intervals.empty() ? "" : run.interval_origin);
  out["validated_domain"] = {{"inside", run.in_domain}, {"outside_because", run.outside}};
  out["changes"] = changes_json(run.changes, run.tried, "plan");
  out["flags"] = flags_json(run.flags);
  out["limits"] = limits_json(run.margins);
  out["remarks"] = run.remarks;
  return out;
}

}  // namespace

std::string train_json(const study::TrainingAnswer& answer) {
  Json runs = Json::array();
  for (const auto& run : answer.runs) runs.push_back(run_json(run, answer.verdict.trace));
  return answer_json(answer.verdict.scenario, answer.verdict.file, answer.fits(), std::move(runs));
}

namespace {

/// Every dimension that any plan names, in order of first appearance.
std::vector<std::string> dimensions(const study::TrainingAnswer& answer) {
  std::vector<std::string> out;
  for (const auto& run : answer.runs)
    for (const auto& row : run.plans)
      for (const auto& [key, value] : row.dims)
        if (std::find(out.begin(), out.end(), key) == out.end()) out.push_back(key);
  return out;
}

std::string csv_row(const PlanRow& row, const std::vector<std::string>& keys) {
  std::string out;
  for (const auto& key : keys) {
    out += ",";
    for (const auto& [k, value] : row.dims)
      if (k == key) out += csv_field(value);
  }
  out += "," + std::to_string(row.gpus);
  const double figures[] = {row.tokens_per_s,        row.step_s, row.mfu, row.memory / 1e9,
                            row.usd_per_token * 1e9, row.days};
  for (const double f : figures) out += "," + number(f).dump();
  return out + "\n";
}

}  // namespace

std::string train_csv(const study::TrainingAnswer& answer) {
  const auto keys = dimensions(answer);
  std::string out = "workload,rank";
  for (const auto& key : keys) out += "," + key;
  out += ",gpus,tokens_per_s,step_s,mfu,memory_gb,usd_per_gtoken,days\n";
  for (const auto& run : answer.runs) {
    int rank = 0;
    for (const auto& row : run.plans)
      out += csv_field(run.workload) + "," + std::to_string(++rank) + csv_row(row, keys);
  }
  return out;
}

}  // namespace headroom::report
