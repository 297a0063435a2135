// Precision: the number formats in which accelerators multiply and models are
// stored.
//
// Bits are those of one element in memory. Block-scaled formats carry a shared
// scale beside the elements (OCP Microscaling Formats v1.0, 2023-09: one 8-bit
// scale per 32 elements; NVFP4: one 8-bit scale per 16, NVIDIA technical blog
// 2025-06), which `bytes_per_element` counts and `element_bits` does not: the
// former sizes memory and traffic, the latter is the length that export rules
// multiply by.
//
// Thread-safe; no allocation.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace headroom {

enum class Precision : unsigned char {
  fp64,
  fp32,
  tf32,
  bf16,
  fp16,
  fp8,    ///< E4M3 or E5M2 with one scale a tensor or row of software
  mxfp8,  ///< fp8 with hardware block scales of 32
  /// E4M3 with an fp32 scale for every 128 x 128 of a weight and 1 x 128 of an activation, as
  /// DeepSeek-V3 was trained (Transformer Engine's Float8BlockScaling, DeepGEMM)
  fp8_block,
  int8,
  fp6,    ///< MXFP6
  nvfp4,  ///< E2M1, an fp8 scale for every 16
  mxfp4,  ///< E2M1, a power-of-two scale for every 32
  int4,
};

inline constexpr std::size_t precision_count = 13;

/// Names as written in scenario and catalogue files, in the enumerators' order.
std::span<const std::string_view> precision_names();
std::string_view name(Precision precision);
/// The precision of this name, or nothing.
std::optional<Precision> parse_precision(std::string_view text);

/// Bits of one element as the multiplier sees it (fp8: 8; tf32: 19, stored in 32).
int element_bits(Precision precision);
/// Bytes that an element takes in memory, block scales included (nvfp4: 0.5625). Of fp8_block
/// a weight's; an activation takes `bytes_per_activation`.
double bytes_per_element(Precision precision);
/// The same of an activation: apart from a weight's for fp8_block alone (1 + 4/128).
double bytes_per_activation(Precision precision);

}  // namespace headroom
