#include "study/sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "base/units.hpp"
#include "spec/walk.hpp"

namespace headroom::study {
namespace {

/// NaN when the limit does not arise at this end of the range.
double headroom_of(const Verdict& v, const std::string& id) {
  const auto it =
      std::find_if(v.margins.begin(), v.margins.end(), [&](const Margin& m) { return m.id == id; });
  return it == v.margins.end() ? std::nan("") : it->headroom();
}

/// A ranged number that can be set: what people call it, and where it is held.
struct Ranged {
  std::string path, unit;
  Number* number;
};

/// Sets the number to each end, checks, and puts it back.
void at_ends(const Ranged& input, const std::function<Verdict()>& check,
             const std::function<void(bool high, const Verdict&)>& look) {
  const Number kept = *input.number;
  for (const bool high : {false, true}) {
    input.number->likely = high ? kept.high : kept.low;
    look(high, check());
  }
  *input.number = kept;
}

std::string binding_id(const Verdict& v) { return v.binding() != nullptr ? v.binding()->id : ""; }

Sensitivity try_ends(const Ranged& input, const std::string& binding,
                     const std::function<Verdict()>& check) {
  Sensitivity s;
  s.path = input.path;
  s.low = format(input.number->low, input.unit);
  s.likely = format(input.number->likely, input.unit);
  s.high = format(input.number->high, input.unit);
  at_ends(input, check, [&](bool high, const Verdict& v) {
    (high ? s.headroom_high : s.headroom_low) = headroom_of(v, binding);
    (high ? s.binding_high : s.binding_low) = binding_id(v);
  });
  return s;
}

/// The ranges that stand in the scenario; defaults are the layers' own affair.
std::vector<Ranged> ranges_of(Scenario& scenario) {
  std::vector<Ranged> out;
  for (const auto& leaf : spec::leaves(spec::object_ref(scenario))) {
    if (leaf.number == nullptr || !leaf.number->ranged()) continue;
    if (!leaf.number->origin.file) continue;  // a default of the field list
    out.push_back({leaf.path, std::string(leaf.unit), const_cast<Number*>(leaf.number)});
  }
  return out;
}

void collect_leaves(const Trace& trace, NodeId node, std::set<NodeId>& seen) {
  if (node == no_node || !seen.insert(node).second) return;
  for (const NodeId input : trace.at(node).inputs) collect_leaves(trace, input, seen);
}

/// Places (file:line:column) of ranged catalogue numbers behind a margin.
std::set<std::string> places_behind(const Verdict& v, const Margin& margin) {
  std::set<NodeId> nodes;
  collect_leaves(v.trace, margin.need_node, nodes);
  collect_leaves(v.trace, margin.have_node, nodes);
  std::set<std::string> places;
  for (const NodeId id : nodes) {
    const TraceNode& node = v.trace.at(id);
    const auto& source = node.origin.source;
    const bool written_by_user = !source || source->trust == Trust::user;
    if (node.low != node.high && node.origin.file && !written_by_user) {
      places.insert(place(node.origin));
    }
  }
  return places;
}

/// The numbers of a catalogue that stand at these places.
std::vector<Ranged> numbers_at(const catalog::Catalog& catalog, std::set<std::string> places) {
  std::vector<Ranged> out;
  for (const auto& kind : catalog::Catalog::kinds()) {
    for (const auto& id : catalog.ids(kind)) {
      if (places.empty()) return out;
      for (const auto& leaf : spec::leaves(catalog.find_object(kind, id))) {
        if (leaf.number == nullptr || !leaf.number->ranged()) continue;
        if (places.erase(place(leaf.number->origin)) == 0) continue;
        out.push_back({kind + " " + id + " " + leaf.path, std::string(leaf.unit),
                       const_cast<Number*>(leaf.number)});
      }
    }
  }
  return out;
}

/// A copy of the catalogue whose numbers may be changed: the shared one is read-only.
std::unique_ptr<catalog::Catalog> own_catalogue(const CheckOptions& options) {
  Diagnostics seen_at_load;
  return options.overlay.empty() ? std::make_unique<catalog::Catalog>()
                                 : catalog::Catalog::with_overlay(options.overlay, seen_at_load);
}

void try_catalogue(Verdict& verdict, const Loaded& loaded, const CheckOptions& options) {
  const auto places = places_behind(verdict, *verdict.binding());
  if (places.empty()) return;
  const auto own = own_catalogue(options);
  Stage stage(options.progress, "ranges of the catalogue tried", places.size());
  for (const auto& input : numbers_at(*own, places)) {
    stage.advance();
    verdict.sensitivities.push_back(try_ends(
        input, verdict.binding()->id, [&] { return run(loaded.scenario, loaded, *own, options); }));
  }
}

// --- Several figures at once ------------------------------------------------------------

constexpr double assumed_swing = 0.1;
constexpr double fewest_counted = 10;  // below, a count is a choice and not a size

/// Leaves behind the binding limit and behind figures, by place.
class Leaves {
 public:
  Leaves(const Verdict& v, const std::vector<std::string>& ids) : trace_(v.trace) {
    std::set<NodeId> seen;
    if (const auto* margin = v.binding()) {
      collect_leaves(trace_, margin->need_node, seen);
      collect_leaves(trace_, margin->have_node, seen);
    }
    for (const auto& id : ids) collect_leaves(trace_, trace_.find(id), seen);
    for (const NodeId id : seen) {
      const auto& node = trace_.at(id);
      if (node.formula.empty() && node.origin.file) by_place_.emplace(place(node.origin), id);
    }
  }
  const TraceNode* at(const Number& number) const {
    const auto it = by_place_.find(place(number.origin));
    return it == by_place_.end() ? nullptr : &trace_.at(it->second);
  }
  /// Of ranged numbers that the user did not write.
  std::set<std::string> ranged_places() const {
    std::set<std::string> out;
    for (const auto& [where, id] : by_place_) {
      const auto& node = trace_.at(id);
      const bool user = node.origin.source && node.origin.source->trust == Trust::user;
      if (node.low != node.high && !user) out.insert(where);
    }
    return out;
  }

 private:
  const Trace& trace_;
  std::map<std::string, NodeId> by_place_;
};

/// Fixed numbers of the scenario behind the targets, 10 % to either side.
std::vector<Ranged> assumed_ranges(Scenario& scenario, const Leaves& leaves) {
  std::vector<Ranged> out;
  for (const auto& leaf : spec::leaves(spec::object_ref(scenario))) {
    if (leaf.number == nullptr || leaf.number->ranged() || !leaf.number->origin.file) continue;
    if (leaf.absolute_temperature || leaves.at(*leaf.number) == nullptr) continue;
    auto& number = *const_cast<Number*>(leaf.number);
    const double x = number.likely;
    const bool whole = leaf.unit.empty() && x == std::floor(x);
    if (x == 0 || (whole && x < fewest_counted)) continue;
    number.low = x * (1 - assumed_swing), number.high = x * (1 + assumed_swing);
    if (whole) number.low = std::floor(number.low), number.high = std::ceil(number.high);
    out.push_back({leaf.path, std::string(leaf.unit), &number});
  }
  return out;
}

/// One bar; false when the input moves nothing.
bool swing(const Ranged& input, const Leaves& leaves, const std::string& binding,
           const InputSwings& all, const std::function<Verdict()>& check, InputSwing& s) {
  s.path = input.path;
  s.low = format(input.number->low, input.unit);
  s.likely = format(input.number->likely, input.unit);
  s.high = format(input.number->high, input.unit);
  if (const auto* node = leaves.at(*input.number)) s.id = node->id;
  if (input.number->origin.source) s.origin = describe(*input.number->origin.source);
  bool moves = false;
  at_ends(input, check, [&](bool high, const Verdict& v) {
    auto& out = high ? s.at_high : s.at_low;
    out.push_back(headroom_of(v, binding));
    for (const auto& id : all.ids) {
      const NodeId node = v.trace.find(id);
      out.push_back(node == no_node ? std::nan("") : v.trace.at(node).si);
    }
    for (std::size_t i = 0; i < out.size(); ++i)
      moves = moves || !(std::abs(out[i] - all.likely[i]) <= 1e-9 * std::abs(all.likely[i]));
    (high ? s.binding_high : s.binding_low) = binding_id(v);
  });
  return moves;
}

/// Largest relative change of any target.
double reach(const InputSwing& s, const InputSwings& all) {
  double most = 0;
  for (std::size_t i = 0; i < all.likely.size(); ++i) {
    const double base = i == 0 ? 1 : std::abs(all.likely[i]);
    const double change = std::abs(s.at_high[i] - s.at_low[i]) / (base > 0 ? base : 1);
    if (std::isfinite(change)) most = std::max(most, change);
  }
  return most;
}

}  // namespace

InputSwings input_swings(const Verdict& base, const std::vector<std::string>& ids,
                         const Loaded& loaded, const CheckOptions& options,
                         const catalog::Catalog& catalog) {
  InputSwings out;
  out.ids = ids;
  out.likely = {base.binding() != nullptr ? base.binding()->headroom() : std::nan("")};
  for (const auto& id : ids) {
    const NodeId node = base.trace.find(id);
    out.likely.push_back(node == no_node ? std::nan("") : base.trace.at(node).si);
  }
  const Leaves leaves(base, ids);
  const auto look = [&](const Ranged& input, bool assumed, const std::function<Verdict()>& check) {
    InputSwing s;
    s.assumed = assumed;
    ++out.tried;
    if (swing(input, leaves, binding_id(base), out, check, s)) out.inputs.push_back(std::move(s));
  };
  Scenario scenario = loaded.scenario;
  const auto of_scenario = [&] { return run(scenario, loaded, catalog, options); };
  for (const auto& input : ranges_of(scenario)) look(input, false, of_scenario);
  for (const auto& input : assumed_ranges(scenario, leaves)) look(input, true, of_scenario);
  const auto places = leaves.ranged_places();
  if (!places.empty()) {
    const auto own = own_catalogue(options);
    for (const auto& input : numbers_at(*own, places))
      look(input, false, [&] { return run(loaded.scenario, loaded, *own, options); });
  }
  std::stable_sort(
      out.inputs.begin(), out.inputs.end(),
      [&](const InputSwing& a, const InputSwing& b) { return reach(a, out) > reach(b, out); });
  return out;
}

void add_sensitivities(Verdict& verdict, const Loaded& loaded, const catalog::Catalog& catalog,
                       const CheckOptions& options) {
  if (verdict.margins.empty()) return;
  Scenario scenario = loaded.scenario;
  const auto ranges = ranges_of(scenario);
  Stage stage(options.progress, "ranges tried", ranges.size());
  for (const auto& input : ranges) {
    stage.advance();
    verdict.sensitivities.push_back(try_ends(
        input, verdict.binding()->id, [&] { return run(scenario, loaded, catalog, options); }));
  }
  const auto places = places_behind(verdict, *verdict.binding());
  if (options.catalogue_ranges) {
    try_catalogue(verdict, loaded, options);
  } else if (!places.empty()) {
    verdict.remarks.push_back(
        std::to_string(places.size()) +
        " catalogue figures behind the binding limit are ranges; --ranges shows "
        "what they do to it");
  }
}

}  // namespace headroom::study
