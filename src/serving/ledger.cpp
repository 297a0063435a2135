#include "serving/ledger.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::serving {

Ledger::Ledger(const requests::Stream& stream, const Deployment& deployment, const Slo& slo)
    : stream_(stream),
      deployment_(deployment),
      slos_(std::max<std::size_t>(1, stream.classes.size()), slo),
      histograms_(!deployment.keep_outcomes),
      counts_(slos_.size()),
      times_(histograms_ ? slos_.size() : 0) {
  for (std::size_t c = 0; c < std::min(slos_.size(), deployment.classes.size()); ++c)
    if (deployment.classes[c].slo.any()) slos_[c] = deployment.classes[c].slo;
  told_.assign(slos_.size(), 1);
  for (std::size_t c = 0; c < std::min(slos_.size(), deployment.classes.size()); ++c)
    if (deployment.classes[c].offline) told_[c] = 0;
  if (std::find(told_.begin(), told_.end(), 1) == told_.end()) told_.assign(slos_.size(), 1);
  bool any = false;
  for (const auto& r : stream.requests) {
    if (r.after != requests::no_request) continue;
    if (!any) begin_s_ = r.arrival_s;
    any = true;
    last_s_ = r.arrival_s;
  }
  late_s_ = begin_s_ + (last_s_ - begin_s_) * 2 / 3;
}

double Ledger::ttft_s(const Outcome& o) const {
  const bool queue = deployment_.definitions.ttft == TtftFrom::arrival;
  return o.first_token_s - (queue ? o.arrival_s : o.scheduled_s);
}

double Ledger::tpot_s(const Outcome& o) const {
  if (deployment_.definitions.tpot == TpotOver::excluding_first) return o.tpot_s();
  return o.output > 0 ? o.e2e_s() / o.output : 0;
}

bool Ledger::good(const Outcome& o) const {
  if (o.fate != Fate::finished) return false;
  const Slo& slo = slos_[stream_.requests[o.request].traffic_class];
  return (slo.ttft_s <= 0 || ttft_s(o) <= slo.ttft_s) &&
         (slo.tpot_s <= 0 || tpot_s(o) <= slo.tpot_s) && (slo.e2e_s <= 0 || o.e2e_s() <= slo.e2e_s);
}

void Ledger::ended(const Outcome& o) {
  const auto c = stream_.requests[o.request].traffic_class;
  Counts& count = counts_[c];
  ++count.requests;
  const bool told = told_[c] != 0;
  if (told && o.arrival_s > late_s_ && o.arrival_s <= last_s_) ++arrived_late_;
  if (o.fate == Fate::in_flight) return;
  latest_s_ = std::max(latest_s_, o.end_s);
  if (told && o.end_s > late_s_ && o.end_s <= last_s_) ++ended_late_;
  preempted_ += o.preemptions;
  if (o.fate == Fate::rejected) ++count.rejected;
  if (o.fate == Fate::lost) ++count.lost;
  if (o.fate != Fate::finished) return;
  ++count.finished;
  count.good += good(o) ? 1 : 0;
  input_ += o.prompt, output_ += o.output, cached_ += o.cached;
  gap_sum_ += o.end_s - o.first_token_s, gaps_ += o.output - 1;
  if (!histograms_) return;
  Times& t = times_[c];
  t.ttft.add(ttft_s(o));
  if (o.output > 1) t.tpot.add(tpot_s(o));
  t.e2e.add(o.e2e_s());
}

void Ledger::add(Ledger&& other) {
  for (std::size_t c = 0; c < counts_.size(); ++c) {
    counts_[c].requests += other.counts_[c].requests;
    counts_[c].finished += other.counts_[c].finished;
    counts_[c].rejected += other.counts_[c].rejected;
    counts_[c].lost += other.counts_[c].lost;
    counts_[c].good += other.counts_[c].good;
  }
  for (std::size_t c = 0; c < times_.size(); ++c) {
    times_[c].ttft.add(other.times_[c].ttft);
    times_[c].tpot.add(other.times_[c].tpot);
    times_[c].e2e.add(other.times_[c].e2e);
  }
  input_ += other.input_, output_ += other.output_, cached_ += other.cached_;
  gap_sum_ += other.gap_sum_, gaps_ += other.gaps_;
  latest_s_ = std::max(latest_s_, other.latest_s_);
  preempted_ += other.preempted_, shed_ += other.shed_, too_long_ += other.too_long_;
  retried_ += other.retried_;
  arrived_late_ += other.arrived_late_, ended_late_ += other.ended_late_;
}

Percentiles Ledger::of(const Histogram& h) const {
  return {h.mean(),
          h.quantile(0.5),
          h.quantile(0.9),
          h.quantile(0.99),
          h.most(),
          h.quantile(0.95),
          h.quantile(deployment_.percentile)};
}

Percentiles Ledger::of(std::vector<double>& values) const {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (const double v : values) sum += v;
  const auto q = [&](double p) { return exact_quantile(values, p); };
  return {sum / static_cast<double>(values.size()),
          q(0.5),
          q(0.9),
          q(0.99),
          values.back(),
          q(0.95),
          q(deployment_.percentile)};
}

bool Ledger::overloaded() const {
  const auto arrived = static_cast<double>(arrived_late_);
  const double grown = arrived - static_cast<double>(ended_late_);
  return arrived > 0 && grown > 0.05 * arrived && grown > 3 * std::sqrt(arrived);
}

void Ledger::classes(const std::vector<Outcome>& outcomes, Summary& s) const {
  const std::size_t n = slos_.size();
  std::vector<std::vector<double>> ttft(n), tpot(n), e2e(n);
  std::vector<double> all;
  for (const auto& o : outcomes) {
    if (o.fate != Fate::finished) continue;
    const auto c = stream_.requests[o.request].traffic_class;
    ttft[c].push_back(ttft_s(o));
    if (o.output > 1) tpot[c].push_back(tpot_s(o));
    e2e[c].push_back(o.e2e_s());
  }
  Times whole;
  for (std::size_t c = 0; c < n && histograms_; ++c) {
    if (told_[c] == 0) continue;
    whole.ttft.add(times_[c].ttft);
    whole.tpot.add(times_[c].tpot);
    whole.e2e.add(times_[c].e2e);
  }
  for (std::size_t c = 0; c < n && n > 1; ++c) {
    ClassSummary k;
    k.name = stream_.classes[c];
    k.requests = counts_[c].requests, k.finished = counts_[c].finished;
    k.rejected = counts_[c].rejected, k.lost = counts_[c].lost;
    k.in_flight = k.requests - k.finished - k.rejected - k.lost;
    k.attained = k.requests > 0 ? double(counts_[c].good) / double(k.requests) : 0;
    k.ttft = histograms_ ? of(times_[c].ttft) : of(ttft[c]);
    k.tpot = histograms_ ? of(times_[c].tpot) : of(tpot[c]);
    k.e2e = histograms_ ? of(times_[c].e2e) : of(e2e[c]);
    s.classes.push_back(std::move(k));
  }
  const auto joined = [&](std::vector<std::vector<double>>& parts) {
    if (n == 1) return of(parts[0]);
    all.clear();
    for (std::size_t c = 0; c < n; ++c)
      if (told_[c] != 0) all.insert(all.end(), parts[c].begin(), parts[c].end());
    return of(all);
  };
  s.ttft = histograms_ ? of(whole.ttft) : joined(ttft);
  s.tpot = histograms_ ? of(whole.tpot) : joined(tpot);
  s.e2e = histograms_ ? of(whole.e2e) : joined(e2e);
}

void Ledger::finish(const std::vector<Outcome>& outcomes, Summary& s) const {
  std::size_t good = 0, told = 0;
  for (std::size_t c = 0; c < counts_.size(); ++c) {
    const Counts& count = counts_[c];
    s.requests += count.requests, s.finished += count.finished;
    s.rejected += count.rejected, s.lost += count.lost;
    if (told_[c] == 0) continue;
    good += count.good;
    told += count.requests;
  }
  s.in_flight = s.requests - s.finished - s.rejected - s.lost;
  s.shed = shed_, s.too_long = too_long_, s.retried = retried_;
  s.span_s = std::max(0.0, latest_s_ - begin_s_);
  s.input_tokens = input_, s.output_tokens = output_, s.cached_tokens = cached_;
  s.preemptions = static_cast<double>(preempted_);
  classes(outcomes, s);
  s.itl.mean = gaps_ > 0 ? gap_sum_ / gaps_ : 0;
  s.attained = told > 0 ? double(good) / double(told) : 0;
  s.goodput_s = s.span_s > 0 ? double(good) / s.span_s : 0;
  s.overloaded = overloaded();
}

}  // namespace headroom::serving
