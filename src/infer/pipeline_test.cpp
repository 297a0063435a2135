// RAG, embedding and video.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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

// 25e6 fp32 vectors of 1,024 at 5 to 10 queries a second on 32 cores: nobody waits, so the p99 of a
// search is 1.72 times the mean of one alone (a lognormal with cv 0.25): milliseconds.
TEST(Rag, AnIdleSearchTakesMilliseconds) {
  Rag rag;
  const auto r = rag.run();
  const auto alone = workload::query_latency({.dimensions = 1024}, 25e6, 0.95);
  EXPECT_LT(r.search_busy.value.si(), 0.02);
  EXPECT_NEAR(r.search_time.value.si(), 1.72 * alone.get().si(), 0.02 * alone.get().si());
  EXPECT_LT(r.search_time.value, 25 * millisecond);
}

// At 60 % of their cores queries wait, and nodes beyond the needed ones take that away.
TEST(Rag, BusySearchNodesMakeQueriesWait) {
  Rag rag;
  rag.spec.node_cores = 1;
  rag.spec.index_replicas = 1;
  const auto busy = rag.run();
  EXPECT_GT(busy.search_busy.value.si(), 0.02);
  EXPECT_LE(busy.search_busy.value.si(), 0.6);
  rag.spec.node_count = static_cast<int>(20 * busy.search_nodes.value.si());
  const auto calm = rag.run();
  EXPECT_NEAR(calm.search_busy.value.si() * 20, busy.search_busy.value.si(), 1e-9);
  EXPECT_LT(calm.search_time.value, busy.search_time.value);
}

// --- Hybrid ---------------------------------------------------------------------------------

// 25e6 chunks of 512 tokens at 1.5 B: 19.2 GB, one node, two copies as the vectors.
TEST(Hybrid, TheLaterSearchDecidesAndBothTakeNodes) {
  Rag rag;
  const auto vectors = rag.run();
  rag.spec.hybrid = true;
  const auto both = rag.run();
  EXPECT_NEAR(both.lexical_index.value.in(gigabyte), 19.2, 1e-3);
  EXPECT_EQ(both.index.value, vectors.index.value);
  EXPECT_EQ(both.search_nodes.value.si(), vectors.search_nodes.value.si() + 2);
  EXPECT_EQ(both.search_time.value, std::max(both.vector_time.value, both.lexical_time.value));
  EXPECT_GT(both.lexical_time.value, both.vector_time.value);
  // At sqrt(p), so that both are back by p.
  EXPECT_GT(both.vector_time.value, vectors.search_time.value);
  EXPECT_LT(both.vector_time.value, 1.3 * vectors.search_time.value);
  EXPECT_GT(both.rerank_time.value, vectors.rerank_time.value);
  EXPECT_NEAR(both.first_token.value.si(),
              (both.embed_time.value + both.search_time.value + both.rerank_time.value +
               both.service.ttft.value)
                  .si(),
              1e-12);
}

// Seven quarters of the candidates; where GPUs are busy the wait for a whole number of them differs
// too, so few questions are asked.
TEST(Hybrid, TheRerankerReadsBothLists) {
  Rag rag;
  rag.spec.llm.traffic.rate = {0.001 * (1 / (1 * second)), said()};
  const auto vectors = rag.run();
  rag.spec.hybrid = true;
  EXPECT_NEAR(rag.run().rerank_time.value / vectors.rerank_time.value, 1.75, 0.01);
}

TEST(Hybrid, MoreTermsAndMoreDocumentsTakeLonger) {
  Rag rag;
  rag.spec.hybrid = true;
  Time before{};
  for (const double terms : {1.0, 3.0, 6.0, 12.0, 24.0}) {
    rag.spec.query_terms = {terms, said()};
    const auto r = rag.run();
    EXPECT_GT(r.lexical_time.value, before) << terms;
    EXPECT_GE(r.search_time.value, r.lexical_time.value);
    before = r.lexical_time.value;
  }
  const auto small = rag.run();
  rag.spec.documents = {50e6, said()};
  EXPECT_GT(rag.run().lexical_time.value, small.lexical_time.value);
}

TEST(Hybrid, MemoryLimitCountsBothIndexes) {
  Rag rag;
  rag.spec.node_count = 8;
  const auto vectors = rag.run();
  rag.spec.hybrid = true;
  const auto both = rag.run();
  const auto* one = limit(vectors, "infer.docs.index-memory");
  const auto* two = limit(both, "infer.docs.index-memory");
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  EXPECT_LT(two->headroom(), one->headroom());
  rag.spec.lexical_bytes = {100 * byte, said()};
  EXPECT_FALSE(limit(rag.run(), "infer.docs.index-memory")->holds());
}

// The deadline sizes the LLM when it has no TTFT of its own, and stays one limit.
TEST(Rag, TheDeadlineSizesTheLlm) {
  Rag rag;
  rag.spec.llm.traffic.rate = {20 * (1 / (1 * second)), said()};
  rag.spec.first_token = {10 * second, said()};
  const auto loose = rag.run();
  rag.spec.first_token = {1 * second, said()};
  const auto tight = rag.run();
  EXPECT_TRUE(limit(tight, "infer.docs.first-token")->holds());
  EXPECT_EQ(limit(tight, "infer.docs.llm.ttft"), nullptr);
  EXPECT_GE(tight.gpus_needed.value, loose.gpus_needed.value);
  EXPECT_LT(tight.service.ttft.value, loose.service.ttft.value);
  rag.spec.llm.slo.ttft = {3 * second, said()};
  const auto asked = rag.run();
  EXPECT_NE(limit(asked, "infer.docs.llm.ttft"), nullptr);
}

TEST(Rag, RemediesAreWorkedOut) {
  Rag rag;
  rag.spec.llm.slo.ttft = {8 * second, said()};
  rag.spec.llm.traffic.rate = {20 * (1 / (1 * second)), said()};
  const auto base = rag.run();
  const Time rest = base.first_token.value - base.service.ttft.value;
  rag.spec.first_token = {rest + 0.6 * base.service.ttft.value, said()};
  const auto short_of = rag.run();
  const auto* m = limit(short_of, "infer.docs.first-token");
  ASSERT_FALSE(m->holds());
  ASSERT_GE(m->remedies.size(), 2u);
  EXPECT_NE(m->remedies[0].action.find("ask a TTFT"), std::string::npos);
  EXPECT_NE(m->remedies[1].action.find("4 chunks"), std::string::npos);
}

RC_GTEST_PROP(RagProperty, StagesAddUpAndMoreWorkNeverTakesLess, ()) {
  Rag rag;
  rag.spec.first_token = {};
  rag.spec.documents = {double(*rc::gen::inRange(1000, 10'000'000)), said()};
  rag.spec.candidates = {double(*rc::gen::inRange(0, 100)), said()};
  rag.spec.top_k = {double(*rc::gen::inRange(1, 20)), said()};
  const auto r = rag.run();
  const double sum = (r.embed_time.value + r.search_time.value + r.rerank_time.value).si() +
                     r.service.ttft.value.si();
  RC_ASSERT(std::abs(r.first_token.value.si() - sum) <= 1e-9 * sum);
  RC_ASSERT(r.gpus_needed.value == r.service.gpus_needed.value + r.support_gpus.value);
  auto more = rag;
  more.spec.documents = {2 * rag.spec.documents.get().si(), said()};
  RC_ASSERT(more.run().chunks.value >= r.chunks.value);
  RC_ASSERT(more.run().index.value >= r.index.value);
  more = rag;
  more.spec.candidates = {rag.spec.candidates.get().si() + 50, said()};
  RC_ASSERT(more.run().support_gpus.value >= r.support_gpus.value);
  more = rag;
  more.spec.top_k = {2 * rag.spec.top_k.get().si(), said()};
  RC_ASSERT(more.run().gpus_needed.value >= r.gpus_needed.value);
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

RC_GTEST_PROP(VideoProperty, WorkIsConservedAndGrows, ()) {
  Video v;
  v.spec.clips = {double(*rc::gen::inRange(1, 100'000)), said()};
  v.spec.clip = {double(*rc::gen::inRange(1, 20)) * second, said()};
  v.spec.gpus_per_clip = *rc::gen::element(1, 2, 4, 8);
  const auto r = v.run();
  const double g = v.spec.gpus_per_clip;
  RC_ASSERT(std::abs(r.clip_time.value.si() * g / r.gpu_seconds.value.si() - 1) < 1e-9);
  const double needed = r.gpus_needed.value.si();
  RC_ASSERT(std::fmod(needed, g) == 0);
  // The fleet holds a day's clips under its ceiling, and one clip's GPUs fewer would not.
  const double work = v.spec.clips.get().si() * r.gpu_seconds.value.si();
  RC_ASSERT(work <= needed * 86400 * 0.8 * (1 + 1e-6));
  RC_ASSERT(needed == g || work > (needed - g) * 86400 * 0.8 * (1 - 1e-6));
  RC_ASSERT(r.busy.value.si() <= 0.8 + 1e-6);
  auto more = v;
  more.demand.model = &more.model;
  more.demand.hardware.accelerator = &more.gpu;
  more.spec.clips = {2 * v.spec.clips.get().si(), said()};
  RC_ASSERT(more.run().gpus_needed.value >= r.gpus_needed.value);
  more.spec.clips = v.spec.clips;
  more.spec.gpus_per_clip = 2 * v.spec.gpus_per_clip;
  const auto wider = more.run();
  RC_ASSERT(wider.clip_time.value < r.clip_time.value);
  RC_ASSERT(wider.gpu_seconds.value >= r.gpu_seconds.value);
}

// --- Pictures ------------------------------------------------------------------------------

/// FLUX.1 [dev] at 1024 x 1024: 4,096 latent tokens and 512 of text, 50 steps of one pass.
struct Pictures : Video {
  Pictures() {
    model = dense("flux-1-dev", 57, 3072, 24, 24, 12288, 0);
    model.family = catalog::ModelFamily::diffusion_image;
    model.gated = false;
    model.head = false;
    model.diffusion.steps = 50;
    model.diffusion.width = model.diffusion.height = 1024;
    model.diffusion.text_tokens = 512;
    spec = {};
    spec.rate = {2 * (1 / (1 * second)), said()};
  }
};

TEST(Pictures, WorkByHand) {
  Pictures p;
  const auto r = p.run();
  ASSERT_TRUE(r.picture);
  // 57 blocks of 12 h2 weights, 4,608 tokens; attention 4 h T2 a block.
  const double tokens = 4608, h = 3072;
  const double by_hand = 50 * 57 * (2 * 12 * h * h * tokens + 4 * h * tokens * tokens);
  EXPECT_NEAR(r.clip_flops.value.si() / by_hand, 1, 0.02);
  // Two a second keep that many GPUs busy, at 80 % at most.
  EXPECT_GE(r.gpus_needed.value.si() * 0.8, 2 * r.gpu_seconds.value.si() - 1e-6);
  EXPECT_LT((r.gpus_needed.value.si() - 1) * 0.8, 2 * r.gpu_seconds.value.si());
  EXPECT_EQ(r.gpu_seconds_per_second.node, no_node);
}

TEST(Pictures, AVideoModelsSingleFrameIsOne) {
  Video v;
  v.spec.frames = 1;
  const auto picture = v.run();
  EXPECT_TRUE(picture.picture);
  Video longer;
  longer.spec.frames = 81;
  const auto clip = longer.run();
  EXPECT_FALSE(clip.picture);
  EXPECT_GT(clip.clip_flops.value.si(), 21 * picture.clip_flops.value.si());  // 21 latent frames
}

TEST(Pictures, TheDeadlineHoldsForTheTailAndAddsGpus) {
  Pictures p;
  const auto free = p.run();
  const Time alone = free.clip_time.value;
  EXPECT_GT(free.response.value, alone);
  p.spec.deadline = {1.02 * alone, said()};
  const auto tight = p.run();
  EXPECT_GT(tight.gpus_needed.value.si(), free.gpus_needed.value.si());
  EXPECT_LE(tight.response.value, 1.02 * alone * 1.0001);
  EXPECT_TRUE(limit(p.run(tight.gpus_needed.value.si()), "infer.clips.deadline")->holds());
  EXPECT_FALSE(limit(p.run(tight.gpus_needed.value.si() - 1), "infer.clips.deadline")->holds());
  // No number of GPUs makes one picture faster than an idle group does.
  p.spec.deadline = {0.5 * alone, said()};
  const auto never = p.run();
  EXPECT_FALSE(limit(never, "infer.clips.deadline")->holds());
  EXPECT_FALSE(limit(never, "infer.clips.deadline")->remedies.empty());
  EXPECT_EQ(never.gpus_needed.value, free.gpus_needed.value);
}

TEST(Video, NotADiffusionModel) {
  Video v;
  v.model = llama_8b();
  EXPECT_FALSE(v.run().findings.remarks.empty());
}

}  // namespace
}  // namespace headroom::infer
