#include "api/validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/catalogue.hpp"
#include "api/stoppable.hpp"
#include "study/scenario.hpp"

namespace headroom::api {
namespace {

using validation::CalibrateOptions;

Diagnostic mistake(const std::string& file, const std::string& message,
                   const std::string& hint = {}) {
  return {file, 0, 0, "", message, hint, ""};
}

/// The training workload of a scenario that a request means.
Result<const study::WorkSpec*> training_of(const study::Loaded& loaded, const std::string& name) {
  std::vector<const study::WorkSpec*> found;
  std::vector<std::string> names;
  for (const auto& w : loaded.scenario.workloads) {
    if (w.kind != study::WorkKind::train) continue;
    names.push_back(w.name);
    if (name.empty() || w.name == name) found.push_back(&w);
  }
  if (found.size() == 1) return found.front();
  if (found.empty())
    return failure(mistake(
        loaded.file,
        name.empty() ? "no training workload" : fmt::format("no training workload '{}'", name),
        did_you_mean(name, names)));
  return failure(mistake(
      loaded.file, fmt::format("{} training workloads; say which by --workload", names.size()),
      fmt::format("{}", fmt::join(names, ", "))));
}

const study::ClusterSpec* cluster_of(const study::Scenario& s, const std::string& on) {
  for (const auto& c : s.clusters)
    if (on.empty() || c.name == on) return &c;
  return nullptr;
}

/// Puts what a scenario says of a training job where the options say nothing.
void add_job(const study::WorkSpec& work, const study::ClusterSpec& cluster,
             const catalog::System* system, const catalog::Model* model, CalibrateOptions& o) {
  const auto& t = work.train;
  const auto put = [&](const char* key, double v) {
    if (v > 0) o.job.set_default(key, fmt::format("{}", v));
  };
  // As train::assess does: the model's context, at most 8,192 tokens.
  const double context = model != nullptr && model->context > 0 ? model->context : 8192;
  const double sequence = t.sequence ? t.sequence.get().in(token) : std::min(context, 8192.0);
  o.job.set_default("model", t.model);
  put("seq", sequence);
  if (t.global_batch && sequence > 0)
    put("gbs", std::round(t.global_batch.get().in(token) / sequence));
  put("tp", t.plan.tp), put("pp", t.plan.pp), put("vpp", t.plan.vpp), put("cp", t.plan.cp);
  put("ep", t.plan.ep), put("mbs", t.plan.micro_batch);
  if (t.plan.zero >= 0) o.job.set_default("zero", std::to_string(t.plan.zero));
  if (t.plan.recompute > 0) {
    constexpr const char* names[] = {"none", "selective", "full"};
    o.job.set_default("recompute", names[std::min(2, t.plan.recompute - 1)]);
  }
  o.job.set_default("method", std::string(train::method_names()[std::size_t(t.method)]));
  o.job.set_default("prec", std::string(name(t.precision)));
  if (o.framework.empty()) o.framework = t.framework;
  o.job.set_default("hw", cluster.system);
  if (system != nullptr)
    put("gpus", t.gpus > 0 ? t.gpus : cluster.count.or_else(0.0).si() * system->accelerators);
}

Result<CalibrateOptions> with_scenario(const CalibrateTrain& request,
                                       const catalog::Catalog& catalog) {
  auto o = request.options;
  if (request.scenario.empty()) return o;
  const auto loaded = study::load(request.scenario, {}, catalog);
  if (!loaded) return failure(loaded.error());
  const auto work = training_of(*loaded, request.workload);
  if (!work) return failure(work.error());
  const auto* cluster = cluster_of(loaded->scenario, (*work)->on);
  if (cluster == nullptr)
    return failure(mistake(request.scenario, fmt::format("no cluster '{}'", (*work)->on)));
  const auto* model = catalog.find<catalog::Model>((*work)->train.model);
  for (const auto& m : loaded->models)
    if (m->id == (*work)->train.model) model = m.get();
  add_job(**work, *cluster, catalog.find<catalog::System>(cluster->system), model, o);
  if (model != nullptr && o.job.text("model") == model->id)
    o.model = std::make_shared<const catalog::Model>(*model);
  return o;
}

}  // namespace

Result<std::string> validate_train(const ValidateTrain& request) {
  if (request.page) return stoppable([&] { return validation::train_page(request.options); });
  const auto v = stoppable([&] { return validation::validate_train(request.options); });
  if (!v) return failure(v.error());
  return request.json ? validation::to_json(*v, request.options)
                      : validation::to_text(*v, request.options);
}

Result<std::string> validate_infer(const ValidateInfer& request) {
  if (request.page) return stoppable([&] { return validation::infer_page(request.options); });
  const auto v = stoppable([&] { return validation::validate_infer(request.options); });
  if (!v) return failure(v.error());
  return request.json ? validation::to_json(*v, request.options)
                      : validation::to_text(*v, request.options);
}

Result<std::string> validate_facility(const ValidateFacility& request) {
  const auto v = validation::validate_facility(request.options);
  if (!v) return failure(v.error());
  return request.json ? validation::to_json(*v) : validation::to_text(*v, request.options);
}

Result<std::string> calibrate_infer(const CalibrateInfer& request) {
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  const auto fit = validation::calibrate_infer(request.options, catalog->get());
  if (!fit) return failure(fit.error());
  return request.json ? validation::to_json(*fit) : validation::to_text(*fit);
}

Result<std::string> calibrate_train(const CalibrateTrain& request) {
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  const auto options = with_scenario(request, catalog->get());
  if (!options) return failure(options.error());
  const auto c = validation::calibrate_train(*options, catalog->get());
  if (!c) return failure(c.error());
  return request.json ? validation::to_json(*c) : validation::to_text(*c);
}

}  // namespace headroom::api
