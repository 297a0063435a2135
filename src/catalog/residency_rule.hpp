// ResidencyRule: where a class of data may be processed, as a checkable rule
// with the date it was read. Not legal advice.
//
// A site inside `allow` needs nothing more. A site inside `adequate` needs
// nothing more either (the law deems it as good). Anywhere else one of
// `safeguards` must be in place; with none listed the data may not leave.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"

namespace headroom::catalog {

struct ResidencyRule : Entry {
  static constexpr std::string_view kind = "residency-rule";

  std::string subjects;              ///< jurisdiction whose people or firms the data concern
  std::vector<std::string> classes;  ///< personal, health, financial, government, important
  std::string as_of, review_by;
  std::vector<std::string> allow;       ///< jurisdictions where processing is free
  std::vector<std::string> adequate;    ///< jurisdictions deemed as good
  std::vector<std::string> safeguards;  ///< any one of these opens the rest of the world
  std::vector<std::string> always;      ///< all of these are needed wherever it is processed
  std::string effect;                   ///< one line for people

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
