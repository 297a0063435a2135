// Load: sends a stream of requests to an OpenAI-compatible server, measures what its users would
// see, and sets the model's prediction of the same requests beside it.
//
//   LoadRequest r;
//   r.url = "http://localhost:8000";
//   r.traffic = {{"--like", "azure-conv-2023"}, {"--rate", "2/s"}, {"--duration", "5min"}};
//   const auto answer = load(r);
//
// LOOPS. Open: each request is sent at its arrival, whatever the server does; one that follows
// another (`after`) is sent so long after that one's answer. Closed: `concurrency` requests are
// in flight at all times, in the stream's order. An open loop whose `concurrency` connections are
// all in use holds requests back; those, and the lag between arrival and sending, are reported, and
// the report says so when the client itself fell behind.
//
// PROMPTS are words of a fixed list, one word a token (an assumption: common words are one token
// each in the vocabularies of GPT, Llama, Qwen and Mistral; servers add a few for the template).
// Blocks of equal hash and equal prefix groups get equal words, all else its own words, so the
// server's prefix cache finds what the stream says it finds. Where the server sends `usage`, its
// counts are taken in place of ours, and their ratio is reported.
//
// DEFINITIONS, all from the moment a request is sent:
//   TTFT  first event with text (content, reasoning or a tool call) - sent
//   ITL   gaps between events with text, all requests pooled; an event may carry several tokens:
//         `tokens_per_event` says how many, by usage
//   TPOT  (last event with text - first) / (tokens - 1), tokens by usage, else events
//   E2E   end of the stream - sent
// A request is good when its status is 200, its events parse, none is an error, it ends by [DONE]
// or a finish_reason, and it has at least one event with text.
//
// PREDICTION: requests that were answered, at the times they were sent, with the tokens the server
// counted, through study::replay_trace with the options of `headroom replay`.
//
// Complexity: one thread; about 10 us an event, so some 50,000 tokens/s a core.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "report/report.hpp"
#include "requests/traffic.hpp"

namespace headroom::api {

enum class Endpoint : unsigned char { completions, chat };

struct LoadRequest {
  std::string url;  ///< of the server; /v1 and the endpoint are added where they are missing
  requests::OptionList traffic;
  Endpoint endpoint = Endpoint::completions;
  bool closed = false;
  int concurrency = 0;     ///< most in flight; 0: 1,024 open, 1 closed
  std::size_t most = 0;    ///< requests sent; 0: all
  double duration_s = 0;   ///< nothing is sent after; 0: no end
  double timeout_s = 600;  ///< of a request
  std::size_t warmup = 0;  ///< requests sent before, one after another, not counted
  std::string model;       ///< name sent to the server; empty: the first of GET /v1/models
  std::string key_variable = "OPENAI_API_KEY";  ///< environment variable of the API key
  bool ignore_eos = true;  ///< answers as long as asked for (vLLM, SGLang; TensorRT-LLM)
  std::string catalog;     ///< folder laid over the built-in catalogue
  std::vector<std::pair<std::string, std::string>> deployment;  ///< options of `headroom replay`

  const std::atomic<bool>* stop = nullptr;  ///< set: no more is sent, what is in flight is cut
  std::function<void(std::size_t sent, std::size_t ended, std::size_t failed, double now_s)>
      progress;  ///< about once a second
};

enum class LoadFate : unsigned char { good, failed, timed_out, stopped };
const char* fate_name(LoadFate fate);

/// One request. Times in seconds from the start of the run.
struct LoadSample {
  std::uint32_t request = 0;  ///< of the stream
  double due_s = 0, sent_s = 0, first_s = -1, last_s = -1, end_s = -1;
  int prompt = 0, output = 0;                                 ///< asked for
  int prompt_counted = -1, output_counted = -1, cached = -1;  ///< by usage; -1: not told
  int events = 0;                                             ///< with text
  double longest_gap_s = 0;
  int status = 0;
  LoadFate fate = LoadFate::stopped;
  bool held = false;  ///< waited for a connection
  std::string error;

  int tokens() const { return output_counted >= 0 ? output_counted : events; }
  double ttft_s() const { return first_s - sent_s; }
  double e2e_s() const { return end_s - sent_s; }
  double tpot_s() const { return tokens() > 1 ? (last_s - first_s) / (tokens() - 1) : 0; }
};

struct LoadPercentiles {
  double mean = 0, p50 = 0, p90 = 0, p99 = 0, worst = 0;
};

struct LoadSummary {
  std::size_t sent = 0, good = 0, failed = 0, timed_out = 0, stopped = 0, not_sent = 0;
  double span_s = 0;                                              ///< first sending to last end
  double rate_per_s = 0;                                          ///< sent
  double input_tokens = 0, output_tokens = 0, cached_tokens = 0;  ///< of good requests
  double output_per_s = 0;
  LoadPercentiles ttft, tpot, itl, e2e;  ///< of good requests
  LoadPercentiles lag;                   ///< sent - due; open loop
  std::size_t held = 0;
  bool behind = false;          ///< the client could not keep the arrivals
  double prompt_ratio = 0;      ///< counted by the server / asked; 0: not told
  double tokens_per_event = 0;  ///< 0: not told
  bool usage = false;           ///< all good requests came with usage
  std::vector<std::pair<std::string, std::size_t>> errors;  ///< by how often
};

/// A metric measured and predicted.
struct LoadComparison {
  std::string metric, unit;
  double measured = 0, predicted = 0;
};

struct LoadAnswer {
  std::string url, model, stream;
  Endpoint endpoint = Endpoint::completions;
  bool closed = false, interrupted = false;
  int concurrency = 0;
  std::vector<LoadSample> samples;  ///< by time of sending
  LoadSummary summary;
  std::vector<LoadComparison> comparison;  ///< empty: no deployment was named
  std::string deployment;                  ///< what was predicted, in words
  std::vector<std::string> notes;
};

/// Fails on options, an unreadable trace, an unknown host, or a server of which the first requests
/// all failed to connect. Failed requests are part of the answer.
Result<LoadAnswer> load(const LoadRequest& request);

/// "30s", "5min" as seconds above 0; a mistake names the option and goes to the list.
double load_seconds(const std::string& text, const std::string& option, Diagnostics& mistakes);

LoadSummary summarise(const std::vector<LoadSample>& samples, const std::vector<float>& gaps,
                      bool closed);

std::string load_text(const LoadAnswer& answer);
std::string load_json(const LoadAnswer& answer);
/// A row a request: .csv or .jsonl, also .gz. `requests::read` reads both back as a trace.
Result<std::size_t> write_samples(const LoadAnswer& answer, const std::string& path);

}  // namespace headroom::api
