// `headroom calibrate infer`: a site's own serving results, as one group of the step oracle.
//
// Each benchmark of the files (infer_results.hpp) is predicted as a closed loop of its users
// (an open loop is one of as many users as Little's law gives), and the numbers of a
// catalog::ServingCalibration are fitted to the measured times per output token:
//
//   t = products x kernels + caches x attention + links x collectives
//       + prompts x kernels of prompt tokens
//       + per_step + per_sequence x sequences + per_prompt x prompts
//
// drawn towards the uncalibrated model as far as few points leave it open (infer_fit.hpp).
// IN-DOMAIN error: of the points that were fitted. LEAVE-ONE-OUT: each point predicted by the fit
// to the others, which is what a further point of the same group may expect; the range of 80 % of
// it becomes the calibration's `residual`.
//
// A deployment is described by the keys of measured rows, for all files together or behind one
// file's name ("c64.json@tp=4,precision=fp8"): model gpu tp ep attention_dp precision engine
// version max_num_seqs max_num_batched_tokens kv. The model may stand in the files.
//
// The answer ends with a complete `serving-software` entry to lay over the catalogue.
// Complexity: under a millisecond a benchmark.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "validation/infer_fit.hpp"
#include "validation/infer_results.hpp"

namespace headroom::validation {

struct CalibrateInferOptions {
  std::vector<std::string> files;  ///< FILE or FILE@key=value,key=value
  Facts job;                       ///< keys above, for all files
};

struct CalibratedPoint {
  ResultPoint point;
  double measured_s = 0;  ///< a token
  double raw_s = 0, fitted_s = 0, left_out_s = 0;
  double ttft_s = 0, modelled_ttft_s = 0;  ///< mean, else median; 0: not given
  FitRow row;
};

struct ServingFit {
  std::vector<CalibratedPoint> points;
  std::vector<std::string> left_out;  ///< benchmarks that could not serve
  std::string model, accelerator, engine, precision;
  std::string software;  ///< entry of the catalogue
  double products = 1, caches = 1, links = 1, prompts = 1;
  double per_step_s = 0, per_sequence_s = 0, per_prompt_s = 0;
  double low = 1, likely = 1, high = 1;  ///< measured over fitted, each point left out in turn
  double in_domain = 0, leave_one_out = 0, uncalibrated = 0;  ///< median |error|
  std::vector<std::string> doubts;
  std::string entry;  ///< YAML of the overlay
};

Result<ServingFit> calibrate_infer(const CalibrateInferOptions& options,
                                   const catalog::Catalog& catalog);

std::string to_text(const ServingFit& fit);
std::string to_json(const ServingFit& fit);

}  // namespace headroom::validation
