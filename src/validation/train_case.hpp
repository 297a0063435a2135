// TrainCase: a measured run as a job and a plan that the train layer can evaluate.
//
// What a row leaves open is filled in by one rule each, and `assumptions` names it:
//   micro-batch null      1 sequence
//   recompute unknown     none
//   vpp, cp, ep null      1
//   net null              the generation's reference design (machine.hpp)
//   sp missing            as the software does it (catalogue)
//   zero missing          1 where the software shards its optimiser, else 0
// tp, pp, gpus, gbs and seq must be there, and gpus = tp x pp x cp x dp.
//
// SOFTWARE. The entry that the row's `software` names; else the catalogue's training-software entry
// whose `matches` occurs in the row's source; of several the one whose `when` facts hold, then the
// one whose dates hold the version in the source ("26.04 container", "2025-06"), then the longest
// match. `any` when none does.
//
// MEASURED seconds a step, first that the row gives:
//   s_per_iter | gbs seq / (tok_s_gpu gpus) | s_per_iter_derived |
//   step FLOPs / (tflops_model gpus), with the row's flops_convention or that of rows of
//   the same source that print seconds too
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "catalog/training_software.hpp"
#include "train/step.hpp"
#include "validation/machine.hpp"

namespace headroom::validation {

enum class FlopsConvention : unsigned char { unknown, causal, full };

/// What a memory reading counts.
enum class MemoryReading : unsigned char {
  device,    ///< nvidia-smi: with context and reserve
  reserved,  ///< the allocator's peak reserve (torchtitan prints it)
  allocated
};

struct TrainCase {
  std::shared_ptr<const catalog::Model> model;
  std::shared_ptr<const compute::Device> device;
  const catalog::TrainingSoftware* software = nullptr;
  train::Job job;
  train::ParallelPlan plan;
  double batch_scale = 1;  ///< the row's batch over the plan's: 1 unless it does not divide
  double measured_s = 0;   ///< a step; 0 when the row has no time
  double measured_bytes = 0;
  MemoryReading reading = MemoryReading::device;
  bool out_of_memory = false;
  std::string accelerator;  ///< id
  std::string precision;
  std::vector<std::string> assumptions;
};

/// The version that a source's text names, as YYYY-MM-DD: "26.04", "2025-06", "202412".
std::string version_date(std::string_view text);

class CaseBuilder {
 public:
  /// Jobs are built without any scalar: software.efficiency is 1.
  explicit CaseBuilder(const catalog::Catalog& catalog) : catalog_(catalog) {}

  /// Learns which FLOP convention a source uses from its rows that print seconds and
  /// TFLOP/s both. Call before `build`.
  void learn_conventions(const std::vector<TrainRow>& rows);
  /// The case, or why the row cannot be compared.
  tl::expected<TrainCase, std::string> build(const TrainRow& row);

  const catalog::TrainingSoftware* software_of(const TrainRow& row) const;

 private:
  const Hardware* hardware_of(const TrainRow& row, std::string& reason);
  std::shared_ptr<const catalog::Model> model_of(const TrainRow& row) const;

  const catalog::Catalog& catalog_;
  std::map<const Machine*, std::optional<Hardware>> machines_;
  std::map<const Machine*, std::string> machine_reasons_;
  std::map<std::string, std::shared_ptr<const Machine>> named_;
  std::map<std::string, FlopsConvention> conventions_;  ///< by group
};

/// What is not known of a row of tier B or C: "micro-batch", "recompute".
std::string missing_of(const TrainRow& row);

}  // namespace headroom::validation
