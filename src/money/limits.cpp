#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "money/compare.hpp"

namespace headroom::money {
namespace {

class Limits {
 public:
  Limits(const Spec& spec, const Inputs& in, const Demand& demand, Result& result, Trace& trace)
      : spec_(spec),
        in_(in),
        demand_(demand),
        result_(result),
        own_(result.paths.front()),
        trace_(trace) {}

  void run() {
    if (spec_.budget) budget();
    if (spec_.operating_budget) operating_budget();
    if (spec_.target_gpu_hour) gpu_hour();
    if (spec_.target_token_price) token_price();
  }

 private:
  static Remedy advice(std::string action, std::string source = {}) {
    return {std::move(action), std::nullopt, std::nullopt, std::move(source)};
  }
  void keep(Margin m) { result_.findings.margins.push_back(std::move(m)); }
  void budget();
  void operating_budget();
  void gpu_hour();
  void token_price();
  /// Ways that would meet a levelised cost per used GPU-hour.
  void cheaper_ways(Margin& margin, MoneyRate target, const char* unit, double per_unit);

  const Spec& spec_;
  const Inputs& in_;
  const Demand& demand_;
  Result& result_;
  const Path& own_;
  Trace& trace_;
};

void Limits::budget() {
  const auto have = trace_.input("money.budget_given", spec_.budget, "USD");
  const double need = own_.capital_total.in(dollar);
  std::string parts;
  for (const auto& item : own_.capital) {
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", cause_name(item.cause),
                         format_scaled(item.amount.value.si(), "USD"));
  }
  auto margin = make_margin("money.budget", "capital budget", own_.capital_total, have, "USD")
                    .because(fmt::format("Capital is {} ({}).{}", format_scaled(need, "USD"), parts,
                                         result_.unpriced.empty()
                                             ? ""
                                             : fmt::format(" {} lines of the bill have no price "
                                                           "and are not in it.",
                                                           result_.unpriced.size())));
  if (margin.headroom() < 0.1 && need > 0) {
    const double fit = std::floor(demand_.accelerators.value * have.in(dollar) / need);
    if (fit < demand_.accelerators.value) {
      margin.remedies.push_back(advice(fmt::format(
          "buy {} of the {} accelerators at the same cost each", format_number(std::max(0.0, fit)),
          format_number(demand_.accelerators.value))));
    }
    for (const auto& p : result_.paths) {
      if (p.way == Way::own || p.capital_total.in(dollar) > have.in(dollar)) continue;
      margin.remedies.push_back(
          {fmt::format("{}: capital {}, {} a year", p.name,
                       format_scaled(p.capital_total.value.si(), "USD"),
                       format_scaled(p.operating_total.value.si() * year.factor, "USD")),
           p.capital_total.value, std::nullopt, p.price_id});
    }
  }
  keep(std::move(margin));
}

void Limits::operating_budget() {
  const auto have = trace_.input("money.operating_budget_given", spec_.operating_budget, "USD/yr");
  auto margin = make_margin("money.operating_budget", "operating budget", own_.operating_total,
                            have, "USD/yr");
  const RateItem* largest = nullptr;
  for (const auto& item : own_.operating) {
    if (largest == nullptr || item.amount.value > largest->amount.value) largest = &item;
  }
  margin.why = fmt::format(
      "Running costs are {} a year{}.",
      format_scaled(own_.operating_total.value.si() * year.factor, "USD"),
      largest == nullptr
          ? ""
          : fmt::format(", most of it {} ({})", largest->name,
                        format_scaled(largest->amount.value.si() * year.factor, "USD")));
  if (margin.headroom() < 0.1 && margin.need > 0) {
    for (const auto& p : result_.paths) {
      if (p.operating_total.value > have.value || p.way == Way::own) continue;
      margin.remedies.push_back(
          advice(fmt::format("{}: {} a year", p.name,
                             format_scaled(p.operating_total.value.si() * year.factor, "USD"))));
    }
    const double excess = own_.operating_total.value.si() - have.value.si();
    if (largest != nullptr && excess > 0 && excess < largest->amount.value.si()) {
      const double left = (largest->amount.value.si() - excess) * year.factor;
      margin.remedies.push_back(advice(
          fmt::format("bring {} down from {} to {} a year{}", largest->name,
                      format_scaled(largest->amount.value.si() * year.factor, "USD"),
                      format_scaled(left, "USD"),
                      largest->cause == Cause::people ? ": share them with other systems" : "")));
    }
    if (margin.remedies.empty() && excess > 0) {
      margin.remedies.push_back(advice(
          fmt::format("cut running costs by {:.0f} %: fewer accelerators and what goes with them",
                      std::ceil(100 * excess / own_.operating_total.value.si()))));
    }
  }
  keep(std::move(margin));
}

void Limits::cheaper_ways(Margin& margin, MoneyRate target, const char* unit, double per_unit) {
  for (const auto& p : result_.paths) {
    if (p.way == Way::own || p.per_used_gpu_hour.value > target) continue;
    margin.remedies.push_back(
        advice(fmt::format("{}: {} {}", p.name,
                           format_number(p.per_used_gpu_hour.value.si() * per_unit), unit),
               p.price_id));
  }
}

void Limits::gpu_hour() {
  const auto have = trace_.input("money.target_gpu_hour", spec_.target_gpu_hour, "USD/GPU/h");
  auto margin =
      make_margin("money.gpu_hour", "cost of a GPU-hour put to use", own_.per_used_gpu_hour, have,
                  "USD/GPU/h")
          .because(fmt::format(
              "An installed GPU-hour costs {} and {:.0f} % of them are put to use.",
              format(own_.per_installed_gpu_hour.value, "USD/GPU/h"), in_.utilisation.value * 100));
  if (margin.headroom() < 0.1) {
    const double wanted = own_.per_installed_gpu_hour.value / have.value;
    if (wanted <= 1 && wanted > in_.utilisation.value) {
      margin.remedies.push_back(
          advice(fmt::format("put {:.0f} % of the GPU-hours to use", std::ceil(wanted * 100))));
    }
    cheaper_ways(margin, have.value, "USD/GPU-h", 1 / (dollar / hour).factor);
  }
  keep(std::move(margin));
}

void Limits::token_price() {
  const auto have =
      trace_.input("money.target_token_price", spec_.target_token_price, "USD/Mtoken");
  for (const auto& product : result_.products) {
    if (product.kind != Product::Kind::serving || !product.per_output_all_in) continue;
    const auto& need = *product.per_output_all_in;
    auto margin =
        make_margin(fmt::format("money.{}.token_price", product.name),
                    "cost of a million output tokens, " + product.name, need, have, "USD/Mtoken")
            .because(fmt::format("Its GPUs cost {} a year and yield output tokens at {} each "
                                 "million, prefill of the input included.",
                                 format_scaled(product.cost_rate.value.si() * year.factor, "USD"),
                                 format(need.value, "USD/Mtoken")));
    if (margin.headroom() < 0.1 && need.value.si() > 0) {
      const double short_by = need.value / have.value;
      if (short_by > 1) {
        margin.remedies.push_back(advice(fmt::format(
            "serve {:.1f} % more output tokens on the same GPUs (more requests, or fewer GPUs for "
            "these)",
            std::ceil(1000 * (short_by - 1)) / 10)));
      }
      // The cost of a token follows that of a used GPU-hour on every way.
      cheaper_ways(margin, own_.per_used_gpu_hour.value * (have.value / need.value), "USD/Mtoken",
                   need.value.si() / own_.per_used_gpu_hour.value.si() * 1e6);
    }
    keep(std::move(margin));
  }
}

}  // namespace

void limits(const Spec& spec, const Inputs& inputs, const Demand& demand, Result& result,
            Trace& trace) {
  Limits(spec, inputs, demand, result, trace).run();
}

}  // namespace headroom::money
