// Serving rows, their names and cases, the fits and the replays. The measured rows stay outside
// the project; tests that need them are skipped without them.
#include "validation/infer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "validation/infer_page.hpp"
#include "validation/infer_replay.hpp"

namespace headroom::validation {
namespace {

const catalog::Catalog& built_in() { return catalog::Catalog::builtin(); }

std::string model_id(const std::string& name) {
  const auto* m = find_model(built_in(), name);
  return m == nullptr ? std::string() : m->id;
}

std::string device_id(const std::string& gpu) {
  std::string reason;
  const auto d = find_device(built_in(), gpu, reason);
  EXPECT_NE(d.has_value(), !reason.empty());
  return d ? d->id : std::string();
}

TEST(InferNames, ModelsByAnyUsualName) {
  EXPECT_EQ(model_id("meta-llama/Llama-3.1-70B-Instruct"), "llama-3.1-70b");
  EXPECT_EQ(model_id("LLaMA v3.1 405B"), "llama-3.1-405b");
  EXPECT_EQ(model_id("nvidia/Llama-3.1-8B-Instruct-FP8"), "llama-3.1-8b");
  EXPECT_EQ(model_id("meta-llama/Meta-Llama-3.1-8B"), "llama-3.1-8b");
  EXPECT_EQ(model_id("Qwen/Qwen3-30B-A3B-Instruct-2507"), "qwen3-30b-a3b");
  EXPECT_EQ(model_id("mistralai/Mixtral-8x7B-v0.1"), "mixtral-8x7b");
  EXPECT_EQ(model_id("llama2-70b-99.9"), "llama-2-70b");
  EXPECT_EQ(model_id("DeepSeek-R1-0528"), "deepseek-r1");
  EXPECT_EQ(model_id("deepseek-ai/DeepSeek-R1-Distill-Llama-70B"), "llama-3.3-70b");
  EXPECT_EQ(model_id("openai/gpt-oss-120b"), "gpt-oss-120b");
}

TEST(InferNames, NoModelOfAnotherSizeOrGeneration) {
  EXPECT_EQ(model_id("Qwen/Qwen3-5B"), "");
  EXPECT_EQ(model_id("deepseek-ai/DeepSeek-V2"), "");
  EXPECT_EQ(model_id("microsoft/Phi-4-multimodal-instruct"), "");
  EXPECT_EQ(model_id(""), "");
  EXPECT_EQ(model_id("////"), "");
}

TEST(InferNames, DevicesByAnyUsualName) {
  EXPECT_EQ(device_id("H100 SXM 80GB"), "h100-sxm");
  EXPECT_EQ(device_id("h200_sxm"), "h200-sxm");
  EXPECT_EQ(device_id("RTXPRO6000"), "rtx-pro-6000-server");
  EXPECT_EQ(device_id("NVIDIA H100-PCIe-80GB"), "h100-pcie");
  EXPECT_EQ(device_id("RTX4090"), "rtx-4090");
  EXPECT_EQ(device_id("GH200 480GB"), "gh200-96gb");
  EXPECT_EQ(device_id("NVIDIA GH200 Grace Hopper Superchip 144GB"), "gh200-144gb");
  EXPECT_EQ(device_id("AMD Instinct MI300X-NPS1-SPX-192GB-750W"), "mi300x");
  EXPECT_EQ(device_id("CPU Ryzen AI 5 340"), "");
  EXPECT_EQ(device_id("Voodoo 3"), "");
}

TEST(InferNames, MemoryIsTheGpusOwnAsItsDriverReportsIt) {
  std::string reason;
  const auto gh = find_device(built_in(), "GH200 480GB", reason);
  ASSERT_TRUE(gh);
  EXPECT_NEAR(gh->accelerator->memory.get().in(gigabyte), 102.6, 0.1);  // 97,871 MiB
  const auto a = find_device(built_in(), "A100 80GB", reason);
  ASSERT_TRUE(a);
  EXPECT_NEAR(a->accelerator->memory.get().in(gigabyte), 85.9, 0.1);  // 80 GiB
  EXPECT_EQ(a->id, "a100-sxm-80gb");
}

TEST(InferNames, Formats) {
  EXPECT_EQ(find_formats("FP8")->weights, Precision::fp8);
  EXPECT_EQ(find_formats("bfloat16")->weights, Precision::bf16);
  EXPECT_EQ(find_formats("int4-awq")->weights, Precision::int4);
  EXPECT_TRUE(find_formats("Q4_K_M")->weight_only);
  EXPECT_EQ(find_formats("fp4 + fp8 kv")->weights, Precision::nvfp4);
  EXPECT_EQ(find_formats("fp4 + fp16 kv")->kv, Precision::bf16);
  EXPECT_FALSE(find_formats("colour"));
  EXPECT_FALSE(find_formats(""));
}

constexpr const char* few_rows = R"(rows:
  - {"id": 1, "src": "inferencex-via-aic", "sid": "2026_x", "model": "meta-llama/Llama-3.1-70B", "precision": "fp8", "gpu": "h100_sxm", "engine": "vllm", "scenario": "closed-loop agg", "isl": 1024, "osl": 1024, "concurrency": 16, "n_gpu": 4, "tp": 4, "ep": 1, "ttft_ms": {"reported": 150}, "tpot_ms": {"reported": 14.0}, "new_key": [1, 2, {"a": 1}]}
  - {"id": 2, "src": "x", "model": "Unknown-9B", "gpu": "h100_sxm", "engine": "vllm", "precision": "fp8"}
  - {"id": 3, "src": "x", "model": "llama-3.1-8b", "gpu": "Voodoo 3", "engine": "vllm", "precision": "fp8"}
  - {"id": 4, "src": "x", "model": "llama-3.1-8b", "gpu": "h100", "engine": "abacus", "precision": "fp8"}
  - {"id": 5, "src": "x", "model": "llama-3.1-8b", "gpu": "h100", "engine": "vllm", "precision": "fp8", "scenario": "closed-loop agg", "concurrency": .nan, "isl": -5, "osl": "many", "tpot_ms": {"mean": 3}}
  - just text
  - {"id": 6, "src": "y", "model": "openai/gpt-oss-120b", "precision": "fp4", "gpu": "h200_sxm", "engine": "trtllm", "scenario": "closed-loop agg", "isl": 1000, "osl": 100, "concurrency": 4, "n_gpu": 16, "tp": 16, "ep": 4, "tpot_ms": {"reported": 5.0}}
)";

InferRows few() {
  auto rows = parse_infer_rows("few.yaml", few_rows);
  EXPECT_TRUE(rows);
  return rows ? *rows : InferRows{};
}

const InferRow& row(const InferRows& rows, const std::string& id) {
  for (const auto& r : rows.rows)
    if (r.id == id) return r;
  ADD_FAILURE() << id;
  return rows.rows.front();
}

TEST(InferRows, KeepsNestedScalarsAndSkipsWhatIsNoRow) {
  const auto rows = few();
  ASSERT_EQ(rows.rows.size(), 6u);
  ASSERT_EQ(rows.skipped.size(), 1u);
  EXPECT_EQ(row(rows, "1").facts.number("tpot_ms.reported"), 14.0);
}

TEST(InferRows, NotALayoutIsAMistakeWithItsPlace) {
  const auto rows = parse_infer_rows("x.yaml", "models: {a: 1}\n");
  ASSERT_FALSE(rows);
  EXPECT_NE(render(rows.error()).find("x.yaml"), std::string::npos);
  EXPECT_FALSE(read_infer_rows("/nonexistent/file.yaml"));
  EXPECT_FALSE(read_infer_rows(std::filesystem::temp_directory_path().string() + "/nothing-here"));
}

TEST(InferCase, LengthsAreDrawnAndDegreesDividedAgain) {
  const auto rows = few();
  const auto c = build_case(row(rows, "1"), built_in());
  ASSERT_TRUE(c) << c.error();
  EXPECT_NEAR(c->input, 0.9 * 1024, 1e-9);
  EXPECT_EQ(c->layout.tp, 4);
  const auto m = build_case(row(rows, "6"), built_in());
  ASSERT_TRUE(m) << m.error();
  EXPECT_EQ(m->layout.tp, 4);
  EXPECT_EQ(m->layout.ep, 4);
  EXPECT_EQ(m->layout.weights, Precision::mxfp4);
  EXPECT_NEAR(m->input, 1000, 1e-9);
}

TEST(InferCase, WhatCannotBeComparedSaysWhy) {
  const auto rows = few();
  const auto why = [&](const char* id) {
    const auto c = build_case(row(rows, id), built_in());
    return c ? std::string() : c.error();
  };
  EXPECT_NE(why("2").find("Unknown-9B"), std::string::npos);
  EXPECT_NE(why("3").find("Voodoo"), std::string::npos);
  EXPECT_NE(why("4").find("abacus"), std::string::npos);
  EXPECT_NE(why("5").find("lengths"), std::string::npos);
}

TEST(ValidateInfer, EveryRowIsComparedOrSkippedWithAReason) {
  for (const auto mode :
       {InferMode::shipped, InferMode::raw, InferMode::half, InferMode::left_group}) {
    InferOptions o;
    o.mode = mode;
    const auto v = validate_infer(few(), o, built_in());
    std::set<std::string> seen;
    for (const auto& r : v.report.rows) {
      seen.insert(r.id.substr(0, r.id.find('/')));
      EXPECT_GT(r.predicted, 0);
      EXPECT_LT(r.low, r.high);
      EXPECT_LE(r.low, r.predicted * 1.7);
    }
    for (const auto& s : v.report.skipped) {
      seen.insert(s.id.substr(0, s.id.find('/')));
      EXPECT_FALSE(s.reason.empty());
    }
    for (const char* id : {"1", "2", "3", "4", "5", "6"}) EXPECT_TRUE(seen.count(id)) << id;
  }
}

TEST(ValidateInfer, JsonHasTheFormOfEveryValidateVerb) {
  InferOptions o;
  o.terms = true;
  const auto v = validate_infer(few(), o, built_in());
  const auto json = to_json(v, o);
  for (const char* key : {"\"summary\"", "\"groups\"", "\"rows\"", "\"skipped\"", "\"facts\"",
                          "\"overload\"", "\"terms\"", "\"coverage80\"", "\"collectives\""})
    EXPECT_NE(json.find(key), std::string::npos) << key;
  EXPECT_EQ(json, to_json(validate_infer(few(), o, built_in()), o));
}

/// A closed loop of so many users on the first row's machine.
Estimate tpot_of(double users, double prompt) {
  const auto rows = few();
  auto c = build_case(row(rows, "1"), built_in());
  c->concurrency = users, c->input = prompt;
  const infer::StepModel step(*c->model, *c->device.accelerator, c->device.path, c->layout,
                              *c->software, infer::StepModel::Use::raw);
  for (const auto& e : predict(*c, step))
    if (e.metric == "tpot") return e;
  return {};
}

TEST(InferPredict, MoreUsersAndLongerPromptsTakeLongerATokenAndPartsAddUp) {
  double before = 0;
  for (const double users : {1.0, 4.0, 16.0, 64.0}) {
    const auto e = tpot_of(users, 900);
    EXPECT_GT(e.value, before);
    EXPECT_LT(e.value, tpot_of(users, 8000).value);
    ASSERT_TRUE(e.parted);
    EXPECT_NEAR(e.parts.decode.total().si() + e.parts.prompt.total().si(), e.value, 1e-9 * e.value);
    before = e.value;
  }
}

// --- Fits ------------------------------------------------------------------------------------

/// Rows of a group whose times follow from known numbers.
std::vector<FitRow> made_rows(const std::string& group, const Tuning& truth, int count) {
  std::vector<FitRow> out;
  for (int i = 0; i < count; ++i) {
    FitRow r;
    r.row = group + std::to_string(i);
    r.families = {"", "e", "e|p", "e|p|g", "e|p|g|" + group};
    const double users = std::pow(2.0, i % 7), prompt = i % 2 == 0 ? 1 : 8;
    r.terms = {5e-3 + 2e-5 * users, 3e-5 * users * prompt, 2e-4, 1e-4 * users * prompt, 1, users,
               1e-3 * users};
    r.rest = 5e-4;
    r.measured = r.predicted(truth);
    out.push_back(r);
  }
  return out;
}

TEST(InferFit, FindsTheNumbersThatMadeTheRows) {
  const Tuning truth{1.15, 0.8, 1, 1.2, 6e-4, 4e-6, 0};
  const auto rows = made_rows("m", truth, 28);
  const Tunings fitted(rows);
  for (const auto& r : rows) EXPECT_NEAR(r.predicted(fitted.of(r.families)) / r.measured, 1, 0.02);
  EXPECT_EQ(fitted.level_of(rows.front().families), int(tuning_levels) - 1);
}

TEST(InferFit, OneWildRowDoesNotMoveAGroup) {
  const Tuning truth{1.1, 1, 1, 1, 3e-4, 0, 0};
  auto rows = made_rows("m", truth, 21);
  rows[5].measured *= 6;
  const Tunings fitted(rows);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (i != 5) {
      EXPECT_NEAR(rows[i].predicted(fitted.of(rows[i].families)) / rows[i].measured, 1, 0.05);
    }
}

TEST(InferFit, AGroupLeftOutIsNotAskedAboutItself) {
  auto rows = made_rows("a", {1.2, 1, 1, 1, 0, 0, 0}, 14);
  const auto others = made_rows("b", {1.1, 1, 1, 1, 0, 0, 0}, 14);
  rows.insert(rows.end(), others.begin(), others.end());
  const auto family = rows.front().families;
  const auto before = Tunings::of_others(rows, family.back()).of(family);
  for (auto& r : rows)
    if (r.families.back() == family.back()) r.measured *= 3;
  EXPECT_EQ(Tunings::of_others(rows, family.back()).of(family), before);
}

TEST(InferFit, HalvesAreDeterministicAndEven) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < 41; ++i) rows.emplace_back(i < 20 ? "g" : "h", std::to_string(1000 + i));
  const auto once = halves(rows);
  std::reverse(rows.begin(), rows.end());
  EXPECT_EQ(once, halves(rows));
  int g = 0, h = 0;
  for (const auto& [group, id] : rows) (group == "g" ? g : h) += once.at(id) ? 1 : 0;
  EXPECT_EQ(g, 10);
  EXPECT_EQ(h, 10);
}

TEST(InferFit, RangesNeverUseTheRowItself) {
  const Families f{"", "e", "e|p", "e|p|g", "e|p|g|m"};
  std::vector<Residual> residuals;
  for (int i = 0; i < 40; ++i)
    residuals.push_back({f, std::to_string(i), "token", 0.01 * (i % 5 - 2)});
  residuals.push_back({f, "wild", "token", 9.0});
  const Spreads spreads(residuals);
  EXPECT_LT(spreads.of(f, "token", "wild", false, {-0.5, 0.5, 0}).high, 0.2);
  const auto alone =
      spreads.of({"", "x", "x|y", "x|y|z", "x|y|z|w"}, "ttft", "1", false, {-0.5, 0.5, 0});
  EXPECT_EQ(alone.rows, 0u);
  EXPECT_GT(alone.high, 0.3);
}

// --- Replays ---------------------------------------------------------------------------------

TEST(InferReplay, StatisticsOfWhatWasSeen) {
  std::vector<Seen> seen;
  for (int i = 1; i <= 100; ++i) seen.push_back({i * 1.0, 0.5, i * 2.0});
  EXPECT_NEAR(*statistic(seen, "ttft_mean"), 50.5, 1e-9);
  EXPECT_NEAR(*statistic(seen, "ttft_p50"), 50.5, 1e-9);
  EXPECT_NEAR(*statistic(seen, "latency_p90"), 180.2, 1e-6);
  EXPECT_NEAR(*statistic(seen, "tpot_p99"), 0.5, 1e-9);
  EXPECT_FALSE(statistic(seen, "colour_p50"));
  EXPECT_FALSE(statistic({}, "ttft_p50"));
  EXPECT_FALSE(statistic(seen, "ttft_pxx"));
}

TEST(ValidateInfer, AModelThatDoesNotFitIsSkippedWithTheReason) {
  const auto rows = parse_infer_rows("large.yaml", R"(rows:
  - {"id": 1, "src": "x", "model": "llama-3.1-70b", "precision": "bf16", "gpu": "h100_sxm", "engine": "vllm", "scenario": "closed-loop agg", "isl": 1000, "osl": 100, "concurrency": 4, "n_gpu": 1, "tp": 1, "tpot_ms": {"mean": 40}}
  - {"id": 2, "src": "x", "model": "llama-3.1-70b", "precision": "bf16", "gpu": "h100_sxm", "engine": "vllm", "scenario": "closed-loop agg", "isl": 1000, "osl": 100, "concurrency": 4, "n_gpu": 4, "tp": 4, "tpot_ms": {"mean": 15}}
)");
  ASSERT_TRUE(rows);
  const auto v = validate_infer(*rows, {}, built_in());
  ASSERT_EQ(v.report.rows.size(), 1u);
  EXPECT_EQ(v.report.rows.front().id.substr(0, 1), "2");
  ASSERT_EQ(v.report.skipped.size(), 1u);
  EXPECT_NE(v.report.skipped.front().reason.find("141 GB of weights"), std::string::npos)
      << v.report.skipped.front().reason;
}

/// TTFT percentiles of two stages of an open loop whose mean prompt has this many tokens.
std::vector<StageResult> stages_of(const char* prompt_tokens) {
  const auto rows = parse_infer_rows("open.yaml", fmt::format(R"(rows:
  - {{"id": "a", "model": "meta-llama/Llama-2-7b-hf", "gpu": "H100 SXM 80GB", "n_gpu": 1, "tp": 1, "precision": "fp16", "engine": "vLLM", "max_num_seqs": 128, "max_num_batched_tokens": 2048, "max_model_len": 4096, "scenario": "open-loop", "arrivals": "constant", "workload": {{"system_prompt_len": 100, "question_len": 800, "output_len": 50, "unique_system_prompts": 5, "users_per_system_prompt": 4}}, "stages": [{{"rate": 5.0, "duration_s": 200, "completed": 1000, "failed": 0, "prompt_tokens_mean": {0}, "ttft_ms": {{"mean": 30}}}}, {{"rate": 5.0, "duration_s": 200, "completed": 1000, "failed": 0, "prompt_tokens_mean": {0}, "ttft_ms": {{"mean": 30}}}}]}}
)",
                                                              prompt_tokens));
  EXPECT_TRUE(rows);
  std::vector<InferCase> cases;
  std::vector<const InferCase*> run;
  for (const auto& r : rows->rows) cases.push_back(*build_case(r, built_in()));
  for (const auto& c : cases) run.push_back(&c);
  const auto& c = cases.front();
  return replay_stages(run, infer::StepModel(*c.model, *c.device.accelerator, c.device.path,
                                             c.layout, *c.software, infer::StepModel::Use::raw));
}

TEST(InferReplay, FirstPassOverPromptsIsComputedAndLaterStagesAreWarm) {
  // 100 prompts of 1,000 requests are the slowest tenth; 20 sessions the slowest fiftieth.
  const auto hundred = stages_of("912.25"), sessions = stages_of("912.257");
  const auto at = [](const StageResult& s, const char* metric) {
    return statistic(s.seen, metric).value_or(0);
  };
  ASSERT_EQ(hundred.size(), 2u);
  ASSERT_EQ(sessions.size(), 2u);
  for (const auto* run : {&hundred, &sessions})
    for (const auto& stage : *run) EXPECT_EQ(stage.seen.size(), 16 * 1000u);
  EXPECT_GT(at(hundred[0], "ttft_p95"), 1.3 * at(hundred[1], "ttft_p95"));
  EXPECT_LT(at(sessions[0], "ttft_p95"), 1.1 * at(sessions[1], "ttft_p95"));
  EXPECT_GT(at(sessions[0], "ttft_p99"), 1.2 * at(sessions[1], "ttft_p99"));
}

TEST(InferReplay, LogLinesThatAreBrokenAreCounted) {
  const auto log = parse_request_log(
      "{\"input_toks\": 10, \"output_toks\": 5, \"arrival_time\": 101.0, \"queued_ts\": 1.0, "
      "\"first_token_ts\": 1.5, \"last_token_ts\": 2.5}\n"
      "{\"input_toks\": 10, \"output_toks\": 5, \"arrival_time\": 100.0, \"queued_ts\": 0.0, "
      "\"first_token_ts\": 0.5, \"last_token_ts\": 1.5}\n"
      "not json\n\n{\"input_toks\": 0}\n"
      "{\"input_toks\": 10, \"output_toks\": 5, \"arrival_time\": 103.0, \"queued_ts\": 5.0, "
      "\"first_token_ts\": 4.0, \"last_token_ts\": 6.0}\n");
  ASSERT_EQ(log.requests.size(), 2u);
  EXPECT_EQ(log.broken, 3u);
  EXPECT_EQ(log.requests[0].arrival_s, 0);
  EXPECT_EQ(log.requests[1].arrival_s, 1);
  EXPECT_NEAR(seen_of(log)[0].tpot_s, 0.25, 1e-12);
}

TEST(InferReplay, ALogFolderIsReadAndARequestAloneTakesPromptAndSteps) {
  const auto folder = std::filesystem::temp_directory_path() / "headroom_infer_log";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "meta.json")
      << R"({"model": "meta-llama/Llama-3.1-8B", "vllm_version": "0.19.0", "engine_kwargs": {
        "tensor_parallel_size": 1, "max_num_seqs": 64, "max_num_batched_tokens": 2048,
        "dtype": "bfloat16", "kv_cache_dtype": "auto", "max_model_len": null}})";
  std::ofstream(folder / "config.json")
      << R"({"nodes": [{"instances": [{"hardware": "H100", "npu_mem": {"mem_util": 0.9}}]}]})";
  std::ofstream(folder / "requests.jsonl")
      << "{\"input_toks\": 1000, \"output_toks\": 101, \"arrival_time\": 0, \"queued_ts\": 0, "
         "\"first_token_ts\": 0.05, \"last_token_ts\": 0.75}\n";
  std::filesystem::remove(folder / "requests.jsonl.gz");
  const auto rows = read_infer_rows(folder.string());
  ASSERT_TRUE(rows) << render(rows.error());
  ASSERT_EQ(rows->rows.size(), 1u);
  const auto c = build_case(rows->rows.front(), built_in());
  ASSERT_TRUE(c) << c.error();
  EXPECT_EQ(c->limits.max_batch, 64);
  EXPECT_EQ(c->limits.budget, 2048);
  EXPECT_EQ(c->device.id, "h100-sxm");
  const infer::StepModel step(*c->model, *c->device.accelerator, c->device.path, c->layout,
                              *c->software);
  const auto seen = replay_log(*c, step);
  ASSERT_EQ(seen.size(), 1u);
  const double prompt = step.step_s({.prefill = 1000, .prefill_keys = 500, .prompts = 1});
  EXPECT_NEAR(seen[0].ttft_s, prompt, 0.02 * prompt);
  EXPECT_NEAR(seen[0].tpot_s, step.step_s({.decodes = 1, .context = 1050}), 0.02 * seen[0].tpot_s);
  std::filesystem::remove_all(folder);
}

// --- Against the rows at hand -------------------------------------------------------------------

class Measured : public testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = std::string(HEADROOM_SOURCE_DIR) + "/../shared/data/infer/";
    for (const char* file : {"measured.yaml", "open_loop.yaml", "requests"})
      files.push_back(folder + file);
    if (!std::filesystem::exists(files.front()))
      GTEST_SKIP() << "the measured rows are not beside this checkout";
  }
  std::vector<std::string> files;

  /// One run of a file, whatever is asked of it.
  static InferValidation run(const std::string& file, InferMode mode) {
    InferOptions o;
    o.files = {file};
    o.mode = mode;
    auto v = validate_infer(o);
    EXPECT_TRUE(v);
    return v ? std::move(*v) : InferValidation{};
  }
  static Summary of(const InferValidation& v, const std::function<bool(const InferFact&)>& wanted) {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < v.facts.size(); ++i)
      if (wanted(v.facts[i])) rows.push_back(v.report.rows[i]);
    return summarise(rows, 0);
  }
};

TEST_F(Measured, ClosedLoopsOfGroupsLeftOut) {
  const auto s = of(run(files[0], InferMode::left_group), [](const InferFact& f) {
    return f.job.scene == Scene::closed_loop && f.metric == "tpot";
  });
  EXPECT_GE(s.rows, 300u);
  EXPECT_LE(s.median, 0.11);
  EXPECT_LE(s.p90, 0.28);
}

TEST_F(Measured, OpenLoopsBelowOverload) {
  const auto v = run(files[1], InferMode::shipped);
  struct Bar {
    const char* metric;
    double most;
  };
  for (const auto& bar : {Bar{"ttft_mean", 0.08}, Bar{"ttft_p90", 0.08}, Bar{"ttft_p99", 0.15},
                          Bar{"itl_mean", 0.04}, Bar{"e2e_mean", 0.04}}) {
    const auto s = of(v, [&](const InferFact& f) {
      return f.job.scene == Scene::open_loop && !f.job.overloaded && f.metric == bar.metric;
    });
    EXPECT_GE(s.rows, 15u) << bar.metric;
    EXPECT_LE(s.median, bar.most) << bar.metric;
  }
}

TEST_F(Measured, OverloadIsToldBeforeItHappens) {
  InferOptions o;
  o.files = {files[1]};
  const auto v = validate_infer(o);
  ASSERT_TRUE(v);
  ASSERT_GE(v->overloads.size(), 20u);
  for (const auto& x : v->overloads) EXPECT_EQ(x.predicted, x.measured) << x.id;
}

TEST_F(Measured, PageNamesEveryBar) {
  auto rows = read_infer_files({files[1]});
  ASSERT_TRUE(rows);
  const auto page = infer_page(*rows, built_in());
  for (const char* text : {"ttft_p99", "itl_mean", "told wrongly", "## Raw"})
    EXPECT_NE(page.find(text), std::string::npos) << text;
}

}  // namespace
}  // namespace headroom::validation
