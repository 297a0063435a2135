// Configurations a second of the serving search, against the bar of 10,000 in 10 s.
//
//   search_bench            every data-centre accelerator of the catalogue, four formats
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "fabric/path.hpp"
#include "infer/search.hpp"

namespace {

using namespace headroom;

infer::SearchSpace space_of(const catalog::Catalog& catalog) {
  infer::SearchSpace s;
  for (const auto* gpu : catalog.all<catalog::Accelerator>()) {
    if (gpu->device_class != catalog::DeviceClass::datacenter || gpu->vendor != "NVIDIA") continue;
    catalog::System system;
    system.scale_up.domain = std::max(gpu->scale_up.domain, 8);
    system.scale_up.bandwidth = gpu->scale_up.bandwidth.or_else(gpu->pcie);
    infer::Device d;
    d.id = d.name = gpu->id;
    d.accelerator = gpu;
    d.path = fabric::make_path(system, *gpu, {50 * gigabyte_per_second});
    d.usd_per_gpu_s = 2.5 / 3600;
    s.devices.push_back(d);
  }
  for (const auto w : {Precision::bf16, Precision::fp8, Precision::nvfp4, Precision::int4})
    for (const auto kv : {Precision::bf16, Precision::fp8}) s.formats.push_back({1, 1, w, kv});
  s.max_batch = {32, 64, 128, 256, 512, 1024};
  s.budget = {1024, 2048, 4096, 8192, 16384};
  s.drafts = {{}, {4, 0.7, 0.05}};
  s.disaggregated = true;
  return s;
}

}  // namespace

int main() {
  const auto& catalog = catalog::Catalog::builtin();
  infer::Asked asked;
  asked.model = catalog.find<catalog::Model>("llama-3.1-70b");
  if (asked.model == nullptr) return EXIT_FAILURE;
  asked.load.input = 1155, asked.load.input_cv = 1;
  asked.load.output = 211, asked.load.output_cv = 0.8;
  asked.load.rate_s = 20;
  asked.peak_s = 40;
  asked.targets = {1, 0.05, 0, 0.99};
  const auto space = space_of(catalog);
  bool good = true;
  for (const int threads : {1, 2}) {
    const auto start = std::chrono::steady_clock::now();
    const auto r = infer::search(asked, space, {infer::Objective::cost, 5, threads, true});
    const double s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    fmt::print(
        "{} thread{}: {} configurations in {:.2f} s, {:.0f} a second; 10,000 in {:.2f} s "
        "(bar 10 s); {} feasible, front of {}\n",
        threads, threads > 1 ? "s" : "", r.evaluated, s, double(r.evaluated) / s,
        1e4 * s / double(r.evaluated), r.feasible, r.front.size());
    good = good && r.evaluated >= 10000 && s < 10;
  }
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
