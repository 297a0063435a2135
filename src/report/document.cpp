#include "report/document.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/facility_layout.hpp"
#include "report/facility_report.hpp"
#include "report/layout_svg.hpp"
#include "report/parts_json.hpp"
#include "report/train_report.hpp"

namespace headroom::report {
namespace {

constexpr std::size_t most_front = 60;     // plans of a picture
constexpr std::size_t most_passes = 6000;  // drawn of a step

std::string packed(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// To so many decimals; what is not finite is null.
Json rounded(double x, double steps) { return number(std::round(x * steps) / steps); }

/// A value an hour.
template <class Of>
Json hourly(std::size_t hours, double steps, Of of) {
  Json out = Json::array();
  for (std::size_t h = 0; h < hours; ++h) {
    const double x = of(h);
    out.push_back(x < -200 ? Json(nullptr) : rounded(x, steps));
  }
  return out;
}

Json hours_json(const study::FacilityAnswer& a) {
  const std::size_t n = a.hours.size();
  const auto& hour = a.hours;
  const auto& plant = a.plant.hours;
  constexpr double tenths = 10, thousandths = 1000;
  Json compressor = Json::array();
  for (const auto& s : plant) compressor.push_back(s.compressor ? 1 : 0);
  return {{"count", n},
          {"first", "1 January, 00:00"},
          {"pue", hourly(n, thousandths,
                         [&](auto h) { return hour[h].meter_w / std::max(1e-9, hour[h].it_w); })},
          {"compressor", compressor},
          {"dry_bulb_c", hourly(n, tenths, [&](auto h) { return a.air.dry_bulb_c[h]; })},
          {"wet_bulb_c", hourly(n, tenths, [&](auto h) { return a.air.wet_bulb_c[h]; })},
          {"supply_c", hourly(n, tenths, [&](auto h) { return plant[h].warmest_supply_c; })},
          {"meter_kw", hourly(n, 1, [&](auto h) { return hour[h].meter_w / 1e3; })}};
}

/// The text of a key, as the whole document of a hall.
std::string hall_svg(const study::LayoutAnswer& all, std::size_t hall, bool by_weight) {
  study::LayoutAnswer one;
  one.scenario = all.scenario;
  one.halls = {all.halls[hall]};
  return layout_svg(one, by_weight);
}

// --- Training ---------------------------------------------------------------------------

/// Of plans that no other beats in every way, those that need least memory at their speed, and at
/// most so many, evenly over the speeds.
Json thinned(Json front) {
  std::vector<Json> rows(front.begin(), front.end());
  const auto speed = [](const Json& r) { return r["tokens_per_s"]["value"].get<double>(); };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Json& a, const Json& b) { return speed(a) > speed(b); });
  std::vector<Json> kept;
  double least = 1e300;
  for (auto& row : rows) {
    const double memory = row["memory"]["value"].get<double>();
    if (memory >= least) continue;
    least = memory;
    kept.push_back(std::move(row));
  }
  Json out = Json::array();
  const std::size_t n = std::min(kept.size(), most_front);
  for (std::size_t i = 0; i < n; ++i)
    out.push_back(kept[n < 2 ? 0 : i * (kept.size() - 1) / (n - 1)]);
  return out;
}

/// Ranks of a pipeline that a picture has room for: first, last and evenly between.
std::vector<std::size_t> shown_ranks(std::size_t ranks, std::size_t passes) {
  const std::size_t most = std::max<std::size_t>(2, most_passes / std::max<std::size_t>(1, passes));
  std::vector<std::size_t> out;
  const std::size_t n = std::min(ranks, most);
  for (std::size_t i = 0; i < n; ++i) out.push_back(n < 2 ? 0 : i * (ranks - 1) / (n - 1));
  return out;
}

/// A step's passes: [kind, micro-batch, chunk, start, end] a pass, in ms; kinds by number.
Json pipeline_json(const std::string& text) {
  Json in = Json::parse(text, nullptr, false);
  if (in.is_discarded() || !in.contains("ranks") || in["ranks"].empty()) return nullptr;
  const Json ranks = std::move(in["ranks"]);
  in.erase("ranks");
  in["pass"] = {"kind", "micro_batch", "chunk", "start_ms", "end_ms"};
  Json kinds = Json::array(), shown = Json::array();
  for (const auto at : shown_ranks(ranks.size(), ranks.front()["ops"].size())) {
    Json rank = ranks[at];
    Json passes = Json::array();
    for (const auto& op : rank["ops"]) {
      auto kind = std::find(kinds.begin(), kinds.end(), op["kind"]);
      if (kind == kinds.end()) {
        kinds.push_back(op["kind"]);
        kind = std::prev(kinds.end());
      }
      passes.push_back({kind - kinds.begin(), op["micro_batch"], op["chunk"],
                        rounded(op["start_ms"].get<double>(), 100),
                        rounded(op["end_ms"].get<double>(), 100)});
    }
    rank.erase("ops");
    rank["passes"] = std::move(passes);
    shown.push_back(std::move(rank));
  }
  in["kinds"] = kinds;
  in["ranks_in_all"] = ranks.size();
  in["ranks"] = std::move(shown);
  return in;
}

// --- The whole --------------------------------------------------------------------------

std::string parts_text(const std::vector<ReportPart>& parts) {
  std::string made, failed;
  for (const auto& p : parts) {
    std::string& out = p.json.empty() ? failed : made;
    if (!out.empty()) out += ',';
    out += Json(p.key).dump() + ':' + (p.json.empty() ? packed(Json(p.failed)) : p.json);
  }
  return "\"parts\":{" + made + "},\"failed\":{" + failed + "}";
}

/// `head` without its closing brace, the parts behind it.
std::string with_parts(const Json& head, const std::vector<ReportPart>& parts) {
  std::string out = packed(head);
  out.back() = ',';
  return out + parts_text(parts);
}

}  // namespace

std::string compact(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted && c == '\\' && i + 1 < json.size()) {
      out += c;
      out += json[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (quoted || (c != ' ' && c != '\n' && c != '\t' && c != '\r')) out += c;
  }
  return out;
}

std::string report_csv(const study::Verdict& v) {
  std::string out = "kind,id,name,value,need,have,unit,headroom,holds,formula,source,why\n";
  const auto row = [&](std::initializer_list<std::string> cells) {
    bool first = true;
    for (const auto& cell : cells) {
      if (!first) out += ',';
      out += csv_field(cell), first = false;
    }
    out += '\n';
  };
  const auto value = [](double si, const std::string& unit) {
    return quantity(si, unit)["value"].dump();
  };
  for (const auto& m : v.margins)
    row({"limit", m.id, m.limit, "", value(m.need, m.unit), value(m.have, m.unit), m.unit,
         number(m.headroom()).dump(), m.holds() ? "yes" : "no", "", "", m.why});
  for (const auto& n : v.trace.nodes())
    row({!n.text.empty()     ? "choice"
         : n.formula.empty() ? "input"
                             : "figure",
         n.id, "", n.text.empty() ? value(n.si, n.unit) : n.text, "", "", n.unit, "", "", n.formula,
         n.origin.source ? describe(*n.origin.source) : "", ""});
  return out;
}

std::string document_json(const ReportDocument& d) {
  std::string out = with_parts({{"kind", "headroom-report"},
                                {"version", d.version},
                                {"name", d.name},
                                {"file", d.file},
                                {"date", d.date.empty() ? Json(nullptr) : Json(d.date)},
                                {"scenario", d.scenario}},
                               d.parts);
  std::string also;
  for (const auto& v : d.also)
    also += (also.empty() ? "" : ",") +
            with_parts({{"name", v.name}, {"file", v.file}, {"scenario", v.scenario}}, v.parts) +
            "}";
  if (!d.also.empty()) out += ",\"also\":[" + also + "]";
  return out + "}\n";
}

std::string year_part(const study::FacilityAnswer& answer) {
  std::string out = compact(facility_json(answer));
  if (!answer.has_year || out.empty()) return out;
  out.back() = ',';
  return out + "\"hours\":" + packed(hours_json(answer)) + "}";
}

std::string layout_part(study::LayoutAnswer answer) {
  for (auto& hall : answer.halls) hall.plan = building::merged(std::move(hall.plan));
  Json out = Json::parse(layout_json(answer));
  for (std::size_t i = 0; i < answer.halls.size(); ++i)
    out["halls"][i]["svg"] = {{"power", hall_svg(answer, i, false)},
                              {"weight", hall_svg(answer, i, true)}};
  return packed(out);
}

std::string train_part(const study::TrainingAnswer& answer) {
  Json out = Json::parse(train_json(answer));
  for (std::size_t i = 0; i < answer.runs.size(); ++i) {
    Json& run = out["runs"][i];
    if (run.contains("front")) {
      run["front_in_all"] = run["front"].size();
      run["front"] = thinned(std::move(run["front"]));
    }
    if (!answer.runs[i].pipeline_json.empty())
      run["pipeline"] = pipeline_json(answer.runs[i].pipeline_json);
  }
  return packed(out);
}

std::string claims_part(const std::string& claims_json) {
  Json all = Json::parse(claims_json);
  for (auto& claim : all) {
    for (const char* key : {"ledger", "agrees", "expected", "dispute"}) claim.erase(key);
    for (auto& check : claim["checks"])
      for (const char* key : {"looked", "error", "derive", "against"}) check.erase(key);
  }
  return packed({{"claims", all}});
}

}  // namespace headroom::report
