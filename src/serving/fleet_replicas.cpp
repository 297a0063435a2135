// Replicas of a fleet: starts, losses, stops, and the autoscaler's hand.
#include <algorithm>
#include <cmath>

#include "serving/fleet.hpp"

namespace headroom::serving {

void Fleet::add_timer(double at, Kind kind, std::uint32_t subject, std::uint32_t epoch) {
  if (kind != Kind::decide && kind != Kind::cap) ++scheduled_;
  timers_.push({at, order_++, kind, subject, epoch});
}

std::uint32_t Fleet::add_replica(Group& group, std::uint16_t index) {
  const auto id = static_cast<std::uint32_t>(replicas_.size());
  Replica r;
  r.pool = index;
  r.local = static_cast<std::uint32_t>(group.members.size());
  replicas_.push_back(std::move(r));
  changes_.resize(replicas_.size());
  group.members.push_back(id);
  group.router->resize(group.members.size());
  const EngineConfig& e = group.pool->engine;
  group.router->cache_tokens(replicas_[id].local,
                             e.prefix_cache ? e.kv_blocks * e.block_tokens : 0);
  return id;
}

void Fleet::make_engine(Replica& r) {
  const Pool& pool = *groups_[r.pool].pool;
  EngineConfig config = pool.engine;
  config.seed += deployment_.seed * 1000003 + r.local;
  config.hash_tokens = stream_.block_tokens;
  config.progress = deployment_.progress;
  const Group& group = groups_[r.pool];
  r.engine = std::make_unique<Engine>(*group.phases[group.phase].oracle, config);
  r.before = {};
}

void Fleet::rebuild_targets(Group& group) {
  group.targets.clear();
  for (const std::uint32_t id : group.members) {
    Replica& r = replicas_[id];
    if (r.state != State::ready) continue;
    r.target = static_cast<std::uint32_t>(group.targets.size());
    group.targets.push_back({r.local, r.in_flight, group.pool->speed});
  }
}

// --- Starting ---------------------------------------------------------------------------

void Fleet::start(std::uint32_t id, double now, bool provision) {
  Replica& r = replicas_[id];
  const Loading& loading = groups_[r.pool].pool->loading;
  if (r.state == State::off) r.held_from_s = now;
  if (!provision || loading.provisioning_s <= 0) return begin_reading(id, now);
  r.state = State::provisioning;
  add_timer(now + loading.provisioning_s, Kind::provisioned, id, r.epoch);
}

void Fleet::begin_reading(std::uint32_t id, double now) {
  Replica& r = replicas_[id];
  Group& group = groups_[r.pool];
  const Loading& loading = group.pool->loading;
  r.state = State::reading;
  group.tier.begin(id, loading.weight_bytes, loading.client_rate, loading.aggregate_rate, now);
}

void Fleet::make_ready(std::uint32_t id, double now) {
  Replica& r = replicas_[id];
  Group& group = groups_[r.pool];
  r.state = State::ready;
  group.router->forget(r.local);
  rebuild_targets(group);
  changes_.set(id, r.engine->next_change_s());
  const Failures& f = group.pool->failures;
  if (f.mtbf_s > 0) add_timer(now + clock_.up_s(f.mtbf_s, id, r.losses), Kind::lost, id, r.epoch);
  moved_ = true;
  note_scaling(r.pool, now);
}

// --- Ending -----------------------------------------------------------------------------

void Fleet::keep_tally(Replica& r) {
  if (!r.engine) return;
  Group& group = groups_[r.pool];
  const auto& t = r.engine->tally();
  group.tally.add(t);
  group.phases[group.phase].tally.add(t.since(r.before));
  const double blocks = r.engine->total_blocks();
  if (blocks > 0) group.kv_peak = std::max(group.kv_peak, t.kv_peak / blocks);
  group.kv_capacity_s += blocks * t.busy_s;
  gaps_.add(r.engine->gaps());
  r.engine.reset();
}

void Fleet::retire(std::uint32_t id, double now) {
  Replica& r = replicas_[id];
  keep_tally(r);
  r.state = State::off;
  ++r.epoch;
  r.held_s += now - r.held_from_s;
  changes_.set(id, Engine::never);
  rebuild_targets(groups_[r.pool]);
  note_scaling(r.pool, now);
}

void Fleet::stop(std::uint32_t id, double now) {
  Replica& r = replicas_[id];
  Group& group = groups_[r.pool];
  ++group.summary.stopped;
  if (r.state != State::ready) {
    group.tier.cancel(id, now);
    return retire(id, now);
  }
  if (r.in_flight <= 0) return retire(id, now);
  r.state = State::draining;
  rebuild_targets(group);
  note_scaling(r.pool, now);
}

void Fleet::lose(std::uint32_t id, double now, double repair_s) {
  Replica& r = replicas_[id];
  Group& group = groups_[r.pool];
  if (r.state == State::off || r.state == State::down) return;
  const bool up = r.state == State::ready || r.state == State::draining;
  const bool wanted = r.state != State::draining;
  group.tier.cancel(id, now);
  ++r.losses;
  ++r.epoch;
  ++group.summary.failures;
  if (up) {
    advance(id, now);
    std::vector<Outcome> lost;
    r.engine->fail(now, lost);
    keep_tally(r);
    changes_.set(id, Engine::never);
    r.state = State::down;
    rebuild_targets(group);
    for (auto& o : lost) {
      o.replica = static_cast<std::uint16_t>(id);
      o.end_s = now;
      end(id, o);
    }
  }
  r.state = State::down;
  if (!wanted) return retire(id, now);
  if (repair_s >= 0) add_timer(now + repair_s, Kind::repaired, id, r.epoch);
  note_scaling(r.pool, now);
}

// --- Timers -----------------------------------------------------------------------------

void Fleet::timer(const Timer& t) {
  if (t.kind == Kind::cap) return next_cap(static_cast<std::uint16_t>(t.subject), t.at_s);
  if (t.kind == Kind::decide) return decide(static_cast<std::uint16_t>(t.subject), t.at_s);
  --scheduled_;
  if (t.kind == Kind::drill) {
    const Group& group = groups_[t.epoch];
    const Loss& loss = group.pool->failures.losses[t.subject];
    if (loss.replica < group.members.size())
      lose(group.members[loss.replica], t.at_s, loss.repair_s);
    return;
  }
  Replica& r = replicas_[t.subject];
  if (r.epoch != t.epoch) return;
  const Failures& f = groups_[r.pool].pool->failures;
  switch (t.kind) {
    case Kind::provisioned:
      return begin_reading(t.subject, t.at_s);
    case Kind::started:
      make_engine(r);
      return make_ready(t.subject, t.at_s);
    case Kind::lost:
      return lose(t.subject, t.at_s, clock_.down_s(f.mttr_s, t.subject, r.losses));
    case Kind::repaired:
      return begin_reading(t.subject, t.at_s);
    default:
      return;
  }
}

// --- Power ------------------------------------------------------------------------------

void Fleet::begin_caps(std::uint16_t index) {
  Group& group = groups_[index];
  const Pool& pool = *group.pool;
  for (const auto& cap : pool.caps) group.phases.push_back({cap.oracle, cap.power, {}, 0});
  if (group.phases.empty()) group.phases.push_back({pool.oracle, pool.power, {}, 0});
  if (pool.caps.size() > 1) add_timer(begin_s_ + pool.caps[1].from_s, Kind::cap, index);
}

/// Seconds that replicas of the pool were held, by now.
double Fleet::held_s(const Group& group, double now) const {
  double sum = 0;
  for (const std::uint32_t id : group.members) {
    const Replica& r = replicas_[id];
    sum += r.held_s + (r.state != State::off ? std::max(0.0, now - r.held_from_s) : 0.0);
  }
  return sum;
}

void Fleet::close_phase(Group& group, double now) {
  const double held = held_s(group, now);
  group.phases[group.phase].held_s += std::max(0.0, held - group.phased_held_s);
  group.phased_held_s = held;
}

void Fleet::next_cap(std::uint16_t index, double now) {
  Group& group = groups_[index];
  const Pool& pool = *group.pool;
  close_phase(group, now);
  const std::size_t ended = group.phase;
  group.phase = (ended + 1) % group.phases.size();
  const infer::StepOracle& oracle = *group.phases[group.phase].oracle;
  for (const std::uint32_t id : group.members) {
    Replica& r = replicas_[id];
    if (!r.engine) continue;
    advance(id, now);
    const Tally& t = r.engine->tally();
    group.phases[ended].tally.add(t.since(r.before));
    r.before = t;
    r.engine->use(oracle);
    if (r.state == State::ready || r.state == State::draining)
      changes_.set(id, r.engine->next_change_s());
  }
  // The next one, or the first of the next round.
  const std::size_t after = group.phase + 1;
  const double began = now - pool.caps[group.phase].from_s;
  if (after < pool.caps.size())
    add_timer(began + pool.caps[after].from_s, Kind::cap, index);
  else if (pool.caps_every_s > pool.caps.back().from_s)
    add_timer(began + pool.caps_every_s, Kind::cap, index);
}

// --- Scaling ----------------------------------------------------------------------------

int Fleet::held(const Group& group) const {
  int n = 0;
  for (const std::uint32_t id : group.members) {
    const State s = replicas_[id].state;
    n += s != State::off && s != State::draining ? 1 : 0;
  }
  return n;
}

void Fleet::decide(std::uint16_t index, double now) {
  Group& group = groups_[index];
  const Autoscale& rule = group.pool->autoscale;
  group.integral += group.in_flight * (now - group.integral_from_s);
  group.integral_from_s = now;
  const double mean = group.integral / std::max(1e-9, now - group.decided_s);
  ScaleSignals s;
  s.now_s = now;
  s.replicas = held(group);
  s.ready = static_cast<int>(group.targets.size());
  double line = 0;
  for (const auto& l : gateway_.lines())
    if (!l.offline && serves(*group.pool, l.traffic_class, l.model))
      line += static_cast<double>(l.queue.size());
  s.running = std::min(mean, std::max(1e-9, rule.seats) * s.ready);
  s.waiting = mean - s.running + line;
  s.first_tokens = static_cast<double>(group.first_tokens);
  s.in_time = group.first_tokens > 0 ? double(group.in_time) / s.first_tokens : 1;
  s.since_request_s = now - group.last_request_s;
  group.integral = 0, group.decided_s = now;
  group.first_tokens = group.in_time = 0;
  resize(index, group.scaler->decide(s), now);
  add_timer(now + rule.interval_s, Kind::decide, index);
}

void Fleet::resize(std::uint16_t index, int wanted, double now) {
  Group& group = groups_[index];
  int have = held(group);
  for (std::size_t i = 0; have < wanted; ++i) {
    const bool fresh = i >= group.members.size();
    if (fresh && replicas_.size() >= 65535) break;
    const std::uint32_t id = fresh ? add_replica(group, index) : group.members[i];
    if (replicas_[id].state != State::off) continue;
    ++group.summary.started;
    ++have;
    start(id, now, true);
  }
  while (have > wanted) {
    // Those on their way first, the latest before the others; then the emptiest, the last made
    // first.
    std::uint32_t victim = requests::no_request;
    double least = Engine::never;
    for (const std::uint32_t id : group.members) {
      const Replica& r = replicas_[id];
      if (r.state == State::off || r.state == State::draining) continue;
      const double load = r.state == State::ready ? r.in_flight : -1;
      if (load <= least) least = load, victim = id;
    }
    if (victim == requests::no_request) break;
    --have;
    stop(victim, now);
  }
  note_scaling(index, now);
}

void Fleet::note_scaling(std::uint16_t index, double now) {
  Group& group = groups_[index];
  int ready = 0, coming = 0;
  for (const std::uint32_t id : group.members) {
    const State s = replicas_[id].state;
    ready += s == State::ready ? 1 : 0;
    coming += s == State::provisioning || s == State::reading || s == State::starting ? 1 : 0;
  }
  group.summary.replicas_most = std::max(group.summary.replicas_most, ready);
  if (!scaling_.empty()) {
    ScaleEvent& last = scaling_.back();
    if (last.at_s == now && last.pool == index) {
      last.ready = ready, last.coming = coming;
      return;
    }
  }
  scaling_.push_back({now, index, ready, coming});
}

}  // namespace headroom::serving
