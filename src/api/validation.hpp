// The facade of validation: what `headroom validate` and `headroom calibrate` call.
#pragma once

#include <string>

#include "base/result.hpp"
#include "validation/train.hpp"

namespace headroom::api {

struct ValidateTrain {
  validation::TrainOptions options;
  bool json = false;
  bool page = false;  ///< docs/validation.md
};
/// Predicted against measured, as text or JSON.
Result<std::string> validate_train(const ValidateTrain& request);

}  // namespace headroom::api
