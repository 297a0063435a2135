// What several paths answer with. Internal to server.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "server/server.hpp"
#include "server/verbs.hpp"
#include "server/wire.hpp"

namespace headroom::server {

/// Bytes that are not UTF-8 (a file's name, a mistake's excerpt) become U+FFFD.
std::string dumped(const nlohmann::ordered_json& json);
/// A text as JSON.
std::string quoted(const std::string& text);

/// {"error": ..., "hint": ...}
Answer refusal(int status, const std::string& message, const std::string& hint = {});
/// The first mistake so, and all as `errors`.
Answer refusal(int status, const Diagnostics& mistakes);
Answer not_allowed(const std::string& methods);

/// Mistakes as the list `errors`.
std::string errors_json(const Diagnostics& mistakes);
/// The JSON of one run, as `/api/run` and a job's `result` give it.
std::string run_json(const Command& command, const Said& said, double millis);

/// The headers that every answer carries; `script` is the policy's part about scripts, none for
/// what is no page.
void secure(Answer& answer, const std::string& script = {});

}  // namespace headroom::server
