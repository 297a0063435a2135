// Measured training runs, as files give them.
//
// Three layouts, told apart by what is in the file:
//   YAML with `rows` (and the maps `models` and `hw` beside them)  measured.yaml
//   YAML with `measured`                                           memory.yaml
//   CSV with a column "iteration time (ms)"                        vTrain's sets
//
// A row of the first layout:
//   id, model, hw        keys of the two maps; a model may also be one of the catalogue
//   gpus, tp, pp, vpp, cp, ep, dp, mbs, gbs (sequences), seq, zero, sp, prec, recompute
//   tier                 A: configuration known; B: parts of it not; C: a headline
//   source               document, and often the software's version
//   measured             s_per_iter | tok_s_gpu | s_per_iter_derived | tflops_model with
//                        flops_convention; mem_gb or mem_gib; oom: true
// A row without `model` that gives `layers` and `hidden` is a GPT of that shape (heads of 128,
// FFN of 4 hidden). Unknown keys are ignored; a row that cannot be read is skipped with the reason.
//
// Complexity: linear; a file of 400 rows takes about 50 ms, most of it YAML.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "catalog/model.hpp"
#include "validation/facts.hpp"
#include "validation/report.hpp"

namespace headroom::validation {

/// Hardware as the file's `hw` map says; nothing is looked up yet.
struct Machine {
  std::string id;
  Facts facts;  ///< gpu, per_node, nvlink_domain, nvlink_GBps, hbm_GBps, net, peak_*, ...
};

struct TrainRow {
  std::string id;
  std::string group;   ///< id up to the first '-'
  std::string source;  ///< document
  std::string tier;    ///< "A", "B" or "C"; A when the file names none
  std::string file;
  int line = 0;
  std::string model_name;
  std::shared_ptr<const catalog::Model> model;  ///< null: not in the file
  std::string machine_name;
  std::shared_ptr<const Machine> machine;  ///< null: not in the file
  Facts facts;                             ///< every scalar of the row
};

struct TrainRows {
  std::vector<TrainRow> rows;
  std::vector<Skipped> skipped;
  std::map<std::string, std::shared_ptr<const catalog::Model>> models;
  std::map<std::string, std::shared_ptr<const Machine>> machines;

  /// Adds another file's rows. Models and machines that one file defines serve the rows of
  /// the other that only name them.
  void append(TrainRows other);
};

/// Reads one file. Fails when it cannot be read at all or has none of the layouts.
Result<TrainRows> read_train_rows(const std::string& path);
/// The same from a text; `name` is for messages and tells the layout (".csv").
Result<TrainRows> parse_train_rows(const std::string& name, std::string text);

}  // namespace headroom::validation
