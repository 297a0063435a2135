// The halls' IT load and the grid's carbon hour by hour. Internal to study.
//
// LOAD. The yearly mean of a cluster's IT (`check`'s) times a shape of mean 1 over the week, taken
// by its systems; switches and storage stand still:
//   a cluster with `profile`    1 + swing cos(2 pi (hour - peak)/24), weekend days times `weekend`
//   otherwise by its work       what trains, embeds or makes video: flat; what answers people
//   (serve,
//                               rag, edge): swing 25 %, peak at 15 h, weekends at 85 % (assumed)
// A shape that would exceed what its racks draw at most is flattened until it does not; the mean
// stays. The year's first day is taken to be a Monday. Carries no lag between traffic
// and power.
//
// CARBON. Hours of a file, else the yearly mean times an assumed shape (site/carbon_hours.hpp).
#pragma once

#include "study/context.hpp"
#include "study/facility_year.hpp"

namespace headroom::study {

struct HallShapes {
  std::vector<std::vector<double>> by_group;  ///< [group][hour], W; of the halls' racks, in order
  bool flat = true;
  bool assumed = false;    ///< a shape by kind of work
  bool flattened = false;  ///< some racks would have exceeded their maximum
};
HallShapes hall_shapes(const Context& c, std::size_t hours);

struct HourlyCarbon {
  std::vector<double> kg_per_j;  ///< empty: unknown
  std::string origin;
};
Result<HourlyCarbon> hourly_carbon(const Context& c, const FacilityOptions& options,
                                   std::size_t hours);

}  // namespace headroom::study
