#include "availability/simulate.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "availability/history.hpp"

namespace headroom::availability {
namespace {

constexpr int piece = 256;  // histories that are added up together, whatever the threads

Tally live(const Prepared& prepared) {
  const int histories = prepared.options.histories;
  const auto pieces = std::size_t((histories + piece - 1) / piece);
  std::vector<Tally> parts(pieces);
  Stage stage(prepared.options.progress, "histories", std::uint64_t(std::max(0, histories)));
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    History history(prepared);
    for (std::size_t i = next++; i < pieces && !stage.stop_asked(); i = next++) {
      const int last = std::min(histories, int(i + 1) * piece);
      for (int h = int(i) * piece; h < last; ++h) history.run(std::uint64_t(h), parts[i]);
      stage.count(std::uint64_t(last - int(i) * piece));
    }
  };
  const auto threads = std::min<std::size_t>(std::size_t(std::max(1, prepared.options.threads)),
                                             std::max<std::size_t>(1, pieces));
  std::vector<std::thread> pool;
  for (std::size_t i = 1; i < threads; ++i) pool.emplace_back(work);
  work();
  for (auto& t : pool) t.join();
  stage.check();
  Tally all;
  for (const auto& part : parts) all.add(part);
  return all;
}

/// Mean a year and 95 % of the sum over histories of `years` each.
Estimate estimate(double sum, double squares, double n, double years) {
  Estimate e;
  if (n <= 0) return e;
  const double mean = sum / n;
  e.mean = mean / years;
  const double variance = n > 1 ? std::max(0.0, squares / n - mean * mean) * n / (n - 1) : 0;
  e.error = 1.96 * std::sqrt(variance / n) / years;
  return e;
}

void add_planned(const Prepared& p, SimulateResult& r) {
  Served served(p.system);
  r.planned_groups = p.planned;
  for (const int index : p.planned) {
    const auto g = std::size_t(index);
    const auto& group = p.system.groups[g];
    const double times = group.units * year_s / group.maintenance_every_s;
    Counts out = idle(p.system);
    out[g] = 1;
    // The site sees it coming: standby units run.
    for (std::size_t b = 0; b < out.size(); ++b)
      if (p.system.groups[b].standby) out[b] = 0;
    if (served.all(out)) continue;
    r.planned_outages += times;
    r.planned_hours += times * group.maintenance_s / 3600;
    std::vector<std::vector<double>> got;
    for (std::size_t v = 0; v < p.system.views.size(); ++v) got.push_back(served.of(v, out));
    const auto least = p.least(got);
    for (std::size_t l = 0; l < least.size(); ++l) {
      const auto& load = p.system.loads[l];
      if (least[l] >= whole) continue;
      // Gangs save first, and lose their restart and not their work.
      r.planned_lost_gpu_s +=
          times *
          (load.gang_gpus * (group.maintenance_s + load.gang_restart_s + load.restart_s) +
           (load.gpus - load.gang_gpus) * (1 - least[l]) * (group.maintenance_s + load.restart_s));
    }
  }
  std::erase_if(r.planned_groups, [&](int g) {
    Counts out(p.system.groups.size(), 0);
    out[std::size_t(g)] = 1;
    return served.all(out);
  });
}

}  // namespace

const char* trigger_name(Trigger t) {
  static constexpr const char* names[] = {"failure",     "common cause",   "error of a person",
                                          "not started", "failed running", "no fuel"};
  return names[std::size_t(t)];
}

double SimulateResult::share_of(int group) const {
  double with = 0, all = 0;
  for (const auto& c : causes) {
    all += c.lost_gpu_s;
    if (std::find(c.groups.begin(), c.groups.end(), group) != c.groups.end()) with += c.lost_gpu_s;
  }
  return all > 0 ? with / all : 0;
}

double SimulateResult::length_s(double share) const {
  double all = 0, sum = 0;
  for (const double n : lengths) all += n;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] > 0 && sum + lengths[i] >= share * all) {
      const double low = i == 0 ? 0 : std::ldexp(1.0, int(i)), high = std::ldexp(1.0, int(i) + 1);
      return std::min(longest_s, low + (high - low) * (share * all - sum) / lengths[i]);
    }
    sum += lengths[i];
  }
  return 0;
}

SimulateResult simulate(const System& system, const SimulateOptions& options) {
  const Prepared prepared(system, options);
  const Tally sum = live(prepared);
  SimulateResult r;
  const double n = std::max(0, options.histories), years = options.years;
  r.years = n * years;
  if (r.years <= 0) return r;
  for (const auto& load : sum.loads) {
    LoadResult l;
    l.hours = load.down_s / 3600 / r.years;
    l.availability = 1 - load.down_s / (r.years * year_s);
    l.outages = load.outages / r.years;
    l.gang_lost_s = load.gang_s / r.years, l.other_lost_s = load.other_s / r.years;
    l.lost_gpu_s = estimate(load.gpu_s, load.gpu_s2, n, years);
    r.loads.push_back(l);
  }
  r.site_hours = estimate(sum.down_s / 3600, sum.down_s2 / 3600 / 3600, n, years);
  r.site_outages = estimate(sum.outages, sum.outages2, n, years);
  r.lost_gpu_s = estimate(sum.gpu_s, sum.gpu_s2, n, years);
  r.availability = 1 - r.site_hours.mean / 8760;
  r.histories_with_outage = sum.with_outage / n;
  r.longest_s = sum.longest_s;
  r.worst_imbalance = sum.worst_imbalance;
  for (std::size_t i = 0; i < triggers; ++i) r.by_trigger[i] = sum.by_trigger[i] / r.years;
  for (std::size_t i = 0; i < r.lengths.size(); ++i) r.lengths[i] = sum.lengths[i] / r.years;
  for (const auto& [key, c] : sum.causes)
    r.causes.push_back({key, c.outages / r.years, c.down_s / 3600 / r.years, c.gpu_s / r.years});
  std::stable_sort(r.causes.begin(), r.causes.end(), [](const Cause& a, const Cause& b) {
    return a.lost_gpu_s != b.lost_gpu_s ? a.lost_gpu_s > b.lost_gpu_s : a.hours > b.hours;
  });
  add_planned(prepared, r);
  return r;
}

}  // namespace headroom::availability
