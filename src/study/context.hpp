// What the parts of a study share. Internal to study.
//
// A study walks the layers bottom-up: machines (what stands where), networks,
// work (training and serving), storage, clusters (failures), loads, power and
// cooling (one fixed point), building, site, money. Each part takes this
// context, adds its findings to the verdict, and leaves what the next ones need.
#pragma once

#include <string>
#include <vector>

#include "catalog/accelerator.hpp"
#include "catalog/model.hpp"
#include "catalog/system.hpp"
#include "cluster/assess.hpp"
#include "cooling/assess.hpp"
#include "fabric/design.hpp"
#include "money/assess.hpp"
#include "power/assess.hpp"
#include "site/assess.hpp"
#include "storage/assess.hpp"
#include "study/scenario.hpp"
#include "study/verdict.hpp"
#include "train/assess.hpp"

namespace headroom::study {

struct Machines;

/// A training job's demand and answer, kept for the verb `train`.
struct TrainingWork {
  train::Demand demand;
  train::Result result;
};

/// One workload after its layer has spoken.
struct Work {
  const WorkSpec* spec = nullptr;
  std::string scope;  ///< kebab-case name
  Machines* machines = nullptr;
  double gpus_held = 0;        ///< of the cluster's, while it runs
  Figure<Scalar> gpus_needed;  ///< those it runs on
  Figure<Scalar> gpus_wanted;  ///< training: what its deadline asks; 0: it takes what is left
  Figure<Scalar> power_share;  ///< mean accelerator power over its maximum while held
  Figure<Time> productive;     ///< training: time of the run without losses
  Figure<Information> checkpoint;
  Figure<Time> stall;      ///< training: what one save holds it up
  Figure<Scalar> goodput;  ///< training: from the cluster layer
  bool gang = false;
  money::Product product;
  bool has_product = false;
  std::shared_ptr<const TrainingWork> training;
  std::shared_ptr<const RlResult> rl;
};

/// One cluster resolved against the catalogue.
struct Machines {
  const ClusterSpec* spec = nullptr;
  std::string scope;  ///< kebab-case name
  const catalog::System* system = nullptr;
  const catalog::Accelerator* accelerator = nullptr;
  Figure<Scalar> systems, gpus, per_rack, racks;
  Figure<Power> system_max;  ///< of one
  double network_racks = 0;
  fabric::Design network;
  Figure<Power> it_max, it_typical;
  Figure<Power> rack_max;
};

/// Racks of a hall that are alike: a cluster's systems, or its switches and storage.
struct RackLoads {
  const Machines* machines = nullptr;  ///< null: switches and storage of the hall
  std::string name;                    ///< the cluster's scope, "network-storage"
  double racks = 0;
  Power max{}, typical{};  ///< of all of them; sum of a hall's: its own
};

/// What stands in one hall, added up once for building, power and cooling.
struct HallLoads {
  const HallSpec* spec = nullptr;
  std::string scope, title;
  std::vector<const Machines*> machines;
  const Machines* main = nullptr;  ///< the cluster with the most power
  double other_racks = 0;          ///< of network and storage
  NodeId other_racks_node = no_node;
  Figure<Power> it_max, it_typical, rack_max;
  double racks = 0;
  std::vector<RackLoads> groups;  ///< clusters in their order, then switches and storage
};

struct Context {
  Context(const Scenario& s, const Loaded& loaded, const catalog::Catalog& all, Verdict& v)
      : scenario(s), brought(loaded), catalog(all), verdict(v), trace(v.trace) {}

  const Scenario& scenario;
  const Loaded& brought;  ///< models and systems beside the catalogue's
  const catalog::Catalog& catalog;
  Verdict& verdict;
  Trace& trace;

  std::string as_of;
  std::vector<Machines> machines;
  std::vector<Work> work;
  Value<Bandwidth> checkpoint_write;  ///< what storage takes, known before the work
  storage::Storage storage;
  std::vector<HallLoads> halls;
  power::Result power;
  cooling::Result cooling;
  bool has_facility = false;  ///< halls were given, so power and cooling were solved
  Figure<Power> it_max, it_typical, meter_max, meter_typical;
  Figure<Scalar> pue;
  site::Result site;
  std::optional<money::Result> money;
  std::vector<cluster::Result> clusters;
  train::SearchOptions search;  ///< how training plans are searched

  const catalog::Model* model(const std::string& id) const;
  const catalog::System* system(const std::string& id) const;
  Machines* machines_called(const std::string& name);
  void add(Findings findings);
};

/// The rack a cluster's systems stand in, and what feeds it: its own, else the hall's.
const building::RackSpec& rack_of(const Machines& m, const HallSpec* hall);
const power::FeedSpec& feed_of(const Machines& m, const HallSpec& hall);

/// Accelerators that fail and are replaced together: a server, or one compute
/// tray of a rack system.
double gpus_per_node(const Machines& m);
/// What the cluster layer is told of a cluster and of a training job on it.
cluster::Demand cluster_demand(const Machines& m, std::vector<cluster::Job> jobs);
cluster::Job training_job(const Context& c, const Work& work, Figure<Time> stall);

/// What the train layer is told of a workload that may use `gpus`.
train::Demand train_demand(const Context& c, const Work& work, Figure<Scalar> gpus);

/// The scenario's date, else the one given, else the day the catalogue was read.
std::string study_date(const Scenario& scenario, const std::string& otherwise = {});

/// Asks every layer in turn; the whole of `check` but its sensitivities.
void walk(Context& c);

/// Lower-case kebab of a name, for ids: "Hall A" -> "hall-a".
std::string kebab(std::string_view name);

void resolve_machines(Context& c);
void design_networks(Context& c);
/// What storage can write, which training must know before storage knows its work.
void look_at_storage(Context& c);
void assess_work(Context& c);
void assess_storage(Context& c);
void assess_clusters(Context& c);
void gather_loads(Context& c);
void gather_halls(Context& c);
void assess_building(Context& c);
void assess_facility(Context& c);
void assess_site(Context& c);
void assess_money(Context& c);
void summarise(Context& c);

}  // namespace headroom::study
