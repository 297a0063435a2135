// The critical path: tasks and their predecessors, solved forward and backward.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.hpp"
#include "site/calendar.hpp"
#include "site/parts.hpp"

namespace headroom::site {
namespace {

// What can be found empty and energised in one place: more is leased before it is built (assumed).
constexpr Power largest_vacancy = 20 * megawatt;
using catalog::LeadTime;
using catalog::Phase;

struct Node {
  std::string id, name;
  Value<Time> duration;
  std::vector<std::size_t> after;
};

/// Tasks, each after its predecessors; plus the two milestones.
struct Network {
  std::vector<Node> nodes;
  std::vector<std::size_t> energised_by;  ///< finishing all of these energises the site

  std::size_t add(std::string id, std::string name, Value<Time> duration,
                  std::vector<std::size_t> after) {
    nodes.push_back({std::move(id), std::move(name), std::move(duration), std::move(after)});
    return nodes.size() - 1;
  }
};

enum class Case { low, likely, high };

double duration_s(const Number& n, Case which) {
  return which == Case::low ? n.low : which == Case::high ? n.high : n.likely;
}

std::vector<double> finishes(const Network& net, Case which) {
  std::vector<double> finish;
  for (const Node& node : net.nodes) {
    double start = 0;
    for (std::size_t p : node.after) start = std::max(start, finish[p]);
    finish.push_back(start + duration_s(node.duration, which));
  }
  return finish;
}

double last(const std::vector<double>& finish) {
  return finish.empty() ? 0 : *std::max_element(finish.begin(), finish.end());
}

const LeadTime* entry(const catalog::Catalog& catalog, std::string_view id) {
  return id.empty() ? nullptr : catalog.find<LeadTime>(id);
}

/// Builds the network of one site from its orders and the catalogue.
class Builder {
 public:
  Builder(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
          const catalog::Region* region)
      : spec_(spec), demand_(demand), catalog_(catalog), region_(region) {
    construct_ = demand.construction && !spec.existing && spec.energised_by.empty();
  }

  Network build() {
    const auto gear = add_gear();
    std::vector<std::size_t> live = construct_ ? add_building(gear) : add_retrofit(gear);
    if (awaits_grid()) live.push_back(add_source());
    add_promise(live);
    net_.energised_by = live;
    if (construct_) live = {add_work("commissioning", live)};
    add_equipment(live);
    return std::move(net_);
  }

 private:
  static bool is_gear(Phase p) { return p == Phase::electrical || p == Phase::mechanical; }

  std::size_t add_work(std::string_view id, std::vector<std::size_t> after) {
    const LeadTime* e = entry(catalog_, id);
    return net_.add(std::string(id), e ? e->name : std::string(id), e ? e->time : Value<Time>{},
                    std::move(after));
  }

  std::size_t add_order(const Order& order) {
    const LeadTime* e = entry(catalog_, order.lead_time);
    const Value<Time> time = e ? order.time.or_else(e->time) : order.time;
    return net_.add(kebab(e ? e->id : order.item), order.item.empty() && e ? e->name : order.item,
                    time, {});
  }

  Phase phase_of(const Order& order) const {
    const LeadTime* e = entry(catalog_, order.lead_time);
    return e ? e->phase : order.phase;
  }

  bool ordered(std::string_view id) const {
    return std::any_of(demand_.orders.begin(), demand_.orders.end(),
                       [&](const Order& o) { return o.lead_time == id; });
  }

  std::vector<std::size_t> add_gear() {
    std::vector<std::size_t> out;
    for (const Order& o : demand_.orders) {
      if (is_gear(phase_of(o))) out.push_back(add_order(o));
    }
    if (!construct_) return out;
    for (const LeadTime* e : catalog_.all<LeadTime>()) {
      if (!e->new_build || !is_gear(e->phase) || ordered(e->id)) continue;
      out.push_back(add_order({e->name, e->id, {}, e->phase}));
    }
    return out;
  }

  std::vector<std::size_t> add_building(std::vector<std::size_t> before_fit_out) {
    const auto permits = add_work("design-permits", {});
    before_fit_out.push_back(add_work("building-shell", {permits}));
    return {add_work("fit-out", std::move(before_fit_out)), add_source()};
  }

  /// A hall that need not be built but whose connection is still queued for.
  bool awaits_grid() const {
    return !construct_ && !spec_.existing && spec_.energised_by.empty() && spec_.grid.queue.given;
  }

  /// Gear that is added to a standing hall still has to be fitted.
  std::vector<std::size_t> add_retrofit(const std::vector<std::size_t>& gear) {
    if (gear.empty()) return {};
    return {add_work("fit-out", gear)};
  }

  /// Grid, or the own generation that is there before it.
  std::size_t add_source() {
    constexpr std::array<std::string_view, 5> entries{"grid-connection", "on-site-gas-turbine",
                                                      "on-site-gas-engine", "on-site-fuel-cell",
                                                      "on-site-solar-storage"};
    const auto index = static_cast<std::size_t>(spec_.grid.on_site);
    const LeadTime* e = entry(catalog_, entries[index]);
    Value<Time> time = e ? e->time : Value<Time>{};
    if (index == 0) {
      if (region_ != nullptr) time = region_->grid_queue.or_else(time);
      time = spec_.grid.queue.or_else(time);
    }
    return net_.add(std::string(entries[index]), e ? e->name : "Grid connection", time, {});
  }

  void add_promise(std::vector<std::size_t>& live) {
    const auto from = day_number(spec_.start.empty() ? demand_.as_of : spec_.start);
    const auto to = day_number(spec_.energised_by);
    if (!from || !to || spec_.existing) return;
    Value<Time> span(static_cast<double>(std::max(0L, *to - *from)) * day,
                     published("energised_by of the scenario"));
    live.push_back(net_.add("promised", "Energised as promised", span, {}));
  }

  void add_equipment(std::vector<std::size_t> live) {
    std::vector<std::size_t> before = std::move(live);
    bool any = false;
    for (const Order& o : demand_.orders) {
      if (phase_of(o) != Phase::equipment) continue;
      before.push_back(add_order(o));
      any = true;
    }
    if (any) add_work("installation", std::move(before));
  }

  const Spec& spec_;
  const Demand& demand_;
  const catalog::Catalog& catalog_;
  const catalog::Region* region_;
  bool construct_ = false;
  Network net_;
};

/// Latest finish of each task that delays nothing.
std::vector<double> latest(const Network& net, double end) {
  std::vector<double> out(net.nodes.size(), end);
  for (std::size_t i = net.nodes.size(); i-- > 0;) {
    for (std::size_t p : net.nodes[i].after) {
      out[p] = std::min(out[p], out[i] - net.nodes[i].duration.likely);
    }
  }
  return out;
}

std::vector<Task> solve(const Network& net) {
  const auto finish = finishes(net, Case::likely);
  const auto late = latest(net, last(finish));
  std::vector<Task> out;
  for (std::size_t i = 0; i < net.nodes.size(); ++i) {
    const Node& n = net.nodes[i];
    Task t{n.id, n.name, Time::from_si(n.duration.likely), {}, Time::from_si(finish[i]), {}, false};
    t.start = t.finish - t.duration;
    t.slack = Time::from_si(late[i] - finish[i]);
    t.critical = t.slack < 0.5 * hour && t.duration > Time{};
    out.push_back(std::move(t));
  }
  std::stable_sort(out.begin(), out.end(), [](const Task& a, const Task& b) {
    return a.start != b.start ? a.start < b.start : a.finish < b.finish;
  });
  return out;
}

Figure<Time> milestone(Trace& trace, const std::string& id, double si, std::string_view formula,
                       std::vector<NodeId> inputs) {
  return trace.derive(id, Time::from_si(si), "mo", formula, std::move(inputs));
}

/// "A and B", "A, B and 3 more of the same length".
std::string joined_by_and(const std::vector<const Task*>& tasks) {
  if (tasks.size() == 1) return tasks[0]->name;
  if (tasks.size() == 2) return tasks[0]->name + " and " + tasks[1]->name;
  return fmt::format("{}, {} and {} more at the same time", tasks[0]->name, tasks[1]->name,
                     tasks.size() - 2);
}

/// Critical tasks in order; those that run side by side are joined, not strung together.
std::string critical_chain(const Schedule& s) {
  std::vector<std::vector<const Task*>> steps;
  Time end{};
  for (const Task& t : s.tasks) {
    if (!t.critical) continue;
    if (steps.empty() || t.start >= end - 0.5 * hour) steps.emplace_back();
    steps.back().push_back(&t);
    end = std::max(end, t.finish);
  }
  std::string out;
  for (const auto& step : steps) out += (out.empty() ? "" : ", then ") + joined_by_and(step);
  return out;
}

const Task* find_task(const Schedule& s, std::string_view id) {
  for (const Task& t : s.tasks) {
    if (t.id == id) return &t;
  }
  return nullptr;
}

Plan as_plan(const Context& c, const Schedule& s) {
  Plan plan;
  plan.id = id_of(c, "schedule");
  plan.layer = "site";
  plan.summary = fmt::format("ready {:.1f} months after the start ({:.1f} to {:.1f}); critical: {}",
                             s.ready.in(month), s.ready_low.in(month), s.ready_high.in(month),
                             critical_chain(s));
  for (const Task& t : s.tasks) {
    if (t.duration <= Time{}) continue;
    std::string when =
        s.start.empty()
            ? fmt::format("month {:.1f} to {:.1f}", t.start.in(month), t.finish.in(month))
            : fmt::format("{} to {}", date_after(s.start, t.start), date_after(s.start, t.finish));
    when += t.critical ? ", critical" : fmt::format(", slack {:.1f} months", t.slack.in(month));
    plan.items.emplace_back(t.name, std::move(when));
  }
  return plan;
}

/// When the site would be ready under a changed spec. The what-if's trace is dropped.
Time ready_if(const Context& c, const Spec& changed) {
  return Time::from_si(
      last(finishes(Builder(changed, c.demand, c.catalog, c.region).build(), Case::likely)));
}

void offer(const Context& c, const Schedule& s, const Spec& changed, std::string action,
           std::vector<Remedy>& out) {
  const Time ready = ready_if(c, changed);
  const Time gain = s.ready.value - ready;
  if (gain < 1.0 * week) return;
  out.push_back({fmt::format("{}: ready in {:.1f} months, {:.1f} earlier", action, ready.in(month),
                             gain.in(month)),
                 {},
                 ready,
                 "catalogue lead times, critical path rerun"});
}

std::vector<Remedy> schedule_remedies(const Context& c, const Schedule& s) {
  std::vector<Remedy> out;
  const Task* grid = find_task(s, "grid-connection");
  if (grid != nullptr && grid->critical) {
    Spec changed = c.spec;
    for (auto [kind, words] :
         {std::pair{OnSite::gas_engine, "bridge with gas engines on site until the grid is there"},
          std::pair{OnSite::fuel_cell, "bridge with fuel cells on site until the grid is there"}}) {
      changed.grid.on_site = kind;
      offer(c, s, changed, words, out);
    }
  }
  Spec standing = c.spec;
  standing.existing = true;
  const Power peak = c.demand.peak_power.value;
  if (!c.spec.existing && peak <= largest_vacancy) {
    offer(c, s, standing, "take space in a hall that stands and is energised", out);
  } else if (!c.spec.existing) {
    const double sites = std::ceil(peak / largest_vacancy);
    offer(
        c, s, standing,
        fmt::format("no hall of {} stands empty: split the load over {:.0f} that stand, if the "
                    "work can run in parts of {} or less",
                    format_scaled(peak.si(), "W"), sites, format_scaled(largest_vacancy.si(), "W")),
        out);
  }
  if (out.empty())
    out.push_back({"order earlier: " + critical_chain(s) + " sets the date", {}, {}, {}});
  return out;
}

void add_margin(const Context& c, const Schedule& s, Result& result) {
  const auto from = day_number(s.start), to = day_number(c.spec.need_by);
  if (!to || s.tasks.empty()) return;
  if (!from) {
    result.findings.remarks.push_back(
        "site: need_by is given but no start date; the schedule was not held against it");
    return;
  }
  const Time allowed = static_cast<double>(std::max(0L, *to - *from)) * day;
  const auto have =
      c.trace.derive(id_of(c, "schedule.allowed"), allowed, "mo", "need_by - start", {});
  Margin m = make_margin(id_of(c, "ready"), "ready for service", s.ready, have, "mo")
                 .because(fmt::format(
                     "Starting {}, ready about {} ({} to {}) and needed by {}. Critical: {}.",
                     s.start, date_after(s.start, s.ready), date_after(s.start, s.ready_low),
                     date_after(s.start, s.ready_high), c.spec.need_by, critical_chain(s)));
  if (m.headroom() < 0.1) m.remedies = schedule_remedies(c, s);
  result.findings.margins.push_back(std::move(m));
}

}  // namespace

Schedule plan_schedule(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
                       const catalog::Region* region, Trace& trace, const std::string& prefix) {
  const Network net = Builder(spec, demand, catalog, region).build();
  Schedule s;
  s.start = spec.start.empty() ? demand.as_of : spec.start;
  s.tasks = solve(net);
  if (net.nodes.empty()) return s;

  std::vector<NodeId> nodes;
  for (const Node& n : net.nodes) {
    const bool critical = std::any_of(s.tasks.begin(), s.tasks.end(),
                                      [&](const Task& t) { return t.id == n.id && t.critical; });
    const NodeId leaf = trace.leaf(prefix + "schedule." + n.id, n.duration, "wk");
    if (critical) nodes.push_back(leaf);
  }
  const auto finish = finishes(net, Case::likely);
  double live = 0;
  for (std::size_t i : net.energised_by) live = std::max(live, finish[i]);
  s.energised = milestone(trace, prefix + "energised", live,
                          "longest path to fit-out and power source", nodes);
  s.ready = milestone(trace, prefix + "ready-after", last(finish),
                      "longest path through the schedule (sum of the critical tasks)", nodes);
  s.ready_low = Time::from_si(last(finishes(net, Case::low)));
  s.ready_high = Time::from_si(last(finishes(net, Case::high)));
  return s;
}

void assess_schedule(const Context& c, Result& result) {
  result.schedule = plan_schedule(c.spec, c.demand, c.catalog, c.region, c.trace, c.prefix);
  if (result.schedule.tasks.empty()) return;
  result.findings.plans.push_back(as_plan(c, result.schedule));
  add_margin(c, result.schedule, result);
}

std::vector<Order> orders_from(const BillOfMaterials& bill, const catalog::Catalog& catalog) {
  std::vector<Order> out;
  const auto keep_slowest = [&](Order order) {
    for (Order& o : out) {
      if (o.item != order.item && (o.lead_time.empty() || o.lead_time != order.lead_time)) continue;
      if (order.time && (!o.time || o.time.get() < order.time.get())) o.time = order.time;
      return;
    }
    out.push_back(std::move(order));
  };
  const auto entries = catalog.all<LeadTime>();
  for (const BillLine& line : bill.lines()) {
    const LeadTime* match = nullptr;
    for (const LeadTime* e : entries) {
      if (!e->category.empty() && e->category == line.category) match = e;
    }
    const Phase phase = line.category == "power"     ? Phase::electrical
                        : line.category == "cooling" ? Phase::mechanical
                                                     : Phase::equipment;
    if (line.lead_time) {
      keep_slowest({line.item,
                    {},
                    Value<Time>(*line.lead_time, published("catalogue entry of " + line.item)),
                    phase});
    } else if (match != nullptr) {
      keep_slowest({match->name, match->id, {}, match->phase});
    }
  }
  return out;
}

}  // namespace headroom::site
