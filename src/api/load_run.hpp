// The run of a load: when what is sent, and what came of it. Internal to api.
#pragma once

#include <string>
#include <vector>

#include "api/http_stream.hpp"
#include "api/load.hpp"
#include "requests/request.hpp"

namespace headroom::api {

struct LoadRun {
  std::vector<LoadSample> samples;  ///< by time of sending
  std::vector<float> gaps;          ///< between events of good requests, seconds
  std::string model;                ///< name that was sent
  std::size_t not_sent = 0;
  bool interrupted = false;
  std::string unreachable;  ///< why the run was given up at its start; empty: it was not
  std::vector<std::string> notes;
};

LoadRun run_load(const LoadRequest& how, const http::Url& url, const requests::Stream& stream,
                 const std::string& api_key);

}  // namespace headroom::api
