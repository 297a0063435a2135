// GPipe, 1F1B and interleaved 1F1B.
#include "train/pipeline_form.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::train::form {
namespace {

double back(const StageTimes& t) { return t.b + t.w; }

/// 1F1B. Rank r runs p-1-r forward passes ahead. A path that turns from forward to
/// backward on rank e and back on rank s gains e - s + 1 micro-batches: one a rank it
/// passes. So m + p - 1 ranks are passed in all, and the ranks [low, high] swept in
/// between decide how slow they are and how many sends lie on the path.
class OneForwardOneBackward {
 public:
  explicit OneForwardOneBackward(const Line& l)
      : l_(l),
        hop_(2 * l.wire),
        first_(l.first.total()),
        mid_(l.middle.total()),
        last_(l.last.total()) {}

  double longest() const {
    double best = std::max({sweep(0, 0), sweep(l_.p - 1, l_.p - 1), sweep(0, l_.p - 1)});
    if (l_.p == 2) return best;
    best = std::max({best, sweep(1, 1), sweep(l_.p - 2, l_.p - 2)});
    if (hop_ == 0) return best;  // wider sweeps only add sends
    return std::max({best, sweep(1, l_.p - 2), sweep(0, l_.p - 2), sweep(1, l_.p - 1)});
  }

 private:
  double sweep(int low, int high) const {
    const int ahead = l_.p - 1 - low, rest = l_.m - ahead - 2;
    const auto& t = low == 0 ? l_.first : low == l_.p - 1 ? l_.last : l_.middle;
    const double s = t.total(), before = low == 0 ? 0 : first_ + hop_ + (low - 1) * (mid_ + hop_);
    // Passes that rank `low` runs ahead, there or on the first rank.
    const double f = std::max(t.f, l_.first.f), b = std::max(back(t), back(l_.first));
    const int run = std::min(ahead, l_.m - 1);
    const double straight = before + l_.m * s + run * (f - t.f + b - back(t));
    // To the last rank and back; to the one before it and back.
    const double inner = ahead > 1 ? (ahead - 1) * (mid_ + hop_) : 0;
    const double beyond = ahead > 0 ? inner + last_ + hop_ : 0;
    if (rest < 0) {
      double once = before + beyond + s + (l_.m - 1) * std::max(f, b);
      if (ahead > 0 && l_.m > 1)
        once = std::max(once, before + inner + s + t.f + back(t) + (l_.m - 2) * std::max(f, b) + f -
                                  t.f + b - back(t));
      return std::max(straight, once);
    }
    const double in = std::max({beyond, ahead * f, ahead > 0 ? f + inner : 0});
    const double out = std::max({beyond, ahead * b, ahead > 0 ? b + inner : 0});
    return std::max(straight, before + 2 * s + in + out + swept(low, high, rest));
  }

  /// `rest` ranks passed in sweeps over [low, high].
  double swept(int low, int high, int rest) const {
    const int width = high - low + 1, full = rest / width, part = rest - full * width;
    const bool from = low == 0, to = high == l_.p - 1;
    const int mids = width - from - to;
    const double whole = from * first_ + to * last_ + mids * mid_ + (width - 1) * hop_;
    if (part == 0) return full * whole;
    double most = part <= mids ? part * mid_ : 0;
    if (from) most = std::max(most, first_ + (part - 1) * mid_);
    if (to) most = std::max(most, last_ + (part - 1) * mid_);
    return full * whole + most + (part - 1) * hop_;
  }

  const Line& l_;
  double hop_, first_, mid_, last_;
};

/// Interleaved 1F1B (with two ranks: paths that keep to one, times of `middle` 0). Rank r runs 2
/// (p-1-r) + (v-1) p forward passes ahead, so that neighbours have room for latency: a path keeps
/// to one rank, and each visit to another costs it a pass of both kinds. Time is in groups of p v
/// passes; the outer chunks of the end ranks (`first`, `last`) come p at a time.
class Interleaved {
 public:
  explicit Interleaved(const Line& l)
      : l_(l),
        p_(l.p),
        v_(l.v),
        m_(l.m),
        groups_(l.m / l.p),
        wire_(l.wire),
        pairs_((m_ - p_) * v_ + p_),
        first_(l.first.total()),
        first_in_(l.first_inner.total()),
        mid_(l.middle.total()),
        last_in_(l.last_inner.total()),
        last_(l.last.total()) {
    outer_f_ = add_rounds(l.first.f, l.first_inner.f, l.middle.f, l.last_inner.f);
    outer_b_ = add_rounds(back(l.first), back(l.first_inner), back(l.middle), back(l.last_inner));
  }

  double longest() const {
    const double ends = std::max(on_first(), on_last());
    if (p_ == 2) return ends;
    return std::max({ends, on_middle(1), p_ > 3 ? on_middle(p_ - 2) : 0});
  }

 private:
  /// Filling (or draining) chunks 0 .. v-2: each round of p passes either goes once
  /// around all ranks or is run on one. Returns what the first rank's outer chunk adds.
  double add_rounds(double first, double first_in, double mid, double last_in) {
    const double ring = first_in + (p_ - 2) * mid + last_in + p_ * wire_;
    const double other = p_ * std::max(mid, last_in);
    const double own = std::max(ring, p_ * first_in);
    const double outer = (p_ - 1) * first + std::max({first_in, mid, last_in});
    const double most = std::max(ring, other), more = std::max(0.0, outer - most);
    rounds_ += most + more + (v_ - 2) * std::max(own, other);
    first_rounds_ += std::max(ring - first_in + first, p_ * first) + (v_ - 2) * own;
    return more;
  }

  /// Rank r works without waiting through `steady`; `ahead_f` and `ahead_b` of it can
  /// give way to a trip to the last rank and back, or to `other_f` and `other_b`.
  double on(int r, double steady, double ahead_f, double ahead_b, const StageTimes& t,
            double other_f = 0, double other_b = 0) const {
    const int d = p_ - 1 - r;
    const double hop = 2 * wire_;
    const double pre = r == 0 ? first_rounds_ : rounds_ + first_ + hop + (r - 1) * (mid_ + hop);
    const double inner = d > 1 ? (d - 1) * (mid_ + hop) : 0;
    const double beyond = d > 0 ? inner + last_ + hop : 0;
    const double f = t.f, b = back(t);
    if (pairs_ - 2 * d < 2) {  // one group: all forward passes are run ahead
      const double n = pairs_ - 1, most = std::max(f, b);
      const auto more = [&](double first, double than, double gained) {
        return std::max(0.0, n * (first - than) - gained);
      };
      const double straight =
          pre + steady + more(l_.first.f, f, outer_f_) + more(back(l_.first), b, outer_b_);
      double once =
          pre + beyond + f + b + n * most +
          std::max(more(l_.first.f, most, outer_f_), more(back(l_.first), most, outer_b_));
      if (d > 1) once = std::max(once, pre + inner + 3 * (f + b) + (n - 2) * most);
      return std::max(straight, once);
    }
    const double stay =
        r > 0 && d > 0 && groups_ > 1 ? std::max(0.0, (p_ - 1) * (last_ - mid_)) : 0;
    const double in = std::max({ahead_f, beyond + stay, d > 1 ? inner + 2 * f : 0, other_f});
    const double out = std::max({ahead_b, beyond + stay, d > 1 ? inner + 2 * b : 0, other_b});
    return pre + steady - ahead_f - ahead_b + in + out;
  }

  double on_first() const {
    const double steady = (m_ - p_) * first_ + (pairs_ - m_ + p_) * first_in_;
    if (groups_ == 1) return on(0, steady, 0, 0, l_.first_inner);
    const auto &o = l_.first, &i = l_.first_inner, &m = l_.middle, &z = l_.last_inner;
    const double ahead_f = (p_ - 1) * (o.f + i.f), ahead_b = (p_ - 1) * (back(o) + back(i));
    if (groups_ == 2) return on(0, steady, ahead_f, ahead_b, i);
    // To the last rank for its heavy chunk (or the one before it), on around the ring.
    const auto around = [&](double mid, double in, double outer, double other) {
      const double heavy = std::max(p_ * last_, (p_ - 2) * mid_ + 2 * mid);
      return (p_ - 2) * mid + p_ * wire_ + heavy + in - outer - 2 * other;
    };
    return on(0, steady, ahead_f, ahead_b, i, around(m.f, z.f, o.f, back(i)),
              around(back(m), back(z), back(o), i.f));
  }

  /// Its heavy chunk, and between two groups of that the slowest way through the light ones.
  double on_last() const {
    const double away = ((v_ - 1) * p_ - 1) * mid_ + 2 * wire_;
    const double gap = std::max((v_ - 1) * p_ * last_in_, away);
    return on(p_ - 1, m_ * last_ + (groups_ - 1) * gap, 0, 0, l_.last);
  }

  double on_middle(int r) const {
    const int ahead = 2 * (p_ - 1 - r);
    const double visits = std::max(0.0, p_ * first_ - (p_ + 1) * mid_ + 2 * wire_);
    const double steady = pairs_ * mid_ + (r == 1 ? std::max(0, groups_ - 2) * visits : 0);
    return on(r, steady, ahead * l_.middle.f, ahead * back(l_.middle), l_.middle);
  }

  const Line& l_;
  int p_, v_, m_, groups_;
  double wire_, pairs_;
  double first_, first_in_, mid_, last_in_, last_;
  double rounds_ = 0, first_rounds_ = 0, outer_f_ = 0, outer_b_ = 0;
};

/// Two ranks take turns too closely for a few paths, so their passes are played, two of a kind at
/// a time (a group has v such pairs). Within a group the pairs between its first and its last are
/// alike: once one moves every clock on by the same time, so do all that follow (the play is linear
/// in max and plus), and they are taken in one step. That is after one to three pairs as a rule.
class TwoRanks {
 public:
  explicit TwoRanks(const Line& l) : l_(l) {}

  void warm_up() { group<true, false>(); }
  void steady() { group<true, true>(); }
  /// Seconds at the end if no group follows.
  double drained() const {
    auto rest = *this;
    rest.group<false, true>();
    return std::max(rest.t_.at0, rest.t_.at1);
  }

 private:
  /// Ends: of a rank's latest pass; of rank 1's latest forward and backward passes, by parity.
  struct Clocks {
    double at0 = 0, at1 = 0, forward[2] = {0, 0}, backward[2] = {0, 0};
  };
  /// Times of a pair's passes on either rank, and whether their input comes from the other one.
  struct Pair {
    double f0, f1, b0, b1;
    bool follows_f, follows_b;
  };

  /// Rank 1 is one chunk ahead of rank 0 with its backward passes.
  template <bool Forward, bool Backward0, bool Backward1>
  void play(const Pair& p) {
    auto& t = t_;
    for (int k = 0; k < 2; ++k) {
      double sent = 0;
      if (Forward) sent = t.at0 = std::max(t.at0, p.follows_f ? t.forward[k] + l_.wire : 0) + p.f0;
      if (Backward0) t.at0 = std::max(t.at0, t.backward[k] + l_.wire) + p.b0;
      if (Forward) t.forward[k] = t.at1 = std::max(t.at1, sent + l_.wire) + p.f1;
      if (Backward1)
        t.backward[k] = t.at1 = std::max(t.at1, p.follows_b ? t.at0 + l_.wire : 0) + p.b1;
    }
  }

  template <bool Forward, bool Backward>
  void group() {
    const auto &o = l_.first, &i = l_.first_inner, &z = l_.last_inner, &e = l_.last;
    const double b0 = back(i), b1 = back(z);
    play<Forward, Backward, Backward>({o.f, z.f, b0, b1, false, true});
    alike<Forward, Backward>({i.f, z.f, b0, b1, true, true}, l_.v - 2);
    play<Forward, Backward, Forward>({i.f, e.f, back(o), back(e), true, false});
  }

  template <bool Forward, bool Backward>
  void alike(const Pair& p, int pairs) {
    for (; pairs > 0; --pairs) {
      const auto before = t_;
      play<Forward, Backward, Backward>(p);
      const double step = t_.at0 - before.at0, all = step * (pairs - 1);
      const auto off = [&](double now, double then) {
        return std::abs(now - then - step) > rounding * now;
      };
      bool settled = !off(t_.at1, before.at1);
      for (int k = 0; k < 2; ++k) {
        if (Forward) settled = settled && !off(t_.forward[k], before.forward[k]);
        if (Backward) settled = settled && !off(t_.backward[k], before.backward[k]);
      }
      if (!settled) continue;
      t_.at0 += all, t_.at1 += all;
      for (int k = 0; k < 2; ++k) t_.forward[k] += all, t_.backward[k] += all;
      return;
    }
  }

  static constexpr double rounding = 1e-14;
  const Line& l_;
  Clocks t_;
};

}  // namespace

double gpipe(const Line& l) {
  if (l.p == 1) return l.m * l.first.total();
  const auto phase = [&](double first, double mid, double last) {
    const double most = std::max({first, last, l.p > 2 ? mid : 0});
    return first + (l.p - 2) * mid + last + (l.m - 1) * most + (l.p - 1) * l.wire;
  };
  return phase(l.first.f, l.middle.f, l.last.f) +
         phase(back(l.first), back(l.middle), back(l.last));
}

double one_f_one_b(const Line& l) {
  return l.p == 1 ? l.m * l.first.total() : OneForwardOneBackward(l).longest();
}

double interleaved(const Line& l) {
  if (l.p > 2) return Interleaved(l).longest();
  constexpr int settled = 4;  // groups after which each takes as long as the one before
  const int groups = l.m / 2;
  TwoRanks play(l);
  play.warm_up();
  for (int g = 1; g < std::min(groups, settled - 1); ++g) play.steady();
  const double few = play.drained();
  if (groups < settled) return few;
  play.steady();
  const double four = play.drained();
  if (groups == settled) return four;
  auto ends = l;
  ends.middle = {};
  const double keeping = Interleaved(ends).longest();
  return std::max(keeping, four + (groups - settled) * (four - few));
}

}  // namespace headroom::train::form
