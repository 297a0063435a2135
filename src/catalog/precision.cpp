#include "catalog/precision.hpp"

#include <algorithm>
#include <array>

namespace headroom {
namespace {

struct Format {
  int element_bits;
  double bytes;
};

constexpr std::array<std::string_view, precision_count> names{
    "fp64",      "fp32", "tf32", "bf16",  "fp16",  "fp8", "mxfp8",
    "fp8-block", "int8", "fp6",  "nvfp4", "mxfp4", "int4"};

constexpr double block_scale(int elements) { return 1.0 / elements; }  // one byte per block

constexpr std::array<Format, precision_count> formats{{
    {64, 8.0},
    {32, 4.0},
    {19, 4.0},
    {16, 2.0},
    {16, 2.0},
    {8, 1.0},
    {8, 1.0 + block_scale(32)},
    {8, 1.0 + 4 * block_scale(128 * 128)},
    {8, 1.0},
    {6, 0.75 + block_scale(32)},
    {4, 0.5 + block_scale(16)},
    {4, 0.5 + block_scale(32)},
    // Weight-only 4-bit formats (GPTQ, AWQ) keep an fp16 scale for every 128.
    {4, 0.5 + 2 * block_scale(128)},
}};

const Format& format_of(Precision p) { return formats[static_cast<std::size_t>(p)]; }

}  // namespace

std::span<const std::string_view> precision_names() { return names; }

std::string_view name(Precision precision) { return names[static_cast<std::size_t>(precision)]; }

std::optional<Precision> parse_precision(std::string_view text) {
  const auto* it = std::find(names.begin(), names.end(), text);
  if (it == names.end()) return std::nullopt;
  return static_cast<Precision>(it - names.begin());
}

int element_bits(Precision precision) { return format_of(precision).element_bits; }
double bytes_per_element(Precision precision) { return format_of(precision).bytes; }
double bytes_per_activation(Precision precision) {
  return precision == Precision::fp8_block ? 1.0 + 4 * block_scale(128)
                                           : bytes_per_element(precision);
}

}  // namespace headroom
