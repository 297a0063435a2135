// https: against a server on loopback whose certificate is made here and trusted by SSL_CERT_FILE.
#include "api/tls.hpp"

#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "api/load.hpp"

namespace headroom::api {
namespace {

struct Certificate {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* x509 = X509_new();

  Certificate() {
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -86400);
    X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
    X509_set_pubkey(x509, key);
    auto* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(x509, name);
    add(NID_subject_alt_name, "DNS:localhost");
    add(NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(x509, key, EVP_sha256());
  }
  ~Certificate() {
    X509_free(x509);
    EVP_PKEY_free(key);
  }
  void save(const std::string& path) const {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    PEM_write_X509(file, x509);
    std::fclose(file);
  }

 private:
  void add(int what, const char* value) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  }
};

TEST(Tls, ATrustedServerIsMeasuredAWrongNameIsRefused) {
  const Certificate certificate;
  const auto path = (std::filesystem::path(testing::TempDir()) /
                     ("headroom-" + std::to_string(static_cast<long>(getpid())) + ".pem"))
                        .string();
  certificate.save(path);
  ::setenv("SSL_CERT_FILE", path.c_str(), 1);
  ASSERT_EQ(tls::load(), "");

  httplib::SSLServer server(certificate.x509, certificate.key);
  ASSERT_TRUE(server.is_valid());
  server.set_tcp_nodelay(true);
  server.Post("/v1/completions", [](const httplib::Request&, httplib::Response& r) {
    r.set_chunked_content_provider("text/event-stream", [](std::size_t, httplib::DataSink& sink) {
      for (int i = 0; i < 4; ++i) {
        const std::string event =
            "data: {\"choices\":[{\"text\":\" a\",\"finish_reason\":null}]}\n\n";
        sink.write(event.data(), event.size());
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      const std::string end = "data: [DONE]\n\n";
      sink.write(end.data(), end.size());
      sink.done();
      return true;
    });
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));

  LoadRequest r;
  r.url = "https://localhost:" + std::to_string(port);
  r.model = "m";
  r.traffic = {{"--rate", "100/s"}, {"--requests", "6"}, {"--output", "4"}, {"--input", "3000"}};
  const auto good = load(r);
  r.url = "https://127.0.0.1:" + std::to_string(port);
  const auto wrong = load(r);
  server.stop();
  thread.join();

  ASSERT_TRUE(good) << render(good.error());
  EXPECT_EQ(good->summary.good, 6u) << load_text(*good);
  EXPECT_GE(good->summary.itl.p50, 0.009);
  EXPECT_LE(good->summary.itl.p50, 0.018);
  ASSERT_FALSE(wrong) << "the certificate names localhost, not 127.0.0.1";
  EXPECT_NE(render(wrong.error()).find("certificate: "), std::string::npos)
      << render(wrong.error());
}

}  // namespace
}  // namespace headroom::api
