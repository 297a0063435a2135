#include "base/random.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace headroom {
namespace {

// Same key and counter, same number; another path, another stream.
TEST(Stream, IsKeyedByPathAndCounter) {
  const Stream a(1, "cluster.gpu.failures");
  const Stream b(1, "cluster.gpu.failures");
  const Stream c(1, "cluster.gpu.repairs");
  EXPECT_EQ(a.uniform(7, 3), b.uniform(7, 3));
  EXPECT_NE(a.uniform(7, 3), c.uniform(7, 3));
  EXPECT_NE(a.uniform(7, 3), a.uniform(8, 3));
  EXPECT_NE(a.uniform(7, 3), Stream(2, "cluster.gpu.failures").uniform(7, 3));
}

// 100,000 draws: mean within 5 standard errors of 1/2, 10 and 0.
TEST(Stream, MomentsAreRight) {
  const Stream s(42, "test");
  const int n = 100'000;
  double uniform = 0, exponential = 0, normal = 0, square = 0, triangular = 0;
  for (int i = 0; i < n; ++i) {
    uniform += s.uniform(i, 0);
    exponential += s.exponential(10, i, 1);
    const double z = s.normal(i, 2);
    normal += z;
    square += z * z;
    triangular += s.triangular(1, 2, 6, i, 3);
  }
  const double root = std::sqrt(double(n));
  EXPECT_NEAR(uniform / n, 0.5, 5 * 0.2887 / root);
  EXPECT_NEAR(exponential / n, 10, 5 * 10 / root);
  EXPECT_NEAR(normal / n, 0, 5 / root);
  EXPECT_NEAR(square / n, 1, 5 * 1.4143 / root);
  EXPECT_NEAR(triangular / n, 3, 5 * 1.1 / root);
}

// Against the error function of the C library: an independent answer.
TEST(InverseNormal, InvertsTheDistribution) {
  for (double p : {1e-10, 1e-4, 0.025, 0.3, 0.5, 0.9, 0.975, 0.9999}) {
    const double back = 0.5 * std::erfc(-inverse_normal(p) / std::sqrt(2.0));
    EXPECT_NEAR(back / p, 1, 1e-12) << p;
  }
}

}  // namespace
}  // namespace headroom
