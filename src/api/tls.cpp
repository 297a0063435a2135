#include "api/tls.hpp"

#include <arpa/inet.h>
#include <dlfcn.h>

#include <algorithm>
#include <climits>

namespace headroom::api::tls {
namespace {

// Of <openssl/ssl.h>, OpenSSL 3.
constexpr int verify_peer = 1, set_hostname = 55, hostname_type = 0;
constexpr int error_ssl = 1, want_read = 2, want_write = 3, error_zero_return = 6;

struct Library {
  void* (*method)() = nullptr;
  void* (*ctx_new)(const void*) = nullptr;
  int (*default_paths)(void*) = nullptr;
  void (*ctx_verify)(void*, int, void*) = nullptr;
  void* (*ssl_new)(void*) = nullptr;
  void (*ssl_free)(void*) = nullptr;
  int (*set_fd)(void*, int) = nullptr;
  int (*set1_host)(void*, const char*) = nullptr;
  long (*ctrl)(void*, int, long, void*) = nullptr;
  int (*connect)(void*) = nullptr;
  int (*read)(void*, void*, int) = nullptr;
  int (*write)(void*, const void*, int) = nullptr;
  int (*get_error)(const void*, int) = nullptr;
  unsigned long (*last_error)() = nullptr;
  void (*error_text)(unsigned long, char*, std::size_t) = nullptr;
  long (*verify_result)(const void*) = nullptr;
  const char* (*verify_text)(long) = nullptr;
  void* context = nullptr;
  std::string missing;
};

template <class F>
void take(void* from, const char* name, F& f, std::string& missing) {
  f = reinterpret_cast<F>(dlsym(from, name));
  if (f == nullptr && missing.empty()) missing = std::string("OpenSSL has no ") + name;
}

Library open_library() {
  Library l;
  void* crypto = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_GLOBAL);
  void* ssl = dlopen("libssl.so.3", RTLD_NOW);
  if (crypto == nullptr || ssl == nullptr) {
    l.missing = "https needs OpenSSL 3 (libssl.so.3), which is not installed";
    return l;
  }
  take(ssl, "TLS_client_method", l.method, l.missing);
  take(ssl, "SSL_CTX_new", l.ctx_new, l.missing);
  take(ssl, "SSL_CTX_set_default_verify_paths", l.default_paths, l.missing);
  take(ssl, "SSL_CTX_set_verify", l.ctx_verify, l.missing);
  take(ssl, "SSL_new", l.ssl_new, l.missing);
  take(ssl, "SSL_free", l.ssl_free, l.missing);
  take(ssl, "SSL_set_fd", l.set_fd, l.missing);
  take(ssl, "SSL_set1_host", l.set1_host, l.missing);
  take(ssl, "SSL_ctrl", l.ctrl, l.missing);
  take(ssl, "SSL_connect", l.connect, l.missing);
  take(ssl, "SSL_read", l.read, l.missing);
  take(ssl, "SSL_write", l.write, l.missing);
  take(ssl, "SSL_get_error", l.get_error, l.missing);
  take(ssl, "SSL_get_verify_result", l.verify_result, l.missing);
  take(crypto, "ERR_get_error", l.last_error, l.missing);
  take(crypto, "ERR_error_string_n", l.error_text, l.missing);
  take(crypto, "X509_verify_cert_error_string", l.verify_text, l.missing);
  if (!l.missing.empty()) return l;
  l.context = l.ctx_new(l.method());
  if (l.context == nullptr || l.default_paths(l.context) != 1) {
    l.missing = "OpenSSL cannot start";
    return l;
  }
  l.ctx_verify(l.context, verify_peer, nullptr);
  return l;
}

const Library& library() {
  static const Library l = open_library();
  return l;
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

std::string load() { return library().missing; }

Channel::Channel(int fd, const std::string& host) {
  const auto& l = library();
  ssl_ = l.ssl_new(l.context);
  l.set_fd(ssl_, fd);
  l.set1_host(ssl_, host.c_str());
  if (!is_address(host)) l.ctrl(ssl_, set_hostname, hostname_type, const_cast<char*>(host.c_str()));
}

Channel::~Channel() { library().ssl_free(ssl_); }

ssize_t Channel::settle(int result) {
  const auto& l = library();
  want_ = Want::nothing;
  if (result > 0) return result;
  const int why = l.get_error(ssl_, result);
  if (why == want_read) return want_ = Want::read, -1;
  if (why == want_write) return want_ = Want::write, -1;
  if (why == error_zero_return) return 0;
  char text[256] = "the connection was reset";
  if (const long verified = l.verify_result(ssl_); verified != 0) {
    error_ = std::string("certificate: ") + l.verify_text(verified);
    return -1;
  }
  if (why == error_ssl) l.error_text(l.last_error(), text, sizeof text);
  error_ = text;
  return -1;
}

int Channel::handshake() {
  const auto n = settle(library().connect(ssl_));
  if (n > 0) return 1;
  return want_ != Want::nothing ? 0 : -1;
}

ssize_t Channel::read(char* to, std::size_t n) {
  return settle(library().read(ssl_, to, static_cast<int>(std::min<std::size_t>(n, INT_MAX))));
}

ssize_t Channel::write(const char* from, std::size_t n) {
  return settle(library().write(ssl_, from, static_cast<int>(std::min<std::size_t>(n, INT_MAX))));
}

}  // namespace headroom::api::tls
