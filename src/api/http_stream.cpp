#include "api/http_stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <unordered_map>

#include "api/http_answer.hpp"
#include "api/tls.hpp"

namespace headroom::api::http {
namespace {

tl::unexpected<Diagnostics> refuse(const std::string& where, std::string message,
                                   std::string hint = {}) {
  Diagnostic d;
  d.file = where;
  d.message = std::move(message);
  d.hint = std::move(hint);
  return failure(std::move(d));
}

constexpr std::uint32_t nobody = 0xffffffffu;

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  int family = 0;
};

struct Connection {
  enum class Step : unsigned char { connecting, shaking, busy, idle };
  int fd = -1;
  Step step = Step::connecting;
  std::uint32_t id = nobody;
  bool reused = false;
  bool writes = true;  ///< epoll watches for room to write
  std::string out;
  std::size_t sent = 0;
  Answer answer;
  std::unique_ptr<tls::Channel> tls;
  bool told_status = false;
};

/// As many open files as the system allows: a connection is one.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

Result<Url> parse_url(const std::string& text) {
  Url url;
  std::string rest = text;
  const auto scheme = rest.find("://");
  if (scheme != std::string::npos) {
    const auto name = rest.substr(0, scheme);
    if (name != "http" && name != "https")
      return refuse(text, fmt::format("'{}' is not spoken here, expected http or https", name));
    url.tls = name == "https";
    rest = rest.substr(scheme + 3);
  }
  url.port = url.tls ? 443 : 80;
  const auto slash = rest.find('/');
  if (slash != std::string::npos) {
    url.path = rest.substr(slash);
    rest.resize(slash);
  }
  while (!url.path.empty() && url.path.back() == '/') url.path.pop_back();
  const auto bracket = rest.find(']');  // [::1]:8000
  const auto colon = rest.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon != std::string::npos) {
    const auto port = rest.substr(colon + 1);
    const auto r = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (r.ec != std::errc{} || r.ptr != port.data() + port.size() || url.port < 1 ||
        url.port > 65535)
      return refuse(text, fmt::format("'{}' is no port, expected 1 to 65535", port));
    rest.resize(colon);
  }
  if (rest.size() > 2 && rest.front() == '[' && rest.back() == ']')
    rest = rest.substr(1, rest.size() - 2);
  url.host = rest;
  if (rest.empty() || rest.find_first_of(" \t@?#") != std::string::npos)
    return refuse(text, "is not a server's address", "e.g. http://localhost:8000");
  return url;
}

class Client::Impl {
 public:
  Impl(Url url, Listener& listener) : url_(std::move(url)), listener_(listener) {
    if (url_.tls) std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    raise_file_limit();
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.fd = timer_;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &e);
  }
  ~Impl() {
    for (auto& [fd, c] : all_) ::close(fd);
    ::close(timer_);
    ::close(epoll_);
  }

  Result<bool> open() {
    if (url_.tls) {
      const auto why = tls::load();
      if (!why.empty()) return refuse(url_.host, why);
    }
    addrinfo wanted{}, *found = nullptr;
    wanted.ai_socktype = SOCK_STREAM;
    const int error =
        getaddrinfo(url_.host.c_str(), std::to_string(url_.port).c_str(), &wanted, &found);
    if (error != 0)
      return refuse(url_.host, fmt::format("has no address: {}", gai_strerror(error)));
    for (const auto* a = found; a != nullptr; a = a->ai_next) {
      Address address;
      std::memcpy(&address.bytes, a->ai_addr, a->ai_addrlen);
      address.size = a->ai_addrlen;
      address.family = a->ai_family;
      addresses_.push_back(address);
    }
    freeaddrinfo(found);
    return true;
  }

  void send(std::uint32_t id, std::string request) {
    Connection* c = nullptr;
    while (!idle_.empty() && c == nullptr) {
      const auto found = all_.find(idle_.back());
      idle_.pop_back();
      if (found != all_.end() && found->second.step == Connection::Step::idle) c = &found->second;
    }
    if (c == nullptr) return connect(id, std::move(request), 0);
    c->reused = true;
    c->step = Connection::Step::busy;
    begin(*c, id, std::move(request));
    write(*c);
  }

  void cancel(std::uint32_t id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return;
    const int fd = found->second;
    by_id_.erase(found);
    drop(fd);
  }

  void wait(double until_s) {
    told_ = false;
    if (!late_.empty()) return tell_late();
    arm(until_s);
    epoll_event events[128];
    const int n = epoll_wait(epoll_, events, 128, until_s > now_s() ? -1 : 0);
    for (int i = 0; i < n; ++i) {
      const int fd = events[i].data.fd;
      if (fd == timer_) {
        std::uint64_t expired = 0;
        [[maybe_unused]] const auto read = ::read(timer_, &expired, sizeof expired);
        continue;
      }
      const auto found = all_.find(fd);
      if (found != all_.end()) handle(found->second, events[i].events);
    }
    if (!late_.empty()) tell_late();
  }

  double now_s() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  std::size_t in_flight() const { return by_id_.size() + late_.size(); }
  std::size_t connections() const { return opened_; }
  const Url& url() const { return url_; }

 private:
  void begin(Connection& c, std::uint32_t id, std::string request) {
    c.id = id;
    c.out = std::move(request);
    c.sent = 0;
    c.answer = Answer{};
    c.told_status = false;
    by_id_[id] = c.fd;
  }

  /// Failures within `send` are told by the next `wait`, so that callers need not expect them.
  void fail_later(std::uint32_t id, std::string why) { late_.emplace_back(id, std::move(why)); }
  void tell_late() {
    const auto list = std::move(late_);
    late_.clear();
    for (const auto& [id, why] : list) listener_.on_end(id, why, now_s());
    told_ = true;
  }

  void connect(std::uint32_t id, std::string request, std::size_t tries) {
    const auto& address = addresses_[(address_ + tries) % addresses_.size()];
    const int fd = ::socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail_later(id, fmt::format("no socket: {}", std::strerror(errno)));
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++opened_;
    const auto* to = reinterpret_cast<const sockaddr*>(&address.bytes);
    if (::connect(fd, to, address.size) != 0 && errno != EINPROGRESS) {
      const int why = errno;
      ::close(fd);
      if (tries + 1 < addresses_.size()) return connect(id, std::move(request), tries + 1);
      return fail_later(id, fmt::format("cannot connect: {}", std::strerror(why)));
    }
    Connection& c = all_[fd];
    c = Connection{};
    c.fd = fd;
    begin(c, id, std::move(request));
    epoll_event e{};
    e.events = EPOLLIN | EPOLLOUT;
    e.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
  }

  void watch(Connection& c, bool writes) {
    if (c.writes == writes) return;
    c.writes = writes;
    epoll_event e{};
    e.events = EPOLLIN | (writes ? EPOLLOUT : 0u);
    e.data.fd = c.fd;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &e);
  }

  void handle(Connection& c, std::uint32_t events) {
    if (c.step == Connection::Step::connecting) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) return connect_failed(c, error);
      if ((events & EPOLLOUT) == 0) return;
      if (url_.tls) c.tls = std::make_unique<tls::Channel>(c.fd, url_.host);
      c.step = url_.tls ? Connection::Step::shaking : Connection::Step::busy;
    }
    if (c.step == Connection::Step::shaking) {
      const int done = c.tls->handshake();
      if (done < 0) return end(c, "TLS: " + c.tls->error());
      if (done == 0) return watch(c, c.tls->want() == tls::Channel::Want::write);
      c.step = Connection::Step::busy;
    }
    if (c.step == Connection::Step::busy && c.sent < c.out.size() && !write(c)) return;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(c);
  }

  void connect_failed(Connection& c, int error) {
    const auto id = c.id;
    auto request = std::move(c.out);
    by_id_.erase(id);
    drop(c.fd);
    // A host with several addresses (::1 and 127.0.0.1): on with the next, for all from now on.
    if (!connected_ && address_ + 1 < addresses_.size()) {
      ++address_;
      return connect(id, std::move(request), 0);
    }
    listener_.on_end(id, fmt::format("cannot connect: {}", std::strerror(error)), now_s());
    told_ = true;
  }

  /// False when the connection is gone.
  bool write(Connection& c) {
    connected_ = true;
    while (c.sent < c.out.size()) {
      const auto left = c.out.size() - c.sent;
      const auto n = c.tls ? c.tls->write(c.out.data() + c.sent, left)
                           : ::send(c.fd, c.out.data() + c.sent, left, MSG_NOSIGNAL);
      if (n > 0) {
        c.sent += static_cast<std::size_t>(n);
        continue;
      }
      if (c.tls ? c.tls->want() != tls::Channel::Want::nothing
                : errno == EAGAIN || errno == EWOULDBLOCK) {
        watch(c, true);
        return true;
      }
      if (errno == EINTR) continue;
      return gone(c, c.tls ? c.tls->error() : std::strerror(errno)), false;
    }
    watch(c, false);
    return true;
  }

  void read(Connection& c) {
    const int fd = c.fd;
    while (true) {
      const auto n =
          c.tls ? c.tls->read(buffer_, sizeof buffer_) : ::recv(fd, buffer_, sizeof buffer_, 0);
      if (n < 0) {
        if (!c.tls && errno == EINTR) continue;
        const bool later = c.tls ? c.tls->want() != tls::Channel::Want::nothing
                                 : errno == EAGAIN || errno == EWOULDBLOCK;
        if (!later) gone(c, c.tls ? c.tls->error() : std::strerror(errno));
        return;
      }
      if (c.step == Connection::Step::idle) return drop(fd);  // closed, or speaks unasked
      if (n == 0) return closed(c);
      if (!take(c, {buffer_, static_cast<std::size_t>(n)})) return;
    }
  }

  /// False when the exchange is over.
  bool take(Connection& c, std::string_view bytes) {
    const double now = now_s();
    const auto id = c.id;
    const int fd = c.fd;
    told_ = true;
    const auto state = c.answer.take(bytes, [&](std::string_view piece) {
      if (by_id_.contains(id)) tell_status(c), listener_.on_body(id, piece, now);
    });
    if (!by_id_.contains(id)) return false;  // cancelled by the listener
    if (state == Answer::State::broken) return end(c, c.answer.wrong()), false;
    if (state != Answer::State::head) tell_status(c);
    if (state != Answer::State::done) return true;
    const bool keep = c.answer.keep_alive() && c.sent == c.out.size();
    by_id_.erase(id);
    c.id = nobody;
    if (keep) {
      c.step = Connection::Step::idle;
      c.out.clear();
      c.sent = 0;
      idle_.push_back(fd);
    } else {
      drop(fd);
    }
    listener_.on_end(id, "", now);
    return false;
  }

  void tell_status(Connection& c) {
    if (c.told_status) return;
    c.told_status = true;
    listener_.on_status(c.id, c.answer.status());
  }

  void closed(Connection& c) {
    if (c.answer.end() == Answer::State::done) {
      const auto id = c.id;
      tell_status(c);
      by_id_.erase(id);
      drop(c.fd);
      told_ = true;
      return listener_.on_end(id, "", now_s());
    }
    gone(c, c.answer.wrong());
  }

  /// The connection broke. One that was kept and closed meanwhile is no failure of the request.
  void gone(Connection& c, const std::string& why) {
    if (c.step == Connection::Step::idle) return drop(c.fd);
    if (!c.reused || c.answer.begun()) return end(c, why);
    const auto id = c.id;
    auto request = std::move(c.out);
    by_id_.erase(id);
    drop(c.fd);
    connect(id, std::move(request), 0);
  }

  void end(Connection& c, const std::string& why) {
    const auto id = c.id;
    const std::string copy = why;
    by_id_.erase(id);
    drop(c.fd);
    told_ = true;
    listener_.on_end(id, copy, now_s());
  }

  void drop(int fd) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    all_.erase(fd);
    ::close(fd);
  }

  void arm(double until_s) {
    itimerspec t{};
    const double in = std::clamp(until_s - now_s(), 1e-9, 3600.0);
    t.it_value.tv_sec = static_cast<time_t>(in);
    t.it_value.tv_nsec = static_cast<long>(std::fmod(in, 1.0) * 1e9);
    if (t.it_value.tv_sec == 0 && t.it_value.tv_nsec == 0) t.it_value.tv_nsec = 1;
    timerfd_settime(timer_, 0, &t, nullptr);
  }

  Url url_;
  Listener& listener_;
  std::vector<Address> addresses_;
  std::size_t address_ = 0, opened_ = 0;
  bool connected_ = false, told_ = false;
  int epoll_ = -1, timer_ = -1;
  std::unordered_map<int, Connection> all_;  ///< by file descriptor
  std::unordered_map<std::uint32_t, int> by_id_;
  std::vector<int> idle_;
  std::vector<std::pair<std::uint32_t, std::string>> late_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  char buffer_[1 << 16];
};

Client::Client(Url url, Listener& listener)
    : impl_(std::make_unique<Impl>(std::move(url), listener)) {}
Client::~Client() = default;
Result<bool> Client::open() { return impl_->open(); }

namespace {

std::string head(const Url& url, const char* verb, const std::string& path,
                 const std::string& headers) {
  const bool six = url.host.find(':') != std::string::npos;
  const bool plain = url.port == (url.tls ? 443 : 80);
  return fmt::format("{} {}{} HTTP/1.1\r\nHost: {}{}{}{}\r\nUser-Agent: headroom\r\n{}", verb,
                     url.path, path, six ? "[" : "", url.host, six ? "]" : "",
                     plain ? "" : fmt::format(":{}", url.port), headers);
}

}  // namespace

void Client::post(std::uint32_t id, const std::string& path, const std::string& headers,
                  const std::string& body) {
  impl_->send(id, head(impl_->url(), "POST", path, headers) +
                      fmt::format("Content-Length: {}\r\n\r\n", body.size()) + body);
}

void Client::get(std::uint32_t id, const std::string& path, const std::string& headers) {
  impl_->send(id, head(impl_->url(), "GET", path, headers) + "\r\n");
}

void Client::cancel(std::uint32_t id) { impl_->cancel(id); }
void Client::wait(double until_s) { impl_->wait(until_s); }
double Client::now_s() const { return impl_->now_s(); }
std::size_t Client::in_flight() const { return impl_->in_flight(); }
std::size_t Client::connections() const { return impl_->connections(); }

}  // namespace headroom::api::http
