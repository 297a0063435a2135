#include "infer/oracle.hpp"

namespace headroom::infer {

StepOracle::StepOracle(const StepModel& model) : model_(model) {}

namespace {

Batch batch_of(const StepLoad& l) {
  return {.decodes = l.decodes,
          .context = l.decodes > 0 ? l.keys / l.decodes : 0,
          .prefill = l.prefill,
          .prefill_keys = l.prefill > 0 ? l.prefill_pairs / l.prefill : 0,
          .prompts = l.prompts,
          .verify = l.verify,
          .adapters = l.adapters};
}

}  // namespace

double StepOracle::step_s(const StepLoad& load) const { return model_.step_s(batch_of(load)); }

double StepOracle::run_s(const StepLoad& load, int steps) const {
  return model_.run_s(batch_of(load), steps);
}

double StepOracle::kv_bits_per_token() const { return model_.kv_per_gpu(1).si(); }

}  // namespace headroom::infer
