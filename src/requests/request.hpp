// Requests: what reaches a serving fleet, one by one.
//
// A `Stream` holds the requests of a trace or of a generator, in order of arrival, with the
// hashes of their prompt blocks where the trace tells them. It is what readers (reader.hpp) and
// generators (synthetic.hpp) make and what the serving engine consumes.
//
// A request arrives at `arrival_s` (seconds from the stream's start), or, when `after` names an
// earlier request, `arrival_s` seconds after that one's answer ended (a turn of a session, a
// closed loop).
//
// Prompt blocks: `hashes[first_block .. first_block + blocks)` name the request's leading blocks
// of `Stream::block_tokens` tokens each; those beyond the prompt are the answer's. Equal hash means
// equal block and equal blocks before it (Mooncake's convention). A request without hashes shares
// nothing, unless `shared` names a prefix group: then its first `shared_tokens` tokens equal those
// of every request of the group.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace headroom::requests {

inline constexpr std::uint32_t no_request = 0xffffffffu;

struct Request {
  double arrival_s = 0;
  std::int32_t prompt = 0;             ///< tokens; >= 1
  std::int32_t output = 0;             ///< tokens the answer has; >= 1
  std::uint32_t first_block = 0;       ///< into Stream::hashes
  std::uint32_t blocks = 0;            ///< of Stream::block_tokens tokens
  std::uint32_t after = no_request;    ///< index of the request whose end it waits for
  std::uint32_t session = no_request;  ///< requests of one user or conversation
  std::uint32_t shared = no_request;   ///< prefix group
  std::int32_t shared_tokens = 0;
  std::uint16_t traffic_class = 0;  ///< index into Stream::classes: SLO, priority
  std::uint16_t model = 0;          ///< index into Stream::models
  std::uint16_t adapter = 0;        ///< LoRA adapter; 0: none
  std::int16_t priority = 0;        ///< lower first
};

struct Stream {
  std::string name;               ///< file or generator
  std::vector<Request> requests;  ///< by arrival; `after` points backwards
  std::vector<std::uint64_t> hashes;
  int block_tokens = 512;
  std::vector<std::string> classes{"default"};
  std::vector<std::string> models{"default"};

  std::span<const std::uint64_t> blocks_of(const Request& r) const {
    return {hashes.data() + r.first_block, r.blocks};
  }
};

}  // namespace headroom::requests
