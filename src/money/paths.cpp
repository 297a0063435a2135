#include "money/paths.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "money/finance_math.hpp"

namespace headroom::money {
namespace {

constexpr double usd_per_hour = (dollar / hour).factor;  // SI of 1 USD/h
constexpr double usd_per_month = (dollar / month).factor;

class PathBuilder {
 public:
  PathBuilder(Way way, const Inputs& in, const Demand& demand, const Rent* rent,
              Figure<Scalar> goodput_ratio, Trace& trace)
      : in_(in), demand_(demand), rent_(rent), goodput_ratio_(goodput_ratio), trace_(trace) {
    path_.way = way;
  }

  Path run() {
    name();
    if (renting()) {
      rented();
    } else {
      buy_it();
      path_.way == Way::own ? own_facility() : colo();
      hands();
    }
    person_cost(Cause::people, "platform_people", in_.platform_people);
    total();
    cash_flow();
    levelise();
    return std::move(path_);
  }

 private:
  bool renting() const { return path_.way == Way::neocloud || path_.way == Way::cloud; }
  std::string id(const std::string& what) const {
    return fmt::format("money.{}.{}", way_name(path_.way), what);
  }
  void name();
  void add_capital(Cause cause, Money amount, const char* formula, std::vector<NodeId> from);
  void add_running(Cause cause, const std::string& what, MoneyRate amount, const char* formula,
                   std::vector<NodeId> from, bool escalates = true);
  void buy_it();
  void own_facility();
  void own_energy();
  void colo();
  void hands();
  void person_cost(Cause cause, const std::string& what, const Figure<Scalar>& people);
  void rented();
  void total();
  void cash_flow();
  void it_flows(std::vector<double>& tax_base);
  void facility_flows(std::vector<double>& tax_base);
  void running_flows(std::vector<double>& tax_base);
  void levelise();

  const Inputs& in_;
  const Demand& demand_;
  const Rent* rent_;
  Figure<Scalar> goodput_ratio_;
  Trace& trace_;
  Path path_;
  std::array<double, causes> fixed_monthly_{};       ///< USD a month that never grows
  std::array<double, causes> escalating_monthly_{};  ///< USD a month of the first year
};

void PathBuilder::name() {
  switch (path_.way) {
    case Way::own:
      path_.name = demand_.facility_exists ? "own, in the facility there is" : "own, new facility";
      break;
    case Way::colo:
      path_.name = "own IT in colocation";
      break;
    case Way::neocloud:
      path_.name = "reserved at a neocloud";
      break;
    case Way::cloud:
      path_.name = "cloud by the hour";
      break;
  }
}

void PathBuilder::add_capital(Cause cause, Money amount, const char* formula,
                              std::vector<NodeId> from) {
  if (amount.si() == 0) return;
  path_.capital.push_back({cause, trace_.derive(id(fmt::format("capital.{}", cause_name(cause))),
                                                amount, "USD", formula, std::move(from))});
}

void PathBuilder::add_running(Cause cause, const std::string& what, MoneyRate amount,
                              const char* formula, std::vector<NodeId> from, bool escalates) {
  if (amount.si() == 0) return;
  std::string name = what;
  std::replace(name.begin(), name.end(), '_', ' ');
  if (name.starts_with("it ")) name.replace(0, 2, "IT");
  path_.operating.push_back(
      {cause, trace_.derive(id("operating." + what), amount, "USD/yr", formula, std::move(from)),
       std::move(name), escalates});
  auto& monthly = escalates ? escalating_monthly_ : fixed_monthly_;
  monthly[static_cast<std::size_t>(cause)] += amount.si() / usd_per_month;
}

void PathBuilder::buy_it() {
  for (const Cause c : {Cause::accelerators, Cause::network, Cause::storage, Cause::other_it}) {
    const auto& bought = in_.capital.by_cause[static_cast<std::size_t>(c)];
    add_capital(c, bought, "the bill's lines", {bought});
  }
  add_running(Cause::upkeep, "it_upkeep",
              MoneyRate::from_si(in_.capital.it().si() * in_.it_maintenance.value / year.factor),
              "upkeep a year x price of IT",
              {in_.it_maintenance, trace_.find(id("capital.accelerators"))});
}

void PathBuilder::own_facility() {
  const auto& gear = in_.capital.by_cause[static_cast<std::size_t>(Cause::facility)];
  const Money replacement = in_.construction.value * demand_.it_power_max.value;
  const auto& racks = in_.capital.by_cause[static_cast<std::size_t>(Cause::racks)];
  add_capital(Cause::racks, racks, "the bill's lines", {racks});
  if (demand_.facility_exists) {
    add_capital(Cause::facility, gear, "power, cooling and building lines of the bill", {gear});
  } else {
    // A developer's price per kW holds the plant, without the tenant's racks; the bill's lines
    // show its parts.
    add_capital(Cause::facility, std::max(replacement, gear.value),
                "greater of construction price x critical load and the bill's lines",
                {in_.construction, demand_.it_power_max, gear});
  }
  add_running(Cause::upkeep, "facility_upkeep",
              MoneyRate::from_si(replacement.si() * in_.facility_maintenance.value / year.factor),
              "upkeep a year x construction price x critical load",
              {in_.facility_maintenance, in_.construction, demand_.it_power_max});
  person_cost(Cause::people, "facility_people", in_.facility_people);
  own_energy();
  if (demand_.water_rate && demand_.water_price) {
    add_running(Cause::water, "water", demand_.water_rate->value * demand_.water_price->value,
                "water x price", {*demand_.water_rate, *demand_.water_price});
  }
}

void PathBuilder::own_energy() {
  std::vector<NodeId> from{demand_.energy_rate};
  if (in_.energy_price) from.push_back(*in_.energy_price);
  if (in_.demand_charge) {
    from.insert(from.end(), {*in_.demand_charge, demand_.peak_power, in_.take_or_pay});
    if (demand_.contracted_power) from.push_back(*demand_.contracted_power);
  }
  add_running(Cause::energy, "energy", energy_bill(in_, demand_),
              "energy x price + demand charge x max(peak, take-or-pay share x contracted)",
              std::move(from));
}

void PathBuilder::colo() {
  add_running(Cause::facility, "colo", in_.colo.value * demand_.it_power_max.value,
              "colocation price x contracted kW", {in_.colo, demand_.it_power_max});
  const double pue = demand_.pue.value > 0 ? demand_.pue.value.si() : in_.colo_pue.value.si();
  add_running(Cause::energy, "energy", energy_bill(in_, demand_) * (in_.colo_pue.value / pue),
              "own energy bill x landlord's PUE / own PUE",
              {in_.colo_pue, demand_.pue, demand_.energy_rate,
               in_.energy_price ? in_.energy_price->node : no_node});
}

void PathBuilder::hands() { person_cost(Cause::people, "hardware_people", in_.hardware_people); }

void PathBuilder::person_cost(Cause cause, const std::string& what, const Figure<Scalar>& people) {
  add_running(cause, what, in_.person.value * static_cast<double>(people.value),
              "people x loaded cost", {people, in_.person});
}

void PathBuilder::rented() {
  if (rent_ == nullptr) return;
  path_.rent = rent_->rate;
  path_.price_id = rent_->price_id;
  path_.price_as_of = rent_->as_of;
  path_.name += rent_->what.empty() ? "" : ": " + rent_->what;
  const double hours = path_.way == Way::cloud ? in_.utilisation.value.si() : 1.0;
  const MoneyRate paid = rent_->rate.value * (static_cast<double>(demand_.accelerators.value) *
                                              goodput_ratio_.value * hours);
  std::vector<NodeId> from{rent_->rate, demand_.accelerators, goodput_ratio_};
  if (path_.way == Way::cloud) from.push_back(in_.utilisation);
  add_running(Cause::rent, "rent", paid,
              path_.way == Way::cloud ? "rent x GPUs x own goodput / theirs x utilisation"
                                      : "rent x GPUs x own goodput / theirs, every hour",
              from, false);
  add_running(Cause::extras, "extras", paid * static_cast<double>(in_.extras.value),
              "share on top of the rent", {trace_.find(id("operating.rent")), in_.extras}, false);
}

void PathBuilder::total() {
  Money capital;
  MoneyRate running;
  std::vector<NodeId> capital_nodes, running_nodes;
  for (const auto& item : path_.capital) {
    capital += item.amount.value;
    capital_nodes.push_back(item.amount);
  }
  for (const auto& item : path_.operating) {
    running += item.amount.value;
    running_nodes.push_back(item.amount);
  }
  path_.capital_total =
      trace_.derive(id("capital"), capital, "USD", "sum by cause", std::move(capital_nodes));
  path_.operating_total =
      trace_.derive(id("operating"), running, "USD/yr", "sum by item", std::move(running_nodes));
}

void PathBuilder::it_flows(std::vector<double>& tax_base) {
  const int n = in_.months;
  const int life = std::max(1, to_count(std::round(in_.economic_life.in(month))));
  const double tax_months = std::max(1.0, in_.tax_life.in(month));
  for (const auto& item : path_.capital) {
    if (outlives_it(item.cause)) continue;
    const double cost = item.amount.in(dollar);
    for (int bought = 0; bought < n; bought += life) {
      const int sold = std::min(n, bought + life);
      const int age = sold - bought;
      const bool last = sold == n;
      const double share = last && in_.residual ? static_cast<double>(in_.residual->value)
                                                : in_.residual_at(age * (1.0 * month));
      path_.months[bought].usd[static_cast<int>(item.cause)] += cost;
      path_.months[sold].usd[static_cast<int>(Cause::residual)] -= cost * share;
      auto book = [&](int months) { return std::max(0.0, 1 - months / tax_months); };
      for (int k = 1; k <= age; ++k) tax_base[bought + k] += cost * (book(k - 1) - book(k));
      tax_base[sold] += cost * (book(age) - share);  // gain or loss on the sale
    }
  }
}

void PathBuilder::facility_flows(std::vector<double>& tax_base) {
  const int n = in_.months;
  const double life = std::max(1.0, in_.facility_life.in(month));
  for (const auto& item : path_.capital) {
    if (!outlives_it(item.cause)) continue;
    const double cost = item.amount.in(dollar);
    const double left = std::max(0.0, 1 - n / life);
    path_.months[0].usd[static_cast<int>(item.cause)] += cost;
    path_.months[n].usd[static_cast<int>(Cause::residual)] -= cost * left;
    for (int m = 1; m <= std::min<double>(n, std::ceil(life)); ++m) {
      tax_base[m] += cost * (std::max(0.0, 1 - (m - 1) / life) - std::max(0.0, 1 - m / life));
    }
  }
}

void PathBuilder::running_flows(std::vector<double>& tax_base) {
  for (int m = 1; m <= in_.months; ++m) {
    const double growth = std::pow(1 + in_.escalation.value, (m - 1) / 12);  // steps each year
    for (int c = 0; c < causes; ++c) {
      const double paid = fixed_monthly_[c] + escalating_monthly_[c] * growth;
      path_.months[m].usd[c] += paid;
      tax_base[m] += paid;
    }
  }
}

void PathBuilder::cash_flow() {
  path_.months.resize(in_.months + 1);
  std::vector<double> tax_base(in_.months + 1, 0.0);
  for (int m = 0; m <= in_.months; ++m) {
    path_.months[m].index = m;
    path_.months[m].date = date_text(add_months(in_.start_day, m));
  }
  it_flows(tax_base);
  facility_flows(tax_base);
  running_flows(tax_base);
  if (!in_.tax) return;
  for (int m = 0; m <= in_.months; ++m) {
    path_.months[m].usd[static_cast<int>(Cause::tax)] = -in_.tax->value * tax_base[m];
  }
}

void PathBuilder::levelise() {
  double cost = 0, hours = 0;
  std::array<double, causes> by_cause{};
  double discount = 1;
  for (int m = 0; m <= in_.months; ++m, discount /= 1 + in_.monthly) {
    for (int c = 0; c < causes; ++c) by_cause[c] += path_.months[m].usd[c] * discount;
    if (m > 0) hours += demand_.accelerators.value * (month / hour).factor * discount;
  }
  cost = std::accumulate(by_cause.begin(), by_cause.end(), 0.0);
  std::vector<NodeId> from{path_.capital_total, path_.operating_total, in_.discount,
                           in_.horizon,         in_.escalation,        in_.economic_life};
  if (in_.residual) from.push_back(*in_.residual);
  if (in_.tax) from.push_back(*in_.tax);
  path_.present_cost = trace_.derive(
      id("present_cost"), cost * dollar, "USD",
      "sum over months of cost x (1 + r)^(-m/12), residual taken off", std::move(from));
  for (int c = 0; c < causes; ++c) path_.share_of_cost[c] = cost != 0 ? by_cause[c] / cost : 0;
  const double before_tax = in_.tax ? 1 - in_.tax->value : 1.0;
  const double installed = cost / hours / before_tax;
  const double used = installed / in_.utilisation.value;
  path_.per_installed_gpu_hour = trace_.derive(
      id("per_installed_gpu_hour"), MoneyRate::from_si(installed * usd_per_hour), "USD/GPU/h",
      in_.tax ? "present cost / present GPU-hours / (1 - tax)" : "present cost / present GPU-hours",
      {path_.present_cost, demand_.accelerators, in_.horizon, in_.discount});
  path_.per_used_gpu_hour = trace_.derive(
      id("per_gpu_hour"), MoneyRate::from_si(used * usd_per_hour), "USD/GPU/h",
      "per installed GPU-hour / utilisation", {path_.per_installed_gpu_hour, in_.utilisation});
}

}  // namespace

MoneyRate energy_bill(const Inputs& in, const Demand& demand) {
  MoneyRate bill;
  if (in.energy_price) bill += demand.energy_rate.value * in.energy_price->value;
  if (in.demand_charge) {
    Power billed = demand.peak_power.value;
    if (demand.contracted_power) {
      billed = std::max(billed,
                        demand.contracted_power->value * static_cast<double>(in.take_or_pay.value));
    }
    bill += in.demand_charge->value * billed;
  }
  return bill;
}

double Month::total() const { return std::accumulate(usd, usd + causes, 0.0); }

double per_installed_hour(const Path& path, Cause cause) {
  return path.per_installed_gpu_hour.value.si() / usd_per_hour *
         path.share_of_cost[static_cast<int>(cause)];
}

Path make_path(Way way, const Inputs& inputs, const Demand& demand, const Rent* rent,
               Figure<Scalar> goodput_ratio, Trace& trace) {
  return PathBuilder(way, inputs, demand, rent, goodput_ratio, trace).run();
}

}  // namespace headroom::money
