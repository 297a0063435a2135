#include "money/assess.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/units.hpp"
#include "money/compare.hpp"
#include "money/finance_math.hpp"
#include "money/inputs.hpp"
#include "money/paths.hpp"

namespace headroom::money {
namespace {

constexpr std::array<const char*, 4> way_names{"own", "colo", "neocloud", "cloud"};
constexpr std::array<const char*, causes> cause_names{
    "accelerators", "network", "storage", "other", "racks",  "facility", "energy",
    "water",        "people",  "upkeep",  "rent",  "extras", "residual", "tax"};

Figure<Scalar> goodput_ratio(Way way, const Spec& spec, const Demand& demand, Trace& trace) {
  const auto& theirs = way == Way::neocloud ? spec.neocloud_goodput : spec.cloud_goodput;
  const std::string id = fmt::format("money.{}.goodput_ratio", way_name(way));
  if ((way != Way::neocloud && way != Way::cloud) || !theirs || demand.goodput.value <= 0) {
    return trace.constant(id, Scalar(1), "", assumed("rented GPUs reach one's own goodput"));
  }
  const auto given = trace.input(fmt::format("money.{}.goodput", way_name(way)), theirs, "%");
  return trace.derive(id, Scalar(demand.goodput.value / given.value), "",
                      "own goodput / goodput there", {demand.goodput, given});
}

void rent_spread(const Demand& demand, const catalog::Catalog& catalog, Result& result) {
  double low = 0, high = 0;
  int n = 0;
  for (const auto* p : catalog.all<catalog::Price>()) {
    if (!p->rent || p->accelerator != demand.accelerator) continue;
    const double rent = p->rent.get().in(dollar / hour);
    low = n == 0 ? rent : std::min(low, rent);
    high = std::max(high, rent);
    ++n;
  }
  if (n > 1) {
    result.findings.remarks.push_back(
        fmt::format("money: {} dated rents of {} in the catalogue run from {:.2f} to {:.2f} "
                    "USD/GPU-h; no single one is the price",
                    n, demand.accelerator, low, high));
  }
}

// A price older than this at the first day of service is called old: H100
// contracts moved by 38 % within half a year (price entries of 2025-10 and 2026-03).
constexpr int old_after_days = 365;

void judge_rent(Way way, const Rent& rent, const Inputs& in, std::vector<std::string>& remarks) {
  const auto day = day_number(rent.as_of);
  if (day && in.start_day - *day > old_after_days) {
    remarks.push_back(fmt::format("money: the {} rent is of {}, {:.0f} months before the first day",
                                  way_name(way), rent.as_of, (in.start_day - *day) / 30.4));
  }
  if (way == Way::neocloud && rent.term.si() > 0 && rent.term < in.horizon.value) {
    remarks.push_back(
        fmt::format("money: the neocloud's contract of {:.0f} months is taken to be "
                    "renewed at the same rent for {:.0f} months",
                    rent.term.in(month), in.horizon.in(month)));
  }
}

void add_way(Way way, const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
             const Inputs& in, Result& result, Trace& trace) {
  auto& remarks = result.findings.remarks;
  std::optional<Rent> rent;
  if (way == Way::neocloud || way == Way::cloud) {
    rent = find_rent(way, spec, demand, catalog, trace, remarks);
    if (!rent) return;
    judge_rent(way, *rent, in, remarks);
  }
  const auto ratio = goodput_ratio(way, spec, demand, trace);
  Path path = make_path(way, in, demand, rent ? &*rent : nullptr, ratio, trace);
  compare(in, demand, ratio.value, result.paths.front(), path, trace, remarks);
  result.bridges.push_back(bridge(result.paths.front(), path));
  result.paths.push_back(std::move(path));
}

bool asked(const Spec& spec, Way way) {
  return std::find(spec.compare.begin(), spec.compare.end(), way_name(way)) != spec.compare.end();
}

}  // namespace

const char* way_name(Way way) { return way_names[static_cast<std::size_t>(way)]; }
const char* cause_name(Cause cause) { return cause_names[static_cast<std::size_t>(cause)]; }

Result assess(const Spec& spec, const Demand& demand, const catalog::Catalog& catalog,
              Trace& trace) {
  Result result;
  auto& remarks = result.findings.remarks;
  const auto in = resolve(spec, demand, catalog, trace);
  if (!in) {
    remarks.push_back("money: the catalogue has no finance entry `default`; nothing was costed");
    return result;
  }
  remarks = in->remarks;
  result.unpriced = in->unpriced;
  result.start = date_text(in->start_day);
  result.horizon = in->horizon;
  result.discount = in->discount;
  result.utilisation = in->utilisation;
  for (const auto& point : in->residual_curve->residual)
    result.resale.emplace_back(Time::from_si(point.age.likely).in(month), point.share.likely);
  for (const auto& line : in->unpriced) remarks.push_back("money: no price is known for " + line);
  if (demand.accelerators.value <= 0 || in->utilisation.value <= 0) {
    remarks.push_back("money: there are no accelerators in use, so nothing was costed");
    return result;
  }
  const auto same = goodput_ratio(Way::own, spec, demand, trace);
  result.paths.push_back(make_path(Way::own, *in, demand, nullptr, same, trace));
  for (const Way way : {Way::colo, Way::neocloud, Way::cloud}) {
    if (asked(spec, way)) add_way(way, spec, demand, catalog, *in, result, trace);
  }
  if (demand.facility_exists) {
    remarks.push_back(
        "money: the facility there is counts as paid for; owning bears its upkeep "
        "and people, and no rent");
  }
  rent_spread(demand, catalog, result);
  consequences(*in, demand, result, trace);
  result.products = cost_products(demand, result.paths.front(), trace);
  limits(spec, *in, demand, result, trace);
  return result;
}

}  // namespace headroom::money
