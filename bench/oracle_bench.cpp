// The step oracle: what its set-up and one call cost. Bar: `step` and `run` under 1 us.
//
// usage: oracle_bench [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include "catalog/catalog.hpp"
#include "catalog/system.hpp"
#include "fabric/path.hpp"
#include "infer/oracle.hpp"

namespace {

using namespace headroom;

infer::StepModel model_of(const char* id, infer::Layout layout) {
  const auto& catalogue = catalog::Catalog::builtin();
  const auto& gpu = *catalogue.find<catalog::Accelerator>("h100-sxm");
  catalog::System system;
  system.scale_up.domain = 8;
  system.scale_up.bandwidth = gpu.scale_up.bandwidth;
  const auto path = fabric::make_path(system, gpu, {50 * gigabyte_per_second});
  return infer::StepModel(*catalogue.find<catalog::Model>(id), gpu, path, layout);
}

const infer::Layout dense{.tp = 8};
const infer::Layout mixture{
    .tp = 1, .weights = Precision::fp8, .kv = Precision::fp8, .ep = 8, .attention_dp = 8};

void set_up(benchmark::State& state, const char* id, const infer::Layout& layout) {
  for (auto _ : state) benchmark::DoNotOptimize(model_of(id, layout));
}
BENCHMARK_CAPTURE(set_up, llama_70b_tp8, "llama-3.1-70b", dense);
BENCHMARK_CAPTURE(set_up, deepseek_dp8, "deepseek-v3", mixture);

void step(benchmark::State& state, const char* id, const infer::Layout& layout) {
  const infer::StepOracle oracle(model_of(id, layout));
  infer::StepLoad load{.decodes = 200, .keys = 3e5, .prefill = 900, .prefill_pairs = 4e5};
  load.prompts = 2;
  for (auto _ : state) {
    load.keys += 1;
    benchmark::DoNotOptimize(oracle.step_s(load));
  }
}
BENCHMARK_CAPTURE(step, llama_70b_tp8, "llama-3.1-70b", dense);
BENCHMARK_CAPTURE(step, deepseek_dp8, "deepseek-v3", mixture);

void run(benchmark::State& state, const char* id, const infer::Layout& layout) {
  const infer::StepOracle oracle(model_of(id, layout));
  infer::StepLoad load{.decodes = 200, .keys = 3e5};
  for (auto _ : state) {
    load.keys += 1;
    benchmark::DoNotOptimize(oracle.run_s(load, 37));
  }
}
BENCHMARK_CAPTURE(run, llama_70b_tp8, "llama-3.1-70b", dense);

}  // namespace

BENCHMARK_MAIN();
