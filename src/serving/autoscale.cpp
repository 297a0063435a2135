#include "serving/autoscale.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::serving {
namespace {

constexpr double tolerance = 0.1;  // Kubernetes: --horizontal-pod-autoscaler-tolerance

int rounded_up(double x) { return static_cast<int>(std::ceil(x - 1e-9)); }

}  // namespace

std::string_view scale_by_name(ScaleBy by) {
  constexpr std::string_view names[] = {"utilisation", "queue", "slo"};
  return names[static_cast<int>(by)];
}

int Autoscaler::wish(const ScaleSignals& s) const {
  const double per_replica = std::max(1e-9, rule_.seats * rule_.target);
  const double load = rule_.by == ScaleBy::utilisation ? s.running : s.running + s.waiting;
  const double by_load = load / per_replica;
  if (rule_.by == ScaleBy::slo) {
    const int step = std::max(1, rounded_up(s.replicas * rule_.step));
    if (s.first_tokens > 0 && s.in_time < rule_.attain) return s.replicas + step;
    const double spare = 1 - (1 - rule_.attain) / 10;
    const bool good = s.first_tokens == 0 || s.in_time >= spare;
    return good ? std::min(s.replicas, rounded_up(by_load)) : s.replicas;
  }
  // Utilisation cannot show more than full seats, so what waits is asked for as well when full.
  const double wanted =
      rule_.by == ScaleBy::utilisation && s.waiting > 0 && s.running > 0.95 * rule_.seats * s.ready
          ? (load + s.waiting) / per_replica
          : by_load;
  if (s.replicas > 0 && std::abs(wanted / s.replicas - 1) <= tolerance) return s.replicas;
  return rounded_up(wanted);
}

int Autoscaler::decide(const ScaleSignals& s) {
  int wanted = wish(s);
  const bool idle = s.since_request_s >= rule_.idle_s && s.running <= 0 && s.waiting <= 0;
  if (wanted < 1 && !(rule_.least == 0 && idle)) wanted = 1;
  if (rule_.least == 0 && s.replicas == 0 && s.waiting <= 0 && s.running <= 0) wanted = 0;
  wanted = std::max(wanted, rule_.least);
  if (rule_.most > 0) wanted = std::min(wanted, rule_.most);
  recent_.push_back({s.now_s, wanted});
  while (recent_.front().at_s < s.now_s - rule_.stabilisation_s) recent_.pop_front();
  if (wanted >= s.replicas) return wanted;
  for (const auto& w : recent_) wanted = std::max(wanted, std::min(w.replicas, s.replicas));
  return wanted;
}

}  // namespace headroom::serving
