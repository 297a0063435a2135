// What a fleet adds up at the end of a replay.
#include <algorithm>
#include <cmath>

#include "serving/fleet.hpp"
#include "serving/headroom.hpp"

namespace headroom::serving {

void Fleet::finish_group(Group& group, double end_s, Summary& s) {
  double held_s = 0;
  for (const std::uint32_t id : group.members) {
    Replica& r = replicas_[id];
    keep_tally(r);
    if (r.state != State::off) r.held_s += std::max(0.0, end_s - r.held_from_s);
    held_s += r.held_s;
  }
  const Pool& pool = *group.pool;
  const Tally& t = group.tally;
  PoolSummary& out = group.summary;
  const StepShares shares =
      pool.oracle != nullptr ? step_shares(*pool.oracle, pool.engine, t) : StepShares{};
  out.replicas_mean = s.span_s > 0 ? held_s / s.span_s : pool.replicas;
  out.busy = held_s > 0 ? t.busy_s / held_s : 0;
  out.kv_used = group.kv_capacity_s > 0 ? t.kv_block_s / group.kv_capacity_s : 0;
  out.kv_peak = group.kv_peak;
  out.gpu_time = {shares.prefill_s * pool.gpus, shares.decode_s * pool.gpus,
                  std::max(0.0, held_s - t.busy_s) * pool.gpus};
  s.steps += t.steps;
  s.replicas += out.replicas_mean;
  s.gpus += out.replicas_mean * pool.gpus;
  s.kv_peak = std::max(s.kv_peak, out.kv_peak);
  s.split.compute_s += shares.decode.compute_s + shares.prompt.compute_s;
  s.split.bandwidth_s += shares.decode.bandwidth_s + shares.prompt.bandwidth_s;
  s.split.network_s += shares.decode.network_s + shares.prompt.network_s;
  s.split.host_s += shares.decode.host_s + shares.prompt.host_s;
  const Bill b =
      bill(pool.power, out.gpu_time, s.span_s, s.input_tokens, s.output_tokens, deployment_.tariff);
  s.bill = s.pools.empty() ? b : total(s.bill, b, s.span_s, s.input_tokens, s.output_tokens);
  s.pools.push_back(out);
}

void Fleet::finish(Replay& replay) {
  Summary& s = replay.summary;
  ledger_.finish(outcomes_, s);
  const double end_s = begin_s_ + s.span_s;
  double busy_s = 0, held_s = 0, running_s = 0, waiting_s = 0, blocks_s = 0, capacity_s = 0;
  std::size_t main_group = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    finish_group(group, end_s, s);
    busy_s += group.tally.busy_s;
    running_s += group.tally.running_s;
    waiting_s += group.tally.waiting_s;
    blocks_s += group.tally.kv_block_s;
    capacity_s += group.kv_capacity_s;
    for (const std::uint32_t id : group.members) held_s += replicas_[id].held_s;
    if (group.tally.busy_s > groups_[main_group].tally.busy_s) main_group = g;
  }
  if (held_s > 0) {
    s.busy = busy_s / held_s;
    s.running = running_s / held_s;
    s.waiting = waiting_s / held_s;
  }
  s.kv_used = capacity_s > 0 ? blocks_s / capacity_s : 0;
  s.itl = {gaps_.mean_s(),
           gaps_.quantile(0.5),
           gaps_.quantile(0.9),
           gaps_.quantile(0.99),
           gaps_.largest_s(),
           gaps_.quantile(0.95),
           gaps_.quantile(deployment_.percentile)};
  const Group& most = groups_[main_group];
  if (most.pool->oracle != nullptr)
    s.headroom =
        slo_headroom(s, slo_, step_shares(*most.pool->oracle, most.pool->engine, most.tally),
                     most.pool->engine, most.tally);
  s.scaling = scaling_;
  replay.outcomes = std::move(outcomes_);
}

}  // namespace headroom::serving
