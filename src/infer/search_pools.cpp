#include "infer/search_pools.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace headroom::infer {

namespace {

double worst(const OperatingPoint& o, const Targets& t, double transfer) {
  double v = 0;
  if (t.ttft_s > 0) v = std::max(v, (o.ttft_p.si() + transfer) / t.ttft_s);
  if (t.tpot_s > 0) v = std::max(v, o.tpot_p.si() / t.tpot_s);
  if (t.e2e_s > 0) v = std::max(v, (o.e2e_p.si() + transfer) / t.e2e_s);
  return v;
}

double replicas_for(const Asked& asked, double each, double spare) {
  const double usable = each * std::clamp(asked.ceiling, 0.01, 1.0);
  if (usable <= 0) return 0;
  return std::max(1.0, std::ceil(asked.peak_s / usable * (1 - 1e-12))) + spare;
}

void set_times(const OperatingPoint& o, Candidate& c) {
  c.ttft_s = o.ttft.si(), c.ttft_p_s = o.ttft_p.si();
  c.tpot_s = o.tpot.si(), c.tpot_p_s = o.tpot_p.si();
  c.e2e_s = o.e2e.si(), c.e2e_p_s = o.e2e_p.si();
}

OperatingPoint at_rate(const Replica& replica, Load load, double rate_s, double percentile) {
  load.rate_s = rate_s;
  return replica.operate(load, percentile);
}

bool had(const Device& d, double gpus) { return d.most_gpus <= 0 || gpus <= d.most_gpus; }

Replica::Use use_at(const Replica& replica, Load load, double rate_s) {
  load.rate_s = rate_s;
  return replica.use(load);
}

}  // namespace

Candidate evaluate_replica(const Asked& asked, const Device& device, const Replica& replica,
                           double replicas) {
  Candidate c;
  c.serve.layout = replica.step().layout();
  c.serve.limits = replica.limits();
  const auto capacity = replica.capacity(asked.load, asked.targets);
  c.binding = capacity.binding;
  c.violation = capacity.feasible ? 0 : worst(capacity.at, asked.targets, 0);
  c.serve.rate_s = capacity.feasible ? capacity.at.rate_s : 0;
  if (!capacity.feasible) {
    set_times(capacity.at, c);
    c.serve.replicas = 1 + asked.spare;
    c.gpus = c.serve.gpus();
    return c;
  }
  c.serve.replicas = replicas > 0 ? replicas : replicas_for(asked, c.serve.rate_s, asked.spare);
  c.gpus = c.serve.gpus();
  c.rate_s = c.serve.replicas * c.serve.rate_s;
  const double n = c.serve.replicas, p = asked.targets.percentile;
  const OperatingPoint peak = at_rate(replica, asked.load, asked.peak_s / n, p);
  set_times(peak, c);
  const auto mean = use_at(replica, asked.load, asked.load.rate_s / n);
  c.usd_s = c.gpus * device.usd_per_gpu_s;
  c.power_w = c.gpus * device_power_w(device, mean.prefill, mean.busy - mean.prefill);
  // A fleet that somebody fixed must carry the peak; the ceiling is the search's own reserve.
  c.feasible = had(device, c.gpus) && asked.peak_s <= c.rate_s * (1 + 1e-9);
  return c;
}

// --- Disaggregation ---------------------------------------------------------------------

Load prefill_load(const Load& load) {
  Load l = load;
  l.output = 1;
  l.output_cv = 0;
  return l;
}

Load decode_load(const Load& load) {
  Load l = load;
  l.cached = l.input;  // its KV cache comes over the network
  return l;
}

Replica prefill_replica(const Asked& asked, const Device& device, const Pool& pool) {
  const StepModel step(*asked.model, *device.accelerator, device.path, pool.layout, device.engine);
  return {*asked.model, step, pool.limits};
}

Replica serve_replica(const Asked& asked, const Device& device, const Pool& pool) {
  return prefill_replica(asked, device, pool);
}

namespace {

/// A prompt's KV cache from the prefill ranks to the decode ranks: every rank sends its part.
double transfer_s(const Asked& asked, const Device& d, const StepModel& step) {
  const double bits = step.kv_per_gpu(asked.load.input).si();
  const double rate = d.path.scale_out.si();
  if (rate <= 0) return 1e18;
  return bits / rate + fabric::point_to_point(d.path, 8 * byte, false).si();
}

struct PoolChoice {
  Pool pool;
  double gpus_per_rate = 0;
  OperatingPoint at;
  long place = 0;
  bool set = false;
};

using FormatKey = std::tuple<int, Precision, Precision>;

/// Keeps the pool with the fewest GPUs for the peak.
void offer(PoolChoice& best, const PoolChoice& c) {
  const auto key = [](const PoolChoice& x) {
    return std::tuple(x.pool.gpus(), x.gpus_per_rate, x.place);
  };
  if (!best.set || key(c) < key(best)) best = c;
}

PoolChoice pool_of(const Asked& asked, const Replica& replica, const Load& load,
                   const Targets& targets, long place) {
  PoolChoice c;
  const auto capacity = replica.capacity(load, targets);
  if (!capacity.feasible) return c;
  c.pool = {replica.step().layout(), replica.limits(), 0, capacity.at.rate_s};
  c.pool.replicas = replicas_for(asked, c.pool.rate_s, asked.spare);
  c.gpus_per_rate = c.pool.layout.gpus() / c.pool.rate_s;
  c.at = capacity.at;
  c.place = place;
  c.set = true;
  return c;
}

Candidate join(const Asked& asked, const Device& device, int index, const PoolChoice& prefill,
               const PoolChoice& decode) {
  Candidate c;
  c.device = index;
  c.disaggregated = true;
  c.serve = decode.pool;
  c.prefill = prefill.pool;
  c.gpus = c.serve.gpus() + c.prefill.gpus();
  c.rate_s = std::min(c.serve.replicas * c.serve.rate_s, c.prefill.replicas * c.prefill.rate_s);
  const Replica reads = prefill_replica(asked, device, c.prefill);
  const Replica writes = serve_replica(asked, device, c.serve);
  const double p = asked.targets.percentile;
  c.transfer_s = transfer_s(asked, device, reads.step());
  const auto first = at_rate(reads, prefill_load(asked.load), asked.peak_s / c.prefill.replicas, p);
  const auto rest = at_rate(writes, decode_load(asked.load), asked.peak_s / c.serve.replicas, p);
  set_times(rest, c);
  const double tokens = std::max(asked.load.output - 1, 0.0);
  c.ttft_s = first.ttft.si() + c.transfer_s;
  c.ttft_p_s = first.ttft_p.si() + c.transfer_s;
  c.e2e_p_s = rest.e2e_p.si() - rest.ttft.si() + c.ttft_s;
  c.e2e_s = c.ttft_s + tokens * c.tpot_s;
  c.usd_s = c.gpus * device.usd_per_gpu_s;
  const double mean = asked.load.rate_s;
  const auto reading = use_at(reads, prefill_load(asked.load), mean / c.prefill.replicas);
  const auto writing = use_at(writes, decode_load(asked.load), mean / c.serve.replicas);
  c.power_w = c.prefill.gpus() * device_power_w(device, reading.busy, 0) +
              c.serve.gpus() * device_power_w(device, 0, writing.busy);
  const Targets& t = asked.targets;
  c.binding = decode.gpus_per_rate > prefill.gpus_per_rate ? Binding::tpot : Binding::ttft;
  c.violation = 0;
  c.feasible = had(device, c.gpus) && (t.e2e_s <= 0 || c.e2e_p_s <= t.e2e_s) &&
               (t.ttft_s <= 0 || c.ttft_p_s <= t.ttft_s);
  return c;
}

}  // namespace

std::vector<Candidate> disaggregate(const Asked& asked, const SearchSpace& space,
                                    const std::vector<Candidate>& candidates, const Stage& stage) {
  std::map<FormatKey, std::pair<PoolChoice, PoolChoice>> best;
  long last = 0;
  for (const auto& c : candidates) {
    stage.check();
    const Device& device = space.devices[std::size_t(c.device)];
    const Replica replica = serve_replica(asked, device, c.serve);
    auto& [prefill, decode] = best[{c.device, c.serve.layout.weights, c.serve.layout.kv}];
    last = std::max(last, c.place);
    Targets first = asked.targets, rest = asked.targets;
    first.tpot_s = first.e2e_s = rest.ttft_s = rest.e2e_s = 0;
    const double moved = transfer_s(asked, device, replica.step());
    if (first.ttft_s > 0) first.ttft_s = std::max(first.ttft_s - moved, 1e-9);
    const int least = space.max_batch.front();
    if (c.serve.limits.speculation <= 0 && c.serve.limits.max_batch == least)
      if (const auto p = pool_of(asked, replica, prefill_load(asked.load), first, c.place); p.set)
        offer(prefill, p);
    if (c.serve.limits.budget == space.budget.back() ||
        c.serve.limits.budget <= 2 * c.serve.limits.max_batch)
      if (const auto d = pool_of(asked, replica, decode_load(asked.load), rest, c.place); d.set)
        offer(decode, d);
  }
  std::vector<Candidate> out;
  for (const auto& [format, pools] : best) {
    if (!pools.first.set || !pools.second.set) continue;
    const int device = std::get<0>(format);
    out.push_back(
        join(asked, space.devices[std::size_t(device)], device, pools.first, pools.second));
    out.back().place = ++last;
  }
  return out;
}

// --- Choice -----------------------------------------------------------------------------

std::vector<Candidate> distinct(const std::vector<Candidate>& ordered, int keep) {
  std::vector<Candidate> out;
  for (const auto& c : ordered) {
    if (!c.feasible || int(out.size()) >= keep) break;
    const bool seen = std::any_of(out.begin(), out.end(), [&](const Candidate& o) {
      const auto& a = o.serve.layout;
      const auto& b = c.serve.layout;
      return o.device == c.device && a.ep == b.ep && a.attention_dp == b.attention_dp &&
             a.tp == b.tp && a.pp == b.pp && a.weights == b.weights && a.kv == b.kv &&
             o.disaggregated == c.disaggregated &&
             o.serve.limits.speculation == c.serve.limits.speculation;
    });
    if (!seen) out.push_back(c);
  }
  return out;
}

namespace {

struct Point {
  double cost = 0, tpot = 0, power = 0;
};

Point point_of(const Candidate& c) {
  return {c.usd_s > 0 ? c.usd_s : c.gpus, c.tpot_p_s, c.power_w};
}

/// `a` is nowhere worse by more than a thousandth; equal ones are kept once, by place.
bool beats(const Candidate& a, const Candidate& b) {
  const Point x = point_of(a), y = point_of(b);
  constexpr double same = 1 + 1e-3;
  const bool worse = x.cost > y.cost * same || x.tpot > y.tpot * same || x.power > y.power * same;
  if (worse) return false;
  const bool strictly =
      x.cost * same < y.cost || x.tpot * same < y.tpot || x.power * same < y.power;
  return strictly || a.place < b.place;
}

void keep_front(std::vector<Candidate>& all) {
  std::vector<Candidate> front;
  for (const auto& c : all) {
    if (std::any_of(front.begin(), front.end(), [&](const auto& f) { return beats(f, c); }))
      continue;
    front.erase(
        std::remove_if(front.begin(), front.end(), [&](const Candidate& f) { return beats(c, f); }),
        front.end());
    front.push_back(c);
  }
  all = std::move(front);
}

}  // namespace

std::vector<Candidate> pareto(const Asked& asked, const SearchSpace& space,
                              const std::vector<Candidate>& candidates) {
  std::vector<Candidate> all;
  for (const auto& c : candidates)
    if (c.feasible) all.push_back(c);
  std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    const Point x = point_of(a), y = point_of(b);
    return std::tie(x.cost, x.tpot, a.place) < std::tie(y.cost, y.tpot, b.place);
  });
  keep_front(all);
  std::vector<Candidate> wider = all;
  for (const auto& c : all) {
    if (c.disaggregated) continue;
    const Device& device = space.devices[std::size_t(c.device)];
    const Replica replica = serve_replica(asked, device, c.serve);
    for (const double times : {1.5, 2.0, 3.0, 4.0}) {
      const double n = std::ceil(times * c.serve.replicas);
      if (!had(device, n * c.serve.layout.gpus())) break;
      Candidate more = evaluate_replica(asked, device, replica, n);
      more.device = c.device;
      more.place = c.place;
      wider.push_back(more);
    }
  }
  keep_front(wider);
  std::sort(wider.begin(), wider.end(), [](const Candidate& a, const Candidate& b) {
    const Point x = point_of(a), y = point_of(b);
    return std::tie(x.cost, x.tpot, a.place) < std::tie(y.cost, y.tpot, b.place);
  });
  return wider;
}

}  // namespace headroom::infer
