// Who may ask.
#include "server/gate.hpp"

#include <gtest/gtest.h>

namespace headroom::server {
namespace {

TEST(Gate, ComparesSecretsWhole) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  for (const char* given : {"", "ab", "abd", "abcd", "abcabc", "ABC"})
    EXPECT_FALSE(same_secret(given, "abc")) << given;
  EXPECT_FALSE(same_secret("x", ""));
  EXPECT_FALSE(same_secret(std::string_view("abc\0", 4), "abc"));
}

TEST(Gate, HostIsAnAddressOrOurOwnName) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8420", "localhost:1", "LocalHost", "[::1]",
                           "[::1]:8420", "192.168.1.7:80", "mine.lan:8420"})
    EXPECT_TRUE(good_host(host, "mine.lan")) << host;
  for (const char* host :
       {"", "evil.example", "evil.example:8420", "localhost.evil.example", "127.0.0.1.evil.example",
        "localhost:8420x", "localhost:", "[::1", "[::1]x", "[evil]", "127.0.0.1:123456", ":8420",
        "localhost@evil", "2130706433", "127.1"})
    EXPECT_FALSE(good_host(host, "mine.lan")) << host;
}

TEST(Gate, OriginIsThisServer) {
  EXPECT_TRUE(good_origin("", "localhost:8420"));
  EXPECT_TRUE(good_origin("http://localhost:8420", "localhost:8420"));
  EXPECT_TRUE(good_origin("https://tunnel.example", "tunnel.example"));
  for (const char* origin : {"null", "http://localhost:8421", "http://localhost", "http://evil",
                             "localhost:8420", "file://", "http://localhost:8420.evil"})
    EXPECT_FALSE(good_origin(origin, "localhost:8420")) << origin;
}

TEST(Gate, FindsACookieByItsWholeName) {
  EXPECT_EQ(cookie_value("a=1; headroom_token=x; b=2", "headroom_token"), "x");
  EXPECT_EQ(cookie_value("headroom_token_1=x", "headroom_token"), "");
  EXPECT_EQ(cookie_value("xheadroom_token=x", "headroom_token"), "");
  EXPECT_EQ(cookie_value("headroom_token=", "headroom_token"), "");
  EXPECT_EQ(cookie_value(";;=; headroom_token", "headroom_token"), "");
}

Ask ask(const std::string& path) {
  Ask a;
  a.method = "GET";
  a.path = path;
  a.host = "127.0.0.1:8420";
  return a;
}

TEST(Gate, TokenByHeaderOrCookieOfThisPort) {
  const Gate gate("sesame", "127.0.0.1", 8420);
  Ask a = ask("/api/start");
  EXPECT_FALSE(gate.has_token(a));
  a.cookie = "headroom_token_8421=sesame";
  EXPECT_FALSE(gate.has_token(a));
  a.cookie = "headroom_token_8420=sesame";
  EXPECT_TRUE(gate.has_token(a));
  a.cookie = "headroom_token=sesame";
  EXPECT_TRUE(gate.has_token(a));
  a.token = "wrong";  // the header counts
  EXPECT_FALSE(gate.has_token(a));
  a.token = "sesame";
  EXPECT_TRUE(gate.has_token(a));
  EXPECT_TRUE(Gate("", "127.0.0.1", 1).has_token(ask("/api/start")));
}

TEST(Gate, ALinkFromElsewhereLeadsToThePageAlone) {
  const Gate gate("sesame", "127.0.0.1", 8420);
  Ask a = ask("/");
  a.fetch_site = "cross-site";
  EXPECT_FALSE(gate.from_elsewhere(a));
  for (const char* site : {"cross-site", "same-site"}) {
    a = ask("/api/start");
    a.fetch_site = site;
    ASSERT_TRUE(gate.from_elsewhere(a)) << site;
    EXPECT_EQ(gate.from_elsewhere(a)->status, 403);
  }
  a.fetch_site = "same-origin";
  EXPECT_FALSE(gate.from_elsewhere(a));
  a.host = "evil.example";
  EXPECT_TRUE(gate.from_elsewhere(a));
}

}  // namespace
}  // namespace headroom::server
