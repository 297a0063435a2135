#include "workload/generation.hpp"

#include <algorithm>
#include <cmath>

#include "workload/shape.hpp"

namespace headroom::workload {
namespace {

int pick(int asked, int usual) { return std::max(asked > 0 ? asked : usual, 1); }

double ceil_div(double a, int b) { return std::ceil(a / std::max(b, 1)); }

/// Tokens of the latent grid alone.
double latent_tokens(const Model& m, const ClipRequest& r) {
  const auto& d = m.diffusion;
  const double latent_frames = 1 + ceil_div(r.frames - 1, d.temporal);
  const double rows = ceil_div(ceil_div(r.height, d.spatial), d.patch);
  const double columns = ceil_div(ceil_div(r.width, d.spatial), d.patch);
  return ceil_div(latent_frames, d.patch_time) * rows * columns;
}

struct PassParts {
  double linear = 0, attention = 0;
};

PassParts transformer_pass(const Model& m, const ClipRequest& r) {
  const double image = latent_tokens(m, r), text = m.diffusion.text_tokens;
  const double joint = image + text, cross = m.diffusion.cross_tokens;
  PassParts p;
  for (const auto& c : layer_classes(m)) {
    // Query and output of a cross-attention see the image, key and value the text.
    const double cross_linear = cross_attention_weights(m) * (image + cross);
    p.linear += c.count * (2 * joint * layer_matmul_weights(m, c) + cross_linear);
    p.attention += c.count * (pair_flops(m) * joint * joint + pair_flops(m) * image * cross);
  }
  return p;
}

}  // namespace

ClipRequest resolve(const Model& model, const ClipRequest& request) {
  const auto& d = model.diffusion;
  return {pick(request.width, d.width), pick(request.height, d.height),
          pick(request.frames, d.frames), pick(request.steps, d.steps),
          pick(request.passes, d.passes)};
}

Tokens clip_tokens(const Model& model, const ClipRequest& request) {
  return (latent_tokens(model, resolve(model, request)) + model.diffusion.text_tokens) * token;
}

Flops pass_flops(const Model& model, const ClipRequest& request) {
  const ClipRequest r = resolve(model, request);
  const auto& d = model.diffusion;
  if (d.pass_flops) {
    const double pixels = double(r.width) * r.height * r.frames;
    const double usual = std::max(1.0, double(d.width) * d.height * std::max(d.frames, 1));
    return d.pass_flops.get() * (pixels / usual);
  }
  const PassParts p = transformer_pass(model, r);
  return (p.linear + p.attention) * flop;
}

Flops clip_flops(const Model& model, const ClipRequest& request) {
  const ClipRequest r = resolve(model, request);
  return double(r.steps) * r.passes * pass_flops(model, request);
}

Time clip_duration(const Model& model, const ClipRequest& request) {
  if (!model.diffusion.frame_rate) return {};
  return double(resolve(model, request).frames) / model.diffusion.frame_rate.get();
}

FlopRate flops_per_clip_second(const Model& model, const ClipRequest& request) {
  const Time length = clip_duration(model, request);
  return clip_flops(model, request) / (length.si() > 0 ? length : 1 * second);
}

double attention_share(const Model& model, const ClipRequest& request) {
  if (model.diffusion.pass_flops) return 0;
  const PassParts p = transformer_pass(model, resolve(model, request));
  const double all = p.linear + p.attention;
  return all > 0 ? p.attention / all : 0;
}

}  // namespace headroom::workload
