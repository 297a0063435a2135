// Texts of GPUs, as sources write them, onto the catalogue's accelerators.
#include "validation/machine.hpp"

#include <gtest/gtest.h>

namespace headroom::validation {
namespace {

std::string found(const char* gpu) {
  const auto* a = find_accelerator(catalog::Catalog::builtin(), gpu);
  return a == nullptr ? "none" : a->id;
}

Machine machine(std::initializer_list<std::pair<const char*, const char*>> facts) {
  Machine m;
  m.id = "m";
  for (const auto& [key, value] : facts) m.facts.set(key, value);
  return m;
}

TEST(Machine, GpuTextsFindTheirAccelerator) {
  for (const auto& [text, id] : std::initializer_list<std::pair<const char*, const char*>>{
           {"A100-SXM-80GB", "a100-sxm-80gb"},
           {"A100-SXM-40GB", "a100-sxm-40gb"},
           {"NVIDIA A100 PCIe 80GB", "a100-pcie-80gb"},
           {"A800-SXM4-80GB", "a100-sxm-80gb"},
           {"H100-SXM-80GB-700W", "h100-sxm"},
           {"H100-SXM-96GB-HBM2e 500W", "h100-sxm"},
           {"H100 PCIe", "h100-pcie"},
           {"H100 NVL 94GB", "h100-nvl"},
           {"H200-SXM-141GB", "h200-sxm"},
           {"H800", "h800-sxm"},
           {"H20-SXM-96GB", "h20-sxm"},
           {"B200-SXM-180GB", "b200-sxm"},
           {"GB200-186GB", "gb200"},
           {"GB300-279GB", "gb300"},
           {"AMD Instinct MI300X", "mi300x"},
           {"MI355X 288GB", "mi355x"},
           {"V100-SXM2-32GB", "v100-sxm2"},
           {"NVIDIA GeForce RTX 4090", "rtx-4090"},
           {"TPU v5p", "tpu-v5p"},
           {"tpu-trillium", "tpu-v6e"},
           {"Intel Gaudi3", "gaudi-3"},
           {"L40S", "l40s"},
           {"Acme X1", "none"},
           {"", "none"}})
    EXPECT_EQ(found(text), id) << text;
}

TEST(Machine, PowerAndMemoryInTheText) {
  EXPECT_DOUBLE_EQ(*power_in("H100-SXM-96GB-HBM2e 500W"), 500);
  EXPECT_DOUBLE_EQ(*power_in("H100-SXM-80GB-700W"), 700);
  EXPECT_FALSE(power_in("H100-SXM-80GB"));
  EXPECT_FALSE(power_in("5W"));
  EXPECT_DOUBLE_EQ(*memory_in("H100-SXM-96GB-HBM2e"), 96e9);
  EXPECT_FALSE(memory_in("H100 GB"));
}

TEST(Machine, FiguresOfTheFileReplaceTheCatalogues) {
  std::string reason;
  const auto& catalog = catalog::Catalog::builtin();
  const auto plain = find_hardware(catalog, machine({{"gpu", "H100-SXM-80GB"}}), reason);
  const auto other = find_hardware(catalog,
                                   machine({{"gpu", "H100-SXM-96GB"},
                                            {"hbm_GBps", "2400"},
                                            {"nvlink_GBps", "200"},
                                            {"peak_bf16", "495"},
                                            {"net_Gbps_per_gpu", "100"}}),
                                   reason);
  ASSERT_TRUE(plain && other);
  EXPECT_NEAR(other->accelerator->memory_bandwidth.get().in(gigabyte_per_second), 2400, 1e-6);
  EXPECT_NEAR(other->memory_bytes, 96e9, 1);
  EXPECT_NEAR(other->device->peak_flops(Precision::bf16), 495e12, 1e6);
  EXPECT_NEAR(plain->device->peak_flops(Precision::bf16), 989.4e12, 1e9);
  EXPECT_NEAR(other->path.scale_up / plain->path.scale_up, 200.0 / 450, 1e-9);
  EXPECT_NEAR(other->path.scale_out / plain->path.scale_out, 0.25, 1e-9);
}

TEST(Machine, APowerLimitSlowsProductsNotTraffic) {
  std::string reason;
  const auto& catalog = catalog::Catalog::builtin();
  const auto at = [&](const char* gpu) {
    return find_hardware(catalog, machine({{"gpu", gpu}}), reason)->device;
  };
  const compute::Gemm large{8192, 8192, 8192};
  const double full = at("H100-SXM-80GB")->gemm_s(Precision::bf16, large);
  EXPECT_GT(at("H100-SXM-80GB 500W")->gemm_s(Precision::bf16, large), 1.05 * full);
  EXPECT_DOUBLE_EQ(at("H100-SXM-80GB-700W")->gemm_s(Precision::bf16, large), full);
  EXPECT_DOUBLE_EQ(at("H100-SXM-80GB 500W")->memory_s(1e9), at("H100-SXM-80GB")->memory_s(1e9));
}

TEST(Machine, DomainsThatTheFileLeavesOut) {
  std::string reason;
  const auto domain = [&](const char* gpu, const char* per_node) {
    const auto h = find_hardware(catalog::Catalog::builtin(),
                                 machine({{"gpu", gpu}, {"per_node", per_node}}), reason);
    return h ? h->domain : 0;
  };
  EXPECT_EQ(domain("H100-SXM-80GB", "8"), 8);
  EXPECT_EQ(domain("H100-SXM-80GB", "4"), 4);
  EXPECT_EQ(domain("GB200", "4"), 72);
  EXPECT_EQ(domain("H100 PCIe", "8"), 2);
  EXPECT_EQ(domain("TPU v5e", "4"), 256);
  EXPECT_EQ(domain("L40S", "8"), 1);
}

TEST(Machine, DomainsAndNonsense) {
  std::string reason;
  const auto& catalog = catalog::Catalog::builtin();
  const auto nvl72 = find_hardware(
      catalog, machine({{"gpu", "GB200"}, {"per_node", "4"}, {"nvlink_domain", "72"}}), reason);
  ASSERT_TRUE(nvl72);
  EXPECT_EQ(nvl72->domain, 72);
  const auto odd = find_hardware(catalog,
                                 machine({{"gpu", "H100"},
                                          {"per_node", "-3"},
                                          {"net_Gbps_per_gpu", "null"},
                                          {"peak_bf16", "-1"},
                                          {"hbm_GBps", "x"}}),
                                 reason);
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->domain, 8);
  EXPECT_GT(odd->path.scale_out.si(), 0);
  EXPECT_FALSE(find_hardware(catalog, machine({{"gpu", "Acme X1"}}), reason));
  EXPECT_NE(reason.find("Acme X1"), std::string::npos);
}

}  // namespace
}  // namespace headroom::validation
