#include "study/facility_year.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "catalog/climate.hpp"
#include "catalog/region.hpp"
#include "cooling/plant_checks.hpp"
#include "cooling/plant_of_design.hpp"
#include "study/check.hpp"
#include "study/facility_hours.hpp"
#include "study/facility_load.hpp"
#include "study/facility_parts.hpp"

namespace headroom::study {
namespace {

constexpr double hour_s = 3600;
constexpr int most_rounds = 20;

/// The study's own heat at maximum: what the plant is sized for.
cooling::Heat heat_max(const Context& c) {
  cooling::Heat h;
  for (const auto& hall : c.halls) h.it.push_back(hall.it_max.value);
  h.loss = c.power.max.distribution_loss;
  h.power_rooms = c.power.max.power_room_heat();
  return h;
}

const catalog::Region* region_of(const Context& c) {
  if (!c.scenario.site) return nullptr;
  return c.catalog.find<catalog::Region>(c.scenario.site->region);
}

Result<cooling::WeatherYear> weather_of(const Context& c, const FacilityOptions& o) {
  if (!o.epw.empty()) return cooling::read_epw(o.epw, {o.fill_gap_h});
  cooling::Demand demand;
  if (const auto* region = region_of(c))
    demand.climate = c.catalog.find<catalog::Climate>(region->climate);
  const auto spec = c.scenario.cooling.value_or(cooling::PlantSpec{});
  return cooling::synthetic_year(cooling::climate_of(spec, demand, c.catalog));
}

void sum_energy(FacilityAnswer& a) {
  double it = 0, hall = 0, ups = 0, switchgear = 0, transformer = 0, other = 0;
  for (std::size_t h = 0; h < a.hours.size(); ++h) {
    const auto& x = a.hours[h];
    it += x.it_w, hall += x.hall_loss_w, ups += x.ups_w, switchgear += x.switchgear_w;
    transformer += x.transformer_w, other += x.other_w;
    a.meter_j += x.meter_w * hour_s;
    if (x.meter_w > a.peak_meter_w) a.peak_meter_w = x.meter_w, a.peak_hour = h;
    const auto& s = a.plant.hours[h];
    const double out = s.by_tower_w + s.by_dry_w + s.by_outside_air_w + s.by_condenser_air_w +
                       s.reused_w + s.unmet_w + x.transformer_w + x.other_w;
    a.worst_imbalance = std::max(a.worst_imbalance, std::abs(x.meter_w - out) / x.meter_w);
  }
  a.it_j = it * hour_s;
  const auto& e = a.plant.energy;
  a.energy = {{"it", "IT", a.it_j},
              {"room_fans", "fans of room units and doors", e.room_fans},
              {"coolant_pumps", "coolant pumps", e.coolant_pumps},
              {"loop_pumps", "facility water pumps", e.loop_pumps},
              {"tower_pumps", "tower pumps", e.tower_pumps},
              {"rejection_fans", "fans of towers and dry coolers", e.rejection_fans},
              {"compressors", "compressors", e.compressors},
              {"heat_pumps", "heat pumps of reuse", e.heat_pumps},
              {"distribution_loss", "losses in the halls' distribution", hall * hour_s},
              {"ups_loss", "losses of the UPS", ups * hour_s},
              {"switchgear_loss", "losses of switchgear", switchgear * hour_s},
              {"transformer_loss", "losses of transformers", transformer * hour_s},
              {"other", "other loads", other * hour_s}};
  a.heat = {{"tower", "towers", e.by_tower},
            {"dry_cooler", "dry coolers", e.by_dry},
            {"outside_air", "outside air through the halls", e.by_outside_air},
            {"condenser_air", "air-cooled condensers", e.by_condenser_air},
            {"reused", "reused", e.reused},
            {"outdoors", "transformers and other loads, outdoors", (transformer + other) * hour_s},
            {"unmet", "taken by nothing", e.unmet}};
  double out = 0;
  for (const auto& item : a.heat) out += item.amount;
  a.imbalance = a.meter_j > 0 ? std::abs(a.meter_j - out) / a.meter_j : 0;
}

void sum_months(FacilityAnswer& a) {
  a.months.assign(12, {});
  for (std::size_t h = 0; h < a.hours.size(); ++h) {
    auto& m = a.months[std::size_t(month_of(h, a.hours.size()))];
    const auto& x = a.hours[h];
    const auto& s = a.plant.hours[h];
    m.it_j += x.it_w * hour_s, m.meter_j += x.meter_w * hour_s, m.loss_j += x.loss_w() * hour_s;
    m.cooling_j += s.cooling_w() * hour_s, m.water_kg += s.makeup() * hour_s;
    m.carbon_kg += a.carbon_kg_h.empty() ? 0 : a.carbon_kg_h[h];
    m.chiller_h += s.compressor ? 1 : 0;
    m.warmest_wet_bulb_c = std::max(m.warmest_wet_bulb_c, a.air.wet_bulb_c[h]);
    m.peak_meter_w = std::max(m.peak_meter_w, x.meter_w);
  }
}

void sum_water(FacilityAnswer& a, const FacilityOptions& o) {
  const auto& w = a.plant.water;
  a.water = {{"tower_evaporation", "evaporated in towers", w.tower_evaporation},
             {"pads", "evaporated on pads", w.pads},
             {"blow_down", "blow-down", w.blow_down},
             {"drift", "drift", w.drift}};
  std::vector<cooling::WaterSource> sources;
  if (o.reclaimed_kg_s > 0) sources.push_back({"reclaimed", o.reclaimed_kg_s});
  const auto given = cooling::water_by_source(a.plant, sources);
  for (std::size_t i = 0; i < sources.size(); ++i)
    a.water_sources.push_back({sources[i].name, "reclaimed water", given[i]});
  a.water_sources.push_back({"mains", "mains", given.back()});
}

void add_days(FacilityAnswer& a, const cooling::Plant& plant) {
  const auto days = cooling::design_days(a.air);
  const auto points = cooling::design_points(plant, a.air);
  const auto add = [&](const char* label, const cooling::DesignAir& air,
                       const cooling::HourState& s) {
    const double heat = s.it_w + s.loss_w + s.cooling_w();
    a.days.push_back({label, air.dry_bulb_c, std::min(air.wet_bulb_c, air.dry_bulb_c),
                      s.cooling_w(), heat, s.makeup(), s.short_k, s.compressor});
  };
  add("0.4 % dry bulb", days.by_dry_bulb, points.by_dry_bulb);
  add("0.4 % wet bulb", days.by_wet_bulb, points.by_wet_bulb);
  add("hottest", days.extreme, points.extreme_dry_bulb);
  add("highest wet bulb", days.extreme_wet, points.extreme_wet_bulb);
}

void carbon(const HourlyCarbon& intensity, FacilityAnswer& a) {
  a.carbon_origin = intensity.origin;
  double sum = 0;
  for (std::size_t h = 0; h < a.hours.size() && !intensity.kg_per_j.empty(); ++h) {
    a.carbon_kg_h.push_back(a.hours[h].meter_w * hour_s * intensity.kg_per_j[h]);
    a.carbon_kg += a.carbon_kg_h.back();
    sum += intensity.kg_per_j[h];
  }
  a.carbon_mean_kg = a.hours.empty() ? 0 : a.meter_j * sum / static_cast<double>(a.hours.size());
  sum_months(a);
}

void note_load(const Context& c, const SolvedHours& solved, const HallShapes& shapes,
               FacilityAnswer& a) {
  a.load_assumed = shapes.assumed, a.load_flattened = shapes.flattened;
  a.it_low_w = 1e300;
  for (const auto& x : a.hours) {
    a.it_low_w = std::min(a.it_low_w, x.it_w);
    a.it_high_w = std::max(a.it_high_w, x.it_w);
  }
  for (std::size_t h = 0; h < a.hours.size(); ++h) {
    const bool held = std::any_of(solved.lost.begin(), solved.lost.end(),
                                  [&](const std::vector<double>& lost) { return lost[h] > 0; });
    a.throttled_h += held ? 1 : 0;
  }
  auto lost = work_lost(c, solved, a.lost_gpu_s);
  if (a.lost_gpu_s > 0) a.lost_work = std::move(lost);
}

/// Classes that the scenario names, against the worst of all halls and hours.
void add_classes(const Context& c, FacilityAnswer& a) {
  double air_low = 1e9, water_low = 1e9, coolant_low = 1e9;
  for (const auto& s : a.plant.hours) {
    air_low = std::min(air_low, s.warmest_inlet_c);
    water_low = std::min(water_low, s.warmest_supply_c);
    coolant_low = std::min(coolant_low, s.warmest_coolant_c);
  }
  const auto add = [&](const char* what, std::string_view name, double low, double high) {
    const auto limits = cooling::ashrae_class(name);
    if (!limits || high < -200) return;
    a.classes.push_back(
        {fmt::format("{} {}", what, name), limits->low_c, limits->high_c, low, high});
  };
  for (const auto& hall : c.halls) {
    if (!hall.spec->cooling) continue;
    const auto& spec = *hall.spec->cooling;
    add("air", cooling::air_class_names()[std::size_t(spec.air_class)], air_low, a.warmest_inlet_c);
    add("coolant", cooling::coolant_class_names()[std::size_t(spec.coolant_class)], coolant_low,
        a.warmest_coolant_c);
  }
  if (c.scenario.cooling)
    add("facility water",
        cooling::water_class_names()[std::size_t(c.scenario.cooling->water_class)], water_low,
        a.warmest_supply_c);
}

void fill_year(const Context& c, const FacilityOptions& o, const cooling::Plant& plant,
               const HourlyCarbon& intensity, FacilityAnswer& a) {
  const auto shapes = hall_shapes(c, a.air.hours());
  const auto solved = solve_hours(c, plant, shapes, o, a);
  const auto& y = a.plant;
  sum_energy(a);
  sum_water(a, o);
  carbon(intensity, a);
  note_load(c, solved, shapes, a);
  add_days(a, plant);
  a.has_year = o.year;
  a.pue = a.it_j > 0 ? a.meter_j / a.it_j : 0;
  a.wue_l_kwh = a.it_j > 0 ? y.water.total() / (a.it_j / 3.6e6) : 0;
  a.erf = a.meter_j > 0 ? y.energy.reused / a.meter_j : 0;
  if (c.scenario.site) a.ref = c.scenario.site->carbon.renewable_share.or_else(Scalar(0));
  a.check_pue = c.power.pue_typical.value;
  a.chiller_free_h = y.chiller_free_h, a.short_h = y.short_h, a.worst_short_k = y.worst_short_k;
  a.peak_cooling_w = y.peak_cooling_w, a.peak_day_water_kg = y.peak_day_water_kg;
  for (const auto& s : y.hours) {
    a.warmest_coolant_c = std::max(a.warmest_coolant_c, s.warmest_coolant_c);
    a.warmest_inlet_c = std::max(a.warmest_inlet_c, s.warmest_inlet_c);
    a.warmest_supply_c = std::max(a.warmest_supply_c, s.warmest_supply_c);
  }
  add_classes(c, a);
  if (o.resolution_s > 0) a.time = time_domain(c, solved, o, a);
}

void remark(const Context& c, const cooling::Plant& plant, const cooling::DesignDays& days,
            const FacilityOptions& o, FacilityAnswer& a) {
  const auto say = [&](std::string text) {
    if (std::find(a.remarks.begin(), a.remarks.end(), text) == a.remarks.end())
      a.remarks.push_back(std::move(text));
  };
  const auto faults = cooling::check_set_points(plant, days);
  for (const auto& fault : faults.all())
    say(fault.message + (fault.hint.empty() ? "" : "; " + fault.hint));
  for (const auto& text : a.air.remarks) say(text);
  for (const auto& m : c.machines)
    if (m.spec->hall.empty())
      say(fmt::format("cluster {} stands outside the halls and is left out", m.spec->name));
  if (a.rounds > most_rounds)
    say(fmt::format(
        "losses and cooling do not settle in every hour, where a stage switches between "
        "them; the imbalance of {:.1e} in the worst hour is what is left",
        a.worst_imbalance));
  if (a.plant.outside_curves_h > 0)
    say(
        fmt::format("in {:.0f} hours chillers ran outside their curves, by a share of the "
                    "reversible COP",
                    a.plant.outside_curves_h));
  if (a.plant.energy.unmet > 1e-6 * a.meter_j)
    say("some heat is taken by nothing: no steady state exists in those hours");
  if (a.load_assumed)
    say("IT of what answers people moves with the day by an assumed shape; clusters' `profile` "
        "says "
        "it better");
  if (a.load_flattened) say("a profile would exceed the hall's maximum; it is flattened");
  if (o.warmer_k != 0) say("the plant is sized for the year before that shift");
}

void remark_walk(const Context& c, const cooling::Plant& plant, FacilityAnswer& a) {
  const auto say = [&](std::string text) {
    if (std::find(a.remarks.begin(), a.remarks.end(), text) == a.remarks.end())
      a.remarks.push_back(std::move(text));
  };
  for (std::size_t i = 0; i < c.halls.size(); ++i) {
    for (const std::size_t k : plant.halls[i].groups) {
      const auto& g = plant.groups[k];
      if (g.liquid_share <= 0)
        say(c.halls[i].title +
            ": air-cooled servers trip at 57 degC at their inlet (recalled); that they "
            "throttle before is not modelled");
      else if (g.family == catalog::CoolingFamily::rear_door)
        say(c.halls[i].title +
            ": behind doors chips are taken 40 K above the air, with the inertia of a "
            "coolant loop (assumed)");
      else
        say(c.halls[i].title +
            ": chips are taken 25 K above the coolant at full "
            "power (assumed)");
    }
  }
}

Diagnostic mistake(std::string where, std::string message, std::string hint = {}) {
  return {std::move(where), 0, 0, "", std::move(message), std::move(hint), ""};
}

}  // namespace

Result<cooling::WeatherYear> facility_weather(const Context& c, const FacilityOptions& options) {
  return weather_of(c, options);
}

cooling::Plant plant_of(const Context& c, const cooling::DesignDays& days) {
  auto plant = cooling::plant_of(c.cooling.design, heat_max(c), days);
  // Chips at full power above the coolant of plates or tanks (assumed, as cooling/targets.cpp), and
  // above the air of racks with a door (heat sinks; assumed).
  constexpr double plate_k = 25, sink_k = 40, limit_c = 87;
  for (std::size_t i = 0; i < c.halls.size(); ++i) {
    plant.halls[i].name = c.halls[i].scope;
    for (std::size_t k = 0; k < plant.halls[i].groups.size(); ++k) {
      auto& g = plant.groups[plant.halls[i].groups[k]];
      const auto* machines = c.halls[i].groups[k].machines;
      if (machines == nullptr || g.liquid_share <= 0) continue;
      const double chip_w = machines->accelerator->power.max.or_else(Power{}).si();
      const double rise_k = g.family == catalog::CoolingFamily::rear_door ? sink_k : plate_k;
      if (chip_w > 0) g.chip = {chip_w, rise_k / chip_w, 0.4, limit_c};
    }
  }
  plant.groups.back().name = plant.halls.back().name = "power-rooms";
  return plant;
}

int month_of(std::size_t hour, std::size_t hours_of_year) {
  std::array<std::size_t, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (hours_of_year >= 8784) days[1] = 29;
  std::size_t day = hour / 24;
  for (int m = 0; m < 12; ++m) {
    if (day < days[std::size_t(m)]) return m;
    day -= days[std::size_t(m)];
  }
  return 11;
}

std::string hour_name(std::size_t hour, std::size_t hours_of_year) {
  static constexpr const char* names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int month = month_of(hour, hours_of_year);
  std::size_t first = hour / 24 * 24;
  while (first >= 24 && month_of(first - 24, hours_of_year) == month) first -= 24;
  return fmt::format("{} {} {:02}:00", (hour - first) / 24 + 1, names[month], hour % 24);
}

bool FacilityAnswer::holds() const {
  if (has_year && (short_h > 0 || plant.energy.unmet > 1e-6 * meter_j)) return false;
  if (show_chain && !chain.holds()) return false;
  for (const auto& x : classes)
    if (has_year && !x.holds()) return false;
  if (!walk) return true;
  if (walk->power && walk->power->dropped_racks() > 0) return false;
  return std::all_of(walk->halls.begin(), walk->halls.end(),
                     [](const HallLoss& h) { return h.throttle_at_s < 0 && h.shutdown_at_s < 0; });
}

Result<FacilityAnswer> facility_year(const Loaded& loaded, const catalog::Catalog& catalog,
                                     const FacilityOptions& options) {
  Verdict verdict;
  Context c(loaded.scenario, loaded, catalog, verdict);
  c.as_of = study_date(loaded.scenario);
  walk(c);
  Diagnostics mistakes;
  if (!c.has_facility)
    mistakes.add(mistake(loaded.file, "no hall stands in this scenario",
                         "add building.halls, and hall to its clusters"));
  auto weather = weather_of(c, options);
  if (!weather) mistakes.add(weather.error());
  FacilityAnswer a;
  cooling::Plant plant;
  cooling::DesignDays days;
  if (c.has_facility && weather) {
    days = cooling::design_days(*weather);
    plant = plant_of(c, days);
    if (c.scenario.cooling && c.scenario.cooling->reuse)
      cooling::add_reuse(plant, *c.scenario.cooling->reuse, *weather);
    a.nodes = facility_nodes(c, plant);
    const auto hottest = std::max_element(weather->dry_bulb_c.begin(), weather->dry_bulb_c.end());
    power::SiteAir air;
    air.altitude_m = weather->elevation_m, air.outdoor_c = *hottest + options.warmer_k;
    a.chain = draw_chain(c, air);
    a.show_chain = options.chain;
    add_chain_nodes(a.chain, a.nodes);
    sweep_chain(c, options.pairs, read_together(options.lose_together, a.nodes, mistakes), a.chain);
  }
  HourlyCarbon intensity;
  if (weather) {
    auto read = hourly_carbon(c, options, weather->hours());
    if (!read) mistakes.add(read.error());
    if (read) intensity = std::move(*read);
  }
  std::vector<Loss> losses;
  if (c.has_facility && weather) losses = read_losses(options.lose, a.nodes, mistakes);
  if (!mistakes.empty()) return failure(std::move(mistakes));

  a.scenario = loaded.scenario.name;
  a.boundary = "meter of the halls: IT, losses from transformer to rack, cooling, other loads";
  a.weather = weather->source.empty() ? weather->name : weather->source;
  a.warmer_k = options.warmer_k;
  a.air = options.warmer_k != 0
              ? cooling::shifted(*weather, options.warmer_k, cooling::HumidityHeld::relative)
              : std::move(*weather);
  for (const auto& hall : c.halls) {
    a.halls.push_back(hall.title);
    a.it_max_w += hall.it_max.value.si();
    a.it_mean_w += hall.it_typical.value.si();
  }
  if (options.year || !losses.empty()) {
    fill_year(c, options, plant, intensity, a);
    remark(c, plant, days, options, a);
  }
  if (!losses.empty()) {
    std::size_t peak = 0;
    for (std::size_t h = 0; h < a.plant.hours.size(); ++h)
      if (a.plant.hours[h].cooling_w() > a.plant.hours[peak].cooling_w()) peak = h;
    a.walk = walk_facility(c, plant, a.air, peak, losses, options, a.chain);
    remark_walk(c, plant, a);
  }
  return a;
}

}  // namespace headroom::study
