// ExportRule: a threshold of export control on advanced computing chips, as a
// checkable rule with the date it was read. Not legal advice.
//
// Total processing performance (TPP) is the highest, over precisions, of dense
// operations per second in units of 1e12 times the bit length of the operation
// (H100 SXM: 1,979 dense FP8 TFLOP/s x 8 = 15,832). Performance density is TPP
// over the area in mm2 of the package's non-planar logic dies.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"

namespace headroom::catalog {

/// One way to be caught: every bound that is given must hold.
struct ExportTest {
  Value<Scalar> tpp_at_least, tpp_below, density_at_least, density_below;

  void fields(spec::Fields& f);
};

struct ExportRule : Entry {
  static constexpr std::string_view kind = "export-rule";

  std::string issuer;   ///< country whose law it is
  std::string control;  ///< "3A090.a"
  std::string as_of, review_by;
  std::vector<ExportTest> tests;           ///< caught by any of them
  std::vector<std::string> groups;         ///< destinations by country group
  std::vector<std::string> except_groups;  ///< groups that take a country out again
  std::vector<std::string> countries;      ///< destinations by country
  std::vector<std::string> owner_groups;   ///< worldwide, when the owner's parent sits there
  std::vector<std::string> owner_countries;
  std::string effect;  ///< "licence required"

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
