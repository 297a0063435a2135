#include "fabric/path.hpp"

#include <algorithm>
#include <array>

namespace headroom::fabric {
namespace {

constexpr Bandwidth gb_s(double v) { return v * gigabyte_per_second; }
constexpr Time us(double v) { return v * microsecond; }
constexpr Protocol protocol(double hop_us, double fill_us, double share) {
  return {us(hop_us), us(fill_us), share};
}

// Fits of `launch + min_p[...] + S/(n C)` to AIConfigurator nccl_perf (NVIDIA, Apache-2.0,
// NCCL 2.27-2.29, half precision), least absolute log error over every other message size. Shares
// are the fitted rate over the link's data-sheet rate: 215 of 300, 362 of 450, 702 of 900 GB/s.
// In-switch gain for large messages: 473 against 366 GB/s on 8 x H200 and 838 against 682 on 8 x
// B200 at 8 GiB (Machine Learning Engineering Open Book, network chapter); Blackwell's is set
// lower, for the 704 GB/s of the table at 512 MiB. Direct kernels: vLLM and TensorRT-LLM
// custom_allreduce tables of the same source.
constexpr std::string_view nccl_fit =
    "fit to AIConfigurator nccl_perf and custom_allreduce tables (NVIDIA, 2026)";

constexpr std::array<LinkCalibration, 6> links{{
    {"NVLink 3",
     215.0 / 300,
     gb_s(778),
     us(4.47),
     {{protocol(4.23, 0, 0.00434), protocol(0.661, 6.55, 0.332), protocol(0.541, 30.5, 1)}},
     1,
     1e9,
     0.921,
     {false, us(4.4), us(0.26), 0.656, us(34), 0.767},
     {false, us(4.4), us(0.26), 0.656, us(34), 0.767},
     nccl_fit},
    {"NVLink 4",
     362.0 / 450,
     gb_s(871),
     us(4.78),
     {{protocol(0.764, 0, 0.0391), protocol(0.727, 2.37, 0.587), protocol(1.47, 21.0, 1)}},
     1.29,
     4,
     0.93,
     {false, us(4.4), us(0.06), 0.634, us(7.9), 0.845},
     {false, us(2.8), us(0.09), 0.808, us(21.8), 0.820},
     nccl_fit},
    {"NVLink 5",
     702.0 / 900,
     gb_s(1240),
     us(5.72),
     {{protocol(3.08, 0, 0.00828), protocol(1.17, 3.09, 0.372), protocol(3.02, 12.8, 1)}},
     1.15,
     5,
     0.795,
     {false, us(7), us(0.2), 0.641, us(15), 0.744},
     {false, us(4.6), us(0.12), 0.833, us(26.7), 0.731},
     nccl_fit},
    // Fitted to RTX PRO 6000 (PCIe 5 x16, 64 GB/s): 25 GB/s.
    {"PCIe",
     25.0 / 64,
     gb_s(0),
     us(3.78),
     {{protocol(1.71, 0, 0.0268), protocol(1.38, 1.23, 0.463), protocol(4.57, 3.22, 1)}},
     1,
     1e9,
     0.834,
     {false, us(7), us(1), 0.8, us(7), 0.8},
     {false, us(7), us(1), 0.8, us(7), 0.8},
     nccl_fit},
    // 340 of 450 GB/s busbw published for eight MI300X by RCCL users; recalled, unverified.
    {"Infinity Fabric",
     0.72,
     gb_s(871),
     us(8),
     {{protocol(1.5, 0, 0.0391), protocol(1.2, 6, 0.5), protocol(1.5, 40, 1)}},
     1,
     1e9,
     0.8,
     {false, us(6), us(0.2), 0.6, us(6), 0.6},
     {false, us(6), us(0.2), 0.6, us(6), 0.6},
     "assumed: NVLink 3's shape at 72 %",
     false},
    {"",
     0.75,
     gb_s(871),
     us(5),
     {{protocol(1, 0, 0.0391), protocol(1, 4, 0.5), protocol(1.5, 25, 1)}},
     1,
     1e9,
     0.85,
     {false, us(5), us(0.1), 0.6, us(5), 0.6},
     {false, us(5), us(0.1), 0.6, us(5), 0.6},
     "assumed: NVLink 4's latencies, 75 % of the rate",
     false},
}};

// NCCL tuning tables (src/graph/tuning.cc @5067397): ring over NET 2.7, 4.0, 14.0 us a hop for LL,
// LL128, Simple; bandwidth shares 0.5 and 0.92.
constexpr Protocols infiniband_hops{
    {protocol(2.7, 0, 0.5), protocol(4.0, 0, 0.92), protocol(14.0, 0, 1)}};
// SimAI measured send latencies between nodes (docs/configuration/send-lat-analysis.md @cef83f9).
constexpr Protocols ethernet_hops{
    {protocol(9.3, 0, 0.5), protocol(18.0, 0, 0.92), protocol(22.4, 0, 1)}};

// A ring is one pipeline: its hops inside domains hide behind those across. 64 H100 with NDR then
// come out at 398 GB/s busbw for 8 GiB, against 386 measured (CoreWeave nccl-tests @0120901).
constexpr double phase_overlap = 1.0;
// 1,440 GB200 reach 151 of 406 GB/s at 512 MiB, so no tree did better there (same source).
constexpr double tree_share = 0.37;

// NCCL's tuning table, CollNet over NET, Simple (src/graph/tuning.cc @01afd20).
constexpr Time in_network_hop = us(10.7);

}  // namespace

Value<Scalar> in_network_share() {
  // NVIDIA/nccl issue 320 (S. Jeaugey, 2023-01): about 20 GB/s a 200 Gb/s adapter, all-reduce of
  // four adapters 80 GB/s; eight are held to 110 GB/s by NVLink. NCCL's own tuning takes 0.9. Low:
  // what CoreWeave prints for 64 H100 from its SHARP manifest (386 GB/s busbw, nccl-tests @0120901)
  // is no more than rings reach, 0.49 of line rate in these terms.
  return {
      0.49, 0.80, 0.90,
      published("NVIDIA/nccl issue 320 (S. Jeaugey): about 20 GB/s a 200 Gb/s adapter with "
                "CollNet; low: CoreWeave's 64 H100 from its SHARP manifest, high: NCCL tuning.cc",
                "2023-01")};
}

const LinkCalibration& calibration(std::string_view link) {
  const auto it = std::find_if(links.begin(), links.end(), [&](const auto& c) {
    return link.substr(0, c.link.size()) == c.link;
  });
  return *it;  // the last one's empty name matches everything
}

Path make_path(const catalog::System& system, const catalog::Accelerator& accelerator,
               const ScaleOut& out) {
  const LinkCalibration& link = calibration(accelerator.scale_up.link);
  const Value<Bandwidth>& rate = system.scale_up.bandwidth.or_else(accelerator.scale_up.bandwidth);
  Path p;
  p.domain = std::max(1, system.scale_up.domain);
  p.scale_up = link.share * rate.or_else(Bandwidth{});
  p.copy = link.copy;
  p.launch = link.launch;
  p.up = link.protocols;
  p.nvls = link.nvls;
  p.nvls_above = link.nvls_above;
  p.all_to_all = link.all_to_all;
  p.direct = link.direct;
  p.scale_out = out.efficiency * out.per_gpu;
  p.out = out.ethernet ? ethernet_hops : infiniband_hops;
  if (out.in_network_reduction && !out.ethernet) {
    p.in_network = in_network_share().get() * out.per_gpu;
    p.in_network_hop = in_network_hop;
  }
  p.overlap = phase_overlap;
  p.tree = tree_share;
  p.oversubscription = std::max(1.0, out.oversubscription);
  p.leaf = out.group;
  return p;
}

Path for_serving(Path path, std::string_view link, ReduceKernels kernels) {
  const LinkCalibration& c = calibration(link);
  path.direct = kernels == ReduceKernels::tensorrt_llm ? c.tensorrt : c.direct;
  path.direct.enabled = path.has_scale_up();
  return path;
}

}  // namespace headroom::fabric
