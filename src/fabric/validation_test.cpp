// Collectives against published nccl-tests sweeps. The sweeps are not part of this repository;
// set HEADROOM_VALIDATION_DATA to the folder that holds fabric/measured.yaml to run this test.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fabric/path.hpp"

namespace headroom::fabric {
namespace {

struct Setup {
  const char* link;
  double rate_gb_s, domain, nic_gb_s, per_domain;
};

// What each sweep ran on: link, rate of it per direction, domain, NIC rate per GPU, ranks a domain.
const std::map<std::string, Setup> setups{
    {"ar-a100x8-nvl3", {"NVLink 3", 300, 8, 25, 8}},
    {"ar-h200x8-nvl4", {"NVLink 4", 450, 8, 50, 8}},
    {"ar-h200x8-azure", {"NVLink 4", 450, 8, 50, 8}},
    {"ar-h100x64-ndr-sharp", {"NVLink 4", 450, 8, 50, 8}},
    {"ar-gb200x72", {"NVLink 5", 900, 72, 50, 72}},
    {"ar-gb200x144", {"NVLink 5", 900, 72, 50, 72}},
    // NCCL 2.26 rings pass the four-GPU trays, not the racks, over 20 racks.
    {"ar-gb200x1440", {"NVLink 5", 900, 4, 100, 4}},
};

Path path_of(const Setup& s) {
  catalog::Accelerator a;
  a.scale_up.link = s.link;
  a.scale_up.bandwidth = Value<Bandwidth>(s.rate_gb_s * gigabyte_per_second, assumed("data sheet"));
  catalog::System system;
  system.scale_up.domain = static_cast<int>(s.domain);
  return make_path(system, a, {.per_gpu = s.nic_gb_s * gigabyte_per_second, .efficiency = 0.94});
}

double quantile(std::vector<double> v, double q) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v[static_cast<std::size_t>(q * (v.size() - 1))];
}

struct Errors {
  std::vector<double> in_node, across;
};

/// Reads the `sweeps` of the file: one JSON object a line behind "- ".
Errors errors_of(std::istream& file) {
  Errors e;
  for (std::string line; std::getline(file, line) && line != "rows:";) {
    const auto brace = line.find('{');
    if (brace == std::string::npos) continue;
    const auto sweep = nlohmann::json::parse(line.substr(brace));
    const auto setup = setups.find(sweep["id"].get<std::string>());
    if (setup == setups.end()) continue;
    const Path path = path_of(setup->second);
    const double ranks = sweep["ranks"].get<double>();
    std::vector<double> here;
    for (const auto& point : sweep["points"]) {
      const double size_b = point[0].get<double>(), busbw_gb_s = point[1].get<double>();
      if (size_b < 1 << 20) continue;
      const Time t = all_reduce(path, size_b * byte, ranks, setup->second.per_domain);
      const double predicted =
          bus_bandwidth(Collective::all_reduce, size_b * byte, ranks, t).in(gigabyte_per_second);
      here.push_back(std::abs(predicted / busbw_gb_s - 1));
    }
    std::cout << setup->first << ": " << here.size() << " points, median "
              << 100 * quantile(here, 0.5) << " %, p90 " << 100 * quantile(here, 0.9)
              << " %, worst " << 100 * quantile(here, 1) << " %\n";
    auto& group = ranks <= setup->second.domain ? e.in_node : e.across;
    group.insert(group.end(), here.begin(), here.end());
  }
  return e;
}

// Target: median at most 10 % in a domain and 15 % across, from 1 MiB. Every miss is in
// docs/models.
TEST(Validation, AllReduceSweeps) {
  const char* folder = std::getenv("HEADROOM_VALIDATION_DATA");
  if (!folder) GTEST_SKIP() << "HEADROOM_VALIDATION_DATA is not set";
  std::ifstream file(std::string(folder) + "/fabric/measured.yaml");
  if (!file) GTEST_SKIP() << "no fabric/measured.yaml";
  const Errors e = errors_of(file);
  ASSERT_GE(e.in_node.size(), 40u);
  ASSERT_GE(e.across.size(), 15u);
  std::cout << "in a domain: median " << 100 * quantile(e.in_node, 0.5) << " %, p90 "
            << 100 * quantile(e.in_node, 0.9) << " %\nacross: median "
            << 100 * quantile(e.across, 0.5) << " %, p90 " << 100 * quantile(e.across, 0.9)
            << " %\n";
  EXPECT_LE(quantile(e.in_node, 0.5), 0.10);
  EXPECT_LE(quantile(e.across, 0.5), 0.15);
}

}  // namespace
}  // namespace headroom::fabric
