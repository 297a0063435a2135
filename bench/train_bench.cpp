// The training planner: plans a second on one core, whole spaces, interactive searches.
//
//   exhaustive/gpt3-175b-1024/N   every plan of GPT-3 175B on at most 1,024 A100 80 GB, batch
//                                 1,536, on N threads. Bar: 10 s on two cores.
//   calculon/gpt3-175b-1024/N     calculon's own enumeration of the same job, 11,698,528
//                                 executions, each evaluated in full. Bar: 10 s on two cores.
//   exhaustive/llama-3.1-405b     every plan on 16,384 H100. Bar: 2 s.
//   planner/llama-3.1-405b        what `headroom train` runs. Bar: 2 s.
//   evaluate                      one plan from nothing, no tables
//
// `plans/s` counts plans with memory and step both computed, over all threads. Bar: 1 M a core.
//
// usage: train_bench [--benchmark_filter=REGEX] [--benchmark_format=json]
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/units.hpp"
#include "catalog/catalog.hpp"
#include "fabric/path.hpp"
#include "train/search_tables.hpp"

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
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

// --- calculon's space --------------------------------------------------------------------

/// The loops of calculon-ai/calculon, calculon/llm/optimal_execution.py (commit 1886c88): GPT-3
/// 175B, 1,024 processors, batch 1,536, a system with two networks and a second memory. What our
/// plans have no word for (which network a group uses, gathering again, offload) is a repeated
/// evaluation: each of its executions costs one of ours.
class Calculon {
 public:
  explicit Calculon(const train::Job& job) : job_(job) {
    off_.software.data_overlap = false;
    none_.software.tensor_overlap = 0;
    neither_.software.data_overlap = false, neither_.software.tensor_overlap = 0;
  }

  /// One (tp, pp): executions counted, the best rate kept.
  void search(int tp, int pp) {
    p_ = {};
    p_.tp = tp, p_.pp = pp, p_.dp = job_.gpus / (tp * pp);
    const int layers = job_.model->layers, local = int(job_.sequences) / p_.dp;
    for (int v = 1; v <= (pp == 1 ? 1 : layers / pp); ++v)
      for (int micro = 1; micro <= local; ++micro)
        if (layers / pp % v == 0 && local % micro == 0) {
          p_.vpp = v, p_.micro_batch = micro, p_.micro_batches = local / micro;
          variants();
        }
  }
  long count = 0;
  double best = 0;

 private:
  enum class Words { ar, p2p_rs_ag, rs_ag };
  void variants() {
    for (auto recompute : {Recompute::full, Recompute::selective, Recompute::none})
      for (bool sharded : {true, false})
        for (auto words : {Words::ar, Words::p2p_rs_ag, Words::rs_ag}) {
          if (sharded && p_.dp == 1) continue;
          p_.recompute = recompute;
          p_.zero = sharded ? train::Zero::optimizer : train::Zero::replicated;
          p_.sequence_parallel = words == Words::rs_ag && p_.tp > 1;
          overlaps(words == Words::rs_ag && recompute != Recompute::full ? 2 : 1);
        }
  }
  void overlaps(int again) {
    const int offloads = p_.recompute == Recompute::full ? 4 : 8;
    const int networks = (p_.tp > 1 ? 2 : 1) * (p_.pp > 1 ? 2 : 1) * (p_.dp > 1 ? 2 : 1);
    for (int data = 0; data < (p_.dp > 1 ? 2 : 1); ++data)
      for (int tensor = 0; tensor < (p_.tp > 1 ? 3 : 1); ++tensor) {
        const bool hides_data = data == 0, hides_tensor = tensor > 0;
        const auto& job =
            hides_data ? (hides_tensor ? job_ : none_) : (hides_tensor ? off_ : neither_);
        auto& tables = hides_tensor ? tables_ : bare_tables_;
        for (int k = 0; k < again * offloads * networks; ++k) evaluate(job, tables);
      }
  }
  void evaluate(const train::Job& job, train::CostTables& tables) {
    ++count;
    const auto memory = train::memory(job, tables.sizes(), tables.storage(p_), p_);
    const auto step = train::step_time(job, tables.costs(p_), p_).total();
    if (memory.total() <= job.memory_bytes)
      best = std::max(best, p_.global_batch() * job.sequence / step);
  }

  using Recompute = train::Recompute;
  const train::Job& job_;
  train::Job off_ = job_, none_ = job_, neither_ = job_;  // overlap of: no data, no tensor, none
  train::CostTables tables_{job_}, bare_tables_{none_};
  train::ParallelPlan p_;
};

void calculon(benchmark::State& state) {
  constexpr long counted = 11'698'528;  // its own count, llm-optimal-execution --debug
  const Bench b(gpt3);
  std::vector<std::pair<int, int>> cells;
  for (int tp = 1; tp <= 32; tp *= 2)
    for (int pp = 1; pp <= 32; pp *= 2) cells.emplace_back(tp, pp);
  for (auto _ : state) {
    std::atomic<std::size_t> next = 0;
    std::atomic<long> count = 0;
    const auto work = [&] {
      Calculon all(b.job);
      for (std::size_t k; (k = next.fetch_add(1)) < cells.size();)
        all.search(cells[k].first, cells[k].second);
      count += all.count;
    };
    std::vector<std::thread> threads;
    for (int k = 1; k < state.range(0); ++k) threads.emplace_back(work);
    work();
    for (auto& t : threads) t.join();
    if (count != counted) return state.SkipWithError("not calculon's count");
  }
  state.counters["plans"] = counted;
  state.counters["plans/s"] =
      benchmark::Counter(double(counted) * double(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(calculon)
    ->Name("calculon/gpt3-175b-1024")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

// --- Llama 3.1 405B ------------------------------------------------------------------------

void exhaustive_llama(benchmark::State& state) {
  run(state, llama, {.threads = static_cast<int>(state.range(0)), .exhaustive = true});
}
BENCHMARK(exhaustive_llama)
    ->Name("exhaustive/llama-3.1-405b-16384")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->MeasureProcessCPUTime()
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
