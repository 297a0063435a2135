#include "money/inputs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "money/finance_math.hpp"

namespace headroom::money {
namespace {

using catalog::Finance;

// A cash flow needs a first day; this one is used when nobody names one.
constexpr const char* fallback_start = "2027-01-01";
// Fewer accelerators than the smallest server has are a desk's or a shop's, with no staff of
// their own (assumed).
constexpr double fewest_attended = 4;

class Resolver {
 public:
  Resolver(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog, Trace& trace,
           const Finance& profile, const Finance& fallback)
      : spec_(spec),
        demand_(demand),
        catalog_(catalog),
        trace_(trace),
        profile_(profile),
        fallback_(fallback) {}

  Inputs run() {
    rates_and_lives();
    facility_and_people();
    energy();
    bill();
    calendar();
    return std::move(in_);
  }

 private:
  /// Scenario over profile over default.
  template <class Q>
  Figure<Q> pick(const std::string& name, const Value<Q>& given, Value<Q> Finance::*member,
                 std::string_view unit) {
    const auto& value = given.or_else((profile_.*member).or_else(fallback_.*member));
    return trace_.input_or("money." + name, value, Value<Q>(Q{}, assumed("not given")), unit);
  }

  void rates_and_lives();
  void facility_and_people();
  Figure<Scalar> people(const std::string& name, const Value<Scalar>& given,
                        Value<Scalar> Finance::*per, double size, const char* formula, NodeId of);
  Figure<Scalar> people_at_least(const std::string& name, const Value<Scalar>& given,
                                 Value<Scalar> Finance::*per, Value<Scalar> Finance::*least);
  void energy();
  void bill();
  void add_line(const BillLine& line, std::array<Money, causes>& sums,
                std::array<std::vector<NodeId>, causes>& from);
  const catalog::Price* purchase_price() const;
  void calendar();

  const Spec& spec_;
  const Demand& demand_;
  const catalog::Catalog& catalog_;
  Trace& trace_;
  const Finance& profile_;
  const Finance& fallback_;
  Inputs in_;
};

void Resolver::rates_and_lives() {
  in_.horizon = pick("horizon", spec_.horizon, &Finance::horizon, "yr");
  in_.discount = pick("discount", spec_.discount, &Finance::discount, "%");
  in_.escalation = pick("escalation", spec_.escalation, &Finance::escalation, "%");
  in_.utilisation = pick("utilisation", spec_.utilisation, &Finance::utilisation, "%");
  in_.book_life = pick("book_life", spec_.book_life, &Finance::it_book_life, "yr");
  in_.economic_life = pick("economic_life", spec_.economic_life, &Finance::it_economic_life, "yr");
  in_.tax_life = pick("tax_life", spec_.tax_life, &Finance::it_tax_life, "yr");
  in_.facility_life = pick("facility_life", spec_.facility_life, &Finance::facility_life, "yr");
  in_.it_maintenance = pick("it_maintenance", spec_.it_maintenance, &Finance::it_maintenance, "%");
  in_.facility_maintenance =
      pick("facility_maintenance", spec_.facility_maintenance, &Finance::facility_maintenance, "%");
  in_.extras = pick("rent_extras", spec_.rent_extras, &Finance::rent_extras, "%");
  if (spec_.residual) in_.residual = trace_.input("money.residual", spec_.residual, "%");
  if (spec_.tax) in_.tax = trace_.input("money.tax", spec_.tax, "%");
  in_.residual_curve = profile_.residual.empty() ? &fallback_ : &profile_;
}

Figure<Scalar> Resolver::people(const std::string& name, const Value<Scalar>& given,
                                Value<Scalar> Finance::*per, double size, const char* formula,
                                NodeId of) {
  if (given) return trace_.input("money." + name, given, "people");
  const auto each = pick(name + "_each", Value<Scalar>{}, per, "people");
  return trace_.derive("money." + name, Scalar(each.value * size), "people", formula, {each, of});
}

// What grows with accelerators has a floor: somebody has to know even a small cluster. A desk or
// a single box runs without one.
Figure<Scalar> Resolver::people_at_least(const std::string& name, const Value<Scalar>& given,
                                         Value<Scalar> Finance::*per,
                                         Value<Scalar> Finance::*least) {
  const double n = demand_.accelerators.value.si();
  const auto linear =
      people(name, given, per, n / 1000, "people per 1,000 x accelerators", demand_.accelerators);
  if (given || n < fewest_attended) return linear;
  const auto floor = pick(name + "_least", Value<Scalar>{}, least, "people");
  if (linear.value >= floor.value) return linear;
  in_.remarks.push_back(fmt::format(
      "money: {} are taken at the floor of {} of a person ({}); {} accelerators would ask for {}; "
      "money.{} overrides it",
      name == "platform_people" ? "platform engineers" : "hands on hardware",
      format_number(floor.value),
      describe(*(profile_.*least).or_else(fallback_.*least).origin.source), format_number(n),
      format_number(linear.value), name));
  return trace_.derive("money." + name + "_floored", floor.value, "people",
                       "greater of people per 1,000 x accelerators and the floor", {linear, floor});
}

void Resolver::facility_and_people() {
  if (spec_.construction) {
    in_.construction = trace_.input("money.construction", spec_.construction, "USD/kW");
  } else if (demand_.construction) {
    in_.construction = *demand_.construction;
  } else {
    in_.construction = pick("construction", spec_.construction, &Finance::construction, "USD/kW");
  }
  in_.colo = pick("colo", spec_.colo, &Finance::colo, "USD/kW/mo");
  in_.colo_pue = pick("colo_pue", spec_.colo_pue, &Finance::colo_pue, "");
  in_.person = pick("person", spec_.person, &Finance::person, "USD/yr");
  in_.facility_people = people("facility_people", spec_.facility_people,
                               &Finance::facility_people_per_mw, demand_.it_power_max.in(megawatt),
                               "people per MW x critical load", demand_.it_power_max);
  in_.hardware_people =
      people_at_least("hardware_people", spec_.hardware_people, &Finance::hardware_people_per_1000,
                      &Finance::hardware_people_least);
  in_.platform_people =
      people_at_least("platform_people", spec_.platform_people, &Finance::platform_people_per_1000,
                      &Finance::platform_people_least);
}

void Resolver::energy() {
  in_.energy_price = demand_.energy_price;
  if (spec_.energy_price) {
    in_.energy_price = trace_.input("money.energy_price", spec_.energy_price, "USD/kWh");
  }
  in_.demand_charge = demand_.demand_charge;
  if (spec_.demand_charge) {
    in_.demand_charge = trace_.input("money.demand_charge", spec_.demand_charge, "USD/kW/mo");
  }
  if (spec_.take_or_pay) {
    in_.take_or_pay = trace_.input("money.take_or_pay", spec_.take_or_pay, "%");
  }
  if (!in_.energy_price) {
    in_.remarks.push_back("money: no energy price is known, so energy costs nothing here");
  }
}

const catalog::Price* Resolver::purchase_price() const {
  const catalog::Price* best = nullptr;
  for (const auto* p : catalog_.all<catalog::Price>()) {
    if (p->offer != catalog::Offer::purchase || p->accelerator != demand_.accelerator) continue;
    if (!p->system.empty() || p->as_of.empty() || !p->purchase) continue;
    if (best == nullptr || p->as_of > best->as_of) best = p;
  }
  return best;
}

void Resolver::add_line(const BillLine& line, std::array<Money, causes>& sums,
                        std::array<std::vector<NodeId>, causes>& from) {
  if (line.count <= 0) return;
  const auto cause = static_cast<std::size_t>(cause_of(line.category));
  if (!line.unit_price) {
    in_.unpriced.push_back(fmt::format("{} x {}", format_number(line.count), line.item));
    return;
  }
  sums[cause] += line.total();
  from[cause].push_back(trace_.record("money.bill." + line.id, line.total().si(), "USD",
                                      "count x unit price", {line.count_node, line.price_node}));
}

void Resolver::bill() {
  std::array<Money, causes> sums{};
  std::array<std::vector<NodeId>, causes> from;
  const auto gpu = static_cast<std::size_t>(Cause::accelerators);
  bool unpriced_accelerators = demand_.bill.lines().empty();
  for (const auto& line : demand_.bill.lines()) {
    const bool is_gpu = cause_of(line.category) == Cause::accelerators;
    if (is_gpu && spec_.accelerator_price) continue;
    const auto* street = is_gpu && !line.unit_price && line.count > 0 ? purchase_price() : nullptr;
    if (street != nullptr) {
      unpriced_accelerators = true;
      continue;
    }
    add_line(line, sums, from);
  }
  Figure<Money> each;
  if (spec_.accelerator_price) {
    each = trace_.input("money.accelerator_price", spec_.accelerator_price, "USD");
  } else if (unpriced_accelerators && sums[gpu].si() == 0) {
    if (const auto* street = purchase_price()) {
      each = trace_.input("catalog.price." + street->id + ".purchase", street->purchase, "USD");
      in_.remarks.push_back(
          fmt::format("money: the bill gives no price for accelerators; {} of {} is used, which "
                      "leaves the server around it unpriced",
                      format(street->purchase.get(), "USD"), street->as_of));
    }
  }
  if (each.node != no_node) {
    sums[gpu] = each.value * static_cast<double>(demand_.accelerators.value);
    from[gpu] = {each, demand_.accelerators};
  }
  for (std::size_t c = 0; c < causes; ++c) {
    in_.capital.by_cause[c] =
        trace_.derive(fmt::format("money.bill.{}", cause_name(static_cast<Cause>(c))), sums[c],
                      "USD", "sum of the bill's priced lines", std::move(from[c]));
  }
}

void Resolver::calendar() {
  in_.months = std::max(1, to_count(std::round(in_.horizon.in(month))));
  in_.monthly = monthly_rate(in_.discount.value);
  std::string start = spec_.start.empty() ? demand_.start : spec_.start;
  if (start.empty()) {
    in_.remarks.push_back(std::string("money: no first day is known; the cash flow starts on ") +
                          fallback_start);
    start = fallback_start;
  }
  in_.start_day = day_number(start).value_or(*day_number(fallback_start));
}

bool suits(const catalog::Price& p, Way way, int strictness) {
  using catalog::Offer;
  using catalog::Seller;
  if (way == Way::neocloud) {
    if (strictness == 0) return p.offer == Offer::reserved && p.seller == Seller::neocloud;
    if (strictness == 1) return p.offer == Offer::reserved;
    return p.offer == Offer::on_demand && p.seller == Seller::neocloud;
  }
  if (strictness == 0) return p.offer == Offer::on_demand && p.seller == Seller::hyperscaler;
  if (strictness == 1) return p.offer == Offer::on_demand;
  return p.offer == Offer::index;
}

const catalog::Price* pick_price(Way way, const std::vector<const catalog::Price*>& prices,
                                 int& strictness) {
  for (strictness = 0; strictness < 3; ++strictness) {
    const catalog::Price* best = nullptr;
    for (const auto* p : prices) {
      if (suits(*p, way, strictness) && (best == nullptr || p->as_of > best->as_of)) best = p;
    }
    if (best != nullptr) return best;
  }
  return nullptr;
}

/// Dated rents of the accelerator.
std::vector<const catalog::Price*> dated_rents(const catalog::Catalog& catalog,
                                               const std::string& accelerator) {
  std::vector<const catalog::Price*> out;
  for (const auto* p : catalog.all<catalog::Price>()) {
    if (p->rent && p->accelerator == accelerator && !p->as_of.empty()) out.push_back(p);
  }
  return out;
}

Rent from_entry(const catalog::Price& p, Trace& trace) {
  Rent rent;
  rent.rate = trace.input("catalog.price." + p.id + ".rent", p.rent, "USD/GPU/h");
  rent.price_id = p.id;
  rent.as_of = p.as_of;
  rent.what = p.name;
  rent.term = p.term.or_else(Time{});
  return rent;
}

}  // namespace

Money Capital::it() const {
  Money sum;
  for (int c = 0; c < causes; ++c) {
    if (!outlives_it(static_cast<Cause>(c))) sum += by_cause[c].value;
  }
  return sum;
}

Cause cause_of(const std::string& category) {
  if (category == "accelerators") return Cause::accelerators;
  if (category == "network") return Cause::network;
  if (category == "storage") return Cause::storage;
  if (category == "racks") return Cause::racks;
  if (category == "power" || category == "cooling" || category == "building") {
    return Cause::facility;
  }
  return Cause::other_it;
}

double Inputs::residual_at(Time age) const {
  const auto& curve = residual_curve->residual;
  if (curve.empty()) return 0;
  if (age.si() <= curve.front().age.likely) return curve.front().share.likely;
  for (std::size_t k = 1; k < curve.size(); ++k) {
    const auto& a = curve[k - 1];
    const auto& b = curve[k];
    if (age.si() > b.age.likely || b.age.likely <= a.age.likely) continue;
    const double x = (age.si() - a.age.likely) / (b.age.likely - a.age.likely);
    return a.share.likely + x * (b.share.likely - a.share.likely);
  }
  return curve.back().share.likely;
}

std::optional<Inputs> resolve(const Spec& spec, const Demand& demand,
                              const catalog::Catalog& catalog, Trace& trace) {
  const auto* fallback = catalog.find<Finance>("default");
  if (fallback == nullptr) return std::nullopt;
  const auto* profile = spec.profile.empty() ? fallback : catalog.find<Finance>(spec.profile);
  Inputs in =
      Resolver(spec, demand, catalog, trace, profile ? *profile : *fallback, *fallback).run();
  if (profile == nullptr) {
    in.remarks.push_back("money: no finance profile '" + spec.profile + "'; the default is used");
  }
  return in;
}

std::optional<Rent> find_rent(Way way, const Spec& spec, const Demand& demand,
                              const catalog::Catalog& catalog, Trace& trace,
                              std::vector<std::string>& remarks) {
  const bool neo = way == Way::neocloud;
  const auto& given = neo ? spec.neocloud_rent : spec.cloud_rent;
  const std::string& named = neo ? spec.neocloud_price : spec.cloud_price;
  if (given) {
    Rent rent;
    rent.rate = trace.input(fmt::format("money.{}_rent", way_name(way)), given, "USD/GPU/h");
    rent.as_of = spec.prices_as_of;
    rent.what = "the scenario's rent";
    if (rent.as_of.empty()) {
      remarks.push_back(
          fmt::format("money: the scenario's {} rent carries no date "
                      "(prices_as_of)",
                      way_name(way)));
    }
    return rent;
  }
  if (!named.empty()) {
    const auto* p = catalog.find<catalog::Price>(named);
    if (p != nullptr && p->rent && !p->as_of.empty()) return from_entry(*p, trace);
    remarks.push_back(fmt::format("money: price '{}' is not a dated rent, so {} was not costed",
                                  named, way_name(way)));
    return std::nullopt;
  }
  int strictness = 0;
  const auto* p = pick_price(way, dated_rents(catalog, demand.accelerator), strictness);
  if (p == nullptr) {
    remarks.push_back(fmt::format(
        "money: nobody has dated a rent of {} in the catalogue, so {} "
        "was not costed",
        demand.accelerator.empty() ? "this accelerator" : demand.accelerator, way_name(way)));
    return std::nullopt;
  }
  if (strictness > 0) {
    remarks.push_back(fmt::format("money: {} is costed at '{}', the nearest dated offer of {}",
                                  way_name(way), p->name, demand.accelerator));
  }
  return from_entry(*p, trace);
}

}  // namespace headroom::money
