#include "train/search_space.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace headroom::train {
namespace {

using P = ParallelPlan;
using Choices = std::vector<int>;

/// Place in the table behind the dimension of that name.
std::size_t after(std::string_view name);

// The planner's bounds: what runs are made with.
constexpr int planned_micro_batch = 16;
constexpr double planned_context_tokens = 4096;
// Exhaustive: two chunks of one attention tile (128 queries) a rank.
constexpr double least_context_tokens = 256;
// A batch that is ours to choose may move this far to fill the GPUs.
constexpr double batch_slack = 0.25;
// Open batches and many GPUs: values of dp that lie closer are one choice.
constexpr double dp_spacing = 1.02;

void powers_of_two(double most, Choices& out) {
  for (int n = 1; n <= most; n *= 2) out.push_back(n);
}

template <class Predicate>
void all_up_to(double most, Choices& out, Predicate ok) {
  for (int n = 1; n <= most; ++n)
    if (ok(n)) out.push_back(n);
}

Choices divisors(int n) {
  Choices out, above;
  for (int d = 1; double(d) * d <= n; ++d) {
    if (n % d != 0) continue;
    out.push_back(d);
    if (d != n / d) above.push_back(n / d);
  }
  out.insert(out.end(), above.rbegin(), above.rend());
  return out;
}

void pipeline_choices(const Scope& s, const P&, Choices& out) {
  const int layers = s.job.model->layers, gpus = s.job.gpus, most = std::min(layers, gpus);
  const auto power = [](int n) { return (n & (n - 1)) == 0; };
  auto p = s.start();
  all_up_to(most, out, [&](int pp) {
    p.pp = pp;
    if (s.options.all_gpus && gpus % pp != 0) return false;
    return s.options.exhaustive ? s.rules.stages_split(p) : power(pp) || layers % pp == 0;
  });
}

void tensor_choices(const Scope& s, const P& p, Choices& out) {
  const int room = s.job.gpus / p.pp;
  if (s.options.exhaustive)
    return all_up_to(std::min(room, s.job.model->heads), out, [&](int tp) {
      return s.rules.heads_split(tp) && (!s.options.all_gpus || room % tp == 0);
    });
  Choices all;
  powers_of_two(std::min(room, s.job.domain), all);
  for (int tp : all)
    if (s.rules.heads_split(tp)) out.push_back(tp);
}

void context_choices(const Scope& s, const P& p, Choices& out) {
  const double sequence = s.job.sequence, room = double(s.job.gpus) / p.pp / p.tp;
  if (!s.options.exhaustive) {
    Choices all;
    powers_of_two(std::min(room, std::max(1.0, sequence / planned_context_tokens)), all);
    for (int cp : all)
      if (cp == 1 || std::fmod(sequence, 2.0 * cp) == 0) out.push_back(cp);
    return;
  }
  const double most = std::min(room, std::max(1.0, sequence / least_context_tokens));
  all_up_to(most, out, [&](int cp) { return cp == 1 || std::fmod(sequence, 2.0 * cp) == 0; });
}

void expert_choices(const Scope& s, const P& p, Choices& out) {
  const auto& m = *s.job.model;
  if (!m.is_mixture()) return out.push_back(1);
  const double room = s.job.gpus / p.pp;
  all_up_to(std::min<double>(room, m.moe.experts), out, [&](int ep) {
    return m.moe.experts % ep == 0 && (s.options.exhaustive || (ep & (ep - 1)) == 0);
  });
}

/// Experts cut over powers of two of ranks, where the plan's default is another number.
void expert_tensor_choices(const Scope& s, const P& p, Choices& out) {
  out.push_back(0);
  const auto& m = *s.job.model;
  if (!s.options.finer || !m.is_mixture()) return;
  const int usual = p.ep == 1 ? p.tp : 1;  // of etp 0
  for (int cut = 1; cut <= std::min(s.job.domain, s.job.gpus / p.pp); cut *= 2)
    if (cut != usual && m.moe.ffn % cut == 0) out.push_back(cut);
}

void context_kind_choices(const Scope& s, const P& p, Choices& out) {
  out.push_back(int(ContextKind::ring));
  if (!s.options.finer || p.cp == 1) return;
  if (std::fmod(s.job.model->heads, double(p.tp) * p.cp) == 0)
    out.push_back(int(ContextKind::all_to_all));
  out.push_back(int(ContextKind::all_gather));
}

void sequence_parallel_choices(const Scope& s, const P& p, Choices& out) {
  const bool can = p.tp > 1 && std::fmod(s.job.sequence / p.cp, p.tp) == 0;
  const bool wants = s.job.software.sequence_parallel || p.ep > 1;
  if (can && (s.options.exhaustive || wants)) out.push_back(1);
  if (p.ep > 1 && p.tp > 1) return;  // needs it
  if (!can || s.options.exhaustive || !wants) out.push_back(0);
}

void micro_batch_choices(const Scope& s, const P&, Choices& out) {
  if (!s.options.exhaustive)
    return powers_of_two(std::min(double(planned_micro_batch), s.job.sequences), out);
  if (!s.job.batch_fixed) return powers_of_two(s.job.sequences, out);
  out = s.batch_divisors;
}

/// An open batch is moved by no more than the slack.
bool moved_little(const Scope& s, P p) {
  p.micro_batches = micro_batches(s.job, p);
  return std::abs(p.global_batch() / s.job.sequences - 1) <= batch_slack;
}

bool suits_open_batch(const Scope& s, P p, int dp) {
  p.dp = dp, p.vpp = 1;
  return moved_little(s, p);
}

/// Values of dp up to `most`, in multiples of `step`, that divide the batch, largest first.
void dividing_dp(const Scope& s, const P& p, int most, int step, bool one, Choices& out) {
  for (std::size_t k = s.batch_divisors.size(); k-- > 0;) {
    const int rows = s.batch_divisors[k], dp = rows / p.micro_batch;
    if (rows % p.micro_batch != 0 || dp < 1 || dp > most || dp % step != 0) continue;
    out.push_back(dp);
    if (one) return;
  }
}

void open_dp(const Scope& s, const P& p, int most, int step, bool one, Choices& out) {
  const double useful = s.job.sequences * (1 + batch_slack) / p.micro_batch;
  most = to_count(std::min(double(most), useful)) / step * step;
  for (int dp = most; dp >= 1; dp = std::min(dp - step, to_count(dp / dp_spacing) / step * step)) {
    // Without the thinning: the largest that suits may lie between two thinned values.
    if (one)
      while (dp >= 1 && !suits_open_batch(s, p, dp)) dp -= step;
    if (dp < 1 || !suits_open_batch(s, p, dp)) continue;
    out.push_back(dp);
    if (one) return;
  }
}

void data_choices(const Scope& s, const P& p, Choices& out) {
  const double inner = double(p.tp) * p.pp * p.cp;
  if (inner > s.job.gpus) return;
  const int unit = p.ep * std::max(1, p.etp);  // ranks that hold one copy of the experts
  const int step = unit / std::gcd(unit, p.tp * p.cp), room = to_count(s.job.gpus / inner);
  if (const int dp = s.fixed[data_dimension()]; dp != open_choice) {
    if (dp < 1 || dp > room || dp % step != 0) return;
    if (s.job.batch_fixed || suits_open_batch(s, p, dp)) out.push_back(dp);
    return;
  }
  if (s.options.all_gpus) {
    if (inner * room != s.job.gpus || room % step != 0) return;
    if (s.job.batch_fixed || suits_open_batch(s, p, room)) out.push_back(room);
    return;
  }
  const bool one = !s.options.exhaustive && !s.weighs_gpus();
  const int most = room / step * step;
  if (!s.job.batch_fixed) return open_dp(s, p, most, step, one, out);
  dividing_dp(s, p, most, step, one, out);
}

/// Chunks of distinct sizes: more chunks of the same size would be empty ones.
void virtual_choices(const Scope& s, const P& p, Choices& out) {
  out.push_back(1);
  if (p.pp == 1 || p.schedule != Schedule::one_f_one_b) return;
  P other = p;
  other.vpp = 2;
  if (s.job.batch_fixed ? p.micro_batches % p.pp != 0 : !moved_little(s, other)) return;
  const int layers = s.job.model->layers, most = (layers + p.pp - 1) / p.pp;
  int last_chunk = most;
  for (int v = 2; v <= most; ++v) {
    const int chunk = (layers + p.pp * v - 1) / (p.pp * v);
    other.vpp = v;
    if (chunk != last_chunk && s.rules.stages_split(other)) out.push_back(v);
    last_chunk = chunk;
  }
}

/// 1F1B, and what else can run these stages and micro-batches.
void schedule_choices(const Scope& s, const P& p, Choices& out) {
  out.push_back(int(Schedule::one_f_one_b));
  if (!s.options.finer || p.pp == 1 || p.vpp > 1) return;
  P other = p;
  for (auto to :
       {Schedule::gpipe, Schedule::zero_bubble_h1, Schedule::zero_bubble_v, Schedule::dualpipe}) {
    other.schedule = to;
    if (!s.rules.bars_schedule(other)) out.push_back(int(to));
  }
}

/// ZeRO 2 beside a pipeline is left out: gradients accumulate over its micro-batches, so
/// frameworks keep them whole (DeepSpeed's pipeline engine refuses stages 2 and 3).
void zero_choices(const Scope& s, const P& p, Choices& out) {
  const bool several = double(p.dp) * p.cp > 1;
  if (s.options.exhaustive) {
    out.push_back(int(Zero::replicated));
    if (!several) return;
    out.push_back(int(Zero::optimizer));
    if (p.pp == 1) out.push_back(int(Zero::gradients));
    return out.push_back(int(Zero::full));
  }
  out.push_back(int(s.job.software.sharded_optimiser ? Zero::optimizer : Zero::replicated));
  if (p.pp == 1 && several) out.push_back(int(Zero::full));
}

/// Even ends are a plan of their own only where the head would move a layer.
void balance_choices(const Scope& s, const P& p, Choices& out) {
  const bool on = s.job.software.balanced;
  out.push_back(on);
  if (!s.options.exhaustive || p.pp == 1) return;
  P with = p, without = p;
  with.balanced = on, without.balanced = !on;
  const auto a = s.rules.stages(with), b = s.rules.stages(without);
  if (b.legal && (a.first != b.first || a.middle != b.middle || a.last != b.last))
    out.push_back(!on);
}

/// FSDP in groups that fill whole scale-up domains, copies beyond (HSDP).
void shard_group_choices(const Scope& s, const P& p, Choices& out) {
  out.push_back(0);
  if (!s.options.finer || p.zero != Zero::full) return;
  const int ranks = p.dp * p.cp;
  for (int group = 2; group <= ranks / 2; ++group)
    if (ranks % group == 0 && double(group) * p.tp >= s.job.domain) out.push_back(group);
}

void offload_choices(const Scope& s, const P&, Choices& out) {
  out.push_back(0);
  if (s.options.finer && s.job.host_link > 0) out.push_back(10'000);
}

/// Modules are recomputed by `selective` and counted layers by `full` only.
void recompute_choices(const Scope& s, const P&, Choices& out) {
  static const std::size_t modules = after("modules") - 1, layers = after("recompute-layers") - 1;
  if (s.fixed[modules] > 0) return out.push_back(int(Recompute::selective));
  if (s.fixed[layers] > 0) return out.push_back(int(Recompute::full));
  for (auto r : {Recompute::none, Recompute::selective, Recompute::full}) out.push_back(int(r));
}

/// What `selective` means, or the FFN or mixture as well.
void module_choices(const Scope& s, const P& p, Choices& out) {
  const auto& m = *s.job.model;
  out.push_back(0);
  if (!s.options.finer || p.recompute != Recompute::selective) return;
  constexpr auto usual = Modules{}.with(Module::layernorm).with(Module::moe_act);
  if (m.is_latent()) out.push_back(usual.with(Module::mla_up_proj).bits);
  const auto block = m.is_mixture() ? Module::moe : Module::mlp;
  out.push_back(Modules{}.with(Module::layernorm).with(block).bits);
}

/// Full recomputation of every layer, or of one to three quarters of a rank's chunk.
void recompute_layer_choices(const Scope& s, const P& p, Choices& out) {
  out.push_back(0);
  if (!s.options.finer || p.recompute != Recompute::full) return;
  const auto stages = s.rules.stages(p);
  const int chunk = std::max({stages.first, stages.middle, stages.last}) / p.vpp;
  int last = 0;
  for (int quarter = 1; quarter < 4; ++quarter) {
    const int layers = chunk * quarter / 4;
    if (layers > last) out.push_back(last = layers);
  }
}

// --- The table ---------------------------------------------------------------------------

template <auto Member>
int get(const P& p) {
  return static_cast<int>(p.*Member);
}
template <auto Member>
void set(P& p, int value) {
  p.*Member = static_cast<std::remove_reference_t<decltype(p.*Member)>>(value);
}
template <auto Member>
constexpr Dimension field(const char* name, void (*choices)(const Scope&, const P&, Choices&),
                          int (*fixed)(const PlanSpec&), unsigned uses = uses_none,
                          bool first_fit = false) {
  return {name, get<Member>, set<Member>, choices, fixed, uses, first_fit};
}

/// Counts of PlanSpec are open at 0.
template <auto Member>
int counted(const PlanSpec& f) {
  return f.*Member > 0 ? f.*Member : open_choice;
}
int open(const PlanSpec&) { return open_choice; }
int fixed_zero(const PlanSpec& f) { return f.zero >= 0 ? f.zero : open_choice; }
int fixed_recompute(const PlanSpec& f) { return f.recompute > 0 ? f.recompute - 1 : open_choice; }

int fixed_context(const PlanSpec& f) { return f.context > 0 ? f.context : open_choice; }
int fixed_schedule(const PlanSpec& f) { return f.schedule > 0 ? f.schedule - 1 : open_choice; }
int fixed_modules(const PlanSpec& f) {
  return f.recompute_modules.empty() ? open_choice : f.recompute_modules.bits;
}

// Shares and sets are whole numbers in the table: parts of ten thousand, bits.
constexpr int whole_share = 10'000;
template <auto Member>
int get_share(const P& p) {
  return static_cast<int>(std::lround(whole_share * (p.*Member)));
}
template <auto Member>
void set_share(P& p, int parts) {
  p.*Member = parts / double(whole_share);
}
template <auto Member>
int fixed_share(const PlanSpec& f) {
  return f.*Member ? static_cast<int>(std::lround(whole_share * (f.*Member).get().si()))
                   : open_choice;
}
template <auto Member, auto Fixed>
constexpr Dimension share(const char* name) {
  return {name, get_share<Member>, set_share<Member>, offload_choices, fixed_share<Fixed>};
}
int get_modules(const P& p) { return p.modules.bits; }
void set_modules(P& p, int bits) { p.modules.bits = static_cast<unsigned char>(bits); }

constexpr Dimension finer(Dimension d) {
  d.finer = true;
  return d;
}

constexpr unsigned both = uses_kernels | uses_storage;

// Order: cells of work first, then what their tables depend on, then the layout; at the end what
// only picks among formulas.
constexpr Dimension table[] = {
    field<&P::pp>("pp", pipeline_choices, counted<&PlanSpec::pp>),
    field<&P::tp>("tp", tensor_choices, counted<&PlanSpec::tp>, both),
    field<&P::cp>("cp", context_choices, counted<&PlanSpec::cp>, both),
    field<&P::ep>("ep", expert_choices, counted<&PlanSpec::ep>, both),
    finer(field<&P::etp>("etp", expert_tensor_choices, counted<&PlanSpec::etp>, both)),
    finer(field<&P::context>("context", context_kind_choices, fixed_context, both)),
    field<&P::sequence_parallel>("sequence-parallel", sequence_parallel_choices, open, both),
    field<&P::micro_batch>("micro-batch", micro_batch_choices, counted<&PlanSpec::micro_batch>,
                           uses_kernels),
    field<&P::dp>("dp", data_choices, counted<&PlanSpec::dp>),
    field<&P::vpp>("vpp", virtual_choices, counted<&PlanSpec::vpp>),
    finer(field<&P::schedule>("schedule", schedule_choices, fixed_schedule)),
    field<&P::balanced>("balanced", balance_choices, open),
    field<&P::zero>("zero", zero_choices, fixed_zero),
    finer(field<&P::hsdp>("hsdp", shard_group_choices, counted<&PlanSpec::hsdp>)),
    finer(share<&P::offload_optimiser, &PlanSpec::offload_optimiser>("offload-optimiser")),
    finer(share<&P::offload_activations, &PlanSpec::offload_activations>("offload-activations")),
    field<&P::recompute>("recompute", recompute_choices, fixed_recompute,
                         uses_storage | uses_pipeline, true),
    finer(
        {"modules", get_modules, set_modules, module_choices, fixed_modules, both | uses_pipeline}),
    finer(field<&P::recompute_layers>("recompute-layers", recompute_layer_choices,
                                      counted<&PlanSpec::recompute_layers>,
                                      uses_storage | uses_pipeline)),
};

std::size_t after(std::string_view name) {
  std::size_t n = 0;
  while (table[n].name != name) ++n;
  return n + 1;
}

}  // namespace

Scope::Scope(const Job& j, const SearchOptions& o, const Rules& r) : job(j), options(o), rules(r) {
  for (const auto& d : table) {
    fixed.push_back(d.fixed(o.fixed));
    for (const auto& pin : o.pins)
      if (pin.dimension == d.name) fixed.back() = pin.value;
  }
  const int n = to_count(std::round(j.sequences));
  // Else no whole split exists.
  if (std::abs(j.sequences - n) <= 1e-6 * j.sequences) batch_divisors = divisors(n);
}

ParallelPlan Scope::start() const {
  ParallelPlan p;
  options.fixed.apply(p);
  return p;
}

bool Scope::weighs_gpus() const {
  return options.front || options.objective == Objective::smallest ||
         options.objective == Objective::cheapest;
}

std::span<const Dimension> dimensions() { return table; }

std::vector<std::string_view> dimension_names() {
  std::vector<std::string_view> out;
  for (const auto& d : table) out.emplace_back(d.name);
  return out;
}

void list_choices(const Scope& scope, std::size_t k, const ParallelPlan& plan,
                  std::vector<int>& out) {
  out.clear();
  // A fixed dp must suit the batch, so its choices see to it.
  if (scope.fixed[k] != open_choice && k != data_dimension()) return out.push_back(scope.fixed[k]);
  table[k].choices(scope, plan, out);
}

std::size_t layout_dimensions() { return after("balanced"); }
std::size_t data_dimension() { return after("dp") - 1; }
std::size_t virtual_dimension() { return after("vpp") - 1; }
std::size_t cell_dimensions() { return after("ep"); }

int micro_batches(const Job& job, const ParallelPlan& p) {
  const double wanted = job.sequences / (double(p.dp) * p.micro_batch);
  // Interleaving takes multiples of pp: an open batch moves to the nearest.
  const int unit = p.vpp > 1 && !job.batch_fixed ? p.pp : 1;
  return std::max(1, to_count(std::round(wanted / unit))) * unit;
}

}  // namespace headroom::train
