// Ledger: what a replay adds up from outcomes, one by one. Internal to serving.
//
// With outcomes kept, percentiles are exact (linear between order statistics); without, they come
// from histograms. Thirds of the arrivals' span are counted for `overloaded`:
//
//   the backlog of unanswered requests grows over the last third by more than 5 % of that third's
//   arrivals and by more than three standard deviations of their number (Poisson)
#pragma once

#include <array>
#include <vector>

#include "requests/request.hpp"
#include "serving/histogram.hpp"
#include "serving/replay.hpp"

namespace headroom::serving {

class Ledger {
 public:
  Ledger(const requests::Stream& stream, const Deployment& deployment, const Slo& slo);

  /// The final word on a request; once each.
  void ended(const Outcome& o);
  void shed() { ++shed_; }
  void too_long() { ++too_long_; }
  void retried() { ++retried_; }
  /// Another part of the same replay.
  void add(Ledger&& other);

  /// Fills everything of the summary that outcomes tell. `outcomes` only with `keep_outcomes`.
  void finish(const std::vector<Outcome>& outcomes, Summary& s) const;

  double ttft_s(const Outcome& o) const;
  double tpot_s(const Outcome& o) const;
  bool good(const Outcome& o) const;
  const Slo& slo_of(std::uint16_t traffic_class) const { return slos_[traffic_class]; }

 private:
  struct Times {
    Histogram ttft, tpot, e2e;
  };
  struct Counts {
    std::size_t requests = 0, finished = 0, rejected = 0, lost = 0, good = 0;
  };
  void classes(const std::vector<Outcome>& outcomes, Summary& s) const;
  Percentiles of(const Histogram& h) const;
  Percentiles of(std::vector<double>& values) const;
  bool overloaded() const;

  const requests::Stream& stream_;
  const Deployment& deployment_;
  std::vector<Slo> slos_;           ///< by class
  std::vector<std::uint8_t> told_;  ///< by class: whether it counts in the whole's percentiles
  bool histograms_;
  double begin_s_ = 0, late_s_ = 0, last_s_ = 0;  ///< first arrival, two thirds, last arrival
  std::vector<Counts> counts_;                    ///< by class
  std::vector<Times> times_;                      ///< by class, histograms only
  double input_ = 0, output_ = 0, cached_ = 0, gap_sum_ = 0, gaps_ = 0;
  double latest_s_ = 0;
  std::size_t preempted_ = 0, shed_ = 0, too_long_ = 0, retried_ = 0;
  std::size_t arrived_late_ = 0, ended_late_ = 0;
};

}  // namespace headroom::serving
