// The answer of `headroom facility --supply` for people and programs.
#pragma once

#include <string>

#include "report/report.hpp"
#include "study/facility_supply.hpp"

namespace headroom::report {

std::string supply_text(const study::SupplyAnswer& answer, const TextOptions& options);
/// Names are stable; MW, MWh, USD and kg CO2e, of one year.
std::string supply_json(const study::SupplyAnswer& answer);
/// A row an hour.
std::string supply_csv(const study::SupplyAnswer& answer);

}  // namespace headroom::report
