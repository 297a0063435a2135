// The catalogue's shapes against the published parameter counts.
#include <gtest/gtest.h>

#include <cmath>

#include "catalog/catalog.hpp"
#include "workload/transformer.hpp"

namespace headroom::workload {
namespace {

const Model& model(std::string_view id) {
  const Model* m = catalog::Catalog::builtin().find<Model>(id);
  if (!m) throw std::runtime_error("no model " + std::string(id));
  return *m;
}

/// A published figure with more than four significant digits is a count, else a name.
bool is_exact(double published) {
  const double digits = std::pow(10, std::floor(std::log10(published)) - 3);
  return std::abs(published / digits - std::round(published / digits)) > 1e-9;
}

TEST(Parameters, TheCataloguesOfModelsAndTracesReadWithoutMistake) {
  Diagnostics all, ours;
  catalog::Catalog::builtin().check(all);
  for (const auto& d : all.all()) {
    if (d.file.find("model/") != d.file.npos || d.file.find("request-trace/") != d.file.npos) {
      ours.add(d);
    }
  }
  EXPECT_TRUE(ours.empty()) << render(ours);
  EXPECT_GE(catalog::Catalog::builtin().ids("model").size(), 60u);
}

TEST(Parameters, EveryModelMatchesItsPublishedTotal) {
  int exact = 0;
  for (const Model* m : catalog::Catalog::builtin().all<Model>()) {
    ASSERT_TRUE(m->total_parameters) << m->id;
    const double published = m->total_parameters.get();
    const double computed = parameters(*m).total();
    // Llama 4's published totals hold a vision tower that the shape does not describe.
    const bool count = is_exact(published) && m->id != "llama-4-scout";
    // A diffusion model's name leaves out its text and time embedders.
    const double tolerance = count ? 1e-3 : m->is_diffusion() ? 0.08 : 0.02;
    EXPECT_NEAR(computed / published, 1.0, tolerance) << m->id << " " << computed;
    exact += count;
  }
  EXPECT_GE(exact, 40);
}

TEST(Parameters, LlamaAndQwenAreExactToTheLastWeight) {
  for (const char* id :
       {"llama-2-7b",     "llama-2-70b",        "llama-3-8b",           "llama-3.1-70b",
        "llama-3.1-405b", "llama-3.2-1b",       "mixtral-8x22b",        "mistral-large-123b",
        "qwen-2.5-72b",   "qwen3-235b-a22b",    "gemma-2-27b",          "gemma-3-1b",
        "phi-4",          "gpt-oss-20b",        "gpt-oss-120b",         "bloom-176b",
        "falcon-40b",     "qwen3-embedding-8b", "qwen3-embedding-0.6b", "gpt-2-xl"}) {
    EXPECT_DOUBLE_EQ(parameters(model(id)).total(), model(id).total_parameters.get()) << id;
  }
}

TEST(Parameters, ActiveParametersOfMixturesMatchTheirNames) {
  int mixtures = 0;
  for (const Model* m : catalog::Catalog::builtin().all<Model>()) {
    if (!m->is_mixture()) {
      EXPECT_DOUBLE_EQ(active_parameters(*m).total(), parameters(*m).total()) << m->id;
      continue;
    }
    ASSERT_TRUE(m->active_parameters) << m->id;
    // Publishers differ on whether embedding and head count, so the name lies between.
    const Parameters p = active_parameters(*m);
    const double name = m->active_parameters.get();
    EXPECT_LE((p.total() - p.embedding - p.head) / name, 1.03) << m->id;
    EXPECT_GE(p.total() / name, 0.97) << m->id;
    ++mixtures;
  }
  EXPECT_GE(mixtures, 12);
}

TEST(Parameters, DeepSeekActiveCountIsTheOneItsAuthorsGive) {
  // README_WEIGHTS: 36.6B activated with the head and without the embedding; 37.55B with.
  const Parameters p = active_parameters(model("deepseek-v3"));
  EXPECT_NEAR((p.total() - p.embedding) / 36.6e9, 1, 2e-3);
  EXPECT_NEAR(p.total() / 37552282624.0, 1, 1e-3);
  // 11.5B unique parameters in the multi-token prediction module.
  EXPECT_NEAR(mtp_parameters(model("deepseek-v3")) / 11.5e9, 1, 0.01);
  EXPECT_EQ(mtp_parameters(model("llama-3-8b")), 0);
}

TEST(Parameters, GlmCheckpointsHoldTheirPredictionModule) {
  // Hub totals, which count the module with its own copies of embedding and head.
  for (const auto& [id, hub] :
       {std::pair{"glm-4.5", 358337791296.0}, std::pair{"glm-4.5-air", 110468824832.0}}) {
    const Model& m = model(id);
    const double copies = 2.0 * m.vocab * m.hidden;
    EXPECT_NEAR((parameters(m).total() + mtp_parameters(m) + copies) / hub, 1, 1e-4) << id;
  }
}

TEST(Parameters, PartsSumToTheTotalOfLlama8b) {
  // By hand: 32 (2 x 4096^2 + 2 x 4096 x 1024 + 3 x 4096 x 14336 + 2 x 4096) + 4096
  //          + 2 x 128256 x 4096.
  const Parameters p = parameters(model("llama-3-8b"));
  EXPECT_DOUBLE_EQ(p.embedding, 525336576);
  EXPECT_DOUBLE_EQ(p.head, 525336576);
  EXPECT_DOUBLE_EQ(p.attention, 1342177280);
  EXPECT_DOUBLE_EQ(p.dense_ffn, 5637144576);
  EXPECT_DOUBLE_EQ(p.norms, 266240);
  EXPECT_DOUBLE_EQ(matmul_parameters(model("llama-3-8b")), p.head + p.attention + p.dense_ffn);
}

TEST(Parameters, LayerClassesCoverEveryLayer) {
  for (const Model* m : catalog::Catalog::builtin().all<Model>()) {
    int sum = 0;
    for (const auto& c : layer_classes(*m)) sum += c.count;
    EXPECT_EQ(sum, m->layers) << m->id;
  }
  const auto maverick = layer_classes(model("llama-4-maverick"));
  int mixtures = 0, global = 0;
  for (const auto& c : maverick) {
    if (c.mixture) mixtures += c.count;
    if (c.global) global += c.count;
  }
  EXPECT_EQ(mixtures, 24);
  EXPECT_EQ(global, 12);
}

TEST(Parameters, AnEmptyModelCostsNothing) {
  Model none;
  none.final_norm = false;
  EXPECT_EQ(parameters(none).total(), 0);
  EXPECT_EQ(matmul_parameters(none), 0);
  EXPECT_EQ(forward_flops(none, 4096).total().si(), 0);
  EXPECT_EQ(decode_flops(none, 4096).total().si(), 0);
  EXPECT_EQ(weight_bytes(none).si(), 0);
  EXPECT_TRUE(layer_classes(none).empty());
  EXPECT_EQ(mtp_parameters(none), 0);
}

}  // namespace
}  // namespace headroom::workload
