#include <fmt/core.h>

#include <algorithm>

#include "catalog/region.hpp"
#include "study/context.hpp"
#include "study/lines.hpp"

namespace headroom::study {
namespace {

/// The cluster that most of the money is in.
const Machines* main_machines(const Context& c) {
  const Machines* best = nullptr;
  for (const auto& m : c.machines) {
    if (best == nullptr || m.it_max.value > best->it_max.value) best = &m;
  }
  return best;
}

Figure<Scalar> all_accelerators(Context& c) {
  double sum = 0;
  std::vector<NodeId> inputs;
  for (const auto& m : c.machines) {
    sum += m.gpus.value;
    inputs.push_back(m.gpus.node);
  }
  return c.trace.derive("study.accelerators", Scalar(sum), "GPU", "accelerators of all clusters",
                        inputs);
}

/// The lowest goodput of the training jobs; unknown without one.
Figure<Scalar> goodput(const Context& c) {
  Figure<Scalar> lowest;
  for (const auto& w : c.work) {
    if (w.goodput.node == no_node) continue;
    if (lowest.node == no_node || w.goodput.value < lowest.value) lowest = w.goodput;
  }
  return lowest;
}

/// Draw at the meter if every accelerator idled: what use does not change.
std::optional<Figure<Power>> idle_rate(Context& c) {
  Power idle{};
  for (const auto& m : c.machines) {
    const Power each = m.system->power.idle
                           ? std::min(m.system->power.idle.get(), m.system_max.value)
                           : m.system_max.value * 0.3;
    idle += each * double(m.systems.value) + m.network.power.value;
  }
  if (idle.si() <= 0) return std::nullopt;
  return c.trace.derive("study.meter_idle", idle * double(c.pue.value), "MW",
                        "(systems x idle power + networks) x PUE", {c.pue});
}

void price_energy(Context& c, money::Demand& d) {
  if (c.site.electricity.node != no_node) d.energy_price = c.site.electricity;
  if (c.site.demand_charge.node != no_node) d.demand_charge = c.site.demand_charge;
  if (c.cooling.water_year.node != no_node && c.cooling.water_year.value.si() > 0) {
    d.water_rate = c.trace.derive("study.water_rate", c.cooling.water_year.value / (1 * year),
                                  "m3/d", "water of a year / 8,760 h", {c.cooling.water_year});
  }
  if (c.site.region == nullptr) return;
  if (c.site.region->water)
    d.water_price = c.trace.input("study.water_price", c.site.region->water, "USD/m3");
  if (c.site.region->construction) {
    d.construction = c.trace.input("study.construction", c.site.region->construction, "USD/W");
  }
}

money::Demand demand_of(Context& c) {
  money::Demand d;
  d.start =
      c.scenario.site && !c.scenario.site->need_by.empty() ? c.scenario.site->need_by : c.as_of;
  d.bill = c.verdict.bill;
  if (const Machines* main = main_machines(c)) d.accelerator = main->accelerator->id;
  d.accelerators = all_accelerators(c);
  d.it_power_max = c.it_max;
  d.it_power = c.it_typical;
  d.peak_power = c.meter_max;
  if (c.scenario.power && c.scenario.power->grid.capacity) {
    d.contracted_power =
        c.trace.input("study.contracted_power", c.scenario.power->grid.capacity, "MW");
  }
  d.pue = c.pue;
  d.energy_rate = c.meter_typical;
  d.idle_rate = idle_rate(c);
  price_energy(c, d);
  d.facility_exists = !c.scenario.building || c.scenario.building->building.existing;
  d.goodput = goodput(c);
  for (const auto& w : c.work) {
    if (w.has_product) d.products.push_back(w.product);
  }
  return d;
}

/// JSON key of a name: lower_snake.
std::string key_of(std::string_view name) {
  std::string key = kebab(name);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

std::string label_of(const money::Path& path) {
  return path.name.empty() ? money::way_name(path.way) : path.name;
}

void add_paths(Context& c, const money::Result& r) {
  for (const auto& path : r.paths) {
    Path out;
    out.key = money::way_name(path.way);
    out.label = label_of(path);
    add_line(out.lines, "capital", "capital", path.capital_total, "MUSD");
    add_line(out.lines, "operating", "a year", Figure<MoneyRate>(path.operating_total), "MUSD/yr");
    add_line(out.lines, "present_cost", "present cost", path.present_cost, "MUSD");
    add_line(out.lines, "per_used_gpu_hour", "per used GPU-hour", path.per_used_gpu_hour, "USD/h");
    if (path.break_even) {
      add_line(out.lines, "break_even", "own is cheaper above", *path.break_even, "%");
    }
    out.break_even = path.break_even_text;
    for (const auto& month : path.months) out.cash_flow.emplace_back(month.date, month.total());
    c.verdict.paths.push_back(std::move(out));
  }
}

void product_lines(std::vector<Line>& lines, const money::ProductCost& p) {
  const std::string key = p.name + "_";
  auto optional = [&](const char* name, const std::string& label, const auto& figure,
                      const char* unit) {
    if (figure) add_line(lines, key + name, p.name + ": " + label, *figure, unit);
  };
  optional("per_input", "per million input tokens", p.per_input, "USD/Mtoken");
  optional("per_output", "per million output tokens", p.per_output, "USD/Mtoken");
  optional("per_token", "per million tokens, all costs over all tokens", p.per_token, "USD/Mtoken");
  optional("per_run", "cost of the run", p.per_run, "MUSD");
}

/// What the ranges of the bill's prices do to its sum, all low and all high.
void capital_range(Context& c, std::vector<Line>& lines) {
  double low = 0;
  double high = 0;
  bool ranged = false;
  for (const auto& line : c.verdict.bill.lines()) {
    if (!line.unit_price) continue;
    const double each = line.unit_price->in(dollar);
    ranged = ranged || line.price_high > line.price_low;
    low += line.count * (line.price_high > line.price_low ? line.price_low : each);
    high += line.count * (line.price_high > line.price_low ? line.price_high : each);
  }
  if (!ranged) return;
  const auto bill_low =
      c.trace.derive("money.bill_low", low * dollar, "MUSD",
                     "bill of materials, every ranged price at its low end", std::vector<NodeId>{});
  const auto bill_high = c.trace.derive("money.bill_high", high * dollar, "MUSD",
                                        "bill of materials, every ranged price at its high end",
                                        std::vector<NodeId>{});
  add_line(lines, "bill_low", "  bill of materials, all prices low", bill_low, "MUSD");
  add_line(lines, "bill_high", "  bill of materials, all prices high", bill_high, "MUSD");
}

void money_lines(Context& c, const money::Result& r) {
  auto& lines = c.verdict.money.lines;
  if (!r.paths.empty()) {
    const auto& own = r.paths.front();
    add_line(lines, "capital", "capital", own.capital_total, "MUSD");
    capital_range(c, lines);
    for (const auto& item : own.capital) {
      add_line(lines, "capital_" + key_of(money::cause_name(item.cause)),
               std::string("  of which ") + money::cause_name(item.cause), item.amount, "MUSD");
    }
    add_line(lines, "operating", "running cost, first year", own.operating_total, "MUSD/yr");
    for (const auto& item : own.operating) {
      add_line(lines, "operating_" + key_of(item.name), "  of which " + item.name, item.amount,
               "MUSD/yr");
    }
    add_line(lines, "per_used_gpu_hour", "cost of a GPU-hour put to use", own.per_used_gpu_hour,
             "USD/h");
    add_line(lines, "per_installed_gpu_hour", "cost of a GPU-hour installed",
             own.per_installed_gpu_hour, "USD/h");
  }
  add_line(lines, "utilisation", "utilisation reckoned with", r.utilisation, "%");
  add_line(lines, "discount", "discount rate", r.discount, "%");
  add_line(lines, "horizon", "horizon", r.horizon, "yr");
  for (const auto& product : r.products) product_lines(lines, product);
  if (r.delay_cost) add_line(lines, "delay", "cost of being late", *r.delay_cost, "MUSD");
}

/// Boxes at the edge are used as much as their sites use them: known, and seldom much.
Value<Scalar> utilisation_of_boxes(const Context& c) {
  const bool all_edge =
      !c.work.empty() && std::all_of(c.work.begin(), c.work.end(),
                                     [](const Work& w) { return w.spec->kind == WorkKind::edge; });
  if (!all_edge || c.work.front().power_share.value <= 0) return {};
  return Value<Scalar>(c.work.front().power_share.value,
                       std::make_shared<Source>(
                           Source{"derived", "share of time a box works", "", "", Trust::derived}));
}

}  // namespace

void assess_money(Context& c) {
  c.verdict.money = {"money", "Money", {}};
  if (!c.scenario.money) return;
  money::Spec spec = *c.scenario.money;
  if (!spec.utilisation) spec.utilisation = utilisation_of_boxes(c);
  const auto result = money::assess(spec, demand_of(c), c.catalog, c.trace);
  // The bill is already in the verdict: take everything else.
  Findings findings = result.findings;
  findings.bill = {};
  c.add(std::move(findings));
  money_lines(c, result);
  add_paths(c, result);
  c.money = result;
}

}  // namespace headroom::study
