#include "train/software.hpp"

namespace headroom::train {

// The shares below are assumed from the mechanisms, not fitted to rows; what each costs in
// accuracy is in docs/models/train.md.

Software current_software() {
  Software s;
  // Two of the four collectives of a layer are chunked into their GEMM by Transformer
  // Engine's userbuffers (--tp-comm-overlap); the rest stays exposed.
  s.tensor_overlap = 0.5;
  s.expert_overlap = 0.3;   // shared experts and 1F1B batches run beside part of it
  s.pipeline_overlap = 0.7; // --overlap-p2p-communication hides steady-state sends
  // About 90 kernels a layer, forward and backward, at 10 us of Python and driver.
  s.host_per_layer_s = 0.9e-3;
  s.stream_passes = 7;      // two fused norms with residual add: 3 + 3, rotary apart
  return s;
}

Software classic_software() {
  Software s;
  s.data_overlap = false;
  s.node_dedupe = false;
  // vTrain's 1,440 single-node A100 runs (Megatron-DeepSpeed) have a floor of 3.5 ms a
  // layer and micro-batch.
  s.host_per_layer_s = 3.5e-3;
  s.stream_passes = 12;     // norm, bias, dropout and residual as separate kernels
  s.flash = false;
  s.dropout = true;
  return s;
}

Software fsdp_software() {
  Software s;
  s.host_per_layer_s = 1.5e-3;  // eager PyTorch plus FSDP hooks
  s.stream_passes = 12;         // norms and residuals are not fused
  return s;
}

}  // namespace headroom::train
