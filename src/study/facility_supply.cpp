#include "study/facility_supply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/hours_file.hpp"
#include "catalog/region.hpp"
#include "spec/beside.hpp"
#include "study/facility_load.hpp"
#include "study/facility_parts.hpp"
#include "study/training_parts.hpp"
#include "supply/kinds.hpp"
#include "supply/profiles.hpp"

namespace headroom::study {
namespace {

using supply::Kind;

constexpr double w_per_mw = 1e6, j_per_mwh = 3.6e9;
constexpr double month_s = 365.25 * 86400 / 12, year_s = 12 * month_s;

double usd_mwh(const Value<EnergyPrice>& v) { return v.get().si() * j_per_mwh; }

class Builder {
 public:
  Builder(Context& c, const FacilityOptions& options, const FacilityAnswer& year, SupplyAnswer& a,
          Diagnostics& mistakes)
      : c_(c), options_(options), year_(year), a_(a), mistakes_(mistakes) {
    if (c.scenario.supply) spec_ = *c.scenario.supply;
    discount_ = spec_.discount.or_else(Scalar(0.08)).si();
    carbon_usd_kg_ = spec_.carbon_price ? spec_.carbon_price.get().si() : 0;
  }

  void build() {
    load();
    grid_carbon();
    if (spec_.sources.empty()) {
      supply::SourceSpec grid;
      grid.name = "grid";
      spec_.sources.push_back(grid);
      assume("no sources are given: the grid alone");
    }
    for (const auto& s : spec_.sources) source(s);
    for (const auto& b : spec_.storages) storage(b);
    for (const auto& r : spec_.responses) response(r);
    a_.problem.unserved_usd_mwh = 10000;
    if (spec_.unserved) a_.problem.unserved_usd_mwh = usd_mwh(spec_.unserved);
  }

 private:
  void assume(std::string text) { a_.assumptions.push_back(std::move(text)); }
  void fail(const Origin& at, const std::string& name, std::string message, std::string hint) {
    mistakes_.add({at.file ? *at.file : c_.brought.file, at.line, at.column,
                   "supply.sources." + name, std::move(message), std::move(hint), ""});
  }

  void load() {
    hours_ = year_.hours.size();
    for (std::size_t h = 0; h < hours_; ++h) {
      a_.problem.load_mw.push_back(year_.hours[h].meter_w / w_per_mw);
      a_.problem.month.push_back(month_of(h, hours_));
      peak_mw_ = std::max(peak_mw_, a_.problem.load_mw.back());
    }
    const auto& air = year_.air;
    sky_.hours = hours_;
    sky_.latitude = air.latitude, sky_.longitude = air.longitude;
    sky_.utc_offset_h = air.utc_offset_h;
    sky_.dry_bulb_c = air.dry_bulb_c;
    if (c_.site.region != nullptr && air.global_w_m2.empty()) {
      sky_.latitude = c_.site.region->latitude.or_else(Scalar(air.latitude)).si();
      sky_.longitude = c_.site.region->longitude.or_else(Scalar(air.longitude)).si();
      sky_.utc_offset_h = std::round(sky_.longitude / 15);
    }
    const auto any = [](const std::vector<double>& v) {
      return std::any_of(v.begin(), v.end(), [](double x) { return x > 0; });
    };
    if (air.without_sun < hours_ / 10 && any(air.global_w_m2) && any(air.direct_w_m2)) {
      sky_.global_w_m2 = air.global_w_m2, sky_.direct_w_m2 = air.direct_w_m2;
      sky_.diffuse_w_m2 = air.diffuse_w_m2;
    }
    if (air.without_wind < hours_ / 10 && any(air.wind_m_s)) sky_.wind_m_s = air.wind_m_s;
  }

  void grid_carbon() {
    const auto carbon = hourly_carbon(c_, options_, hours_);
    if (!carbon) return mistakes_.add(carbon.error());
    a_.carbon_origin = carbon->origin;
    for (const double x : carbon->kg_per_j) grid_kg_mwh_.push_back(x * j_per_mwh);
    if (grid_kg_mwh_.empty())
      grid_kg_mwh_ = {0}, assume("carbon of the grid is not known; counted as 0");
  }

  std::vector<double> file_hours(const supply::SourceSpec& s, const std::string& path, double low,
                                 double high, const char* what) {
    std::vector<double> out(hours_, 0.0);
    const auto found = spec::beside(c_.brought.file, path, "file");
    if (found.path.empty()) {
      fail(s.origin, s.name, found.message, found.hint);
      return out;
    }
    HoursFormat wanted;
    wanted.what = what, wanted.low = low, wanted.high = high;
    const bool prices = std::string_view(what) == "price";
    wanted.heads = prices ? std::vector<std::string>{"price", "usd/mwh"}
                          : std::vector<std::string>{"share", "capacity factor"};
    const auto read = read_hours(found.path, wanted);
    if (!read) {
      mistakes_.add(read.error());
      return out;
    }
    const auto& v = read->values;
    for (std::size_t h = 0; h < hours_; ++h) out[h] = v[h < v.size() ? h : h - 24];
    return out;
  }

  void capacity(const supply::SourceSpec& s, supply::Source& out) {
    out.sized = bool(s.most);
    if (s.most) out.most_mw = s.most.get().si() / w_per_mw;
    if (s.capacity) out.capacity_mw = s.capacity.get().si() / w_per_mw;
    a_.unlimited.push_back(false);
    if (s.capacity || s.most) return;
    const auto& site = c_.scenario.site;
    if (site && site->grid.capacity) {
      out.capacity_mw = site->grid.capacity.get().si() / w_per_mw;
    } else {
      constexpr double plenty = 10;
      a_.unlimited.back() = true;
      out.capacity_mw = plenty * peak_mw_;
      assume(s.name + ": capacity is not known; no limit");
    }
  }

  void grid_prices(const supply::SourceSpec& s, supply::Source& out) {
    double price = 0;
    if (s.price) {
      price = usd_mwh(s.price);
    } else if (c_.site.electricity.node != no_node) {
      price = c_.site.electricity.value.si() * j_per_mwh;
      if (s.price_hours.empty())
        assume(fmt::format("{}: the site's price, {:.1f} USD/MWh", s.name, price));
    } else if (s.price_hours.empty()) {
      fail(s.origin, s.name, "its price is not known", "price: 0.08 USD/kWh, or site.region");
    }
    out.cost_usd_mwh.assign(hours_, price);
    if (!s.price_hours.empty()) {
      constexpr double most = 1e5;
      out.cost_usd_mwh = file_hours(s, s.price_hours, -most, most, "price");
    }
    for (std::size_t h = 0; h < hours_; ++h)
      for (const auto& band : s.tariff)
        if (band.when.holds(month_of(h, hours_) + 1, int(h % 24)))
          out.cost_usd_mwh[h] = usd_mwh(band.price);
    demand(s, out);
  }

  void demand(const supply::SourceSpec& s, supply::Source& out) {
    const auto month = [](PowerPriceRate r) { return r.si() * w_per_mw * month_s; };
    if (s.demand_charge) {
      out.demand_usd_mw = month(s.demand_charge.get());
    } else if (c_.scenario.money && c_.scenario.money->demand_charge) {
      out.demand_usd_mw = month(c_.scenario.money->demand_charge.get());
    } else if (c_.site.demand_charge.node != no_node) {
      out.demand_usd_mw = month(c_.site.demand_charge.value);
      assume(fmt::format("{}: the region's demand charge, {:.2f} USD/kW a month", s.name,
                         out.demand_usd_mw / 1000));
    }
    if (s.least_billed) out.least_billed_mw = s.least_billed.get().si() / w_per_mw;
  }

  void fuel_prices(const supply::SourceSpec& s, const supply::KindFigures& k, supply::Source& out) {
    const double efficiency = s.efficiency.or_else(Scalar(k.efficiency)).si();
    const double fuel = s.fuel_price ? usd_mwh(s.fuel_price) : k.fuel_usd_mwh;
    const double upkeep = s.upkeep ? usd_mwh(s.upkeep) : k.upkeep_usd_mwh;
    const double carbon =
        s.fuel_carbon ? s.fuel_carbon.get().si() * j_per_mwh : k.fuel_carbon_kg_mwh;
    out.cost_usd_mwh = {s.price ? usd_mwh(s.price) : fuel / efficiency + upkeep};
    out.carbon_kg_mwh = {carbon / efficiency};
    std::vector<std::string> left;
    if (!s.efficiency) left.push_back(fmt::format("efficiency {:.0f} %", 100 * efficiency));
    if (!s.fuel_price && !s.price) left.push_back(fmt::format("fuel {:g} USD/MWh", fuel));
    if (!s.upkeep && !s.price) left.push_back(fmt::format("upkeep {:g} USD/MWh", upkeep));
    if (!s.fuel_carbon && !s.carbon)
      left.push_back(fmt::format("fuel carbon {:.0f} kg/MWh", carbon));
    if (!left.empty())
      assume(fmt::format("{}: {} (recalled or assumed)", s.name, fmt::join(left, ", ")));
  }

  void profile(const supply::SourceSpec& s, supply::Source& out) {
    const double factor = s.capacity_factor ? s.capacity_factor.get().si() : 0;
    if (!s.profile.empty()) {
      out.available = file_hours(s, s.profile, 0, 1, "share");
    } else if (s.kind == Kind::solar) {
      out.available = supply::solar_share(sky_, factor);
      if (sky_.global_w_m2.empty())
        assume(s.name + ": a clear sky with assumed clouds; the weather has no radiation");
    } else if (s.kind == Kind::wind) {
      out.available = supply::wind_share(sky_, factor);
      assume(s.name + (sky_.wind_m_s.empty() ? ": an assumed Weibull wind; the weather has none"
                                             : ": the weather's wind at 10 m raised to 100 m"));
    } else if (s.kind == Kind::nuclear) {
      out.available.assign(hours_, factor > 0 ? factor : 0.95);
    }
    if (s.outage_month > 0) outage(s, out);
  }

  void outage(const supply::SourceSpec& s, supply::Source& out) {
    if (out.available.empty()) out.available.assign(hours_, 1.0);
    constexpr double days = 25;
    const double length_h = s.outage ? s.outage.get().si() / 3600 : 24 * days;
    std::size_t first = 0;
    while (first < hours_ && month_of(first, hours_) + 1 != s.outage_month) ++first;
    const auto n = std::min<std::size_t>(hours_, std::size_t(std::llround(length_h)));
    for (std::size_t k = 0; k < n; ++k) out.available[(first + k) % hours_] = 0;
  }

  void source(const supply::SourceSpec& s) {
    const auto k = supply::figures_of(s.kind);
    supply::Source out;
    out.name = s.name;
    capacity(s, out);
    out.clean = {k.clean ? 1.0 : 0.0}, out.renewable = k.renewable ? 1 : 0;
    if (s.kind == Kind::grid) {
      grid_prices(s, out);
      out.carbon_kg_mwh = grid_kg_mwh_;
      if (c_.site.region != nullptr)
        out.clean = {c_.site.region->carbon_free.or_else(Scalar(0)).si()};
    } else if (supply::burns(s.kind)) {
      fuel_prices(s, k, out);
    } else if (s.upkeep) {
      out.cost_usd_mwh = {usd_mwh(s.upkeep)};
    }
    if (s.clean) out.clean = {s.clean.get().si()};
    if (s.carbon) out.carbon_kg_mwh = {s.carbon.get().si() * j_per_mwh};
    profile(s, out);
    contract(s, k, out);
    limits(s, k, out);
    if (out.carbon_kg_mwh.size() > out.cost_usd_mwh.size())
      out.cost_usd_mwh.assign(hours_, out.cost_usd_mwh[0]);
    if (carbon_usd_kg_ > 0)
      for (std::size_t h = 0; h < out.cost_usd_mwh.size(); ++h)
        out.cost_usd_mwh[h] +=
            carbon_usd_kg_ * out.carbon_kg_mwh[out.carbon_kg_mwh.size() == 1 ? 0 : h];
    a_.kinds.emplace_back(supply::kind_names()[std::size_t(s.kind)]);
    a_.problem.sources.push_back(std::move(out));
  }

  /// Bought as produced, or one's own.
  void contract(const supply::SourceSpec& s, const supply::KindFigures& k, supply::Source& out) {
    const bool weather = !supply::burns(s.kind) && s.kind != Kind::grid;
    if (weather && s.price) out.paid_usd_mwh = usd_mwh(s.price);
    if (weather && !s.price && !s.capex) {
      out.paid_usd_mwh = k.bought_usd_mwh;
      assume(fmt::format("{}: bought at {:g} USD/MWh as produced (assumed)", s.name,
                         k.bought_usd_mwh));
    }
    constexpr double life = 20;
    const double years = s.life ? s.life.get().si() / year_s : life;
    if (s.capex)
      out.fixed_usd_mw += supply::annuity(discount_, years) * s.capex.get().si() * w_per_mw;
    if (s.fixed_upkeep) out.fixed_usd_mw += s.fixed_upkeep.get().si() * year_s * w_per_mw;
  }

  void limits(const supply::SourceSpec& s, const supply::KindFigures& k, supply::Source& out) {
    out.low = s.min_load ? s.min_load.get().si() : k.min_load;
    if (s.must_run) out.floor = s.kind == Kind::nuclear && !s.min_load ? 1 : out.low;
    if (s.run_hours) out.full_hours = s.run_hours.get().si() / 3600;
    if (!s.take_or_pay) return;
    out.take = s.take_or_pay.get().si();
    if (s.take_price) {
      out.take_usd_mwh = usd_mwh(s.take_price);
    } else if (out.paid_usd_mwh > 0) {
      out.take_usd_mwh = 0;
      assume(s.name + ": paid as produced, so that take-or-pay adds nothing; give take_price");
    } else {
      double sum = 0;
      for (const double x : out.cost_usd_mwh) sum += x;
      out.take_usd_mwh = std::max(0.0, sum / double(out.cost_usd_mwh.size()));
    }
  }

  void storage(const supply::StorageSpec& b) {
    constexpr double four_hours = 4, round_trip = 0.88, idle_day = 0.001, wear = 5, life = 15;
    supply::Storage out;
    out.name = b.name;
    out.sized = bool(b.most);
    if (b.most) out.most_mw = b.most.get().si() / w_per_mw;
    if (b.power) out.power_mw = b.power.get().si() / w_per_mw;
    out.hours = b.duration ? b.duration.get().si() / 3600 : four_hours;
    out.energy_mwh = b.energy ? b.energy.get().si() / j_per_mwh : out.power_mw * out.hours;
    if (out.power_mw > 0) out.hours = out.energy_mwh / out.power_mw;
    out.in = out.out = std::sqrt(b.efficiency.or_else(Scalar(round_trip)).si());
    out.keep = std::pow(1 - b.idle_loss.or_else(Scalar(idle_day)).si(), 1.0 / 24);
    out.wear_usd_mwh = b.wear ? usd_mwh(b.wear) : wear;
    const double years = b.life ? b.life.get().si() / year_s : life;
    if (b.capex)
      out.fixed_usd_mw = supply::annuity(discount_, years) * usd_mwh(b.capex) * out.hours;
    std::vector<std::string> left;
    if (!b.efficiency) left.emplace_back("88 % round trip");
    if (!b.wear) left.emplace_back("wear 5 USD/MWh");
    if (!b.idle_loss) left.emplace_back("0.1 % a day lost");
    if (!left.empty()) assume(fmt::format("{}: {} (assumed)", b.name, fmt::join(left, ", ")));
    a_.problem.storages.push_back(std::move(out));
  }

  void response(const supply::ResponseSpec& r) {
    supply::Response out;
    out.name = r.name;
    out.power_mw = r.power.or_else(0 * watt).si() / w_per_mw;
    if (r.hours) out.hours = r.hours.get().si() / 3600;
    if (r.day_hours) out.day_hours = r.day_hours.get().si() / 3600;
    if (r.pays) out.paid_usd_mwh = usd_mwh(r.pays);
    if (r.ready) out.income_usd_mw = r.ready.get().si() * year_s * w_per_mw;
    out.lost_usd_mwh = r.lost ? usd_mwh(r.lost) : work_usd_mwh(r.name);
    for (std::size_t h = 0; h < hours_; ++h)
      out.allowed.push_back(r.when.holds(month_of(h, hours_) + 1, int(h % 24)) ? 1 : 0);
    a_.problem.responses.push_back(std::move(out));
  }

  /// What the halls' GPUs earn by a MWh at full load.
  double work_usd_mwh(const std::string& name) {
    double gpus = 0;
    for (const auto& hall : c_.halls)
      for (const auto* m : hall.machines) gpus += m->gpus.value;
    const auto price = gpu_hour_price(c_, {});
    if (!price.known() || peak_mw_ <= 0) {
      assume(name + ": the work not done is worth nothing; no price of a GPU-hour is known");
      return 0;
    }
    const double worth = gpus * price.rate.value.si() * 3600 / peak_mw_;
    assume(fmt::format("{}: the work not done is worth {:.0f} USD/MWh ({})", name, worth,
                       price.origin));
    return worth;
  }

  Context& c_;
  const FacilityOptions& options_;
  const FacilityAnswer& year_;
  SupplyAnswer& a_;
  Diagnostics& mistakes_;
  supply::Spec spec_;
  supply::Sky sky_;
  std::vector<double> grid_kg_mwh_;
  std::size_t hours_ = 0;
  double peak_mw_ = 0, discount_ = 0.08, carbon_usd_kg_ = 0;
};

void sum_up(SupplyAnswer& a) {
  const auto& d = a.dispatch;
  a.unserved_usd = d.unserved_mwh * a.problem.unserved_usd_mwh;
  a.usd = d.usd - a.unserved_usd;
  a.usd_mwh = d.served_mwh > 0 ? a.usd / d.served_mwh : 0;
  double renewable = 0;
  for (std::size_t s = 0; s < d.sources.size(); ++s) {
    a.carbon_kg += d.sources[s].carbon_kg;
    renewable += d.sources[s].used_mwh * a.problem.sources[s].renewable;
  }
  a.carbon_kg_mwh = d.served_mwh > 0 ? a.carbon_kg / d.served_mwh : 0;
  a.ref = d.load_mwh > 0 ? std::min(1.0, renewable / d.load_mwh) : 0;
}

/// The first grid alone, without a limit of its capacity or hours.
double grid_only(const SupplyAnswer& a) {
  for (std::size_t s = 0; s < a.kinds.size(); ++s) {
    if (a.kinds[s] != "grid") continue;
    const auto& grid = a.problem.sources[s];
    double usd = 0;
    std::vector<double> peaks(12, grid.least_billed_mw);
    for (std::size_t h = 0; h < a.problem.load_mw.size(); ++h) {
      const double mw = a.problem.load_mw[h];
      usd += mw * grid.cost_usd_mwh[grid.cost_usd_mwh.size() == 1 ? 0 : h];
      auto& peak = peaks[std::size_t(a.problem.month[h])];
      peak = std::max(peak, mw);
    }
    for (const double peak : peaks) usd += peak * grid.demand_usd_mw;
    return usd;
  }
  return 0;
}

void remark(SupplyAnswer& a) {
  a.remarks.push_back(
      "one linear program of the year: every hour is known beforehand, plants start and stop at "
      "will; a lower bound of the cost");
  for (std::size_t s = 0; s < a.kinds.size(); ++s) {
    const auto& y = a.dispatch.sources[s];
    const auto& p = a.problem.sources[s];
    if (y.low_h > 0)
      a.remarks.push_back(fmt::format("{} runs below its minimum load of {:.0f} % in {:.0f} h",
                                      p.name, 100 * p.low, y.low_h));
    if (p.sized && y.capacity_mw > p.most_mw * (1 - 1e-6))
      a.remarks.push_back(
          fmt::format("{}: all of most ({:g} MW) is taken; more would save", p.name, p.most_mw));
  }
}

}  // namespace

Result<SupplyAnswer> facility_supply(const Loaded& loaded, const catalog::Catalog& catalog,
                                     const FacilityOptions& options) {
  auto year = facility_year(loaded, catalog, options);
  if (!year) return failure(year.error());
  Verdict verdict;
  Context c(loaded.scenario, loaded, catalog, verdict);
  c.as_of = study_date(loaded.scenario);
  walk(c);
  SupplyAnswer a;
  a.scenario = year->scenario, a.weather = year->weather, a.pue = year->pue;
  Diagnostics mistakes;
  Builder(c, options, *year, a, mistakes).build();
  if (!mistakes.empty()) return failure(std::move(mistakes));
  a.problem.progress = options.progress;
  auto solved = supply::dispatch(a.problem);
  a.problem.progress = nullptr;  // who watches need not outlive the answer
  if (!solved) {
    for (auto d : solved.error().all()) {
      if (d.file.empty()) d.file = loaded.file, d.path = "supply";
      mistakes.add(std::move(d));
    }
    return failure(std::move(mistakes));
  }
  a.dispatch = std::move(*solved);
  sum_up(a);
  a.grid_only_usd = grid_only(a);
  remark(a);
  return a;
}

}  // namespace headroom::study
