#include "building/assess.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "building/layout.hpp"

namespace headroom::building {
namespace {

const char* default_rack = "standard-42u";

struct Build {
  const HallDemand& demand;
  const catalog::Catalog& catalog;
  Trace& trace;
  Findings& findings;
  const RackSpec& rack_spec;
  const catalog::Rack* rack = rack_of(rack_spec, catalog);

  std::string id(std::string_view rest) const {
    return "building." + demand.scope + "." + std::string(rest);
  }
  std::string id(const Group& group, std::string_view rest) const {
    return id(group.scope + "." + std::string(rest));
  }
};

bool whole_rack(const catalog::System& system) { return system.form == catalog::SystemForm::rack; }

std::string mass_text(Mass m) { return format(m.si(), "kg"); }

// --- Rack units ---------------------------------------------------------------

void check_units(Build& b, const Group& group) {
  const catalog::System& system = *group.system;
  if (whole_rack(system) || system.rack_units <= 0 || b.rack == nullptr) return;
  const auto height = b.trace.constant(b.id(group, "system_units"), Scalar(system.rack_units), "U",
                                       system.origin.source);
  const auto reserved =
      b.trace.constant(b.id(group, "reserved_units"), Scalar(b.rack_spec.reserved_units), "U",
                       assumed("as the scenario's rack says"));
  const auto need = b.trace.derive(b.id(group, "units_needed"),
                                   Scalar(group.per_rack.value * height.value + reserved.value),
                                   "U", "systems in a rack x height of one + reserved units",
                                   {group.per_rack, height, reserved});
  const int units = b.rack_spec.units > 0 ? b.rack_spec.units : b.rack->units;
  const auto have = b.trace.constant(
      b.id(group, "units_had"), Scalar(units), "U",
      b.rack_spec.units > 0 ? assumed("as the scenario's rack says") : b.rack->origin.source);
  const int fit = std::max(0, (units - b.rack_spec.reserved_units) / system.rack_units);
  auto m = make_margin(b.id(group, "units"), "rack units, " + group.title, need, have, "U")
               .because(fmt::format("{} {} of {} U need {} U in a rack of {} U.",
                                    format_number(group.per_rack.value), system.name,
                                    system.rack_units, format_number(need.value), units));
  if (!m.holds()) {
    m.remedies.push_back({fit > 0 ? fmt::format("put {} in a rack, which takes {} racks", fit,
                                                std::ceil(group.systems.value / fit))
                                  : "use a taller rack: not one system fits in this one",
                          {},
                          {},
                          ""});
  }
  b.findings.margins.push_back(std::move(m));
}

// --- Weight -------------------------------------------------------------------

Figure<Mass> equipment(Build& b, const Group& group) {
  const auto each = b.trace.input(b.id(group, "system_weight"), group.system->weight, "kg");
  return b.trace.derive(b.id(group, "equipment_weight"), each.value * double(group.per_rack.value),
                        "kg", "systems in a rack x weight of one", {group.per_rack, each});
}

Figure<Mass> full_rack(Build& b, const Group& group, const Figure<Mass>& load) {
  if (whole_rack(*group.system) || b.rack == nullptr || !b.rack->weight) return load;
  const auto empty = b.trace.input(b.id(group, "rack_weight"), b.rack->weight, "kg");
  return b.trace.derive(b.id(group, "full_rack_weight"), load.value + empty.value, "kg",
                        "equipment + empty rack", {load, empty});
}

void check_rack_rating(Build& b, const Group& group, const Figure<Mass>& load) {
  if (whole_rack(*group.system) || b.rack == nullptr) return;
  const auto& limit = b.rack_spec.weight_limit.or_else(b.rack->static_rating);
  if (!limit) return;
  const auto have = b.trace.input(b.id(group, "rack_rating"), limit, "kg");
  auto m = make_margin(b.id(group, "rack"), "rack load, " + group.title, load, have, "kg")
               .because(fmt::format("{} {} weigh {}; the rack ({}) may hold {}.",
                                    format_number(group.per_rack.value), group.system->name,
                                    mass_text(load.value), b.rack->name, mass_text(have.value)));
  if (!m.holds()) {
    const double each = load.value.si() / std::max(1.0, double(group.per_rack.value));
    m.remedies.push_back({fmt::format("put at most {} in a rack, or use a rack rated for {}",
                                      std::floor(have.value.si() / each), mass_text(load.value)),
                          {},
                          {},
                          ""});
  }
  b.findings.margins.push_back(std::move(m));
}

Area footprint_of(const Build& b, const Group& group) {
  if (whole_rack(*group.system)) return group.system->footprint();
  return b.rack != nullptr ? b.rack->footprint() : Area{};
}

void check_floor(Build& b, const Group& group, const Figure<Mass>& mass) {
  const Area footprint = footprint_of(b, group);
  const auto& floor = b.demand.hall.floor;
  if (!floor.load || footprint.si() <= 0) return;
  const SourcePtr source =
      whole_rack(*group.system) ? group.system->origin.source : b.rack->origin.source;
  const auto area = b.trace.constant(b.id(group, "footprint"), footprint, "m2", source);
  const auto need =
      b.trace.derive(b.id(group, "floor_load"), mass.value * standard_gravity / area.value, "kPa",
                     "weight of a full rack x 9.80665 m/s2 / footprint", {mass, area});
  const auto have = b.trace.input(b.id("floor_limit"), floor.load, "kPa");
  auto m = make_margin(b.id(group, "floor"), "floor load, " + group.title + ", " + b.demand.title,
                       need, have, "kPa")
               .because(fmt::format(
                   "A rack of {} on {} loads the floor with {} ({} lb/ft2); it is "
                   "rated for {}.",
                   mass_text(mass.value), format(area.value, "m2"), format(need.value, "kPa"),
                   format_number(need.value.si() / standard_gravity.si() / 4.88243, 3),
                   format(have.value, "kPa")));
  if (m.headroom() < 0.1) {
    // Sized to leave the reserve below which a limit counts as near.
    const double plate = 1.1 * mass.value.si() * standard_gravity.si() / have.value.si();
    m.remedies.push_back({fmt::format("spread each rack over {} by load plates or a steel frame",
                                      format(plate, "m2")),
                          {},
                          {},
                          ""});
    const double beside = mass.value.si() / std::max(1.0, double(group.per_rack.value));
    const double allowed =
        std::floor(have.value.si() * area.value.si() / standard_gravity.si() / beside);
    if (!whole_rack(*group.system) && allowed >= 1 && allowed < double(group.per_rack.value)) {
      m.remedies.push_back(
          {fmt::format("put about {} {} in a rack", allowed, group.system->name), {}, {}, ""});
    }
    if (floor.kind == FloorKind::raised) {
      m.remedies.push_back(
          {"stand the racks on the slab, with overhead power and pipes", {}, {}, ""});
    }
  }
  b.findings.margins.push_back(std::move(m));
}

void check_point(Build& b, const Group& group, const Figure<Mass>& mass) {
  if (!b.demand.hall.floor.point_load) return;
  const auto need = b.trace.derive(b.id(group, "foot_load"), mass.value / 4, "kg",
                                   "weight of a full rack / 4 feet", {mass});
  const auto have = b.trace.input(b.id("point_limit"), b.demand.hall.floor.point_load, "kg");
  auto m = make_margin(b.id(group, "point"), "point load, " + group.title + ", " + b.demand.title,
                       need, have, "kg")
               .because(fmt::format("A rack of {} stands on four feet, {} each.",
                                    mass_text(mass.value), mass_text(need.value)));
  if (!m.holds()) m.remedies.push_back({"lay load-spreading plates under the feet", {}, {}, ""});
  b.findings.margins.push_back(std::move(m));
}

void check_move(Build& b, const Group& group, const Figure<Mass>& load) {
  if (!b.demand.hall.move_route) return;
  const catalog::System& system = *group.system;
  const auto need =
      whole_rack(system) ? load : b.trace.input(b.id(group, "heaviest_item"), system.weight, "kg");
  const auto have = b.trace.input(b.id("move_limit"), b.demand.hall.move_route, "kg");
  auto m = make_margin(b.id(group, "move"), "move route, " + group.title + ", " + b.demand.title,
                       need, have, "kg")
               .because(fmt::format("{} of {} must pass a way in that takes {}.",
                                    whole_rack(system) ? "A filled rack" : "One system",
                                    mass_text(need.value), mass_text(have.value)));
  if (!m.holds()) {
    m.remedies.push_back({whole_rack(system) ? "ship the rack empty and fill it in the hall"
                                             : "strengthen ramp and lift, or use another dock",
                          {},
                          {},
                          ""});
  }
  b.findings.margins.push_back(std::move(m));
}

void check_group(Build& b, const Group& group, Hall& hall) {
  check_units(b, group);
  if (!group.system->weight) {
    b.findings.remarks.push_back("The weight of " + group.system->name +
                                 " is not in the catalogue; its floor load is not checked.");
    return;
  }
  const auto load = equipment(b, group);
  check_rack_rating(b, group, load);
  const auto mass = full_rack(b, group, load);
  if (mass.value > hall.heaviest_rack.value) hall.heaviest_rack = mass;
  check_floor(b, group, mass);
  check_point(b, group, mass);
  check_move(b, group, load);
}

// --- The hall -----------------------------------------------------------------

Figure<Scalar> racks_needed(Build& b) {
  double total = b.demand.other_racks;
  std::vector<NodeId> inputs = {b.demand.other_racks_node};
  for (const auto& group : b.demand.groups) {
    total += group.racks.value;
    inputs.push_back(group.racks.node);
  }
  return b.trace.derive(b.id("racks_needed"), Scalar(total), "rack",
                        "racks of every group + racks of network and storage", inputs);
}

void check_positions(Build& b, const Hall& hall) {
  if (!b.demand.hall.racks) return;
  const auto have = b.trace.input(b.id("positions_had"), b.demand.hall.racks, "rack");
  auto m =
      make_margin(b.id("positions"), "rack positions, " + b.demand.title, hall.racks, have, "rack")
          .because(fmt::format("{} racks are needed, {} of them for network and storage; the "
                               "hall has {} positions.",
                               format_number(hall.racks.value), format_number(b.demand.other_racks),
                               format_number(have.value)));
  if (!m.holds()) {
    m.remedies.push_back({fmt::format("find {} more positions, or put more systems in a rack if "
                                      "power and cooling allow",
                                      std::ceil(hall.racks.value - have.value)),
                          {},
                          {},
                          ""});
  }
  b.findings.margins.push_back(std::move(m));
}

void check_area(Build& b, Hall& hall) {
  // 30 ft2 with its share of aisles: the rule of the trade for rows 0.6 m x 1.2 m
  // with 1.2 m cold and 1 m hot aisles (claims ledger, a1-009).
  static const Value<Area> usual(
      30 * square_foot, assumed("30 ft2 a rack with its share of aisles, the trade's rule"));
  const auto each =
      b.trace.input_or(b.id("area_per_rack"), b.demand.hall.area_per_rack, usual, "m2");
  hall.area = b.trace.derive(b.id("area_needed"), each.value * double(hall.racks.value), "m2",
                             "racks x area of a rack", {hall.racks, each});
  if (!b.demand.hall.area) return;
  const auto have = b.trace.input(b.id("area_had"), b.demand.hall.area, "m2");
  auto m = make_margin(b.id("area"), "white space, " + b.demand.title, hall.area, have, "m2")
               .because(fmt::format("{} racks at {} each.", format_number(hall.racks.value),
                                    format(each.value, "m2")));
  if (!m.holds()) {
    m.remedies.push_back(
        {fmt::format("find {} more white space", format(hall.area.value - have.value, "m2")),
         {},
         {},
         ""});
  }
  b.findings.margins.push_back(std::move(m));
}

void check_density(Build& b) {
  if (!b.demand.hall.density || !b.demand.hall.area || b.demand.it_max.node == no_node) return;
  const auto area = b.trace.input(b.id("area_had"), b.demand.hall.area, "m2");
  const auto need =
      b.trace.derive(b.id("density_needed"), b.demand.it_max.value / area.value, "W/ft2",
                     "IT power at maximum / white space", {b.demand.it_max, area});
  const auto have = b.trace.input(b.id("density_had"), b.demand.hall.density, "W/ft2");
  auto m = make_margin(b.id("density"), "power density, " + b.demand.title, need, have, "W/ft2")
               .because(fmt::format("{} over {} is {}; the hall was designed for {}.",
                                    format_scaled(b.demand.it_max.value.si(), "kW"),
                                    format(area.value, "ft2"), format(need.value, "W/ft2"),
                                    format(have.value, "W/ft2")));
  if (!m.holds()) {
    const Area wanted = b.demand.it_max.value / have.value;
    m.remedies.push_back({fmt::format("spread the load over {}, or raise power and cooling of the "
                                      "zone as the limits of those layers say",
                                      format(wanted, "ft2")),
                          {},
                          {},
                          ""});
  }
  b.findings.margins.push_back(std::move(m));
}

/// Ground of the whole building; `facility --layout` draws it row by row.
void check_gross(const std::vector<HallDemand>& demand, const std::vector<Hall>& halls,
                 const Spec& building, Trace& trace, Findings& findings) {
  if (!building.area || halls.empty()) return;
  static const Value<Area> a_kw(power_room_m2_w * 1e3 * square_metre,
                                assumed("UPS, batteries and switchgear, m2 a kW of IT"));
  static const Value<Scalar> support(support_share,
                                     assumed("docks, stores, corridors and offices over the rest"));
  Area rooms{};
  std::vector<NodeId> inputs;
  for (std::size_t i = 0; i < halls.size(); ++i) {
    const auto& d = demand[i];
    rooms += std::max(halls[i].area.value, d.hall.area.or_else(Area{}));
    rooms += d.hall.layout.power_room.or_else(a_kw.get() * d.it_max.value.in(kilowatt));
    inputs.push_back(halls[i].area.node);
    if (d.it_max.node != no_node) inputs.push_back(d.it_max.node);
  }
  inputs.push_back(trace.leaf("building.power_room_a_kw", a_kw, "m2"));
  inputs.push_back(trace.leaf("building.support", support, "%"));
  const auto need =
      trace.derive("building.area_needed", rooms * (1 + double(support.get())), "m2",
                   "(white space + power rooms of every hall) x (1 + support)", std::move(inputs));
  const auto have = trace.input("building.area_had", building.area, "m2");
  auto m = make_margin("building.area", "gross floor area", need, have, "m2")
               .because(fmt::format(
                   "Halls and power rooms take {}, with docks, stores and offices {}; the building "
                   "has {}.",
                   format(rooms, "m2"), format(need.value, "m2"), format(have.value, "m2")));
  if (!m.holds())
    m.remedies.push_back(
        {fmt::format("find {} more, or build on", format(need.value - have.value, "m2")),
         {},
         {},
         ""});
  findings.margins.push_back(std::move(m));
}

void bill_racks(Build& b, const std::string& scope, double racks) {
  if (racks <= 0 || b.rack == nullptr) return;
  BillLine line;
  line.id = scope + "racks";
  line.category = "racks";
  line.item = b.rack->name;
  line.count = racks;
  if (b.rack->price) {
    line.unit_price = b.rack->price.get();
    line.price_low = b.rack->price.low;
    line.price_high = b.rack->price.high;
    line.price_node = b.trace.leaf(scope + "rack_price", b.rack->price, "USD");
  }
  if (b.rack->lead_time) line.lead_time = b.rack->lead_time.get();
  b.findings.bill.add(std::move(line));
}

}  // namespace

const catalog::Rack* rack_of(const RackSpec& rack, const catalog::Catalog& catalog) {
  return catalog.find<catalog::Rack>(rack.rack.empty() ? default_rack : rack.rack);
}

int systems_by_height(const catalog::System& system, const RackSpec& rack,
                      const catalog::Catalog& catalog) {
  if (whole_rack(system) || system.rack_units <= 0) return 1;
  const auto* entry = rack_of(rack, catalog);
  const int units = (rack.units > 0     ? rack.units
                     : entry != nullptr ? entry->units
                                        : 42) -
                    rack.reserved_units;
  const int fit = std::max(1, units / system.rack_units);
  return system.max_per_rack > 0 ? std::min(fit, system.max_per_rack) : fit;
}

Result assess(const std::vector<HallDemand>& demand, const catalog::Catalog& catalog, Trace& trace,
              const Spec& building) {
  Result result;
  for (const auto& hall_demand : demand) {
    Build b{hall_demand, catalog, trace, result.findings, hall_demand.rack};
    Hall hall;
    double racks = hall_demand.other_racks;
    for (const auto& group : hall_demand.groups) {
      if (group.system == nullptr) continue;
      Build own{hall_demand, catalog, trace, result.findings,
                group.rack ? *group.rack : hall_demand.rack};
      check_group(own, group, hall);
      if (whole_rack(*group.system)) continue;
      if (own.rack == b.rack)
        racks += group.racks.value;
      else
        bill_racks(own, b.id(group, ""), group.racks.value);
    }
    hall.racks = racks_needed(b);
    check_positions(b, hall);
    check_area(b, hall);
    check_density(b);
    bill_racks(b, b.id(""), racks);
    result.halls.push_back(hall);
  }
  check_gross(demand, result.halls, building, trace, result.findings);
  return result;
}

}  // namespace headroom::building
