// Devices: an accelerator as a fleet has it, cut into slices or held below its power limit.
//
// SLICES (NVIDIA Multi-Instance GPU). A profile "3g.40gb" takes 3 of 7 compute slices and 4 of 8
// memory slices; memory and its bandwidth go with the memory slices, everything that computes with
// the compute slices. Slices do not reach each other over NVLink, so tp = 1 (NVIDIA MIG user guide,
// supported profiles: 1g 1/7 of the SMs and 1/8 of the memory, 1g double memory 1/7 and 2/8,
// 2g 2/7 and 2/8, 3g 3/7 and 4/8, 4g 4/7 and 4/8, 7g all). A slice's power is taken as its share
// of compute (assumed; MIG has no power limit of its own).
//
// CAPS. A board held to `cap` computes at compute::clock_at_power(cap / rating); traffic keeps its
// rate. Its maximum power becomes the cap.
//
// Both return a copy to build a step model from. O(size of the entry).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "catalog/accelerator.hpp"

namespace headroom::serving {

struct Slice {
  std::string name;  ///< "3g"
  int compute = 7;   ///< of 7 slices
  int memory = 8;    ///< of 8 slices
  int fit = 1;       ///< of these on one GPU

  double compute_share() const { return compute / 7.0; }
  double memory_share() const { return memory / 8.0; }
  /// GPUs that one takes when a GPU is filled with its kind: 1 / fit.
  double gpus() const { return 1.0 / fit; }
};

/// "1g", "1g+" (double memory), "2g", "3g", "4g", "7g"; a memory suffix (".40gb") is ignored.
std::optional<Slice> find_slice(std::string_view name);
std::vector<std::string> slice_names();

catalog::Accelerator sliced(const catalog::Accelerator& accelerator, const Slice& slice);
catalog::Accelerator capped(const catalog::Accelerator& accelerator, Power cap);

}  // namespace headroom::serving
