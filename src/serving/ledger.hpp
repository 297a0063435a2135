// Ledger: what a replay adds up from outcomes, one by one. Internal to serving.
//
// A cell is a pair of class and pool; requests that no pool took have a column of their own. Every
// answer (the whole, a class, a pool, a region's users) is a sum of cells. With outcomes kept,
// percentiles are exact (linear between order statistics); without, they come from histograms.
// Thirds of the arrivals' span are counted for `overloaded`:
//
//   the backlog of unanswered requests, of all online classes or of one of them, grows over the
//   last third by more than 5 % of that third's arrivals and by more than three standard
//   deviations of their number (Poisson)
#pragma once

#include <array>
#include <vector>

#include "requests/request.hpp"
#include "serving/histogram.hpp"
#include "serving/replay.hpp"

namespace headroom::serving {

class Ledger {
 public:
  Ledger(const requests::Stream& stream, const Deployment& deployment, const Slo& slo,
         std::size_t pools);

  /// The final word on a request; once each. `pool`: that held it last, or `nowhere()`.
  void ended(const Outcome& o, std::size_t pool);
  std::size_t nowhere() const { return pools_; }
  void shed() { ++shed_; }
  void retried() { ++retried_; }
  /// Another part of the same replay.
  void add(Ledger&& other);

  /// What the parts of an answer are made of. Outcomes only with `keep_outcomes`; then they name
  /// replicas, whose pools are `pool_of`.
  class Reading;

  double ttft_s(const Outcome& o) const;
  double tpot_s(const Outcome& o) const;
  bool good(const Outcome& o) const;
  const Slo& slo_of(std::uint16_t traffic_class) const { return slos_[traffic_class]; }

 private:
  struct Times {
    Histogram ttft, tpot, e2e;
  };
  struct Counts {
    std::size_t requests = 0, finished = 0, rejected = 0, lost = 0, good = 0, residency = 0;
    double input = 0, output = 0, cached = 0, preempted = 0;
    void add(const Counts& o);
  };
  struct Backlog {
    std::size_t arrived = 0, ended = 0;
    bool grows() const;
  };
  std::size_t cell(std::size_t traffic_class, std::size_t pool) const {
    return traffic_class * (pools_ + 1) + pool;
  }
  bool overloaded() const;

  const requests::Stream& stream_;
  const Deployment& deployment_;
  std::size_t pools_;
  std::vector<Slo> slos_;           ///< by class
  std::vector<std::uint8_t> told_;  ///< by class: whether it counts in the whole's percentiles
  bool histograms_;
  double begin_s_ = 0, late_s_ = 0, last_s_ = 0;  ///< first arrival, two thirds, last arrival
  std::vector<Counts> counts_;                    ///< by cell
  std::vector<Times> times_;                      ///< by cell, histograms only
  std::vector<Backlog> late_;                     ///< of the last third, by class
  double gap_sum_ = 0, gaps_ = 0, latest_s_ = 0;
  std::size_t shed_ = 0, too_long_ = 0, no_pool_ = 0, retried_ = 0;
};

/// The ledger read at the end, cell by cell.
class Ledger::Reading {
 public:
  Reading(const Ledger& ledger, const std::vector<Outcome>& outcomes,
          const std::vector<std::uint16_t>& pool_of);

  /// Everything that outcomes tell of the whole.
  void whole(Summary& s);
  std::size_t classes() const { return l_.slos_.size(); }
  bool told(std::size_t traffic_class) const { return l_.told_[traffic_class] != 0; }
  const Slo& slo(std::size_t traffic_class) const { return l_.slos_[traffic_class]; }
  /// Cells by class and pool; `told` ones alone in percentiles where there are any.
  using Pick = std::vector<std::pair<std::size_t, std::size_t>>;
  void fill(const Pick& cells, double span_s, Served& out);
  std::size_t finished(std::size_t c, std::size_t p) const { return at(c, p).finished; }
  std::size_t residency(std::size_t c) const { return at(c, l_.pools_).residency; }
  double input(std::size_t c, std::size_t p) const { return at(c, p).input; }
  double output(std::size_t c, std::size_t p) const { return at(c, p).output; }
  /// Times of one cell, of the class's percentile.
  void times(const Pick& cells, Percentiles& ttft, Percentiles& tpot, Percentiles& e2e);

 private:
  struct Values {
    std::vector<double> ttft, tpot, e2e;
  };
  const Counts& at(std::size_t c, std::size_t p) const { return l_.counts_[l_.cell(c, p)]; }
  Percentiles of(const Histogram& h) const;
  Percentiles of(std::vector<double>& values) const;
  Percentiles joined(const std::vector<std::size_t>& cells, std::vector<double> Values::*which);
  Percentiles joined(const std::vector<std::size_t>& cells, Histogram Times::*which) const;

  const Ledger& l_;
  std::vector<Values> values_;  ///< by cell, exact only
  std::vector<double> all_;
};

}  // namespace headroom::serving
