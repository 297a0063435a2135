// `headroom train`: plans a training run, from options or from a scenario.
#include <CLI/CLI.hpp>

#include <memory>

#include "api/train.hpp"
#include "common.hpp"
#include "watch.hpp"

namespace headroom::cli {
namespace {

/// The verb's options while the command line is parsed.
struct TrainCommand {
  CLI::App* verb = nullptr;
  api::TrainRequest request;
  JobOptions job;
  std::vector<std::string> flags;
  std::string pipeline_json, trace;  ///< files
  bool json = false, csv = false, no_advice = false, validated = false;
};

constexpr const char* examples =
    "Examples:\n"
    "  headroom train --model llama-3.1-405b --system dgx-h100 --gpus 16384\n"
    "  headroom train --model llama-3.1-70b --gpu h100-sxm --domain 8 --nic 400 --gpus 512\n"
    "      --sequence 8192 --global-batch 1024 --tokens 2e12 --finish-within 60d\n"
    "  headroom train --model llama-3.1-405b --system dgx-h100 --gpus 16384 --tp 8 --pp 16\n"
    "      --dp 128 --global-batch 2048 --flags all\n"
    "  headroom train --hf config.json --system dgx-b200 --gpus 256 --precision mxfp8 --json\n"
    "  headroom train --method rl --model qwen3-32b --system dgx-h100 --gpus 128 --prompts 512\n"
    "      --samples 16 --response-length 8192\n"
    "  headroom train scenarios/llama3-405b.yaml --top 10\n"
    "Exit status: 0 it fits, 1 a limit falls short, 2 bad input, 3 internal error, 130 stopped.";

void add_answer_options(CLI::App& verb, TrainCommand& c) {
  auto& a = c.request.answer;
  const std::string group = "Answer";
  verb.add_option("--workload", a.workload,
                  "One training workload of the scenario by its name, e.g. pretrain")
      ->group(group);
  verb.add_option("--objective", a.objective,
                  "fastest, smallest (fewest GPUs, in time with --finish-within), cheapest, "
                  "least-memory")
      ->group(group);
  verb.add_flag("--exhaustive", a.exhaustive, "Every legal plan, not the planner's choice of them")
      ->group(group);
  verb.add_option("--top", a.keep, "Plans in the table, e.g. 10; 5")
      ->group(group)
      ->check(CLI::Range(1, 1000));
  verb.add_flag("--pareto", a.front, "Also the plans that no other beats in every way")
      ->group(group);
  verb.add_option("--flags", c.flags, "megatron, torchtitan, deepspeed or all: ready to paste")
      ->group(group)
      ->delimiter(',');
  verb.add_flag("--pipeline", a.pipeline, "Draws one step's passes, a row a pipeline rank")
      ->group(group);
  verb.add_option("--pipeline-json", c.pipeline_json,
                  "Writes those passes to this file, e.g. passes.json")
      ->group(group);
  verb.add_option("--trace", c.trace,
                  "Writes them for chrome://tracing and ui.perfetto.dev, e.g. step.trace.json")
      ->group(group);
  verb.add_flag("--ranks", a.ranks, "Memory of every pipeline rank")->group(group);
  verb.add_flag("--no-advice", c.no_advice, "Leave out what to change next")->group(group);
  verb.add_flag("--validate-domain", c.validated,
                "Exit status 1 outside of what was held against measurements")
      ->group(group);
  verb.add_option("--threads", a.threads, "Threads of the search, e.g. 4; 1")
      ->group(group)
      ->check(CLI::Range(1, 1024));
  auto* json = add_json(verb, c.json, group, "docs/train.md");
  verb.add_flag("--csv", c.csv, "The table of plans")->group(group)->excludes(json);
  add_quiet(verb, group);
}

void collect(TrainCommand& c) {
  c.request.options = c.job.given(*c.verb);
  c.request.answer.progress = Watched::current();
  c.request.answer.launchers = all_or(c.flags, {"megatron", "torchtitan", "deepspeed"});
  c.request.answer.advice = !c.no_advice;
  c.request.answer.pipeline_json = !c.pipeline_json.empty();
  c.request.answer.trace = !c.trace.empty();
}

void add_options(CLI::App& app, TrainCommand& c) {
  c.verb = app.add_subcommand(
      "train", "Plan a training run: parallel plan, time, memory, money, what to change");
  c.verb->footer(examples);
  c.verb->add_option("FILE", c.request.file,
                     "Scenario with training workloads (YAML); none: the options say everything");
  c.job.add(*c.verb, api::train_options());
  add_answer_options(*c.verb, c);
  add_set(*c.verb, c.request.sets,
          "path=value in the scenario, e.g. clusters.gpus.load=80%; without a FILE its cluster is "
          "`gpus`, its workload `run`");
  add_catalog(*c.verb, c.request.catalog);
}

int run(TrainCommand& c, const Terminal& terminal) {
  collect(c);
  c.request.answer.columns = terminal.width;
  c.request.answer.colour = terminal.colour;
  Diagnostics mistakes = check_out("--pipeline-json", c.pipeline_json);
  mistakes.add(check_out("--trace", c.trace));
  const auto answer = api::train(c.request);
  if (!answer) mistakes.add(answer.error());
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  for (const auto& run : answer->runs) {
    if (!c.pipeline_json.empty() &&
        !write_whole(c.pipeline_json, run.pipeline_json, "--pipeline-json"))
      return bad_input;
    if (!c.trace.empty() && !write_whole(c.trace, run.trace, "--trace")) return bad_input;
  }
  bool good = answer->fits();
  for (const auto& run : answer->runs) good = good && (run.in_domain || !c.validated);
  print(c.json  ? report::train_json(*answer)
        : c.csv ? report::train_csv(*answer)
                : report::train_text(*answer, {terminal.colour, terminal.width, false}));
  return good ? fits : falls_short;
}

}  // namespace

Run add_train_verb(CLI::App& app, std::function<Terminal()> terminal) {
  const auto command = std::make_shared<TrainCommand>();
  add_options(app, *command);
  return when_given(command, std::move(terminal), run);
}

}  // namespace headroom::cli
