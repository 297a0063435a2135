#include "catalog/power_gear.hpp"

#include <array>

namespace headroom::catalog {
namespace {
constexpr std::array<std::string_view, 8> role_names{
    "transformer", "switchgear", "generator", "ups", "battery", "pdu", "busway", "power-shelf"};
}  // namespace

std::span<const std::string_view> gear_role_names() { return role_names; }

void LossCurve::fields(spec::Fields& f) {
  f.number("no_load", no_load, "%", "Loss at no load, share of the rating").between(0, 50);
  f.number("proportional", proportional, "%", "Loss in proportion to load").between(0, 50);
  f.number("square", square, "%", "Loss with the square of load").between(0, 50);
}

double LossCurve::at(double x) const {
  return no_load.or_else(0.0) + x * (proportional.or_else(0.0) + x * square.or_else(0.0));
}

double LossCurve::efficiency(double x) const { return x > 0 ? x / (x + at(x)) : 0; }

void PowerGear::fields(spec::Fields& f) {
  entry_fields(f);
  f.choice("role", role, role_names, "Its place in the chain");
  f.number("rating", rating, "kW", "Of one unit as usually bought").above(0);
  f.object("loss", loss, "Loss over load");
  f.number("start", start, "s", "Generator: from loss of mains to accepting load").at_least(0);
  f.number("autonomy", autonomy, "min", "Battery: at the rating it was bought for").above(0);
  f.number("fuel", fuel, "%", "Generator: electricity over lower heating value of fuel")
      .between(1, 70);
  f.number("overload", overload, "%", "Load over rating borne for overload_time").at_least(100);
  f.number("overload_time", overload_time, "min", "How long it bears the overload").at_least(0);
  f.number("mtbf", mtbf, "h", "Mean time between failures").above(0);
  f.number("mttr", mttr, "h", "Mean time to repair").above(0);
  f.number("failure_to_start", failure_to_start, "%", "Generator: probability on demand")
      .between(0, 100);
  f.number("price", price, "USD/kW", "Bought and installed, a kW of rating").at_least(0);
  f.number("lead_time", lead_time, "wk", "Order to delivery").at_least(0);
  f.number("life", life, "yr", "Service life").above(0);
}

}  // namespace headroom::catalog
