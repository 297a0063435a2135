// `headroom replay`: a trace of requests through a simulated serving fleet.
#include <CLI/CLI.hpp>

#include <memory>

#include "api/replay.hpp"
#include "common.hpp"
#include "watch.hpp"

namespace headroom::cli {
namespace {

/// The verb's options while the command line is parsed.
struct ReplayCommand {
  CLI::App* verb = nullptr;
  api::ReplayRequest request;
  JobOptions job;
  std::string out;
  bool json = false;
};

constexpr const char* examples =
    "Examples:\n"
    "  headroom replay conv.csv.gz --model llama-3.1-70b --system dgx-h100\n"
    "  headroom replay conv.csv.gz --model llama-3.1-70b --system dgx-h100 --slo-ttft 1s\n"
    "      --slo-tpot 50ms --percentile 99 --out requests.csv\n"
    "  headroom replay mooncake.jsonl --model llama-3.1-8b --accelerator h100-sxm --tp 1\n"
    "      --replicas 8 --routing prefix-aware\n"
    "  headroom replay conv.csv.gz --model llama-3.1-70b --system dgx-h100 --precision fp8\n"
    "      --autoscale queue --min-replicas 1 --max-replicas 8 --slo-ttft 2s\n"
    "  headroom replay conv.csv.gz --model llama-3.1-8b --accelerator h100-sxm --mig 3g --json\n"
    "  headroom replay --like azure-conv-2023 --rate 4/s --duration 1h --model llama-3.1-70b\n"
    "      --system dgx-h100\n"
    "  headroom replay --sessions turns=6,think=20s --input 800 --output 200 --rate 3/s\n"
    "      --duration 30min --model llama-3.1-8b --accelerator h100-sxm --offload-cpu 200GB\n"
    "  headroom replay conv.csv.gz --fleet scenarios/fleets/two-regions.yaml\n"
    "Traces: Azure CSV, Mooncake JSONL, BurstGPT, Vidur, ServeGen, result files of vLLM, GuideLLM\n"
    "and AIPerf, headroom's own; plain or .gz.\n"
    "Exit status: 0 the SLOs are met, 1 they are not or the queue grows, 2 bad input, 3 internal "
    "error, 130 stopped.";

void add_options(CLI::App& app, ReplayCommand& c) {
  c.verb = app.add_subcommand(
      "replay", "Replay a trace of requests: latencies, SLOs, replicas, energy, money");
  c.verb->footer(examples);
  c.verb->add_option("TRACE", c.request.trace,
                     "Trace or request log, plain or .gz; none for a synthetic load");
  c.job.add(*c.verb, api::replay_options());
  c.verb->add_option("--out", c.out, "Writes a row a request to this .csv or .jsonl file")
      ->group("Run");
  c.verb->add_flag("--json", c.json, "For programs; names are stable")->group("Run");
  add_quiet(*c.verb, "Run");
  add_catalog(*c.verb, c.request.catalog);
}

int run(ReplayCommand& c, const Terminal& terminal) {
  c.request.options = c.job.given(*c.verb);
  c.request.progress = Watched::current();
  Diagnostics mistakes = check_out("--out", c.out, {".csv", ".jsonl"});
  c.request.rows = !c.out.empty();
  const auto answer = api::replay(c.request);
  if (!answer) mistakes.add(answer.error());
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  if (!c.out.empty()) {
    const auto form = c.out.ends_with(".csv") ? report::RowForm::csv : report::RowForm::jsonl;
    if (!write_whole(c.out, report::replay_rows(*answer, form), "--out")) return bad_input;
  }
  print(c.json ? report::replay_json(*answer)
               : report::replay_text(*answer, {terminal.colour, terminal.width, false}));
  return answer->fits() ? fits : falls_short;
}

}  // namespace

Run add_replay_verb(CLI::App& app, std::function<Terminal()> terminal) {
  const auto command = std::make_shared<ReplayCommand>();
  add_options(app, *command);
  return when_given(command, std::move(terminal), run);
}

}  // namespace headroom::cli
