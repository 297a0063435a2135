// Pumps, fans and counterflow exchangers of the loops.
//
//   pump, fan     P = V (dp0 + k V^2) / efficiency     dp0 = static share x head at design flow
//                 variable speed down to `least_share` of the design flow; without it full power
//   exchanger     Q = effectiveness x C_min x (T_hot,in - T_cold,in)
//                 counterflow: e = (1 - exp(-N (1 - r))) / (1 - r exp(-N (1 - r))),  r =
//                 C_min/C_max UA = 2 UA_design / ((C_hot/C_hot,d)^-0.8 + (C_cold/C_cold,d)^-0.8)
//                 (turbulent film on both sides, equal at design; 0.8: Dittus-Boelter)
//   one side boiling or condensing: r = 0
//
// Capacity rates C in W/K (mass flow x specific heat), temperatures in degC, powers in W.
// Source: Kays & London, Compact Heat Exchangers (effectiveness-NTU). No errors; zero flow or heat
// gives zero. Complexity: O(1); `serve` about ten evaluations. Thread-safe.
#pragma once

namespace headroom::cooling {

struct Mover {
  double design_m3_s = 0;
  double head_pa = 0;         ///< at design flow
  double static_share = 0.3;  ///< of the head that does not fall with flow
  double efficiency = 0.6;    ///< pump or fan, motor and drive together
  double least_share = 0.2;   ///< of design flow; below it the rest is bypassed
  bool variable_speed = true;

  double power_w(double flow_m3_s) const;
  /// Flow that really runs for this demand.
  double flow_m3_s(double demand_m3_s) const;
};

/// Counterflow effectiveness; `ratio` C_min/C_max in 0..1.
double counterflow(double ntu, double ratio);
/// Crossflow, both fluids unmixed (dry coolers).
double crossflow(double ntu, double ratio);

struct Exchanger {
  double ua_w_k = 0;                       ///< at the design flows; 0: no exchanger
  double hot_design = 0, cold_design = 0;  ///< W/K; hot 0: condensing vapour

  double ua(double hot, double cold) const;
  /// Heat a kelvin of inlet difference: effectiveness x C_min.
  double conductance(double hot, double cold) const;

  /// The exchanger that cools `hot` to within `approach_k` of the entering cold stream at this
  /// heat. Requires approach > 0 and capacity rates above 0 (hot 0: condensing).
  static Exchanger sized(double heat_w, double hot, double cold, double approach_k);
};

/// A stream cooled to a set point by a valve on the cold water.
struct Served {
  double cold = 0;     ///< capacity rate of water taken, W/K
  double out_c = 0;    ///< hot stream leaving: the set point, or warmer when that is impossible
  double short_k = 0;  ///< out_c above the set point
};
/// `most_cold`: valve fully open. Condensing vapour: hot = 0, set_c the condensing temperature.
Served serve(const Exchanger& exchanger, double heat_w, double hot, double set_c, double water_c,
             double most_cold);
/// The warmest water with which `serve` still holds the set point.
double warmest_water(const Exchanger& exchanger, double heat_w, double hot, double set_c,
                     double most_cold);

}  // namespace headroom::cooling
