// Token counts and FLOPs of image and video generation.
#include "workload/generation.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "catalog/catalog.hpp"

namespace headroom::workload {
namespace {

const catalog::Model& model(std::string_view id) {
  const auto* m = catalog::Catalog::builtin().find<catalog::Model>(id);
  if (!m) throw std::runtime_error("no model " + std::string(id));
  return *m;
}

TEST(ClipTokens, ArePublishedSequenceLengths) {
  // CogVideoX 480 x 720 x 49: 13 x 30 x 45 = 17,550 and 226 of text. Wan 720p: 21 x 45 x 80.
  // HunyuanVideo 720p, 129 frames: 33 x 45 x 80 and 256 of text. FLUX: 64 x 64 and 512.
  EXPECT_EQ(clip_tokens(model("cogvideox-5b")).si(), 17776);
  EXPECT_EQ(clip_tokens(model("wan-2.1-14b")).si(), 75600);
  EXPECT_EQ(clip_tokens(model("hunyuan-video-13b")).si(), 118800 + 256);
  EXPECT_EQ(clip_tokens(model("flux-1-dev")).si(), 4096 + 512);
}

TEST(ClipFlops, AttentionDominatesLongVideo) {
  // Sliding Tile Attention (2025) measures attention at 800 of 945 s, 85 %, of HunyuanVideo 720p.
  EXPECT_NEAR(attention_share(model("hunyuan-video-13b")), 0.85, 0.03);
  EXPECT_LT(attention_share(model("flux-1-dev")), 0.3);
  EXPECT_EQ(attention_share(model("sdxl")), 0);
}

TEST(ClipFlops, HunyuanPassByHand) {
  const double t = 119056, h = 3072, blocks = 60;
  const double linear = 2 * t * 12 * h * h * blocks, attention = 4 * t * t * h * blocks;
  EXPECT_NEAR(pass_flops(model("hunyuan-video-13b")).si(), linear + attention,
              1e-9 * (linear + attention));
}

TEST(ClipFlops, GuidanceDoublesAndStepsMultiply) {
  const auto& m = model("wan-2.1-14b");
  const Flops guided = clip_flops(m), plain = clip_flops(m, {.passes = 1});
  EXPECT_DOUBLE_EQ(guided / plain, 2);
  EXPECT_DOUBLE_EQ(clip_flops(m, {.steps = 25}) / guided, 0.5);
  EXPECT_DOUBLE_EQ(clip_flops(m).si(), 100 * pass_flops(m).si());
}

TEST(ClipFlops, CrossAttentionCountsQueryAndOutput) {
  const auto& m = model("wan-2.1-1.3b");
  auto without = m;
  without.diffusion.cross_tokens = 0;
  const double t = clip_tokens(m).si(), h = 1536, text = 512;
  const double expected = 30 * (4 * h * h * (t + text) + 4 * t * text * h);
  const double extra = pass_flops(m).si() - pass_flops(without).si();
  EXPECT_NEAR(extra, expected, 1e-9 * pass_flops(m).si());
}

TEST(ClipFlops, UnetScalesWithPixels) {
  const auto& m = model("sdxl");
  EXPECT_DOUBLE_EQ(pass_flops(m, {.width = 512, .height = 512}) / pass_flops(m), 0.25);
  EXPECT_DOUBLE_EQ(clip_flops(m).si(), 100 * 5.98e12);
}

TEST(ClipDuration, FramesOverRate) {
  EXPECT_DOUBLE_EQ(clip_duration(model("hunyuan-video-13b")).in(second), 129.0 / 24);
  EXPECT_EQ(clip_duration(model("flux-1-dev")).si(), 0);
  const auto& m = model("wan-2.1-14b");
  EXPECT_DOUBLE_EQ(flops_per_clip_second(m).si(), clip_flops(m).si() / (81.0 / 16));
  EXPECT_DOUBLE_EQ(flops_per_clip_second(model("flux-1-dev")).si(),
                   clip_flops(model("flux-1-dev")).si());
}

RC_GTEST_PROP(ClipProperty, LongerClipsCostMoreThanProportionally, ()) {
  const auto& m = model("wan-2.1-14b");
  const int frames = *rc::gen::inRange(5, 200);
  const Flops one = clip_flops(m, {.frames = frames});
  const Flops two = clip_flops(m, {.frames = 2 * frames + 8});
  RC_ASSERT(two > 2 * one);
}

}  // namespace
}  // namespace headroom::workload
