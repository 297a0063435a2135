#include "study/scenario.hpp"

#include <algorithm>

#include "spec/beside.hpp"
#include "spec/reader.hpp"
#include "spec/sources.hpp"
#include "workload/huggingface.hpp"

namespace headroom::study {

std::span<const std::string_view> work_kind_names() {
  static constexpr std::string_view names[] = {"train", "serve", "rag", "embed", "video", "edge"};
  return names;
}

void DayProfile::fields(spec::Fields& f) {
  f.number("swing", swing, "%", "Power above and below its mean over the day; 0 when left out")
      .between(0, 100);
  f.number("peak", peak, "h", "Hour of the day with the most; 15 h when left out").between(0, 24);
  f.number("weekend", weekend, "%", "Saturday and Sunday over a working day; 100 % when left out")
      .between(0, 200);
}

void ClusterSpec::fields(spec::Fields& f) {
  if (f.here().line > 0) origin = f.here();
  f.text("name", name, "Name of the cluster").required();
  f.reference("system", system, "system", "What it is made of").required();
  f.number("count", count, "system", "Systems bought, spares included")
      .required()
      .above(0)
      .at_most(1e6);
  f.number("per_rack", per_rack, "system",
           "Systems in a rack; as many as its height takes when left out")
      .above(0)
      .at_most(100);
  f.text("hall", hall, "Hall it stands in; nothing is asked of a building when left out");
  f.object("rack", rack, "Its racks, where they differ from the hall's; the hall's when left out");
  f.number("power", power, "kW",
           "Most that one system draws; the catalogue's maximum when left out")
      .above(0);
  f.number("load", load, "%",
           "Mean power of a busy system over its maximum; by workload when left out")
      .at_most(100);
  f.object(
      "profile", profile,
      "How its power moves over day and week, in the facility's year; by kind of work when left "
      "out: training flat, answering people 25 % up at 15 h and down at night (assumed)");
  f.number("pue", pue, "",
           "Overhead of the place, for a cluster in no hall; 1 for boxes at the edge and "
           "1.35 for servers when left out")
      .between(1, 5);
  f.object("fabric", fabric, "Its network");
  operation.fields(f);
}

void ModelFile::fields(spec::Fields& f) {
  if (f.here().line > 0) origin = f.here();
  f.text("id", id, "Name that workloads refer to").required();
  f.text("config", config, "Hugging Face config.json, relative to the scenario").required();
}

void WorkSpec::fields(spec::Fields& f) {
  if (f.here().line > 0) origin = f.here();
  f.text("name", name, "Name of the workload").required();
  f.choice("kind", kind, work_kind_names(), "What it does");
  f.text("on", on, "Cluster it runs on; the only one when left out");
  if (f.variant("any but train", kind != WorkKind::train)) {
    f.number("gpus", gpus, "GPU",
             "Accelerators held for it; what the others on the cluster leave when left out")
        .above(0);
  }
  if (f.variant("train", kind == WorkKind::train)) {
    train.fields(f);
    f.object("rl", rl, "Reinforcement learning: generation and training in turn or side by side");
  }
  if (f.variant("serve", kind == WorkKind::serve)) serve.fields(f);
  if (f.variant("rag", kind == WorkKind::rag)) rag.fields(f);
  if (f.variant("embed", kind == WorkKind::embed)) embed.fields(f);
  if (f.variant("video", kind == WorkKind::video)) video.fields(f);
  if (f.variant("edge", kind == WorkKind::edge)) {
    edge.fields(f);
    f.text("central", central, "Cluster of a central region that it is compared with");
  }
}

void RackSpec::fields(spec::Fields& f) {
  rack.fields(f);
  feed.fields(f);
}

void HallSpec::fields(spec::Fields& f) {
  building.fields(f);
  f.object("rack", rack, "Its racks: height, load, feeds");
  f.object("distribution", power, "PDUs, panels or busways that feed its racks");
  f.object("cooling", cooling,
           "How heat leaves its racks; nothing is asked of cooling when left out");
}

void BuildingSpec::fields(spec::Fields& f) {
  building.fields(f);
  f.list("halls", halls, "Halls with racks");
}

void PhaseSpec::fields(spec::Fields& f) {
  if (f.here().line > 0) origin = f.here();
  f.text("name", name, "Name of the step, e.g. 80 kW a rack").required();
  f.texts("set", set,
          "What changes, path=value as of --set, on top of the phases before: "
          "[clusters.gpu.per_rack=4, building.halls.A.cooling.kind=rear-door]");
}

void Scenario::fields(spec::Fields& f) {
  f.text("name", name, "What the scenario is about, in one line").required();
  f.date(
      "as_of", as_of,
      "Date of the study; prices and lead times count from it. 2026-11-20, when the catalogue was "
      "read, when left out, so that answers can be repeated");
  f.elsewhere(
      "sources",
      "Sources by name: {title, url, date, trust}; a number names one by `@name` behind it");
  f.object("site", site, "Where, by when, for whom, under whose law");
  f.object("power", power, "From the grid to the halls");
  f.object("cooling", cooling, "Plant that rejects the halls' heat");
  f.object("building", building, "Halls, floors and racks");
  f.object("availability", availability,
           "Failures, repair, maintenance and people, for `facility --availability`");
  f.object("supply", supply, "Where energy comes from, for `facility --supply`");
  f.list("models", models, "Models of your own, from Hugging Face configurations");
  f.list("clusters", clusters, "Groups of equal systems on one network");
  f.object("storage", storage, "Tiers of storage and the data on them");
  f.list("workloads", workloads, "What the clusters are for");
  f.object("money", money, "Horizon, prices, budgets, ways to compare");
  f.list("phases", phases,
         "Steps of growth, each checked as a whole: which limit binds, what must be added");
}

namespace {

/// Checks of a scenario that span structs, and the models it brings along.
class Linker {
 public:
  Linker(Loaded& loaded, const spec::Document& document, Diagnostics& diagnostics)
      : loaded_(loaded), document_(document), diagnostics_(diagnostics) {}

  void link() {
    for (auto& cluster : loaded_.scenario.clusters) link_hall(cluster);
    for (auto& work : loaded_.scenario.workloads) { link_cluster(work); }
    for (const auto& model : loaded_.scenario.models) bring_model(model);
    check_power_nodes();
    check_dates();
  }

 private:
  void fail(const Origin& at, std::string path, std::string message, std::string hint) {
    Diagnostic d;
    d.file = at.line > 0 && at.file ? *at.file : loaded_.file;
    d.line = at.line;
    d.column = at.column;
    d.path = std::move(path);
    d.message = std::move(message);
    d.hint = std::move(hint);
    d.excerpt = document_.line_text(at.line);
    diagnostics_.add(std::move(d));
  }

  void link_hall(const ClusterSpec& cluster) {
    if (cluster.hall.empty()) return;
    std::vector<std::string> names;
    if (loaded_.scenario.building) {
      for (const auto& hall : loaded_.scenario.building->halls) names.push_back(hall.building.name);
    }
    if (std::find(names.begin(), names.end(), cluster.hall) != names.end()) return;
    fail(cluster.origin, "clusters." + cluster.name + ".hall",
         "no hall is called '" + cluster.hall + "'",
         names.empty() ? "add it under building.halls" : listed(cluster.hall, names));
  }

  void link_cluster(WorkSpec& work) {
    std::vector<std::string> names;
    for (const auto& cluster : loaded_.scenario.clusters) names.push_back(cluster.name);
    const std::string path = "workloads." + work.name + ".on";
    if (work.on.empty()) {
      if (names.size() == 1) {
        work.on = names.front();
      } else {
        fail(work.origin, path,
             names.empty() ? "there is no cluster to run on" : "there are several clusters",
             names.empty() ? "add one under clusters" : listed("", names));
      }
    } else if (std::find(names.begin(), names.end(), work.on) == names.end()) {
      fail(work.origin, path, "no cluster is called '" + work.on + "'", listed(work.on, names));
    }
    if (!work.central.empty() &&
        std::find(names.begin(), names.end(), work.central) == names.end()) {
      fail(work.origin, "workloads." + work.name + ".central",
           "no cluster is called '" + work.central + "'", listed(work.central, names));
    }
  }

  static std::string listed(const std::string& word, const std::vector<std::string>& names) {
    std::string hint = did_you_mean(word, names);
    if (!hint.empty()) return hint;
    for (const auto& name : names) hint += (hint.empty() ? "there are: " : ", ") + name;
    return hint;
  }

  /// Reads a Hugging Face configuration that lies in the scenario's folder.
  void bring_model(const ModelFile& file) {
    const std::string where = "models." + file.id + ".config";
    const auto found = spec::beside(loaded_.file, file.config, "configuration");
    if (found.path.empty()) return fail(file.origin, where, found.message, found.hint);
    study::bring_model(loaded_, found.path, file.id, diagnostics_);
  }

  void check_power_nodes() {
    if (!loaded_.scenario.power) return;
    std::vector<power::HallPlace> halls;
    if (loaded_.scenario.building)
      for (const auto& hall : loaded_.scenario.building->halls)
        halls.push_back({hall.building.name, hall.building.racks.or_else(0.0)});
    for (const auto& f : power::check_nodes(loaded_.scenario.power->nodes, halls))
      fail(f.at, f.path, f.message, f.hint);
  }

  void check_dates() {
    if (!loaded_.scenario.site) return;
    const auto& site = *loaded_.scenario.site;
    if (!site.start.empty() && !site.need_by.empty() && site.need_by < site.start) {
      const spec::Node* node = document_.root.get("site");
      Origin at;
      const spec::Node* date = node != nullptr ? node->get("need_by") : nullptr;
      if (date != nullptr) {
        at.line = date->line;
        at.column = date->column;
      }
      fail(at, "site.need_by", "needed on " + site.need_by + ", before the start on " + site.start,
           "start is the day on which work may begin");
    }
  }

  Loaded& loaded_;
  const spec::Document& document_;
  Diagnostics& diagnostics_;
};

/// Ids under `models`, which workloads may name before the list itself is read.
std::vector<std::string> own_model_ids(const spec::Node& root) {
  std::vector<std::string> ids;
  const spec::Node* models = root.get("models");
  if (models == nullptr) return ids;
  for (const auto& item : models->items) {
    if (const spec::Node* id = item.get("id")) ids.push_back(id->text);
  }
  return ids;
}

/// Ids that a document may name beside the catalogue's, by kind.
std::vector<std::string> own_ids(std::string_view kind, const spec::Document& document,
                                 const Loaded& brought) {
  std::vector<std::string> ids;
  if (kind == catalog::Model::kind) {
    ids = own_model_ids(document.root);
    for (const auto& model : brought.models) ids.push_back(model->id);
  }
  if (kind == catalog::System::kind) {
    for (const auto& system : brought.systems) ids.push_back(system->id);
  }
  return ids;
}

spec::ReadContext read_context(const spec::Document& document, const Loaded& brought,
                               const catalog::Catalog& catalog) {
  spec::ReadContext context;
  context.file = document.file;
  context.document = &document;
  context.default_source =
      std::make_shared<Source>(Source{*document.file, "the scenario", "", "", Trust::user});
  context.has_entry = [&](std::string_view kind, const std::string& id) {
    const auto ids = catalog.ids(kind);
    const auto own = own_ids(kind, document, brought);
    return std::binary_search(ids.begin(), ids.end(), id) ||
           std::find(own.begin(), own.end(), id) != own.end();
  };
  context.entry_ids = [&](std::string_view kind) {
    auto ids = catalog.ids(kind);
    const auto own = own_ids(kind, document, brought);
    ids.insert(ids.end(), own.begin(), own.end());
    return ids;
  };
  return context;
}

}  // namespace

bool bring_model(Loaded& loaded, const std::string& path, const std::string& id,
                 Diagnostics& diagnostics) {
  auto model = workload::load_huggingface(path, diagnostics);
  if (!model) return false;
  model->id = id;
  loaded.models.push_back(std::make_unique<catalog::Model>(std::move(*model)));
  return true;
}

Result<Loaded> read_scenario(const spec::Document& document, Loaded brought,
                             const catalog::Catalog& catalog) {
  Diagnostics diagnostics;
  Loaded loaded = std::move(brought);
  loaded.file = *document.file;
  auto context = read_context(document, loaded, catalog);
  if (const spec::Node* sources = document.root.get("sources")) {
    context.sources = spec::read_sources(*sources, context, diagnostics);
  }
  if (spec::read(document.root, loaded.scenario, context, diagnostics) && diagnostics.empty()) {
    Linker(loaded, document, diagnostics).link();
  }
  if (!diagnostics.empty()) {
    diagnostics.sort_by_place();
    return failure(std::move(diagnostics));
  }
  return loaded;
}

Result<Loaded> load(const std::string& file, const std::vector<std::string>& sets,
                    const catalog::Catalog& catalog) {
  Diagnostics diagnostics;
  auto document = spec::load_yaml(file, diagnostics);
  if (!document) return failure(std::move(diagnostics));
  for (const auto& set : sets) spec::apply_set(*document, set, diagnostics);
  auto loaded = read_scenario(*document, {}, catalog);
  if (loaded && diagnostics.empty()) return loaded;
  if (!loaded) diagnostics.add(loaded.error());
  diagnostics.sort_by_place();
  return failure(std::move(diagnostics));
}

}  // namespace headroom::study
