// Every published figure of data/validation/facility.yaml within its tolerance.
#include "cooling/targets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "cooling/plant_year.hpp"

namespace headroom::cooling {
namespace {

const std::string file = std::string(HEADROOM_SOURCE_DIR) + "/data/validation/facility.yaml";

TEST(Targets, all_are_met_but_the_known_misses) {
  const std::string epw = std::string(HEADROOM_SOURCE_DIR) + "/../shared/data/facility/epw";
  const auto table = check_targets(file, epw);
  ASSERT_TRUE(table) << render(table.error());
  EXPECT_GE(table->size(), 90u);
  for (const auto& t : *table) {
    EXPECT_EQ(t.met(), t.known_miss.empty())
        << t.id << ": " << t.predicted << " against " << t.expected << " " << t.unit;
  }
  if (const char* path = std::getenv("HEADROOM_TARGETS_OUT"))
    std::ofstream(path) << to_text(*table);
}

TEST(Targets, without_hourly_files_the_synthetic_years_stand_in) {
  const auto table = check_targets(file);
  ASSERT_TRUE(table) << render(table.error());
  for (const auto& t : *table) {
    EXPECT_EQ(t.met(), t.known_miss.empty())
        << t.id << ": " << t.predicted << " against " << t.expected << " " << t.unit;
  }
}

TEST(Targets, a_wrong_row_is_named) {
  const std::string path = testing::TempDir() + "targets.yaml";
  std::ofstream(path) << "rows:\n  - {id: a, model: tower-approach, expect: 1}\n"
                         "  - {id: b, model: magic, expect: 1}\n";
  const auto table = check_targets(path);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().all().front().line, 3);
}

// ESIF's figures move as the plant's physics says, so that meeting them is no accident of one
// point.
TEST(Targets, esif_water_falls_with_the_thermosyphon_and_reuse) {
  const auto& climate = *catalog::Catalog::builtin().find<catalog::Climate>("denver");
  const auto w = synthetic_year(climate);
  Plant towers = esif_plant(w, false), none = towers;
  none.loops[0].reuse.demand_w = 0;
  const double with_reuse = year(towers, w).wue_l_kwh, without = year(none, w).wue_l_kwh;
  const double hybrid = year(esif_plant(w, true), w).wue_l_kwh;
  EXPECT_LT(with_reuse, without);
  EXPECT_LT(hybrid, with_reuse);
}

}  // namespace
}  // namespace headroom::cooling
