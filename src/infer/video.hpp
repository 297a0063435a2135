// Video (and image) generation by diffusion: GPUs for so many clips a day.
//
//   clip time = FLOPs of the clip / (GPUs a clip x peak x MFU x scaling)
//   GPUs      = clips a day x GPU-time of a clip / (working day x 80 %)
//
// PICTURES. An image model, or `frames: 1`, makes a picture: one frame, no length; the same limits.
// With a `rate` clips or pictures arrive at random (Poisson) and wait: of groups of GPUs that serve
// one at a time, in order, Sakasegawa's wait (queue.hpp) with fixed service; `deadline` then holds
// for p99 of wait and making, and GPUs are added until it does, where an idle group can.
//
// FLOPs are those of workload/generation.hpp (quadratic in the clip's length). MFU of the
// denoiser is 40 % unless given {30, 40, 55} (assumed; long attention-bound sequences run at the
// prompt-attention efficiency of about one half). Sequence parallelism over g GPUs scales by
// g^-0.1 a GPU (assumed).
//
// LIMITS  gpus      GPUs needed | GPUs had (when given)
//         deadline  clip time, or its p99 with the wait | allowed
//         memory    weights and latents of one clip | usable memory of the clip's GPUs
// Pure; < 1 ms.
#pragma once

#include "infer/hardware.hpp"
#include "infer/spec.hpp"

namespace headroom::infer {

struct VideoDemand {
  std::string scope;
  const catalog::Model* model = nullptr;
  Hardware hardware;
};

struct VideoResult {
  Findings findings;
  Figure<Flops> clip_flops;
  bool picture = false;                   ///< one frame
  Figure<Time> clip_time;                 ///< wall clock of one clip
  Figure<Time> response;                  ///< p99 with the wait; only with a rate
  Figure<Scalar> gpu_seconds;             ///< GPU-seconds of one clip
  Figure<Scalar> gpu_seconds_per_second;  ///< GPU-seconds a second of clip; not of pictures
  Figure<Scalar> gpus_needed;
  Figure<Scalar> busy;              ///< of the GPUs had (or needed), over the day
  Figure<Energy> energy_per_clip;   ///< of the accelerators
  Figure<Power> accelerator_power;  ///< mean over the day
};

VideoResult assess(const VideoSpec& spec, const VideoDemand& demand, Trace& trace);

}  // namespace headroom::infer
