#include "serving/routing.hpp"

#include <algorithm>

namespace headroom::serving {
namespace {

double load(const Target& t) { return t.in_flight / t.weight; }

/// Index of a replica among targets ordered by replica, or their count.
std::size_t find(std::span<const Target> targets, std::uint32_t replica) {
  const auto at = std::lower_bound(targets.begin(), targets.end(), replica,
                                   [](const Target& t, std::uint32_t r) { return t.replica < r; });
  const bool there = at != targets.end() && at->replica == replica;
  return there ? static_cast<std::size_t>(at - targets.begin()) : targets.size();
}

/// The name under which a prefix group's shared tokens are remembered.
std::uint64_t group_hash(std::uint32_t group) {
  std::uint64_t x = (std::uint64_t(group) + 1) * 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 31)) * 0xbf58476d1ce4e5b9ull;
  return x ^ (x >> 29);
}

std::uint64_t tokens_of(const requests::Request& r) {
  return static_cast<std::uint64_t>(r.prompt) + static_cast<std::uint64_t>(r.output);
}

}  // namespace

std::span<const std::string_view> routing_names() {
  static constexpr std::string_view names[] = {"round-robin", "least-load",  "prefix-aware",
                                               "session",     "two-choices", "random"};
  return names;
}

Router::Router(const RouterRule& rule, std::size_t replicas)
    : rule_(rule), random_(rule.seed, "serving.router"), caches_(replicas) {}

std::size_t Router::least(std::span<const Target> targets) {
  const std::size_t n = targets.size();
  std::size_t best = turn_++ % n;
  double lightest = load(targets[best]);
  for (std::size_t i = 0, at = best; i < n; ++i, at = at + 1 == n ? 0 : at + 1) {
    const double here = load(targets[at]);
    if (here < lightest) lightest = here, best = at;
  }
  return best;
}

std::size_t Router::two(std::uint32_t request, std::span<const Target> targets) const {
  const auto n = static_cast<double>(targets.size());
  const auto a = static_cast<std::size_t>(random_.uniform(request, 0) * n);
  if (rule_.routing == Routing::random || targets.size() == 1) return a;
  auto b = static_cast<std::size_t>(random_.uniform(request, 1) * (n - 1));
  if (b >= a) ++b;
  return load(targets[b]) < load(targets[a]) ? b : a;
}

bool Router::guarded(std::span<const Target> targets, std::size_t index) const {
  double least = load(targets[0]);
  for (const auto& t : targets) least = std::min(least, load(t));
  const double here = load(targets[index]);
  return here > least + rule_.guard_abs && here > least * rule_.guard_rel;
}

std::size_t Router::by_session(std::uint32_t session, std::span<const Target> targets) {
  if (session == requests::no_request) return least(targets);
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) return least(targets);
  const std::size_t index = find(targets, known->second);
  return index < targets.size() && !guarded(targets, index) ? index : least(targets);
}

bool Router::holds(const Place& place) const {
  if (place.replica == requests::no_request) return false;
  const Cache& cache = caches_[place.replica];
  return place.passed >= cache.since &&
         static_cast<double>(cache.passed - place.passed) < cache.holds;
}

void Router::match(const requests::Stream& stream, const requests::Request& r) {
  found_.clear();
  const auto note = [&](std::uint64_t hash, double tokens) {
    const auto entry = blocks_.find(hash);
    if (entry == blocks_.end()) return false;
    bool any = false;
    for (const auto& place : entry->second.at) {
      if (!holds(place)) continue;
      any = true;
      const auto known = std::find_if(found_.begin(), found_.end(),
                                      [&](const auto& f) { return f.first == place.replica; });
      if (known == found_.end())
        found_.emplace_back(place.replica, tokens);
      else
        known->second = tokens;
    }
    return any;
  };
  double tokens = 0;
  for (const std::uint64_t hash : stream.blocks_of(r))
    if (!note(hash, tokens += stream.block_tokens)) break;
  if (r.blocks == 0 && r.shared != requests::no_request)
    note(group_hash(r.shared), r.shared_tokens);
}

std::size_t Router::by_prefix(const requests::Stream& stream, std::uint32_t request,
                              std::span<const Target> targets) {
  const auto& r = stream.requests[request];
  match(stream, r);
  std::size_t best = targets.size();
  double longest = 0;
  for (const auto& [replica, tokens] : found_) {
    const std::size_t index = find(targets, replica);
    if (index == targets.size() || tokens < rule_.match * r.prompt) continue;
    const bool better =
        tokens > longest || (tokens == longest && load(targets[index]) < load(targets[best]));
    if (better) best = index, longest = tokens;
  }
  return best < targets.size() && !guarded(targets, best) ? best : least(targets);
}

std::size_t Router::choose(const requests::Stream& stream, std::uint32_t request,
                           std::span<const Target> targets) {
  switch (rule_.routing) {
    case Routing::round_robin:
      return turn_++ % targets.size();
    case Routing::least_load:
      return least(targets);
    case Routing::prefix_aware:
      return by_prefix(stream, request, targets);
    case Routing::session:
      return by_session(stream.requests[request].session, targets);
    case Routing::two_choices:
    case Routing::random:
      return two(request, targets);
  }
  return 0;
}

void Router::keep(std::uint64_t hash, std::uint32_t replica, std::uint64_t passed) {
  auto& at = blocks_[hash].at;
  Place* oldest = &at[0];
  for (auto& place : at) {
    if (place.replica == replica || !holds(place)) {
      oldest = &place;
      if (place.replica == replica) break;
      continue;
    }
    if (holds(*oldest) && place.passed < oldest->passed) oldest = &place;
  }
  *oldest = {replica, passed};
}

/// Drops what no cache can still hold, so that the table stays as large as the caches are.
void Router::prune() {
  if (blocks_.size() < prune_at_) return;
  std::erase_if(blocks_, [&](const auto& entry) {
    return std::none_of(std::begin(entry.second.at), std::end(entry.second.at),
                        [&](const Place& place) { return holds(place); });
  });
  prune_at_ = std::max(prune_at_, 2 * blocks_.size());
}

void Router::sent(const requests::Stream& stream, std::uint32_t request, std::uint32_t replica) {
  const auto& r = stream.requests[request];
  if (rule_.routing == Routing::session && r.session != requests::no_request)
    sessions_[r.session] = replica;
  if (rule_.routing != Routing::prefix_aware) return;
  Cache& cache = caches_[replica];
  for (const std::uint64_t hash : stream.blocks_of(r)) keep(hash, replica, cache.passed);
  if (r.blocks == 0 && r.shared != requests::no_request)
    keep(group_hash(r.shared), replica, cache.passed);
  cache.passed += tokens_of(r);
  prune();
}

void Router::forget(std::uint32_t replica) { caches_[replica].since = ++caches_[replica].passed; }

}  // namespace headroom::serving
