#include <algorithm>

#include "availability/history.hpp"

namespace headroom::availability {

void History::update_sink(std::size_t v, std::size_t s, double served, double t) {
  const auto& sink = system_.views[v].sinks[s];
  auto& x = sinks_[v][s];
  const double dt = t - x.at;
  if (x.served < whole)
    x.used = x.rate == never ? 1 : std::min(1.0, x.used + x.rate * dt);
  else
    x.used = sink.recover_s > 0 ? std::max(0.0, x.used - dt / sink.recover_s) : 0;
  x.at = t;
  const bool was_whole = x.served >= whole;
  x.served = served;
  x.expiry = never;
  x.rate = 0;
  if (served >= whole) {
    x.delivered = 1;
    x.dead = false;
    return;
  }
  if (was_whole) x.dead = sink.ride_failure > 0 && uniform() < sink.ride_failure;
  const Ride ride = ride_at(sink, 1 - served);
  x.rate = ride.rate;
  if (x.dead || x.rate == never || x.used >= 1 - 1e-12) {
    x.delivered = ride.after;
  } else {
    x.delivered = 1;
    if (x.rate > 0) x.expiry = t + (1 - x.used) / x.rate;
  }
}

double History::next_expiry() const {
  double at = never;
  for (const auto& view : sinks_)
    for (const auto& x : view) at = std::min(at, x.expiry);
  return at;
}

void History::expire(double t) {
  for (std::size_t v = 0; v < sinks_.size(); ++v)
    for (std::size_t s = 0; s < sinks_[v].size(); ++s) {
      auto& x = sinks_[v][s];
      if (x.expiry > t) continue;
      x.used = 1, x.at = t, x.expiry = never;
      x.delivered = ride_at(system_.views[v].sinks[s], 1 - x.served).after;
    }
}

void History::integrate(std::size_t load, double t) {
  auto& l = loads_[load];
  const double dt = t - l.at;
  l.at = t;
  if (l.delivered >= whole) {
    l.up_s += dt;
    return;
  }
  l.down_s += dt;
  l.other_s += (1 - l.delivered) * dt;
  l.gang_s += (l.stopped ? 1 : 1 - l.delivered) * dt;
}

double History::lost_gpu_s(std::size_t i) const {
  const auto& load = system_.loads[i];
  return loads_[i].gang_s * load.gang_gpus + loads_[i].other_s * (load.gpus - load.gang_gpus);
}

double History::lost_gpu_s() const {
  double sum = 0;
  for (std::size_t i = 0; i < loads_.size(); ++i) sum += lost_gpu_s(i);
  return sum;
}

void History::update_loads(double t) {
  struct Now {
    double delivered = 1;
    bool stopped = false;
  };
  std::vector<Now> now(loads_.size());
  std::vector<double> lost(loads_.size());
  for (std::size_t v = 0; v < sinks_.size(); ++v) {
    std::fill(lost.begin(), lost.end(), 0.0);
    for (std::size_t s = 0; s < sinks_[v].size(); ++s) {
      const double delivered = sinks_[v][s].delivered;
      if (delivered >= whole) continue;
      const auto& sink = system_.views[v].sinks[s];
      auto& n = now[std::size_t(sink.load)];
      if (sink.sheds || delivered <= 0) n.stopped = true;
      lost[std::size_t(sink.load)] += p_.weights[v][s] * (1 - delivered);
    }
    for (std::size_t l = 0; l < now.size(); ++l)
      now[l].delivered = std::min(now[l].delivered, 1 - lost[l]);
  }
  bool down = false;
  for (const auto& n : now) down = down || n.delivered < whole;
  if (down && !site_down_) begin_outage(t);
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    auto& l = loads_[i];
    const auto& n = now[i];
    if (n.delivered == l.delivered && n.stopped == l.stopped) continue;
    integrate(i, t);
    const auto& load = system_.loads[i];
    if (n.delivered < whole && l.delivered >= whole) ++l.outages, l.lowest = 1;
    if (n.stopped && !l.stopped) l.gang_s += load.rework_s + load.gang_restart_s + load.restart_s;
    if (n.stopped) l.lowest = std::min(l.lowest, n.delivered);
    if (n.delivered >= whole) l.other_s += (1 - l.lowest) * load.restart_s;
    l.delivered = n.delivered, l.stopped = n.stopped;
  }
  if (!down && site_down_) end_outage(t);
}

void History::begin_outage(double t) {
  site_down_ = true;
  site_since_ = t;
  gpu_s_at_begin_ = lost_gpu_s();
  site_outages_ += 1;
  cause_ = cut();
  tally_->by_trigger[std::size_t(trigger_)] += 1;
}

void History::end_outage(double t) {
  for (std::size_t i = 0; i < loads_.size(); ++i) integrate(i, t);
  const double length = t - site_since_;
  site_down_ = false;
  site_down_s_ += length;
  auto& sum = tally_->causes[cause_];
  sum.outages += 1, sum.down_s += length, sum.gpu_s += lost_gpu_s() - gpu_s_at_begin_;
  const int bin = length < 1 ? 0 : std::min(31, std::ilogb(length));
  tally_->lengths[std::size_t(bin)] += 1;
  tally_->longest_s = std::max(tally_->longest_s, length);
}

/// Groups that are out and without any of which the loads that are short now would not be.
std::vector<int> History::cut() const {
  Counts state = out_;
  const auto is_short = [&] {
    for (std::size_t v = 0; v < sinks_.size(); ++v) {
      const auto& got = served_.of(v, state);
      for (std::size_t s = 0; s < got.size(); ++s)
        if (sinks_[v][s].delivered < whole && got[s] < whole) return true;
    }
    return false;
  };
  std::vector<int> out;
  for (std::size_t g = 0; g < state.size(); ++g) {
    const int n = state[g];
    if (n == 0) continue;
    state[g] = 0;
    if (is_short()) continue;
    state[g] = n;
    out.push_back(int(g));
  }
  return out;
}

void History::finish(Tally& tally) {
  const double end = p_.horizon_s;
  if (site_down_) end_outage(end);
  tally.loads.resize(loads_.size());
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    integrate(i, end);
    const auto& l = loads_[i];
    auto& sum = tally.loads[i];
    const double gpu_s = lost_gpu_s(i);
    sum.down_s += l.down_s, sum.outages += l.outages, sum.gang_s += l.gang_s;
    sum.other_s += l.other_s, sum.gpu_s += gpu_s, sum.gpu_s2 += gpu_s * gpu_s;
    tally.worst_imbalance =
        std::max(tally.worst_imbalance, std::abs(l.up_s + l.down_s - end) / end);
  }
  const double gpu_s = lost_gpu_s();
  tally.down_s += site_down_s_, tally.down_s2 += site_down_s_ * site_down_s_;
  tally.outages += site_outages_, tally.outages2 += site_outages_ * site_outages_;
  tally.gpu_s += gpu_s, tally.gpu_s2 += gpu_s * gpu_s;
  tally.with_outage += site_outages_ > 0 ? 1 : 0;
}

}  // namespace headroom::availability
