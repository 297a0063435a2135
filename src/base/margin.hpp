// Margin: one limit, need against have. The product of headroom is a list of
// these, sorted.
//
//   headroom = have / need - 1
//
// so a rack feed of 10 kW under a load of 40.8 kW has -75 %, and 14 days
// allowed for a run of 7 has +100 %. Every limit is put so that it holds when
// need <= have; a layer whose limit is a minimum (a speed that must be reached)
// calls the demanded figure `need` and the achieved one `have`.
//
// Each layer reports its own limits; nobody else knows its physics.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/trace.hpp"

namespace headroom {

/// An action that would lift a limit, with its cost and lead time where known.
struct Remedy {
  std::string action;             ///< imperative, with figures: "use 1 DGX H100 a rack"
  std::optional<Money> cost;      ///< capital, likely value
  std::optional<Time> lead_time;  ///< from order to in service, likely value
  std::string source;             ///< where cost and lead time come from
};

struct Margin {
  std::string id;     ///< dotted, layer first: "power.hall-a.rack_feed"
  std::string layer;  ///< "power"
  std::string limit;  ///< what people call it: "rack feed, hall A"
  double need = 0;    ///< SI
  double have = 0;    ///< SI
  std::string unit;   ///< display unit of both
  NodeId need_node = no_node;
  NodeId have_node = no_node;
  std::string why;  ///< one or two sentences with figures
  std::vector<Remedy> remedies;

  /// have/need - 1; +infinity when nothing is needed, -1 when nothing is there.
  double headroom() const {
    if (need <= 0) return std::numeric_limits<double>::infinity();
    return have / need - 1;
  }
  /// Holds, with a relative slack of 1e-9 for rounding.
  bool holds() const { return need <= have * (1 + 1e-9) || need <= 0; }

  Margin&& because(std::string text) && {
    why = std::move(text);
    return std::move(*this);
  }
  Margin&& remedy(Remedy r) && {
    remedies.push_back(std::move(r));
    return std::move(*this);
  }
};

/// A limit from two figures of one dimension.
template <class Q>
Margin make_margin(std::string id, std::string limit, const Figure<Q>& need, const Figure<Q>& have,
                   std::string unit) {
  Margin m;
  m.layer = id.substr(0, id.find('.'));
  m.id = std::move(id);
  m.limit = std::move(limit);
  m.need = need.value.si();
  m.have = have.value.si();
  m.unit = std::move(unit);
  m.need_node = need.node;
  m.have_node = have.node;
  return m;
}

}  // namespace headroom
