#include "infer/queue.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace headroom::infer {

double normal_quantile(double p) {
  p = std::clamp(p, 1e-12, 1 - 1e-12);
  constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                          1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                          6.680131188771972e+01, -1.328068155288572e+01};
  constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                          -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                          3.754408661907416e+00};
  constexpr double low = 0.02425;
  if (p > 1 - low) return -normal_quantile(1 - p);
  if (p < low) {
    const double q = std::sqrt(-2 * std::log(p));
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  }
  const double q = p - 0.5, r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

double lognormal_quantile(double mean, double cv, double p) {
  if (mean <= 0) return 0;
  const double variance = std::log1p(cv * cv);
  return mean * std::exp(normal_quantile(p) * std::sqrt(variance) - variance / 2);
}

double lognormal_square(double mean, double cv, double longest) {
  const double whole = 1 + cv * cv;
  if (longest <= 0 || mean <= 0 || cv <= 0) return whole;
  const double variance = std::log1p(cv * cv), width = std::sqrt(variance);
  const double below = (std::log(longest / mean) - 1.5 * variance) / width;
  return std::max(1.0, whole * 0.5 * std::erfc(-below * M_SQRT1_2));
}

double lognormal_cv(double ratio, double p) {
  const double z = normal_quantile(p);
  if (ratio <= 1 || z <= 0) return 0;
  // z s - s^2/2 = ln ratio has its peak at s = z.
  const double inside = z * z - 2 * std::log(ratio);
  const double sigma = inside > 0 ? z - std::sqrt(inside) : z;
  return std::sqrt(std::expm1(sigma * sigma));
}

double kingman_wait(double load, double service, double arrival_cv2, double service_cv2) {
  if (load <= 0 || service <= 0) return 0;
  if (load >= 1) return overloaded;
  return load / (1 - load) * (arrival_cv2 + service_cv2) / 2 * service;
}

double sakasegawa_wait(double servers, double load, double service, double arrival_cv2,
                       double service_cv2) {
  if (load <= 0 || service <= 0) return 0;
  if (load >= 1) return overloaded;
  const double k = std::max(servers, 1.0);
  return (arrival_cv2 + service_cv2) / 2 * wait_chance(k, load) / (k * (1 - load)) * service;
}

double wait_chance(double servers, double load) {
  if (load <= 0) return 0;
  return load < 1 ? std::pow(load, std::sqrt(2 * (std::max(servers, 1.0) + 1)) - 1) : 1;
}

double own_piece(double mean, double cv, double room) {
  if (mean <= 0 || room <= 0) return 0;
  const double variance = std::log1p(cv * cv);
  if (variance < 1e-6) {
    const double whole = std::floor(mean / room), rest = mean - whole * room;
    return (whole * room * room + rest * rest) / mean;
  }
  // Shares of prompts, of their tokens and of their squares beyond the room; the last piece of a
  // longer prompt is uniform: room x n - room^2 / 6.
  const double width = std::sqrt(2 * variance), at = std::log(room / mean);
  const auto beyond = [&](double order) {
    return 0.5 * std::erfc((at + (0.5 - order) * variance) / width);
  };
  const double squares = mean * mean * (1 + cv * cv) * (1 - beyond(2)) + room * mean * beyond(1) -
                         room * room / 6 * beyond(0);
  return std::clamp(squares / mean, 1e-9, room);
}

namespace {

/// Lognormal prompts in steps of at most `room` tokens.
struct Lengths {
  double content = 0;  ///< of the last piece, by tokens
  double beyond = 0;   ///< share of the second moment in longer ones
  double excess = 0;   ///< of those over the room, by tokens
};
Lengths lengths_within(double n, double c2, double room) {
  Lengths l;
  const double variance = std::log(std::max(c2, 1.0));
  if (variance < 1e-6) {
    const double rest = n - std::floor(n / room) * room;
    l.content = rest > 0 ? rest : std::min(n, room);
    if (n > room) l.beyond = 1, l.excess = n - room;
    return l;
  }
  const double width = std::sqrt(2 * variance), at = std::log(room / n);
  const auto beyond = [&](double order) {
    return 0.5 * std::erfc((at + (0.5 - order) * variance) / width);
  };
  const double count = beyond(0), tokens = beyond(1), squares = beyond(2);
  l.content = (n * n * c2 * (1 - squares) + room * room / 3 * count) /
              std::max(n * (1 - tokens) + room / 2 * count, 1e-12 * n);
  l.content = std::min(l.content, room);
  l.beyond = squares;
  l.excess = tokens > 1e-12 ? std::max(n * c2 * squares / tokens - room, 0.0) : 0;
  return l;
}

/// Tokens of other prompts, `mean` without an end of the room, in a step that they fit into: none,
/// or one prompt and an exponential number more.
double others_within(double mean, double n, double c2, double rho, double room) {
  if (mean <= 0 || room <= 0) return 0;
  const double over = 1 / (1 - rho * rho), count = mean / n;  // negative binomial
  const double none = over > 1 + 1e-9 ? std::pow(over, -count / (over - 1)) : std::exp(-count);
  const double some = mean / std::max(1 - none, 1e-12);
  const double least = std::min(n * std::max(1 - std::sqrt(c2 - 1), 0.0), 0.999 * some);
  if (room <= least) return 0;
  const double scale = some - least, far = std::exp(-(room - least) / scale);
  const double inside = (1 - none) * (1 - far);
  const double tokens = (1 - none) * (some - far * (room + scale));
  return std::max(tokens, 0.0) / std::max(none + inside, 1e-12);
}

}  // namespace

Reading read_prompts(const ReadingLoad& l) {
  Reading r;
  const double n = l.prompt, q = l.token_s, c2 = l.square;
  const double rho = std::min(l.rate_s * n * q, 1 - 1e-6);
  const double plain = std::max(l.plain_s, 1e-9 * q * n);  // its limit where nobody decodes
  const double arriving = l.rate_s * n * plain;
  const double y = std::min(arriving / (1 - rho), l.room * (1 - 1e-6));
  r.step_s = plain + q * y;
  const double used = std::min(l.rate_s * n * (plain / l.room + q), 1 - 1e-6);
  const double v2 = std::max(c2 - 1 + l.arrival_cv2, 1e-9);  // of the tokens that arrive
  const Lengths own = lengths_within(n, c2, l.room);
  // Arrivals wider than Poisson's come together.
  const double burst = std::max(l.arrival_cv2 - 1, 0.0) * n;
  const double content = std::min(own.content + burst, l.room);
  const double piece = std::min(l.piece + burst, l.room);
  // Steps that the room does not cut: a prompt and the others that fit beside it.
  const double wide = y + n * v2 / (1 - rho * rho);  // the same without an end of the room
  const double below = std::min(
      content + others_within(wide - n * c2 - burst, n, c2, rho, l.room - content), l.room);
  // Left by one that it does: without load the rest of a prompt longer than the room, such that a
  // token is read in a step of `l.piece`; under load as in heavy traffic, or longer rests.
  const double queued = n * v2 / (2 * (1 - used));
  const double cutting = piece - content;
  const double alone =
      cutting > 1e-6 * n ? (l.room - content) * (n * c2 + burst - piece) / (2 * cutting) : queued;
  const double loaded =
      std::max(queued, (1 - own.beyond) * queued + own.beyond * alone / (1 - used));
  const double behind = std::max((1 - used) * alone + used * loaded, 1e-9 * n);
  const double k2 = y * (1 + rho) / (2 * (l.room - y));
  const double k1 = k2 * y + y * n * v2 / ((1 - rho) * 2 * (l.room - y));
  const double bend = l.room * (l.room - below) / (behind * y);
  const double joint = std::max((k1 - k2 * below) / (1 + k2 * bend), 0.0);
  const double seen = std::clamp(below + joint * bend, y, l.room);
  r.left = seen < l.room ? joint : std::max(k1 - k2 * l.room, 0.0);  // no step reads in part
  const double cut = std::max(n * c2 - l.piece, 0.0) / 2;            // rest of one's own prompt
  const double variance = y * (seen - y);
  r.full = std::min(r.left / loaded, y / l.room);
  const double cuts = r.full * n / y;
  const double rest = std::max(cut, n * c2 / 2 * cuts / (cuts + 2));
  r.variance_s2 = q * q * variance;
  r.typical = y + r.left;
  r.found = l.room * r.left / y + arriving + rho * seen - rest * (1 - used) - n * used * (c2 - 1);
  const double both = (l.room - y) * r.left;
  const double all = variance + 2 * both + std::max(2 * r.left * behind - r.left * r.left, 0.0);
  r.memory = all > 0 ? std::clamp(1 - (1 - rho) * (variance + both) / all, 0.0, 1.0) : 0;
  // Little's law: prompts that wait or are read, by the time that steps take.
  const double partial = (1 - c2 / 2) * r.full;
  const double number = r.typical / n + partial;
  const double whole = 1 - 2 * rest / (n * c2);
  const double product = (l.room * r.left + y * seen) / n - (c2 - 1) * y * whole + partial * l.room;
  const double mean2 = r.step_s + r.variance_s2 / r.step_s;
  r.wait_s = mean2 / 2 + (plain * number + q * product) / (l.rate_s * r.step_s);
  return r;
}

namespace {

/// Standard normal quantiles at the middles of equal shares, for sums over a lognormal.
constexpr int points = 32;
const std::array<double, points>& middles() {
  static const auto table = [] {
    std::array<double, points> z{};
    for (int i = 0; i < points; ++i) z[i] = normal_quantile((i + 0.5) / points);
    return z;
  }();
  return table;
}

/// The chance that a response takes longer than a time: the service alone does, or, of shorter
/// services, the wait takes the rest.
class Tail {
 public:
  explicit Tail(const Response& r) : chance_(std::clamp(r.busy, 0.0, 1.0)), fixed_(r.fixed) {
    wait_ = chance_ > 0 ? r.wait_mean / chance_ : 0;
    mean_ = std::max(r.service_mean, 0.0);
    variance_ = std::log1p(r.service_cv * r.service_cv);
    width_ = std::sqrt(variance_);
    shape_ = std::pow(std::clamp(r.wait_cv, 0.25, 4.0), -1.086);
    scale_ = wait_ > 0 ? wait_ / std::tgamma(1 + 1 / shape_) : 0;
  }
  double above(double t) const {
    const double left = t - fixed_;
    if (left <= 0) return 1;
    if (width_ < 1e-6 || mean_ <= 0) return left < mean_ ? 1 : waits(left - mean_);
    const double most = (std::log(left / mean_) + variance_ / 2) / width_;
    const double alone = 0.5 * std::erfc(most * M_SQRT1_2);
    constexpr double least = -4;
    if (wait_ <= 0 || most <= least) return alone;
    // Simpson's rule over the services that are shorter.
    constexpr int halves = 12;
    const double apart = (std::min(most, 8.0) - least) / (2 * halves);
    double sum = 0;
    for (int i = 0; i <= 2 * halves; ++i) {
      const double z = least + apart * i;
      const double service = mean_ * std::exp(z * width_ - variance_ / 2);
      const double weight = i == 0 || i == 2 * halves ? 1 : i % 2 ? 4 : 2;
      sum += weight * std::exp(-z * z / 2) * waits(std::max(left - service, 0.0));
    }
    constexpr double density = 0.3989422804014327;
    return std::min(alone + density * sum * apart / 3, 1.0);
  }
  double wait() const { return wait_; }

 private:
  // Weibull: exponential at a coefficient of variation of 1, cv ~ shape^(-1 / 1.086).
  double waits(double t) const {
    if (wait_ <= 0) return 0;
    return chance_ * std::exp(shape_ == 1 ? -t / scale_ : -std::pow(t / scale_, shape_));
  }

  double chance_, fixed_, wait_ = 0, mean_ = 0, variance_ = 0, width_ = 0, shape_ = 1, scale_ = 0;
};

}  // namespace

bool Response::within(double t, double p) const {
  if (wait_mean >= overloaded / 2) return false;
  if (t < fixed + lognormal_quantile(service_mean, service_cv, p) || t < mean()) return false;
  return Tail(*this).above(t) <= 1 - p;
}

double Response::quantile(double p) const {
  if (wait_mean >= overloaded / 2) return overloaded;
  const Tail tail(*this);
  double low = 0;
  double high = fixed + lognormal_quantile(service_mean, service_cv, p) +
                tail.wait() * 60 * std::max(1.0, std::pow(wait_cv, 3)) + 1e-9;
  for (int i = 0; i < 40; ++i) {
    const double mid = (low + high) / 2;
    (tail.above(mid) > 1 - p ? low : high) = mid;
  }
  return high;
}

double TokenTimes::above(double t) const {
  constexpr int lengths = 16, apart = points / lengths;
  const double variance = std::log1p(steps_cv * steps_cv), width = std::sqrt(variance);
  const double cubed = std::pow(1 + prompt_cv2, 3);
  const int terms = steps_cv > 0 ? lengths : 1;
  double sum = 0;
  for (int i = 0; i < terms; ++i) {
    const double z = steps_cv > 0 ? (middles()[apart * i] + middles()[apart * i + 1]) / 2 : 0;
    const double n = std::max(1.0, steps * std::exp(z * width - variance / 2));
    const double mean = mean_s - extra_s / steps + extra_s / n;
    const double cuts = prompts * prompt_s * prompt_s * (1 + prompt_cv2) / n;
    const double deviation = std::sqrt(cuts + crowd_s2);
    if (deviation <= 1e-12 * mean) {
      sum += mean > t ? 1 : 0;
      continue;
    }
    const double third = prompts * std::pow(prompt_s, 3) * cubed / (n * n);
    const double skew = std::clamp(third / std::pow(deviation, 3), 1e-6, 4.0);
    const double inside = skew / 2 * (t - mean) / deviation + 1;
    // Below its least value a Pearson III has no mass.
    if (inside <= 0) {
      sum += 1;
      continue;
    }
    const double normal = 6 / skew * (std::cbrt(inside) - 1) + skew / 6;
    sum += 0.5 * std::erfc(normal * M_SQRT1_2);
  }
  return sum / terms;
}

double TokenTimes::quantile(double p) const {
  double low = 0, high = 2 * mean_s;
  while (above(high) > 1 - p && high < overloaded) high *= 2;
  for (int i = 0; i < 26; ++i) {
    const double mid = (low + high) / 2;
    (above(mid) > 1 - p ? low : high) = mid;
  }
  return high;
}

}  // namespace headroom::infer
