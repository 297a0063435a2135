// The scenario's words as a detailed plant, against the first model that reads the same words.
#include "cooling/plant_of_design.hpp"

#include <gtest/gtest.h>

#include "cooling/assess.hpp"
#include "cooling/plant_checks.hpp"
#include "cooling/plant_year.hpp"

namespace headroom::cooling {
namespace {

const catalog::Catalog& builtin() { return catalog::Catalog::builtin(); }

struct Both {
  Year first;
  PlantYear detailed;
  Diagnostics faults;
};

Both both(PlantKind kind, const char* technology, const char* climate_id) {
  PlantSpec spec;
  spec.kind = kind;
  Demand demand;
  HallDemand hall;
  hall.scope = "hall";
  hall.cooling.kind = technology;
  hall.cooling.containment = Containment::hot_aisle;
  hall.it_max.value = hall.it_typical.value = 10 * megawatt;
  hall.rack_max.value = 100 * kilowatt;
  hall.racks = 100;
  hall.loss_max = hall.loss_typical = 200 * kilowatt;
  demand.halls.push_back(hall);
  demand.power_rooms_max = demand.power_rooms_typical = 300 * kilowatt;
  const auto* climate = builtin().find<catalog::Climate>(climate_id);
  demand.climate = climate;
  const Design design = resolve(spec, demand, builtin());
  const Heat heat = heat_max(demand);
  const auto weather = synthetic_year(*climate);
  const auto days = design_days(weather);
  const Plant plant = plant_of(design, heat, days);
  return {year(design, heat, *climate), year(plant, weather), check_set_points(plant, days)};
}

struct Case {
  PlantKind kind;
  const char* technology;
  const char* climate;
};
class BothModels : public testing::TestWithParam<Case> {};

// Different models (exchangers with a size, fans that follow heat) of the same words: the parts
// of PUE agree within a third plus a hundredth, water within a quarter. Pads are the exception:
// the first model wets all of a cooler's air, this one only what the wetted, colder air leaves
// necessary.
TEST_P(BothModels, agree_in_size) {
  const auto& c = GetParam();
  const auto b = both(c.kind, c.technology, c.climate);
  const double it = 10e6;
  const double first = b.first.mean.electrical().si() / it;
  EXPECT_NEAR(b.detailed.pue_part, first, 0.01 + first / 3);
  EXPECT_LT(b.detailed.worst_imbalance, 1e-6);
  const double litres = b.first.mean.makeup.si() * 1e3 / (it / 3.6e6);
  if (c.kind == PlantKind::adiabatic) {
    EXPECT_LT(b.detailed.wue_l_kwh, litres);
    EXPECT_GT(b.detailed.wue_l_kwh, litres / 3);
  } else {
    EXPECT_NEAR(b.detailed.wue_l_kwh, litres, 0.05 + 0.25 * litres);
  }
  EXPECT_NEAR(b.detailed.energy.unmet, 0, 1e-5 * b.detailed.energy.it);
}
INSTANTIATE_TEST_SUITE_P(Plants, BothModels,
                         testing::Values(Case{PlantKind::chiller_water, "cold-plate", "chicago-il"},
                                         Case{PlantKind::chiller_water, "crah", "frankfurt"},
                                         Case{PlantKind::chiller_air, "cold-plate", "dallas-tx"},
                                         Case{PlantKind::chiller_air, "crah", "stockholm"},
                                         Case{PlantKind::tower, "cold-plate", "chicago-il"},
                                         Case{PlantKind::dry_cooler, "cold-plate", "stockholm"},
                                         Case{PlantKind::adiabatic, "cold-plate", "denver"},
                                         Case{PlantKind::chiller_water, "rear-door", "singapore"},
                                         Case{PlantKind::chiller_water, "immersion-1p",
                                              "phoenix-az"},
                                         Case{PlantKind::tower, "immersion-2p", "leesburg-va"}));

TEST(PlantOfDesign, a_chiller_plant_holds_its_set_points) {
  const auto b = both(PlantKind::chiller_water, "cold-plate", "dallas-tx");
  EXPECT_TRUE(b.faults.empty()) << render(b.faults);
  EXPECT_LT(b.detailed.worst_short_k, 0.01);
}

// One group of racks, or the same racks told as three groups: the same year.
TEST(RackShares, alike_racks_make_the_year_of_one_group) {
  PlantSpec spec;
  spec.kind = PlantKind::adiabatic;
  Demand demand;
  HallDemand hall;
  hall.cooling.kind = "cold-plate";
  hall.it_max.value = hall.it_typical.value = 3 * megawatt;
  hall.racks = 30;
  hall.loss_max = hall.loss_typical = 60 * kilowatt;
  demand.halls.push_back(hall);
  demand.climate = builtin().find<catalog::Climate>("columbus");
  Design design = resolve(spec, demand, builtin());
  const Heat heat = heat_max(demand);
  const auto weather = synthetic_year(*demand.climate);
  const auto days = design_days(weather);
  const auto& h = design.halls.front();
  std::vector<RackShare> racks;
  for (const double share : {0.5, 0.3, 0.2})
    racks.push_back({"part", 30 * share, 3 * megawatt * share, h.liquid_share, h.air_rise.si(),
                     h.liquid_rise.si()});
  design.halls.front().racks.clear();
  const auto one = year(plant_of(design, heat, days), weather);
  design.halls.front().racks = racks;
  const auto many = year(plant_of(design, heat, days), weather);
  EXPECT_NEAR(many.energy.cooling(), one.energy.cooling(), 1e-9 * one.energy.cooling());
  EXPECT_NEAR(many.water.total(), one.water.total(), 1e-9 * one.water.total());
  EXPECT_NEAR(many.energy.it, one.energy.it, 1e-12 * one.energy.it);
  // Racks without plates in their midst warm the air instead.
  design.halls.front().racks[1].liquid_share = 0;
  const auto mixed = year(plant_of(design, heat, days), weather);
  EXPECT_GT(mixed.energy.room_fans, 1.5 * one.energy.room_fans);
  EXPECT_LT(mixed.worst_imbalance, 1e-9);
}

}  // namespace
}  // namespace headroom::cooling
