// `headroom facility`: power, cooling and water of a scenario's halls over a year, and failures.
#include <CLI/CLI.hpp>

#include <memory>

#include "api/facility.hpp"
#include "common.hpp"

namespace headroom::cli {
namespace {

/// The verb's options while the command line is parsed.
struct FacilityCommand {
  CLI::App* verb = nullptr;
  api::FacilityRequest request;
  std::string csv;
  bool json = false;
};

constexpr const char* examples =
    "Examples:\n"
    "  headroom facility scenarios/nvl72-row.yaml\n"
    "  headroom facility scenarios/llama3-405b.yaml --epw chicago.epw --warmer 2K --csv h.csv\n"
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
  c.verb->add_option("--lose", r.lose, "NODE[=SHARE][@hh:mm]: what fails, second by second")
      ->allow_extra_args(false);
  c.verb->add_option("--for", r.horizon, "How long the failure is followed; 10min");
  c.verb->add_option("--back", r.back, "What was lost is back after this; never");
  c.verb->add_option("--csv", c.csv, "Writes a row an hour to this file");
  c.verb->add_flag("--json", c.json, "For programs; names are stable");
}

int run(const FacilityCommand& c, const Terminal& terminal) {
  Diagnostics mistakes = check_out("--csv", c.csv);
  const auto answer = api::facility(c.request);
  if (!answer) mistakes.add(answer.error());
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  if (!c.csv.empty() && !write_whole(c.csv, report::facility_csv(*answer), "--csv"))
    return bad_input;
  print(c.json ? report::facility_json(*answer)
               : report::facility_text(*answer, {terminal.colour, terminal.width, false}));
  return answer->holds() ? fits : falls_short;
}

}  // namespace

Run add_facility_verb(CLI::App& app, std::function<Terminal()> terminal) {
  const auto command = std::make_shared<FacilityCommand>();
  add_options(app, *command);
  return when_given(command, std::move(terminal), run);
}

}  // namespace headroom::cli
