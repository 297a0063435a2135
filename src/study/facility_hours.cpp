#include "study/facility_hours.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::study {
namespace {

constexpr double hour_s = 3600;
constexpr int most_rounds = 20;  // of losses that warm what cooling must cool

class Solver {
 public:
  Solver(const Context& c, cooling::Plant plant, const HallShapes& shapes,
         const FacilityOptions& options, const cooling::WeatherYear& weather)
      : c_(c), weather_(weather), progress_(options.progress) {
    out_.plant = std::move(plant);
    loads_.other = c.power.typical.other;
    loads_.halls.resize(c.halls.size());
    for (std::size_t i = 0; i < c.halls.size(); ++i) {
      for (const auto& racks : c.halls[i].groups) add_racks(racks, shapes, options);
      out_.load.losses.emplace_back(weather.hours(), c.power.typical.distribution_loss[i].si());
    }
    const auto& rooms = out_.plant.groups.back();
    rooms_full_ = rooms.rack_w * rooms.racks;
    const double now = c.power.typical.power_room_heat().si();
    out_.load.by_group.emplace_back(weather.hours(), rooms_full_ > 0 ? now / rooms_full_ : 0);
    out_.load.losses.emplace_back(weather.hours(), 0.0);
    capped_ = out_.load.by_group;
  }

  /// Rounds until no hour's losses move.
  SolvedHours run(FacilityAnswer& a) {
    constexpr double tolerance = 1e-9;
    Stage stage(progress_, "rounds of the year", 0);
    for (a.rounds = 1; a.rounds <= most_rounds; ++a.rounds) {
      stage.advance();
      a.plant = cooling::year(out_.plant, weather_, out_.load);
      if (throttle(a)) a.plant = cooling::year(out_.plant, weather_, out_.load);
      if (pass_chain(a) <= tolerance) break;
    }
    find_lost();
    return std::move(out_);
  }

 private:
  void add_racks(const RackLoads& racks, const HallShapes& shapes, const FacilityOptions& options) {
    max_.push_back(racks.max.si());
    std::vector<double> share = shapes.by_group[max_.size() - 1];
    for (double& x : share) x = max_.back() > 0 ? x / max_.back() : 0;
    out_.asked.push_back(share);
    for (double& x : share) x = std::min(x, options.cap);
    out_.load.by_group.push_back(std::move(share));
  }

  double it_of_hall(std::size_t hall, std::size_t h) const {
    double it = 0;
    for (const std::size_t g : out_.plant.halls[hall].groups)
      it += max_[g] * out_.load.by_group[g][h];
    return it;
  }

  /// The chain at every hour; the largest change of its heat in halls and rooms over the meter.
  double pass_chain(FacilityAnswer& a) {
    a.hours.resize(a.plant.hours.size());
    auto& rooms = out_.load.by_group.back();
    double change = 0;
    for (std::size_t h = 0; h < a.hours.size(); ++h) {
      for (std::size_t i = 0; i < c_.halls.size(); ++i)
        loads_.halls[i] = Power::from_si(it_of_hall(i, h));
      loads_.cooling = Power::from_si(a.plant.hours[h].cooling_w());
      const auto flow = power::solve(c_.power.chain, loads_);
      auto& out = a.hours[h];
      out.meter_w = flow.meter.si(), out.it_w = flow.it.si(), out.other_w = flow.other.si();
      out.ups_w = flow.ups_loss.si(), out.switchgear_w = flow.switchgear_loss.si();
      out.transformer_w = flow.transformer_loss.si(), out.hall_loss_w = 0;
      for (std::size_t i = 0; i < c_.halls.size(); ++i) {
        const double loss = flow.distribution_loss[i].si();
        out.hall_loss_w += loss;
        double& known = out_.load.losses[i][h];
        change = std::max(change, std::abs(loss - known) / out.meter_w);
        known = loss;
      }
      if (rooms_full_ <= 0) continue;
      const double now = flow.power_room_heat().si() / rooms_full_;
      change = std::max(change, std::abs(now - rooms[h]) * rooms_full_ / out.meter_w);
      rooms[h] = now;
    }
    return change;
  }

  /// Hours whose chips are too hot at the power they ask for: power until both agree.
  bool throttle(const FacilityAnswer& a) {
    bool any = false;
    for (std::size_t h = 0; h < a.plant.hours.size(); ++h) {
      const bool hot = a.plant.hours[h].chip_c > throttle_.throttle_c + 1e-9;
      if (!hot && !is_throttled(h)) continue;
      settle(h);
      any = true;
    }
    return any;
  }

  bool is_throttled(std::size_t h) const {
    for (std::size_t i = 0; i < max_.size(); ++i)
      if (out_.load.by_group[i][h] < capped_[i][h]) return true;
    return false;
  }

  void settle(std::size_t h) {
    constexpr int most = 200;
    constexpr double relax = 0.35, close = 1e-11;
    cooling::PlantSolver solver(out_.plant);
    cooling::HourInput in;
    in.dry_bulb_c = weather_.dry_bulb_c[h], in.wet_bulb_c = weather_.wet_bulb_c[h];
    in.pressure_pa = weather_.pressure_pa[h], in.humidity = weather_.humidity[h], in.hour = h;
    std::vector<double> shares, losses;
    for (const auto& g : out_.load.by_group) shares.push_back(g[h]);
    for (const auto& l : out_.load.losses) losses.push_back(l[h]);
    in.losses = losses;
    for (int k = 0; k < most; ++k) {
      in.shares = shares;
      solver.at(in);
      double moved = 0;
      for (std::size_t i = 0; i < max_.size(); ++i) {
        const double chip = solver.chip_c()[i];
        const double may = std::max(throttle_.floor_share, cooling::power_share(throttle_, chip));
        const double step = relax * (std::min(capped_[i][h], may) - shares[i]);
        shares[i] += step;
        moved = std::max(moved, std::abs(step));
      }
      if (moved < close) break;
    }
    for (std::size_t i = 0; i < max_.size(); ++i)
      out_.load.by_group[i][h] = capped_[i][h] - shares[i] < 1e-9 ? capped_[i][h] : shares[i];
  }

  void find_lost() {
    out_.lost = out_.asked;
    for (std::size_t i = 0; i < max_.size(); ++i) {
      for (std::size_t h = 0; h < out_.lost[i].size(); ++h) {
        const double asked = out_.asked[i][h], has = out_.load.by_group[i][h];
        const double wanted = cooling::clock_share(throttle_, asked);
        out_.lost[i][h] = has >= asked - 1e-12 || wanted <= 0
                              ? 0
                              : 1 - cooling::clock_share(throttle_, has) / wanted;
      }
    }
  }

  const Context& c_;
  const cooling::WeatherYear& weather_;
  Progress* progress_;
  const cooling::Throttle throttle_{};
  SolvedHours out_;
  std::vector<std::vector<double>> capped_;  // [group][hour]
  std::vector<double> max_;                  // of each group
  power::Loads loads_;
  double rooms_full_ = 0;
};

/// Calls `act(group of the plant, racks)` for all racks of all halls.
template <class F>
void for_racks(const Context& c, const cooling::Plant& plant, F&& act) {
  for (std::size_t i = 0; i < c.halls.size(); ++i)
    for (std::size_t k = 0; k < c.halls[i].groups.size(); ++k)
      act(plant.halls[i].groups[k], c.halls[i].groups[k]);
}

/// Tokens of each workload for the seconds of full clock that its racks lose.
std::vector<WorkLoss> losses_of(const Context& c, const cooling::Plant& plant,
                                const std::vector<double>& seconds_of_group) {
  std::vector<WorkLoss> out;
  for (const auto& work : c.work) {
    const double rate = tokens_per_s(work);
    if (rate <= 0 || work.machines == nullptr) continue;
    for_racks(c, plant, [&](std::size_t g, const RackLoads& racks) {
      if (racks.machines == work.machines)
        out.push_back({work.spec->name, rate * seconds_of_group[g]});
    });
  }
  return out;
}

/// Training jobs of a cluster's racks in the time domain, with their checkpoints.
void add_jobs(const Context& c, const Machines& machines, std::size_t first, std::size_t racks,
              cooling::TimeLoad& load) {
  std::size_t at = first;
  for (const auto& work : c.work) {
    if (!work.gang || work.machines != &machines || work.spec == nullptr) continue;
    const double gpus = double(machines.gpus.value);
    if (gpus <= 0) continue;
    const double wanted = machines.racks.value.si() * work.gpus_held / gpus;
    const auto n = std::min(first + racks - at, static_cast<std::size_t>(std::llround(wanted)));
    if (n == 0) continue;
    cooling::TimeJob job;
    job.name = work.spec->name, job.first = at, job.racks = n;
    for (const auto& cluster : c.clusters)
      for (const auto& j : cluster.jobs)
        if (j.name == work.scope) job.checkpoint_every_s = j.interval.value.si();
    job.checkpoint_s = work.stall.value.si();
    at += n;
    load.jobs.push_back(std::move(job));
  }
}

/// Mean power of a group's racks over that of racks without checkpoints, in ticks of `dt`.
double mean_factor(const cooling::TimeLoad& load, std::size_t first, std::size_t racks, double dt) {
  double less = 0;
  for (const auto& j : load.jobs) {
    if (j.first < first || j.first >= first + racks) continue;
    const double every = std::round(j.checkpoint_every_s / dt),
                 lasts = std::round(j.checkpoint_s / dt);
    if (every <= 0 || lasts <= 0) continue;
    less += double(j.racks) / double(racks) * (1 - j.checkpoint_share) * lasts / (every + lasts);
  }
  return 1 - less;
}

}  // namespace

SolvedHours solve_hours(const Context& c, cooling::Plant plant, const HallShapes& shapes,
                        const FacilityOptions& options, FacilityAnswer& answer) {
  return Solver(c, std::move(plant), shapes, options, answer.air).run(answer);
}

std::vector<WorkLoss> work_lost(const Context& c, const SolvedHours& solved, double& gpu_s) {
  gpu_s = 0;
  std::vector<double> seconds(solved.lost.size());
  for_racks(c, solved.plant, [&](std::size_t g, const RackLoads& racks) {
    for (const double x : solved.lost[g]) seconds[g] += x * hour_s;
    if (racks.machines != nullptr) gpu_s += double(racks.machines->gpus.value) * seconds[g];
  });
  return losses_of(c, solved.plant, seconds);
}

FacilityTime time_domain(const Context& c, const SolvedHours& solved,
                         const FacilityOptions& options, const FacilityAnswer& answer) {
  cooling::TimeOptions o;
  o.resolution_s = options.resolution_s, o.progress = options.progress;
  const double dt = hour_s / std::round(hour_s / options.resolution_s);
  cooling::TimeLoad load;
  load.losses = solved.load.losses;
  load.hourly = solved.load.by_group;
  std::vector<std::size_t> racks, first;
  for (std::size_t g = 0; g < solved.plant.groups.size(); ++g) {
    first.push_back(load.group.size());
    racks.push_back(std::max<std::size_t>(
        1, static_cast<std::size_t>(std::llround(solved.plant.groups[g].racks))));
    load.group.insert(load.group.end(), racks.back(), g);
  }
  for_racks(c, solved.plant, [&](std::size_t g, const RackLoads& r) {
    if (r.machines != nullptr) add_jobs(c, *r.machines, first[g], racks[g], load);
    const double mean = mean_factor(load, first[g], racks[g], dt);
    load.hourly[g] = solved.asked[g];
    for (double& x : load.hourly[g]) x = std::min({1.0, options.cap, x / mean});
  });
  const auto year = cooling::time_year(solved.plant, answer.air, load, o);
  FacilityTime t;
  t.resolution_s = dt, t.racks = load.group.size(), t.blocks = year.units;
  t.intervals = year.intervals, t.steps = year.steps, t.skipped = year.skipped;
  t.fine_steps = year.fine_steps, t.jobs = load.jobs.size();
  t.worst_imbalance = year.worst_imbalance, t.trips = year.trips;
  t.beyond = year.in_j > 0 ? year.beyond_j / year.in_j : 0;
  t.throttled_rack_s = year.throttled_rack_s;
  double water = 0;
  power::Loads loads;
  loads.other = c.power.typical.other;
  loads.halls.resize(c.halls.size());
  for (std::size_t h = 0; h < year.hours.size(); ++h) {
    const auto& s = year.hours[h];
    const double ratio = answer.plant.hours[h].it_w > 0 ? s.it_w / answer.plant.hours[h].it_w : 1;
    for (std::size_t i = 0; i < c.halls.size(); ++i) {
      Power it{};
      for (std::size_t k = 0; k < c.halls[i].groups.size(); ++k)
        it += c.halls[i].groups[k].max * solved.load.by_group[solved.plant.halls[i].groups[k]][h];
      loads.halls[i] = it * ratio;
    }
    loads.cooling = Power::from_si(s.cooling_w());
    const auto flow = power::solve(c.power.chain, loads);
    t.it_j += flow.it.si() * hour_s, t.meter_j += flow.meter.si() * hour_s;
    water += s.makeup() * hour_s;
  }
  t.pue = t.it_j > 0 ? t.meter_j / t.it_j : 0;
  t.wue_l_kwh = t.it_j > 0 ? water / (t.it_j / 3.6e6) : 0;
  std::vector<double> seconds(racks.size());
  for (std::size_t i = 0; i < c.halls.size(); ++i) {
    FacilityTime::Hall hall;
    hall.title = c.halls[i].title;
    for (std::size_t k = 0; k < c.halls[i].groups.size(); ++k) {
      const std::size_t g = solved.plant.halls[i].groups[k];
      FacilityTime::Racks r;
      r.name = c.halls[i].groups[k].name;
      r.racks = double(racks[g]), r.rack_w = solved.plant.groups[g].rack_w;
      for (std::size_t n = first[g]; n < first[g] + racks[g]; ++n) {
        r.chip_c = std::max(r.chip_c, year.racks[n].chip_c);
        r.coolant_c = std::max(r.coolant_c, year.racks[n].coolant_c);
      }
      r.lost_s = seconds[g] = year.group_lost_s[g] / r.racks;
      hall.racks += r.racks, hall.lost_s += year.group_lost_s[g];
      hall.chip_c = std::max(hall.chip_c, r.chip_c);
      hall.coolant_c = std::max(hall.coolant_c, r.coolant_c);
      hall.groups.push_back(std::move(r));
    }
    hall.lost_s /= std::max(1.0, hall.racks);
    t.halls.push_back(std::move(hall));
  }
  t.work = losses_of(c, solved.plant, seconds);
  return t;
}

}  // namespace headroom::study
