// Path from the catalogue: what an accelerator's link and a network design mean
// for collectives.
//
// The scale-up side is calibrated by the name of the link ("NVLink 4"): share of
// the data-sheet rate that rings reach, latencies of three protocols, gain of
// in-switch reduction. NVLink 3, 4 and 5 and PCIe are fits to NVIDIA's published
// NCCL tables (AIConfigurator nccl_perf, 2 to 8 GPUs, 512 B to 512 MiB): fitted on
// every other size, held-out median error 4-8 %, 90th percentile 16-25 %. Other
// links take NVLink 4's latencies and 75 % of their rate (assumed).
//
// The scale-out side: hop latencies from NCCL's tuning tables for InfiniBand, from
// SimAI's measured send latencies for Ethernet; efficiency from the NIC.
//
// Complexity: O(1), a few string comparisons; build once, copy freely.
#pragma once

#include <string>
#include <string_view>

#include "catalog/accelerator.hpp"
#include "catalog/network.hpp"
#include "catalog/system.hpp"
#include "fabric/collective.hpp"

namespace headroom::fabric {

/// What collective libraries reach on a scale-up link.
struct LinkCalibration {
  std::string_view link;  ///< prefix of catalogue's `scale_up.link`
  double share;           ///< of the data-sheet rate, ring collectives of large messages
  Bandwidth copy;
  Time launch;
  Protocols protocols;
  double nvls, nvls_above;  ///< in-switch reduction
  double all_to_all;
  DirectReduce direct;    ///< of vLLM (SGLang's is the same code); enabled is false
  DirectReduce tensorrt;  ///< of TensorRT-LLM
  std::string_view source;
  bool fitted = true;  ///< false: assumed by analogy
};

/// The calibration of a link name; the generic one when the name is unknown or empty.
const LinkCalibration& calibration(std::string_view link);

/// What a path needs to know of the network.
struct ScaleOut {
  Bandwidth per_gpu;         ///< line rate of the NICs over the accelerators
  double efficiency = 0.94;  ///< of line rate that collectives reach
  bool ethernet = false;     ///< RoCE latencies instead of InfiniBand's
  double oversubscription = 1;
  double group = 1e9;  ///< GPUs that reach each other below the tapered tier
  /// Switches reduce (SHARP on InfiniBand, NCCL_COLLNET_ENABLE=1); off, as NCCL's default is.
  bool in_network_reduction = false;
};

/// Share of the NICs' line rate that in-network reduction reaches, and why it is believed.
Value<Scalar> in_network_share();

/// A path for the accelerators of a system. `domain` is the system's scale-up domain.
Path make_path(const catalog::System& system, const catalog::Accelerator& accelerator,
               const ScaleOut& out);

/// Whose all-reduce kernels a serving engine brings.
enum class ReduceKernels : unsigned char { vllm, tensorrt_llm };

/// The same with tensor-parallel all-reduce by the serving engines' own kernels: fits to
/// AIConfigurator's custom_allreduce_perf (2 to 8 GPUs, 16 KB to 32 MB, captured in graphs), median
/// error 4 to 7 %, p90 9 to 21 %; vLLM's on NVLink 5, which falls back to NCCL at 256 KB, by eye.
Path for_serving(Path path, std::string_view link, ReduceKernels kernels = ReduceKernels::vllm);

}  // namespace headroom::fabric
