// What the parts of facility_availability.cpp share. Internal to study.
#pragma once

#include <string>
#include <vector>

#include "availability/parts.hpp"
#include "study/facility_availability.hpp"
#include "study/facility_parts.hpp"

namespace headroom::study {

/// Needs of a hall in the view of power, beside its racks' own (0).
inline constexpr int cooling_need = 1, cooling_on_ups_need = 2;

/// Draws chain and plant of a context into a system.
class AvailabilitySystem {
 public:
  AvailabilitySystem(const Context& c, const availability::Spec& spec, const cooling::Plant& plant,
                     const cooling::DesignDays& days, AvailabilityAnswer& answer);
  void build();

 private:
  void loads();
  void chain();
  void add_chain_view(const power::Graph& graph, const std::vector<int>& groups,
                      const std::vector<char>& stored, bool from_batteries);
  int group_of(const power::Node& node);
  void batteries(const power::Graph& graph, const std::vector<char>& stored);
  void gaps(const power::Graph& graph);
  // Cooling.
  void plant();
  void hall_cooling(std::size_t hall);
  void heat_rejection();
  struct Bank {
    std::string part, name, title;
    int units = 1;
    double unit_w = 0;
    const catalog::CoolingTechnology* technology = nullptr;  ///< with its price
  };
  int add_view(const Bank& bank, const std::string& title);
  void add_sink(int view, std::size_t hall, double demand_w, std::vector<availability::Ride> ride);
  std::vector<availability::Ride> ride(std::size_t hall, const std::string& what,
                                       const std::vector<cooling::FailureEvent>& events,
                                       double restart_s);
  void hall_after(const cooling::Walk& walk, std::size_t hall, const cooling::Throttle& throttle,
                  RideThrough& out) const;
  void cap_demands();
  void single_units();
  /// Adds a group with the price of one of its units; empty: it is not known.
  int add_group(availability::Group group, const Value<PowerPrice>& price, double unit_w);
  void say(std::string text);

  const Context& c_;
  const availability::Spec& spec_;
  const cooling::Plant& plant_;
  const cooling::DesignDays& days_;
  AvailabilityAnswer& a_;
  availability::Parts parts_;
  double battery_s_ = 0, battery_failure_ = 0;
};

}  // namespace headroom::study
