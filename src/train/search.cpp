#include "train/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <unordered_map>

#include "train/search_rank.hpp"
#include "train/search_space.hpp"

namespace headroom::train {
namespace {

/// Values that a table depends on, by the dimensions that use it.
class CostTables {
 public:
  explicit CostTables(const Job& job) : job_(job), sizes_(train::sizes(job)) {}

  const Sizes& sizes() const { return sizes_; }
  const PlanCosts& costs(const ParallelPlan& p) {
    const auto [at, fresh] = costs_.try_emplace(key(p, uses_kernels));
    if (fresh) at->second = {sizes_, layer_cost(job_, p), end_cost(job_, p)};
    return at->second;
  }
  const ActivationBytes& storage(const ParallelPlan& p) {
    const auto [at, fresh] = storage_.try_emplace(key(p, uses_storage));
    if (fresh) at->second = activation_bytes(job_, p);
    return at->second;
  }

 private:
  using Key = std::array<int, 12>;
  struct Hash {
    std::size_t operator()(const Key& key) const {
      std::uint64_t h = 0;
      for (int n : key) h = (h ^ static_cast<std::uint64_t>(n)) * 0x9E3779B97F4A7C15u, h ^= h >> 29;
      return h;
    }
  };
  static Key key(const ParallelPlan& p, unsigned use) {
    Key out{};
    std::size_t n = 0;
    for (const auto& d : dimensions())
      if (d.uses & use) out.at(n++) = d.get(p);
    return out;
  }

  const Job& job_;
  Sizes sizes_;
  // Node-based: references stay valid while the tables grow.
  std::unordered_map<Key, PlanCosts, Hash> costs_;
  std::unordered_map<Key, ActivationBytes, Hash> storage_;
};

/// What one thread has found.
struct Found {
  Found(const Order& order, const SearchOptions& o) : best(order, o.keep), front(o.prices) {}

  Shortlist best;
  Front front;
  Candidate least;
  long legal = 0, evaluated = 0, fitting = 0;

  bool less(double need, const ParallelPlan& p) const {
    if (legal == 1) return true;
    const double least_need = least.memory.total();
    return need < least_need || (need == least_need && before(p, least.plan));
  }
  void merge(const Found& other) {
    if (other.legal == 0) return;
    best.merge(other.best);
    front.merge(other.front);
    const double need = other.least.memory.total(), have = least.memory.total();
    if (legal == 0 || need < have || (need == have && before(other.least.plan, least.plan)))
      least = other.least;
    legal += other.legal, evaluated += other.evaluated, fitting += other.fitting;
  }
};

/// Walks the space below one cell, depth first.
class Walker {
 public:
  Walker(const Scope& scope, const Order& order)
      : scope_(scope), found(order, scope.options), tables_(scope.job) {
    const auto dims = dimensions();
    choices_.resize(dims.size());
    for (std::size_t k = 0; k < dims.size(); ++k) {
      if (dims[k].uses & uses_kernels) kernels_at_ = k + 1;
      if (dims[k].uses & uses_storage) storage_at_ = k + 1;
    }
  }

  void cell(const ParallelPlan& prefix) {
    plan_ = prefix;
    descend(cell_dimensions());
  }

 private:
  /// True when a plan below fits the memory.
  bool descend(std::size_t depth) {
    if (depth == kernels_at_) costs_ = &tables_.costs(plan_);
    if (depth == storage_at_) storage_ = &tables_.storage(plan_);
    if (depth == layout_at_ && !scope_.rules.legal(plan_)) return false;
    if (depth == dims_.size()) return consider();
    const auto& d = dims_[depth];
    auto& values = choices_[depth];
    list(d, values);
    bool fits = false;
    const bool counts = depth == data_at_ || depth == virtual_at_;
    if (depth == data_at_) plan_.vpp = 1;
    for (std::size_t k = 0; k < values.size(); ++k) {
      d.set(plan_, values[k]);
      if (counts) plan_.micro_batches = micro_batches(scope_.job, plan_);
      fits |= descend(depth + 1);
      if (fits && d.first_fit && !scope_.options.exhaustive) break;
    }
    return fits;
  }

  void list(const Dimension& d, std::vector<int>& out) const {
    out.clear();
    const int fixed = d.fixed(scope_.options.fixed);
    if (fixed != open_choice) return out.push_back(fixed);
    d.choices(scope_, plan_, out);
  }

  bool consider() {
    const auto& job = scope_.job;
    ++found.legal;
    current_.plan = plan_;
    current_.memory = memory(job, tables_.sizes(), *storage_, plan_);
    const double need = current_.memory.total();
    const bool fits = need <= job.memory_bytes, least = found.less(need, plan_);
    if (!fits && !least && !scope_.options.exhaustive) return false;
    ++found.evaluated;
    current_.time = step_time(job, *costs_, plan_);
    current_.tokens_per_s =
        plan_.global_batch() * job.sequence / std::max(1e-12, current_.time.total());
    if (least) found.least = current_;
    if (!fits) return false;
    ++found.fitting;
    if (current_.tokens_per_s < scope_.options.least_rate) return true;
    found.best.offer(current_);
    if (scope_.options.front) found.front.offer(current_);
    return true;
  }

  const Scope& scope_;

 public:
  Found found;

 private:
  CostTables tables_;
  std::span<const Dimension> dims_ = dimensions();
  const std::size_t layout_at_ = layout_dimensions(), data_at_ = data_dimension(),
                    virtual_at_ = virtual_dimension();
  std::size_t kernels_at_ = 0, storage_at_ = 0;
  std::vector<std::vector<int>> choices_;
  ParallelPlan plan_;
  Candidate current_;
  const PlanCosts* costs_ = nullptr;
  const ActivationBytes* storage_ = nullptr;
};

/// Every setting of the leading dimensions.
void list_cells(const Scope& scope, std::size_t depth, ParallelPlan& plan,
                std::vector<ParallelPlan>& out) {
  if (depth == cell_dimensions()) return out.push_back(plan);
  const auto& d = dimensions()[depth];
  std::vector<int> values;
  const int fixed = d.fixed(scope.options.fixed);
  if (fixed != open_choice)
    values.push_back(fixed);
  else
    d.choices(scope, plan, values);
  for (int value : values) {
    d.set(plan, value);
    list_cells(scope, depth + 1, plan, out);
  }
}

Found walk(const Scope& scope, const std::vector<ParallelPlan>& cells) {
  const Order order(scope.options, scope.job.domain);
  const int threads =
      std::clamp<int>(scope.options.threads, 1, int(std::max<std::size_t>(1, cells.size())));
  std::atomic<std::size_t> next = 0;
  std::vector<Found> found(threads, Found(order, scope.options));
  const auto work = [&](int thread) {
    Walker walker(scope, order);
    for (std::size_t k; (k = next.fetch_add(1)) < cells.size();) walker.cell(cells[k]);
    found[thread] = std::move(walker.found);
  };
  std::vector<std::thread> others;
  for (int k = 1; k < threads; ++k) others.emplace_back(work, k);
  work(0);
  for (auto& t : others) t.join();
  for (int k = 1; k < threads; ++k) found[0].merge(found[k]);
  return std::move(found[0]);
}

std::string obstacle(const Scope& scope) {
  const auto& job = scope.job;
  const auto& fixed = scope.options.fixed;
  ParallelPlan p;
  p.tp = std::max(1, fixed.tp), p.pp = std::max(1, fixed.pp), p.vpp = std::max(1, fixed.vpp);
  p.cp = std::max(1, fixed.cp), p.ep = std::max(1, fixed.ep);
  p.dp = std::max(1, fixed.dp), p.micro_batch = std::max(1, fixed.micro_batch);
  p.micro_batches = micro_batches(job, p);
  p.sequence_parallel = p.tp > 1 && (p.ep > 1 || std::fmod(job.sequence / p.cp, p.tp) == 0);
  // Parts left open are at their least here, so they are to blame for no product that is small.
  const bool all = scope.options.all_gpus && fixed.dp > 0;
  const auto why = Rules(job, all).why(p);
  if (!why.empty()) return fmt::format("{}", fmt::join(why, "; "));
  return fmt::format(
      "no split of {} GPUs suits {} layers, {} heads and a batch of {:.0f} sequences under the "
      "fixed parts of the plan",
      job.gpus, job.model->layers, job.model->heads, job.sequences);
}

}  // namespace

Candidate evaluate(const Job& job, const ParallelPlan& plan) {
  Candidate c;
  c.plan = plan;
  c.memory = memory(job, plan);
  c.time = step_time(job, plan);
  c.tokens_per_s = plan.global_batch() * job.sequence / std::max(1e-12, c.time.total());
  return c;
}

SearchResult search(const Job& job, const SearchOptions& options) {
  SearchResult out;
  if (job.gpus < 1 || job.model->layers < 1 || job.model->heads < 1) {
    out.obstacle = "the model has no layers or there are no GPUs";
    return out;
  }
  const Rules rules(job, options.all_gpus);
  const Scope scope(job, options, rules);
  std::vector<ParallelPlan> cells;
  ParallelPlan plan;
  list_cells(scope, 0, plan, cells);
  auto found = walk(scope, cells);
  out.best = found.best.take();
  out.front = found.front.take();
  out.least_memory = found.least;
  out.legal = found.legal, out.evaluated = found.evaluated, out.fitting = found.fitting;
  if (out.legal == 0) out.obstacle = obstacle(scope);
  return out;
}

}  // namespace headroom::train
