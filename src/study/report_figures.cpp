#include "study/report_figures.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "study/context.hpp"

namespace headroom::study {
namespace {

std::string id_of(const Context& c, NodeId node) {
  return node == no_node ? std::string() : c.trace.at(node).id;
}

/// A figure of the trace in its own unit; nothing when it was not computed.
std::optional<double> traced(const Context& c, const char* id) {
  const NodeId node = c.trace.find(id);
  if (node == no_node) return std::nullopt;
  return c.trace.at(node).si;
}

// --- Money ------------------------------------------------------------------------------

CostWay way_of(const Context& c, const money::Path& path) {
  CostWay out;
  out.key = money::way_name(path.way);
  out.label = path.name;
  for (const auto& item : path.capital)
    out.capital.push_back({money::cause_name(item.cause), money::cause_name(item.cause),
                           item.amount.value.in(dollar), false, id_of(c, item.amount)});
  for (const auto& item : path.operating)
    out.operating.push_back({money::cause_name(item.cause), item.name,
                             item.amount.value.in(dollar / year), item.grows,
                             id_of(c, item.amount)});
  for (const auto& month : path.months) {
    out.dates.push_back(month.date);
    out.months.emplace_back(std::begin(month.usd), std::end(month.usd));
  }
  out.share.assign(std::begin(path.share_of_cost), std::end(path.share_of_cost));
  out.present_usd = path.present_cost.value.in(dollar);
  out.per_installed_gpu_hour = path.per_installed_gpu_hour.value.in(dollar / hour);
  out.per_used_gpu_hour = path.per_used_gpu_hour.value.in(dollar / hour);
  out.rent = path.rent.value.in(dollar / hour);
  out.price_id = path.price_id, out.price_as_of = path.price_as_of;
  out.break_even = path.break_even_text;
  out.irr = path.irr, out.mirr = path.mirr;
  return out;
}

CostProduct product_of(const Context& c, const money::ProductCost& cost,
                       const std::vector<Work>& work) {
  CostProduct out;
  out.name = cost.name;
  out.kind = cost.kind == money::Product::Kind::serving    ? "serving"
             : cost.kind == money::Product::Kind::training ? "training"
                                                           : "other";
  out.usd_per_year = cost.cost_rate.value.in(dollar / year);
  out.split_rule = cost.split_rule;
  const auto price = [&](const char* label, const char* unit, const auto& figure) {
    if (figure) out.prices.push_back({label, unit, id_of(c, *figure), figure->value.si()});
  };
  price("an input token", "USD/Mtoken", cost.per_input);
  price("an output token", "USD/Mtoken", cost.per_output);
  price("a token, all costs over all tokens", "USD/Mtoken", cost.per_token);
  price("the run", "MUSD", cost.per_run);
  for (const auto& w : work) {
    if (!w.has_product || w.product.name != cost.name) continue;
    out.gpus = w.product.gpus.value;
    if (cost.per_input && w.product.prefill_share) out.input_share = w.product.prefill_share.get();
  }
  return out;
}

void fill_terms(const Context& c, const money::Result& m, CostTerms& t) {
  t.start = m.start;
  if (!m.paths.empty()) t.months = int(m.paths.front().months.size()) - 1;
  t.discount = m.discount.value, t.utilisation = m.utilisation.value;
  t.escalation = traced(c, "money.escalation").value_or(0);
  t.accelerators = traced(c, "study.accelerators").value_or(0);
  const auto months = [&](const char* id) {
    return Time::from_si(traced(c, id).value_or(0)).in(month);
  };
  t.economic_life = months("money.economic_life");
  t.facility_life = months("money.facility_life");
  t.tax_life = months("money.tax_life");
  t.residual = traced(c, "money.residual");
  t.tax = traced(c, "money.tax");
  t.resale = m.resale;
}

void fill_money(const Context& c, ReportFigures& out) {
  for (int i = 0; i < money::causes; ++i)
    out.causes.emplace_back(money::cause_name(money::Cause(i)));
  if (!c.money) return;
  const auto& m = *c.money;
  for (const auto& path : m.paths) out.ways.push_back(way_of(c, path));
  for (const auto& bridge : m.bridges)
    for (auto& way : out.ways) {
      if (way.key != money::way_name(bridge.to)) continue;
      way.over_own.assign(money::causes, 0.0);
      for (const auto& step : bridge.steps)
        way.over_own[std::size_t(step.cause)] += step.change.in(dollar / hour);
    }
  fill_terms(c, m, out.terms);
  for (const auto& cost : m.products) out.products.push_back(product_of(c, cost, c.work));
  out.unpriced = m.unpriced;
}

// --- Network ----------------------------------------------------------------------------

FabricNetwork network_of(const fabric::Counts& n, const char* title, const char* use) {
  FabricNetwork out;
  out.title = title, out.use = use;
  out.endpoints = double(n.host_links), out.most_endpoints = double(n.most);
  out.bisection = n.bisection, out.hops = n.hops;
  const auto tier = [&](const char* key, const char* label, long switches, long links) {
    if (switches > 0) out.tiers.push_back({key, label, double(switches), double(links)});
  };
  tier("leaf", "leaf switches", n.leaf, n.host_links);
  tier("spine", "spine switches", n.spine, n.spine_links);
  tier("core", "core switches", n.core, n.core_links);
  return out;
}

FabricFigures fabric_of(const Context& c, const Machines& m) {
  FabricFigures out;
  const auto& d = m.network;
  out.cluster = m.spec->name;
  out.kind = fabric::kind_names()[std::size_t(d.kind)];
  out.system = m.system->name;
  out.systems = m.systems.value, out.gpus = m.gpus.value, out.racks = m.racks.value;
  out.per_rack = m.per_rack.value;
  out.planes = m.spec->fabric.planes;
  out.gpus_a_domain = d.path.domain;
  out.scale_up = d.path.scale_up.si(), out.scale_out = d.path.scale_out.si();
  if (d.used == nullptr) return out;
  out.switch_name = d.used->name;
  out.rails = out.systems > 0 ? double(d.counts.host_links) / out.systems : 0;
  out.networks.push_back(network_of(d.counts, "compute network", "compute"));
  if (d.storage.host_links > 0)
    out.networks.push_back(network_of(d.storage, "storage network", "storage"));
  out.cables = d.cables.value, out.plugs = d.plugs.value;
  out.power_w = d.power.value.si(), out.power_id = id_of(c, d.power);
  out.capital_usd = d.capital.value.in(dollar), out.capital_id = id_of(c, d.capital);
  out.latency_s = d.latency.value.si();
  out.oversubscription = d.oversubscription.value;
  return out;
}

// --- Power ------------------------------------------------------------------------------

PowerShare::Use use_of(const Context& c, const Work& work, double held) {
  PowerShare::Use use;
  use.name = work.spec->name;
  use.share = held > 0 ? work.gpus_held / held : 0;
  const std::string base = "workloads." + work.scope + ".";
  for (const auto& [id, unit] : {std::pair("token_energy", "output token"),
                                 std::pair("trained_token_energy", "trained token")}) {
    const NodeId node = c.trace.find(base + id);
    if (node == no_node) continue;
    use.token_unit = unit, use.token_id = base + id;
    use.joule_per_token = c.trace.at(node).si;
  }
  // `train` traces the energy of a trained token; the power and the rate are check's.
  const auto power = c.trace.find(base + "meter_power");
  if (use.joule_per_token <= 0 && work.training && power != no_node) {
    const double rate = work.training->result.tokens_per_s.value.si();
    if (rate > 0) {
      use.token_unit = "trained token", use.token_id = base + "meter_power";
      use.joule_per_token = c.trace.at(power).si / rate;
    }
  }
  return use;
}

void fill_power(const Context& c, ReportFigures& out) {
  out.it_w = c.it_typical.value.si(), out.meter_w = c.meter_typical.value.si();
  for (const auto& m : c.machines) {
    PowerShare share;
    share.cluster = m.spec->name, share.cluster_id = id_of(c, m.it_typical);
    share.it_w = m.it_typical.value.si(), share.network_w = m.network.power.value.si();
    double held = 0;
    for (const auto& w : c.work)
      if (w.machines == &m) held += w.gpus_held;
    for (const auto& w : c.work)
      if (w.machines == &m && w.gpus_held > 0) share.uses.push_back(use_of(c, w, held));
    out.power.push_back(std::move(share));
  }
  if (c.storage.power.value.si() > 0) {
    PowerShare share;
    share.cluster_id = id_of(c, c.storage.power);
    share.it_w = c.storage.power.value.si();
    out.power.push_back(std::move(share));
  }
}

/// What the swings are held against: a GPU-hour, and the first token that has a price.
std::vector<std::string> choose_targets(ReportFigures& f) {
  std::vector<std::string> ids;
  const auto add = [&](const std::string& id, std::string label, const char* unit) {
    ids.push_back(id);
    f.target_labels.push_back(std::move(label)), f.target_units.emplace_back(unit);
  };
  if (f.ways.empty()) return ids;
  add("money.own.per_gpu_hour", "cost of a GPU-hour put to use, owned", "USD/GPU/h");
  for (const auto& p : f.products)
    for (const auto& price : p.prices)
      if (ids.size() < 2 && price.unit == "USD/Mtoken" && price.label.starts_with("a token"))
        add(price.id, p.name + ": cost of " + price.label, "USD/Mtoken");
  return ids;
}

}  // namespace

ReportFigures report_figures(const Loaded& loaded, const catalog::Catalog& catalog,
                             const CheckOptions& options) {
  ReportFigures out;
  out.verdict.scenario = loaded.scenario.name;
  out.verdict.file = loaded.file;
  Context c(loaded.scenario, loaded, catalog, out.verdict);
  c.as_of = study_date(loaded.scenario, options.as_of);
  walk(c);
  rank(out.verdict);
  fill_money(c, out);
  for (const auto& m : c.machines) out.fabrics.push_back(fabric_of(c, m));
  fill_power(c, out);
  const auto ids = choose_targets(out);
  if (!options.sensitivities) return out;
  out.swings = input_swings(out.verdict, ids, loaded, options, catalog);
  return out;
}

}  // namespace headroom::study
