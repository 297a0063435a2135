// TLS by the system's OpenSSL 3, loaded when the first https URL is opened: nothing else of the
// program waits for it or needs it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

namespace headroom::api::tls {

/// Why TLS is not at hand; empty when it is.
std::string load();

/// One client's end on a connected, non-blocking socket. Verifies the server's certificate and name
/// against the system's authorities.
class Channel {
 public:
  Channel(int fd, const std::string& host);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  enum class Want : unsigned char { nothing, read, write };
  /// 1 done, 0 wants more (see `want`), -1 failed (see `error`).
  int handshake();
  /// As read(2) and write(2); -1 with `want` other than nothing: try again; 0: the end.
  ssize_t read(char* to, std::size_t n);
  ssize_t write(const char* from, std::size_t n);
  Want want() const { return want_; }
  const std::string& error() const { return error_; }

 private:
  ssize_t settle(int result);
  void* ssl_ = nullptr;
  Want want_ = Want::nothing;
  std::string error_;
};

}  // namespace headroom::api::tls
