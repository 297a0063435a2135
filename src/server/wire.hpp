// HTTP/1.1 on sockets, from cpp-httplib (which stays behind wire.cpp): requests in, answers out.
// Internal to server.
//
//   class Mine : public Handler { ... };
//   auto wire = Wire::open("127.0.0.1", 0, limits);   // bound; clients wait
//   (*wire)->serve(mine);                             // answered on threads of its own
//
// Beyond the library: bounds on the whole head and on the time of every phase (it bounds one line
// and one read), a bound on connections, bodies only by Content-Length and only after `admit` said
// yes, no compression, no ranges, no multipart.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "server/limits.hpp"

namespace headroom::server {

/// A request, as far as we read it.
struct Ask {
  std::string method, path;  ///< path decoded, without the query
  std::string query_token;   ///< of "?token="
  std::string host, origin, fetch_site, cookie, token, type;
  std::string body;
};

struct Answer {
  using Write = std::function<bool(std::string_view)>;

  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};
  /// In place of a body: called until it returns false; returns within a second.
  std::function<bool(const Write&)> stream{};
};

/// Called from many threads at once; does not throw on input.
class Handler {
 public:
  virtual ~Handler() = default;
  /// Before the body is read: an answer that refuses, or nothing.
  virtual std::optional<Answer> admit(const Ask& ask) const = 0;
  virtual Answer answer(Ask& ask) = 0;
};

class Wire {
 public:
  static Result<std::unique_ptr<Wire>> open(const std::string& host, int port,
                                            const Limits& limits);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  int port() const;
  /// Once; `handler` outlives the wire.
  void serve(Handler& handler);
  /// Returns when the last connection is closed.
  void stop();

 private:
  struct Parts;
  explicit Wire(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// The same without a socket: what one connection that sends these bytes is answered. Of a stream
/// the head alone.
std::string exchange(Handler& handler, const Limits& limits, std::string_view bytes);

}  // namespace headroom::server
