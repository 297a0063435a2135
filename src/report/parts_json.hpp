// What the JSON and CSV answers of all verbs are made of. Internal to report.
//
// A figure that is not known or not finite is null. A quantity is {"value", "unit"}; the lines of a
// section carry their label and the id that `explain` takes. Shapes are documented in
// docs/output.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/margin.hpp"
#include "base/trace.hpp"
#include "study/training_run.hpp"

namespace headroom::report {

using Json = nlohmann::ordered_json;

Json number(double value);
/// Null unless above zero.
Json known(double value);
/// Seconds; null where it never ends.
Json time_s(double s);
Json quantity(double si, const std::string& unit);
/// Of a section: key to value, unit, label, id.
Json lines_json(const std::vector<study::Line>& lines, const Trace& trace);
/// "8" as a number, "optimizer" as a text.
Json dims_json(const std::vector<std::pair<std::string, std::string>>& dims);
Json texts_json(const std::vector<std::pair<std::string, std::string>>& texts);
/// With `from` where there are intervals, or where there is a reason why there are none.
Json intervals_json(const std::vector<study::Interval>& intervals, const std::string& origin);
/// `what` names the plan that comes out: "plan", "configuration".
Json changes_json(const std::vector<study::ChangeRow>& changes, int tried, const char* what);
Json flags_json(const std::vector<study::LaunchText>& flags);
Json limits_json(const std::vector<Margin>& margins);

/// A whole answer as text; bytes that are no UTF-8 are replaced.
std::string dumped(const Json& json);
/// The head that every answer has, and its runs.
std::string answer_json(const std::string& scenario, const std::string& file, bool fits, Json runs);
/// A CSV field, quoted where it has to be.
std::string csv_field(const std::string& text);

}  // namespace headroom::report
