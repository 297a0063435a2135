// Routing: which of the replicas that may take a request gets it.
//
//   round_robin    in turn
//   random         any, by seed
//   two_choices    of two drawn by seed the one with less to do (Mitzenmacher 2001)
//   least_load     the fewest requests in flight; ties in turn
//   prefix_aware   the one that should hold the longest part of the prompt in its prefix cache,
//                  unless it has more than `guard_abs` requests and more than `guard_rel` times
//                  those of the least loaded; then, and without a match of `match` of the prompt,
//                  least load (rule and figures of SGLang's router, as its log of 2026-02 prints
//                  them: cache_threshold 0.3, balance_abs_threshold 64, balance_rel_threshold 1.5)
//   session        the replica that had the session's turn before, as long as it lives and the
//                  same guard lets it; new sessions by least load
//
// What the router knows of the caches is its own bookkeeping: blocks it sent where, forgotten
// after as many tokens as the replica's cache holds. It does not ask the engines.
//
// Load is requests in flight, which a router sees without asking. Deterministic. O(replicas) a
// request, and O(blocks of the prompt) for prefix_aware.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "requests/request.hpp"

namespace headroom::serving {

enum class Routing : unsigned char {
  round_robin,
  least_load,
  prefix_aware,
  session,
  two_choices,
  random
};
std::span<const std::string_view> routing_names();

struct RouterRule {
  Routing routing = Routing::least_load;
  double match = 0.3;
  double guard_abs = 64;
  double guard_rel = 1.5;
  std::uint64_t seed = 1;
};

/// A replica as the router sees it.
struct Target {
  std::uint32_t replica = 0;
  double in_flight = 0;
  double weight = 1;  ///< relative speed: load is in_flight / weight
};

class Router {
 public:
  Router(const RouterRule& rule, std::size_t replicas);

  /// Index into `targets`, which is not empty and ordered by replica.
  std::size_t choose(const requests::Stream& stream, std::uint32_t request,
                     std::span<const Target> targets);
  /// The request went to that replica: remembered for sessions and prefixes.
  void sent(const requests::Stream& stream, std::uint32_t request, std::uint32_t replica);
  /// The replica's cache is gone.
  void forget(std::uint32_t replica);
  /// More replicas than before; `cache_tokens` of one.
  void resize(std::size_t replicas) { caches_.resize(replicas); }
  void cache_tokens(std::uint32_t replica, double tokens) { caches_[replica].holds = tokens; }

 private:
  struct Cache {
    double holds = 0;          ///< tokens
    std::uint64_t passed = 0;  ///< tokens sent so far
    std::uint64_t since = 0;   ///< `passed` when it was last empty
  };
  struct Place {
    std::uint32_t replica = requests::no_request;
    std::uint64_t passed = 0;  ///< of its cache when the block was last used
  };
  static constexpr std::size_t places = 4;
  struct Places {
    Place at[places];
  };

  std::size_t least(std::span<const Target> targets);
  std::size_t two(std::uint32_t request, std::span<const Target> targets) const;
  std::size_t by_prefix(const requests::Stream& stream, std::uint32_t request,
                        std::span<const Target> targets);
  std::size_t by_session(std::uint32_t session, std::span<const Target> targets);
  bool guarded(std::span<const Target> targets, std::size_t index) const;
  bool holds(const Place& place) const;
  void keep(std::uint64_t hash, std::uint32_t replica, std::uint64_t passed);
  void prune();
  /// Leading tokens of the prompt by replica, into `found_`.
  void match(const requests::Stream& stream, const requests::Request& r);

  RouterRule rule_;
  Stream random_;
  std::uint64_t turn_ = 0;
  std::vector<Cache> caches_;
  std::unordered_map<std::uint64_t, Places> blocks_;
  std::size_t prune_at_ = 1u << 16;
  std::unordered_map<std::uint32_t, std::uint32_t> sessions_;
  std::vector<std::pair<std::uint32_t, double>> found_;
};

}  // namespace headroom::serving
