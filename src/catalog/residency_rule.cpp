#include "catalog/residency_rule.hpp"

namespace headroom::catalog {

void ResidencyRule::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("subjects", subjects, "Jurisdiction whose people or firms the data concern").required();
  f.texts("classes", classes, "Classes of data it covers");
  f.date("as_of", as_of, "Date on which the rule was read");
  f.date("review_by", review_by, "Past this date the answer is unknown until somebody looks again");
  f.texts("allow", allow, "Jurisdictions where processing is free");
  f.texts("adequate", adequate, "Jurisdictions deemed to protect as well");
  f.texts("safeguards", safeguards, "Any one of these opens the rest of the world; none: closed");
  f.texts("always", always, "All of these are needed wherever the data are processed");
  f.text("effect", effect, "The rule in one line");
}

}  // namespace headroom::catalog
