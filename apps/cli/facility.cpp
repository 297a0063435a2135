// `headroom facility`: power, cooling and water of a scenario's halls over a year, and failures.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <thread>

#include "api/facility.hpp"
#include "api/facility_availability.hpp"
#include "api/facility_layout.hpp"
#include "api/facility_supply.hpp"
#include "api/facility_transient.hpp"
#include "common.hpp"
#include "watch.hpp"

namespace headroom::cli {
namespace {

/// The verb's options while the command line is parsed.
struct FacilityCommand {
  CLI::App* verb = nullptr;
  api::FacilityRequest request;
  api::TransientRequest transient;
  bool transients = false;
  std::string csv;
  bool json = false, phases = false;
  bool availability = false, supply = false;
  std::string histories;
  bool layout = false, by_weight = false, gantt = false;
  std::string drawing;
};

constexpr const char* examples =
    "Examples:\n"
    "  headroom facility scenarios/nvl72-row.yaml\n"
    "  headroom facility scenarios/llama3-405b.yaml --epw chicago.epw --warmer 2K --csv h.csv\n"
    "  headroom facility scenarios/nvl72-row.yaml --year --resolution 1s\n"
    "  headroom facility scenarios/nvl72-row.yaml --lose cdu-pump@15:00 --back 5min\n"
    "  headroom facility scenarios/nvl72-row.yaml --lose dry-cooler=50% --lose leak --json\n"
    "  headroom facility scenarios/nvl72-row.yaml --availability\n"
    "  headroom facility scenarios/nvl72-row.yaml --chain --pairs\n"
    "  headroom facility scenarios/nvl72-row.yaml --chain --lose-both hall-a.a1,ups.unit\n"
    "  headroom facility scenarios/nvl72-row.yaml --supply --csv hours.csv\n"
    "  headroom facility scenarios/nvl72-row.yaml --lose mains --for 5min\n"
    "  headroom facility scenarios/campus-100k.yaml --transient --sag \"30%@60ms x6/82s\"\n"
    "  headroom facility scenarios/nvl72-row.yaml --layout -o hall.svg\n"
    "  headroom facility scenarios/legacy-hall.yaml --gantt -o plan.svg\n"
    "NODE: cdu-pump, leak, room-fan, loop-pump, tower or dry-cooler, chiller, all-cooling; with "
    "the\n"
    "hall or the loop before it (hall-a.cdu-pump) one of them; mains or a node of the power "
    "chain,\n"
    "NAME.unit for one unit of a bank. The answer lists them.\n"
    "Exit status: 0 every set point holds, 1 one does not, racks throttle, losses together harm or "
    "a\nwanted date is missed (--gantt), 2 bad input, 3 internal error, 130 "
    "stopped.";

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
  c.verb->add_flag("--year", r.year, "The year, hour by hour; always without --lose or --chain");
  c.verb->add_flag("--chain", r.chain,
                   "The power chain: one-line diagram, every node lost once, stranded kW");
  c.verb->add_flag("--pairs", r.pairs, "With --chain: every two nodes lost");
  c.verb
      ->add_option("--lose-both", r.lose_both,
                   "With --chain: NODE,NODE lost at once: what trips, what it strands")
      ->allow_extra_args(false);
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
  c.verb->add_flag("--availability", c.availability,
                   "How often halls stand still, why, and what it costs");
  c.verb->add_option("--histories", c.histories,
                     "Of availability: how many; the scenario's, 20000");
  c.verb->add_flag("--supply", c.supply,
                   "Where energy comes from over the year at the least cost, hour by hour");
  c.verb->add_flag("--transient", c.transients,
                   "Swings of the load within seconds against the grid's limits; sags");
  c.verb
      ->add_option("--sag", c.transient.sags,
                   "With --transient: REMAINING%@DURATION[ xN/SPAN], e.g. \"30%@60ms x6/82s\"")
      ->allow_extra_args(false);
  c.verb->add_option("--sample", c.transient.sample, "With --transient: 1 to 10 ms; 10ms");
  c.verb->add_option("--seed", c.transient.seed, "With --transient: phases of jobs and noise; 1");
  c.verb->add_flag("--layout", c.layout,
                   "Rows, aisles, areas, weights and the way in of the halls");
  c.verb->add_flag("--gantt", c.gantt,
                   "When the hall can be ready and for how much: retrofit against new building");
  c.verb->add_flag("--by-weight", c.by_weight, "With --layout -o: racks coloured by weight");
  c.verb->add_option("-o,--out", c.drawing,
                     "With --layout or --gantt: writes the drawing (SVG) to this file");
  c.verb->add_option("--csv", c.csv,
                     "Writes a row an hour (with --transient: a sample) to this file");
  c.verb->add_flag("--json", c.json, "For programs; names are stable");
  add_quiet(*c.verb);
}

int run_availability(const FacilityCommand& c, const Terminal& terminal) {
  const int threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 64);
  const auto answer = api::facility_availability(c.request, c.histories, threads);
  if (!answer) return refuse(answer.error(), c.json);
  print(c.json ? report::availability_json(*answer)
               : report::availability_text(*answer, {terminal.colour, terminal.width, false}));
  return fits;
}

int run_supply(const FacilityCommand& c, const Terminal& terminal) {
  Diagnostics mistakes = check_out("--csv", c.csv);
  for (const auto& [option, given] :
       {std::pair("--availability", c.availability), std::pair("--transient", c.transients),
        std::pair("--phases", c.phases), std::pair("--histories", !c.histories.empty())})
    if (given)
      mistakes.add({option, 0, 0, "", "is another question than --supply", "leave one out", ""});
  const auto answer = api::facility_supply(c.request);
  if (!answer) mistakes.add(answer.error());
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  if (!c.csv.empty() && !write_whole(c.csv, report::supply_csv(*answer), "--csv")) return bad_input;
  print(c.json ? report::supply_json(*answer)
               : report::supply_text(*answer, {terminal.colour, terminal.width, false}));
  return answer->holds() ? fits : falls_short;
}

/// What belongs to one of the two modes only.
Diagnostics check_modes(const FacilityCommand& c) {
  Diagnostics mistakes;
  const auto wrong = [&](const char* option, const char* message, const char* hint) {
    mistakes.add({option, 0, 0, "", message, hint, ""});
  };
  const auto& t = c.transient;
  if (!c.transients) {
    for (const auto& [option, given] :
         {std::pair("--sag", !t.sags.empty()), std::pair("--sample", !t.sample.empty()),
          std::pair("--seed", !t.seed.empty())})
      if (given) wrong(option, "describes swings and sags, which are not asked", "add --transient");
    return mistakes;
  }
  const auto& r = c.request;
  for (const auto& [option, given] :
       {std::pair("--lose", !r.lose.empty()), std::pair("--year", r.year),
        std::pair("--epw", !r.epw.empty()), std::pair("--fill-gaps", !r.fill_gaps.empty()),
        std::pair("--warmer", !r.warmer.empty()), std::pair("--reclaimed", !r.reclaimed.empty()),
        std::pair("--for", !r.horizon.empty()), std::pair("--back", !r.back.empty())})
    if (given) wrong(option, "has no meaning within seconds", "leave out it or --transient");
  return mistakes;
}

int run_layout(const FacilityCommand& c, const Terminal& terminal) {
  Diagnostics mistakes = check_out("-o", c.drawing);
  const auto answer = api::facility_layout(c.request);
  if (!answer) mistakes.add(answer.error());
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  if (!c.drawing.empty() && !write_whole(c.drawing, report::layout_svg(*answer, c.by_weight), "-o"))
    return bad_input;
  print(c.json ? report::layout_json(*answer)
               : report::layout_text(*answer, {terminal.colour, terminal.width, false}));
  return answer->holds() ? fits : falls_short;
}

int run_gantt(const FacilityCommand& c, const Terminal& terminal) {
  Diagnostics mistakes = check_out("-o", c.drawing);
  const auto answer = api::facility_gantt(c.request);
  if (!answer) mistakes.add(answer.error());
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  if (!c.drawing.empty() && !write_whole(c.drawing, report::gantt_svg(*answer), "-o"))
    return bad_input;
  print(c.json ? report::gantt_json(*answer)
               : report::gantt_text(*answer, {terminal.colour, terminal.width, false}));
  return answer->in_time() ? fits : falls_short;
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

int run_transient(FacilityCommand c, const Terminal& terminal, Diagnostics mistakes) {
  c.transient.file = c.request.file, c.transient.sets = c.request.sets;
  c.transient.catalog = c.request.catalog;
  const auto answer = api::facility_transient(c.transient);
  if (!answer) mistakes.add(answer.error());
  if (!mistakes.empty()) return refuse(mistakes, c.json);
  if (!c.csv.empty() && !write_whole(c.csv, report::transient_csv(*answer), "--csv"))
    return bad_input;
  print(c.json ? report::transient_json(*answer)
               : report::transient_text(*answer, {terminal.colour, terminal.width, false}));
  return answer->holds() ? fits : falls_short;
}

/// What belongs to a drawing alone, and modes that answer one question each.
Diagnostics check_drawing(const FacilityCommand& c) {
  Diagnostics mistakes;
  const auto wrong = [&](std::string option, const char* message, const char* hint) {
    mistakes.add({std::move(option), 0, 0, "", message, hint, ""});
  };
  if (!c.drawing.empty() && !c.layout && !c.gantt)
    wrong("-o " + c.drawing, "names a drawing, which is not asked", "add --layout or --gantt");
  if (c.by_weight && !c.layout)
    wrong("--by-weight", "colours a plan, which is not asked", "add --layout");
  if (!c.layout && !c.gantt) return mistakes;
  const auto& r = c.request;
  for (const auto& [option, given] :
       {std::pair("--gantt", c.gantt && c.layout), std::pair("--availability", c.availability),
        std::pair("--transient", c.transients), std::pair("--phases", c.phases),
        std::pair("--chain", r.chain), std::pair("--lose-both", !r.lose_both.empty()),
        std::pair("--year", r.year), std::pair("--lose", !r.lose.empty()),
        std::pair("--epw", !r.epw.empty()), std::pair("--csv", !c.csv.empty())})
    if (given)
      wrong(option, c.layout ? "is no question of --layout" : "is no question of --gantt",
            "leave one of them out");
  return mistakes;
}

int run(FacilityCommand& c, const Terminal& terminal) {
  c.request.progress = c.transient.progress = Watched::current();
  if (c.layout || c.gantt) {
    if (const auto mistakes = check_drawing(c); !mistakes.empty()) return refuse(mistakes, c.json);
    return c.layout ? run_layout(c, terminal) : run_gantt(c, terminal);
  }
  if (c.supply) return run_supply(c, terminal);
  if (c.availability && !c.transients) return run_availability(c, terminal);
  if (c.phases && !c.transients && !c.availability) return run_phases(c, terminal);
  Diagnostics mistakes = check_out("--csv", c.csv);
  mistakes.add(check_drawing(c));
  if (!c.histories.empty() && !c.availability)
    mistakes.add(
        {"--histories " + c.histories, 0, 0, "", "is of availability", "add --availability", ""});
  if (c.availability)
    mistakes.add({"--availability", 0, 0, "", "asks of years, --transient of seconds",
                  "leave out one of them", ""});
  mistakes.add(check_modes(c));
  if (c.transients) return run_transient(c, terminal, std::move(mistakes));
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
