#include "train/software.hpp"

namespace headroom::train {

namespace {

// The one scalar fitted to training runs: the median of modelled over measured step time on 242
// published runs with complete configurations (2021-2026; A100 to GB300; Megatron, NeMo,
// llm-foundry, torchtitan, BLOOM), see docs/models/train.md.
constexpr double step_efficiency = 0.87;

}  // namespace

// The shares below are assumed from the mechanisms, not fitted to rows; what each costs in
// accuracy is in docs/models/train.md.

Software current_software() {
  Software s;
  s.efficiency = step_efficiency;
  // Two of the four collectives of a layer are chunked into their GEMM by Transformer
  // Engine's userbuffers (--tp-comm-overlap); the rest stays exposed.
  s.tensor_overlap = 0.5;
  s.expert_overlap = 0.3;    // shared experts and 1F1B batches run beside part of it
  s.pipeline_overlap = 0.7;  // --overlap-p2p-communication hides steady-state sends
  // About 90 kernels a layer, forward and backward, at 10 us of Python and driver.
  s.host_per_layer_s = 0.9e-3;
  s.stream_passes = 7;  // two fused norms with residual add: 3 + 3, rotary apart
  return s;
}

Software classic_software() {
  Software s;
  s.efficiency = step_efficiency;
  s.data_overlap = false;
  s.node_dedupe = false;
  // vTrain's single-node A100 runs (Megatron-DeepSpeed, full recomputation) have a floor of 3.5 ms
  // a layer and micro-batch; a quarter of it is the second forward pass, and the step's
  // efficiency is applied on top: 3.5 x 3/4 x 0.87.
  s.host_per_layer_s = 2.3e-3;
  s.stream_passes = 12;  // norm, bias, dropout and residual as separate kernels
  s.flash = false;
  // Fitted to all nvidia-smi readings of BLOOM's sweep (bigscience chronicles, 2022): its rows
  // in docs/models/train.md are in-sample.
  s.reserve_share = 0.27;
  s.dropout = true;
  return s;
}

Software fsdp_software() {
  Software s;
  s.efficiency = step_efficiency;
  s.host_per_layer_s = 1.5e-3;  // eager PyTorch plus FSDP hooks
  s.stream_passes = 12;         // norms and residuals are not fused
  return s;
}

}  // namespace headroom::train
