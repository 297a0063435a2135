// Everything about a scenario in one file: the page for people (HTML that needs no network), a
// workbook with live formulas (XLSX), a document for programs (JSON), a table (CSV).
//
//   auto html = api::report({.file = "scenarios/campus-100k.yaml"}, api::ReportForm::html);
//   if (html) write("report.html", *html);
//
// The document is made of the verbs' own answers (report/document.hpp): each part is what its verb
// prints with --json, so no figure is reckoned twice. A part that the scenario does not ask for is
// left out; one that fails says why, and the others stand.
//
//   always      check, figures, and year, chain, layout, gantt where there are halls, supply where
//               the scenario has a supply block, train, infer and curve where there are workloads
//   with full   also availability and transient, infer with the engine's replay, and what to
//               change next in training and inference
//
// Mistakes of the scenario are the failure. Deterministic for any number of threads. Complexity:
// the sum of its verbs: about 0.3 s of one core for the campus of 100,000 GPUs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace headroom::api {

enum class ReportForm : unsigned char { html, xlsx, json, csv };

/// The form that a file's ending names; the failure names those there are.
Result<ReportForm> report_form(const std::string& file);
/// "text/html; charset=utf-8"
std::string_view media_type(ReportForm form);

struct ReportRequest {
  std::string file;                 ///< scenario; "-" is standard input, or the thread's TextInput
  std::vector<std::string> sets{};  ///< "path=value", applied in order
  std::string catalog{};            ///< folder laid over the built-in catalogue
  bool full = false;                ///< also what takes longer than a second
  std::vector<std::string> also{};  ///< other scenarios, checked and set beside this one
  int threads = 2;
  Progress* progress = nullptr;  ///< a unit a part; a stop is heard between parts
};

/// The file's bytes.
Result<std::string> report(const ReportRequest& request, ReportForm form);

}  // namespace headroom::api
