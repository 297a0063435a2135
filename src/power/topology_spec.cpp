#include "power/topology_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/units.hpp"

namespace headroom::power {

void NodeSpec::fields(spec::Fields& f) {
  if (f.here().line > 0) origin = f.here();
  f.text("name", name, "Name of the node").required();
  f.choice("kind", kind, node_kind_names(), "What it is");
  f.texts("fed_by", fed_by, "Nodes it draws from, in equal shares");
  f.texts("alternates", alternates, "Nodes that take over when none of `fed_by` is live, in order");
  f.texts("feeds", feeds, "Nodes that draw from it, as `fed_by` of those");
  f.bank("units", units, "kW", "Equal units and what each may carry; no limit when left out")
      .at_least(0);
  f.number("rating", rating, "kW", "What it may carry, for a single one").above(0);
  f.flag("separate", separate, "Units each on a path of their own, as racks are; else on one bus");
  f.reference("gear", gear, "power-gear", "Catalogue entry for losses; the usual one of its kind");
  f.text("side", side, "A, B, C: for the answer only");
  f.number("power_factor", power_factor, "", "Real over apparent power where rated in kVA; 1")
      .between(0.5, 1);
  f.number("autonomy", autonomy, "min", "Battery behind it: time at its rating").above(0);
  f.number("start", start, "s", "Generator: to accepting load, 10 s; switch: to transfer, 0.1 s")
      .at_least(0);
  f.number("start_failure", start_failure, "%", "Generator: probability that one does not start")
      .between(0, 100);
  f.number("runtime", runtime, "h", "Generator: fuel at full rating; no limit when left out")
      .above(0);
  f.number("breaker", breaker, "A", "Breaker of each unit").above(0);
  f.number("voltage", voltage, "V", "Line to line for two and three phases, to neutral for one")
      .above(0);
  f.integer("phases", phases, "Phases of a feed or a load").between(1, 3);
  f.number("continuous", continuous, "%",
           "Share of the breaker that a continuous load may use; default 80 % (NEC 210.20(A))")
      .between(1, 100);
  f.text("hall", hall, "IT: hall whose racks hang here");
  f.integer("racks", racks, "IT: racks; what the hall's other nodes leave when left out")
      .between(0, 1000000);
  f.number("load", load, "kW", "Load of the node; IT: the hall's by racks when left out");
  if (rating && units)
    f.mistake("rating", "is given beside 'units'", "keep one of them: units: 3 x 500 kW");
}

namespace {

Power rated(const NodeSpec& n) {
  if (n.units) return n.units.each.get() * n.units.count;
  return n.rating ? n.rating.get() : Power{};
}
Power each_rated(const NodeSpec& n) { return n.units ? n.units.each.get() : rated(n); }

bool may_hold_battery(NodeKind kind) {
  return kind == NodeKind::ups || kind == NodeKind::ups_eco || kind == NodeKind::rectifier ||
         kind == NodeKind::power_shelf || kind == NodeKind::switchgear ||
         kind == NodeKind::substation;
}

std::string watts(Power p) { return format_scaled(p.si(), "W"); }

class Checker {
 public:
  Checker(const std::vector<NodeSpec>& nodes, const std::vector<HallPlace>& halls)
      : nodes_(nodes), halls_(halls) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      names_.push_back(nodes[i].name);
      index_.emplace(nodes[i].name, static_cast<int>(i));
    }
  }

  std::vector<NodeFault> run() {
    for (const auto& n : nodes_) link(n);
    if (graph()) unpowered();
    for (const auto& n : nodes_) contradictions(n);
    halls();
    return std::move(faults_);
  }

 private:
  void fault(const NodeSpec& n, const char* key, std::string message, std::string hint = {}) {
    std::string path = "power.nodes." + n.name;
    if (*key != 0) path += std::string(".") + key;
    faults_.push_back({n.origin, std::move(path), std::move(message), std::move(hint)});
  }

  int look_up(const NodeSpec& n, const char* key, const std::string& name) {
    const auto found = index_.find(name);
    if (found != index_.end()) return found->second;
    auto hint = did_you_mean(name, names_);
    fault(n, key, "no node is called '" + name + "'",
          hint.empty() ? "names of nodes of this list" : hint);
    return -1;
  }

  void join(const NodeSpec& n, const char* key, const std::vector<std::string>& others, bool down) {
    const int own = index_.at(n.name);
    for (const auto& name : others) {
      const int other = look_up(n, key, name);
      if (other < 0) continue;
      const std::pair edge = down ? std::pair(own, other) : std::pair(other, own);
      if (std::find(edges_.begin(), edges_.end(), edge) != edges_.end())
        fault(n, key, "'" + name + "' is named twice as what feeds it", "once is enough");
      else
        edges_.push_back(edge);
    }
  }

  void link(const NodeSpec& n) {
    join(n, "fed_by", n.fed_by, false);
    join(n, "alternates", n.alternates, false);
    join(n, "feeds", n.feeds, true);
    if (is_source(n.kind) && !(n.fed_by.empty() && n.alternates.empty()))
      fault(n, "fed_by",
            fmt::format("a {} is a source and is fed by nothing", node_kind_name(n.kind)),
            "turn the edge round with 'feeds'");
    if (is_load(n.kind) && !n.feeds.empty())
      fault(n, "feeds", fmt::format("a load of kind {} feeds nothing", node_kind_name(n.kind)),
            "give what feeds the racks a kind of its own: busway, pdu, rack-feed");
  }

  bool graph() {
    for (const auto& n : nodes_) graph_.add({.name = n.name, .kind = n.kind});
    for (const auto& [from, to] : edges_) graph_.connect(from, to);
    if (graph_.close()) return true;
    std::string round;
    for (const int i : graph_.loop()) round += names_[std::size_t(i)] + " -> ";
    const auto& first = nodes_[std::size_t(graph_.loop().front())];
    fault(first, "", "power runs in a loop: " + round + first.name,
          "a tie between two sides is an alternate of both loads, not of each other");
    return false;
  }

  void unpowered() {
    const Solution x = solve(graph_, normal(graph_));
    for (int i = 0; i < graph_.size(); ++i) {
      const auto& n = nodes_[std::size_t(i)];
      if (x.live[std::size_t(i)] != 0 || n.kind == NodeKind::battery) continue;
      fault(n, "",
            n.kind == NodeKind::it_load
                ? "these racks have no power: no path leads here from a utility or generator"
                : "no path leads here from a utility or generator",
            "name what feeds it in 'fed_by'");
    }
  }

  void contradictions(const NodeSpec& n) {
    Power above{};
    bool limited = true, fed = false;
    const int own = index_.at(n.name);
    for (const auto& [from, to] : edges_) {
      if (to != own || nodes_[std::size_t(from)].kind == NodeKind::battery) continue;
      const Power p = rated(nodes_[std::size_t(from)]);
      fed = true;
      limited = limited && p.si() > 0;
      above += p;
    }
    if (fed && limited && rated(n) > above)
      fault(
          n, n.units ? "units" : "rating",
          fmt::format("rated {}, above the {} of all that feeds it", watts(rated(n)), watts(above)),
          "a node cannot pass on more than it gets");
    if (n.breaker && n.voltage && each_rated(n).si() > 0) {
      const double phases = n.phases == 3 ? std::sqrt(3.0) : 1.0;
      const Power carries =
          phases * (n.breaker.get() * n.voltage.get()) * n.continuous.or_else(0.8);
      if (each_rated(n) > carries * (1 + 1e-9))
        fault(n, "breaker",
              fmt::format("{} A at {} V carry {} for good, below the {} of this feed",
                          n.breaker.get().si(), n.voltage.get().si(), watts(carries),
                          watts(each_rated(n))),
              "a breaker is at least 125 % of its continuous load (NEC 210.20(A))");
    }
    if (n.autonomy && !may_hold_battery(n.kind))
      fault(n, "autonomy", fmt::format("a {} holds no battery", node_kind_name(n.kind)),
            "give it to a ups, a rectifier or a power shelf, or add a node of kind battery");
    if (n.autonomy && may_hold_battery(n.kind) && rated(n).si() <= 0)
      fault(n, "autonomy", "counts from a rating, and there is none", "add units or rating");
    if (n.kind == NodeKind::battery) battery(n, own);
    if (n.kind != NodeKind::it_load && (!n.hall.empty() || n.racks > 0))
      fault(n, n.hall.empty() ? "racks" : "hall", "belongs to nodes of kind it");
    if (n.load && !is_load(n.kind)) fault(n, "load", "belongs to loads: it, mechanical, other");
  }

  void battery(const NodeSpec& n, int own) {
    bool held = false;
    for (const auto& [from, to] : edges_)
      if (from == own) held = held || may_hold_battery(nodes_[std::size_t(to)].kind);
    if (!held)
      fault(n, "feeds", "a battery behind no UPS, rectifier, shelf or switchgear",
            "name the UPS it stands behind in 'feeds'");
    if (!n.runtime) fault(n, "runtime", "a battery needs its time at its rating", "runtime: 5 min");
    if (rated(n).si() <= 0)
      fault(n, "rating", "a battery needs a rating", "what it gives: rating: 500 kW");
  }

  void halls() {
    std::vector<std::string> known;
    for (const auto& h : halls_) known.push_back(h.name);
    std::map<std::string, double> racks;
    for (const auto& n : nodes_) {
      if (n.kind != NodeKind::it_load || n.hall.empty()) continue;
      if (std::find(known.begin(), known.end(), n.hall) == known.end())
        fault(n, "hall", "no hall is called '" + n.hall + "'", did_you_mean(n.hall, known));
      racks[n.hall] += n.racks;
    }
    for (const auto& h : halls_) {
      const auto placed = racks.find(h.name);
      if (placed == racks.end())
        fault(nodes_.front(), "",
              "no node of kind it holds the racks of hall '" + h.name + "': they have no power",
              "add {name: ..., kind: it, hall: " + h.name + ", fed_by: [...]}");
      else if (h.positions > 0 && placed->second > h.positions)
        fault(nodes_.front(), "",
              fmt::format("nodes hold {} racks of hall '{}', which has {} positions",
                          placed->second, h.name, h.positions));
    }
  }

  const std::vector<NodeSpec>& nodes_;
  const std::vector<HallPlace>& halls_;
  std::vector<std::string> names_;
  std::map<std::string, int> index_;
  std::vector<std::pair<int, int>> edges_;
  Graph graph_;
  std::vector<NodeFault> faults_;
};

}  // namespace

std::vector<NodeFault> check_nodes(const std::vector<NodeSpec>& nodes,
                                   const std::vector<HallPlace>& halls) {
  if (nodes.empty()) return {};
  return Checker(nodes, halls).run();
}

}  // namespace headroom::power
