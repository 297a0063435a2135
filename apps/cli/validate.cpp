// `headroom validate ...` and `headroom calibrate ...`: models against measured runs.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <memory>

#include "api/validation.hpp"
#include "report/report.hpp"
#include "verbs.hpp"

namespace headroom::cli {
namespace {

using validation::TrainBy;

int finish(const Result<std::string>& text, bool json) {
  if (text) {
    std::fwrite(text->data(), 1, text->size(), stdout);
    return fits;
  }
  if (json) {
    const auto out = report::json(text.error());
    std::fwrite(out.data(), 1, out.size(), stdout);
  } else {
    std::fputs(render(text.error()).c_str(), stderr);
  }
  return bad_input;
}

CLI::App* add_validate_train(CLI::App& validate, api::ValidateTrain& request, bool& raw) {
  auto* verb = validate.add_subcommand("train", "The training step against measured runs");
  auto& o = request.options;
  verb->add_option("FILE", o.files,
                   "Rows: measured.yaml's layout (models, hw, rows), memory.yaml's, vTrain's CSV")
      ->required();
  verb->add_option(
          "--tier", o.tier,
          "Widest tier compared: A (configuration known), B (parts unknown), C (headlines)")
      ->check(CLI::IsMember({"A", "B", "C"}, CLI::ignore_case));
  verb->add_flag("--no-calibration", raw, "The raw model: no efficiency scalar");
  verb->add_flag("--leave-one-source-out", o.leave_source_out,
                 "Use nothing that was fitted from a row's own source");
  verb->add_option("--by", o.by, "Group of the text table")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, TrainBy>{{"source", TrainBy::source},
                                                                 {"framework", TrainBy::framework},
                                                                 {"hardware", TrainBy::hardware},
                                                                 {"precision", TrainBy::precision},
                                                                 {"model", TrainBy::model}},
                                  CLI::ignore_case));
  verb->add_flag("--rows", o.all_rows, "Every row, not the 15 worst");
  verb->add_flag("--page", request.page, "The page docs/validation.md");
  verb->add_option("--catalog", o.catalog, "Folder laid over the built-in catalogue");
  verb->add_flag("--json", request.json, "For programs; field names are stable");
  return verb;
}

}  // namespace

Run add_validation_verbs(CLI::App& app) {
  auto* validate = app.add_subcommand("validate", "Predicted against measured, with error bars");
  validate->require_subcommand(1);
  const auto request = std::make_shared<api::ValidateTrain>();
  const auto raw = std::make_shared<bool>(false);
  auto* train = add_validate_train(*validate, *request, *raw);
  return [=]() -> std::optional<int> {
    if (!*train) return std::nullopt;
    request->options.calibration = !*raw;
    return finish(api::validate_train(*request), request->json);
  };
}

}  // namespace headroom::cli
