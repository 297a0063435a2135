#include "catalog/serving_software.hpp"

#include <algorithm>
#include <cctype>

namespace headroom::catalog {

void KernelFactor::fields(spec::Fields& f) {
  f.text("precision", precision, "Format of the weights; fp8-block with a scale a block")
      .required();
  f.text("architecture", architecture,
         "Generation of GPUs, part of its name; any other when empty");
  f.number("products", products, "", "Factor on products of decoding tokens").between(0, 10);
  f.number("prompts", prompts, "", "Factor on products of prompt tokens").between(0, 10);
  f.number("experts", experts, "", "Factor on grouped products of decoding tokens").between(0, 10);
  f.number("expert_prompts", expert_prompts, "", "Factor on grouped products of prompt tokens")
      .between(0, 10);
}

void ServingCalibration::fields(spec::Fields& f) {
  f.text("model", model, "Model of the runs").required();
  f.text("accelerator", accelerator, "Accelerator of the runs").required();
  f.text("precision", precision, "Format of the weights").required();
  f.number("products", products, "", "Factor on products, experts, collectives and small kernels")
      .between(0, 10);
  f.number("caches", caches, "", "Factor on attention over the cache").between(0, 10);
  f.number("links", links, "", "Factor on collectives; without it those of the kernels hold")
      .between(0, 10);
  f.number("prompts", prompts, "", "Factor on the kernels of prompt tokens").between(0, 10);
  f.number("per_step", per_step, "ms", "Host time of a step, instead of the engine's").at_least(0);
  f.number("per_sequence", per_sequence, "us", "Host time of a sequence, instead of the engine's")
      .at_least(0);
  f.number("per_prompt", per_prompt, "us", "Host time of a prompt, instead of the engine's")
      .at_least(0);
  f.number("residual", residual, "",
           "Measured over corrected time: median of the rows and the range of 80 % of them")
      .above(0)
      .at_most(10);
  f.integer("rows", rows, "Measured rows behind it").at_least(0);
}

void ServingSoftware::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("engine", engine, "Engine's name").required();
  f.texts("matches", matches, "Texts by which the source of a measured row names it");
  f.texts("versions", versions, "Beginnings of the versions it stands for");
  f.date("from", from, "First release of this generation");
  f.date("until", until, "Last release of this generation");
  f.reference("stands_in", stands_in, kind, "Generation whose calibrations serve when it has none");
  f.number("per_step", per_step, "ms", "Host and scheduler between two steps").at_least(0);
  f.number("per_layer", per_layer, "us", "Gaps between a layer's kernels in a CUDA graph")
      .at_least(0);
  f.number("eager_layer", eager_layer, "us", "Host time to launch a layer without a CUDA graph")
      .at_least(0);
  f.number("per_sequence", per_sequence, "us", "Host work for each sequence that gets a token")
      .at_least(0);
  f.number("per_prompt", per_prompt, "us", "Host work for each prompt or part of one in a step")
      .at_least(0);
  f.number("small_kernels", small_kernels, "",
           "Norms, rotary, cache writes, activations: kernels a layer, each costs a launch")
      .at_least(0);
  f.number("stream_passes", stream_passes, "", "Passes of those over the residual stream")
      .at_least(0);
  f.number("collectives", collectives, "", "Factor on the time of collectives").above(0).at_most(5);
  f.list("kernels", kernels, "Factors on the standalone kernels, by format and generation of GPUs");
  f.flag("mixed", mixed, "Prompts and decodes share a step");
  f.flag("joint_attention", joint_attention,
         "Prompts and decodes of a step share one attention call");
  f.number("unseen", unseen, "",
           "Measured over modelled time of whole groups left out of the fit: median and the range "
           "of 80 % of rows")
      .above(0)
      .at_most(10);
  f.integer("rows", rows, "Measured rows behind that range").at_least(0);
  f.list("calibrations", calibrations, "What measured runs of a group correct");
}

const KernelFactor* ServingSoftware::factor(std::string_view precision,
                                            std::string_view architecture) const {
  const auto it = std::find_if(kernels.begin(), kernels.end(), [&](const KernelFactor& k) {
    return k.precision == precision && architecture.find(k.architecture) != std::string_view::npos;
  });
  return it == kernels.end() ? nullptr : &*it;
}

const ServingCalibration* ServingSoftware::calibration(std::string_view model,
                                                       std::string_view accelerator,
                                                       std::string_view precision) const {
  const auto it = std::find_if(calibrations.begin(), calibrations.end(), [&](const auto& c) {
    return c.model == model && c.accelerator == accelerator && c.precision == precision;
  });
  return it == calibrations.end() ? nullptr : &*it;
}

namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool named(const ServingSoftware& s, const std::string& engine) {
  if (lower(s.id) == engine || lower(s.engine) == engine) return true;
  return std::any_of(s.matches.begin(), s.matches.end(),
                     [&](const std::string& m) { return engine.find(lower(m)) == 0; });
}

/// Length of the longest version prefix that fits; -1 when none does.
int fit_of(const ServingSoftware& s, std::string_view version) {
  int best = -1;
  for (const auto& v : s.versions) {
    if (version.substr(0, v.size()) == v) best = std::max(best, static_cast<int>(v.size()));
  }
  return best;
}

}  // namespace

const ServingSoftware& serving_software(const Catalog& catalog, std::string_view engine,
                                        std::string_view version) {
  static const ServingSoftware nothing;
  const auto wanted = lower(engine);
  const ServingSoftware* best = nullptr;
  for (const auto* s : catalog.all<ServingSoftware>()) {
    if (lower(s->id) == wanted) return *s;
    if (!named(*s, wanted)) continue;
    const bool closer = best == nullptr || fit_of(*s, version) > fit_of(*best, version) ||
                        (fit_of(*s, version) == fit_of(*best, version) && s->from > best->from);
    if (closer) best = s;
  }
  if (best == nullptr) best = catalog.find<ServingSoftware>("any");
  return best != nullptr ? *best : nothing;
}

}  // namespace headroom::catalog
