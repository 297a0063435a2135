// DualPipe.
#include <algorithm>

#include "train/pipeline_form.hpp"

namespace headroom::train::form {
namespace {

/// Both ends feed micro-batches in. Ranks r and p-1-r do the same, so the path is told
/// on the first half: rank 0 holds the first stage of one direction and the last of the
/// other, rank p/2-1 is the middle. In the main part every rank runs pairs (a forward
/// and a backward pass together); moving to a neighbour by a pair costs a path nothing,
/// so that it sweeps over all ranks where sends take time, and keeps to the slowest
/// where they do not.
class DualPipe {
 public:
  explicit DualPipe(const Line& l)
      : l_(l),
        p_(l.p),
        half_(l.p / 2),
        inner_(half_ - 1),
        rounds_(l.m / 2 - l.p + 1),
        pairs_(l.m - half_ - 2),
        wire_(l.wire),
        hop_(l.wire - l.held),
        pair_(pair(l.middle, l.middle)),
        leaving_(pair(l.first, l.last)),
        arriving_(pair(l.last, l.first)),
        loss_(l.last.b + l.last.w),
        back_(l.middle.b + l.middle.w),
        hop_b_(l.middle.b + l.wire) {
    // Until rank 0 has run its first pass of the last stage.
    const auto &a = l.first, &m = l.middle;
    fill_ = std::max((p_ - 1) * a.f, a.f + (p_ - 2) * m.f + (p_ - 1) * wire_) + l.last.f;
    const double by_middle = 2 * inner_ * (pair_ + hop_);
    last_pairs_ = arriving_ + std::max(inner_ * (loss_ + arriving_), by_middle);
    drain_ = drain();
  }

  double longest() const {
    const double straight = fill_ + inner_ * (loss_ + l_.last.f) + rounds_ * leaving_ +
                            (rounds_ - 1) * arriving_ + last_pairs_ + drain_;
    const double early = to_middle(), start = std::max(early, later());
    // From the middle, or a rank before it, to rank 0, there until the last pairs.
    const double own = arriving_ + inner_ * (loss_ + arriving_);
    const double there = std::max(early + inner_ * (pair_ + hop_) + wire_, short_of_middle()) +
                         (rounds_ - 1) * (arriving_ + leaving_) +
                         (rounds_ > 1 ? last_pairs_ : own) + drain_;
    const double best = std::max({straight, there, start + sweeps() + drain_});
    return p_ == 2 ? best : std::max(best, start + within());
  }

 private:
  /// A pair's sends leave one after the other; its neighbour waits for one of them.
  double pair(const StageTimes& f, const StageTimes& b) const {
    const double sends = (&f == &l_.last ? 0 : l_.held) + (&b == &l_.first ? 0 : l_.held);
    return l_.paired * (f.f + b.b + b.w - sends) + sends;
  }

  /// Until the middle has run its first backward pass.
  double to_middle() const {
    const auto &a = l_.first, &m = l_.middle;
    if (p_ == 2) return std::max(2 * a.f + l_.last.f + wire_, fill_) + loss_;
    const double forwards = a.f + (inner_ + p_) * m.f + (p_ - 1) * wire_;
    const double turned = fill_ + l_.last.b + (half_ - 2) * m.b + inner_ * wire_;
    if (half_ == 2) return std::max(forwards, turned) + back_;
    const double straight = (p_ - 4) * (a.f - m.f), chain = (p_ - 2) * wire_;
    const double second = a.f + p_ * m.f + std::max(straight, chain) + wire_ + (half_ - 2) * hop_b_;
    return std::max({forwards, turned, second}) + back_;
  }

  /// Until rank 0's first pair that ends a way up from a rank before the middle.
  double short_of_middle() const {
    if (half_ < 3) return 0;
    const auto from = [&](int j) {
      return fill_ + j * (loss_ + l_.last.f) + l_.last.b + (inner_ - 1 - j) * l_.middle.b +
             (inner_ - j + 1) * pair_ + (inner_ - j) * (wire_ + hop_);
    };
    return std::max(from(1), from(inner_ - 1));
  }

  /// The same if j backward passes of rank 0 come first, less the 2 j pairs of the
  /// middle that pass meanwhile.
  double later() const {
    const auto after = [&](int j) {
      const double at = fill_ + j * (loss_ + l_.last.f) + (inner_ - j) * wire_ +
                        j * (hop_ - 2 * std::max(0.0, hop_));
      if (j == inner_) return at + leaving_ - j * pair_;
      return at + l_.last.b + (inner_ - 1 - j) * l_.middle.b + (1 - j) * pair_;
    };
    if (half_ == 1) return 0;
    return half_ == 2 ? after(1) : std::max({after(inner_), after(1), after(inner_ - 1)});
  }

  /// Pairs in sweeps over all ranks, ending on an end rank.
  double sweeps() const {
    const int rest = pairs_ - half_, full = rest / p_, turns = full + (rest % p_ > 0);
    return (pairs_ - 1 - 2 * full) * pair_ + arriving_ + full * (leaving_ + arriving_) + l_.held +
           (pairs_ - turns) * hop_;
  }

  /// Pairs of the ranks between the ends only, and what follows them.
  double within() const {
    const auto &a = l_.first, &m = l_.middle;
    const int turns = (pairs_ - half_ + p_ - 3) / (p_ - 2);
    const double main = (pairs_ - 1) * pair_ +
                        (hop_ > 0 ? l_.held + (pairs_ - 1 - turns) * hop_ : (inner_ - 1) * hop_);
    const double chain = (p_ - 2) * hop_b_ + std::max(2 * m.w, wire_ + a.b + a.w);
    const double first = wire_ + half_ * (a.b + a.w);
    const double out = std::max(hop_ + arriving_ + drain_, 2 * back_ + std::max(chain, first));
    return std::max(main + out, (l_.m - p_ - 1) * pair_ + p_ * back_);
  }

  /// After the last pair of rank 0.
  double drain() const {
    const auto &a = l_.first, &m = l_.middle;
    const double chain = (p_ - 2) * hop_b_ + wire_ + a.b + a.w;
    double most = std::max(chain, half_ * (a.b + a.w));
    if (half_ > 1)
      most = std::max({most, (p_ - 2) * hop_b_ + 2 * m.w, inner_ * hop_b_ + m.b + half_ * m.w,
                       wire_ + 2 * m.b + (half_ - 2) * back_ + 2 * m.w});
    return loss_ + most;
  }

  const Line& l_;
  int p_, half_, inner_, rounds_, pairs_;
  double wire_, hop_, pair_, leaving_, arriving_, loss_, back_, hop_b_;
  double fill_ = 0, last_pairs_ = 0, drain_ = 0;
};

}  // namespace

double dualpipe(const Line& l) { return DualPipe(l).longest(); }

}  // namespace headroom::train::form
