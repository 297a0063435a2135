// ZB-H1 and ZB-V.
#include <algorithm>

#include "train/pipeline_form.hpp"

namespace headroom::train::form {
namespace {

/// ZB-H1. Rank r runs p-1-r forward passes ahead and its weights r micro-batches late,
/// so a rank idles only while the pipeline fills and drains: a path keeps to one rank,
/// which it may enter from the first rank and leave for the last.
class ZeroBubbleH1 {
 public:
  explicit ZeroBubbleH1(const Line& l)
      : l_(l), p_(l.p), m_(l.m), from_last_(from(l.p - 1)), from_former_(from(l.p - 2)) {}

  double longest() const {
    double best = std::max(on(0), on(p_ - 1));
    if (2 * l_.wire > l_.middle.w) best = std::max(best, sweeps());
    return p_ == 2 ? best : std::max({best, on(1), p_ > 3 ? on(p_ - 2) : 0});
  }

 private:
  const StageTimes& at(int r) const {
    return r == 0 ? l_.first : r == p_ - 1 ? l_.last : l_.middle;
  }
  double wire(int hops) const { return hops * l_.wire; }
  /// Forward passes of ranks (from, to], each after a send.
  double down(int from, int to) const {
    if (to <= from) return 0;
    return (to - from) * l_.middle.f + (to == p_ - 1 ? l_.last.f - l_.middle.f : 0) +
           wire(to - from);
  }
  /// Backward passes of ranks [to, from), each after a send.
  double up(int to, int from) const {
    if (from <= to) return 0;
    return (from - to) * l_.middle.b + (to == 0 ? l_.first.b - l_.middle.b : 0) + wire(from - to);
  }
  /// From rank r to the last and back.
  double beyond(int r) const {
    const int n = p_ - 1 - r;
    if (n == 0) return 0;
    return (n - 1) * (l_.middle.f + l_.middle.b) + l_.last.f + l_.last.b + wire(2 * n);
  }
  /// After the last backward pass of rank r: its weights, or those of a rank above it.
  double weights(int r) const {
    double t = std::max(std::min(m_, r + 1) * at(r).w, up(0, r) + l_.first.w);
    if (r > 1) t = std::max(t, up(1, r) + std::min(m_, 2) * l_.middle.w);
    if (r == p_ - 1 && p_ > 2) t = std::max(t, up(p_ - 2, r) + std::min(m_, p_ - 1) * l_.middle.w);
    return t;
  }

  /// Most that can be gained before the steady part of rank r, over its own passes.
  double start(int r, double before, int ahead) const {
    const auto& t = at(r);
    const double f = std::max(t.f, l_.first.f);
    // The last rank's first r micro-batches carry no weights yet.
    const double stay =
        m_ > p_ ? std::min(r, m_ - p_) * std::max(0.0, l_.last.f + l_.last.b - t.f - t.b) : 0;
    const double trip = beyond(r) + stay - ahead * t.f;
    double gain = std::max({0.0, trip, ahead * (f - t.f)});
    const int inner = p_ - 2 - r;
    if (inner > 0)
      gain =
          std::max(gain, f + inner * (l_.middle.f + l_.middle.b) + wire(2 * inner) - ahead * t.f);
    if (r == 0 || m_ <= p_) return gain;
    const auto& z = l_.first;
    const double from_first = 2 * z.f + beyond(0) + z.b + z.w + down(0, r);
    gain = std::max(gain, from_first - before - (p_ + 1) * t.f - (r + 1) * t.b - t.w);
    if (r == 1) return gain;
    const double from_second =
        z.f + 2 * l_.middle.f + beyond(1) + l_.middle.b + down(1, r) + wire(1);
    return std::max(gain, from_second - before - p_ * t.f - r * t.b);
  }

  /// From the last forward pass of rank r on: its remaining passes, or the first rank's.
  double from(int r) const {
    const int left = std::min(m_ - 1, p_ - 1 - r);
    const double there = left * (at(r).b + at(r).w) + weights(r);
    const double above = left * (l_.first.b + l_.first.w) + up(0, r) + l_.first.w;
    return at(r).b + std::max(there, above);
  }

  /// Most that can be gained after the steady part, there or further down.
  double end(int r, int ahead) const {
    const auto& t = at(r);
    const double own = t.b + ahead * (t.b + t.w) + std::min(m_, r + 1) * t.w;
    double most = std::max(own, down(r, p_ - 1) + from_last_);
    if (r <= p_ - 2) most = std::max(most, down(r, p_ - 2) + from_former_);
    return std::max(most, from(r)) - own;
  }

  /// Where sends take longer than weights: to and fro as in 1F1B, with the weights of a
  /// turn at least every p micro-batches.
  double sweeps() const {
    auto without = l_;
    without.first.w = without.middle.w = without.last.w = 0;
    const double turn = p_ > 2 ? std::min(l_.first.w, l_.middle.w) : l_.first.w;
    return one_f_one_b(without) + (m_ - 1) / p_ * turn + l_.first.w;
  }

  double on(int r) const {
    const int ahead = std::min(m_ - 1, p_ - 1 - r);
    const double before = r == 0 ? 0 : l_.first.f + (r - 1) * l_.middle.f + wire(r);
    const double in = start(r, before, ahead), out = end(r, ahead);
    return before + m_ * at(r).total() + (m_ > ahead + 1 ? in + out : std::max(in, out));
  }

  const Line& l_;
  int p_, m_;
  double from_last_, from_former_;
};

/// ZB-V. After filling, every rank loops f0 b0 w0 f1 b1 w1 over chunks 0 (down the V)
/// and 1 (up). In the loops a path can move up the ranks without losing a micro-batch,
/// down only by losing one a rank; so it starts and ends where a rank is slow and
/// moves up at the end. The last p-1-r loops of rank r lack f0.
class ZeroBubbleV {
 public:
  explicit ZeroBubbleV(const Line& l)
      : l_(l),
        p_(l.p),
        n_(l.p - 1),
        loops_(l.m - l.p),
        wire_(l.wire),
        all_(l.middle.total()),
        ends_(l.first.total() + l.last.total()),
        hop_f_(l.middle.f + l.wire),
        hop_b_(l.middle.b + l.wire),
        turn_b_(l.middle.b - l.held) {
    fill(), drain();
  }

  double longest() const {
    const double best = std::max(on_first(), on_turn());
    return p_ == 2 ? best : std::max({best, on_second(), on_former()});
  }

 private:
  /// When the first micro-batch's b1 ends on ranks 0, 1 and p-2, and when the turn,
  /// where both chunks meet on the last rank, starts its loops.
  void fill() {
    const auto &a = l_.first, &m = l_.middle;
    const double chain = a.f + 2 * n_ * hop_f_ - l_.held;
    first_ = std::max((2 * p_ - 1) * a.f, chain) + l_.last.f + l_.last.b;
    former_ = first_;
    if (p_ > 2) {
      const double own = wire_ + (2 * p_ - 4) * std::max(a.f, m.f) + 4 * m.f;
      const double round = 2 * p_ * m.f + (2 * n_ - 1) * wire_ - l_.held;
      former_ = std::max(first_ + hop_b_, a.f + std::max(own, round) + m.b) + (p_ - 3) * hop_b_;
    }
    if (p_ > 2) former_ = std::max(former_, a.f + (3 * p_ - 3) * m.f + (p_ - 2) * wire_ + m.b);
    const double own = a.f + (n_ - 1) * m.f + n_ * wire_ + p_ * (2 * m.f - l_.held) + turn_b_;
    turn_ = std::max(own, former_ + wire_ + turn_b_) + m.w;
  }

  /// What follows the last b1 of the rank before the turn, and of rank 0.
  void drain() {
    const auto &a = l_.first, &m = l_.middle;
    const double home = std::max(wire_ + a.b + a.w, p_ > 2 ? 3 * m.w : 0);
    after_turn_ = m.b + std::max((1 + 2 * n_) * m.w, (n_ - 1) * hop_b_ + home);
    after_former_ = wire_ + turn_b_ + after_turn_;
    after_first_ = std::max(l_.last.w + p_ * (a.b + a.w), (n_ - 1) * hop_b_ + after_former_);
  }

  double on_first() const {
    const auto& m = l_.middle;
    // Coming up into the first loop leaves out its f0, if it has one.
    const double skipped = l_.last.w + (loops_ > n_ ? l_.first.f : 0);
    const double own = first_ + n_ * l_.last.total();
    const double from_turn = turn_ + m.f - l_.held + n_ * hop_b_ - skipped;
    const double from_second =
        first_ + 2 * hop_b_ + (p_ - 2) * std::max(all_, l_.last.total()) + m.f + m.w - skipped;
    return std::max({own, from_turn, p_ > 2 ? from_second : 0}) + loops_ * ends_ - n_ * l_.first.f +
           after_first_;
  }

  /// On the last rank; up from its last loop to rank 0 or 1, or straight on.
  double on_turn() const {
    const auto &a = l_.first, &m = l_.middle, &z = l_.last;
    const double loss = wire_ + z.f + z.b + after_first_;
    const double by_b = (n_ - 1) * hop_b_ + a.b + a.w + loss - 2 * m.w - m.f - turn_b_;
    const double by_f = (n_ - 1) * std::max(hop_f_, hop_b_) + loss - turn_b_ - m.w;
    const double straight = n_ * (2 * m.b - l_.held) + after_turn_;
    double tail = std::max({straight, by_b, by_f});
    if (p_ > 2)
      tail = std::max(tail, (n_ - 1) * std::max(hop_f_, hop_b_) + l_.held + 2 * m.b +
                                (n_ - 2) * hop_b_ + after_former_);
    return turn_ + loops_ * 2 * (all_ - l_.held) + tail;
  }

  /// On rank 1, after the first passes of the last stage on rank 0.
  double on_second() const {
    const auto &a = l_.first, &m = l_.middle, &z = l_.last;
    const double own = a.f + wire_ + (2 * p_ - 1) * m.f + n_ * all_;
    const double start = std::max(first_ + (p_ - 2) * z.total() + hop_b_ + m.w, own);
    const double straight =
        loops_ * 2 * all_ - (p_ - 2) * m.f + 2 * m.b + (p_ - 3) * hop_b_ + after_former_;
    const double by_f = (loops_ - n_) * 2 * all_ + m.f + all_ + wire_ + z.f + z.b +
                        (p_ - 2) * (ends_ - a.f) + after_first_;
    return start + std::max(straight, by_f);
  }

  /// On the rank before the turn, which has a send more to make.
  double on_former() const {
    const auto &a = l_.first, &m = l_.middle, &z = l_.last;
    const int n = p_ - 3;
    const double from_first = first_ + (p_ - 2) * hop_b_ + z.total();
    const double from_turn = turn_ + hop_b_ - l_.held;  // up into its first loop
    const double start = std::max(std::max(former_ + all_, from_first) + m.w, from_turn);
    const double loss = wire_ + z.f + z.b + after_first_;
    const double straight = 2 * (p_ - 2) * m.b + after_former_;
    const double second = n * (std::max(hop_f_, hop_b_) + hop_b_) + 2 * m.b + after_former_;
    const double by_f = n * std::max(hop_f_, hop_b_) + loss - m.b - m.w;
    const double by_b = n * hop_b_ + a.b + a.w + loss - m.w - all_;
    return start + loops_ * 2 * all_ - m.f + std::max({straight, second, by_f, by_b});
  }

  const Line& l_;
  int p_, n_, loops_;
  double wire_, all_, ends_, hop_f_, hop_b_, turn_b_;
  double first_ = 0, former_ = 0, turn_ = 0;
  double after_turn_ = 0, after_former_ = 0, after_first_ = 0;
};

}  // namespace

double zero_bubble_h1(const Line& l) {
  return l.p == 1 ? l.m * l.first.total() : ZeroBubbleH1(l).longest();
}

double zero_bubble_v(const Line& l) {
  return l.p == 1 ? l.m * (l.first.total() + l.last.total()) : ZeroBubbleV(l).longest();
}

}  // namespace headroom::train::form
