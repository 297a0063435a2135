// Who may ask: the token, and that the request is meant for this server by a page of its own.
//
// A page elsewhere can make a browser send requests to 127.0.0.1. It cannot read the answers
// (same-origin policy), unless its own name resolves to 127.0.0.1 (DNS rebinding): then `Host`
// carries that name. So `Host` must be an address, `localhost` or the name that is listened on; an
// `Origin` must be this server; and a browser that says that the request comes from elsewhere
// (Sec-Fetch-Site) is believed.
#pragma once

#include <string>
#include <string_view>

#include "server/wire.hpp"

namespace headroom::server {

/// Compares in a time that depends on the length of `given` alone.
bool same_secret(std::string_view given, std::string_view secret);

/// "127.0.0.1:8420", "[::1]", "localhost:9000" or `own`, with any port (a tunnel changes it).
bool good_host(std::string_view host, std::string_view own);
/// Empty, or "http://" or "https://" and the host.
bool good_origin(std::string_view origin, std::string_view host);

/// Value of a cookie in a Cookie header; empty when it is not there.
std::string_view cookie_value(std::string_view header, std::string_view name);

class Gate {
 public:
  /// An empty token lets everybody in who passes by host and origin.
  Gate(std::string token, std::string own_host, int port);

  /// A refusal for what is asked from elsewhere (403), or nothing.
  std::optional<Answer> from_elsewhere(const Ask& ask) const;
  bool has_token(const Ask& ask) const;
  bool knows(std::string_view given) const { return same_secret(given, token_); }
  bool open() const { return token_.empty(); }
  /// Set-Cookie that carries the token from now on. The port is in the cookie's name, because
  /// browsers share cookies between the ports of a host.
  std::string cookie() const;

 private:
  std::string token_, own_host_, cookie_name_;
};

}  // namespace headroom::server
