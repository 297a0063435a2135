#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/facility_chain.hpp"
#include "report/parts.hpp"
#include "report/table.hpp"

namespace headroom::report {
namespace {

using study::FacilityAnswer;
using study::FacilityChain;

std::string watts(double w) { return format_scaled(w, "W"); }
std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }
std::string after(double s) {
  if (!std::isfinite(s)) return "-";
  if (s < 120) return fmt::format("{:.{}f} s", s, s < 9.95 ? 1 : 0);
  return s < 7200 ? fmt::format("{:.1f} min", s / 60) : fmt::format("{:.1f} h", s / 3600);
}

class ChainWriter : TextWriter {
 public:
  ChainWriter(const FacilityAnswer& a, const TextOptions& o) : TextWriter(o), a_(a), c_(a.chain) {}

  std::string brief() {
    title("Power chain, every node lost once");
    summary();
    return std::move(out_);
  }

  std::string full() {
    title("Power chain, full load");
    figures();
    tree();
    title("Every node lost once");
    summary();
    cases();
    pairs();
    stages("Where the nameplate goes, kW at each stage's output", c_.sweep.stages);
    for (const auto& t : c_.sweep.together) together(t);
    for (const auto& r : c_.remarks) out_ += wrap(r, width_, "  ");
    out_ += wrap(
        "overload times of breakers nobody gave are those of one of 125 % of the rating, "
        "as slow as UL 489 lets pass (assumed); the air is that of the weather year",
        width_, "  ");
    return std::move(out_);
  }

  std::string walk() {
    const auto& w = *a_.walk->power;
    out_ += "\n  power, event by event\n";
    constexpr std::size_t most = 24;
    std::size_t shown = 0;
    for (const auto& e : w.events) {
      if (++shown > most) break;
      out_ += fmt::format("  {:>10}  {}\n", after(e.at_s), words(c_, e));
    }
    if (w.events.size() > most)
      out_ += fmt::format("  {:>10}  {} more events\n", "", w.events.size() - most);
    if (w.sets_needed > 0)
      line("generators",
           fmt::format("{} must start; {:.2f} % likely", w.sets_needed, 100 * w.start_probability));
    if (w.battery_left_s >= 0) line("battery left", after(w.battery_left_s) + " at its load");
    for (const auto& h : w.halls)
      if (h.dropped_racks > 0)
        line("racks dropped, " + h.hall,
             fmt::format("{:.0f} of {:.0f} ({}), the first after {}", h.dropped_racks, h.racks,
                         watts(h.dropped_w), after(h.dropped_at_s)));
    if (const double dark = without_cooling(w); dark > 0)
      line("cooling without power",
           after(dark) + "; ups.mechanical puts a share of it behind the UPS");
    line("power in less out", fmt::format("{:.1e}", w.worst_imbalance));
    return std::move(out_);
  }

 private:
  void figures() {
    line("nodes",
         fmt::format("{}, {} edges, {:.0f} racks{}", c_.graph.size(), c_.graph.edges().size(),
                     c_.racks, c_.drawn ? "" : ", as listed under power.nodes"));
    line("in at the sources",
         fmt::format("{} = loads {} + losses {} (imbalance {:.0e})", watts(c_.balance.given_w),
                     watts(c_.balance.load_w), watts(c_.balance.loss_w), c_.balance.imbalance()));
    line("rated in air of",
         fmt::format("{:.0f} m, {:.1f} degC outside", c_.air.altitude_m, c_.air.outdoor_c));
  }

  // --- The one-line diagram -----------------------------------------------------

  void tree() {
    out_ += '\n';
    Table table({{"", Align::left, 0},
                 {"units", Align::right, 0},
                 {"load", Align::right, 0},
                 {"use", Align::right, 0},
                 {"worst", Align::right, 0},
                 {"after losing", Align::left, 34},
                 {"headroom", Align::right, 0}});
    drawn_.assign(static_cast<std::size_t>(c_.graph.size()), 0);
    for (const int i : c_.graph.order())
      if (c_.graph.sources(i).empty() && c_.graph[i].kind != power::NodeKind::battery)
        branch(i, 0, table);
    for (const int i : c_.graph.order())
      if (c_.graph[i].kind == power::NodeKind::battery) row(i, 0, table);
    out_ += table.str();
    if (left_out_ > 0)
      out_ += fmt::format("  and {} nodes more; --json has all of them\n", left_out_);
  }

  void branch(int i, std::size_t depth, Table& table) {
    auto& drawn = drawn_[static_cast<std::size_t>(i)];
    if (drawn != 0) return;  // it hangs on more than one: drawn under the first
    drawn = 1;
    row(i, depth, table);
    for (const int e : c_.graph.loads(i))
      branch(c_.graph.edges()[std::size_t(e)].to, depth + 1, table);
  }

  void row(int i, std::size_t depth, Table& table) {
    constexpr std::size_t most = 80;
    if (++rows_ > most) return void(++left_out_);
    const auto& n = c_.graph[i];
    const auto& w = c_.sweep.nodes[static_cast<std::size_t>(i)];
    const bool rated = n.rating_w > 0;
    std::string lost = "-";
    if (rated && w.worst_case >= 0 && w.worst_use > w.base_use)
      lost = c_.words(c_.sweep.cases[static_cast<std::size_t>(w.worst_case)]);
    table.add({std::string(2 * depth, ' ') + n.name, units(n),
               watts(c_.solution.output_w[static_cast<std::size_t>(i)]),
               rated ? percent(w.base_use) : "-", rated ? percent(w.worst_use) : "-", lost,
               rated ? headroom_text(w.headroom()) : "-"},
              o_.colour && w.worst_use > 1 + 1e-9 ? "31" : "");
  }

  static double without_cooling(const power::ChainWalk& w) {
    double s = 0;
    for (const auto& x : w.intervals)
      if (x.mechanical < 1 - 1e-12) s += x.to_s - x.from_s;
    return s;
  }

  static std::string units(const power::Node& n) {
    if (n.kind == power::NodeKind::battery && n.nameplate_w > 0)
      return fmt::format("{} x {}", n.count, format_scaled(n.energy_j, "Wh"));
    const double each = power::is_load(n.kind) ? n.load_w : n.rating_w;
    if (each <= 0) return n.count > 1 ? fmt::format("{} x", n.count) : "";
    return fmt::format("{} x {}", n.count, watts(each));
  }

  // --- The sweep -----------------------------------------------------------------

  void summary() {
    const auto bad = c_.harmful();
    const std::size_t all = c_.sweep.cases.size() + c_.sweep.banks.size();
    line("cases", fmt::format("{}, with and without the mains, whole banks too; {} harm nothing",
                              all, all - bad.size()));
    const power::Case *dropping = nullptr, *strained = nullptr;
    for (const auto& c : c_.sweep.cases) {
      if (dropping == nullptr || c.lost_racks() > dropping->lost_racks()) dropping = &c;
      const auto use = [](const power::Case* x) {
        return x == nullptr || x->overloaded.empty() ? 0.0 : x->overloaded[0].use;
      };
      if (use(&c) > use(strained)) strained = &c;
    }
    if (dropping != nullptr && dropping->lost_racks() > 0)
      line("most racks to one loss", fmt::format("{:.0f} of {:.0f}: {}", dropping->lost_racks(),
                                                 c_.racks, c_.words(*dropping)));
    else
      line("most racks to one loss", "none");
    if (strained != nullptr) {
      const auto& o = strained->overloaded[0];
      const bool base = strained->lost.empty() && !strained->on_generators;
      line("most overloaded", fmt::format("{} at {} of its rating; lost: {}", c_.graph[o.node].name,
                                          percent(o.use), base ? "nothing" : c_.words(*strained)));
    }
    if (const int i = c_.most_uneven(); i >= 0)
      line("most uneven phases", fmt::format("{}, lines {:.1f} % off their mean", c_.graph[i].name,
                                             100 * c_.imbalance(i)));
    if (!c_.sweep.binding.empty())
      line("full first",
           fmt::format("{}, at {} of the load here", c_.sweep.binding, percent(c_.sweep.scale)));
  }

  void cases() {
    const auto bad = c_.harmful();
    if (bad.empty()) return;
    Table table({{"lost", Align::left, 40},
                 {"overloaded", Align::left, 30},
                 {"use", Align::right, 0},
                 {"trips after", Align::right, 0},
                 {"racks dropped", Align::right, 0},
                 {"load dropped", Align::right, 0}});
    constexpr std::size_t most = 12;
    for (std::size_t k = 0; k < std::min(most, bad.size()); ++k) add_case(*bad[k], table);
    out_ += '\n' + table.str();
    if (bad.size() > most) out_ += fmt::format("  and {} cases more\n", bad.size() - most);
  }

  void add_case(const power::Case& c, Table& table) {
    const bool over = !c.overloaded.empty();
    double trip = INFINITY;
    for (const auto& o : c.overloaded) trip = std::min(trip, o.trip_s);
    std::string name = over ? c_.graph[c.overloaded[0].node].name : "-";
    if (c.overloaded.size() > 1) name += fmt::format(" +{}", c.overloaded.size() - 1);
    table.add({c_.words(c), name, over ? percent(c.overloaded[0].use) : "-", after(trip),
               c.lost_racks() > 0 ? fmt::format("{:.0f}", c.lost_racks()) : "-",
               c.lost_w() > 0 ? watts(c.lost_w()) : "-"});
  }

  void pairs() {
    const auto& p = c_.sweep.pairs;
    if (p.pairs == 0) return;
    title("Every two lost");
    line("pairs", fmt::format("{}; {} drop racks, {} overload something", p.pairs, p.dropping,
                              p.overloading));
    Table table({{"lost", Align::left, 40},
                 {"overloaded", Align::left, 30},
                 {"use", Align::right, 0},
                 {"trips after", Align::right, 0},
                 {"racks dropped", Align::right, 0},
                 {"load dropped", Align::right, 0}});
    for (const auto& c : p.worst) add_case(c, table);
    out_ += table.str();
  }

  void together(const power::Together& t) {
    const auto& c = t.lost;
    title("Lost together: " + c_.words(c));
    line("at once", c.dropped_racks > 0 ? fmt::format("{:.0f} of {:.0f} racks drop, {}",
                                                      c.dropped_racks, c_.racks, watts(c.dropped_w))
                                        : "no rack drops");
    constexpr std::size_t most = 6;
    for (std::size_t k = 0; k < std::min(most, c.overloaded.size()); ++k) {
      const auto& o = c.overloaded[k];
      line(k == 0 ? "overloaded" : "",
           fmt::format("{} at {} of its rating{}", c_.graph[o.node].name, percent(o.use),
                       std::isfinite(o.trip_s) ? ", alone it trips after " + after(o.trip_s)
                                               : ", which it bears"));
    }
    if (c.overloaded.size() > most)
      line("", fmt::format("and {} more", c.overloaded.size() - most));
    if (c.overloaded.empty()) line("overloaded", "nothing");
    std::vector<std::string> trips;
    for (const int i : c.trips) trips.push_back(c_.graph[i].name);
    line("trips", trips.empty() ? std::string("nothing")
                                : fmt::format("{}; the last after {}", fmt::join(trips, ", then "),
                                              after(c.last_trip_s)));
    if (c.tripped_racks > 0)
      line("drop of that", fmt::format("{:.0f} racks, {}", c.tripped_racks, watts(c.tripped_w)));
    if (c.dropped_racks > 0)
      line("to bear it as well", "these racks need another path; more rating does not give one");
    else if (!t.binding.empty())
      line("to bear it as well",
           fmt::format("{} is full first, at {} of the load here", t.binding, percent(t.scale)));
    stages("Where the nameplate goes if that has to be borne too, kW", t.stages);
  }

  void stages(const char* head, const std::vector<power::StageRow>& rows) {
    if (rows.empty()) return;
    title(head);
    struct Cause {
      const char* head;
      double power::StageRow::*part;
    };
    static constexpr Cause causes[] = {
        {"derating", &power::StageRow::derating_w}, {"phases", &power::StageRow::phases_w},
        {"uneven", &power::StageRow::uneven_w},     {"A/B", &power::StageRow::sides_w},
        {"reserve", &power::StageRow::reserve_w},   {"mismatch", &power::StageRow::mismatch_w},
        {"cooling", &power::StageRow::cooling_w},   {"rounding", &power::StageRow::rounding_w},
        {"left", &power::StageRow::left_w},         {"load", &power::StageRow::load_w}};
    std::vector<Column> columns{{"", Align::left, 0}, {"nameplate", Align::right, 0}};
    for (const auto& cause : causes) columns.push_back({cause.head, Align::right, 0});
    Table table(columns);
    for (const auto& row : rows) {
      std::vector<std::string> cells{row.name, fmt::format("{:.0f}", row.nameplate_w / 1e3)};
      for (const auto& cause : causes) {
        const double kw = row.*cause.part / 1e3;
        cells.push_back(std::abs(kw) < 0.5 ? "-" : fmt::format("{:.0f}", kw));
      }
      table.add(cells);
    }
    out_ += table.str();
  }

  const FacilityAnswer& a_;
  const FacilityChain& c_;
  std::size_t rows_ = 0, left_out_ = 0;
  std::vector<unsigned char> drawn_;
};

}  // namespace

std::string chain_brief(const FacilityAnswer& a, const TextOptions& o) {
  return ChainWriter(a, o).brief();
}
std::string chain_text(const FacilityAnswer& a, const TextOptions& o) {
  return ChainWriter(a, o).full();
}
std::string chain_walk_text(const FacilityAnswer& a, const TextOptions& o) {
  return ChainWriter(a, o).walk();
}

}  // namespace headroom::report
