#include "api/sse.hpp"

#include <nlohmann/json.hpp>

namespace headroom::api {
namespace {

using nlohmann::json;

constexpr std::size_t most_event = 16u << 20;

bool has_text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() &&
         ((found->is_string() && !found->get_ref<const std::string&>().empty()) ||
          (found->is_array() && !found->empty()));
}

void take_choice(const json& choice, StreamEvent& e) {
  if (!choice.is_object()) return;
  e.choice = true;
  e.token = has_text(choice, "text");
  const auto finish = choice.find("finish_reason");
  e.finished = finish != choice.end() && !finish->is_null();
  const auto delta = choice.find("delta");
  if (delta == choice.end() || !delta->is_object()) return;
  for (const char* key : {"content", "reasoning_content", "reasoning", "tool_calls"})
    e.token = e.token || has_text(*delta, key);
}

int count(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<int>() : -1;
}

std::string message_of(const json& j) {
  if (j.is_string()) return j.get<std::string>();
  if (j.is_object())
    for (const char* key : {"message", "detail", "error"})
      if (j.contains(key)) return message_of(j.at(key));
  return j.dump();
}

}  // namespace

bool SseParser::take(std::string_view piece, const std::function<void(std::string_view)>& event) {
  for (const char c : piece) {
    if (c == '\n' && after_cr_) {
      after_cr_ = false;
      continue;
    }
    after_cr_ = c == '\r';
    if (c == '\n' || c == '\r')
      end_line(event);
    else
      line_ += c;
  }
  return line_.size() + data_.size() <= most_event;
}

void SseParser::end_line(const std::function<void(std::string_view)>& event) {
  if (line_.empty()) {
    if (has_data_) event(data_);
    data_.clear();
    has_data_ = false;
    return;
  }
  std::string_view line = line_;
  if (line.starts_with("data:")) {
    line.remove_prefix(5);
    if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    if (has_data_) data_ += '\n';
    data_ += line;
    has_data_ = true;
  }
  line_.clear();
}

StreamEvent parse_event(std::string_view data) {
  StreamEvent e;
  if (data == "[DONE]") {
    e.done = true;
    return e;
  }
  const auto j = json::parse(data, nullptr, false);
  if (!j.is_object()) {
    e.malformed = true;
    return e;
  }
  if (const auto error = j.find("error"); error != j.end() && !error->is_null()) {
    e.error = message_of(*error);
    return e;
  }
  const auto choices = j.find("choices");
  if (choices != j.end() && choices->is_array() && !choices->empty())
    take_choice(choices->at(0), e);
  const auto usage = j.find("usage");
  if (usage != j.end() && usage->is_object()) {
    e.prompt_tokens = count(*usage, "prompt_tokens");
    e.completion_tokens = count(*usage, "completion_tokens");
    const auto details = usage->find("prompt_tokens_details");
    if (details != usage->end() && details->is_object())
      e.cached_tokens = count(*details, "cached_tokens");
  }
  return e;
}

std::string error_text(std::string_view body) {
  const auto j = json::parse(body, nullptr, false);
  std::string text = j.is_discarded() ? std::string(body) : message_of(j);
  if (text.size() > 300) text.resize(300);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

}  // namespace headroom::api
