// Readers of traces, generators and statistics: rows a second on one core.
#include <benchmark/benchmark.h>

#include <fmt/format.h>

#include <string>

#include "requests/reader.hpp"
#include "requests/stats.hpp"
#include "requests/synthetic.hpp"

namespace {

using namespace headroom::requests;

/// Azure's three columns.
std::string azure_csv(int rows) {
  std::string text = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  for (int i = 0; i < rows; ++i)
    text += fmt::format("2023-11-16 18:{:02}:{:02}.{:07},{},{}\n", i * 60LL / rows % 60,
                        i * 3600LL / rows % 60, (i * 3600LL * 10'000'000 / rows) % 10'000'000,
                        (i * 7919LL) % 4000 + 1, (i * 104729LL) % 600 + 1);
  return text;
}

std::string vidur_csv(int rows) {
  std::string text = "arrived_at,num_prefill_tokens,num_decode_tokens\n";
  for (int i = 0; i < rows; ++i)
    text +=
        fmt::format("{},{},{}\n", i * 0.1803571, (i * 7919LL) % 4000 + 1, (i * 104729LL) % 600 + 1);
  return text;
}

/// Mooncake's rows with the 24 blocks of a mean prompt.
std::string mooncake_jsonl(int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i) {
    text += fmt::format(
        "{{\"timestamp\": {}, \"input_length\": {}, \"output_length\": {}, \"hash_ids\": [", i * 3,
        12000 + i % 100, i % 500 + 1);
    for (int b = 0; b < 24; ++b) text += fmt::format("{}{}", b > 0 ? ", " : "", (i / 4) * 24 + b);
    text += "]}\n";
  }
  return text;
}

std::string lengths_jsonl(int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i)
    text += fmt::format("{{\"input_toks\": {}, \"output_toks\": {}, \"arrival_time_ns\": {}}}\n",
                        i % 4000 + 1, i % 500 + 1, i * 1000000LL);
  return text;
}

void read_rows(benchmark::State& state, const std::string& text, int rows) {
  for (auto _ : state) {
    const auto stream = read_text(text, "bench");
    if (!stream || stream->requests.size() != static_cast<std::size_t>(rows))
      state.SkipWithError("did not read");
    benchmark::DoNotOptimize(stream);
  }
  state.SetItemsProcessed(state.iterations() * rows);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void BM_ReadAzureCsv(benchmark::State& state) { read_rows(state, azure_csv(1'000'000), 1'000'000); }
BENCHMARK(BM_ReadAzureCsv)->Unit(benchmark::kMillisecond);

void BM_ReadVidurCsv(benchmark::State& state) { read_rows(state, vidur_csv(1'000'000), 1'000'000); }
BENCHMARK(BM_ReadVidurCsv)->Unit(benchmark::kMillisecond);

void BM_ReadMooncakeJsonl(benchmark::State& state) {
  read_rows(state, mooncake_jsonl(200'000), 200'000);
}
BENCHMARK(BM_ReadMooncakeJsonl)->Unit(benchmark::kMillisecond);

void BM_ReadLengthsJsonl(benchmark::State& state) {
  read_rows(state, lengths_jsonl(500'000), 500'000);
}
BENCHMARK(BM_ReadLengthsJsonl)->Unit(benchmark::kMillisecond);

void BM_Stats(benchmark::State& state) {
  const auto stream = read_text(azure_csv(1'000'000), "bench");
  for (auto _ : state) benchmark::DoNotOptimize(stats(*stream));
  state.SetItemsProcessed(state.iterations() * 1'000'000);
}
BENCHMARK(BM_Stats)->Unit(benchmark::kMillisecond);

/// Lognormal lengths, gamma arrivals: what a load test of a day generates.
void BM_Generate(benchmark::State& state) {
  Synthetic s;
  s.rate_per_s = 100;
  s.requests = 1'000'000;
  s.arrivals = {Process::gamma, 2.0};
  s.classes[0].input = Lengths::lognormal_by_p99(1155, 4142);
  s.classes[0].output = Lengths::lognormal_by_p99(211, 601);
  for (auto _ : state) benchmark::DoNotOptimize(generate(s));
  state.SetItemsProcessed(state.iterations() * 1'000'000);
}
BENCHMARK(BM_Generate)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
