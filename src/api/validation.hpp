// The facade of validation: what `headroom validate` and `headroom calibrate` call.
#pragma once

#include <string>

#include "base/result.hpp"
#include "report/report.hpp"
#include "validation/facility.hpp"
#include "validation/infer.hpp"
#include "validation/infer_calibrate.hpp"
#include "validation/train.hpp"
#include "validation/train_calibrate.hpp"

namespace headroom::api {

struct ValidateTrain {
  validation::TrainOptions options;
  bool json = false;
  bool page = false;  ///< docs/validation.md
};
/// Predicted against measured, as text or JSON.
Result<std::string> validate_train(const ValidateTrain& request);

struct ValidateInfer {
  validation::InferOptions options;
  bool json = false;
  bool page = false;  ///< the serving page
};
Result<std::string> validate_infer(const ValidateInfer& request);

struct ValidateFacility {
  validation::FacilityOptions options;
  bool json = false;
};
/// Published figures of the facility, as text or JSON.
Result<std::string> validate_facility(const ValidateFacility& request);

struct CalibrateInfer {
  validation::CalibrateInferOptions options;
  std::string catalog;  ///< folder laid over the built-in catalogue; may be empty
  bool json = false;
};
/// A site's serving calibration from its own benchmark results, as text or JSON.
Result<std::string> calibrate_infer(const CalibrateInfer& request);

struct CalibrateTrain {
  validation::CalibrateOptions options;
  std::string scenario;  ///< file whose training workload describes the job; may be empty
  std::string workload;  ///< of several; empty: the only one
  std::string catalog;   ///< folder laid over the built-in catalogue; may be empty
  bool json = false;
};
/// A site's scalar from its own logs, as text or JSON.
Result<std::string> calibrate_train(const CalibrateTrain& request);

}  // namespace headroom::api
