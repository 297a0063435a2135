#include "server/wire.hpp"

#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "server/connection.hpp"

namespace headroom::server {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Set on the accepting thread while a connection beyond the limit is turned away.
thread_local bool turned_away = false;

/// A thread a connection, up to a limit; beyond it the connection is told so and closed.
class Threads : public httplib::TaskQueue {
  // void in the library's early versions, bool in later ones
  using Taken = decltype(std::declval<httplib::TaskQueue&>().enqueue(std::function<void()>()));

 public:
  explicit Threads(int most) : most_(most) {}
  Taken enqueue(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      if (now_ < most_) {
        try {
          std::thread([this, task] {
            task();
            const std::lock_guard done(mutex_);
            --now_;
            changed_.notify_all();
          }).detach();
          ++now_;
          return Taken(true);
        } catch (const std::system_error&) {}  // no thread to be had
      }
    }
    turned_away = true;
    task();
    turned_away = false;
    return Taken(true);
  }
  void shutdown() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return now_ == 0; });
  }

 private:
  const int most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int now_ = 0;
};

/// What all requests at work hold in memory together.
class Budget {
 public:
  explicit Budget(std::size_t most) : most_(most) {}
  bool take(std::size_t bytes) {
    if (used_.fetch_add(bytes) + bytes <= most_) return true;
    used_.fetch_sub(bytes);
    return false;
  }
  void give(std::size_t bytes) { used_.fetch_sub(bytes); }

 private:
  const std::size_t most_;
  std::atomic<std::size_t> used_{0};
};

constexpr const char* single_headers[] = {
    "Host",         "Origin",         "Cookie",        "X-Headroom-Token",
    "Content-Type", "Content-Length", "Sec-Fetch-Site"};

Answer refusal(int status, const std::string& message) {
  return {status, "application/json", "{\"error\": \"" + message + "\"}\n"};
}

Ask ask_of(const httplib::Request& q) {
  Ask ask;
  ask.method = q.method == "HEAD" ? "GET" : q.method;
  ask.path = q.path;
  if (q.has_param("token")) ask.query_token = q.get_param_value("token");
  ask.host = q.get_header_value("Host");
  ask.origin = q.get_header_value("Origin");
  ask.fetch_site = q.get_header_value("Sec-Fetch-Site");
  ask.cookie = q.get_header_value("Cookie");
  ask.token = q.get_header_value("X-Headroom-Token");
  ask.type = q.get_header_value("Content-Type");
  return ask;
}

/// Length of the body, or why it is refused. A body comes with its length or not at all.
std::optional<Answer> body_length(const httplib::Request& q, std::size_t most, std::size_t& out) {
  out = 0;
  const std::string text = q.get_header_value("Content-Length");
  if (q.has_header("Transfer-Encoding"))
    return refusal(411, "a body needs a Content-Length, not a Transfer-Encoding");
  if (q.has_header("Content-Encoding")) return refusal(415, "a body is sent as it is, uncoded");
  if (text.empty()) {
    if (q.method == "POST") return refusal(411, "a body needs a Content-Length");
    return std::nullopt;
  }
  if (text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos)
    return refusal(400, "Content-Length is no number of bytes");
  out = std::stoull(text);
  if (out > most) return refusal(413, "the body is larger than 4 MiB, the most that is read");
  return std::nullopt;
}

bool may_have_body(const httplib::Request& q) {
  return q.has_header("Transfer-Encoding") || q.has_header("Content-Length");
}

std::optional<Answer> malformed(const httplib::Request& q) {
  for (const char* name : single_headers)
    if (q.get_header_value_count(name) > 1) return refusal(400, std::string("two headers ") + name);
  if (q.path.size() > 512) return refusal(414, "the path is longer than 512 bytes");
  return std::nullopt;
}

void put(const Answer& answer, httplib::Response& r) {
  r.status = answer.status;
  for (const auto& [name, value] : answer.headers) r.set_header(name, value);
  if (!answer.stream) return r.set_content(answer.body, answer.type);
  r.set_chunked_content_provider(answer.type, [stream = answer.stream](std::size_t,
                                                                       httplib::DataSink& sink) {
    const auto write = [&](std::string_view text) { return sink.write(text.data(), text.size()); };
    if (!sink.is_writable()) return false;  // nobody listens any more
    if (!stream(write)) sink.done();
    return true;
  });
}

/// cpp-httplib's server with our connections under it.
class Http : public httplib::Server {
 public:
  explicit Http(const Limits& limits) : limits_(limits), bodies_(limits.bodies_bytes) {
    set_tcp_nodelay(true);
    set_keep_alive_max_count(1'000'000);
    set_keep_alive_timeout(std::max<time_t>(1, limits.idle.count() / 1000));
    set_payload_max_length(limits.body_bytes);
    new_task_queue = [most = limits.connections] { return new Threads(most); };
    set_pre_routing_handler([this](const auto& q, auto& r) { return before_body(q, r); });
    Post(".*", [this](const httplib::Request& q, httplib::Response& r,
                      const httplib::ContentReader& read) { with_body(q, r, read); });
    set_exception_handler(
        [](const auto&, auto& r, std::exception_ptr) { put(refusal(500, "internal error"), r); });
  }

  void answer_by(server::Handler& handler) { handler_ = &handler; }
  /// Requests of one connection until it ends.
  bool serve(Connection& connection) {
    bool good = true;
    while (good && !connection.must_close() && connection.wait_for_request()) {
      bool closed = false;
      current_ = &connection;
      good = process_request(connection, connection.last(), closed, [](httplib::Request& q) {
        q.headers.erase("Accept-Encoding");  // on loopback compression costs more than it saves
        q.headers.erase("Range");
        q.ranges.clear();
      });
      current_ = nullptr;
      if (closed) break;
    }
    return good;
  }

  /// More may wait to be accepted than the library lets.
  void widen_backlog() { ::listen(svr_sock_, 512); }
  int bound_port() const {
    sockaddr_storage at{};
    socklen_t size = sizeof at;
    ::getsockname(svr_sock_, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(at).sin6_port
                                          : reinterpret_cast<sockaddr_in&>(at).sin_port);
  }
  void close_all() {
    stopping_ = true;
    stop();
  }

 private:
  HandlerResponse before_body(const httplib::Request& q, httplib::Response& r) {
    if (stopping_) close_after(r);
    const Ask ask = ask_of(q);
    std::size_t length = 0;
    std::optional<Answer> refused = malformed(q);
    if (!refused) refused = handler_->admit(ask);
    if (!refused) refused = body_length(q, limits_.body_bytes, length);
    // A body that is not read would be taken for the next request.
    const bool unread = refused ? may_have_body(q) : length > 0 && q.method != "POST";
    if (unread) close_after(r);
    if (refused) {
      put(*refused, r);
      return HandlerResponse::Handled;
    }
    if (q.method == "POST") return HandlerResponse::Unhandled;
    Ask whole = ask;
    put(handler_->answer(whole), r);
    return HandlerResponse::Handled;
  }

  void with_body(const httplib::Request& q, httplib::Response& r,
                 const httplib::ContentReader& read) {
    Ask ask = ask_of(q);
    std::size_t length = 0;
    if (body_length(q, limits_.body_bytes, length)) return;  // was refused above
    if (!bodies_.take(length)) {
      close_after(r);
      return put(refusal(503, "too much is being read at once; try again"), r);
    }
    ask.body.reserve(length);
    const bool whole = read([&](const char* data, std::size_t size) {
      if (ask.body.size() + size > length) return false;
      ask.body.append(data, size);
      return true;
    });
    if (whole && ask.body.size() == length) {
      put(handler_->answer(ask), r);
    } else {
      close_after(r);
      put(refusal(408, "the body did not arrive in time"), r);
    }
    bodies_.give(length);
  }

  static void close_after(httplib::Response& r) {
    current_->close_after();
    r.set_header("Connection", "close");
  }

  bool process_and_close_socket(socket_t socket) override {
    SocketConnection connection(socket, limits_, stopping_);
    if (turned_away) {
      connection.say(
          "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
          "Content-Length: 0\r\n\r\n");
      return false;
    }
    return serve(connection);
  }

  static thread_local Connection* current_;
  server::Handler* handler_ = nullptr;
  const Limits limits_;
  Budget bodies_;
  std::atomic<bool> stopping_{false};
};
thread_local Connection* Http::current_ = nullptr;

Diagnostic cannot_listen(const std::string& host, int port, int error) {
  // Where a name is not found, errno is whatever the search left.
  if (error != EADDRINUSE && error != EACCES)
    return {"--host " + host,
            0,
            0,
            "",
            "is no address of this machine",
            "for example 127.0.0.1, or 0.0.0.0 for all of them",
            ""};
  return {"--port " + std::to_string(port),
          0,
          0,
          "",
          error == EACCES ? "may not be listened on by this user" : "is in use already",
          "another --port, or none: any that is free",
          ""};
}

}  // namespace

struct Wire::Parts {
  explicit Parts(const Limits& limits) : http(limits) {}
  Http http;
  int port = 0;
  std::thread accepting;
};

Wire::Wire(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Wire::~Wire() { stop(); }
int Wire::port() const { return parts_->port; }

Result<std::unique_ptr<Wire>> Wire::open(const std::string& host, int port, const Limits& limits) {
  auto parts = std::make_unique<Parts>(limits);
  // The library asks for SO_REUSEPORT, with which two servers would share a port unnoticed.
  parts->http.set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  errno = 0;
  const bool bound =
      port == 0 ? parts->http.bind_to_any_port(host) > 0 : parts->http.bind_to_port(host, port);
  if (!bound) return failure(cannot_listen(host, port, errno));
  parts->port = parts->http.bound_port();
  parts->http.widen_backlog();
  return std::unique_ptr<Wire>(new Wire(std::move(parts)));
}

void Wire::serve(Handler& handler) {
  parts_->http.answer_by(handler);
  parts_->accepting = std::thread([http = &parts_->http] { http->listen_after_bind(); });
  while (!parts_->http.is_running()) std::this_thread::sleep_for(milliseconds(1));
}

void Wire::stop() {
  if (!parts_->accepting.joinable()) return;
  parts_->http.close_all();
  parts_->accepting.join();
}

std::string exchange(Handler& handler, const Limits& limits, std::string_view bytes) {
  Http http(limits);
  http.answer_by(handler);
  MemoryConnection connection(bytes, limits);
  http.serve(connection);
  return connection.said();
}

}  // namespace headroom::server
