#include "report/facility_availability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/parts.hpp"
#include "report/table.hpp"

namespace headroom::report {
namespace {

using availability::Estimate;
using availability::Trigger;
using study::AvailabilityAnswer;

std::string span(double s) {
  if (s < 0) return "never";
  if (s < 120) return fmt::format("{:.0f} s", s);
  if (s < 7200) return fmt::format("{:.0f} min", s / 60);
  if (s < 3 * 86400) return fmt::format("{:.1f} h", s / 3600);
  return fmt::format("{:.1f} d", s / 86400);
}

std::string plus_minus(const Estimate& e) {
  return fmt::format("{} +- {}", format_number(e.mean, 3), format_number(e.error, 2));
}

/// Nines: -log10 of the share that is missing.
std::string nines(double availability) {
  const double missing = 1 - availability;
  if (missing <= 0) return "no outage was met";
  return fmt::format("{:.1f} nines", -std::log10(missing));
}

class Writer : TextWriter {
 public:
  Writer(const AvailabilityAnswer& a, const TextOptions& o) : TextWriter(o), a_(a) {}

  std::string write() {
    headline();
    answer();
    halls();
    lengths();
    causes();
    importance();
    tier();
    rides();
    remedies();
    figures();
    list("Remarks", a_.remarks);
    return std::move(out_);
  }

 private:
  std::string names(const std::vector<int>& groups) const {
    std::vector<std::string> list;
    for (const int g : groups) list.push_back(a_.system.groups[std::size_t(g)].title);
    return list.empty() ? "nothing that is out any more"
                        : fmt::format("{}", fmt::join(list, " + "));
  }
  std::string usd(double gpu_s) const {
    return a_.price_origin.empty() ? "-" : format_scaled(gpu_s * a_.usd_per_gpu_s, "USD");
  }

  void headline() {
    int units = 0;
    for (const auto& g : a_.system.groups) units += g.units;
    out_ += paint(a_.scenario, "1") + "\n";
    line("components", fmt::format("{} in {} banks", units, a_.system.groups.size()));
    line("histories", fmt::format("{} of {} years, seed {}; +- is 95 %", a_.simulated.histories,
                                  format_number(a_.simulated.years), a_.simulated.seed));
  }

  void answer() {
    const auto& r = a_.result;
    title("Availability: every hall with all it asks for");
    line("availability", fmt::format("{:.5f} %, {}", 100 * r.availability, nines(r.availability)));
    line("outages a year", plus_minus(r.site_outages));
    line("hours a year", plus_minus(r.site_hours) + " h");
    if (r.site_outages.mean <= 0)
      line("", fmt::format("none in {} years: below {} a year with 95 %", format_number(r.years),
                           format_number(3 / r.years, 2)));
    if (r.planned_outages > 0)
      line("planned besides",
           fmt::format("{} h in {} outages a year: {} cannot be maintained "
                       "without one",
                       format_number(r.planned_hours, 3), format_number(r.planned_outages, 3),
                       names(r.planned_groups)));
    const double gpu_s = r.lost_gpu_s.mean;
    line("GPU time lost", fmt::format("{} GPU-h a year, {:.4f} % of all",
                                      plus_minus({gpu_s / 3600, r.lost_gpu_s.error / 3600}),
                                      a_.gpus > 0 ? 100 * gpu_s / (a_.gpus * 8760 * 3600) : 0));
    if (r.planned_lost_gpu_s > 0)
      line("  and planned",
           fmt::format("{} GPU-h a year", format_number(r.planned_lost_gpu_s / 3600, 3)));
    if (!a_.price_origin.empty())
      line("is worth",
           fmt::format("{} a year{} ({})", usd(gpu_s),
                       r.planned_lost_gpu_s > 0 ? ", planned besides " + usd(r.planned_lost_gpu_s)
                                                : std::string(),
                       a_.price_origin));
    for (const auto& w : a_.work)
      line("tokens of " + w.name, format_scaled(w.tokens, "token") + " not made a year");
  }

  void halls() {
    Table table({{"", Align::left, 0},
                 {"availability", Align::right, 0},
                 {"outages a year", Align::right, 0},
                 {"h a year", Align::right, 0},
                 {"GPU-h lost", Align::right, 0}});
    for (std::size_t i = 0; i < a_.result.loads.size(); ++i) {
      const auto& l = a_.result.loads[i];
      table.add({a_.system.loads[i].title, fmt::format("{:.5f} %", 100 * l.availability),
                 format_number(l.outages, 3), format_number(l.hours, 3),
                 format_number(l.lost_gpu_s.mean / 3600, 3)});
    }
    out_ += table.str();
  }

  void lengths() {
    const auto& r = a_.result;
    if (r.site_outages.mean <= 0) return;
    title("Outages");
    line("half are shorter than", span(r.length_s(0.5)));
    line("90 % are shorter than", span(r.length_s(0.9)));
    line("longest met", span(r.longest_s));
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < availability::triggers; ++i)
      if (r.by_trigger[i] > 0)
        parts.push_back(fmt::format("{} {:.0f} %", availability::trigger_name(Trigger(i)),
                                    100 * r.by_trigger[i] / r.site_outages.mean));
    line("begin with", fmt::format("{}", fmt::join(parts, ", ")));
    line("up and down less time", fmt::format("{:.1e}", r.worst_imbalance));
  }

  void causes() {
    constexpr std::size_t most = 8;
    if (a_.result.causes.empty()) return;
    title("Why: what was out together");
    Table table({{"", Align::left, 60},
                 {"outages a year", Align::right, 0},
                 {"h a year", Align::right, 0},
                 {"GPU-h lost", Align::right, 0},
                 {"worth", Align::right, 0}});
    for (std::size_t i = 0; i < std::min(most, a_.result.causes.size()); ++i) {
      const auto& c = a_.result.causes[i];
      table.add({names(c.groups), format_number(c.outages, 3), format_number(c.hours, 3),
                 format_number(c.lost_gpu_s / 3600, 3), usd(c.lost_gpu_s)});
    }
    out_ += table.str();
    if (a_.result.causes.size() > most)
      out_ += fmt::format("  and {} more\n", a_.result.causes.size() - most);
  }

  void importance() {
    const auto& e = a_.exact;
    title("Exactly, without ride-through, people and fuel");
    line("unavailability", fmt::format("{:.3e}, at most {:.1e} more (states of up to {} units out)",
                                       e.unavailability, e.bound, a_.exact_order));
    line("outages a year", format_number(e.frequency * 8760 * 3600, 3));
    Table table({{"", Align::left, 40},
                 {"unit out", Align::right, 0},
                 {"Birnbaum", Align::right, 0},
                 {"Fussell-Vesely", Align::right, 0},
                 {"of GPU time lost", Align::right, 0}});
    int shown = 0;
    for (const auto& i : e.importance) {
      const double share = a_.result.share_of(i.group);
      if ((i.fussell_vesely < 1e-3 && share < 1e-3) || ++shown > 8) continue;
      table.add({a_.system.groups[std::size_t(i.group)].title,
                 fmt::format("{:.1e}", i.unavailability), fmt::format("{:.1e}", i.birnbaum),
                 fmt::format("{:.1f} %", 100 * i.fussell_vesely),
                 fmt::format("{:.1f} %", 100 * share)});
    }
    out_ += table.str();
  }

  void tier() {
    static constexpr const char* level[] = {"", "I", "II", "III", "IV"};
    title(fmt::format("Tier {}, as the published definitions read, not a certification",
                      level[a_.tier.level]));
    const auto list = [&](const char* label, const std::vector<int>& groups) {
      if (!groups.empty()) out_ += wrap(label + names(groups), width_, "  ");
    };
    list("lose one and load is lost: ", a_.tier.not_redundant);
    list("cannot be taken out for maintenance: ", a_.tier.not_maintained);
    for (const auto& gap : a_.tier.gaps) out_ += wrap(gap, width_, "  ");
  }

  void rides() {
    if (a_.rides.empty()) return;
    title("Ride-through, full load, design day, all of it lost");
    Table table(
        {{"", Align::left, 0}, {"", Align::left, 0}, {"", Align::right, 0}, {"", Align::left, 0}});
    for (const auto& r : a_.rides)
      table.add({r.hall, r.what, span(r.seconds),
                 r.seconds < 0  ? ""
                 : r.after <= 0 ? "racks trip"
                                : "racks throttle for good"});
    out_ += table.str();
  }

  void remedies() {
    if (a_.remedies.empty()) return;
    title("What would help, a year");
    Table table({{"", Align::left, 60},
                 {"hours", Align::right, 0},
                 {"GPU-h", Align::right, 0},
                 {"+-", Align::right, 0},
                 {"worth", Align::right, 0},
                 {"costs", Align::right, 0},
                 {"pays back", Align::right, 0}});
    for (const auto& r : a_.remedies) {
      const auto costs = r.capital_usd ? format_scaled(*r.capital_usd, "USD") : "-";
      std::string back = "-";
      if (r.clear && r.capital_usd && r.usd > 0)
        back = fmt::format("{} yr", format_number(*r.capital_usd / r.usd, 2));
      const auto gpu_h = [](double s) { return format_number(s / 3600, 3); };
      if (r.clear)
        table.add({r.what, format_number(r.hours.mean, 3), gpu_h(r.lost_gpu_s.mean),
                   gpu_h(r.lost_gpu_s.error),
                   a_.price_origin.empty() ? "-" : format_scaled(r.usd, "USD"), costs, back});
      else
        table.add({r.what, "-", "not beyond", gpu_h(r.lost_gpu_s.error), "-", costs, "-"});
    }
    out_ += table.str();
    std::vector<std::string> sources;
    for (const auto& r : a_.remedies)
      if (r.capital_usd &&
          std::find(sources.begin(), sources.end(), r.price_source) == sources.end())
        sources.push_back(r.price_source);
    if (!sources.empty())
      out_ += wrap(fmt::format("costs: {}", fmt::join(sources, "; ")), width_, "  ");
  }

  void figures() {
    title("What it stands on");
    Table table({{"", Align::left, 0},
                 {"", Align::left, 0},
                 {"", Align::right, 0},
                 {"", Align::left, std::max<std::size_t>(24, width_ > 70 ? width_ - 62 : 24)}});
    for (const auto& f : a_.figures)
      if (f.what == "time between failures" || f.what == "repair" || f.what == "failure to start" ||
          f.what == "time to failure running" || f.what == "failure on demand")
        table.add({f.part, f.what, f.text, f.source});
    out_ += table.str();
  }

  const AvailabilityAnswer& a_;
};

}  // namespace

std::string availability_text(const AvailabilityAnswer& answer, const TextOptions& options) {
  return Writer(answer, options).write();
}

}  // namespace headroom::report
