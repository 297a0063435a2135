// Published orders of passes, one function a schedule.
#include <algorithm>

#include "train/pipeline_simulation.hpp"

namespace headroom::train {
namespace {

using Order = std::vector<Slot>;

Slot forward(int mb, int chunk = 0) { return {Pass::forward, false, chunk, mb}; }
Slot backward(int mb, int chunk = 0) { return {Pass::backward, false, chunk, mb}; }
Slot inputs(int mb, int chunk = 0) { return {Pass::backward_inputs, false, chunk, mb}; }
Slot weights(int mb, int chunk = 0) { return {Pass::backward_weights, false, chunk, mb}; }

Order gpipe(const Pipeline& p) {
  Order o;
  for (int i = 0; i < p.micro_batches; ++i) o.push_back(forward(i));
  for (int i = 0; i < p.micro_batches; ++i) o.push_back(backward(i));
  return o;
}

/// Megatron-Core's order of (chunk, micro-batch): groups of p micro-batches, each
/// group through all chunks.
Slot interleaved(const Pipeline& p, int k, bool back) {
  const int group = p.ranks * p.chunks;
  const int chunk = k % group / p.ranks, mb = k / group * p.ranks + k % p.ranks;
  return back ? backward(mb, p.chunks - 1 - chunk) : forward(mb, chunk);
}

Order one_f_one_b(const Pipeline& p, int rank) {
  const int after = p.ranks - 1 - rank, all = p.micro_batches * p.chunks;
  const auto at = [&](int k, bool back) {
    if (p.chunks > 1) return interleaved(p, k, back);
    return back ? backward(k) : forward(k);
  };
  const int warm = std::min(all, p.chunks > 1 ? 2 * after + (p.chunks - 1) * p.ranks : after);
  Order o;
  for (int k = 0; k < warm; ++k) o.push_back(at(k, false));
  for (int k = warm; k < all; ++k) o.push_back(at(k, false)), o.push_back(at(k - warm, true));
  for (int k = all - warm; k < all; ++k) o.push_back(at(k, true));
  return o;
}

/// 1F1B's order with the backward pass split: weights follow `rank` micro-batches later.
Order zero_bubble_h1(const Pipeline& p, int rank) {
  const int m = p.micro_batches, warm = std::min(m, p.ranks - 1 - rank);
  Order o;
  for (int i = 0; i < warm; ++i) o.push_back(forward(i));
  for (int i = 0; i < m; ++i) {
    if (i + warm < m) o.push_back(forward(i + warm));
    o.push_back(inputs(i));
    if (i >= rank) o.push_back(weights(i - rank));
  }
  for (int i = std::max(0, m - rank); i < m; ++i) o.push_back(weights(i));
  return o;
}

/// Chunk 0 goes down the V, chunk 1 up. Orders exist from 2 p - 1 micro-batches on;
/// smaller counts leave the missing ones out.
struct VOrder {
  Order o;
  int f[2] = {0, 0}, b[2] = {0, 0}, w[2] = {0, 0};
  void forward_of(int c) { o.push_back(forward(f[c]++, c)); }
  void inputs_of(int c) { o.push_back(inputs(b[c]++, c)); }
  void weights_of(int c) { o.push_back(weights(w[c]++, c)); }
  void both_of(int c) { inputs_of(c), weights_of(c); }
};

Order zero_bubble_v(const Pipeline& p, int rank) {
  const int m = std::max(2 * p.ranks - 1, p.micro_batches), rest = p.ranks - rank;
  VOrder v;
  for (int i = 0; i < 2 * rest - 1; ++i) v.forward_of(0);
  for (int i = 0; i < rank; ++i) v.forward_of(1), v.forward_of(0);
  for (int i = 0; i < rest; ++i) v.forward_of(1), v.both_of(1);
  while (v.f[1] < v.f[0] || v.f[0] < m) {
    if (v.f[0] < m) v.forward_of(0);
    v.both_of(0);
    v.forward_of(1);
    v.both_of(1);
  }
  for (int i = 0; i < rank; ++i) v.inputs_of(0), v.inputs_of(1);
  for (int i = 0; i < rest; ++i) v.inputs_of(0), v.weights_of(0);
  while (v.w[1] < v.b[1]) v.weights_of(1);
  while (v.w[0] < v.b[0]) v.weights_of(0);
  std::erase_if(v.o, [&](const Slot& s) { return s.micro_batch >= p.micro_batches; });
  return std::move(v.o);
}

/// Direction 0 runs micro-batches 0 .. m/2-1 from rank 0 up, direction 1 the others from
/// the last rank down. `phase` counts from the near end: ranks of the second half swap.
struct DualOrder {
  const Pipeline& p;
  bool far;
  Order o;
  std::vector<Slot> waiting;  ///< weights put off
  std::size_t taken = 0;
  int f[2] = {0, 0}, b[2] = {0, 0};

  int direction(int phase) const { return far ? 1 - phase : phase; }
  int number(int d, int i) const { return d * (p.micro_batches / 2) + i; }
  void forward_of(int phase) {
    const int d = direction(phase);
    o.push_back(forward(number(d, f[d]++), d));
  }
  void backward_of(int phase, bool split = false) {
    const int d = direction(phase), mb = number(d, b[d]++);
    o.push_back(split ? inputs(mb, d) : backward(mb, d));
    if (split) waiting.push_back(weights(mb, d));
  }
  void weights_of() { o.push_back(waiting[taken++]); }
  void pair(int forward_phase, int backward_phase) {
    forward_of(forward_phase), o.back().paired = true;
    backward_of(backward_phase), o.back().paired = true;
  }
};

Order dualpipe(const Pipeline& p, int rank) {
  const int half = p.ranks / 2, near = std::min(rank, p.ranks - 1 - rank), inner = half - near - 1;
  DualOrder d{p, rank >= half, {}, {}};
  for (int i = 0; i < 2 * inner; ++i) d.forward_of(0);
  for (int i = 0; i <= near; ++i) d.forward_of(0), d.forward_of(1);
  for (int i = 0; i < inner; ++i) d.backward_of(1, true), d.weights_of(), d.forward_of(1);
  for (int i = 0; i < p.micro_batches / 2 - p.ranks + near + 1; ++i) {
    if (i == 0 && inner == 0)
      d.forward_of(0), d.backward_of(1);  // the middle ranks do not pair their first two
    else
      d.pair(0, 1);
    d.pair(1, 0);
  }
  for (int i = 0; i < inner; ++i) d.backward_of(1), d.pair(1, 0);
  bool split = false;
  for (int i = 0; i <= near; ++i) {
    const bool middle = i == (near + 1) / 2;
    split = split || (middle && near % 2 == 1);
    d.backward_of(1, split);
    split = split || middle;
    d.backward_of(0, split);
  }
  for (int i = 0; i < inner; ++i) d.weights_of(), d.backward_of(0, true);
  for (int i = 0; i <= near; ++i) d.weights_of();
  return std::move(d.o);
}

}  // namespace

std::vector<std::vector<Slot>> pass_order(const Pipeline& p) {
  std::vector<std::vector<Slot>> all;
  for (int r = 0; r < p.ranks; ++r) switch (p.schedule) {
      case Schedule::gpipe:
        all.push_back(gpipe(p));
        break;
      case Schedule::one_f_one_b:
        all.push_back(one_f_one_b(p, r));
        break;
      case Schedule::zero_bubble_h1:
        all.push_back(zero_bubble_h1(p, r));
        break;
      case Schedule::zero_bubble_v:
        all.push_back(zero_bubble_v(p, r));
        break;
      case Schedule::dualpipe:
        all.push_back(dualpipe(p, r));
        break;
    }
  return all;
}

}  // namespace headroom::train
