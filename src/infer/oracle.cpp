#include "infer/oracle.hpp"

#include <algorithm>

namespace headroom::infer {

StepOracle::StepOracle(const StepModel& model) : model_(model) {}

double StepOracle::step_s(const StepLoad& l) const {
  Batch b;
  b.decodes = l.decodes;
  b.context = l.decodes > 0 ? l.keys / l.decodes : 0;
  b.prefill = l.prefill;
  b.prefill_keys = l.prefill > 0 ? l.prefill_pairs / l.prefill : 0;
  return model_.step(b).si();
}

// A step's time is convex and nearly linear in its keys: three points of Gauss-Legendre.
double StepOracle::run_s(const StepLoad& load, int steps) const {
  if (steps <= 2) {
    double total = 0;
    for (StepLoad l = load; steps > 0; --steps, l.keys += l.decodes) total += step_s(l);
    return total;
  }
  const double middle = (steps - 1) / 2.0, half = steps / 2.0 * 0.7745966692414834;
  const auto at = [&](double k) {
    StepLoad l = load;
    l.keys += k * l.decodes;
    return step_s(l);
  };
  return steps * (5 * at(middle - half) + 8 * at(middle) + 5 * at(middle + half)) / 18;
}

double StepOracle::kv_bits_per_token() const { return model_.kv_per_gpu(1).si(); }

}  // namespace headroom::infer
