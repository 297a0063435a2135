// The training planner: plans a second on one core, whole spaces, interactive searches.
//
//   exhaustive/gpt3-175b-1024/N   every plan of GPT-3 175B on 1,024 A100 80 GB, batch 1,536, on N
//                                 threads: the space of which calculon counts 11,698,528
//                                 executions (llm-optimal-execution -d, batch 1536, two
//                                 networks, second memory). Bar: 10 s on two cores.
//   exhaustive/llama-3.1-405b     every plan on 16,384 H100. Bar: 2 s.
//   planner/llama-3.1-405b        what `headroom train` runs. Bar: 2 s.
//   evaluate                      one plan from nothing, no tables
//
// `plans/s` counts plans with memory and step both computed, over all threads. Bar: 1 M a core.
//
// usage: train_bench [--benchmark_filter=REGEX] [--benchmark_format=json]
#include <benchmark/benchmark.h>

#include "base/units.hpp"
#include "catalog/catalog.hpp"
#include "fabric/path.hpp"
#include "train/search.hpp"

namespace {

using namespace headroom;

struct Setting {
  const char* model;
  const char* accelerator;
  const char* system;
  int gpus;
  double sequence, sequences;
  double gbit;  ///< network a GPU
};
constexpr Setting gpt3{"gpt-3-175b", "a100-sxm-80gb", "dgx-a100", 1024, 2048, 1536, 200};
constexpr Setting llama{"llama-3.1-405b", "h100-sxm", "dgx-h100", 16384, 8192, 2048, 400};

/// A job and the device that it points to.
struct Bench {
  explicit Bench(const Setting& s) : device(accelerator(s)) {
    const auto& catalog = catalog::Catalog::builtin();
    job.model = catalog.find<catalog::Model>(s.model);
    job.device = &device;
    job.path = fabric::make_path(*catalog.find<catalog::System>(s.system), accelerator(s),
                                 {.per_gpu = s.gbit * gigabit_per_second});
    job.gpus = s.gpus;
    job.memory_bytes = accelerator(s).memory.get().in(byte);
    job.sequence = s.sequence;
    job.sequences = s.sequences;
    job.software = train::current_software();
  }
  static const catalog::Accelerator& accelerator(const Setting& s) {
    return *catalog::Catalog::builtin().find<catalog::Accelerator>(s.accelerator);
  }
  compute::Device device;
  train::Job job;
};

void run(benchmark::State& state, const Setting& setting, train::SearchOptions options) {
  const Bench b(setting);
  long legal = 0, evaluated = 0, fitting = 0;
  double rate = 0;
  for (auto _ : state) {
    const auto found = train::search(b.job, options);
    legal = found.legal, fitting = found.fitting;
    evaluated += found.evaluated;
    rate = found.fits() ? found.best[0].tokens_per_s : 0;
  }
  using benchmark::Counter;
  state.counters["plans/s"] = Counter(static_cast<double>(evaluated), Counter::kIsRate);
  state.counters["plans"] = static_cast<double>(legal);
  state.counters["fitting"] = static_cast<double>(fitting);
  state.counters["best tok/s"] = rate;
}

void exhaustive_gpt3(benchmark::State& state) {
  run(state, gpt3, {.threads = static_cast<int>(state.range(0)), .exhaustive = true});
}
BENCHMARK(exhaustive_gpt3)
    ->Name("exhaustive/gpt3-175b-1024")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void exhaustive_llama(benchmark::State& state) {
  run(state, llama, {.threads = static_cast<int>(state.range(0)), .exhaustive = true});
}
BENCHMARK(exhaustive_llama)
    ->Name("exhaustive/llama-3.1-405b-16384")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void planner_llama(benchmark::State& state) { run(state, llama, {}); }
BENCHMARK(planner_llama)->Name("planner/llama-3.1-405b-16384")->Unit(benchmark::kMillisecond);

void front_llama(benchmark::State& state) { run(state, llama, {.front = true}); }
BENCHMARK(front_llama)->Name("front/llama-3.1-405b-16384")->Unit(benchmark::kMillisecond);

void evaluate_one(benchmark::State& state) {
  const Bench b(llama);
  train::ParallelPlan plan;
  plan.tp = 8, plan.pp = 16, plan.dp = 128, plan.micro_batches = 16;
  for (auto _ : state) benchmark::DoNotOptimize(train::evaluate(b.job, plan).tokens_per_s);
}
BENCHMARK(evaluate_one)->Name("evaluate")->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
