// Verbs and options that may be asked for: those of the library's tables, without what names files.
#include "server/verbs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "api/infer.hpp"
#include "api/replay.hpp"
#include "api/train.hpp"

namespace headroom::server {
namespace {

using Words = std::vector<std::string>;

const Verb& verb(std::string_view name) {
  const auto all = verbs();
  return *std::find_if(all.begin(), all.end(), [&](const Verb& v) { return v.name == name; });
}

bool has(std::string_view words, std::string_view word) {
  return words.find(" " + std::string(word) + " ") != std::string_view::npos;
}

// A new option of the tables fails here until somebody says whether it names a file.
void every_option_is_decided(std::string_view name, std::span<const api::OptionInfo> table,
                             const std::set<std::string_view>& refused) {
  for (const auto& option : table) {
    const bool allowed = has(option.flag ? verb(name).flags : verb(name).values, option.name);
    EXPECT_NE(allowed, refused.contains(option.name)) << name << " " << option.name;
  }
}

TEST(Verbs, EveryOptionOfTheTablesIsDecided) {
  every_option_is_decided("train", api::train_options(), {"--hf"});
  every_option_is_decided("infer", api::infer_options(), {"--hf"});
  every_option_is_decided("replay", api::replay_options(),
                          {"--hf", "--fleet", "--offline", "--lengths", "--lengths-from",
                           "--format", "--skip-bad", "--threads"});
}

TEST(Verbs, NoneNamesAFile) {
  for (const auto& v : verbs())
    for (const char* option :
         {"--hf", "--fleet", "--offline", "--lengths", "--catalog", "--csv", "--epw", "--carbon",
          "--out", "-o", "--docs", "--pipeline-json", "--fill-gaps", "--threads", "--json"}) {
      EXPECT_FALSE(has(v.values, option) || has(v.flags, option)) << v.name << " " << option;
      EXPECT_FALSE(command(std::string(v.name), {option, "x"}, true, 1)) << v.name << option;
      EXPECT_FALSE(command(std::string(v.name), {std::string(option) + "=x"}, true, 1)) << option;
    }
}

TEST(Verbs, WordsBecomeACommandLine) {
  const auto made = command("check", {"--set", "a.b=-1", "--set=c=2"}, true, 4);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->arguments, (Words{"check", "--set=a.b=-1", "--set=c=2", "--json", "--", "-"}));
  EXPECT_TRUE(made->quick);
  const auto searched = command("train", {"--top", "--set"}, true, 4);
  ASSERT_TRUE(searched);
  EXPECT_EQ(searched->arguments,
            (Words{"train", "--top=--set", "--json", "--threads=4", "--", "-"}));
  EXPECT_FALSE(searched->quick);
  EXPECT_EQ(command("explain", {"money.capital"}, true, 1)->arguments,
            (Words{"explain", "--", "-", "money.capital"}));
  EXPECT_EQ(command("catalog", {"region", "us-iowa"}, true, 1)->arguments,
            (Words{"catalog", "--json", "--", "region", "us-iowa"}));
}

TEST(Verbs, TheServersOwnCatalogueIsLaidOver) {
  EXPECT_EQ(command("check", {}, true, 1, "ours")->arguments,
            (Words{"check", "--catalog=ours", "--json", "--", "-"}));
  EXPECT_EQ(command("schema", {}, true, 1, "ours")->arguments, (Words{"schema", "--"}));
}

TEST(Verbs, AReplayIsBounded) {
  EXPECT_EQ(command("replay", {"--rate=1"}, false, 1)->arguments,
            (Words{"replay", "--rate=1", "--requests=1000000", "--json", "--"}));
  EXPECT_TRUE(command("replay", {"--requests", "1e6"}, false, 1));
  for (const char* requests : {"1000001", "1e9", "nan", "inf", "", "-1", "x"})
    EXPECT_FALSE(command("replay", {"--requests", requests}, false, 1)) << requests;
}

TEST(Verbs, WhatTakesLongIsAJob) {
  EXPECT_TRUE(command("facility", {"--gantt"}, true, 1)->quick);
  EXPECT_TRUE(command("facility", {}, true, 1)->quick);
  for (const char* slow : {"--availability", "--supply", "--transient", "--pairs"})
    EXPECT_FALSE(command("facility", {slow}, true, 1)->quick) << slow;
  EXPECT_FALSE(command("facility", {"--resolution=1s"}, true, 1)->quick);
  EXPECT_FALSE(command("check", {"--ranges"}, true, 1)->quick);
}

std::string mistake(const std::string& name, const Words& options, bool text = true) {
  const auto made = command(name, options, text, 1);
  if (made) return "none";
  const auto& d = made.error().all().front();
  return d.file + ": " + d.message + (d.hint.empty() ? "" : "; " + d.hint);
}

TEST(Verbs, MistakesAreToldAtTheirOption) {
  EXPECT_EQ(mistake("chek", {}), "verb: 'chek' is no verb here; did you mean 'check'?");
  EXPECT_EQ(mistake("load", {}).substr(0, 30), "verb: 'load' is no verb here; ");
  EXPECT_EQ(mistake("check", {"--rangs"}),
            "--rangs: is no option of check here; did you mean '--ranges'?");
  EXPECT_EQ(mistake("check", {"--set"}), "--set: needs a value");
  EXPECT_EQ(mistake("check", {"--ranges=1"}),
            "--ranges: is no option of check here; did you mean '--ranges'?");
  EXPECT_EQ(mistake("check", {"/etc/passwd"}),
            "/etc/passwd: is one word too many; an option begins with --");
  EXPECT_EQ(mistake("check", {}, false), "text: which scenario?; its YAML as text");
  EXPECT_EQ(mistake("check", {std::string("--set\0x", 7)}), "--set: holds a NUL byte");
  EXPECT_EQ(command("check", {"--a", "--b", "c"}, false, 1).error().count(), 4u);
}

}  // namespace
}  // namespace headroom::server
