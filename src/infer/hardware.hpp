// What a serving workload runs on, as study hands it over, and what every
// assessment of this layer shares: names in the trace and the power of a GPU.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/findings.hpp"
#include "base/trace.hpp"
#include "catalog/accelerator.hpp"
#include "catalog/system.hpp"
#include "fabric/collective.hpp"
#include "infer/capacity.hpp"

namespace headroom::infer {

/// Devices of one kind. `accelerator` must be set; the rest may be left out.
struct Hardware {
  const catalog::Accelerator* accelerator = nullptr;
  const catalog::System* system = nullptr;  ///< prices and lead times of remedies
  fabric::Path path;                        ///< of one GPU; `domain` bounds tensor parallelism
  std::optional<Figure<Scalar>> gpus;       ///< had for this workload; absent: not given
};

/// Records figures under "infer.<scope>.".
class Book {
 public:
  Book(Trace& trace, std::string scope) : trace_(trace), prefix_("infer." + std::move(scope)) {}

  std::string id(std::string_view name) const { return prefix_ + "." + std::string(name); }
  template <class Q>
  Figure<Q> input(std::string_view name, const Value<Q>& v, std::string_view unit) {
    return trace_.input(id(name), v, unit);
  }
  template <class Q>
  Figure<Q> constant(std::string_view name, Q q, std::string_view unit, SourcePtr source) {
    return trace_.constant(id(name), q, unit, std::move(source));
  }
  template <class Q>
  Figure<Q> derive(std::string_view name, Q q, std::string_view unit, std::string_view formula,
                   std::vector<NodeId> inputs) {
    return trace_.derive(id(name), q, unit, formula, std::move(inputs));
  }
  NodeId choice(std::string_view name, std::string_view text) {
    return trace_.choice(id(name), text);
  }
  Trace& trace() { return trace_; }

 private:
  Trace& trace_;
  std::string prefix_;
};

/// Mean electrical power of one GPU that decodes for `decode` and reads prompts for
/// `prefill` of the time and idles for the rest. Prompts draw the maximum, decoding
/// `decode_power_share` of it (bound by memory, it does not reach the limit: Patel et
/// al., Splitwise, ISCA 2024, insight VII; the share itself is assumed).
Power gpu_power(const catalog::Accelerator& accelerator, double prefill, double decode);
inline constexpr double decode_power_share = 0.65;
/// Idle power over maximum where the catalogue knows none (assumed: H100 70 of 700 W).
inline constexpr double idle_power_share = 0.1;

/// "1.24 kW", "512 GPUs": the figures of sentences.
std::string amount(double value, std::string_view unit, int digits = 3);

}  // namespace headroom::infer
