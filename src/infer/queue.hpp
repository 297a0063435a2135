// Queueing formulas of the closed-form serving model.
//
// They are approximations for sizing at loads below saturation; the engine that
// replays requests one by one is their judge. Sources:
//   Kingman 1961 (G/G/1 heavy traffic): W = rho/(1-rho) x (ca^2 + cs^2)/2 x S
//   Sakasegawa 1977 (G/G/k): W = (ca^2 + cs^2)/2 x rho^(sqrt(2(k+1))-1) / (k(1-rho)) x S
//   Acklam's rational approximation of the normal quantile, |relative error| < 1.2e-9.
//
// All functions are pure, O(1) (`response_quantile` ~1 us) and never return NaN: a
// load at or above one is answered with `overloaded`.
#pragma once

#include <limits>

namespace headroom::infer {

/// Stands for a wait that grows without bound.
inline constexpr double overloaded = 1e18;

/// z with P(Z <= z) = p for a standard normal; p is clamped to [1e-12, 1 - 1e-12].
double normal_quantile(double p);
/// Quantile of a lognormal of this mean and coefficient of variation.
double lognormal_quantile(double mean, double cv, double p);
/// E[x^2; x < longest] / mean^2 of a lognormal: 1 + cv^2 where nothing is cut off (`longest` 0).
double lognormal_square(double mean, double cv, double longest);
/// Coefficient of variation of the lognormal whose quantile at p is `ratio` times its
/// mean; the smaller root where two exist, the peak's where none does.
double lognormal_cv(double ratio, double p);

/// Mean wait of a G/G/1 queue.
double kingman_wait(double load, double service, double arrival_cv2, double service_cv2);
/// Mean wait of a G/G/k queue.
double sakasegawa_wait(double servers, double load, double service, double arrival_cv2,
                       double service_cv2);
/// Chance that an arrival has to wait for one of `servers`, as Sakasegawa's formula implies:
/// load^(sqrt(2(k+1)) - 1), which is `load` for one server; 1 at and above saturation.
double wait_chance(double servers, double load);

/// Mean of min(x, most) over a lognormal x.
double lognormal_cut(double mean, double cv, double most);
/// Tokens of a step's prompts that belong to the same prompt as one of them, on average, where a
/// prompt is read in pieces of at most `room`: sum of the pieces' squares over the prompt. n for
/// a prompt of n <= room, n (1 + cv^2) where such lengths spread, `room` for much longer ones.
double own_piece(double mean, double cv, double room);

/// Prompts that arrive at random moments and are read in steps of at most `room` tokens, first
/// come first served. A step that finds W tokens waiting reads Y = min(W, room) of them in
/// d + q Y, and those who arrived meanwhile are added: W' = W - Y + A. The balance of E[W] and
/// E[W^2] is exact for Poisson arrivals:
///
///   y = E[Y] = lambda n d / (1 - rho),  rho = lambda n q
///   E[W - Y] = (lambda n^2 (1 + cv^2) T / (1 - rho) - (1 + rho) Var Y) / (2 (room - y))
///
/// which is Pollaczek-Khinchine's number where a prompt fills the room, and 0 where many fit.
/// Var Y = y (M - y) closes it: M, the tokens of the step that a token is read in, are the prompt's
/// own and of the others before the room's end those that fit (lognormal, of the same mean and
/// variance as without the end).
struct ReadingLoad {
  double rate_s = 0;   ///< lambda
  double plain_s = 0;  ///< d, a step without prompts
  double token_s = 0;  ///< q
  double room = 0;     ///< tokens
  double prompt = 0;   ///< n, mean
  double square = 1;   ///< E[n^2] / n^2
  double piece = 0;    ///< own_piece
  double arrival_cv2 = 1;
};
struct Reading {
  double step_s = 0;       ///< T
  double variance_s2 = 0;  ///< of T
  double left = 0;         ///< E[W - Y], tokens that a step leaves behind
  double found = 0;        ///< tokens that wait when a prompt has been read
  double typical = 0;      ///< E[W], the same when any step ends
  double memory = 0;       ///< correlation of W with the next step's
  double full = 0;         ///< chance that a step leaves some behind
  double wait_s = 0;       ///< arrival to the end of a prompt's last step
};
Reading read_prompts(const ReadingLoad& load);

/// A response time: a lognormal service behind a wait that is zero with chance
/// 1 - busy and exponential otherwise.
struct Response {
  double fixed = 0;         ///< part of the service that every request has
  double service_mean = 0;  ///< lognormal part
  double service_cv = 0;
  double wait_mean = 0;
  double busy = 0;  ///< chance to wait at all

  double mean() const { return fixed + service_mean + wait_mean; }
  double quantile(double p) const;
  /// Whether the quantile at `p` is at most `t`: one step of its bisection.
  bool within(double t, double p) const;
};

/// Mean time of a step over the answer of one request, as it spreads over requests: answers of
/// lognormal length, a number of prompts that cut in (compound Poisson) and a batch that varies.
/// Its distribution over requests of one length is taken as Pearson III of the same mean,
/// variance and skewness (Wilson-Hilferty), over lengths it is summed.
struct TokenTimes {
  double mean_s = 0;  ///< a step
  double steps = 1;   ///< of an answer, mean
  double steps_cv = 0;
  double crowd_s2 = 0;  ///< variance by the batch, over an answer of mean length
  double prompts = 0;   ///< a step
  double prompt_s = 0, prompt_cv2 = 0;
  double extra_s = 0;  ///< an answer's share of `mean_s` that does not grow with its length

  /// Chance that an answer's mean step is longer than `t`.
  double above(double t) const;
  bool within(double t, double p) const { return above(t) <= 1 - p; }
  double quantile(double p) const;
};

}  // namespace headroom::infer
