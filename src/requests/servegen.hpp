// ServeGen's client data (Alibaba, "ServeGen: Workload Characterization and Generation of Large
// Language Model Serving in Production"): requests drawn from the arrivals and lengths of a
// provider's clients.
//
// A workload is a folder of clients N:
//   chunk-N-trace.csv     a row a window of 600 s: t, rate in 1/s, CV, Gamma or Weibull, shape,
//   scale
//                         (empty where the client is silent)
//   chunk-N-dataset.json  {"t": {"input_tokens": "{45: 0.0097, 46: ...}", "output_tokens": ...}}:
//                         lengths' probabilities from second t on; multimodal data have
//                         text_tokens, image_tokens and image_count and so on in place of
//                         input_tokens
//
// Arrivals: a client's window of length w holds n = rate w requests (the fraction by chance);
// n + 1 gaps of the window's distribution and shape are scaled to fill it, so the rate is kept
// exactly and the gaps' CV as far as n allows. Lengths: independent draws from the newest window of
// the client's data set; a client without one draws from the others', in order of its number.
// A prompt is text + images + audio + video, each count of pieces times an own draw of a piece.
#pragma once

#include <string>

#include "base/result.hpp"
#include "requests/reader.hpp"
#include "requests/request.hpp"

namespace headroom::requests {

/// More requests than this are refused: a shorter `span_s` or a smaller `rate_scale` helps.
inline constexpr double most_drawn = 5e7;

/// Draws the window [from_s, from_s + span_s) of `options.workload`. Each client is a session.
Result<Stream> read_servegen(const std::string& path, const ReadOptions& options,
                             ReadReport* report = nullptr);

bool is_folder(const std::string& path);

}  // namespace headroom::requests
