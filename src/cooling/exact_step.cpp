#include "cooling/exact_step.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::cooling {
namespace {

using Matrix = std::vector<double>;

Matrix product(std::span<const double> a, std::span<const double> b, std::size_t n) {
  Matrix c(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      const double x = a[i * n + k];
      if (x == 0) continue;
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] += x * b[k * n + j];
    }
  }
  return c;
}

double norm(std::span<const double> a, std::size_t n) {
  double most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += std::abs(a[i * n + j]);
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

std::size_t ThermalSystem::add(std::string name, double joule_per_kelvin) {
  names.push_back(std::move(name));
  capacity.push_back(joule_per_kelvin);
  source.push_back(0);
  return capacity.size() - 1;
}

void ThermalSystem::conduct(std::size_t a, std::size_t b, double w_k) { exchange(a, b, a, b, w_k); }

void ThermalSystem::advect(std::size_t from, std::size_t to, double w_k) {
  if (w_k > 0) terms.push_back({from, to, from, w_k});
}

void ThermalSystem::exchange(std::size_t hot, std::size_t cold, std::size_t from, std::size_t to,
                             double w_k) {
  if (w_k <= 0) return;
  terms.push_back({from, to, hot, w_k});
  terms.push_back({to, from, cold, w_k});
}

void ThermalSystem::surroundings(std::size_t node, double celsius, double w_k) {
  if (w_k <= 0) return;
  terms.push_back({node, outside, node, w_k});
  source[node] += w_k * celsius;
}

Propagator make_propagator(std::span<const double> a, std::size_t n, double step_s) {
  int halvings = 0;
  double h = step_s;
  for (const double size = norm(a, n) * step_s; size / std::ldexp(1.0, halvings) > 0.5;) {
    ++halvings;
  }
  h = std::ldexp(step_s, -halvings);
  Propagator p;
  p.n = n;
  p.e.assign(n * n, 0.0), p.s = p.e, p.r = p.e;
  Matrix power(n * n, 0.0);  // (A h)^k / k!
  for (std::size_t i = 0; i < n; ++i) power[i * n + i] = 1;
  constexpr int order = 14;
  for (int k = 0; k <= order; ++k) {
    const double s = h / (k + 1), r = s * h / (k + 2);
    for (std::size_t i = 0; i < n * n; ++i) {
      p.e[i] += power[i], p.s[i] += s * power[i], p.r[i] += r * power[i];
    }
    power = product(power, a, n);
    for (double& x : power) x *= h / (k + 1);
  }
  for (int k = 0; k < halvings; ++k) {
    const Matrix er = product(p.e, p.r, n), es = product(p.e, p.s, n);
    for (std::size_t i = 0; i < n * n; ++i) {
      p.r[i] += h * p.s[i] + er[i];
      p.s[i] += es[i];
    }
    p.e = product(p.e, p.e, n);
    h *= 2;
  }
  return p;
}

double Stepped::imbalance() const {
  const double scale = std::max({std::abs(in_j), std::abs(out_j), std::abs(stored_j), 1e-300});
  return std::abs(in_j - out_j - stored_j) / scale;
}

ExactStepper::ExactStepper(const ThermalSystem& system)
    : capacity_(system.capacity),
      source_(system.source),
      a_(system.size() * system.size(), 0.0),
      leaving_(system.size(), 0.0),
      drive_(system.size()),
      next_(system.size()),
      integral_(system.size()) {
  const std::size_t n = system.size();
  for (const auto& term : system.terms) {
    if (term.from != outside) {
      a_[term.from * n + term.node] -= term.coefficient / capacity_[term.from];
    } else {
      leaving_[term.node] -= term.coefficient;
    }
    if (term.to != outside) {
      a_[term.to * n + term.node] += term.coefficient / capacity_[term.to];
    } else {
      leaving_[term.node] += term.coefficient;
    }
  }
}

const Propagator& ExactStepper::propagator(double step_s) {
  const auto found = known_.find(step_s);
  if (found != known_.end()) return found->second;
  return known_.emplace(step_s, make_propagator(a_, capacity_.size(), step_s)).first->second;
}

Stepped ExactStepper::step(std::span<double> celsius, double step_s,
                           std::span<const double> source) {
  const std::size_t n = capacity_.size();
  const Propagator& p = propagator(step_s);
  const std::span<const double> heat = source.empty() ? std::span<const double>(source_) : source;
  Stepped out;
  for (std::size_t i = 0; i < n; ++i) {
    drive_[i] = heat[i] / capacity_[i];
    out.in_j += heat[i] * step_s;
  }
  for (std::size_t i = 0; i < n; ++i) {
    double t = 0, area = 0;
    for (std::size_t j = 0; j < n; ++j) {
      t += p.e[i * n + j] * celsius[j] + p.s[i * n + j] * drive_[j];
      area += p.s[i * n + j] * celsius[j] + p.r[i * n + j] * drive_[j];
    }
    next_[i] = t;
    integral_[i] = area;
  }
  for (std::size_t i = 0; i < n; ++i) {
    out.out_j += leaving_[i] * integral_[i];
    out.stored_j += capacity_[i] * (next_[i] - celsius[i]);
    celsius[i] = next_[i];
  }
  return out;
}

}  // namespace headroom::cooling
