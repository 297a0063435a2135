#include "serving/gateway.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace headroom::serving {

Gateway::Gateway(const requests::Stream& stream, const Deployment& deployment)
    : stream_(stream), models_(std::max<std::size_t>(1, stream.models.size())) {
  const std::size_t classes = std::max<std::size_t>(1, stream.classes.size());
  for (std::size_t c = 0; c < classes; ++c) {
    const ClassRule rule = c < deployment.classes.size() ? deployment.classes[c] : ClassRule{};
    for (std::size_t m = 0; m < models_; ++m) {
      Line line;
      line.traffic_class = static_cast<std::uint16_t>(c);
      line.model = static_cast<std::uint16_t>(m);
      line.priority = rule.priority;
      line.offline = rule.offline;
      line.max_wait_s = rule.max_wait_s;
      lines_.push_back(std::move(line));
    }
  }
  std::stable_sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) {
    return std::tie(a.offline, a.priority) < std::tie(b.offline, b.priority);
  });
  index_.resize(lines_.size());
  for (std::size_t i = 0; i < lines_.size(); ++i)
    index_[lines_[i].traffic_class * models_ + lines_[i].model] = i;
}

std::size_t Gateway::line_of(std::uint32_t request) const {
  const auto& r = stream_.requests[request];
  return index_[r.traffic_class * models_ + r.model];
}

void Gateway::count(const Line& line, int by) {
  (line.offline ? offline_ : online_) += static_cast<std::size_t>(by);
}

void Gateway::push(std::uint32_t request, double arrival_s) {
  Line& line = lines_[line_of(request)];
  line.queue.push_back({request, arrival_s});
  count(line, 1);
}

void Gateway::push_front(std::uint32_t request, double arrival_s) {
  Line& line = lines_[line_of(request)];
  line.queue.push_front({request, arrival_s});
  count(line, 1);
}

Gateway::Waiting Gateway::pop(std::size_t index) {
  Line& line = lines_[index];
  const Waiting head = line.queue.front();
  line.queue.pop_front();
  count(line, -1);
  return head;
}

Gateway::Waiting Gateway::drop() {
  std::size_t worst = lines_.size();
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].offline || lines_[i].queue.empty()) continue;
    const bool later = worst == lines_.size() || lines_[i].priority > lines_[worst].priority ||
                       lines_[i].queue.back().arrival_s >= lines_[worst].queue.back().arrival_s;
    if (later) worst = i;
  }
  Line& line = lines_[worst];
  const Waiting last = line.queue.back();
  line.queue.pop_back();
  count(line, -1);
  return last;
}

double Gateway::next_expiry_s() const {
  double next = std::numeric_limits<double>::infinity();
  for (const auto& line : lines_)
    if (line.max_wait_s > 0 && !line.queue.empty())
      next = std::min(next, line.queue.front().arrival_s + line.max_wait_s);
  return next;
}

bool Gateway::expired(double now, Waiting& out) {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const Line& line = lines_[i];
    if (line.max_wait_s <= 0 || line.queue.empty()) continue;
    if (line.queue.front().arrival_s + line.max_wait_s > now) continue;
    out = pop(i);
    return true;
  }
  return false;
}

}  // namespace headroom::serving
