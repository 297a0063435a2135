// HttpAnswer: the bytes of an HTTP/1.1 answer, taken apart as they come: status, headers, and a
// body by length, in chunks (RFC 9112, 7.1) or up to the connection's end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace headroom::api::http {

class Answer {
 public:
  enum class State : unsigned char { head, body, done, broken };

  /// Takes bytes; `piece` gets those of the body. What comes after the answer's end is left out.
  State take(std::string_view bytes, const std::function<void(std::string_view)>& piece);
  /// The connection ended: an answer without length is complete, others are cut.
  State end();

  State state() const { return state_; }
  int status() const { return status_; }
  bool keep_alive() const { return keep_alive_ && state_ == State::done; }
  bool begun() const { return begun_; }
  const std::string& wrong() const { return wrong_; }

 private:
  enum class Frame : unsigned char { length, chunk_size, chunk, chunk_end, trailers, to_end };
  bool take_head();
  void take_body(std::string_view bytes, const std::function<void(std::string_view)>& piece);
  bool line(std::string_view& bytes);
  State fail(std::string what);

  State state_ = State::head;
  Frame frame_ = Frame::to_end;
  int status_ = 0;
  bool keep_alive_ = true, begun_ = false;
  std::uint64_t left_ = 0;
  std::string head_, line_, wrong_;
};

}  // namespace headroom::api::http
