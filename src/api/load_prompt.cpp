#include "api/load_prompt.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

namespace headroom::api {
namespace {

// Common words that, with the blank before them, are one token each in byte-pair vocabularies
// trained on English (assumed; the server's own count is reported beside ours).
constexpr const char* words[64] = {
    "the",   "and",    "that",   "have",  "with",  "this", "from",    "they",  "will",  "would",
    "there", "their",  "what",   "about", "which", "when", "make",    "like",  "time",  "just",
    "know",  "take",   "people", "into",  "year",  "your", "good",    "some",  "could", "them",
    "other", "than",   "then",   "look",  "only",  "come", "over",    "think", "also",  "back",
    "after", "work",   "first",  "well",  "even",  "want", "because", "these", "give",  "day",
    "most",  "water",  "house",  "world", "hand",  "part", "place",   "case",  "week",  "point",
    "group", "number", "night",  "story"};

/// SplitMix64's finaliser: word `index` of the text named `key`.
std::size_t pick(std::uint64_t key, std::uint64_t index) {
  std::uint64_t x = key * 0x9E3779B97F4A7C15ull + (index + 1) * 0xD1B54A32D192ED03ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return static_cast<std::size_t>((x ^ (x >> 31)) & 63);
}

void append(std::string& text, std::uint64_t key, int count) {
  for (int i = 0; i < count; ++i) {
    if (!text.empty()) text += ' ';
    text += words[pick(key, static_cast<std::uint64_t>(i))];
  }
}

constexpr std::uint64_t group_key = 0xA5A5'0000'0000'0000ull, own_key = 0x5A5A'0000'0000'0000ull;

}  // namespace

std::string prompt_words(const requests::Stream& stream, const requests::Request& r,
                         std::uint64_t salt) {
  std::string text;
  text.reserve(static_cast<std::size_t>(r.prompt) * 6);
  int left = r.prompt;
  for (const auto hash : stream.blocks_of(r)) {
    if (left <= 0) break;  // the answer's blocks
    const int n = std::min(left, stream.block_tokens);
    append(text, hash, n);
    left -= n;
  }
  if (r.blocks == 0 && r.shared != requests::no_request) {
    const int n = std::min(left, r.shared_tokens);
    append(text, group_key + r.shared, n);
    left -= n;
  }
  append(text, own_key + salt, left);
  return text;
}

std::string load_body(const LoadRequest& how, const std::string& model, const std::string& prompt,
                      int output) {
  nlohmann::ordered_json j;
  j["model"] = model;
  if (how.endpoint == Endpoint::chat)
    j["messages"] = {{{"role", "user"}, {"content", prompt}}};
  else
    j["prompt"] = prompt;
  j["max_tokens"] = output;
  j["temperature"] = 0;
  j["stream"] = true;
  j["stream_options"] = {{"include_usage", true}};
  if (how.ignore_eos) j["ignore_eos"] = true;
  return j.dump();
}

}  // namespace headroom::api
