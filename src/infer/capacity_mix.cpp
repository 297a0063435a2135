// One mean step of the closed form: in a closed loop, where the number of requests does not vary,
// and in an open one, where arrivals at random moments make decodes and prompts meet.
#include <algorithm>
#include <array>
#include <cmath>

#include "infer/capacity.hpp"
#include "infer/queue.hpp"

namespace headroom::infer {

// --- A mean step ------------------------------------------------------------------------

Replica::Shape Replica::shape(const Load& load) const {
  Shape s;
  // No request is longer than the model's context, whatever the tail of a lognormal.
  const double answers = lognormal_square(load.output, load.output_cv, longest_);
  s.context = load.input + load.output / 2 * answers;
  s.fresh = std::max(load.input - load.cached, 0.0);
  // A prompt's own tokens see half of themselves and all that was cached; long ones weigh more.
  const double cached = load.input > 0 ? load.cached / load.input : 0;
  s.lengths = s.square = lognormal_square(load.input, load.input_cv, longest_);
  s.keys = load.input * s.lengths * (1 + cached) / 2;
  const double g = limits_.speculation;
  if (g > 0) s.yield = tokens_per_verification(limits_.acceptance, static_cast<int>(g));
  s.steps = std::max(load.output - 1, 0.0) / s.yield;
  s.beside = s.steps > 0 ? (1 + load.arrival_cv * load.arrival_cv) / 2 : 0;
  s.slots = std::min(limits_.max_batch, kv_cap(s.context));
  prompt_work(load, s);
  s.prompts_cap = limits_.budget / std::max(s.steps * (1 + g) + s.fresh, 1e-9);
  return s;
}

/// E[ceil(n / room)] over lognormal n: 1 + the chances to need one more.
double Replica::chunks(const Load& load, double fresh, double room) const {
  if (fresh <= 0 || room <= 0) return 1;
  if (load.input_cv < 1e-6) return std::max(1.0, std::ceil(fresh / room - 1e-9));
  const double variance = std::log1p(load.input_cv * load.input_cv);
  const double middle = std::log(fresh) - variance / 2;
  const double width = std::sqrt(2 * variance);
  constexpr int exact = 24;
  double sum = 1;
  for (int k = 1; k <= exact; ++k) {
    const double more = 0.5 * std::erfc((std::log(k * room) - middle) / width);
    sum += more;
    if (more < 1e-4) return sum;
  }
  return std::max(sum, fresh / room + 0.5);
}

/// The mean step of a closed loop that reads `prompts` prompts in it.
Replica::Mix Replica::mix(const Load& load, const Shape& s, double prompts) const {
  Mix m;
  m.prompts = prompts;
  m.batch = prompts * s.steps;
  m.room = std::max(limits_.budget - m.batch * (1 + limits_.speculation), 1.0);
  m.chunks = chunks(load, s.fresh, m.room);
  m.running = m.batch + prompts * m.chunks;
  const double seen = m.batch;
  m.decode_s = m.step_s = m.interval_s = m.full_s = time_s(seen, s.context, 0, 0, 0);
  m.typical_s = m.first_s = m.step_s;
  m.rate = m.step_s > 0 ? prompts / m.step_s : 0;
  if (s.fresh <= 0 || prompts <= 0) return m;
  const double used = std::min(prompts * s.fresh / m.room, 1.0);
  // Waves of answers of one length never meet.
  const double waves = prompts * m.chunks / s.together;
  const double apart = (1 - s.kept) * -std::expm1(-waves) + s.kept * std::min(waves, 1.0);
  m.carrying = std::clamp(std::max(apart, used), 1e-300, 1.0);
  m.tokens = prompts * s.fresh / m.carrying;
  const double carried = prompts * m.chunks / m.carrying;
  const double with = carrying_s(s, m, seen, carried);
  m.token_s = (with - m.decode_s) / m.tokens;
  m.step_s += m.carrying * (with - m.decode_s);
  m.full_s = std::max(m.decode_s + m.room * m.token_s, m.step_s);
  m.rate = m.step_s > 0 ? prompts / m.step_s : 0;
  m.typical_s = m.first_s = m.step_s;
  return m;
}

/// Mean time of a step that carries prompts. Their tokens vary and the time bends where products
/// outgrow the weights' bytes, so it is taken at two points of the same mean and variance.
double Replica::carrying_s(const Shape& s, const Mix& m, double seen, double carried) const {
  const double pairs = attention_s(s, std::max(carried - 1, 0.0)) / s.fresh;
  const auto at = [&](double tokens) {
    return time_s(seen, s.context, tokens, 0, carried * tokens / m.tokens) + pairs * tokens;
  };
  const double input2 = s.lengths - 1;
  const double together = s.together;
  const double mean = m.prompts * s.fresh;
  const double square = mean * s.fresh * (together + input2);
  const double variance =
      std::min(square, std::max(m.room, mean) * mean) / m.carrying - m.tokens * m.tokens;
  if (variance < 1e-4 * m.tokens * m.tokens) return at(m.tokens);
  const double low = std::max(m.tokens - std::sqrt(variance), 0.25 * m.tokens);
  const double high = m.tokens + variance / (m.tokens - low);
  if (high > m.room) {  // the budget cuts the long ones off
    const double least = std::max(low, 0.25 * m.tokens);
    const double weight = (m.room - m.tokens) / std::max(m.room - least, 1e-9);
    return weight * at(least) + (1 - weight) * at(m.room);
  }
  const double weight = (high - m.tokens) / (high - low);
  return weight * at(low) + (1 - weight) * at(high);
}

// --- Open loop: arrivals at random moments --------------------------------------------------

namespace {

/// Two points with the mean, variance and skewness of a count whose variance is `over` times its
/// mean (negative binomial; Poisson at 1), none of them above `most`.
struct Pair {
  double low = 0, high = 0, weight = 0;  ///< of `high`
  template <class F>
  double mean(F f) const {
    return weight > 0 ? (1 - weight) * f(low) + weight * f(high) : f(low);
  }
};
Pair count_points(double mean, double over, double most) {
  if (mean <= 1e-9) return {mean, mean, 0};
  over = std::max(over, 1.0);
  const double deviation = std::sqrt(mean * over);
  const double half = (2 * over - 1) / deviation / 2, reach = std::sqrt(1 + half * half);
  Pair p;
  p.low = std::max(mean + deviation * (half - reach), 0.0);
  p.high = std::max(std::min(mean + deviation * (half + reach), most), mean * (1 + 1e-9));
  p.weight = std::clamp((mean - p.low) / (p.high - p.low), 0.0, 1.0);
  return p;
}

/// Three points of a lognormal of this mean and variance, cut off at `most` with the mean kept.
struct Three {
  std::array<double, 3> at{}, share{1.0 / 6, 2.0 / 3, 1.0 / 6};
  template <class F>
  double mean(F f) const {
    double sum = 0;
    for (std::size_t i = 0; i < at.size(); ++i) sum += share[i] * f(i);
    return sum;
  }
};
Three token_points(double mean, double variance, double most) {
  Three t;
  const double wide = std::log1p(variance / (mean * mean)), apart = std::sqrt(3 * wide);
  for (std::size_t i = 0; i < 3; ++i)
    t.at[i] = mean * std::exp((static_cast<double>(i) - 1) * apart - wide / 2);
  double free = mean;  // of the points below the end
  for (std::size_t i = 3; i-- > 0;) {
    double sum = 0;
    for (std::size_t j = 0; j <= i; ++j) sum += t.share[j] * t.at[j];
    const double factor = free / sum;
    for (std::size_t j = 0; j <= i; ++j) t.at[j] *= factor;
    if (t.at[i] <= most) break;
    t.at[i] = std::max(most, mean);
    free -= t.share[i] * t.at[i];
    if (free <= 0) break;
  }
  return t;
}

/// Prompts that share a step with another, where their attention is worked out.
constexpr std::array<double, 4> beside_counts{0, 1, 3, 9};

constexpr double nearly_one = 0.985;  // of a load, where a quotient by the rest has to stay finite

}  // namespace

/// What a prompt of a lognormal length costs beside its share of the products: attention grows
/// with the square of the length, so the work of prompts is spread wider than their tokens.
void Replica::prompt_work(const Load& load, Shape& s) const {
  if (s.fresh <= 0) return;
  const double budget = limits_.budget;
  const double product =
      (time_s(1, s.context, budget, 0, 1) - time_s(1, s.context, budget / 2, 0, 1)) / (budget / 2);
  s.product_s = product;
  const double ahead = load.cached / s.fresh;  // cached tokens for a fresh one
  // The pairs of a step take the time of its mean prompt, `others` being of mean length.
  const auto piece = [&](double n, double keys, double others) {
    const double all = n + others * s.fresh;
    const auto at = [&](double k) { return time_s(1, s.context, all, k, 1 + others); };
    return (at(keys) - at(0)) * n / all;
  };
  const auto attention = [&](double n, double others) {
    const double whole = std::floor(n / budget), rest = n - whole * budget;
    double sum = rest > 0 ? piece(rest, n * ahead + n - rest / 2, others) : 0;
    if (whole > 0) sum += whole * piece(budget, n * ahead + whole * budget / 2, 0);
    return sum;
  };
  // One that the end of the budget cuts in two, rather a long one.
  const double long_ = std::min(s.fresh * s.lengths, budget), half = long_ / 2;
  s.cut_s = std::max(piece(half, ahead * long_ + half / 2, 0) +
                         piece(half, ahead * long_ + 1.5 * half, 0) -
                         piece(long_, ahead * long_ + half, 0),
                     0.0);
  s.cuts = chunks(load, s.fresh, budget) - 1;
  if (load.input_cv < 1e-6) {
    s.attention_s.fill(attention(s.fresh, 0));
    return;
  }
  const double variance = std::log1p(load.input_cv * load.input_cv), width = std::sqrt(variance);
  constexpr double from = -3, to = 4.5, apart = 0.5;
  double share = 0, first = 0, second_ = 0;
  std::array<double, 4> extra{};
  for (double z = from; z <= to; z += apart) {
    const double n = s.fresh * std::exp(width * z - variance / 2);
    if (n * (1 + ahead) > longest_ && longest_ > 0) break;
    const double weight = std::exp(-z * z / 2);
    std::array<double, 4> more{};
    for (std::size_t i = 0; i < more.size(); ++i) {
      more[i] = attention(n, beside_counts[i]);
      extra[i] += weight * more[i];
    }
    const double work = product * n + more[0];
    share += weight, first += weight * work, second_ += weight * work * work;
  }
  if (share <= 0 || first <= 0) return;
  for (std::size_t i = 0; i < extra.size(); ++i) s.attention_s[i] = extra[i] / share;
  s.square = std::max(s.square, second_ * share / (first * first));
}

/// Attention of a prompt that shares its step with `others` on average, none as often as Poisson.
double Replica::attention_s(const Shape& s, double others) {
  const double some = -std::expm1(-others);
  if (some <= 1e-12) return s.attention_s[0];
  const double count = others / some;
  std::size_t i = 1;
  while (i + 1 < beside_counts.size() && count > beside_counts[i]) ++i;
  const double low = beside_counts[i - 1], high = beside_counts[i];
  const double part =
      std::min(std::log((1 + count) / (1 + low)) / std::log((1 + high) / (1 + low)), 1.0);
  const double beside = s.attention_s[i - 1] + part * (s.attention_s[i] - s.attention_s[i - 1]);
  return (1 - some) * s.attention_s[0] + some * beside;
}

/// Sequences that a decoding one finds beside the mean of all steps: variance over mean of the
/// starts in a window of steps. A prompt makes its step longer, more arrive in it, and so on: a
/// branching process with rho (1 + cv^2 rho) for a prompt's offspring, whose families have a mean
/// square of (1 + cv^2 rho^2) / (1 - rho)^3. `own` is the same for sequences, whose share of a step
/// brings offspring as long as they decode.
double Replica::crowd(const Load& load, const Shape& s, double rho, double own,
                      double generation) const {
  const double families =
      (load.arrival_cv * load.arrival_cv + (s.square - 1) * rho * rho) / ((1 - rho) * (1 - rho));
  // Of a family, those that fall into one answer's window, and those of the same length.
  const double steps = std::max(s.steps / generation, 1.0);
  const double inside = 1 - (1 - std::pow(rho, steps)) / (steps * (1 - rho));
  const double width = std::sqrt(std::log1p(load.output_cv * load.output_cv));
  const double overlap = std::erfc(width / 2);
  return std::max((1 + (families - 1) * std::max(inside, 0.0) * overlap) / (1 - own), 0.0);
}

/// A step of `step_s` seconds on average, and what it comes to with the decodes and prompts that
/// arrive meanwhile: times of both are taken over the spread of their numbers, and the time of
/// prompt tokens as a straight line through it.
Replica::Trial Replica::trial(const Load& load, const Shape& s, double rate, double step_s,
                              double cuts) const {
  Trial t;
  t.step_s = step_s;
  t.cuts = cuts;
  t.batch = rate * s.steps * step_s;
  const double y = rate * s.fresh * step_s, most = std::max(s.slots, t.batch + 1);
  const auto decode = [&](double b) { return time_s(std::max(b, 1e-6), s.context, 0, 0, 0); };
  constexpr double beyond = 1.1;  // what one more sequence adds to a step
  const double middle = t.batch + 1;
  const double alone = decode(middle);
  t.each_s = std::max((decode(beyond * middle) - alone) / ((beyond - 1) * middle), 0.0);
  t.room = std::max(limits_.budget - t.batch * (1 + limits_.speculation), 1.0);
  t.chunks = chunks(load, s.fresh, t.room);
  if (y <= 0) {
    const double own = std::min(rate * s.steps * t.each_s, nearly_one);
    const double more = s.steps > 0 ? crowd(load, s, 0, own, 1) : 0;
    t.seen_s = count_points(std::max(t.batch + more - 1, 0.0), more, most - 1).mean([&](double b) {
      return decode(1 + b);
    });
    t.plain_s = count_points(t.batch, more, most).mean(decode);
    return t;
  }
  const double prompts = rate * step_s * t.chunks;
  // Prompts of a step are spread wider than Poisson's, so more steps have none.
  const double v2 = std::max(s.lengths - 1 + load.arrival_cv * load.arrival_cv, 1e-9);
  const auto spread = [&](double rho) {
    return std::min(y * s.fresh * v2 / (1 - rho * rho), y * (t.room - y));
  };
  const double guess = std::min(rate * s.fresh * s.product_s, nearly_one);
  const double over = spread(guess) / (y * s.fresh * v2 * t.chunks);
  const double none = over > 1 + 1e-6 ? std::pow(over, -prompts / (over - 1)) : std::exp(-prompts);
  t.carrying = std::clamp(std::max(1 - none, y / t.room), 1e-300, 1.0);
  const double mean = y / t.carrying;
  double pairs = (attention_s(s, rate * step_s) + t.cuts * s.cut_s) / s.fresh;
  const auto carried = [&](double b, double tokens) {
    return time_s(b, s.context, tokens, 0, prompts / t.carrying * tokens / mean);
  };
  const double rough = (carried(middle, mean) - alone) / mean + pairs;
  const double rho = std::min(rate * s.fresh * rough, nearly_one);
  const double own = std::min(rate * s.steps * t.each_s / (1 - rho), nearly_one);
  // Steps from a prompt's arrival to its answer, as before one server of the budget's size: what
  // waits for the budget starts one by one.
  const double used = std::min(rho + rate * s.fresh * alone / t.room, nearly_one);
  const double wait = s.fresh / t.room * used * v2 / (2 * (1 - used));
  const double more = s.steps > 0 ? crowd(load, s, rho, own, t.chunks + wait) : 0;
  t.more = more;
  const Pair others = count_points(std::max(t.batch + more - 1, 0.0), more, most - 1);
  t.seen_s = others.mean([&](double b) { return decode(1 + b); });
  t.plain_s = count_points(t.batch, more, most).mean(decode);
  // Tokens of the steps that carry any.
  const double variance = spread(rho);
  pairs = (attention_s(s, rate * (step_s + rough * rough * variance / step_s)) + t.cuts * s.cut_s) /
          s.fresh;
  const double among = std::max((variance + y * y) / t.carrying - mean * mean, 0.0);
  const Three tokens = token_points(mean, among, t.room);
  std::array<double, 3> extra{};
  for (std::size_t i = 0; i < extra.size(); ++i)
    extra[i] = others.mean([&](double b) { return carried(1 + b, tokens.at[i]); }) - t.seen_s;
  const double reading = t.carrying * tokens.mean([&](std::size_t i) { return extra[i]; });
  const double square =
      t.carrying * tokens.mean([&](std::size_t i) { return tokens.at[i] * tokens.at[i]; }) - y * y;
  const double cross = t.carrying * tokens.mean([&](std::size_t i) {
    return extra[i] * tokens.at[i];
  }) - reading * y;
  const double slope = square > 1e-6 * y * y ? cross / square : reading / y;
  t.token_s = std::max(slope, 0.25 * reading / y) + pairs;
  t.reading_s = reading + pairs * y;
  return t;
}

/// The mean step of an open loop: the one that lasts as long as it takes. Decodes and prompts that
/// arrive are all but in proportion to its length, so a few secant steps find it.
Replica::Mix Replica::open(const Load& load, const Shape& s, double rate, double most) const {
  const Mix m = arriving(load, s, rate, most, settle(load, s, rate, most, 0));
  if (m.cuts * s.cut_s < 1e-3 * m.token_s * s.fresh) return m;
  return arriving(load, s, rate, most, settle(load, s, rate, most, m.cuts));
}

Replica::Trial Replica::settle(const Load& load, const Shape& s, double rate, double most,
                               double cuts) const {
  double low = 0, high = rate > 0 ? most / rate : 0;
  double at = time_s(1, s.context, 0, 0, 0);
  bool below = false;  // `high` takes less than it lasts
  Trial t;
  for (int i = 0; i < 60; ++i) {
    at = std::min(at, high);
    t = trial(load, s, rate, at, cuts);
    const double takes = t.plain_s + t.reading_s;
    if (takes >= at && at >= high) break;  // as many as fit
    if (takes > at)
      low = at;
    else
      high = at, below = true;
    if (std::abs(takes - at) <= 1e-8 * at) break;
    // The lowest root is the one that an empty engine comes to: leaps towards it stay short.
    const double slope = rate * (s.steps * t.each_s + s.fresh * t.token_s);
    const double leap = 3 * at;
    double next = slope < nearly_one ? at + (takes - at) / (1 - slope) : leap;
    if (takes > at) next = std::min(next, leap);
    if (!(next > low && next < high)) next = next >= high && !below ? high : (low + high) / 2;
    at = next;
  }
  return t;
}

/// What arrivals at random moments add: a long step is followed by the prompts that came in it,
/// so a request, which starts behind its own prompt, meets more of them than a mean step holds:
/// (1 - rho) x answer = steps x d + q x (tokens that wait at its start - at its end).
Replica::Mix Replica::arriving(const Load& load, const Shape& s, double rate, double most,
                               const Trial& t) const {
  Mix m;
  m.rate = rate;
  m.crowd = std::max(t.more, 1.0);
  m.room = t.room;
  m.chunks = t.chunks;
  m.carrying = t.carrying;
  m.decode_s = t.seen_s;
  m.token_s = t.token_s;
  m.typical_s = t.plain_s + t.reading_s;
  m.interval_s = m.typical_s;
  const double y = rate * s.fresh * t.step_s;
  m.tokens = t.carrying > 0 ? y / t.carrying : 0;
  const double straight = t.reading_s - t.token_s * y;  // where the line starts, below 0
  m.full_s = std::max(t.seen_s + straight + t.room * t.token_s, m.typical_s);
  m.step_s = t.seen_s;
  m.first_s = 1.5 * t.seen_s;
  if (s.fresh > 0 && t.token_s > 0) {
    ReadingLoad l{rate,      std::max(t.plain_s + straight, 0.05 * t.plain_s),
                  t.token_s, t.room,
                  s.fresh,   s.square};
    l.arrival_cv2 = load.arrival_cv * load.arrival_cv;
    l.piece = own_piece(s.fresh, std::sqrt(std::max(s.square - 1, 0.0)), t.room);
    const Reading r = read_prompts(l);
    const double rho = std::min(rate * s.fresh * t.token_s, nearly_one);
    if (s.steps > 0) {
      const double more = (r.found - r.typical) * (1 - std::pow(r.memory, s.steps));
      m.extra_s = std::max(more * t.token_s / s.steps, 0.0) / (1 - rho);
      m.step_s = std::max(t.seen_s + straight, 0.05 * t.seen_s) / (1 - rho) + m.extra_s;
    }
    m.step_s = std::min(m.step_s, m.full_s);
    m.interval_s = r.step_s + r.variance_s2 / r.step_s;
    // Alone it is known (a step and a half, its own products and the steps it takes more): rare
    // giants, whose moments the sum holds, do not keep the ordinary prompt waiting.
    l.rate_s = std::min(rate, 1e-6 / (s.fresh * t.token_s));
    const double alone = 1.5 * l.plain_s + t.token_s * s.fresh + (t.chunks - 1) * l.plain_s;
    m.first_s = std::max(alone, r.wait_s - std::max(read_prompts(l).wait_s - alone, 0.0));
    m.cuts = std::max(r.full * s.fresh / y - s.cuts, 0.0);
    m.used = std::min(rate * s.fresh * m.full_s / t.room, 1 - 1e-9);
  }
  if (s.steps > 0) m.step_s = std::min(m.step_s, most / rate);
  m.prompts = rate * m.step_s;
  m.batch = m.prompts * s.steps;
  const double prompt = m.token_s * s.fresh;
  m.running = m.batch + rate * std::max(prompt + m.chunks * m.decode_s, m.chunks * m.typical_s);
  return m;
}

double Replica::prompts_at(const Load& load, const Shape& s, double running) const {
  const auto room = [&](double a) {
    return std::max(limits_.budget - a * s.steps * (1 + limits_.speculation), 1.0);
  };
  const double least = chunks(load, s.fresh, limits_.budget);
  double high = std::min(running / (s.steps + least), s.prompts_cap);
  const auto over = [&](double a) {
    return a * (s.steps + chunks(load, s.fresh, room(a))) > running * (1 + 1e-12);
  };
  if (!over(high)) return high;
  double low = 0;
  for (int i = 0; i < 44; ++i) {
    const double mid = (low + high) / 2;
    (over(mid) ? high : low) = mid;
  }
  return low;
}

}  // namespace headroom::infer
