#include "study/sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
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
Sensitivity try_ends(const Ranged& input, const std::string& binding,
                     const std::function<Verdict()>& check) {
  const Number kept = *input.number;
  Sensitivity s;
  s.path = input.path;
  s.low = format(kept.low, input.unit);
  s.likely = format(kept.likely, input.unit);
  s.high = format(kept.high, input.unit);
  for (const bool high : {false, true}) {
    input.number->likely = high ? kept.high : kept.low;
    const Verdict v = check();
    (high ? s.headroom_high : s.headroom_low) = headroom_of(v, binding);
    (high ? s.binding_high : s.binding_low) = v.binding() != nullptr ? v.binding()->id : "";
  }
  *input.number = kept;
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

void try_catalogue(Verdict& verdict, const Loaded& loaded, const CheckOptions& options) {
  const auto places = places_behind(verdict, *verdict.binding());
  if (places.empty()) return;
  // Numbers are changed in a copy: the shared catalogue is read-only.
  Diagnostics seen_at_load;
  const auto own = options.overlay.empty()
                       ? std::make_unique<catalog::Catalog>()
                       : catalog::Catalog::with_overlay(options.overlay, seen_at_load);
  Stage stage(options.progress, "ranges of the catalogue tried", places.size());
  for (const auto& input : numbers_at(*own, places)) {
    stage.advance();
    verdict.sensitivities.push_back(try_ends(
        input, verdict.binding()->id, [&] { return run(loaded.scenario, loaded, *own, options); }));
  }
}

}  // namespace

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
