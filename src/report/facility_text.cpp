#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/facility_chain.hpp"
#include "report/facility_report.hpp"
#include "report/facility_time.hpp"
#include "report/parts.hpp"
#include "report/table.hpp"

namespace headroom::report {
namespace {

using study::FacilityAnswer;
using study::FacilityItem;

constexpr double kwh = 3.6e6;

std::string energy(double joules) { return format_scaled(joules, "Wh"); }
std::string power(double watts) { return format_scaled(watts, "W"); }
std::string cubic_metres(double kg) { return fmt::format("{} m3", format_number(kg / 1e3)); }
std::string celsius(double c) { return fmt::format("{:.1f} degC", c); }
std::string after(double s) {
  if (s < 0) return "never";
  return s < 120 ? fmt::format("{:.0f} s", s) : fmt::format("{:.1f} min", s / 60);
}

class Writer : TextWriter {
 public:
  Writer(const FacilityAnswer& a, const TextOptions& o) : TextWriter(o), a_(a) {}

  std::string write() {
    headline();
    if (a_.has_year) {
      figures();
      out_ += facility_time_text(a_);
      items("Energy of the year: in at the meter", a_.energy, true);
      items("Heat of the year: out of the site", a_.heat, true);
      balance();
      water();
      days();
      months();
    }
    if (a_.walk) walk();
    if (a_.show_chain)
      out_ += chain_text(a_, o_);
    else if (a_.has_year)
      out_ += chain_brief(a_, o_);
    nodes();
    list("Remarks", a_.remarks);
    return std::move(out_);
  }

 private:
  void headline() {
    out_ += paint(a_.scenario, "1") + "\n";
    line("halls", fmt::format("{}", fmt::join(a_.halls, ", ")));
    line("IT", fmt::format("{} at maximum, {} in the mean of the year", power(a_.it_max_w),
                           power(a_.it_mean_w)));
    line("weather", a_.weather + (a_.warmer_k != 0 ? fmt::format(", {:+g} K", a_.warmer_k) : ""));
  }

  void figures() {
    title("Year");
    line("PUE", fmt::format("{:.4f}   ({})", a_.pue, a_.boundary));
    if (a_.it_high_w > 1.001 * a_.it_low_w)
      line("IT by the hour", fmt::format("{} to {}", power(a_.it_low_w), power(a_.it_high_w)));
    line("at constant load (check)", fmt::format("{:.4f}", a_.check_pue));
    line("WUE", fmt::format("{:.3f} L/kWh", a_.wue_l_kwh));
    line("ERF", percent(a_.erf, 2));
    line("REF", percent(a_.ref, 2) + "   (contracts of the scenario)");
    line("chiller-free", fmt::format("{:.0f} of {} h", a_.chiller_free_h, a_.hours.size()));
    line("set points missed",
         a_.short_h > 0
             ? paint(fmt::format("{:.0f} h, by up to {:.1f} K", a_.short_h, a_.worst_short_k), "31")
             : std::string("never"));
    line("peak at the meter", fmt::format("{}, {}", power(a_.peak_meter_w), hour_of(a_.peak_hour)));
    line("peak of cooling", power(a_.peak_cooling_w));
    if (a_.carbon_kg > 0)
      line("carbon",
           fmt::format("{} ({}; {} at its plain mean)", format_scaled(a_.carbon_kg, "kgCO2e"),
                       a_.carbon_origin, format_scaled(a_.carbon_mean_kg, "kgCO2e")));
    line("warmest",
         fmt::format("coolant {}, air at racks {}, facility water {}", bulb(a_.warmest_coolant_c),
                     bulb(a_.warmest_inlet_c), bulb(a_.warmest_supply_c)));
    out_ += facility_limits_text(a_);
  }

  static std::string bulb(double c) { return c < -200 ? std::string("-") : celsius(c); }
  std::string hour_of(std::size_t h) const { return study::hour_name(h, a_.hours.size()); }

  void items(const char* head, const std::vector<FacilityItem>& list, bool energies) {
    title(head);
    Table table({{"", Align::left, 0}, {"", Align::right, 0}, {"", Align::right, 0}});
    double total = 0;
    for (const auto& item : list) total += item.amount;
    const auto text = [&](double x) { return energies ? energy(x) : cubic_metres(x); };
    for (const auto& item : list)
      if (item.amount > 1e-9 * total)
        table.add({item.label, text(item.amount), percent(item.amount / total, 2)});
    table.add({"sum", text(total), ""}, o_.colour ? "1" : "");
    out_ += table.str();
  }

  void balance() {
    out_ += fmt::format("  in less out: {:.1e} of the year, {:.1e} of the worst hour\n",
                        a_.imbalance, a_.worst_imbalance);
  }

  void water() {
    double total = 0;
    for (const auto& item : a_.water) total += item.amount;
    if (total <= 0) {
      title("Water");
      out_ += "  none\n";
      return;
    }
    items("Water of the year, by use", a_.water, false);
    for (const auto& s : a_.water_sources) line("from " + s.label, cubic_metres(s.amount));
    line("most on one day", cubic_metres(a_.peak_day_water_kg));
  }

  void days() {
    title("Design days, full load");
    Table table({{"", Align::left, 0},
                 {"dry bulb", Align::right, 0},
                 {"wet bulb", Align::right, 0},
                 {"cooling", Align::right, 0},
                 {"heat", Align::right, 0},
                 {"water", Align::right, 0},
                 {"compressor", Align::right, 0},
                 {"short by", Align::right, 0}});
    for (const auto& d : a_.days)
      table.add({d.label, celsius(d.dry_bulb_c), celsius(d.wet_bulb_c), power(d.cooling_w),
                 power(d.heat_w), fmt::format("{:.2f} m3/h", d.water_kg_s * 3.6),
                 d.compressor ? "runs" : "-",
                 d.short_k > 0 ? fmt::format("{:.1f} K", d.short_k) : std::string("-")});
    out_ += table.str();
  }

  void months() {
    static constexpr const char* names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    title("Months");
    std::vector<Column> columns{{"", Align::left, 0}};
    for (const char* head : {"PUE", "meter", "cooling", "losses", "water m3", "L/kWh", "chiller h",
                             "wet bulb", "peak"})
      columns.push_back({head, Align::right, 0});
    if (a_.carbon_kg > 0) columns.push_back({"tCO2e", Align::right, 0});
    Table table(columns);
    for (std::size_t m = 0; m < a_.months.size(); ++m) {
      const auto& x = a_.months[m];
      if (x.it_j <= 0) continue;
      std::vector<std::string> cells{names[m],
                                     fmt::format("{:.4f}", x.pue()),
                                     energy(x.meter_j),
                                     energy(x.cooling_j),
                                     energy(x.loss_j),
                                     fmt::format("{:.0f}", x.water_kg / 1e3),
                                     fmt::format("{:.3f}", x.water_kg / (x.it_j / kwh)),
                                     fmt::format("{:.0f}", x.chiller_h),
                                     celsius(x.warmest_wet_bulb_c),
                                     power(x.peak_meter_w)};
      if (a_.carbon_kg > 0) cells.push_back(fmt::format("{:.0f}", x.carbon_kg / 1e3));
      table.add(cells);
    }
    out_ += table.str();
  }

  void walk() {
    const auto& w = *a_.walk;
    title(fmt::format("Lost: {}", fmt::join(w.lost, "; ")));
    line("when", fmt::format("{}, {} dry bulb, {} wet bulb, full load",
                             study::hour_name(w.hour, a_.hours.size()), celsius(w.dry_bulb_c),
                             celsius(w.wet_bulb_c)));
    line("back", w.back_s > 0 ? "after " + after(w.back_s) : std::string("not within the walk"));
    Table table({{"", Align::left, 0},
                 {"throttles", Align::right, 0},
                 {"trips", Align::right, 0},
                 {"lowest power", Align::right, 0},
                 {"chip", Align::right, 0},
                 {"coolant", Align::right, 0},
                 {"air at racks", Align::right, 0},
                 {"GPU-hours lost", Align::right, 0}});
    const auto row = [&](const std::string& label, const auto& x, const std::string& air) {
      table.add({label, x.has_chip ? after(x.throttle_at_s) : "-", after(x.shutdown_at_s),
                 percent(x.lowest_power, 0), x.has_chip ? celsius(x.hottest_chip_c) : "-",
                 x.liquid ? celsius(x.hottest_coolant_c) : "-", air,
                 format_number(x.lost_gpu_s / 3600)});
    };
    for (const auto& h : w.halls) {
      row(h.title, h, celsius(h.hottest_inlet_c));
      if (h.groups.size() < 2) continue;
      for (const auto& r : h.groups)
        row(fmt::format("  {}, {} x {}", r.name, format_number(r.racks), power(r.rack_w)), r, "");
    }
    out_ += table.str();
    if (w.power) out_ += chain_walk_text(a_, o_);
    line("at the end", std::string(w.recovered ? "every rack at full power" : "not recovered") +
                           ", " + after(w.horizon_s) + " after the first loss");
    for (const auto& work : w.work)
      line("tokens of " + work.name, format_scaled(work.tokens, "token") + " not made");
    if (!w.price_origin.empty())
      line("GPU time lost is worth",
           fmt::format("{} ({})", format_scaled(w.usd, "USD"), w.price_origin));
    line("in less out and stored", fmt::format("{:.1e}", w.walk.worst_imbalance));
  }

  void nodes() {
    std::vector<std::string> names;
    constexpr std::size_t most = 40;
    for (const auto& n : a_.nodes)
      if (names.size() < most) names.push_back(n.name);
    if (a_.nodes.size() > most) names.push_back(fmt::format("{} more", a_.nodes.size() - most));
    out_ += "\n" + wrap(fmt::format("can be lost: {}", fmt::join(names, ", ")), width_, "  ");
  }

  const FacilityAnswer& a_;
};

}  // namespace

std::string facility_text(const FacilityAnswer& answer, const TextOptions& options) {
  return Writer(answer, options).write();
}

}  // namespace headroom::report
