// The steps of assess(ServiceSpec): inputs, choice of layout, deployment,
// operating point, figures, limits. Private to service.cpp and service_limits.cpp.
#pragma once

#include <optional>
#include <vector>

#include "infer/service.hpp"

namespace headroom::infer {

/// `Traffic::peak` is the busiest quarter of an hour.
inline constexpr double peak_duration_s = 900;

struct ServiceStudy {
  ServiceStudy(const ServiceSpec& spec, const ServiceDemand& demand, Trace& trace);

  bool complete_input();
  void record_inputs();
  bool choose();
  /// Sizes the fleet that comes nearest when no layout meets the targets.
  void nearest();
  void validity();
  void deploy();
  void operate();
  void figures();
  void power();
  void plan();

  void context_limit();
  void memory_limit();
  void layout_limit();
  void time_limits();
  void fleet_limits();
  void kv_limit();

  std::vector<Layout> layouts(const Layout& formats) const;
  Search search(const Layout& formats) const;
  double spare() const { return spec.spare_replica ? 1 : 0; }
  /// TTFT at the peak, or what the last arrival of an overloaded peak waits.
  Time peak_ttft() const;
  /// GPUs the fleet would need with other formats, 0 when it would not do.
  double gpus_with(const Layout& formats) const;
  void offer_fewer_bits(Margin& margin) const;
  void offer_more_time(Margin& margin, const char* key, Time allowed) const;
  void offer_gpus(Margin& margin, double more) const;
  void time_limit(const char* name, const char* called, const Figure<Time>& need,
                  const Value<Time>& allowed, const char* unit);

  const ServiceSpec& spec;
  const ServiceDemand& demand;
  Book book;
  ServiceResult r;

  Traffic traffic;
  Load load;
  Targets targets;
  Targets reached;  ///< targets, with what no layout meets relaxed
  Choice choice;
  std::optional<Replica> replica;
  Figure<Rate> rate, peak, replica_rate;
  Figure<Tokens> input, output;
  Figure<Scalar> percentile, ceiling;
  NodeId model_node = no_node, device_node = no_node;
  std::vector<NodeId> shape_nodes;
};

}  // namespace headroom::infer
