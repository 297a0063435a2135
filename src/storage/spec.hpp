// What a user writes about the storage of one cluster.
//
//   storage:
//     tiers:
//       - {name: fast, system: ddn-ai400x2-turbo, count: 4}
//       - {name: archive, system: s3-standard, holds: [data]}
//     dataset: 5 PB
//     checkpoint: {stall: 30 s, keep: 10}
//     move_in: {from: s3-standard, link: 10 Gb/s, within: 30 d}
//
// A tier with a `count` (or with capacity and rates) is what there is, and is
// checked. A tier with a `system` alone is sized to the need, and the result is
// a plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/storage_system.hpp"
#include "spec/fields.hpp"

namespace headroom::storage {

struct Tier {
  std::string name;
  std::string system;           ///< catalogue id; empty: given by hand below
  int count = 0;                ///< units; 0: sized to the need
  Value<Information> capacity;  ///< usable, of the whole tier
  Value<Bandwidth> read;        ///< of the whole tier
  Value<Bandwidth> write;
  Value<Scalar> fill;              ///< share of usable capacity that may be filled
  Value<Money> price;              ///< of the whole tier
  std::vector<std::string> holds;  ///< data, checkpoints, models; empty: all of them

  void fields(spec::Fields& f);
};

struct CheckpointSpec {
  Value<Time> stall;           ///< longest that training may stand still
  Value<Time> interval;        ///< by default the cluster's plan
  Value<Scalar> keep;          ///< checkpoints retained
  bool asynchronous = true;    ///< copy to host memory, write behind
  Value<Bandwidth> snapshot;   ///< device to host, of one accelerator
  Value<Time> restart_within;  ///< longest that reading one back may take
  bool broadcast = true;       ///< one replica reads, the fabric spreads

  void fields(spec::Fields& f);
};

struct MoveIn {
  std::string from;          ///< catalogue id of the store the data lies in
  Value<Information> bytes;  ///< by default the dataset
  Value<Bandwidth> link;
  Value<Scalar> efficiency;        ///< share of the link that a copy reaches
  Value<InformationPrice> egress;  ///< by default that of `from`
  Value<Time> within;

  void fields(spec::Fields& f);
};

struct Spec {
  std::vector<Tier> tiers;
  Value<Information> dataset;  ///< by default tokens x bytes a token of the workloads
  CheckpointSpec checkpoint;
  Value<Time> model_load_within;  ///< longest that starting a serving replica may read
  std::optional<MoveIn> move_in;

  void fields(spec::Fields& f);
};

}  // namespace headroom::storage
