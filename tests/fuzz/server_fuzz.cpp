// Any bytes on a connection, and any body of a request that has the token: an answer or none, no
// crash, no text of the answer that is not HTTP; the engine is asked for known verbs alone.
#include <set>

#include "fuzz/fuzz.hpp"
#include "server/site.hpp"
#include "server/wire.hpp"

namespace {

using namespace headroom::server;

Said engine(const Call& call) {
  static const std::set<std::string> known = {"check", "explain",  "schema", "catalog", "claims",
                                              "train", "facility", "infer",  "replay"};
  fuzz::require(!call.arguments.empty() && known.contains(call.arguments.front()), "a known verb");
  bool options_over = false;
  for (const auto& word : call.arguments) {
    options_over = options_over || word == "--";
    for (const char* file : {"--csv", "--out", "-o", "--catalog", "--hf", "--epw", "--trace-json"})
      fuzz::require(options_over || !word.starts_with(file), "no option names a file");
  }
  fuzz::require(call.name == "<page>", "a scenario lies in no folder");
  return {static_cast<int>(call.text.size() % 4), "{}", "said"};
}

Site& site() {
  static Site* one = [] {
    Options o;
    o.token = "sesame";
    o.limits.jobs_running = 1;
    o.limits.jobs_waiting = 4;
    return new Site(o, engine, 8420);
  }();
  return *one;
}

void holds(const std::string& answer) {
  fuzz::require(answer.empty() || answer.starts_with("HTTP/1.1 "), "an answer is HTTP");
  // Texts in answers are JSON, so a line that begins so is a status line.
  fuzz::require(("\n" + answer).find("\nHTTP/1.1 500") == std::string::npos, "no internal error");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = fuzz::text(data, size);
  holds(exchange(site(), {}, bytes));
  // `report` is not asked: its answer is the engine's own work.
  if (bytes.find("report") != std::string::npos) return 0;
  for (const char* path : {"/api/run", "/api/jobs", "/api/save"})
    holds(exchange(site(), {},
                   std::string("POST ") + path +
                       " HTTP/1.1\r\nHost: localhost\r\nX-Headroom-Token: sesame\r\n"
                       "Content-Type: application/json\r\nContent-Length: " +
                       std::to_string(size) + "\r\n\r\n" + bytes));
  return 0;
}
