// The step oracle against published serving results. The rows stay outside the project
// (their licences differ); without them the tests are skipped. HEADROOM_PRINT=1 prints the
// table of docs/models/infer.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/accelerator.hpp"
#include "catalog/model.hpp"
#include "fabric/path.hpp"
#include "infer/capacity.hpp"

namespace headroom::infer {
namespace {

std::string text(const std::string& row, const std::string& key) {
  const auto at = row.find("\"" + key + "\": \"");
  if (at == std::string::npos) return {};
  const auto from = at + key.size() + 5;
  return row.substr(from, row.find('"', from) - from);
}

std::optional<double> number(const std::string& row, const std::string& key) {
  auto at = row.find("\"" + key + "\": ");
  if (at == std::string::npos) return {};
  at += key.size() + 4;
  if (row[at] == '{') at = row.find(": ", at) + 2;  // the first statistic of a map
  char* end = nullptr;
  const double v = std::strtod(row.c_str() + at, &end);
  if (end == row.c_str() + at) return {};
  return v;
}

std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return std::tolower(c); });
  return s;
}

using Names = std::vector<std::pair<std::string, std::string>>;

const catalog::Model* model_of(const std::string& called) {
  static const Names names{{"405b", "llama-3.1-405b"},          {"llama-3.1-70b", "llama-3.1-70b"},
                           {"llama v3.1 70b", "llama-3.1-70b"}, {"v3.1 8b", "llama-3.1-8b"},
                           {"3.1-8b", "llama-3.1-8b"},          {"mistral 7b", "mistral-7b"},
                           {"mixtral 8x22b", "mixtral-8x22b"},  {"mixtral 8x7b", "mixtral-8x7b"},
                           {"qwen3-32b", "qwen3-32b"},          {"deepseek-v3", "deepseek-v3"},
                           {"deepseek-r1", "deepseek-v3"},      {"gpt-oss-120b", "gpt-oss-120b"}};
  const auto name = lower(called);
  for (const auto& [part, id] : names) {
    if (name.find(part) != std::string::npos) {
      return catalog::Catalog::builtin().find<catalog::Model>(id);
    }
  }
  return nullptr;
}

const catalog::Accelerator* gpu_of(const std::string& called) {
  static const Names names{
      {"gb300", "gb300"}, {"gb200", "gb200"},   {"b300", "b300-sxm"}, {"b200", "b200-sxm"},
      {"gh200", ""},      {"h200", "h200-sxm"}, {"h100", "h100-sxm"}, {"a100", "a100-sxm-80gb"},
      {"l40s", "l40s"}};
  const auto name = lower(called);
  for (const auto& [part, id] : names) {
    if (name.find(part) != std::string::npos) {
      return id.empty() ? nullptr : catalog::Catalog::builtin().find<catalog::Accelerator>(id);
    }
  }
  return nullptr;
}

std::optional<Precision> precision_of(const std::string& called) {
  if (called == "fp4" || called == "nvfp4") return Precision::nvfp4;
  if (called == "bfloat16" || called == "fp16") return Precision::bf16;
  return parse_precision(called);
}

fabric::Path path_of(const catalog::Accelerator& gpu) {
  catalog::System s;
  s.scale_up.domain = std::max(gpu.scale_up.domain, 8);
  s.scale_up.bandwidth = gpu.scale_up.bandwidth.or_else(gpu.pcie);
  return fabric::make_path(s, gpu, {50 * gigabyte_per_second});
}

struct Errors {
  std::vector<double> all;
  std::vector<double> ratio;
  void add(double predicted, double measured) {
    all.push_back(std::abs(predicted / measured - 1));
    ratio.push_back(predicted / measured);
  }
  static double at(std::vector<double> v, double q) {
    if (v.empty()) return 0;
    std::sort(v.begin(), v.end());
    return v[std::min(v.size() - 1, static_cast<std::size_t>(q * v.size()))];
  }
  double median() const { return at(all, 0.5); }
  double p90() const { return at(all, 0.9); }
};

void print(const std::string& title, const std::map<std::string, Errors>& groups,
           const Errors& all) {
  if (!std::getenv("HEADROOM_PRINT")) return;
  std::printf("%s\n", title.c_str());
  for (const auto& [name, e] : groups) {
    std::printf("| %s | %zu | %.1f | %.1f | %.2f |\n", name.c_str(), e.all.size(), 100 * e.median(),
                100 * e.p90(), Errors::at(e.ratio, 0.5));
  }
  std::printf("| all | %zu | %.1f | %.1f | %.2f |\n", all.all.size(), 100 * all.median(),
              100 * all.p90(), Errors::at(all.ratio, 0.5));
}

class Measured : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream in(std::string(HEADROOM_SOURCE_DIR) + "/../shared/data/infer/measured.yaml");
    if (!in) GTEST_SKIP() << "the measured rows are not beside this checkout";
    for (std::string line; std::getline(in, line);) {
      if (line.rfind("  - {\"id\"", 0) == 0) rows.push_back(line);
    }
    ASSERT_GT(rows.size(), 1000u);
  }
  std::vector<std::string> rows;
};

Engine engine_of(const std::string& name) {
  if (name == "vllm") return Engine::vllm;
  if (name == "sglang") return Engine::sglang;
  return Engine::tensorrt_llm;
}

// Closed loop of B requests: every answer of m tokens sees B - 1 prompts cut in.
double closed_loop_tpot_s(const StepModel& step, double batch, double input, double output) {
  const Batch decode{batch, input + output / 2, 0, 0};
  const double prompt = step.prefill(input, 0, decode, 8192).si();
  return step.step(decode).si() + (batch - 1) / output * prompt;
}

TEST_F(Measured, ClosedLoopTimePerToken) {
  std::map<std::string, Errors> groups;
  Errors all, dense;
  for (const auto& row : rows) {
    if (text(row, "scenario") != "closed-loop agg" || number(row, "attention_dp")) continue;
    const auto* m = model_of(text(row, "model"));
    const auto* gpu = gpu_of(text(row, "gpu"));
    const auto precision = precision_of(text(row, "precision"));
    const auto tpot = number(row, "tpot_ms");
    if (!m || !gpu || !precision || !tpot) continue;
    int tp = static_cast<int>(number(row, "tp").value_or(1));
    const int ep = static_cast<int>(number(row, "ep").value_or(1));
    if (ep > 1 && tp > 8) tp /= ep;  // the source multiplied both degrees
    if (tp > 8) continue;            // wide expert parallelism is not modelled
    Layout layout{tp, 1, *precision,
                  element_bits(*precision) < 16 ? Precision::fp8 : Precision::bf16};
    if (m->id == "gpt-oss-120b") layout.weights = Precision::mxfp4;
    const StepModel step(*m, *gpu, path_of(*gpu), layout, engine_of(text(row, "engine")));
    // The client of InferenceX draws lengths from 0.8 to 1.0 of the nominal.
    const double drawn = text(row, "sid").rfind("2026", 0) == 0 ? 0.9 : 1;
    const double predicted =
        closed_loop_tpot_s(step, *number(row, "concurrency"), drawn * *number(row, "isl"),
                           drawn * *number(row, "osl"));
    groups[m->id + " " + gpu->id + " " + text(row, "engine") + " " + text(row, "precision")].add(
        predicted * 1e3, *tpot);
    all.add(predicted * 1e3, *tpot);
    if (!m->is_mixture()) dense.add(predicted * 1e3, *tpot);
  }
  print("closed loop TPOT", groups, all);
  print("closed loop TPOT, dense", {}, dense);
  EXPECT_GE(all.all.size(), 200u);
  EXPECT_LE(dense.median(), 0.09);
  EXPECT_LE(dense.p90(), 0.22);
  EXPECT_LE(all.median(), 0.12);
}

// TensorRT-LLM's published maximum throughput: as many sequences as the KV cache or 2,048 hold.
double offline_rate(const Replica& replica, double input, double output) {
  const double context = input + output / 2;
  const double batch = std::max(1.0, std::min(2048.0, replica.kv_cap(context)));
  const Batch decode{batch, context, 0, 0};
  const double step = replica.step().step(decode).si();
  const double prompt = replica.step().prefill(input, 0, decode, 2048).si();
  return batch * output / (output * step + batch * prompt);
}

TEST_F(Measured, OfflineThroughput) {
  std::map<std::string, Errors> groups;
  Errors all;
  for (const auto& row : rows) {
    if (text(row, "src") != "trtllm-0.17") continue;
    const auto* m = model_of(text(row, "model"));
    const auto* gpu = gpu_of(text(row, "gpu"));
    const auto precision = precision_of(text(row, "precision"));
    if (!m || !gpu || !precision) continue;
    const Layout layout{static_cast<int>(*number(row, "tp")), 1, *precision,
                        element_bits(*precision) < 16 ? Precision::fp8 : Precision::bf16};
    const StepModel step(*m, *gpu, path_of(*gpu), layout, Engine::tensorrt_017);
    EngineLimits limits;
    limits.memory_share = 0.95;  // the page's kv_cache_free_gpu_mem_fraction
    limits.budget = 2048;
    limits.max_batch = 2048;
    const Replica replica(*m, step, limits);
    if (replica.kv_cap(1) < 1)
      continue;  // weights near the brim: the engine's own trimming decides
    const double predicted = offline_rate(replica, *number(row, "isl"), *number(row, "osl"));
    groups[m->id + " " + gpu->id + " " + text(row, "precision")].add(predicted,
                                                                     *number(row, "out_tok_s"));
    all.add(predicted, *number(row, "out_tok_s"));
  }
  print("offline throughput", groups, all);
  EXPECT_GE(all.all.size(), 200u);
  EXPECT_LE(all.median(), 0.12);
  EXPECT_LE(all.p90(), 0.35);
}

// Open-loop runs of real vLLM servers: prompts repeat, so the cache holds all but the last block;
// the client counts two events a token, so times come from its end-to-end mean.
TEST_F(Measured, OpenLoopServers) {
  std::ifstream in(std::string(HEADROOM_SOURCE_DIR) + "/../shared/data/infer/open_loop.yaml");
  ASSERT_TRUE(in);
  Errors ttft, e2e;
  for (std::string row; std::getline(in, row);) {
    if (row.rfind("  - {\"id\"", 0) != 0) continue;
    const auto id = text(row, "id");
    const char* name = id.find("llama-2-7b") != std::string::npos    ? "llama-2-7b"
                       : id.find("llama-2-70b") != std::string::npos ? "llama-2-70b"
                       : id.find("mixtral") != std::string::npos     ? "mixtral-8x7b"
                                                                     : nullptr;
    const auto* gpu = gpu_of("h100");
    if (!name) continue;
    const auto* m = catalog::Catalog::builtin().find<catalog::Model>(name);
    ASSERT_TRUE(m && gpu);
    EngineLimits limits;
    limits.max_batch = *number(row, "max_num_seqs");
    limits.budget = *number(row, "max_num_batched_tokens");
    const Replica replica(
        *m, StepModel(*m, *gpu, path_of(*gpu), Layout{static_cast<int>(*number(row, "tp")), 1}),
        limits);
    const double asked = *number(row, "output_len");
    for (auto at = row.find("{\"rate\""); at != std::string::npos;
         at = row.find("{\"rate\"", at + 1)) {
      const auto stage = row.substr(at);
      if (*number(stage, "failed") > 0) continue;
      Load l;
      l.rate_s = *number(stage, "rate");
      l.input = *number(stage, "prompt_tokens_mean");
      l.cached = l.input - 16;
      l.output = asked;
      l.arrival_cv = 0;
      const auto o = replica.operate(l, 0.5);
      if (!o.stable) continue;
      ttft.add(o.ttft.in(millisecond), *number(stage.substr(stage.find("\"p50\"")), "p50"));
      e2e.add(o.e2e.in(millisecond), *number(stage.substr(stage.find("\"e2e_ms\"")), "mean"));
      if (std::getenv("HEADROOM_PRINT")) {
        std::printf("%s %.0f/s: TTFT x %.2f, end to end x %.2f, step %.1f ms, batch %.0f\n",
                    id.c_str(), l.rate_s, ttft.ratio.back(), e2e.ratio.back(),
                    o.step.in(millisecond), o.batch);
      }
    }
  }
  print("open loop TTFT", {}, ttft);
  print("open loop end to end", {}, e2e);
  ASSERT_GE(ttft.all.size(), 10u);
  EXPECT_LE(ttft.median(), 0.10);
  EXPECT_LE(e2e.median(), 0.10);
}

// One user on small devices: bandwidth decides.
TEST_F(Measured, SingleUserOnSmallDevices) {
  struct Case {
    const char *row_gpu, *key, *device, *model;
    Precision weights;
  };
  const Case cases[] = {
      {"Apple M3 Max 40-core 48GB", "f16_7B", "apple-m3-max", "llama-2-7b", Precision::fp16},
      {"Apple M3 Max 40-core 48GB", "q4_0_7B", "apple-m3-max", "llama-2-7b", Precision::int4},
      {"RTX 4090 24GB", "tg512", "rtx-4090", "llama-3-8b", Precision::int4},
      {"RTX 4090 24GB", "tg512", "rtx-4090", "llama-3-8b", Precision::fp16}};
  Errors all;
  for (const auto& c : cases) {
    const std::string wanted = c.weights == Precision::int4 ? "Q4_K_M" : "F16";
    for (const auto& row : rows) {
      if (text(row, "gpu") != c.row_gpu || !number(row, c.key) || number(row, "n_gpu") != 1.0)
        continue;
      if (c.device == std::string("rtx-4090") && text(row, "precision") != wanted) continue;
      const auto* m = catalog::Catalog::builtin().find<catalog::Model>(c.model);
      const auto* a = catalog::Catalog::builtin().find<catalog::Accelerator>(c.device);
      ASSERT_TRUE(m && a) << c.device;
      const StepModel step(*m, *a, {}, Layout{1, 1, c.weights, Precision::fp16}, Engine::llama_cpp);
      const double predicted = 1 / step.decode(1, 256).si();
      if (std::getenv("HEADROOM_PRINT")) {
        std::printf("%s %s %s: %.1f against %.1f token/s\n", c.device, c.model,
                    std::string(name(c.weights)).c_str(), predicted, *number(row, c.key));
      }
      all.add(predicted, *number(row, c.key));
    }
  }
  ASSERT_EQ(all.all.size(), 4u);
  EXPECT_LE(all.p90(), 0.20);
}

}  // namespace
}  // namespace headroom::infer
