// The year at one second against the steady plant, against an integrator that knows nothing of
// means, differences or exponentials (SUNDIALS), and against itself at another resolution.
#include "cooling/time_year.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cooling/air.hpp"
#include "cooling/sizing.hpp"

#ifdef HEADROOM_SUNDIALS
#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>
#endif

namespace headroom::cooling {
namespace {

using catalog::CoolingFamily;

// Seven racks of plates on a tower's water, their air on a chiller's.
Plant seven_racks() {
  Plant p;
  RackGroup g;
  g.name = "plates";
  g.racks = 7, g.rack_w = 120e3;
  g.family = CoolingFamily::cold_plate;
  g.liquid_share = 0.85, g.supply.celsius = 32;
  g.chip = {1000, 0.025, 0.4, 87};
  p.groups = {g};
  p.halls.resize(1);
  p.halls[0].groups = {0};
  p.halls[0].loop = 1;
  p.halls[0].supply.celsius = 24;
  WaterLoop warm, cold;
  warm.name = "warm", cold.name = "cold";
  warm.supply.celsius = 28, cold.supply.celsius = 18;
  cold.chillers.capacity_w = 1e6;
  p.loops = {warm, cold};
  PlantSizing s;
  s.tower = true;
  size(p, s);
  return p;
}

WeatherYear steady_weather(std::size_t hours, double dry_c = 20, double wet_c = 14) {
  WeatherYear w;
  w.dry_bulb_c.assign(hours, dry_c), w.wet_bulb_c.assign(hours, wet_c);
  w.pressure_pa.assign(hours, 101325);
  w.humidity.assign(hours, humidity(Temperature::celsius(dry_c), Temperature::celsius(wet_c),
                                    Pressure::from_si(101325)));
  return w;
}

const WeatherYear& chicago() {
  static const WeatherYear w =
      synthetic_year(*catalog::Catalog::builtin().find<catalog::Climate>("chicago-il"));
  return w;
}

// Loads that differ from rack to rack, a job that starts, checkpoints and stops.
TimeLoad uneven() {
  TimeLoad load;
  load.share = {0.95, 0.6, 0.8, 0.7, 0.9, 0.55, 0.85};
  load.jobs = {{"a", 0, 4, 600, 9000, 900, 60, 0.5}, {"b", 4, 3, 0, 5000, 0, 0, 0.5}};
  return load;
}

// --- A second integrator ----------------------------------------------------------

#ifdef HEADROOM_SUNDIALS

// Every rack, CDU and branch written out: chips and coolant of each rack; supply, branch in and
// back of each CDU; the hall. Flows by their own reckoning from exchangers and pumps.
struct FullModel {
  struct Cdu {
    std::size_t first, count;
    double hot = 0, water = 0, k = 0, plates = 0, pump_w = 0;
    double supply_c = 1, in_c = 1, back_c = 1;  // capacities
  };
  const Plant& plant;
  std::vector<Cdu> cdus{{0, 3}, {3, 3}, {6, 1}};
  std::vector<double> power;
  double hall_air = 0, hall_k = 0, hall_water = 0, hall_heat = 0;
  double air_j_k = 0, mass_j_k = 0, mass_w_k = 0, hall_in_c = 0, hall_back_c = 0;

  explicit FullModel(const Plant& p) : plant(p), power(7, 0) {
    const auto& g = p.groups[0];
    for (auto& c : cdus) {
      const double part = double(c.count) / 7;
      c.supply_c = 1.5 * g.rack_w * double(c.count);
      c.in_c = c.back_c = 60 * g.exchanger.cold_design * part;
    }
    air_j_k = 9 * 7 * (air_density * air_heat_capacity).si();
    mass_j_k = 48e3 * 7, mass_w_k = 200 * 7;
    hall_in_c = hall_back_c = 60 * p.halls[0].coil.cold_design;
  }

  void set(const std::vector<double>& watts) {
    power = watts;
    const auto& g = plant.groups[0];
    double air = 0;
    for (auto& c : cdus) {
      const double part = double(c.count) / 7;
      double heat = 0;
      for (std::size_t r = c.first; r < c.first + c.count; ++r) heat += power[r];
      air += heat * (1 - g.liquid_share);
      heat *= g.liquid_share;
      Exchanger e = g.exchanger;
      e.ua_w_k *= part, e.hot_design *= part, e.cold_design *= part;
      Mover m = g.mover;
      m.design_m3_s *= part;
      const double wanted = heat / g.design_rise_k / (g.density * g.heat_capacity);
      c.hot = m.flow_m3_s(wanted) * g.density * g.heat_capacity;
      c.pump_w = m.power_w(wanted);
      const auto served = serve(e, heat + c.pump_w, c.hot, g.supply.celsius,
                                plant.loops[0].supply.celsius, g.most_water * part);
      c.water = served.cold;
      c.k = e.conductance(c.hot, c.water);
      const double full = g.rack_w * double(c.count) * g.liquid_share;
      c.plates = full / 25 * std::pow(c.hot / (full / g.design_rise_k), 0.4);
    }
    set_hall(air);
  }

  void set_hall(double air_w) {
    const auto& h = plant.halls[0];
    const auto& g = plant.groups[0];
    const double volume_heat = (air_density * air_heat_capacity).si();
    const double moved =
        air_w / g.air_rise_k / volume_heat * (1 - h.recirculation) / (1 - h.bypass);
    hall_air = h.fans.flow_m3_s(moved) * volume_heat;
    hall_heat = air_w + h.fans.power_w(moved);
    const auto served = serve(h.coil, hall_heat, hall_air, h.supply.celsius,
                              plant.loops[1].supply.celsius, h.most_water);
    hall_water = served.cold;
    hall_k = h.coil.conductance(hall_air, hall_water);
  }

  // y: 14 of racks, 9 of CDUs (supply, in, back), 6 of the hall (cold, hot, masses, in, back).
  static constexpr std::size_t size = 14 + 9 + 6;
  void slope(const double* y, double* d) const {
    const auto& g = plant.groups[0];
    const double chip_c = 0.097 * g.rack_w, coolant_c = 0.4 * g.rack_w;
    const double warm = plant.loops[0].supply.celsius, cool = plant.loops[1].supply.celsius;
    for (std::size_t j = 0; j < cdus.size(); ++j) {
      const auto& c = cdus[j];
      const double n = double(c.count);
      const double ts = y[14 + 3 * j], tw = y[15 + 3 * j], tr = y[16 + 3 * j];
      double mean = 0;
      for (std::size_t r = c.first; r < c.first + c.count; ++r) {
        const double t = y[2 * r], l = y[2 * r + 1], each = c.plates / n;
        const double q = each * (t - (l + ts) / 2);
        d[2 * r] = (g.liquid_share * power[r] - q) / chip_c;
        d[2 * r + 1] = (q + c.pump_w / n - c.hot / n * (l - ts)) / coolant_c;
        mean += l / n;
      }
      const double over = c.k * (mean - tw);
      d[14 + 3 * j] = (c.hot * (mean - ts) - over) / c.supply_c;
      d[15 + 3 * j] = c.water * (warm - tw) / c.in_c;
      d[16 + 3 * j] = (c.water * (tw - tr) + over) / c.back_c;
    }
    const double cold = y[23], hot = y[24], cm = y[25], hm = y[26], in = y[27], back = y[28];
    const double coil = hall_k * (hot - in);
    d[23] = (hall_air * (hot - cold) - coil + mass_w_k / 2 * (cm - cold)) / (air_j_k / 2);
    d[24] = (hall_air * (cold - hot) + hall_heat + mass_w_k / 2 * (hm - hot)) / (air_j_k / 2);
    d[25] = mass_w_k / 2 * (cold - cm) / (mass_j_k / 2);
    d[26] = mass_w_k / 2 * (hot - hm) / (mass_j_k / 2);
    d[27] = hall_water * (cool - in) / hall_in_c;
    d[28] = (hall_water * (in - back) + coil) / hall_back_c;
  }
};

int right_side(realtype, N_Vector y, N_Vector d, void* model) {
  static_cast<const FullModel*>(model)->slope(NV_DATA_S(y), NV_DATA_S(d));
  return 0;
}

// CVODE, BDF with a dense Newton matrix, from `y` over `seconds`.
class Cvode {
 public:
  explicit Cvode(FullModel& model) : model_(model) {
    SUNContext_Create(nullptr, &context_);
    y_ = N_VNew_Serial(FullModel::size, context_);
    N_VConst(25, y_);
    memory_ = CVodeCreate(CV_BDF, context_);
    CVodeInit(memory_, right_side, 0, y_);
    CVodeSStolerances(memory_, 1e-12, 1e-11);
    CVodeSetUserData(memory_, &model_);
    CVodeSetMaxNumSteps(memory_, 1000000);
    matrix_ = SUNDenseMatrix(FullModel::size, FullModel::size, context_);
    solver_ = SUNLinSol_Dense(y_, matrix_, context_);
    CVodeSetLinearSolver(memory_, solver_, matrix_);
  }
  Cvode(const Cvode&) = delete;
  Cvode& operator=(const Cvode&) = delete;
  ~Cvode() {
    CVodeFree(&memory_);
    SUNLinSolFree(solver_);
    SUNMatDestroy(matrix_);
    N_VDestroy(y_);
    SUNContext_Free(&context_);
  }
  const double* advance(double seconds) {
    CVodeReInit(memory_, 0, y_);
    CVodeSetStopTime(memory_, seconds);
    realtype reached = 0;
    EXPECT_GE(CVode(memory_, seconds, y_, &reached, CV_NORMAL), 0);
    return NV_DATA_S(y_);
  }

 private:
  FullModel& model_;
  SUNContext context_ = nullptr;
  N_Vector y_ = nullptr;
  void* memory_ = nullptr;
  SUNMatrix matrix_ = nullptr;
  SUNLinearSolver solver_ = nullptr;
};

TEST(TimeYear, SteppedExactlyAsSundialsIntegratesIt) {
  const Plant p = seven_racks();
  const TimeLoad load = uneven();
  const std::size_t hours = 3;
  TimeOptions options;
  options.racks_per_cdu = 3;
  options.watch_from_s = 0, options.watch_to_s = double(hours) * 3600;
  const auto year = time_year(p, steady_weather(hours), load, options);
  ASSERT_EQ(year.watched.size(), hours * 3600);

  // A job's racks idle outside its time, and wait 60 s at half power after each 900 s of work.
  const auto factor = [&](const TimeJob& job, double t) {
    if (t < job.start_s || t >= job.stop_s) return 0.3;
    if (job.checkpoint_every_s <= 0) return 1.0;
    return std::fmod(t - job.start_s, 960.0) < 900 ? 1.0 : 0.5;
  };
  FullModel model(p);
  Cvode cvode(model);
  std::vector<double> hottest(7, -300), watts(7);
  const auto power_at = [&](double t) {
    for (std::size_t r = 0; r < 7; ++r)
      watts[r] = 120e3 * load.share[r] * factor(load.jobs[r < 4 ? 0 : 1], t);
    return watts;
  };
  model.set(power_at(0));
  cvode.advance(1e6);
  double worst = 0;
  auto before = watts;
  for (std::size_t k = 0; k < hours * 3600; ++k) {
    if (power_at(double(k)) != before || k == 0) model.set(before = watts);
    const double* y = cvode.advance(1);
    const auto& s = year.watched[k];
    double chip = 0, coolant = 0, supply = 0;
    for (std::size_t r = 0; r < 7; ++r) {
      chip += y[2 * r] / 7, coolant += y[2 * r + 1] / 7;
      hottest[r] = std::max(hottest[r], y[2 * r]);
    }
    for (std::size_t j = 0; j < 3; ++j) supply += y[14 + 3 * j] * double(model.cdus[j].count) / 7;
    for (const auto& [have, want] : {std::pair(s.chip_c[0], chip),
                                     {s.coolant_c[0], coolant},
                                     {s.supply_c[0], supply},
                                     {s.cold_c[0], y[23]},
                                     {s.hot_c[0], y[24]},
                                     {s.water_back_c[1], y[28]}})
      worst = std::max(worst, std::abs(have - want));
  }
  EXPECT_LT(worst, 1e-6) << "K, over three hours of seconds";
  for (std::size_t r = 0; r < 7; ++r) EXPECT_NEAR(year.racks[r].chip_c, hottest[r], 1e-6) << r;
  RecordProperty("worst_difference_K", std::to_string(worst));
}

#else
TEST(TimeYear, SteppedExactlyAsSundialsIntegratesIt) {
  GTEST_SKIP() << "libsundials-dev is not installed (tools/install-deps test)";
}
#endif

// --- Against the steady plant -------------------------------------------------------

TEST(TimeYear, UnderConstantInputsItIsTheSteadyPlant) {
  const Plant p = seven_racks();
  const auto weather = steady_weather(30);
  const auto steady = year(p, weather);
  const auto timed = time_year(p, weather);
  ASSERT_EQ(timed.hours.size(), 30u);
  for (std::size_t h = 0; h < 30; ++h) {
    EXPECT_NEAR(timed.hours[h].cooling_w(), steady.hours[h].cooling_w(), 1e-6);
    EXPECT_NEAR(timed.hours[h].by_tower_w, steady.hours[h].by_tower_w, 1e-3);
  }
  EXPECT_NEAR(timed.racks[0].chip_c, steady.highest_chip_c, 1e-6);
  EXPECT_GT(timed.skipped, timed.steps);  // nothing moves: nothing is stepped
  EXPECT_LT(timed.worst_imbalance, 1e-9);
}

TEST(TimeYear, YearAgreesWithTheSteadyYear) {
  // Weather and load move each hour; plants store minutes of heat. Stated agreement: 0.1 % of
  // cooling's part of PUE and of water.
  const Plant p = seven_racks();
  std::vector<double> day;
  for (int h = 0; h < 24; ++h) day.push_back(0.8 + 0.2 * std::sin(h * 0.2618));
  LoadProfile profile;
  profile.hourly = day;
  TimeLoad load;
  load.hourly = {day};
  const auto steady = year(p, chicago(), profile);
  const auto timed = time_year(p, chicago(), load);
  EXPECT_NEAR(timed.pue_part / steady.pue_part, 1, 1e-3);
  EXPECT_NEAR(timed.wue_l_kwh / steady.wue_l_kwh, 1, 1e-3);
  EXPECT_NEAR(timed.energy.it / steady.energy.it, 1, 1e-12);
  EXPECT_LT(timed.worst_imbalance, 1e-9);
  EXPECT_LT(timed.beyond_j, 1e-3 * timed.in_j);
}

TEST(TimeYear, EnergyBalancesInEveryKindOfPlant) {
  for (const auto family :
       {CoolingFamily::room_air, CoolingFamily::rear_door, CoolingFamily::cold_plate,
        CoolingFamily::immersion, CoolingFamily::two_phase}) {
    for (const int kind : {0, 1, 2, 3, 4}) {
      Plant p = seven_racks();
      auto& g = p.groups[0];
      g.family = family;
      g.liquid_share = family == CoolingFamily::room_air ? 0 : 0.9;
      if (family == CoolingFamily::rear_door) g.liquid_share = 1, g.supply.celsius = 26;
      if (family == CoolingFamily::two_phase) g.boiling_c = 50;
      g.mover = {}, g.exchanger = {}, g.most_water = 0;
      auto& hall = p.halls[0];
      hall.coil = {}, hall.fans = {}, hall.most_water = 0, hall.loss_w = 20e3;
      for (auto& loop : p.loops) loop.tower = {}, loop.pump = {}, loop.chillers = {};
      hall.direct_expansion = kind == 1;
      if (kind == 2) hall.outside = OutsideAir::direct;
      if (kind == 3) hall.outside = OutsideAir::indirect, hall.wetted = true;
      if (kind == 4) p.loops[0].dry.saturation = 0.85;
      p.loops[1].chillers.capacity_w = 2e6;
      p.loops[1].chillers.on_air = kind == 4;
      PlantSizing s;
      s.tower = kind != 4, s.dry = kind == 4;
      size(p, s);
      WeatherYear weather = chicago();
      const auto cut = [&](std::vector<double>& v) { v = {v.begin() + 4300, v.begin() + 4400}; };
      cut(weather.dry_bulb_c), cut(weather.wet_bulb_c), cut(weather.pressure_pa);
      cut(weather.humidity);
      const auto y = time_year(p, weather, uneven());
      EXPECT_LT(y.worst_imbalance, 1e-9) << int(family) << " " << kind;
      EXPECT_NEAR(y.in_j, y.out_j + y.stored_j, 1e-9 * y.in_j) << int(family) << " " << kind;
      EXPECT_GT(y.pue_part, 0.005) << int(family) << " " << kind;
      EXPECT_LT(y.pue_part, 0.6) << int(family) << " " << kind;
    }
  }
}

// --- Against itself -------------------------------------------------------------------

TEST(TimeYear, ResolutionChangesNothingBetweenEvents) {
  const Plant p = seven_racks();
  TimeLoad load = uneven();
  load.jobs[1].stop_s = 4800;
  TimeOptions fine, coarse;
  fine.racks_per_cdu = coarse.racks_per_cdu = 3;
  coarse.resolution_s = 60;
  const auto weather = steady_weather(6);
  const auto a = time_year(p, weather, load, fine), b = time_year(p, weather, load, coarse);
  for (std::size_t h = 0; h < 6; ++h)
    EXPECT_NEAR(a.hours[h].by_tower_w, b.hours[h].by_tower_w, 1e-4);
  EXPECT_NEAR(a.in_j, b.in_j, 1e-9 * a.in_j);
}

TEST(TimeYear, EqualRacksMayBeSteppedOnce) {
  Plant p = seven_racks();
  TimeLoad load;
  load.jobs = {{"a", 0, 7, 1000, 20000, 900, 60, 0.5}};
  TimeOptions merged, apart;
  merged.racks_per_cdu = apart.racks_per_cdu = 2;
  apart.merge_equal = false;
  const auto weather = steady_weather(8);
  const auto a = time_year(p, weather, load, merged), b = time_year(p, weather, load, apart);
  EXPECT_EQ(a.units, 1u);
  EXPECT_EQ(b.units, 4u);
  for (std::size_t h = 0; h < 8; ++h)
    EXPECT_NEAR(a.hours[h].cooling_w(), b.hours[h].cooling_w(), 1e-5);
  for (std::size_t r = 0; r < 7; ++r) EXPECT_NEAR(a.racks[r].chip_c, b.racks[r].chip_c, 1e-7);
}

// --- Events and throttling --------------------------------------------------------------

TEST(TimeYear, OutagesAndSetPointsAreEvents) {
  const Plant p = seven_racks();
  TimeLoad load;
  load.outages = {{2, 1, 3600, 7200}};
  load.set_points = {{10800, 0, 36}};
  const auto y = time_year(p, steady_weather(6), load);
  EXPECT_NEAR(y.hours[0].it_w, 7 * 120e3, 1e-6);
  EXPECT_NEAR(y.hours[1].it_w, 6 * 120e3, 1e-6);
  EXPECT_NEAR(y.hours[2].it_w, 7 * 120e3, 1e-6);
  EXPECT_NEAR(y.racks[0].chip_c, 36 + 5 + 25, 0.5);
}

TEST(TimeYear, HotHoursThrottleToTheClosedForm) {
  // Coolant 30 K too warm: chips end where the closed form has them.
  Plant p = seven_racks();
  p.groups[0].supply.celsius = 62;
  TimeOptions o;
  o.merge_equal = false;
  const auto y = time_year(p, steady_weather(4), {}, o);
  EXPECT_GT(y.fine_steps, 0u);
  EXPECT_GT(y.lost_clock_rack_s, 0);
  EXPECT_EQ(y.trips, 0u);
  EXPECT_LT(y.worst_imbalance, 1e-9);
  // The last hour: all racks at one power P with chip = supply + rise/2 + 25 K x P, the rise and
  // the supply those of the flows for full load.
  const double share = y.hours[3].it_w / (7 * 120e3);
  EXPECT_GT(share, 0.4);
  EXPECT_LT(share, 1);
  const double lost = y.racks[0].lost_clock_s / (4 * 3600);
  EXPECT_NEAR(lost, 1 - clock_share(o.throttle, share), 5e-3);
  EXPECT_NEAR(y.hours[3].it_w, y.hours[2].it_w, 1);
  // Cold enough, nothing is lost and no second is looked at.
  const auto cold = time_year(seven_racks(), steady_weather(4), {}, o);
  EXPECT_EQ(cold.fine_steps, 0u);
  EXPECT_EQ(cold.lost_clock_rack_s, 0);
}

TEST(TimeYear, RacksTripAndComeBack) {
  Plant p = seven_racks();
  p.groups[0].supply.celsius = 96;
  p.groups[0].chip.limit_c = 105;
  TimeOptions o;
  o.throttle.floor_share = 0.95;  // throttling does not save them
  const auto y = time_year(p, steady_weather(3), {}, o);
  EXPECT_GT(y.trips, 7u);
  EXPECT_LT(y.worst_imbalance, 1e-9);
}

}  // namespace
}  // namespace headroom::cooling
