// `headroom validate train`: the step model against measured training runs.
//
//   TrainOptions o;
//   o.files = {"measured.yaml", "vtrain_multi.csv"};
//   auto v = validate_train(o);
//   if (v) print(to_text(*v, o));
//
// Every row of the chosen tiers becomes a job and a plan (train_case.hpp), is evaluated, and
// stands beside what was measured, in seconds an optimiser step. Memory readings are compared
// apart, in bytes, and so are the rows measured out of memory: such a row that the model calls
// fitting is a fault.
//
// MODES
//   calibrated        efficiency of the catalogue's calibration for the row's software
//   raw               no scalar anywhere (`--no-calibration`)
//   left_out          nothing fitted from the row's own source: scalar and interval come from
//                     other sources of the same software, else from the other sources of all.
//                     With `raw` no scalar at all. Physical constants stay; `note` says so.
//
// Complexity: about 10 us a row beside reading the files.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "train/interval.hpp"
#include "validation/report.hpp"
#include "validation/train_case.hpp"

namespace headroom::validation {

enum class TrainBy : unsigned char { source, framework, hardware, precision, model };

struct TrainOptions {
  std::vector<std::string> files;
  std::string tier = "A";  ///< widest that is compared: A, B (with A) or C (with both)
  bool calibration = true;
  bool leave_source_out = false;
  TrainBy by = TrainBy::source;
  bool all_rows = false;
  std::string catalog;           ///< folder laid over the built-in catalogue; may be empty
  Progress* progress = nullptr;  ///< who watches, and may have it throw `Stopped`
};

/// One compared row beside what the report shows of it.
struct TrainFact {
  std::string id;
  std::string software;       ///< catalogue entry
  std::string calibrated_as;  ///< the entry whose runs calibrate it
  std::string framework;
  std::string accelerator;
  std::string precision;
  std::string model;
  int gpus = 0;
  double sequence = 0;
  bool mixture = false;
  double raw_s = 0;                    ///< the model without any scalar
  std::vector<train::StepPart> parts;  ///< of the modelled step, one batch of the plan
  bool validated = true;               ///< inside the validated domain
};

struct TrainValidation {
  Report steps;
  std::vector<TrainFact> facts;  ///< one for each of steps.rows
  Report memory;                 ///< unit "B"
  /// Rows measured out of memory: id, and whether the model says so too.
  struct Overflow {
    std::string id;
    double predicted_bytes = 0, have_bytes = 0;
    bool fault() const { return predicted_bytes <= have_bytes; }
  };
  std::vector<Overflow> overflows;
  std::vector<std::string> notes;
  train::RateRange pooled;  ///< residuals of all sources in the catalogue
};

/// Rows of all files; every file's mistakes when one cannot be read.
Result<TrainRows> read_train_files(const std::vector<std::string>& files);
Result<TrainValidation> validate_train(const TrainOptions& options);
/// docs/validation.md (train_page.hpp).
Result<std::string> train_page(const TrainOptions& options);
/// The same on rows already read; `catalog` as overlaid.
TrainValidation validate_train(const TrainRows& rows, const TrainOptions& options,
                               const catalog::Catalog& catalog);

std::string to_text(const TrainValidation& v, const TrainOptions& options);
std::string to_json(const TrainValidation& v, const TrainOptions& options);

}  // namespace headroom::validation
