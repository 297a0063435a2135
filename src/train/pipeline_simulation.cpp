#include "train/pipeline_simulation.hpp"

#include <algorithm>
#include <stdexcept>

namespace headroom::train {
namespace {

constexpr double never = -1;

/// Stages as the passes see them: a line of `length` stages for every direction.
class Simulation {
 public:
  Simulation(const Pipeline& p, const std::vector<StageTimes>& stages)
      : p_(p),
        stages_(stages),
        dual_(p.schedule == Schedule::dualpipe),
        length_(stage_count(p)),
        order_(pass_order(p)),
        next_(order_.size(), 0),
        free_(order_.size(), 0) {
    const std::size_t passes = std::size_t(length_) * (dual_ ? 2 : 1) * p.micro_batches;
    forward_end_.assign(passes, never);
    backward_end_.assign(passes, never);
    out_.pipeline = p;
    out_.ranks.resize(order_.size());
    for (std::size_t r = 0; r < order_.size(); ++r) out_.ranks[r].ops.reserve(order_[r].size());
  }

  Timeline run() {
    for (int r = p_.ranks - 1; r >= 0; --r) ready_.push_back(r);
    while (!ready_.empty()) {
      const int r = ready_.back();
      ready_.pop_back();
      while (step(r)) {}
    }
    for (std::size_t r = 0; r < order_.size(); ++r)
      if (next_[r] != order_[r].size()) throw std::logic_error("pipeline order waits for itself");
    for (auto& r : out_.ranks) finish(r);
    return std::move(out_);
  }

 private:
  int rank_of(int stage, int chunk) const {
    if (dual_) return chunk == 0 ? stage : p_.ranks - 1 - stage;
    if (p_.schedule == Schedule::zero_bubble_v)
      return stage < p_.ranks ? stage : 2 * p_.ranks - 1 - stage;
    return stage % p_.ranks;
  }
  int stage_of(int rank, int chunk) const {
    if (dual_) return chunk == 0 ? rank : p_.ranks - 1 - rank;
    if (p_.schedule == Schedule::zero_bubble_v) return chunk == 0 ? rank : 2 * p_.ranks - 1 - rank;
    return chunk * p_.ranks + rank;
  }
  std::size_t key(int stage, const Slot& s) const {
    return (std::size_t(dual_ ? s.chunk * length_ : 0) + stage) * p_.micro_batches + s.micro_batch;
  }

  /// Seconds of the send from `stage` to the neighbour in direction `by`; 0 within a rank.
  double send(int rank, int stage, int by, const Slot& s) const {
    const int to = stage + by;
    if (to < 0 || to >= length_) return 0;
    return rank_of(to, s.chunk) == rank ? 0 : p_.send_s;
  }

  /// When the input of a pass is on its rank; never = not known yet.
  double arrival(int rank, const Slot& s) const {
    const int stage = stage_of(rank, s.chunk);
    if (s.pass == Pass::backward_weights) return backward_end_[key(stage, s)];
    const bool ahead = s.pass == Pass::forward;
    if (ahead && stage == 0) return 0;
    if (!ahead && stage == length_ - 1) return forward_end_[key(stage, s)];
    const int from = ahead ? stage - 1 : stage + 1;
    const double sent = (ahead ? forward_end_ : backward_end_)[key(from, s)];
    if (sent == never) return never;
    return sent + send(rank, stage, from - stage, s);
  }

  double seconds(int rank, const Slot& s) const {
    const auto& t = stages_[stage_of(rank, s.chunk)];
    switch (s.pass) {
      case Pass::forward:
        return t.f;
      case Pass::backward:
        return t.b + t.w;
      case Pass::backward_inputs:
        return t.b;
      case Pass::backward_weights:
        return t.w;
    }
    return 0;
  }

  /// Runs the rank's next pass, or pair of passes, if its input is there.
  bool step(int rank) {
    const auto& order = order_[rank];
    const std::size_t at = next_[rank];
    if (at == order.size()) return false;
    const std::size_t count = order[at].paired ? 2 : 1;
    double input = 0, work = 0;
    Wait wait = Wait::none;
    for (std::size_t i = at; i < at + count; ++i) {
      const double when = arrival(rank, order[i]);
      if (when == never) return false;
      if (when > std::max(input, free_[rank]))
        wait = order[i].pass == Pass::forward ? Wait::activations : Wait::gradients;
      input = std::max(input, when);
      work += seconds(rank, order[i]);
    }
    if (count == 2) work *= p_.paired;
    const double start = std::max(input, free_[rank]), end = start + work;
    const double waited = start - free_[rank];
    auto& trace = out_.ranks[rank];
    double blocked = 0;
    for (std::size_t i = at; i < at + count; ++i) {
      const int stage = stage_of(rank, order[i].chunk);
      trace.ops.push_back({order[i], stage, start, end, i == at ? waited : 0, wait});
      blocked += publish(rank, stage, order[i], end);
    }
    trace.busy += work, trace.sending += blocked;
    free_[rank] = end + blocked;
    next_[rank] += count;
    return true;
  }

  /// Makes a result known and wakes the rank that may wait for it; returns how long
  /// its send keeps this rank busy.
  double publish(int rank, int stage, const Slot& s, double end) {
    if (s.pass == Pass::backward_weights) return 0;
    const bool ahead = s.pass == Pass::forward;
    (ahead ? forward_end_ : backward_end_)[key(stage, s)] = end;
    const int to = stage + (ahead ? 1 : -1);
    if (to < 0 || to >= length_) return 0;
    const int who = rank_of(to, s.chunk);
    if (who == rank) return 0;
    ready_.push_back(who);
    return p_.send_s * p_.exposed;
  }

  double share() const {
    if (p_.schedule == Schedule::zero_bubble_v) return 0.5;
    return p_.schedule == Schedule::one_f_one_b ? 1.0 / p_.chunks : 1;
  }

  void finish(RankTrace& r) {
    int held = 0, most = 0;
    for (const auto& op : r.ops) {
      if (op.slot.pass == Pass::forward) most = std::max(most, ++held);
      if (op.slot.pass == Pass::backward || op.slot.pass == Pass::backward_weights) --held;
      if (op.wait == Wait::activations) r.for_activations += op.waited;
      if (op.wait == Wait::gradients) r.for_gradients += op.waited;
      out_.total = std::max(out_.total, op.end);
    }
    r.in_flight = most * share();
    r.fill = r.ops.empty() ? 0 : r.ops.front().start;
    r.for_activations -= r.fill;  // the first pass waits for activations
  }

  const Pipeline& p_;
  const std::vector<StageTimes>& stages_;
  bool dual_;
  int length_;
  std::vector<std::vector<Slot>> order_;
  std::vector<std::size_t> next_;
  std::vector<double> free_;
  std::vector<double> forward_end_, backward_end_;
  std::vector<int> ready_;
  Timeline out_;
};

}  // namespace

std::string_view pass_name(Pass p) {
  static constexpr std::string_view names[] = {"forward", "backward", "backward by inputs",
                                               "backward by weights"};
  return names[static_cast<int>(p)];
}

Timeline simulate(const Pipeline& p, const std::vector<StageTimes>& stages) {
  auto out = Simulation(p, stages).run();
  for (auto& r : out.ranks)
    if (!r.ops.empty())
      r.drain = out.total - r.busy - r.sending - r.fill - r.for_activations - r.for_gradients;
  return out;
}

Timeline simulate(const Pipeline& p) {
  std::vector<StageTimes> stages;
  for (int s = 0; s < stage_count(p); ++s) stages.push_back(stage_times(p, s));
  return simulate(p, stages);
}

}  // namespace headroom::train
