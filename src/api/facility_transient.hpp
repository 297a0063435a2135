// A scenario's load within seconds: swings, what smooths them, sags. For `facility --transient`.
//
//   api::TransientRequest r{.file = "scenarios/campus-100k.yaml"};
//   r.sags = {"30%@60ms x6/82s"};
//   auto answer = api::facility_transient(r);
//
// Mistakes of the scenario and of options are told together, at their place.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "report/facility_transient.hpp"
#include "study/facility_transient.hpp"

namespace headroom::api {

struct TransientRequest {
  std::string file{};               ///< scenario; "-" is standard input
  std::vector<std::string> sets{};  ///< "path=value", applied in order
  std::string catalog{};            ///< folder laid over the built-in catalogue
  std::string sample{};             ///< "5 ms"; 1 to 10 ms
  std::string seed{};               ///< whole number
  std::vector<std::string> sags{};  ///< "30%@60ms x6/82s"
  Progress* progress =
      nullptr;  ///< who watches; when it asks to stop, the failure `is_stop` (stoppable.hpp)
};

Result<study::TransientAnswer> facility_transient(const TransientRequest& request);

}  // namespace headroom::api
