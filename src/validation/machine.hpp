// Machine: the hardware a measured file names, found in the catalogue.
//
// The GPU's text ("H100-SXM-96GB-HBM2e 500W", "NVIDIA MI300X", "TPU v5p") is matched onto the
// catalogue's accelerators: spelled without case and separators, an accelerator matches when
// the text contains its family ("h100", "gb200", "rtx4090"); the longest family wins, then the
// form (SXM, PCIe, NVL), then the nearest memory size. Figures that the file gives replace the
// catalogue's: peak_* (TFLOP/s, dense), hbm_GBps, nvlink_GBps (a direction), memory in the
// text, per_node, nvlink_domain, net_Gbps_per_gpu. A power limit in the text ("500W")
// lowers the clock as compute::clock_at_power says.
//
// Unknown GPUs are an answer (no accelerator, with the reason), never an error.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "catalog/accelerator.hpp"
#include "compute/kernel.hpp"
#include "fabric/path.hpp"
#include "validation/train_rows.hpp"

namespace headroom::validation {

struct Hardware {
  std::shared_ptr<const catalog::Accelerator> accelerator;  ///< with the file's figures
  std::shared_ptr<const compute::Device> device;
  std::string id;  ///< of the catalogue entry
  fabric::Path path;
  int per_node = 8;
  int domain = 8;  ///< GPUs of a scale-up domain
  double memory_bytes = 0;
  std::optional<double> power_cap_w;
};

/// The catalogue's accelerator for a GPU's text, or nullptr.
const catalog::Accelerator* find_accelerator(const catalog::Catalog& catalog,
                                             const std::string& gpu);
/// "500W" in a text; nothing when there is none or it lies outside 30 W to 5 kW.
std::optional<double> power_in(const std::string& gpu);
/// "80GB" in a text, in bytes (decimal, as data sheets).
std::optional<double> memory_in(const std::string& gpu);

/// The hardware of a machine; on failure `reason` says why.
std::optional<Hardware> find_hardware(const catalog::Catalog& catalog, const Machine& machine,
                                      std::string& reason);

}  // namespace headroom::validation
