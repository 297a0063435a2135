#include "availability/history.hpp"

#include <algorithm>

#include "availability/exact.hpp"

namespace headroom::availability {

void Tally::add(const Tally& o) {
  if (loads.size() < o.loads.size()) loads.resize(o.loads.size());
  for (std::size_t i = 0; i < o.loads.size(); ++i) {
    auto& a = loads[i];
    const auto& b = o.loads[i];
    a.down_s += b.down_s, a.outages += b.outages, a.gang_s += b.gang_s, a.other_s += b.other_s;
    a.gpu_s += b.gpu_s, a.gpu_s2 += b.gpu_s2;
  }
  down_s += o.down_s, down_s2 += o.down_s2, outages += o.outages, outages2 += o.outages2;
  gpu_s += o.gpu_s, gpu_s2 += o.gpu_s2, with_outage += o.with_outage;
  longest_s = std::max(longest_s, o.longest_s);
  worst_imbalance = std::max(worst_imbalance, o.worst_imbalance);
  for (std::size_t i = 0; i < triggers; ++i) by_trigger[i] += o.by_trigger[i];
  for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] += o.lengths[i];
  for (const auto& [key, sum] : o.causes) {
    auto& mine = causes[key];
    mine.outages += sum.outages, mine.down_s += sum.down_s, mine.gpu_s += sum.gpu_s;
  }
}

History::History(const Prepared& prepared)
    : p_(prepared),
      system_(prepared.system),
      served_(prepared.system),
      stream_(prepared.options.seed, "availability") {}

double History::repair_time(const Repair& r) {
  if (r.shape == RepairShape::fixed) return r.mean_s;
  if (r.shape == RepairShape::exponential) return exponential(r.mean_s);
  const double z = inverse_normal(uniform());
  return r.mean_s * std::exp(r.sigma * (z - r.sigma / 2));
}

double History::weibull(const Group& g) {
  const double scale = g.mtbf_s / std::tgamma(1 + 1 / g.shape);
  return scale * std::pow(-std::log(uniform()), 1 / g.shape);
}

void History::reset(std::uint64_t number) {
  const std::size_t groups = system_.groups.size();
  number_ = number, draw_ = 0;
  out_ = idle(system_);
  broken_.assign(groups, 0);
  mode_.assign(groups, Mode::idle);
  running_.assign(groups, 0);
  key_.clear();
  for (std::size_t v = 0; v < system_.views.size(); ++v) key_.push_back(served_.key(v, out_));
  dirty_.assign(system_.views.size(), 0);
  pending_.clear(), waiting_.clear();
  busy_ = serving_ = 0;
  sinks_.clear();
  for (const auto& view : system_.views) sinks_.emplace_back(view.sinks.size());
  loads_.assign(system_.loads.size(), {});
  clocks_.assign(groups, {});
  for (const int g : p_.weibull)
    for (int u = 0; u < system_.groups[std::size_t(g)].units; ++u)
      clocks_[std::size_t(g)].push_back(weibull(system_.groups[std::size_t(g)]));
  charged_at_ = 0;
  site_down_ = false;
  site_since_ = site_down_s_ = site_outages_ = gpu_s_at_begin_ = 0;
  next_poisson(0);
}

void History::next_poisson(double from) {
  poisson_at_ = p_.rate > 0 ? from + exponential(1 / p_.rate) : never;
}

const Source& History::pick() {
  const double u = uniform() * double(p_.sources.size());
  const auto i = std::min(std::size_t(u), p_.sources.size() - 1);
  const auto& s = p_.sources[i];
  return u - double(i) < s.share ? s : p_.sources[std::size_t(s.alias)];
}

double History::next_weibull(int& group, std::size_t& unit) const {
  double at = never;
  for (const int g : p_.weibull) {
    const auto& clocks = clocks_[std::size_t(g)];
    for (std::size_t u = 0; u < clocks.size(); ++u)
      if (clocks[u] < at) at = clocks[u], group = g, unit = u;
  }
  return at;
}

void History::run(std::uint64_t number, Tally& tally) {
  tally_ = &tally;
  reset(number);
  while (true) {
    int group = 0;
    std::size_t unit = 0;
    const double clock_at = next_weibull(group, unit);
    const double t = std::min(poisson_at_, clock_at);
    if (t >= p_.horizon_s) break;
    if (poisson_at_ <= clock_at) {
      const auto& s = pick();
      next_poisson(t);
      const double repair = s.what == Strike::person
                                ? p_.options.error_s
                                : repair_time(system_.groups[std::size_t(s.group)].repair);
      if (pass_over(s, t, repair)) continue;
      open_maintenance(t);
      strike(s, t, repair);
    } else {
      open_maintenance(t);
      take(t, clock_at, group, unit);
    }
    episode(t);
  }
  finish(tally);
}

bool History::pass_over(const Source& s, double t, double repair) {
  if (s.what != Strike::single) return false;
  const auto& alone = p_.alone[std::size_t(s.group)];
  if (!alone.harmless && alone.standby < 0) return false;
  const double end = t + repair;
  if (end >= poisson_at_) return false;
  if (!p_.weibull.empty()) {
    int group = 0;
    std::size_t unit = 0;
    if (end >= next_weibull(group, unit)) return false;
  }
  bool open = false;
  p_.open_at(t, [&](const Window&) { open = true; });
  if (open) return false;
  return alone.harmless || passes_call(alone, t, repair);
}

// Draws what the episode would draw, in its order; if the call is not an easy one, the draws are
// given back and the episode makes them again.
bool History::passes_call(const Alone& alone, double t, double repair) {
  const auto& group = system_.groups[std::size_t(alone.standby)];
  if (t < charged_at_ || t + repair >= p_.horizon_s) return false;
  if (group.fuel_s > 0 && repair >= group.fuel_s) return false;
  const auto before = draw_;
  const auto walk = [&] {
    draw_ = before;
    return false;
  };
  for (const double chance : alone.ride_failures)
    if (uniform() < chance) return walk();
  if (p_.options.error > 0 && uniform() < p_.options.error) return walk();
  if (starting(alone.standby, group.units) < group.units) return walk();
  if (repair > group.start_s && group.run_mttf_s > 0 &&
      group.start_s + exponential(group.run_mttf_s / group.units) <= repair)
    return walk();
  charged_at_ = t + repair + p_.longest_recovery_s;
  return true;
}

/// Units of `available` that start.
int History::starting(int g, int available) {
  const auto& group = system_.groups[std::size_t(g)];
  const double common = group.units > 1 ? group.beta * group.failure_to_start : 0;
  if (common > 0 && uniform() < common) return 0;
  const double u = uniform();
  const auto& all = p_.starts[std::size_t(g)];
  if (available == group.units) {
    int k = 0;
    while (k < available && u >= all[std::size_t(k)]) ++k;
    return k;
  }
  const double p =
      group.ready * (1 - (group.units > 1 ? 1 - group.beta : 1) * group.failure_to_start);
  double sum = 0;
  for (int k = 0; k < available; ++k) {
    sum += binomial(available, k, p);
    if (u < sum) return k;
  }
  return available;
}

// --- An episode ---------------------------------------------------------------------

void History::open_maintenance(double t) {
  p_.open_at(t, [&](const Window& w) {
    if (out_[std::size_t(w.group)] > 0) return;
    change(w.group, 1);
    pending_.push_back({w.to, What::maintained, w.group, 1});
  });
}

void History::episode(double t) {
  settle(t);
  while (!normal()) {
    std::size_t first = pending_.size();
    double at = never;
    for (std::size_t i = 0; i < pending_.size(); ++i)
      if (pending_[i].at < at) at = pending_[i].at, first = i;
    int group = 0;
    std::size_t unit = 0;
    const double expiry = next_expiry(), clock_at = next_weibull(group, unit);
    const double next = std::min({at, expiry, poisson_at_, clock_at});
    if (next >= p_.horizon_s) return;
    t = next;
    if (expiry <= next) {
      expire(t);
      update_loads(t);
      continue;
    }
    if (at <= next) {
      const Pending event = pending_[first];
      pending_.erase(pending_.begin() + std::ptrdiff_t(first));
      handle(event);
    } else {
      take(t, clock_at, group, unit);
    }
    settle(t);
  }
  charged_at_ = t + p_.longest_recovery_s;
}

void History::take(double t, double clock_at, int group, std::size_t unit) {
  if (poisson_at_ <= t) {
    const auto& s = pick();
    next_poisson(t);
    const double repair = s.what == Strike::person
                              ? p_.options.error_s
                              : repair_time(system_.groups[std::size_t(s.group)].repair);
    strike(s, t, repair);
  } else if (clock_at <= t) {
    const auto g = std::size_t(group);
    const auto& what = system_.groups[g];
    if (out_[g] >= what.units) {
      clocks_[g][unit] = t + weibull(what);
    } else {
      clocks_[g][unit] = never;
      lose(group, t, Trigger::failure, repair_time(what.repair));
    }
  }
}

void History::strike(const Source& s, double t, double repair) {
  const auto g = std::size_t(s.group);
  const auto& group = system_.groups[g];
  if (s.what == Strike::common) {
    for (bool again = false; out_[g] < group.units; again = true)
      lose(s.group, t, Trigger::common_cause, again ? repair_time(group.repair) : repair);
    return;
  }
  if (s.what == Strike::single) {
    if (out_[g] > 0 && uniform() * group.units < out_[g]) return;
    lose(s.group, t, Trigger::failure, repair);
    return;
  }
  // A person's error in maintenance, which is not begun while anything is broken.
  for (const int n : broken_)
    if (n > 0) return;
  if (serving_ > 0 || !p_.alone[g].harmless) return;
  if (out_[g] == 0) {
    change(s.group, 1);
    pending_.push_back({t + group.maintenance_s, What::maintained, s.group, 1});
  }
  if (out_[g] >= group.units) return;
  change(s.group, 1);
  pending_.push_back({t + repair, What::person_done, s.group, 1});
  trigger_ = Trigger::person;
}

void History::change(int group, int by) {
  const auto g = std::size_t(group);
  out_[g] += by;
  const auto n = std::uint64_t(std::int64_t(by));
  for (std::size_t v = 0; v < key_.size(); ++v) {
    const auto& w = served_.weight(v, g);
    if (w.a == 0) continue;
    key_[v].a += w.a * n, key_[v].b += w.b * n;
    dirty_[v] = 1;
  }
}

void History::lose(int group, double t, Trigger trigger, double repair) {
  change(group, 1);
  ++broken_[std::size_t(group)];
  trigger_ = trigger;
  queue_repair(group, t, repair);
}

void History::queue_repair(int group, double t, double repair) {
  const bool crew = system_.groups[std::size_t(group)].crew;
  if (crew && p_.options.crews > 0 && busy_ >= p_.options.crews)
    waiting_.emplace_back(group, repair);
  else
    begin_repair(group, t, repair);
}

void History::begin_repair(int group, double t, double repair) {
  if (system_.groups[std::size_t(group)].crew) ++busy_;
  pending_.push_back({t + repair, What::repaired, group, 1});
}

void History::revive(int group, double t) {
  for (double& clock : clocks_[std::size_t(group)])
    if (clock == never) {
      clock = t + weibull(system_.groups[std::size_t(group)]);
      return;
    }
}

void History::handle(const Pending& e) {
  const auto g = std::size_t(e.group);
  const auto& group = system_.groups[g];
  switch (e.what) {
    case What::repaired:
      --broken_[g];
      if (group.crew) {
        --busy_;
        if (!waiting_.empty()) {
          const auto next = waiting_.front();
          waiting_.erase(waiting_.begin());
          begin_repair(next.first, e.at, next.second);
        }
      }
      if (!group.standby) {
        change(e.group, -1);
        revive(e.group, e.at);
      } else if (mode_[g] != Mode::idle) {
        pending_.push_back({e.at + group.start_s, What::started, e.group, 1});
      }
      return;
    case What::maintained:
    case What::person_done:
      change(e.group, -1);
      return;
    case What::started:
      if (mode_[g] == Mode::starting && group.fuel_s > 0)
        pending_.push_back({e.at + group.fuel_s, What::dry, e.group, 0});
      mode_[g] = Mode::running;
      running_[g] += e.units;
      change(e.group, -e.units);
      schedule_run_failure(e.group, e.at);
      return;
    case What::run_failure:
      --running_[g];
      lose(e.group, e.at, Trigger::run, repair_time(group.repair));
      schedule_run_failure(e.group, e.at);
      return;
    case What::dry:
      if (uniform() < p_.options.refuel) {
        pending_.push_back({e.at + group.fuel_s, What::dry, e.group, 0});
        return;
      }
      std::erase_if(pending_, [&](const Pending& p) {
        return p.group == e.group && (p.what == What::started || p.what == What::run_failure);
      });
      change(e.group, running_[g]);
      running_[g] = 0;
      trigger_ = Trigger::fuel;
      return;
  }
}

/// The first of the running units to fail; what was drawn before for other numbers is void.
void History::schedule_run_failure(int group, double t) {
  const auto g = std::size_t(group);
  std::erase_if(pending_,
                [&](const Pending& p) { return p.group == group && p.what == What::run_failure; });
  const double mttf = system_.groups[g].run_mttf_s;
  if (mttf > 0 && running_[g] > 0)
    pending_.push_back({t + exponential(mttf / running_[g]), What::run_failure, group, 1});
}

History::Call History::standby_call() {
  Counts bare = out_, with = out_;
  bool any = false, some_short = false;
  for (std::size_t g = 0; g < bare.size(); ++g) {
    if (!system_.groups[g].standby) continue;
    any = true;
    bare[g] = system_.groups[g].units;
    with[g] = broken_[g];
  }
  if (!any) return Call::none;
  for (std::size_t v = 0; v < system_.views.size(); ++v) {
    const auto& without = served_.of(v, bare);
    const auto& helped = served_.of(v, with);
    for (std::size_t s = 0; s < without.size(); ++s) {
      if (without[s] >= whole) continue;
      some_short = true;
      if (helped[s] > without[s]) return Call::wanted;
    }
  }
  return some_short ? Call::useless : Call::none;
}

void History::call_standby(double t) {
  for (std::size_t g = 0; g < system_.groups.size(); ++g) {
    const auto& group = system_.groups[g];
    if (!group.standby) continue;
    double delay = group.start_s;
    if (p_.options.error > 0 && uniform() < p_.options.error) {
      delay += p_.options.error_s;
      trigger_ = Trigger::person;
    }
    const int available = group.units - broken_[g];
    const int k = starting(int(g), available);
    mode_[g] = Mode::starting;
    ++serving_;
    if (k > 0) pending_.push_back({t + delay, What::started, int(g), k});
    if (k < available) trigger_ = Trigger::start;
    broken_[g] += available - k;
    for (int i = k; i < available; ++i) queue_repair(int(g), t, repair_time(group.repair));
  }
}

void History::stop_standby() {
  for (std::size_t g = 0; g < system_.groups.size(); ++g) {
    if (mode_[g] == Mode::idle) continue;
    std::erase_if(pending_, [&](const Pending& p) {
      return p.group == int(g) &&
             (p.what == What::started || p.what == What::run_failure || p.what == What::dry);
    });
    if (running_[g] > 0) change(int(g), running_[g]);
    running_[g] = 0;
    mode_[g] = Mode::idle;
  }
  serving_ = 0;
}

void History::settle(double t) {
  for (int round = 0; round < 3; ++round) {
    bool any = false;
    for (std::size_t v = 0; v < dirty_.size(); ++v) {
      if (!dirty_[v]) continue;
      dirty_[v] = 0;
      any = true;
      const auto& got = served_.of(v, key_[v], out_);
      for (std::size_t s = 0; s < got.size(); ++s) update_sink(v, s, got[s], t);
    }
    if (!any) break;
    const auto call = standby_call();
    if (call == Call::wanted && serving_ == 0)
      call_standby(t);
    else if (call == Call::none && serving_ > 0)
      stop_standby();
  }
  update_loads(t);
}

bool History::normal() const { return pending_.empty() && waiting_.empty() && serving_ == 0; }

}  // namespace headroom::availability
