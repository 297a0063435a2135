// Goodput of a synchronous job that fails, in closed form.
//
// Failures of the job come as a Poisson process with mean time M (all of its
// GPUs together: a gang stops when one stops). The job works for an interval
// tau, then blocks for w to write a checkpoint. A failure loses the work since
// the last durable checkpoint, is noticed after D, and R later the job makes
// progress again.
//
//   tau_Young = sqrt(2 w M)                                  (Young 1974)
//   tau_Daly  = sqrt(2 w M) [1 + sqrt(w/2M)/3 + (w/2M)/9] - w  for w < 2M, else M
//                                                            (Daly 2006)
//   d         = D + (e^{(R+s)/M} - 1)(M + D)    a restart can fail too
//   E[T]      = (e^{(tau+w)/M} - 1)(M + d)      time to complete one interval
//   ETTR      = tau / E[T]
//
// s is the staleness of an asynchronous checkpoint: the write drains for s
// after the job went on, so a failure loses s more work. It is charged as
// work redone after the restart.
//
// ETTR here is productive time over elapsed time, queueing excluded. Papers
// differ (Meta counts the queue), so a report must say which.
//
// D and R do not move the best interval in this model; they scale the loss.
// Validity: exponential failures, no correlation, one checkpoint level. The
// first-order form overstates ETTR where tau + w is not small against M.
// Complexity: O(1).
#pragma once

#include "base/quantity.hpp"

namespace headroom::cluster {

struct Cycle {
  Time interval;   ///< tau, work between checkpoints
  Time write;      ///< w, blocking
  Time mtbf;       ///< M, of the job; not above zero means that it never fails
  Time detection;  ///< D
  Time restart;    ///< R
  Time staleness;  ///< s
};

/// Zero when w is zero: a free checkpoint is taken all the time.
Time young_interval(Time write, Time mtbf);
Time daly_interval(Time write, Time mtbf);

/// Exact ETTR of the renewal process, in [0, 1].
Scalar ettr(const Cycle& cycle);
/// 1 / (1 + w/tau + (tau/2 + w + s + D + R)/M): the usual estimate.
Scalar ettr_first_order(const Cycle& cycle);
/// The interval that maximises `ettr`, found numerically (golden section on
/// its logarithm, to 1e-9), as an answer independent of Young and Daly.
Time best_interval(Cycle cycle);

/// Smallest k such that a Poisson variable of this mean is at most k with
/// probability `percentile`. O(k).
int poisson_quantile(double mean, double percentile);
/// The same for a binomial variable of n trials with probability p.
int binomial_quantile(int n, double p, double percentile);
/// P(X > k) of a binomial variable.
double binomial_above(int n, double p, int k);

}  // namespace headroom::cluster
