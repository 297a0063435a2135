#include "study/facility_transient.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "study/check.hpp"
#include "study/facility_transient_parts.hpp"

namespace headroom::study {
namespace {

using power::Series;

constexpr double least_s = 160, events_s = 240, longest_s = 1400, plan_step_s = 0.01;

Diagnostic mistake(const std::string& where, std::string message, std::string hint) {
  return {where, 0, 0, "", std::move(message), std::move(hint), ""};
}

double seconds(const power::SampleGrid& grid) { return double(grid.samples) * grid.dt_s; }

/// A power of two of samples that last so long, if that is not too long.
power::SampleGrid grid_of(double dt, double lasts_s) {
  power::SampleGrid grid{dt, 2};
  while (seconds(grid) < std::min(lasts_s, longest_s)) grid.samples *= 2;
  return grid;
}

/// Five periods of the slowest job.
power::SampleGrid steady_grid(const Swing& swing, double dt) {
  double slowest = 0;
  for (const auto& j : swing.jobs)
    slowest = std::max(slowest, power::PeriodWave(j.job.phases, 1, {1, 1}, 0).period_s());
  return grid_of(dt, std::max(least_s, 5 * slowest));
}

/// A start after 70 s, a save in the middle, a stop at full draw 70 s before the end.
power::JobEvents moments_of(const Swing& swing, const power::SampleGrid& grid, double ramp_s) {
  power::JobEvents e;
  if (swing.jobs.empty()) return e;
  const auto& job = swing.jobs[swing.largest].job;
  const double whole = seconds(grid);
  e.start_s = 70;
  const double begins = e.start_s + job.start_spread_s;
  e.save_s = begins + std::min(40.0, (whole - 150 - ramp_s) / 3);
  const power::PeriodWave wave(job.phases, job.count, job.levels, job.spread_s);
  // The middle of the step's longest piece at full draw.
  double at = 0, best = -1, best_at = 0;
  for (const auto& p : job.phases) {
    const double weight = p.busy * p.seconds;
    if (p.seconds > 0 && p.busy > 0.5 && weight > best) best = weight, best_at = at + p.seconds / 2;
    at += p.seconds;
  }
  const double latest = whole - 70 - ramp_s;
  const double stepped = latest - begins - job.stall_s;
  const double steps = std::floor((stepped - best_at) / wave.period_s());
  e.stop_s = steps >= 0 ? begins + job.stall_s + steps * wave.period_s() + best_at : latest;
  if (e.save_s + job.stall_s > e.stop_s) e.save_s = -1;
  return e;
}

Series to_meter(const Swing& swing, const Series& it) {
  Series out(it.size());
  for (std::size_t k = 0; k < it.size(); ++k) out[k] = swing.meter(it[k]);
  return out;
}

/// One storage of the scenario, ready for a window.
struct Filter {
  std::string key, what;
  power::StorageKind kind;
  power::Storage storage;
  bool at_meter = false;
};

class Transient {
 public:
  Transient(Context& c, const TransientOptions& o, TransientAnswer& a)
      : c_(c), o_(o), a_(a), spec_(c.scenario.power ? c.scenario.power->transient : none_) {}

  void run() {
    const auto defaults = power::swing_of(spec_);
    swing_ = study::swing_of(c_, defaults, o_, a_);
    if (a_.loads.empty()) return;
    rating();
    assume(defaults);
    a_.energy_usd_j = energy_price(c_);
    a_.it_mean_w = swing_.it_mean_w, a_.meter_mean_w = swing_.meter_mean_w;
    a_.slope = swing_.slope, a_.constant_w = swing_.constant_w;
    windows();
    judge();
    if (!swing_.jobs.empty()) {
      ramp_plan();
      // Ten milliseconds are enough for the band; plans are many passes.
      a_.plans = smoothing_plans(c_, swing_, o_, steady_grid(swing_, plan_step_s), target_,
                                 a_.energy_usd_j);
      vary_wait();
      try_ramp();
    }
    ride_sags(c_, spec_, a_);
    transient_margins(spec_, a_);
    remark();
  }

 private:
  void rating() {
    double w = c_.meter_max.value.si();
    a_.rating_origin = "the most at the meter";
    if (c_.has_facility) w = c_.power.max.meter.si();
    if (c_.scenario.power && c_.scenario.power->grid.capacity) {
      w = c_.scenario.power->grid.capacity.get().si();
      a_.rating_origin = "import agreed with the utility";
    }
    a_.limits = power::limits_of(spec_, w);
    target_.ramp_second_w_s = a_.limits.ramp_second_w_s.si;
    target_.ramp_minute_w_s = a_.limits.ramp_minute_w_s.si;
    target_.range_w = a_.limits.range_w.si, target_.line_w = a_.limits.line_w.si;
    target_.low_hz = a_.limits.low_hz.si, target_.high_hz = a_.limits.high_hz.si;
    if (c_.scenario.power) {
      const auto& bank = c_.scenario.power->generator;
      const double derating = bank.derating ? double(bank.derating.get()) : 1;
      const double pf =
          c_.scenario.power->power_factor ? double(c_.scenario.power->power_factor.get()) : 1;
      if (bank.units)
        a_.generator_w = bank.units.each.get().si() * derating * pf *
                         catalog::usable_units(bank.units.count, bank.redundancy);
    }
  }

  void assume(const power::SwingDefaults& d) {
    a_.assumptions = {{"draw of an accelerator that waits, of its maximum", d.wait_power},
                      {"seconds between the first and the last rank that switches", d.spread_s},
                      {"seconds over which a job starts", d.start_s},
                      {"seconds over which it stops", d.stop_s}};
  }

  HoldLimits hold() const {
    HoldLimits h;
    if (spec_.gpu.floor) h.floor = double(spec_.gpu.floor.get());
    if (spec_.gpu.ramp) h.ramp_it_w_s = spec_.gpu.ramp.get().si() / swing_.slope;
    return h;
  }

  void windows() {
    grid_ = steady_grid(swing_, o_.sample_s);
    const auto limits = hold();
    const auto steady = steady_window(swing_, o_, grid_, limits);
    double ramp_s = 0;
    if (limits.ramp_it_w_s > 0 && !swing_.jobs.empty()) {
      const auto& j = swing_.jobs[swing_.largest].job;
      ramp_s = j.count * (j.levels.busy_w - j.idle_w) / limits.ramp_it_w_s;
    }
    const auto longer = event_grid(ramp_s);
    a_.moments = moments_of(swing_, longer, std::min(ramp_s, seconds(longer) / 4));
    const auto events = event_window(swing_, o_, longer, a_.moments, limits);
    filters(steady, events, longer);
  }

  power::SampleGrid event_grid(double ramp_s) const {
    return grid_of(o_.sample_s, std::max(seconds(grid_), events_s + 3 * ramp_s));
  }

  /// The storages of the scenario, with time constants that use their energy for the swing.
  std::vector<Filter> storages(double swing_it_w) const {
    std::vector<Filter> out;
    double gpus = 0;
    for (const auto& j : swing_.jobs) gpus += j.job.count;
    const auto put = [&](const char* key, const power::StorageKind& kind, double energy_j,
                         double power_w, double swing_w, bool at_meter) {
      if (energy_j <= 0 || swing_w <= 0) return;
      Filter f{key, kind.name, kind, {}, at_meter};
      f.storage.capacity_j = energy_j;
      if (power_w > 0) f.storage.power_w = power_w;
      f.storage.round_trip = kind.round_trip, f.storage.bandwidth_hz = kind.bandwidth_hz;
      f.storage.tau_s = energy_j / swing_w;
      f.storage.recentre_s = kind.recentre * f.storage.tau_s;
      out.push_back(std::move(f));
    };
    const auto of = [](const auto& v) { return v ? v.get().si() : 0.0; };
    put("shelf", shelf_kind(), of(spec_.shelf.energy) * gpus, 0, swing_it_w, false);
    put("ups", ups_kind(c_.catalog, spec_.ups), of(spec_.ups.energy), of(spec_.ups.power),
        swing_it_w, false);
    put("bess", bess_kind(spec_.bess), of(spec_.bess.energy), of(spec_.bess.power),
        swing_it_w * swing_.slope, true);
    return out;
  }

  void filters(const ItWindow& steady, const ItWindow& events, const power::SampleGrid& longer) {
    a_.steady.dt_s = grid_.dt_s, a_.events.dt_s = longer.dt_s;
    a_.steady.load = to_meter(swing_, steady.plain),
    a_.events.load = to_meter(swing_, events.plain);
    const double lasts = seconds(grid_);
    const auto limits = hold();
    Series s = steady.held, e = events.held;
    if (limits.floor > 0 || limits.ramp_it_w_s > 0) {
      FilterRow row;
      row.key = "gpu";
      row.what = limits.floor > 0 ? fmt::format("GPUs no lower than {:.0f} %", 100 * limits.floor)
                                  : "GPUs ramped at start and stop";
      row.burned_w = swing_.slope * steady.burned_j / lasts;
      row.usd_year = row.burned_w * 8760 * 3600 * a_.energy_usd_j;
      fill(row, to_meter(swing_, s));
      a_.filters.push_back(row);
    }
    a_.imbalance =
        std::max(imbalance(steady.plain, s, steady.burned_j - steady.deferred_j, grid_.dt_s),
                 imbalance(events.plain, e, events.burned_j - events.deferred_j, longer.dt_s));
    bool at_meter = false;
    const double swing_w = power::measure(s, grid_.dt_s).range_w();
    for (const auto& f : storages(swing_w)) {
      if (f.at_meter && !at_meter)
        s = to_meter(swing_, s), e = to_meter(swing_, e), at_meter = true;
      pass(f, at_meter, s, e, longer);
    }
    if (!at_meter) s = to_meter(swing_, s), e = to_meter(swing_, e);
    a_.steady.grid = std::move(s), a_.events.grid = std::move(e);
  }

  void pass(const Filter& f, bool at_meter, Series& s, Series& e, const power::SampleGrid& longer) {
    const double lasts = seconds(grid_);
    const auto m = power::measure(s, grid_.dt_s);
    const auto steady = power::smooth(s, grid_.dt_s, f.storage, (m.peak_w + m.trough_w) / 2);
    const auto events = power::smooth(e, longer.dt_s, f.storage);
    a_.imbalance = std::max(
        {a_.imbalance, imbalance(s, steady.grid, steady.loss_j + steady.stored_j, grid_.dt_s),
         imbalance(e, events.grid, events.loss_j + events.stored_j, longer.dt_s)});
    FilterRow row;
    row.key = f.key, row.what = f.what;
    row.loss_w = steady.loss_j / lasts * (at_meter ? 1 : swing_.slope);
    row.capacity_j = f.storage.capacity_j, row.swing_j = steady.settled_j;
    row.most_w = steady.most_w, row.saturated = steady.saturated_s / lasts;
    row.tau_s = f.storage.tau_s;
    row.usd_year = row.loss_w * 8760 * 3600 * a_.energy_usd_j;
    s = steady.grid, e = events.grid;
    fill(row, at_meter ? s : to_meter(swing_, s));
    a_.filters.push_back(row);
  }

  void fill(FilterRow& row, const Series& meter) const {
    const auto j = power::judge(meter, grid_.dt_s, target_);
    row.range_w = j.measures.range_w(), row.line_w = j.spectrum.strongest.amplitude_w;
    row.ramp_second_w_s = j.measures.ramp_second_w_s;
  }

  static double imbalance(const Series& before, const Series& after, double more, double dt) {
    const double in = power::energy(after, dt);
    return in > 0 ? std::abs(in - power::energy(before, dt) - more) / in : 0;
  }

  void judge() {
    a_.raw = power::judge(a_.steady.load, a_.steady.dt_s, target_);
    a_.behind = power::judge(a_.steady.grid, a_.steady.dt_s, target_);
    a_.events_raw = power::measure(a_.events.load, a_.events.dt_s);
    a_.events_behind = power::measure(a_.events.grid, a_.events.dt_s);
    if (!spec_.short_circuit || swing_.jobs.empty()) return;
    const double s = spec_.short_circuit.get().si();
    const double xr = spec_.x_over_r ? double(spec_.x_over_r.get()) : 10;
    const double changes = 2 * 600 / a_.loads[0].period_s;
    const auto pst = [&](const power::Judged& j) {
      return power::flicker(power::voltage_change(j.measures.range_w(), s, xr), changes);
    };
    a_.flicker = pst(a_.raw), a_.flicker_behind = pst(a_.behind);
    if (a_.loads[0].period_s < 2)
      a_.remarks.push_back("flicker: changes come less than a second apart, outside the method");
  }

  void ramp_plan() {
    const auto& j = swing_.jobs[swing_.largest].job;
    auto& r = a_.ramp;
    // A twentieth below the limit: the steps go on above the ramp.
    r.w_s = 0.95 * std::min(a_.limits.ramp_minute_w_s.si, a_.limits.ramp_second_w_s.si);
    r.step_w = swing_.slope * j.count * (j.levels.busy_w - j.idle_w);
    r.seconds = r.step_w / r.w_s;
    r.burned_j = r.storage_j = r.step_w * r.step_w / (2 * r.w_s);
  }

  /// Nobody publishes what waiting draws: the answer at both ends.
  void vary_wait() {
    if (spec_.wait_power) return;
    for (const double share : {0.15, 0.7}) {
      Swing other = swing_;
      for (auto& j : other.jobs) {
        const double mean = power::PeriodWave(j.job.phases, 1, j.job.levels, 0).mean_w();
        j.job.levels =
            levels_of(j.job.phases, mean, std::max(share * j.max_w, j.job.idle_w), j.max_w);
      }
      const auto grid = steady_grid(other, plan_step_s);
      const auto w = to_meter(other, steady_window(other, o_, grid, {}).plain);
      const auto judged = power::judge(w, grid.dt_s, target_);
      a_.wait_range.push_back({share, judged.measures.range_w(),
                               judged.spectrum.strongest.amplitude_w,
                               judged.measures.ramp_second_w_s});
    }
  }

  /// The largest job's events with that ramp, and the cheapest plan for steady work.
  void try_ramp() {
    const auto& r = a_.ramp;
    if (a_.events_raw.ramp_minute_w_s <= a_.limits.ramp_minute_w_s.si &&
        a_.events_raw.ramp_second_w_s <= a_.limits.ramp_second_w_s.si)
      return;
    const SmoothingPlan* plan = !a_.plans.empty() && a_.plans[0].met ? &a_.plans[0] : nullptr;
    const auto longer = event_grid(r.seconds);
    const double room = seconds(longer) / 4;
    const HoldLimits limits{plan != nullptr ? plan->floor : 0, r.w_s / swing_.slope};
    const auto events = event_window(swing_, o_, longer,
                                     moments_of(swing_, longer, std::min(room, r.seconds)), limits);
    auto series = to_meter(swing_, events.held);
    if (plan != nullptr && !plan->storage_key.empty()) {
      power::Storage s;
      s.capacity_j = plan->storage.capacity_j, s.power_w = plan->storage.most_w;
      s.tau_s = plan->storage.tau_s, s.recentre_s = 8 * s.tau_s;
      series = power::smooth(series, longer.dt_s, s).grid;
    }
    a_.ramp.behind = power::measure(series, longer.dt_s);
    a_.ramp.with = plan != nullptr ? plan->what : "nothing else";
  }

  void remark() {
    for (const auto& row : a_.loads)
      if (row.kind == "training" && row.busy_w == row.wait_w)
        a_.remarks.push_back(row.name +
                             ": waiting draws no less than the mean, so nothing swings; "
                             "see power.transient.wait_power");
    if (swing_.constant_w < 0)
      a_.remarks.push_back(
          "the scenario's mean load is below what its accelerators draw; the rest of "
          "IT comes out negative");
    if (a_.ride.mechanical_lost)
      a_.remarks.push_back(
          "cooling drops in these sags: facility --lose all-cooling follows the "
          "temperatures");
    if (swing_.jobs.empty())
      a_.remarks.push_back("no training job runs here: what swings is the noise of serving");
    if (a_.ride.latched && a_.generator_w <= 0)
      a_.remarks.push_back(
          "no sets in power.generator: a latched site lives on its batteries alone");
    if (a_.energy_usd_j <= 0)
      a_.remarks.push_back("no energy price is known; burning costs nothing");
    a_.remarks.push_back(
        "every step alike and every rank within the spread: real jobs drift, which widens lines "
        "and "
        "lowers them");
  }

  static inline const power::TransientSpec none_{};
  Context& c_;
  const TransientOptions& o_;
  TransientAnswer& a_;
  const power::TransientSpec& spec_;
  Swing swing_;
  power::SampleGrid grid_;
  power::Target target_;
};

}  // namespace

void transient_of(Context& c, const TransientOptions& options, TransientAnswer& answer) {
  answer.scenario = c.scenario.name;
  Transient(c, options, answer).run();
}

bool TransientAnswer::holds() const {
  return std::all_of(margins.begin(), margins.end(), [](const Margin& m) { return m.holds(); });
}

double energy_price(const Context& c) {
  if (c.scenario.money && c.scenario.money->energy_price)
    return c.scenario.money->energy_price.get().si();
  return c.site.electricity.node != no_node ? c.site.electricity.value.si() : 0;
}

Result<TransientAnswer> facility_transient(const Loaded& loaded, const catalog::Catalog& catalog,
                                           const TransientOptions& options) {
  Verdict verdict;
  Context c(loaded.scenario, loaded, catalog, verdict);
  c.as_of = study_date(loaded.scenario);
  walk(c);
  Diagnostics mistakes;
  TransientAnswer a;
  for (const auto& text : options.sags)
    if (const auto wrong = power::read_sags(text, a.sags))
      mistakes.add(mistake("--sag " + text, *wrong, ""));
  if (const auto wrong = power::order_sags(a.sags)) mistakes.add(mistake("--sag", *wrong, ""));
  a.sags_given = !options.sags.empty();
  if (!mistakes.empty()) return failure(std::move(mistakes));
  transient_of(c, options, a);
  if (a.loads.empty()) {
    mistakes.add(mistake(loaded.file, "nothing runs in this scenario, so nothing swings",
                         "add workloads that run on a cluster of a hall"));
    return failure(std::move(mistakes));
  }
  return a;
}

}  // namespace headroom::study
