// What heat does to a processor: temperature -> power -> clock, and the steady state of that loop.
//
//   power share   1 below `throttle_c`, then falling in a straight line to `floor_share` over
//                 `band_k`; 0 from `shutdown_c` (protection, latched by the caller)
//   clock         dynamic power goes with clock x voltage^2; inside the voltage range ~ clock^3, on
//                 the voltage floor ~ clock:
//                 share = idle + (1 - idle) x^3 for x >= x_v, and straight to idle below it
//   closed loop   T = coolant + R P share(T): falling against rising, one solution, by bisection
//
// Plain numbers only, so that train and infer can use it through study. Temperatures in degC.
// Defaults are assumed, of the order of present accelerators: throttling near 85-90 degC,
// protection at 105, floor at about 40 % of power. No errors. Complexity O(1).
#pragma once

namespace headroom::cooling {

struct Throttle {
  double throttle_c = 87;      ///< hottest at full power (assumed)
  double band_k = 10;          ///< from full power to the floor (assumed)
  double floor_share = 0.4;    ///< of full power; lowest clock under load (assumed)
  double shutdown_c = 105;     ///< protection trips (assumed)
  double idle_share = 0.2;     ///< power that does not follow the clock (assumed)
  double voltage_floor = 0.6;  ///< clock over full clock where voltage stops falling (assumed)
};

/// Power allowed at this chip temperature, over full power.
double power_share(const Throttle& t, double chip_c);
/// Clock over full clock at this share of full power (a cap or a throttle), 0..1.
double clock_share(const Throttle& t, double power);

struct ThrottledState {
  double chip_c = 0, power_share = 1, clock_share = 1;
  bool shut_down = false;  ///< even the floor is too hot
};
/// Steady state with coolant (or air) of this temperature. `full_w`: power of the chip at full
/// clock, `k_per_w`: chip to that coolant; `cap`: of full power (power capping), 1 for none.
ThrottledState throttled(const Throttle& t, double coolant_c, double full_w, double k_per_w,
                         double cap = 1);

}  // namespace headroom::cooling
