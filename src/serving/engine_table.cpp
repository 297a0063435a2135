#include "serving/engine_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "serving/engine_gaps.hpp"

namespace headroom::serving {
namespace {

constexpr double shifted = 1024;  // contexts are counted from here, so that cells have 32 tokens
constexpr int kept_bits = 5;      // of the mantissa: 32 cells an octave
constexpr int drop = 52 - kept_bits;
constexpr std::int64_t lowest = (1023LL + 10) << kept_bits;
constexpr int cells = 16 << kept_bits;  // contexts up to 67 M tokens

int cell_of(double context) {
  const auto bits = std::bit_cast<std::uint64_t>(context + shifted) >> drop;
  return static_cast<int>(
      std::clamp<std::int64_t>(static_cast<std::int64_t>(bits) - lowest, 0, cells - 2));
}

double context_of(int index) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(index + lowest) << drop) - shifted;
}

/// How many steps of first + k stride start before `within`: the smallest n whose sum reaches it.
std::int64_t steps_within(double first, double stride, double within, std::int64_t most) {
  const auto sum = [&](std::int64_t n) {
    const auto k = static_cast<double>(n);
    return k * first + stride * k * (k - 1) / 2;
  };
  if (sum(most) < within) return most;
  const double half = first - stride / 2;
  const double root = std::sqrt(std::max(half * half + 2 * stride * within, 0.0));
  const double guess = 2 * within / (half + root);
  auto n = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(guess)), 1, most);
  while (n > 1 && sum(n - 1) >= within) --n;
  while (n < most && sum(n) < within) ++n;
  return n;
}

}  // namespace

std::vector<double>& DecodeTable::row(int decodes, int adapters) {
  if (rows_.size() <= static_cast<std::size_t>(adapters)) rows_.resize(adapters + 1);
  auto& group = rows_[adapters];
  if (group.size() <= static_cast<std::size_t>(decodes)) group.resize(decodes + 1);
  auto& r = group[decodes];
  if (r.empty()) r.assign(cells, -1.0);
  return r;
}

double DecodeTable::node(std::vector<double>& row, int decodes, int adapters, int index) {
  double& t = row[index];
  if (t < 0) {
    infer::StepLoad load;
    load.decodes = decodes;
    load.keys = decodes * context_of(index);
    load.verify = verify_;
    load.adapters = adapters;
    t = oracle_->step_s(load);
  }
  return t;
}

DecodeTable::Line DecodeTable::line(int decodes, double keys, int adapters) {
  auto& r = row(decodes, adapters);
  const double context = keys / decodes;
  const int cell = cell_of(context);
  const double low = node(r, decodes, adapters, cell), high = node(r, decodes, adapters, cell + 1);
  const double from = context_of(cell), to = context_of(cell + 1);
  Line l;
  l.slope = (high - low) / ((to - from) * decodes);
  l.at_s = low + l.slope * (keys - from * decodes);
  l.ends = cell == cells - 2 ? INFINITY : to * decodes;
  return l;
}

double DecodeTable::step_s(int decodes, double keys, int adapters) {
  return decodes > 0 ? line(decodes, keys, adapters).at_s : 0;
}

DecodeTable::Run DecodeTable::run(int decodes, double keys, int adapters, std::int64_t most,
                                  double within_s, Gaps* gaps, double users) {
  Run run;
  while (run.steps < most && (run.steps == 0 || run.seconds < within_s)) {
    const Line l = line(decodes, keys, adapters);
    const double stride = l.slope * decodes;
    const double reach = std::ceil((l.ends - keys) / decodes);
    std::int64_t n = most - run.steps;
    if (reach < static_cast<double>(n))
      n = std::max<std::int64_t>(static_cast<std::int64_t>(reach), 1);
    if (within_s < INFINITY) n = steps_within(l.at_s, stride, within_s - run.seconds, n);
    const auto k = static_cast<double>(n);
    run.seconds += k * l.at_s + stride * k * (k - 1) / 2;
    run.last_s = l.at_s + stride * (k - 1);
    run.longest_s = std::max({run.longest_s, l.at_s, run.last_s});
    if (gaps) gaps->add_line(l.at_s, stride, n, users);
    run.steps += n;
    keys += k * decodes;
  }
  return run;
}

}  // namespace headroom::serving
