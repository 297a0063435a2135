// `headroom report`: everything about a scenario in one file.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <thread>

#include "api/report.hpp"
#include "common.hpp"

namespace headroom::cli {
namespace {

struct ReportCommand {
  CLI::App* verb = nullptr;
  api::ReportRequest request;
  std::string out, form;
};

constexpr const char* examples =
    "Examples:\n"
    "  headroom report scenarios/campus-100k.yaml -o report.html\n"
    "  headroom report scenarios/chat-70b.yaml -o budget.xlsx --set money.horizon=5yr\n"
    "  headroom report now.yaml --also later.yaml -o both.html --full\n"
    "The page opens from disk without a network; the workbook's cash flow recalculates.\n"
    "Exit status: 0 written, 2 bad input, 3 internal error.";

int run(ReportCommand& c, const Terminal&) {
  Diagnostics mistakes;
  const bool shown = c.out == "-";
  const auto form = api::report_form(c.form.empty() ? c.out : "." + c.form);
  if (!form) mistakes.add(form.error());
  if (!shown) mistakes.add(check_out("-o", c.out));
  if (!mistakes.empty()) return refuse(mistakes, false);
  c.request.threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 16);
  const auto text = api::report(c.request, *form);
  if (!text) return refuse(text.error(), false);
  if (shown) {
    print(*text);
    return fits;
  }
  return write_whole(c.out, *text, "-o") ? fits : bad_input;
}

}  // namespace

Run add_report_verb(CLI::App& app, std::function<Terminal()> terminal) {
  const auto command = std::make_shared<ReportCommand>();
  auto& c = *command;
  c.verb = app.add_subcommand("report",
                              "Everything about a scenario in one file: page, workbook, JSON, CSV");
  c.verb->footer(examples);
  c.verb->add_option("FILE", c.request.file, "Scenario (YAML); - reads standard input")->required();
  c.verb
      ->add_option(
          "-o,--out", c.out,
          "What to write; its ending says the form: .html, .xlsx, .json or .csv; - prints it")
      ->required();
  c.verb->add_option("--form", c.form, "html, xlsx, json or csv, where the ending does not say it");
  c.verb->add_flag("--full", c.request.full,
                   "Also availability, swings of the load, the engine's replay and advice, which "
                   "take longer");
  c.verb
      ->add_option("--also", c.request.also,
                   "Another scenario, checked and set beside this one; may be repeated")
      ->allow_extra_args(false);
  add_set(*c.verb, c.request.sets, "path=value: change one input, e.g. clusters.gpu.count=256");
  add_catalog(*c.verb, c.request.catalog);
  return when_given(command, std::move(terminal), run);
}

}  // namespace headroom::cli
