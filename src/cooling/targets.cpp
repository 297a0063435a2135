#include "cooling/targets.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>

#include "catalog/climate.hpp"
#include "cooling/compressor.hpp"
#include "cooling/failure_walk.hpp"
#include "cooling/plant_year.hpp"
#include "cooling/sizing.hpp"
#include "cooling/tower.hpp"
#include "spec/reader.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;

struct Row {
  std::string id, model, entry, unit, source, known_miss;
  Value<Scalar> wet_bulb, range, ratio, entering, load, supply, cabinet;
  Value<Scalar> expect, tolerance, within;
  bool at_most = false;

  void fields(spec::Fields& f) {
    f.text("id", id, "Name of the row").required();
    f.text("model", model, "What computes it").required();
    f.text("entry", entry, "Catalogue entry");
    f.text("unit", unit, "Unit of the figure");
    f.text("source", source, "Key of a source");
    f.text("known_miss", known_miss, "Why the figure is not met");
    f.number("wet_bulb", wet_bulb, "", "degC").between(-60, 60);
    f.number("range", range, "", "K");
    f.number("ratio", ratio, "", "L/G over design");
    f.number("entering", entering, "", "degC").between(-60, 80);
    f.number("load", load, "", "Part load");
    f.number("supply", supply, "", "Coolant to the racks, degC");
    f.number("cabinet", cabinet, "", "kW");
    f.number("expect", expect, "", "Published figure").required();
    f.number("tolerance", tolerance, "", "Relative");
    f.number("within", within, "", "Absolute");
    f.flag("at_most", at_most, "The figure is a bound");
  }
};

struct TargetFile {
  std::vector<Row> rows;
  void fields(spec::Fields& f) { f.list("rows", rows, "Figures to meet"); }
};

const catalog::Catalog& builtin() { return catalog::Catalog::builtin(); }

// --- Plants -----------------------------------------------------------------------

RackGroup plate_group(double racks, double rack_w, double share, double supply_c) {
  RackGroup g;
  g.name = "plates";
  g.racks = racks;
  g.rack_w = rack_w;
  g.family = CoolingFamily::cold_plate;
  g.liquid_share = share;
  g.supply.celsius = supply_c;
  g.chip = {1000, 0.025, 0.4, 87};  // 25 K at 1 kW (assumed)
  return g;
}

// 1,000 racks of 100 kW on plates only: the chain wet bulb -> tower -> plate -> CDU -> coolant.
Plant free_plant(double supply_c) {
  Plant p;
  p.groups.push_back(plate_group(1000, 100e3, 1, supply_c));
  WaterLoop loop;
  loop.supply.celsius = supply_c - 4;
  p.loops.push_back(loop);
  p.halls.push_back({});
  p.halls[0].groups = {0};
  PlantSizing s;
  s.tower = true;
  s.design_wet_bulb_c = 20;
  s.tower_approach_k = 4;
  s.plate_approach_k = 2;
  s.cdu_approach_k = 4;
  size(p, s);
  return p;
}

Plant air_hall(double cabinet_w) {
  Plant p;
  RackGroup g;
  g.name = "cabinets";
  g.racks = 100, g.rack_w = cabinet_w;
  p.groups.push_back(g);
  p.halls.push_back({});
  p.halls[0].groups = {0};
  p.halls[0].supply.celsius = 20;
  WaterLoop loop;
  loop.supply.celsius = 14;
  loop.chillers.capacity_w = 130 * cabinet_w;
  loop.chillers.on_air = true;
  p.loops.push_back(loop);
  size(p, {});
  return p;
}

double seconds_to_shutdown(const Plant& plant, Failure what) {
  const HourInput mild{.dry_bulb_c = 25, .wet_bulb_c = 18};
  FailureEvent lost;
  lost.what = what;
  const auto w = walk(plant, mild, {lost});
  return w.groups[0].shutdown_at_s;
}

// --- Rows -------------------------------------------------------------------------

class Checker {
 public:
  explicit Checker(std::string epw_folder) : folder_(std::move(epw_folder)) {}

  /// Of the EPW files read.
  const Diagnostics& mistakes() const { return mistakes_; }

  bool predict(const Row& r, TargetResult& out) {
    const auto at = [](const Value<Scalar>& v) { return v.or_else(0.0).si(); };
    if (r.model == "tower-approach") {
      out.predicted = york_terms(at(r.wet_bulb), at(r.range)).approach_k(at(r.ratio));
    } else if (r.model == "chiller-cop") {
      const auto* m = builtin().find<catalog::Chiller>(r.entry);
      if (m == nullptr) return false;
      out.predicted = curve_cop(*m, catalog::absolute(m->leaving),
                                Temperature::celsius(at(r.entering)), at(r.load));
    } else if (r.model == "pumped-refrigerant") {
      out.predicted = pumped_refrigerant_cop(at(r.entering));
    } else if (r.model == "chiller-free") {
      if (builtin().find<catalog::Climate>(r.entry) == nullptr) return false;
      const WeatherYear& w = weather(r.entry);
      out.note = w.source;
      out.predicted = year(free_plant(at(r.supply)), w).chiller_free_h;
    } else if (r.model == "air-shutdown") {
      out.predicted = seconds_to_shutdown(air_hall(1e3 * at(r.cabinet)), Failure::everything);
    } else if (r.model == "plate-shutdown") {
      out.predicted = seconds_to_shutdown(free_plant(35), Failure::coolant_pumps);
    } else {
      return esif(r, out);
    }
    return true;
  }

 private:
  bool esif(const Row& r, TargetResult& out) {
    const bool hybrid = r.model != "esif-water-towers";
    if (r.model != "esif-pue" && r.model != "esif-water-hybrid" && hybrid) return false;
    const WeatherYear& w = weather("denver");
    out.note = w.source;
    const auto y = year(esif_plant(w, hybrid), w);
    out.predicted = r.model == "esif-pue" ? 1 + y.pue_part : y.wue_l_kwh;
    return true;
  }

  const WeatherYear& weather(const std::string& climate) {
    const auto found = weather_.find(climate);
    if (found != weather_.end()) return found->second;
    static const std::map<std::string, std::string> files{
        {"stockholm", "SWE_Stockholm.Arlanda.024600_IWEC.epw"},
        {"seattle-wa", "USA_WA_Seattle-Tacoma.epw"},
        {"zurich", "CHE_Zuerich-Kloten_1990_2010_TMY.epw"},
        {"chicago-il", "USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw"},
        {"phoenix-az", "USA_AZ_Phoenix-Sky.Harbor.epw"},
        {"leesburg-va", "USA_VA_Leesburg.Exec.epw"},
        {"dallas-tx", "USA_TX_Dallas-Fort.Worth.epw"},
        {"singapore", "SGP_Singapore-Changi_1990_2010_TMY.epw"}};
    const auto file = files.find(climate);
    if (file != files.end() && !folder_.empty()) {
      const auto path = std::filesystem::path(folder_) / file->second;
      if (std::filesystem::exists(path)) {
        auto read = read_epw(path.string());
        if (read) {
          read->source = file->second;
          return weather_.emplace(climate, std::move(*read)).first->second;
        }
        mistakes_.add(read.error());
      }
    }
    const auto* entry = builtin().find<catalog::Climate>(climate);
    return weather_.emplace(climate, synthetic_year(*entry)).first->second;
  }

  std::string folder_;
  std::map<std::string, WeatherYear> weather_;
  Diagnostics mistakes_;
};

TargetResult frame(const Row& r) {
  TargetResult t;
  t.id = r.id;
  t.model = r.model;
  t.unit = r.unit;
  t.source = r.source;
  t.known_miss = r.known_miss;
  t.expected = r.expect.get().si();
  t.at_most = r.at_most;
  t.tolerance =
      r.within ? r.within.get().si() : std::abs(t.expected) * r.tolerance.or_else(0.0).si();
  return t;
}

// Keys that other readers take.
void drop(spec::Node& root, std::string_view key) {
  for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
    if (root.items[i].text != key) continue;
    const auto at = root.items.begin() + static_cast<std::ptrdiff_t>(i);
    root.items.erase(at, at + 2);
    return;
  }
}

}  // namespace

Plant esif_plant(const WeatherYear& weather, bool thermosyphon) {
  // Known: IT about 1 MW, mostly on liquid; energy-recovery water goes to building heat, then the
  // thermosyphon, then by plate exchanger to open towers; no compressors. A published snapshot of
  // the plant's screen has 32 degC returning, 22 after the thermosyphon, 18 degC tower water.
  // Boundary of its PUE: water and tower pumps, fans, 'other'; pumps in the racks are IT.
  Plant p;
  p.groups.push_back(plate_group(20, 50e3, 0.9, 23));
  auto& racks = p.groups[0];
  racks.air_rise_k = 14;
  racks.design_rise_k = 13;
  HallAir hall;
  hall.groups = {0};
  hall.supply.celsius = 26;
  p.halls.push_back(hall);
  WaterLoop loop;
  loop.supply.celsius = 19;  // assumed from the snapshot
  // 182,500 ft2 of offices and laboratories at 90 kWh/m2 a year of low-temperature heat below
  // 15 degC outdoors (assumed); the loop gives what its temperature allows.
  constexpr double heat_j = 16955 * 90 * 3.6e6, base_c = 15, span_k = 30;
  double hours = 0;
  for (const double t : weather.dry_bulb_c) {
    loop.reuse.profile.push_back(std::clamp((base_c - t) / span_k, 0.0, 1.0));
    hours += loop.reuse.profile.back();
  }
  loop.reuse.demand_w = hours > 0 ? heat_j / (hours * 3600) : 0;
  loop.reuse.level_c = 27;
  loop.reuse.return_c = 20;
  p.loops.push_back(loop);
  p.other_w = 10e3;  // filter pump 2.67 kW; lights, plugs, heater, make-up air 7 kW (assumed)
  PlantSizing s;
  s.tower = true;
  s.dry = thermosyphon;
  s.loop_rise_k = 13;
  s.design_wet_bulb_c = 18.3;  // Denver, 0.4 % (ASHRAE; recalled), with 7 degF of approach
  s.tower_approach_k = 3.9;
  size(p, s);
  racks.mover.head_pa = 0;
  // One thermosyphon: half of a dry cooler that takes everything at 11 degC outdoors (assumed).
  constexpr double thermosyphon_size = 0.5;
  auto& dry = p.loops[0].dry;
  dry.ua_w_k *= thermosyphon_size, dry.air *= thermosyphon_size, dry.fan_w *= thermosyphon_size;
  return p;
}

Result<std::vector<TargetResult>> check_targets(const std::string& file,
                                                const std::string& epw_folder) {
  Diagnostics diagnostics;
  const auto document = spec::load_yaml(file, diagnostics);
  if (!document) return failure(std::move(diagnostics));
  return check_target_document(file, *document, epw_folder);
}

Result<std::vector<TargetResult>> check_target_document(const std::string& name,
                                                        const spec::Document& document,
                                                        const std::string& epw_folder) {
  Diagnostics diagnostics;
  TargetFile rows;
  spec::ReadContext context;
  context.file = document.file;
  context.document = &document;
  context.default_source = published("facility targets");
  spec::Node only = document.root;
  drop(only, "sources");
  drop(only, "power");
  drop(only, "availability");
  if (!spec::read(only, rows, context, diagnostics)) return failure(std::move(diagnostics));
  Checker checker(epw_folder);
  std::vector<TargetResult> table;
  for (const auto& row : rows.rows) {
    TargetResult t = frame(row);
    if (checker.predict(row, t)) {
      table.push_back(std::move(t));
      continue;
    }
    Diagnostic d;
    d.file = name;
    d.line = row.expect.origin.line;
    d.column = row.expect.origin.column;
    d.message =
        fmt::format("row '{}': model '{}' or entry '{}' is unknown", row.id, row.model, row.entry);
    diagnostics.add(std::move(d));
  }
  diagnostics.add(checker.mistakes());
  if (!diagnostics.empty()) return failure(std::move(diagnostics));
  return table;
}

std::string to_text(const std::vector<TargetResult>& table) {
  auto sorted = table;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return !a.met() && b.met(); });
  std::string out = fmt::format("{:<28} {:>10} {:>10} {:>8} {:>6}  {}\n", "target", "published",
                                "headroom", "error", "", "unit");
  std::size_t met = 0;
  for (const auto& t : sorted) {
    met += t.met();
    const std::string error =
        t.at_most ? std::string("bound") : fmt::format("{:+.2f} %", 100 * t.error());
    out += fmt::format("{:<28} {:>10.4g} {:>10.4g} {:>8} {:>6}  {} ({})\n", t.id, t.expected,
                       t.predicted, error, t.met() ? "met" : "MISSED", t.unit, t.source);
    if (!t.met() && !t.known_miss.empty()) out += fmt::format("    {}\n", t.known_miss);
  }
  return out + fmt::format("{} of {} met\n", met, table.size());
}

}  // namespace headroom::cooling
