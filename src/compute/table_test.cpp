// The errors that the catalogue prints beside its fits, computed again with the C++ model on the
// measured tables. Skipped where the tables are not: HEADROOM_DATA or /work/shared/data.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "compute/kernel.hpp"

namespace headroom::compute {
namespace {

using catalog::Accelerator;
using Row = std::map<std::string, std::string>;

std::filesystem::path tables() {
  const char* set = std::getenv("HEADROOM_DATA");
  return std::filesystem::path(set != nullptr ? set : "/work/shared/data") / "kernels";
}

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> found;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) found.push_back(cell);
  return found;
}

/// Rows of a gzipped table; empty when it cannot be read.
std::vector<Row> read(const std::string& file) {
  const auto path = tables() / file;
  if (!std::filesystem::exists(path)) return {};
  struct Close {
    void operator()(std::FILE* f) const { pclose(f); }
  };
  const std::unique_ptr<std::FILE, Close> pipe(popen(("gzip -dc " + path.string()).c_str(), "r"));
  std::string text;
  std::array<char, 1 << 16> part{};
  while (const auto n = std::fread(part.data(), 1, part.size(), pipe.get())) {
    text.append(part.data(), n);
  }
  std::istringstream in(text);
  std::string line;
  if (!std::getline(in, line)) return {};
  const auto names = cells(line);
  std::vector<Row> rows;
  while (std::getline(in, line)) {
    const auto values = cells(line);
    Row row;
    for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) row[names[i]] = values[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

double number(const Row& row, const char* name) { return std::stod(row.at(name)); }

/// The quarter that tools/fit_kernels/common.py holds out.
bool held_out(double first, double second) {
  auto key =
      static_cast<std::uint32_t>(first) * 2654435761U + static_cast<std::uint32_t>(second) * 40503U;
  key = (key ^ (key >> 15)) * 2246822519U;
  key ^= key >> 13;
  return key % 4 == 0;
}

double quantile(std::vector<double> errors, double q) {
  std::sort(errors.begin(), errors.end());
  const double at = q * static_cast<double>(errors.size() - 1);
  const auto i = static_cast<std::size_t>(at);
  const double next = errors[std::min(i + 1, errors.size() - 1)];
  return errors[i] + (at - static_cast<double>(i)) * (next - errors[i]);
}

/// A printed figure may be rounded down by half of its third digit.
double rounded_up(double printed) { return std::ceil(printed * 1000 + 0.05) / 1000; }

template <class Fit>
const Fit& fit_of(const std::vector<Fit>& fits, Precision p) {
  return *std::find_if(fits.begin(), fits.end(), [&](const Fit& f) { return f.precision == p; });
}

struct Table {
  const char* id;
  const char* directory;
  Precision precision;
  const char* dtype;
};

class HeldOut : public testing::TestWithParam<Table> {
 protected:
  const Accelerator& entry() const {
    return *catalog::Catalog::builtin().find<Accelerator>(GetParam().id);
  }
};

class HeldOutProducts : public HeldOut {};
class HeldOutAttention : public HeldOut {};

TEST_P(HeldOutProducts, ErrWithinWhatTheCataloguePrints) {
  const auto& want = GetParam();
  const auto rows = read(std::string(want.directory) + "/gemm_perf.trtllm.csv.gz");
  if (rows.empty()) GTEST_SKIP() << "no table under " << tables();
  const Device device(entry());
  Operands standalone;
  standalone.cast = want.precision != Precision::bf16;
  std::vector<double> errors;
  for (const auto& row : rows) {
    const double m = number(row, "m"), n = number(row, "n"), k = number(row, "k");
    if (row.at("gemm_dtype") != want.dtype || m < 1024 || n < 512 || k < 512) continue;
    if (!held_out(n, k)) continue;
    const double s = device.gemm_s(want.precision, {m, n, k}, standalone);
    errors.push_back(std::abs(s / (number(row, "latency") * 1e-3) - 1));
  }
  ASSERT_GT(errors.size(), 200U);
  const auto& fit = fit_of(entry().gemm, want.precision);
  EXPECT_LE(quantile(errors, 0.5), rounded_up(fit.median_error.get().si()));
  EXPECT_LE(quantile(errors, 0.9), rounded_up(fit.p90_error.get().si()));
  EXPECT_NEAR(quantile(errors, 0.5), fit.median_error.get().si(), 0.002);
}

INSTANTIATE_TEST_SUITE_P(
    Aiconfigurator, HeldOutProducts,
    testing::Values(Table{"h100-sxm", "h100_sxm", Precision::bf16, "bfloat16"},
                    Table{"a100-sxm-80gb", "a100_sxm", Precision::bf16, "bfloat16"},
                    Table{"h100-sxm", "h100_sxm", Precision::fp8, "fp8"},
                    Table{"b200-sxm", "b200_sxm", Precision::nvfp4, "nvfp4"},
                    Table{"h100-sxm", "h100_sxm", Precision::fp8_block, "fp8_block"},
                    Table{"b200-sxm", "b200_sxm", Precision::fp8_block, "fp8_block"}));

TEST_P(HeldOutAttention, ErrsWithinWhatTheCataloguePrints) {
  const auto& want = GetParam();
  const auto rows = read(std::string(want.directory) + "/context_attention_perf.trtllm.csv.gz");
  if (rows.empty()) GTEST_SKIP() << "no table under " << tables();
  const Device device(entry());
  std::vector<double> errors;
  for (const auto& row : rows) {
    if (row.at("attn_dtype") != want.dtype || row.at("kv_cache_dtype") != want.dtype) continue;
    Attention a{.batch = number(row, "batch_size"),
                .heads = number(row, "num_heads"),
                .kv_heads = number(row, "num_key_value_heads"),
                .head_dim = number(row, "head_dim"),
                .query = number(row, "isl")};
    if (number(row, "window_size") != 0 || a.query < 1024 || a.head_dim > 256) continue;
    if (!held_out(a.query, a.heads * 1000 + a.kv_heads)) continue;
    a.kv_bytes = bytes_per_element(want.precision);
    const double s = device.attention_s(want.precision, a);
    errors.push_back(std::abs(s / (number(row, "latency") * 1e-3) - 1));
  }
  ASSERT_GT(errors.size(), 200U);
  const auto& fit = fit_of(entry().attention, want.precision);
  EXPECT_LE(quantile(errors, 0.5), rounded_up(fit.median_error.get().si()));
  EXPECT_LE(quantile(errors, 0.9), rounded_up(fit.p90_error.get().si()));
  EXPECT_NEAR(quantile(errors, 0.5), fit.median_error.get().si(), 0.002);
}

INSTANTIATE_TEST_SUITE_P(Aiconfigurator, HeldOutAttention,
                         testing::Values(Table{"h100-sxm", "h100_sxm", Precision::bf16, "bfloat16"},
                                         Table{"b200-sxm", "b200_sxm", Precision::fp8, "fp8"}));

}  // namespace
}  // namespace headroom::compute
