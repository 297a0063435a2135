#include <cmath>
#include <nlohmann/json.hpp>

#include "report/facility_chain.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;
using study::FacilityAnswer;
using study::FacilityChain;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json name_or_null(const std::string& s) { return s.empty() ? Json(nullptr) : Json(s); }
std::size_t at(int i) { return static_cast<std::size_t>(i); }

Json one_case(const FacilityChain& c, const power::Case& x) {
  Json lost = Json::array(), over = Json::array(), trips = Json::array();
  for (const auto& o : x.lost) lost.push_back({{"node", c.graph[o.node].name}, {"units", o.units}});
  for (const auto& o : x.overloaded)
    over.push_back(
        {{"node", c.graph[o.node].name}, {"use", number(o.use)}, {"trip_s", number(o.trip_s)}});
  for (const int i : x.trips) trips.push_back(c.graph[i].name);
  return {{"lost", lost},
          {"mains", !x.on_generators},
          {"overloaded", over},
          {"trips", trips},
          {"dropped_racks", number(x.dropped_racks)},
          {"dropped_w", number(x.dropped_w)},
          {"tripped_racks", number(x.tripped_racks)},
          {"tripped_w", number(x.tripped_w)}};
}

Json nodes(const FacilityChain& c) {
  Json out = Json::array();
  for (int i = 0; i < c.graph.size(); ++i) {
    const auto& n = c.graph[i];
    const auto& w = c.sweep.nodes[at(i)];
    const bool rated = n.rating_w > 0;
    out.push_back(
        {{"name", n.name},
         {"kind", power::node_kind_name(n.kind)},
         {"stage", n.stage_name},
         {"side", name_or_null(n.side)},
         {"gear", name_or_null(n.gear)},
         {"units", n.count},
         {"one_bus", n.parallel},
         {"racks", n.racks * n.count},
         {"nameplate_w", n.nameplate_w > 0 ? number(n.nameplate_w * n.count) : Json(nullptr)},
         {"rating_w", rated ? number(n.total_rating_w()) : Json(nullptr)},
         {"output_w", number(c.solution.output_w[at(i)])},
         {"loss_w", number(c.solution.loss_w[at(i)])},
         {"input_w", number(c.solution.input_w[at(i)])},
         {"phase_imbalance", number(c.imbalance(i))},
         {"line_va", c.phases[at(i)].line_va},
         {"pair_va", c.phases[at(i)].pair_va},
         {"use", rated ? number(w.base_use) : Json(nullptr)},
         {"worst_use", rated ? number(w.worst_use) : Json(nullptr)},
         {"worst_output_w", number(w.worst_w)},
         {"worst_after",
          w.worst_case >= 0 ? Json(c.words(c.sweep.cases[at(w.worst_case)])) : Json(nullptr)},
         {"headroom", rated ? number(w.headroom()) : Json(nullptr)}});
  }
  return out;
}

Json edges(const FacilityChain& c) {
  Json out = Json::array();
  for (std::size_t e = 0; e < c.graph.edges().size(); ++e) {
    const auto& edge = c.graph.edges()[e];
    out.push_back({{"from", c.graph[edge.from].name},
                   {"to", c.graph[edge.to].name},
                   {"rank", edge.rank},
                   {"weight", number(edge.weight)},
                   {"flow_w", number(c.solution.edge_w[e])}});
  }
  return out;
}

Json stages(const std::vector<power::StageRow>& rows) {
  Json out = Json::array();
  for (const auto& r : rows)
    out.push_back({{"stage", r.name},
                   {"units", r.units},
                   {"nameplate_w", number(r.nameplate_w)},
                   {"derating_w", number(r.derating_w)},
                   {"phases_w", number(r.phases_w)},
                   {"uneven_w", number(r.uneven_w)},
                   {"sides_w", number(r.sides_w)},
                   {"reserve_w", number(r.reserve_w)},
                   {"mismatch_w", number(r.mismatch_w)},
                   {"cooling_w", number(r.cooling_w)},
                   {"rounding_w", number(r.rounding_w)},
                   {"left_w", number(r.left_w)},
                   {"load_w", number(r.load_w)},
                   {"fill", number(r.fill)}});
  return out;
}

Json list_of(const FacilityChain& c, const std::vector<power::Case>& cases) {
  Json out = Json::array();
  for (const auto& x : cases) out.push_back(one_case(c, x));
  return out;
}

Json pairs(const FacilityChain& c) {
  const auto& p = c.sweep.pairs;
  if (p.pairs == 0) return nullptr;
  return {{"pairs", p.pairs},
          {"dropping", p.dropping},
          {"overloading", p.overloading},
          {"worst", list_of(c, p.worst)}};
}

Json together(const FacilityChain& c) {
  Json out = Json::array();
  for (const auto& t : c.sweep.together) {
    Json one = one_case(c, t.lost);
    one["harmless"] = t.lost.harmless();
    one["last_trip_s"] = number(t.lost.last_trip_s);
    one["borne"] = {{"full_first", name_or_null(t.binding)},
                    {"scale", number(t.scale)},
                    {"stages", stages(t.stages)}};
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

Json chain_json(const FacilityAnswer& a, bool full) {
  const auto& c = a.chain;
  const auto bad = c.harmful();
  double most = 0;
  for (const auto& x : c.sweep.cases) most = std::max(most, x.lost_racks());
  Json out{{"holds", c.holds()},
           {"given_w", number(c.balance.given_w)},
           {"load_w", number(c.balance.load_w)},
           {"loss_w", number(c.balance.loss_w)},
           {"imbalance", number(c.balance.imbalance())},
           {"racks", number(c.racks)},
           {"cases", c.sweep.cases.size() + c.sweep.banks.size()},
           {"harmful", bad.size()},
           {"most_racks_to_one_loss", number(most)},
           {"full_first", name_or_null(c.sweep.binding)},
           {"scale", number(c.sweep.scale)}};
  if (!full) return out;
  out["altitude_m"] = number(c.air.altitude_m);
  out["outdoor_c"] = number(c.air.outdoor_c);
  out["nodes"] = nodes(c);
  out["edges"] = edges(c);
  out["stages"] = stages(c.sweep.stages);
  out["single"] = list_of(c, c.sweep.cases);
  out["banks"] = list_of(c, c.sweep.banks);
  out["double"] = pairs(c);
  out["together"] = together(c);
  out["remarks"] = c.remarks;
  return out;
}

Json chain_walk_json(const FacilityAnswer& a) {
  if (!a.walk || !a.walk->power) return nullptr;
  const auto& w = *a.walk->power;
  Json events = Json::array(), intervals = Json::array(), halls = Json::array();
  for (const auto& e : w.events)
    events.push_back({{"at_s", number(e.at_s)},
                      {"node", a.chain.graph[e.node].name},
                      {"what", words(a.chain, e)}});
  for (const auto& x : w.intervals)
    intervals.push_back({{"from_s", number(x.from_s)},
                         {"to_s", number(x.to_s)},
                         {"it_w", number(x.it_w)},
                         {"given_w", number(x.given_w)},
                         {"battery_w", number(x.battery_w)},
                         {"generator_w", number(x.generator_w)},
                         {"loss_w", number(x.loss_w)},
                         {"cooling_powered", number(x.mechanical)}});
  for (const auto& h : w.halls)
    halls.push_back({{"hall", h.hall},
                     {"racks", number(h.racks)},
                     {"dropped_racks", number(h.dropped_racks)},
                     {"dropped_w", number(h.dropped_w)},
                     {"dropped_at_s", h.dropped_at_s < 0 ? Json(nullptr) : number(h.dropped_at_s)},
                     {"dark_rack_s", number(h.dark_rack_s)}});
  return {{"events", events},
          {"intervals", intervals},
          {"halls", halls},
          {"sets_needed", w.sets_needed},
          {"start_probability", number(w.start_probability)},
          {"battery_left_s", w.battery_left_s < 0 ? Json(nullptr) : number(w.battery_left_s)},
          {"imbalance", number(w.worst_imbalance)}};
}

}  // namespace headroom::report
