// Bodies that are taken, and those that are not.
#include "server/body.hpp"

#include <gtest/gtest.h>

namespace headroom::server {
namespace {

Result<Body> read(std::string_view json) {
  return Body::read(json, {"verb", "options", "text", "full"});
}

std::string mistake(std::string_view json) {
  const auto body = read(json);
  return body ? "none" : body.error().all().front().message;
}

TEST(Body, IsAnObjectOfTextsTruthsAndLists) {
  const auto body = read(R"({"verb": "check", "options": ["--set", "a=\u00e4"], "full": true,
                            "text": null})");
  ASSERT_TRUE(body);
  EXPECT_EQ(body->text("verb"), "check");
  EXPECT_EQ(body->list("options"), (std::vector<std::string>{"--set", "a=\xc3\xa4"}));
  EXPECT_TRUE(body->yes("full"));
  EXPECT_FALSE(body->has("text"));
  EXPECT_EQ(body->text("text"), "");
  EXPECT_TRUE(read("{}"));
}

TEST(Body, RefusesWhatItIsNot) {
  EXPECT_EQ(mistake(""), "not valid JSON at byte 1");
  EXPECT_EQ(mistake("null"), "null cannot stand here");
  EXPECT_EQ(mistake("[]"), "a list cannot stand here");
  EXPECT_EQ(mistake("\"x\""), "a text cannot stand here");
  EXPECT_EQ(mistake("{\"verb\": 1}"), "a number cannot stand at 'verb'");
  EXPECT_EQ(mistake("{\"verb\": {}}"), "an object cannot stand at 'verb'");
  EXPECT_EQ(mistake("{\"options\": [[\"x\"]]}"), "a list cannot stand at 'options'");
  EXPECT_EQ(mistake("{\"options\": [null]}"), "null cannot stand at 'options'");
  EXPECT_EQ(mistake("{\"verb\": \"a\", \"verb\": \"b\"}"), "the member 'verb' stands twice");
  EXPECT_EQ(mistake("{\"verbs\": \"a\"}"), "there is no member 'verbs'");
  EXPECT_EQ(read("{\"verbs\": \"a\"}").error().all().front().hint, "did you mean 'verb'?");
  EXPECT_EQ(mistake("{\"verb\": \"\xff\"}").substr(0, 14), "not valid JSON");
  EXPECT_EQ(mistake("{} {}").substr(0, 14), "not valid JSON");
}

TEST(Body, BracketsCostNoTree) {
  EXPECT_EQ(mistake(std::string(4 << 20, '[')), "a list cannot stand here");
  std::string many = "{\"options\": [\"\"";
  for (int i = 0; i < 5000; ++i) many += ",\"\"";
  EXPECT_EQ(mistake(many + "]}"), "'options' has over 4096 items");
}

}  // namespace
}  // namespace headroom::server
