// Redundancy: how much of a bank of equal units may be lost while the rest
// still carries the load.
//
// Words of the trade, shared by power and cooling. `by_count` leaves it to the
// layer: a pair of feeds is an A and a B side, a single unit is N.
//
//   N      every unit is needed          usable = n
//   N+1    any one may fail              usable = n - 1
//   N+2    any two may fail              usable = n - 2
//   2N     two full sides, one may fail  usable = n / 2, rounded down
//   3/2N   three shared sides, one fails (distributed redundant) usable = 2 n / 3, rounded down
//   catcher  blocks of one unit, and one more for whichever fails (block redundant)
//                                       usable = n - 1
//   none   nothing is installed          usable = 0
#pragma once

#include <span>
#include <string_view>

namespace headroom::catalog {

enum class Redundancy : unsigned char {
  by_count,
  n,
  n_plus_1,
  n_plus_2,
  two_n,
  three_to_two,
  none,
  catcher
};

/// "auto", "N", "N+1", "N+2", "2N", "3/2N", "none", "catcher": the spelling in scenarios.
std::span<const std::string_view> redundancy_names();
std::string_view redundancy_name(Redundancy r);

/// Units of `n` that still carry load after the loss that `r` promises to
/// survive; never negative. `by_count` counts as N.
int usable_units(int n, Redundancy r);
/// Units that must be bought so that `needed` remain; the inverse of `usable_units`.
int units_for(int needed, Redundancy r);

}  // namespace headroom::catalog
