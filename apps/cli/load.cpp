// `headroom load`: requests to a real server, measured, beside what the model predicts.
#include <fmt/core.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>

#include "api/load.hpp"
#include "api/replay.hpp"
#include "common.hpp"

namespace headroom::cli {
namespace {

struct LoadCommand {
  CLI::App* verb = nullptr;
  api::LoadRequest request;
  std::string trace, out, loop, endpoint = "completions", duration, timeout = "10min";
  std::map<std::string, std::string> values;  ///< by option
  std::map<std::string, bool> switches;
  std::vector<std::string> classes;
  JobOptions deployment;
  bool json = false, quiet = false, respect_eos = false;
};

constexpr const char* examples =
    "Examples:\n"
    "  headroom load http://localhost:8000 --like azure-conv-2023 --rate 2/s --duration 5min\n"
    "  headroom load http://localhost:8000 --trace conv.csv.gz --rate-scale 0.5 --out run.jsonl\n"
    "  headroom load http://localhost:8000 --like sharegpt --rate 4/s --duration 2min\n"
    "      --model llama-3.1-8b --accelerator h100-sxm --tp 1\n"
    "  headroom load http://localhost:8000 --concurrency 32 --requests 320 --input 1024 --output "
    "256\n"
    "The API key is taken from OPENAI_API_KEY (--key-variable). Ctrl-C stops; what ended is kept.\n"
    "Exit status: 0 all requests were answered, 1 some failed or the client fell behind, 2 bad "
    "input "
    "or no server.";

std::atomic<bool> interrupted{false};
void interrupt(int) {
  interrupted = true;
  std::signal(SIGINT, SIG_DFL);  // a second Ctrl-C ends the program
}

void add_run_options(LoadCommand& c) {
  auto& v = *c.verb;
  v.add_option("URL", c.request.url, "Server, e.g. http://localhost:8000")->required();
  v.add_option("--endpoint", c.endpoint, "completions (default) or chat")
      ->check(CLI::IsMember({"completions", "chat"}))
      ->group("Run");
  v.add_option("--loop", c.loop,
               "open: at the arrivals' times; closed: --concurrency in flight at all times. "
               "Left out: open where there are arrivals")
      ->check(CLI::IsMember({"open", "closed"}))
      ->group("Run");
  v.add_option("--concurrency", c.request.concurrency,
               "Most requests in flight; 1024 open, 1 closed")
      ->check(CLI::PositiveNumber)
      ->group("Run");
  v.add_option("--max-requests", c.request.most, "Send at most so many")->group("Run");
  v.add_option("--duration", c.duration, "Send nothing after, e.g. 5min")->group("Run");
  v.add_option("--timeout", c.timeout, "Of a request; 10min")->group("Run");
  v.add_option("--warmup", c.request.warmup, "Requests sent before, not counted")->group("Run");
  v.add_option("--served-model", c.request.model,
               "Name sent to the server; the first of /v1/models")
      ->group("Run");
  v.add_option("--key-variable", c.request.key_variable,
               "Environment variable of the API key; OPENAI_API_KEY")
      ->group("Run");
  v.add_flag("--respect-eos", c.respect_eos,
             "Let answers end by themselves: ignore_eos is not sent (servers other than vLLM, "
             "SGLang and TensorRT-LLM may refuse it)")
      ->group("Run");
  v.add_option("--out", c.out, "A row a request: .csv or .jsonl, also .gz")->group("Run");
  v.add_option("--catalog", c.request.catalog, "Folder laid over the built-in catalogue")
      ->group("Run");
  v.add_flag("--json", c.json, "For programs; names are stable")->group("Run");
  v.add_flag("--quiet", c.quiet, "No progress")->group("Run");
}

/// Options of `replay` that describe a deployment; the others shape a trace or the replay itself.
bool describes_deployment(std::string_view group) {
  return group == "Model" || group == "Machine" || group == "Replica" || group == "Fleet";
}

void add_deployment_options(LoadCommand& c) {
  std::vector<api::OptionInfo> table;
  for (const auto& option : api::replay_options())
    if (describes_deployment(option.group)) table.push_back(option);
  c.deployment.add(*c.verb, table, "Prediction: ");
}

void add_options(CLI::App& app, LoadCommand& c) {
  c.verb = app.add_subcommand(
      "load", "Send requests to an OpenAI-compatible server and measure what its users see");
  c.verb->footer(examples);
  add_run_options(c);
  c.verb->add_option("--trace", c.trace, "Trace or request log whose requests are sent")
      ->group("Trace");
  for (const auto& option : requests::traffic_options()) {
    const std::string flag = option.flag;
    if (flag == "--duration") continue;  // the run's ends the arrivals too
    if (option.repeats)
      c.verb->add_option(flag, c.classes, option.doc)->allow_extra_args(false)->group(option.group);
    else if (option.takes_value)
      c.verb->add_option(flag, c.values[flag], option.doc)->group(option.group);
    else
      c.verb->add_flag(flag, c.switches[flag], option.doc)->group(option.group);
  }
  add_deployment_options(c);
}

Diagnostics collect(LoadCommand& c) {
  Diagnostics bad;
  auto& r = c.request;
  if (!c.trace.empty()) r.traffic.emplace_back("--trace", c.trace);
  for (const auto& option : requests::traffic_options()) {
    const std::string flag = option.flag;
    if (flag == "--duration" || c.verb->count(flag) == 0) continue;
    if (option.repeats)
      for (const auto& text : c.classes) r.traffic.emplace_back(flag, text);
    else
      r.traffic.emplace_back(flag, option.takes_value ? c.values[flag] : "");
  }
  for (const auto& option : c.deployment.given(*c.verb))
    r.deployment.emplace_back(option.name, option.value);
  const auto has = [&](const char* flag) { return c.verb->count(flag) > 0; };
  r.closed = c.loop.empty()
                 ? c.trace.empty() && !has("--rate") && !has("--arrivals") && !has("--like")
                 : c.loop == "closed";
  r.endpoint = c.endpoint == "chat" ? api::Endpoint::chat : api::Endpoint::completions;
  r.ignore_eos = !c.respect_eos;
  if (!c.duration.empty()) r.duration_s = api::load_seconds(c.duration, "--duration", bad);
  r.timeout_s = api::load_seconds(c.timeout, "--timeout", bad);
  r.stop = &interrupted;
  if (!c.quiet && isatty(STDERR_FILENO) != 0)
    r.progress = [](std::size_t sent, std::size_t ended, std::size_t failed, double now_s) {
      fmt::print(stderr, "\r{:.0f} s: {} sent, {} ended, {} failed ", now_s, sent, ended, failed);
      std::fflush(stderr);
    };
  return bad;
}

int run(LoadCommand& c) {
  const auto mistakes = collect(c);
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  std::signal(SIGINT, interrupt);
  const auto answer = api::load(c.request);
  std::signal(SIGINT, SIG_DFL);
  if (c.request.progress) std::fputs("\r\033[K", stderr);
  if (!answer) return refuse(answer.error(), c.json);
  const auto text = c.json ? api::load_json(*answer) : api::load_text(*answer);
  print(text);
  if (!c.out.empty()) {
    const auto written = api::write_samples(*answer, c.out);
    if (!written) return refuse(written.error(), c.json);
  }
  const auto& s = answer->summary;
  return s.failed + s.timed_out == 0 && !s.behind ? fits : falls_short;
}

}  // namespace

Run add_load_verb(CLI::App& app) {
  const auto command = std::make_shared<LoadCommand>();
  add_options(app, *command);
  return [command]() -> std::optional<int> {
    if (!*command->verb) return std::nullopt;
    return run(*command);
  };
}

}  // namespace headroom::cli
