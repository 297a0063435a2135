// Machines that an inference workload may run on, and what a place charges for them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "catalog/region.hpp"
#include "fabric/design.hpp"
#include "money/inputs.hpp"
#include "study/inference_parts.hpp"

namespace headroom::study {

namespace {

constexpr std::array<std::string_view, 3> engines{"vllm", "trtllm", "sglang"};

/// Years over which a box that is bought is written off (assumed).
constexpr double years_of_a_box = 4;

bool in_a_hall(const catalog::System& s) {
  return s.form == catalog::SystemForm::server || s.form == catalog::SystemForm::rack;
}

}  // namespace

std::span<const std::string_view> engine_choices() { return engines; }

infer::Engine engine_called(const std::string& name) {
  if (name == "trtllm") return infer::Engine::tensorrt_llm;
  if (name == "sglang") return infer::Engine::sglang;
  return infer::Engine::vllm;
}

Place place_of(const Scenario& scenario, const catalog::Catalog& catalog,
               const Value<Scalar>& pue) {
  Place out;
  if (pue) out.tariff.pue = double(pue.get());
  if (scenario.money && scenario.money->energy_price)
    out.tariff.usd_per_j = scenario.money->energy_price.get().si();
  if (!scenario.site) return out;
  const auto& site = *scenario.site;
  const auto* region = catalog.find<catalog::Region>(site.region);
  if (site.electricity) out.tariff.usd_per_j = site.electricity.get().si();
  if (site.grid_carbon) out.tariff.kg_per_j = site.grid_carbon.get().si();
  if (region == nullptr) return out;
  out.name = region->place;
  if (out.tariff.usd_per_j <= 0 && region->electricity)
    out.tariff.usd_per_j = region->electricity.get().si();
  if (out.tariff.kg_per_j <= 0 && region->carbon) out.tariff.kg_per_j = region->carbon.get().si();
  return out;
}

Park::Park(const Scenario&, const Loaded& brought, const catalog::Catalog& catalog,
           const InferenceOptions& options, const Place& place)
    : brought_(brought), catalog_(catalog), options_(options), place_(place) {}

const catalog::System* Park::system(const std::string& id) const {
  for (const auto& own : brought_.systems)
    if (own->id == id) return own.get();
  return catalog_.find<catalog::System>(id);
}

std::vector<const catalog::System*> Park::all() const {
  std::vector<const catalog::System*> out;
  for (const auto* s : catalog_.all<catalog::System>()) {
    const auto* gpu = catalog_.find<catalog::Accelerator>(s->accelerator);
    if (gpu == nullptr || !in_a_hall(*s) || gpu->memory.or_else(Information{}).si() <= 0) continue;
    const bool there = std::any_of(out.begin(), out.end(), [&](const auto* other) {
      return other->accelerator == s->accelerator;
    });
    if (!there) out.push_back(s);
  }
  return out;
}

double Park::price(const catalog::System& system, const catalog::Accelerator& gpu) const {
  if (options_.price) {
    origin_ = "--price";
    return options_.price.get().si();
  }
  money::Demand demand;
  demand.accelerator = gpu.id;
  Trace scratch;
  std::vector<std::string> remarks;
  if (const auto rent =
          money::find_rent(money::Way::neocloud, {}, demand, catalog_, scratch, remarks)) {
    if (origin_.empty())
      origin_ = fmt::format("dated rents of the catalogue ({}: {})", gpu.name, rent->as_of);
    return rent->rate.value.si();
  }
  if (!system.price || in_a_hall(system)) return 0;
  const double each = system.price.get().si() / std::max(1, system.accelerators);
  return each / (years_of_a_box * 365 * 86400);
}

std::optional<infer::Device> Park::device(const catalog::System& system, double gpus,
                                          const fabric::Spec& spec) const {
  const auto* gpu = catalog_.find<catalog::Accelerator>(system.accelerator);
  if (gpu == nullptr) return std::nullopt;
  Trace scratch;
  fabric::Demand demand;
  demand.scope = "gpus";
  demand.system = &system;
  demand.accelerator = gpu;
  const double systems =
      in_a_hall(system) ? std::max(2.0, std::ceil(gpus / std::max(1, system.accelerators))) : 1;
  demand.systems = scratch.derive("systems", Scalar(systems), "system", "GPUs / GPUs of one", {});
  demand.racks = systems;
  infer::Device d;
  d.id = system.id;
  d.name = system.name;
  d.accelerator = gpu;
  d.path = fabric::design(spec, demand, catalog_, scratch).path;
  d.usd_per_gpu_s = price(system, *gpu);
  const auto power = serving::gpu_power(*gpu, &system);
  d.prefill_w = power.prefill_w, d.decode_w = power.decode_w, d.idle_w = power.idle_w;
  d.overhead = in_a_hall(system) ? place_.tariff.pue : 1;
  d.engine = gpu->device_class == catalog::DeviceClass::datacenter ? engine_called(options_.engine)
                                                                   : infer::Engine::llama_cpp;
  return d;
}

std::vector<infer::Layout> formats_of(const catalog::Model& model, const infer::ServiceSpec& spec,
                                      const InferenceOptions& options) {
  std::vector<Precision> weights = options.weights;
  if (weights.empty()) weights.push_back(spec.precision.or_else(model.weights));
  std::vector<infer::Layout> out;
  for (const auto w : weights) {
    std::vector<Precision> kv = options.kv;
    if (kv.empty())
      kv.push_back(
          spec.kv_precision.or_else(element_bits(w) < 16 ? Precision::fp8 : Precision::bf16));
    for (const auto k : kv) out.push_back({1, 1, w, k});
  }
  return out;
}

}  // namespace headroom::study
