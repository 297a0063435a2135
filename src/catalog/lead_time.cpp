#include "catalog/lead_time.hpp"

#include <array>

namespace headroom::catalog {
namespace {

constexpr std::array<std::string_view, 10> phases{
    "permit",  "grid",       "building",  "electrical", "mechanical",
    "fit_out", "commission", "equipment", "install",    "on_site"};

}  // namespace

void LeadTime::fields(spec::Fields& f) {
  entry_fields(f);
  f.number("time", time, "wk", "From order to delivery, or from start to finish of the work")
      .at_least(0)
      .required();
  f.choice("phase", phase, phases, "Where in a project it is needed");
  f.flag("new_build", new_build, "Every new building needs it");
  f.text("category", category, "Category of bill lines it stands for when they name no lead time");
  f.date("as_of", as_of, "Date of the survey");
}

}  // namespace headroom::catalog
