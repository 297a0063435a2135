// What the year and the failures of a facility share. Internal to study.
#pragma once

#include "cooling/failure_walk.hpp"
#include "study/context.hpp"
#include "study/facility_availability.hpp"
#include "study/facility_transient.hpp"
#include "study/facility_year.hpp"

namespace headroom::study {

/// The plant of a context's halls, in their order; racks of `HallLoads::groups` are its groups, in
/// order (`HallAir::groups`). The last hall and group are the power rooms. Chips have a path to
/// their coolant. In halls with cold plates each cluster's heat divides as its own systems say;
/// switches and storage are cooled by air.
cooling::Plant plant_of(const Context& c, const cooling::DesignDays& days);

/// What the power layer was told of the halls and of cooling, after both were solved.
power::Demand power_demand(const Context& c);

/// The nodes of a plant that can be lost.
std::vector<FacilityNode> facility_nodes(const Context& c, const cooling::Plant& plant);

/// Reads `options.lose` against the nodes; mistakes are told together.
struct Loss {
  const FacilityNode* node = nullptr;
  double share = -1;  ///< below 0: the node's own
  int minute = -1;    ///< of the day
  std::string text;
};
std::vector<Loss> read_losses(const std::vector<std::string>& texts,
                              const std::vector<FacilityNode>& nodes, Diagnostics& mistakes);

/// Reads "NODE[=SHARE],NODE..." of the power chain, two or more at once; mistakes are added.
std::vector<std::vector<power::Outage>> read_together(const std::vector<std::string>& texts,
                                                      const std::vector<FacilityNode>& nodes,
                                                      Diagnostics& mistakes);

/// `peak_hour`: of the year's most cooling electricity.
FacilityWalk walk_facility(Context& c, const cooling::Plant& plant,
                           const cooling::WeatherYear& weather, std::size_t peak_hour,
                           const std::vector<Loss>& losses, const FacilityOptions& options,
                           const FacilityChain& chain);

/// The answers of `--availability` and `--transient` for a context that was walked.
Result<AvailabilityAnswer> availability_of(Context& c, const AvailabilityOptions& options);
/// `answer.loads` stays empty where nothing runs.
void transient_of(Context& c, const TransientOptions& options, TransientAnswer& answer);
/// What the scenario asks of them, as limits: `availability.target`, and each limit given in
/// `power.transient`.
void assess_asked(Context& c);

/// The file's year, or the climate's synthetic one; before `warmer`.
Result<cooling::WeatherYear> facility_weather(const Context& c, const FacilityOptions& options);
/// Tokens a workload makes in a second of full speed; 0: no rate is known.
double tokens_per_s(const Work& work);

}  // namespace headroom::study
