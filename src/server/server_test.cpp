// The server on loopback: a real client, and clients that misbehave.
#include "server/server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "server/site.hpp"

namespace headroom::server {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Answers with the length of the text; a text "wait" works until it is stopped.
Said engine(const Call& call) {
  if (call.text != "wait") return {0, std::to_string(call.text.size()), ""};
  call.progress->begin("waiting", 100);
  while (!call.progress->stop_asked()) {
    call.progress->advance();
    std::this_thread::sleep_for(5ms);
  }
  return {130, "", "stopped"};
}

Limits brisk() {
  Limits l;
  l.idle = 400ms;
  l.head_time = l.body_time = l.write_time = 300ms;
  l.tick = 20ms;
  l.heartbeat = 100ms;
  return l;
}

// The tests of bodies send larger scenarios than the page takes.
Limits roomy() {
  Limits l = brisk();
  l.text_bytes = l.body_bytes;
  return l;
}

struct Running {
  std::unique_ptr<Server> server;
  explicit Running(const Limits& limits = brisk(), Door door = engine) {
    Options o;
    o.token = "sesame";
    o.limits = limits;
    auto opened = Server::open(o, std::move(door));
    if (!opened) throw std::runtime_error(render(opened.error()));
    server = std::move(*opened);
  }
  httplib::Client client(const std::string& token = "sesame") const {
    httplib::Client c("127.0.0.1", server->port());
    c.set_default_headers({{"X-Headroom-Token", token}});
    c.set_read_timeout(10);
    c.set_keep_alive(true);
    return c;
  }
};

std::string check(const std::string& text) {
  return json{{"verb", "check"}, {"text", text}}.dump();
}

/// A connection that says what it likes.
class Raw {
 public:
  explicit Raw(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
      throw std::runtime_error("no connection");
  }
  ~Raw() { ::close(socket_); }
  Raw(const Raw&) = delete;
  bool say(std::string_view text) const {
    return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == ssize_t(text.size());
  }
  /// Until the other side closes.
  std::string rest() const {
    std::string out;
    char block[4096];
    for (ssize_t n = 0; (n = ::recv(socket_, block, sizeof block, 0)) > 0;)
      out.append(block, std::size_t(n));
    return out;
  }

 private:
  int socket_;
};

const std::string head =
    "GET /api/jobs HTTP/1.1\r\nHost: localhost\r\nX-Headroom-Token: sesame\r\n";

TEST(Server, AnswersAClient) {
  Running r;
  auto c = r.client();
  EXPECT_EQ(r.server->url(),
            "http://127.0.0.1:" + std::to_string(r.server->port()) + "/?token=sesame");
  const auto page = c.Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_NE(page->body.find("headroom-data"), std::string::npos);
  for (int i = 0; i < 20; ++i) {  // on one connection
    const auto answer = c.Post("/api/run", check(std::string(i, 'x')), "application/json");
    ASSERT_TRUE(answer);
    EXPECT_EQ(json::parse(answer->body)["document"], i);
  }
  auto stranger = r.client("");
  for (int i = 0; i < 3; ++i) {  // told no, and not cut off
    const auto told = stranger.Get("/api/start");
    EXPECT_EQ(told->status, 401);
    EXPECT_FALSE(told->has_header("Connection"));
  }
  EXPECT_EQ(c.Post("/api/run", "{}", "text/plain")->status, 415);
  EXPECT_EQ(c.Get("/api/jobs", {{"Host", "evil.example"}})->status, 403);
  EXPECT_EQ(c.Get("/api/jobs", {{"Origin", "http://evil.example"}})->status, 403);
}

TEST(Server, RefusesAPortInUse) {
  Running r;
  Options o;
  o.port = r.server->port();
  const auto second = Server::open(o, engine);
  ASSERT_FALSE(second);
  EXPECT_NE(render(second.error()).find("in use"), std::string::npos) << render(second.error());
  o.port = 0;
  o.host = "no.such.host.invalid";
  EXPECT_FALSE(Server::open(o, engine));
  o.host = "127.0.0.1";
  o.file = "/nonexistent/x.yaml";
  EXPECT_FALSE(Server::open(o, engine));
  o.file = "";
  o.catalog = "/nonexistent";
  EXPECT_FALSE(Server::open(o, engine));
}

TEST(Server, BodiesAreBounded) {
  Running r(roomy());
  auto c = r.client();
  EXPECT_EQ(c.Post("/api/run", std::string((4 << 20) + 1, 'x'), "application/json")->status, 413);
  const auto whole = c.Post("/api/run", check(std::string(3 << 20, 'x')), "application/json");
  ASSERT_TRUE(whole);
  EXPECT_EQ(json::parse(whole->body)["document"], 3 << 20);
  const auto post =
      "POST /api/run HTTP/1.1\r\nHost: localhost\r\nX-Headroom-Token: sesame\r\n"
      "Content-Type: application/json\r\n";
  for (const auto& [more, status] :
       {std::pair("Transfer-Encoding: chunked\r\n\r\n5\r\nxxxxx\r\n0\r\n\r\n", "411"),
        std::pair("Connection: close\r\n\r\n", "411"),
        std::pair("Content-Length: -1\r\n\r\n", "400"),
        std::pair("Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400"),
        std::pair("Content-Length: 99999999999999999999\r\n\r\n", "400"),
        std::pair("Content-Length: 5000000\r\n\r\n", "413"),
        std::pair("Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\nxx", "415"),
        std::pair("Content-Length: 9\r\n\r\nxx", "408")}) {
    Raw raw(r.server->port());
    ASSERT_TRUE(raw.say(std::string(post) + more));
    const auto told = raw.rest();
    EXPECT_EQ(told.substr(9, 3), status) << more;
    EXPECT_EQ(told.find("HTTP/1.1", 9), std::string::npos) << "a body taken for a request";
  }
}

TEST(Server, HeadsAreBounded) {
  Running r;
  for (const std::string& more :
       {std::string(40'000, 'a'), "X: " + std::string(9'000, 'a') + "\r\n", [] {
          std::string many;
          for (int i = 0; i < 4000; ++i) many += "X-" + std::to_string(i) + ": a\r\n";
          return many;
        }()}) {
    Raw raw(r.server->port());
    raw.say(head + more + "\r\n\r\n");
    const auto told = raw.rest();
    EXPECT_EQ(told.find(" 200 "), std::string::npos) << more.size();
  }
  // What the library reads with a regular expression.
  Raw raw(r.server->port());
  std::string ranges = "Range: bytes=0-1";
  while (ranges.size() < 8'000) ranges += ", 0-1";
  raw.say(head + ranges + "\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(raw.rest().substr(0, 9), "HTTP/1.1 ");
  Raw path(r.server->port());
  path.say("GET /" + std::string(8'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(path.rest().substr(9, 3), "414");
}

TEST(Server, SlowClientsLoseTheirTurn) {
  Running r;
  const auto begin = Clock::now();
  Raw silent(r.server->port()), slow_head(r.server->port()), slow_body(r.server->port());
  slow_body.say(
      "POST /api/run HTTP/1.1\r\nHost: localhost\r\nX-Headroom-Token: sesame\r\n"
      "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n");
  std::thread drip([&] {  // a byte well within the time of one read
    for (int i = 0; i < 40; ++i) {
      std::this_thread::sleep_for(25ms);
      if (!slow_head.say("G") || !slow_body.say(" ")) break;
    }
  });
  EXPECT_EQ(silent.rest(), "");
  EXPECT_EQ(slow_head.rest().find(" 200 "), std::string::npos);
  EXPECT_EQ(slow_body.rest().substr(9, 3), "408");
  EXPECT_LT(Clock::now() - begin, 3s);
  drip.join();
}

TEST(Server, WhoDoesNotReadIsLeft) {
  Running r(brisk(), [](const Call&) {
    return Said{0, "\"" + std::string(32 << 20, 'x') + "\"", ""};
  });
  Raw raw(r.server->port());
  const auto body = check("x");
  raw.say(
      "POST /api/run HTTP/1.1\r\nHost: localhost\r\nX-Headroom-Token: sesame\r\n"
      "Content-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  auto c = r.client();
  EXPECT_EQ(c.Get("/api/jobs")->status, 200);  // others go on
  const auto begin = Clock::now();
  r.server->stop();  // and the server ends without him
  EXPECT_LT(Clock::now() - begin, 2s);
}

TEST(Server, ConnectionsAreBounded) {
  Limits l = brisk();
  l.connections = 4;
  Running r(l);
  std::vector<std::unique_ptr<Raw>> held;
  for (int i = 0; i < 4; ++i) held.push_back(std::make_unique<Raw>(r.server->port()));
  std::this_thread::sleep_for(50ms);
  Raw fifth(r.server->port());
  EXPECT_EQ(fifth.rest().substr(9, 3), "503");
  held.clear();
  int status = 503;
  for (int i = 0; i < 100 && status == 503; ++i) {
    std::this_thread::sleep_for(20ms);
    const auto answer = r.client().Get("/api/jobs");
    status = answer ? answer->status : 503;
  }
  EXPECT_EQ(status, 200);
}

TEST(Server, StreamsAJobAndStopsIt) {
  Running r;
  auto c = r.client();
  const auto made =
      c.Post("/api/jobs", json{{"verb", "train"}, {"text", "wait"}}.dump(), "application/json");
  const std::string id = json::parse(made->body)["id"];
  std::string events;
  Clock::time_point asked;
  const auto stream = c.Get("/api/jobs/" + id + "/events", [&](const char* data, std::size_t n) {
    events.append(data, n);
    if (events.find("\"stage\":\"waiting\"") != std::string::npos && asked == Clock::time_point()) {
      asked = Clock::now();
      EXPECT_EQ(r.client().Delete("/api/jobs/" + id)->status, 200);
    }
    return true;
  });
  ASSERT_TRUE(stream);
  EXPECT_LT(Clock::now() - asked, 200ms);
  EXPECT_EQ(stream->get_header_value("Content-Type"), "text/event-stream");
  EXPECT_NE(events.find("event: end\ndata: {\"state\":\"stopped\"}"), std::string::npos) << events;
}

TEST(Server, FiftyUsersWithJobs) {
  Running r;
  std::atomic<int> right{0}, jobs{0};
  std::vector<std::thread> users;
  for (int u = 0; u < 50; ++u)
    users.emplace_back([&, u] {
      auto c = r.client();
      for (int i = 0; i < 10; ++i) {
        const int size = 1000 * u + i;
        const auto a = c.Post("/api/run", check(std::string(size, 'x')), "application/json");
        right += a && a->status == 200 && json::parse(a->body)["document"] == size;
      }
      const auto made =
          c.Post("/api/jobs", json{{"verb", "train"}, {"text", std::string(u, 'x')}}.dump(),
                 "application/json");
      if (!made || made->status != 202) return;
      const std::string id = json::parse(made->body)["id"];
      for (int i = 0; i < 500; ++i) {
        const auto job = json::parse(c.Get("/api/jobs/" + id)->body);
        if (job["state"] == "done") {
          jobs += job["result"]["document"] == u;
          return;
        }
        std::this_thread::sleep_for(10ms);
      }
    });
  for (auto& user : users) user.join();
  EXPECT_EQ(right, 500);
  EXPECT_EQ(jobs, 50);
}

TEST(Server, StopsWithStreamsAndJobsAtWork) {
  Running r;
  auto c = r.client();
  const auto made =
      c.Post("/api/jobs", json{{"verb", "train"}, {"text", "wait"}}.dump(), "application/json");
  const std::string id = json::parse(made->body)["id"];
  std::atomic<bool> listening{false};
  std::thread listener([&] {
    r.client().Get("/api/jobs/" + id + "/events", [&](const char*, std::size_t) {
      listening = true;
      return true;
    });
  });
  Raw idle(r.server->port());
  while (!listening) std::this_thread::sleep_for(1ms);
  const auto begin = Clock::now();
  r.server->stop();
  EXPECT_LT(Clock::now() - begin, 1s);
  listener.join();
}

TEST(Server, BytesWithoutASocket) {
  Options o;
  o.token = "sesame";
  Site site(o, engine, 8420);
  EXPECT_EQ(exchange(site, {}, head + "\r\n").substr(0, 15), "HTTP/1.1 200 OK");
  const auto twice = exchange(site, {}, head + "\r\n" + head + "\r\n");
  EXPECT_NE(twice.find("HTTP/1.1 200 OK", 20), std::string::npos);
  EXPECT_EQ(exchange(site, {}, ""), "");
  EXPECT_EQ(exchange(site, {}, "GARBAGE\r\n\r\n").substr(9, 3), "400");
}

}  // namespace
}  // namespace headroom::server
