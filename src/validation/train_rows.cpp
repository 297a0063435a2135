#include "validation/train_rows.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace headroom::validation {
namespace {

using spec::Node;

int whole(const Facts& f, std::string_view key) {
  const double v = f.number(key).value_or(0);
  return v > -1e9 && v < 1e9 ? int(v) : 0;
}

catalog::Model read_model(const std::string& id, const Facts& f) {
  catalog::Model m;
  m.id = m.name = id;
  m.layers = whole(f, "layers"), m.hidden = whole(f, "hidden"), m.heads = whole(f, "heads");
  m.kv_heads = whole(f, "kv_heads"), m.head_dim = whole(f, "head_dim"), m.ffn = whole(f, "ffn");
  m.vocab = whole(f, "vocab");
  m.gated = f.flag("gated").value_or(true), m.tied = f.flag("tied").value_or(false);
  m.window = whole(f, "sliding_window");
  m.global_every = m.window > 0 ? whole(f, "sliding_every") : 0;
  m.mla.q_rank = whole(f, "q_lora"), m.mla.kv_rank = whole(f, "kv_lora");
  m.mla.nope_dim = whole(f, "qk_nope"), m.mla.rope_dim = whole(f, "qk_rope");
  m.mla.value_dim = whole(f, "v_head");
  m.moe.experts = whole(f, "experts"), m.moe.active = whole(f, "topk");
  m.moe.ffn = whole(f, "moe_ffn"), m.moe.shared_ffn = whole(f, "shared_ffn");
  m.moe.shared = m.moe.shared_ffn > 0 ? 1 : 0;
  m.moe.first_dense = whole(f, "dense_layers");
  m.moe.period = std::max(1, whole(f, "moe_every"));
  m.mtp_layers = whole(f, "mtp_layers");
  return m;
}

template <class F>
void each_pair(const Node* map, F&& f) {
  if (map == nullptr || map->kind != Node::Kind::map) return;
  for (std::size_t i = 0; i + 1 < map->items.size(); i += 2)
    f(map->items[i].text, map->items[i + 1]);
}

void read_maps(const Node& root, TrainRows& out) {
  each_pair(root.get("models"), [&](const std::string& id, const Node& n) {
    out.models[id] = std::make_shared<const catalog::Model>(read_model(id, Facts(n)));
  });
  each_pair(root.get("hw"), [&](const std::string& id, const Node& n) {
    out.machines[id] = std::make_shared<const Machine>(Machine{id, Facts(n)});
  });
}

/// Points a row at the model and the machine that it names, where they are known.
void resolve(TrainRow& r, const TrainRows& all) {
  if (const auto m = all.models.find(r.model_name); r.model == nullptr && m != all.models.end())
    r.model = m->second;
  if (const auto m = all.machines.find(r.machine_name);
      r.machine == nullptr && m != all.machines.end())
    r.machine = m->second;
  if (r.machine != nullptr) r.facts.set_default("gpu", r.machine->facts.text("gpu"));
  r.facts.set_default("gpu", r.machine_name);
}

/// BLOOM's sweep of February 2022 (bigscience chronicles-prequel.md): its readings leave out
/// what all of its runs share.
void add_chronicle(TrainRow& r) {
  if (r.source.find("chronicles-prequel") == std::string::npos) return;
  for (const auto& [key, value] : {std::pair{"mbs", "1"},
                                   {"gbs", "2048"},
                                   {"seq", "2048"},
                                   {"zero", "1"},
                                   {"recompute", "full"},
                                   {"vocab", "250880"},
                                   {"hw", "A100-SXM-80GB"},
                                   {"prec", "fp16"},
                                   {"sp", "false"}})
    r.facts.set_default(key, value);
}

/// A GPT from the shape that the row itself gives.
std::shared_ptr<const catalog::Model> shape_of(const TrainRow& r) {
  auto m = read_model(r.id, r.facts);
  if (m.layers <= 0 || m.hidden <= 0 || m.vocab <= 0) return nullptr;
  constexpr int head = 128;
  if (m.heads <= 0) m.heads = std::max(1, m.hidden / head);
  if (m.ffn <= 0) m.ffn = m.hidden > 100'000'000 ? m.hidden : 4 * m.hidden;
  m.gated = r.facts.flag("gated").value_or(false), m.tied = r.facts.flag("tied").value_or(true);
  return std::make_shared<const catalog::Model>(std::move(m));
}

TrainRow read_row(const Node& n, const std::string& file) {
  TrainRow r;
  r.facts = Facts(n);
  r.id = r.facts.text("id"), r.group = group_of(r.id), r.source = r.facts.text("source");
  r.tier = r.facts.text("tier");
  if (r.tier.empty()) r.tier = "A";
  r.file = file, r.line = n.line;
  return r;
}

void read_list(const Node& list, const std::string& file, TrainRows& out) {
  std::string source_before;  // "same" repeats the row above
  for (const auto& n : list.items) {
    if (n.kind != Node::Kind::map) {
      out.skipped.push_back({fmt::format("{}:{}", file, n.line), "?", "not a map of values"});
      continue;
    }
    auto row = read_row(n, file);
    if (row.source.rfind("same", 0) == 0) row.source = source_before + row.source.substr(4);
    source_before = row.source;
    if (row.id.empty()) {
      row.id = fmt::format("{}:{}", file, n.line), row.group = "?";
      out.skipped.push_back({row.id, row.group, "no id"});
      continue;
    }
    add_chronicle(row);
    row.model_name = row.facts.text("model"), row.machine_name = row.facts.text("hw");
    if (row.model_name.empty()) row.model = shape_of(row);
    resolve(row, out);
    out.rows.push_back(std::move(row));
  }
}

// --- vTrain's CSV ------------------------------------------------------------------------

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == ',')
      out.emplace_back();
    else if (c != '\r' && c != '"')
      out.back() += c;
  }
  return out;
}

/// Our key of a column of vTrain's sets, or empty.
std::string key_of(const std::string& head) {
  static const std::map<std::string, std::string> keys = {
      {"# gpus", "gpus"},           {"global batch", "gbs"},
      {"micro batch", "mbs"},       {"hidden size", "hidden"},
      {"attention heads", "heads"}, {"# layers", "layers"},
      {"sequence length", "seq"},   {"tensor parallelism", "tp"},
      {"data parallelism", "dp"},   {"pipeline parallelism", "pp"},
      {"iteration time (ms)", "ms"}};
  std::string name = lower(head);
  const auto from = name.find_first_not_of(" \t");
  name =
      from == std::string::npos ? "" : name.substr(from, name.find_last_not_of(" \t") - from + 1);
  const auto it = keys.find(name);
  return it == keys.end() ? std::string() : it->second;
}

// VIA-Research/vTrain (MIT): Megatron-DeepSpeed on A100-80GB nodes, fp16, GPT with the
// vocabulary of GPT-2 padded to 51,200, full recomputation, replicated optimiser. The NICs
// (four HDR ports a node of eight GPUs) are recalled, unverified.
constexpr const char* vtrain_source = "vTrain (VIA-Research, MICRO 2024; MIT) on A100-80GB nodes";

std::shared_ptr<const Machine> vtrain_machine() {
  Machine m;
  m.id = "a100-vtrain";
  m.facts.set("gpu", "A100-SXM-80GB"), m.facts.set("per_node", "8");
  m.facts.set("nvlink_GBps", "300"), m.facts.set("net_Gbps_per_gpu", "100");
  m.facts.set("net", "four HDR200 IB ports a node, recalled");
  return std::make_shared<const Machine>(std::move(m));
}

std::optional<TrainRow> vtrain_row(const std::vector<std::string>& keys,
                                   const std::vector<std::string>& values, const char* group,
                                   std::string& reason) {
  TrainRow r;
  for (std::size_t i = 0; i < keys.size() && i < values.size(); ++i)
    if (!keys[i].empty()) r.facts.set(keys[i], values[i]);
  const auto get = [&](const char* key) { return r.facts.number(key).value_or(0); };
  for (const char* key :
       {"gpus", "gbs", "mbs", "hidden", "heads", "layers", "seq", "tp", "dp", "pp", "ms"})
    if (get(key) <= 0 || get(key) > 1e9) {
      reason = fmt::format("{} is missing or not above 0", key);
      return std::nullopt;
    }
  catalog::Model m;
  m.id = m.name = fmt::format("gpt-{}x{}h{}", get("layers"), get("hidden"), get("heads"));
  m.hidden = int(get("hidden")), m.heads = int(get("heads")), m.layers = int(get("layers"));
  m.ffn = 4 * m.hidden, m.gated = false, m.vocab = 51200, m.tied = true;
  r.model_name = m.id, r.model = std::make_shared<const catalog::Model>(std::move(m));
  r.facts.set("s_per_iter", fmt::format("{}", get("ms") / 1e3));
  r.facts.set("prec", "fp16"), r.facts.set("zero", "0"), r.facts.set("sp", "false");
  r.facts.set("recompute", "full");
  r.group = group, r.source = vtrain_source, r.tier = "A";
  return r;
}

Result<TrainRows> parse_csv(const std::string& name, const std::string& text) {
  TrainRows out;
  const auto machine = vtrain_machine();
  std::vector<std::string> keys;
  const char* group = "vtrain-single";
  int number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto values = cells(text.substr(at, end - at));
    at = end + 1, ++number;
    if (values.size() == 1 && is_absent(values[0])) continue;
    if (keys.empty()) {
      for (const auto& head : values) {
        keys.push_back(key_of(head));
        if (lower(head).find("parameters") != std::string::npos) group = "vtrain-multi";
      }
      if (std::find(keys.begin(), keys.end(), "ms") == keys.end()) break;
      continue;
    }
    std::string reason;
    auto row = vtrain_row(keys, values, group, reason);
    const auto id = fmt::format("{}-{}", group, number);
    if (!row) {
      out.skipped.push_back({id, group, reason});
      continue;
    }
    row->id = id, row->file = name, row->line = number;
    row->machine_name = machine->id, row->machine = machine;
    out.rows.push_back(std::move(*row));
  }
  if (std::find(keys.begin(), keys.end(), "ms") == keys.end())
    return failure({name, 1, 1, "",
                    "no column 'iteration time (ms)': not one of vTrain's tables of runs",
                    "expected measured.yaml's layout (models, hw, rows) or vTrain's columns", ""});
  return out;
}

bool looks_like_csv(const std::string& name, const std::string& text) {
  if (name.size() > 4 && lower(name.substr(name.size() - 4)) == ".csv") return true;
  return lower(text.substr(0, text.find('\n'))).find("iteration time (ms)") != std::string::npos;
}

}  // namespace

void TrainRows::append(TrainRows other) {
  std::move(other.rows.begin(), other.rows.end(), std::back_inserter(rows));
  std::move(other.skipped.begin(), other.skipped.end(), std::back_inserter(skipped));
  models.merge(other.models);
  machines.merge(other.machines);
  for (auto& row : rows) resolve(row, *this);
}

Result<TrainRows> parse_train_rows(const std::string& name, std::string text) {
  if (looks_like_csv(name, text)) return parse_csv(name, text);
  Diagnostics mistakes;
  const auto document = spec::parse_yaml(name, std::move(text), mistakes);
  if (!document) return failure(std::move(mistakes));
  TrainRows out;
  read_maps(document->root, out);
  const Node* rows = document->root.get("rows");
  const Node* memory = document->root.get("measured");
  for (const Node* list : {rows, memory})
    if (list != nullptr && list->kind == Node::Kind::sequence) read_list(*list, name, out);
  if (rows == nullptr && memory == nullptr)
    return failure({name, 1, 1, "", "no list 'rows' and no list 'measured'",
                    "expected measured.yaml's layout (models, hw, rows), memory.yaml's "
                    "(measured) or vTrain's CSV",
                    ""});
  return out;
}

Result<TrainRows> read_train_rows(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure({path, 0, 0, "", "cannot be read", "", ""});
  // A folder opens and fails on reading, which << turns into a state.
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || (!text && file.peek() != std::ifstream::traits_type::eof()))
    return failure({path, 0, 0, "", "cannot be read", "", ""});
  return parse_train_rows(path, text.str());
}

}  // namespace headroom::validation
