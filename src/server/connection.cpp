#include "server/connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace headroom::server {

using std::chrono::milliseconds;

namespace {

// A connection that is closed with bytes unread is reset, and the client may lose the answer: what
// comes in within this time and up to this many bytes is read and dropped.
constexpr milliseconds linger{500};
constexpr std::size_t lingering_bytes = 16u << 20;

}  // namespace

bool Connection::wait_for_request() {
  if (at_ == end_ && !idle()) return false;
  in_head_ = true;
  head_bytes_ = 0;
  line_length_ = 0;
  until_ = Clock::now() + limits_.head_time;
  return true;
}

bool Connection::fill() {
  at_ = end_ = 0;
  const ssize_t got = receive(buffer_, sizeof buffer_, until_);
  if (got <= 0) return false;
  end_ = static_cast<std::size_t>(got);
  return true;
}

void Connection::count_head(char c) {
  ++head_bytes_;
  if (c == '\n') {
    if (line_length_ == 0 && head_bytes_ > 2) {
      in_head_ = false;
      until_ = Clock::now() + limits_.body_time;
    }
    line_length_ = 0;
  } else if (c != '\r') {
    ++line_length_;
  }
}

ssize_t Connection::read(char* to, std::size_t size) {
  if (in_head_ && head_bytes_ >= limits_.head_bytes) {
    close_ = true;
    return -1;
  }
  if (at_ == end_ && !fill()) {
    close_ = true;
    return -1;
  }
  std::size_t take = std::min(size, end_ - at_);
  if (in_head_) take = 1;  // the library reads heads by the byte anyway
  std::memcpy(to, buffer_ + at_, take);
  if (in_head_) count_head(*to);
  at_ += take;
  return static_cast<ssize_t>(take);
}

ssize_t Connection::write(const char* from, std::size_t size) {
  const auto more = std::chrono::seconds(size >> 16);
  if (send(from, size, Clock::now() + limits_.write_time + more)) return static_cast<ssize_t>(size);
  close_ = true;
  return -1;
}

SocketConnection::SocketConnection(socket_t socket, const Limits& limits,
                                   const std::atomic<bool>& stopping)
    : Connection(limits), socket_(socket), stopping_(stopping) {}

SocketConnection::~SocketConnection() {
  ::shutdown(socket_, SHUT_WR);
  const auto until = Clock::now() + linger;
  char dropped[16 << 10];
  std::size_t sum = 0;
  while (must_close() && sum < lingering_bytes && poll_until(POLLIN, until)) {
    const ssize_t got = ::recv(socket_, dropped, sizeof dropped, MSG_DONTWAIT);
    if (got <= 0) break;
    sum += static_cast<std::size_t>(got);
  }
  ::close(socket_);
}

bool SocketConnection::poll_until(short what, Clock::time_point until) const {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd one{socket_, what, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::min<long long>(left, 100)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (stopping_) return false;  // who was silent for a tenth of a second is not waited for
  }
}

ssize_t SocketConnection::receive(char* to, std::size_t size, Clock::time_point until) {
  for (;;) {
    const ssize_t got = ::recv(socket_, to, size, MSG_DONTWAIT);
    if (got >= 0) return got;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
    if (!poll_until(POLLIN, until)) return -1;
  }
}

bool SocketConnection::send(const char* from, std::size_t size, Clock::time_point until) {
  while (size > 0) {
    const ssize_t sent = ::send(socket_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      from += sent;
      size -= static_cast<std::size_t>(sent);
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return false;
    if (!poll_until(POLLOUT, until)) return false;
  }
  return true;
}

bool SocketConnection::idle() { return poll_until(POLLIN, Clock::now() + limits_.idle); }

bool SocketConnection::is_writable() const {
  // The other side has closed: no event will reach it.
  char one = 0;
  const ssize_t got = ::recv(socket_, &one, 1, MSG_PEEK | MSG_DONTWAIT);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

void SocketConnection::say(std::string_view text) {
  (void)::send(socket_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t MemoryConnection::receive(char* to, std::size_t size, Clock::time_point) {
  const std::size_t take = std::min(size, in_.size());
  std::memcpy(to, in_.data(), take);
  in_.remove_prefix(take);
  return static_cast<ssize_t>(take);
}

bool MemoryConnection::send(const char* from, std::size_t size, Clock::time_point) {
  said_.append(from, size);
  return true;
}

}  // namespace headroom::server
