#include "catalog/export_rule.hpp"

namespace headroom::catalog {

void ExportTest::fields(spec::Fields& f) {
  f.number("tpp_at_least", tpp_at_least, "", "Total processing performance from here on")
      .at_least(0);
  f.number("tpp_below", tpp_below, "", "and below").at_least(0);
  f.number("density_at_least", density_at_least, "", "Performance density (TPP/mm2) from here on")
      .at_least(0);
  f.number("density_below", density_below, "", "and below").at_least(0);
}

void ExportRule::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("issuer", issuer, "Country whose law it is");
  f.text("control", control, "Control number");
  f.date("as_of", as_of, "Date on which the rule was read");
  f.date("review_by", review_by, "Past this date the answer is unknown until somebody looks again");
  f.list("tests", tests, "Thresholds; a chip is caught by any of them");
  f.texts("groups", groups, "Country groups to which the effect applies");
  f.texts("except_groups", except_groups, "Country groups that take a country out again");
  f.texts("countries", countries, "Further countries to which the effect applies");
  f.texts("owner_groups", owner_groups,
          "Groups in which an owner's headquarters extend the effect to the whole world");
  f.texts("owner_countries", owner_countries, "Countries of headquarters with the same effect");
  f.text("effect", effect, "What follows when the rule applies");
}

}  // namespace headroom::catalog
