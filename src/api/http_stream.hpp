// Http: many POSTs at once to one server, each answered by a stream whose pieces are told with the
// time they came. For `headroom load`, which measures those times.
//
// HTTP/1.1 over TCP, or over TLS where the URL says https (the system's OpenSSL, loaded when it is
// needed: tls.hpp). One thread and epoll, so a piece is stamped as the kernel hands it over and no
// thread waits behind another. Connections are kept and reused; a request that finds its kept
// connection closed by the server is sent once more on a new one.
//
// Times are seconds of the steady clock since the client was made. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::api::http {

struct Url {
  bool tls = false;
  std::string host;
  int port = 80;
  std::string path;  ///< "" or begins with '/', without a '/' at its end
};

/// "http://host:8000/v1"; a host alone is http. Says what is wrong with others.
Result<Url> parse_url(const std::string& text);

/// Told what becomes of the exchanges, from within `Client::wait`.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_status(std::uint32_t id, int status) = 0;
  virtual void on_body(std::uint32_t id, std::string_view piece, double now_s) = 0;
  /// `error` is empty when the answer came whole.
  virtual void on_end(std::uint32_t id, std::string_view error, double now_s) = 0;
};

class Client {
 public:
  Client(Url url, Listener& listener);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Looks the host up; the reason where it has no address (or TLS is not at hand).
  Result<bool> open();

  /// Sends at once. `headers` are whole lines with their ends.
  void post(std::uint32_t id, const std::string& path, const std::string& headers,
            const std::string& body);
  void get(std::uint32_t id, const std::string& path, const std::string& headers);
  /// Ends an exchange without telling the listener. Not from within the listener.
  void cancel(std::uint32_t id);

  /// Handles what happens until `until_s`, or until the listener was told something.
  void wait(double until_s);

  double now_s() const;
  std::size_t in_flight() const;
  std::size_t connections() const;  ///< opened in all

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headroom::api::http
