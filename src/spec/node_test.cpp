#include "spec/node.hpp"

#include <gtest/gtest.h>

#include <ctime>

#include "spec/reader.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define SLOW_BUILD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW_BUILD 1
#endif
#endif

namespace headroom::spec {
namespace {

// Sanitizers slow a run about tenfold.
#ifdef SLOW_BUILD
constexpr double most_seconds = 10;
#else
constexpr double most_seconds = 1;
#endif

/// The only mistake of a text, as "line:column: message"; "" when it parses.
std::string mistake(const std::string& text) {
  Diagnostics diagnostics;
  const auto document = parse_yaml("t.yaml", text, diagnostics);
  EXPECT_EQ(document.has_value(), diagnostics.empty());
  if (diagnostics.empty()) return "";
  const Diagnostic& d = diagnostics.all().front();
  return std::to_string(d.line) + ":" + std::to_string(d.column) + ": " + d.message;
}

double seconds_to_refuse(const std::string& text) {
  const std::clock_t start = std::clock();
  EXPECT_NE(mistake(text), "");
  return double(std::clock() - start) / CLOCKS_PER_SEC;
}

std::string repeat(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Node, RefusesWhatAParserWouldLetThrough) {
  EXPECT_EQ(mistake("a: 1\nb: 2\na: 3\n"), "3:1: duplicate key 'a'");
  EXPECT_EQ(mistake("a: &x {b: 1}\nc:\n  <<: *x\n"),
            "3:3: merge keys (<<) are not supported; write the keys out");
  EXPECT_EQ(mistake("? [a, b]\n: 1\n"), "1:3: a key must be a plain word");
  EXPECT_EQ(mistake("a: 1\n---\nb: 2\n"),
            "2:1: a second document ('---') begins here; a file holds one");
  EXPECT_EQ(mistake(std::string("a: \0b", 5)),
            "1:4: a NUL byte: this is a binary file, not a text");
  EXPECT_EQ(mistake("a: caf\xe9\n"), "1:7: a byte that is not UTF-8: save the file as UTF-8 text");
  EXPECT_EQ(mistake("# nothing\n"), "1:1: the file is empty");
  EXPECT_EQ(mistake("a: 'b\nc: 1\n"), "1:4: this quote is not closed");
  EXPECT_EQ(mistake("a: \"b"), "1:4: this quote is not closed");
  EXPECT_EQ(mistake("a: [b, c\n"), "1:4: this '[' is not closed");
  EXPECT_EQ(mistake("a: {b: c"), "1:4: this '{' is not closed");
  EXPECT_EQ(mistake("a:\n    b: 1\n  c: 2\n"),
            "3:3: not valid YAML: this line does not line up with those above it");
  EXPECT_EQ(mistake("---\na: 1\n"), "");
  EXPECT_EQ(mistake("a: |\n  text\n"), "");
  EXPECT_EQ(mistake("a: text"), "");
  EXPECT_EQ(mistake("a: 1\n...\n"), "");
}

TEST(Node, RefusesNestingBeyondItsDepth) {
  EXPECT_EQ(mistake(repeat("[", 64) + repeat("]", 64)), "");
  EXPECT_EQ(mistake(repeat("[", 65) + repeat("]", 65)), "1:65: nested deeper than 64 levels");
}

TEST(Node, RefusesAliasBombs) {
  // Nine to the seventh values from eight lines.
  std::string values = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (char c = 'b'; c < 'i'; ++c) {
    const std::string before = "*" + std::string(1, static_cast<char>(c - 1));
    values += std::string(1, c) + ": &" + c + " [" + before + repeat(", " + before, 8) + "]\n";
  }
  EXPECT_NE(mistake(values).find("over 200,000 values"), std::string::npos);
  // Few values, much text: 100 times a megabyte.
  const std::string text =
      "a: &a " + std::string(1 << 20, 'x') + "\nb: [" + repeat("*a, ", 100) + "1]\n";
  EXPECT_NE(mistake(text).find("over 16 MiB"), std::string::npos);
}

TEST(Node, RefusesWithinASecond) {
  EXPECT_LT(seconds_to_refuse(repeat("[", max_bytes)), most_seconds);
  EXPECT_LT(seconds_to_refuse(repeat("[a,", max_bytes / 3)), most_seconds);
  EXPECT_LT(seconds_to_refuse(repeat("- ", 100'000)), most_seconds);
  std::string keys;
  for (int i = 0; i < 99'000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  EXPECT_LT(seconds_to_refuse(keys + "k7: 1\n"), most_seconds);
}

struct Empty {
  void fields(Fields&) {}
};
struct Crowd {
  std::vector<Empty> list;
  std::string model;
  void fields(Fields& f) { f.list("list", list, "List"); }
};

TEST(Node, ManyMistakesCostNoMoreThanTheirReport) {
  std::string text;
  for (int i = 0; i < 90'000; ++i) text += "key_" + std::to_string(i) + ": some value\n";
  Diagnostics diagnostics;
  const auto document = parse_yaml("t.yaml", text, diagnostics);
  ASSERT_TRUE(document);
  ReadContext context;
  context.document = &*document;
  Crowd crowd;
  const std::clock_t start = std::clock();
  EXPECT_FALSE(read(document->root, crowd, context, diagnostics));
  EXPECT_EQ(diagnostics.count(), 90'000u);
  EXPECT_LT(double(std::clock() - start) / CLOCKS_PER_SEC, most_seconds);
}

TEST(Node, RefusesListsNoPersonWrites) {
  Diagnostics diagnostics;
  const auto document = parse_yaml("t.yaml", "list: [" + repeat("{}, ", 2001) + "]", diagnostics);
  ASSERT_TRUE(document);
  Crowd crowd;
  EXPECT_FALSE(read(document->root, crowd, {}, diagnostics));
  EXPECT_TRUE(crowd.list.empty());
  EXPECT_NE(diagnostics.all().front().message.find("at most 2000 are read"), std::string::npos)
      << diagnostics.all().front().message;
}

TEST(Set, AddsReplacesAndRefuses) {
  const std::string text = "clusters: [{name: llama-3.1, count: 1}]\n";
  auto set = [&](const std::string& assignment, Diagnostics& diagnostics) {
    auto document = parse_yaml("t.yaml", text, diagnostics);
    apply_set(*document, assignment, diagnostics);
    return *document;
  };
  Diagnostics none;
  EXPECT_EQ(
      set("clusters.llama-3.1.count=2", none).root.get("clusters")->items[0].get("count")->text,
      "2");
  EXPECT_EQ(set("clusters.0.count=3", none).root.get("clusters")->items[0].get("count")->text, "3");
  EXPECT_EQ(set("clusters[0].count=4", none).root.get("clusters")->items[0].get("count")->text,
            "4");
  EXPECT_EQ(set("site.region=x", none).root.get("site")->get("region")->text, "x");
  EXPECT_TRUE(none.empty());
  for (const char* wrong : {"", "=", "=1", "a", "clusters.lama-3.1.count=2", "clusters.7.count=2",
                            "a=[", "clusters.0.name.x=1"}) {
    Diagnostics some;
    set(wrong, some);
    EXPECT_EQ(some.count(), 1u) << wrong;
  }
  Diagnostics deep;
  set(repeat("a.", 65) + "a=1", deep);
  EXPECT_EQ(deep.count(), 1u);
}

}  // namespace
}  // namespace headroom::spec
