#include "cli.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/headroom.hpp"
#include "common.hpp"
#include "watch.hpp"

namespace {

namespace api = headroom::api;
namespace report = headroom::report;
using namespace headroom::cli;

struct Options {
  api::Request request;
  bool json = false;
  bool csv = false;
  bool all = false;
  bool markdown = false;
  std::string id;
  std::string kind;
  std::string docs;
};

bool colour_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string(term) != "dumb");
}

int terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 120;
}

int run_check(Options& o) {
  o.request.progress = Watched::current();
  const auto verdict = api::check(o.request);
  if (!verdict) return refuse(verdict.error(), o.json);
  if (o.json) {
    print(report::json(*verdict));
  } else if (o.csv) {
    print(report::csv(*verdict));
  } else {
    print(report::text(*verdict, {colour_wanted(), terminal_width(), o.all}));
  }
  return verdict->fits ? fits : falls_short;
}

int run_explain(Options& o) {
  o.request.progress = Watched::current();
  const auto verdict = api::check(o.request);
  if (!verdict) return refuse(verdict.error(), o.json);
  const auto tree = report::explain(*verdict, o.id);
  if (!tree) return refuse(tree.error(), o.json);
  print(*tree);
  return fits;
}

int run_catalog(const Options& o) {
  const auto text = api::list_catalog(o.request.catalog, o.kind, o.id, o.json);
  if (!text) return refuse(text.error(), o.json);
  print(*text);
  return fits;
}

int write_pages(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const auto& page : api::reference_pages()) {
    const auto path = std::filesystem::path(folder) / page.name;
    std::ofstream file(path, std::ios::binary);
    file << page.text;
    if (!file) {
      print(path.string() + ": cannot be written\n", stderr);
      return bad_input;
    }
  }
  return fits;
}

int run_schema(const Options& o) {
  if (!o.docs.empty()) return write_pages(o.docs);
  const auto text = api::schema(o.kind.empty() ? "scenario" : o.kind);
  if (!text) return refuse(text.error(), o.json);
  print(*text);
  return fits;
}

int run_claims(const Options& o) {
  const auto form = o.json       ? api::ClaimsForm::json
                    : o.markdown ? api::ClaimsForm::markdown
                                 : api::ClaimsForm::text;
  const auto answer = api::claims(form, o.id);
  if (!answer) return refuse(answer.error(), o.json);
  print(answer->text);
  return answer->as_expected ? fits : falls_short;
}

void add_scenario_options(CLI::App& verb, Options& o) {
  verb.add_option("FILE", o.request.file, "Scenario (YAML); - reads standard input")->required();
  verb.add_option("--set", o.request.sets,
                  "path=value: change one input, e.g. clusters.gpu.count=256")
      ->allow_extra_args(false);
  verb.add_option("--catalog", o.request.catalog,
                  "Folder of catalogue files laid over the built-in ones");
  verb.add_flag("--json", o.json, "For programs; field names are stable");
}

/// Every verb with its options. Made anew for each command: options keep what was parsed.
struct CommandLine {
  Options o;
  CLI::App app{"headroom: what your AI infrastructure can carry, and which limit breaks first"};
  CLI::App *check, *explain, *catalog, *schema, *claims;
  std::vector<Run> families;

  CommandLine() {
    app.name("headroom");
    app.set_version_flag("--version", api::version());
    app.require_subcommand(1);
    app.footer(
        "Exit status: 0 it fits, 1 a limit falls short, 2 bad input, 3 internal error, 130 stopped "
        "by Ctrl-C.\n"
        "Example: headroom check scenarios/llama3-405b.yaml --set clusters.gpu.count=1024");

    check =
        app.add_subcommand("check", "All limits, money, energy, carbon and water of a scenario");
    add_scenario_options(*check, o);
    auto* csv = check->add_flag("--csv", o.csv, "The limits as CSV");
    csv->excludes("--json");
    check->add_flag("--ranges", o.request.ranges,
                    "Set each ranged catalogue figure behind the binding limit to its ends");
    check->add_flag("--all", o.all, "Every limit, also those with plenty of headroom");
    add_quiet(*check);

    explain =
        app.add_subcommand("explain", "How a reported figure came to be, down to its sources");
    add_scenario_options(*explain, o);
    explain
        ->add_option("ID", o.id, "A limit's id, a figure's id or a section's key (money.capital)")
        ->required();

    catalog = app.add_subcommand("catalog", "What the catalogue knows, with sources");
    catalog->add_option("KIND", o.kind, "accelerator, system, model, region, ...");
    catalog->add_option("ID", o.id, "One entry");
    catalog->add_option("--catalog", o.request.catalog, "Folder laid over the built-in catalogue");
    catalog->add_flag("--json", o.json, "For programs");

    schema = app.add_subcommand("schema", "JSON Schema of a scenario or of a catalogue kind");
    schema->add_option("WHAT", o.kind, "scenario (default), fleet or a catalogue kind");
    schema->add_option("--docs", o.docs, "Write the reference pages into this folder instead");

    claims = app.add_subcommand("claims",
                                "Published claims about AI infrastructure, checked by the engine");
    claims->add_option("ID", o.id, "One claim, with its working");
    claims->add_flag("--json", o.json, "For programs");
    claims->add_flag("--markdown", o.markdown, "The page docs/claims.md");

    const auto terminal = [] { return Terminal{colour_wanted(), terminal_width()}; };
    // Each adds its verbs and returns what runs when one of them was given.
    families = {
        add_train_verb(app, terminal),
        add_infer_verb(app, terminal),
        add_replay_verb(app, terminal),
        add_load_verb(app),
        add_facility_verb(app, terminal),
        add_validation_verbs(app),
        add_report_verb(app, terminal),
        add_init_verb(app),
        add_ui_verb(app),
        add_shell_verbs(app, api::version()),
    };
  }

  int run() {
    for (const auto& run : families)
      if (const auto status = run()) return *status;
    if (*check) return run_check(o);
    if (*explain) return run_explain(o);
    if (*catalog) return run_catalog(o);
    if (*schema) return run_schema(o);
    return run_claims(o);
  }
};

/// What a command line that cannot be parsed, or asks for help, is told.
int told(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream out, err;
  const int status = app.exit(error, out, err);
  print(out.str());
  print(err.str(), stderr);
  return status == 0 ? fits : bad_input;
}

template <class Parse>
int guarded(Parse parse) {
  try {
    CommandLine line;
    try {
      parse(line.app);
    } catch (const CLI::ParseError& e) { return told(line.app, e); }
    return line.run();
  } catch (const std::exception& e) {
    print(fmt::format("headroom: internal error: {}\nPlease report it with the scenario.\n",
                      e.what()),
          stderr);
    return internal_error;
  }
}

}  // namespace

namespace headroom::cli {

int run(int argc, char** argv) {
  const Session session;
  return guarded([&](CLI::App& app) {
    app.name(argv[0]);
    app.parse(argc, argv);
  });
}

Said invoke(const std::vector<std::string>& arguments, Progress* progress) {
  Kept kept;
  const Watched watched(progress);
  const int status = guarded([&](CLI::App& app) {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  });
  return {status, kept.out(), kept.err()};
}

std::vector<OptionInfo> options_of(const std::vector<std::string>& verb) {
  CommandLine line;
  const CLI::App* app = &line.app;
  for (const auto& word : verb) {
    const auto verbs =
        app->get_subcommands([&](const CLI::App* v) { return v->get_name() == word; });
    if (verbs.empty()) return {};
    app = verbs.front();
  }
  std::vector<OptionInfo> out;
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_lnames().empty()) continue;
    const bool value = option->get_items_expected_max() > 0;
    out.push_back({"--" + option->get_lnames().front(), option->get_description(), value,
                   value && option->get_items_expected_max() > 1});
  }
  return out;
}

}  // namespace headroom::cli
