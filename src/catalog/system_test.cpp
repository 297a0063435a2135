#include "catalog/system.hpp"

#include <gtest/gtest.h>

#include "catalog/accelerator.hpp"

namespace headroom {
namespace {

using catalog::Accelerator;
using catalog::Catalog;
using catalog::System;
using catalog::SystemCooling;
using catalog::SystemForm;

const System& box(const char* id) {
  const auto* found = Catalog::builtin().find<System>(id);
  if (found == nullptr) throw std::runtime_error(std::string("no system ") + id);
  return *found;
}

TEST(System, PublishedRatingsOfDgx) {
  EXPECT_NEAR(box("dgx-a100").power.max.get().in(kilowatt), 6.5, 1e-9);
  EXPECT_NEAR(box("dgx-h100").power.max.get().in(kilowatt), 10.2, 1e-9);
  EXPECT_NEAR(box("dgx-b200").power.max.get().in(kilowatt), 14.3, 1e-9);
  EXPECT_NEAR(box("dgx-b200").weight.get().in(kilogram), 142.4, 1e-9);
  EXPECT_EQ(box("dgx-h100").rack_units, 8);
  EXPECT_EQ(box("dgx-b200").rack_units, 10);
}

TEST(System, FourDgxH100MakeTheFortyKilowattRack) {
  const auto& dgx = box("dgx-h100");
  EXPECT_NEAR((4 * dgx.power.max.get()).in(kilowatt), 40.8, 1e-9);
}

TEST(System, RatingCoversItsAccelerators) {
  for (const auto* s : Catalog::builtin().all<System>()) {
    SCOPED_TRACE(s->id);
    const auto* a = Catalog::builtin().find<Accelerator>(s->accelerator);
    ASSERT_NE(a, nullptr);
    // A Grace superchip rack limits its GPUs below their own maximum.
    const double margin = s->form == SystemForm::rack ? 1.3 : 1.0;
    EXPECT_GE(s->power.max.get().si() * margin, s->accelerators * a->power.typical.get().si());
    EXPECT_LE(s->power.idle.get().si(), s->power.typical.get().si());
    EXPECT_LE(s->power.typical.get().si(), s->power.max.get().si());
    EXPECT_TRUE(s->weight.given);
  }
}

TEST(System, HeatHasAWayOut) {
  for (const auto* s : Catalog::builtin().all<System>()) {
    SCOPED_TRACE(s->id);
    ASSERT_TRUE(s->heat.liquid_fraction.given);
    const double liquid = s->heat.liquid_fraction.get();
    const bool wet =
        s->heat.cooling == SystemCooling::hybrid || s->heat.cooling == SystemCooling::liquid;
    EXPECT_EQ(liquid > 0, wet);
    if (wet) { EXPECT_TRUE(s->heat.coolant_rise.given); }
  }
}

TEST(System, PowerSuppliesCarryTheRatedLoadWithTheirSparesOut) {
  for (const auto* s : Catalog::builtin().all<System>()) {
    if (s->supply.count == 0 || s->supply.needed == 0) continue;
    SCOPED_TRACE(s->id);
    EXPECT_LE(s->supply.needed, s->supply.count);
    EXPECT_GE(s->supply.needed * s->supply.each.get().si() * 1.001, s->power.max.likely * 0.95);
  }
}

TEST(System, OnlyARackCoversGround) {
  EXPECT_EQ(box("dgx-h100").footprint().si(), 0);
  EXPECT_NEAR(box("gb200-nvl72").footprint().in(square_metre), 0.6408, 1e-9);
}

TEST(System, BuyableSystemsHaveAPriceAndALeadTime) {
  for (const auto* s : Catalog::builtin().all<System>()) {
    EXPECT_NE(s->rentable_only, s->price.given) << s->id;
    EXPECT_NE(s->rentable_only, s->lead_time.given) << s->id;
  }
}

TEST(System, CatalogueHoldsWhatTheIssueAsksFor) {
  for (const char* id : {"dgx-a100",
                         "dgx-h100",
                         "hgx-h100",
                         "dgx-h200",
                         "dgx-b200",
                         "hgx-b200",
                         "dgx-b300",
                         "hgx-b300",
                         "gb200-nvl72",
                         "gb300-nvl72",
                         "mi300x-8",
                         "mi325x-8",
                         "mi355x-8",
                         "l40s-8",
                         "rtx-pro-6000-8",
                         "a100-pcie-8",
                         "tpu-v5p-4",
                         "tpu-v6e-8",
                         "gaudi3-8",
                         "trn2-16",
                         "trn2-ultraserver",
                         "inf2-48xl",
                         "h100-pcie-4",
                         "jetson-agx-orin-box",
                         "jetson-thor-box",
                         "macbook-m3-max",
                         "macbook-m4-max",
                         "rtx-4090-workstation",
                         "ryzen-ai-max-desktop",
                         "cerebras-cs-3",
                         "groqnode-8"}) {
    EXPECT_NE(Catalog::builtin().find<System>(id), nullptr) << id;
  }
}

}  // namespace
}  // namespace headroom
