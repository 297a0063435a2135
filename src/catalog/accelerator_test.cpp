#include "catalog/accelerator.hpp"

#include <gtest/gtest.h>

#include <set>

namespace headroom {
namespace {

using catalog::Accelerator;
using catalog::Catalog;

const Accelerator& device(const char* id) {
  const auto* found = Catalog::builtin().find<Accelerator>(id);
  if (found == nullptr) throw std::runtime_error(std::string("no accelerator ") + id);
  return *found;
}

struct Export {
  const char* id;
  double tpp;
  double density;  ///< 0: not checked
};

class ExportRuleFigures : public testing::TestWithParam<Export> {};

// Published: BIS rule summaries and export analyses (H100 15,832; A100 4,992; H20 2,368).
TEST_P(ExportRuleFigures, AreTheDenseRateTimesBits) {
  const auto& e = GetParam();
  EXPECT_NEAR(device(e.id).tpp(), e.tpp, e.tpp * 1e-3) << e.id;
  if (e.density > 0) { EXPECT_NEAR(device(e.id).performance_density(), e.density, 0.06) << e.id; }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, ExportRuleFigures,
                         testing::Values(Export{"h100-sxm", 15832, 19.45},
                                         Export{"h200-sxm", 15832, 19.45},
                                         Export{"a100-sxm-80gb", 4992, 6.04},
                                         Export{"h20-sxm", 2368, 2.91}, Export{"l40s", 5864, 9.63},
                                         Export{"b200-sxm", 36000, 0}, Export{"mi300x", 20919, 0}));

TEST(Accelerator, PerformanceDensityIsZeroWithoutADieArea) {
  EXPECT_EQ(device("mi300x").performance_density(), 0);
  EXPECT_EQ(Accelerator{}.tpp(), 0);
}

TEST(Accelerator, RatesAreDenseNotSparse) {
  // NVIDIA prints 1,979 TFLOP/s bf16 and 3,958 fp8 for the H100: half of each is dense.
  const auto& h100 = device("h100-sxm");
  EXPECT_NEAR(h100.rate(Precision::bf16)->dense.get().in(teraflop_per_second), 989.4, 0.1);
  EXPECT_NEAR(h100.rate(Precision::fp8)->dense.get().in(teraflop_per_second), 1979, 0.1);
  EXPECT_EQ(h100.rate(Precision::fp8)->quoted, catalog::QuotedRate::sparse);
}

TEST(Accelerator, LinksArePerDirection) {
  // "900 GB/s NVLink" is both directions of an H100; "1.8 TB/s" of a B200.
  EXPECT_NEAR(device("h100-sxm").scale_up.bandwidth.get().in(gigabyte_per_second), 450, 1e-9);
  EXPECT_NEAR(device("b200-sxm").scale_up.bandwidth.get().in(gigabyte_per_second), 900, 1e-9);
  EXPECT_EQ(device("gb200").scale_up.domain, 72);
}

TEST(Accelerator, CatalogueHoldsWhatTheIssueAsksFor) {
  for (const char* id : {"h100-sxm",
                         "h100-pcie",
                         "h100-nvl",
                         "h200-sxm",
                         "h800-sxm",
                         "h20-sxm",
                         "b100-sxm",
                         "b200-sxm",
                         "b300-sxm",
                         "gb200",
                         "gb300",
                         "a100-sxm-40gb",
                         "a100-sxm-80gb",
                         "l40s",
                         "rtx-pro-6000-server",
                         "rtx-4090",
                         "mi300x",
                         "mi325x",
                         "mi355x",
                         "tpu-v4",
                         "tpu-v5e",
                         "tpu-v5p",
                         "tpu-v6e",
                         "tpu-v7",
                         "gaudi-3",
                         "trainium2",
                         "trainium3",
                         "inferentia2",
                         "maia-100",
                         "maia-200",
                         "groq-lpu",
                         "wse-3",
                         "sn40l",
                         "bow-ipu",
                         "jetson-agx-orin",
                         "jetson-orin-nano",
                         "jetson-thor",
                         "apple-m3-max",
                         "apple-m4-max",
                         "snapdragon-x-elite",
                         "ryzen-ai-max-395",
                         "edge-tpu",
                         "v100-sxm2"}) {
    EXPECT_NE(Catalog::builtin().find<Accelerator>(id), nullptr) << id;
  }
}

// What no entry may contradict, whoever adds the next one.
TEST(Accelerator, EveryEntryIsPhysicallySensible) {
  for (const auto* a : Catalog::builtin().all<Accelerator>()) {
    SCOPED_TRACE(a->id);
    EXPECT_FALSE(a->rates.empty());
    EXPECT_FALSE(a->vendor.empty());
    EXPECT_GT(a->year, 2010);
    EXPECT_LE(a->power.idle.get().si(), a->power.typical.get().si());
    EXPECT_LE(a->power.typical.get().si(), a->power.max.get().si());
    EXPECT_TRUE(a->memory_usable.given);
    EXPECT_TRUE(a->decode_efficiency.given);
    EXPECT_TRUE(a->stream_efficiency.given);
    EXPECT_TRUE(a->gemm_efficiency.given || !a->gemm.empty());
    EXPECT_TRUE(a->embodied_carbon.ranged());
    std::set<Precision> seen;
    for (const auto& r : a->rates)
      EXPECT_TRUE(seen.insert(r.precision).second) << name(r.precision);
  }
}

TEST(Accelerator, NarrowerFormatsAreNeverSlowerThanTheSixteenBitRate) {
  for (const auto* a : Catalog::builtin().all<Accelerator>()) {
    const auto* wide = a->rate(Precision::bf16);
    for (Precision p : {Precision::fp8, Precision::mxfp8, Precision::nvfp4, Precision::mxfp4}) {
      const auto* narrow = a->rate(p);
      if (wide == nullptr || narrow == nullptr) continue;
      EXPECT_GE(narrow->dense.get().si(), wide->dense.get().si()) << a->id << " " << name(p);
    }
  }
}

TEST(Precision, NamesReadBackAndBytesCarryTheirScales) {
  for (auto text : precision_names()) EXPECT_EQ(name(*parse_precision(text)), text);
  EXPECT_FALSE(parse_precision("fp5"));
  EXPECT_DOUBLE_EQ(bytes_per_element(Precision::bf16), 2);
  EXPECT_DOUBLE_EQ(bytes_per_element(Precision::nvfp4), 0.5 + 1.0 / 16);
  EXPECT_DOUBLE_EQ(bytes_per_element(Precision::mxfp4), 0.5 + 1.0 / 32);
  EXPECT_EQ(element_bits(Precision::nvfp4), 4);
}

}  // namespace
}  // namespace headroom
