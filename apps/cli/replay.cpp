// `headroom replay`: a trace of requests through a simulated serving fleet.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <system_error>

#include "api/replay.hpp"
#include "verbs.hpp"

namespace headroom::cli {
namespace {

/// The verb's options while the command line is parsed.
struct ReplayCommand {
  CLI::App* verb = nullptr;
  api::ReplayRequest request;
  std::map<std::string, std::string> values;              ///< by option name
  std::map<std::string, std::vector<std::string>> lists;  ///< of options that repeat
  std::map<std::string, bool> switches;
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
    "error.";

void add_options(CLI::App& app, ReplayCommand& c) {
  c.verb = app.add_subcommand(
      "replay", "Replay a trace of requests: latencies, SLOs, replicas, energy, money");
  c.verb->footer(examples);
  c.verb->add_option("TRACE", c.request.trace,
                     "Trace or request log, plain or .gz; none for a synthetic load");
  for (const auto& option : api::replay_options()) {
    const std::string name(option.name), doc(option.doc), group(option.group);
    if (option.flag)
      c.verb->add_flag(name, c.switches[name], doc)->group(group);
    else if (option.repeats)
      c.verb->add_option(name, c.lists[name], doc)->allow_extra_args(false)->group(group);
    else
      c.verb->add_option(name, c.values[name], doc)->group(group);
  }
  c.verb->add_option("--out", c.out, "Writes a row a request to this .csv or .jsonl file")
      ->group("Run");
  c.verb->add_flag("--json", c.json, "For programs; names are stable")->group("Run");
  c.verb->add_option("--catalog", c.request.catalog,
                     "Folder of catalogue files laid over the built-in ones");
}

void collect(ReplayCommand& c) {
  for (const auto& option : api::replay_options()) {
    const std::string name(option.name);
    if (c.verb->count(name) == 0) continue;
    if (option.repeats)
      for (const auto& text : c.lists[name]) c.request.options.push_back({name, text});
    else
      c.request.options.push_back({name, option.flag ? "true" : c.values[name]});
  }
}

void print(const std::string& text, FILE* to = stdout) {
  std::fwrite(text.data(), 1, text.size(), to);
}

int refuse(const Diagnostics& mistakes, bool json) {
  if (json)
    print(report::json(mistakes));
  else
    print(render(mistakes), stderr);
  return bad_input;
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Diagnostics check_out(const std::string& path) {
  Diagnostics mistakes;
  if (path.empty()) return mistakes;
  if (!ends_with(path, ".csv") && !ends_with(path, ".jsonl"))
    mistakes.add({"--out " + path, 0, 0, "", "is neither .csv nor .jsonl",
                  "for example --out requests.csv", ""});
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error))
    mistakes.add({"--out " + path, 0, 0, "", "there is no folder " + folder.string(), "", ""});
  return mistakes;
}

/// All of the file, or what was there before.
bool write_whole(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  std::ofstream file(part, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(part, path, error);
  if (file && !error) return true;
  std::filesystem::remove(part, error);
  print(path + ": cannot be written\n", stderr);
  return false;
}

int run(ReplayCommand& c, const Terminal& terminal) {
  collect(c);
  Diagnostics mistakes = check_out(c.out);
  c.request.rows = !c.out.empty();
  const auto answer = api::replay(c.request);
  if (!answer) mistakes.add(answer.error());
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  if (!c.out.empty()) {
    const auto form = ends_with(c.out, ".csv") ? report::RowForm::csv : report::RowForm::jsonl;
    if (!write_whole(c.out, report::replay_rows(*answer, form))) return bad_input;
  }
  print(c.json ? report::replay_json(*answer)
               : report::replay_text(*answer, {terminal.colour, terminal.width, false}));
  return answer->fits() ? fits : falls_short;
}

}  // namespace

Run add_replay_verb(CLI::App& app, std::function<Terminal()> terminal) {
  const auto command = std::make_shared<ReplayCommand>();
  add_options(app, *command);
  return [command, terminal = std::move(terminal)]() -> std::optional<int> {
    if (!*command->verb) return std::nullopt;
    return run(*command, terminal());
  };
}

}  // namespace headroom::cli
