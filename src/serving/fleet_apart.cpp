// Replicas that do not depend on each other, each by itself and several at once.
#include <algorithm>
#include <atomic>
#include <thread>

#include "serving/fleet.hpp"

namespace headroom::serving {

bool Fleet::apart() const {
  if (deployment_.routing != Routing::round_robin || pools_.size() != 1 || replicas_.empty())
    return false;
  if (limited_ || failures_ || pools_[0].scales || pools_[0].caps.size() > 1) return false;
  if (!first_follower_.empty()) return false;
  return pools_[0].engine.role == Role::both &&
         std::none_of(routes_.begin(), routes_.end(),
                      [](const auto& list) { return list.empty(); });
}

/// One replica's requests from first to last.
void Fleet::run_alone(std::uint32_t replica, Ledger& ledger, Stage& stage) {
  const auto& requests = stream_.requests;
  Engine& engine = *replicas_[replica].engine;
  std::vector<Outcome> ended;
  const auto settle_all = [&] {
    for (auto& o : ended) {
      const auto& r = requests[o.request];
      o.replica = static_cast<std::uint16_t>(replica);
      o.arrival_s = r.arrival_s;
      if (o.fate == Fate::finished) {
        const double away = trip(r, 0);
        o.first_token_s += away, o.end_s += away;
      }
      ledger.ended(o, 0);
      if (deployment_.keep_outcomes) outcomes_[o.request] = o;
    }
    ended.clear();
  };
  for (std::size_t i = replica; i < requests.size(); i += replicas_.size()) {
    engine.run_until(requests[i].arrival_s, ended);
    if (!ended.empty()) settle_all();
    if (stage.stop_asked()) return;
    stage.count();
    hand_in(engine, static_cast<std::uint32_t>(i), requests[i].arrival_s);
  }
  engine.run_until(Engine::never, ended);
  settle_all();
}

/// Ledgers are added up in the order of replicas, so that the number of threads changes no bit.
void Fleet::run_apart(Stage& stage) {
  std::vector<Ledger> ledgers(replicas_.size(), ledger_);
  std::atomic<std::uint32_t> next{0};
  const auto work = [&] {
    for (std::uint32_t r = next++; r < replicas_.size(); r = next++)
      run_alone(r, ledgers[r], stage);
  };
  const auto threads = std::min<std::size_t>(std::max(1, deployment_.threads), replicas_.size());
  std::vector<std::thread> others;
  for (std::size_t t = 1; t < threads; ++t) others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
  stage.check();
  for (auto& ledger : ledgers) ledger_.add(std::move(ledger));
  unsettled_ = 0;
}

}  // namespace headroom::serving
