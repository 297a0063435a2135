#include "train/software.hpp"

#include <string_view>

#include "catalog/catalog.hpp"

namespace headroom::train {
namespace {

using catalog::TrainingSoftware;

double share(const Value<Scalar>& v, double fallback) { return v.or_else(fallback).si(); }

Software named(std::string_view id) {
  const auto* entry = catalog::Catalog::builtin().find<TrainingSoftware>(id);
  return entry != nullptr ? make_software(*entry) : Software{};
}

/// The entry whose calibration serves: its own, or that of what stands in for it.
const TrainingSoftware* calibration_of(const TrainingSoftware& entry) {
  if (entry.calibration) return &entry;
  return catalog::Catalog::builtin().find<TrainingSoftware>(
      entry.stands_in.empty() ? std::string_view("any") : std::string_view(entry.stands_in));
}

}  // namespace

Software make_software(const TrainingSoftware& e, bool calibrated) {
  Software s;
  s.id = e.id;
  s.tensor_overlap = share(e.tensor_overlap, s.tensor_overlap);
  s.expert_overlap = share(e.expert_overlap, s.expert_overlap);
  s.pipeline_overlap = share(e.pipeline_overlap, s.pipeline_overlap);
  s.data_overlap = e.data_overlap;
  s.host_per_layer_s = e.cuda_graphs ? 0 : e.host_per_layer.or_else(Time{}).si();
  s.stream_passes = share(e.stream_passes, s.stream_passes);
  s.flash = e.flash;
  s.attention_rate = share(e.attention_rate, s.attention_rate);
  s.dropout = e.dropout;
  s.node_dedupe = e.node_dedupe;
  s.sequence_parallel = e.sequence_parallel;
  s.balanced = e.balanced;
  s.sharded_optimiser = e.sharded_optimiser;
  s.reserve_share = share(e.reserve_share, s.reserve_share);
  if (!calibrated) return s;
  const auto* from = calibration_of(e);
  if (from == nullptr || !from->calibration) return s;
  const Number& n = from->calibration;
  s.efficiency = n.likely;
  s.efficiency_low = n.ranged() ? n.low : n.likely;
  s.efficiency_high = n.ranged() ? n.high : n.likely;
  s.calibrated = from == &e;
  return s;
}

Software current_software() { return named("megatron-core"); }
Software classic_software() { return named("megatron-lm-2021"); }
Software fsdp_software() { return named("torchtitan-eager"); }

}  // namespace headroom::train
