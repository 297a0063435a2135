// Validation of the training step: conversions, modes, memory checks, on rows of our own; and,
// where the project's data is there, on all published rows.
#include "validation/train.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "validation/train_fit.hpp"
#include "validation/train_page.hpp"

namespace headroom::validation {
namespace {

const auto& builtin = catalog::Catalog::builtin();

const std::string head =
    "models:\n"
    "  gpt: {layers: 96, hidden: 12288, heads: 96, ffn: 49152, gated: false, vocab: 51200, tied: "
    "true}\n"
    "  ds: {layers: 61, hidden: 7168, heads: 128, attn: mla, q_lora: 1536, kv_lora: 512, qk_nope: "
    "128, qk_rope: 64, v_head: 128, dense_layers: 3, ffn: 18432, experts: 256, topk: 8, moe_ffn: "
    "2048, shared_ffn: 2048, vocab: 129280}\n"
    "hw:\n"
    "  a100: {gpu: A100-SXM-80GB, per_node: 8, nvlink_GBps: 300, net: IB, net_Gbps_per_gpu: 200}\n"
    "  gb: {gpu: GB300-279GB, per_node: 4, nvlink_domain: 72, nvlink_GBps: 900, net: IB, "
    "net_Gbps_per_gpu: 800}\n"
    "rows:\n";

/// A row of GPT-3 on 64 A100s with `more` behind what every row has.
std::string gpt(const std::string& id, const std::string& more) {
  return "  - {id: " + id +
         ", model: gpt, hw: a100, gpus: 64, tp: 8, pp: 8, vpp: 3, mbs: 1, gbs: 64, seq: 2048, "
         "prec: "
         "fp16, zero: 0, recompute: selective, sp: true, source: arXiv 2205.05198, " +
         more + "}\n";
}

TrainRows parse(const std::string& rows) {
  auto r = parse_train_rows("x.yaml", head + rows);
  EXPECT_TRUE(r);
  return r ? std::move(*r) : TrainRows{};
}

TrainValidation validate(const std::string& rows, TrainOptions o = {}) {
  return validate_train(parse(rows), o, builtin);
}

TrainValidation raw(const std::string& rows) {
  TrainOptions o;
  o.calibration = false;
  return validate(rows, o);
}

const char* reason(const TrainValidation& v, const std::string& id) {
  for (const auto& s : v.steps.skipped)
    if (s.id == id) return s.reason.c_str();
  return "compared";
}

// 64 sequences of 2,048 tokens in 13.75 s on 64 GPUs are 148.9 tokens/s a GPU.
TEST(ValidateTrain, SecondsTokensAndTflopsAreOneMeasurement) {
  const auto s = raw(gpt("a-1", "s_per_iter: 13.75") +
                     gpt("a-2", fmt::format("tok_s_gpu: {}", 64 * 2048 / 13.75 / 64)) +
                     gpt("a-3", "ms_per_iter: 13750"));
  ASSERT_EQ(s.steps.rows.size(), 3u);
  for (const auto& r : s.steps.rows) {
    EXPECT_NEAR(r.measured, 13.75, 1e-9) << r.id;
    EXPECT_EQ(r.unit, "s");
  }
}

TEST(ValidateTrain, TflopsNeedAConventionAndFollowIt) {
  const auto v = raw(gpt("a-1", "tflops_model: 150, flops_convention: full attention") +
                     gpt("b-1", "tflops_model: 150, flops_convention: causal-attention") +
                     gpt("c-1", "tflops_model: 150"));
  ASSERT_EQ(v.steps.rows.size(), 2u);
  EXPECT_STREQ(reason(v, "c-1"), "TFLOP/s without a FLOP convention");
  const auto& full = v.steps.rows[0];
  const auto& causal = v.steps.rows[1];
  // The square counts more work, so the same TFLOP/s are a longer step.
  EXPECT_GT(full.measured, causal.measured * 1.01);
  EXPECT_LT(full.measured, causal.measured * 1.05);
}

TEST(ValidateTrain, AConventionIsLearntFromRowsThatPrintBoth) {
  const auto one = raw(gpt("a-1", "tflops_model: 150, flops_convention: causal-attention"));
  ASSERT_EQ(one.steps.rows.size(), 1u);
  const double seconds = one.steps.rows[0].measured;
  const auto v = raw(gpt("a-1", fmt::format("tflops_model: 150, s_per_iter: {}", seconds)) +
                     gpt("a-2", "tflops_model: 75"));
  ASSERT_EQ(v.steps.rows.size(), 2u);
  EXPECT_NEAR(v.steps.rows[1].measured, 2 * seconds, 1e-9 * seconds);
}

TEST(ValidateTrain, TiersWidenAndNameWhatIsMissing) {
  const auto rows = gpt("a-1", "s_per_iter: 13, tier: A") +
                    gpt("a-2", "s_per_iter: 13, tier: B, recipe_note: another release's") +
                    gpt("a-3", "s_per_iter: 13, tier: C");
  TrainOptions o;
  auto v = validate(rows, o);
  EXPECT_EQ(v.steps.rows.size(), 1u);
  EXPECT_STREQ(reason(v, "a-2"), "tier B: another release's");
  o.tier = "B";
  EXPECT_EQ(validate(rows, o).steps.rows.size(), 2u);
  o.tier = "c";
  EXPECT_EQ(validate(rows, o).steps.rows.size(), 3u);
}

TEST(ValidateTrain, RowsThatCannotBeComparedSayWhy) {
  const auto v = validate(
      "  - {id: a-1, model: none-such, hw: a100, gpus: 8, tp: 1, pp: 1, gbs: 8, seq: 2048, "
      "s_per_iter: 1}\n"
      "  - {id: a-2, model: gpt, hw: acme, gpus: 8, tp: 1, pp: 1, gbs: 8, seq: 2048, s_per_iter: "
      "1}\n"
      "  - {id: a-3, model: gpt, hw: a100, gpus: 12, tp: 8, pp: 1, gbs: 8, seq: 2048, s_per_iter: "
      "1}\n"
      "  - {id: a-4, model: gpt, hw: a100, gpus: 8, tp: 8, pp: 1, gbs: null, seq: 2048, "
      "s_per_iter: 1}\n"
      "  - {id: a-5, model: gpt, hw: a100, gpus: 8, tp: 8, pp: 1, gbs: 8, seq: 2048}\n"
      "  - {id: a-6, model: gpt, hw: a100, gpus: 8, tp: null, pp: 1, gbs: 8, seq: 2048, "
      "s_per_iter: 1}\n"
      "  - {id: a-7, model: gpt, hw: a100, gpus: 2.5, tp: 1, pp: 1, gbs: 8, seq: 2048, "
      "s_per_iter: 1}\n" +
      gpt("a-8", "s_per_iter: fast"));
  EXPECT_TRUE(v.steps.rows.empty());
  EXPECT_STREQ(reason(v, "a-1"), "model 'none-such' is neither in the file nor in the catalogue");
  EXPECT_STREQ(reason(v, "a-2"), "no accelerator like 'acme' in the catalogue");
  EXPECT_STREQ(reason(v, "a-3"), "12 GPUs are not tp 8 x pp 1 x cp 1 x a whole dp");
  EXPECT_STREQ(reason(v, "a-4"), "gbs not given");
  EXPECT_STREQ(reason(v, "a-5"), "no measured time: none of s_per_iter, tok_s_gpu, tflops_model");
  EXPECT_STREQ(reason(v, "a-6"), "tp not given");
  EXPECT_STREQ(reason(v, "a-7"), "gpus is 2.5, expected a whole number above 0");
  EXPECT_STREQ(reason(v, "a-8"), "s_per_iter 'fast' is no number");
}

TEST(ValidateTrain, ModelsOfTheCatalogueServeByName) {
  const auto v = validate(
      "  - {id: a-1, model: Llama-3.1-70B, hw: H100-SXM-80GB, gpus: 64, tp: 8, pp: 1, mbs: 1, gbs: "
      "64, seq: 8192, prec: bf16, zero: 3, recompute: full, tok_s_gpu: 700}\n");
  ASSERT_EQ(v.steps.rows.size(), 1u) << reason(v, "a-1");
  EXPECT_EQ(v.facts[0].accelerator, "h100-sxm");
}

TEST(ValidateTrain, ABatchThatDoesNotDivideIsScaled) {
  // 100 sequences on 8 replicas of micro-batch 1: 12 or 13 micro-batches, scaled to 100.
  const auto rows = [](int batch) {
    return "  - {id: a-1, model: gpt, hw: a100, gpus: 512, tp: 8, pp: 8, mbs: 1, gbs: " +
           std::to_string(batch) + ", seq: 2048, prec: fp16, recompute: full, s_per_iter: 30}\n";
  };
  const auto even = raw(rows(104)), odd = raw(rows(103));
  ASSERT_EQ(odd.steps.rows.size(), 1u);
  EXPECT_NEAR(odd.steps.rows[0].predicted / even.steps.rows[0].predicted, 103.0 / 104, 1e-9);
}

TEST(ValidateTrain, MtpIsReadFromTheRowOrFromItsFlops) {
  const auto row = [](const char* more) {
    return std::string(
               "  - {id: a-1, model: ds, hw: gb, gpus: 256, tp: 1, pp: 2, vpp: 8, ep: 32, "
               "mbs: 1, gbs: 4096, seq: 4096, prec: mxfp8, recompute: none, tok_s_gpu: "
               "6000, ") +
           more + "}\n";
  };
  const double without = raw(row("variant: w/o MTP")).steps.rows.at(0).predicted;
  const double with = raw(row("variant: w/ MTP")).steps.rows.at(0).predicted;
  EXPECT_GT(with, 1.01 * without);
  // 37.6 GFLOP a token without the module, some 2 % more with it; the printed rate tells.
  TrainOptions o;
  CaseBuilder builder(builtin);
  const auto printed = [&](double share) {
    const auto rows = parse(row("variant: w/o MTP"));
    const auto c = builder.build(rows.rows.at(0));
    const double flops = train::step_flops(c->job, c->plan).model_causal /
                         (c->plan.global_batch() * c->job.sequence);
    return fmt::format("flops_convention: causal-attention, tflops_model: {}",
                       share * flops * 6000 / 1e12);
  };
  EXPECT_DOUBLE_EQ(raw(row(printed(1.0).c_str())).steps.rows.at(0).predicted, without);
  EXPECT_DOUBLE_EQ(raw(row(printed(1.04).c_str())).steps.rows.at(0).predicted, with);
}

TEST(ValidateTrain, SoftwareIsChosenBySourceFactsAndDates) {
  CaseBuilder builder(builtin);
  const auto id = [&](const std::string& source, const std::string& more = {}) {
    TrainRow r;
    r.source = source;
    if (!more.empty()) r.facts.set(more.substr(0, more.find('=')), more.substr(more.find('=') + 1));
    return builder.software_of(r)->id;
  };
  EXPECT_EQ(id("arXiv 2205.05198 Table 5; NVIDIA/Megatron-LM README"), "megatron-lm-2021");
  EXPECT_EQ(id("NVIDIA-NeMo/Megatron-Bridge docs, 26.04 container"), "megatron-bridge");
  EXPECT_EQ(id("NVIDIA/NeMo docs (NeMo 24.07)"), "nemo-2024");
  EXPECT_EQ(id("pytorch/torchtitan benchmarks"), "torchtitan");
  EXPECT_EQ(id("pytorch/torchtitan benchmarks", "compile=false"), "torchtitan-eager");
  EXPECT_EQ(id("pytorch/torchtitan benchmarks", "async_tp=true"), "torchtitan-async");
  EXPECT_EQ(id("mosaicml/llm-foundry README"), "llm-foundry-2023");
  EXPECT_EQ(id("MLPerf Training v4.0, NVIDIA NeMo"), "mlperf-nvidia");
  EXPECT_EQ(id("mosaicml/llm-foundry README", "gpu=H100-SXM-80GB"), "llm-foundry-2024");
  EXPECT_EQ(id("Megatron-Bridge 26.06 container", "gpu=NVIDIA H200"), "megatron-bridge-hopper");
  EXPECT_EQ(id("Megatron-Bridge 26.06 container", "gpu=GB200"), "megatron-bridge");
  EXPECT_EQ(id("a framework that nobody knows"), "any");
}

TEST(ValidateTrain, RecomputationIsReadByModule) {
  CaseBuilder builder(builtin);
  const auto plan = [&](const char* words) {
    auto rows = parse(gpt("a-1", "s_per_iter: 1"));
    rows.rows.at(0).facts.set("recompute", words);
    return builder.build(rows.rows[0])->plan;
  };
  using train::Module;
  using train::Recompute;
  EXPECT_EQ(plan("selective:[moe_act, layernorm]").modules,
            train::Modules{}.with(Module::moe_act).with(Module::layernorm));
  EXPECT_EQ(plan("selective:[mlp]").recompute, Recompute::selective);
  EXPECT_EQ(plan("selective-op (config default)").modules, train::Modules{}.with(Module::op));
  EXPECT_EQ(plan("selective").recompute, Recompute::selective);
  EXPECT_TRUE(plan("selective").modules.empty());
  for (const char* none : {"none", "unknown", "selective:[]", "selective:", "null"})
    EXPECT_EQ(plan(none).recompute, Recompute::none) << none;
  EXPECT_EQ(plan("full").recompute, Recompute::full);
}

TEST(ValidateTrain, VersionsInSourcesAreDates) {
  EXPECT_EQ(version_date("docs, 26.04.01 container"), "2026-04-01");
  EXPECT_EQ(version_date("NeMo 24.07, DGX-H100"), "2024-07-01");
  EXPECT_EQ(version_date("llama3_h100_202412_torchtitan.md"), "2024-12-01");
  EXPECT_EQ(version_date("asyncTP_llama3_h100_2025-06_torchtitan.md"), "2025-06-01");
  EXPECT_EQ(version_date("arXiv 2205.05198 Table 5"), "");
  EXPECT_EQ(version_date("26.13 is no month, 1.26.04 no year"), "");
  EXPECT_EQ(version_date(""), "");
}

TEST(ValidateTrain, OutOfMemoryRowsAreChecksNotTimes) {
  // The same model on 8 GPUs cannot fit; on 512 it does, and a row that says otherwise is a fault.
  const auto v = validate(
      "  - {id: a-1, model: gpt, hw: a100, gpus: 8, tp: 8, pp: 1, mbs: 1, gbs: 8, seq: 2048, prec: "
      "fp16, recompute: full, oom: true}\n"
      "  - {id: a-2, model: gpt, hw: a100, gpus: 512, tp: 8, pp: 8, mbs: 1, gbs: 512, seq: 2048, "
      "prec: fp16, zero: 1, recompute: full, oom: true}\n");
  EXPECT_TRUE(v.steps.rows.empty());
  ASSERT_EQ(v.overflows.size(), 2u);
  EXPECT_FALSE(v.overflows[0].fault());
  EXPECT_TRUE(v.overflows[1].fault());
  const auto j = nlohmann::json::parse(to_json(v, {}));
  EXPECT_EQ(j["memory"]["out_of_memory"][1]["fault"], true);
  EXPECT_NE(to_text(v, {}).find("FAULT"), std::string::npos);
}

TEST(ValidateTrain, MemoryReadingsAreComparedInBytesOfTheirKind) {
  const auto with = [](const char* source) {
    return std::string(
               "  - {id: a-1, model: gpt, hw: a100, gpus: 64, tp: 8, pp: 8, mbs: 1, gbs: 64, seq: "
               "2048, prec: fp16, recompute: full, mem_gib: 50, source: ") +
           source + "}\n";
  };
  const auto device = validate(with("nvidia-smi")), reserved = validate(with("torchtitan log"));
  ASSERT_EQ(device.memory.rows.size(), 1u);
  EXPECT_NEAR(device.memory.rows[0].measured, 50.0 * (1 << 30), 1);
  EXPECT_EQ(device.memory.rows[0].unit, "B");
  // torchtitan's reading leaves the CUDA context out.
  CaseBuilder builder(builtin);
  const auto rows = parse(with("torchtitan log"));
  const auto c = builder.build(rows.rows[0]);
  ASSERT_TRUE(c);
  const auto m = train::memory(c->job, c->plan);
  EXPECT_NEAR(reserved.memory.rows[0].predicted, m.reserved(), 1);
  EXPECT_STREQ(reason(device, "a-1"), "a memory reading without a time");
}

TEST(ValidateTrain, TheScalarDividesTheRawStepAndMovesTheIntervalWithIt) {
  const auto rows = gpt("korth-1", "s_per_iter: 13.75");
  const auto with = validate(rows), without = raw(rows);
  const auto* e = builtin.find<catalog::TrainingSoftware>(with.facts.at(0).calibrated_as);
  ASSERT_NE(e, nullptr);
  ASSERT_TRUE(e->calibration);
  EXPECT_NEAR(with.steps.rows[0].predicted * e->calibration.likely, without.steps.rows[0].predicted,
              1e-9 * without.steps.rows[0].predicted);
  EXPECT_DOUBLE_EQ(without.facts[0].raw_s, without.steps.rows[0].predicted);
  for (const auto& r : {with.steps.rows[0], without.steps.rows[0]}) {
    EXPECT_LT(r.low, r.high);
    EXPECT_GT(r.low, 0.3 * r.predicted);
    EXPECT_LT(r.high, 3 * r.predicted);
  }
}

TEST(ValidateTrain, LeavingASourceOutUsesNothingOfIt) {
  TrainOptions o;
  o.leave_source_out = true;
  const auto of = [&](const char* id) { return validate(gpt(id, "s_per_iter: 13.75"), o); };
  // Rows of two sources of the same software: each gets the other's scalar; a source that is
  // not in the catalogue gets both, so its prediction lies between them.
  const double korth = of("korth-1").steps.rows.at(0).predicted;
  const double sc21 = of("sc21-1").steps.rows.at(0).predicted;
  const double fresh = of("fresh-1").steps.rows.at(0).predicted;
  const auto* e = builtin.find<catalog::TrainingSoftware>("megatron-lm-2021");
  ASSERT_EQ(e->runs.size(), 2u) << "run tools/fit-train";
  EXPECT_NE(korth, sc21);
  EXPECT_GE(fresh, std::min(korth, sc21) * 0.999);
  EXPECT_LE(fresh, std::max(korth, sc21) * 1.001);
  EXPECT_NE(of("korth-1").notes.front().find("not refitted"), std::string::npos);
  o.calibration = false;
  EXPECT_DOUBLE_EQ(of("korth-1").steps.rows.at(0).predicted,
                   of("sc21-1").steps.rows.at(0).predicted);
}

TEST(ValidateTrain, GroupingFollowsTheQuestion) {
  TrainOptions o;
  o.by = TrainBy::hardware;
  const auto v = validate(gpt("a-1", "s_per_iter: 13.75"), o);
  EXPECT_EQ(v.steps.rows.at(0).label, "a100-sxm-80gb");
  EXPECT_NE(to_text(v, o).find("hardware"), std::string::npos);
  const auto j = nlohmann::json::parse(to_json(v, o));
  EXPECT_EQ(j["groups"][0]["group"], "a");  // JSON keeps the source
  EXPECT_EQ(j["calibration"], "on");
}

// A hundred rows whose rates lie on a known distribution: leaving each out covers 80 % of them.
TEST(ValidateTrain, LeftOutCoverageIsThatOfTheDistribution) {
  TrainValidation v;
  v.pooled = {0, -0.3, 0.3, 1000};
  for (int i = 0; i < 101; ++i) {
    Row r;
    r.id = "a-" + std::to_string(i), r.group = "a", r.unit = "s";
    r.measured = std::exp(0.2 * (i - 50) / 50.0), r.predicted = 1;
    v.steps.rows.push_back(r);
    TrainFact f;
    f.id = r.id, f.calibrated_as = "x", f.raw_s = 1;
    v.facts.push_back(f);
  }
  const auto s = summarise(leave_one_row_out(v));
  EXPECT_GE(s.coverage80, 0.78);
  EXPECT_LE(s.coverage80, 0.86);
  EXPECT_NEAR(s.bias, 0, 0.01);
}

TEST(ValidateTrain, FittedRangesWeighSourcesEqually) {
  std::vector<SourcedRate> rates;
  for (int i = 0; i < 50; ++i) rates.push_back({0.1, "many"});
  for (int i = 0; i < 2; ++i) rates.push_back({0.5, "few"});
  const auto range = fit_range(rates);
  EXPECT_GT(range.likely, 0.1);
  EXPECT_LT(range.likely, 0.5);
  EXPECT_NEAR(range.low, 0.1, 1e-9);
  EXPECT_NEAR(range.high, 0.5, 1e-9);
  EXPECT_EQ(fit_range(rates, 0).rows, 51);
}

TEST(ValidateTrain, KorthikantisRowsOfOurOwn) {
  const auto rows = read_train_rows(std::string(HEADROOM_SOURCE_DIR) +
                                    "/data/validation/korthikanti-2022-table-5.yaml");
  ASSERT_TRUE(rows);
  const auto v = validate_train(*rows, {}, builtin);
  const auto s = summarise(v.steps);
  EXPECT_EQ(s.rows, 8u);
  EXPECT_LT(s.mean, 0.03);
  EXPECT_LT(s.worst, 0.07);
  EXPECT_NE(train_page(*rows, builtin).find("## Bars"), std::string::npos);
}

// --- The project's data, where it is there -------------------------------------------------

std::filesystem::path data_folder() {
  const char* given = std::getenv("HEADROOM_DATA");
  return given != nullptr
             ? std::filesystem::path(given) / "train"
             : std::filesystem::path(HEADROOM_SOURCE_DIR) / ".." / "shared" / "data" / "train";
}

Result<TrainValidation> published(const char* file, TrainOptions o = {}) {
  const auto path = data_folder() / file;
  o.files = {path.string()};
  return validate_train(o);
}

// The bounds are what was reached, rounded up: a change that makes the model worse is noticed.
TEST(ValidateTrainPublished, TierARows) {
  if (!std::filesystem::exists(data_folder() / "measured.yaml"))
    GTEST_SKIP() << "no " << data_folder();
  const auto v = published("measured.yaml");
  ASSERT_TRUE(v);
  std::printf("%s\n", to_text(*v, {}).c_str());
  const auto s = summarise(v->steps);
  EXPECT_EQ(s.rows, 242u);
  EXPECT_LT(s.median, 0.04);
  EXPECT_LT(s.p90, 0.14);
  EXPECT_GE(s.coverage80, 0.75);
  EXPECT_LE(s.coverage80, 0.88);
  TrainOptions o;
  o.leave_source_out = true;
  const auto left_out = published("measured.yaml", o);
  ASSERT_TRUE(left_out);
  const double coverage = summarise(left_out->steps).coverage80;
  EXPECT_GE(coverage, 0.75);
  EXPECT_LE(coverage, 0.88);
  o.calibration = false;
  const auto bare = published("measured.yaml", o);
  ASSERT_TRUE(bare);
  EXPECT_LT(summarise(bare->steps).median, 0.09);
  EXPECT_LT(summarise(bare->steps).p90, 0.25);
  ASSERT_EQ(v->overflows.size(), 3u);
  for (const auto& x : v->overflows) EXPECT_FALSE(x.fault()) << x.id;
  const auto memory = summarise(v->memory);
  EXPECT_EQ(memory.rows, 45u);
  EXPECT_LT(memory.median, 0.06);
  EXPECT_LT(memory.worst, 0.15);
}

TEST(ValidateTrainPublished, VTrainTables) {
  if (!std::filesystem::exists(data_folder() / "vtrain_multi.csv"))
    GTEST_SKIP() << "no " << data_folder();
  const auto multi = published("vtrain_multi.csv"), single = published("vtrain_single.csv");
  ASSERT_TRUE(multi && single);
  EXPECT_GT(multi->steps.rows.size(), 70u);
  EXPECT_GT(single->steps.rows.size(), 900u);
  EXPECT_LT(summarise(multi->steps).mean, 0.08);
  EXPECT_LT(summarise(single->steps).median, 0.13);
}

}  // namespace
}  // namespace headroom::validation
