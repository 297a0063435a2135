// What this layer is held against: published figures beside its own.
//
// Frontier by its components (ExaDigiT RAPS, config/frontier.yaml, commit 6c142bf): 74 racks of 128
// nodes; a node of one CPU of 90 to 280 W, four GPUs of 88 to 560 W, and 74.26 + 80 + 30 W of
// memory, four NICs and NVMe; a SIVOC a node, (P + 13 W) / 0.98; a rectifier for four nodes and a
// 250 W switch, (P + 17 W) / 0.96; 25 CDUs of 8,473.47 W.
//
// Nodes stand for the hall, SIVOCs for its distribution, rectifiers for the UPS with the switches
// behind it, CDUs for other loads, through the same `solve` as any chain (chain.hpp).
//
// No errors. Complexity O(1). Thread-safe.
#pragma once

#include "base/quantity.hpp"

namespace headroom::power {

/// Power of the machine with every CPU at `cpu` of its range (0..1) and the four GPUs of a node at
/// `gpus` of theirs together (0..4).
Power frontier_power(double cpu, double gpus);

}  // namespace headroom::power
