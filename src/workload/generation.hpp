// Image and video generation by diffusion: tokens of a clip and FLOPs to make it.
//
//   latent frames = 1 + (frames - 1) / temporal compression   (causal video autoencoders)
//   tokens        = latent frames / patch_time
//                   x (height / spatial / patch) x (width / spatial / patch)
//   pass          = tokens x 2 x block weights + attention 4 T^2 x heads x head width x layers
//   clip          = steps x passes x pass              (classifier-free guidance: 2 passes)
//
// Attention is full (no causal mask), so a clip costs quadratically in its length:
// at 720p it is most of the work. Text encoder and VAE are left out; both are a few
// percent of a 50-step clip. A U-Net's pass is its measured FLOPs scaled by pixels.
#pragma once

#include "base/quantity.hpp"
#include "catalog/model.hpp"

namespace headroom::workload {

/// What is asked for; zero means the model's published default.
struct ClipRequest {
  int width = 0, height = 0;  ///< pixels
  int frames = 0;
  int steps = 0;
  int passes = 0;  ///< network passes a step
};

/// The request with the model's defaults filled in. Never less than one of anything.
ClipRequest resolve(const catalog::Model& model, const ClipRequest& request);
/// Latent tokens of one clip or image, text tokens of a joint attention included.
Tokens clip_tokens(const catalog::Model& model, const ClipRequest& request = {});
/// FLOPs of one network pass.
Flops pass_flops(const catalog::Model& model, const ClipRequest& request = {});
/// FLOPs of the whole clip or image.
Flops clip_flops(const catalog::Model& model, const ClipRequest& request = {});
/// Length of the clip as it plays; zero for an image.
Time clip_duration(const catalog::Model& model, const ClipRequest& request = {});
/// FLOPs of a second of clip; an image's own FLOPs when there is no frame rate.
FlopRate flops_per_clip_second(const catalog::Model& model, const ClipRequest& request = {});
/// Share of attention in a pass, 0 to 1.
double attention_share(const catalog::Model& model, const ClipRequest& request = {});

}  // namespace headroom::workload
