// One network of a cluster (compute or storage), chosen and counted, before it
// is reported. Internal to fabric.
#pragma once

#include <vector>

#include "catalog/network.hpp"
#include "fabric/cabling.hpp"
#include "fabric/topology.hpp"

namespace headroom::fabric {

/// Cables of one sort: what, how many, how long each on average.
struct CableRun {
  const catalog::Cable* cable = nullptr;
  bool host = true;
  double count = 0;
  Length length;
};

struct Network {
  const catalog::Switch* used = nullptr;
  Request request;
  Counts counts;
  Bandwidth link;  ///< speed of one endpoint link
  Length longest_host, longest_switch;
  std::vector<CableRun> cables;

  Money switch_price() const;
  Money cable_price() const;
  Money price() const { return switch_price() + cable_price(); }
  double plugs() const;
  Power plug_power() const;
};

struct Wiring {
  Geometry geometry;
  bool leaf_in_rack = false;
  CableWish host_wish = CableWish::any;
  double systems_per_rack = 1;
  Value<Length> longest_host, longest_switch;  ///< as measured by the user
};

/// Counts the request on this switch and chooses its cables.
Network lay_out(const catalog::Catalog& catalog, const catalog::Switch& used, Request request,
                Bandwidth nic, const Wiring& wiring);

/// The switch usually bought for adapters of this speed and maker.
std::string_view usual_switch(Bandwidth nic, bool ethernet);

/// The switch of the catalogue that carries the request for the least money, or nullptr.
const catalog::Switch* cheapest_switch(const catalog::Catalog& catalog, const Request& request,
                                       Bandwidth nic, const Wiring& wiring, bool ethernet);

}  // namespace headroom::fabric
