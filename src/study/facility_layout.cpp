#include "study/facility_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "building/assess.hpp"
#include "catalog/cooling_technology.hpp"
#include "study/check.hpp"
#include "study/context.hpp"

namespace headroom::study {
namespace {

using building::RackKind;

class HallBuilder {
 public:
  HallBuilder(const Context& c, const HallLoads& hall, LayoutAnswer& answer)
      : c_(c), hall_(hall), answer_(answer) {
    rack_ = building::rack_of(hall.spec->rack.rack, c.catalog);
  }

  HallLayout build() {
    HallLayout out;
    out.title = hall_.title;
    out.it_max_w = hall_.it_max.value.si();
    auto& in = out.input;
    for (const Machines* m : hall_.machines) add_racks(in, *m);
    add_others(in);
    in.it_max_w = out.it_max_w;
    in.spec = hall_.spec->building.layout;
    const auto& spec = hall_.spec->building;
    if (spec.racks) in.positions = int(std::lround(double(spec.racks.get())));
    if (spec.area) out.area_given_m2 = in.area_m2 = spec.area.get().si();
    add_gear(in);
    out.plan = building::lay_out(in);
    const std::string prefix = "building." + hall_.scope + ".";
    for (const auto& m : c_.verdict.margins)
      if (m.id.compare(0, prefix.size(), prefix) == 0) out.limits.push_back(m);
    return out;
  }

 private:
  void say(std::string text) {
    auto& all = answer_.remarks;
    if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(std::move(text));
  }

  static RackKind empty_rack(std::string name, const catalog::Rack* rack) {
    RackKind k;
    k.name = std::move(name);
    if (rack != nullptr && rack->width && rack->depth)
      k.width_m = rack->width.get().si(), k.depth_m = rack->depth.get().si();
    else
      k.known_size = false;
    return k;
  }

  void add_racks(building::LayoutInput& in, const Machines& m) {
    const bool whole = m.system->form == catalog::SystemForm::rack;
    const auto* rack = building::rack_of(rack_of(m, hall_.spec), c_.catalog);
    RackKind k = empty_rack("cluster " + m.spec->name, rack);
    if (whole) {
      k.known_size = m.system->width && m.system->depth;
      if (k.known_size)
        k.width_m = m.system->width.get().si(), k.depth_m = m.system->depth.get().si();
    }
    if (!k.known_size)
      say(fmt::format("{}: the size of its racks is not known; 0.6 m x 1.2 m is assumed", k.name));
    const double each = std::max(1.0, double(m.per_rack.value));
    const int racks = int(std::lround(double(m.racks.value)));
    const double last = double(m.systems.value) - (racks - 1) * each;
    const auto fill = [&](RackKind kind, int count, double systems) {
      kind.count = count;
      kind.power_w = systems * m.system_max.value.si();
      if (m.system->weight) {
        kind.mass_kg = systems * m.system->weight.get().si();
        if (!whole && rack != nullptr && rack->weight) kind.mass_kg += rack->weight.get().si();
      }
      if (count > 0) in.kinds.push_back(std::move(kind));
    };
    const bool uneven = racks > 0 && last < each - 1e-9;
    fill(k, uneven ? racks - 1 : racks, each);
    if (uneven) {
      if (racks > 1) k.name += ", last rack";
      fill(k, 1, last);
    }
    if (!m.system->weight) say("The weight of " + m.system->name + " is not in the catalogue.");
    it_left_ -= double(m.systems.value) * m.system_max.value.si();
  }

  void add_others(building::LayoutInput& in) {
    RackKind k = empty_rack("network and storage", rack_);
    k.count = int(std::lround(hall_.other_racks));
    if (k.count <= 0) return;
    k.power_w = std::max(0.0, hall_.it_max.value.si() + it_left_) / k.count;
    in.kinds.push_back(std::move(k));
    say("Racks of switches and storage: their weight is not known and is not held to the floor.");
  }

  void add_gear(building::LayoutInput& in) {
    const auto cooling = hall_.spec->cooling.value_or(cooling::HallSpec{});
    const auto* kind = c_.catalog.find<catalog::CoolingTechnology>(cooling.kind);
    const bool plates = kind != nullptr && kind->family == catalog::CoolingFamily::cold_plate;
    in.liquid = plates || bool(cooling.cdus);
    if (cooling.cdus) in.cdus = cooling.cdus.count;
    if (cooling.units) in.room_units = cooling.units.count;
    if (in.liquid && !cooling.cdus)
      say(hall_.title + ": its CDUs are not given; none is drawn and no ground is kept for them.");
    const auto& gear = hall_.spec->power;
    const bool overhead = gear.gear.find("busway") != std::string::npos;
    if (gear.units && !overhead) in.pdus = gear.units.count;
    if (overhead) say(hall_.title + ": busways hang over the racks and take no floor.");
  }

  const Context& c_;
  const HallLoads& hall_;
  LayoutAnswer& answer_;
  const catalog::Rack* rack_ = nullptr;
  double it_left_ = 0;  ///< minus what the clusters' systems take
};

}  // namespace

bool LayoutAnswer::holds() const {
  return gross_fits() && std::all_of(halls.begin(), halls.end(), [](const HallLayout& h) {
           return h.plan.fits && std::all_of(h.limits.begin(), h.limits.end(),
                                             [](const Margin& m) { return m.holds(); });
         });
}

Result<LayoutAnswer> facility_layout(const Loaded& loaded, const catalog::Catalog& catalog) {
  if (!loaded.scenario.building || loaded.scenario.building->halls.empty()) {
    Diagnostics mistakes;
    mistakes.add({loaded.file, 0, 0, "", "this scenario has no hall",
                  "add building: {halls: [{name: A, racks: 16}]}", ""});
    return failure(std::move(mistakes));
  }
  Verdict verdict;
  Context c(loaded.scenario, loaded, catalog, verdict);
  c.as_of = study_date(loaded.scenario);
  walk(c);
  rank(verdict);
  LayoutAnswer a;
  a.scenario = loaded.scenario.name;
  std::vector<building::Layout> rooms;
  for (const auto& hall : c.halls) {
    a.halls.push_back(HallBuilder(c, hall, a).build());
    const auto& h = a.halls.back();
    rooms.push_back(h.plan);
    if (h.area_given_m2 > h.plan.area_m2() && h.plan.width_m > 0)
      rooms.back().length_m = h.area_given_m2 / h.plan.width_m;
  }
  a.gross_needed_m2 = building::gross_area_m2(rooms);
  if (loaded.scenario.building->building.area)
    a.gross_given_m2 = loaded.scenario.building->building.area.get().si();
  if (a.gross_given_m2 > 0) {
    Margin m;
    m.id = "building.area", m.layer = "building", m.limit = "gross floor area, as drawn";
    m.need = a.gross_needed_m2, m.have = a.gross_given_m2, m.unit = "m2";
    a.area = std::move(m);
  }
  a.remarks.push_back(
      "Sizes of CDUs (0.8 x 1.2 m), floor PDUs (0.9 x 0.9 m), room units (0.9 x 2.5 m), power "
      "rooms "
      "(0.05 m2/kW of IT unless given) and 25 % for docks, stores and offices are assumed.");
  return a;
}

}  // namespace headroom::study
