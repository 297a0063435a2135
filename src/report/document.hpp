// The report document: what every verb says of one scenario, in one JSON text.
//
//   ReportDocument d;
//   d.parts.push_back({"check", compact(json(verdict))});
//   page_with(document_json(d));
//
//   {"kind": "headroom-report", "version", "name", "file", "date", "scenario": YAML text,
//    "parts": {part: the verb's --json document}, "failed": {part: why}, "also": [...]}
//
// A part is the document of its verb, with additions that a picture needs and a terminal does not:
//
//   year     hours: one value an hour (PUE, whether a compressor ran, outdoor air, supply water,
//            power at the meter), rounded to what a picture can show
//   layout   halls[].svg: the hall drawn, racks by kW and by weight; neighbours of one kind are one
//            block with a count
//   train    runs[].pipeline: one step's passes by pipeline rank; runs[].front thinned to the plans
//            that need least memory at their speed
//
// Names are stable and documented in docs/report.md. Complexity: O(size). No clock, no I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "study/facility_layout.hpp"
#include "study/facility_year.hpp"
#include "study/training_run.hpp"

namespace headroom::report {

/// One verb's answer.
struct ReportPart {
  std::string key;     ///< "check", "year", ...
  std::string json{};  ///< the document; empty: it could not be made
  std::string failed{};
};

/// A scenario set beside the reported one.
struct ReportVariant {
  std::string name, file, scenario;
  std::vector<ReportPart> parts;
};

struct ReportDocument {
  std::string version, name, file;
  std::string date;      ///< of the study; may be empty
  std::string scenario;  ///< its text
  std::vector<ReportPart> parts;
  std::vector<ReportVariant> also;
};

/// Limits and figures as one table: kind (limit, input, choice, figure), id, value or need and
/// have, unit, headroom, formula, source.
std::string report_csv(const study::Verdict& verdict);

/// JSON without the white space between its tokens; numbers and texts as they stand.
std::string compact(std::string_view json);

std::string document_json(const ReportDocument& document);

/// Parts with their additions, compact.
std::string year_part(const study::FacilityAnswer& answer);
std::string layout_part(study::LayoutAnswer answer);
std::string train_part(const study::TrainingAnswer& answer);
/// Of `claims --json`: what is claimed, what comes out, and why; without what was looked up.
std::string claims_part(const std::string& claims_json);

}  // namespace headroom::report
