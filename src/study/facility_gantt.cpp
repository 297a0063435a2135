#include "study/facility_gantt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "catalog/cooling_technology.hpp"
#include "catalog/finance.hpp"
#include "catalog/lead_time.hpp"
#include "site/calendar.hpp"
#include "study/check.hpp"
#include "study/context.hpp"

namespace headroom::study {
namespace {

struct Gear {
  std::string_view limit;  ///< layer and end of a margin's id
  std::string_view end, lead_time;
};
// What lifts a limit, by the catalogue's lead times.
constexpr std::array<Gear, 13> gear{{{"power.", "transformer", "distribution-transformer"},
                                     {"power.", "generator", "generator"},
                                     {"power.", "ups", "ups"},
                                     {"power.", "ups-autonomy", "ups"},
                                     {"power.", "distribution", "busway"},
                                     {"power.", "rack-feed", "busway"},
                                     {"power.", "rack-breaker", "busway"},
                                     {"cooling.", "plant", "chiller"},
                                     {"cooling.", "supply", "chiller"},
                                     {"cooling.", "units", "crah"},
                                     {"cooling.", "cdus", "cdu"},
                                     {"cooling.", "coolant", "cdu"},
                                     {"cooling.", "rack-air", "crah"}}};

std::string_view last_part(std::string_view id) { return id.substr(id.rfind('.') + 1); }

std::string_view lead_time_of(const Margin& m) {
  for (const auto& g : gear)
    if (m.id.rfind(g.limit, 0) == 0 && last_part(m.id) == g.end) return g.lead_time;
  return {};
}

bool of_the_grid(const Margin& m) { return m.id == "power.grid" || m.id == "power.grid-feeds"; }

PhaseLimit limit_of(const Margin& m) {
  PhaseLimit l{m.id, m.limit, m.unit, m.need, m.have, m.headroom(), {}};
  if (!m.remedies.empty()) l.add = m.remedies.front().action;
  return l;
}

/// A limit's price: its first remedy's. One order may lift two limits of a hall.
void add_price(const Margin& m, BuildPlan& plan) {
  for (const auto& remedy : m.remedies) {
    if (!remedy.cost) continue;
    const bool twice = std::any_of(plan.gear.begin(), plan.gear.end(),
                                   [&](const auto& g) { return g.action == remedy.action; });
    if (!twice)
      plan.gear.push_back({m.limit, remedy.action, remedy.source, remedy.cost->in(dollar)});
    return;
  }
  plan.unpriced.push_back(m.limit);
}

/// Orders that a retrofit adds to those of the bill.
void add_gear(const Context& c, std::vector<site::Order>& orders, BuildPlan& plan) {
  for (const auto& m : c.verdict.margins) {
    if (m.holds() || of_the_grid(m)) continue;
    const auto id = lead_time_of(m);
    const auto* entry = c.catalog.find<catalog::LeadTime>(std::string(id));
    if (id.empty() || entry == nullptr) continue;
    add_price(m, plan);
    const bool twice = std::any_of(orders.begin(), orders.end(),
                                   [&](const auto& o) { return o.lead_time == entry->id; });
    if (!twice) orders.push_back({entry->name, entry->id, {}, entry->phase});
  }
}

/// What a retrofit for liquid costs by the published figure, of the halls that have liquid.
void add_published(const Context& c, BuildPlan& plan) {
  const auto* finance = c.catalog.find<catalog::Finance>("default");
  if (finance == nullptr || !finance->liquid_retrofit) return;
  double watts = 0;
  for (const auto& hall : c.halls) {
    if (!hall.spec->cooling) continue;
    const auto* kind = c.catalog.find<catalog::CoolingTechnology>(hall.spec->cooling->kind);
    if (kind != nullptr && kind->family != catalog::CoolingFamily::room_air)
      watts += hall.it_max.value.si();
  }
  if (watts <= 0) return;
  plan.published_usd = (finance->liquid_retrofit.get() * Power::from_si(watts)).in(dollar);
  plan.published_source = describe(*finance->liquid_retrofit.origin.source);
}

/// Days after `need_by`; 0: none.
double late_days(const site::Schedule& s, const std::string& need_by) {
  const auto from = site::day_number(s.start), to = site::day_number(need_by);
  if (!from || !to || s.tasks.empty()) return 0;
  return std::max(0.0, double(*from) + std::ceil(s.ready.value.in(day)-1e-9) - double(*to));
}

/// A connection that falls short is waited for beside the work, as for a new one.
site::Spec with_grid(const Context& c, BuildPlan& plan) {
  site::Spec spec = c.scenario.site.value_or(site::Spec{});
  const auto& margins = c.verdict.margins;
  if (std::none_of(margins.begin(), margins.end(),
                   [](const Margin& m) { return of_the_grid(m) && !m.holds(); }))
    return spec;
  const auto* entry = c.catalog.find<catalog::LeadTime>("grid-connection");
  Value<Time> time = entry != nullptr ? entry->time : Value<Time>{};
  if (c.site.region != nullptr) time = c.site.region->grid_queue.or_else(time);
  spec.grid.queue = spec.grid.queue.or_else(time);
  spec.grid.queue.given = true;  // asked for by the limit that falls short
  spec.existing = false;
  plan.unpriced.push_back("a larger grid connection");
  return spec;
}

BuildPlan plan_of(std::string name, const Loaded& loaded, const catalog::Catalog& catalog,
                  bool retrofit, bool hall_binds) {
  Verdict verdict;
  Context c(loaded.scenario, loaded, catalog, verdict);
  c.as_of = study_date(loaded.scenario);
  walk(c);
  rank(verdict);
  BuildPlan p;
  p.name = std::move(name);
  p.retrofit = retrofit;
  p.it_max_w = c.it_max.value.si();
  p.schedule = c.site.schedule;
  if (retrofit) {
    site::Demand d;
    d.as_of = c.as_of;
    d.orders = site::orders_from(verdict.bill, catalog);
    d.peak_power = c.meter_max;
    add_gear(c, d.orders, p);
    p.schedule = site::plan_schedule(with_grid(c, p), d, catalog, c.site.region, c.trace, "plans.");
    add_published(c, p);
  }
  if (c.scenario.site) p.late_days = late_days(p.schedule, c.scenario.site->need_by);
  if (c.money && !c.money->paths.empty())
    p.capital_usd = c.money->paths.front().capital_total.in(dollar);
  for (const auto& m : verdict.margins) {
    const bool of_hall = m.layer == "building" || m.layer == "power" || m.layer == "cooling";
    if (!m.holds() && (hall_binds || !of_hall)) p.missed.push_back(limit_of(m));
  }
  return p;
}

std::vector<std::string> with(std::vector<std::string> sets, const std::vector<std::string>& more) {
  sets.insert(sets.end(), more.begin(), more.end());
  return sets;
}

}  // namespace

double BuildPlan::gear_usd() const {
  double sum = 0;
  for (const auto& g : gear) sum += g.usd;
  return sum;
}

std::optional<double> BuildPlan::total_usd() const {
  if (!capital_usd) return std::nullopt;
  return *capital_usd + gear_usd();
}

std::string BuildPlan::date(Time since_start) const {
  return site::date_after(schedule.start, since_start);
}

const BuildPlan* GanttAnswer::retrofit() const {
  for (std::size_t i = 0; i < std::min<std::size_t>(2, plans.size()); ++i)
    if (plans[i].retrofit) return &plans[i];
  return nullptr;
}

const BuildPlan* GanttAnswer::new_build() const {
  for (std::size_t i = 0; i < std::min<std::size_t>(2, plans.size()); ++i)
    if (!plans[i].retrofit) return &plans[i];
  return nullptr;
}

Result<GanttAnswer> facility_gantt(const std::string& file, const std::vector<std::string>& sets,
                                   const catalog::Catalog& catalog) {
  const auto loaded = load(file, sets, catalog);
  if (!loaded) return failure(loaded.error());
  const auto& s = loaded->scenario;
  const bool stands = !s.building || s.building->building.existing;
  GanttAnswer a;
  a.scenario = s.name;
  const char *old = "retrofit of a hall that stands", *fresh = "new building";
  a.plans.push_back(plan_of(stands ? old : fresh, *loaded, catalog, stands, true));
  a.remarks.push_back(
      "Lead times are the catalogue's, likely values; the range is all of them low and all high.");
  if (!stands)
    a.remarks.push_back(
        "The scenario has no hall that stands: that plan supposes one of this size, with its grid "
        "connection, is to be had.");
  if (file == "-" && spec::TextInput::current() == nullptr) {
    a.remarks.push_back("Read from standard input: the other way of building is not compared.");
    return a;
  }
  const std::string exists = stands ? "false" : "true";
  const std::vector<std::string> turn = {"building.existing=" + exists, "site.existing=" + exists};
  const auto other = load(file, with(sets, turn), catalog);
  if (!other) return failure(other.error());
  a.plans.push_back(plan_of(stands ? fresh : old, *other, catalog, !stands, !stands));
  auto changes = sets;
  if (!stands) changes = with(std::move(changes), turn);
  for (const auto& phase : s.phases) {
    changes = with(std::move(changes), phase.set);
    const auto next = load(file, changes, catalog);
    if (!next) {
      Diagnostics mistakes;
      for (auto d : next.error().all()) {
        d.message = "phase '" + phase.name + "': " + d.message;
        mistakes.add(std::move(d));
      }
      return failure(std::move(mistakes));
    }
    a.plans.push_back(plan_of("retrofit to " + phase.name, *next, catalog, true, true));
  }
  return a;
}

}  // namespace headroom::study
