#include "base/diagnostics.hpp"

#include <gtest/gtest.h>

#include "base/bill.hpp"
#include "base/margin.hpp"
#include "base/trace.hpp"

namespace headroom {
namespace {

TEST(Diagnostics, RendersPlaceExcerptCaretAndHint) {
  const std::string text =
      render(Diagnostic{"rack.yaml", 3, 7, "power.feed", "wrong", "do this", "feed: 132 kWh"});
  EXPECT_EQ(text,
            "rack.yaml:3:7: power.feed: wrong\n"
            "  3 | feed: 132 kWh\n"
            "    |       ^\n"
            "  hint: do this\n");
}

// A file's bytes never reach the terminal as they are: no escapes, no broken UTF-8,
// and the caret stands below the character its byte belongs to.
TEST(Diagnostics, ShowsOnlyPrintableText) {
  const std::string text =
      render(Diagnostic{"f", 1, 9, "a\x1b[31m", "b\n\x9b", "c\xc2\x9b", "k\xc3\xa9y: \x80 w\x07"});
  EXPECT_EQ(text,
            "f:1:9: a [31m: b ?\n"
            "  1 | k\xc3\xa9y: ? w \n"
            "    |        ^\n"
            "  hint: c \n");
}

// A line of a megabyte is cut around the caret.
TEST(Diagnostics, LongLinesAreCut) {
  const std::string text =
      render(Diagnostic{"f", 1, 500'000, "", "x", "", std::string(1'000'000, 'a')});
  EXPECT_LT(text.size(), 400u);
}

TEST(Diagnostics, KeepsAFewAndCountsAll) {
  Diagnostics list;
  for (int i = 0; i < 1000; ++i) list.add({"f", i, 1, "", "x", "", ""});
  EXPECT_EQ(list.count(), 1000u);
  EXPECT_EQ(list.all().size(), Diagnostics::limit);
  EXPECT_NE(render(list).find("and 800 more"), std::string::npos);
}

TEST(Diagnostics, AListAddedKeepsItsCount) {
  Diagnostic wrong;
  wrong.message = "wrong";
  Diagnostics one, all;
  for (int i = 0; i < 500; ++i) one.add(wrong);
  all.add(wrong);
  all.add(one);
  EXPECT_EQ(all.count(), 501u);
  EXPECT_EQ(all.all().size(), Diagnostics::limit);
}

TEST(Diagnostics, StandInTheOrderOfTheFile) {
  Diagnostics list;
  for (int line : {7, 3, 5}) list.add({"scenario", line, 1, "", "x", "", ""});
  list.add({"config", 1, 1, "", "x", "", ""});
  list.add({"scenario", 3, 9, "", "x", "", ""});
  list.sort_by_place();
  std::string order;
  for (const auto& d : list.all()) order += d.file.substr(0, 1) + std::to_string(d.line);
  EXPECT_EQ(order, "s3s3s5s7c1");
}

TEST(DidYouMean, FindsTheNearest) {
  EXPECT_EQ(did_you_mean("gpu", {"gpus", "racks", "cpu"}), "did you mean 'cpu' or 'gpus'?");
  EXPECT_EQ(did_you_mean("oversubscriptoin", {"oversubscription"}),
            "did you mean 'oversubscription'?");
  EXPECT_EQ(did_you_mean("h100", {"h100-sxm", "b200"}), "did you mean 'h100-sxm'?");
  EXPECT_EQ(did_you_mean("zebra", {"power", "cooling"}), "");
}

// Need 40.8 kW of a 10 kW feed: -75 %.
TEST(Margin, HeadroomIsHaveOverNeedLessOne) {
  Trace trace;
  const auto need = trace.constant("need", 40.8 * kilowatt, "kW", assumed("test"));
  const auto have = trace.constant("have", 10.0 * kilowatt, "kW", assumed("test"));
  const Margin m =
      make_margin("power.hall-a.rack-feed", "rack feed", need, have, "kW").because("x");
  EXPECT_NEAR(m.headroom(), 10 / 40.8 - 1, 1e-12);
  EXPECT_EQ(m.layer, "power");
  EXPECT_FALSE(m.holds());
  const Margin none = make_margin("power.x", "x", Figure<Power>{}, have, "kW");
  EXPECT_TRUE(none.holds());
  EXPECT_TRUE(std::isinf(none.headroom()));
}

TEST(Trace, RemembersFormulaAndInputs) {
  Trace trace;
  const auto racks = trace.constant("racks", Scalar(40), "rack", assumed("test"));
  const auto each = trace.constant("each", 10.0 * kilowatt, "kW", assumed("test"));
  const auto all =
      trace.derive("all", racks.value * each.value, "kW", "racks x each", {racks, each});
  ASSERT_EQ(trace.find("all"), all.node);
  EXPECT_EQ(trace.at(all).inputs, (std::vector<NodeId>{racks.node, each.node}));
  EXPECT_EQ(trace.find("nothing"), no_node);
}

// An unpriced line adds nothing and is still there to be reported.
TEST(Bill, SumsByCategory) {
  BillOfMaterials bill;
  bill.add({"a", "network", "switch", 3, 10 * dollar, 0, 0, no_node, no_node, {}, {}, 0});
  bill.add({"b", "power", "UPS", 2, 100 * dollar, 0, 0, no_node, no_node, {}, {}, 0});
  bill.add({"c", "power", "busway", 2, {}, 0, 0, no_node, no_node, {}, {}, 0});
  EXPECT_DOUBLE_EQ(bill.total().in(dollar), 230);
  EXPECT_DOUBLE_EQ(bill.total("power").in(dollar), 200);
  EXPECT_EQ(bill.lines().size(), 3u);
}

}  // namespace
}  // namespace headroom
