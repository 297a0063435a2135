#include "base/trace.hpp"

namespace headroom {

NodeId Trace::add(TraceNode node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  by_id_[node.id] = id;
  nodes_.push_back(std::move(node));
  return id;
}

NodeId Trace::leaf(std::string_view id, const Number& number, std::string_view unit) {
  TraceNode node;
  node.id = id;
  node.si = number.likely;
  node.low = number.low;
  node.high = number.high;
  node.unit = unit;
  node.origin = number.origin;
  return add(std::move(node));
}

NodeId Trace::choice(std::string_view id, std::string_view text, Origin origin) {
  TraceNode node;
  node.id = id;
  node.text = text;
  node.origin = std::move(origin);
  return add(std::move(node));
}

NodeId Trace::record(std::string_view id, double si, std::string_view unit,
                     std::string_view formula, std::vector<NodeId> inputs) {
  TraceNode node;
  node.id = id;
  node.si = node.low = node.high = si;
  node.unit = unit;
  node.formula = formula;
  for (NodeId input : inputs) {
    if (input != no_node) node.inputs.push_back(input);
  }
  return add(std::move(node));
}

void Trace::complete(NodeId node, std::string_view formula, std::vector<NodeId> inputs) {
  nodes_[node].formula = formula;
  nodes_[node].inputs = std::move(inputs);
  nodes_[node].origin = {};
}

NodeId Trace::find(std::string_view id) const {
  auto it = by_id_.find(std::string(id));
  return it == by_id_.end() ? no_node : it->second;
}

}  // namespace headroom
