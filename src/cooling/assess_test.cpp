// Every limit of the cooling layer, failing and holding; energy and water that
// add up; climates that behave.
#include "cooling/assess.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "cooling/rack.hpp"
#include "cooling/tower.hpp"

namespace headroom::cooling {
namespace {

const catalog::Catalog& builtin() { return catalog::Catalog::builtin(); }

Value<Power> kw(double v) { return {v * kilowatt, assumed("test")}; }
spec::Bank<Power> bank(int n, double each_kw) { return {n, kw(each_kw)}; }
Value<TemperatureDifference> deg(double celsius) {
  return {TemperatureDifference::from_si(Temperature::celsius(celsius).si()), assumed("test")};
}
Value<TemperatureDifference> kelvins(double k) { return {k * kelvin, assumed("test")}; }

// Ten racks of four DGX H100 in an air-cooled hall.
struct Site {
  Trace trace;
  PlantSpec plant;
  Demand demand;

  explicit Site(const char* kind = "crah", double rack_kw = 40.8,
                const char* climate = "leesburg-va") {
    HallDemand hall;
    hall.scope = "hall-a";
    hall.title = "hall A";
    hall.cooling.kind = kind;
    hall.it_max = trace.input("hall-a.it", kw(10 * rack_kw), "kW");
    hall.it_typical = trace.input("hall-a.it-typical", kw(7.5 * rack_kw), "kW");
    hall.rack_max = trace.input("hall-a.rack", kw(rack_kw), "kW");
    hall.racks = 10;
    hall.box = "DGX H100";
    hall.boxes_per_rack = 4;
    hall.box_max = rack_kw / 4 * kilowatt;
    demand.halls.push_back(hall);
    demand.climate = builtin().find<catalog::Climate>(climate);
  }
  HallDemand& hall() { return demand.halls.front(); }
  Result run() { return assess(plant, demand, builtin(), trace); }
};

const Margin* find(const Result& r, const std::string& id) {
  const auto& all = r.findings.margins;
  const auto it = std::find_if(all.begin(), all.end(), [&](const Margin& m) { return m.id == id; });
  return it == all.end() ? nullptr : &*it;
}

void expect_fails(const Result& r, const std::string& id) {
  const Margin* m = find(r, id);
  ASSERT_NE(m, nullptr) << id;
  EXPECT_FALSE(m->holds()) << id << " need " << m->need << " have " << m->have;
  EXPECT_FALSE(m->remedies.empty()) << id;
  EXPECT_FALSE(m->why.empty()) << id;
}

void expect_holds(const Result& r, const std::string& id) {
  const Margin* m = find(r, id);
  ASSERT_NE(m, nullptr) << id;
  EXPECT_TRUE(m->holds()) << id << " need " << m->need << " have " << m->have;
}

// 0.47 m3/s warmed by 12 K carry 6.8 kW: no open aisle cools 40.8 kW.
TEST(Assess, four_dgx_h100_fail_in_room_air_and_three_ways_out_are_named) {
  Site site;
  const Result r = site.run();
  expect_fails(r, "cooling.hall-a.rack");
  const Margin* m = find(r, "cooling.hall-a.rack");
  EXPECT_NEAR(m->have, 0.47 * 1.2 * 1005 * 12, 1);
  EXPECT_GE(m->remedies.size(), 2u);
}

TEST(Assess, five_kw_hold_in_room_air) {
  expect_holds(Site("crah", 5).run(), "cooling.hall-a.rack");
}

TEST(Assess, containment_lifts_what_a_rack_gets) {
  Site site("crah", 10);
  expect_fails(site.run(), "cooling.hall-a.rack");
  site.hall().cooling.containment = Containment::hot_aisle;
  expect_holds(site.run(), "cooling.hall-a.rack");
}

TEST(Assess, flow_given_by_the_scenario_decides) {
  Site site("crah", 25);
  site.hall().cooling.rack_air = {1.74 * cubic_metre / second, assumed("test")};
  expect_holds(site.run(), "cooling.hall-a.rack");
  site.hall().cooling.rack_air = {1.72 * cubic_metre / second, assumed("test")};
  expect_fails(site.run(), "cooling.hall-a.rack");
}

TEST(Assess, rear_door_by_flow_and_temperature) {
  expect_holds(Site("rear-door", 30).run(), "cooling.hall-a.rack");
  expect_fails(Site("rear-door", 80).run(), "cooling.hall-a.rack");
  Site warm("rear-door", 30);
  warm.plant.water_supply = deg(30);  // 24 + 16 - 30 - 5 = 5 K left for the coil
  expect_fails(warm.run(), "cooling.hall-a.rack");
}

TEST(Assess, nvl72_on_cold_plates_needs_flow_for_its_liquid_and_air_for_the_rest) {
  Site site("cold-plate", 132);
  site.hall().liquid_fraction = {0.87, assumed("test")};
  const Result r = site.run();
  expect_holds(r, "cooling.hall-a.rack");      // 115 kW of 116 kW
  expect_holds(r, "cooling.hall-a.rack-air");  // 17 kW of 21.7 kW
  site.hall().cooling.rack_liquid = {80 * litre / minute, assumed("test")};
  expect_fails(site.run(), "cooling.hall-a.rack");
  site.hall().coolant_rise = kelvins(22);  // 80 L/min at 22 K carry it again
  expect_holds(site.run(), "cooling.hall-a.rack");
}

TEST(Assess, air_cooled_boxes_in_a_cold_plate_hall_leave_everything_in_the_air) {
  Site site("cold-plate", 40.8);
  site.hall().liquid_fraction = {0.0, assumed("test")};
  expect_fails(site.run(), "cooling.hall-a.rack-air");
}

std::string all_remedies(const Margin* m) {
  std::string out;
  for (const auto& r : m->remedies) out += r.action + "\n";
  return out;
}

TEST(Remedies, a_door_asks_for_what_binds_it_colder_water_or_more_of_it) {
  Site site("rear-door", 48);
  site.hall().cooling.rack_liquid = {85 * litre / minute, assumed("test")};
  const Result r = site.run();
  const Margin* m = find(r, "cooling.hall-a.rack");
  ASSERT_FALSE(m->holds());  // 16 K of coil x 2.4 m3/s = 46 kW; water 59 kW
  EXPECT_TRUE(m->remedies.front().action.starts_with("supply the doors with water at"))
      << all_remedies(m);
  site.hall().cooling.rack_liquid = {60 * litre / minute, assumed("test")};
  const Result dry = site.run();
  EXPECT_TRUE(
      find(dry, "cooling.hall-a.rack")->remedies.front().action.starts_with("give each door"))
      << all_remedies(find(dry, "cooling.hall-a.rack"));
}

TEST(Remedies, boxes_with_fans_are_offered_no_tank_and_no_plates) {
  for (const char* kind : {"crac", "crah", "in-row", "rear-door"}) {
    Site site(kind, 90);
    const Result r = site.run();
    const std::string text = all_remedies(find(r, "cooling.hall-a.rack"));
    EXPECT_EQ(text.find("Immersion"), std::string::npos) << kind << ": " << text;
    EXPECT_EQ(text.find("Direct to chip"), std::string::npos) << kind << ": " << text;
  }
  Site site("crah", 90);
  site.hall().liquid_sibling = "HGX B200, liquid";
  EXPECT_NE(all_remedies(find(site.run(), "cooling.hall-a.rack")).find("HGX B200, liquid"),
            std::string::npos);
}

TEST(Remedies, plates_are_never_offered_air) {
  Site site("cold-plate", 132);
  site.hall().liquid_fraction = {0.87, assumed("test")};
  site.hall().cooling.rack_liquid = {80 * litre / minute, assumed("test")};
  const Result r = site.run();
  const std::string text = all_remedies(find(r, "cooling.hall-a.rack"));
  EXPECT_NE(text.find("give each rack"), std::string::npos) << text;
  EXPECT_EQ(text.find("cool the hall by"), std::string::npos) << text;
}

TEST(Remedies, only_racks_with_boxes_multiply) {
  Site site("crah", 40.8);
  site.hall().cooling.rack_air = {0.8 * cubic_metre / second, assumed("test")};  // 11.6 kW: 1 box
  site.hall().racks = 13;
  site.hall().box_racks = 12;
  site.hall().boxes = 48;
  EXPECT_NE(
      all_remedies(find(site.run(), "cooling.hall-a.rack")).find("takes 49 racks instead of 13"),
      std::string::npos);
}

TEST(Remedies, a_box_with_fans_in_a_tank_is_remarked_on) {
  Site site("immersion-1p", 50);
  const auto tanks = [](const Result& r) {
    return std::count_if(r.findings.remarks.begin(), r.findings.remarks.end(), [](const auto& t) {
      return t.find("built for air") != std::string::npos;
    });
  };
  EXPECT_EQ(tanks(site.run()), 0);  // nothing is known of the boxes
  site.hall().liquid_fraction = {0.0, assumed("test")};
  EXPECT_EQ(tanks(site.run()), 1);
}

TEST(Assess, immersion_tank) {
  expect_holds(Site("immersion-1p", 90).run(), "cooling.hall-a.rack");
  expect_fails(Site("immersion-1p", 200).run(), "cooling.hall-a.rack");
}

TEST(Assess, boiling_at_the_chip) {
  Site site("immersion-2p", 80);
  site.hall().chip_flux = {PowerDensity::from_si(60e4), assumed("test")};
  expect_holds(site.run(), "cooling.hall-a.boiling");
  site.hall().chip_flux = {PowerDensity::from_si(200e4), assumed("test")};
  expect_fails(site.run(), "cooling.hall-a.boiling");
}

TEST(Assess, room_units_with_one_lost_carry_their_own_fans_too) {
  Site site("crah", 5);
  site.hall().cooling.units = bank(1, 55);
  expect_holds(site.run(), "cooling.hall-a.units");
  site.hall().cooling.units = bank(1, 50);  // exactly the IT heat
  expect_fails(site.run(), "cooling.hall-a.units");
  site.hall().cooling.units = bank(2, 55);
  site.hall().cooling.redundancy = Redundancy::n_plus_1;
  expect_holds(site.run(), "cooling.hall-a.units");
}

TEST(Assess, cdus_with_one_lost) {
  Site site("cold-plate", 100);
  site.hall().liquid_fraction = {0.8, assumed("test")};
  site.hall().cooling.cdus = bank(2, 600);
  site.hall().cooling.cdu_redundancy = Redundancy::n_plus_1;
  expect_fails(site.run(), "cooling.hall-a.cdus");
  site.hall().cooling.cdus = bank(3, 600);
  expect_holds(site.run(), "cooling.hall-a.cdus");
}

TEST(Assess, supply_air_and_coolant_against_what_the_systems_take) {
  Site site("cold-plate", 100);
  site.hall().liquid_fraction = {0.8, assumed("test")};
  site.hall().max_inlet = deg(30);
  site.hall().max_coolant = deg(40);
  expect_holds(site.run(), "cooling.hall-a.inlet");
  expect_holds(site.run(), "cooling.hall-a.coolant");
  site.hall().cooling.supply = deg(45);
  site.hall().cooling.air_supply = deg(32);
  expect_fails(site.run(), "cooling.hall-a.inlet");
  expect_fails(site.run(), "cooling.hall-a.coolant");
}

TEST(Assess, plant_with_one_lost) {
  Site site("crah", 5);
  site.plant.capacity = bank(2, 40);
  expect_holds(site.run(), "cooling.plant");
  site.plant.redundancy = Redundancy::n_plus_1;
  expect_fails(site.run(), "cooling.plant");
}

// Singapore: design wet bulb 28.9 degC; 32 degC coolant less 4 K wants 28 degC water.
TEST(Assess, towers_alone_cannot_make_28_degrees_in_singapore_but_can_in_stockholm) {
  Site singapore("immersion-1p", 50, "singapore");
  singapore.plant.kind = PlantKind::tower;
  singapore.hall().cooling.supply = deg(34);
  const Result hot = singapore.run();
  expect_fails(hot, "cooling.supply");
  EXPECT_GT(hot.year.short_of.in(hour), 1000);
  // 34 - 6 K of the tank's exchanger = 28 degC wanted, 0.9 K below the design wet bulb.
  EXPECT_EQ(find(hot, "cooling.supply")->have, 0);  // colder than the wet bulb: no approach at all
  EXPECT_GT(find(hot, "cooling.supply")->need, 3);
  Site stockholm("immersion-1p", 50, "stockholm");
  stockholm.plant.kind = PlantKind::tower;
  stockholm.hall().cooling.supply = deg(40);
  const Result cold = stockholm.run();
  expect_holds(cold, "cooling.supply");
  EXPECT_EQ(cold.year.short_of.in(hour), 0);
}

TEST(Assess, water_permit_of_a_day_and_of_a_year) {
  Site site("crah", 5, "dallas-tx");
  const Result free = site.run();
  EXPECT_GT(free.water_peak_day.value.si(), 0);
  EXPECT_EQ(find(free, "cooling.water-day"), nullptr);
  site.plant.permit = {free.water_peak_day.value * 0.5, assumed("test")};
  site.plant.permit_year = {free.water_year.value / (1 * headroom::year) * 0.5, assumed("test")};
  expect_fails(site.run(), "cooling.water-day");
  expect_fails(site.run(), "cooling.water-year");
  const Result half = site.run();  // half the make-up is less than what evaporates
  EXPECT_EQ(all_remedies(find(half, "cooling.water-day")).find("cycles"), std::string::npos);
  site.plant.permit = {free.water_peak_day.value * 0.98, assumed("test")};
  const Result near = site.run();
  const auto& cycles = find(near, "cooling.water-day")->remedies.front().action;
  EXPECT_TRUE(cycles.starts_with("treat the water for ")) << cycles;
  EXPECT_NE(cycles.find("instead of 5.0"), std::string::npos) << cycles;
  EXPECT_EQ(cycles.find("for 5.0"), std::string::npos) << cycles;
  site.plant.permit = {free.water_peak_day.value * 2, assumed("test")};
  site.plant.permit_year = {free.water_year.value / (1 * headroom::year) * 2, assumed("test")};
  expect_holds(site.run(), "cooling.water-day");
  expect_holds(site.run(), "cooling.water-year");
}

TEST(Assess, dry_coolers_use_no_water) {
  Site site("immersion-1p", 50, "phoenix-az");
  site.plant.kind = PlantKind::dry_cooler;
  const Result r = site.run();
  EXPECT_EQ(r.water_year.value.si(), 0);
  EXPECT_EQ(r.wue.value.si(), 0);
}

TEST(Assess, crac_needs_no_plant) {
  Site site("crac", 5);
  site.plant.capacity = bank(1, 1);
  const Result r = site.run();
  EXPECT_EQ(find(r, "cooling.plant"), nullptr);
  EXPECT_GT(r.compressors_typical.value.si(), 0);
  EXPECT_EQ(r.water_year.value.si(), 0);
}

// Hours with wet bulb <= 20 degC of the eight hourly files; a 2 K histogram keeps
// them within 2.5 % of a year.
TEST(Climate, histogram_keeps_the_hours_of_the_hourly_files) {
  const std::pair<const char*, double> cases[] = {
      {"stockholm", 8760},  {"seattle-wa", 8680},  {"zurich", 8542},    {"chicago-il", 7912},
      {"phoenix-az", 7348}, {"leesburg-va", 7121}, {"dallas-tx", 5738}, {"singapore", 0}};
  for (const auto& [id, hours] : cases) {
    const auto* climate = builtin().find<catalog::Climate>(id);
    ASSERT_NE(climate, nullptr) << id;
    EXPECT_NEAR(climate->hours_wet_bulb_at_most(Temperature::celsius(20)).in(hour), hours, 220)
        << id;
  }
}

TEST(Climate, every_entry_is_a_year) {
  for (const auto* climate : builtin().all<catalog::Climate>()) {
    Time wet{}, dry{};
    for (const auto& bin : climate->by_wet_bulb) wet += bin.hours.get();
    for (const auto& bin : climate->by_dry_bulb) dry += bin.hours.get();
    EXPECT_NEAR(wet.in(hour), 8760, 1e-6) << climate->id;
    EXPECT_NEAR(dry.in(hour), 8760, 1e-6) << climate->id;
    EXPECT_LE(climate->wet_bulb.design.get().si(), climate->dry_bulb.design.get().si());
  }
}

// At 40 degC supply no climate of the eight needs a compressor in any hour.
TEST(Year, warm_liquid_needs_no_compressor_anywhere) {
  for (const char* id : {"stockholm", "phoenix-az", "dallas-tx", "singapore"}) {
    Site site("immersion-1p", 50, id);
    site.hall().cooling.supply = deg(45);
    site.plant.water_rise = kelvins(5.56);
    const Result r = site.run();
    EXPECT_NEAR(r.liquid_free.value.in(hour), 8760, 1e-6) << id;
    EXPECT_LE(r.compressor_free.value, r.liquid_free.value) << id;
  }
}

TEST(Year, colder_places_run_more_hours_without_compressor) {
  double last = 1e9;
  for (const char* id : {"stockholm", "chicago-il", "dallas-tx", "singapore"}) {
    const double hours = Site("crah", 5, id).run().compressor_free.value.in(hour);
    EXPECT_LE(hours, last) << id;
    last = hours;
  }
  EXPECT_EQ(last, 0);
}

PlantKind any_plant() { return static_cast<PlantKind>(*rc::gen::inRange(0, 5)); }
std::string any_technology() {
  return *rc::gen::elementOf(std::vector<std::string>{
      "crac", "crah", "in-row", "rear-door", "cold-plate", "immersion-1p", "immersion-2p"});
}

RC_GTEST_PROP(Energy, every_watt_in_leaves_for_the_sky, ()) {
  const auto kind = any_technology();
  Site site(kind.c_str(), *rc::gen::inRange(1, 200));
  site.plant.kind = any_plant();
  site.plant.economiser = *rc::gen::arbitrary<bool>();
  site.hall().loss_max = *rc::gen::inRange(0, 50) * kilowatt;
  site.hall().loss_typical = site.hall().loss_max * 0.5;
  site.demand.power_rooms_max = *rc::gen::inRange(0, 100) * kilowatt;
  site.demand.power_rooms_typical = site.demand.power_rooms_max * 0.7;
  const Result r = site.run();
  RC_ASSERT(r.imbalance < 1e-9);
  for (const auto& m : r.findings.margins) RC_ASSERT(std::isfinite(m.need + m.have));
}

RC_GTEST_PROP(Energy, hotter_air_never_lowers_compressor_power, ()) {
  Site site("crah", *rc::gen::inRange(1, 30));
  const Design design = resolve(site.plant, site.demand, builtin());
  const double wet = *rc::gen::inRange(-10, 28);
  const Heat heat = heat_max(site.demand);
  const auto at = [&](double w) {
    return solve(design, heat,
                 {Temperature::celsius(w + 6), Temperature::celsius(w), 101.325 * kilopascal});
  };
  RC_ASSERT(at(wet + 1).compressors >= at(wet).compressors);
}

// NREL ESIF: liquid-cooled, towers, no compressor, PUE 1.036 with fans and pumps;
// its cooling share is about 0.03. Denver's normals stand in for Golden.
TEST(Published, warm_liquid_on_towers_cools_at_about_three_percent) {
  Site site("cold-plate", 80, "denver");
  site.hall().liquid_fraction = {0.9, assumed("test")};
  site.plant.kind = PlantKind::tower;
  site.hall().cooling.supply = deg(30);
  const Result r = site.run();
  const double overhead = r.electrical_typical.value / Power(750 * kilowatt) * (750.0 / 600.0);
  EXPECT_GT(overhead, 0.012);
  EXPECT_LT(overhead, 0.05);
}

// ESIF's towers alone: 1.08 L/kWh of IT with part of the heat reused; towers that
// take all of it evaporate between that and the all-latent bound with blowdown.
TEST(Published, towers_in_a_dry_climate_take_between_1_and_2_litres_a_kwh) {
  Site site("cold-plate", 80, "denver");
  site.hall().liquid_fraction = {0.9, assumed("test")};
  site.plant.kind = PlantKind::tower;
  const double wue = site.run().wue.value.in(litre / kilowatt_hour);
  EXPECT_GT(wue, 1.0);
  EXPECT_LT(wue, 2.0);
}

TEST(Assess, zero_heat_is_an_answer) {
  Site site;
  site.hall().it_max.value = site.hall().it_typical.value = site.hall().rack_max.value = Power{};
  const Result r = site.run();
  EXPECT_EQ(r.electrical_max.value.si(), 0);
  EXPECT_EQ(r.wue.value.si(), 0);
}

TEST(Assess, bill_lists_gear_only_when_itemised) {
  Site site("cold-plate", 100);
  site.hall().cooling.cdus = bank(3, 600);
  site.hall().cooling.units = bank(4, 120);
  site.plant.capacity = bank(2, 1000);
  EXPECT_TRUE(site.run().findings.bill.lines().empty());
  site.plant.itemised = true;
  EXPECT_EQ(site.run().findings.bill.lines().size(), 3u);
}

}  // namespace
}  // namespace headroom::cooling
