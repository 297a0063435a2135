// Scenario: one YAML file, from the grid connection to the token.
//
// Every layer owns the struct that says what a user may write for it; here they
// are put together. Siblings that share a place in the file (a hall is floor,
// feed and cooling at once) are joined here and nowhere else.
//
//   site: {...}       power: {...}     cooling: {...}
//   building: {halls: [{..., rack: {...}, cooling: {...}}]}
//   clusters: [...]   storage: {...}   workloads: [...]   money: {...}
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "availability/spec.hpp"
#include "base/result.hpp"
#include "building/spec.hpp"
#include "catalog/catalog.hpp"
#include "catalog/model.hpp"
#include "catalog/system.hpp"
#include "cluster/spec.hpp"
#include "cooling/spec.hpp"
#include "fabric/spec.hpp"
#include "infer/spec.hpp"
#include "money/spec.hpp"
#include "power/spec.hpp"
#include "site/spec.hpp"
#include "spec/node.hpp"
#include "storage/spec.hpp"
#include "study/rl.hpp"
#include "supply/spec.hpp"
#include "train/spec.hpp"

namespace headroom::study {

/// How a cluster's power moves over day and week, about its yearly mean.
struct DayProfile {
  Value<Scalar> swing;    ///< of the mean, 0..1
  Value<Time> peak;       ///< hour of the day
  Value<Scalar> weekend;  ///< of a working day

  void fields(spec::Fields& f);
};

/// A rack: floor and height (building), feeds (power).
struct RackSpec {
  building::RackSpec rack;
  power::FeedSpec feed;

  void fields(spec::Fields& f);
};

/// A group of equal systems on one network.
struct ClusterSpec {
  std::string name;
  Origin origin;
  std::string system;                 ///< catalogue id
  Value<Scalar> count;                ///< systems
  Value<Scalar> per_rack;             ///< systems in a rack
  std::string hall;                   ///< name of a hall; empty: no building is asked about
  std::optional<RackSpec> rack;       ///< where its racks are not the hall's; parts left out are
  Value<Power> power;                 ///< of one system, over the catalogue's maximum
  Value<Scalar> pue;                  ///< outside any hall: overhead of where it stands
  Value<Scalar> load;                 ///< mean power of a busy system over its maximum
  std::optional<DayProfile> profile;  ///< left out: by kind of work
  fabric::Spec fabric;
  cluster::Spec operation;  ///< failures, spares, checkpoints

  void fields(spec::Fields& f);
};

/// A model that the catalogue does not know: a Hugging Face config.json beside the
/// scenario, under an id that workloads refer to.
struct ModelFile {
  std::string id;
  std::string config;
  Origin origin;

  void fields(spec::Fields& f);
};

enum class WorkKind : unsigned char { train, serve, rag, embed, video, edge };
std::span<const std::string_view> work_kind_names();

/// One workload: what it is, and the cluster it runs on.
struct WorkSpec {
  std::string name;
  Origin origin;
  WorkKind kind = WorkKind::train;
  std::string on;       ///< cluster; may be left out when there is one
  Value<Scalar> gpus;   ///< of the cluster's, held for this (training: train.gpus)
  std::string central;  ///< edge: cluster of a central region to compare with
  train::JobSpec train;
  std::optional<RlSpec> rl;  ///< train: reinforcement learning
  infer::ServiceSpec serve;
  infer::RagSpec rag;
  infer::EmbedSpec embed;
  infer::VideoSpec video;
  infer::EdgeSpec edge;

  void fields(spec::Fields& f);
};

/// A hall: floor and racks (building), feeds (power), heat removal (cooling). Racks of several
/// clusters may stand in it, each cluster's of their own density and `rack`.
struct HallSpec {
  building::HallSpec building;
  RackSpec rack;
  power::HallSpec power;
  std::optional<cooling::HallSpec> cooling;

  void fields(spec::Fields& f);
};

struct BuildingSpec {
  building::Spec building;
  std::vector<HallSpec> halls;

  void fields(spec::Fields& f);
};

/// A step of a hall's growth, as changes of the scenario: "clusters.gpu.count=96".
struct PhaseSpec {
  std::string name;
  Origin origin;
  std::vector<std::string> set;  ///< applied after those of the phases before

  void fields(spec::Fields& f);
};

struct Scenario {
  std::string name;
  std::string as_of;  ///< date of the study; prices and lead times count from it
  std::optional<site::Spec> site;
  std::optional<power::Spec> power;
  std::optional<cooling::PlantSpec> cooling;
  std::optional<BuildingSpec> building;
  std::optional<availability::Spec> availability;
  std::optional<supply::Spec> supply;
  std::vector<ModelFile> models;
  std::vector<ClusterSpec> clusters;
  std::optional<storage::Spec> storage;
  std::vector<WorkSpec> workloads;
  std::optional<money::Spec> money;
  std::vector<PhaseSpec> phases;  ///< of `facility --phases`

  void fields(spec::Fields& f);
};

/// A scenario that was read without a mistake, with the models that it brings
/// along as Hugging Face configurations, and systems that the catalogue does not hold.
struct Loaded {
  std::string file;
  Scenario scenario;
  std::vector<std::unique_ptr<catalog::Model>> models;
  std::vector<std::unique_ptr<catalog::System>> systems;
};

/// Reads a Hugging Face config.json as a model of this id; mistakes go to `diagnostics`.
bool bring_model(Loaded& loaded, const std::string& path, const std::string& id,
                 Diagnostics& diagnostics);

/// Reads a scenario, with `sets` applied, and checks what spans fields: names
/// that refer to halls and clusters, dates in order, configuration files inside
/// the scenario's folder.
Result<Loaded> load(const std::string& file, const std::vector<std::string>& sets,
                    const catalog::Catalog& catalog);

/// The same of a document that is already parsed. `brought` holds models and systems that
/// the document may name beside those of the catalogue; they are kept in the result.
Result<Loaded> read_scenario(const spec::Document& document, Loaded brought,
                             const catalog::Catalog& catalog);

}  // namespace headroom::study
