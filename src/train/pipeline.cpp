#include "train/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "train/pipeline_form.hpp"

namespace headroom::train {

std::string_view schedule_name(Schedule s) {
  static constexpr std::string_view names[] = {"gpipe", "1f1b", "zb-h1", "zb-v", "dualpipe"};
  return names[static_cast<int>(s)];
}

int stage_count(const Pipeline& p) {
  if (p.schedule == Schedule::one_f_one_b) return p.ranks * p.chunks;
  return p.schedule == Schedule::zero_bubble_v ? 2 * p.ranks : p.ranks;
}

StageTimes stage_times(const Pipeline& p, int s) {
  if (s == 0) return p.first;
  if (s == stage_count(p) - 1) return p.last;
  if (p.schedule != Schedule::one_f_one_b || p.chunks == 1) return p.middle;
  const int rank = s % p.ranks;
  if (rank == 0) return p.first_inner;
  return rank == p.ranks - 1 ? p.last_inner : p.middle;
}

std::string schedule_problem(Schedule s, int ranks, int chunks, int micro_batches) {
  if (ranks < 1 || chunks < 1 || micro_batches < 1)
    return "a pipeline needs at least one rank, one chunk and one micro-batch";
  if (chunks > 1 && s != Schedule::one_f_one_b)
    return fmt::format("{} places chunks itself: take 1 chunk a rank, or 1f1b for {}",
                       schedule_name(s), chunks);
  if (chunks > 1 && ranks == 1) return "one rank has nothing to interleave: take 1 chunk";
  if (chunks > 1 && micro_batches % ranks != 0)
    return fmt::format(
        "interleaving runs micro-batches in groups of {} (pipeline ranks): {} is no multiple, "
        "take {} or {}",
        ranks, micro_batches, std::max(1, micro_batches / ranks) * ranks,
        (micro_batches / ranks + 1) * ranks);
  if (s == Schedule::zero_bubble_v && micro_batches < 2 * ranks - 1)
    return fmt::format("zb-v fills {} ranks with {} micro-batches: {} given, take {} or more",
                       ranks, 2 * ranks - 1, micro_batches, 2 * ranks - 1);
  if (s != Schedule::dualpipe) return {};
  if (ranks % 2 != 0)
    return fmt::format("dualpipe pairs ranks from both ends: {} is odd, take {} or {}", ranks,
                       std::max(2, ranks - 1), ranks + 1);
  if (micro_batches % 2 != 0 || micro_batches < 2 * ranks)
    return fmt::format(
        "dualpipe needs an even number of at least {} micro-batches: {} given, take {}", 2 * ranks,
        micro_batches, std::max(2 * ranks, micro_batches + micro_batches % 2));
  return {};
}

namespace {

form::Line line_of(const Pipeline& p) {
  form::Line l{p.ranks,
               p.chunks,
               p.micro_batches,
               p.first,
               p.middle,
               p.last,
               p.first_inner,
               p.last_inner,
               p.send_s * (1 - p.exposed),
               p.send_s * p.exposed,
               p.paired};
  if (l.p == 1 || l.held == 0) return l;
  l.first.f += l.held, l.last.b += l.held;
  for (auto* t : {&l.middle, &l.first_inner, &l.last_inner}) t->f += l.held, t->b += l.held;
  return l;
}

/// Compute of the rank with most to do.
double busy_s(const Pipeline& p) {
  const double first = p.first.total(), mid = p.middle.total(), last = p.last.total();
  const double m = p.micro_batches;
  switch (p.schedule) {
    case Schedule::zero_bubble_v:
      return m * std::max(first + last, p.ranks > 1 ? 2 * mid : 0);
    case Schedule::dualpipe: {
      // Pairs: two a micro-batch of the main part, and half a pair in filling and draining.
      const double all = m / 2 * std::max(first + last, p.ranks > 2 ? 2 * mid : 0);
      const double share = (m - 1.5 * p.ranks + 1) / m;
      return all * (1 - (1 - p.paired) * share);
    }
    default:
      break;
  }
  if (p.ranks == 1) return m * first;
  const double inner = p.chunks - 1;
  return m * std::max({first + inner * p.first_inner.total(), last + inner * p.last_inner.total(),
                       p.ranks > 2 ? p.chunks * mid : 0});
}

}  // namespace

double pipeline_seconds(const Pipeline& p) {
  const auto l = line_of(p);
  switch (p.schedule) {
    case Schedule::gpipe:
      return form::gpipe(l);
    case Schedule::one_f_one_b:
      return l.v > 1 ? form::interleaved(l) : form::one_f_one_b(l);
    case Schedule::zero_bubble_h1:
      return form::zero_bubble_h1(l);
    case Schedule::zero_bubble_v:
      return form::zero_bubble_v(l);
    case Schedule::dualpipe:
      return form::dualpipe(l);
  }
  return 0;
}

PipelineTime pipeline_time(const Pipeline& p) {
  PipelineTime t;
  t.total = pipeline_seconds(p);
  t.busy = busy_s(p);
  double without = t.total;
  if (p.send_s > 0 && p.ranks > 1) {
    auto silent = p;
    silent.send_s = 0;
    without = pipeline_seconds(silent);
  }
  t.sends = t.total - without;
  t.bubble = without - t.busy;
  return t;
}

double in_flight(Schedule s, int ranks, int chunks, int micro_batches, int rank) {
  const double m = micro_batches;
  switch (s) {
    case Schedule::gpipe:
      return m;
    case Schedule::one_f_one_b: {
      if (chunks == 1) return std::min(m, double(ranks - rank));
      const double ahead = 2.0 * (ranks - rank - 1) + (chunks - 1.0) * ranks + 1;
      return std::min(m * chunks, ahead) / chunks;
    }
    case Schedule::zero_bubble_h1:
    case Schedule::zero_bubble_v:
      return std::min(m, double(ranks));
    case Schedule::dualpipe:
      return ranks + 1.0;
  }
  return m;
}

}  // namespace headroom::train
