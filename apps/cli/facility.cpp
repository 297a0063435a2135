// `headroom facility`: power, cooling and water of a scenario's halls over a year, and failures.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "api/facility.hpp"
#include "verbs.hpp"

namespace headroom::cli {
namespace {

/// The verb's options while the command line is parsed.
struct FacilityCommand {
  CLI::App* verb = nullptr;
  api::FacilityRequest request;
  std::string csv;
  bool json = false, phases = false;
};

constexpr const char* examples =
    "Examples:\n"
    "  headroom facility scenarios/nvl72-row.yaml\n"
    "  headroom facility scenarios/llama3-405b.yaml --epw chicago.epw --warmer 2K --csv h.csv\n"
    "  headroom facility scenarios/nvl72-row.yaml --year --resolution 1s\n"
    "  headroom facility scenarios/nvl72-row.yaml --lose cdu-pump@15:00 --back 5min\n"
    "  headroom facility scenarios/nvl72-row.yaml --lose dry-cooler=50% --lose leak --json\n"
    "NODE: cdu-pump, leak, room-fan, loop-pump, tower or dry-cooler, chiller, all-cooling; with "
    "the\n"
    "hall or the loop before it (hall-a.cdu-pump) one of them. The answer lists them.\n"
    "Exit status: 0 every set point holds, 1 one does not or racks throttle, 2 bad input, 3 "
    "internal error.";

void add_options(CLI::App& app, FacilityCommand& c) {
  auto& r = c.request;
  c.verb = app.add_subcommand(
      "facility", "PUE, water, energy and temperatures of the halls over a year; cooling lost");
  c.verb->footer(examples);
  c.verb->add_option("FILE", r.file, "Scenario (YAML) with halls; - reads standard input")
      ->required();
  c.verb
      ->add_option("--set", r.sets, "path=value: change one input, e.g. cooling.kind=chiller-water")
      ->allow_extra_args(false);
  c.verb->add_option("--catalog", r.catalog, "Folder laid over the built-in catalogue");
  c.verb->add_flag("--year", r.year, "The year, hour by hour; always without --lose");
  c.verb->add_option("--epw", r.epw, "Weather file; left out: a year of the region's climate");
  c.verb->add_option("--fill-gaps", r.fill_gaps,
                     "Longest gap of the weather file to interpolate, e.g. 3h");
  c.verb->add_option("--warmer", r.warmer, "The same year warmer, e.g. 2K");
  c.verb->add_option("--reclaimed", r.reclaimed, "Reclaimed water there is, e.g. 20m3/h");
  c.verb->add_option("--carbon", r.carbon,
                     "CSV of the grid's carbon intensity, a line an hour of the year");
  c.verb->add_option("--cap", r.cap, "Power cap of racks over their maximum, e.g. 85%");
  c.verb->add_option("--resolution", r.resolution,
                     "The year in the time domain as well, every rack stepped, e.g. 1s");
  c.verb->add_option("--lose", r.lose, "NODE[=SHARE][@hh:mm]: what fails, second by second")
      ->allow_extra_args(false);
  c.verb->add_option("--for", r.horizon, "How long the failure is followed; 10min");
  c.verb->add_option("--back", r.back, "What was lost is back after this; never");
  c.verb->add_flag("--phases", c.phases,
                   "The scenario's phases instead: which limit binds in each, what must be added");
  c.verb->add_option("--csv", c.csv, "Writes a row an hour to this file");
  c.verb->add_flag("--json", c.json, "For programs; names are stable");
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
  print("--csv " + path + ": cannot be written\n", stderr);
  return false;
}

Diagnostics check_csv(const std::string& path) {
  Diagnostics mistakes;
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error))
    mistakes.add({"--csv " + path, 0, 0, "", "there is no folder " + folder.string(), "", ""});
  return mistakes;
}

int run_phases(const FacilityCommand& c, const Terminal& terminal) {
  const auto phases = api::facility_phases(c.request);
  if (!phases) return refuse(phases.error(), c.json);
  print(c.json ? report::facility_phases_json(*phases)
               : report::facility_phases_text(*phases, {terminal.colour, terminal.width, false}));
  const bool all = std::all_of(phases->begin(), phases->end(),
                               [](const study::FacilityPhase& p) { return p.fits; });
  return all ? fits : falls_short;
}

int run(const FacilityCommand& c, const Terminal& terminal) {
  if (c.phases) return run_phases(c, terminal);
  Diagnostics mistakes = check_csv(c.csv);
  const auto answer = api::facility(c.request);
  if (!answer) mistakes.add(answer.error());
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  if (!c.csv.empty() && !write_whole(c.csv, report::facility_csv(*answer))) return bad_input;
  print(c.json ? report::facility_json(*answer)
               : report::facility_text(*answer, {terminal.colour, terminal.width, false}));
  return answer->holds() ? fits : falls_short;
}

}  // namespace

Run add_facility_verb(CLI::App& app, std::function<Terminal()> terminal) {
  const auto command = std::make_shared<FacilityCommand>();
  add_options(app, *command);
  return [command, terminal = std::move(terminal)]() -> std::optional<int> {
    if (!*command->verb) return std::nullopt;
    return run(*command, terminal());
  };
}

}  // namespace headroom::cli
