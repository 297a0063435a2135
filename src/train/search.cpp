#include "train/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <thread>

#include "train/search_rank.hpp"
#include "train/search_tables.hpp"

namespace headroom::train {
namespace {

/// What one thread has found.
struct Found {
  Found(const Order& order, const SearchOptions& o)
      : best(order, o.keep, o.distinct), front(o.prices) {}

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

/// What belongs to one layout, at hand without hashing all of it.
template <class T>
class Here {
 public:
  void clear() { tags_.fill(-1); }
  template <class Look>
  const T& at(std::int64_t tag, Look look) {
    const auto slot = static_cast<std::uint64_t>(tag) * 0x9E3779B97F4A7C15u >> 60;
    if (tags_[slot] != tag) tags_[slot] = tag, entries_[slot] = look();
    return entries_[slot];
  }

 private:
  std::array<std::int64_t, 16> tags_{};
  std::array<T, 16> entries_{};
};

/// Walks the space below one cell, depth first.
class Walker {
 public:
  Walker(const Scope& scope, const Order& order)
      : scope_(scope), found(order, scope.options), tables_(scope.job) {
    const auto dims = dimensions();
    choices_.resize(dims.size());
    for (std::size_t k = 0; k < dims.size(); ++k) {
      held_.push_back(dims[k].finer && !scope.options.finer && scope.fixed[k] == open_choice);
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
    for (;; ++depth) {
      if (!reached(depth)) return false;
      if (depth == dims_.size())
        return (!options_ || scope_.rules.options_legal(plan_)) && consider();
      if (!held_[depth]) break;
    }
    const auto& d = dims_[depth];
    auto& values = choices_[depth];
    list_choices(scope_, depth, plan_, values);
    if (depth == data_at_ && narrow_) return least_data();
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

  // --- The smallest plan alone ------------------------------------------------------------

  /// Walks dp for the fewest domains. A step takes at least what the mean rank computes and
  /// exchanges, which leaves out dp below a bound; plans of more domains than the best so far are
  /// worse whatever their speed. More replicas never need more memory on a rank (state is divided
  /// further, fewer micro-batches are in flight), so when the most do not fit, none do; one replica
  /// has no data-parallel communicator and is asked for itself.
  bool least_data() {
    auto values = choices_[data_at_];
    std::sort(values.begin(), values.end());
    const double least = least_replicas();
    std::erase_if(values, [&](int dp) { return dp < least || too_many(dp); });
    if (values.empty()) return false;
    const int most = values.back();
    bool fits = replicas(most);
    if (!fits && monotone_) std::erase_if(values, [&](int dp) { return dp != 1 || dp == most; });
    for (const int dp : values)
      if (dp != most && !too_many(dp)) fits |= replicas(dp);
    return fits;
  }

  bool replicas(int dp) {
    plan_.dp = dp, plan_.vpp = 1;
    plan_.micro_batches = micro_batches(scope_.job, plan_);
    return descend(data_at_ + 1);
  }

  bool too_many(int dp) const {
    const double gpus = double(plan_.tp) * plan_.pp * plan_.cp * dp;
    return std::ceil(gpus / scope_.job.domain) > least_domains_;
  }

  /// tokens/s <= dp x tokens of a micro-batch / seconds of the mean rank for it.
  double least_replicas() {
    if (plan_.schedule == Schedule::dualpipe) return 0;  // hides part of what a rank does
    const auto& c = tables_.costs(plan_);
    const double layers = scope_.job.model->layers * (c.layer.forward() + c.layer.backward());
    const auto& e = c.ends;
    const double ends = e.head_f + e.head_b + e.embedding_f + e.embedding_b;
    const double seconds =
        (layers + ends) / plan_.pp / std::max(1e-3, scope_.job.software.efficiency);
    const double tokens = plan_.micro_batch * scope_.job.sequence;
    return scope_.options.least_rate * seconds / tokens * (1 - 1e-9);
  }

  /// What is due once the dimensions before `depth` are set; false when they make no legal layout.
  bool reached(std::size_t depth) {
    if (depth == layout_at_) costs_here_.clear(), storage_here_.clear(), pipes_here_.clear();
    if (depth == layout_at_ && !scope_.rules.layout_legal(plan_)) return false;
    if (depth == layout_at_ && stopped()) return false;
    if (depth == kernels_at_)
      costs_ = costs_here_.at(tag(uses_kernels), [&] { return &tables_.costs(plan_); });
    if (depth == storage_at_)
      storage_ = storage_here_.at(tag(uses_storage), [&] { return &tables_.storage(plan_); });
    return true;
  }

  bool stopped() const {
    const auto* progress = scope_.options.progress;
    return progress != nullptr && progress->stop_asked();
  }

  /// What a table's entry depends on beyond the layout.
  std::int64_t tag(unsigned use) const {
    std::int64_t out = 0;
    for (std::size_t k = layout_at_; k < dims_.size(); ++k)
      if (dims_[k].uses & use) out = (out << 14) + dims_[k].get(plan_);
    return out;
  }

  bool consider() {
    const auto& job = scope_.job;
    ++found.legal;
    current_.plan = plan_;
    current_.memory = memory(job, tables_.sizes(), *storage_, plan_);
    const double need = current_.memory.total();
    const bool fits = need <= usable_, least = !narrow_ && found.less(need, plan_);
    if (!fits && !least && !scope_.options.exhaustive) return false;
    ++found.evaluated;
    const auto& pipe =
        pipes_here_.at(tag(uses_pipeline), [&] { return plan_pipeline_time(job, *costs_, plan_); });
    current_.time = step_time(job, *costs_, plan_, pipe);
    current_.tokens_per_s =
        plan_.global_batch() * job.sequence / std::max(1e-12, current_.time.total());
    if (least) found.least = current_;
    if (!fits) return false;
    ++found.fitting;
    if (current_.tokens_per_s < scope_.options.least_rate) return true;
    least_domains_ = std::min(least_domains_, std::ceil(double(plan_.gpus()) / job.domain));
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
  std::vector<char> held_;  // dimensions that stay as the walk found them
  ParallelPlan plan_;
  const bool options_ = has_options(scope_.start());  // fixed by the user: checked at each plan
  const bool narrow_ = scope_.options.only_best && !scope_.options.front &&
                       scope_.options.objective == Objective::smallest && scope_.options.keep == 1;
  const bool monotone_ = !scope_.options.finer && !options_;  // no shard groups or offload to weigh
  double least_domains_ = INFINITY;                           // of plans found in time
  Candidate current_;
  const double usable_ = usable_bytes(scope_.job);
  const PlanCosts* costs_ = nullptr;
  const ActivationBytes* storage_ = nullptr;
  Here<const PlanCosts*> costs_here_;
  Here<const ActivationBytes*> storage_here_;
  Here<PipelineTime> pipes_here_;  // the same for every ZeRO stage
};

/// Every setting of the leading dimensions.
void list_cells(const Scope& scope, std::size_t depth, ParallelPlan& plan,
                std::vector<ParallelPlan>& out) {
  if (depth == cell_dimensions()) return out.push_back(plan);
  const auto& d = dimensions()[depth];
  std::vector<int> values;
  list_choices(scope, depth, plan, values);
  for (int value : values) {
    d.set(plan, value);
    list_cells(scope, depth + 1, plan, out);
  }
}

Found walk(const Scope& scope, const std::vector<ParallelPlan>& cells) {
  const Order order(scope.options, scope.job.domain);
  const int threads =
      std::clamp<int>(scope.options.threads, 1, int(std::max<std::size_t>(1, cells.size())));
  Stage stage(scope.options.progress, "searching plans", cells.size());
  std::atomic<std::size_t> next = 0;
  std::vector<Found> found(threads, Found(order, scope.options));
  const auto work = [&](int thread) {
    Walker walker(scope, order);
    for (std::size_t k; (k = next.fetch_add(1)) < cells.size() && !stage.stop_asked();) {
      walker.cell(cells[k]);
      stage.count();
    }
    found[thread] = std::move(walker.found);
  };
  std::vector<std::thread> others;
  for (int k = 1; k < threads; ++k) others.emplace_back(work, k);
  work(0);
  for (auto& t : others) t.join();
  stage.check();
  for (int k = 1; k < threads; ++k) found[0].merge(found[k]);
  return std::move(found[0]);
}

/// The fixed parts of the plan, and the least of those that are open.
ParallelPlan fixed_plan(const Scope& scope) {
  const auto& job = scope.job;
  auto p = scope.start();
  const auto dims = dimensions();
  for (std::size_t k = 0; k < dims.size(); ++k)
    if (scope.fixed[k] != open_choice) dims[k].set(p, scope.fixed[k]);
  const bool spread = job.model->is_mixture() && p.ep > 0 && job.model->moe.experts % p.ep == 0;
  if (scope.fixed[data_dimension()] == open_choice && spread)
    p.dp = to_count(std::ceil(p.ep / std::max(1.0, double(p.tp) * p.cp)));
  p.sequence_parallel = p.ep > 1 || std::fmod(job.sequence / std::max(1, p.cp), p.tp) == 0;
  if (p.dp > 0 && p.micro_batch > 0) p.micro_batches = micro_batches(job, p);
  return p;
}

std::string obstacle(const Scope& scope) {
  const auto& job = scope.job;
  // Parts left open are at their least here, so they are to blame for no product that is small.
  const bool all = scope.options.all_gpus && scope.fixed[data_dimension()] != open_choice;
  const auto why = Rules(job, all).why(fixed_plan(scope));
  if (!why.empty()) return fmt::format("{}", fmt::join(why, "; "));
  return fmt::format(
      "no split of {} GPUs suits {} layers, {} heads and a batch of {:.0f} sequences under the "
      "fixed parts of the plan",
      job.gpus, job.model->layers, job.model->heads, job.sequences);
}

/// Empty when every pin names a dimension.
std::string unknown_pin(const SearchOptions& options) {
  const auto names = dimension_names();
  for (const auto& pin : options.pins)
    if (std::find(names.begin(), names.end(), pin.dimension) == names.end())
      return fmt::format("'{}' is no dimension of a plan; they are {}", pin.dimension,
                         fmt::join(names, ", "));
  return {};
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
  if (out.obstacle = unknown_pin(options); !out.obstacle.empty()) return out;
  const Rules rules(job, options.all_gpus);
  const Scope scope(job, options, rules);
  if (!Rules::positive(fixed_plan(scope))) {
    out.obstacle = obstacle(scope);
    return out;
  }
  std::vector<ParallelPlan> cells;
  auto plan = scope.start();
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
