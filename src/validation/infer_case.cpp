#include "validation/infer_case.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "validation/infer_replay.hpp"

namespace headroom::validation {
namespace {

using Failure = tl::unexpected<std::string>;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

double positive(const Facts& f, std::string_view key, double fallback = 0) {
  const auto v = f.number(key);
  return v && *v > 0 && *v < 1e12 ? *v : fallback;
}

int degree(const Facts& f, std::string_view key) {
  const double v = positive(f, key, 1);
  return v >= 1 && v <= 4096 ? int(v) : 1;
}

/// Mean lengths of MLPerf's data sets. Outputs come from the row (tokens over requests); mean
/// prompts are recalled, unverified: OpenOrca as tokenised for Llama 2 (v4.0), CNN/DailyMail for
/// GPT-J, and the mix of OpenOrca, GSM8K and MBXP for Mixtral.
struct Dataset {
  const char* model;  ///< begin of MLPerf's name
  double input, input_cv, output_cv;
  double beams;
};
constexpr std::array<Dataset, 3> datasets{
    {{"llama2-70b", 300, 0.9, 0.65, 1}, {"gptj", 780, 0.5, 0.3, 4}, {"mixtral", 300, 0.8, 0.9, 1}}};

/// The formats a row runs in; MLPerf's own field says fp16 where engines ran fp8 or fp4.
std::optional<Formats> formats_of(const Facts& f, const ServingDevice& device,
                                  std::string& precision, std::vector<std::string>& assumed) {
  precision = lower(f.text("precision"));
  if (precision.empty()) precision = lower(f.text("dtype"));
  if (precision.empty()) {
    precision = lower(f.text("precision_self_reported"));
    if (precision == "fp16" && has(lower(f.text("engine")), "tensorrt")) {
      const auto family = device.accelerator->architecture;
      precision = family == "Blackwell" ? "fp4" : family == "Ampere" ? "int8" : "fp8";
      assumed.push_back(precision + " engine behind a self-reported fp16");
    }
  }
  if (precision.empty()) {
    const auto name = lower(f.text("model"));
    if (has(name, "q4")) precision = "q4_k_m";
    if (precision.empty() && has(lower(f.text("engine")), "ollama"))
      precision = "q4_k_m", assumed.push_back("ollama's default of 4-bit blocks");
  }
  return find_formats(precision);
}

void use_formats(InferCase& c, const Formats& f) {
  c.layout.weights = f.weights, c.layout.weight_only = f.weight_only;
  const bool eight = f.weights == Precision::fp8;
  // Checkpoints published with a scale a block of 128 x 128: DeepSeek, Qwen3, MiniMax.
  const auto& id = c.model->id;
  c.layout.block_scales =
      eight && (c.model->weights == Precision::fp8 || id.rfind("qwen3", 0) == 0);
  // GPT-OSS has MXFP4 experts whatever the file calls it; there is no other checkpoint.
  if (c.model->weights == Precision::mxfp4 && element_bits(f.weights) <= 4)
    c.layout.weights = Precision::mxfp4;
  // Little's law on the rows whose users wait for memory (MiniMax under vLLM, 8,192 tokens) gives
  // twice the sequences that a 16-bit cache holds: published runs keep it in fp8.
  const bool narrow = element_bits(c.layout.weights) < 16 && !f.weight_only &&
                      c.layout.weights != Precision::mxfp4 && c.scene != Scene::log &&
                      c.scene != Scene::open_loop;
  c.layout.kv = f.kv.value_or(narrow ? Precision::fp8 : Precision::bf16);
  if (!f.kv && narrow) c.assumptions.emplace_back("KV cache in fp8");
}

/// tp, ep, attention_dp and GPUs of an instance. Where ep > 1 the file multiplied: n = tp x ep
/// (and attention_dp x ep), seen as n >= ep^2; vLLM's attention_dp rows have n = tp x dp, tp = dp.
void use_degrees(InferCase& c, const Facts& f) {
  int tp = degree(f, "tp"), ep = degree(f, "ep"), dp = degree(f, "attention_dp");
  int n = degree(f, "n_gpu");
  if (n == 1) n = std::max(1, tp * (dp > 1 ? dp : 1));
  if (tp > 1 && dp > 1) {
    const int real = std::max(tp, dp);
    tp = 1, dp = real, ep = std::min(ep, real);
    c.assumptions.emplace_back("attention over data-parallel ranks, degrees divided again");
  } else if (ep > 1 && n >= ep * ep && (tp == n || dp == n)) {
    (dp > 1 ? dp : tp) = n / ep;
    c.assumptions.emplace_back("degrees divided by ep again");
  }
  ep = std::min(ep, tp * dp);
  while (tp * dp % ep != 0) --ep;
  c.layout.tp = tp, c.layout.attention_dp = dp, c.layout.ep = ep;
}

void use_limits(InferCase& c, const Facts& f) {
  const bool compiled = c.engine.engine == infer::Engine::tensorrt_017;
  c.limits.max_batch = positive(f, "max_num_seqs", compiled ? 4096 : 1024);
  c.limits.budget = positive(f, "max_num_batched_tokens", compiled ? 8192 : 8192);
  c.limits.memory_share = positive(f, "gpu_memory_utilization", compiled ? 0.95 : 0.9);
  if (const auto draft = f.text("speculative"); has(lower(draft), "mtp")) {
    const auto x = draft.find_last_of('x');
    c.draft = x == std::string::npos ? 1 : std::max(1, std::atoi(draft.c_str() + x + 1));
  }
  // Runs of DeepSeek-R1 by this build are twice as fast as those of the same network, GPUs and
  // degrees a build earlier (10.9 and 5.35 ms for 4 users): drafts that the source leaves unsaid.
  if (c.model->id == "deepseek-r1" && c.engine.name == "tensorrt-llm" &&
      c.engine.version == "1.2.0rc6.post3" && c.draft == 0) {
    c.draft = 3;
    c.assumptions.emplace_back("three drafts a step (MTP), unsaid");
  }
}

Pool pool_of(const InferCase& c, const Facts& f, const std::string& kind) {
  Pool p;
  p.layout = c.layout;
  p.layout.tp = degree(f, kind + ".tp_size");
  p.layout.attention_dp = degree(f, kind + ".attention_dp_size");
  p.layout.ep = std::min(degree(f, kind + ".moe_ep_size"), p.layout.stage_ranks());
  while (p.layout.stage_ranks() % p.layout.ep != 0) --p.layout.ep;
  p.workers = f.number(kind + ".num_workers") ? degree(f, kind + ".num_workers") : 0;
  p.batch = positive(f, kind + ".batch_size");
  return p;
}

std::optional<Scene> scene_of(const InferRow& row) {
  if (row.layout == InferLayout::open_loop) return Scene::open_loop;
  if (row.layout == InferLayout::log) return Scene::log;
  const auto& f = row.facts;
  const auto s = lower(f.text("scenario"));
  if (has(s, "disagg") || f.has("decode.tp_size")) return Scene::disaggregated;
  if (has(s, "prefill-only")) return Scene::prompt_only;
  if (has(s, "static")) return Scene::static_batch;
  if (has(s, "trace") || has(s, "/user") || has(s, "prefill node")) return std::nullopt;
  if (has(s, "closed") || has(s, "latency") || has(s, "throughput")) {
    if (f.has("concurrency")) return Scene::closed_loop;
    if (has(s, "offline") && f.has("isl")) return Scene::offline;
  }
  if (has(s, "online") && f.has("rate_rps")) {
    const auto rate = lower(f.text("rate_rps"));
    return rate == "inf" || rate == ".inf" ? Scene::offline : Scene::online;
  }
  if (has(s, "offline")) return Scene::offline;
  if (has(s, "server")) return Scene::online;
  if (has(s, "batch 1") || has(s, "bench") || f.has("decode_tok_s")) return Scene::single_user;
  if (f.has("concurrency") && f.has("isl") && f.has("osl")) return Scene::closed_loop;
  return std::nullopt;
}

/// Adds the statistics of a time that is given in milliseconds: "ttft_ms" or "ttft_ms.p90".
void add_times(InferCase& c, const Facts& f, const std::string& key, const std::string& name) {
  for (const char* statistic : {"", "reported", "mean", "p50", "median", "p90", "p95", "p99"}) {
    const std::string s = statistic;
    const auto v = f.number(s.empty() ? key : key + "." + s);
    if (!v || *v <= 0 || *v > 1e9) continue;
    const auto shown = s == "median" ? std::string("p50") : s;
    c.measures.push_back(
        {s.empty() || s == "reported" ? name : name + "_" + shown, *v / 1e3, "s", 0});
  }
}

void add_rate(InferCase& c, const Facts& f, const std::string& key) {
  if (const double v = positive(f, key); v > 0) c.measures.push_back({key, v, "token/s", 0});
}

/// "tg512", "pp4096": the tokens behind the letters.
double tokens_in(const std::string& name) {
  const auto at = name.find_first_of("0123456789");
  return at == std::string::npos ? 0 : std::atof(name.c_str() + at);
}

void add_bench_rates(InferCase& c, const Facts& f) {
  for (const char* tokens : {"tg128", "tg512", "tg1024", "tg4096", "tg8192"})
    if (const double v = positive(f, std::string("decode_tok_s.") + tokens); v > 0)
      c.measures.push_back(
          {std::string("decode_tok_s_") + tokens, v, "token/s", tokens_in(tokens)});
  for (const char* tokens : {"pp512", "pp1024", "pp4096", "pp8192"})
    if (const double v = positive(f, std::string("prefill_tok_s.") + tokens); v > 0)
      c.measures.push_back(
          {std::string("prefill_tok_s_") + tokens, v, "token/s", tokens_in(tokens)});
  if (c.scene == Scene::single_user) add_rate(c, f, "decode_tok_s");
}

void add_measures(InferCase& c, const Facts& f) {
  add_times(c, f, "ttft_ms", "ttft"), add_times(c, f, "tpot_ms", "tpot");
  add_times(c, f, "itl_ms", "itl");
  if (const double v = positive(f, "prefill_ms"); v > 0)
    c.measures.push_back({"prefill", v / 1e3, "s", positive(f, "prefill_tokens")});
  add_rate(c, f, "out_tok_s");
  add_bench_rates(c, f);
}

/// Requests of TensorRT-LLM's own throughput runs by lengths ("1,000 to 30,000, table in page":
/// the source; the table itself recalled, unverified), and of its online runs (500: the source).
struct RunLength {
  double input, output, requests;
};
constexpr std::array<RunLength, 9> run_lengths{{{128, 128, 30000},
                                                {128, 2048, 3000},
                                                {128, 4096, 1500},
                                                {500, 2000, 3000},
                                                {1000, 1000, 3000},
                                                {2048, 128, 3000},
                                                {2048, 2048, 1500},
                                                {5000, 500, 1500},
                                                {20000, 2000, 1000}}};

void use_requests(InferCase& c, const Facts& f) {
  c.requests = positive(f, "requests", positive(f, "num_requests"));
  if (c.requests > 0) return;
  if (c.source == "trtllm-0.14-online") c.requests = 500;
  if (c.source != "trtllm-0.17") return;
  for (const auto& r : run_lengths)
    if (r.input == c.input && r.output == c.output) c.requests = r.requests;
  if (c.requests > 0) c.assumptions.push_back(fmt::format("{:.0f} requests", c.requests));
}

/// A limit of tokens that somebody set, not the mean of a data set's answers.
bool set_by_hand(double tokens) { return std::fmod(tokens, 8) == 0 || std::fmod(tokens, 10) == 0; }

/// Lengths, users and rate.
std::string use_load(InferCase& c, const Facts& f) {
  c.concurrency = positive(f, "concurrency", c.scene == Scene::static_batch ? 1 : 0);
  c.input = positive(f, "isl"), c.output = positive(f, "osl");
  c.rate_s = positive(f, "rate_rps", positive(f, "target_qps"));
  if (c.scene == Scene::single_user || c.scene == Scene::prompt_only) c.concurrency = 1;
  if (has(c.source, "mlperf") || f.has("dataset") || has(f.text("path"), "mlperf")) {
    const auto name = lower(f.text("model"));
    for (const auto& d : datasets)
      if (name.rfind(d.model, 0) == 0) {
        c.input = d.input, c.input_cv = d.input_cv, c.output_cv = d.output_cv, c.beams = d.beams;
        c.assumptions.push_back(fmt::format("prompts of {} tokens", d.input));
      }
    const double tokens = positive(f, "out_tok_s"), requests = positive(f, "req_s");
    if (c.output <= 0 && tokens > 0 && requests > 0) c.output = tokens / requests;
  }
  use_requests(c, f);
  if (c.source == "trtllm-0.14-online" && !set_by_hand(c.output)) {
    c.output_cv = 1;
    c.assumptions.emplace_back("answers of a data set, as uneven as an exponential's");
  }
  const auto sid = f.text("sid");
  // Benchmarks let the engine take all of their users.
  if (c.scene == Scene::closed_loop && !f.has("max_num_seqs"))
    c.limits.max_batch = std::max(c.limits.max_batch, c.concurrency);
  // The source's rows of the InferenceX database: its client draws lengths.
  c.drawn = sid.rfind("2026", 0) == 0 || has(sid, "_cfg");
  if (c.drawn) c.input *= 0.9, c.output *= 0.9;
  const bool lengths = c.input > 0 && c.output > 0;
  if (c.scene != Scene::single_user && c.scene != Scene::log && c.scene != Scene::open_loop &&
      !lengths && f.number("prefill_tokens").value_or(0) <= 0)
    return "no lengths (isl, osl)";
  if ((c.scene == Scene::closed_loop || c.scene == Scene::disaggregated) && c.concurrency <= 0)
    return "no concurrency";
  return {};
}

/// Instances behind the figure, and the tensor degree of one, where the row tells GPUs only:
/// the fewest GPUs that hold the weights and leave a third of the memory to the cache.
void use_instances(InferCase& c, const Facts& f) {
  const int n = degree(f, "n_gpu");
  if (f.has("tp") || c.scene == Scene::single_user || c.scene == Scene::disaggregated) {
    const int each = c.layout.tp * c.layout.attention_dp;
    c.replicas = f.has("tp") && c.scene != Scene::closed_loop ? std::max(1, n / each) : 1;
    return;
  }
  if (c.layout.attention_dp > 1) return;
  for (c.layout.tp = 1; c.layout.tp < n; c.layout.tp *= 2) {
    const infer::StepModel step(*c.model, *c.device.accelerator, c.device.path, c.layout,
                                *c.software);
    if (step.weights_per_gpu().si() < 0.6 * step.memory().si()) break;
  }
  c.replicas = std::max(1, n / c.layout.tp);
  c.assumptions.push_back(fmt::format("{} instances of tp {}", c.replicas, c.layout.tp));
}

void use_open_loop(InferCase& c, const Facts& f) {
  c.rate_s = positive(f, "stage.rate");
  c.input = positive(f, "stage.prompt_tokens_mean");
  if (c.input <= 0)
    c.input = positive(f, "workload.system_prompt_len") + positive(f, "workload.question_len");
  c.output = positive(f, "workload.output_len", positive(f, "stage.output_tokens_mean"));
  add_times(c, f, "stage.ttft_ms", "ttft"), add_times(c, f, "stage.e2e_ms", "e2e");
  // Percentiles of single gaps are those of the client's event pairs: nothing to compare.
  if (const double v = positive(f, "stage.itl_ms.mean"); v > 0)
    c.measures.push_back({"itl_mean", v / 1e3, "s", 0});
  add_times(c, f, "stage.tpot_ms", "tpot");
  // Stream events a token, as the client counts them: 2 in the runs of inference-perf.
  const double itl = positive(f, "stage.itl_ms.mean"), e2e = positive(f, "stage.e2e_ms.mean");
  const double ttft = positive(f, "stage.ttft_ms.mean");
  if (itl > 0 && e2e > ttft && c.output > 1)
    c.events = std::clamp(std::round((e2e - ttft) / itl / c.output), 1.0, 4.0);
  // All of a prompt's full blocks but what is never reused.
  constexpr double block = 16;
  c.cached = std::floor((c.input - 1) / block) * block;
}

/// What the catalogue matches an engine by; unversioned TensorRT-LLM of 0.x has its own entry.
std::string software_text(const ServingEngine& e) { return e.name; }

/// What the log's own requests saw, and their mean lengths.
void use_log(InferCase& c) {
  const auto seen = seen_of(*c.row->log);
  for (const char* what : {"ttft", "tpot", "latency"})
    for (const char* how : {"mean", "p50", "p90", "p99"}) {
      const auto metric = fmt::format("{}_{}", what, how);
      if (const auto v = statistic(seen, metric); v && *v > 0)
        c.measures.push_back({metric, *v, "s", 0});
    }
  const auto& requests = c.row->log->requests;
  for (const auto& r : requests) c.input += r.input, c.output += r.output;
  c.input /= double(requests.size()), c.output /= double(requests.size());
  const auto kv = lower(c.row->facts.text("kv_cache"));
  if (kv.rfind("fp8", 0) == 0) c.layout.kv = Precision::fp8;
  if (c.row->facts.flag("enforce_eager").value_or(false)) c.layout.graphs = false;
}

std::string unusable(const catalog::Model& m) {
  if (m.is_diffusion() || m.family != catalog::ModelFamily::decoder)
    return fmt::format("'{}' generates no text", m.id);
  return {};
}

}  // namespace

std::string_view scene_name(Scene scene) {
  constexpr std::string_view names[] = {"closed loop", "disaggregated", "offline",
                                        "online",      "static batch",  "prompt only",
                                        "single user", "open loop",     "log"};
  return names[static_cast<int>(scene)];
}

std::string InferCase::group() const {
  return fmt::format("{}|{}|{}|{}", model->id, device.id, engine.name, name(layout.weights));
}

tl::expected<InferCase, std::string> build_case(const InferRow& row,
                                                const catalog::Catalog& catalog) {
  InferCase c;
  const auto& f = row.facts;
  c.row = &row, c.id = row.id, c.source = row.source, c.scenario = f.text("scenario");
  const auto name = f.text("model");
  if (name.empty()) return Failure("no model given");
  c.model = find_model(catalog, name);
  if (c.model == nullptr) return Failure(fmt::format("model '{}' is not in the catalogue", name));
  std::string reason = unusable(*c.model);
  if (!reason.empty()) return Failure(reason);
  auto device = find_device(catalog, f.text("gpu"), reason);
  if (!device) return Failure(reason);
  c.device = std::move(*device);
  const auto engine = find_engine(f.text("engine"), f.text("version"));
  if (!engine) return Failure(fmt::format("engine '{}' is not modelled", f.text("engine")));
  c.engine = *engine;
  c.software = &catalog::serving_software(catalog, software_text(c.engine), c.engine.version);
  const auto scene = scene_of(row);
  if (!scene)
    return Failure(has(lower(c.scenario), "trace")
                       ? std::string("its requests are not in the row; give the log's folder")
                       : fmt::format("scenario '{}' does not say what ran", c.scenario));
  c.scene = *scene;
  const auto formats = formats_of(f, c.device, c.precision, c.assumptions);
  if (!formats) return Failure(fmt::format("precision '{}' is unknown", c.precision));
  use_formats(c, *formats);
  use_degrees(c, f), use_limits(c, f);
  if (c.scene != Scene::open_loop && c.scene != Scene::log) add_measures(c, f);
  if (reason = use_load(c, f); !reason.empty()) return Failure(reason);
  if (c.scene == Scene::open_loop) {
    use_open_loop(c, f);
    if (c.rate_s <= 0 || c.rate_s > 1e5) return Failure("no rate of the stage");
    if (c.input <= 0 || c.output <= 0) return Failure("no lengths of prompts and answers");
  }
  if (c.scene == Scene::log) use_log(c);
  if (c.scene == Scene::disaggregated)
    c.prefill_pool = pool_of(c, f, "prefill"), c.decode_pool = pool_of(c, f, "decode"),
    c.layout = c.decode_pool.layout;
  constexpr int rack = 72;
  if (c.scene == Scene::closed_loop && c.layout.tp >= rack)
    return Failure("a whole rack given as one tensor degree: disaggregated, pools not stated");
  if (c.scene == Scene::disaggregated && c.decode_pool.workers == 0)
    return Failure("disaggregated, and the number of workers is not stated");
  use_instances(c, f);
  if (c.measures.empty()) return Failure("no measured time or rate that can be compared");
  return c;
}

}  // namespace headroom::validation
