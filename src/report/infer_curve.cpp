#include "report/infer_curve.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "report/parts.hpp"
#include "report/parts_json.hpp"

namespace headroom::report {
namespace {

using study::Curve;
using study::CurvePoint;
using study::CurveRun;

class Writer : Sheet {
 public:
  Writer(const CurveRun& run, const TextOptions& options) : Sheet(options), r_(run) {}

  std::string write() {
    raw(paint(r_.fits ? "FITS" : "DOES NOT FIT", r_.fits ? "1;32" : "1;31") + "  " + r_.title +
        "\n");
    prose(r_.verdict, "");
    asked();
    if (r_.curves.empty()) return take();
    curve(r_.curves.front());
    knee(r_.curves.front());
    engine();
    others();
    if (!r_.price_origin.empty()) prose("price: " + r_.price_origin);
    remarks(r_.remarks);
    return take();
  }

 private:
  void asked() {
    title("Asked");
    Table table({{"", Align::left, 14}, {"", Align::left, 0}});
    for (const auto& [key, value] : r_.job) table.add({key, value});
    table.add({r_.closed ? "load" : "load", r_.closed ? "a closed loop: so many requests in flight"
                                                      : "an open loop: so many requests a second"});
    std::string slos;
    for (const auto& [label, s] : r_.slos)
      slos += fmt::format("{}{} {}", slos.empty() ? "" : ", ", label, seconds(s));
    if (!slos.empty())
      table.add({"slo", r_.closed ? slos + " in the mean"
                                  : fmt::format("{} for {:.4g} % of requests", slos,
                                                100 * r_.percentile)});
    put(table);
  }

  std::string load(double x) const {
    return r_.closed ? format_number(x, 4) : format_number(x, 4) + "/s";
  }

  static std::vector<std::string> cells(const CurvePoint& p) {
    const auto time = [&](double s) { return p.stable ? seconds(s) : std::string("-"); };
    return {time(p.ttft_s),
            time(p.tpot_s),
            time(p.e2e_s),
            figure(p.user_tokens_s),
            format_number(p.output_s),
            format_number(p.output_per_gpu_s),
            figure(p.usd_per_moutput),
            figure(p.j_per_output)};
  }

  static std::string word(const CurvePoint& p, bool waits) {
    if (!p.breaks.empty()) return p.breaks + (p.stable ? " too long" : "");
    if (!p.stable) return "does not fit the memory";
    return waits && p.waiting >= 1 ? fmt::format("{:.0f} wait", p.waiting) : "";
  }

  void curve(const Curve& c) {
    title(c.summary);
    std::vector<Column> columns{{r_.closed ? "in flight" : "request/s", Align::right, 0}};
    for (const char* head :
         {"TTFT", "TPOT", "E2E", "tok/s user", "tok/s out", "tok/s GPU", "USD/Mtok out", "J/tok"})
      columns.push_back({head, Align::right, 0});
    columns.push_back({"", Align::left, 0}), columns.push_back({"", Align::left, 0});
    Table table(columns);
    double most = c.knee.output_s;
    for (const auto& p : c.points) most = std::max(most, p.output_s);
    const auto add = [&](const CurvePoint& p, const std::string& note, std::string_view look) {
      std::vector<std::string> row{load(p.load)};
      for (auto& cell : cells(p)) row.push_back(std::move(cell));
      row.push_back(bar(most > 0 ? p.output_s / most : 0, 20));
      row.push_back(note);
      table.add(row, look);
    };
    bool told = false;
    for (const auto& p : sorted(c.points)) {
      if (!told && c.knee.load > 0 && p.load > c.knee.load)
        told = true, add(c.knee, "the knee", style("1"));
      add(p, word(p, true), p.holds ? "" : style("31"));
    }
    if (!told && c.knee.load > 0) add(c.knee, "the knee", style("1"));
    put(table);
  }

  static std::vector<CurvePoint> sorted(std::vector<CurvePoint> points) {
    std::stable_sort(points.begin(), points.end(),
                     [](const auto& a, const auto& b) { return a.load < b.load; });
    return points;
  }

  void knee(const Curve& c) {
    if (c.knee.load <= 0) return;
    prose(fmt::format(
        "knee at {}{}: {} output tokens/s at {} to an answer; beyond it the time to "
        "answer grows faster than throughput{}",
        load(c.knee.load), r_.closed ? " in flight" : "", format_number(c.knee.output_s),
        seconds(c.knee.e2e_s),
        c.saturation > 0
            ? fmt::format("; at most {} request/s (closed form)", format_number(c.saturation))
            : std::string()));
    prose("means over requests; tok/s out counts answers");
  }

  void engine() {
    if (r_.replays.empty()) return;
    title("The same by the engine, request by request");
    Table table({{"in flight", Align::right, 0},
                 {"TTFT", Align::right, 0},
                 {"p50", Align::right, 0},
                 {"p99", Align::right, 0},
                 {"TPOT", Align::right, 0},
                 {"p50", Align::right, 0},
                 {"p99", Align::right, 0},
                 {"tok/s out", Align::right, 0},
                 {"KV used", Align::right, 0},
                 {"inside SLOs", Align::right, 0}});
    for (const auto& e : r_.replays) {
      const auto &ttft = e.times[0], &tpot = e.times[1];
      table.add({e.summary, seconds(ttft.mean), seconds(ttft.p50), seconds(ttft.p99),
                 seconds(tpot.mean), seconds(tpot.p50), seconds(tpot.p99),
                 format_number(e.output_s), percent(e.kv_used),
                 r_.slos.empty() ? "-" : percent(e.attained)});
    }
    put(table);
  }

  /// The other configurations at the last load that the shown one keeps.
  void others() {
    if (r_.curves.size() < 2) return;
    const auto& first = r_.curves.front();
    std::size_t at = first.points.size() - 1;
    for (std::size_t i = 0; i < first.points.size(); ++i)
      if (first.points[i].holds) at = i;
    title(fmt::format("Other configurations at {}{}", load(first.points[at].load),
                      r_.closed ? " in flight" : ""));
    Table table({{"", Align::left, 74},
                 {"TTFT", Align::right, 0},
                 {"TPOT", Align::right, 0},
                 {"tok/s out", Align::right, 0},
                 {"USD/Mtok out", Align::right, 0},
                 {"knee", Align::right, 0},
                 {"", Align::left, 0}});
    for (std::size_t i = 1; i < r_.curves.size(); ++i) {
      const auto& c = r_.curves[i];
      const auto& p = c.points[at];
      const auto cell = cells(p);
      table.add({c.summary, cell[0], cell[1], cell[4], cell[6],
                 c.knee.load > 0 ? load(c.knee.load) : "-", word(p, false)});
    }
    put(table);
  }

  const CurveRun& r_;
};

Json point_json(const CurvePoint& p, bool closed) {
  Json out = {{closed ? "in_flight" : "requests_per_s_asked", number(p.load)},
              {"stable", p.stable},
              {"holds", p.holds},
              {"breaks", p.breaks},
              {"requests_per_s", number(p.rate_s)},
              {"output_tokens_per_s", number(p.output_s)},
              {"input_tokens_per_s", number(p.input_s)},
              {"output_tokens_per_s_per_gpu", number(p.output_per_gpu_s)},
              {"tokens_per_s_per_user", known(p.user_tokens_s)},
              {"running_per_replica", number(p.running)},
              {"waiting_per_replica", number(p.waiting)}};
  const auto times = [&](const char* name, double mean, double at_percentile) {
    out[name] = {
        {"mean_s", p.stable ? time_s(mean) : Json(nullptr)},
        {"at_percentile_s", p.stable && at_percentile > 0 ? time_s(at_percentile) : Json(nullptr)}};
  };
  times("ttft", p.ttft_s, p.ttft_p_s), times("tpot", p.tpot_s, p.tpot_p_s);
  times("e2e", p.e2e_s, p.e2e_p_s);
  out["power_w"] = known(p.power_w);
  out["joule_per_output_token"] = known(p.j_per_output);
  out["usd_per_million_output_tokens"] = known(p.usd_per_moutput);
  return out;
}

Json curve_json(const Curve& c, bool closed) {
  Json points = Json::array();
  for (const auto& p : c.points) points.push_back(point_json(p, closed));
  return {{"summary", c.summary},
          {"system", c.system},
          {"accelerator", c.accelerator},
          {"engine", c.engine},
          {"configuration", dims_json(c.dims)},
          {"gpus", c.gpus},
          {"replicas", c.replicas},
          {"loads_kept", c.held},
          {"saturation_requests_per_s", number(c.saturation)},
          {"points", points},
          {"knee", c.knee.load > 0 ? point_json(c.knee, closed) : Json(nullptr)}};
}

Json engine_json(const CurveRun& run) {
  Json out = Json::array();
  for (const auto& e : run.replays) {
    Json row = {{"in_flight", e.summary},
                {"requests", e.requests},
                {"holds", e.holds},
                {"attained", number(e.attained)},
                {"output_tokens_per_s", number(e.output_s)},
                {"kv_used", number(e.kv_used)}};
    for (const auto& t : e.times)
      row[t.key] = {{"mean_s", time_s(t.mean)},
                    {"p50_s", time_s(t.p50)},
                    {"p90_s", time_s(t.p90)},
                    {"p99_s", time_s(t.p99)}};
    out.push_back(std::move(row));
  }
  return out;
}

Json run_json(const CurveRun& run) {
  Json slos = Json::object(), curves = Json::array();
  for (const auto& [label, s] : run.slos) slos[label] = s;
  for (const auto& c : run.curves) curves.push_back(curve_json(c, run.closed));
  return {{"workload", run.workload},
          {"loop", run.closed ? "closed" : "open"},
          {"fits", run.fits},
          {"verdict", run.verdict},
          {"asked", texts_json(run.job)},
          {"slos_s", slos},
          {"percentile", run.percentile},
          {"curves", curves},
          {"engine", engine_json(run)},
          {"price_origin", run.price_origin},
          {"remarks", run.remarks}};
}

}  // namespace

std::string curve_text(const study::CurveAnswer& answer, const TextOptions& options) {
  std::string out;
  for (const auto& run : answer.runs) {
    if (!out.empty()) out += "\n";
    out += Writer(run, options).write();
  }
  return out;
}

std::string curve_json(const study::CurveAnswer& answer) {
  Json runs = Json::array();
  for (const auto& run : answer.runs) runs.push_back(run_json(run));
  return answer_json(answer.scenario, answer.file, answer.fits(), std::move(runs));
}

std::string curve_csv(const study::CurveAnswer& answer) {
  std::string out =
      "workload,configuration,system,gpus,replicas,loop,load,knee,holds,requests_per_s,ttft_s,"
      "tpot_s,e2e_s,output_tokens_per_s,output_tokens_per_s_per_gpu,tokens_per_s_per_user,"
      "usd_per_million_output_tokens,power_w,joule_per_output_token\n";
  for (const auto& run : answer.runs)
    for (const auto& c : run.curves) {
      const auto row = [&](const CurvePoint& p, bool knee) {
        out += csv_field(run.workload) + "," + csv_field(c.summary) + "," + csv_field(c.system);
        for (const double x : {c.gpus, c.replicas}) out += "," + number(x).dump();
        out += run.closed ? ",closed" : ",open";
        out += "," + number(p.load).dump() + (knee ? ",yes" : ",no") + (p.holds ? ",yes" : ",no");
        for (const double x :
             {p.rate_s, p.ttft_s, p.tpot_s, p.e2e_s, p.output_s, p.output_per_gpu_s,
              p.user_tokens_s, p.usd_per_moutput, p.power_w, p.j_per_output})
          out += "," + known(x).dump();
        out += "\n";
      };
      for (const auto& p : c.points) row(p, false);
      if (c.knee.load > 0) row(c.knee, true);
    }
  return out;
}

}  // namespace headroom::report
