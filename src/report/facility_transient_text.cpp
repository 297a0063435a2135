#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/facility_transient.hpp"
#include "report/parts.hpp"
#include "report/table.hpp"

namespace headroom::report {
namespace {

using study::TransientAnswer;

std::string power(double w) { return format_scaled(w, "W"); }
std::string energy(double j) { return format_scaled(j, "Wh"); }
std::string minute(double w_s) { return format_scaled(60 * w_s, "W") + "/min"; }
std::string second(double w_s) { return format_scaled(w_s, "W") + "/s"; }
std::string lasts(double s) {
  if (s < 0.0995) return fmt::format("{:.3g} ms", 1e3 * s);
  if (s < 120) return fmt::format("{:.3g} s", s);
  return s < 7200 ? fmt::format("{:.1f} min", s / 60) : fmt::format("{:.1f} h", s / 3600);
}

class Writer : TextWriter {
 public:
  Writer(const TransientAnswer& a, const TextOptions& o) : TextWriter(o), a_(a) {}

  std::string write() {
    headline();
    loads();
    measures();
    limits();
    if (!a_.filters.empty()) filters();
    plans();
    ride();
    notes();
    return std::move(out_);
  }

 private:
  std::string of_rating(double w) const {
    return a_.limits.rating_w > 0 ? percent(w / a_.limits.rating_w, 2) : "-";
  }

  void headline() {
    out_ += paint(a_.scenario, "1") + "\n";
    line("rating", fmt::format("{} ({})", power(a_.limits.rating_w), a_.rating_origin));
    line("in the mean",
         fmt::format("{} of IT, {} at the meter", power(a_.it_mean_w), power(a_.meter_mean_w)));
    line("a watt more of IT", fmt::format("{:.4f} W at the meter", a_.slope));
  }

  void loads() {
    title("What swings");
    for (const auto& l : a_.loads) {
      if (l.kind != "training") {
        line(l.name.c_str(),
             fmt::format("{} in the mean, noise of {} about it ({} GPUs)", power(l.mean_w),
                         power((l.peak_w - l.mean_w) / 3), format_number(l.gpus)));
        continue;
      }
      line(l.name.c_str(),
           fmt::format("{} GPUs, {} to {}, one step in {}, {:.4g} Hz", format_number(l.gpus),
                       power(l.trough_w), power(l.peak_w), lasts(l.period_s), 1 / l.period_s));
      line("", fmt::format("a GPU {:.0f} W computing, {:.0f} W waiting ({} of its time)", l.busy_w,
                           l.wait_w, percent(l.wait_share)));
      for (const auto& [name, seconds] : l.parts)
        if (seconds > 0) line("", fmt::format("{:>8}  {}", lasts(seconds), name));
      if (l.save_every_s > 0)
        line("", fmt::format("saves every {}, {} each", lasts(l.save_every_s), lasts(l.stall_s)));
    }
    line("the rest", power(a_.constant_w) + " of hosts, network, storage; steady");
  }

  void measures() {
    title("At the meter");
    const bool filtered = !a_.filters.empty();
    std::vector<Column> columns{{"", Align::left, 0}, {"as it comes", Align::right, 0}};
    if (filtered) columns.push_back({"behind filters", Align::right, 0});
    Table table(columns);
    const auto row = [&](const char* label, const std::string& raw, const std::string& behind) {
      if (filtered)
        table.add({label, raw, behind});
      else
        table.add({label, raw});
    };
    const auto& m = a_.raw.measures;
    const auto& b = a_.behind.measures;
    row("peak", power(m.peak_w), power(b.peak_w));
    row("trough", power(m.trough_w), power(b.trough_w));
    row("peak to trough over the mean", percent(m.range(), 2), percent(b.range(), 2));
    const auto& s = a_.raw.spectrum;
    const auto& t = a_.behind.spectrum;
    row("all of the band, rms", power(s.band_rms_w), power(t.band_rms_w));
    for (std::size_t i = 0; i < std::min<std::size_t>(4, s.lines.size()); ++i) {
      const auto& l = s.lines[i];
      const std::size_t bin = std::size_t(std::llround(l.hz / t.step_hz));
      row(fmt::format("line at {:.3f} Hz", l.hz).c_str(),
          fmt::format("{}, {}", power(l.amplitude_w), of_rating(l.amplitude_w)),
          power(bin < t.amplitude_w.size() ? double(t.amplitude_w[bin]) : 0));
    }
    row("ramp, steady, 1 s", second(m.ramp_second_w_s), second(b.ramp_second_w_s));
    row("ramp, start and stop, 1 s", second(a_.events_raw.ramp_second_w_s),
        second(a_.events_behind.ramp_second_w_s));
    row("ramp, start and stop, 1 min", minute(a_.events_raw.ramp_minute_w_s),
        minute(a_.events_behind.ramp_minute_w_s));
    if (a_.flicker >= 0)
      row("flicker (Pst)", fmt::format("{:.3f}", a_.flicker),
          fmt::format("{:.3f}", a_.flicker_behind));
    out_ += table.str();
    for (const auto& w : a_.wait_range) {
      const bool still = w.range_w < 1e-6 * a_.limits.rating_w;
      line(fmt::format("if waiting draws {:.0f} %", 100 * w.share).c_str(),
           still ? std::string("nothing swings: a step draws no more in its mean")
                 : fmt::format("range {}, line {}, {} in 1 s", power(w.range_w), power(w.line_w),
                               second(w.ramp_second_w_s)));
    }
    if (filtered) line("energy not accounted for", fmt::format("{:.1e}", a_.imbalance));
  }

  void limits() {
    title("Limits");
    Table table({{"", Align::left, 0},
                 {"need", Align::right, 0},
                 {"have", Align::right, 0},
                 {"headroom", Align::right, 0}});
    for (const auto& m : a_.margins)
      table.add(
          {m.limit, format(m.need, m.unit), format(m.have, m.unit), headroom_text(m.headroom())},
          o_.colour && !m.holds() ? "31" : "");
    out_ += table.str();
    for (const auto& m : a_.margins) {
      if (m.holds()) continue;
      out_ += wrap(fmt::format("{}: {}", m.limit, m.why), width_, "  ");
      for (const auto& r : m.remedies) out_ += wrap("-> " + r.action, width_, "     ");
    }
  }

  void filters() {
    title("Filters of the scenario, in order, steady work");
    Table table({{"", Align::left, 0},
                 {"range", Align::right, 0},
                 {"line", Align::right, 0},
                 {"burned", Align::right, 0},
                 {"lost", Align::right, 0},
                 {"holds", Align::right, 0},
                 {"swing", Align::right, 0},
                 {"full or empty", Align::right, 0},
                 {"tau", Align::right, 0}});
    for (const auto& f : a_.filters)
      table.add(
          {f.what, power(f.range_w), power(f.line_w), f.burned_w > 0 ? power(f.burned_w) : "-",
           f.loss_w > 0 ? power(f.loss_w) : "-", f.capacity_j > 0 ? energy(f.capacity_j) : "-",
           f.swing_j > 0 ? energy(f.swing_j) : "-", f.capacity_j > 0 ? percent(f.saturated) : "-",
           f.tau_s > 0 ? lasts(f.tau_s) : "-"});
    out_ += table.str();
  }

  void plans() {
    if (!a_.plans.empty()) {
      title("What meets the steady limits, cheapest first");
      Table table({{"", Align::left, 60},
                   {"", Align::left, 0},
                   {"holds", Align::right, 0},
                   {"power", Align::right, 0},
                   {"swings", Align::right, 0},
                   {"burned, lost", Align::right, 0},
                   {"capital", Align::right, 0},
                   {"a year", Align::right, 0}});
      for (const auto& p : a_.plans) {
        const bool stores = !p.storage_key.empty();
        table.add(
            {p.what, p.met ? "meets" : "misses " + p.misses,
             stores ? energy(p.storage.capacity_j) : "-", stores ? power(p.storage.most_w) : "-",
             stores ? energy(p.storage.swing_j) : "-", power(p.burned_w + p.storage.loss_w),
             format_scaled(p.usd, "USD"), format_scaled(p.usd_year, "USD")},
            o_.colour && !p.met ? "2" : "");
      }
      out_ += table.str();
    }
    if (a_.ramp.w_s <= 0) return;
    title("Starts and stops of the largest job");
    line("step at the meter", power(a_.ramp.step_w));
    line("just inside the limits",
         fmt::format("{}, over {}", minute(a_.ramp.w_s), lasts(a_.ramp.seconds)));
    line("burned by a stop", energy(a_.ramp.burned_j) + ", as much held back by a start");
    line("or stored", energy(a_.ramp.storage_j) + " for a straight ramp");
    if (!a_.ramp.with.empty())
      line("so ramped", fmt::format("{}, {} with {}", second(a_.ramp.behind.ramp_second_w_s),
                                    minute(a_.ramp.behind.ramp_minute_w_s), a_.ramp.with));
  }

  void ride() {
    const auto& r = a_.ride;
    title("Sags of the grid");
    line("sags", a_.sags_given
                     ? fmt::format("{}, first {}", a_.sags.size(), power::sag_text(a_.sags.front()))
                     : fmt::format("those of 10 July 2024 in Virginia: {} in {}", a_.sags.size(),
                                   lasts(a_.sags.back().at_s)));
    line("loads", fmt::format("{} behind a UPS, {} of machines without, {} of cooling and other",
                              power(a_.ride_setup.ups_w), power(a_.ride_setup.direct_w),
                              power(a_.ride_setup.mechanical_w)));
    for (const auto& e : r.events)
      line(fmt::format("  {:>10}", fmt::format("{:.2f} s", e.at_s)).c_str(), e.what);
    line("leaves the grid at once", power(r.left_w));
    if (r.return_w_s > 0) line("comes back", minute(r.return_w_s) + " at most, means of a minute");
    line("away", fmt::format("{} in all, the last until {}", lasts(r.away_s), lasts(r.until_s)));
    if (r.battery_used_j > 0)
      line("from batteries",
           fmt::format("{} of {}", energy(r.battery_used_j), energy(a_.ride_setup.battery_j)));
    if (r.it_lost)
      line("machines fall",
           paint(fmt::format("for {}, {} GPU-hours{}", lasts(r.it_out_s),
                             format_number(a_.lost_gpu_s / 3600),
                             a_.price_origin.empty() ? std::string()
                                                     : ", " + format_scaled(a_.lost_usd, "USD")),
                 "31"));
    else
      line("machines", "compute on");
    line("power not accounted for", fmt::format("{:.1e}", r.imbalance));
  }

  void notes() {
    title("Assumed");
    for (const auto& [label, used] : a_.assumptions)
      out_ += wrap(
          fmt::format("{}: {:.3g} ({})", label, used.si, used.given ? "the scenario" : used.source),
          width_, "  ");
    for (const auto& r : a_.remarks) out_ += wrap(r, width_, "  ");
  }

  const TransientAnswer& a_;
};

}  // namespace

std::string transient_text(const TransientAnswer& answer, const TextOptions& options) {
  return Writer(answer, options).write();
}

}  // namespace headroom::report
