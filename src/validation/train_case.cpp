#include "validation/train_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/memory.hpp"

namespace headroom::validation {
namespace {

using catalog::TrainingSoftware;
using train::ParallelPlan;
using train::Zero;
using Failure = tl::unexpected<std::string>;

bool contains(std::string_view text, std::string_view part) {
  return !part.empty() && lower(text).find(lower(part)) != std::string::npos;
}

// --- Software -----------------------------------------------------------------------------

/// "compile=false" holds in a row that states compile: false, "gpu~h100|h200" in one whose
/// GPU's text contains either.
bool holds(const Facts& f, const std::string& condition) {
  const auto at = condition.find_first_of("=~");
  if (at == std::string::npos) return false;
  const auto value = lower(f.text(condition.substr(0, at)));
  const auto wanted = lower(condition.substr(at + 1));
  if (condition[at] == '=') return value == wanted;
  for (std::size_t from = 0; from <= wanted.size();) {
    const auto to = std::min(wanted.find('|', from), wanted.size());
    if (to > from && value.find(wanted.substr(from, to - from)) != std::string::npos) return true;
    from = to + 1;
  }
  return false;
}

struct SoftwareScore {
  std::size_t conditions = 0;
  bool dated = false;
  std::size_t match = 0;

  bool better_than(const SoftwareScore& o) const {
    if (dated != o.dated) return dated;
    if (conditions != o.conditions) return conditions > o.conditions;
    return match > o.match;
  }
};

std::optional<SoftwareScore> score(const TrainingSoftware& e, const TrainRow& row,
                                   const std::string& date) {
  SoftwareScore s;
  // A document's number ("2205.05198") names the generation better than a framework's name.
  constexpr std::size_t document = 100;
  for (const auto& text : e.matches)
    if (contains(row.source, text) || contains(row.facts.text("framework"), text))
      s.match = std::max(
          s.match,
          text.size() + (std::isdigit(static_cast<unsigned char>(text[0])) != 0 ? document : 0));
  if (s.match == 0) return std::nullopt;
  for (const auto& condition : e.when)
    if (!holds(row.facts, condition)) return std::nullopt;
  s.conditions = e.when.size();
  s.dated =
      date.empty() || ((e.from.empty() || e.from <= date) && (e.until.empty() || date <= e.until));
  return s;
}

// --- Plan ---------------------------------------------------------------------------------

constexpr double most_ranks = 1e7;

/// A whole number above 0, or nothing with a reason.
std::optional<int> count(const TrainRow& row, const char* key, std::optional<int> fallback,
                         std::string& reason) {
  const auto v = row.facts.number(key);
  if (!v) {
    if (!fallback) reason = fmt::format("{} not given", key);
    return fallback;
  }
  if (*v < 1 || *v > most_ranks || *v != std::floor(*v)) {
    reason = fmt::format("{} is {}, expected a whole number above 0", key, row.facts.text(key));
    return std::nullopt;
  }
  return int(*v);
}

/// What the backward pass computes again, in a row's words: full, none, unknown, selective,
/// selective-op (torchtitan), selective:[moe_act, layernorm] (Megatron-Core's modules).
void read_recompute(const std::string& text, ParallelPlan& p) {
  const auto t = lower(text);
  p.recompute = train::Recompute::none;
  if (t.rfind("full", 0) == 0 || t == "true") p.recompute = train::Recompute::full;
  if (t.rfind("selective", 0) != 0) return;
  if (t.rfind("selective-op", 0) == 0) p.modules = train::Modules{}.with(train::Module::op);
  const auto names = train::module_names();
  for (std::size_t from = t.find('['); from < t.size();) {
    const auto to = std::min(t.find_first_of(",]", ++from), t.size());
    auto word = t.substr(from, to - from);
    std::erase(word, ' ');
    for (std::size_t i = 0; i < names.size(); ++i)
      if (word == names[i]) p.modules = p.modules.with(static_cast<train::Module>(i));
    from = to;
  }
  // "selective:[]" names no module.
  const bool listed = t.find(':') != std::string::npos;
  if (!listed || !p.modules.empty()) p.recompute = train::Recompute::selective;
}

/// Schedules by the names that papers give them; 1F1B otherwise.
train::Schedule schedule_of(const std::string& text) {
  const auto t = lower(text);
  const auto has = [&](const char* part) { return t.find(part) != std::string::npos; };
  if (has("dualpipe")) return train::Schedule::dualpipe;
  if (has("gpipe")) return train::Schedule::gpipe;
  if (has("zb-v") || has("zbv") || has("zero_bubble_v")) return train::Schedule::zero_bubble_v;
  if (has("zb") || has("zero")) return train::Schedule::zero_bubble_h1;
  return train::Schedule::one_f_one_b;
}

Precision precision_of(std::string text) {
  text = lower(text);
  for (const char* prefix : {"amp_", "amp-"})
    if (text.rfind(prefix, 0) == 0) text = text.substr(4);
  if (const auto p = parse_precision(text)) return *p;
  // fp8-cs, fp8_hybrid, mxfp8_..., nvfp4-...: the longest known name it begins with.
  std::string best;
  for (const auto name : precision_names())
    if (text.rfind(std::string(name), 0) == 0 && name.size() > best.size()) best = name;
  return parse_precision(best).value_or(Precision::bf16);
}

/// Gradients cross the network in bf16 with FSDP's PURE mixed precision.
workload::TrainingPrecision state_of(const TrainRow& row, Precision precision) {
  if (lower(row.facts.text("fsdp_mp")) == "pure")
    return workload::TrainingPrecision::bf16_bf16_grads;
  return train::training_state(train::StatePrecision::by_precision, precision);
}

/// The row's parallel plan; nothing with a reason.
std::optional<ParallelPlan> plan_of(const TrainRow& row, const TrainingSoftware& software,
                                    double sequences, TrainCase& out, std::string& reason) {
  const auto gpus = count(row, "gpus", {}, reason);
  const auto tp = count(row, "tp", {}, reason), pp = count(row, "pp", {}, reason);
  const auto vpp = count(row, "vpp", 1, reason), cp = count(row, "cp", 1, reason);
  const auto ep = count(row, "ep", 1, reason), mbs = count(row, "mbs", 1, reason);
  const auto etp = count(row, "etp", 0, reason);
  if (!gpus || !tp || !pp || !vpp || !cp || !ep || !mbs || !etp) return std::nullopt;
  if (!row.facts.number("mbs")) out.assumptions.emplace_back("micro-batch 1");
  const double inner = double(*tp) * *pp * *cp;
  if (inner > *gpus || std::fmod(double(*gpus), inner) != 0) {
    reason =
        fmt::format("{} GPUs are not tp {} x pp {} x cp {} x a whole dp", *gpus, *tp, *pp, *cp);
    return std::nullopt;
  }
  ParallelPlan p;
  p.tp = *tp, p.pp = *pp, p.vpp = *vpp, p.cp = *cp, p.ep = *ep, p.micro_batch = *mbs;
  p.etp = *etp;
  p.dp = int(*gpus / inner);
  if (p.ep > p.tp * p.cp * p.dp) {
    reason = fmt::format("ep {} is more than tp x cp x dp = {}", p.ep, p.tp * p.cp * p.dp);
    return std::nullopt;
  }
  p.micro_batches =
      int(std::clamp(std::round(sequences / (double(p.dp) * p.micro_batch)), 1.0, 1e9));
  const auto zero = row.facts.number("zero");
  p.zero = static_cast<Zero>(
      int(std::clamp(zero.value_or(software.sharded_optimiser ? 1 : 0), 0.0, 3.0)));
  const auto recompute = row.facts.text("recompute");
  if (recompute.empty() || lower(recompute) == "unknown")
    out.assumptions.emplace_back("no recomputation");
  read_recompute(recompute, p);
  p.schedule = schedule_of(row.facts.text("schedule"));
  p.sequence_parallel = p.tp > 1 && row.facts.flag("sp").value_or(software.sequence_parallel);
  p.balanced = software.balanced;
  return p;
}

/// Why a model's shape cannot be evaluated; empty when it can.
std::string unusable(const catalog::Model& m) {
  const auto missing = [](const char* what) { return fmt::format("model without {}", what); };
  if (m.layers <= 0) return missing("layers");
  if (m.hidden <= 0) return missing("hidden");
  if (m.heads <= 0) return missing("heads");
  if (m.ffn <= 0 && m.moe.ffn <= 0) return missing("ffn");
  if (m.vocab <= 0) return missing("vocab");
  if (m.moe.experts > 0 && (m.moe.active <= 0 || m.moe.ffn <= 0)) return missing("topk or moe_ffn");
  for (const int size : {m.layers, m.hidden, m.heads, m.ffn, m.vocab, m.moe.experts})
    if (size > 100'000'000) return "model with a size beyond reason";
  return {};
}

// --- Measured -----------------------------------------------------------------------------

FlopsConvention parse_convention(const std::string& text) {
  // "full (not causal-halved) attention" names both words; what it begins with counts.
  const auto t = lower(text);
  const auto full = t.find("full"), causal = t.find("causal");
  if (full == std::string::npos && causal == std::string::npos) return FlopsConvention::unknown;
  return full < causal ? FlopsConvention::full : FlopsConvention::causal;
}

FlopsConvention convention_of(const TrainingSoftware& e) {
  switch (e.flops_count) {
    case catalog::FlopsCount::causal:
      return FlopsConvention::causal;
    case catalog::FlopsCount::full:
      return FlopsConvention::full;
    case catalog::FlopsCount::unknown:
      break;
  }
  return FlopsConvention::unknown;
}

std::optional<double> positive(const Facts& f, const char* key) {
  const auto v = f.number(key);
  return v && *v > 0 ? v : std::nullopt;
}

/// Seconds a step from what the row prints in time or tokens; nothing when neither.
std::optional<double> seconds_of(const TrainRow& row, const train::Job& job, int gpus) {
  const auto& f = row.facts;
  const double tokens = job.sequences * job.sequence;
  if (const auto s = positive(f, "s_per_iter")) return s;
  if (const auto ms = positive(f, "ms_per_iter")) return *ms / 1e3;
  if (const auto ms = positive(f, "step_ms")) return *ms / 1e3;
  if (const auto r = positive(f, "tok_s_gpu")) return tokens / (*r * gpus);
  if (const auto r = positive(f, "tok_s")) return tokens / *r;
  if (const auto r = positive(f, "seq_s")) return job.sequences / *r;
  return positive(f, "s_per_iter_derived");
}

double flops_of(const TrainCase& c, FlopsConvention convention) {
  const auto f = train::step_flops(c.job, c.plan);
  return c.batch_scale * (convention == FlopsConvention::full ? f.model_full : f.model_causal);
}

void read_memory(const TrainRow& row, TrainCase& c) {
  constexpr double gib = 1024.0 * 1024 * 1024;
  if (const auto v = positive(row.facts, "mem_gb")) c.measured_bytes = *v * 1e9;
  if (const auto v = positive(row.facts, "mem_gib")) c.measured_bytes = *v * gib;
  // torchtitan logs the allocator's peak reserve (torch.cuda.max_memory_reserved).
  if (contains(row.source, "torchtitan")) c.reading = MemoryReading::reserved;
  c.out_of_memory = row.facts.flag("oom").value_or(false);
}

/// Work a token that the row's own figures imply, FLOP; 0 when it does not print both.
double printed_flops_per_token(const TrainRow& row) {
  const auto t = positive(row.facts, "tflops_model"), r = positive(row.facts, "tok_s_gpu");
  return t && r ? *t * 1e12 / *r : 0;
}

/// Training FLOP a token of one multi-token prediction module: a layer, the projection of
/// 2h onto h, and the head once more; its attention scores are left out (a few per cent of it).
double mtp_flops_per_token(const catalog::Model& m) {
  const double h = m.hidden, layer = workload::active_parameters(m).blocks() / m.layers;
  return 6 * (layer + 2 * h * h + h * m.vocab);
}

/// DeepSeek-V3 recipes train with or without their multi-token prediction module, and few
/// rows say so; the FLOPs a token that a row prints tell.
std::shared_ptr<const catalog::Model> with_mtp(const TrainRow& row, TrainCase& c) {
  const auto variant = lower(row.facts.text("variant"));
  if (!c.model->is_latent() || c.model->mtp_layers > 0) return c.model;
  if (variant.find("w/o mtp") != std::string::npos) return c.model;
  auto more = std::make_shared<catalog::Model>(*c.model);
  more->mtp_layers = 1;
  if (variant.find("w/ mtp") != std::string::npos) return more;
  const double printed = printed_flops_per_token(row);
  if (printed <= 0) return c.model;
  const double tokens = c.plan.global_batch() * c.job.sequence;
  const double without = train::step_flops(c.job, c.plan).model_causal / tokens;
  const double with = without + mtp_flops_per_token(*c.model);
  if (std::abs(printed - with) >= std::abs(printed - without)) return c.model;
  return more;
}

}  // namespace

std::string version_date(std::string_view text) {
  const auto digits = [&](std::size_t at, std::size_t n) {
    for (std::size_t i = at; i < at + n; ++i)
      if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    int v = 0;
    for (std::size_t i = at; i < at + n; ++i) v = 10 * v + (text[i] - '0');
    return v;
  };
  const auto is_digit = [&](std::size_t i) { return i < text.size() && digits(i, 1) >= 0; };
  const auto month = [](int m) { return m >= 1 && m <= 12; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && (is_digit(i - 1) || text[i - 1] == '.')) continue;
    const int y2 = digits(i, 2), m2 = digits(i + 3, 2);
    if (y2 >= 20 && y2 < 40 && i + 2 < text.size() && text[i + 2] == '.' && month(m2) &&
        !is_digit(i + 5))
      return fmt::format("20{:02}-{:02}-01", y2, m2);
    const int y4 = digits(i, 4);
    if (y4 < 2015 || y4 > 2039) continue;
    const bool dash = i + 4 < text.size() && text[i + 4] == '-';
    const int m = digits(i + (dash ? 5 : 4), 2);
    if (month(m) && !is_digit(i + (dash ? 7 : 6))) return fmt::format("{}-{:02}-01", y4, m);
  }
  return {};
}

const TrainingSoftware* CaseBuilder::software_of(const TrainRow& row) const {
  if (const auto* named = catalog_.find<TrainingSoftware>(row.facts.text("software"))) return named;
  const auto date = version_date(row.source);
  const TrainingSoftware* best = nullptr;
  SoftwareScore best_score;
  for (const auto* e : catalog_.all<TrainingSoftware>()) {
    const auto s = score(*e, row, date);
    if (s && (best == nullptr || s->better_than(best_score))) best = e, best_score = *s;
  }
  return best != nullptr ? best : catalog_.find<TrainingSoftware>("any");
}

const Hardware* CaseBuilder::hardware_of(const TrainRow& row, std::string& reason) {
  auto machine = row.machine;
  if (machine == nullptr) {
    // A row may name its GPU itself, in place of a machine of the file.
    if (row.machine_name.empty()) {
      reason = "no hw given";
      return nullptr;
    }
    auto& named = named_[row.machine_name];
    if (named == nullptr) named = std::make_shared<const Machine>(Machine{row.machine_name, {}});
    machine = named;
  }
  auto [it, fresh] = machines_.try_emplace(machine.get());
  if (fresh) it->second = find_hardware(catalog_, *machine, machine_reasons_[machine.get()]);
  if (!it->second) {
    reason = machine_reasons_[machine.get()];
    return nullptr;
  }
  return &*it->second;
}

std::shared_ptr<const catalog::Model> CaseBuilder::model_of(const TrainRow& row) const {
  if (row.model != nullptr) return row.model;
  const auto plain = [](std::string_view text) {
    std::string out;
    for (const char c : lower(text))
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) out += c;
    return out;
  };
  const auto wanted = plain(row.model_name);
  if (wanted.empty()) return nullptr;
  for (const auto* m : catalog_.all<catalog::Model>())
    if (plain(m->id) == wanted || plain(m->name) == wanted)
      return {std::shared_ptr<const catalog::Model>{}, m};
  return nullptr;
}

tl::expected<TrainCase, std::string> CaseBuilder::build(const TrainRow& row) {
  std::string reason;
  TrainCase c;
  c.model = model_of(row);
  if (c.model == nullptr)
    return Failure(row.model_name.empty()
                       ? "no model given"
                       : fmt::format("model '{}' is neither in the file nor in the catalogue",
                                     row.model_name));
  if (reason = unusable(*c.model); !reason.empty()) return Failure(reason);
  const auto* hardware = hardware_of(row, reason);
  if (hardware == nullptr) return Failure(reason);
  c.software = software_of(row);
  if (c.software == nullptr) return Failure("the catalogue has no training software");
  const auto sequences = positive(row.facts, "gbs"), sequence = positive(row.facts, "seq");
  if (!sequences) return Failure("gbs not given");
  if (!sequence) return Failure("seq not given");
  if (*sequences > 1e9 || *sequence > 1e9) return Failure("gbs or seq beyond reason");
  const auto plan = plan_of(row, *c.software, *sequences, c, reason);
  if (!plan) return Failure(reason);
  c.plan = *plan;
  if (double(c.plan.pp) * c.plan.vpp > c.model->layers + 2)
    return Failure(fmt::format("pp {} x vpp {} is more than {} layers", c.plan.pp, c.plan.vpp,
                               c.model->layers));
  auto& job = c.job;
  c.device = hardware->device;
  job.device = c.device.get(), job.model = c.model.get();
  job.accelerator = hardware->id;
  job.path = hardware->path, job.domain = hardware->domain;
  job.gpus = c.plan.gpus(), job.memory_bytes = hardware->memory_bytes;
  job.sequence = *sequence, job.sequences = *sequences;
  c.precision = row.facts.text("prec");
  job.precision = precision_of(c.precision);
  if (!c.device->runs(job.precision))
    return Failure(fmt::format("{} cannot run {}", hardware->id, name(job.precision)));
  job.state = state_of(row, job.precision);
  // MLPerf's llama2_70b_lora and its like say it in the name.
  if (contains(row.id, "lora") || contains(row.model_name, "lora"))
    job.method = train::Method::lora;
  const auto methods = train::method_names();
  const auto method = std::find(methods.begin(), methods.end(), lower(row.facts.text("method")));
  if (method != methods.end()) job.method = static_cast<train::Method>(method - methods.begin());
  // Tokens beyond an expert's share are dropped (capacity factor 1), else it is dropless.
  if (contains(row.facts.text("variant"), "tokendrop")) job.capacity_factor = 1;
  if (const auto layers = positive(row.facts, "act_offload_layers"))
    c.plan.offload_activations = std::min(1.0, *layers * c.plan.pp / c.model->layers);
  job.software = train::make_software(*c.software, *hardware->accelerator, false);
  c.accelerator = hardware->id;
  c.batch_scale = *sequences / c.plan.global_batch();
  c.model = with_mtp(row, c), job.model = c.model.get();

  read_memory(row, c);
  if (const auto s = seconds_of(row, job, c.plan.gpus())) {
    c.measured_s = *s;
  } else if (const auto t = positive(row.facts, "tflops_model")) {
    auto convention = parse_convention(row.facts.text("flops_convention"));
    if (const auto it = conventions_.find(row.group);
        convention == FlopsConvention::unknown && it != conventions_.end())
      convention = it->second;
    if (convention == FlopsConvention::unknown) convention = convention_of(*c.software);
    if (convention == FlopsConvention::unknown && c.measured_bytes <= 0 && !c.out_of_memory)
      return Failure("TFLOP/s without a FLOP convention");
    if (convention != FlopsConvention::unknown)
      c.measured_s = flops_of(c, convention) / (*t * 1e12 * c.plan.gpus());
  }
  if (!row.facts.mistakes().empty()) return Failure(row.facts.mistakes().front());
  if (c.measured_s <= 0 && c.measured_bytes <= 0 && !c.out_of_memory)
    return Failure("no measured time: none of s_per_iter, tok_s_gpu, tflops_model");
  return c;
}

void CaseBuilder::learn_conventions(const std::vector<TrainRow>& rows) {
  std::map<std::string, std::pair<int, int>> votes;  // causal, full
  for (const auto& row : rows) {
    if (row.facts.has("flops_convention")) {
      const auto c = parse_convention(row.facts.text("flops_convention"));
      if (c != FlopsConvention::unknown)
        ++(c == FlopsConvention::full ? votes[row.group].second : votes[row.group].first);
      continue;
    }
    const auto t = positive(row.facts, "tflops_model");
    if (!t || (!positive(row.facts, "s_per_iter") && !positive(row.facts, "tok_s_gpu"))) continue;
    const auto c = build(row);
    if (!c || c->measured_s <= 0) continue;
    const double printed = *t * 1e12 * c->plan.gpus() * c->measured_s;
    const double causal = flops_of(*c, FlopsConvention::causal);
    const double full = flops_of(*c, FlopsConvention::full);
    ++(std::abs(printed - full) < std::abs(printed - causal) ? votes[row.group].second
                                                             : votes[row.group].first);
  }
  for (const auto& [group, v] : votes)
    conventions_[group] = v.second > v.first ? FlopsConvention::full : FlopsConvention::causal;
}

std::string missing_of(const TrainRow& row) {
  std::vector<std::string> out;
  for (const auto& [key, name] : {std::pair{"mbs", "micro-batch"},
                                  {"gbs", "global batch"},
                                  {"tp", "tp"},
                                  {"pp", "pp"},
                                  {"vpp", "vpp"},
                                  {"gpus", "gpus"}})
    if (!row.facts.number(key)) out.emplace_back(std::string(name) + " not known");
  const auto recompute = lower(row.facts.text("recompute"));
  if (recompute.empty() || recompute == "unknown") out.emplace_back("recompute not known");
  for (const char* key : {"recipe_note", "note"})
    if (row.facts.has(key)) out.push_back(row.facts.text(key));
  if (out.empty() && contains(row.source, "recalled")) out.emplace_back("parts of it recalled");
  return out.empty() ? "configuration not fully known" : fmt::format("{}", fmt::join(out, ", "));
}

}  // namespace headroom::validation
