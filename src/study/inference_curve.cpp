#include "study/inference_curve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "infer/search_pools.hpp"
#include "study/inference_parts.hpp"

namespace headroom::study {

namespace {

using infer::Layout;
using infer::Replica;

constexpr double most_replicas = 1e5;  // of a fleet sized by its SLOs
constexpr double most_load = 1e6;      // of one replica, where the knee is looked for
constexpr double grid = 1.05;          // steps of that search
constexpr double engine_waves = 40;    // requests of each user in the engine's replay
constexpr double engine_most = 512;    // in flight on a replica that the engine replays
constexpr int usual_batch = 1024, usual_budget = 8192;  // vLLM's for a server's GPUs

/// One configuration with what its curve needs.
struct Fleet {
  const ServingJob* job;
  const infer::Device* device;
  Replica replica;
  double replicas = 1;
  bool closed = false;
  double gpus() const { return replicas * replica.step().layout().gpus(); }
};

void pay(const Fleet& f, double busy, double prefill, CurvePoint& p) {
  const auto& d = *f.device;
  serving::Tariff tariff = f.job->place.tariff;
  tariff.usd_per_gpu_s = d.usd_per_gpu_s;
  tariff.pue = d.overhead;
  serving::GpuTime time;
  time.prefill_s = f.gpus() * busy * prefill;
  time.decode_s = f.gpus() * busy * (1 - prefill);
  time.idle_s = f.gpus() * (1 - busy);
  const auto b =
      serving::bill({d.prefill_w, d.decode_w, d.idle_w, 0}, time, 1, p.input_s, p.output_s, tariff);
  p.power_w = b.mean_w, p.j_per_output = b.j_per_output;
  p.usd_per_moutput = b.usd_per_moutput;
}

void judge(const infer::Targets& t, double ttft, double tpot, double e2e, CurvePoint& p) {
  const auto breaks = [&](const char* label, double slo, double reached) {
    if (slo > 0 && reached > slo && p.breaks.empty()) p.breaks = label;
  };
  breaks("TTFT", t.ttft_s, ttft), breaks("TPOT", t.tpot_s, tpot), breaks("E2E", t.e2e_s, e2e);
  p.holds = p.stable && p.breaks.empty();
}

CurvePoint closed_point(const Fleet& f, double load) {
  CurvePoint p;
  p.load = load;
  // Fewer requests than replicas leave some of these idle.
  const double active = std::min(f.replicas, load);
  const auto c = f.replica.closed_loop(load / active, f.job->asked.load);
  if (!c.fits) return p;
  p.stable = true;
  p.rate_s = active * c.rate_s;
  p.running = c.running, p.waiting = std::max(0.0, c.concurrency - c.running);
  p.ttft_s = c.ttft.si(), p.tpot_s = c.tpot.si(), p.e2e_s = c.e2e.si();
  p.output_s = active * c.output_s, p.input_s = active * c.input_s;
  p.output_per_gpu_s = p.output_s / f.gpus();
  p.user_tokens_s = p.tpot_s > 0 ? 1 / p.tpot_s : 0;
  pay(f, active / f.replicas, c.prefill_share, p);
  judge(f.job->asked.targets, p.ttft_s, p.tpot_s, p.e2e_s, p);
  return p;
}

CurvePoint open_point(const Fleet& f, double load) {
  CurvePoint p;
  p.load = load;
  infer::Load each = f.job->asked.load;
  each.rate_s = load / f.replicas;
  const auto o = f.replica.operate(each, f.job->asked.targets.percentile);
  p.stable = o.stable;
  p.rate_s = f.replicas * std::min(each.rate_s, o.saturation_s);
  p.running = o.running;
  p.output_s = p.rate_s * each.output, p.input_s = p.rate_s * each.input;
  p.output_per_gpu_s = p.output_s / f.gpus();
  if (!o.stable) {
    p.breaks = "the queue grows";
    return p;
  }
  p.ttft_s = o.ttft.si(), p.tpot_s = o.tpot.si(), p.e2e_s = o.e2e.si();
  p.ttft_p_s = o.ttft_p.si(), p.tpot_p_s = o.tpot_p.si(), p.e2e_p_s = o.e2e_p.si();
  p.user_tokens_s = p.tpot_s > 0 ? 1 / p.tpot_s : 0;
  pay(f, o.busy, o.prefill_share, p);
  judge(f.job->asked.targets, p.ttft_p_s, p.tpot_p_s, p.e2e_p_s, p);
  return p;
}

CurvePoint point(const Fleet& f, double load) {
  return f.closed ? closed_point(f, load) : open_point(f, load);
}

/// Kleinrock's power of a point.
double power(const CurvePoint& p) { return p.stable && p.e2e_s > 0 ? p.rate_s / p.e2e_s : 0; }

CurvePoint knee(const Fleet& f, double saturation_s) {
  CurvePoint best;
  const auto look = [&](double load) {
    auto p = point(f, load);
    if (power(p) > power(best)) best = std::move(p);
  };
  if (f.closed) {
    for (double n = 1; n <= most_load; n = std::max(n + 1, std::floor(n * grid))) {
      look(n * f.replicas);
      if (n * f.replicas > 8 * best.load) break;  // far behind the top
    }
  } else {
    constexpr int steps = 200;
    for (int i = 1; i < steps; ++i) look(f.replicas * saturation_s * i / steps);
  }
  return best;
}

/// The fewest replicas with which the largest load of a closed loop keeps the SLOs; 0: none.
double enough_replicas(Fleet f, double load) {
  const auto holds = [&](double replicas) {
    f.replicas = replicas;
    return closed_point(f, load).holds;
  };
  double high = 1;
  while (!holds(high)) {
    if (high >= std::min(load, most_replicas)) return 0;
    high = std::min({2 * high, load, most_replicas});
  }
  double low = std::floor(high / 2);  // does not hold, or is 0
  while (high - low > 1) {
    const double middle = std::floor((low + high) / 2);
    (holds(middle) ? high : low) = middle;
  }
  return high;
}

double figure(const Curve& c, infer::Objective objective) {
  const CurvePoint* last = &c.points.front();
  for (const auto& p : c.points)
    if (p.holds) last = &p;
  const double made = std::max(last->output_s, 1e-9);
  switch (objective) {
    case infer::Objective::cost:
      return last->usd_per_moutput > 0 ? last->usd_per_moutput : 1e6 * c.gpus / made;
    case infer::Objective::energy:
      return last->j_per_output > 0 ? last->j_per_output : 1e12;
    case infer::Objective::gpus:
      return c.gpus + 1 / made;
    case infer::Objective::fastest:
      return last->tpot_s > 0 ? last->tpot_s : 1e12;
  }
  return 0;
}

class Curves {
 public:
  Curves(const Context& c, const WorkSpec& work, ServingJob job, const InferenceOptions& options,
         const Sweep& sweep)
      : c_(c), work_(work), job_(std::move(job)), options_(options), sweep_(sweep) {}

  CurveRun run() {
    CurveRun out;
    out.workload = kebab(work_.name), out.title = work_.name;
    out.closed = sweep_.closed();
    const auto& t = job_.asked.targets;
    out.percentile = t.percentile;
    for (const auto& [label, slo] :
         {std::pair{"TTFT", t.ttft_s}, {"TPOT", t.tpot_s}, {"E2E", t.e2e_s}})
      if (slo > 0) out.slos.emplace_back(label, slo);
    describe(out);
    for (const auto& device : job_.space.devices)
      for (const auto& format : job_.space.formats)
        for (const auto& draft : job_.space.drafts) layouts(device, format, draft);
    rank();
    for (auto& made : made_) out.curves.push_back(std::move(made.curve));
    if (!out.curves.empty()) {
      out.fits = out.curves.front().held > 0;
      replays(out);
    }
    headline(out);
    return out;
  }

 private:
  struct Made {
    Curve curve;
    Fleet fleet;
  };

  void describe(CurveRun& out) const {
    const auto& l = job_.asked.load;
    out.job = {{"model", job_.model->name},
               {"input", fmt::format("{:.0f} tokens (cv {:.2g}), {:.0f} % cached", l.input,
                                     l.input_cv, 100 * l.cached / l.input)},
               {"output", fmt::format("{:.0f} tokens (cv {:.2g})", l.output, l.output_cv)},
               {"engine", std::string(infer::engine_name(job_.engine))}};
    if (!out.closed) out.job.emplace_back("arrivals", fmt::format("cv {:.2g}", l.arrival_cv));
  }

  void layouts(const infer::Device& device, const Layout& format, const infer::Draft& draft) {
    Stage stage(options_.progress, "latency against load", 0);
    if (!infer::runs_format(*device.accelerator, format.weights)) return;
    infer::EngineLimits limits;
    const auto& s = job_.space;
    limits.max_batch = s.max_batch.empty() ? usual_batch : s.max_batch.front();
    limits.budget = s.budget.empty() ? usual_budget : s.budget.front();
    limits.memory_share = s.memory_share;
    limits.speculation = draft.length, limits.acceptance = draft.acceptance;
    limits.draft_cost = draft.cost;
    const double one = c_.system(device.id) != nullptr ? c_.system(device.id)->accelerators : 8;
    const double had = device.most_gpus > 0 ? device.most_gpus : std::max(1.0, one);
    const bool sized = device.most_gpus <= 0 && sweep_.closed() && asks_slo();
    for (const auto& layout : infer::feasible_layouts(
             *job_.model, *device.accelerator, device.path, format, job_.spec->engine, limits,
             sized ? int(std::max(had, device.path.domain)) : int(had))) {
      stage.advance();
      const infer::StepModel step(*job_.model, *device.accelerator, device.path, layout,
                                  device.engine);
      Fleet fleet{&job_, &device, Replica(*job_.model, step, limits), 1, sweep_.closed()};
      fleet.replicas = sized ? enough_replicas(fleet, sweep_.most())
                             : std::floor(had / std::max(1, layout.gpus()));
      if (fleet.replicas >= 1) add(fleet);
      if (sized && fleet.replicas < 1) add_unreachable(fleet, had);
    }
  }

  bool asks_slo() const {
    const auto& t = job_.asked.targets;
    return t.ttft_s > 0 || t.tpot_s > 0 || t.e2e_s > 0;
  }

  /// No number of replicas keeps the SLOs: one system shows by how much.
  void add_unreachable(Fleet fleet, double had) {
    fleet.replicas = std::max(1.0, std::floor(had / fleet.replica.step().layout().gpus()));
    add(fleet);
  }

  void add(const Fleet& fleet) {
    infer::Candidate candidate;
    candidate.serve = {fleet.replica.step().layout(), fleet.replica.limits(), fleet.replicas, 0};
    candidate.gpus = fleet.gpus();
    Curve c;
    c.summary = summary_of(candidate, *fleet.device);
    c.system = fleet.device->id, c.accelerator = fleet.device->accelerator->id;
    c.engine = std::string(infer::engine_name(fleet.device->engine));
    c.dims = dims_of(candidate);
    c.gpus = candidate.gpus, c.replicas = fleet.replicas;
    for (const double load : sweep_.loads()) {
      c.points.push_back(point(fleet, load));
      c.held += c.points.back().holds;
    }
    c.saturation =
        fleet.replicas *
        fleet.replica.operate(job_.asked.load, job_.asked.targets.percentile).saturation_s;
    made_.push_back({std::move(c), fleet});
  }

  void rank() {
    const auto objective = job_.search.objective;
    std::stable_sort(made_.begin(), made_.end(), [&](const Made& a, const Made& b) {
      if (a.curve.held != b.curve.held) return a.curve.held > b.curve.held;
      return figure(a.curve, objective) < figure(b.curve, objective);
    });
    if (int(made_.size()) > options_.keep) made_.erase(made_.begin() + options_.keep, made_.end());
    for (auto& m : made_) m.curve.knee = knee(m.fleet, m.curve.saturation / m.fleet.replicas);
  }

  /// The engine's word on a closed loop; an open one has its percentiles already.
  void replays(CurveRun& out) const {
    if (options_.finalists <= 0 || !out.closed) return;
    const auto& fleet = made_.front().fleet;
    for (const double load : sweep_.loads()) {
      const double each = std::round(load / std::min(fleet.replicas, load));
      if (each > engine_most) break;
      out.replays.push_back(replay_closed(job_, *fleet.device, fleet.replica, each, engine_waves));
      out.replays.back().summary = fmt::format("{:g}", load);
      out.replays.back().output_s *= std::min(fleet.replicas, load);
    }
  }

  void headline(CurveRun& out) const {
    if (out.curves.empty()) {
      out.verdict = "does not fit: no layout of these machines holds the model";
      return;
    }
    const auto& c = out.curves.front();
    const auto load = [&](double x) {
      return out.closed ? fmt::format("{} in flight", format_number(x))
                        : format(Rate::from_si(x), "request/s");
    };
    const CurvePoint* last = nullptr;
    for (const auto& p : c.points)
      if (p.holds && (last == nullptr || p.load > last->load)) last = &p;
    if (last == nullptr) {
      out.verdict =
          fmt::format("does not fit: {} at {}",
                      c.points.front().breaks.empty() ? "out of memory" : c.points.front().breaks,
                      load(c.points.front().load));
      return;
    }
    out.verdict = fmt::format("{}: {}, {} output tokens/s", asks_slo() ? "fits" : "keeps up",
                              load(last->load), format_number(last->output_s));
    if (c.held < int(c.points.size()))
      out.verdict += fmt::format(" ({} of {} loads)", c.held, c.points.size());
  }

  const Context& c_;
  const WorkSpec& work_;
  ServingJob job_;
  const InferenceOptions& options_;
  const Sweep& sweep_;
  std::vector<Made> made_;
};

}  // namespace

double Sweep::most() const {
  return loads().empty() ? 0 : *std::max_element(loads().begin(), loads().end());
}

bool CurveAnswer::fits() const {
  return std::all_of(runs.begin(), runs.end(), [](const CurveRun& r) { return r.fits; });
}

Result<CurveAnswer> inference_curves(Loaded loaded, const catalog::Catalog& catalog,
                                     const InferenceOptions& options, const Sweep& sweep) {
  auto mistakes = check_options(options, catalog);
  CurveAnswer answer;
  answer.scenario = loaded.scenario.name, answer.file = loaded.file;
  Verdict unused;
  const Context c(loaded.scenario, loaded, catalog, unused);
  for (const auto& work : loaded.scenario.workloads) {
    if (work.kind != WorkKind::serve) continue;
    if (!options.workload.empty() && work.name != options.workload) continue;
    auto job = serving_job(c, work, options, mistakes);
    if (!job || !mistakes.empty()) continue;
    const Park park(c.scenario, c.brought, c.catalog, options, job->place);
    answer.runs.push_back(Curves(c, work, std::move(*job), options, sweep).run());
    auto& run = answer.runs.back();
    if (run.curves.empty()) continue;
    park.device(*c.system(run.curves.front().system), run.curves.front().gpus, {});
    run.price_origin = park.price_origin();
  }
  if (answer.runs.empty() && mistakes.empty())
    mistakes.add({loaded.file, 0, 0, "workloads", "no workload of this scenario serves a model",
                  "add one of `kind: serve`, or name a model and a system: headroom infer --help",
                  ""});
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return answer;
}

}  // namespace headroom::study
