#include "report/page.hpp"

#include <gtest/gtest.h>

#include <string>

namespace headroom::report {
namespace {

TEST(Page, HoldsOneElementForItsData) {
  const std::string_view open = "<script id=\"headroom-data\" type=\"application/json\">";
  const std::size_t at = page().find(open);
  ASSERT_NE(at, std::string_view::npos);
  EXPECT_EQ(page().find(open, at + 1), std::string_view::npos);
  EXPECT_EQ(page().substr(at + open.size(), 4), "null");
}

TEST(Page, ADocumentCannotEndItsElement) {
  const std::string out = page_with("{\"name\":\"</script><script>alert(1)</script>\"}");
  EXPECT_EQ(out.find("<script>alert"), std::string::npos);
  EXPECT_NE(out.find("{\"name\":\"\\u003c/script>"), std::string::npos);
  EXPECT_EQ(out.substr(out.size() - 20), std::string(page().substr(page().size() - 20)));
}

TEST(Page, AsksNobodyElse) {
  for (const char* word : {"src=\"http", "href=\"http", "url(http", "@import", "//cdn"})
    EXPECT_EQ(page().find(word), std::string_view::npos) << word;
}

}  // namespace
}  // namespace headroom::report
