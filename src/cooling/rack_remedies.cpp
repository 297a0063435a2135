// What lifts the heat of a rack, least intrusive first: more flow, colder water,
// containment, fewer boxes, other gear, other systems.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "cooling/limits.hpp"
#include "cooling/rack.hpp"

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;
using catalog::CoolingTechnology;

std::string kw(Power p) { return format(p, "kW"); }
std::string degrees(Temperature t) { return fmt::format("{:.1f} degC", t.in_celsius()); }
std::string litres(VolumeFlow f) { return fmt::format("{:.0f} L/min", f.si() * 60e3); }
// Asked flows round up, so that they never read as what is there already.
std::string asked_liquid(VolumeFlow f) {
  return fmt::format("{:.0f} L/min", std::ceil(f.si() * 60e3 - 1e-6));
}
std::string asked_air(VolumeFlow f) {
  return fmt::format("{:.2f} m3/s", std::ceil(f.si() * 100) / 100);
}
std::string cubic_metres(VolumeFlow f) { return fmt::format("{:.2f} m3/s", f.si()); }

Remedy advice(std::string action) { return {std::move(action), {}, {}, "this layer"}; }

bool tank(const CoolingTechnology& t) {
  return t.family == CoolingFamily::immersion || t.family == CoolingFamily::two_phase;
}
bool has_plates(const HallDemand& d) { return d.liquid_fraction.or_else(0.0).si() > 0; }

class Advisor {
 public:
  explicit Advisor(const RackCase& c) : c_(c), t_(*c.at.technology) {}

  std::vector<Remedy> run() {
    if (c_.air) {
      more_air();
      contain_aisles();
    } else {
      more_liquid();
      colder_water();
    }
    fewer_boxes();
    if (c_.air && has_plates(c_.demand)) coolers_for_remainder();
    if (!tank(t_)) other_technologies();
    liquid_sibling();
    if (out_.empty()) {
      out_.push_back(
          advice(fmt::format("no gear of the catalogue removes {} a rack: spread the "
                             "systems or choose others",
                             kw(c_.demand.rack_max.value))));
    }
    return std::move(out_);
  }

 private:
  /// What to ask for, so that the limit is no longer near.
  double times() const {
    const double have = c_.have.si();
    return have > 0 ? c_.need.si() * (1 + near_shortfall) / have : 0;
  }

  void more_air() {
    const auto& usual = c_.at.contained ? t_.rack_air_contained : t_.rack_air;
    const VolumeFlow flow = c_.at.rack_air * times();
    if (times() <= 0 || flow.si() > std::max(usual.high, c_.at.rack_air.si())) return;
    out_.push_back(advice(fmt::format("give each rack {} of air instead of {}", asked_air(flow),
                                      cubic_metres(c_.at.rack_air))));
  }

  void contain_aisles() {
    if (c_.at.contained || c_.demand.cooling.rack_air || t_.family != CoolingFamily::room_air) {
      return;
    }
    const Power rack = air_heat(t_.rack_air_contained.or_else(VolumeFlow{}), c_.at.air_rise);
    const int fits = boxes_in(rack);
    if (rack <= c_.have || (boxed() && fits <= boxes_in(c_.have))) return;
    out_.push_back(advice(fmt::format("contain the aisles: about {} a rack{}", kw(rack),
                                      holds(rack) ? "" : boxes_words(fits))));
  }

  void more_liquid() {
    const VolumeFlow flow = c_.at.rack_liquid * times();
    const bool door = t_.family == CoolingFamily::rear_door;
    if (times() <= 0 || (door && coil_binds())) return;
    const double most = std::max(t_.rack_liquid.high, c_.at.rack_liquid.si());
    if (flow.si() > most && door) return;
    out_.push_back(advice(fmt::format(
        "give each {} {} instead of {}{}",
        door       ? "door"
        : tank(t_) ? "tank"
                   : "rack",
        asked_liquid(flow), litres(c_.at.rack_liquid),
        flow.si() > most ? fmt::format(" (beyond the usual {}: check pressure drop and velocity)",
                                       litres(VolumeFlow::from_si(most)))
                         : std::string())));
  }

  /// A door's coil, not its water flow, is what binds.
  bool coil_binds() const {
    const Power water =
        liquid_heat(c_.at.rack_liquid, t_.coolant.density.or_else(water_density),
                    t_.coolant.heat.or_else(water_heat_capacity), c_.at.liquid_rise);
    return c_.have < water * (1 - 1e-9);
  }

  // The coil must bring the air from its exhaust to near the water.
  void colder_water() {
    if (t_.family != CoolingFamily::rear_door || !coil_binds()) return;
    const double per_kelvin = air_heat(c_.at.rack_air, 1 * kelvin).si();
    if (per_kelvin <= 0) return;
    const auto coil = c_.need.si() / per_kelvin * kelvin;
    const Temperature water = c_.at.air_supply + c_.at.air_rise - coil - c_.at.liquid_approach;
    if (water < coldest_coolant() || water >= c_.water) return;
    out_.push_back(advice(fmt::format("supply the doors with water at {} instead of {}",
                                      degrees(water), degrees(c_.water))));
  }

  bool boxed() const { return c_.demand.box_max.si() > 0 && c_.demand.boxes_per_rack > 0; }
  int boxes_in(Power rack) const {
    if (!boxed()) return 0;
    return static_cast<int>(std::min(1e6, std::floor(rack / c_.demand.box_max + 1e-9)));
  }
  bool holds(Power rack) const { return rack >= c_.demand.rack_max.value * (1 - 1e-9); }
  std::string boxes_words(int fits) const {
    if (!boxed()) return {};
    return fmt::format(", enough for {} {}", fits, c_.demand.box);
  }

  void fewer_boxes() {
    const auto& d = c_.demand;
    const int fits = boxes_in(rack_capacity(c_.at, c_.water));
    if (fits < 1 || fits >= d.boxes_per_rack) return;
    const int boxes = d.boxes > 0 ? d.boxes : d.boxes_per_rack * d.racks;
    const int others = d.box_racks > 0 ? std::max(0, d.racks - d.box_racks) : 0;
    const char* unit = tank(t_) ? "tank" : "rack";
    out_.push_back(advice(fmt::format("put {} {} in a {} ({}), which takes {} {}s instead of {}",
                                      fits, d.box, unit, kw(d.box_max * fits),
                                      others + (boxes + fits - 1) / fits, unit, d.racks)));
  }

  void priced(std::string action, const CoolingTechnology& t, Power heat) {
    Remedy r = advice(std::move(action));
    if (t.price) {
      r.cost = t.price.get() * heat;
      r.source = describe(*t.price.origin.source);
    }
    if (t.lead_time) r.lead_time = t.lead_time.get();
    out_.push_back(std::move(r));
  }

  /// The warm air that cold plates leave, taken beside the rack.
  void coolers_for_remainder() {
    const auto* row = c_.catalog.find<CoolingTechnology>("in-row");
    if (row == nullptr) return;
    const Power each = air_heat(row->rack_air_contained.or_else(VolumeFlow{}), c_.at.air_rise);
    if (each < c_.need || each <= c_.have) return;
    priced(fmt::format("take the air remainder by {} (about {} a rack)", row->name, kw(each)), *row,
           c_.need * std::max(1, c_.demand.box_racks > 0 ? c_.demand.box_racks : c_.demand.racks));
  }

  struct Option {
    const CoolingTechnology* technology;
    Power rack;
    int boxes;  ///< a rack; 0: all of them
  };

  // Boxes with cold plates need liquid; boxes with fans go neither on plates nor
  // into a tank.
  bool suits(const CoolingTechnology& t) const {
    if (&t == &t_ || tank(t)) return false;
    return (t.family == CoolingFamily::cold_plate) == has_plates(c_.demand);
  }

  std::vector<Option> options() const {
    std::vector<Option> out;
    const int now = boxes_in(rack_capacity(c_.at, c_.water));
    for (const auto* t : c_.catalog.all<CoolingTechnology>()) {
      if (!suits(*t)) continue;
      HallDemand other = c_.demand;
      other.cooling = {};
      other.cooling.kind = t->id;
      other.cooling.containment = Containment::hot_aisle;
      const auto at = design_of(choose(other, c_.catalog), other.it_max.value, {});
      const Power rack = rack_capacity(at, at.liquid_supply - at.liquid_approach);
      const int fits = boxes_in(rack);
      if (holds(rack))
        out.push_back({t, rack, 0});
      else if (fits > std::max(now, 0))
        out.push_back({t, rack, fits});
    }
    // Those that hold all boxes first, the cheapest of them in front; of the others the most.
    std::sort(out.begin(), out.end(), [](const Option& a, const Option& b) {
      if (a.boxes != b.boxes) return a.boxes == 0 || (b.boxes != 0 && a.boxes > b.boxes);
      return a.technology->price.likely < b.technology->price.likely;
    });
    return out;
  }

  void other_technologies() {
    std::size_t listed = 0;
    for (const auto& o : options()) {
      if (listed == 2 || (listed > 0 && o.boxes > 0)) return;
      ++listed;
      const bool water = c_.at.room->direct_expansion && !o.technology->direct_expansion;
      priced(fmt::format("cool the hall by {} (about {} a rack{}){}", o.technology->name,
                         kw(o.rack), o.boxes > 0 ? boxes_words(o.boxes) : "",
                         water ? "; it needs chilled water, which DX units do not" : ""),
             *o.technology, c_.demand.it_max.value);
    }
  }

  void liquid_sibling() {
    if (has_plates(c_.demand) || c_.demand.liquid_sibling.empty()) return;
    out_.push_back(
        advice(fmt::format("buy the liquid-cooled sibling ({}) and cool it by cold "
                           "plates",
                           c_.demand.liquid_sibling)));
  }

  const RackCase& c_;
  const CoolingTechnology& t_;
  std::vector<Remedy> out_;
};

}  // namespace

// ASHRAE TC 9.9 (2021): class A1 allows a dew point of up to 17 degC, and class W17 is the
// coldest facility water; pipes colder than the dew point sweat.
Temperature coldest_coolant() { return Temperature::celsius(17); }

std::vector<Remedy> rack_remedies(const RackCase& rack) { return Advisor(rack).run(); }

}  // namespace headroom::cooling
