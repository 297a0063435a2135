#include "power/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "power/limits.hpp"
#include "power/topology_parts.hpp"

namespace headroom::power {
namespace {

using catalog::PowerGear;

constexpr int tie_rank = 1, set_rank = 2;
/// More units of one kind than this are drawn in lumps.
constexpr int most_units = 300;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// A bank: one or more nodes that stand in for each other.
struct Side {
  std::string label;  ///< "A"; empty: common
  int units = 1;
};

std::vector<Side> sides_of(int units, Redundancy r) {
  if (r == Redundancy::two_n && units >= 2) return {{"A", units - units / 2}, {"B", units / 2}};
  if (r == Redundancy::three_to_two && units >= 3)
    return {{"A", units - 2 * (units / 3)}, {"B", units / 3}, {"C", units / 3}};
  return {{"", std::max(1, units)}};
}

std::string lower(std::string text) {
  for (char& ch : text) ch = static_cast<char>(ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch);
  return text;
}

std::string named(const std::string& stage, const std::string& label) {
  return label.empty() ? stage : stage + "-" + lower(label);
}

class Builder {
 public:
  Builder(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
          const SiteAir& air)
      : spec_(spec), demand_(demand), catalog_(catalog), air_(air) {
    chain_ = resolve(spec, demand, catalog);
    loads_ = loads_max(spec, demand);
  }

  Topology build() {
    count_sides();
    feeds();
    transformers();
    switchgear();
    ups();
    mechanical();
    for (std::size_t i = 0; i < demand_.halls.size(); ++i) hall(i);
    out_.graph.close();
    return std::move(out_);
  }

 private:
  Graph& g() { return out_.graph; }

  Node gear(NodeKind kind, const std::string& stage, const Side& side, const std::string& entry) {
    Node n;
    n.name = named(stage, side.label);
    n.kind = kind, n.stage_name = stage, n.side = side.label, n.count = side.units;
    n.gear = entry.empty() ? std::string(usual_gear(kind)) : entry;
    return n;
  }

  /// What one unit may carry, and its overload.
  void rate(Node& n, Power each, double factor) {
    n.nameplate_w = each.si();
    n.rating_w = each.si() * factor;
    set_overload(n, catalog_.find<PowerGear>(n.gear));
  }

  /// Gives `total`, which all units of a stage lose by, to its nodes evenly.
  void set_stage(const std::vector<int>& nodes, const Stage& total) {
    int units = 0;
    for (const int i : nodes) units += g()[i].count;
    for (const int i : nodes) {
      auto& s = g().nodes()[at(i)].stage;
      s = total;
      s.rating = total.rating / units;
    }
  }

  /// Sides below on sides above: one on one, or all on all.
  void join(const std::vector<int>& above, const std::vector<int>& below, int rank = 0) {
    for (std::size_t i = 0; i < below.size(); ++i)
      for (std::size_t k = 0; k < above.size(); ++k)
        if (above.size() != below.size() || i == k) g().connect(above[k], below[i], rank);
  }

  void count_sides() {
    const auto paired = [](Redundancy r) {
      return r == Redundancy::two_n || r == Redundancy::three_to_two;
    };
    bool any = paired(spec_.grid.redundancy) && spec_.grid.feeds;
    any = any || (paired(spec_.transformer.redundancy) && spec_.transformer.units);
    any = any || (paired(spec_.ups.redundancy) && spec_.ups.modules);
    for (const auto& h : demand_.halls)
      any = any || (paired(h.distribution.redundancy) && h.distribution.units);
    boards_ = any ? 2 : 1;
    if (any)
      out_.remarks.push_back(
          "the switchgear is taken to have sides A and B with a tie, as gear around it does");
    else
      out_.remarks.push_back(
          "nothing here has two sides, so the switchgear is one lineup: lost, it takes all along");
  }

  void feeds() {
    const auto& grid = spec_.grid;
    const int units = grid.feeds ? grid.feeds.count : 1;
    for (const auto& side : sides_of(units, grid.redundancy)) {
      Node n = gear(NodeKind::utility, "grid", side, "");
      if (grid.feeds)
        rate(n, grid.feeds.each.get(), 1);
      else if (grid.capacity)
        rate(n, grid.capacity.get(), 1);
      grid_.push_back(g().add(std::move(n)));
    }
  }

  void transformers() {
    const auto& bank = spec_.transformer;
    const int units = bank.units ? bank.units.count : 1;
    for (const auto& side : sides_of(units, bank.redundancy)) {
      Node n = gear(NodeKind::transformer, "transformer", side, bank.gear);
      n.power_factor = spec_.power_factor.or_else(1.0);
      if (bank.units) rate(n, bank.units.each.get(), n.power_factor * derating(n.kind, air_));
      transformers_.push_back(g().add(std::move(n)));
    }
    set_stage(transformers_, chain_.transformer);
    join(grid_, transformers_);
  }

  std::vector<int> generators() {
    const auto& bank = spec_.generator;
    std::vector<int> out;
    if (!bank.units) return out;
    for (const auto& side : sides_of(bank.units.count, bank.redundancy)) {
      Node n = gear(NodeKind::generator, "generator", side, bank.gear);
      n.power_factor = spec_.power_factor.or_else(1.0);
      const double left = bank.derating ? double(bank.derating.get()) : derating(n.kind, air_);
      rate(n, bank.units.each.get(), n.power_factor * left);
      set_start(n, catalog_.find<PowerGear>(n.gear));
      if (bank.tank) n.fuel_s = fuel_s(n, bank.tank.get());
      out.push_back(g().add(std::move(n)));
    }
    return out;
  }

  /// Time the site's tank lasts with every set at its rating.
  double fuel_s(const Node& n, Volume tank) const {
    const auto* entry = catalog_.find<PowerGear>(n.gear);
    const double all_w = n.nameplate_w * spec_.generator.units.count;
    if (entry == nullptr || !entry->fuel || all_w <= 0) return 0;
    return double(entry->fuel.get()) * (tank * diesel_heat).si() / all_w;
  }

  void switchgear() {
    const auto sets = generators();
    std::vector<int> ats;
    for (int k = 0; k < boards_; ++k) {
      const Side side{boards_ == 1 ? "" : k == 0 ? "A" : "B", 1};
      if (!sets.empty()) {
        ats.push_back(g().add(gear(NodeKind::transfer_switch, "ats", side, "")));
        g().nodes().back().start_s = ats_s;
      }
      boards_nodes_.push_back(g().add(gear(NodeKind::switchgear, "switchgear", side, "")));
    }
    set_stage(boards_nodes_, chain_.switchgear);
    if (!sets.empty()) {
      join(transformers_, ats);
      tie(transformers_, ats);
      // A set starts only when no transformer is live on either side.
      for (const int a : ats)
        for (const int s : sets) g().connect(s, a, set_rank);
      join(ats, boards_nodes_);
      tie(ats, boards_nodes_);
    } else {
      join(transformers_, boards_nodes_);
      tie(transformers_, boards_nodes_);
    }
  }

  /// The other side takes over.
  void tie(const std::vector<int>& above, const std::vector<int>& below) {
    if (above.size() != below.size()) return;
    for (std::size_t i = 0; i < below.size(); ++i)
      for (std::size_t k = 0; k < above.size(); ++k)
        if (i != k) g().connect(above[k], below[i], tie_rank);
  }

  void ups() {
    if (spec_.ups.redundancy == Redundancy::none) {
      outputs_ = boards_nodes_;
      return;
    }
    if (spec_.ups.redundancy == Redundancy::catcher && spec_.ups.modules &&
        spec_.ups.modules.count >= 2 && spec_.ups.modules.count <= most_units)
      return catcher();
    const auto& bank = spec_.ups;
    const int units = bank.modules ? bank.modules.count : 1;
    for (const auto& side : sides_of(units, bank.redundancy))
      outputs_.push_back(add_ups("ups", side));
    set_stage(outputs_, chain_.ups);
    join(boards_nodes_, outputs_);
    tie(boards_nodes_, outputs_);
    for (const int u : outputs_) add_battery(u, bank.autonomy);
  }

  int add_ups(const std::string& stage, const Side& side) {
    const bool eco = spec_.ups.gear == "ups-eco";
    Node n = gear(eco ? NodeKind::ups_eco : NodeKind::ups, stage, side, spec_.ups.gear);
    n.stage_name = "ups";
    if (spec_.ups.modules) rate(n, spec_.ups.modules.each.get(), derating(n.kind, air_));
    return g().add(std::move(n));
  }

  /// Blocks of one unit; the last unit stands by for all of them.
  void catcher() {
    const int blocks = spec_.ups.modules.count - 1;
    std::vector<int> all;
    for (int k = 0; k <= blocks; ++k)
      all.push_back(add_ups(k < blocks ? fmt::format("ups-{}", k + 1) : "ups-catcher", {"", 1}));
    set_stage(all, chain_.ups);
    for (const int u : all) {
      for (const int b : boards_nodes_) g().connect(b, u);
      add_battery(u, spec_.ups.autonomy);
    }
    for (int k = 0; k < blocks; ++k) {
      Node sts = gear(NodeKind::transfer_switch, fmt::format("sts-{}", k + 1), {"", 1}, "");
      sts.stage_name = "sts", sts.start_s = sts_s;
      outputs_.push_back(g().add(std::move(sts)));
      g().connect(all[at(k)], outputs_.back());
      g().connect(all.back(), outputs_.back(), tie_rank);
    }
    blocks_ = true;
  }

  void add_battery(int ups, const Value<Time>& autonomy) {
    const Node& u = g()[ups];
    if (!autonomy || u.rating_w <= 0) return;
    const int battery = g().add(battery_of(u, autonomy.get().si()));
    g().connect(battery, ups, battery_rank);
  }

  void mechanical() {
    const double behind = chain_.mechanical_on_ups;
    const auto load = [&](const char* name, NodeKind kind, Power watts,
                          const std::vector<int>& from) {
      if (watts.si() <= 0) return;
      Node n;
      n.name = n.stage_name = name, n.kind = kind, n.load_w = watts.si();
      if (kind == NodeKind::mechanical_load) n.restart_s = mechanical_restart_s;
      const int i = g().add(std::move(n));
      for (const int f : from) g().connect(f, i);
    };
    load("cooling", NodeKind::mechanical_load, loads_.cooling * (1 - behind), boards_nodes_);
    load("cooling-on-ups", NodeKind::mechanical_load, loads_.cooling * behind, outputs_);
    load("other", NodeKind::other_load, loads_.other, boards_nodes_);
  }

  // --- A hall ---------------------------------------------------------------------

  /// Racks that hang on the same units: which units each feed of a rack is on.
  struct Group {
    std::string name;
    std::vector<int> units;  ///< nodes; the feeds of a rack take them in turn, in equal blocks
  };

  void hall(std::size_t index) {
    const auto& h = demand_.halls[index];
    const auto& bank = h.distribution;
    const std::string prefix = h.scope + ".";
    const int count = bank.units ? bank.units.count : 1;
    std::vector<int> units;
    const auto unit = [&](const std::string& name, const std::string& side, int many) {
      const auto* entry = catalog_.find<PowerGear>(bank.gear);
      const bool pdu = entry != nullptr && entry->role == catalog::GearRole::pdu;
      Node n = gear(pdu ? NodeKind::pdu : NodeKind::busway, prefix + "distribution", {side, many},
                    bank.gear);
      n.name = prefix + name;
      if (bank.units) rate(n, bank.units.each.get(), 1);
      units.push_back(g().add(std::move(n)));
      return units.back();
    };
    const auto groups = groups_of(h, count, unit);
    set_stage(units, chain_.distribution[index]);
    feed_units(h, units);
    racks(h, groups, h.kinds.empty() ? rack_kinds(h) : h.kinds);
  }

  template <class Unit>
  std::vector<Group> groups_of(const HallDemand& h, int count, const Unit& unit) {
    const auto r = h.distribution.redundancy;
    const int feeds = std::max(h.feed.feed.count, h.feed.feed ? 1 : feeds_wanted(h));
    std::vector<Group> out;
    if (r == Redundancy::two_n && count >= 2) {
      for (const int many : lumps(h, count / 2)) {
        const auto k = out.size() + 1;
        Group group{fmt::format("racks-{}", k), {}};
        group.units.push_back(unit(fmt::format("a{}", k), "A", many));
        group.units.push_back(unit(fmt::format("b{}", k), "B", many));
        out.push_back(std::move(group));
      }
      return out;
    }
    if (r == Redundancy::three_to_two && count >= 3) return three_sides(h, count, unit);
    std::vector<int> all;
    for (const int many : lumps(h, count))
      all.push_back(unit(fmt::format("unit-{}", all.size() + 1), "", many));
    const bool spare =
        r == Redundancy::n_plus_1 || r == Redundancy::n_plus_2 || r == Redundancy::catcher;
    if (spare && all.size() >= 2 && feeds >= 2) return every_pair(all, std::max(1, h.racks));
    if (spare) return {{"racks", all}};
    for (const int u : all) out.push_back({fmt::format("racks-{}", out.size() + 1), {u}});
    return out;
  }

  /// Units a node, so that there are no more nodes than `most_units`.
  std::vector<int> lumps(const HallDemand& h, int units) {
    const int each = std::max(1, (units + most_units - 1) / most_units);
    std::vector<int> out;
    for (int left = units; left > 0; left -= each) out.push_back(std::min(each, left));
    if (each > 1)
      out_.remarks.push_back(
          fmt::format("{}: its {} units are drawn {} to a node, which loses them one by one",
                      h.title, units, each));
    return out;
  }

  /// Feeds of a rack that nobody gave: two where its hall has sides, else one.
  int feeds_wanted(const HallDemand& h) const {
    const auto r = h.distribution.redundancy;
    const bool sides = r == Redundancy::two_n || r == Redundancy::three_to_two ||
                       r == Redundancy::n_plus_1 || r == Redundancy::n_plus_2;
    return sides || (outputs_.size() > 1 && !blocks_) ? 2 : 1;
  }

  template <class Unit>
  std::vector<Group> three_sides(const HallDemand& h, int count, const Unit& unit) {
    std::vector<Group> out;
    for (const int many : lumps(h, count / 3)) {
      const auto k = out.size() / 3;
      int trio[3];
      for (int s = 0; s < 3; ++s)
        trio[s] = unit(fmt::format("{}{}", "abc"[s], k + 1), std::string(1, "ABC"[s]), many);
      for (int s = 0; s < 3; ++s)
        out.push_back({fmt::format("racks-{}{}{}", "abc"[s], "abc"[(s + 1) % 3], k + 1),
                       {trio[s], trio[(s + 1) % 3]}});
    }
    return out;
  }

  /// Every pair of units while there are racks for all pairs; else each with its neighbour.
  static std::vector<Group> every_pair(const std::vector<int>& all, int racks) {
    std::vector<Group> out;
    const int n = static_cast<int>(all.size());
    const bool ring = n * (n - 1) / 2 > std::min(racks, 1000);
    for (int i = 0; i < n; ++i)
      for (int k = i + 1; k < n; ++k)
        if (!ring || k == i + 1 || (i == 0 && k == n - 1))
          out.push_back({fmt::format("racks-{}-{}", i + 1, k + 1), {all[at(i)], all[at(k)]}});
    return out;
  }

  void feed_units(const HallDemand& h, const std::vector<int>& units) {
    if (blocks_) {  // each unit behind one block's STS
      for (std::size_t k = 0; k < units.size(); ++k)
        g().connect(outputs_[(next_block_++) % outputs_.size()], units[k]);
      return;
    }
    const auto sides_of_nodes = [&](const std::vector<int>& nodes) {
      std::set<std::string> sides;
      for (const int i : nodes) sides.insert(g()[i].side);
      return sides;
    };
    // Where the sides differ in number, what is below shares all that is above.
    const bool by_side = outputs_.size() > 1 && sides_of_nodes(units) == sides_of_nodes(outputs_);
    for (const int u : units)
      for (const int o : outputs_)
        if (!by_side || g()[o].side == g()[u].side) g().connect(o, u);
    if (!by_side && outputs_.size() > 1 && h.distribution.units)
      out_.remarks.push_back(h.title +
                             ": its units have not the sides of the UPS, so each draws "
                             "from every side in equal shares");
  }

  static std::vector<RackKind> rack_kinds(const HallDemand& h) {
    const double all = h.it_max.value.si(), most = h.rack_max.value.si();
    const int racks = std::max(1, h.racks);
    const int full =
        h.boxes > 0 && h.boxes_per_rack > 0 ? std::min(racks, h.boxes / h.boxes_per_rack) : 0;
    // Network and storage that need more than the fullest rack stand in every rack.
    const double rest = full < racks ? (all - most * full) / (racks - full) : 0;
    if (full == 0 || rest > most || most * full > all * (1 + 1e-9) || full == racks)
      return {{"", racks, all / racks, h.feed}};
    return {{"", full, most, h.feed},
            {"-other", racks - full, std::max(0.0, all - most * full) / (racks - full), h.feed}};
  }

  void racks(const HallDemand& h, const std::vector<Group>& groups,
             const std::vector<RackKind>& kinds) {
    int phase = 0;
    for (const auto& kind : kinds) {
      const int n = static_cast<int>(groups.size());
      for (int k = 0; k < n; ++k) {
        const int count = kind.count / n + (k < kind.count % n ? 1 : 0);
        if (count == 0) continue;
        Node racks;
        racks.name = h.scope + "." + groups[at(k)].name + kind.suffix;
        racks.kind = NodeKind::it_load, racks.stage_name = h.scope + ".racks";
        racks.count = count, racks.parallel = false, racks.load_w = kind.each_w;
        racks.racks = h.racks > 0 ? 1 : 0, racks.hall = h.scope;
        racks.phase = phase_use(kind.feed, phase);
        phase = (phase + count) % 3;
        rack_feeds(h, kind.feed, groups[at(k)], std::move(racks));
      }
    }
  }

  void rack_feeds(const HallDemand& h, const FeedSpec& spec, const Group& group, Node racks) {
    const int feeds = spec.feed ? spec.feed.count : feeds_wanted(h);
    const int paths = static_cast<int>(group.units.size());
    Node feed = racks;
    feed.kind = NodeKind::rack_feed, feed.stage_name = h.scope + ".rack-feed";
    feed.load_w = 0, feed.racks = 0;
    rate_feed(spec, feed);
    const std::string base = racks.name;
    const int load = g().add(std::move(racks));
    for (int f = 0; f < feeds; ++f) {
      // Feeds are cut into equal blocks, one a unit: 4 feeds on A and B are A A B B.
      const int unit = group.units[at(std::min(paths - 1, f * paths / feeds))];
      Node one = feed;
      one.side = g()[unit].side;
      one.name = fmt::format("{}.feed-{}", base, f + 1);
      const int i = g().add(std::move(one));
      g().connect(unit, i), g().connect(i, load);
    }
    for (int p = feeds; p < paths; ++p)  // fewer feeds than units: on one bus of them
      g().connect(group.units[at(p)], g().edges().back().from, 0);
  }

  const Spec& spec_;
  const Demand& demand_;
  const catalog::Catalog& catalog_;
  const SiteAir& air_;
  Chain chain_;
  Loads loads_;
  Topology out_;
  int boards_ = 1;
  bool blocks_ = false;
  std::size_t next_block_ = 0;
  std::vector<int> grid_, transformers_, boards_nodes_, outputs_;
};

}  // namespace

Topology chain_of(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
                  const SiteAir& air) {
  if (!spec.nodes.empty()) return chain_of_nodes(spec, demand, catalog, air);
  return Builder(spec, demand, catalog, air).build();
}

void scale_it(Graph& graph, double factor) {
  for (auto& n : graph.nodes())
    if (n.kind == NodeKind::it_load) n.load_w *= factor;
}

}  // namespace headroom::power
