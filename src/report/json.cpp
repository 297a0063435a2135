#include <nlohmann/json.hpp>

#include "report/parts_json.hpp"
#include "report/report.hpp"

namespace headroom::report {
namespace {

using study::Section;
using study::Verdict;

Json remedy_json(const Remedy& r) {
  Json out = {{"action", r.action}};
  if (r.cost) out["cost"] = quantity(r.cost->si(), "USD");
  if (r.lead_time) out["lead_time"] = quantity(r.lead_time->si(), "wk");
  if (!r.source.empty()) out["source"] = r.source;
  return out;
}

Json margin_json(const Margin& m, const Trace& trace) {
  Json remedies = Json::array();
  for (const auto& r : m.remedies) remedies.push_back(remedy_json(r));
  auto id_of = [&](NodeId node) {
    return node == no_node ? Json(nullptr) : Json(trace.at(node).id);
  };
  return {{"id", m.id},
          {"layer", m.layer},
          {"limit", m.limit},
          {"need", quantity(m.need, m.unit)},
          {"have", quantity(m.have, m.unit)},
          {"headroom", number(m.headroom())},
          {"holds", m.holds()},
          {"why", m.why},
          {"remedies", remedies},
          {"need_id", id_of(m.need_node)},
          {"have_id", id_of(m.have_node)}};
}

Json plan_json(const Plan& plan) {
  Json items = Json::object();
  for (const auto& [key, value] : plan.items) items[key] = value;
  return {{"id", plan.id}, {"layer", plan.layer}, {"summary", plan.summary}, {"items", items}};
}

Json source_json(const Origin& origin) {
  if (!origin.source) return nullptr;
  const Source& s = *origin.source;
  Json out = {{"trust", trust_name(s.trust)}, {"title", s.title}};
  if (!s.url.empty()) out["url"] = s.url;
  if (!s.date.empty()) out["date"] = s.date;
  const std::string where = place(origin);
  if (!where.empty()) out["place"] = where;
  return out;
}

Json trace_json(const Trace& trace) {
  Json out = Json::array();
  for (const auto& node : trace.nodes()) {
    Json item = {{"id", node.id}};
    if (!node.text.empty()) {
      item["text"] = node.text;
    } else {
      item.update(quantity(node.si, node.unit));
    }
    if (node.low != node.high) {
      item["low"] = quantity(node.low, node.unit)["value"];
      item["high"] = quantity(node.high, node.unit)["value"];
    }
    if (!node.formula.empty()) item["formula"] = node.formula;
    Json inputs = Json::array();
    for (NodeId input : node.inputs) inputs.push_back(trace.at(input).id);
    if (!inputs.empty()) item["inputs"] = inputs;
    if (node.origin.source) item["source"] = source_json(node.origin);
    out.push_back(std::move(item));
  }
  return out;
}

Json bill_json(const BillOfMaterials& bill) {
  Json out = Json::array();
  for (const auto& line : bill.lines()) {
    Json item = {
        {"id", line.id}, {"category", line.category}, {"item", line.item}, {"count", line.count}};
    item["unit_price"] = line.unit_price ? quantity(line.unit_price->si(), "USD") : Json(nullptr);
    item["total"] = line.unit_price ? quantity(line.total().si(), "USD") : Json(nullptr);
    if (line.lead_time) item["lead_time"] = quantity(line.lead_time->si(), "wk");
    out.push_back(std::move(item));
  }
  return out;
}

Json sensitivities_json(const Verdict& v) {
  Json out = Json::array();
  for (const auto& s : v.sensitivities) {
    out.push_back({{"path", s.path},
                   {"low", s.low},
                   {"likely", s.likely},
                   {"high", s.high},
                   {"headroom_low", number(s.headroom_low)},
                   {"headroom_high", number(s.headroom_high)},
                   {"binding_low", s.binding_low},
                   {"binding_high", s.binding_high}});
  }
  return out;
}

Json paths_json(const Verdict& v) {
  Json out = Json::array();
  for (const auto& path : v.paths) {
    Json flow = Json::array();
    for (const auto& [date, usd] : path.cash_flow)
      flow.push_back({{"date", date}, {"usd", number(usd)}});
    out.push_back({{"key", path.key},
                   {"label", path.label},
                   {"figures", lines_json(path.lines, v.trace)},
                   {"break_even", path.break_even},
                   {"cash_flow", flow}});
  }
  return out;
}

}  // namespace

std::string json(const Verdict& v) {
  Json margins = Json::array();
  for (const auto& m : v.margins) margins.push_back(margin_json(m, v.trace));
  Json plans = Json::array();
  for (const auto& plan : v.plans) plans.push_back(plan_json(plan));
  Json workloads = Json::object();
  for (const auto& section : v.workloads)
    workloads[section.key] = lines_json(section.lines, v.trace);
  Json money = lines_json(v.money.lines, v.trace);
  Json out = {{"scenario", v.scenario},
              {"file", v.file},
              {"verdict", v.fits ? "fits" : "does not fit"},
              {"binding", v.binding() != nullptr ? Json(v.binding()->id) : Json(nullptr)},
              {"margins", margins},
              {"plans", plans},
              {"workloads", workloads},
              {"money", money},
              {"paths", paths_json(v)},
              {"energy", lines_json(v.energy.lines, v.trace)},
              {"carbon", lines_json(v.carbon.lines, v.trace)},
              {"water", lines_json(v.water.lines, v.trace)},
              {"energy_imbalance", v.energy_imbalance},
              {"sensitivities", sensitivities_json(v)},
              {"remarks", v.remarks},
              {"not_asked", v.not_asked},
              {"bill", bill_json(v.bill)},
              {"trace", trace_json(v.trace)}};
  return dumped(out);
}

std::string json(const Diagnostics& diagnostics) {
  Json list = Json::array();
  for (const auto& d : diagnostics.all()) {
    list.push_back({{"file", d.file},
                    {"line", d.line},
                    {"column", d.column},
                    {"path", d.path},
                    {"message", d.message},
                    {"hint", d.hint},
                    {"excerpt", d.excerpt}});
  }
  return dumped({{"verdict", "bad input"}, {"diagnostics", list}, {"count", diagnostics.count()}});
}

std::string csv(const Verdict& v) {
  std::string out = "id,layer,limit,need,have,unit,headroom,holds,why\n";
  for (const auto& m : v.margins) {
    const Json need = quantity(m.need, m.unit)["value"];
    const Json have = quantity(m.have, m.unit)["value"];
    out += csv_field(m.id) + "," + m.layer + "," + csv_field(m.limit) + "," + need.dump() + "," +
           have.dump() + "," + csv_field(m.unit) + "," + number(m.headroom()).dump() + "," +
           (m.holds() ? "true" : "false") + "," + csv_field(m.why) + "\n";
  }
  return out;
}

}  // namespace headroom::report
