#include "storage/assess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "storage/move_in.hpp"
#include "storage/tier.hpp"

namespace headroom::storage {
namespace {

bool asked(const auto& figure) { return figure.value.si() > 0; }

std::string gb_s(Bandwidth b) { return format_scaled(b.si(), "B/s"); }
std::string bytes_text(Information i) { return format_scaled(i.si(), "B"); }

class Assessor {
 public:
  Assessor(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog, Trace& trace)
      : spec_(spec),
        demand_(demand),
        catalog_(catalog),
        trace_(trace),
        prefix_("storage." + demand.scope + ".") {}

  Storage run() {
    tiers_ = spec_.tiers;
    if (tiers_.empty()) tiers_.push_back(usual_tier());
    needs();
    resolve_tiers();
    capacity();
    loader();
    checkpoint();
    model_load();
    if (spec_.move_in) move_in(*spec_.move_in, dataset_, catalog_, trace_, prefix_, out_);
    bill();
    return std::move(out_);
  }

 private:
  std::string id(std::string_view name) const { return prefix_ + std::string(name); }

  void needs() {
    dataset_ = spec_.dataset ? trace_.input(id("dataset"), spec_.dataset, "TB") : demand_.dataset;
    const Value<Scalar> five(5.0, assumed("a handful of restart points"));
    if (asked(demand_.checkpoint)) {
      const auto keep = trace_.input_or(id("keep"), spec_.checkpoint.keep, five, "");
      kept_ = trace_.derive(id("checkpoints"), keep.value.si() * demand_.checkpoint.value, "TB",
                            "checkpoints kept x size of one", {keep, demand_.checkpoint});
    }
    interval_ = spec_.checkpoint.interval
                    ? trace_.input(id("interval"), spec_.checkpoint.interval, "min")
                    : demand_.interval;
  }

  /// Tier index that serves a purpose, or -1.
  int serving(std::string_view purpose) const {
    for (std::size_t i = 0; i < tiers_.size(); ++i)
      if (holds(tiers_[i], purpose)) return static_cast<int>(i);
    return -1;
  }

  TierNeed need_of(std::size_t i) const {
    TierNeed n;
    if (holds(tiers_[i], "data")) n.bytes += dataset_.value;
    if (holds(tiers_[i], "checkpoints")) n.bytes += kept_.value;
    if (holds(tiers_[i], "models")) n.bytes += demand_.models.value;
    if (serving("data") == static_cast<int>(i)) n.read = demand_.loader.value;
    if (serving("checkpoints") != static_cast<int>(i) || !asked(demand_.checkpoint)) return n;
    if (spec_.checkpoint.asynchronous && asked(interval_))
      n.write = demand_.checkpoint.value / interval_.value;
    if (!spec_.checkpoint.asynchronous && spec_.checkpoint.stall)
      n.write = demand_.checkpoint.value / spec_.checkpoint.stall.get();
    if (spec_.checkpoint.restart_within)
      n.read = std::max(n.read, restart_bytes() / spec_.checkpoint.restart_within.get());
    return n;
  }

  Information restart_bytes() const {
    const double readers =
        spec_.checkpoint.broadcast ? 1 : std::max(1.0, demand_.replicas.value.si());
    return readers * demand_.checkpoint.value;
  }

  void resolve_tiers() {
    for (std::size_t i = 0; i < tiers_.size(); ++i)
      states_.push_back(resolve(tiers_[i], need_of(i), demand_.nodes, prefix_, catalog_, trace_));
    std::vector<NodeId> nodes;
    Information room;
    for (const auto& t : states_) {
      room += t.usable.value;
      nodes.push_back(t.usable);
    }
    out_.capacity = trace_.derive(id("room"), room, "TB", "room of all tiers", nodes);
    if (const TierState* t = tier_for("data")) out_.read = t->read;
    if (const TierState* t = tier_for("checkpoints")) out_.write = t->write;
  }

  const TierState* tier_for(std::string_view purpose) const {
    const int i = serving(purpose);
    return i < 0 ? nullptr : &states_[static_cast<std::size_t>(i)];
  }

  /// A remedy that adds units of a tier until a need is met.
  void add_units(Margin& m, const TierState& t, const TierNeed& need) const {
    if (!t.system) return;
    const double more = units_for(*t.system, t.system->fill, need) - t.units;
    if (more <= 0) return;
    Remedy r{
        fmt::format("add {:.0f} {}{} of {}", more, t.system->unit.empty() ? "unit" : t.system->unit,
                    more > 1 ? "s" : "", t.system->name),
        {},
        {},
        "storage-system catalogue"};
    if (t.unit_price) r.cost = more * t.unit_price.get();
    if (t.system->lead_time) r.lead_time = t.system->lead_time.get();
    m.remedies.push_back(std::move(r));
  }

  void report(Margin m) { out_.findings.margins.push_back(std::move(m)); }

  void capacity() {
    for (std::size_t i = 0; i < tiers_.size(); ++i) {
      const TierState& t = states_[i];
      const TierNeed need = need_of(i);
      if (t.sized) {
        plan(t, need);
        continue;
      }
      if (need.bytes.si() <= 0 || t.usable.value.si() <= 0) continue;
      const auto wanted =
          trace_.derive(id(t.name + ".need"), need.bytes, "TB",
                        "what the tier holds of dataset, checkpoints kept and models",
                        std::vector<NodeId>{dataset_, kept_, demand_.models});
      Margin m = make_margin(id(t.name + ".capacity"),
                             fmt::format("capacity, {} of {}", t.name, demand_.scope), wanted,
                             t.usable, "TB");
      m.why =
          fmt::format("Dataset {}, checkpoints {} and models {} ask {} of a tier with room for {}.",
                      bytes_text(dataset_), bytes_text(kept_), bytes_text(demand_.models),
                      bytes_text(need.bytes), bytes_text(t.usable));
      if (m.headroom() < 0.1) add_units(m, t, {need.bytes, {}, {}});
      report(std::move(m));
    }
  }

  void plan(const TierState& t, const TierNeed& need) {
    Plan p{id(t.name + ".size"),
           "storage",
           fmt::format("{}: {:.0f} {} of {}", t.name, t.units, t.system->unit, t.system->name),
           {{"units", fmt::format("{:.0f}", t.units)},
            {"holds", bytes_text(need.bytes)},
            {"room", bytes_text(t.usable)}}};
    if (asked(t.read)) p.items.push_back({"read", gb_s(t.read)});
    if (asked(t.write)) p.items.push_back({"write", gb_s(t.write)});
    out_.findings.plans.push_back(std::move(p));
  }

  /// Read rate of a tier, no more than its clients can take.
  Figure<Bandwidth> readable(const TierState& t, std::string_view name) {
    if (t.client.si() <= 0 || demand_.nodes <= 0) return t.read;
    const Bandwidth cap = demand_.nodes * t.client;
    if (cap >= t.read.value) return t.read;
    return trace_.derive(id(name), cap, "GB/s", "clients x most that one client reads", {t.read});
  }

  void loader() {
    const TierState* t = tier_for("data");
    if (!t || !asked(demand_.loader) || !asked(t->read) || t->sized) return;
    const auto have = readable(*t, "loader-have");
    Margin m = make_margin(id("loader"), "loader read rate, " + demand_.scope, demand_.loader, have,
                           "GB/s");
    m.why =
        fmt::format("The loaders read {}; {} gives {}.", gb_s(demand_.loader), t->name, gb_s(have));
    if (m.headroom() < 0.1) add_units(m, *t, {{}, demand_.loader, {}});
    report(std::move(m));
  }

  Figure<Bandwidth> snapshots() {
    // PCIe 5 x16 carries 63 GB/s; measured copies to host memory reach about 55.
    const Value<Bandwidth> usual(55 * gigabyte_per_second,
                                 recalled("copies to pinned host memory over PCIe 5.0 x16"));
    const auto each =
        trace_.input_or(id("snapshot-each"), spec_.checkpoint.snapshot, usual, "GB/s");
    return trace_.derive(id("snapshot"),
                         std::max(1.0, demand_.accelerators.value.si()) * each.value, "GB/s",
                         "accelerators x device-to-host rate", {demand_.accelerators, each});
  }

  void checkpoint() {
    const TierState* t = tier_for("checkpoints");
    if (!asked(demand_.checkpoint)) return;
    if (!t || !asked(t->write)) {
      out_.findings.remarks.push_back(fmt::format(
          "storage {}: no tier that takes checkpoints has a write rate, so their time is not known",
          demand_.scope));
      return;
    }
    const bool behind = out_.checkpoint.asynchronous = spec_.checkpoint.asynchronous;
    const Information size = demand_.checkpoint;
    const auto copy = snapshots();
    out_.checkpoint.drain =
        trace_.derive(id("drain-time"), size / t->write.value, "s", "checkpoint / write rate",
                      {demand_.checkpoint, t->write});
    const auto flow =
        behind
            ? copy
            : trace_.derive(id("synchronous-rate"), std::min(copy.value, t->write.value), "GB/s",
                            "the slower of write rate and device-to-host copies", {copy, t->write});
    out_.checkpoint.blocking =
        trace_.derive(id("blocking"), size / flow.value, "s",
                      behind ? "checkpoint / device-to-host copies" : "checkpoint / write rate",
                      {demand_.checkpoint, flow});
    stall(*t, flow);
    if (behind) drain(*t);
    restart();
  }

  void stall(const TierState& t, const Figure<Bandwidth>& flow) {
    if (!spec_.checkpoint.stall || (t.sized && !spec_.checkpoint.asynchronous)) return;
    const auto allowed = trace_.input(id("stall"), spec_.checkpoint.stall, "s");
    const auto need = trace_.derive(id("burst"), demand_.checkpoint.value / allowed.value, "GB/s",
                                    "checkpoint / allowed stall", {demand_.checkpoint, allowed});
    Margin m =
        make_margin(id("checkpoint"), "checkpoint burst, " + demand_.scope, need, flow, "GB/s");
    m.why =
        fmt::format("A checkpoint of {} in {} asks {}; {} gives {}.",
                    bytes_text(demand_.checkpoint), format(allowed.value, "s"), gb_s(need),
                    spec_.checkpoint.asynchronous ? "copying to host memory" : t.name, gb_s(flow));
    if (m.headroom() < 0.1) {
      if (!spec_.checkpoint.asynchronous) {
        add_units(m, t, {{}, {}, need});
        const Time copy = demand_.checkpoint.value / snapshots().value;
        m.remedies.push_back(
            {fmt::format("checkpoint asynchronously: training stands still {} only",
                         format(copy, "s")),
             Money{},
             {},
             "PCIe copy to host memory"});
      } else {
        m.remedies.push_back(
            {"write sharded checkpoints from more replicas, or allow a longer stall", {}, {}, ""});
      }
    }
    report(std::move(m));
  }

  void drain(const TierState& t) {
    if (!asked(interval_) || t.sized) return;
    Margin m = make_margin(id("drain"), "checkpoint drain, " + demand_.scope, out_.checkpoint.drain,
                           interval_, "s");
    m.why = fmt::format("Writing {} at {} takes {}; the next checkpoint starts after {}.",
                        bytes_text(demand_.checkpoint), gb_s(t.write),
                        format(out_.checkpoint.drain.value, "s"), format(interval_.value, "s"));
    if (m.headroom() < 0.1) {
      add_units(m, t, {{}, {}, demand_.checkpoint.value / interval_.value});
      m.remedies.push_back({fmt::format("checkpoint every {} or less often",
                                        format(1.1 * out_.checkpoint.drain.value, "min")),
                            Money{},
                            {},
                            ""});
    }
    report(std::move(m));
  }

  void restart() {
    const TierState& t = *tier_for("checkpoints");
    if (!asked(t.read)) return;
    const auto have = readable(t, "restart-rate");
    out_.checkpoint.restart_read = trace_.derive(
        id("restart-time"), restart_bytes() / have.value, "s",
        spec_.checkpoint.broadcast ? "checkpoint / read rate, then broadcast over the fabric"
                                   : "replicas x checkpoint / read rate",
        {demand_.checkpoint, have, demand_.replicas});
    if (!spec_.checkpoint.restart_within || t.sized) return;
    const auto allowed = trace_.input(id("restart-within"), spec_.checkpoint.restart_within, "s");
    Margin m = make_margin(id("restart"), "restart read, " + demand_.scope,
                           out_.checkpoint.restart_read, allowed, "s");
    m.why = fmt::format("Reading {} back at {} takes {}.", bytes_text(restart_bytes()), gb_s(have),
                        format(out_.checkpoint.restart_read.value, "s"));
    if (m.headroom() < 0.1) {
      add_units(m, t, {{}, restart_bytes() / allowed.value, {}});
      if (!spec_.checkpoint.broadcast)
        m.remedies.push_back(
            {fmt::format("read once and broadcast over the fabric: {} instead of {}",
                         bytes_text(demand_.checkpoint), bytes_text(restart_bytes())),
             Money{},
             {},
             ""});
    }
    report(std::move(m));
  }

  void model_load() {
    const TierState* t = tier_for("models");
    if (!t || !asked(demand_.weights) || !asked(t->read)) return;
    const double together = std::max(1.0, demand_.starting.value.si());
    const auto have = readable(*t, "model-load-rate");
    out_.model_load =
        trace_.derive(id("model-load-time"), together * demand_.weights.value / have.value, "s",
                      "weights x replicas that start together / read rate",
                      {demand_.weights, demand_.starting, have});
    if (!spec_.model_load_within || t->sized) return;
    const auto allowed = trace_.input(id("model-load-within"), spec_.model_load_within, "s");
    Margin m = make_margin(id("model-load"), "model load, " + demand_.scope, out_.model_load,
                           allowed, "s");
    m.why = fmt::format("{:.0f} replicas read {} each at {} together.", together,
                        bytes_text(demand_.weights), gb_s(have));
    if (m.headroom() < 0.1) {
      add_units(m, *t, {{}, together * demand_.weights.value / allowed.value, {}});
      m.remedies.push_back({"keep weights on the nodes' own drives", Money{}, {}, ""});
    }
    report(std::move(m));
  }

  void bill() {
    std::vector<NodeId> prices, rooms;
    Power power;
    Money capital;
    MoneyRate rent;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const TierState& t = states_[i];
      capital += t.price.value;
      if (t.price.node != no_node) prices.push_back(t.price);
      if (t.system && t.system->storage_class == catalog::StorageClass::cloud) {
        const Information kept = std::max(need_of(i).bytes, Information{});
        rent += kept * t.system->rent.or_else(catalog::StorageRent{});
        rooms.push_back(t.usable);
        continue;
      }
      bill_tier(t);
      if (!t.system || t.system->storage_class == catalog::StorageClass::local) continue;
      power += t.units * t.system->power.or_else(Power{});
      out_.rack_units += t.units * t.system->rack_units;
      out_.weight += t.units * t.system->weight.or_else(Mass{});
      out_.units += t.units;
    }
    out_.power = trace_.derive(id("power"), power, "kW", "units x power of one, all tiers", {});
    out_.capital = trace_.derive(id("capital"), capital, "USD", "price of all tiers", prices);
    out_.rent = trace_.derive(id("rent"), rent, "USD/mo", "stored bytes x monthly price", rooms);
  }

  void bill_tier(const TierState& t) {
    if (t.system && t.system->storage_class == catalog::StorageClass::local) return;
    BillLine line;
    line.id = id(t.name);
    line.category = "storage";
    line.item = t.system ? t.system->name : t.name;
    line.count = t.units;
    line.price_node = t.price;
    if (t.price.node != no_node) line.unit_price = (1.0 / std::max(1.0, t.units)) * t.price.value;
    if (t.unit_price) {
      line.price_low = t.unit_price.low;
      line.price_high = t.unit_price.high;
    }
    if (t.system && t.system->lead_time) line.lead_time = t.system->lead_time.get();
    out_.findings.bill.add(std::move(line));
  }

  const Spec& spec_;
  const Demand& demand_;
  const catalog::Catalog& catalog_;
  Trace& trace_;
  std::string prefix_;
  Storage out_;
  std::vector<Tier> tiers_;
  std::vector<TierState> states_;
  Figure<Information> dataset_, kept_;
  Figure<Time> interval_;
};

}  // namespace

Tier usual_tier() {
  Tier t;
  t.name = "shared";
  t.system = "ddn-ai400x2-turbo";
  return t;
}

Storage assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
               Trace& trace) {
  return Assessor(spec, demand, catalog, trace).run();
}

}  // namespace headroom::storage
