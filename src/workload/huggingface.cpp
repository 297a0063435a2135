#include "workload/huggingface.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "workload/huggingface_config.hpp"

namespace headroom::workload {

using catalog::Model;
using catalog::ModelFamily;
using Json = nlohmann::json;

namespace {

constexpr std::size_t largest_file = 4 << 20;
// Above any architecture ever published; beyond it a figure is a typing mistake, and four
// times it still fits an int.
constexpr double largest_integer = 1 << 28;

/// Offset of `"key"` followed by a colon at or behind `start`, or npos.
std::size_t find_key(std::string_view text, std::string_view key, std::size_t start) {
  const std::string quoted = '"' + std::string(key) + '"';
  for (auto at = text.find(quoted, start); at != text.npos; at = text.find(quoted, at + 1)) {
    const auto next = text.find_first_not_of(" \t\r\n", at + quoted.size());
    if (next != text.npos && text[next] == ':') return at;
  }
  return text.npos;
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> out;
  for (auto it = object.begin(); it != object.end(); ++it) out.push_back(it.key());
  return out;
}

}  // namespace

Place place_of(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  Place p;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') ++p.line, begin = i + 1;
  }
  p.column = int(offset - begin) + 1;
  const auto end = std::min(text.find('\n', begin), begin + 200);
  p.excerpt = text.substr(begin, std::min(end, text.size()) - begin);
  return p;
}

void Config::mistake(std::string_view key, std::string message, std::string hint) {
  Diagnostic d;
  d.file = file_;
  d.path = key;
  d.message = std::move(message);
  d.hint = std::move(hint);
  if (const auto at = find_key(text_, key, start_); at != text_.npos) {
    const Place p = place_of(text_, at);
    d.line = p.line, d.column = p.column, d.excerpt = p.excerpt;
  }
  diagnostics_.add(std::move(d));
}

const Json* Config::find(const char* key) const {
  const auto it = object_.find(key);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

const Json* Config::first(Keys keys, const char** used) const {
  for (const char* key : keys) {
    if (const Json* v = find(key)) return *used = key, v;
  }
  return nullptr;
}

int Config::integer(const Json& value, const char* key, int least) {
  const double v = value.is_number() ? value.get<double>() : std::nan("");
  if (!(v == std::floor(v))) {
    mistake(key, "expected a whole number");
    return 0;
  }
  if (v < least || v > largest_integer) {
    mistake(key, fmt::format("{} is not between {} and {}", v, least, largest_integer));
    return 0;
  }
  return int(v);
}

int Config::need(Keys keys) {
  const char* used = nullptr;
  if (const Json* v = first(keys, &used)) return integer(*v, used, 1);
  const std::string key = *keys.begin();
  mistake(key, "'" + key + "' is missing", did_you_mean(key, keys_of(object_)));
  return 0;
}

int Config::get(Keys keys, int fallback, int least) {
  const char* used = nullptr;
  const Json* v = first(keys, &used);
  return v ? integer(*v, used, least) : fallback;
}

bool Config::flag(const char* key, bool fallback) {
  const Json* v = find(key);
  if (!v) return fallback;
  if (v->is_boolean()) return v->get<bool>();
  mistake(key, "expected true or false");
  return fallback;
}

std::string Config::word(const char* key, std::string fallback) {
  const Json* v = find(key);
  if (!v) return fallback;
  if (v->is_string()) return v->get<std::string>();
  mistake(key, "expected a text");
  return fallback;
}

namespace {

/// Largest divisor of `n` that is not above `wish`.
int nearest_divisor(int n, int wish) {
  for (int d = std::min(n, wish); d > 1; --d) {
    if (n % d == 0) return d;
  }
  return 1;
}

void check_heads(Config& c, const Model& m) {
  if (m.heads == 0) return;
  if (m.head_dim == 0 && !m.is_latent() && m.hidden % m.heads != 0) {
    c.mistake("num_attention_heads",
              fmt::format("{} heads do not divide the width {}", m.heads, m.hidden),
              fmt::format("nearest that does: {}", nearest_divisor(m.hidden, m.heads)));
  }
  if (m.kv_heads > 0 && m.heads % m.kv_heads != 0) {
    c.mistake("num_key_value_heads",
              fmt::format("{} key heads do not divide {} query heads", m.kv_heads, m.heads),
              fmt::format("nearest that does: {}", nearest_divisor(m.heads, m.kv_heads)));
  }
}

void check_experts(Config& c, const Model& m) {
  if (m.moe.active > m.moe.experts) {
    c.mistake("num_experts_per_tok",
              fmt::format("a token cannot visit {} of {} experts", m.moe.active, m.moe.experts));
  }
  if (m.moe.first_dense > m.layers) {
    c.mistake("first_k_dense_replace",
              fmt::format("{} dense layers of {}", m.moe.first_dense, m.layers));
  }
}

/// How the weights are stored: the quantisation's method, else torch_dtype.
void read_precision(Config& c, Model& m) {
  const std::string dtype = c.word("torch_dtype", c.word("dtype", "bfloat16"));
  if (dtype == "float32")
    m.weights = Precision::fp32;
  else if (dtype == "float16")
    m.weights = Precision::fp16;
  const Json* q = c.find("quantization_config");
  if (!q || !q->is_object() || !q->contains("quant_method")) return;
  const Json& method_value = (*q)["quant_method"];
  const std::string method = method_value.is_string() ? method_value.get<std::string>() : "";
  if (method == "fp8")
    m.weights = Precision::fp8;
  else if (method == "mxfp4")
    m.weights = Precision::mxfp4, m.weights_experts_only = true;
  else if (method == "awq" || method == "gptq")
    m.weights = Precision::int4;
}

/// An architecture that ends in "Model" has no language-model head: an encoder.
void read_architecture(Config& c, Model& m) {
  const Json* a = c.find("architectures");
  if (!a || !a->is_array() || a->empty() || !a->front().is_string()) return;
  const std::string name = a->front().get<std::string>();
  if (name.size() > 5 && name.compare(name.size() - 5, 5, "Model") == 0) {
    m.family = ModelFamily::embedding;
    m.head = false;
  }
}

void name_model(const Json& root, const std::string& file, Model& m) {
  const auto it = root.find("_name_or_path");
  const bool named = it != root.end() && it->is_string() && !it->get<std::string>().empty();
  m.id = m.name = named ? it->get<std::string>() : file;
  Source source;
  source.key = file;
  source.title = "Hugging Face config " + file;
  source.trust = Trust::user;
  m.origin.source = std::make_shared<const Source>(std::move(source));
  m.origin.file = std::make_shared<const std::string>(file);
  m.origin.line = m.origin.column = 1;
}

std::optional<Json> parse(std::string_view text, const std::string& file, Diagnostics& out) {
  const auto refuse = [&](std::size_t offset, std::string message) {
    const Place p = place_of(text, offset);
    out.add({file, p.line, p.column, "", std::move(message), "", p.excerpt});
    return std::optional<Json>();
  };
  if (text.size() > largest_file) return refuse(0, "larger than 4 MiB: not a model's config.json");
  try {
    Json root = Json::parse(text);
    if (!root.is_object()) return refuse(0, "expected a JSON object, as in a model's config.json");
    return root;
  } catch (const Json::parse_error& e) {
    return refuse(e.byte > 0 ? e.byte - 1 : 0, "not valid JSON");
  } catch (const Json::exception&) {
    return refuse(0, "not valid JSON");  // numbers out of range, broken UTF-8
  }
}

}  // namespace

std::optional<Model> read_huggingface(std::string_view text, const std::string& file,
                                      Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.count();
  const auto root = parse(text, file, diagnostics);
  if (!root) return std::nullopt;
  const auto inner = root->find("text_config");
  const bool nested = inner != root->end() && inner->is_object();
  const auto start = nested ? find_key(text, "text_config", 0) : 0;
  Config outer(*root, text, file, 0, diagnostics);
  Config config(nested ? *inner : *root, text, file, start == text.npos ? 0 : start, diagnostics);

  std::string type = config.word("model_type");
  if (type.empty()) type = outer.word("model_type");
  Model model;
  if (!fill_model(type, config, model)) {
    const std::string what =
        type.empty() ? "'model_type' is missing" : "model type '" + type + "' is not known";
    outer.mistake("model_type", what, did_you_mean(type, huggingface_types()));
    return std::nullopt;
  }
  read_architecture(outer, model);
  read_precision(outer, model);
  check_heads(config, model);
  check_experts(config, model);
  if (diagnostics.count() > before) return std::nullopt;
  name_model(*root, file, model);
  if (nested) model.note = "Text part of a multimodal model; its other towers are left out";
  return model;
}

std::optional<Model> load_huggingface(const std::string& path, Diagnostics& diagnostics) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  if (in) {
    text.resize(largest_file + 1);
    in.read(text.data(), std::streamsize(text.size()));
    text.resize(std::size_t(in.gcount()));
  }
  if (!in && text.empty()) {
    diagnostics.add({path, 0, 0, "", "cannot read the file", "", ""});
    return std::nullopt;
  }
  return read_huggingface(text, path, diagnostics);
}

}  // namespace headroom::workload
