#include "server/answers.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace headroom::server {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string quoted(const std::string& text) { return dumped(Json(text)); }

Answer refusal(int status, const std::string& message, const std::string& hint) {
  Json json = {{"error", message}};
  if (!hint.empty()) json["hint"] = hint;
  return {status, "application/json", dumped(json) + "\n"};
}

Answer refusal(int status, const Diagnostics& mistakes) {
  const auto& first = mistakes.all().front();
  const std::string where = first.file.empty() ? "" : first.file + ": ";
  return {status, "application/json",
          fmt::format("{{\"error\": {}, \"hint\": {}, \"errors\": {}}}\n",
                      quoted(where + first.message), quoted(first.hint), errors_json(mistakes))};
}

Answer not_allowed(const std::string& methods) {
  Answer a = refusal(405, "the methods here are " + methods);
  a.headers.emplace_back("Allow", methods);
  return a;
}

std::string errors_json(const Diagnostics& mistakes) {
  Json list = Json::array();
  for (const auto& d : mistakes.all())
    list.push_back({{"file", d.file},
                    {"line", d.line},
                    {"column", d.column},
                    {"path", d.path},
                    {"message", d.message},
                    {"hint", d.hint},
                    {"excerpt", d.excerpt}});
  return dumped(list);
}

std::string run_json(const Command& command, const Said& said, double millis) {
  const bool good = said.status == 0 || said.status == 1;
  const bool document = command.verb->document || command.verb->name == "schema";
  std::string errors = "[]";
  if (said.status == 2) {
    const Json told = Json::parse(said.out, nullptr, false);
    if (told.is_object() && told.contains("diagnostics"))
      errors = dumped(told["diagnostics"]);
    else
      errors = errors_json(
          failure({"", 0, 0, "", said.err.empty() ? said.out : said.err, "", ""}).value());
  }
  return fmt::format(
      "{{\"status\": {}, \"document\": {}, \"text\": {}, \"errors\": {}, \"err\": {}, "
      "\"millis\": {:.1f}}}\n",
      said.status, good && document && !said.out.empty() ? said.out : "null",
      good && !document ? quoted(said.out) : "null", errors, quoted(said.err), millis);
}

void secure(Answer& answer, const std::string& script) {
  answer.headers.emplace_back("Cache-Control", "no-store");
  answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
  answer.headers.emplace_back("X-Frame-Options", "DENY");
  answer.headers.emplace_back("Referrer-Policy", "no-referrer");
  answer.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  answer.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  // Styles stand in attributes of drawings too, so they are not told apart; scripts are.
  answer.headers.emplace_back(
      "Content-Security-Policy",
      script.empty() && answer.type != "text/html"
          ? "default-src 'none'; frame-ancestors 'none'"
          : "default-src 'none'; " + script +
                "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
                "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
}

}  // namespace headroom::server
