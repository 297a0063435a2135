#include "serving/fleet.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::serving {
namespace {

constexpr double never = Engine::never;

/// Two-way trip between regions.
double rtt(const Deployment& d, std::uint16_t from, std::uint16_t to) {
  if (from >= d.rtt_s.size() || to >= d.rtt_s[from].size()) return 0;
  return d.rtt_s[from][to];
}

bool holds(const std::vector<std::uint16_t>& list, std::size_t x) {
  return std::find(list.begin(), list.end(), x) != list.end();
}

bool allows(const ClassRule& rule, std::uint16_t region) {
  return rule.allowed.empty() || holds(rule.allowed, region);
}

}  // namespace

bool serves(const Pool& pool, std::size_t traffic_class, std::size_t model) {
  const bool of_model = pool.models.empty() ? pool.model == model : holds(pool.models, model);
  return of_model && (pool.classes.empty() || holds(pool.classes, traffic_class));
}

std::vector<Pool> pools_of(const Deployment& deployment) {
  if (!deployment.pools.empty()) return deployment.pools;
  Pool pool;
  pool.oracle = deployment.oracle;
  pool.engine = deployment.engine;
  pool.replicas = deployment.replicas;
  if (pool.oracle != nullptr) pool.gpus = pool.oracle->model().layout().gpus();
  return {pool};
}

Fleet::Fleet(const requests::Stream& stream, const Deployment& deployment, const Slo& slo)
    : stream_(stream),
      deployment_(deployment),
      slo_(slo),
      pools_(pools_of(deployment)),
      ledger_(stream, deployment, slo, pools_.size()),
      gateway_(stream, deployment),
      clock_(deployment.seed) {
  set_up_requests();
  set_up_pools();
}

// --- Set-up -----------------------------------------------------------------------------

void Fleet::set_up_pools() {
  groups_.resize(pools_.size());
  for (std::size_t g = 0; g < pools_.size(); ++g) {
    Group& group = groups_[g];
    group.pool = &pools_[g];
    failures_ = failures_ || pools_[g].failures.mtbf_s > 0 || !pools_[g].failures.losses.empty();
  }
  if (failures_) tries_.resize(stream_.requests.size());
  for (std::size_t g = 0; g < pools_.size(); ++g) {
    Group& group = groups_[g];
    const Pool& pool = pools_[g];
    RouterRule rule = deployment_.router;
    rule.routing = deployment_.routing;
    rule.seed = deployment_.seed + g;
    group.router.emplace(rule, 0);
    group.summary.name = pool.name;
    group.summary.region = pool.region;
    group.decided_s = group.integral_from_s = begin_s_;
    const auto index = static_cast<std::uint16_t>(g);
    begin_caps(index);
    for (int i = 0; i < pool.replicas; ++i) {
      const auto r = add_replica(group, index);
      replicas_[r].held_from_s = begin_s_;
      make_engine(replicas_[r]);
      make_ready(r, begin_s_);
    }
    if (pool.scales) {
      group.scaler.emplace(pool.autoscale);
      add_timer(begin_s_ + pool.autoscale.interval_s, Kind::decide, index);
    }
    for (std::size_t i = 0; i < pool.failures.losses.size(); ++i)
      add_timer(pool.failures.losses[i].at_s, Kind::drill, static_cast<std::uint32_t>(i), index);
    note_scaling(index, begin_s_);
  }
}

void Fleet::set_up_requests() {
  const auto& requests = stream_.requests;
  unsettled_ = requests.size();
  if (!requests.empty()) begin_s_ = now_s_ = requests.front().arrival_s;
  const Admission& a = deployment_.admission;
  limited_ = a.in_flight > 0 || a.queue > 0;
  for (const auto& rule : deployment_.classes)
    limited_ = limited_ || rule.offline || rule.max_wait_s > 0;
  if (deployment_.keep_outcomes) outcomes_.resize(requests.size());
  const std::size_t classes = std::max<std::size_t>(1, stream_.classes.size());
  const std::size_t models = std::max<std::size_t>(1, stream_.models.size());
  for (std::size_t c = 0; c < classes; ++c) {
    const ClassRule rule = c < deployment_.classes.size() ? deployment_.classes[c] : ClassRule{};
    for (std::size_t m = 0; m < models; ++m) {
      std::vector<std::uint16_t> first, decode;
      Refusal why = Refusal::no_pool;
      for (std::size_t g = 0; g < pools_.size(); ++g) {
        if (!serves(pools_[g], c, m)) continue;
        if (!allows(rule, pools_[g].region)) {
          why = Refusal::residency;
          continue;
        }
        auto& list = pools_[g].engine.role == Role::decode ? decode : first;
        list.push_back(static_cast<std::uint16_t>(g));
      }
      const auto nearer = [&](std::uint16_t a, std::uint16_t b) {
        return rtt(deployment_, rule.region, pools_[a].region) <
               rtt(deployment_, rule.region, pools_[b].region);
      };
      std::stable_sort(first.begin(), first.end(), nearer);
      std::stable_sort(decode.begin(), decode.end(), nearer);
      routes_.push_back(std::move(first));
      decode_routes_.push_back(std::move(decode));
      unserved_.push_back(why);
    }
  }
  for (std::uint32_t i = 0; i < requests.size(); ++i) {
    const std::uint32_t after = requests[i].after;
    if (after == requests::no_request) continue;
    if (first_follower_.empty()) {
      first_follower_.assign(requests.size(), requests::no_request);
      next_follower_.assign(requests.size(), requests::no_request);
      arrivals_.assign(requests.size(), 0);
    }
    next_follower_[i] = first_follower_[after];
    first_follower_[after] = i;
  }
}

std::size_t Fleet::route_of(const requests::Request& r) const {
  return r.traffic_class * std::max<std::size_t>(1, stream_.models.size()) + r.model;
}

const std::vector<std::uint16_t>& Fleet::groups_for(const requests::Request& r, bool decode) const {
  return (decode ? decode_routes_ : routes_)[route_of(r)];
}

double Fleet::arrival_of(std::uint32_t request) const {
  const auto& r = stream_.requests[request];
  return r.after == requests::no_request ? r.arrival_s : arrivals_[request];
}

// --- The loop ---------------------------------------------------------------------------

bool Fleet::step() {
  const auto& requests = stream_.requests;
  while (next_ < requests.size() && requests[next_].after != requests::no_request) ++next_;
  const double arrival = next_ < requests.size() ? requests[next_].arrival_s : never;
  const double late = late_.empty() ? never : late_.top().at_s;
  const double ending = endings_.empty() ? never : endings_.top().at_s;
  const double change = changes_.time();
  double timed = timers_.empty() ? never : timers_.top().at_s;
  Group* reading = nullptr;
  for (auto& group : groups_) {
    if (group.tier.busy() == 0 || group.tier.next_s() >= timed) continue;
    timed = group.tier.next_s();
    reading = &group;
  }
  const double expiry = limited_ ? gateway_.next_expiry_s() : never;
  const double soon = std::min({arrival, late, ending, change, timed, expiry});
  if (soon == never) return false;
  now_s_ = std::max(now_s_, soon);
  if (ending <= soon) {
    const std::uint32_t slot = endings_.top().index;
    endings_.pop();
    free_slots_.push_back(slot);
    const auto [replica, outcome] = slots_[slot];
    end(replica, outcome);
  } else if (change <= soon) {
    const auto replica = static_cast<std::uint32_t>(changes_.top());
    advance(replica, std::nextafter(change, never));
  } else if (timed <= soon) {
    std::uint32_t replica = 0;
    if (reading == nullptr) {
      const Timer t = timers_.top();
      timers_.pop();
      timer(t);
    } else if (reading->tier.ended(soon, replica)) {
      replicas_[replica].state = State::starting;
      const double start = reading->pool->loading.start_s();
      add_timer(soon + start, Kind::started, replica, replicas_[replica].epoch);
    }
  } else if (expiry <= soon) {
    Gateway::Waiting w;
    while (gateway_.expired(soon, w)) {
      ledger_.shed();
      reject(w.request, w.arrival_s, soon);
    }
  } else if (late <= soon) {
    const std::uint32_t request = late_.top().index;
    late_.pop();
    arrive(request, soon);
  } else {
    arrive(static_cast<std::uint32_t>(next_++), soon);
  }
  if (moved_) pump(now_s_);
  return true;
}

Replay Fleet::run() {
  Replay replay;
  Stage stage(deployment_.progress, "replaying requests", stream_.requests.size());
  if (apart()) {
    run_apart(stage);
    finish(replay);
    return replay;
  }
  // Decisions of an autoscaler go on for ever; without anything else under way they end a replay
  // that has nothing left to do for them.
  constexpr int most_idle_decisions = 100000;
  int idle = 0;
  constexpr std::size_t look = 256;  // events between two looks at who watches
  for (std::size_t n = 0; unsettled_ > 0 && idle < most_idle_decisions; ++n) {
    if (n % look == 0) stage.to(stream_.requests.size() - unsettled_);
    const std::size_t before = unsettled_, due = scheduled_;
    if (!step()) break;
    const bool waiting_only = next_ >= stream_.requests.size() && late_.empty() &&
                              endings_.empty() && changes_.time() == never;
    idle = waiting_only && before == unsettled_ && due == scheduled_ ? idle + 1 : 0;
  }
  // What still waits has no replica to wait for.
  for (std::size_t line = 0; line < gateway_.lines().size(); ++line)
    while (!gateway_.lines()[line].queue.empty()) {
      const auto w = gateway_.pop(line);
      reject(w.request, w.arrival_s, now_s_, Fate::lost);
    }
  finish(replay);
  return replay;
}

// --- Requests ---------------------------------------------------------------------------

void Fleet::arrive(std::uint32_t request, double now) {
  const auto& r = stream_.requests[request];
  if (r.after != requests::no_request && (tries_.empty() || tries_[request] == 0))
    arrivals_[request] = now;
  const auto& groups = groups_for(r, false);
  if (groups.empty()) return reject(request, now, now, Fate::rejected, unserved_[route_of(r)]);
  for (const std::uint16_t g : groups) groups_[g].last_request_s = now;
  const bool rules = r.traffic_class < deployment_.classes.size();
  const bool offline = rules && deployment_.classes[r.traffic_class].offline;
  if (!limited_ || (gateway_.online() == 0 && !offline)) {
    if (place(request, now, false)) return;
  }
  const bool again = !tries_.empty() && tries_[request] > 0;
  if (again)
    gateway_.push_front(request, arrival_of(request));
  else
    gateway_.push(request, now);
  moved_ = true;
  const double limit = deployment_.admission.queue;
  if (limit > 0 && !offline) {
    pump(now);
    while (static_cast<double>(gateway_.online()) > limit) {
      const auto w = gateway_.drop();
      ledger_.shed();
      reject(w.request, w.arrival_s, now);
    }
  }
}

/// Requests more that the group's emptiest replica may take; unlimited is large.
double Fleet::room(const Group& group, bool offline) const {
  const Admission& a = deployment_.admission;
  double limit = a.in_flight > 0 ? a.in_flight : never;
  if (offline) {
    const double half = (a.in_flight > 0 ? a.in_flight : group.pool->engine.max_num_seqs) / 2.0;
    limit = std::min(limit, a.offline_below > 0 ? a.offline_below : half);
  }
  return limit;
}

/// The pool that a request goes to now: the nearest region that has room to spare, else the
/// least loaded of all; nullptr when every one is full or has no replica.
Fleet::Group* Fleet::choose_group(std::uint32_t request, bool offline) {
  const auto& r = stream_.requests[request];
  const auto& candidates = groups_for(r, false);
  if (candidates.size() == 1 && !limited_) {
    Group& only = groups_[candidates[0]];
    return only.targets.empty() ? nullptr : &only;
  }
  const auto& rules = deployment_.classes;
  const std::uint16_t home = r.traffic_class < rules.size() ? rules[r.traffic_class].region : 0;
  Group* best = nullptr;
  double best_load = never, near = -1;
  bool spare = false;
  for (const std::uint16_t g : candidates) {
    Group& group = groups_[g];
    const double distance = rtt(deployment_, home, group.pool->region);
    if (spare && distance > near) break;
    for (const auto& t : group.targets) {
      if (t.in_flight >= room(group, offline)) continue;
      const double seats = group.pool->engine.max_num_seqs;
      const double load = t.in_flight / (seats * t.weight);
      if (load < best_load) best_load = load, best = &group, near = distance;
    }
    spare = best != nullptr && best_load < deployment_.spill;
  }
  return best;
}

bool Fleet::place(std::uint32_t request, double now, bool offline) {
  Group* group = choose_group(request, offline);
  if (group == nullptr) return false;
  send(*group, request, now, offline);
  return true;
}

void Fleet::send(Group& group, std::uint32_t request, double now, bool offline) {
  std::span<const Target> targets = group.targets;
  const double limit = limited_ ? room(group, offline) : never;
  if (limit < never) {
    open_.clear();
    for (const auto& t : group.targets)
      if (t.in_flight < limit) open_.push_back(t);
    targets = open_;
  }
  const std::size_t at = group.router->choose(stream_, request, targets);
  const std::uint32_t local = targets[at].replica;
  group.router->sent(stream_, request, local);
  submit(group.members[local], request, now);
}

void Fleet::submit(std::uint32_t index, std::uint32_t request, double now) {
  advance(index, now);
  Replica& replica = replicas_[index];
  Group& group = groups_[replica.pool];
  group.integral += group.in_flight * (now - group.integral_from_s);
  group.integral_from_s = now;
  group.in_flight += 1;
  replica.in_flight += 1;
  if (replica.state == State::ready) group.targets[replica.target].in_flight = replica.in_flight;
  const double refused = replica.engine->tally().rejected;
  hand_in(*replica.engine, request, now);
  if (replica.engine->tally().rejected != refused) return advance(index, now);
  changes_.set(index, replica.engine->next_change_s());
}

void Fleet::hand_in(Engine& engine, std::uint32_t request, double now) const {
  const auto& r = stream_.requests[request];
  const auto& rules = deployment_.classes;
  if (r.traffic_class >= rules.size() || rules[r.traffic_class].priority == 0)
    return engine.submit(request, r, stream_.blocks_of(r), now);
  requests::Request copy = r;
  copy.priority = static_cast<std::int16_t>(r.priority + rules[r.traffic_class].priority);
  engine.submit(request, copy, stream_.blocks_of(r), now);
}

void Fleet::advance(std::uint32_t index, double now) {
  ended_.clear();
  replicas_[index].engine->run_until(now, ended_);
  changes_.set(index, replicas_[index].engine->next_change_s());
  for (auto& o : ended_) {
    o.replica = static_cast<std::uint16_t>(index);
    std::uint32_t slot = static_cast<std::uint32_t>(slots_.size());
    if (free_slots_.empty()) {
      slots_.emplace_back(index, o);
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
      slots_[slot] = {index, o};
    }
    endings_.push({o.end_s, order_++, slot});
  }
}

/// The request leaves its replica at `o.end_s`, which is now.
void Fleet::end(std::uint32_t index, const Outcome& o) {
  Replica& replica = replicas_[index];
  Group& group = groups_[replica.pool];
  group.integral += group.in_flight * (now_s_ - group.integral_from_s);
  group.integral_from_s = now_s_;
  group.in_flight -= 1;
  replica.in_flight -= 1;
  if (replica.state == State::ready) group.targets[replica.target].in_flight = replica.in_flight;
  if (replica.state == State::draining && replica.in_flight <= 0) retire(index, now_s_);
  moved_ = moved_ || gateway_.size() > 0 || !landed_.empty();
  if (o.fate == Fate::handed_over) {
    handed_[o.request] = o;
    landed_.push_back(o.request);
    moved_ = true;
    return;
  }
  if (o.fate == Fate::lost) return retry(o);
  settle(o, replica.pool);
}

void Fleet::retry(const Outcome& o) {
  const int limit = std::min(deployment_.retries, 255);
  handed_.erase(o.request);
  if (tries_.empty() || tries_[o.request] >= limit) return settle(o, replicas_[o.replica].pool);
  ++tries_[o.request];
  ledger_.retried();
  late_.push({now_s_, order_++, o.request});
}

/// Prompts whose KV has landed go to the least loaded decode replica.
void Fleet::place_handed_over(double now) {
  for (std::size_t n = landed_.size(); n > 0; --n) {
    const std::uint32_t request = landed_.front();
    landed_.pop_front();
    Group* best = nullptr;
    const Target* target = nullptr;
    for (const std::uint16_t g : groups_for(stream_.requests[request], true))
      for (const auto& t : groups_[g].targets)
        if (target == nullptr || t.in_flight / t.weight < target->in_flight / target->weight)
          best = &groups_[g], target = &t;
    if (best == nullptr) {
      landed_.push_back(request);
      continue;
    }
    submit(best->members[target->replica], request, now);
  }
}

/// Those who wait go in, in the gateway's order, as far as there is room.
void Fleet::pump(double now) {
  moved_ = false;
  if (!landed_.empty()) place_handed_over(now);
  for (std::size_t line = 0; line < gateway_.lines().size(); ++line) {
    const bool offline = gateway_.lines()[line].offline;
    if (offline && gateway_.online() > 0) return;
    while (!gateway_.lines()[line].queue.empty()) {
      if (!place(gateway_.lines()[line].queue.front().request, now, offline)) break;
      gateway_.pop(line);
    }
  }
}

/// The final word on a request, with the times that its user saw.
void Fleet::settle(Outcome o, std::size_t pool) {
  const auto& r = stream_.requests[o.request];
  o.arrival_s = arrival_of(o.request);
  if (const auto first = handed_.find(o.request); first != handed_.end()) {
    const Outcome& p = first->second;
    if (p.scheduled_s > 0) o.scheduled_s = p.scheduled_s;
    if (p.first_token_s > 0) o.first_token_s = p.first_token_s;
    o.cached = p.cached;
    o.prompt = p.prompt;
    o.preemptions = static_cast<std::uint16_t>(o.preemptions + p.preemptions);
    handed_.erase(first);
  }
  if (o.fate == Fate::finished) {
    const double away = trip(r, static_cast<std::uint16_t>(pool));
    if (away > 0) o.first_token_s += away, o.end_s += away;
    if (groups_[pool].scaler) {
      ++groups_[pool].first_tokens;
      const Slo& slo = ledger_.slo_of(r.traffic_class);
      groups_[pool].in_time += slo.ttft_s <= 0 || ledger_.ttft_s(o) <= slo.ttft_s ? 1 : 0;
    }
  }
  ledger_.ended(o, pool);
  --unsettled_;
  if (deployment_.keep_outcomes) outcomes_[o.request] = o;
  release(o.request, o.end_s);
}

/// The round trip between a request and the pool that serves it.
double Fleet::trip(const requests::Request& r, std::uint16_t pool) const {
  if (deployment_.rtt_s.empty()) return 0;
  const auto& rules = deployment_.classes;
  const std::uint16_t home = r.traffic_class < rules.size() ? rules[r.traffic_class].region : 0;
  return rtt(deployment_, home, pools_[pool].region);
}

void Fleet::reject(std::uint32_t request, double arrival_s, double now, Fate fate, Refusal why) {
  Outcome o;
  o.request = request;
  o.arrival_s = arrival_s;
  o.scheduled_s = o.first_token_s = o.end_s = now;
  o.prompt = stream_.requests[request].prompt;
  o.fate = fate;
  o.refusal = why;
  settle(o, ledger_.nowhere());
}

/// What follows a request comes its delay after the request's end.
void Fleet::release(std::uint32_t request, double end_s) {
  if (first_follower_.empty()) return;
  for (std::uint32_t f = first_follower_[request]; f != requests::no_request; f = next_follower_[f])
    late_.push({end_s + stream_.requests[f].arrival_s, order_++, f});
}

}  // namespace headroom::serving
