// Trace: how every reported number came to be.
//
// A layer records each figure it reports once, at the moment it is computed:
// leaves are inputs (scenario, catalogue or a layer's default, with their
// origin), inner nodes carry a formula and the nodes they were computed from.
// `headroom explain FILE ID` prints the tree below an id.
//
//   Figure<Scalar> racks = trace.input("hall.A.racks", hall.racks, "rack");
//   Figure<Power> each   = trace.input("hall.A.rack_load", hall.load, "kW");
//   Figure<Power> total  = trace.derive("power.hall.A.load", racks * each.value, "kW",
//                                       "racks x load of a rack", {racks, each});
//
// A Figure converts to its quantity, so formulas read as formulas.
//
// Ids are dotted paths, lower-case, layer first; the last record of an id wins.
// Units are display units and must have the figure's dimension (asserted by
// `Trace` in debug builds and by the tests for every scenario).
//
// Complexity: O(1) a record, not meant for inner loops. Not thread-safe: one
// Trace belongs to one study.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/value.hpp"

namespace headroom {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = UINT32_MAX;

struct TraceNode {
  std::string id;
  double si = 0;        ///< value in SI base units
  std::string unit;     ///< display unit, parseable by parse_unit
  std::string formula;  ///< empty for a leaf
  std::vector<NodeId> inputs;
  Origin origin;             ///< leaf: where it stands and its source
  double low = 0, high = 0;  ///< SI; equal to `si` unless the input is a range
  std::string text;          ///< leaf that is not a number (a name, a choice)
};

/// A quantity together with the trace node that tells how it came to be.
template <class Q>
struct Figure {
  Q value{};
  NodeId node = no_node;

  operator Q() const { return value; }      // NOLINT: a figure is its quantity
  operator NodeId() const { return node; }  // NOLINT: and its node
  double in(UnitOf<Q::dim> unit) const { return value.in(unit); }
};

class Trace {
 public:
  /// Records an input. `v` must be given.
  template <class Q>
  Figure<Q> input(std::string_view id, const Value<Q>& v, std::string_view unit) {
    return {v.get(), leaf(id, v, unit)};
  }
  /// Records an input that may be absent: `v` when given, else `fallback`.
  template <class Q>
  Figure<Q> input_or(std::string_view id, const Value<Q>& v, const Value<Q>& fallback,
                     std::string_view unit) {
    return input(id, v.or_else(fallback), unit);
  }
  /// Records a constant of a model with its source.
  template <class Q>
  Figure<Q> constant(std::string_view id, Q q, std::string_view unit, SourcePtr source) {
    return input(id, Value<Q>(q, std::move(source)), unit);
  }
  /// Records a computed figure.
  template <class Q>
  Figure<Q> derive(std::string_view id, Q q, std::string_view unit, std::string_view formula,
                   std::initializer_list<NodeId> inputs) {
    return {q, record(id, q.si(), unit, formula, std::vector<NodeId>(inputs))};
  }
  template <class Q>
  Figure<Q> derive(std::string_view id, Q q, std::string_view unit, std::string_view formula,
                   std::vector<NodeId> inputs) {
    return {q, record(id, q.si(), unit, formula, std::move(inputs))};
  }

  NodeId leaf(std::string_view id, const Number& number, std::string_view unit);
  /// A choice that shaped the result (a technology, a model's name).
  NodeId choice(std::string_view id, std::string_view text, Origin origin = {});
  NodeId record(std::string_view id, double si, std::string_view unit, std::string_view formula,
                std::vector<NodeId> inputs);

  /// Says afterwards what a recorded figure was computed from: a layer was handed a figure
  /// of a layer that reports later.
  void complete(NodeId node, std::string_view formula, std::vector<NodeId> inputs);

  const TraceNode& at(NodeId node) const { return nodes_[node]; }
  /// Newest node of this id, or no_node.
  NodeId find(std::string_view id) const;
  const std::vector<TraceNode>& nodes() const { return nodes_; }

 private:
  NodeId add(TraceNode node);

  std::vector<TraceNode> nodes_;
  std::unordered_map<std::string, NodeId> by_id_;
};

}  // namespace headroom
