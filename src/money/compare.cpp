#include "money/compare.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "money/finance_math.hpp"
#include "money/paths.hpp"

namespace headroom::money {
namespace {

constexpr double usd_per_hour = (dollar / hour).factor;

/// Share of the own energy cost that grows with use, 0 when the idle draw is unknown.
double variable_energy(const Inputs& in, const Demand& demand) {
  if (!demand.idle_rate || !in.energy_price || demand.energy_rate.value.si() <= 0) return 0;
  const MoneyRate by_use =
      (demand.energy_rate.value - demand.idle_rate->value) * in.energy_price->value;
  const MoneyRate all = energy_bill(in, demand);
  return all.si() > 0 ? std::clamp(by_use.si() / all.si(), 0.0, 1.0) : 0.0;
}

void break_even(const Inputs& in, const Demand& demand, double goodput_ratio, const Path& own,
                Path& other, Trace& trace) {
  const double u = in.utilisation.value;
  const double by_use =
      per_installed_hour(own, Cause::energy) * variable_energy(in, demand);  // USD/GPU-h at u
  // Levelised rent of an hour, extras included; a contract is taken in the size of the work.
  double rent = per_installed_hour(other, Cause::rent) + per_installed_hour(other, Cause::extras);
  if (other.way == Way::cloud) rent /= u;
  if (in.tax) {  // both causes are held before their tax relief
    rent = other.rent.value.si() / usd_per_hour * goodput_ratio * (1 + in.extras.value);
  }
  const double before_tax = in.tax ? 1 - in.tax->value : 1.0;
  const double people = per_installed_hour(other, Cause::people) * before_tax;
  const double fixed =
      own.per_installed_gpu_hour.value.si() / usd_per_hour - by_use * before_tax - people;
  const double slope = rent - by_use * before_tax / u;
  if (fixed <= 0) {
    other.break_even_text = "always";
    return;
  }
  if (slope <= 0) {
    other.break_even_text = "never";
    return;
  }
  const double share = fixed / slope;
  other.break_even =
      trace.derive(fmt::format("money.{}.break_even", way_name(other.way)), Scalar(share), "%",
                   "owned cost that does not depend on use / (rent of an hour - energy of an hour)",
                   {own.per_installed_gpu_hour, other.rent, in.extras, in.utilisation});
  other.break_even_text = share > 1 ? "never" : fmt::format("{:.0f} %", share * 100);
}

void returns(const Inputs& in, const Path& own, Path& other, std::vector<std::string>& remarks) {
  std::vector<DatedFlow> flows;
  std::vector<double> plain;
  for (std::size_t m = 0; m < own.months.size(); ++m) {
    plain.push_back(other.months[m].total() - own.months[m].total());
    flows.push_back({add_months(in.start_day, static_cast<int>(m)), plain.back()});
  }
  if (plain.empty() || plain.front() >= 0) return;  // owning costs nothing more at the start
  other.irr = xirr(flows);
  if (const auto monthly = mirr(plain, in.monthly, in.monthly)) {
    other.mirr = std::pow(1 + *monthly, 12) - 1;
  }
  if (other.irr && sign_changes(plain) > 1) {
    remarks.push_back(
        fmt::format("money: savings of owning against {} change sign more than "
                    "once, so its IRR is not unique; read the MIRR",
                    way_name(other.way)));
  }
}

}  // namespace

void compare(const Inputs& in, const Demand& demand, double goodput_ratio, const Path& own,
             Path& other, Trace& trace, std::vector<std::string>& remarks) {
  if (other.way == Way::neocloud || other.way == Way::cloud) {
    break_even(in, demand, goodput_ratio, own, other, trace);
  }
  returns(in, own, other, remarks);
}

Bridge bridge(const Path& from, const Path& to) {
  Bridge out{from.way, to.way, {}};
  for (int c = 0; c < causes; ++c) {
    const MoneyRate change = to.per_used_gpu_hour.value * to.share_of_cost[c] -
                             from.per_used_gpu_hour.value * from.share_of_cost[c];
    if (std::abs(change.in(dollar / hour)) > 1e-9)
      out.steps.push_back({static_cast<Cause>(c), change});
  }
  return out;
}

namespace {

void delay_cost(const Inputs& in, const Demand& demand, Result& result, Trace& trace) {
  if (!demand.delay || demand.delay->value.si() <= 0) return;
  const Path* interim = nullptr;
  for (const auto& p : result.paths) {
    if (p.way != Way::neocloud && p.way != Way::cloud) continue;
    if (interim == nullptr || p.operating_total.value < interim->operating_total.value)
      interim = &p;
  }
  const Path& own = result.paths.front();
  MoneyRate rate =
      MoneyRate::from_si(own.capital_total.value.si() * in.discount.value / year.factor);
  std::vector<NodeId> from{*demand.delay, own.capital_total, in.discount};
  std::string formula = "delay x (capital x cost of capital";
  if (interim != nullptr) {
    rate += interim->operating_total.value;
    from.push_back(interim->operating_total);
    formula += " + interim rent";
    const NodeId energy = trace.find("money.own.operating.energy");
    if (in.energy_price && energy != no_node) {
      rate -= demand.energy_rate.value * in.energy_price->value;
      from.push_back(energy);
      formula += " - energy not used";
    }
  }
  if (in.demand_charge && demand.contracted_power && in.take_or_pay.value > 0) {
    rate += in.demand_charge->value * demand.contracted_power->value *
            static_cast<double>(in.take_or_pay.value);
    from.insert(from.end(), {*in.demand_charge, *demand.contracted_power, in.take_or_pay});
    formula += " + minimum bill";
  }
  result.delay_cost = trace.derive("money.delay", rate * demand.delay->value, "USD", formula + ")",
                                   std::move(from));
}

void stranded_cost(const Inputs& in, const Demand& demand, Result& result, Trace& trace) {
  const Path& own = result.paths.front();
  MoneyRate rate;
  std::vector<NodeId> from;
  std::string formula;
  if (demand.accelerators_usable && demand.accelerators_usable->value < demand.accelerators.value) {
    const double idle = demand.accelerators.value - demand.accelerators_usable->value;
    rate += own.per_installed_gpu_hour.value * idle;
    from = {*demand.accelerators_usable, demand.accelerators, own.per_installed_gpu_hour};
    formula = "accelerators that cannot run x cost of an installed GPU-hour";
  }
  const bool built = !demand.facility_exists && demand.facility_capacity;
  if (built && demand.facility_capacity->value > demand.it_power_max.value) {
    const Money idle =
        in.construction.value * (demand.facility_capacity->value - demand.it_power_max.value);
    const int months = std::max(1, to_count(in.facility_life.in(month)));
    rate += capital_recovery(idle.in(dollar), 0, in.monthly, months) * (dollar / month);
    from.insert(from.end(), {*demand.facility_capacity, demand.it_power_max, in.construction,
                             in.facility_life, in.discount});
    formula +=
        std::string(formula.empty() ? "" : " + ") + "capital recovery of the kW built and not used";
  }
  if (rate.si() > 0) {
    result.stranded_cost = trace.derive("money.stranded", rate, "USD/yr", formula, std::move(from));
  }
}

void depreciation(const Inputs& in, Result& result, Trace& trace) {
  MoneyRate rate;
  std::vector<NodeId> from{in.book_life, in.facility_life};
  for (const auto& item : result.paths.front().capital) {
    const Time life = outlives_it(item.cause) ? in.facility_life : in.book_life;
    rate += item.amount.value / life;
    from.push_back(item.amount);
  }
  result.depreciation = trace.derive("money.depreciation", rate, "USD/yr",
                                     "capital / book life, in a straight line", std::move(from));
}

}  // namespace

void consequences(const Inputs& in, const Demand& demand, Result& result, Trace& trace) {
  for (const auto& p : result.paths) {
    const auto best = std::find_if(result.paths.begin(), result.paths.end(),
                                   [&](const Path& q) { return q.way == result.cheapest; });
    if (p.per_used_gpu_hour.value < best->per_used_gpu_hour.value) result.cheapest = p.way;
  }
  delay_cost(in, demand, result, trace);
  stranded_cost(in, demand, result, trace);
  depreciation(in, result, trace);
}

}  // namespace headroom::money
