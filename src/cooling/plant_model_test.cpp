// The year in cells against the same plant hour by hour, and what a plant must do in any case.
#include "cooling/plant_model.hpp"

#include <gtest/gtest.h>

#include "cooling/assess.hpp"
#include "cooling/plant_of_design.hpp"
#include "cooling/plant_year.hpp"

namespace headroom::cooling {
namespace {

const catalog::Catalog& builtin() { return catalog::Catalog::builtin(); }

struct Site {
  PlantSpec spec;
  Demand demand;
  const catalog::Climate* climate = nullptr;

  Design design() const { return resolve(spec, demand, builtin()); }
};

Site site(PlantKind kind, const char* technology, const char* climate) {
  Site s;
  s.spec.kind = kind;
  HallDemand hall;
  hall.scope = "hall";
  hall.cooling.kind = technology;
  hall.cooling.containment = Containment::hot_aisle;
  hall.it_max.value = 10 * megawatt, hall.it_typical.value = 7 * megawatt;
  hall.rack_max.value = 100 * kilowatt;
  hall.racks = 100;
  hall.loss_max = 200 * kilowatt, hall.loss_typical = 150 * kilowatt;
  s.demand.halls.push_back(hall);
  s.demand.power_rooms_max = 300 * kilowatt, s.demand.power_rooms_typical = 250 * kilowatt;
  s.climate = builtin().find<catalog::Climate>(climate);
  s.demand.climate = s.climate;
  return s;
}

struct Case {
  PlantKind kind;
  const char* technology;
  const char* climate;
};
class Cells : public testing::TestWithParam<Case> {};

TEST_P(Cells, SayWhatTheHoursSay) {
  const Site s = site(GetParam().kind, GetParam().technology, GetParam().climate);
  const Design design = s.design();
  const Heat full = heat_max(s.demand), mean = heat_typical(s.demand);
  const auto weather = synthetic_year(*s.climate);
  const UsualYear cells = cells_of(weather);
  PlantModel model(design, full, cells, {});
  const Year by_cells = model.year(mean);

  LoadProfile load;
  for (const double share : shares_of(design, full, mean)) load.by_group.push_back({share});
  load.losses = {{mean.loss[0].si()}, {0.0}};
  const PlantYear by_hours = year(model.plant(), weather, load);

  const double hours_w = by_hours.energy.cooling() / (8760 * 3600.0);
  EXPECT_NEAR(by_cells.mean.electrical().si(), hours_w, 1e-3 * hours_w);
  const double litres = by_hours.water.total();
  EXPECT_NEAR(by_cells.mean.makeup.si() * 1e3 * 8760 * 3600.0, litres, 3e-3 * litres + 1e-6);
  EXPECT_NEAR(by_cells.compressor_free.in(hour), by_hours.chiller_free_h, 0.01 * 8760);
  EXPECT_NEAR(by_cells.short_of.in(hour), by_hours.short_h, 0.01 * 8760);
  EXPECT_LT(by_cells.worst_imbalance, 1e-6);
}
INSTANTIATE_TEST_SUITE_P(Plants, Cells,
                         testing::Values(Case{PlantKind::chiller_water, "cold-plate", "chicago-il"},
                                         Case{PlantKind::chiller_water, "crah", "frankfurt"},
                                         Case{PlantKind::chiller_air, "crah", "stockholm"},
                                         Case{PlantKind::tower, "cold-plate", "singapore"},
                                         Case{PlantKind::dry_cooler, "cold-plate", "phoenix-az"},
                                         Case{PlantKind::adiabatic, "cold-plate", "denver"},
                                         Case{PlantKind::tower, "immersion-2p", "leesburg-va"}));

TEST(UsualYear, CellsHoldEveryHourAndItsAir) {
  const auto* climate = builtin().find<catalog::Climate>("chicago-il");
  const auto weather = synthetic_year(*climate);
  const auto cells = cells_of(weather);
  double hours = 0, warmth = 0, moisture = 0, all_warmth = 0, all_moisture = 0;
  for (const auto& c : cells.cells) {
    hours += c.hours, warmth += c.hours * c.dry_bulb_c, moisture += c.hours * c.humidity;
    EXPECT_LE(c.wet_bulb_c, c.dry_bulb_c + 1e-9);
  }
  for (std::size_t h = 0; h < weather.hours(); ++h)
    all_warmth += weather.dry_bulb_c[h], all_moisture += weather.humidity[h];
  EXPECT_EQ(hours, 8760);
  EXPECT_NEAR(warmth, all_warmth, 1e-6 * std::abs(all_warmth));
  EXPECT_NEAR(moisture, all_moisture, 1e-9 * all_moisture);
  EXPECT_EQ(usual_year(*climate), usual_year(*climate));  // made once
}

TEST(UsualYear, AChangedClimateOfTheSameNameGetsItsOwn) {
  catalog::Climate other = *builtin().find<catalog::Climate>("chicago-il");
  const auto before = usual_year(other);
  for (auto& bin : other.by_dry_bulb) bin.dry_bulb.likely += 3;
  const auto after = usual_year(other);
  EXPECT_NE(before, after);
  EXPECT_GT(after->days.by_dry_bulb.dry_bulb_c, before->days.by_dry_bulb.dry_bulb_c + 2);
}

TEST(PlantModel, ReuseTakesHeatFromTheTowersInTheColdestHours) {
  const Site s = site(PlantKind::tower, "cold-plate", "chicago-il");
  const Design design = s.design();
  const Heat full = heat_max(s.demand), mean = heat_typical(s.demand);
  const auto weather = usual_year(*s.climate);
  ReuseSpec reuse;
  reuse.capacity = Value<Power>(1 * megawatt, assumed("test"));
  reuse.level = Value<TemperatureDifference>((273.15 + 30) * kelvin, assumed("test"));
  reuse.hours = Value<Time>(4000 * hour, assumed("test"));
  PlantModel without(design, full, *weather, {}), with(design, full, *weather, reuse);
  const Year plain = without.year(mean), reused = with.year(mean);
  EXPECT_GT(reused.mean.reused.si(), 0.5 * 1e6 * 4000 / 8760);
  EXPECT_LE(reused.mean.reused.si(), 1e6 * 4000 / 8760 * (1 + 1e-9));
  EXPECT_LT(reused.mean.makeup, plain.mean.makeup);
  EXPECT_LT(reused.worst_imbalance, 1e-6);
  // Nobody takes heat on the design days: the plant must carry it all.
  EXPECT_EQ(with.at_design(full).electrical(), without.at_design(full).electrical());
}

}  // namespace
}  // namespace headroom::cooling
