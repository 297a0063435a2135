#include "validation/infer_names.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "validation/facts.hpp"
#include "validation/machine.hpp"

namespace headroom::validation {
namespace {

using catalog::Accelerator;
using catalog::Model;

bool alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::string compact(std::string_view text) {
  std::string out;
  for (const char c : lower(text))
    if (alnum(c)) out += c;
  return out;
}

/// Words of a name: letters, digits and dots, in lower case.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out(1);
  for (const char c : lower(text)) {
    if (alnum(c) || c == '.')
      out.back() += c;
    else if (!out.back().empty())
      out.emplace_back();
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

/// Words that name a tuning, a format or a publisher, not a shape.
bool is_decoration(std::string_view w) {
  constexpr std::array plain{
      "instruct", "it",        "chat",  "hf",       "base",   "fp8",    "fp4",      "nvfp4",
      "mxfp4",    "awq",       "gptq",  "int4",     "int8",   "bf16",   "fp16",     "dynamic",
      "w8a8",     "w4a16",     "q4",    "gguf",     "meta",   "nvidia", "ollama",   "coder",
      "thinking", "quantized", "model", "preview",  "static", "block",  "bfloat16", "4bit",
      "8bit",     "99.9",      "99",    "original", "turbo"};
  for (const char* p : plain)
    if (w == p) return true;
  // Release marks: 0528, 2507, v0.1.
  if (w.size() == 4 && std::all_of(w.begin(), w.end(), digit)) return true;
  return w.size() >= 4 && w[0] == 'v' && w[1] == '0' && w[2] == '.';
}

/// The name without decoration, compact; the first word always stays.
std::string plain_name(std::string_view text) {
  std::string out;
  bool first = true;
  for (const auto& w : words_of(text)) {
    if (first || !is_decoration(w)) out += w == "meta" ? "" : w;
    first = false;
  }
  return compact(out);
}

/// Names that no rule leads to an entry of the same shape.
struct Alias {
  const char* name;  ///< compact
  const char* id;
};
constexpr std::array<Alias, 33> aliases{{
    {"llamav318b", "llama-3.1-8b"},
    {"llamav3170b", "llama-3.1-70b"},
    {"llamav31405b", "llama-3.1-405b"},
    {"llamav3370b", "llama-3.3-70b"},
    {"llama7b", "llama-2-7b"},  // the first Llama has the second's shape at 7 and 13 B
    {"llama13b", "llama-2-13b"},
    {"llama70b", "llama-2-70b"},  // no first Llama has 70 B
    {"llama270b", "llama-2-70b"},
    {"gptj", "gpt-j-6b"},
    {"gptoss20b", "gpt-oss-20b"},
    {"deepseekv30324", "deepseek-v3"},
    {"deepseekv31", "deepseek-v3"},
    {"deepseekv31terminus", "deepseek-v3"},
    {"deepseekr1671b", "deepseek-r1"},
    {"dsr1", "deepseek-r1"},
    {"deepseekr114b", "qwen-2.5-14b"},  // ollama's names of the distilled models
    {"deepseekr17b", "qwen-2.5-7b"},
    {"deepseekr132b", "qwen-2.5-32b"},
    {"deepseekr18b", "llama-3.1-8b"},
    {"deepseekr170b", "llama-3.3-70b"},
    {"deepseekr1distillllama8b", "llama-3.1-8b"},
    {"deepseekr1distillllama70b", "llama-3.3-70b"},
    {"deepseekr1distillqwen1.5b", "qwen-2.5-1.5b"},
    {"deepseekr1distillqwen7b", "qwen-2.5-7b"},
    {"deepseekr1distillqwen14b", "qwen-2.5-14b"},
    {"deepseekr1distillqwen32b", "qwen-2.5-32b"},
    {"kimik2.5", "kimi-k2.5"},
    {"kimik2instruct0905", "kimi-k2"},
    {"minimaxm2", "minimax-m2.5"},
    {"minimaxm21", "minimax-m2.5"},
    {"glm46", "glm-4.5"},
    {"codellama34b", "codellama-34b"},
    {"bloom", "bloom-176b"},
}};

const Model* exact_model(const catalog::Catalog& catalog, const std::string& name) {
  if (name.empty()) return nullptr;
  for (const auto* m : catalog.all<Model>())
    if (compact(m->id) == name || compact(m->name) == name || plain_name(m->name) == name) return m;
  for (const auto& a : aliases)
    if (compact(a.name) == name) return catalog.find<Model>(a.id);
  return nullptr;
}

/// What a text may mean, best first: all of it, behind and before a slash, without parentheses.
std::vector<std::string> readings(const std::string& text) {
  const auto open = std::min(text.find('('), text.size());
  const auto bare = text.substr(0, open);
  std::vector<std::string> out{text, bare};
  if (const auto slash = bare.find_last_of('/'); slash != std::string::npos) {
    out.push_back(bare.substr(slash + 1));
    out.push_back(bare.substr(0, slash));
  }
  if (const auto colon = bare.find(':'); colon != std::string::npos) {
    auto joined = bare;
    joined[colon] = '-';
    out.push_back(joined);
  }
  return out;
}

/// Devices that differ from an entry by memory alone. GH200: an H100's die with 96 GB of HBM3 at
/// 4.0 TB/s or 144 GB of HBM3e at 4.9 TB/s (NVIDIA GH200 data sheet, 2024-08); "480GB" is the
/// Grace side's LPDDR5X.
struct Variant {
  const char* text;  ///< compact
  double memory_gb;  ///< chosen when the text says a memory nearer to it
  const char* id;
  const char* base;
  double bandwidth_gbs;
};
constexpr std::array<Variant, 2> variants{{{"gh200", 96, "gh200-96gb", "h100-sxm", 4000},
                                           {"gh200", 144, "gh200-144gb", "h100-sxm", 4900}}};

/// Memory that the driver reports, in MiB, where a data sheet's "80 GB" means GiB (nvidia-smi of
/// these boards, recalled, unverified). It decides where weights leave the cache only a sliver.
struct Reported {
  const char* id;
  double mebibytes;
};
constexpr std::array<Reported, 13> reported{{{"a100-sxm-80gb", 81920},
                                             {"a100-sxm-40gb", 40960},
                                             {"a100-pcie-80gb", 81920},
                                             {"h100-sxm", 81559},
                                             {"h100-pcie", 81559},
                                             {"h100-nvl", 95830},
                                             {"h200-sxm", 143771},
                                             {"h20-sxm", 97871},
                                             {"l40s", 46068},
                                             {"rtx-4090", 24564},
                                             {"rtx-pro-6000-server", 97887},
                                             {"b200-sxm", 183359},
                                             {"gh200-96gb", 97871}}};

void use_reported_memory(const std::string& id, Accelerator& a) {
  constexpr double mebibyte = 1024.0 * 1024.0;
  for (const auto& r : reported)
    if (id == r.id) a.memory.fix((r.mebibytes * mebibyte * byte).si());
}

fabric::Path path_of(const Accelerator& gpu) {
  constexpr int board = 8;  // GPUs of a server
  catalog::System s;
  s.scale_up.domain = std::max(gpu.scale_up.domain, board);
  s.scale_up.bandwidth = gpu.scale_up.bandwidth.or_else(gpu.pcie);
  return fabric::make_path(s, gpu, {50 * gigabyte_per_second});
}

std::optional<ServingDevice> variant_of(const catalog::Catalog& catalog, const std::string& gpu) {
  const auto text = compact(gpu);
  const double memory = memory_in(gpu).value_or(0) / 1e9;
  const Variant* best = nullptr;
  for (const auto& v : variants)
    if (text.find(v.text) != std::string::npos &&
        (best == nullptr || std::abs(v.memory_gb - memory) < std::abs(best->memory_gb - memory)))
      best = &v;
  // The data sheets of both say 480 GB for the host: then it is the first version.
  if (best != nullptr && memory > 300) best = &variants.front();
  const auto* base = best == nullptr ? nullptr : catalog.find<Accelerator>(best->base);
  if (base == nullptr) return std::nullopt;
  Accelerator a = *base;
  a.memory.fix((best->memory_gb * 1e9 * byte).si());
  a.memory_bandwidth.fix((best->bandwidth_gbs * gigabyte_per_second).si());
  use_reported_memory(best->id, a);
  ServingDevice d;
  d.id = best->id, d.path = path_of(a);
  d.accelerator = std::make_shared<const Accelerator>(std::move(a));
  return d;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

const Model* find_model(const catalog::Catalog& catalog, const std::string& name) {
  for (const auto& text : readings(name))
    if (const auto* m = exact_model(catalog, compact(text))) return m;
  for (const auto& text : readings(name))
    if (const auto* m = exact_model(catalog, plain_name(text))) return m;
  return nullptr;
}

std::optional<ServingDevice> find_device(const catalog::Catalog& catalog, const std::string& gpu,
                                         std::string& reason) {
  if (gpu.empty()) {
    reason = "no GPU given";
    return std::nullopt;
  }
  if (lower(gpu).rfind("cpu", 0) == 0) {
    reason = fmt::format("'{}': processors without an accelerator are not modelled", gpu);
    return std::nullopt;
  }
  if (auto v = variant_of(catalog, gpu)) return v;
  const auto* entry = find_accelerator(catalog, gpu);
  if (entry == nullptr && has(compact(gpu), "jetsonagxthor"))
    entry = catalog.find<Accelerator>("jetson-thor");
  if (entry == nullptr) {
    reason = fmt::format("no accelerator like '{}' in the catalogue", gpu);
    return std::nullopt;
  }
  Accelerator a = *entry;
  const double had = a.memory.or_else(Information{}).in(byte);
  use_reported_memory(entry->id, a);
  // "180GB" of a B200 is its memory; "480GB" of a superchip is not.
  if (const auto said = memory_in(gpu); said && had > 0 && *said > 0.7 * had && *said < 1.3 * had &&
                                        std::abs(*said / had - 1) > 0.02 && entry->id != "b200-sxm")
    a.memory.fix((*said * byte).si());
  ServingDevice d;
  d.id = entry->id, d.path = path_of(a);
  d.accelerator = std::make_shared<const Accelerator>(std::move(a));
  return d;
}

std::optional<ServingEngine> find_engine(const std::string& text, const std::string& version) {
  const auto t = lower(text);
  ServingEngine e;
  e.version = version;
  if (has(t, "llama.cpp") || has(t, "ollama")) {
    e.engine = infer::Engine::llama_cpp, e.name = "llama.cpp";
  } else if (has(t, "vllm")) {
    e.engine = infer::Engine::vllm, e.name = "vllm";
  } else if (has(t, "sglang")) {
    e.engine = infer::Engine::sglang, e.name = "sglang";
  } else if (has(t, "tensorrt") || has(t, "trt")) {
    // The compiled engine of 0.x, MLPerf's ("TensorRT 10.2") and the edge's; else the 1.x one.
    const bool compiled = version.rfind("0.1", 0) == 0 || version.rfind("0.5", 0) == 0 ||
                          version.rfind("0.6", 0) == 0 || version.rfind("0.9", 0) == 0 ||
                          has(t, "tensorrt 9") || has(t, "tensorrt 10") || has(t, "edge") ||
                          has(t, "triton");
    e.engine = compiled ? infer::Engine::tensorrt_017 : infer::Engine::tensorrt_llm;
    e.name = "tensorrt-llm";
    if (compiled && version.rfind("0.", 0) != 0) e.version = "0.17";
    // The source writes the release of Dynamo that ran it ("0.8.1.post2") or a nightly's name.
    if (!compiled && version.rfind("1.", 0) != 0) e.version.clear();
  } else {
    return std::nullopt;
  }
  return e;
}

std::optional<Formats> find_formats(const std::string& text) {
  const auto t = lower(text);
  if (t.empty()) return std::nullopt;
  Formats f;
  const auto kv = t.find("kv");
  const auto plus = t.find('+');
  const auto weights = t.substr(0, std::min(plus, t.size()));
  if (kv != std::string::npos && plus != std::string::npos)
    f.kv = has(t.substr(plus), "fp8") ? Precision::fp8 : Precision::bf16;
  if (has(weights, "awq") || has(weights, "gptq") || has(weights, "int4") ||
      has(weights, "w4a16") || has(weights, "q4_") || has(weights, "q4") || has(weights, "4bit")) {
    f.weights = Precision::int4, f.weight_only = true;
  } else if (has(weights, "mxfp4")) {
    f.weights = Precision::mxfp4;
  } else if (has(weights, "fp4")) {
    f.weights = Precision::nvfp4;
  } else if (has(weights, "mxfp8")) {
    f.weights = Precision::mxfp8;
  } else if (has(weights, "fp8") || has(weights, "float8")) {
    f.weights = Precision::fp8;
  } else if (has(weights, "int8") || has(weights, "w8a8") || has(weights, "q8_")) {
    f.weights = Precision::int8, f.weight_only = has(weights, "q8_");
  } else if (has(weights, "bf16") || has(weights, "bfloat16") || has(weights, "auto")) {
    f.weights = Precision::bf16;
  } else if (has(weights, "fp16") || has(weights, "float16") || has(weights, "f16") ||
             has(weights, "half")) {
    f.weights = Precision::fp16;
  } else {
    return std::nullopt;
  }
  return f;
}

}  // namespace headroom::validation
