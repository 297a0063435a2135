#include "train/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "train/options.hpp"

namespace headroom::train {
namespace {

constexpr int max_micro_batch = 16;
constexpr double least_context_tokens = 4096;
// A batch that is ours to choose may move this far to fill the GPUs.
constexpr double batch_slack = 0.25;

std::vector<int> powers_of_two(double most) {
  std::vector<int> out;
  for (int n = 1; n <= most; n *= 2) out.push_back(n);
  return out;
}

std::vector<int> or_fixed(int fixed, std::vector<int> choices) {
  if (fixed > 0) return {fixed};
  return choices;
}

std::vector<int> tensor_choices(const Job& job, int fixed) {
  std::vector<int> out;
  for (int tp : powers_of_two(std::min(job.domain, job.gpus)))
    if (job.model->heads % tp == 0) out.push_back(tp);
  return or_fixed(fixed, out);
}

std::vector<int> pipeline_choices(const Job& job, int tp, int fixed) {
  const int layers = job.model->layers, most = std::min(layers, job.gpus / tp);
  auto out = powers_of_two(most);
  for (int pp = 3; pp <= most; ++pp)
    if (layers % pp == 0) out.push_back(pp);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return or_fixed(fixed, out);
}

std::vector<int> expert_choices(const Job& job, int fixed) {
  if (!job.model->is_mixture()) return {1};
  std::vector<int> out;
  for (int ep : powers_of_two(job.model->moe.experts))
    if (job.model->moe.experts % ep == 0) out.push_back(ep);
  return or_fixed(fixed, out);
}

std::vector<int> virtual_choices(const Job& job, const ParallelPlan& p, int fixed) {
  if (p.pp == 1) return or_fixed(fixed, {1});
  std::vector<int> out = {1};
  const int most = (job.model->layers + p.pp - 1) / p.pp;
  int last_chunk = most;
  for (int v = 2; v <= most; ++v) {
    const int chunk = (job.model->layers + p.pp * v - 1) / (p.pp * v);
    if (chunk == last_chunk) continue;  // more chunks of the same size would be empty ones
    last_chunk = chunk;
    out.push_back(v);
  }
  return or_fixed(fixed, out);
}

/// Layer costs by (tp, cp, ep, micro-batch), the only things they depend on.
class CostTable {
 public:
  explicit CostTable(const Job& job) : job_(job), sizes_(sizes(job)) {}

  const PlanCosts& at(const ParallelPlan& p) {
    const Key key{p.tp, p.cp, p.ep, p.micro_batch, p.sequence_parallel};
    for (const auto& [k, costs] : costs_)
      if (k == key) return costs;
    costs_.emplace_back(key, PlanCosts{sizes_, layer_cost(job_, p), end_cost(job_, p)});
    return costs_.back().second;
  }
  const ActivationBytes& activations(const ParallelPlan& p) {
    const Key key{p.tp, int(p.recompute), p.cp, 0, p.sequence_parallel};
    for (const auto& [k, bytes] : activations_)
      if (k == key) return bytes;
    activations_.emplace_back(key, activation_bytes(job_, p));
    return activations_.back().second;
  }
  const Sizes& total() const { return sizes_; }

 private:
  using Key = std::tuple<int, int, int, int, bool>;
  const Job& job_;
  Sizes sizes_;
  std::vector<std::pair<Key, PlanCosts>> costs_;
  std::vector<std::pair<Key, ActivationBytes>> activations_;
};

bool faster(const Candidate& a, const Candidate& b) {
  const double scale = std::max(a.tokens_per_s, b.tokens_per_s);
  if (std::abs(a.tokens_per_s - b.tokens_per_s) > 1e-9 * scale)
    return a.tokens_per_s > b.tokens_per_s;
  const auto key = [](const ParallelPlan& p) {
    return std::tuple(p.gpus(), p.pp, p.tp, p.vpp, p.cp, p.ep, p.micro_batch, p.zero);
  };
  return key(a.plan) < key(b.plan);
}

class Searcher {
 public:
  Searcher(const Job& job, const SearchOptions& options)
      : job_(job),
        fixed_(options.fixed),
        keep_(std::max(1, options.keep)),
        table_(job),
        batch_divisors_(divisors_descending(job.sequences)) {}

  SearchResult run() {
    for (int tp : tensor_choices(job_, fixed_.tp))
      for (int pp : pipeline_choices(job_, tp, fixed_.pp))
        for (int cp : context_choices())
          for (int ep : expert_choices(job_, fixed_.ep)) layouts(tp, pp, cp, ep);
    if (out_.legal == 0) out_.obstacle = obstacle();
    return std::move(out_);
  }

 private:
  std::vector<int> context_choices() const {
    return or_fixed(fixed_.cp, powers_of_two(std::max(1.0, job_.sequence / least_context_tokens)));
  }
  std::vector<int> micro_choices() const {
    return or_fixed(fixed_.micro_batch,
                    powers_of_two(std::min(double(max_micro_batch), job_.sequences)));
  }

  void layouts(int tp, int pp, int cp, int ep) {
    ParallelPlan p;
    fixed_.apply(p);
    p.tp = tp, p.pp = pp, p.cp = cp, p.ep = ep;
    p.sequence_parallel = tp > 1;
    // The check does not change with dp or micro-batch: nearly all dead ends stop here.
    for (int micro : micro_choices()) {
      p.micro_batch = micro;
      if (!set_data(p)) continue;
      for (int vpp : virtual_choices(job_, p, fixed_.vpp)) {
        p.vpp = vpp;
        if (illegal(job_, p).empty()) shardings(p);
      }
    }
  }

  /// Largest dp that GPUs, batch and experts allow.
  bool set_data(ParallelPlan& p) const {
    const int inner = p.tp * p.pp * p.cp;
    const int step = p.ep / std::gcd(p.ep, p.tp * p.cp);
    const int most = fixed_.dp > 0 ? fixed_.dp : job_.gpus / inner / step * step;
    if (most < 1 || double(inner) * most > job_.gpus) return false;
    const int least = fixed_.dp > 0 ? fixed_.dp : std::max(step, 1);
    if (job_.batch_fixed) return set_dividing_data(p, least, most, step);
    for (int dp = most; dp >= least; dp -= step) {
      const double steps = job_.sequences / (double(dp) * p.micro_batch);
      p.dp = dp;
      p.micro_batches = to_count(std::max(1.0, std::round(steps)));
      const double off = std::abs(p.global_batch() / job_.sequences - 1);
      if (off <= batch_slack) return true;
      if (steps < 1 && dp > 2 * job_.sequences)
        dp = std::min(dp, to_count(2 * job_.sequences) / step * step + step);
    }
    return false;
  }

  /// With a fixed batch dp x micro-batch must divide it: only its divisors are tried.
  bool set_dividing_data(ParallelPlan& p, int least, int most, int step) const {
    for (const int rows : batch_divisors_) {  // descending
      const int dp = rows / p.micro_batch;
      if (rows % p.micro_batch != 0 || dp > most || dp % step != 0) continue;
      if (dp < least) return false;
      p.dp = dp;
      p.micro_batches = to_count(std::round(job_.sequences)) / rows;
      return true;
    }
    return false;
  }

  static std::vector<int> divisors_descending(double batch) {
    const int n = to_count(std::round(batch));
    std::vector<int> out;
    if (std::abs(batch - n) > 1e-6 * batch) return out;  // no whole split exists
    for (int d = 1; double(d) * d <= n; ++d) {
      if (n % d != 0) continue;
      out.push_back(d);
      if (d != n / d) out.push_back(n / d);
    }
    std::sort(out.rbegin(), out.rend());
    return out;
  }

  void shardings(ParallelPlan p) {
    if (fixed_.zero >= 0) {
      p.zero = static_cast<Zero>(fixed_.zero);
      return recomputes(p);
    }
    p.zero = Zero::optimizer;
    recomputes(p);
    if (p.pp > 1 || p.dp * p.cp == 1) return;
    p.zero = Zero::full;
    recomputes(p);
  }

  void recomputes(ParallelPlan p) {
    for (auto r : {Recompute::none, Recompute::selective, Recompute::full}) {
      if (fixed_.recompute > 0 && int(r) != fixed_.recompute - 1) continue;
      if (!p.modules.empty() && r != Recompute::selective) continue;
      if (p.recompute_layers > 0 && r != Recompute::full) continue;
      p.recompute = r;
      if (consider(p)) return;  // more recomputation is only slower
    }
  }

  /// True when the plan fits the memory.
  bool consider(const ParallelPlan& p) {
    ++out_.legal;
    Candidate c;
    c.plan = p;
    c.memory = memory(job_, table_.total(), table_.activations(p), p);
    const double need = c.memory.total();
    const bool fits = need <= usable_bytes(job_);
    const bool least = out_.legal == 1 || need < out_.least_memory.memory.total();
    if (!fits && !least) return false;
    c.time = step_time(job_, table_.at(p), p);
    c.tokens_per_s = p.global_batch() * job_.sequence / std::max(1e-12, c.time.total());
    if (least) out_.least_memory = c;
    if (fits) keep(c);
    return fits;
  }

  void keep(const Candidate& c) {
    ++out_.fitting;
    auto& best = out_.best;
    if (int(best.size()) == keep_ && !faster(c, best.back())) return;
    best.insert(std::upper_bound(best.begin(), best.end(), c, faster), c);
    if (int(best.size()) > keep_) best.pop_back();
  }

  std::string obstacle() const {
    ParallelPlan p;
    fixed_.apply(p);
    p.tp = std::max(1, fixed_.tp), p.pp = std::max(1, fixed_.pp), p.vpp = std::max(1, fixed_.vpp);
    p.cp = std::max(1, fixed_.cp), p.ep = std::max(1, fixed_.ep);
    p.dp = fixed_.dp > 0 ? fixed_.dp : 1;
    p.micro_batch = std::max(1, fixed_.micro_batch);
    const double steps = job_.sequences / (double(p.dp) * p.micro_batch);
    p.micro_batches = std::max(1, to_count(steps));
    const auto why = illegal(job_, p);
    if (!why.empty()) return why;
    return fmt::format(
        "no split of {} GPUs suits {} layers, {} heads and a batch of {:.0f} "
        "sequences under the fixed parts of the plan",
        job_.gpus, job_.model->layers, job_.model->heads, job_.sequences);
  }

  const Job& job_;
  const PlanSpec& fixed_;
  int keep_;
  CostTable table_;
  std::vector<int> batch_divisors_;  ///< descending
  SearchResult out_;
};

}  // namespace

std::string illegal(const Job& job, const ParallelPlan& p) {
  const auto& m = *job.model;
  if (p.gpus() > job.gpus)
    return fmt::format("tp {} x pp {} x cp {} x dp {} is {} GPUs, and there are {}", p.tp, p.pp,
                       p.cp, p.dp, p.gpus(), job.gpus);
  if (m.heads % p.tp != 0)
    return fmt::format("tp {} does not divide {} heads; nearest is {}", p.tp, m.heads,
                       nearest_divisor(m.heads, p.tp));
  if (!m.is_mixture() && m.ffn % p.tp != 0)
    return fmt::format("tp {} does not divide the FFN width {}", p.tp, m.ffn);
  if (p.pp > m.layers) return fmt::format("pp {} is more than {} layers", p.pp, m.layers);
  if (!stage_layers(m.layers, p.pp, p.vpp, m.head ? 1 : 0).legal)
    return fmt::format("pp {} x vpp {} does not split {} layers; nearest pp is {}", p.pp, p.vpp,
                       m.layers, nearest_divisor(m.layers, p.pp));
  if (p.vpp > 1 && p.micro_batches % p.pp != 0)
    return fmt::format("interleaving needs micro-batches ({}) in multiples of pp ({})",
                       p.micro_batches, p.pp);
  if (p.ep > 1 && !m.is_mixture()) return "ep needs a mixture of experts";
  if (p.ep > 1 && m.moe.experts % p.ep != 0)
    return fmt::format("ep {} does not divide {} experts; nearest is {}", p.ep, m.moe.experts,
                       nearest_divisor(m.moe.experts, p.ep));
  if (p.ep > 1 && (p.tp * p.cp * p.dp) % p.ep != 0)
    return fmt::format("ep {} does not divide tp x cp x dp = {}", p.ep, p.tp * p.cp * p.dp);
  const double batch = double(p.dp) * p.micro_batch;
  if (job.batch_fixed && std::abs(p.micro_batches * batch - job.sequences) > 0.5)
    return fmt::format("dp {} x micro-batch {} does not divide a batch of {:.0f} sequences", p.dp,
                       p.micro_batch, job.sequences);
  return illegal_options(job, p);
}

Candidate evaluate(const Job& job, const ParallelPlan& plan) {
  Candidate c;
  c.plan = plan;
  c.memory = memory(job, plan);
  c.time = step_time(job, plan);
  c.tokens_per_s = plan.global_batch() * job.sequence / std::max(1e-12, c.time.total());
  return c;
}

SearchResult search(const Job& job, const SearchOptions& options) {
  if (job.gpus < 1 || job.model->layers < 1 || job.model->heads < 1) {
    SearchResult none;
    none.obstacle = "the model has no layers or there are no GPUs";
    return none;
  }
  return Searcher(job, options).run();
}

}  // namespace headroom::train
