#include <algorithm>
#include <cmath>

#include "infer/assess.hpp"
#include "study/context.hpp"
#include "study/lines.hpp"
#include "train/assess.hpp"

namespace headroom::study {
namespace {

/// GPUs of a cluster that work may use: all but those of its spare nodes.
double gpus_on_offer(const Machines& m) {
  const double spares = m.spec->operation.spares ? double(m.spec->operation.spares.get()) : 0.0;
  return std::max(0.0, m.gpus.value - spares * gpus_per_node(m));
}

double fixed_gpus(const WorkSpec& w) {
  if (w.kind == WorkKind::train) return w.train.gpus;
  return w.gpus ? double(w.gpus.get()) : 0.0;
}

/// GPUs a workload is offered: its own fixed number, else what the fixed ones
/// on its cluster leave.
Figure<Scalar> offered(Context& c, const Work& work) {
  const Machines& m = *work.machines;
  double rest = gpus_on_offer(m);
  for (const auto& other : c.scenario.workloads) {
    if (other.on == work.spec->on && &other != work.spec) rest -= fixed_gpus(other);
  }
  // Work listed before holds what it needs; a run that takes what is left comes last.
  for (const auto& before : c.work) {
    if (before.machines == work.machines && fixed_gpus(*before.spec) <= 0) rest -= before.gpus_held;
  }
  const double own = fixed_gpus(*work.spec);
  const std::string id = "workloads." + work.scope + ".gpus_offered";
  if (own > 0) {
    return c.trace.derive(id, Scalar(own), "GPU", "as the scenario fixes it", {m.gpus});
  }
  return c.trace.derive(id, Scalar(std::max(0.0, rest)), "GPU",
                        "GPUs of the cluster - spares - GPUs fixed for or held by other work",
                        {m.gpus});
}

infer::Hardware hardware(const Machines& m, Figure<Scalar> gpus) {
  infer::Hardware h;
  h.accelerator = m.accelerator;
  h.system = m.system;
  h.path = m.network.path;
  h.gpus = gpus;
  return h;
}

Section& section(Context& c, const Work& work, const std::string& title) {
  c.verdict.workloads.push_back({work.scope, title, {}});
  return c.verdict.workloads.back();
}

// --- Training -----------------------------------------------------------------

/// Failures decide goodput, goodput decides the days, and how long the run is
/// decides nothing of goodput: so one look without, then one with.
Value<Scalar> goodput_of(Context& c, Work& work, const train::Result& raw) {
  work.productive = raw.duration;
  work.checkpoint = raw.checkpoint_size;
  cluster::Job job = training_job(c, work, raw.checkpoint_stall);
  Trace scratch;
  const auto result = cluster::assess(work.machines->spec->operation,
                                      cluster_demand(*work.machines, {job}), c.catalog, scratch);
  if (result.jobs.empty() || result.jobs.front().ettr.node == no_node) return {};
  return {result.jobs.front().ettr.value,
          std::make_shared<Source>(
              Source{"derived", "goodput of the cluster layer, cluster." + work.machines->scope, "",
                     "", Trust::derived})};
}

void training_lines(Context& c, const Work& work, const train::Result& r) {
  auto& lines = section(c, work, "Training: " + work.spec->name).lines;
  add_line(lines, "tokens", "tokens of the run", r.tokens, "Ttoken");
  add_line(lines, "flops", "model FLOPs of the run (causal attention)", r.flops_total, "FLOP");
  add_line(lines, "gpus", "GPUs used", r.gpus_used, "GPU");
  add_line(lines, "global_batch", "global batch", r.global_batch, "Mtoken");
  add_line(lines, "step_time", "time of a step", r.step_time, "s");
  add_line(lines, "token_rate", "tokens a second", r.tokens_per_s, "token/s");
  add_line(lines, "mfu", "MFU, causal attention", r.mfu, "%");
  add_line(lines, "mfu_full", "MFU, full attention (Megatron's older count)", r.mfu_full, "%");
  add_line(lines, "memory", "memory needed of a GPU", r.memory_need, "GB");
  add_line(lines, "goodput", "goodput (ETTR)", work.goodput, "%");
  add_line(lines, "duration", "length of the run, losses included", r.duration, "d");
  add_line(lines, "gpu_hours", "GPU-hours", r.gpu_hours, "GPU-h");
  add_line(lines, "checkpoint", "size of a checkpoint", r.checkpoint_size, "TB");
  add_line(lines, "checkpoint_stall", "stall of a save", r.checkpoint_stall, "s");
}

/// GPUs that the deadline asks, at the efficiency of the plan: continuous, so that a batch
/// that divides only by powers of two does not make every run want all it is given.
Figure<Scalar> wanted_by_deadline(Context& c, const Work& work, const train::Result& r) {
  const auto& limit = work.spec->train.finish_within;
  const std::string id = "workloads." + work.scope + ".gpus_wanted";
  if (limit && r.duration.value.si() > 0) {
    const double gpus = std::ceil(r.gpus_used.value * double(r.duration.value / limit.get()));
    return c.trace.derive(id, Scalar(gpus), "GPU",
                          "GPUs used x days of the run / days allowed, rounded up",
                          {r.gpus_used, r.duration});
  }
  return c.trace.derive(id, Scalar(work.spec->train.gpus), "GPU",
                        "as the scenario fixes it; 0: it takes what is left", {r.gpus_used});
}

/// Mean power of the accelerators over their maximum.
double rl_power_share(const RlPlan& plan) {
  constexpr double training = 0.76;  // arXiv 2506.14551, as train/assess.cpp
  double drawn = 0, busy = 0;
  for (const auto& phase : plan.phases) {
    const double share = phase.gpus * phase.seconds /
                         ((plan.generation_gpus + plan.training_gpus) * plan.iteration_s);
    if (phase.name == "generate") drawn += share * infer::decode_power_share, busy += share;
    if (phase.name == "train" || phase.name == "score") drawn += share * training, busy += share;
  }
  return std::min(1.0, drawn + std::max(0.0, 1 - busy) * infer::idle_power_share);
}

/// Generation and training as one job. Failures are not counted.
void assess_rl(Context& c, Work& work, const train::Demand& training) {
  const RlSpec& spec = *work.spec->rl;
  RlDemand d;
  d.model = training.model;
  d.reward = spec.reward_model.empty() ? nullptr : c.model(spec.reward_model);
  d.accelerator = training.accelerator;
  d.path = training.path;
  d.gpus = training.gpus;
  d.domain = training.domain;
  d.job = work.spec->train;
  d.training = training;
  work.rl = std::make_shared<RlResult>(plan_rl(spec, d));
  const auto* best = work.rl->best();
  if (best == nullptr) {
    for (const auto& plan : work.rl->plans)
      c.verdict.remarks.push_back(work.scope + ": no plan: " + plan.why);
    return;
  }
  work.gpus_held = best->generation_gpus + best->training_gpus;
  auto& lines = section(c, work, "Reinforcement learning: " + work.spec->name).lines;
  const std::string base = "workloads." + work.scope;
  const auto iteration = c.trace.derive(base + ".iteration", best->iteration_s * second, "s",
                                        "generation, scoring, training, weights: study/rl.hpp",
                                        {c.trace.choice(base + ".rl_plan", best->training_plan)});
  const auto length =
      c.trace.derive(base + ".duration", iteration.value * double(spec.iterations), "d",
                     "iterations x time of one, without failures", {iteration});
  const auto tokens =
      c.trace.derive(base + ".rl_tokens", work.rl->tokens_trained * double(spec.iterations) * token,
                     "token", "tokens trained on in an iteration x iterations", {iteration});
  const auto gpus = c.trace.derive(base + ".gpus_needed", Scalar(work.gpus_held), "GPU",
                                   "GPUs that generate and train", {iteration});
  add_line(lines, "iteration", "time of an iteration", iteration, "s");
  add_line(lines, "duration", "length of the run, without failures", length, "d");
  add_line(lines, "tokens", "tokens trained on", tokens, "Gtoken");
  add_line(lines, "gpus", "GPUs used", gpus, "GPU");
  work.gpus_needed = gpus;
  work.power_share = c.trace.derive(
      base + ".power_share", Scalar(rl_power_share(*best)), "%",
      "GPU time of generation x 0.65 + of training and scoring x 0.76 + of waiting x 0.1, of "
      "maximum power (infer/hardware.hpp, train/assess.cpp)",
      {iteration});
  work.has_product = true;
  work.product.kind = money::Product::Kind::training;
  work.product.gpus = gpus;
  work.product.run_time = length;
  work.product.run_tokens = tokens;
}

void assess_training(Context& c, Work& work) {
  const auto gpus = offered(c, work);
  auto demand = train_demand(c, work, gpus);
  if (demand.model == nullptr) {
    c.verdict.remarks.push_back("Workload " + work.spec->name +
                                " names no model; nothing was computed for it.");
    return;
  }
  if (work.spec->rl) return assess_rl(c, work, demand);
  Trace scratch;
  train::JobSpec spec = work.spec->train;
  spec.finish_within = {};  // the deadline is asked once, with goodput
  // How long the run is changes nothing of goodput: the planner's look is enough here.
  auto quick = demand;
  quick.search.exhaustive = false;
  auto raw = train::assess(spec, quick, scratch);
  if (!raw.laid_out && demand.search.exhaustive) raw = train::assess(spec, demand, scratch);
  if (!raw.laid_out) {
    auto none = train::assess(work.spec->train, demand, c.trace);
    c.add(none.findings);
    work.training = std::make_shared<TrainingWork>(TrainingWork{demand, std::move(none)});
    return;
  }
  demand.goodput = goodput_of(c, work, raw);
  const auto r = train::assess(work.spec->train, demand, c.trace);
  c.add(r.findings);
  work.gpus_held = r.gpus_used.value;
  work.gpus_needed = r.gpus_used;
  work.gpus_wanted = wanted_by_deadline(c, work, r);
  work.power_share = r.power_share;
  work.gang = true;
  // From here on the trace is the study's own.
  work.productive = c.trace.derive("workloads." + work.scope + ".productive", raw.duration.value,
                                   "d", "tokens / tokens a second", {r.tokens, r.tokens_per_s});
  work.checkpoint = r.checkpoint_size;
  work.stall = r.checkpoint_stall;
  if (demand.goodput) {
    work.goodput = c.trace.input("workloads." + work.scope + ".goodput", demand.goodput, "%");
  }
  training_lines(c, work, r);
  work.training = std::make_shared<TrainingWork>(TrainingWork{demand, r});
  work.has_product = r.tokens.value.si() > 0;
  work.product.kind = money::Product::Kind::training;
  work.product.gpus = r.gpus_used;
  work.product.run_time = r.duration;
  work.product.run_tokens = r.tokens;
  work.product.run_flops = r.flops_total;
}

// --- Serving ------------------------------------------------------------------

void service_lines(std::vector<Line>& lines, const infer::ServiceResult& r) {
  add_line(lines, "gpus_needed", "GPUs needed", r.gpus_needed, "GPU");
  add_line(lines, "replicas", "replicas deployed", r.replicas, "replica");
  add_line(lines, "gpus_per_replica", "GPUs of a replica", r.gpus_per_replica, "GPU");
  add_line(lines, "rate", "requests a second, mean", r.rate, "request/s");
  add_line(lines, "rate_peak", "requests a second, peak", r.rate_peak, "request/s");
  add_line(lines, "capacity", "requests a second inside the SLOs", r.capacity, "request/s");
  add_line(lines, "utilisation", "utilisation, mean", r.utilisation, "%");
  add_line(lines, "utilisation_peak", "utilisation, peak", r.utilisation_peak, "%");
  add_line(lines, "ttft", "TTFT at the SLO's percentile, peak", r.ttft, "s");
  add_line(lines, "tpot", "TPOT at the SLO's percentile, peak", r.tpot, "ms");
  add_line(lines, "e2e", "end to end at the percentile, peak", r.e2e, "s");
  add_line(lines, "input_rate", "input tokens a second, mean", r.input_rate, "token/s");
  add_line(lines, "output_rate", "output tokens a second, mean", r.output_rate, "token/s");
  add_line(lines, "output_capacity", "output tokens a second at capacity", r.output_capacity,
           "token/s");
  add_line(lines, "busy", "share of time with a request in flight", r.busy, "%");
}

void keep_service(Context& c, Work& work, const infer::ServiceResult& r, double extra_gpus,
                  Figure<Scalar> needed) {
  work.gpus_held = r.gpus.value + extra_gpus;
  work.gpus_needed = needed;
  work.power_share = r.power_fraction;
  work.has_product = r.output_rate.node != no_node;
  work.product.kind = money::Product::Kind::serving;
  work.product.gpus =
      c.trace.derive("workloads." + work.scope + ".gpus_held", Scalar(work.gpus_held), "GPU",
                     "deployed replicas and support", {r.gpus, needed});
  if (r.peak.busy > 0) {
    work.product.prefill_share = Value<Scalar>(
        Scalar(std::clamp(r.mean.prefill_share / std::max(r.mean.busy, 1e-9), 0.0, 1.0)),
        std::make_shared<Source>(Source{"derived",
                                        "prefill's share of the time the engine steps, mean rate",
                                        "", "", Trust::derived}));
  }
  work.product.input_rate = r.input_rate;
  work.product.output_rate = r.output_rate;
}

void assess_service(Context& c, Work& work) {
  const auto& spec = work.spec->serve;
  infer::ServiceDemand d;
  d.scope = work.scope;
  d.model = c.model(spec.model);
  d.hardware = hardware(*work.machines, offered(c, work));
  d.trace = c.catalog.find<catalog::RequestTrace>(spec.traffic.trace);
  const auto r = infer::assess(spec, d, c.trace);
  c.add(r.findings);
  service_lines(section(c, work, "Serving: " + work.spec->name).lines, r);
  keep_service(c, work, r, 0, r.gpus_needed);
}

void assess_rag(Context& c, Work& work) {
  const auto& spec = work.spec->rag;
  infer::RagDemand d;
  d.scope = work.scope;
  d.llm = c.model(spec.llm.model);
  d.embedding = c.model(spec.embedding_model.empty() ? "bge-m3" : spec.embedding_model);
  d.reranker = spec.rerank_model.empty() ? nullptr : c.model(spec.rerank_model);
  d.hardware = hardware(*work.machines, offered(c, work));
  d.trace = c.catalog.find<catalog::RequestTrace>(spec.llm.traffic.trace);
  const auto r = infer::assess(spec, d, c.trace);
  c.add(r.findings);
  auto& lines = section(c, work, "Retrieval-augmented generation: " + work.spec->name).lines;
  add_line(lines, "chunks", "chunks of the corpus", r.chunks, "chunk");
  add_line(lines, "index", "memory of one copy of the index", r.index, "GB");
  add_line(lines, "search_nodes", "search nodes needed", r.search_nodes, "node");
  add_line(lines, "embed_time", "time to embed a question", r.embed_time, "ms");
  if (spec.hybrid) {
    add_line(lines, "lexical_index", "memory of one copy of BM25's index", r.lexical_index, "GB");
    add_line(lines, "vector_time", "time of the vector search", r.vector_time, "ms");
    add_line(lines, "lexical_time", "time of BM25", r.lexical_time, "ms");
  }
  add_line(lines, "search_time", spec.hybrid ? "the later of both" : "time of the vector search",
           r.search_time, "ms");
  add_line(lines, "rerank_time", "time to rerank", r.rerank_time, "ms");
  add_line(lines, "first_token", "question to first token", r.first_token, "s");
  add_line(lines, "extra_prefill", "retrieved tokens a request", r.extra_prefill, "token");
  add_line(lines, "build_gpu_hours", "GPU-hours to embed the corpus once", r.build_gpu_hours,
           "GPU-h");
  add_line(lines, "gpus_in_all", "GPUs needed, with embedding and reranking", r.gpus_needed, "GPU");
  service_lines(lines, r.service);
  keep_service(c, work, r.service, r.support_gpus.value, r.gpus_needed);
}

void assess_embedding(Context& c, Work& work) {
  infer::EmbedDemand d;
  d.scope = work.scope;
  d.model = c.model(work.spec->embed.model);
  d.hardware = hardware(*work.machines, offered(c, work));
  const auto r = infer::assess(work.spec->embed, d, c.trace);
  c.add(r.findings);
  auto& lines = section(c, work, "Embedding: " + work.spec->name).lines;
  add_line(lines, "rate_per_gpu", "tokens a second and GPU", r.rate_per_gpu, "token/s");
  add_line(lines, "gpus_needed", "GPUs needed", r.gpus_needed, "GPU");
  add_line(lines, "corpus_time", "time for the corpus", r.corpus_time, "h");
  add_line(lines, "query_time", "time of one query", r.query_time, "ms");
  work.gpus_held = std::min(double(r.gpus_needed.value), double(d.hardware.gpus->value));
  work.gpus_needed = r.gpus_needed;
}

void assess_video(Context& c, Work& work) {
  infer::VideoDemand d;
  d.scope = work.scope;
  d.model = c.model(work.spec->video.model);
  d.hardware = hardware(*work.machines, offered(c, work));
  const auto r = infer::assess(work.spec->video, d, c.trace);
  c.add(r.findings);
  const std::string what = r.picture ? " of a picture" : " of a clip";
  auto& lines = section(c, work, (r.picture ? "Pictures: " : "Video: ") + work.spec->name).lines;
  add_line(lines, "clip_flops", "FLOPs" + what, r.clip_flops, "PFLOP");
  add_line(lines, "clip_time", "time" + what, r.clip_time, "s");
  if (work.spec->video.rate) add_line(lines, "response", "p99 of wait and making", r.response, "s");
  add_line(lines, "gpu_seconds", "GPU-seconds" + what, r.gpu_seconds, "1");
  if (!r.picture)
    add_line(lines, "gpu_seconds_per_second", "GPU-seconds a second of clip",
             r.gpu_seconds_per_second, "1");
  add_line(lines, "gpus_needed", "GPUs needed", r.gpus_needed, "GPU");
  add_line(lines, "busy", "share of time the GPUs work", r.busy, "%");
  add_line(lines, "energy_per_clip", "accelerators' energy" + what, r.energy_per_clip, "Wh");
  work.gpus_held = std::min(double(r.gpus_needed.value), double(d.hardware.gpus->value));
  work.gpus_needed = r.gpus_needed;
  work.power_share = r.busy;
}

void assess_edge(Context& c, Work& work) {
  infer::EdgeDemand d;
  d.scope = work.scope;
  d.model = c.model(work.spec->edge.model);
  d.box = hardware(*work.machines, offered(c, work));
  if (const Machines* central = c.machines_called(work.spec->central)) {
    d.central = hardware(*central, central->gpus);
  }
  const auto r = infer::assess(work.spec->edge, d, c.trace);
  c.add(r.findings);
  auto& lines = section(c, work, "Edge: " + work.spec->name).lines;
  add_line(lines, "boxes", "boxes", r.boxes, "box");
  add_line(lines, "speed", "tokens a second, one user alone", r.speed, "token/s");
  add_line(lines, "speed_bound", "bound by memory bandwidth alone", r.speed_bound, "token/s");
  add_line(lines, "ttft", "TTFT", r.ttft, "s");
  add_line(lines, "busy", "share of time a box works", r.busy, "%");
  add_line(lines, "box_power", "mean power of a box", r.box_power, "W");
  add_line(lines, "power", "mean power of all boxes", r.power, "kW");
  add_line(lines, "energy", "energy of an output token, while a box works", r.energy, "J/token");
  add_line(lines, "energy_all_day", "energy of an output token, all day", r.energy_all_day,
           "J/token");
  add_line(lines, "central_ttft", "TTFT from the central region, uplink included", r.central_ttft,
           "s");
  if (r.central) {
    add_line(lines, "central_gpus", "GPUs a central region would need", r.central->gpus_needed,
             "GPU");
  }
  work.gpus_held = work.machines->gpus.value;
  work.gpus_needed = r.boxes;
  work.power_share = r.busy;
  work.has_product = r.output_rate.node != no_node && r.output_rate.value > TokenRate{};
  work.product.kind = money::Product::Kind::serving;
  work.product.gpus = work.machines->gpus;
  work.product.input_rate = r.input_rate;
  work.product.output_rate = r.output_rate;
}

}  // namespace

train::Demand train_demand(const Context& c, const Work& work, Figure<Scalar> gpus) {
  train::Demand d;
  d.scope = work.scope;
  d.model = c.model(work.spec->train.model);
  d.accelerator = work.machines->accelerator;
  d.gpus = to_count(gpus.value);
  d.domain = to_count(work.machines->network.path.domain);
  d.path = work.machines->network.path;
  d.network_node = c.trace.find("fabric." + work.machines->scope + ".rate-per-gpu");
  d.checkpoint_write = c.checkpoint_write;
  d.search = c.search;
  d.framework = c.catalog.find<catalog::TrainingSoftware>(work.spec->train.framework);
  return d;
}

void assess_work(Context& c) {
  for (const auto& spec : c.scenario.workloads) {
    Work work;
    work.spec = &spec;
    work.scope = kebab(spec.name);
    work.machines = c.machines_called(spec.on);
    if (work.machines == nullptr) continue;
    work.product.name = work.scope;
    switch (spec.kind) {
      case WorkKind::train:
        assess_training(c, work);
        break;
      case WorkKind::serve:
        assess_service(c, work);
        break;
      case WorkKind::rag:
        assess_rag(c, work);
        break;
      case WorkKind::embed:
        assess_embedding(c, work);
        break;
      case WorkKind::video:
        assess_video(c, work);
        break;
      case WorkKind::edge:
        assess_edge(c, work);
        break;
    }
    c.work.push_back(std::move(work));
  }
}

}  // namespace headroom::study
