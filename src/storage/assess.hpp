// Storage of one cluster: does the data fit, is it read fast enough, does a
// checkpoint get out of the way, and how long does it take to move in.
//
// EQUATIONS
//   capacity     need = dataset + keep x checkpoint + models   have = units x usable x fill
//   loader       need = the workloads' read rate               have = read (and clients' cap)
//   stall        synchronous   t = checkpoint / min(write, snapshots)
//                asynchronous  t = checkpoint / (accelerators x snapshot rate)
//                limit as a rate: need = checkpoint / allowed stall
//   drain        asynchronous: checkpoint / write  <=  interval
//   restart      checkpoint x (1 when broadcast, else replicas) / read
//   model load   weights x replicas that start together / min(read, clients' cap)
//   move in      t = bytes / (link x efficiency), cost = bytes x egress price
//                5 PB over 10 Gb/s at 80 % is 57.9 days
//
// Checkpoint bytes come from the workload (optimiser and precision); never from
// a constant here. A purpose (data, checkpoints, models) is served by the first
// tier that holds it; further tiers that hold it keep copies and need room.
//
// LIMITS (ids below "storage.<scope>."): <tier>.capacity, loader, checkpoint,
// drain, restart, model-load, move-in. Tiers that are sized here give a plan and
// no limit. What is not asked (a need of zero, no allowed time) gives no limit.
//
// BILL: category "storage". Cloud stores are rented: see `rent`.
//
// Not modelled: metadata rates, small files, interference between purposes.
// Complexity: O(tiers).
#pragma once

#include <string>

#include "base/findings.hpp"
#include "storage/spec.hpp"

namespace headroom::storage {

/// What the cluster's work asks. Figures left at zero are not asked.
struct Demand {
  std::string scope;               ///< cluster in kebab form
  Figure<Information> dataset;     ///< used when the spec gives none
  Figure<Bandwidth> loader;        ///< tokens/s x bytes a token, or samples/s x bytes
  Figure<Information> checkpoint;  ///< one, from optimiser and precision
  Figure<Time> interval;           ///< between checkpoints, used when the spec gives none
  Figure<Scalar> accelerators;     ///< that write a checkpoint
  Figure<Scalar> replicas;         ///< data-parallel replicas that read one back
  Figure<Information> models;      ///< weights kept for serving
  Figure<Information> weights;     ///< of the largest model a serving replica loads
  Figure<Scalar> starting;         ///< serving replicas that start together
  double nodes = 0;                ///< clients; local tiers have one unit each
};

/// What the cluster layer needs for goodput.
struct CheckpointPlan {
  Figure<Time> blocking;  ///< training stands still
  Figure<Time> drain;     ///< until it is safe; equal to blocking when synchronous
  Figure<Time> restart_read;
  bool asynchronous = true;
};

struct Storage {
  Figure<Information> capacity;  ///< all tiers, usable x fill
  Figure<Bandwidth> read;        ///< of the tier that serves data
  Figure<Bandwidth> write;       ///< of the tier that takes checkpoints
  CheckpointPlan checkpoint;     ///< zero when no checkpoint was asked
  Figure<Time> model_load;
  Figure<Time> move_in;
  Figure<Money> move_in_cost;
  Figure<Power> power;
  Figure<Money> capital;
  Figure<MoneyRate> rent;  ///< cloud stores
  double rack_units = 0;
  Mass weight;
  double units = 0;  ///< boxes on the storage network
  Findings findings;
};

Storage assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
               Trace& trace);

/// The tier that a spec without tiers stands for: a shared parallel file system.
Tier usual_tier();

}  // namespace headroom::storage
