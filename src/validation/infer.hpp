// `headroom validate infer`: the step oracle and the serving engine against measured runs.
//
//   InferOptions o;
//   o.files = {"measured.yaml", "open_loop.yaml", "requests/RTXPRO6000_Qwen3-32B"};
//   auto v = validate_infer(o);
//   if (v) print(to_text(*v, o));
//
// Every statistic of every row becomes a quantity (infer_case.hpp), is predicted and stands
// beside what was measured. Its group is source, scenario and metric; of open-loop stages
// the metric alone.
// MODES
//   shipped     calibrations of the catalogue (serving-software)
//   raw         the step oracle and its engine terms alone (`--no-calibration`)
//   half        in-domain: of each group (model, GPU, engine, precision) half of the rows, by a
//               hash of their ids, calibrate the other half, which is scored
//   left_group  each group predicted from the other groups of the files; no calibration of the
//               catalogue is used. Not refitted: the oracle's own efficiencies and engine terms.
// Only times per token and saturated rates are fitted (infer_fit.hpp); times to first token,
// percentiles and open-loop runs follow from the step times.
//
// INTERVALS hold 80 %: residuals of the nearest rows that were predicted without themselves.
//
// Complexity: some tens of microseconds a row in closed form; milliseconds where the engine
// replays it.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "validation/infer_fit.hpp"
#include "validation/infer_predict.hpp"
#include "validation/report.hpp"

namespace headroom::validation {

/// What may be known of a row when it is predicted.
enum class InferMode : unsigned char {
  shipped,    ///< the catalogue's calibrations
  raw,        ///< none
  half,       ///< each group fitted on half of its rows here, the others are scored
  left_group  ///< fitted on the other groups here
};

enum class InferBy : unsigned char { source, model, gpu, engine, precision };

struct InferOptions {
  std::vector<std::string> files;
  InferMode mode = InferMode::shipped;
  InferBy by = InferBy::source;
  bool all_rows = false;
  bool terms = false;            ///< what each prediction is made of, for tools that fit
  std::string catalog;           ///< folder laid over the built-in catalogue; may be empty
  Progress* progress = nullptr;  ///< who watches, and may have it throw `Stopped`
};

/// One compared quantity beside what the report shows of it.
struct InferFact {
  std::string id;  ///< of the report's row
  std::string metric;
  std::string group;  ///< model|GPU|engine|precision
  InferCase job;
  Measure measure;
  Estimate estimate;
  Tuning tuning = no_tuning;  ///< numbers applied
};

/// A stage of an open-loop run: told from its rate alone, and what was measured.
struct Overload {
  std::string id;
  double rate_s = 0, saturation_s = 0;
  bool predicted = false, measured = false;
};

struct InferValidation {
  Report report;
  std::vector<InferFact> facts;  ///< one for each of report.rows
  std::vector<Overload> overloads;
  std::vector<std::string> notes;
};

Result<InferValidation> validate_infer(const InferOptions& options);
/// The same on rows already read; `catalog` as overlaid.
InferValidation validate_infer(const InferRows& rows, const InferOptions& options,
                               const catalog::Catalog& catalog);

/// The serving page (infer_page.hpp).
Result<std::string> infer_page(const InferOptions& options);

std::string to_text(const InferValidation& v, const InferOptions& options);
std::string to_json(const InferValidation& v, const InferOptions& options);

}  // namespace headroom::validation
