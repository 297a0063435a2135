// The bodies of a load's requests. Internal to api.
#pragma once

#include <string>

#include "api/load.hpp"
#include "requests/request.hpp"

namespace headroom::api {

/// `request.prompt` words, by hashes and prefix group where the request has them, else its own:
/// `salt` tells requests of the same stream apart.
std::string prompt_words(const requests::Stream& stream, const requests::Request& request,
                         std::uint64_t salt);

/// JSON of the request with stream=true and usage asked for.
std::string load_body(const LoadRequest& how, const std::string& model, const std::string& prompt,
                      int output);

}  // namespace headroom::api
