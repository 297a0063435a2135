// The paths, with a door that says what it was asked.
#include "server/site.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

namespace headroom::server {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Asked {
  std::mutex mutex;
  std::vector<Call> calls;
  Said said{0, "{\"fits\": true}\n", ""};
  Door door() {
    return [this](const Call& call) {
      const std::lock_guard lock(mutex);
      calls.push_back(call);
      return said;
    };
  }
};

struct Fixture : testing::Test {
  Asked asked;
  fs::path folder = fs::temp_directory_path() / ("site_test." + std::to_string(::getpid()));
  fs::path file = folder / "mine.yaml";
  std::unique_ptr<Site> site;

  void SetUp() override {
    fs::create_directories(folder);
    write("name: mine\n");
    open(file.string());
  }
  void TearDown() override { fs::remove_all(folder); }
  void open(const std::string& path) {
    Options o;
    o.token = "sesame";
    o.file = path;
    o.sample = "nvl72-row";
    site = std::make_unique<Site>(o, asked.door(), 8420);
  }
  void write(const std::string& text) { std::ofstream(file) << text; }
  std::string text_on_disk() {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  Answer say(const std::string& method, const std::string& path, const std::string& body = "",
             const std::string& token = "sesame") {
    Ask ask;
    ask.method = method;
    ask.path = path;
    ask.host = "127.0.0.1:8420";
    ask.token = token;
    if (method == "POST") ask.type = "application/json";
    if (auto refused = site->admit(ask)) return *refused;
    ask.body = body;
    return site->answer(ask);
  }
  json get(const std::string& path) { return json::parse(say("GET", path).body); }
  json run(const json& body) { return json::parse(say("POST", "/api/run", body.dump()).body); }
};

std::string header(const Answer& a, const std::string& name) {
  for (const auto& [key, value] : a.headers)
    if (key == name) return value;
  return {};
}

using SitePaths = Fixture;

TEST_F(SitePaths, NothingWithoutTheToken) {
  for (const char* path : {"/api/start", "/api/jobs", "/api/schema", "/api/catalog", "/nothing",
                           "/api/jobs/1/events", "/../etc/passwd"}) {
    EXPECT_EQ(say("GET", path, "", "").status, 401) << path;
    EXPECT_EQ(say("GET", path, "", "sesamo").status, 401) << path;
  }
  for (const char* path : {"/api/run", "/api/save", "/api/jobs", "/api/report"})
    EXPECT_EQ(say("POST", path, "{}", "").status, 401) << path;
  EXPECT_EQ(say("DELETE", "/api/jobs/1", "", "").status, 401);
  const auto page = say("GET", "/", "", "");
  EXPECT_EQ(page.status, 401);
  EXPECT_NE(page.body.find("?token="), std::string::npos);
}

TEST_F(SitePaths, TheTokenInTheAddressBecomesACookie) {
  Ask ask;
  ask.method = "GET";
  ask.path = "/";
  ask.host = "127.0.0.1:8420";
  ask.query_token = "sesame";
  ASSERT_FALSE(site->admit(ask));
  const auto answer = site->answer(ask);
  EXPECT_EQ(answer.status, 303);
  EXPECT_EQ(header(answer, "Location"), "/");
  EXPECT_EQ(header(answer, "Set-Cookie"),
            "headroom_token_8420=sesame; Path=/; HttpOnly; SameSite=Lax");
  ask.query_token = "wrong";
  EXPECT_EQ(site->answer(ask).status, 401);
}

TEST_F(SitePaths, ThePageRunsItsOwnScriptsAlone) {
  const auto first = say("GET", "/"), second = say("GET", "/");
  ASSERT_EQ(first.status, 200);
  const auto policy = header(first, "Content-Security-Policy");
  const auto at = policy.find("script-src 'nonce-");
  ASSERT_NE(at, std::string::npos);
  const auto nonce = policy.substr(at + 18, 32);
  EXPECT_NE(first.body.find("<script nonce=\"" + nonce + "\""), std::string::npos);
  EXPECT_EQ(second.body.find(nonce), std::string::npos);
  EXPECT_EQ(policy.find("unsafe-eval"), std::string::npos);
  EXPECT_EQ(header(first, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header(first, "Cache-Control"), "no-store");
}

TEST(Site, NoncesStandOnTagsAndNotInsideScripts) {
  EXPECT_EQ(page_with_nonce("<p><script>a='<script>'</script><script type=x></script>", "N"),
            "<p><script nonce=\"N\">a='<script>'</script><script nonce=\"N\" type=x></script>");
  EXPECT_EQ(page_with_nonce("<script", "N"), "<script nonce=\"N\"");
  EXPECT_EQ(page_with_nonce("", "N"), "");
}

TEST_F(SitePaths, StartTellsTheFile) {
  const auto start = get("/api/start");
  EXPECT_EQ(start["name"], "mine.yaml");
  EXPECT_EQ(start["text"], "name: mine\n");
  EXPECT_EQ(start["file"], file.string());
  EXPECT_EQ(start["can_save"], true);
  EXPECT_GT(start["templates"].size(), 3u);
  open("");
  const auto none = get("/api/start");
  EXPECT_EQ(none["file"], nullptr);
  EXPECT_EQ(none["can_save"], false);
  EXPECT_EQ(none["name"], "nvl72-row");
  EXPECT_EQ(none["text"], get("/api/template/nvl72-row")["text"]);
}

TEST_F(SitePaths, RunsGoThroughTheDoor) {
  const auto answer = run({{"verb", "check"},
                           {"options", {"--set", "a=1"}},
                           {"text", "x: 1"},
                           {"name", "../../etc/x.yaml"}});
  EXPECT_EQ(answer["status"], 0);
  EXPECT_EQ(answer["document"], json({{"fits", true}}));
  EXPECT_EQ(answer["text"], nullptr);
  EXPECT_EQ(answer["errors"], json::array());
  ASSERT_EQ(asked.calls.size(), 1u);
  EXPECT_EQ(asked.calls[0].arguments,
            (std::vector<std::string>{"check", "--set=a=1", "--json", "--", "-"}));
  EXPECT_EQ(asked.calls[0].text, "x: 1");
  EXPECT_EQ(asked.calls[0].name, (folder / ".._.._etc_x.yaml").string());
  open("");
  run({{"verb", "check"}, {"text", "x: 1"}, {"name", "x.yaml"}});
  EXPECT_EQ(asked.calls.back().name, "<page>");
}

TEST_F(SitePaths, MistakesComeWithTheirPlace) {
  asked.said = {2, R"({"verdict": "bad input", "diagnostics": [{"line": 3, "column": 5}]})", ""};
  auto answer = run({{"verb", "check"}, {"text", "x"}});
  EXPECT_EQ(answer["status"], 2);
  EXPECT_EQ(answer["document"], nullptr);
  EXPECT_EQ(answer["errors"][0]["line"], 3);
  asked.said = {2, "", "--top: not in range\xff\n"};
  answer = run({{"verb", "check"}, {"text", "x"}});
  EXPECT_EQ(answer["errors"][0]["message"], "--top: not in range\xef\xbf\xbd\n");
  asked.said = {1, "tree\n", ""};
  answer = run({{"verb", "explain"}, {"options", {"money"}}, {"text", "x"}});
  EXPECT_EQ(answer["text"], "tree\n");
  EXPECT_EQ(answer["document"], nullptr);
}

TEST_F(SitePaths, WhatIsNotUnderstoodIsRefused) {
  EXPECT_EQ(say("POST", "/api/run", "{").status, 400);
  EXPECT_EQ(say("POST", "/api/run", R"({"verb": "rm"})").status, 400);
  EXPECT_EQ(say("POST", "/api/run", R"({"verb": "train", "text": "x"})").status, 400);
  EXPECT_EQ(say("POST", "/api/jobs", R"({"verb": "check"})").status, 400);
  EXPECT_EQ(say("GET", "/api/run").status, 405);
  EXPECT_EQ(say("PUT", "/api/jobs").status, 405);
  EXPECT_EQ(say("DELETE", "/").status, 405);
  for (const char* path : {"/x", "/api", "/api/", "/api/jobs/", "/api/jobs/9", "/api/catalog/xyz",
                           "/api/catalog/region/xyz", "/api/template/xyz", "/index.html",
                           "/api/jobs/9/events", "/api/../x"})
    EXPECT_EQ(say("GET", path).status, 404) << path;
  EXPECT_TRUE(asked.calls.empty());
}

TEST_F(SitePaths, AScenarioIsBounded) {
  const std::string large((256 << 10) + 1, 'x');
  for (const char* path : {"/api/run", "/api/jobs", "/api/report"}) {
    const auto body = path == std::string("/api/report") ? json{{"text", large}}
                                                         : json{{"verb", "check"}, {"text", large}};
    EXPECT_EQ(say("POST", path, body.dump()).status, 413) << path;
  }
  EXPECT_EQ(say("POST", "/api/run",
                json{{"verb", "check"}, {"text", "x"}, {"options", {"--set=a=" + large}}}.dump())
                .status,
            413);
  EXPECT_TRUE(asked.calls.empty());
}

TEST_F(SitePaths, CatalogueAndSchema) {
  EXPECT_TRUE(get("/api/catalog").contains("region"));
  EXPECT_TRUE(get("/api/catalog/region")["region"].is_array());
  EXPECT_EQ(get("/api/catalog/region/us-iowa")["id"], "us-iowa");
  EXPECT_TRUE(get("/api/schema").contains("properties"));
}

TEST_F(SitePaths, AJobFromBeginningToEnd) {
  const auto made = say("POST", "/api/jobs", R"({"verb": "train", "text": "x"})");
  ASSERT_EQ(made.status, 202);
  const std::string id = json::parse(made.body)["id"];
  const auto events = say("GET", "/api/jobs/" + id + "/events");
  EXPECT_EQ(events.type, "text/event-stream");
  std::string all;
  while (events.stream([&](std::string_view text) { return all += text, true; })) {}
  EXPECT_NE(all.find("event: progress\ndata: {"), std::string::npos);
  EXPECT_NE(all.find("event: end\ndata: {\"state\":\"done\"}\n\n"), std::string::npos);
  const auto job = get("/api/jobs/" + id);
  EXPECT_EQ(job["state"], "done");
  EXPECT_EQ(job["result"]["document"]["fits"], true);
  EXPECT_EQ(get("/api/jobs").size(), 1u);
  EXPECT_EQ(say("DELETE", "/api/jobs/" + id).status, 200);
}

TEST(Site, FilesAreNamedPlainly) {
  EXPECT_EQ(file_name("campus-100k.yaml", ".html"), "campus-100k.html");
  EXPECT_EQ(file_name("My \"campus\"\r\nX: y.yml", ".csv"), "My--campus---X--y.csv");
  EXPECT_EQ(file_name("../../etc/passwd", ".csv"), "etc-passwd.csv");
  EXPECT_EQ(file_name("\xc3\xa4", ".json"), "report.json");
  EXPECT_EQ(file_name("", ".html"), "report.html");
}

TEST_F(SitePaths, ReportsAreFiles) {
  const std::string text = get("/api/template/chat-70b")["text"];
  const auto csv = say("POST", "/api/report",
                       json{{"text", text}, {"name", "chat.yaml"}, {"format", "csv"}}.dump());
  ASSERT_EQ(csv.status, 200) << csv.body;
  EXPECT_EQ(header(csv, "Content-Disposition"), "attachment; filename=\"chat.csv\"");
  EXPECT_EQ(csv.type.substr(0, 8), "text/csv");
  EXPECT_GT(csv.body.size(), 100u);
  auto bad = say("POST", "/api/report", json{{"text", "clusters: 3"}, {"format", "html"}}.dump());
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(json::parse(bad.body)["errors"][0]["line"], 1);
  bad = say("POST", "/api/report", json{{"text", text}, {"format", "exe"}}.dump());
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(say("POST", "/api/report", R"({"format": "csv"})").status, 400);

  const auto made = say("POST", "/api/jobs",
                        json{{"verb", "report"},
                             {"text", text},
                             {"name", "chat.yaml"},
                             {"options", {"--format=csv", "--set=name=other"}}}
                            .dump());
  ASSERT_EQ(made.status, 202) << made.body;
  const std::string id = json::parse(made.body)["id"];
  const auto events = say("GET", "/api/jobs/" + id + "/events");
  while (events.stream([](std::string_view) { return true; })) {}
  EXPECT_EQ(get("/api/jobs/" + id)["result"]["file"], "chat.csv");
  EXPECT_EQ(say("GET", "/api/jobs/" + id + "/file").status, 200);
  EXPECT_EQ(say("GET", "/api/jobs/7/file").status, 404);
}

TEST_F(SitePaths, SavesOverWhatItHasSeen) {
  const std::string stamp = get("/api/start")["stamp"];
  EXPECT_EQ(say("POST", "/api/save", R"({"text": "name: two\n"})").status, 200);
  EXPECT_EQ(text_on_disk(), "name: two\n");
  // Another tab still has the first text.
  EXPECT_EQ(say("POST", "/api/save", json{{"text", "three"}, {"stamp", stamp}}.dump()).status, 409);
  write("name: by hand\n");
  EXPECT_EQ(say("POST", "/api/save", R"({"text": "name: four\n"})").status, 409);
  EXPECT_EQ(text_on_disk(), "name: by hand\n");
  get("/api/start");
  EXPECT_EQ(say("POST", "/api/save", R"({"text": "name: five\n"})").status, 200);
  EXPECT_EQ(text_on_disk(), "name: five\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  open("");
  EXPECT_EQ(say("POST", "/api/save", R"({"text": "x"})").status, 404);
}

}  // namespace
}  // namespace headroom::server
