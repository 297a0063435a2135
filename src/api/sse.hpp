// Server-sent events (WHATWG HTML, 9.2), and what those of an OpenAI-compatible server mean.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace headroom::api {

/// Splits a stream into events, wherever its pieces are cut. Lines end in LF, CRLF or CR; lines
/// that begin with ':' are comments; several data lines of one event are joined by LF.
class SseParser {
 public:
  /// `event` gets the data of each whole event. False: an event grew beyond 16 MiB.
  bool take(std::string_view piece, const std::function<void(std::string_view)>& event);
  /// Bytes of an event that the stream ended within.
  bool unfinished() const { return !line_.empty() || has_data_; }

 private:
  void end_line(const std::function<void(std::string_view)>& event);
  std::string line_, data_;
  bool has_data_ = false, after_cr_ = false;
};

/// One event of /v1/completions or /v1/chat/completions with stream=true.
struct StreamEvent {
  bool done = false;       ///< [DONE]
  bool malformed = false;  ///< not a JSON object
  bool token = false;      ///< carries text: text, delta.content, delta.reasoning_content,
                           ///< delta.reasoning or delta.tool_calls, not empty
  bool choice = false;     ///< has a choice at all
  bool finished = false;   ///< has a finish_reason
  int prompt_tokens = -1, completion_tokens = -1, cached_tokens = -1;  ///< usage; -1: not told
  std::string error;  ///< the server's words, when the event is an error
};
StreamEvent parse_event(std::string_view data);

/// The message of an error's body: {"error": {"message": ...}}, {"message": ...}, or its beginning.
std::string error_text(std::string_view body);

}  // namespace headroom::api
