#include "storage/spec.hpp"

namespace headroom::storage {

void Tier::fields(spec::Fields& f) {
  f.text("name", name, "Name of the tier; by default its system");
  f.reference("system", system, "storage-system", "What it is built of");
  f.integer("count", count, "Units; by default as many as the need asks").at_least(0);
  f.number("capacity", capacity, "TB", "Usable capacity of the whole tier; by default the units'")
      .above(0);
  f.number("read", read, "GB/s", "Read rate of the whole tier; by default the units'").above(0);
  f.number("write", write, "GB/s", "Write rate of the whole tier; by default the units'").above(0);
  f.number("fill", fill, "%",
           "Share of usable capacity that may be filled; by default the system's")
      .between(1, 100);
  f.number("price", price, "USD", "Price of the whole tier; by default the units'").at_least(0);
  f.texts("holds", holds, "What it holds: data, checkpoints, models; all by default");
  for (const auto& h : holds)
    if (h != "data" && h != "checkpoints" && h != "models")
      f.mistake("holds", "'" + h + "' is nothing a tier holds", "data, checkpoints or models");
  if (system.empty() && !capacity && !name.empty())
    f.mistake("system", "a tier needs a system, or a capacity with read and write rates");
}

void CheckpointSpec::fields(spec::Fields& f) {
  f.number("stall", stall, "s", "Longest that training may stand still; no limit by default")
      .above(0);
  f.number("interval", interval, "min", "Between checkpoints; by default the cluster's plan")
      .above(0);
  f.number("keep", keep, "", "Checkpoints retained; 5 by default").at_least(1);
  f.flag("asynchronous", asynchronous, "Copy to host memory and write behind; true by default");
  f.number("snapshot", snapshot, "GB/s",
           "Device to host rate of one accelerator; 55 GB/s by default")
      .above(0);
  f.number("restart_within", restart_within, "s",
           "Longest that reading a checkpoint back may take; no limit by default")
      .above(0);
  f.flag("broadcast", broadcast,
         "One replica reads a checkpoint and the fabric spreads it; true by default");
}

void MoveIn::fields(spec::Fields& f) {
  f.reference("from", from, "storage-system", "Store that the data lies in, for its egress price");
  f.number("bytes", bytes, "TB", "How much to move; by default the dataset").above(0);
  f.number("link", link, "Gb/s", "Bandwidth of the link").above(0).required();
  f.number("efficiency", efficiency, "%", "Share of the link that a copy reaches; 80 % by default")
      .between(1, 100);
  f.number("egress", egress, "USD/GB", "Price of data leaving; by default that of `from`")
      .at_least(0);
  f.number("within", within, "d", "Time allowed; no limit by default").above(0);
}

void Spec::fields(spec::Fields& f) {
  f.list("tiers", tiers, "Stores, the one that serves a purpose first");
  f.number("dataset", dataset, "TB", "Training data; by default tokens x bytes of the workloads")
      .at_least(0);
  f.object("checkpoint", checkpoint, "Checkpoints of training");
  f.number("model_load_within", model_load_within, "s",
           "Longest that loading a model into a serving replica may take; no limit by default")
      .above(0);
  f.object("move_in", move_in, "Data that must be brought here first");
}

}  // namespace headroom::storage
