// What meets the limits, what it costs, and the limits as margins.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "catalog/power_gear.hpp"
#include "study/facility_transient_parts.hpp"

namespace headroom::study {
namespace {

constexpr double kwh = 3.6e6, year_s = 8760 * 3600.0;
constexpr double pi = 3.14159265358979323846;

double corner_hz(double response_s) { return response_s > 0 ? 1 / (2 * pi * response_s) : 0; }

std::string missed(const power::Judged& j) {
  std::vector<std::string> out;
  if (!j.range) out.emplace_back("range");
  if (!j.line) out.emplace_back("band");
  if (!j.ramp_second) out.emplace_back("ramp in a second");
  if (!j.ramp_minute) out.emplace_back("ramp in a minute");
  return fmt::format("{}", fmt::join(out, ", "));
}

class Planner {
 public:
  Planner(Context& c, const Swing& swing, const TransientOptions& o, const power::SampleGrid& grid,
          const power::Target& target, double usd_j)
      : c_(c), swing_(swing), o_(o), grid_(grid), target_(target) {
    prices_.usd_j = usd_j;
    const auto& spec = c.scenario.power ? c.scenario.power->transient : none_;
    kinds_ = {shelf_kind(), ups_kind(c.catalog, spec.ups), bess_kind(spec.bess)};
  }

  std::vector<SmoothingPlan> plans() {
    const auto nothing = power::judge(meter(0), grid_.dt_s, target_);
    if (nothing.all()) return {};
    Stage stage(o_.progress, "trying ways to smooth", 0);
    stage_ = &stage;
    least_floor();
    storages(0);
    // A floor below the least that is enough, and storage for the rest.
    const double most = out_.front().met ? out_.front().floor : 1;
    const double low = lowest_draw();
    for (const double part : {0.5, 0.8}) {
      const double floor = low + part * (most - low);
      if (floor <= low || floor >= most) continue;
      storages(std::round(floor * 100) / 100);
    }
    std::stable_sort(out_.begin(), out_.end(), [](const SmoothingPlan& a, const SmoothingPlan& b) {
      if (a.met != b.met) return a.met;
      return a.usd_year < b.usd_year;
    });
    return std::move(out_);
  }

 private:
  power::Series meter(double floor, double* burned_w = nullptr) const {
    if (stage_ != nullptr) stage_->check();
    const auto w = steady_window(swing_, o_, grid_, {floor, 0});
    if (burned_w != nullptr)
      *burned_w = swing_.slope * w.burned_j / (double(grid_.samples) * grid_.dt_s);
    power::Series out(w.held.size());
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = swing_.meter(w.held[k]);
    return out;
  }

  double lowest_draw() const {
    double low = 1;
    for (const auto& j : swing_.jobs) low = std::min(low, j.job.levels.wait_w / j.max_w);
    return low;
  }

  void least_floor() {
    double low = lowest_draw(), high = 1;
    bool met = false;
    for (int i = 0; i < 9; ++i) {
      const double middle = i == 0 ? high : (low + high) / 2;
      const bool now = power::judge(meter(middle), grid_.dt_s, target_).all();
      met = met || now;
      if (i == 0 && !now) break;
      (now ? high : low) = middle;
    }
    SmoothingPlan p;
    p.floor = std::ceil(high * 1000) / 1000;
    const auto series = meter(p.floor, &p.burned_w);
    p.key = "floor";
    p.what = fmt::format("GPUs no lower than {:.1f} %", 100 * p.floor);
    keep(p, power::judge(series, grid_.dt_s, target_));
  }

  void storages(double floor) {
    double burned_w = 0;
    const auto series = meter(floor, &burned_w);
    for (const auto& kind : kinds_) storage(kind, floor, series, burned_w);
  }

  void storage(const power::StorageKind& kind, double floor, const power::Series& series,
               double burned_w) {
    stage_->advance();
    SmoothingPlan p;
    p.floor = floor, p.storage_key = kind.key, p.burned_w = burned_w;
    p.storage = power::size_storage(series, grid_.dt_s, kind, target_, prices_);
    p.key = floor > 0 ? fmt::format("floor-{:.0f}+{}", 100 * floor, kind.key) : kind.key;
    p.what = floor > 0 ? fmt::format("GPUs no lower than {:.0f} %, {}", 100 * floor, kind.name)
                       : kind.name;
    keep(p, p.storage.residual);
  }

  void keep(SmoothingPlan& p, const power::Judged& j) {
    p.met = j.all(), p.misses = missed(j);
    p.range_w = j.measures.range_w(), p.line_w = j.spectrum.strongest.amplitude_w;
    p.ramp_second_w_s = j.measures.ramp_second_w_s;
    p.usd = p.storage.usd;
    p.usd_year = p.storage.usd_year + p.burned_w * year_s * prices_.usd_j;
    p.kwh_year = (p.burned_w + p.storage.loss_w) * year_s / kwh;
    out_.push_back(std::move(p));
  }

  static inline const power::TransientSpec none_{};
  Context& c_;
  const Swing& swing_;
  const TransientOptions& o_;
  const power::SampleGrid& grid_;
  const power::Target& target_;
  power::Prices prices_;
  std::vector<power::StorageKind> kinds_;
  std::vector<SmoothingPlan> out_;
  Stage* stage_ = nullptr;
};

std::string in_words(const SmoothingPlan& p) {
  std::string text = p.what;
  if (!p.storage_key.empty())
    text += fmt::format(" of {} and {}", format_scaled(p.storage.capacity_j, "Wh"),
                        format_scaled(p.storage.most_w, "W"));
  return text + fmt::format(", {} a year", format_scaled(p.usd_year, "USD"));
}

class Limits {
 public:
  Limits(const power::TransientSpec& spec, TransientAnswer& a) : spec_(spec), a_(a) {}

  void all() {
    const auto& l = a_.limits;
    steady("range", "peak to trough in steady work", a_.behind.measures.range_w(), l.range_w, "MW");
    steady("band", fmt::format("strongest line, {:g} to {:g} Hz", l.low_hz.si, l.high_hz.si),
           a_.behind.spectrum.strongest.amplitude_w, l.line_w, "MW");
    steady("ramp-second", "ramp in steady work, means of a second",
           a_.behind.measures.ramp_second_w_s, l.ramp_second_w_s, "MW/s");
    events("start-second", "ramp of a start, save or stop, means of a second",
           a_.events_behind.ramp_second_w_s, l.ramp_second_w_s, "MW/s");
    events("start-minute", "ramp of a start, save or stop, means of a minute",
           a_.events_behind.ramp_minute_w_s, l.ramp_minute_w_s, "MW/min");
    if (a_.generator_w > 0) generator();
    if (spec_.leave) leave();
    if (a_.flicker_behind >= 0) {
      Margin m =
          margin("flicker", "flicker (Pst) at the connection", a_.flicker_behind, l.flicker.si, "");
      m.why = "limit: " + l.flicker.source;
      add(std::move(m));
    }
  }

 private:
  /// `unit` in MW; small sites read in kW.
  Margin margin(const char* id, std::string limit, double need, double have, std::string unit) {
    Margin m;
    m.id = std::string("power.transient.") + id, m.layer = "power", m.limit = std::move(limit);
    if (unit.starts_with("MW") && a_.limits.rating_w < 20e6) unit[0] = 'k';
    m.need = need, m.have = have, m.unit = std::move(unit);
    return m;
  }

  void add(Margin m) { a_.margins.push_back(std::move(m)); }

  void steady(const char* id, std::string limit, double need, const power::Used& have,
              const char* unit) {
    Margin m = margin(id, std::move(limit), need, have.si, unit);
    m.why = "limit: " + have.source;
    if (!m.holds()) {
      int told = 0;
      for (const auto& p : a_.plans)
        if (p.met && told++ < 2)
          m.remedies.push_back({in_words(p),
                                p.usd > 0 ? std::optional(p.usd * dollar) : std::nullopt,
                                std::nullopt, "sized here; prices in docs/models/transient.md"});
    }
    add(std::move(m));
  }

  void events(const char* id, std::string limit, double need, const power::Used& have,
              const char* unit) {
    Margin m = margin(id, std::move(limit), need, have.si, unit);
    m.why = "limit: " + have.source;
    if (!m.holds() && a_.ramp.w_s > 0)
      m.remedies.push_back(
          {fmt::format("ramp accelerators at {} when a job starts and stops: {} a start, {} burned "
                       "a stop; hold the floor while it saves",
                       format(a_.ramp.w_s, "MW/min"), format_scaled(a_.ramp.seconds, "s"),
                       format_scaled(a_.ramp.burned_j, "Wh")),
           std::nullopt, std::nullopt, ""});
    add(std::move(m));
  }

  void leave() {
    Margin m = margin("leave", "load that leaves the grid at once in a sag", a_.ride.left_w,
                      spec_.leave.get().si(), "MW");
    m.why = fmt::format("{} transfers, {}away for {}", a_.ride.transfers,
                        a_.ride.latched ? "latched by the counter, " : "",
                        format_scaled(a_.ride.away_s, "s"));
    if (!m.holds()) {
      m.remedies.push_back(
          {"bridge the sag without leaving: rectifiers that stay on at this voltage "
           "(ride.transfer_below), or storage on the grid side",
           std::nullopt, std::nullopt, ""});
      if (a_.ride.latched)
        m.remedies.push_back(
            {"no counter, or more than the grid's reclosing makes (ride.count): back "
             "in seconds instead of by hand",
             std::nullopt, std::nullopt, ""});
    }
    add(std::move(m));
  }

  void generator() {
    const double step =
        std::max(a_.behind.measures.ramp_second_w_s, a_.events_behind.ramp_second_w_s);
    const double bears = a_.limits.generator_step.si * a_.generator_w;
    Margin m =
        margin("generator-step", "change of load in a second on generators", step, bears, "MW");
    m.why = "limit: " + a_.limits.generator_step.source;
    if (!m.holds())
      m.remedies.push_back(
          {fmt::format("{:.0f} MW of generators instead of {:.0f}, or the same "
                       "smoothing",
                       step / a_.limits.generator_step.si / 1e6, a_.generator_w / 1e6),
           std::nullopt, std::nullopt, ""});
    add(std::move(m));
  }

  const power::TransientSpec& spec_;
  TransientAnswer& a_;
};

}  // namespace

power::StorageKind shelf_kind() {
  // Prices and cycles: recalled, unverified.
  power::StorageKind k;
  k.key = "shelf", k.name = "shelf capacitors";
  k.round_trip = 0.95, k.bandwidth_hz = 0;
  k.usd_j = 10e3 / kwh, k.usd_w = 0.05;
  k.life_s = 12 * year_s, k.cycles = 1e6;
  return k;
}

power::StorageKind ups_kind(const catalog::Catalog& catalog, const power::StorageSpec& spec) {
  power::StorageKind k;
  k.key = "ups", k.name = "UPS batteries";
  k.round_trip = spec.efficiency ? double(spec.efficiency.get()) : 0.92;
  k.bandwidth_hz = corner_hz(spec.response ? spec.response.get().si() : 0.010);
  k.usd_j = 1320 / kwh, k.life_s = 12 * year_s, k.cycles = 6000;
  const auto* gear = catalog.find<catalog::PowerGear>("battery-li-ion");
  if (gear != nullptr && gear->price && gear->autonomy && gear->autonomy.get().si() > 0)
    k.usd_j = gear->price.get().si() / gear->autonomy.get().si();
  if (gear != nullptr && gear->life) k.life_s = gear->life.get().si();
  return k;
}

power::StorageKind bess_kind(const power::StorageSpec& spec) {
  // Prices: NREL ATB 2024, utility-scale lithium ion, energy and power part (recalled, unverified).
  power::StorageKind k;
  k.key = "bess", k.name = "site battery";
  k.round_trip = spec.efficiency ? double(spec.efficiency.get()) : 0.86;
  k.bandwidth_hz = corner_hz(spec.response ? spec.response.get().si() : 0.050);
  k.usd_j = 260 / kwh, k.usd_w = 0.3;
  k.life_s = 15 * year_s, k.cycles = 6000;
  return k;
}

std::vector<SmoothingPlan> smoothing_plans(Context& c, const Swing& swing,
                                           const TransientOptions& options,
                                           const power::SampleGrid& grid,
                                           const power::Target& target, double energy_usd_j) {
  return Planner(c, swing, options, grid, target, energy_usd_j).plans();
}

void transient_margins(const power::TransientSpec& spec, TransientAnswer& a) {
  Limits(spec, a).all();
  std::stable_sort(a.margins.begin(), a.margins.end(),
                   [](const Margin& x, const Margin& y) { return x.headroom() < y.headroom(); });
}

}  // namespace headroom::study
