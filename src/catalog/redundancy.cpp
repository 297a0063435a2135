#include "catalog/redundancy.hpp"

#include <algorithm>
#include <array>

namespace headroom::catalog {
namespace {
constexpr std::array<std::string_view, 8> names{"auto", "N",    "N+1",  "N+2",
                                                "2N",   "3/2N", "none", "catcher"};
}  // namespace

std::span<const std::string_view> redundancy_names() { return names; }

std::string_view redundancy_name(Redundancy r) { return names[static_cast<std::size_t>(r)]; }

int usable_units(int n, Redundancy r) {
  switch (r) {
    case Redundancy::none:
      return 0;
    case Redundancy::n_plus_1:
    case Redundancy::catcher:
      return std::max(0, n - 1);
    case Redundancy::n_plus_2:
      return std::max(0, n - 2);
    case Redundancy::two_n:
      return std::max(0, n / 2);
    case Redundancy::three_to_two:
      return std::max(0, static_cast<int>(2LL * n / 3));
    case Redundancy::by_count:
    case Redundancy::n:
      break;
  }
  return std::max(0, n);
}

int units_for(int needed, Redundancy r) {
  const int n = std::max(0, needed);
  if (n == 0) return 0;
  switch (r) {
    case Redundancy::n_plus_1:
    case Redundancy::catcher:
      return n + 1;
    case Redundancy::n_plus_2:
      return n + 2;
    case Redundancy::two_n:
      return 2 * n;
    case Redundancy::three_to_two:
      return static_cast<int>((3LL * n + 1) / 2);
    case Redundancy::none:
    case Redundancy::by_count:
    case Redundancy::n:
      break;
  }
  return n;
}

}  // namespace headroom::catalog
