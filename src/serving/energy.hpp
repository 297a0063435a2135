// Energy: from what replicas did to joules, grams of CO2e and dollars a token.
//
//   GPU power    prefill at the maximum, decoding at infer::decode_power_share of it, the rest of
//                the time idle (infer/hardware.hpp, gpu_power)
//   server       what the system draws beside its accelerators: (system idle - GPUs idle) without
//                load, growing to (system typical - GPUs typical) with it; for accelerators without
//                a system a share of the GPUs' power (`server_over_gpus`)
//   meter        IT energy x PUE
//   carbon       meter energy x the grid's mean intensity (location-based; embodied left out)
//   cost         GPU-hours held x rent. Where `electricity_on_top`, energy at the meter is paid
//                beside it (owned machines); a rent includes it.
//
// SPLIT of cost and energy between input and output tokens: by the time that replicas spent on
// prompts and on decoding; idle time goes with the same shares. A step that holds both counts as
// decoding for what it would have taken without its prompts, and the rest as prompts.
//
// tokens/s per MW counts output tokens and power at the meter.
//
// Pure, O(1). Plain SI numbers: J, W, s, kg, USD.
#pragma once

#include <string>

#include "catalog/accelerator.hpp"
#include "catalog/system.hpp"

namespace headroom::serving {

/// Whole server over its accelerators where no system is known: 10.2 kW over 8 x 700 W, NVIDIA DGX
/// H100 user guide (2023).
inline constexpr double server_over_gpus = 1.82;

/// Mean power of one accelerator with its part of the server, by what it does.
struct GpuPower {
  double prefill_w = 0, decode_w = 0, idle_w = 0;
  double maximum_w = 0;  ///< of the accelerator alone
};
/// `system` may be null. `share` of an accelerator for slices: its part of the server.
GpuPower gpu_power(const catalog::Accelerator& accelerator, const catalog::System* system,
                   double share = 1);

/// What GPUs did, in GPU-seconds.
struct GpuTime {
  double prefill_s = 0, decode_s = 0, idle_s = 0;
  double total() const { return prefill_s + decode_s + idle_s; }
  GpuTime& operator+=(const GpuTime& o) {
    prefill_s += o.prefill_s, decode_s += o.decode_s, idle_s += o.idle_s;
    return *this;
  }
};

/// Prices of the place. A figure that is 0 is not known.
struct Tariff {
  double pue = 1.35;         ///< assumed: 1.2 (new colocation) to 1.56 (Uptime Institute 2024)
  double usd_per_gpu_s = 0;  ///< rent
  double usd_per_j = 0;      ///< electricity
  double kg_per_j = 0;       ///< grid
  bool electricity_on_top = false;
  std::string rent_origin, place;  ///< for reports
};

struct Bill {
  double it_j = 0, meter_j = 0;
  double carbon_kg = 0;
  double usd = 0, usd_rent = 0, usd_energy = 0;
  double usd_input = 0, usd_output = 0;  ///< the same, split as above
  double prompt_share = 0;               ///< of the time at work that went to prompts
  double gpu_hours = 0;
  double mean_w = 0;                               ///< at the meter, over the span
  double usd_per_minput = 0, usd_per_moutput = 0;  ///< per million tokens
  double usd_per_mtoken = 0;                       ///< everything over all tokens
  double j_per_output = 0, j_per_token = 0;        ///< everything over output, over all tokens
  double g_per_output = 0, g_per_token = 0;        ///< gCO2e
  double output_s_per_mw = 0;                      ///< output tokens/s per MW at the meter
};
Bill bill(const GpuPower& power, const GpuTime& time, double span_s, double input_tokens,
          double output_tokens, const Tariff& tariff);
/// Bills of pools as one; ratios are worked out anew.
Bill total(const Bill& a, const Bill& b, double span_s, double input_tokens, double output_tokens);

}  // namespace headroom::serving
