// `headroom calibrate train`: a site's own scalar from a few steps of its logs.
//
//   scalar = modelled step without any scalar / median measured step      of one configuration
//
// Of several configurations (one log each) the median is taken. Its range is that in which
// 80 % of further configurations of the same software are expected: the spread of the site's
// own scalars, shrunk by their number to the spread of the software's published runs
// (train/interval.hpp); one configuration says nothing of the others, so its range is nearly
// the published one around the new centre. The statistical interval of a median over a log's
// steps (order statistics, 95 %) is given beside it and is usually far smaller.
//
// LEAVE-ONE-OUT error: each configuration predicted with the scalar of the others.
//
// A configuration is described by the keys of measured.yaml's rows:
//   model  catalogue id or a Hugging Face config.json    hw  system or accelerator of the
//   catalogue    gpus tp pp vpp cp ep etp mbs gbs seq prec zero recompute sp schedule
// for all logs together, and for one log behind its name: "run2.log@tp=4,pp=2".
//
// Complexity: linear in the logs, a few us a configuration.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "validation/train_case.hpp"
#include "validation/train_logs.hpp"

namespace headroom::validation {

struct CalibrateOptions {
  std::vector<std::string> logs;  ///< FILE or FILE@key=value,key=value
  Facts job;                      ///< keys above, for all logs
  std::string framework;          ///< training-software entry; empty: by the log's format
  std::shared_ptr<const catalog::Model> model;  ///< in place of the key, when set
  std::shared_ptr<const Machine> machine;       ///< in place of the key, when set
};

struct CalibratedLog {
  TrainLog log;
  Steady steps;
  std::string plan;                 ///< "TP 8 x PP 4 x ..."
  std::string breakdown;            ///< the modelled step taken apart
  double modelled_s = 0;            ///< without any scalar
  double scalar = 0;                ///< modelled over measured
  double left_out_error = 0;        ///< predicted by the others' scalar; 0 with one configuration
  std::string software;             ///< catalogue entry
  std::vector<std::string> doubts;  ///< what looks wrong between log and job
};

struct SiteCalibration {
  std::vector<CalibratedLog> logs;
  double low = 0, likely = 0, high = 0;    ///< scalar: range for 80 % of configurations
  double median_low = 0, median_high = 0;  ///< statistical, 95 %
  std::string prior;                       ///< whose runs give the spread
};

Result<SiteCalibration> calibrate_train(const CalibrateOptions& options,
                                        const catalog::Catalog& catalog);

/// A system of the catalogue as the hardware of a row.
std::shared_ptr<const Machine> machine_of(const catalog::System& system);

std::string to_text(const SiteCalibration& c);
std::string to_json(const SiteCalibration& c);
/// Lines to paste into a scenario's workload.
std::string yaml_lines(const SiteCalibration& c);

}  // namespace headroom::validation
