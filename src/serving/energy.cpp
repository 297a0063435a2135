#include "serving/energy.hpp"

#include <algorithm>

#include "infer/hardware.hpp"

namespace headroom::serving {
namespace {

/// Server power beside one accelerator, without load and with it.
struct Beside {
  double idle_w = 0, busy_w = 0;
};

Beside beside(const catalog::Accelerator& a, const catalog::System* system) {
  const double most = a.power.max.or_else(Power{}).si();
  const double idle = infer::gpu_power(a, 0, 0).si();
  if (system == nullptr || !system->power.max || system->accelerators < 1)
    return {(server_over_gpus - 1) * idle, (server_over_gpus - 1) * most};
  const double n = system->accelerators;
  const double top = system->power.max.get().si() / n;
  const double busy = system->power.typical.or_else(system->power.max).get().si() / n;
  const double rest = system->power.idle ? system->power.idle.get().si() / n : idle * top / most;
  const double typical = a.power.typical.or_else(a.power.max).or_else(Power{}).si();
  // Fans and converters grow with load; never less than at rest.
  const double idle_w = std::max(0.0, rest - idle);
  return {idle_w, std::max(idle_w, std::min(busy - std::min(typical, most), top))};
}

void ratios(Bill& b, double span_s, double input, double output) {
  const double all = input + output;
  b.mean_w = span_s > 0 ? b.meter_j / span_s : 0;
  b.usd_per_minput = input > 0 ? b.usd_input / input * 1e6 : 0;
  b.usd_per_moutput = output > 0 ? b.usd_output / output * 1e6 : 0;
  b.usd_per_mtoken = all > 0 ? b.usd / all * 1e6 : 0;
  b.j_per_output = output > 0 ? b.meter_j / output : 0;
  b.j_per_token = all > 0 ? b.meter_j / all : 0;
  b.g_per_output = output > 0 ? b.carbon_kg / output * 1e3 : 0;
  b.g_per_token = all > 0 ? b.carbon_kg / all * 1e3 : 0;
  b.output_s_per_mw = b.meter_j > 0 ? output / b.meter_j * 1e6 : 0;
}

}  // namespace

GpuPower gpu_power(const catalog::Accelerator& accelerator, const catalog::System* system,
                   double share) {
  const Beside rest = beside(accelerator, system);
  GpuPower p;
  p.maximum_w = accelerator.power.max.or_else(Power{}).si();
  const double decode = infer::gpu_power(accelerator, 0, 1).si();
  const double loaded = p.maximum_w > 0 ? decode / p.maximum_w : 1;
  p.prefill_w = infer::gpu_power(accelerator, 1, 0).si() + share * rest.busy_w;
  p.decode_w = decode + share * (rest.idle_w + loaded * (rest.busy_w - rest.idle_w));
  p.idle_w = infer::gpu_power(accelerator, 0, 0).si() + share * rest.idle_w;
  return p;
}

Bill bill(const GpuPower& power, const GpuTime& time, double span_s, double input_tokens,
          double output_tokens, const Tariff& tariff) {
  Bill b;
  b.it_j = power.prefill_w * time.prefill_s + power.decode_w * time.decode_s +
           power.idle_w * time.idle_s;
  b.meter_j = b.it_j * tariff.pue;
  b.carbon_kg = b.meter_j * tariff.kg_per_j;
  b.gpu_hours = time.total() / 3600;
  b.usd_rent = time.total() * tariff.usd_per_gpu_s;
  b.usd_energy = b.meter_j * tariff.usd_per_j;
  b.usd = b.usd_rent + (tariff.electricity_on_top ? b.usd_energy : 0);
  const double busy = time.prefill_s + time.decode_s;
  b.prompt_share = busy > 0 ? time.prefill_s / busy : 0;
  b.usd_input = b.usd * b.prompt_share;
  b.usd_output = b.usd - b.usd_input;
  ratios(b, span_s, input_tokens, output_tokens);
  return b;
}

Bill total(const Bill& a, const Bill& b, double span_s, double input_tokens, double output_tokens) {
  Bill t = a;
  const double joules = a.meter_j + b.meter_j;
  if (joules > 0)
    t.prompt_share = (a.prompt_share * a.meter_j + b.prompt_share * b.meter_j) / joules;
  t.it_j += b.it_j, t.meter_j += b.meter_j, t.carbon_kg += b.carbon_kg;
  t.usd += b.usd, t.usd_rent += b.usd_rent, t.usd_energy += b.usd_energy;
  t.usd_input += b.usd_input, t.usd_output += b.usd_output;
  t.gpu_hours += b.gpu_hours;
  ratios(t, span_s, input_tokens, output_tokens);
  return t;
}

}  // namespace headroom::serving
