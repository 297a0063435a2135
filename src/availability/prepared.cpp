#include "availability/prepared.hpp"

#include <algorithm>

#include "availability/exact.hpp"

namespace headroom::availability {
namespace {

/// Walker's construction: rates to (share, alias).
void make_alias(std::vector<Source>& sources, const std::vector<double>& rates, double sum) {
  const std::size_t n = sources.size();
  std::vector<double> scaled(n);
  std::vector<std::size_t> small, large;
  for (std::size_t i = 0; i < n; ++i) {
    scaled[i] = rates[i] / sum * double(n);
    (scaled[i] < 1 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const auto s = small.back(), l = large.back();
    small.pop_back();
    sources[s].share = scaled[s], sources[s].alias = int(l);
    scaled[l] -= 1 - scaled[s];
    if (scaled[l] < 1) large.pop_back(), small.push_back(l);
  }
  for (const auto i : small) sources[i].share = 1;
  for (const auto i : large) sources[i].share = 1;
}

/// Every sink that is short in `out` has ride enough for `start_s`; `failures`: chances that it is
/// not there.
bool rides(const System& system, Served& served, const Counts& out, double start_s,
           std::vector<double>& failures) {
  for (std::size_t v = 0; v < system.views.size(); ++v) {
    const auto& got = served.of(v, out);
    for (std::size_t s = 0; s < got.size(); ++s) {
      if (got[s] >= whole) continue;
      const auto& sink = system.views[v].sinks[s];
      if (ride_at(sink, 1 - got[s]).rate * start_s >= 1) return false;
      if (sink.ride_failure > 0) failures.push_back(sink.ride_failure);
    }
  }
  return true;
}

}  // namespace

Prepared::Prepared(const System& s, const SimulateOptions& o)
    : system(s), options(o), horizon_s(o.years * year_s) {
  make_alone();
  make_sources();
  make_calendar();
  for (const auto& v : system.views) {
    auto& w = weights.emplace_back();
    std::vector<double> sum(system.loads.size());
    for (const auto& sink : v.sinks) sum[std::size_t(sink.load)] += sink.weight;
    for (const auto& sink : v.sinks) {
      w.push_back(sink.weight / sum[std::size_t(sink.load)]);
      longest_recovery_s = std::max(longest_recovery_s, sink.recover_s);
    }
  }
  starts.resize(system.groups.size());
  for (std::size_t g = 0; g < system.groups.size(); ++g) {
    const auto& group = system.groups[g];
    if (!group.standby) continue;
    const double alone_fails = 1 - group.ready * (1 - (1 - group.beta) * group.failure_to_start);
    double sum = 0;
    for (int k = 0; k <= group.units; ++k)
      starts[g].push_back(sum += binomial(group.units, k, 1 - alone_fails));
    starts[g].back() = 1;
  }
}

void Prepared::make_alone() {
  Served served(system);
  alone.resize(system.groups.size());
  const auto standbys = std::count_if(system.groups.begin(), system.groups.end(),
                                      [](const Group& g) { return g.standby; });
  for (std::size_t g = 0; g < alone.size(); ++g) {
    if (system.groups[g].standby) continue;
    Counts out = idle(system);
    out[g] = 1;
    auto& a = alone[g];
    a.harmless = served.all(out);
    if (a.harmless || standbys != 1) continue;
    for (std::size_t b = 0; b < alone.size(); ++b) {
      const auto& group = system.groups[b];
      if (!group.standby || !rides(system, served, out, group.start_s, a.ride_failures)) continue;
      for (int k = 1; k <= group.units && a.standby < 0; ++k) {
        Counts with = out;
        with[b] = group.units - k;
        if (served.all(with)) a.standby = int(b), a.running = k;
      }
      if (a.standby >= 0) break;
    }
  }
}

void Prepared::make_sources() {
  std::vector<double> rates;
  const auto add = [&](std::size_t g, Strike what, double r) {
    if (r <= 0) return;
    Source source;
    source.group = int(g), source.what = what;
    source.alias = int(sources.size());
    sources.push_back(source);
    rates.push_back(r);
    rate += r;
  };
  for (std::size_t g = 0; g < system.groups.size(); ++g) {
    const auto& group = system.groups[g];
    if (group.standby) continue;
    const double one = group.mtbf_s > 0 ? 1 / group.mtbf_s : 0;
    const double beta = group.units > 1 ? group.beta : 0;
    if (group.shape == 1)
      add(g, Strike::single, (1 - beta) * one * group.units);
    else if (one > 0)
      weibull.push_back(int(g));
    add(g, Strike::common, beta * one);
    if (group.maintenance_every_s > 0 && group.units > 1)
      add(g, Strike::person, options.error * group.units / group.maintenance_every_s);
  }
  if (!sources.empty()) make_alias(sources, rates, rate);
}

void Prepared::make_calendar() {
  for (std::size_t g = 0; g < system.groups.size(); ++g) {
    const auto& group = system.groups[g];
    if (group.maintenance_every_s <= 0 || group.standby || group.external) continue;
    if (!alone[g].harmless) {
      planned.push_back(int(g));
      continue;
    }
    // Unit by unit, evenly over the interval; groups begin apart by the golden section.
    const double apart = group.maintenance_every_s / group.units;
    const double golden = 0.6180339887498949 * double(g + 1);
    double first = (golden - double(std::uint64_t(golden))) * apart;
    for (double t = first; t < horizon_s; t += apart)
      windows_.push_back({t, std::min(t + group.maintenance_s, t + apart), int(g)});
  }
  any_calendar = !windows_.empty();
  if (!any_calendar) return;
  const auto buckets = std::size_t(horizon_s / bucket_s) + 2;
  std::vector<std::uint32_t> count(buckets + 1, 0);
  const auto each = [&](const Window& w, auto f) {
    const auto last = std::min(buckets - 1, std::size_t(w.to / bucket_s));
    for (auto b = std::size_t(w.from / bucket_s); b <= last; ++b) f(b);
  };
  for (const auto& w : windows_) each(w, [&](std::size_t b) { ++count[b + 1]; });
  for (std::size_t b = 1; b < count.size(); ++b) count[b] += count[b - 1];
  bucket_at_ = count;
  in_bucket_.resize(bucket_at_.back());
  for (std::size_t i = 0; i < windows_.size(); ++i)
    each(windows_[i], [&](std::size_t b) { in_bucket_[count[b]++] = std::uint32_t(i); });
}

}  // namespace headroom::availability
