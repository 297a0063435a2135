#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "report/parts_json.hpp"
#include "report/replay_fleet.hpp"
#include "report/replay_report.hpp"

namespace headroom::report {
namespace {

using serving::Percentiles;
using serving::Summary;

Json percentiles(const Percentiles& p) {
  return {{"mean", number(p.mean)},    {"p50", number(p.p50)}, {"p90", number(p.p90)},
          {"p95", number(p.p95)},      {"p99", number(p.p99)}, {"max", number(p.worst)},
          {"at_slo", number(p.at_slo)}};
}

Json counts(const Summary& s) {
  return {{"total", s.requests},     {"finished", s.finished},   {"rejected", s.rejected},
          {"lost", s.lost},          {"in_flight", s.in_flight}, {"too_long", s.too_long},
          {"shed", s.shed},          {"retried", s.retried},     {"no_pool", s.no_pool},
          {"residency", s.residency}};
}

Json slos(const study::ReplayAnswer& a) {
  Json out = Json::array();
  for (const auto& h : a.run.summary.headroom)
    out.push_back({{"name", h.name},
                   {"slo_s", number(h.slo_s)},
                   {"reached_s", number(h.reached_s)},
                   {"headroom", number(h.margin())},
                   {"holds", h.reached_s <= h.slo_s},
                   {"binding", serving::resource_name(h.binding)}});
  return out;
}

Json bill(const study::ReplayAnswer& a) {
  const auto& b = a.run.summary.bill;
  return {{"meter_power_w", number(b.mean_w)},
          {"it_energy_j", number(b.it_j)},
          {"meter_energy_j", number(b.meter_j)},
          {"pue", number(a.tariff.pue)},
          {"region", a.tariff.place},
          {"carbon_kg", number(b.carbon_kg)},
          {"j_per_output_token", number(b.j_per_output)},
          {"j_per_token", number(b.j_per_token)},
          {"gco2e_per_output_token", number(b.g_per_output)},
          {"gco2e_per_token", number(b.g_per_token)},
          {"output_tokens_per_s_per_mw", number(b.output_s_per_mw)},
          {"gpu_hours", number(b.gpu_hours)},
          {"usd", number(b.usd)},
          {"usd_electricity", number(b.usd_energy)},
          {"usd_per_gpu_hour", number(a.tariff.usd_per_gpu_s * 3600)},
          {"price", a.tariff.rent_origin},
          {"usd_per_million_input_tokens", number(b.usd_per_minput)},
          {"usd_per_million_output_tokens", number(b.usd_per_moutput)},
          {"usd_per_million_tokens", number(b.usd_per_mtoken)},
          {"split", "by time on prompts and on decoding"}};
}

Json scaling(const Summary& s) {
  Json out = Json::array();
  for (const auto& e : s.scaling)
    out.push_back({{"at_s", number(e.at_s)},
                   {"pool", s.pools[e.pool].name},
                   {"ready", e.ready},
                   {"coming", e.coming}});
  return out;
}

Json tried(const study::ReplayAnswer& a) {
  Json out = Json::array();
  for (const auto& t : a.tried)
    out.push_back({{"replicas", t.replicas},
                   {"ttft_s", number(t.ttft_s)},
                   {"tpot_s", number(t.tpot_s)},
                   {"e2e_s", number(t.e2e_s)},
                   {"met", t.met},
                   {"overloaded", t.overloaded}});
  return out;
}

Json definitions(const study::ReplayAnswer& a) {
  const bool arrival = a.definitions.ttft == serving::TtftFrom::arrival;
  const bool excluding = a.definitions.tpot == serving::TpotOver::excluding_first;
  return {{"ttft", arrival ? "first token - arrival" : "first token - scheduled"},
          {"tpot", excluding ? "(end - first token) / (tokens - 1)" : "(end - arrival) / tokens"},
          {"itl", "all gaps between tokens, pooled"},
          {"e2e", "end - arrival"}};
}

Json forecast(const study::ReplayForecast& f) {
  return {{"offered_per_s", number(f.offered_s)},
          {"last_third_per_s", number(f.late_s)},
          {"saturation_per_replica_s", number(f.saturation_s)},
          {"inside_slo_per_replica_s", number(f.inside_slo_s)},
          {"replicas", number(f.replicas)},
          {"overloaded", f.overloaded},
          {"binding", f.binding}};
}

Json intervals(const study::ReplayAnswer& a) {
  Json out = Json::object();
  for (const auto& i : a.intervals)
    out[i.key] = {{"low", number(i.low)}, {"likely", number(i.likely)}, {"high", number(i.high)}};
  if (!a.intervals.empty()) out["from"] = a.interval_origin;
  return out;
}

Json load(const Summary& s) {
  const double span = s.span_s > 0 ? s.span_s : 1;
  return {{"span_s", number(s.span_s)},
          {"input_tokens", number(s.input_tokens)},
          {"output_tokens", number(s.output_tokens)},
          {"cached_tokens", number(s.cached_tokens)},
          {"input_tokens_per_s", number(s.input_tokens / span)},
          {"output_tokens_per_s", number(s.output_tokens / span)},
          {"goodput_per_s", number(s.goodput_s)},
          {"attained", number(s.attained)},
          {"steps", number(s.steps)},
          {"busy", number(s.busy)},
          {"running", number(s.running)},
          {"waiting", number(s.waiting)},
          {"kv_used", number(s.kv_used)},
          {"kv_peak", number(s.kv_peak)},
          {"preemptions", number(s.preemptions)}};
}

std::string_view fate_name(serving::Fate fate) {
  constexpr std::string_view names[] = {"finished", "rejected", "lost", "in_flight", "handed_over"};
  return names[static_cast<int>(fate)];
}

}  // namespace

std::string replay_json(const study::ReplayAnswer& a) {
  const Summary& s = a.run.summary;
  const auto& t = s.split;
  Json out = {{"trace", a.trace},
              {"model", a.model},
              {"machine", a.machine},
              {"layout", a.layout},
              {"engine", a.engine},
              {"replicas", a.replicas},
              {"gpus_per_replica", number(a.gpus_per_replica)},
              {"gpus", number(s.gpus)},
              {"max_num_seqs", a.config.max_num_seqs},
              {"max_num_batched_tokens", a.config.max_num_batched_tokens},
              {"kv_tokens", number(a.kv_tokens)},
              {"fits", a.fits()},
              {"met", a.met},
              {"reachable", a.reachable},
              {"overloaded", s.overloaded},
              {"unreachable", a.unreachable},
              {"percentile", number(a.percentile)},
              {"definitions", definitions(a)},
              {"requests", counts(s)},
              {"ttft_s", percentiles(s.ttft)},
              {"tpot_s", percentiles(s.tpot)},
              {"itl_s", percentiles(s.itl)},
              {"e2e_s", percentiles(s.e2e)},
              {"intervals_80_s", intervals(a)},
              {"slos", slos(a)},
              {"load", load(s)},
              {"step_time",
               {{"compute_s", number(t.compute_s)},
                {"bandwidth_s", number(t.bandwidth_s)},
                {"network_s", number(t.network_s)},
                {"host_s", number(t.host_s)}}},
              {"bill", bill(a)},
              {"forecast", forecast(a.forecast)},
              {"scaling", scaling(s)},
              {"tried", tried(a)},
              {"remarks", a.remarks}};
  replay_parts_json(a, out);
  return dumped(out);
}

std::string replay_rows(const study::ReplayAnswer& answer, RowForm form) {
  std::string out;
  auto to = std::back_inserter(out);
  if (form == RowForm::csv)
    out +=
        "request,fate,replica,arrival_s,scheduled_s,first_token_s,end_s,ttft_s,tpot_s,e2e_s,"
        "prompt,output,cached,preemptions,longest_gap_s\n";
  for (const auto& o : answer.run.outcomes) {
    const bool done = o.fate == serving::Fate::finished;
    const double ttft = done ? o.ttft_s() : 0, tpot = done ? o.tpot_s() : 0;
    if (form == RowForm::csv)
      fmt::format_to(
          to, "{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{},{},{},{},{:.6f}\n",
          o.request, fate_name(o.fate), o.replica, o.arrival_s, o.scheduled_s, o.first_token_s,
          o.end_s, ttft, tpot, o.e2e_s(), o.prompt, o.output, o.cached, o.preemptions,
          o.longest_gap_us * 1e-6);
    else
      fmt::format_to(to,
                     "{{\"request\":{},\"fate\":\"{}\",\"replica\":{},\"arrival_s\":{:.6f},"
                     "\"scheduled_s\":{:.6f},\"first_token_s\":{:.6f},\"end_s\":{:.6f},"
                     "\"ttft_s\":{:.6f},\"tpot_s\":{:.6f},\"e2e_s\":{:.6f},\"prompt\":{},"
                     "\"output\":{},\"cached\":{},\"preemptions\":{},\"longest_gap_s\":{:.6f}}}\n",
                     o.request, fate_name(o.fate), o.replica, o.arrival_s, o.scheduled_s,
                     o.first_token_s, o.end_s, ttft, tpot, o.e2e_s(), o.prompt, o.output, o.cached,
                     o.preemptions, o.longest_gap_us * 1e-6);
  }
  return out;
}

}  // namespace headroom::report
