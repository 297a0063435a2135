// What a fleet adds up at the end of a replay: the whole, its pools, classes and regions.
#include <algorithm>
#include <cmath>

#include "serving/fleet.hpp"
#include "serving/headroom.hpp"

namespace headroom::serving {
namespace {

void add(TimeSplit& to, const TimeSplit& more) {
  to.compute_s += more.compute_s, to.bandwidth_s += more.bandwidth_s;
  to.network_s += more.network_s, to.host_s += more.host_s;
}

/// Keeps of every SLO the one nearest to breaking.
void keep_worst(std::vector<SloHeadroom>& worst, const std::vector<SloHeadroom>& more) {
  for (const auto& h : more) {
    const auto at = std::find_if(worst.begin(), worst.end(), [&](const SloHeadroom& w) {
      return std::string_view(w.name) == h.name;
    });
    if (at == worst.end())
      worst.push_back(h);
    else if (h.margin() < at->margin())
      *at = h;
  }
}

void add(Part& to, const Part& more) {
  to.usd += more.usd, to.meter_j += more.meter_j, to.carbon_kg += more.carbon_kg;
}

}  // namespace

void Fleet::finish_group(std::size_t g, double end_s, Ledger::Reading& reading, Summary& s) {
  Group& group = groups_[g];
  for (const std::uint32_t id : group.members) keep_tally(replicas_[id]);
  close_phase(group, end_s);
  double held = 0;
  for (const auto& phase : group.phases) held += phase.held_s;
  const Pool& pool = *group.pool;
  const Tally& t = group.tally;
  PoolSummary& out = group.summary;
  Ledger::Reading::Pick cells;
  for (std::size_t c = 0; c < reading.classes(); ++c) cells.emplace_back(c, g);
  reading.fill(cells, s.span_s, out);
  out.replicas_mean = s.span_s > 0 ? held / s.span_s : pool.replicas;
  out.gpus = out.replicas_mean * pool.gpus;
  out.busy = held > 0 ? t.busy_s / held : 0;
  out.running = held > 0 ? t.running_s / held : 0;
  out.waiting = held > 0 ? t.waiting_s / held : 0;
  out.kv_used = group.kv_capacity_s > 0 ? t.kv_block_s / group.kv_capacity_s : 0;
  out.kv_peak = group.kv_peak;
  const Tariff& tariff = pool.tariff ? *pool.tariff : deployment_.tariff;
  bool first = true;
  for (const auto& phase : group.phases) {
    const StepShares shares = phase.oracle != nullptr
                                  ? step_shares(*phase.oracle, pool.engine, phase.tally)
                                  : StepShares{};
    const GpuTime time{shares.prefill_s * pool.gpus, shares.decode_s * pool.gpus,
                       std::max(0.0, phase.held_s - phase.tally.busy_s) * pool.gpus};
    out.gpu_time += time;
    add(out.split, shares.decode), add(out.split, shares.prompt);
    const Bill b = bill(phase.power, time, s.span_s, out.input_tokens, out.output_tokens, tariff);
    out.bill = first ? b : total(out.bill, b, s.span_s, out.input_tokens, out.output_tokens);
    first = false;
  }
  // A few requests that came over from elsewhere say little of a percentile.
  constexpr double counts = 0.1;
  for (std::size_t c = 0; c < reading.classes(); ++c)
    if (reading.told(c) && double(reading.finished(c, g)) > counts * double(out.finished))
      keep_worst(out.headroom, headroom_of(c, {{c, g}}, g, reading));
  s.steps += t.steps;
  s.replicas += out.replicas_mean;
  s.gpus += out.gpus;
  s.kv_peak = std::max(s.kv_peak, out.kv_peak);
  add(s.split, out.split);
}

/// SLOs of a class over some of its cells; the binding resource is that of a pool.
std::vector<SloHeadroom> Fleet::headroom_of(std::size_t c, const Ledger::Reading::Pick& cells,
                                            std::size_t pool, Ledger::Reading& reading) const {
  const Slo& slo = reading.slo(c);
  const Group& group = groups_[pool];
  if (!slo.any() || group.pool->oracle == nullptr) return {};
  Summary seen;
  reading.times(cells, seen.ttft, seen.tpot, seen.e2e);
  seen.kv_peak = group.kv_peak;
  seen.preemptions = group.tally.preemptions;
  return slo_headroom(seen, slo, step_shares(*group.pool->oracle, group.pool->engine, group.tally),
                      group.pool->engine, group.tally);
}

Part Fleet::part_of(const Ledger::Reading::Pick& cells, const Ledger::Reading& reading,
                    const Summary& s) const {
  Part out;
  double all_decoded = 0;  // prompts whose KV came from a prefill pool
  for (std::size_t p = 0; p < pools_.size(); ++p)
    if (pools_[p].engine.role == Role::decode) all_decoded += s.pools[p].input_tokens;
  const auto take = [&](const Bill& b, double in, double outs) {
    const double share = b.prompt_share * in + (1 - b.prompt_share) * outs;
    add(out, {b.usd * share, b.meter_j * share, b.carbon_kg * share});
  };
  for (const auto& [c, p] : cells) {
    if (p >= pools_.size() || reading.finished(c, p) == 0) continue;
    const auto& pool = s.pools[p];
    const double in = pool.input_tokens > 0 ? reading.input(c, p) / pool.input_tokens : 0;
    const double outs = pool.output_tokens > 0 ? reading.output(c, p) / pool.output_tokens : in;
    take(pool.bill, in, outs);
    if (pools_[p].engine.role != Role::decode || all_decoded <= 0) continue;
    const double prompts = reading.input(c, p) / all_decoded;
    for (std::size_t q = 0; q < pools_.size(); ++q)
      if (pools_[q].engine.role == Role::prefill) take(s.pools[q].bill, prompts, prompts);
  }
  return out;
}

void Fleet::finish_classes(Ledger::Reading& reading, Summary& s) {
  if (reading.classes() < 2) return;
  for (std::size_t c = 0; c < reading.classes(); ++c) {
    ClassSummary k;
    k.name = stream_.classes[c];
    if (c < deployment_.classes.size()) {
      k.offline = deployment_.classes[c].offline;
      k.region = deployment_.classes[c].region;
    }
    Ledger::Reading::Pick cells;
    std::size_t main = 0;
    for (std::size_t p = 0; p <= pools_.size(); ++p) {
      cells.emplace_back(c, p);
      if (p < pools_.size() && reading.finished(c, p) > reading.finished(c, main)) main = p;
    }
    reading.fill(cells, s.span_s, k);
    if (k.finished > 0) k.headroom = headroom_of(c, cells, main, reading);
    k.part = part_of(cells, reading, s);
    s.classes.push_back(std::move(k));
  }
}

void Fleet::finish_regions(Ledger::Reading& reading, Summary& s) {
  if (deployment_.regions.size() < 2) return;
  for (std::size_t region = 0; region < deployment_.regions.size(); ++region) {
    RegionSummary r;
    r.name = deployment_.regions[region];
    Ledger::Reading::Pick cells;
    double trips = 0;
    for (std::size_t c = 0; c < reading.classes(); ++c) {
      const std::size_t home = c < deployment_.classes.size() ? deployment_.classes[c].region : 0;
      if (home != region) continue;
      r.residency += reading.residency(c);
      for (std::size_t p = 0; p <= pools_.size(); ++p) {
        cells.emplace_back(c, p);
        if (p == pools_.size()) continue;
        const auto n = reading.finished(c, p);
        if (pools_[p].region != region) r.elsewhere += n;
        requests::Request from;
        from.traffic_class = static_cast<std::uint16_t>(c);
        trips += static_cast<double>(n) * trip(from, static_cast<std::uint16_t>(p));
      }
      if (c < s.classes.size() && !s.classes[c].offline)
        keep_worst(r.headroom, s.classes[c].headroom);
    }
    reading.fill(cells, s.span_s, r);
    r.rtt_s = r.finished > 0 ? trips / static_cast<double>(r.finished) : 0;
    r.part = part_of(cells, reading, s);
    double busy = 0, used = 0, capacity = 0, in = 0, out = 0;
    bool first = true;
    for (std::size_t p = 0; p < pools_.size(); ++p) {
      if (pools_[p].region != region) continue;
      const PoolSummary& pool = s.pools[p];
      r.gpus += pool.gpus;
      busy += pool.busy * pool.gpus;
      used += groups_[p].tally.kv_block_s, capacity += groups_[p].kv_capacity_s;
      in += pool.input_tokens, out += pool.output_tokens;
      r.bill = first ? pool.bill : total(r.bill, pool.bill, s.span_s, in, out);
      first = false;
    }
    r.busy = r.gpus > 0 ? busy / r.gpus : 0;
    r.kv_used = capacity > 0 ? used / capacity : 0;
    s.regions.push_back(std::move(r));
  }
}

void Fleet::finish(Replay& replay) {
  Summary& s = replay.summary;
  std::vector<std::uint16_t> pool_of;
  for (const auto& r : replicas_) pool_of.push_back(r.pool);
  Ledger::Reading reading(ledger_, outcomes_, pool_of);
  reading.whole(s);
  const double end_s = begin_s_ + s.span_s;
  double busy_s = 0, held_s = 0, running_s = 0, waiting_s = 0, blocks_s = 0, capacity_s = 0;
  std::size_t main_group = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    finish_group(g, end_s, reading, s);
    const Group& group = groups_[g];
    busy_s += group.tally.busy_s;
    running_s += group.tally.running_s;
    waiting_s += group.tally.waiting_s;
    blocks_s += group.tally.kv_block_s;
    capacity_s += group.kv_capacity_s;
    for (const auto& phase : group.phases) held_s += phase.held_s;
    if (group.tally.busy_s > groups_[main_group].tally.busy_s) main_group = g;
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Bill& b = groups_[g].summary.bill;
    s.bill = g == 0 ? b : total(s.bill, b, s.span_s, s.input_tokens, s.output_tokens);
    s.pools.push_back(std::move(groups_[g].summary));
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
  finish_classes(reading, s);
  finish_regions(reading, s);
  const Group& most = groups_[main_group];
  if (most.pool->oracle != nullptr && slo_.any())
    s.headroom =
        slo_headroom(s, slo_, step_shares(*most.pool->oracle, most.pool->engine, most.tally),
                     most.pool->engine, most.tally);
  else
    for (const auto& c : s.classes)
      if (!c.offline) keep_worst(s.headroom, c.headroom);
  s.scaling = scaling_;
  replay.outcomes = std::move(outcomes_);
}

}  // namespace headroom::serving
