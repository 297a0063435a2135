#include "infer/hardware.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace headroom::infer {

Power gpu_power(const catalog::Accelerator& accelerator, double prefill, double decode) {
  const Power most = accelerator.power.max.or_else(Power{});
  const Power idle = accelerator.power.idle.or_else(idle_power_share * most);
  prefill = std::clamp(prefill, 0.0, 1.0);
  decode = std::clamp(decode, 0.0, 1.0 - prefill);
  const Power decoding = std::max(decode_power_share * most, idle);
  return prefill * most + decode * decoding + (1 - prefill - decode) * idle;
}

std::string amount(double value, std::string_view unit, int digits) {
  std::string out = format_number(value, digits);
  if (!unit.empty()) out += ' ';
  return out += unit;
}

}  // namespace headroom::infer
