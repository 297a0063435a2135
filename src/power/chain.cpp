#include "power/chain.hpp"

#include "power/graph_chain.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::power {

Power Stage::loss(Power output) const {
  if (rating.si() <= 0) return {};
  const double x = std::max(0.0, load(output));
  return rating * (no_load + x * (proportional + x * square));
}

double Stage::efficiency(Power output) const {
  return output.si() > 0 ? static_cast<double>(output / (output + loss(output))) : 0.0;
}

Stage make_stage(Power rating, const catalog::LossCurve& curve) {
  return {rating, curve.no_load.or_else(0.0), curve.proportional.or_else(0.0),
          curve.square.or_else(0.0)};
}

Power Flow::loss() const {
  Power sum = ups_loss + switchgear_loss + transformer_loss;
  for (const Power p : distribution_loss) sum += p;
  return sum;
}

double Flow::imbalance() const {
  if (meter.si() <= 0) return 0;
  return std::abs((meter - it - cooling - other - loss()) / meter);
}

Flow solve(const Chain& chain, const Loads& loads) {
  if (chain.graph) return chain.graph->solve(loads);
  Flow flow;
  flow.cooling = loads.cooling;
  flow.other = loads.other;
  const std::size_t halls = std::min(chain.distribution.size(), loads.halls.size());
  flow.distribution_loss.resize(halls);
  for (std::size_t i = 0; i < halls; ++i) {
    flow.it += loads.halls[i];
    flow.distribution_loss[i] = chain.distribution[i].loss(loads.halls[i]);
    flow.ups_output += loads.halls[i] + flow.distribution_loss[i];
  }
  const Power mechanical = loads.cooling * chain.mechanical_on_ups;
  flow.ups_output += mechanical;
  flow.ups_loss = chain.ups.loss(flow.ups_output);
  flow.switchgear_output =
      flow.ups_output + flow.ups_loss + (loads.cooling - mechanical) + loads.other;
  flow.switchgear_loss = chain.switchgear.loss(flow.switchgear_output);
  flow.transformer_output = flow.switchgear_output + flow.switchgear_loss;
  flow.transformer_loss = chain.transformer.loss(flow.transformer_output);
  flow.meter = flow.transformer_output + flow.transformer_loss;
  return flow;
}

}  // namespace headroom::power
