// `headroom train`: plans a training run, from options or from a scenario.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <memory>

#include "api/train.hpp"
#include "verbs.hpp"

namespace headroom::cli {
namespace {

/// The verb's options while the command line is parsed.
struct TrainCommand {
  CLI::App* verb = nullptr;
  api::TrainRequest request;
  std::map<std::string, std::string> values;  ///< by option name
  std::map<std::string, bool> switches;
  std::vector<std::string> flags;
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
    "Exit status: 0 it fits, 1 a limit falls short, 2 bad input, 3 internal error.";

void add_job_options(CLI::App& verb, TrainCommand& c) {
  for (const auto& option : api::train_options()) {
    const std::string name(option.name), doc(option.doc), group(option.group);
    if (option.flag)
      verb.add_flag(name, c.switches[name], doc)->group(group);
    else
      verb.add_option(name, c.values[name], doc)->group(group);
  }
}

void add_answer_options(CLI::App& verb, TrainCommand& c) {
  auto& a = c.request.answer;
  const std::string group = "Answer";
  verb.add_option("--workload", a.workload, "One training workload of the scenario")->group(group);
  verb.add_option("--objective", a.objective, "What the best plan is best in")->group(group);
  verb.add_option("--top", a.keep, "Plans in the table")->group(group)->check(CLI::Range(1, 1000));
  verb.add_flag("--pareto", a.front, "Also the plans that no other beats in every way")
      ->group(group);
  verb.add_option("--flags", c.flags, "megatron, torchtitan, deepspeed or all: ready to paste")
      ->group(group)
      ->delimiter(',');
  verb.add_flag("--ranks", a.ranks, "Memory of every pipeline rank")->group(group);
  verb.add_flag("--no-advice", c.no_advice, "Leave out what to change next")->group(group);
  verb.add_flag("--validate-domain", c.validated,
                "Exit status 1 outside of what was held against measurements")
      ->group(group);
  verb.add_option("--threads", a.threads, "For the search of plans")
      ->group(group)
      ->check(CLI::Range(1, 1024));
  auto* json = verb.add_flag("--json", c.json, "For programs; names are stable (docs/train.md)");
  json->group(group);
  verb.add_flag("--csv", c.csv, "The table of plans")->group(group)->excludes(json);
}

std::vector<std::string> launchers(const std::vector<std::string>& wanted) {
  for (const auto& w : wanted)
    if (w == "all") return {"megatron", "torchtitan", "deepspeed"};
  return wanted;
}

void collect(TrainCommand& c) {
  for (const auto& option : api::train_options()) {
    const std::string name(option.name);
    if (c.verb->count(name) == 0) continue;
    if (option.flag)
      c.request.options.push_back({name, "true"});
    else
      c.request.options.push_back({name, c.values[name]});
  }
  c.request.answer.launchers = launchers(c.flags);
  c.request.answer.advice = !c.no_advice;
}

void add_options(CLI::App& app, TrainCommand& c) {
  c.verb = app.add_subcommand(
      "train", "Plan a training run: parallel plan, time, memory, money, what to change");
  c.verb->footer(examples);
  c.verb->add_option("FILE", c.request.file,
                     "Scenario with training workloads (YAML); none: the options say everything");
  add_job_options(*c.verb, c);
  add_answer_options(*c.verb, c);
  c.verb
      ->add_option("--set", c.request.sets,
                   "path=value in the scenario; without one its cluster is `gpus`, its workload "
                   "`run`")
      ->allow_extra_args(false);
  c.verb->add_option("--catalog", c.request.catalog,
                     "Folder of catalogue files laid over the built-in ones");
}

void print(const std::string& text, FILE* to = stdout) {
  std::fwrite(text.data(), 1, text.size(), to);
}

int run(TrainCommand& c, const Terminal& terminal) {
  collect(c);
  const auto answer = api::train(c.request);
  if (!answer) {
    if (c.json)
      print(report::json(answer.error()));
    else
      print(render(answer.error()), stderr);
    return bad_input;
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
  return [command, terminal = std::move(terminal)]() -> std::optional<int> {
    if (!*command->verb) return std::nullopt;
    return run(*command, terminal());
  };
}

}  // namespace headroom::cli
