#include <nlohmann/json.hpp>

#include <map>

#include "api/headroom.hpp"
#include "catalog/catalog.hpp"
#include "report/table.hpp"
#include "spec/schema.hpp"
#include "spec/walk.hpp"

namespace headroom::api {
namespace {

using Json = nlohmann::ordered_json;

std::string place_and_source(const Origin& origin) {
  return origin.source ? describe(*origin.source) : std::string();
}

std::string kinds_text(const catalog::Catalog& catalog) {
  report::Table table({{"kind"}, {"entries", report::Align::right}});
  for (const auto& kind : catalog::Catalog::kinds()) {
    table.add({kind, std::to_string(catalog.ids(kind).size())});
  }
  return table.str("");
}

std::string name_of(const catalog::Catalog& catalog, const std::string& kind,
                    const std::string& id) {
  for (const auto& leaf : spec::leaves(catalog.find_object(kind, id))) {
    if (leaf.path == "name") return leaf.text;
  }
  return {};
}

std::string entries_text(const catalog::Catalog& catalog, const std::string& kind) {
  report::Table table({{"id"}, {"name"}});
  for (const auto& id : catalog.ids(kind)) table.add({id, name_of(catalog, kind, id)});
  return table.str("");
}

std::string entry_text(const std::vector<spec::Leaf>& leaves) {
  report::Table table({{"field"}, {"value", report::Align::left, 72}, {"source"}});
  for (const auto& leaf : leaves) {
    std::string source;
    if (leaf.number != nullptr) {
      source = place_and_source(leaf.number->origin);
      const std::string where = place(leaf.number->origin);
      if (!where.empty()) source += " [" + where + "]";
    }
    table.add({leaf.path, leaf.text, source});
  }
  return table.str("");
}

Json entry_json(const std::vector<spec::Leaf>& leaves) {
  Json out = Json::object();
  for (const auto& leaf : leaves) {
    if (leaf.number == nullptr) {
      out[leaf.path] = leaf.text;
      continue;
    }
    Json item = {{"value", leaf.text}, {"unit", std::string(leaf.unit)}};
    const Origin& origin = leaf.number->origin;
    if (origin.source) {
      item["source"] = origin.source->title;
      item["trust"] = trust_name(origin.source->trust);
      if (!origin.source->url.empty()) item["url"] = origin.source->url;
      if (!origin.source->date.empty()) item["date"] = origin.source->date;
    }
    const std::string where = place(origin);
    if (!where.empty()) item["place"] = where;
    out[leaf.path] = std::move(item);
  }
  return out;
}

Json listing_json(const catalog::Catalog& catalog, const std::string& kind) {
  Json out = Json::object();
  const auto kinds = kind.empty() ? catalog::Catalog::kinds() : std::vector<std::string>{kind};
  for (const auto& k : kinds) out[k] = catalog.ids(k);
  return out;
}

Diagnostic unknown(const std::string& what, const std::string& word,
                   const std::vector<std::string>& known) {
  std::string hint = did_you_mean(word, known);
  if (hint.empty()) {
    for (const auto& k : known) hint += (hint.empty() ? "there are: " : ", ") + k;
  }
  return {"", 0, 0, "", "the catalogue has no " + what + " '" + word + "'", hint, ""};
}

Result<std::string> list(const catalog::Catalog& catalog, const std::string& kind,
                         const std::string& id, bool as_json) {
  const auto kinds = catalog::Catalog::kinds();
  if (!kind.empty() && std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    return failure(unknown("kind", kind, kinds));
  }
  if (id.empty()) {
    if (as_json) return listing_json(catalog, kind).dump(2) + "\n";
    return kind.empty() ? kinds_text(catalog) : entries_text(catalog, kind);
  }
  const auto object = catalog.find_object(kind, id);
  if (object.object == nullptr) return failure(unknown(kind, id, catalog.ids(kind)));
  const auto leaves = spec::leaves(object);
  return as_json ? entry_json(leaves).dump(2) + "\n" : entry_text(leaves);
}

}  // namespace

Result<std::string> list_catalog(const std::string& folder, const std::string& kind,
                                 const std::string& id, bool as_json) {
  if (folder.empty()) return list(catalog::Catalog::builtin(), kind, id, as_json);
  Diagnostics diagnostics;
  const auto catalog = catalog::Catalog::with_overlay(folder, diagnostics);
  if (!diagnostics.empty()) return failure(std::move(diagnostics));
  return list(*catalog, kind, id, as_json);
}

}  // namespace headroom::api
