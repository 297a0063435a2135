#include "api/load_run.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <queue>
#include <unordered_map>

#include "api/load_prompt.hpp"
#include "api/sse.hpp"

namespace headroom::api {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
/// A server that refuses this many connections before the first that works is not there.
constexpr std::size_t give_up = 10;

/// One exchange under way.
struct Flight {
  std::size_t sample = 0;
  SseParser sse;
  std::vector<float> gaps;
  std::string body;  ///< of an answer that is no stream
  bool finished = false, over = false;
  std::string error;
};

struct Due {
  double at_s = 0;
  std::uint32_t request = 0;
  bool operator>(const Due& o) const {
    return at_s != o.at_s ? at_s > o.at_s : request > o.request;
  }
};

class Runner : public http::Listener {
 public:
  Runner(const LoadRequest& how, const http::Url& url, const requests::Stream& stream,
         const std::string& api_key)
      : how_(how), stream_(stream), client_(url, *this) {
    headers_ = "Content-Type: application/json\r\nAccept: text/event-stream\r\n";
    if (!api_key.empty()) headers_ += "Authorization: Bearer " + api_key + "\r\n";
    const bool versioned = url.path.ends_with("/v1");
    const bool whole = url.path.find("/completions") != std::string::npos;
    path_ = whole ? "" : how.endpoint == Endpoint::chat ? "/chat/completions" : "/completions";
    if (!whole && !versioned) path_ = "/v1" + path_;
    models_path_ = whole ? "" : versioned ? "/models" : "/v1/models";
    limit_ = how.concurrency > 0 ? static_cast<std::size_t>(how.concurrency)
             : how.closed        ? 1
                                 : 1024;
  }

  LoadRun run() {
    if (const auto opened = client_.open(); !opened) {
      run_.unreachable = opened.error().all()[0].message;
      return std::move(run_);
    }
    run_.model = how_.model.empty() ? ask_model() : how_.model;
    if (!run_.unreachable.empty()) return std::move(run_);
    warm_up();
    if (!stopped() && run_.unreachable.empty()) measure();
    return std::move(run_);
  }

  void on_status(std::uint32_t id, int status) override {
    const auto f = flights_.find(id);
    if (f == flights_.end()) {
      asked_status_ = status;
      return;
    }
    run_.samples[f->second.sample].status = status;
  }

  void on_body(std::uint32_t id, std::string_view piece, double now_s) override {
    const auto found = flights_.find(id);
    if (found == flights_.end()) {
      asked_.append(piece);
      return;
    }
    auto& f = found->second;
    auto& s = run_.samples[f.sample];
    if (s.status != 200) {
      if (f.body.size() < 65536) f.body.append(piece);
      return;
    }
    if (f.body.size() < 512 && s.events == 0) f.body.append(piece.substr(0, 512));
    const bool fine =
        f.sse.take(piece, [&](std::string_view data) { event(f, s, data, now_s - zero_s_); });
    if (!fine && f.error.empty()) f.error = "malformed stream: an event of more than 16 MiB";
  }

  void on_end(std::uint32_t id, std::string_view error, double now_s) override {
    const auto found = flights_.find(id);
    if (found == flights_.end()) {
      asked_error_ = std::string(error);
      asked_over_ = true;
      return;
    }
    auto flight = std::move(found->second);
    flights_.erase(found);
    close(flight, error, now_s - zero_s_);
  }

 private:
  bool stopped() const { return how_.stop != nullptr && how_.stop->load(); }
  double now() const { return client_.now_s() - zero_s_; }

  // --- before the run ------------------------------------------------------------------

  std::string ask_model() {
    if (models_path_.empty()) return "default";
    client_.get(0xfffffffeu, models_path_, headers_);
    const double until = client_.now_s() + std::min(how_.timeout_s, 30.0);
    while (!asked_over_ && client_.now_s() < until && !stopped())
      client_.wait(std::min(until, client_.now_s() + 0.1));
    if (!asked_over_) client_.cancel(0xfffffffeu);
    if (!asked_error_.empty() && asked_status_ == 0) {
      run_.unreachable = asked_error_;
      return {};
    }
    const auto j = nlohmann::json::parse(asked_, nullptr, false);
    if (asked_status_ == 200 && j.is_object() && j.contains("data") && j["data"].is_array() &&
        !j["data"].empty() && j["data"][0].is_object() && j["data"][0].contains("id") &&
        j["data"][0]["id"].is_string())
      return j["data"][0]["id"].get<std::string>();
    run_.notes.push_back(fmt::format(
        "{} told no model (status {}): \"default\" is sent; name one with --served-model",
        models_path_, asked_status_));
    return "default";
  }

  void warm_up() {
    if (how_.warmup == 0) return;
    for (std::size_t i = 0; i < how_.warmup && !stopped(); ++i) {
      const auto& r = stream_.requests[i % stream_.requests.size()];
      send(static_cast<std::uint32_t>(i % stream_.requests.size()), r, now(), (1ull << 40) + i);
      while (!flights_.empty() && !stopped()) {
        client_.wait(client_.now_s() + 0.1);
        expire();
      }
      if (failed_first_ >= 1 && reached_ == 0) {
        run_.unreachable = run_.samples.back().error;
        return;
      }
    }
    abandon();
    const auto failed = std::count_if(run_.samples.begin(), run_.samples.end(),
                                      [](const LoadSample& s) { return s.fate != LoadFate::good; });
    if (failed > 0)
      run_.notes.push_back(fmt::format("{} of {} warm-up requests failed: {}", failed,
                                       run_.samples.size(), run_.samples.back().error));
    run_.samples.clear();
    run_.gaps.clear();
    zero_s_ = client_.now_s();
  }

  // --- the run ----------------------------------------------------------------------------

  void measure() {
    zero_s_ = client_.now_s();
    const auto n = stream_.requests.size();
    most_ = how_.most > 0 ? std::min(how_.most, n) : n;
    followers_.assign(n, {});
    for (std::uint32_t i = 0; i < n; ++i)
      if (!how_.closed && stream_.requests[i].after != requests::no_request)
        followers_[stream_.requests[i].after].push_back(i);
    double told_s = 0;
    while (true) {
      if (stopped()) {
        run_.interrupted = true;
        break;
      }
      const double next = launch();
      expire();
      if (give_up_now()) break;
      if (flights_.empty() && next == never) break;
      if (how_.progress && now() - told_s >= 1) {
        told_s = now();
        how_.progress(run_.samples.size(), ended_, failed_, told_s);
      }
      client_.wait(zero_s_ + std::min(next, now() + 0.1));
    }
    run_.not_sent = most_ - std::min(most_, run_.samples.size());
    abandon();
  }

  bool give_up_now() {
    if (reached_ > 0 || failed_first_ < std::min(give_up, most_)) return false;
    run_.unreachable = run_.samples.back().error;
    return true;
  }

  /// Sends what is due and may be sent; when the next is due.
  double launch() {
    while (run_.samples.size() < most_) {
      const double at = now();
      if (how_.duration_s > 0 && at >= how_.duration_s) return never;
      const double due = next_due();
      if (due == never) return never;
      if (how_.duration_s > 0 && !how_.closed && due >= how_.duration_s) return never;
      if (due > at) {
        if (flights_.size() < limit_) held_from_ = never;
        prepare(peek());
        return due;
      }
      if (flights_.size() >= limit_) {
        held_from_ = std::min(held_from_, due);
        return std::max(at + 0.05, due);  // an end wakes us before
      }
      const auto request = pop();
      const bool held = !how_.closed && held_from_ <= due;
      send(request, stream_.requests[request], how_.closed ? at : due, request);
      run_.samples.back().held = held;
      if (flights_.size() < limit_) held_from_ = never;
    }
    return never;
  }

  /// Moves on to the next request that waits for no other.
  void skip_followers() {
    while (next_ < stream_.requests.size() && !how_.closed &&
           stream_.requests[next_].after != requests::no_request)
      ++next_;
  }
  double next_due() {
    skip_followers();
    double at = never;
    if (next_ < stream_.requests.size()) at = how_.closed ? 0 : stream_.requests[next_].arrival_s;
    if (!waiting_.empty()) at = std::min(at, waiting_.top().at_s);
    return at;
  }
  bool from_waiting() const {
    if (waiting_.empty()) return false;
    return next_ >= stream_.requests.size() ||
           waiting_.top().at_s < stream_.requests[next_].arrival_s;
  }
  std::uint32_t peek() const {
    return from_waiting() ? waiting_.top().request : static_cast<std::uint32_t>(next_);
  }
  std::uint32_t pop() {
    const auto request = peek();
    if (from_waiting())
      waiting_.pop();
    else
      ++next_;
    return request;
  }

  /// Makes the next body while there is time, so that sending is not late by it.
  void prepare(std::uint32_t request) {
    if (prepared_for_ == request) return;
    prepared_ = body(stream_.requests[request], request);
    prepared_for_ = request;
  }
  std::string body(const requests::Request& r, std::uint64_t salt) const {
    const auto seeded = salt + (static_cast<std::uint64_t>(run_key()) << 20);
    return load_body(how_, run_.model, prompt_words(stream_, r, seeded), r.output);
  }
  /// Words of one run do not recur in the next: the server's cache would know them.
  std::uint32_t run_key() const { return key_; }

  void send(std::uint32_t request, const requests::Request& r, double due, std::uint64_t salt) {
    if (prepared_for_ != request || salt != request) prepared_ = body(r, salt);
    prepared_for_ = requests::no_request;
    LoadSample s;
    s.request = request;
    s.due_s = due;
    s.prompt = r.prompt;
    s.output = r.output;
    const auto id = next_id_++;
    Flight f;
    f.sample = run_.samples.size();
    f.gaps.reserve(static_cast<std::size_t>(std::min(r.output, 4096)));
    s.sent_s = now();
    run_.samples.push_back(std::move(s));
    flights_.emplace(id, std::move(f));
    in_order_.emplace_back(id, run_.samples.back().sent_s);
    client_.post(id, path_, headers_, prepared_);
  }

  void event(Flight& f, LoadSample& s, std::string_view data, double now_s) {
    if (f.over || !f.error.empty()) return;
    const auto e = parse_event(data);
    if (e.malformed) {
      f.error = fmt::format("malformed event: {}", error_text(data.substr(0, 80)));
      return;
    }
    if (!e.error.empty()) {
      f.error = "the server broke off: " + e.error;
      return;
    }
    f.over = e.done;
    f.finished = f.finished || e.done || e.finished;
    if (e.prompt_tokens >= 0) s.prompt_counted = e.prompt_tokens;
    if (e.completion_tokens >= 0) s.output_counted = e.completion_tokens;
    if (e.cached_tokens >= 0) s.cached = e.cached_tokens;
    if (!e.token) return;
    if (s.events++ == 0) {
      s.first_s = now_s;
    } else {
      const double gap = now_s - s.last_s;
      s.longest_gap_s = std::max(s.longest_gap_s, gap);
      f.gaps.push_back(static_cast<float>(gap));
    }
    s.last_s = now_s;
  }

  /// The words for what went wrong; empty when nothing did.
  std::string verdict(const Flight& f, const LoadSample& s, std::string_view error) const {
    if (!f.error.empty()) return f.error;
    if (s.status != 0 && s.status != 200)
      return fmt::format("status {}: {}", s.status, error_text(f.body));
    if (!error.empty()) return std::string(error);
    if (s.events == 0)
      return f.finished ? "the answer has no text"
                        : fmt::format("no event stream: {}", error_text(f.body));
    if (f.sse.unfinished() || !f.finished) return "the stream ended without [DONE]";
    return {};
  }

  void close(Flight& f, std::string_view error, double now_s) {
    auto& s = run_.samples[f.sample];
    s.end_s = now_s;
    s.error = verdict(f, s, error);
    s.fate = s.error.empty() ? LoadFate::good : LoadFate::failed;
    ended(s);
    if (s.fate == LoadFate::good) run_.gaps.insert(run_.gaps.end(), f.gaps.begin(), f.gaps.end());
  }

  void ended(const LoadSample& s) {
    ++ended_;
    if (s.fate != LoadFate::good) ++failed_;
    if (s.status != 0)
      ++reached_;
    else if (s.fate == LoadFate::failed)
      ++failed_first_;
    if (!followers_.empty())
      for (const auto next : followers_[s.request])
        waiting_.push({s.end_s + stream_.requests[next].arrival_s, next});
  }

  /// Cuts requests that have run for too long; the oldest stand first.
  void expire() {
    const double at = now();
    while (!in_order_.empty()) {
      const auto [id, sent_s] = in_order_.front();
      const auto found = flights_.find(id);
      if (found != flights_.end() && at - sent_s < how_.timeout_s) return;
      in_order_.pop_front();
      if (found == flights_.end()) continue;
      auto& s = run_.samples[found->second.sample];
      client_.cancel(id);
      flights_.erase(found);
      s.end_s = at;
      s.fate = LoadFate::timed_out;
      s.error = fmt::format("no end within {:g} s", how_.timeout_s);
      ended(s);
    }
  }

  /// What is in flight when the run ends is cut, and counted as stopped.
  void abandon() {
    for (auto& [id, f] : flights_) {
      client_.cancel(id);
      auto& s = run_.samples[f.sample];
      s.end_s = now();
      s.fate = LoadFate::stopped;
    }
    flights_.clear();
    in_order_.clear();
  }

  const LoadRequest& how_;
  const requests::Stream& stream_;
  http::Client client_;
  LoadRun run_;
  std::string headers_, path_, models_path_;
  std::size_t limit_ = 1024, most_ = 0, next_ = 0, ended_ = 0, failed_ = 0;
  std::size_t reached_ = 0, failed_first_ = 0;
  double zero_s_ = 0, held_from_ = never;
  std::uint32_t next_id_ = 0;
  std::uint32_t key_ =
      static_cast<std::uint32_t>(std::chrono::system_clock::now().time_since_epoch().count() >> 20);
  std::unordered_map<std::uint32_t, Flight> flights_;
  std::deque<std::pair<std::uint32_t, double>> in_order_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> waiting_;
  std::vector<std::vector<std::uint32_t>> followers_;
  std::string prepared_, asked_, asked_error_;
  std::uint32_t prepared_for_ = requests::no_request;
  int asked_status_ = 0;
  bool asked_over_ = false;
};

}  // namespace

LoadRun run_load(const LoadRequest& how, const http::Url& url, const requests::Stream& stream,
                 const std::string& api_key) {
  return Runner(how, url, stream, api_key).run();
}

}  // namespace headroom::api
