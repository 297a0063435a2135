// How long the things take that a user waits for, after start-up, on one core.
//
//   check/*        a scenario to its verdict (bar: campus-100k under 50 ms)
//   load/*         reading and linking the scenario alone
//   report/*       the verdict as text and as JSON
//   search/*       the training planner alone
//   catalogue, schema, units: what every command pays for
//
// usage: headroom_bench [--benchmark_filter=REGEX] [--benchmark_format=json]
#include <benchmark/benchmark.h>

#include <cstdio>
#include <filesystem>

#include "api/headroom.hpp"
#include "base/units.hpp"
#include "catalog/catalog.hpp"
#include "fabric/path.hpp"
#include "report/report.hpp"
#include "study/check.hpp"
#include "train/assess.hpp"

namespace {

using namespace headroom;

std::string scenario(const char* name) {
  return HEADROOM_SOURCE_DIR "/scenarios/" + std::string(name) + ".yaml";
}

void check_scenario(benchmark::State& state, const char* name) {
  api::Request request;
  request.file = scenario(name);
  for (auto _ : state) {
    const auto verdict = api::check(request);
    if (!verdict) return state.SkipWithError(render(verdict.error()).c_str());
    benchmark::DoNotOptimize(verdict->fits);
  }
}
BENCHMARK_CAPTURE(check_scenario, campus - 100k, "campus-100k")
    ->Name("check/campus-100k")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(check_scenario, llama3 - 405b, "llama3-405b")
    ->Name("check/llama3-405b")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(check_scenario, chat - 70b, "chat-70b")
    ->Name("check/chat-70b")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(check_scenario, legacy - hall, "legacy-hall")
    ->Name("check/legacy-hall")
    ->Unit(benchmark::kMillisecond);

void load_scenario(benchmark::State& state, const char* name) {
  const std::string file = scenario(name);
  for (auto _ : state) {
    const auto loaded = study::load(file, {}, catalog::Catalog::builtin());
    if (!loaded) return state.SkipWithError(render(loaded.error()).c_str());
    benchmark::DoNotOptimize(loaded->scenario.clusters.size());
  }
}
BENCHMARK_CAPTURE(load_scenario, campus - 100k, "campus-100k")
    ->Name("load/campus-100k")
    ->Unit(benchmark::kMicrosecond);

void report_verdict(benchmark::State& state, bool as_json) {
  api::Request request;
  request.file = scenario("campus-100k");
  const auto verdict = api::check(request);
  if (!verdict) return state.SkipWithError(render(verdict.error()).c_str());
  for (auto _ : state) {
    benchmark::DoNotOptimize(as_json ? report::json(*verdict)
                                     : report::text(*verdict, {false, 120, true}));
  }
}
BENCHMARK_CAPTURE(report_verdict, text, false)->Name("report/text")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(report_verdict, json, true)->Name("report/json")->Unit(benchmark::kMicrosecond);

/// Llama 3.1 405B on H100 over 400 Gb/s: the planner, all plans open.
void search_plans(benchmark::State& state) {
  const auto& catalog = catalog::Catalog::builtin();
  train::Demand demand;
  demand.scope = "bench";
  demand.model = catalog.find<catalog::Model>("llama-3.1-405b");
  demand.accelerator = catalog.find<catalog::Accelerator>("h100-sxm");
  demand.gpus = static_cast<int>(state.range(0));
  demand.path = fabric::make_path(*catalog.find<catalog::System>("dgx-h100"), *demand.accelerator,
                                  {.per_gpu = 400 * gigabit_per_second});
  Trace trace;
  Findings findings;
  const train::JobSpec spec;
  const compute::Device device(*demand.accelerator);
  const train::Job job = train::resolve(spec, demand, device, trace, findings);
  long plans = 0;
  for (auto _ : state) {
    const auto result = train::search(job);
    plans += result.legal;
    benchmark::DoNotOptimize(result.best.size());
  }
  state.counters["plans/s"] =
      benchmark::Counter(static_cast<double>(plans), benchmark::Counter::kIsRate);
}
BENCHMARK(search_plans)
    ->Name("search/llama-3.1-405b")
    ->Arg(1024)
    ->Arg(16384)
    ->Arg(100000)
    ->Unit(benchmark::kMillisecond);

/// A catalogue from nothing with every entry read, as a test of all data does.
void read_catalogue(benchmark::State& state) {
  for (auto _ : state) {
    const catalog::Catalog catalog;
    Diagnostics diagnostics;
    catalog.check(diagnostics);
    if (!diagnostics.empty()) return state.SkipWithError(render(diagnostics).c_str());
  }
}
BENCHMARK(read_catalogue)->Name("catalogue")->Unit(benchmark::kMillisecond);

void write_schema(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(api::schema("scenario"));
}
BENCHMARK(write_schema)->Name("schema")->Unit(benchmark::kMillisecond);

void parse_units(benchmark::State& state) {
  const char* texts[] = {"kW", "USD/kWh", "Gb/s", "gCO2e/kWh", "USD/kW/mo", "GiB", "token/s"};
  for (auto _ : state) {
    for (const char* text : texts) benchmark::DoNotOptimize(parse_unit(text));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<long>(std::size(texts)));
}
BENCHMARK(parse_units)->Name("units");

}  // namespace

BENCHMARK_MAIN();
