// What an infrastructure costs, when, and against what else could be had.
//
// Four ways to the same service are costed on equal goodput:
//   own       buy the bill of materials; build the facility or use the one there
//   colo      buy the IT lines of the bill; rent power and space by the kW
//   neocloud  rent the accelerators for a term, paid for every hour
//   cloud     rent by the hour, paid only for hours put to use
//
// The monthly cash flow comes first, in nominal dated dollars; every ratio is
// computed from it:
//
//   i        = (1 + r)^(1/12) - 1                           monthly discount rate
//   PV(x)    = sum_m x_m (1 + i)^-m
//   LC       = PV(cost) / PV(GPU-hours put to use)          levelised cost
//            = [(C - S (1+i)^-n) i / (1 - (1+i)^-n) + monthly cost] / monthly hours
//              when nothing escalates (annuity identity)
//   per token= LC x GPU-hours of the product / its tokens
//
// Capital is paid in month 0 and again when the economic life of IT ends within
// the horizon; running costs at the end of each month; the residual comes back
// in the last month, IT by the residual curve at its age, facility written off
// in a straight line over its life. With a tax rate, costs save tax at once,
// capital by straight-line tax depreciation, and LC is the price before tax
// that leaves a net present value of zero.
//
// Break-even utilisation of own against a rent is a result: the share u of the
// installed GPU-hours at which the owned month costs what renting u of them
// costs,
//   u* = F / (rent x h - V),
// F the owned cost that does not depend on use, V the energy that does. u* > 1
// means never. For a contract paid every hour it answers for a fleet rented in
// the size of the work (u x N GPUs at full use).
//
// Input against output tokens: the GPU time of a product is split by its
// prefill share; input tokens carry prefill, output tokens carry the rest.
// With no prefill share given, all of it is put on output tokens, and said.
//
// A line without a price is filled from a dated purchase price of its
// accelerator where the catalogue has one, and is otherwise reported as
// unpriced, never as free. A rent without a date is refused.
//
// Not modelled: debt schedules, currency, commodity hedges, insurance,
// property and sales tax, the cost of migrating between paths.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/findings.hpp"
#include "catalog/catalog.hpp"
#include "money/spec.hpp"

namespace headroom::money {

/// Something useful that GPU time turns into.
struct Product {
  enum class Kind : unsigned char { serving, training, other };
  std::string name;  ///< kebab-case; part of ids
  Kind kind = Kind::serving;
  Figure<Scalar> gpus;  ///< held for it
  // serving
  Figure<TokenRate> input_rate, output_rate;  ///< yearly means
  Value<Scalar> prefill_share;                ///< of its GPU time
  // training: one run
  Figure<Time> run_time;  ///< elapsed, losses included
  Figure<Tokens> run_tokens;
  Figure<Flops> run_flops;  ///< useful (model) FLOPs
};

/// What the other layers know. Figures left default (node == no_node and value
/// 0) are unknown; optionals likewise.
struct Demand {
  std::string start;  ///< first day of service, YYYY-MM-DD
  BillOfMaterials bill;
  std::string accelerator;  ///< id
  Figure<Scalar> accelerators;
  Figure<Power> it_power_max;  ///< what colo contracts and construction is sized by
  Figure<Power> it_power;      ///< mean
  Figure<Power> peak_power;    ///< at the meter, for the demand charge
  std::optional<Figure<Power>> contracted_power;
  Figure<Scalar> pue;                      ///< yearly
  Figure<Power> energy_rate;               ///< mean draw at the meter: energy of a year over a year
  std::optional<Figure<Power>> idle_rate;  ///< the same if the accelerators idled all year
  std::optional<Figure<EnergyPrice>> energy_price;
  std::optional<Figure<PowerPriceRate>> demand_charge;
  std::optional<Figure<VolumeFlow>> water_rate;
  std::optional<Figure<VolumePrice>> water_price;
  std::optional<Figure<PowerPrice>> construction;     ///< the region's
  bool facility_exists = true;                        ///< false: a new one is built
  std::optional<Figure<Power>> facility_capacity;     ///< critical load built, for stranding
  std::optional<Figure<Scalar>> accelerators_usable;  ///< that power, cooling, space can serve
  std::optional<Figure<Time>> delay;                  ///< of the energised date behind the need
  Figure<Scalar> goodput;  ///< ETTR of one's own cluster; 0: unknown, taken as equal
  std::vector<Product> products;
};

enum class Way : unsigned char { own, colo, neocloud, cloud };
const char* way_name(Way way);

/// What money is spent on; the bridge between two ways is by cause.
enum class Cause : unsigned char {
  accelerators,
  network,
  storage,
  other_it,
  racks,
  facility,
  energy,
  water,
  people,
  upkeep,
  rent,
  extras,
  residual,
  tax,
};
inline constexpr int causes = 14;
/// Racks and the facility last longer than IT, stay when it is replaced, and come with colocation.
constexpr bool outlives_it(Cause cause) {
  return cause == Cause::racks || cause == Cause::facility;
}
const char* cause_name(Cause cause);

struct Item {
  Cause cause;
  Figure<Money> amount;
};
struct RateItem {
  Cause cause;
  Figure<MoneyRate> amount;
  std::string name;   ///< "facility people"
  bool grows = true;  ///< with the escalation, a step each year
};

/// Month m of a way: what is paid (positive) or comes back (negative) by cause.
struct Month {
  int index = 0;
  std::string date;
  double usd[causes] = {};
  double total() const;
};

struct Path {
  Way way = Way::own;
  std::string name;                 ///< "own, new building"
  std::vector<Item> capital;        ///< month 0, by cause
  std::vector<RateItem> operating;  ///< first year, by cause
  std::vector<Month> months;        ///< 0 .. n
  Figure<Money> capital_total;
  Figure<MoneyRate> operating_total;
  Figure<Money> present_cost;           ///< net present value of all costs, positive
  Figure<MoneyRate> per_used_gpu_hour;  ///< LC; comparable between ways
  Figure<MoneyRate> per_installed_gpu_hour;
  double share_of_cost[causes] = {};  ///< present value by cause over the total
  // rents only
  std::string price_id;  ///< catalogue entry, empty when the scenario's
  std::string price_as_of;
  Figure<MoneyRate> rent;  ///< of one GPU
  // alternatives against own
  std::optional<Figure<Scalar>> break_even;  ///< utilisation above which owning is cheaper
  std::string break_even_text;               ///< "41 %", "never", "always"
  std::optional<double> irr;                 ///< per year, of owning instead of this; unset: none
  std::optional<double> mirr;
};

/// One step of a bridge: levelised cost per used GPU-hour, other way minus own.
struct BridgeStep {
  Cause cause;
  MoneyRate change;
};
struct Bridge {
  Way from = Way::own, to = Way::cloud;
  std::vector<BridgeStep> steps;  ///< sum equals the difference of the two levelised costs
};

struct ProductCost {
  std::string name;
  Product::Kind kind = Product::Kind::serving;
  Figure<MoneyRate> cost_rate;  ///< its share of the owned cost
  std::optional<Figure<TokenPrice>> per_input, per_output;
  std::optional<Figure<TokenPrice>> per_output_all_in;  ///< whole cost over output tokens
  std::optional<Figure<TokenPrice>> per_token;          ///< whole cost over all tokens
  std::optional<Figure<Money>> per_run;
  std::string split_rule;
};

struct Result {
  std::string start;
  Figure<Time> horizon;
  Figure<Scalar> discount, utilisation;
  std::vector<Path> paths;            ///< own first, then as asked, those that could be priced
  std::vector<Bridge> bridges;        ///< own to each other
  std::vector<ProductCost> products;  ///< at the cost of owning
  Way cheapest = Way::own;
  Figure<MoneyRate> depreciation;  ///< book, first year, of what is owned
  /// What used IT fetches: months of age and share of its price, straight lines between.
  std::vector<std::pair<double, double>> resale;
  std::optional<Figure<Money>> delay_cost;
  std::optional<Figure<MoneyRate>> stranded_cost;  ///< per year
  std::vector<std::string> unpriced;               ///< bill lines with no price
  Findings findings;
};

/// Infeasible or unknown inputs become remarks; never throws on input.
/// O(months x ways + bill lines).
Result assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace);

}  // namespace headroom::money
