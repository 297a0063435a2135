// `load` against a real streaming server on loopback (cpp-httplib), which sends tokens at set
// times.
#include "api/load.hpp"

#include <gtest/gtest.h>
#include <httplib.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/http_answer.hpp"
#include "api/http_stream.hpp"
#include "api/load_predict.hpp"
#include "api/sse.hpp"
#include "requests/reader.hpp"

namespace headroom::api {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// How the server behaves.
struct Behaviour {
  std::chrono::milliseconds first{40}, gap{10};
  int tokens_per_event = 1;
  bool usage = true, done = true, malformed = false, error_midway = false, cut = false;
  int status = 200;
  bool silent = false;  ///< an empty role chunk first, as chat servers send
};

class Server {
 public:
  explicit Server(Behaviour b = {}) : behaviour_(b) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(64); };
    server_.set_tcp_nodelay(true);
    server_.Get("/v1/models", [](const httplib::Request&, httplib::Response& r) {
      r.set_content(R"({"object":"list","data":[{"id":"tiny-model"}]})", "application/json");
    });
    for (const char* path : {"/v1/completions", "/v1/chat/completions"})
      server_.Post(path, [this](const httplib::Request& q, httplib::Response& r) { answer(q, r); });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(1ms);
  }
  ~Server() {
    server_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<json> bodies() {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  std::string authorization() {
    const std::lock_guard lock(mutex_);
    return authorization_;
  }
  int most_at_once() const { return most_; }

 private:
  void answer(const httplib::Request& q, httplib::Response& r) {
    const auto body = json::parse(q.body);
    {
      const std::lock_guard lock(mutex_);
      bodies_.push_back(body);
      authorization_ = q.get_header_value("Authorization");
    }
    if (behaviour_.status != 200) {
      r.status = behaviour_.status;
      r.set_content(R"({"error":{"message":"the model is on fire","code":503}})",
                    "application/json");
      return;
    }
    const bool chat = q.path.find("chat") != std::string::npos;
    r.set_chunked_content_provider(
        "text/event-stream", [this, body, chat](std::size_t, httplib::DataSink& sink) {
          const int now = ++at_once_;
          for (int seen = most_; now > seen && !most_.compare_exchange_weak(seen, now);) {}
          stream(body, chat, sink);
          --at_once_;
          return !behaviour_.cut;
        });
  }

  static std::string piece(bool chat, const std::string& text, bool last) {
    json c = {{"index", 0}, {"finish_reason", last ? json("length") : json(nullptr)}};
    if (chat)
      c["delta"] = {{"content", text}};
    else
      c["text"] = text;
    return "data: " + json{{"id", "x"}, {"choices", {c}}}.dump() + "\n\n";
  }

  void stream(const json& body, bool chat, httplib::DataSink& sink) {
    const auto begin = std::chrono::steady_clock::now();
    const auto say = [&](const std::string& text) { sink.write(text.data(), text.size()); };
    const int tokens = body.at("max_tokens").get<int>();
    const int events = (tokens + behaviour_.tokens_per_event - 1) / behaviour_.tokens_per_event;
    if (behaviour_.silent) say(piece(chat, "", false));
    say(": a comment\n\n");
    for (int i = 0; i < events; ++i) {
      std::this_thread::sleep_until(begin + behaviour_.first + i * behaviour_.gap);
      if (behaviour_.malformed && i == 2)
        return say("data: {\"choices\": [{\"tex\n\n"), sink.done();
      if (behaviour_.error_midway && i == 2)
        return say("data: {\"error\": {\"message\": \"out of memory\"}}\n\n"), sink.done();
      if (behaviour_.cut && i == 2) return;
      say(piece(chat, " word", i + 1 == events));
    }
    if (behaviour_.usage) {
      const auto prompt = chat ? body.at("messages").at(0).at("content").get<std::string>()
                               : body.at("prompt").get<std::string>();
      const auto words = 1 + std::count(prompt.begin(), prompt.end(), ' ');
      say("data: " +
          json{{"choices", json::array()},
               {"usage",
                {{"prompt_tokens", words + 1},
                 {"completion_tokens", tokens},
                 {"prompt_tokens_details", {{"cached_tokens", 1}}}}}}
              .dump() +
          "\n\n");
    }
    if (behaviour_.done) say("data: [DONE]\n\n");
    sink.done();
  }

  Behaviour behaviour_;
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<json> bodies_;
  std::string authorization_;
  std::atomic<int> at_once_{0}, most_{0};
};

LoadRequest request(const Server& server, requests::OptionList traffic) {
  LoadRequest r;
  r.url = server.url();
  r.traffic = std::move(traffic);
  r.timeout_s = 5;
  return r;
}

LoadAnswer good(const LoadRequest& r) {
  auto a = load(r);
  EXPECT_TRUE(a) << (a ? "" : render(a.error()));
  return a ? std::move(*a) : LoadAnswer{};
}

// The server sleeps to absolute times; what is measured is late by two wake-ups on a machine that
// may be busy. Medians stay within 8 ms here; nothing may be early.
constexpr double late_s = 0.008, early_s = 0.0005;

TEST(Load, MeasuresWhatTheServerDoes) {
  Server server({.first = 60ms, .gap = 15ms});
  auto r = request(server, {{"--arrivals", "constant"},
                            {"--rate", "20/s"},
                            {"--requests", "12"},
                            {"--input", "30"},
                            {"--output", "10"}});
  const auto a = good(r);
  const auto& s = a.summary;
  EXPECT_EQ(a.model, "tiny-model");
  EXPECT_EQ(s.sent, 12u);
  EXPECT_EQ(s.good, 12u) << load_text(a);
  EXPECT_GE(s.ttft.p50, 0.060 - early_s);
  EXPECT_LE(s.ttft.p50, 0.060 + late_s);
  EXPECT_NEAR(s.itl.p50, 0.015, 0.004);
  EXPECT_NEAR(s.tpot.p50, 0.015, 0.002);
  EXPECT_GE(s.e2e.p50, 0.060 + 9 * 0.015 - early_s);
  EXPECT_LE(s.e2e.p50, 0.060 + 9 * 0.015 + 2 * late_s);
  EXPECT_NEAR(s.rate_per_s, 20, 0.5) << "an open loop waits for no answer";
  EXPECT_EQ(s.output_tokens, 120);
  EXPECT_NEAR(s.prompt_ratio, 31.0 / 30, 1e-9) << "the server counts one token more";
  EXPECT_EQ(s.cached_tokens, 12);
  EXPECT_DOUBLE_EQ(s.tokens_per_event, 1);
  EXPECT_TRUE(s.usage);
  for (std::size_t i = 0; i < 12; ++i)
    EXPECT_NEAR(a.samples[i].due_s, static_cast<double>(i) / 20, 1e-9);
}

TEST(Load, SeveralTokensAnEventAreToldByUsage) {
  Server server({.first = 30ms, .gap = 20ms, .tokens_per_event = 4});
  auto r = request(
      server,
      {{"--arrivals", "constant"}, {"--rate", "30/s"}, {"--requests", "6"}, {"--output", "21"}});
  const auto a = good(r);
  EXPECT_EQ(a.summary.good, 6u);
  EXPECT_NEAR(a.summary.tokens_per_event, 21.0 / 6, 1e-9);
  EXPECT_NEAR(a.summary.tpot.p50, 5 * 0.020 / 20, 0.001) << "5 gaps over 20 further tokens";
  EXPECT_NEAR(a.summary.itl.p50, 0.020, 0.004) << "between events";
}

TEST(Load, ChatTakesTextNotTheEmptyRole) {
  Server server({.first = 50ms, .gap = 5ms, .silent = true});
  auto r = request(
      server,
      {{"--arrivals", "constant"}, {"--rate", "20/s"}, {"--requests", "5"}, {"--output", "4"}});
  r.endpoint = Endpoint::chat;
  ::setenv("HEADROOM_TEST_KEY", "secret", 1);
  r.key_variable = "HEADROOM_TEST_KEY";
  const auto a = good(r);
  EXPECT_EQ(a.summary.good, 5u);
  EXPECT_GE(a.summary.ttft.p50, 0.050 - early_s);
  EXPECT_EQ(server.authorization(), "Bearer secret");
  const auto body = server.bodies().at(0);
  EXPECT_EQ(body.at("messages").at(0).at("role"), "user");
  EXPECT_EQ(body.at("stream_options").at("include_usage"), true);
  EXPECT_EQ(body.at("ignore_eos"), true);
}

TEST(Load, ClosedLoopKeepsItsNumberInFlight) {
  Server server({.first = 20ms, .gap = 2ms});
  auto r = request(server, {{"--requests", "24"}, {"--output", "6"}});
  r.closed = true;
  r.concurrency = 4;
  const auto a = good(r);
  EXPECT_EQ(a.summary.good, 24u);
  EXPECT_EQ(server.most_at_once(), 4);
  EXPECT_GE(a.summary.span_s, 6 * 0.030 - 0.001) << "24 requests of 30 ms, 4 at a time";
  EXPECT_FALSE(a.summary.behind);
}

TEST(Load, OpenLoopSaysWhenItsConnectionsRunOut) {
  Server server({.first = 60ms, .gap = 1ms});
  auto r = request(
      server,
      {{"--arrivals", "constant"}, {"--rate", "100/s"}, {"--requests", "20"}, {"--output", "2"}});
  r.concurrency = 2;
  const auto a = good(r);
  EXPECT_EQ(a.summary.good, 20u);
  EXPECT_GE(a.summary.held, 15u);
  EXPECT_TRUE(a.summary.behind);
  EXPECT_NE(load_text(a).find("THE CLIENT FELL BEHIND"), std::string::npos);
}

TEST(Load, TurnsWaitForTheirAnswers) {
  Server server({.first = 20ms, .gap = 5ms});
  auto r = request(server, {{"--arrivals", "at-once"},
                            {"--requests", "6"},
                            {"--output", "5"},
                            {"--input", "200"},
                            {"--sessions", "turns=3,think=20ms,fixed"},
                            {"--block-tokens", "64"}});
  const auto a = good(r);
  ASSERT_EQ(a.summary.good, 6u);
  std::map<std::uint32_t, const LoadSample*> by;
  for (const auto& s : a.samples) by[s.request] = &s;
  for (const std::uint32_t turn : {1u, 2u, 4u, 5u}) {
    EXPECT_GE(by[turn]->sent_s, by[turn - 1]->end_s - 1e-6);
    EXPECT_NEAR(by[turn]->sent_s, by[turn]->due_s, 0.02);
  }
  // The next turn's words begin with those of the turn before: 192 of its 200 are whole blocks.
  std::vector<std::string> prompts;
  for (const auto& b : server.bodies()) prompts.push_back(b.at("prompt"));
  int continued = 0;
  for (const auto& p : prompts)
    for (const auto& q : prompts)
      continued += q.size() > p.size() && q.compare(0, 800, p, 0, 800) == 0;
  EXPECT_EQ(continued, 2 * 3)
      << "of two sessions of three turns, every later turn to every earlier";
}

TEST(Load, ErrorsAreCountedByTheirWords) {
  Server server({.status = 503});
  const auto a = good(request(server, {{"--rate", "200/s"}, {"--requests", "5"}}));
  EXPECT_EQ(a.summary.failed, 5u);
  ASSERT_EQ(a.summary.errors.size(), 1u);
  EXPECT_EQ(a.summary.errors[0].first, "status 503: the model is on fire");
  EXPECT_EQ(a.summary.errors[0].second, 5u);
}

TEST(Load, BrokenStreams) {
  const auto said = [](Behaviour b) {
    b.first = 5ms;
    b.gap = 2ms;
    Server server(b);
    const auto a =
        good(request(server, {{"--rate", "200/s"}, {"--requests", "2"}, {"--output", "5"}}));
    EXPECT_EQ(a.summary.good, 0u);
    return a.summary.errors.empty() ? "" : a.summary.errors[0].first;
  };
  EXPECT_NE(said({.malformed = true}).find("malformed event: {\"choices\""), std::string::npos);
  EXPECT_EQ(said({.error_midway = true}), "the server broke off: out of memory");
  EXPECT_EQ(said({.cut = true}), "the stream was cut off");
}

TEST(Load, AStreamWithoutDoneCountsByItsFinishReason) {
  Server server({.first = 5ms, .gap = 2ms, .usage = false, .done = false});
  const auto a =
      good(request(server, {{"--rate", "100/s"}, {"--requests", "3"}, {"--output", "4"}}));
  EXPECT_EQ(a.summary.good, 3u) << load_text(a);
  EXPECT_FALSE(a.summary.usage);
  EXPECT_EQ(a.summary.output_tokens, 12) << "events, for want of usage";
}

TEST(Load, SlowAnswersTimeOut) {
  Server server({.first = 10ms, .gap = 100ms});
  auto r = request(server, {{"--rate", "100/s"}, {"--requests", "2"}, {"--output", "20"}});
  r.timeout_s = 0.25;
  const auto a = good(r);
  EXPECT_EQ(a.summary.timed_out, 2u);
  EXPECT_NEAR(a.samples[0].e2e_s(), 0.25, 0.11);
  EXPECT_EQ(a.samples[0].error, "no end within 0.25 s");
}

TEST(Load, NobodyThere) {
  LoadRequest r;
  r.url = "http://127.0.0.1:1";  // tcpmux: nothing listens
  r.traffic = {{"--rate", "500/s"}, {"--requests", "20"}};
  const auto a = load(r);
  ASSERT_FALSE(a);
  EXPECT_NE(render(a.error()).find("cannot connect: Connection refused"), std::string::npos);
  r.model = "named";  // then no GET comes first
  const auto b = load(r);
  ASSERT_FALSE(b);
  EXPECT_NE(render(b.error()).find("Connection refused"), std::string::npos);
  r.url = "ftp://x";
  r.traffic = {{"--rate", "500"}};
  const auto c = load(r);
  ASSERT_FALSE(c);
  EXPECT_NE(render(c.error()).find("'ftp' is not spoken here"), std::string::npos);
  EXPECT_NE(render(c.error()).find("--rate: '500'"), std::string::npos) << "both in one pass";
}

TEST(Load, StoppingKeepsWhatEnded) {
  Server server({.first = 10ms, .gap = 20ms});
  auto r = request(
      server,
      {{"--arrivals", "constant"}, {"--rate", "20/s"}, {"--requests", "100"}, {"--output", "8"}});
  std::atomic<bool> stop{false};
  r.stop = &stop;
  std::thread later([&] {
    std::this_thread::sleep_for(450ms);
    stop = true;
  });
  const auto a = good(r);
  later.join();
  const auto& s = a.summary;
  EXPECT_TRUE(a.interrupted);
  EXPECT_GT(s.good, 2u);
  EXPECT_GT(s.stopped, 0u);
  EXPECT_EQ(s.good + s.stopped + s.failed + s.timed_out + s.not_sent, 100u) << "all accounted for";
  EXPECT_NE(load_text(a).find("interrupted; what ended is kept"), std::string::npos);
}

TEST(Load, WarmUpIsNotCounted) {
  Server server({.first = 5ms, .gap = 1ms});
  auto r = request(server, {{"--rate", "100/s"}, {"--requests", "4"}, {"--output", "2"}});
  r.warmup = 3;
  const auto a = good(r);
  EXPECT_EQ(a.summary.sent, 4u);
  EXPECT_EQ(server.bodies().size(), 7u);
  EXPECT_LT(a.samples[0].sent_s, 0.2);
  EXPECT_NE(server.bodies()[0].at("prompt"), server.bodies()[3].at("prompt"));
}

TEST(Load, RowsReadBackAsATrace) {
  Server server({.first = 5ms, .gap = 1ms});
  auto r = request(
      server, {{"--rate", "100/s"}, {"--requests", "8"}, {"--output", "3"}, {"--input", "20"}});
  const auto a = good(r);
  const auto folder = std::filesystem::path(testing::TempDir());
  for (const char* name : {"load.csv", "load.jsonl", "load.csv.gz"}) {
    const auto path = (folder / (std::to_string(static_cast<long>(getpid())) + name)).string();
    ASSERT_TRUE(write_samples(a, path));
    const auto back = requests::read(path);
    ASSERT_TRUE(back) << render(back.error());
    ASSERT_EQ(back->requests.size(), 8u);
    EXPECT_EQ(back->requests[3].prompt, 21) << "as the server counted";
    EXPECT_EQ(back->requests[3].output, 3);
    EXPECT_NEAR(back->requests[3].arrival_s, a.samples[3].sent_s, 1e-6);
  }
  EXPECT_FALSE(write_samples(a, (folder / "load.txt").string()));
  const auto j = json::parse(load_json(a));
  EXPECT_EQ(j.at("good"), 8);
  EXPECT_GT(j.at("ttft").at("p50_s").get<double>(), 0.004);
}

TEST(Load, ThePredictionStandsBeside) {
  Server server({.first = 20ms, .gap = 6ms});
  auto r = request(
      server, {{"--rate", "50/s"}, {"--requests", "12"}, {"--output", "10"}, {"--input", "300"}});
  r.deployment = {{"--model", "llama-3.1-8b"}, {"--accelerator", "h100-sxm"}, {"--tp", "1"}};
  const auto a = good(r);
  ASSERT_EQ(a.comparison.size(), 17u) << load_text(a);
  for (const auto& c : a.comparison) EXPECT_GT(c.predicted, 0) << c.metric;
  EXPECT_EQ(a.comparison[0].measured, a.summary.ttft.mean);
  EXPECT_NE(load_text(a).find("beside the prediction for"), std::string::npos);
  EXPECT_EQ(json::parse(load_json(a)).at("comparison").size(), 17u);
  r.deployment = {{"--model", "lama-3.1-8b"}, {"--accelerator", "h100-sxm"}};
  const auto wrong = load(r);
  ASSERT_FALSE(wrong) << "before anything is sent";
  EXPECT_NE(render(wrong.error()).find("llama-3.1-8b"), std::string::npos);
}

TEST(Load, WhatWasSentIsWhatIsPredicted) {
  requests::Stream stream;
  stream.requests.resize(4);
  std::vector<LoadSample> samples(4);
  for (std::uint32_t i = 0; i < 4; ++i) {
    stream.requests[i].prompt = 10;
    stream.requests[i].output = 5;
    samples[i].request = i;
    samples[i].prompt = 10;
    samples[i].output_counted = 7;
    samples[i].fate = LoadFate::good;
  }
  stream.requests[3].after = 0;
  stream.requests[3].arrival_s = 0.25;
  samples[0].sent_s = 0, samples[0].end_s = 1;
  samples[1].sent_s = 0.1, samples[1].end_s = 0.5, samples[1].fate = LoadFate::failed;
  samples[2].sent_s = 0.2, samples[2].end_s = 2, samples[2].prompt_counted = 12;
  samples[3].sent_s = 1.26, samples[3].end_s = 3;
  const auto open = sent_stream(stream, samples, false);
  ASSERT_EQ(open.requests.size(), 3u) << "failed ones did not load the server";
  EXPECT_EQ(open.requests[1].prompt, 12);
  EXPECT_EQ(open.requests[1].output, 7);
  EXPECT_EQ(open.requests[2].after, 0u);
  EXPECT_EQ(open.requests[2].arrival_s, 0.25) << "the pause it was to make";
  const auto closed = sent_stream(stream, samples, true);
  EXPECT_EQ(closed.requests[1].after, requests::no_request) << "nothing had ended yet";
  EXPECT_EQ(closed.requests[2].after, 0u);
  EXPECT_NEAR(closed.requests[2].arrival_s, 0.26, 1e-12);
}

// --- the parts ---------------------------------------------------------------------------

TEST(Sse, AnyCutGivesTheSameEvents) {
  const std::string stream =
      ": comment\r\ndata: one\r\n\r\ndata: two\ndata: lines\n\nevent: x\ndata:three\r\rdata: "
      "[DONE]\n\n";
  std::vector<std::string> whole;
  SseParser parser;
  parser.take(stream, [&](std::string_view e) { whole.emplace_back(e); });
  EXPECT_EQ(whole, (std::vector<std::string>{"one", "two\nlines", "three", "[DONE]"}));
  for (std::size_t n = 1; n < 7; ++n) {
    SseParser cut;
    std::vector<std::string> events;
    for (std::size_t at = 0; at < stream.size(); at += n)
      cut.take(std::string_view(stream).substr(at, n),
               [&](std::string_view e) { events.emplace_back(e); });
    EXPECT_EQ(events, whole) << n;
    EXPECT_FALSE(cut.unfinished());
  }
}

TEST(HttpAnswer, AnyCutGivesTheSameBody) {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, "
      "world\r\n0\r\nT: 1\r\n\r\n";
  for (std::size_t n = 1; n <= answer.size(); ++n) {
    http::Answer a;
    std::string body;
    for (std::size_t at = 0; at < answer.size(); at += n)
      a.take(std::string_view(answer).substr(at, n), [&](std::string_view p) { body += p; });
    EXPECT_EQ(a.state(), http::Answer::State::done) << n;
    EXPECT_EQ(body, "hello, world");
    EXPECT_TRUE(a.keep_alive());
  }
}

TEST(HttpAnswer, LengthsEndsAndNonsense) {
  const auto ignore = [](std::string_view) {};
  http::Answer length;
  length.take("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc", ignore);
  EXPECT_EQ(length.state(), http::Answer::State::done);
  EXPECT_EQ(length.status(), 404);
  http::Answer open;
  open.take("HTTP/1.0 200 OK\r\n\r\nabc", ignore);
  EXPECT_EQ(open.state(), http::Answer::State::body);
  EXPECT_EQ(open.end(), http::Answer::State::done);
  http::Answer cut;
  cut.take("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", ignore);
  EXPECT_EQ(cut.end(), http::Answer::State::broken);
  http::Answer other;
  EXPECT_EQ(other.take("SSH-2.0-OpenSSH_9.2\r\n\r\n", ignore), http::Answer::State::broken);
  http::Answer chunk;
  EXPECT_EQ(chunk.take("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ignore),
            http::Answer::State::broken);
}

TEST(Url, PartsAndMistakes) {
  const auto u = http::parse_url("https://api.example.com/v1/");
  ASSERT_TRUE(u);
  EXPECT_TRUE(u->tls);
  EXPECT_EQ(u->port, 443);
  EXPECT_EQ(u->path, "/v1");
  EXPECT_EQ(http::parse_url("localhost:8000")->port, 8000);
  EXPECT_EQ(http::parse_url("http://[::1]:8000/x")->host, "::1");
  EXPECT_FALSE(http::parse_url("http://host:99999"));
  EXPECT_FALSE(http::parse_url("http://"));
}

}  // namespace
}  // namespace headroom::api
