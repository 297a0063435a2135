// The parts of search: one configuration, pairs of prefill and decode pools, the Pareto front.
// Inner header of search.
#pragma once

#include <vector>

#include "infer/search.hpp"

namespace headroom::infer {

/// A replica as a candidate: its capacity, the fleet for the peak (or `replicas`), its times.
Candidate evaluate_replica(const Asked& asked, const Device& device, const Replica& replica,
                           double replicas);

/// For every device and format of the candidates, the cheapest prefill and decode pools together.
std::vector<Candidate> disaggregate(const Asked& asked, const SearchSpace& space,
                                    const std::vector<Candidate>& candidates, const Stage& stage);

/// One replica that only reads prompts, and one that only decodes, of a disaggregated candidate.
Replica prefill_replica(const Asked& asked, const Device& device, const Pool& pool);
Replica serve_replica(const Asked& asked, const Device& device, const Pool& pool);
/// What reaches each of them.
Load prefill_load(const Load& load);
Load decode_load(const Load& load);

/// Those that none beats in cost (GPUs where a price is missing), TPOT and power at once, over
/// larger fleets of each too: up to four times the replicas that the SLOs need.
std::vector<Candidate> pareto(const Asked& asked, const SearchSpace& space,
                              const std::vector<Candidate>& candidates);

/// The first `keep` feasible ones that differ in more than the engine's limits.
std::vector<Candidate> distinct(const std::vector<Candidate>& ordered, int keep);

}  // namespace headroom::infer
