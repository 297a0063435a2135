// A connection under cpp-httplib: bytes with a bound on the head and a deadline on every phase.
// Internal to server; names the library's types, so only wire.cpp and connection.cpp include it.
//
// The library reads a request byte by byte without a bound on the whole and with a time limit on
// each read alone, so a client that sends a byte every four seconds could hold a thread for ever.
// Here the phases are told apart by the empty line that ends a head.
#pragma once

#include <httplib.h>

#include <atomic>
#include <string>
#include <string_view>

#include "server/limits.hpp"

namespace headroom::server {

class Connection : public httplib::Stream {
 public:
  explicit Connection(const Limits& limits) : limits_(limits) {}

  /// Waits between requests; false: it is over. Begins the next head.
  bool wait_for_request();
  /// No further request after this one: its body was not read, or it broke a bound.
  void close_after() { close_ = true; }
  bool must_close() const { return close_; }
  /// Whether this request is the last that is answered.
  virtual bool last() const { return false; }

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) final;
  ssize_t write(const char* from, std::size_t size) final;
  void get_remote_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  void get_local_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  socket_t socket() const override { return INVALID_SOCKET; }

 protected:
  using Clock = std::chrono::steady_clock;
  /// Some bytes before the deadline; 0 at the end, below 0 on failure.
  virtual ssize_t receive(char* to, std::size_t size, Clock::time_point until) = 0;
  /// All bytes before the deadline.
  virtual bool send(const char* from, std::size_t size, Clock::time_point until) = 0;
  /// False: it is not worth waiting on.
  virtual bool idle() = 0;

  const Limits limits_;

 private:
  bool fill();
  void count_head(char c);

  char buffer_[16 << 10];
  std::size_t at_ = 0, end_ = 0;
  std::size_t head_bytes_ = 0;
  int line_length_ = 0;  ///< of the head's present line, without \r
  bool in_head_ = false;
  bool close_ = false;
  Clock::time_point until_{};
};

class SocketConnection : public Connection {
 public:
  SocketConnection(socket_t socket, const Limits& limits, const std::atomic<bool>& stopping);
  ~SocketConnection() override;
  /// Without waiting long.
  void say(std::string_view text);
  bool last() const override { return stopping_; }
  bool is_writable() const override;
  socket_t socket() const override { return socket_; }

 private:
  ssize_t receive(char* to, std::size_t size, Clock::time_point until) override;
  bool send(const char* from, std::size_t size, Clock::time_point until) override;
  bool idle() override;
  bool poll_until(short what, Clock::time_point until) const;

  const socket_t socket_;
  const std::atomic<bool>& stopping_;
};

class MemoryConnection : public Connection {
 public:
  MemoryConnection(std::string_view bytes, const Limits& limits) : Connection(limits), in_(bytes) {}
  const std::string& said() const { return said_; }

 private:
  ssize_t receive(char* to, std::size_t size, Clock::time_point) override;
  bool send(const char* from, std::size_t size, Clock::time_point) override;
  bool idle() override { return !in_.empty(); }

  std::string_view in_;
  std::string said_;
};

}  // namespace headroom::server
