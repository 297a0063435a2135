// Rank: which of two candidates is better, the best few of many, and those that none beats.
// Inner header of search.
//
// The order is strict and total over plans, so the best k of a set and its Pareto front are
// the same in whatever order, and on however many threads, the set is seen.
#pragma once

#include <algorithm>
#include <vector>

#include "train/search.hpp"

namespace headroom::train {

/// Figures of a plan that the order compares first: lower is better.
struct Score {
  double first = 0, second = 0;
  friend bool operator==(const Score&, const Score&) = default;
};

/// Differences below a thousand millionth are noise of the last digits.
double nine_digits(double x);

class Order {
 public:
  Order(const SearchOptions& options, int domain)
      : objective_(options.objective), prices_(options.prices), domain_(domain) {}

  Score score(const Candidate& c) const;
  bool better(const Score& a, const ParallelPlan& pa, const Score& b, const ParallelPlan& pb) const;

 private:
  Objective objective_;
  Prices prices_;
  int domain_;
};

/// Total order of plans: fewer GPUs, then by every dimension of the space, then what is left.
bool before(const ParallelPlan& a, const ParallelPlan& b);

/// The best `keep` of the candidates offered; with `distinct` each of its own (tp, pp, cp, ep, dp).
class Shortlist {
 public:
  Shortlist(const Order& order, int keep, bool distinct = false)
      : order_(order), keep_(std::size_t(std::max(1, keep))), distinct_(distinct) {}
  void offer(const Candidate& c);
  void merge(const Shortlist& other);
  std::vector<Candidate> take();

 private:
  struct Entry {
    Score score;
    Candidate candidate;
  };
  void trim();
  bool replaced(const Score& score, const Candidate& c);
  bool before(const Entry& a, const Entry& b) const {
    return order_.better(a.score, a.candidate.plan, b.score, b.candidate.plan);
  }
  Order order_;
  std::size_t keep_;
  bool distinct_;
  std::vector<Entry> entries_;  // at most a few more than twice `keep_`, in no order
  Entry worst_;                 // of the best `keep_` when last trimmed
  bool full_ = false;
};

/// The candidates that none beats in tokens/s, GPUs (or money a token) and memory at once.
class Front {
 public:
  explicit Front(const Prices& prices) : prices_(prices) {}
  void offer(const Candidate& c);
  void merge(const Front& other);
  /// Fastest first; of those within 0.1 % of each other in all three the first.
  std::vector<Candidate> take();

 private:
  struct Point {
    double slowness, cost, memory;  // lower is better
    Candidate candidate;
  };
  Point point(const Candidate& c) const;
  void insert(const Point& p);
  bool priced() const { return prices_.gpu_hour > 0 || prices_.energy_kwh > 0; }
  Prices prices_;
  std::vector<Point> points_;  // those that beat most come to the front
};

}  // namespace headroom::train
