#include "spec/reader.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "spec/schema.hpp"
#include "spec/walk.hpp"

namespace headroom::spec {
namespace {

enum class Kind { air, liquid };

struct Rack {
  std::string name;
  Value<Power> feed;
  int units = 42;

  void fields(Fields& f) {
    f.shorthand("feed");
    f.text("name", name, "Name");
    f.number("feed", feed, "kW", "Feed");
    f.integer("units", units, "Rack units").between(1, 70);
  }
};

struct Hall {
  std::string name;
  Kind kind = Kind::air;
  Value<Scalar> utilisation;
  Value<TemperatureDifference> supply;
  Bank<Power> crah;
  std::string model;
  std::string open;
  bool raised = false;
  std::vector<std::string> users;
  std::vector<Rack> racks;
  std::optional<Rack> spare;
  Rack standard;

  void fields(Fields& f) {
    static constexpr std::string_view kinds[] = {"air", "liquid"};
    f.text("name", name, "Name").required();
    f.choice("kind", kind, kinds, "Cooling");
    f.number("utilisation", utilisation, "%", "Share of time").at_most(100);
    f.temperature("supply", supply, "Supply temperature");
    f.bank("crah", crah, "kW", "Air handlers");
    f.reference("model", model, "model", "Model");
    f.date("open", open, "Opening day");
    f.flag("raised", raised, "Raised floor");
    f.texts("users", users, "Users");
    f.list("racks", racks, "Racks");
    f.object("spare", spare, "Spare rack");
    f.object("standard", standard, "Standard rack");
  }
};

struct Outcome {
  Hall hall;
  Diagnostics diagnostics;
};

Outcome read_hall(const std::string& text) {
  Outcome out;
  const auto document = parse_yaml("hall.yaml", text, out.diagnostics);
  if (!document) return out;
  ReadContext context;
  context.file = document->file;
  context.document = &*document;
  context.default_source = std::make_shared<Source>(Source{"hall.yaml", "", "", "", Trust::user});
  context.has_entry = [](std::string_view, const std::string& id) { return id == "llama-3.1-70b"; };
  context.entry_ids = [](std::string_view) { return std::vector<std::string>{"llama-3.1-70b"}; };
  read(document->root, out.hall, context, out.diagnostics);
  return out;
}

/// The only mistake of a text, rendered.
std::string mistake(const std::string& text) {
  const auto out = read_hall(text);
  EXPECT_EQ(out.diagnostics.count(), 1u) << text << "\n" << render(out.diagnostics);
  return out.diagnostics.empty() ? "" : render(out.diagnostics.all().front());
}

TEST(Reader, ReadsEveryForm) {
  const auto out = read_hall(
      "name: A\nkind: liquid\nutilisation: 60 %\nsupply: 72 degF\ncrah: 6 x 120 kW\n"
      "model: llama-3.1-70b\nopen: 2027-06\nraised: yes\nusers: [a, b]\n"
      "racks:\n  - {name: r1, feed: 17.3 kW}\n  - 10 kW\nspare: {units: 48}\nstandard: 5 kW\n");
  ASSERT_TRUE(out.diagnostics.empty()) << render(out.diagnostics);
  const Hall& h = out.hall;
  EXPECT_EQ(h.kind, Kind::liquid);
  EXPECT_DOUBLE_EQ(h.utilisation.get(), 0.6);
  EXPECT_NEAR(absolute(h.supply).in_celsius(), 22.222, 1e-3);
  EXPECT_EQ(h.crah.count, 6);
  EXPECT_DOUBLE_EQ(h.crah.each.get().in(kilowatt), 120);
  EXPECT_EQ(h.open, "2027-06-01");
  EXPECT_TRUE(h.raised);
  ASSERT_EQ(h.racks.size(), 2u);
  EXPECT_DOUBLE_EQ(h.racks[1].feed.get().in(kilowatt), 10);  // the shorthand
  EXPECT_EQ(h.spare->units, 48);
  EXPECT_DOUBLE_EQ(h.standard.feed.get().in(kilowatt), 5);
  EXPECT_EQ(h.racks[0].feed.origin.line, 11);
}

TEST(Reader, ReadsRangesAndDistributions) {
  const auto range = read_hall("name: A\nutilisation: {low: 40 %, likely: 60 %, high: 80 %}\n");
  ASSERT_TRUE(range.diagnostics.empty());
  EXPECT_TRUE(range.hall.utilisation.ranged());
  EXPECT_DOUBLE_EQ(range.hall.utilisation.high, 0.8);
  const auto normal = read_hall("name: A\nutilisation: {normal: {mean: 0.5, sd: 0.1}}\n");
  ASSERT_TRUE(normal.diagnostics.empty()) << render(normal.diagnostics);
  EXPECT_EQ(normal.hall.utilisation.shape, Shape::normal);
  EXPECT_NEAR(normal.hall.utilisation.high, 0.5 + 1.2815515655 * 0.1, 1e-9);
  EXPECT_NE(mistake("name: A\nutilisation: {low: 80 %, likely: 60 %, high: 70 %}\n").find("order"),
            std::string::npos);
  EXPECT_NE(mistake("name: A\nutilisation: {low: 80 %, likely: 60 %}\n").find("'high' is missing"),
            std::string::npos);
}

// Each mistake: its text, and what the message must say.
TEST(Reader, NamesEveryMistakeAtItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"name: A\nracks: [{feed: 132 kWh}]",
       "hall.yaml:2:16: racks.0.feed: '132 kWh' is an energy, expected a power"},
      {"name: A\nracks: [{feed: 10}]", "has no unit, expected a power"},
      {"name: A\nracks: [{feed: 10 kw}]", "did you mean kW?"},
      {"name: A\nracks: [{feed: -10 kW}]", "out of range: it must be at least 0 kW"},
      {"name: A\nracks: [{feed: .nan}]", "numbers must be finite"},
      {"name: A\nracks: [{feed: 1e999 kW}]", "is not a number"},
      {"name: A\nracks: [{untis: 42}]", "did you mean 'units'?"},
      {"name: A\nracks: [{units: 4.5}]", "not a whole number"},
      {"name: A\nracks: [{units: 90}]", "at most 70"},
      {"name: A\nkind: liqid", "did you mean 'liquid'?"},
      {"name: A\nmodel: llama-3.1-7b", "did you mean 'llama-3.1-70b'?"},
      {"name: A\nopen: 2027-02-30", "not a calendar date"},
      {"name: A\nraised: maybe", "neither true nor false"},
      {"name: A\nutilisation: 130 %", "at most 100 %"},
      {"name: A\ncrah: 2.5 x 10 kW", "whole number of units"},
      {"name: A\nsupply: 22 K", "expected a temperature"},
      {"name: A\nsupply: -300 degC", "out of range"},
      {"name: A\nracks: {feed: 1 kW}", "expected a list"},
      {"name: A\nracks: [[1]]", "expected a map"},
      {"name: A\nstandard: [1]", "expected a map"},
      {"name: [A]", "expected a single value"},
      {"kind: air", "'name' is missing"},
      {"name: A\nname: B", "duplicate key 'name'"},
      {"name: A\nracks: [{name: x}, {name: x}]", "used twice"},
      {"name: A\nutilisation: {normal: {mean: 0.1, sd: 0.2}}", "10th or 90th percentile"},
      {"name: A\nracks: [{feed: 1 kW @assumed(a}]", "'@assumed' is not closed"},
      {"name: A\nraised: 16,384", "neither true nor false"},
      {"name: A\nutilisation: 1,5", "without commas"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_NE(mistake(text).find(expected), std::string::npos) << text << "\n" << mistake(text);
  }
}

TEST(Reader, ReportsAllMistakesInOnePass) {
  const auto out = read_hall("nmae: A\nkind: x\nracks: [{feed: 1}, {feed: 2 kWh, u: 1}]\n");
  EXPECT_EQ(out.diagnostics.count(), 6u) << render(out.diagnostics);
}

TEST(Yaml, RefusesWhatIsDangerous) {
  auto refused = [](std::string text) {
    Diagnostics d;
    EXPECT_FALSE(parse_yaml("x.yaml", std::move(text), d));
    return d.empty() ? std::string() : render(d.all().front());
  };
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "[";
  EXPECT_NE(refused(deep).find("deeper than 64"), std::string::npos);
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) bomb += "," + before;
    bomb += "]\n";
  }
  EXPECT_NE(refused(bomb).find("aliases"), std::string::npos);
  EXPECT_NE(refused(std::string("a: b\0c", 6)).find("x.yaml:1:5: a NUL byte"), std::string::npos);
  EXPECT_NE(refused("a: \xff\xfe").find("UTF-8"), std::string::npos);
  EXPECT_NE(refused(std::string(max_bytes + 1, 'a')).find("4 MiB"), std::string::npos);
  EXPECT_NE(refused("a: &x [*x]").find("alias"), std::string::npos);
  EXPECT_NE(refused("a: {<<: {b: 1}}").find("merge keys"), std::string::npos);
  EXPECT_NE(refused("a: [1, 2").find("x.yaml:"), std::string::npos);
  EXPECT_NE(refused("a: 'unfinished").find("x.yaml:"), std::string::npos);
  EXPECT_NE(refused("? [a]\n: b").find("plain word"), std::string::npos);
  EXPECT_NE(refused("").find("empty"), std::string::npos);
}

TEST(Set, ChangesAddsAndExplains) {
  Diagnostics d;
  auto document = parse_yaml("x.yaml", "racks:\n  - {name: a.1, feed: 1 kW}\n", d).value();
  EXPECT_TRUE(apply_set(document, "racks.a.1.feed=2 kW", d));
  EXPECT_TRUE(apply_set(document, "racks.0.units=48", d));
  EXPECT_TRUE(apply_set(document, "name={x: [1, 2]}", d));
  EXPECT_EQ(document.root.get("racks")->items[0].get("feed")->text, "2 kW");
  EXPECT_EQ(document.root.get("racks")->items[0].get("units")->text, "48");
  EXPECT_EQ(document.root.get("name")->get("x")->items.size(), 2u);
  EXPECT_TRUE(d.empty());
  EXPECT_FALSE(apply_set(document, "racks.b.feed=2 kW", d));
  EXPECT_FALSE(apply_set(document, "novalue", d));
  EXPECT_FALSE(apply_set(document, "a=[", d));
  EXPECT_EQ(d.count(), 3u);
}

TEST(Pack, RoundTrips) {
  Diagnostics d;
  const auto document = parse_yaml("x.yaml", "a: [1, {b: 'c d'}, ~]\ne: f\n", d).value();
  std::string bytes;
  pack(document.root, bytes);
  std::size_t at = 0;
  const Node back = unpack(bytes, at);
  EXPECT_EQ(at, bytes.size());
  std::string again;
  pack(back, again);
  EXPECT_EQ(bytes, again);
  EXPECT_EQ(back.get("a")->items[1].get("b")->text, "c d");
  EXPECT_EQ(back.get("e")->line, 2);
}

// What walk writes, the reader reads back to the same value.
RC_GTEST_PROP(Walk, NumbersRoundTrip, ()) {
  const double kw = *rc::gen::inRange(0, 1'000'000) / 7.0;
  Hall hall;
  hall.name = "A";
  hall.standard.feed =
      Value<Power>(kw * 0.5 * kilowatt, kw * kilowatt, kw * 2 * kilowatt, assumed("x"));
  for (const auto& leaf : leaves(object_ref(hall))) {
    if (leaf.path != "standard.feed") continue;
    const auto back = read_hall("name: A\nstandard: {feed: " + leaf.text + "}\n");
    RC_ASSERT(back.diagnostics.empty());
    RC_ASSERT(std::abs(back.hall.standard.feed.likely - kw * 1e3) <= 1e-12 * kw * 1e3);
    RC_ASSERT(std::abs(back.hall.standard.feed.high - kw * 2e3) <= 1e-12 * kw * 2e3);
  }
}

// Whatever the bytes, reading ends in a value or in diagnostics.
RC_GTEST_PROP(Reader, NeverCrashes, (const std::string& text)) {
  (void)read_hall(text);
  (void)read_hall("name: A\nracks: [{feed: \"" + text + "\"}]");
  RC_SUCCEED("returned");
}

TEST(Schema, IsJsonThatNamesEveryField) {
  Hall hall;
  const auto schema = nlohmann::json::parse(json_schema(object_ref(hall), "hall", "A hall"));
  EXPECT_EQ(schema["properties"].size(), 12u);
  EXPECT_EQ(schema["required"][0], "name");
  EXPECT_EQ(schema["properties"]["kind"]["enum"].size(), 2u);
  EXPECT_EQ(schema["properties"]["standard"]["anyOf"].size(), 2u);
  const std::string page = reference_page(object_ref(hall), "Hall", "A hall.");
  EXPECT_NE(page.find("## `racks`"), std::string::npos);
  EXPECT_NE(page.find("| `units` | integer | 42 | Rack units (at least 1, at most 70) |"),
            std::string::npos);
}

}  // namespace
}  // namespace headroom::spec
