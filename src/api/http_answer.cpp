#include "api/http_answer.hpp"

#include <algorithm>
#include <charconv>

namespace headroom::api::http {
namespace {

constexpr std::size_t most_head = 1 << 16, most_line = 1 << 12;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r'))
    s.remove_suffix(1);
  return s;
}

bool number(std::string_view s, std::uint64_t& value, int base) {
  const auto r = std::from_chars(s.data(), s.data() + s.size(), value, base);
  return r.ec == std::errc{} && r.ptr != s.data();
}

}  // namespace

Answer::State Answer::fail(std::string what) {
  wrong_ = std::move(what);
  return state_ = State::broken;
}

Answer::State Answer::take(std::string_view bytes,
                           const std::function<void(std::string_view)>& piece) {
  begun_ = begun_ || !bytes.empty();
  while (state_ == State::head && !bytes.empty()) {
    const auto before = head_.size();
    head_.append(bytes);
    const auto end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
      if (head_.size() > most_head) return fail("its headers do not end");
      return state_;
    }
    bytes.remove_prefix(end + 4 - before);
    head_.resize(end + 2);
    if (!take_head()) return state_;
    if (status_ / 100 == 1) {  // 100 Continue: the answer is yet to come
      head_.clear();
      state_ = State::head;
    }
  }
  if (state_ == State::body) take_body(bytes, piece);
  return state_;
}

bool Answer::take_head() {
  if (!head_.starts_with("HTTP/1.") || head_.size() < 12) {
    fail("it does not speak HTTP/1.1");
    return false;
  }
  std::uint64_t status = 0;
  if (!number(std::string_view(head_).substr(9, 3), status, 10)) return fail("no status"), false;
  status_ = static_cast<int>(status);
  keep_alive_ = head_[7] == '1';
  frame_ = Frame::to_end;
  for (auto at = head_.find("\r\n") + 2; at < head_.size();) {
    const auto stop = head_.find("\r\n", at);
    const std::string_view row(head_.data() + at, stop - at);
    at = stop + 2;
    const auto colon = row.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = lowered(row.substr(0, colon)),
               value = lowered(trimmed(row.substr(colon + 1)));
    if (name == "transfer-encoding" && value.find("chunked") != std::string::npos) {
      frame_ = Frame::chunk_size;
    } else if (name == "content-length" && frame_ == Frame::to_end) {
      if (!number(value, left_, 10)) return fail("its Content-Length is no number"), false;
      frame_ = Frame::length;
    } else if (name == "connection") {
      keep_alive_ = value.find("close") == std::string::npos &&
                    (keep_alive_ || value.find("keep-alive") != std::string::npos);
    }
  }
  if (status_ == 204 || status_ == 304) frame_ = Frame::length, left_ = 0;
  state_ = frame_ == Frame::length && left_ == 0 ? State::done : State::body;
  if (frame_ == Frame::to_end) keep_alive_ = false;
  return true;
}

bool Answer::line(std::string_view& bytes) {
  const auto stop = bytes.find('\n');
  line_.append(bytes.substr(0, std::min(stop, most_line)));
  if (stop == std::string_view::npos) {
    bytes = {};
    if (line_.size() > most_line) fail("a chunk's size does not end");
    return false;
  }
  bytes.remove_prefix(stop + 1);
  return true;
}

void Answer::take_body(std::string_view bytes, const std::function<void(std::string_view)>& piece) {
  while (!bytes.empty() && state_ == State::body) {
    if (frame_ == Frame::to_end) return piece(bytes);
    if (frame_ == Frame::length || frame_ == Frame::chunk) {
      const auto n = std::min<std::uint64_t>(left_, bytes.size());
      piece(bytes.substr(0, n));
      bytes.remove_prefix(n);
      left_ -= n;
      if (left_ > 0) return;
      if (frame_ == Frame::length)
        state_ = State::done;
      else
        frame_ = Frame::chunk_end;
      continue;
    }
    if (!line(bytes)) return;
    const auto text = trimmed(line_);
    if (frame_ == Frame::chunk_size) {
      if (!number(text, left_, 16)) {
        fail("a chunk's size is no hexadecimal number");
        return;
      }
      frame_ = left_ > 0 ? Frame::chunk : Frame::trailers;
    } else if (frame_ == Frame::chunk_end) {
      frame_ = Frame::chunk_size;
    } else if (text.empty()) {
      state_ = State::done;
    }
    line_.clear();
  }
}

Answer::State Answer::end() {
  keep_alive_ = false;
  if (state_ == State::body && frame_ == Frame::to_end) return state_ = State::done;
  if (state_ == State::head)
    return fail(begun_ ? "it closed within the headers" : "it closed without an answer");
  if (state_ == State::body) return fail("the stream was cut off");
  return state_;
}

}  // namespace headroom::api::http
