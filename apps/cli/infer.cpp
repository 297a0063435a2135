// `headroom infer`: configures a serving fleet, from options or from a scenario.
#include <CLI/CLI.hpp>

#include <memory>

#include "api/infer.hpp"
#include "common.hpp"
#include "watch.hpp"

namespace headroom::cli {
namespace {

/// The verb's options while the command line is parsed.
struct InferCommand {
  CLI::App* verb = nullptr;
  api::InferRequest request;
  JobOptions job;
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
    "  headroom infer --model llama-3.1-70b --system dgx-h100 --concurrency 1,4,16,64\n"
    "  headroom infer --model llama-3.1-70b --system dgx-h100 --gpus 8 --rate 1/s,2/s,4/s,8/s\n"
    "  headroom infer scenarios/chat-fleet.yaml --rate 40/s\n"
    "  headroom infer scenarios/chat-70b.yaml --system dgx-b200 --objective energy\n"
    "Exit status: 0 it fits (a sweep: at one load at least), 1 a promise cannot be kept, 2 bad "
    "input,\n3 internal error, 130 stopped.";

void add_answer_options(CLI::App& verb, InferCommand& c) {
  auto& a = c.request.answer;
  const std::string group = "Answer";
  verb.add_option("--workload", a.workload,
                  "One inference workload of the scenario by its name, e.g. chat")
      ->group(group);
  verb.add_option("--objective", a.objective,
                  "What is best: cost (default), energy, gpus or fastest")
      ->group(group);
  verb.add_option("--engine", a.engine, "vllm (default), trtllm or sglang")->group(group);
  verb.add_flag("--disaggregated", a.disaggregated, "Also prefill and decode on their own replicas")
      ->group(group);
  verb.add_option("--top", a.keep, "Configurations in the table, e.g. 10; 5")
      ->group(group)
      ->check(CLI::Range(1, 1000));
  verb.add_flag("--pareto", a.front, "Also those that no other beats in cost, TPOT and power")
      ->group(group);
  verb.add_option("--compare", c.compare,
                  "Other models under the same traffic and promise, e.g. llama-3.1-8b,qwen3-32b")
      ->group(group)
      ->delimiter(',');
  verb.add_option("--edge", c.edge,
                  "Systems beside the fleet that serve one user each, e.g. macbook-m4-max")
      ->group(group)
      ->delimiter(',');
  verb.add_option("--flags", c.flags, "vllm, trtllm, sglang, k8s or all: ready to paste")
      ->group(group)
      ->delimiter(',');
  verb.add_option("--finalists", a.finalists, "Configurations that the engine replays, e.g. 5; 2")
      ->group(group)
      ->check(CLI::Range(0, 20));
  verb.add_option("--requests", a.replay_requests,
                  "Requests of a replay, e.g. 20000; 4,000 and more")
      ->group(group)
      ->check(CLI::Range(100.0, 1e6));
  verb.add_flag("--no-engine", c.no_engine, "The closed form alone")->group(group);
  verb.add_flag("--no-advice", c.no_advice, "Leave out what to change next")->group(group);
  verb.add_flag("--validate-domain", c.validated,
                "Exit status 1 outside of what was held against measurements")
      ->group(group);
  verb.add_option("--threads", a.threads, "Threads of the search, e.g. 4; 1")
      ->group(group)
      ->check(CLI::Range(1, 1024));
  auto* json = add_json(verb, c.json, group, "docs/infer.md");
  verb.add_flag("--csv", c.csv, "The tables of configurations, SI units in the heads")
      ->group(group)
      ->excludes(json);
  add_quiet(verb, group);
}

void collect(InferCommand& c) {
  c.request.options = c.job.given(*c.verb);
  c.request.answer.progress = Watched::current();
  auto& a = c.request.answer;
  a.launchers = all_or(c.flags, {"vllm", "trtllm", "sglang", "k8s"});
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
  c.job.add(*c.verb, api::infer_options());
  add_answer_options(*c.verb, c);
  add_set(*c.verb, c.request.sets,
          "path=value in the scenario, e.g. workloads.serve.slo.context=8192; without a FILE its "
          "cluster is `gpus`, its workload `serve`");
  add_catalog(*c.verb, c.request.catalog);
}

int run_curve(const InferCommand& c, const Terminal& terminal) {
  const auto answer = api::infer_curve(c.request);
  if (!answer) return refuse(answer.error(), c.json);
  print(c.json  ? report::curve_json(*answer)
        : c.csv ? report::curve_csv(*answer)
                : report::curve_text(*answer, {terminal.colour, terminal.width, false}));
  return answer->fits() ? fits : falls_short;
}

int run(InferCommand& c, const Terminal& terminal) {
  collect(c);
  if (api::wants_curve(c.request)) return run_curve(c, terminal);
  const auto answer = api::infer(c.request);
  if (!answer) return refuse(answer.error(), c.json);
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
  return when_given(command, std::move(terminal), run);
}

}  // namespace headroom::cli
