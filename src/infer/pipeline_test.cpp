// RAG, embedding and video.
#include <gtest/gtest.h>

#include "infer/assess.hpp"
#include "infer/fixtures.hpp"

namespace headroom::infer {
namespace {

using namespace test;

SourcePtr said() { return published("scenario, for tests"); }

catalog::Model bge_large() {
  auto m = dense("bge-large", 24, 1024, 16, 16, 4096, 30522);
  m.family = catalog::ModelFamily::embedding;
  m.gated = false;
  m.head = false;
  m.bidirectional = true;
  m.context = 512;
  return m;
}

template <class R>
const Margin* limit(const R& r, const std::string& id) {
  for (const auto& m : r.findings.margins) {
    if (m.id == id) return &m;
  }
  return nullptr;
}

// Text Embeddings Inference on an L4 (121 TFLOP/s, 300 GB/s): 62,100 token/s in passages of 449.
TEST(Embed, NearTextEmbeddingsInferenceOnL4) {
  const auto l4 = accelerator("l4", 121, 242, 24, 300);
  EXPECT_NEAR(embedding_rate(bge_large(), l4, Precision::fp16, 449).si() / 62100, 1, 0.15);
}

struct Embedding {
  catalog::Model model = bge_large();
  catalog::Accelerator gpu = h100();
  EmbedSpec spec;
  EmbedDemand demand;
  Trace trace;
  Embedding() {
    spec.corpus = {1e12 * token, said()};
    spec.within = {24 * hour, said()};
    spec.rate = {100 * (1 / (1 * second)), said()};
    demand.scope = "corpus";
    demand.model = &model;
    demand.hardware.accelerator = &gpu;
  }
  EmbedResult run(double had) {
    demand.hardware.gpus = trace.constant("had", Scalar(had), "GPU", said());
    return assess(spec, demand, trace);
  }
};

TEST(Embed, CorpusNeedsItsGpusInTime) {
  Embedding e;
  const auto r = e.run(1);
  EXPECT_GT(r.gpus_needed.value.si(), 5);
  EXPECT_FALSE(limit(r, "infer.corpus.corpus")->holds());
  EXPECT_TRUE(limit(r, "infer.corpus.queries")->holds());
  const auto enough = e.run(r.gpus_needed.value.si());
  EXPECT_TRUE(limit(enough, "infer.corpus.corpus")->holds());
  EXPECT_LE(enough.corpus_time.value, 24 * hour);
  e.spec.rate = {1e9 * (1 / (1 * second)), said()};
  EXPECT_FALSE(limit(e.run(1), "infer.corpus.queries")->holds());
}

struct Rag {
  catalog::Model llm = dense("falcon-40b-class", 60, 8192, 64, 8, 21504, 65024);
  catalog::Model embedding = bge_large();
  catalog::Accelerator gpu = h100();
  RagSpec spec;
  RagDemand demand;
  Trace trace;
  Rag() {
    spec.documents = {5e6, said()};
    spec.llm.precision.given = Precision::fp8;
    spec.llm.traffic.rate = {5 * (1 / (1 * second)), said()};
    spec.llm.traffic.input.mean = {150 * token, said()};
    spec.llm.traffic.output.mean = {300 * token, said()};
    spec.first_token = {5 * second, said()};
    spec.candidates = {50.0, said()};
    demand.scope = "docs";
    demand.llm = &llm;
    demand.embedding = &embedding;
    demand.hardware.accelerator = &gpu;
    demand.hardware.path = hgx();
  }
  RagResult run() { return assess(spec, demand, trace); }
};

// 5e6 documents of 2,000 tokens in chunks of 512 with a stride of 461: 5 each (ceil(1949/461)),
// 25e6 chunks; an fp32 HNSW of 1,024 dimensions is then 25e6 x (4,096 + 128) x 1.2 = 127 GB.
TEST(Rag, CorpusAndIndexByHand) {
  Rag rag;
  const auto r = rag.run();
  EXPECT_NEAR(r.chunks.value.si(), 25e6, 1);
  EXPECT_NEAR(r.index.value.in(gigabyte), 25e6 * (4096 + 128) * 1.2 / 1e9, 0.5);
  EXPECT_EQ(r.extra_prefill.value.si(), 8 * 512);
}

TEST(Rag, FirstTokenIsTheSumOfItsStages) {
  Rag rag;
  const auto r = rag.run();
  EXPECT_NEAR(
      r.first_token.value.si(),
      (r.embed_time.value + r.search_time.value + r.rerank_time.value + r.service.ttft.value).si(),
      1e-12);
  EXPECT_TRUE(limit(r, "infer.docs.first-token")->holds());
  rag.spec.first_token = {5 * millisecond, said()};
  const auto fails = rag.run();
  EXPECT_FALSE(limit(fails, "infer.docs.first-token")->holds());
  EXPECT_FALSE(limit(fails, "infer.docs.first-token")->remedies.empty());
}

TEST(Rag, RetrievedChunksCostPrefill) {
  Rag few, many;
  few.spec.top_k = {2.0, said()};
  many.spec.top_k = {30.0, said()};
  few.spec.llm.traffic.rate = many.spec.llm.traffic.rate = {60 * (1 / (1 * second)), said()};
  EXPECT_LT(few.run().gpus_needed.value.si(), many.run().gpus_needed.value.si());
}

TEST(Rag, SearchNodesHoldTheIndexOrNot) {
  Rag rag;
  rag.spec.node_count = 40;
  auto r = rag.run();
  EXPECT_TRUE(limit(r, "infer.docs.index-memory")->holds());
  EXPECT_TRUE(limit(r, "infer.docs.search")->holds()) << r.search_nodes.value.si();
  rag.spec.node_count = 1;
  rag.spec.documents = {5e8, said()};
  r = rag.run();
  EXPECT_FALSE(limit(r, "infer.docs.index-memory")->holds());
  EXPECT_FALSE(limit(r, "infer.docs.search")->holds());
  EXPECT_FALSE(limit(r, "infer.docs.index-memory")->remedies.empty());
}

TEST(Rag, RefreshTakesWhatQueriesLeave) {
  Rag rag;
  rag.spec.refresh = {0.01, said()};
  EXPECT_TRUE(limit(rag.run(), "infer.docs.refresh")->holds());
  rag.spec.documents = {5e9, said()};
  rag.spec.refresh = {1.0, said()};
  EXPECT_FALSE(limit(rag.run(), "infer.docs.refresh")->holds());
}

TEST(Rag, MissingPiecesAreRemarks) {
  Rag rag;
  rag.demand.embedding = nullptr;
  EXPECT_TRUE(rag.run().findings.margins.empty());
  EXPECT_FALSE(rag.run().findings.remarks.empty());
}

struct Video {
  catalog::Model model;
  catalog::Accelerator gpu = h100();
  VideoSpec spec;
  VideoDemand demand;
  Trace trace;
  Video() {
    // Wan 2.1 14B at 480p.
    model = dense("wan-2.1-14b", 40, 5120, 40, 40, 13824, 0);
    model.family = catalog::ModelFamily::diffusion_video;
    model.gated = false;
    model.head = false;
    model.diffusion.steps = 50;
    model.diffusion.passes = 2;
    model.diffusion.temporal = 4;
    model.diffusion.width = 832;
    model.diffusion.height = 480;
    model.diffusion.frames = 81;
    model.diffusion.frame_rate = {16 * (1 / (1 * second)), said()};
    spec.clips = {1000.0, said()};
    spec.deadline = {3600 * second, said()};
    demand.scope = "clips";
    demand.model = &model;
    demand.hardware.accelerator = &gpu;
  }
  VideoResult run(double had = 0) {
    if (had > 0) demand.hardware.gpus = trace.constant("had", Scalar(had), "GPU", said());
    return assess(spec, demand, trace);
  }
};

// 81 frames at 832 x 480: 21 x 30 x 52 = 32,760 tokens. Blocks of about 13e9 weights give
// 2 x 13e9 x 32,760 + 4 x 32,760^2 x 5,120 x 40 = 1.7 PFLOP a pass, 170 PFLOP a clip, so
// minutes on one H100 and tens of GPU-seconds a second of clip, not one.
TEST(Video, SecondsOfClipCostManyGpuSeconds) {
  Video v;
  const auto r = v.run();
  EXPECT_GT(r.clip_flops.value.si(), 1.2e17);
  EXPECT_LT(r.clip_flops.value.si(), 2.4e17);
  EXPECT_GT(r.clip_time.value, 4 * minute);
  EXPECT_LT(r.clip_time.value, 12 * minute);
  EXPECT_GT(r.gpu_seconds_per_second.value.si(), 40);
  EXPECT_TRUE(limit(r, "infer.clips.memory")->holds());
  EXPECT_TRUE(limit(r, "infer.clips.deadline")->holds());
}

TEST(Video, FleetDeadlineAndMemoryCanFail) {
  Video v;
  const double needed = v.run().gpus_needed.value.si();
  EXPECT_TRUE(limit(v.run(needed), "infer.clips.gpus")->holds());
  EXPECT_FALSE(limit(v.run(needed - 1), "infer.clips.gpus")->holds());
  v.spec.deadline = {30 * second, said()};
  v.gpu.memory = {16 * gigabyte, said()};
  const auto r = v.run(needed);
  EXPECT_FALSE(limit(r, "infer.clips.deadline")->holds());
  EXPECT_FALSE(limit(r, "infer.clips.memory")->holds());
  EXPECT_FALSE(limit(r, "infer.clips.deadline")->remedies.empty());
}

// Doubling a clip more than doubles its work: attention is quadratic.
TEST(Video, LongerClipsCostMoreThanInProportion) {
  Video v;
  v.spec.clip = {5 * second, said()};
  const double short_clip = v.run().clip_flops.value.si();
  v.spec.clip = {10 * second, said()};
  EXPECT_GT(v.run().clip_flops.value.si(), 2.2 * short_clip);
}

TEST(Video, NotADiffusionModel) {
  Video v;
  v.model = llama_8b();
  EXPECT_FALSE(v.run().findings.remarks.empty());
}

}  // namespace
}  // namespace headroom::infer
