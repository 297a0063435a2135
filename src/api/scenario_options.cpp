#include "api/scenario_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace headroom::api {

namespace {

constexpr const char* brought_model = "from-hf";
const std::string usual_kind(study::work_kind_names().front());  // of a workload that says none

constexpr OptionPath place_table[] = {
    {{"--region", "Place", "Catalogue region: price and carbon of electricity, e.g. us-iowa"},
     OptionPlace::site,
     "region"},
    {{"--electricity", "Place", "Price of electricity, e.g. 60 USD/MWh; the region's"},
     OptionPlace::money,
     "energy_price",
     "USD/MWh"},
    {{"--pue", "Place", "Energy at the meter over that of the machines, e.g. 1.2; 1.35"},
     OptionPlace::cluster,
     "pue"},
    {{"--price", "Place", "Price of a GPU-hour in USD, e.g. 2.5; the catalogue's rent"}},
    {{"--as-of", "Place", "Day of the study, YYYY-MM-DD, e.g. 2026-11-01"},
     OptionPlace::root,
     "as_of"},
};

spec::Node scalar(std::string text) {
  spec::Node node;
  node.kind = spec::Node::Kind::scalar;
  node.text = std::move(text);
  return node;
}

/// "a,b" as a list.
spec::Node words(const std::string& text) {
  spec::Node list;
  list.kind = spec::Node::Kind::sequence;
  for (auto& word : split(text)) list.items.push_back(scalar(std::move(word)));
  return list;
}

spec::Node& child(spec::Node& map, std::string_view key) {
  map.kind = spec::Node::Kind::map;
  if (spec::Node* there = map.get(key)) return *there;
  map.items.push_back(scalar(std::string(key)));
  map.items.emplace_back();
  return map.items.back();
}

std::string text_of(const spec::Node& map, std::string_view key) {
  const spec::Node* value = map.get(key);
  return value != nullptr ? value->text : std::string();
}

/// A bare number with the option's unit: "20/s" is 20 of what the unit counts.
std::string with_unit(const OptionPath& path, std::string text) {
  const auto n = split_number(text);
  if (!n || path.unit.empty()) return text;
  if (n->unit.empty()) return text + " " + std::string(path.unit);
  if (n->unit.front() == '/')
    return fmt::format("{} {}{}", n->number, path.unit.substr(0, path.unit.find('/')), n->unit);
  return text;
}

}  // namespace

std::vector<OptionPath> with_place(std::span<const OptionPath> table) {
  std::vector<OptionPath> out(table.begin(), table.end());
  out.insert(out.end(), std::begin(place_table), std::end(place_table));
  return out;
}

std::vector<OptionInfo> infos_of(std::span<const OptionPath> table) {
  std::vector<OptionInfo> out;
  for (const auto& path : table) out.push_back(path.info);
  return out;
}

void put_map(spec::Node& map, std::string_view key) {
  child(map, key).kind = spec::Node::Kind::map;
}

void put(spec::Node& map, std::string_view path, std::string text) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) {
    child(map, path) = path.ends_with("modules") ? words(text) : scalar(std::move(text));
    return;
  }
  put(child(map, path.substr(0, dot)), path.substr(dot + 1), std::move(text));
}

spec::Node& element(spec::Node& map, std::string_view list, std::string_view name) {
  spec::Node& items = child(map, list);
  items.kind = spec::Node::Kind::sequence;
  for (auto& item : items.items)
    if (text_of(item, "name") == name) return item;
  items.items.emplace_back();
  put(items.items.back(), "name", std::string(name));
  return items.items.back();
}

ScenarioOptions::ScenarioOptions(std::span<const OptionPath> table, OptionReader& in, Scope scope,
                                 Diagnostics& mistakes)
    : table_(table), in_(in), scope_(std::move(scope)), mistakes_(mistakes) {}

std::optional<spec::Document> ScenarioOptions::open() {
  if (from_file()) return spec::load_yaml(scope_.file, mistakes_);
  spec::Document document;
  document.file = std::make_shared<std::string>("command line");
  return document;
}

void ScenarioOptions::place(spec::Node& root, const Change& change) {
  for (const auto& path : table_) {
    const std::string name(path.info.name);
    if (path.place == OptionPlace::own || !in_.has(name)) continue;
    std::optional<std::string> text =
        path.info.flag ? std::string(path.on) : with_unit(path, in_.value(name));
    if (change) text = change(path, std::move(*text));
    if (text) place(root, path, *text);
  }
}

void ScenarioOptions::place(spec::Node& root, const OptionPath& path, const std::string& text) {
  switch (path.place) {
    case OptionPlace::own:
      return;
    case OptionPlace::root:
      return put_at(root, "", path, text);
    case OptionPlace::site:
      return put_at(child(root, "site"), "site.", path, text);
    case OptionPlace::money:
      return put_at(child(root, "money"), "money.", path, text);
    case OptionPlace::cluster:
      for (auto* cluster : clusters(root))
        put_at(*cluster, fmt::format("clusters.{}.", text_of(*cluster, "name")), path, text);
      return;
    case OptionPlace::work:
      for (auto* work : works(root))
        put_at(*work, fmt::format("workloads.{}.", text_of(*work, "name")), path, text);
  }
}

void ScenarioOptions::put_at(spec::Node& object, const std::string& where, const OptionPath& path,
                             const std::string& text) {
  put(object, path.path, text);
  if (in_.has(std::string(path.info.name)))
    placed_[where + std::string(path.path)] =
        path.info.flag ? std::string(path.info.name) : in_.shown(std::string(path.info.name));
}

std::vector<spec::Node*> ScenarioOptions::works(spec::Node& root) const {
  std::vector<spec::Node*> out;
  spec::Node* list = root.get("workloads");
  if (list == nullptr) return out;
  for (auto& work : list->items) {
    const auto kind = text_of(work, "kind");
    if ((kind.empty() ? usual_kind : kind) != scope_.kind) continue;
    if (scope_.workload.empty() || text_of(work, "name") == scope_.workload) out.push_back(&work);
  }
  return out;
}

std::vector<spec::Node*> ScenarioOptions::clusters(spec::Node& root) const {
  std::vector<spec::Node*> out;
  spec::Node* list = root.get("clusters");
  if (list == nullptr) return out;
  for (auto& cluster : list->items) {
    const auto name = text_of(cluster, "name");
    const auto all = works(root);
    const bool used = std::any_of(all.begin(), all.end(), [&](const spec::Node* work) {
      const auto on = text_of(*work, "on");
      return on == name || (on.empty() && list->items.size() == 1);
    });
    if (used) out.push_back(&cluster);
  }
  return out;
}

void ScenarioOptions::model(spec::Node& root, study::Loaded& brought, const char* example) {
  in_.contradiction("--hf", "--model");
  const bool given = in_.has("--hf") || in_.has("--model");
  if (!given && from_file()) return;
  if (!given)
    in_.fail("--model", "which model?",
             fmt::format("for example --model {}, or --hf config.json; `headroom catalog model` "
                         "lists them",
                         example));
  if (in_.has("--model")) return;  // a path of the table
  const bool read =
      given && study::bring_model(brought, in_.value("--hf"), brought_model, mistakes_);
  // After a mistake any model will do: the reader goes on to look for others.
  for (auto* work : works(root)) put(*work, "model", read ? brought_model : "llama-3.1-8b");
}

void ScenarioOptions::take(const Diagnostics& found) {
  for (auto d : found.all()) {
    if (const auto at = placed_.find(d.path); at != placed_.end()) {
      d.file = at->second;
      d.path.clear();
      d.excerpt.clear();
      d.line = d.column = 0;
    }
    mistakes_.add(std::move(d));
  }
}

}  // namespace headroom::api
