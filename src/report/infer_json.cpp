#include <nlohmann/json.hpp>

#include "report/infer_report.hpp"
#include "report/parts_json.hpp"

namespace headroom::report {
namespace {

using study::ConfigurationRow;
using study::InferenceRun;

Json row_json(const ConfigurationRow& r) {
  return {{"summary", r.summary},
          {"model", r.model},
          {"system", r.system},
          {"accelerator", r.accelerator},
          {"engine", r.engine},
          {"configuration", dims_json(r.dims)},
          {"fits", r.fits},
          {"why", r.why},
          {"gpus", r.gpus},
          {"replicas", r.replicas},
          {"prefill_replicas", r.prefill_replicas},
          {"ttft_s", time_s(r.ttft_p)},
          {"tpot_s", time_s(r.tpot_p)},
          {"e2e_s", time_s(r.e2e_p)},
          {"output_tokens_per_s_per_gpu", number(r.tokens_per_gpu_s)},
          {"tokens_per_s_per_user", number(r.user_tokens_s)},
          {"usd_per_million_input_tokens", known(r.usd_per_minput)},
          {"usd_per_million_output_tokens", known(r.usd_per_moutput)},
          {"usd_per_year", known(r.usd_per_year)},
          {"power_w", known(r.power_w)},
          {"joule_per_output_token", known(r.j_per_output)},
          {"gco2e_per_output_token", known(r.g_per_output)}};
}

Json rows_json(const std::vector<ConfigurationRow>& rows) {
  Json out = Json::array();
  for (const auto& r : rows) out.push_back(row_json(r));
  return out;
}

Json times_json(const std::vector<study::TimesRow>& rows) {
  Json out = Json::object();
  for (const auto& t : rows)
    out[t.key] = {{"mean_s", time_s(t.mean)},
                  {"p50_s", time_s(t.p50)},
                  {"p90_s", time_s(t.p90)},
                  {"p99_s", time_s(t.p99)}};
  return out;
}

Json replays_json(const InferenceRun& run) {
  Json out = Json::array();
  for (const auto& r : run.replays)
    out.push_back({{"summary", r.summary},
                   {"requests", r.requests},
                   {"holds", r.holds},
                   {"overloaded", r.overloaded},
                   {"attained", number(r.attained)},
                   {"goodput_per_s", number(r.goodput_s)},
                   {"busy", number(r.busy)},
                   {"kv_used", number(r.kv_used)},
                   {"preemptions", number(r.preemptions)},
                   {"times", times_json(r.times)}});
  return out;
}

Json slos_json(const InferenceRun& run) {
  Json out = Json::array();
  for (const auto& s : run.slos)
    out.push_back({{"slo", s.key},
                   {"asked_s", number(s.asked)},
                   {"reached_s", time_s(s.reached)},
                   {"headroom", number(s.headroom())},
                   {"resource", s.resource}});
  return out;
}

Json shares_json(const std::vector<study::ShareRow>& rows, double scale) {
  Json out = Json::object();
  for (const auto& r : rows) out[r.name] = number(r.value / scale);
  return out;
}

Json run_json(const InferenceRun& run, const Trace& trace) {
  Json out = {{"workload", run.workload}, {"kind", run.kind},
              {"fits", run.fits},         {"laid_out", run.laid_out},
              {"verdict", run.verdict},   {"binding_slo", run.binding},
              {"resource", run.resource}, {"asked", texts_json(run.job)}};
  out["evaluated"] = run.evaluated;
  out["feasible"] = run.feasible;
  if (!run.chosen.summary.empty()) out["chosen"] = row_json(run.chosen);
  out["others"] = rows_json(run.others);
  out["front"] = rows_json(run.front);
  out["models"] = rows_json(run.compared);
  out["edge"] = rows_json(run.edge);
  out["slos"] = slos_json(run);
  out["definitions"] = texts_json(run.definitions);
  out["closed_form"] = times_json(run.times);
  out["engine"] = replays_json(run);
  for (const auto* s : {&run.rates, &run.use, &run.energy, &run.money})
    if (!s->key.empty()) out[s->key] = lines_json(s->lines, trace);
  out["price_origin"] = run.price_origin;
  out["step"] = {{"total_s", number(run.step_s)}, {"parts_s", shares_json(run.step, 1)}};
  out["memory"] = {
      {"unit", "GB"}, {"have", run.memory_have / 1e9}, {"items", shares_json(run.memory, 1e9)}};
  Json stages = Json::object();
  for (const auto& s : run.stages) stages[s.key] = lines_json(s.lines, trace);
  out["stages"] = stages;
  out["interval80"] = intervals_json(run.intervals, run.interval_origin);
  out["validated_domain"] = {{"inside", run.in_domain}, {"outside_because", run.outside}};
  out["changes"] = changes_json(run.changes, run.tried, "configuration");
  out["flags"] = flags_json(run.flags);
  out["limits"] = limits_json(run.margins);
  out["remarks"] = run.remarks;
  return out;
}

std::string csv_row(const char* table, const InferenceRun& run, const ConfigurationRow& r) {
  std::string out = csv_field(run.workload) + "," + table;
  for (const auto* text : {&r.model, &r.system, &r.accelerator, &r.engine})
    out += "," + csv_field(*text);
  const auto dim = [&](const char* key) {
    for (const auto& [k, value] : r.dims)
      if (k == key) return csv_field(value);
    return std::string();
  };
  for (const char* key : {"tp", "pp", "weights", "kv", "max_num_seqs", "max_num_batched_tokens",
                          "drafted_tokens", "prefill_tp", "ep", "attention_dp"})
    out += "," + dim(key);
  out += r.fits ? ",yes" : ",no";
  const double figures[] = {
      r.gpus,    r.replicas,         r.prefill_replicas, r.ttft_p,         r.tpot_p,
      r.e2e_p,   r.tokens_per_gpu_s, r.user_tokens_s,    r.usd_per_minput, r.usd_per_moutput,
      r.power_w, r.j_per_output,     r.g_per_output};
  for (const double f : figures) out += "," + number(f).dump();
  return out + "\n";
}

}  // namespace

std::string infer_json(const study::InferenceAnswer& answer) {
  Json runs = Json::array();
  for (const auto& run : answer.runs) runs.push_back(run_json(run, answer.verdict.trace));
  return answer_json(answer.verdict.scenario, answer.verdict.file, answer.fits(), std::move(runs));
}

std::string infer_csv(const study::InferenceAnswer& answer) {
  std::string out =
      "workload,table,model,system,accelerator,engine,tp,pp,weights,kv,max_num_seqs,"
      "max_num_batched_tokens,drafted_tokens,prefill_tp,ep,attention_dp,fits,gpus,replicas,prefill_"
      "replicas,"
      "ttft_s,tpot_s,e2e_s,output_tokens_per_s_per_gpu,tokens_per_s_per_user,"
      "usd_per_million_input_tokens,usd_per_million_output_tokens,power_w,joule_per_output_token,"
      "gco2e_per_output_token\n";
  for (const auto& run : answer.runs) {
    if (!run.chosen.summary.empty()) out += csv_row("chosen", run, run.chosen);
    for (const auto& r : run.others) out += csv_row("others", run, r);
    for (const auto& r : run.front) out += csv_row("front", run, r);
    for (const auto& r : run.compared) out += csv_row("models", run, r);
    for (const auto& r : run.edge) out += csv_row("edge", run, r);
  }
  return out;
}

}  // namespace headroom::report
