// Every entry of the built-in catalogue, read to its end.
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <regex>

#include "base/units.hpp"
#include "catalog/catalog.hpp"
#include "spec/walk.hpp"

namespace headroom::catalog {
namespace {

class Catalogue : public testing::TestWithParam<std::string> {
 protected:
  std::vector<std::string> ids() const { return Catalog::builtin().ids(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(
    Every, Catalogue, testing::ValuesIn(Catalog::kinds()), [](const auto& info) {
      std::string name = info.param;
      std::replace_if(
          name.begin(), name.end(),
          [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
      return name;
    });

TEST(CatalogueWhole, ReadsWithoutAMistake) {
  Diagnostics diagnostics;
  Catalog().check(diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << render(diagnostics);
}

TEST_P(Catalogue, IdsAreLowerCaseKebab) {
  EXPECT_FALSE(ids().empty());
  // A version's dot stays: llama-3.1-70b.
  const std::regex form("[a-z0-9]+([-.][a-z0-9]+)*");
  for (const auto& id : ids()) EXPECT_TRUE(std::regex_match(id, form)) << GetParam() << " " << id;
}

TEST_P(Catalogue, EveryNumberHasASourceAndAUnit) {
  for (const auto& id : ids()) {
    for (const auto& leaf : spec::leaves(Catalog::builtin().find_object(GetParam(), id))) {
      if (leaf.number == nullptr) continue;
      const std::string what = GetParam() + " " + id + " " + leaf.path;
      ASSERT_TRUE(leaf.number->origin.source) << what;
      // "recalled, unverified" says all there is to say.
      const Source& source = *leaf.number->origin.source;
      EXPECT_TRUE(source.trust == Trust::recalled || !source.title.empty()) << what;
      EXPECT_TRUE(parse_unit(leaf.unit)) << what << ": '" << leaf.unit << "'";
      EXPECT_LE(leaf.number->low, leaf.number->likely) << what;
      EXPECT_LE(leaf.number->likely, leaf.number->high) << what;
      EXPECT_TRUE(std::isfinite(leaf.number->likely)) << what;
    }
  }
}

TEST_P(Catalogue, SourcesSayWhenAndWhere) {
  for (const auto& id : ids()) {
    for (const auto& leaf : spec::leaves(Catalog::builtin().find_object(GetParam(), id))) {
      if (leaf.number == nullptr || !leaf.number->origin.source) continue;
      const Source& source = *leaf.number->origin.source;
      const bool dated = source.trust == Trust::published || source.trust == Trust::measured ||
                         source.trust == Trust::secondary;
      if (dated) {
        EXPECT_FALSE(source.date.empty()) << GetParam() << " " << id << ": " << source.title;
      }
      EXPECT_EQ(source.title.find("/work/"), std::string::npos) << source.title;
    }
  }
}

}  // namespace
}  // namespace headroom::catalog
