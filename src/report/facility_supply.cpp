#include "report/facility_supply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/parts.hpp"
#include "report/table.hpp"

namespace headroom::report {
namespace {

using study::SupplyAnswer;

constexpr double j_per_mwh = 3.6e9;

std::string usd(double x) {
  if (std::abs(x) < 0.005) x = 0;
  return x < 0 ? "-" + format_scaled(-x, "USD") : format_scaled(x, "USD");
}
std::string mwh(double x) { return format_scaled(x * j_per_mwh, "Wh"); }
std::string mw(double x) { return format_scaled(x * 1e6, "W"); }
std::string percent(double x) {
  return fmt::format("{:.1f} %", std::abs(x) < 5e-4 ? 0.0 : 100 * x);
}

class Writer : TextWriter {
 public:
  Writer(const SupplyAnswer& a, const TextOptions& o) : TextWriter(o), a_(a), d_(a.dispatch) {}

  std::string write() {
    answer();
    sources();
    savings();
    storages();
    responses();
    prices();
    list("Figures that the scenario leaves out", a_.assumptions);
    list("Remarks", a_.remarks);
    return std::move(out_);
  }

 private:
  void answer() {
    out_ += paint(a_.scenario, "1") + "\n";
    line("load",
         fmt::format("{} a year at the halls' meter, PUE {:.3f}", mwh(d_.load_mwh), a_.pue));
    line("weather", a_.weather);
    title("Supply: the year at the least cost");
    line("cost", fmt::format("{} a year, {:.2f} USD/MWh", usd(a_.usd), a_.usd_mwh));
    if (a_.grid_only_usd > 0)
      line("the grid alone would cost",
           fmt::format("{} a year, had it no limit", usd(a_.grid_only_usd)));
    line("not served",
         d_.unserved_mwh <= 1e-6 * d_.load_mwh
             ? std::string("nothing")
             : fmt::format("{}, worth {}", mwh(d_.unserved_mwh), usd(a_.unserved_usd)));
    line("carbon", fmt::format("{}, {:.0f} g CO2e/kWh", format_scaled(a_.carbon_kg, "kgCO2e"),
                               a_.carbon_kg_mwh));
    if (!a_.carbon_origin.empty()) line("  of the grid", a_.carbon_origin);
    line("carbon-free, hour by hour", percent(d_.clean_share));
    line("REF, over the year", percent(a_.ref));
    line("energy in less out", fmt::format("{:.1e} of the peak in the worst hour", d_.imbalance));
    line("program",
         fmt::format("{} columns, {} rows, {} iterations", d_.columns, d_.rows, d_.iterations));
  }

  void sources() {
    title("Energy by source");
    Table table({{"", Align::left, 24},
                 {"kind", Align::left, 0},
                 {"capacity", Align::right, 0},
                 {"energy", Align::right, 0},
                 {"of load", Align::right, 0},
                 {"not used", Align::right, 0},
                 {"cost", Align::right, 0},
                 {"a MWh", Align::right, 0}});
    for (std::size_t s = 0; s < d_.sources.size(); ++s) {
      const auto& y = d_.sources[s];
      const auto& p = a_.problem.sources[s];
      const bool weather = !p.available.empty();
      table.add(
          {p.name, a_.kinds[s],
           a_.unlimited[s] ? "no limit" : mw(y.capacity_mw) + (p.sized ? " chosen" : ""),
           mwh(y.used_mwh), d_.load_mwh > 0 ? percent(y.used_mwh / d_.load_mwh) : "-",
           weather && y.available_mwh > 0 ? percent(y.curtailed_mwh() / y.available_mwh) : "-",
           usd(y.usd()), y.used_mwh > 0 ? fmt::format("{:.1f} USD", y.usd() / y.used_mwh) : "-"});
    }
    out_ += table.str();
    for (std::size_t s = 0; s < d_.sources.size(); ++s) {
      const auto& y = d_.sources[s];
      const auto& name = a_.problem.sources[s].name;
      if (y.demand_usd > 0)
        line("",
             fmt::format("{}: {} of it demand charge, highest billed {}", name, usd(y.demand_usd),
                         mw(*std::max_element(y.peak_mw.begin(), y.peak_mw.end()))));
      if (a_.problem.sources[s].take > 0)
        line("", fmt::format("{}: take-or-pay: {} not taken, {} paid for it", name,
                             mwh(y.not_taken_mwh), usd(y.take_usd)));
    }
    if (d_.spill_mwh > 0) line("", "spilled: " + mwh(d_.spill_mwh));
  }

  void savings() {
    title("One more MW would save a year, its own cost taken off");
    for (std::size_t s = 0; s < d_.sources.size(); ++s)
      if (!a_.problem.sources[s].sized)
        line(a_.problem.sources[s].name.c_str(), usd(d_.sources[s].saving_usd_mw));
    for (std::size_t b = 0; b < d_.storages.size(); ++b)
      if (!a_.problem.storages[b].sized)
        line(a_.problem.storages[b].name.c_str(), usd(d_.storages[b].saving_usd_mw));
    for (std::size_t r = 0; r < d_.responses.size(); ++r)
      line(a_.problem.responses[r].name.c_str(), usd(d_.responses[r].saving_usd_mw));
  }

  void storages() {
    if (d_.storages.empty()) return;
    title("Storage");
    for (std::size_t b = 0; b < d_.storages.size(); ++b) {
      const auto& y = d_.storages[b];
      const auto& p = a_.problem.storages[b];
      line(p.name.c_str(),
           fmt::format("{}{}, {}; {} given, {:.0f} full cycles; wear {}, fixed {}", mw(y.power_mw),
                       p.sized ? " chosen" : "", mwh(y.energy_mwh), mwh(y.out_mwh),
                       y.energy_mwh > 0 ? y.out_mwh / p.out / y.energy_mwh : 0, usd(y.wear_usd),
                       usd(y.fixed_usd)));
    }
  }

  void responses() {
    if (d_.responses.empty()) return;
    title("Demand response");
    for (std::size_t r = 0; r < d_.responses.size(); ++r) {
      const auto& y = d_.responses[r];
      line(a_.problem.responses[r].name.c_str(),
           fmt::format("{} less, income {}, work not done worth {}", mwh(y.less_mwh),
                       usd(y.income_usd), usd(y.lost_usd)));
    }
  }

  void prices() {
    auto p = d_.price_usd_mwh;
    if (p.empty()) return;
    std::sort(p.begin(), p.end());
    const auto at = [&](double q) { return p[std::size_t(q * double(p.size() - 1))]; };
    title("Marginal price of a MWh");
    line("least, half, 90 %, most",
         fmt::format("{:.1f}, {:.1f}, {:.1f}, {:.1f} USD/MWh", at(0), at(0.5), at(0.9), at(1)));
  }

  void list(const char* head, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    title(head);
    for (const auto& t : texts) out_ += wrap(t, width_, "  ");
  }

  const SupplyAnswer& a_;
  const supply::Dispatch& d_;
};

}  // namespace

std::string supply_text(const SupplyAnswer& answer, const TextOptions& options) {
  return Writer(answer, options).write();
}

}  // namespace headroom::report
