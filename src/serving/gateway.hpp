// Gateway: requests that wait before an engine takes them. Internal to serving.
//
// One line (first come, first served) for each pair of class and model; between lines the lowest
// priority number goes first, then the earliest arrival. Offline lines come after all others.
// Complexity: O(lines) a decision; lines are few.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "requests/request.hpp"
#include "serving/replay.hpp"

namespace headroom::serving {

class Gateway {
 public:
  struct Waiting {
    std::uint32_t request;
    double arrival_s;
  };
  struct Line {
    std::uint16_t traffic_class = 0, model = 0;
    int priority = 0;
    bool offline = false;
    double max_wait_s = 0;
    std::deque<Waiting> queue;
  };

  Gateway(const requests::Stream& stream, const Deployment& deployment);

  void push(std::uint32_t request, double arrival_s);
  /// A request that was lost with its replica: to the front of its line.
  void push_front(std::uint32_t request, double arrival_s);
  std::size_t size() const { return online_ + offline_; }
  std::size_t online() const { return online_; }
  /// Lines in the order in which they are served.
  const std::vector<Line>& lines() const { return lines_; }
  /// Takes the head of a line.
  Waiting pop(std::size_t line);
  /// Takes what has to go when there are more than `limit` waiting online: the last of the lowest
  /// priority. Requires `online() > 0`.
  Waiting drop();
  /// When the next head has waited too long; infinity when none will.
  double next_expiry_s() const;
  /// Takes one that has waited too long by `now`; false when there is none.
  bool expired(double now, Waiting& out);

 private:
  std::size_t line_of(std::uint32_t request) const;
  void count(const Line& line, int by);

  const requests::Stream& stream_;
  std::size_t models_;
  std::vector<Line> lines_;
  std::vector<std::size_t> index_;  ///< by class x model
  std::size_t online_ = 0, offline_ = 0;
};

}  // namespace headroom::serving
