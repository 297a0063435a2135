#include "report/replay_fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "report/table.hpp"

namespace headroom::report {

using Json = nlohmann::ordered_json;
using serving::Percentiles;
using serving::Served;
using serving::SloHeadroom;

std::string replay_percent(double share, int digits) {
  return fmt::format("{:.{}f} %", 100 * share, digits);
}

std::string replay_seconds(double s) {
  if (s >= 100) return format_number(s, 4) + " s";
  if (s >= 1) return format_number(s, 3) + " s";
  return s > 0 ? format_number(s * 1e3, 3) + " ms" : "0";
}

namespace {

std::string count(double n) { return format_number(n, 9); }

/// The SLO nearest to breaking.
const SloHeadroom* worst(const Served& s) {
  const auto least = [](const SloHeadroom& a, const SloHeadroom& b) {
    return a.margin() < b.margin();
  };
  const auto at = std::min_element(s.headroom.begin(), s.headroom.end(), least);
  return at == s.headroom.end() ? nullptr : &*at;
}

std::string clock(double s) {
  return s >= 3600 || s <= 0 ? format_number(s / 3600, 4) + " h"
                             : format_number(s / 60, 4) + " min";
}

class Parts {
 public:
  Parts(const study::ReplayAnswer& a, const TextOptions& o) : a_(a), s_(a.run.summary), o_(o) {}

  std::string write() {
    if (!a_.pools.empty()) {
      what();
      pools();
    }
    if (s_.classes.size() > 1) classes();
    if (s_.regions.size() > 1) regions();
    return std::move(out_);
  }

 private:
  void title(const std::string& text) {
    out_ += "\n" + (o_.colour ? fmt::format("\x1b[1m{}\x1b[0m", text) : text) + "\n";
  }

  void what() {
    title("Pools");
    Table table({{"", Align::left},
                 {"region", Align::left},
                 {"model", Align::left, 24},
                 {"on", Align::left, 24},
                 {"layout", Align::left, 34},
                 {"replicas", Align::right},
                 {"KV tokens", Align::right}});
    for (const auto& p : a_.pools)
      table.add({p.name, p.region, p.model, p.machine,
                 p.role.empty() ? p.layout : p.role + ", " + p.layout,
                 count(p.replicas) + (p.sized ? "*" : ""), count(p.kv_tokens)});
    out_ += table.str();
    if (std::any_of(a_.pools.begin(), a_.pools.end(), [](const auto& p) { return p.sized; }))
      out_ += "  * as many as the SLOs need\n";
    for (const auto& p : a_.pools) {
      if (p.caps.empty()) continue;
      std::string text;
      for (const auto& c : p.caps)
        text += fmt::format("{}{} from {}", text.empty() ? "" : ", ", format(c.cap, "W"),
                            clock(c.from_s));
      out_ += fmt::format("  {}: limited to {}\n", p.name, text);
    }
  }

  static std::vector<Column> seen_columns() {
    std::vector<Column> c = {{"", Align::left},
                             {"requests", Align::right},
                             {"inside SLO", Align::right},
                             {"goodput", Align::right}};
    for (const char* what :
         {"TTFT p50", "p90", "p99", "TPOT p50", "p90", "p99", "E2E p50", "p90", "p99"})
      c.push_back({what, Align::right});
    return c;
  }

  static void see(Table& table, const Served& s) {
    std::vector<std::string> row = {s.name, count(double(s.requests)), replay_percent(s.attained),
                                    format_number(s.goodput_s, 3) + "/s"};
    for (const Percentiles* p : {&s.ttft, &s.tpot, &s.e2e})
      for (const double x : {p->p50, p->p90, p->p99}) row.push_back(replay_seconds(x));
    table.add(row);
  }

  std::string style(const SloHeadroom* h) const {
    return h != nullptr && h->margin() < 0 && o_.colour ? "31" : "";
  }
  static std::string bound(const SloHeadroom* h) {
    return h == nullptr ? ""
                        : fmt::format("{} {} ({})", h->name, headroom_text(h->margin()),
                                      serving::resource_name(h->binding));
  }
  static std::string per_token(double total, double tokens, double scale) {
    return tokens > 0 ? format_number(scale * total / tokens, 3) : "-";
  }

  void pools() {
    title("Pools: what their requests saw");
    Table seen(seen_columns());
    for (const auto& p : s_.pools) see(seen, p);
    out_ += seen.str();
    title("Pools: use and cost");
    Table use({{"", Align::left},
               {"GPUs", Align::right},
               {"busy", Align::right},
               {"KV mean", Align::right},
               {"peak", Align::right},
               {"preempted", Align::right},
               {"power", Align::right},
               {"USD", Align::right},
               {"J/token", Align::right},
               {"mgCO2e", Align::right},
               {"least headroom", Align::left}});
    for (const auto& p : s_.pools) {
      const auto* h = worst(p);
      use.add({p.name, format_number(p.gpus, 3), replay_percent(p.busy), replay_percent(p.kv_used),
               replay_percent(p.kv_peak), count(p.preemptions), format_scaled(p.bill.mean_w, "W"),
               format_number(p.bill.usd, 4), per_token(p.bill.meter_j, p.output_tokens, 1),
               per_token(p.bill.carbon_kg, p.output_tokens, 1e6), bound(h)},
              style(h));
    }
    out_ += use.str();
  }

  void classes() {
    title("Classes: what they saw");
    Table seen(seen_columns());
    for (const auto& c : s_.classes) see(seen, c);
    out_ += seen.str();
    title("Classes: words and cost");
    Table table({{"", Align::left},
                 {"finished", Align::right},
                 {"refused", Align::right},
                 {"lost", Align::right},
                 {"preempted", Align::right},
                 {"token out", Align::right},
                 {"USD", Align::right},
                 {"J/token", Align::right},
                 {"mgCO2e", Align::right},
                 {"least headroom", Align::left}});
    for (const auto& c : s_.classes) {
      const auto* h = worst(c);
      table.add(
          {c.name, count(double(c.finished)), count(double(c.rejected)), count(double(c.lost)),
           count(c.preemptions), count(c.output_tokens), format_number(c.part.usd, 4),
           per_token(c.part.meter_j, c.output_tokens, 1),
           per_token(c.part.carbon_kg, c.output_tokens, 1e6), c.offline ? "offline" : bound(h)},
          style(h));
    }
    out_ += table.str();
  }

  void regions() {
    title("Regions: what the requests that come from there saw");
    Table seen(seen_columns());
    for (const auto& r : s_.regions) see(seen, r);
    out_ += seen.str();
    title("Regions: residency, and the machines that stand there");
    Table table({{"", Align::left},
                 {"refused", Align::right},
                 {"served elsewhere", Align::right},
                 {"round trip", Align::right},
                 {"GPUs", Align::right},
                 {"busy", Align::right},
                 {"KV", Align::right},
                 {"power", Align::right},
                 {"USD", Align::right},
                 {"kgCO2e", Align::right},
                 {"least headroom", Align::left}});
    for (const auto& r : s_.regions) {
      const auto* h = worst(r);
      table.add({r.name, count(double(r.residency)), count(double(r.elsewhere)),
                 replay_seconds(r.rtt_s), format_number(r.gpus, 3), replay_percent(r.busy),
                 replay_percent(r.kv_used), format_scaled(r.bill.mean_w, "W"),
                 format_number(r.bill.usd, 4), format_number(r.bill.carbon_kg, 3), bound(h)},
                style(h));
    }
    out_ += table.str();
    out_ += "  refused: by residency, no pool where the request may be served\n";
  }

  const study::ReplayAnswer& a_;
  const serving::Summary& s_;
  const TextOptions& o_;
  std::string out_;
};

// --- JSON -------------------------------------------------------------------------------

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json percentiles(const Percentiles& p) {
  return {{"mean", number(p.mean)},    {"p50", number(p.p50)}, {"p90", number(p.p90)},
          {"p95", number(p.p95)},      {"p99", number(p.p99)}, {"max", number(p.worst)},
          {"at_slo", number(p.at_slo)}};
}

Json headroom(const Served& s) {
  Json out = Json::array();
  for (const auto& h : s.headroom)
    out.push_back({{"name", h.name},
                   {"slo_s", number(h.slo_s)},
                   {"reached_s", number(h.reached_s)},
                   {"headroom", number(h.margin())},
                   {"holds", h.reached_s <= h.slo_s},
                   {"binding", serving::resource_name(h.binding)}});
  return out;
}

Json served(const Served& s) {
  return {{"name", s.name},
          {"requests", s.requests},
          {"finished", s.finished},
          {"rejected", s.rejected},
          {"lost", s.lost},
          {"attained", number(s.attained)},
          {"goodput_per_s", number(s.goodput_s)},
          {"input_tokens", number(s.input_tokens)},
          {"output_tokens", number(s.output_tokens)},
          {"cached_tokens", number(s.cached_tokens)},
          {"preemptions", number(s.preemptions)},
          {"ttft_s", percentiles(s.ttft)},
          {"tpot_s", percentiles(s.tpot)},
          {"e2e_s", percentiles(s.e2e)},
          {"slos", headroom(s)}};
}

Json part(const serving::Part& p) {
  return {{"usd", number(p.usd)},
          {"meter_energy_j", number(p.meter_j)},
          {"carbon_kg", number(p.carbon_kg)}};
}

Json bill(const serving::Bill& b) {
  return {{"meter_power_w", number(b.mean_w)},
          {"meter_energy_j", number(b.meter_j)},
          {"carbon_kg", number(b.carbon_kg)},
          {"gpu_hours", number(b.gpu_hours)},
          {"usd", number(b.usd)},
          {"j_per_output_token", number(b.j_per_output)},
          {"gco2e_per_output_token", number(b.g_per_output)},
          {"usd_per_million_input_tokens", number(b.usd_per_minput)},
          {"usd_per_million_output_tokens", number(b.usd_per_moutput)}};
}

Json pool(const serving::PoolSummary& p) {
  Json out = served(p);
  out.update({{"replicas_mean", number(p.replicas_mean)},
              {"replicas_most", p.replicas_most},
              {"started", p.started},
              {"stopped", p.stopped},
              {"failures", p.failures},
              {"gpus", number(p.gpus)},
              {"busy", number(p.busy)},
              {"running", number(p.running)},
              {"waiting", number(p.waiting)},
              {"kv_used", number(p.kv_used)},
              {"kv_peak", number(p.kv_peak)},
              {"step_time",
               {{"compute_s", number(p.split.compute_s)},
                {"bandwidth_s", number(p.split.bandwidth_s)},
                {"network_s", number(p.split.network_s)},
                {"host_s", number(p.split.host_s)}}},
              {"gpu_s",
               {{"prefill", number(p.gpu_time.prefill_s)},
                {"decode", number(p.gpu_time.decode_s)},
                {"idle", number(p.gpu_time.idle_s)}}},
              {"bill", bill(p.bill)}});
  return out;
}

Json what(const study::ReplayPool& p) {
  Json caps = Json::array();
  for (const auto& c : p.caps)
    caps.push_back({{"from_s", number(c.from_s)}, {"cap_w", number(c.cap.si())}});
  return {{"model", p.model},
          {"machine", p.machine},
          {"layout", p.layout},
          {"engine", p.engine},
          {"region", p.region},
          {"role", p.role.empty() ? "both" : p.role},
          {"replicas", p.replicas},
          {"sized", p.sized},
          {"gpus_per_replica", number(p.gpus_per_replica)},
          {"kv_tokens", number(p.kv_tokens)},
          {"saturation_per_s", number(p.saturation_s)},
          {"usd_per_gpu_hour", number(p.usd_per_gpu_s * 3600)},
          {"price", p.price},
          {"power_caps", caps}};
}

}  // namespace

std::string replay_parts_text(const study::ReplayAnswer& answer, const TextOptions& options) {
  return Parts(answer, options).write();
}

void replay_parts_json(const study::ReplayAnswer& a, Json& out) {
  const auto& s = a.run.summary;
  out["fleet"] = a.fleet;
  out["classes"] = Json::array();
  for (const auto& c : s.classes) {
    Json k = served(c);
    k["offline"] = c.offline;
    if (c.region < s.regions.size()) k["region"] = s.regions[c.region].name;
    k["part"] = part(c.part);
    out["classes"].push_back(std::move(k));
  }
  out["pools"] = Json::array();
  for (std::size_t i = 0; i < s.pools.size(); ++i) {
    Json p = pool(s.pools[i]);
    if (i < a.pools.size()) p["what"] = what(a.pools[i]);
    out["pools"].push_back(std::move(p));
  }
  out["regions"] = Json::array();
  for (const auto& r : s.regions) {
    Json k = served(r);
    k["refused_by_residency"] = r.residency;
    k["served_elsewhere"] = r.elsewhere;
    k["round_trip_s"] = number(r.rtt_s);
    k["part"] = part(r.part);
    k["gpus"] = number(r.gpus);
    k["busy"] = number(r.busy);
    k["kv_used"] = number(r.kv_used);
    k["bill"] = bill(r.bill);
    out["regions"].push_back(std::move(k));
  }
}

}  // namespace headroom::report
