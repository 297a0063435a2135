// What a stream's requests look like to the closed form.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "study/replay_setup.hpp"

namespace headroom::study {
namespace {

/// Mean, and standard deviation over mean.
struct Spread {
  double mean = 0, cv = 0;
};
template <class Of>
Spread spread(const std::vector<requests::Request>& all, const std::vector<int>& offline,
              const Takes& takes, Of of) {
  double n = 0, sum = 0, squares = 0;
  for (const auto& r : all) {
    if (!is_online(r, offline) || (takes && !takes(r))) continue;
    const double x = of(r);
    n += 1, sum += x, squares += x * x;
  }
  if (n == 0 || sum <= 0) return {};
  const double mean = sum / n;
  return {mean, std::sqrt(std::max(0.0, squares / n - mean * mean)) / mean};
}

}  // namespace

bool is_online(const requests::Request& r, const std::vector<int>& offline) {
  return std::find(offline.begin(), offline.end(), int(r.traffic_class)) == offline.end();
}

infer::Load stream_shape(const requests::Stream& stream, const std::vector<int>& offline,
                         const Takes& takes) {
  infer::Load load;
  const Spread in =
      spread(stream.requests, offline, takes, [](const auto& r) { return double(r.prompt); });
  const Spread out =
      spread(stream.requests, offline, takes, [](const auto& r) { return double(r.output); });
  load.input = in.mean, load.input_cv = in.cv;
  load.output = out.mean, load.output_cv = out.cv;
  double first = 0, last = 0, n = 0;
  for (const auto& r : stream.requests) {
    if (r.after != requests::no_request || !is_online(r, offline)) continue;
    if (takes && !takes(r)) continue;
    if (n == 0) first = r.arrival_s;
    last = r.arrival_s;
    n += 1;
  }
  load.rate_s = last > first ? (n - 1) / (last - first) : 0;
  return load;
}

std::string layout_text(const infer::Layout& l) {
  std::string out = fmt::format("tp {}", l.tp);
  if (l.pp > 1) out += fmt::format(", pp {}", l.pp);
  if (l.attention_dp > 1) out += fmt::format(", attention-dp {}", l.attention_dp);
  if (l.ep > 1) out += fmt::format(", ep {}", l.ep);
  return out + fmt::format(", {} weights, {} cache", name(l.weights), name(l.kv));
}

}  // namespace headroom::study
