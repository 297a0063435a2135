// The limits of the power layer, one function each place they stand at.
// Internal to power; assess.hpp names them for callers.
#pragma once

#include <string>
#include <string_view>

#include "base/units.hpp"
#include "power/assess.hpp"

namespace headroom::power {

/// Catalogue entries that stand for gear a scenario does not name.
inline constexpr std::string_view gear_transformer = "transformer-mv-2500";
inline constexpr std::string_view gear_switchgear = "switchgear-mv";
inline constexpr std::string_view gear_generator = "generator-diesel-2500";
inline constexpr std::string_view gear_ups = "ups-double-conversion";
inline constexpr std::string_view gear_battery = "battery-li-ion";
inline constexpr std::string_view gear_busway = "busway";

/// Lower heating value of diesel, 35.8 MJ/L (EN 590 fuel; Engineering ToolBox, recalled).
inline constexpr auto diesel_heat = 35.8e6 * joule / (1 * litre);

/// Grid, transformer, generator and UPS limits, into `r.findings`.
void site_limits(const Spec& spec, Result& r, const catalog::Catalog& catalog, Trace& trace);

/// Distribution and rack feeds of one hall.
void hall_limits(const HallDemand& hall, const catalog::Catalog& catalog, Trace& trace,
                 Findings& findings);

/// The chain node by node, every node lost once: tightens what the others found, adds the stages of
/// `power.nodes`, and remarks on single losses that drop racks.
void graph_limits(const Spec& spec, const Demand& demand, Result& r,
                  const catalog::Catalog& catalog, Trace& trace);

/// `count` units of `gear`, each of rating `each`, priced a kW.
BillLine bill_line(const std::string& id, const catalog::PowerGear& gear, int count, Power each,
                   Trace& trace);

/// "add 2 units of 500 kW": what lifts a bank to `need`, with cost and lead time.
Remedy more_units(std::string_view what, const spec::Bank<Power>& bank, Redundancy redundancy,
                  Power need, double usable_share, const catalog::PowerGear* gear);

}  // namespace headroom::power
