// Turning a laid-out network into figures, limits and bill lines. Internal to fabric.
#pragma once

#include <string>

#include "fabric/design.hpp"
#include "fabric/network.hpp"

namespace headroom::fabric {

class Report {
 public:
  Report(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog, Trace& trace,
         const Wiring& wiring, Design& out);

  void compute(const Network& net, Figure<Bandwidth> nic, int nics, bool ethernet);
  void storage(const Network& net);
  /// Sums over both networks; call last.
  void totals();

 private:
  struct Tier {
    std::string name;  ///< "leaf"
    long count;
    int at_hand;
  };

  std::string id(std::string_view name) const;
  /// `role` stands before the tier on the bill: "storage ".
  void bill_switches(const Network& net, const std::string& prefix, const Tier& tier,
                     const std::string& role);
  void bill_cables(const Network& net, const std::string& prefix);
  void add(const Network& net, const std::string& prefix, const std::string& role);
  void ports(const Network& net, Bandwidth nic, bool ethernet);
  void port_remedies(const Network& net, Bandwidth nic, bool ethernet, Margin& m) const;
  void bisection(const Network& net, Figure<Bandwidth> nic, int nics);
  void copper(const Network& net);
  void reach(const Network& net);
  void at_hand(const Network& net, const Tier& tier);

  const Spec& spec_;
  const Demand& demand_;
  const catalog::Catalog& catalog_;
  Trace& trace_;
  const Wiring& wiring_;
  Design& out_;
  std::string prefix_;
  double switches_ = 0, cables_ = 0, plugs_ = 0;
  Power typical_, max_, plug_power_;
  std::vector<NodeId> switch_nodes_, cable_nodes_;
};

}  // namespace headroom::fabric
