#include "train/search_rank.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <tuple>

#include "train/search_space.hpp"

namespace headroom::train {

double nine_digits(double x) {
  // 30 of 52 bits; rounding up in the last kept bit first, so that round figures stay whole.
  constexpr std::uint64_t dropped = (std::uint64_t{1} << 22) - 1;
  const auto bits = std::bit_cast<std::uint64_t>(x) + (dropped >> 1) + 1;
  return std::bit_cast<double>(bits & ~dropped);
}

std::string_view objective_name(Objective objective) {
  static constexpr std::string_view names[] = {"fastest", "smallest", "cheapest", "least-memory"};
  return names[static_cast<int>(objective)];
}

double cost_per_token(const Candidate& c, const Prices& prices) {
  const double step = std::max(1e-12, c.time.total());
  const double busy = std::min(1.0, c.time.busy() / step);
  const double kw = (prices.idle_w + (prices.busy_w - prices.idle_w) * busy) / 1000;
  const double hourly = prices.gpu_hour + kw * prices.energy_kwh;
  return c.plan.gpus() * hourly / 3600 / std::max(1e-12, c.tokens_per_s);
}

bool before(const ParallelPlan& a, const ParallelPlan& b) {
  if (a.gpus() != b.gpus()) return a.gpus() < b.gpus();
  for (const auto& d : dimensions())
    if (d.get(a) != d.get(b)) return d.get(a) < d.get(b);
  return a.micro_batches < b.micro_batches;
}

Score Order::score(const Candidate& c) const {
  const double slowness = nine_digits(-c.tokens_per_s);
  switch (objective_) {
    case Objective::fastest:
      break;
    case Objective::smallest:
      return {std::ceil(double(c.plan.gpus()) / domain_), slowness};
    case Objective::cheapest:
      return {nine_digits(cost_per_token(c, prices_)), slowness};
    case Objective::least_memory:
      return {nine_digits(c.memory.total()), slowness};
  }
  return {slowness, 0};
}

bool Order::better(const Score& a, const ParallelPlan& pa, const Score& b,
                   const ParallelPlan& pb) const {
  if (a.first != b.first) return a.first < b.first;
  if (a.second != b.second) return a.second < b.second;
  return train::before(pa, pb);
}

// --- Shortlist ---------------------------------------------------------------------------

void Shortlist::offer(const Candidate& c) {
  const auto score = order_.score(c);
  if (full_ && !order_.better(score, c.plan, worst_.score, worst_.candidate.plan)) return;
  if (distinct_ && replaced(score, c)) return;
  entries_.push_back({score, c});
  if (entries_.size() >= 2 * keep_ + 64) trim();
}

/// A plan of this layout is listed already: the better of the two stays.
bool Shortlist::replaced(const Score& score, const Candidate& c) {
  const auto layout = [](const ParallelPlan& p) { return std::tie(p.tp, p.pp, p.cp, p.ep, p.dp); };
  for (auto& entry : entries_) {
    const auto& listed = entry.candidate.plan;
    if (layout(listed) != layout(c.plan)) continue;
    if (order_.better(score, c.plan, entry.score, listed)) entry = {score, c};
    return true;
  }
  return false;
}

/// Keeps the best `keep_`; what comes later must beat the worst of them.
void Shortlist::trim() {
  const auto last = entries_.begin() + std::ptrdiff_t(keep_) - 1;
  std::nth_element(entries_.begin(), last, entries_.end(),
                   [this](const Entry& a, const Entry& b) { return before(a, b); });
  entries_.erase(last + 1, entries_.end());
  worst_ = entries_.back();
  full_ = true;
}

void Shortlist::merge(const Shortlist& other) {
  for (const auto& entry : other.entries_) offer(entry.candidate);
}

std::vector<Candidate> Shortlist::take() {
  std::sort(entries_.begin(), entries_.end(),
            [this](const Entry& a, const Entry& b) { return before(a, b); });
  std::vector<Candidate> out;
  for (auto& entry : entries_)
    if (out.size() < keep_) out.push_back(std::move(entry.candidate));
  entries_.clear();
  full_ = false;
  return out;
}

// --- Front -------------------------------------------------------------------------------

namespace {

constexpr double same = 1e-3;  // relative; closer plans are one point of the front

bool close(double a, double b) {
  return std::abs(a - b) <= same * std::max(std::abs(a), std::abs(b));
}

}  // namespace

Front::Point Front::point(const Candidate& c) const {
  const double cost = priced() ? cost_per_token(c, prices_) : c.plan.gpus();
  return {nine_digits(-c.tokens_per_s), nine_digits(cost), nine_digits(c.memory.total()), c};
}

void Front::offer(const Candidate& c) {
  const double slowness = nine_digits(-c.tokens_per_s), memory = nine_digits(c.memory.total());
  // Nearly every plan is beaten by one of the first few, before its cost is even known.
  const double gpus = c.plan.gpus();
  if (!priced())
    for (std::size_t k = 0; k < points_.size(); ++k) {
      const auto& q = points_[k];
      if (q.slowness > slowness || q.cost > gpus || q.memory > memory) continue;
      if (q.slowness == slowness && q.cost == gpus && q.memory == memory) break;
      if (k > 0) std::swap(points_[k], points_[k - 1]);
      return;
    }
  insert(point(c));
}

void Front::insert(const Point& p) {
  const auto beats = [](const Point& a, const Point& b) {
    if (a.slowness > b.slowness || a.cost > b.cost || a.memory > b.memory) return false;
    const bool equal = a.slowness == b.slowness && a.cost == b.cost && a.memory == b.memory;
    return !equal || before(a.candidate.plan, b.candidate.plan) ||
           a.candidate.plan == b.candidate.plan;
  };
  for (const auto& q : points_)
    if (beats(q, p)) return;
  std::erase_if(points_, [&](const Point& q) { return beats(p, q); });
  points_.push_back(p);
}

void Front::merge(const Front& other) {
  for (const auto& p : other.points_) insert(p);
}

std::vector<Candidate> Front::take() {
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) {
    const auto key = [](const Point& p) { return std::tuple(p.slowness, p.cost, p.memory); };
    if (key(a) != key(b)) return key(a) < key(b);
    return before(a.candidate.plan, b.candidate.plan);
  });
  std::vector<Point> kept;
  for (auto& p : points_) {
    const bool known = std::any_of(kept.begin(), kept.end(), [&](const Point& q) {
      return close(p.slowness, q.slowness) && close(p.cost, q.cost) && close(p.memory, q.memory);
    });
    if (!known) kept.push_back(std::move(p));
  }
  std::vector<Candidate> out;
  for (auto& p : kept) out.push_back(std::move(p.candidate));
  points_.clear();
  return out;
}

}  // namespace headroom::train
