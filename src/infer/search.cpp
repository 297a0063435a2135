#include "infer/search.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <thread>

#include "compute/kernel.hpp"
#include "infer/hardware.hpp"
#include "infer/search_pools.hpp"

namespace headroom::infer {

namespace {

constexpr std::array<std::string_view, 4> objectives{"cost", "energy", "gpus", "fastest"};

double digits(double x, int n) {
  if (x <= 0 || !std::isfinite(x)) return x;
  const double scale = std::pow(10.0, n - 1 - std::floor(std::log10(x)));
  return std::round(x * scale) / scale;
}

/// How far a configuration is from what engines do unasked.
double strangeness(const Candidate& c) {
  const auto& l = c.serve.limits;
  return std::abs(std::log2(l.max_batch / 1024)) + std::abs(std::log2(l.budget / 8192)) +
         (l.speculation > 0 ? 1 : 0) + (c.disaggregated ? 1 : 0);
}

double figure(const Candidate& c, Objective objective) {
  switch (objective) {
    case Objective::cost:
      return c.usd_s > 0 ? c.usd_s : c.gpus * 1e3;  // a priced one goes first
    case Objective::energy:
      return c.power_w;
    case Objective::gpus:
      return c.gpus;
    case Objective::fastest:
      return c.tpot_p_s;
  }
  return 0;
}

}  // namespace

std::span<const std::string_view> objective_names() { return objectives; }

void usual_limits(SearchSpace& space) {
  if (space.max_batch.empty()) space.max_batch = {64, 128, 256, 512, 1024};
  if (space.budget.empty()) space.budget = {2048, 4096, 8192, 16384};
}

double device_power_w(const Device& device, double prefill, double decode) {
  if (device.idle_w <= 0)
    return gpu_power(*device.accelerator, prefill, decode).in(watt)*device.overhead;
  const double idle = std::max(0.0, 1 - prefill - decode);
  return (prefill * device.prefill_w + decode * device.decode_w + idle * device.idle_w) *
         device.overhead;
}

std::vector<int> legal_degrees(const catalog::Model& model, int domain) {
  std::vector<int> out;
  for (int tp = 1; tp <= std::max(domain, 1); tp *= 2)
    if (illegal_degree(model, tp, 1, domain).empty()) out.push_back(tp);
  return out;
}

std::string illegal_degree(const catalog::Model& model, int tp, int pp, int domain) {
  const auto splits = [&](int degree) {
    const int kv = model.is_latent() ? 1 : model.kv_head_count();
    return (model.heads <= 0 || model.heads % degree == 0) &&
           (kv <= 0 || kv % degree == 0 || degree % kv == 0) && degree <= std::max(domain, 1);
  };
  if (tp >= 1 && !splits(tp)) {
    int below = tp - 1, above = tp + 1;
    while (below > 1 && !splits(below)) --below;
    while (above <= domain && !splits(above)) ++above;
    std::string why = tp > domain ? "TP " + std::to_string(tp) + " is more than the " +
                                        std::to_string(domain) + " GPUs of a scale-up domain"
                                  : "TP " + std::to_string(tp) + " does not split the " +
                                        std::to_string(model.heads) + " heads (" +
                                        std::to_string(model.kv_head_count()) +
                                        " of keys and values) of " + model.id;
    why += "; the nearest that does: " + std::to_string(std::max(below, 1));
    if (above <= domain) why += " or " + std::to_string(above);
    return why;
  }
  if (pp > std::max(model.layers, 1))
    return "PP " + std::to_string(pp) + " is more than the " + std::to_string(model.layers) +
           " layers of " + model.id + "; the most is " + std::to_string(model.layers);
  return {};
}

bool runs_format(const catalog::Accelerator& accelerator, Precision weights) {
  if (element_bits(weights) >= 16 || weights == Precision::int4) return true;
  return compute::resolve(accelerator, weights).native;
}

bool better(const Candidate& a, const Candidate& b, Objective objective) {
  if (a.feasible != b.feasible) return a.feasible;
  const auto compare = [](double x, double y) { return x < y ? -1 : x > y ? 1 : 0; };
  int c = compare(digits(figure(a, objective), 4), digits(figure(b, objective), 4));
  if (c == 0) c = compare(a.gpus, b.gpus);
  if (c == 0) c = compare(digits(a.tpot_p_s, 2), digits(b.tpot_p_s, 2));
  if (c == 0) c = compare(strangeness(a), strangeness(b));
  return c != 0 ? c < 0 : a.place < b.place;
}

namespace {

/// The dimensions that share one step model.
struct Family {
  int device = 0;
  Layout layout;
  Draft draft;
  long place = 0;  ///< of its first configuration
};

struct Found {
  std::vector<Candidate> candidates;
  long legal = 0;
};

int domain_of(const Device& d) { return std::max(1, static_cast<int>(d.path.domain)); }

bool fits(const Asked& asked, const Device& d, const Layout& layout, const EngineLimits& limits) {
  const StepModel step(*asked.model, *d.accelerator, d.path, layout, d.engine);
  return replica_memory(step, limits, *asked.model).fits();
}

/// Whether one scale-up domain holds the model by tensor parallelism alone.
bool holds_unstaged(const Asked& asked, const Device& d, const std::vector<int>& degrees,
                    Layout layout, const EngineLimits& limits) {
  layout.pp = 1;
  return std::any_of(degrees.begin(), degrees.end(), [&](int tp) {
    layout.tp = tp;
    return illegal_degree(*asked.model, tp, 1, domain_of(d)).empty() &&
           fits(asked, d, layout, limits);
  });
}

/// Pipeline degrees tried beside `tp`: 1, and where no degree of the domain can hold the weights
/// (`staged`) the fewest that can.
std::vector<int> stages(const Asked& asked, const SearchSpace& space, const Device& d,
                        Layout layout, const EngineLimits& limits, bool staged) {
  if (!space.pp.empty()) return space.pp;
  layout.pp = 1;
  if (fits(asked, d, layout, limits)) return {1};
  if (!staged) return {};
  constexpr int most = 32;
  for (layout.pp = 2; layout.pp <= std::min(most, std::max(asked.model->layers, 1)); layout.pp *= 2)
    if (fits(asked, d, layout, limits)) return {layout.pp};
  return {};
}

EngineLimits limits_of(const SearchSpace& space, const Draft& draft, int batch, int budget) {
  EngineLimits l;
  l.max_batch = batch;
  l.budget = budget;
  l.memory_share = space.memory_share;
  l.speculation = draft.length;
  l.acceptance = draft.acceptance;
  l.draft_cost = draft.cost;
  return l;
}

/// How the experts and the attention of a mixture may be spread beside `tp`.
std::vector<Layout> spreads(const Asked& asked, const SearchSpace& space, const Layout& layout,
                            int domain) {
  std::vector<Layout> out;
  const bool mixture = asked.model->is_mixture();
  std::vector<int> beside = space.attention_dp;
  if (beside.empty())
    for (int d = 1; d == 1 || (mixture && layout.tp * d <= domain); d *= 2) beside.push_back(d);
  for (const int d : beside) {
    const int ranks = layout.tp * d;
    if (d > 1 && (!mixture || ranks > domain)) continue;
    std::vector<int> ways = space.ep;
    if (ways.empty()) {
      if (d == 1) ways.push_back(1);
      if (mixture && ranks > 1) ways.push_back(ranks);
    }
    for (const int ep : ways) {
      if (ep > 1 && (!mixture || ranks % ep != 0 || asked.model->moe.experts % ep != 0)) continue;
      Layout l = layout;
      l.attention_dp = d, l.ep = ep;
      out.push_back(l);
    }
  }
  return out;
}

std::vector<Family> families(const Asked& asked, const SearchSpace& space) {
  std::vector<Family> out;
  const long each = long(space.max_batch.size() * space.budget.size());
  long place = 0;
  const EngineLimits least = limits_of(space, {}, space.max_batch.front(), space.budget.front());
  for (std::size_t d = 0; d < space.devices.size(); ++d) {
    const Device& device = space.devices[d];
    const auto degrees =
        space.tp.empty() ? legal_degrees(*asked.model, domain_of(device)) : space.tp;
    for (const Layout& format : space.formats) {
      if (!runs_format(*device.accelerator, format.weights)) continue;
      const bool staged = !holds_unstaged(asked, device, degrees, format, least);
      for (const int tp : degrees) {
        if (!illegal_degree(*asked.model, tp, 1, domain_of(device)).empty()) continue;
        Layout layout = format;
        layout.tp = tp;
        for (const int pp : stages(asked, space, device, layout, least, staged)) {
          layout.pp = pp;
          if (pp > std::max(asked.model->layers, 1)) continue;
          for (const Layout& spread : spreads(asked, space, layout, domain_of(device))) {
            for (const Draft& draft : space.drafts) {
              out.push_back({int(d), spread, draft, place});
              place += each;
            }
          }
        }
      }
    }
  }
  return out;
}

Found sweep(const Asked& asked, const SearchSpace& space, const Family& f) {
  Found out;
  const Device& device = space.devices[std::size_t(f.device)];
  const StepModel step(*asked.model, *device.accelerator, device.path, f.layout, device.engine);
  long place = f.place;
  for (const int batch : space.max_batch) {
    for (const int budget : space.budget) {
      const long here = place++;
      if (batch > budget) continue;  // vLLM refuses max_num_batched_tokens < max_num_seqs
      const EngineLimits limits = limits_of(space, f.draft, batch, budget);
      const Replica replica(*asked.model, step, limits);
      if (!replica.memory().fits()) continue;
      const double longest = std::max(asked.longest, asked.load.input + asked.load.output);
      if (replica.kv_cap(longest) < 1) continue;
      ++out.legal;
      Candidate c = evaluate_replica(asked, device, replica, 0);
      c.device = f.device;
      c.place = here;
      out.candidates.push_back(c);
    }
  }
  return out;
}

template <class Work>
void in_threads(int threads, std::size_t count, Stage& stage, Work work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next++; i < count && !stage.stop_asked(); i = next++) {
      work(i);
      stage.count();
    }
  };
  std::vector<std::thread> all;
  for (int t = 1; t < std::min<int>(threads, int(count)); ++t) all.emplace_back(run);
  run();
  for (auto& t : all) t.join();
  stage.check();
}

void name_obstacle(const Asked& asked, SearchResult& r) {
  if (r.nearest.device < 0) {
    r.obstacle = "no layout holds the weights of " + asked.model->id +
                 ", the engine's workspace and one request";
    return;
  }
  if (r.nearest.violation > 1)
    r.obstacle = std::string("the ") + binding_name(r.nearest.binding) +
                 " asked cannot be met, even by one request alone: the nearest takes " +
                 amount(r.nearest.violation, "times as long", 3);
  else
    r.obstacle = "the GPUs had are too few: the nearest configuration needs " +
                 amount(r.nearest.gpus, "GPUs", 6);
}

/// Of those that cannot: the least violation, then the fewest GPUs.
bool nearer(const Candidate& a, const Candidate& b) {
  const double va = std::max(1.0, digits(a.violation, 3)),
               vb = std::max(1.0, digits(b.violation, 3));
  if (va != vb) return va < vb;
  if (a.gpus != b.gpus) return a.gpus < b.gpus;
  return a.place < b.place;
}

}  // namespace

SearchResult search(const Asked& asked, const SearchSpace& given, const SearchOptions& options) {
  SearchSpace space = given;
  usual_limits(space);
  const auto all = families(asked, space);
  std::vector<Found> found(all.size());
  Stage stage(options.progress, "searching configurations", all.size());
  in_threads(options.threads, all.size(), stage,
             [&](std::size_t i) { found[i] = sweep(asked, space, all[i]); });
  SearchResult r;
  std::vector<Candidate> candidates;
  for (auto& f : found) {
    r.legal += f.legal;
    candidates.insert(candidates.end(), f.candidates.begin(), f.candidates.end());
  }
  if (space.disaggregated) {
    auto pairs = disaggregate(asked, space, candidates, stage);
    if (!space.aggregated) candidates.clear();
    r.legal += long(pairs.size());
    candidates.insert(candidates.end(), pairs.begin(), pairs.end());
  }
  r.evaluated = r.legal;
  for (const auto& c : candidates) {
    if (c.feasible) ++r.feasible;
    if (!c.feasible && (r.nearest.device < 0 || nearer(c, r.nearest))) r.nearest = c;
  }
  if (options.front) r.front = pareto(asked, space, candidates);
  const auto by = [&](const Candidate& a, const Candidate& b) {
    return better(a, b, options.objective);
  };
  const auto kept = std::min(candidates.size(), std::size_t(std::max(1, options.keep)) * 400);
  std::partial_sort(candidates.begin(), candidates.begin() + long(kept), candidates.end(), by);
  candidates.resize(kept);
  r.best = distinct(candidates, options.keep);
  if (r.best.empty()) name_obstacle(asked, r);
  return r;
}

Candidate evaluate(const Asked& asked, const Device& device, const Layout& layout,
                   const EngineLimits& limits, double replicas) {
  const StepModel step(*asked.model, *device.accelerator, device.path, layout, device.engine);
  Candidate c = evaluate_replica(asked, device, Replica(*asked.model, step, limits), replicas);
  c.device = 0;
  return c;
}

}  // namespace headroom::infer
