#include "validation/infer_rows.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "requests/text_file.hpp"
#include "spec/node.hpp"

namespace headroom::validation {
namespace {

using spec::Node;

/// Scalars of a map and of the maps in it, as "outer.inner"; lists are left out.
void flatten(const Node& map, const std::string& prefix, Facts& out) {
  constexpr std::size_t deepest = 200;  // of a prefix: nobody nests further in earnest
  if (map.kind != Node::Kind::map || prefix.size() > deepest) return;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const auto& key = map.items[i].text;
    const auto& value = map.items[i + 1];
    if (value.kind == Node::Kind::scalar) out.set(prefix + key, value.text);
    if (value.kind == Node::Kind::map) flatten(value, prefix + key + ".", out);
  }
}

InferRow base_row(const Node& n, const std::string& file) {
  InferRow r;
  flatten(n, "", r.facts);
  r.id = r.facts.text("id"), r.file = file, r.line = n.line;
  if (r.id.empty()) r.id = fmt::format("{}:{}", file, n.line);
  return r;
}

/// A format that llama.cpp's tables name in a key: "q4_0_7B", "f16"; nothing for "tg512".
std::optional<std::pair<std::string, std::string>> format_in(const std::string& key) {
  for (const char* format : {"q4_0", "q4_k_m", "q8_0", "f16", "bf16"}) {
    if (lower(key).rfind(format, 0) != 0) continue;
    const auto rest = key.substr(std::char_traits<char>::length(format));
    return std::pair{std::string(format), rest.empty() ? rest : rest.substr(1)};
  }
  return std::nullopt;
}

/// A row whose rates stand by format and size ("decode_tok_s": {"q4_0_7B": 63.1}) as one row each.
std::vector<InferRow> by_format(const InferRow& row, const Node& n) {
  std::vector<InferRow> out;
  constexpr const char* prompt_tokens = "pp512";  // the tables' prompt length
  for (const char* rate : {"decode_tok_s", "prefill_tok_s"}) {
    const Node* map = n.get(rate);
    if (map == nullptr || map->kind != Node::Kind::map) continue;
    for (std::size_t i = 0; i + 1 < map->items.size(); i += 2) {
      const auto found = format_in(map->items[i].text);
      if (!found) continue;
      InferRow r = row;
      r.id = fmt::format("{}/{}", row.id, map->items[i].text);
      r.facts.set("precision", found->first);
      const auto model = row.facts.text("model");
      if (!found->second.empty())
        r.facts.set("model", model.substr(0, model.find(' ')) + " " + found->second);
      const bool decode = std::string_view(rate) == "decode_tok_s";
      r.facts.set(decode ? rate : fmt::format("{}.{}", rate, prompt_tokens),
                  map->items[i + 1].text);
      out.push_back(std::move(r));
    }
  }
  return out;
}

void read_stages(const Node& stages, const InferRow& run, InferRows& out) {
  int number = 0;
  for (const auto& s : stages.items) {
    InferRow r = run;
    r.layout = InferLayout::open_loop, r.stage = number++, r.line = s.line;
    r.id = fmt::format("{}/{}", run.id, number);
    if (s.kind != Node::Kind::map) {
      out.skipped.push_back({r.id, r.source, "a stage that is not a map of values"});
      continue;
    }
    flatten(s, "stage.", r.facts);
    out.rows.push_back(std::move(r));
  }
  if (number == 0) out.skipped.push_back({run.id, run.source, "no stages"});
}

// --- Logs --------------------------------------------------------------------------------

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t most_log_bytes = 512u << 20;

std::optional<std::string> plain_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return file ? std::optional(text.str()) : std::nullopt;
}

double number_of(const Json& j, const char* key) {
  const auto it = j.find(key);
  return it != j.end() && it->is_number() ? it->get<double>() : std::nan("");
}

/// Scalars of a JSON object and those in it as "outer.inner"; of lists the first element.
void flatten(const Json& j, const std::string& key, int depth, Facts& out) {
  constexpr int deepest = 12;
  if (depth > deepest) return;
  if (j.is_object()) {
    for (const auto& [k, v] : j.items())
      flatten(v, key.empty() ? k : key + "." + k, depth + 1, out);
  } else if (j.is_array()) {
    if (!j.empty()) flatten(j.front(), key, depth + 1, out);
  } else if (j.is_string()) {
    out.set(key, j.get<std::string>());
  } else if (!j.is_null()) {
    out.set(key, j.dump());
  }
}

/// Gives `key` the first of the others that is there.
void name_fact(Facts& f, const std::string& key, std::initializer_list<const char*> from) {
  for (const char* other : from)
    if (f.has(other)) return f.set_default(key, f.text(other));
}

/// What meta.json and config.json say, under the names that rows use.
Facts log_facts(const Json& meta, const Json& config) {
  Facts f;
  flatten(meta, "", 0, f), flatten(config, "", 0, f);
  name_fact(f, "model", {"engine_kwargs.model", "nodes.instances.model_name"});
  name_fact(f, "gpu", {"nodes.instances.hardware", "hardware", "gpu_name"});
  f.set_default("engine", "vLLM");
  name_fact(f, "version", {"vllm_version", "engine_version"});
  name_fact(f, "tp", {"engine_kwargs.tensor_parallel_size", "nodes.instances.tp_size"});
  name_fact(f, "n_gpu", {"nodes.instances.num_npus"});
  name_fact(f, "max_num_seqs", {"engine_kwargs.max_num_seqs"});
  name_fact(f, "max_num_batched_tokens", {"engine_kwargs.max_num_batched_tokens"});
  name_fact(f, "max_model_len", {"engine_kwargs.max_model_len"});
  name_fact(f, "gpu_memory_utilization",
            {"engine_kwargs.gpu_memory_utilization", "nodes.instances.npu_mem.mem_util"});
  name_fact(f, "precision", {"engine_kwargs.quantization", "engine_kwargs.dtype"});
  name_fact(f, "kv_cache", {"engine_kwargs.kv_cache_dtype"});
  name_fact(f, "enforce_eager", {"engine_kwargs.enforce_eager"});
  if (f.flag("engine_kwargs.enable_expert_parallel").value_or(false)) f.set("ep", f.text("tp"));
  f.set_default("precision", "bf16");
  f.set("scenario", "log");
  return f;
}

Result<InferRows> read_log_folder(const fs::path& folder) {
  const auto shown = folder.string();
  const auto mistake = [&](const char* file, const std::string& what) {
    return failure({(folder / file).string(), 0, 0, "", what,
                    "a log is a folder with meta.json, config.json and requests.jsonl[.gz]", ""});
  };
  const auto meta_text = plain_text(folder / "meta.json");
  if (!meta_text) return mistake("meta.json", "cannot be read");
  const auto meta = Json::parse(*meta_text, nullptr, false);
  if (!meta.is_object()) return mistake("meta.json", "is no JSON object");
  const auto config =
      Json::parse(plain_text(folder / "config.json").value_or("{}"), nullptr, false);
  if (config.is_discarded()) return mistake("config.json", "is no JSON");
  const char* name =
      fs::exists(folder / "requests.jsonl.gz") ? "requests.jsonl.gz" : "requests.jsonl";
  const auto text = requests::load_text((folder / name).string());
  if (!text) return failure(text.error());
  InferRow r;
  r.id = fs::path(folder / "meta.json").parent_path().filename().string();
  r.source = "log", r.file = shown, r.layout = InferLayout::log;
  r.facts = log_facts(meta, config);
  r.log = std::make_shared<const RequestLog>(parse_request_log(*text));
  InferRows out;
  if (r.log->requests.empty())
    out.skipped.push_back({r.id, r.source, "no request with lengths and times in the log"});
  else
    out.rows.push_back(std::move(r));
  return out;
}

/// A log's folder, or a folder of them.
Result<InferRows> read_folder(const fs::path& folder) {
  if (fs::exists(folder / "meta.json")) return read_log_folder(folder);
  std::vector<fs::path> inside;
  std::error_code error;
  for (const auto& e : fs::directory_iterator(folder, error))
    if (e.is_directory() && fs::exists(e.path() / "meta.json")) inside.push_back(e.path());
  std::sort(inside.begin(), inside.end());
  if (inside.empty())
    return failure({folder.string(), 0, 0, "", "a folder without a log",
                    "a log is a folder with meta.json, config.json and requests.jsonl[.gz]", ""});
  InferRows all;
  Diagnostics mistakes;
  for (const auto& path : inside) {
    auto rows = read_log_folder(path);
    if (rows)
      all.append(std::move(*rows));
    else
      mistakes.add(rows.error());
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return all;
}

std::string shown_name(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

void InferRows::append(InferRows other) {
  std::move(other.rows.begin(), other.rows.end(), std::back_inserter(rows));
  std::move(other.skipped.begin(), other.skipped.end(), std::back_inserter(skipped));
}

Result<InferRows> parse_infer_rows(const std::string& name, std::string text) {
  Diagnostics mistakes;
  const auto document = spec::parse_yaml(name, std::move(text), mistakes);
  if (!document) return failure(std::move(mistakes));
  const Node* list = document->root.get("rows");
  if (list == nullptr || list->kind != Node::Kind::sequence)
    return failure({name, 1, 1, "", "no list 'rows'",
                    "expected measured.yaml's layout (rows), open_loop.yaml's (rows with stages) "
                    "or a folder with meta.json, config.json and requests.jsonl.gz",
                    ""});
  InferRows out;
  for (const auto& n : list->items) {
    if (n.kind != Node::Kind::map) {
      out.skipped.push_back({fmt::format("{}:{}", name, n.line), "?", "not a map of values"});
      continue;
    }
    auto row = base_row(n, name);
    const Node* stages = n.get("stages");
    row.source = row.facts.text("src");
    if (row.source.empty()) row.source = stages != nullptr ? "open-loop" : shown_name(name);
    if (stages != nullptr && stages->kind == Node::Kind::sequence)
      read_stages(*stages, row, out);
    else if (auto several = by_format(row, n); !several.empty())
      std::move(several.begin(), several.end(), std::back_inserter(out.rows));
    else
      out.rows.push_back(std::move(row));
  }
  return out;
}

RequestLog parse_request_log(const std::string& text) {
  RequestLog log;
  if (text.size() > most_log_bytes) return log;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto j = Json::parse(line, nullptr, false);
    LoggedRequest r;
    if (j.is_object()) {
      r.input = number_of(j, "input_toks"), r.output = number_of(j, "output_toks");
      r.arrival_s = number_of(j, "arrival_time"), r.queued_s = number_of(j, "queued_ts");
      r.first_token_s = number_of(j, "first_token_ts");
      r.last_token_s = number_of(j, "last_token_ts");
    }
    const bool whole = j.is_object() && r.input >= 1 && r.input < 1e8 && r.output >= 1 &&
                       r.output < 1e8 && std::isfinite(r.arrival_s) &&
                       r.first_token_s >= r.queued_s && r.last_token_s >= r.first_token_s;
    if (whole)
      log.requests.push_back(r);
    else
      ++log.broken;
  }
  std::stable_sort(log.requests.begin(), log.requests.end(),
                   [](const auto& a, const auto& b) { return a.arrival_s < b.arrival_s; });
  if (log.requests.empty()) return log;
  const double start = log.requests.front().arrival_s;
  for (auto& r : log.requests) r.arrival_s -= start;
  return log;
}

Result<InferRows> read_infer_rows(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return read_folder(path);
  if (const fs::path file(path); file.filename() == "meta.json")
    return read_folder(file.parent_path());
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure({path, 0, 0, "", "cannot be read", "", ""});
  // A folder opens and fails on reading, which << turns into a state.
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || (!text && file.peek() != std::ifstream::traits_type::eof()))
    return failure({path, 0, 0, "", "cannot be read", "", ""});
  return parse_infer_rows(path, text.str());
}

Result<InferRows> read_infer_files(const std::vector<std::string>& files) {
  InferRows all;
  Diagnostics mistakes;
  for (const auto& file : files) {
    auto rows = read_infer_rows(file);
    if (rows)
      all.append(std::move(*rows));
    else
      mistakes.add(rows.error());
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return all;
}

}  // namespace headroom::validation
