// What a bank may lose, by hand and as a property.
#include "catalog/redundancy.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace headroom::catalog {
namespace {

TEST(Redundancy, units_left_by_hand) {
  EXPECT_EQ(usable_units(6, Redundancy::n), 6);
  EXPECT_EQ(usable_units(6, Redundancy::n_plus_1), 5);
  EXPECT_EQ(usable_units(6, Redundancy::n_plus_2), 4);
  EXPECT_EQ(usable_units(6, Redundancy::two_n), 3);
  EXPECT_EQ(usable_units(6, Redundancy::three_to_two), 4);
  EXPECT_EQ(usable_units(6, Redundancy::none), 0);
  EXPECT_EQ(usable_units(7, Redundancy::two_n), 3);
  EXPECT_EQ(usable_units(0, Redundancy::n_plus_1), 0);
}

TEST(Redundancy, spelled_as_the_trade_does) {
  EXPECT_EQ(redundancy_name(Redundancy::n_plus_1), "N+1");
  EXPECT_EQ(redundancy_names().size(), 8u);
}

RC_GTEST_PROP(Redundancy, units_bought_leave_what_is_needed_and_no_fewer_would, ()) {
  const auto r = *rc::gen::element(Redundancy::n, Redundancy::n_plus_1, Redundancy::n_plus_2,
                                   Redundancy::two_n, Redundancy::three_to_two);
  const int needed = *rc::gen::inRange(1, 500);
  const int bought = units_for(needed, r);
  RC_ASSERT(usable_units(bought, r) >= needed);
  RC_ASSERT(usable_units(bought - 1, r) < needed);
}

}  // namespace
}  // namespace headroom::catalog
