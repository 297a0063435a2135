#include "server/gate.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace headroom::server {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_address(const std::string& name) {
  in6_addr room{};
  return ::inet_pton(AF_INET, name.c_str(), &room) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &room) == 1;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

Answer forbidden(const std::string& why) {
  return {403, "application/json", "{\"error\": \"" + why + "\"}\n"};
}

}  // namespace

bool same_secret(std::string_view given, std::string_view secret) {
  // Every byte given is compared, also beyond the secret's end.
  unsigned differs = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = secret.empty() ? '\0' : secret[i % secret.size()];
    differs |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(other);
  }
  return differs == 0;
}

bool good_host(std::string_view host, std::string_view own) {
  std::string_view name = host;
  if (name.starts_with('[')) {
    const auto end = name.find(']');
    if (end == std::string_view::npos) return false;
    const auto rest = name.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return false;
    return is_address(std::string(name.substr(1, end - 1)));
  }
  if (const auto colon = name.find(':'); colon != std::string_view::npos) {
    if (!is_port(name.substr(colon + 1))) return false;
    name = name.substr(0, colon);
  }
  return !name.empty() &&
         (same_name(name, "localhost") || same_name(name, own) || is_address(std::string(name)));
}

bool good_origin(std::string_view origin, std::string_view host) {
  if (origin.empty()) return true;
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme)) return same_name(origin.substr(scheme.size()), host);
  return false;
}

std::string_view cookie_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const auto end = std::min(header.find(';'), header.size());
    std::string_view pair = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
  }
  return {};
}

Gate::Gate(std::string token, std::string own_host, int port)
    : token_(std::move(token)),
      own_host_(std::move(own_host)),
      cookie_name_("headroom_token_" + std::to_string(port)) {}

std::optional<Answer> Gate::from_elsewhere(const Ask& ask) const {
  if (!good_host(ask.host, own_host_))
    return forbidden("this server is not called that; open it by its address or as localhost");
  if (!good_origin(ask.origin, ask.host)) return forbidden("asked from another origin");
  // A link from elsewhere may lead to the page, and to nothing else.
  const bool link = ask.method == "GET" && ask.path == "/";
  if (!link && !ask.fetch_site.empty() && ask.fetch_site != "same-origin" &&
      ask.fetch_site != "none")
    return forbidden("asked from another site");
  return std::nullopt;
}

bool Gate::has_token(const Ask& ask) const {
  if (open()) return true;
  if (!ask.token.empty()) return knows(ask.token);
  const auto own = cookie_value(ask.cookie, cookie_name_);
  return knows(own.empty() ? cookie_value(ask.cookie, "headroom_token") : own);
}

std::string Gate::cookie() const {
  return cookie_name_ + "=" + token_ + "; Path=/; HttpOnly; SameSite=Lax";
}

}  // namespace headroom::server
