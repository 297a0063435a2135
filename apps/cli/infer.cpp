// `headroom infer`: configures a serving fleet, from options or from a scenario.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <memory>

#include "api/infer.hpp"
#include "verbs.hpp"

namespace headroom::cli {
namespace {

/// The verb's options while the command line is parsed.
struct InferCommand {
  CLI::App* verb = nullptr;
  api::InferRequest request;
  std::map<std::string, std::string> values;  ///< by option name
  std::map<std::string, bool> switches;
  std::vector<std::string> flags, compare, edge;
  bool json = false, csv = false, no_advice = false, no_engine = false, validated = false;
};

constexpr const char* examples =
    "Examples:\n"
    "  headroom infer --model llama-3.1-70b --system dgx-h100 --rate 20/s --input 1155\n"
    "      --output 211 --slo-ttft 1s --slo-tpot 50ms\n"
    "  headroom infer --model llama-3.1-70b --accelerator any --precision bf16,fp8 --rate 20/s\n"
    "      --slo-tpot 30ms --objective cost --pareto --threads 2\n"
    "  headroom infer --model qwen3-32b --system dgx-h200 --rate 5/s --turns 8 --input 400\n"
    "      --output 1200 --disaggregated --speculation try --flags vllm,k8s\n"
    "  headroom infer --model llama-3.1-70b --system dgx-h100 --rate 20/s\n"
    "      --compare llama-3.1-8b,qwen3-32b --edge jetson-agx-orin --region us-iowa --json\n"
    "  headroom infer scenarios/chat-fleet.yaml --rate 40/s\n"
    "Exit status: 0 it fits, 1 a promise cannot be kept, 2 bad input, 3 internal error.";

void add_job_options(CLI::App& verb, InferCommand& c) {
  for (const auto& option : api::infer_options()) {
    const std::string name(option.name), doc(option.doc), group(option.group);
    if (option.flag)
      verb.add_flag(name, c.switches[name], doc)->group(group);
    else
      verb.add_option(name, c.values[name], doc)->group(group);
  }
}

void add_answer_options(CLI::App& verb, InferCommand& c) {
  auto& a = c.request.answer;
  const std::string group = "Answer";
  verb.add_option("--workload", a.workload, "One inference workload of the scenario")->group(group);
  verb.add_option("--objective", a.objective, "cost, energy, gpus or fastest")->group(group);
  verb.add_option("--engine", a.engine, "vllm, trtllm or sglang")->group(group);
  verb.add_flag("--disaggregated", a.disaggregated, "Also prefill and decode on their own replicas")
      ->group(group);
  verb.add_option("--top", a.keep, "Configurations in the table")
      ->group(group)
      ->check(CLI::Range(1, 1000));
  verb.add_flag("--pareto", a.front, "Also those that no other beats in cost, TPOT and power")
      ->group(group);
  verb.add_option("--compare", c.compare, "Other models under the same traffic and promise")
      ->group(group)
      ->delimiter(',');
  verb.add_option("--edge", c.edge, "Systems beside the fleet that serve one user each")
      ->group(group)
      ->delimiter(',');
  verb.add_option("--flags", c.flags, "vllm, trtllm, sglang, k8s or all: ready to paste")
      ->group(group)
      ->delimiter(',');
  verb.add_option("--finalists", a.finalists, "Configurations that the engine replays; 2")
      ->group(group)
      ->check(CLI::Range(0, 20));
  verb.add_option("--requests", a.replay_requests, "Requests of a replay; 4,000 and more")
      ->group(group)
      ->check(CLI::Range(100.0, 1e6));
  verb.add_flag("--no-engine", c.no_engine, "The closed form alone")->group(group);
  verb.add_flag("--no-advice", c.no_advice, "Leave out what to change next")->group(group);
  verb.add_flag("--validate-domain", c.validated,
                "Exit status 1 outside of what was held against measurements")
      ->group(group);
  verb.add_option("--threads", a.threads, "For the search")
      ->group(group)
      ->check(CLI::Range(1, 1024));
  auto* json = verb.add_flag("--json", c.json, "For programs; names are stable (docs/infer.md)");
  json->group(group);
  verb.add_flag("--csv", c.csv, "The tables of configurations")->group(group)->excludes(json);
}

std::vector<std::string> launchers(const std::vector<std::string>& wanted) {
  for (const auto& w : wanted)
    if (w == "all") return {"vllm", "trtllm", "sglang", "k8s"};
  return wanted;
}

void collect(InferCommand& c) {
  for (const auto& option : api::infer_options()) {
    const std::string name(option.name);
    if (c.verb->count(name) == 0) continue;
    c.request.options.push_back({name, option.flag ? "true" : c.values[name]});
  }
  auto& a = c.request.answer;
  a.launchers = launchers(c.flags);
  a.compare = c.compare;
  a.edge = c.edge;
  a.advice = !c.no_advice;
  if (c.no_engine) a.finalists = 0;
}

void add_options(CLI::App& app, InferCommand& c) {
  c.verb = app.add_subcommand(
      "infer", "Configure inference: GPUs, engine, times, power, money, what to change");
  c.verb->footer(examples);
  c.verb->add_option("FILE", c.request.file,
                     "Scenario with inference workloads (YAML); none: the options say everything");
  add_job_options(*c.verb, c);
  add_answer_options(*c.verb, c);
  c.verb
      ->add_option("--set", c.request.sets,
                   "path=value in the scenario; without one its cluster is `gpus`, its workload "
                   "`serve`")
      ->allow_extra_args(false);
  c.verb->add_option("--catalog", c.request.catalog,
                     "Folder of catalogue files laid over the built-in ones");
}

void print(const std::string& text, FILE* to = stdout) {
  std::fwrite(text.data(), 1, text.size(), to);
}

int run(InferCommand& c, const Terminal& terminal) {
  collect(c);
  const auto answer = api::infer(c.request);
  if (!answer) {
    if (c.json)
      print(report::json(answer.error()));
    else
      print(render(answer.error()), stderr);
    return bad_input;
  }
  bool good = answer->fits();
  for (const auto& run : answer->runs) good = good && (run.in_domain || !c.validated);
  print(c.json  ? report::infer_json(*answer)
        : c.csv ? report::infer_csv(*answer)
                : report::infer_text(*answer, {terminal.colour, terminal.width, false}));
  return good ? fits : falls_short;
}

}  // namespace

Run add_infer_verb(CLI::App& app, std::function<Terminal()> terminal) {
  const auto command = std::make_shared<InferCommand>();
  add_options(app, *command);
  return [command, terminal = std::move(terminal)]() -> std::optional<int> {
    if (!*command->verb) return std::nullopt;
    return run(*command, terminal());
  };
}

}  // namespace headroom::cli
