#include "serving/ledger.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::serving {

Ledger::Ledger(const requests::Stream& stream, const Deployment& deployment, const Slo& slo,
               std::size_t pools)
    : stream_(stream),
      deployment_(deployment),
      pools_(pools),
      slos_(std::max<std::size_t>(1, stream.classes.size()), slo),
      histograms_(!deployment.keep_outcomes),
      counts_(slos_.size() * (pools + 1)),
      times_(histograms_ ? counts_.size() : 0),
      late_(slos_.size()) {
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

void Ledger::ended(const Outcome& o, std::size_t pool) {
  const auto c = stream_.requests[o.request].traffic_class;
  const std::size_t at = cell(c, pool);
  Counts& count = counts_[at];
  ++count.requests;
  const bool told = told_[c] != 0;
  if (told && o.arrival_s > late_s_ && o.arrival_s <= last_s_) ++late_[c].arrived;
  if (o.fate == Fate::in_flight) return;
  latest_s_ = std::max(latest_s_, o.end_s);
  if (told && o.end_s > late_s_ && o.end_s <= last_s_) ++late_[c].ended;
  count.preempted += o.preemptions;
  if (o.fate == Fate::rejected) {
    ++count.rejected;
    count.residency += o.refusal == Refusal::residency ? 1 : 0;
    no_pool_ += o.refusal == Refusal::no_pool ? 1 : 0;
    too_long_ += o.refusal != Refusal::none && pool != pools_ ? 1 : 0;
  }
  if (o.fate == Fate::lost) ++count.lost;
  if (o.fate != Fate::finished) return;
  ++count.finished;
  count.good += good(o) ? 1 : 0;
  count.input += o.prompt, count.output += o.output, count.cached += o.cached;
  gap_sum_ += o.end_s - o.first_token_s, gaps_ += o.output - 1;
  if (!histograms_) return;
  Times& t = times_[at];
  t.ttft.add(ttft_s(o));
  if (o.output > 1) t.tpot.add(tpot_s(o));
  t.e2e.add(o.e2e_s());
}

void Ledger::Counts::add(const Counts& o) {
  requests += o.requests, finished += o.finished, rejected += o.rejected, lost += o.lost;
  good += o.good, residency += o.residency;
  input += o.input, output += o.output, cached += o.cached, preempted += o.preempted;
}

void Ledger::add(Ledger&& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i].add(other.counts_[i]);
  for (std::size_t i = 0; i < times_.size(); ++i) {
    times_[i].ttft.add(other.times_[i].ttft);
    times_[i].tpot.add(other.times_[i].tpot);
    times_[i].e2e.add(other.times_[i].e2e);
  }
  for (std::size_t c = 0; c < late_.size(); ++c) {
    late_[c].arrived += other.late_[c].arrived;
    late_[c].ended += other.late_[c].ended;
  }
  gap_sum_ += other.gap_sum_, gaps_ += other.gaps_;
  latest_s_ = std::max(latest_s_, other.latest_s_);
  shed_ += other.shed_, too_long_ += other.too_long_;
  no_pool_ += other.no_pool_, retried_ += other.retried_;
}

bool Ledger::Backlog::grows() const {
  const auto n = static_cast<double>(arrived);
  const double grown = n - static_cast<double>(ended);
  return n > 0 && grown > 0.05 * n && grown > 3 * std::sqrt(n);
}

bool Ledger::overloaded() const {
  Backlog all;
  for (const auto& b : late_) all.arrived += b.arrived, all.ended += b.ended;
  return all.grows() ||
         std::any_of(late_.begin(), late_.end(), [](const Backlog& b) { return b.grows(); });
}

// --- Reading ----------------------------------------------------------------------------

Ledger::Reading::Reading(const Ledger& ledger, const std::vector<Outcome>& outcomes,
                         const std::vector<std::uint16_t>& pool_of)
    : l_(ledger), values_(ledger.histograms_ ? 0 : ledger.counts_.size()) {
  if (l_.histograms_) return;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    values_[i].ttft.reserve(l_.counts_[i].finished);
    values_[i].tpot.reserve(l_.counts_[i].finished);
    values_[i].e2e.reserve(l_.counts_[i].finished);
  }
  for (const auto& o : outcomes) {
    if (o.fate != Fate::finished) continue;
    const auto c = l_.stream_.requests[o.request].traffic_class;
    Values& v = values_[l_.cell(c, pool_of[o.replica])];
    v.ttft.push_back(l_.ttft_s(o));
    if (o.output > 1) v.tpot.push_back(l_.tpot_s(o));
    v.e2e.push_back(o.e2e_s());
  }
}

Percentiles Ledger::Reading::of(const Histogram& h) const {
  return {h.mean(),
          h.quantile(0.5),
          h.quantile(0.9),
          h.quantile(0.99),
          h.most(),
          h.quantile(0.95),
          h.quantile(l_.deployment_.percentile)};
}

Percentiles Ledger::Reading::of(std::vector<double>& values) const {
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
          q(l_.deployment_.percentile)};
}

Percentiles Ledger::Reading::joined(const std::vector<std::size_t>& cells,
                                    std::vector<double> Values::*which) {
  if (cells.size() == 1) return of(values_[cells[0]].*which);
  all_.clear();
  for (const std::size_t i : cells)
    all_.insert(all_.end(), (values_[i].*which).begin(), (values_[i].*which).end());
  return of(all_);
}

Percentiles Ledger::Reading::joined(const std::vector<std::size_t>& cells,
                                    Histogram Times::*which) const {
  if (cells.size() == 1) return of(l_.times_[cells[0]].*which);
  Histogram sum;
  for (const std::size_t i : cells) sum.add(l_.times_[i].*which);
  return of(sum);
}

void Ledger::Reading::times(const Pick& cells, Percentiles& ttft, Percentiles& tpot,
                            Percentiles& e2e) {
  std::vector<std::size_t> some, every;
  for (const auto& [c, p] : cells) {
    if (at(c, p).finished == 0) continue;
    every.push_back(l_.cell(c, p));
    if (told(c)) some.push_back(every.back());
  }
  const auto& use = some.empty() ? every : some;
  if (l_.histograms_) {
    ttft = joined(use, &Times::ttft), tpot = joined(use, &Times::tpot);
    e2e = joined(use, &Times::e2e);
  } else {
    ttft = joined(use, &Values::ttft), tpot = joined(use, &Values::tpot);
    e2e = joined(use, &Values::e2e);
  }
}

void Ledger::Reading::fill(const Pick& cells, double span_s, Served& out) {
  Counts all, counted;
  bool any_told = false;
  for (const auto& [c, p] : cells) any_told = any_told || (told(c) && at(c, p).requests > 0);
  for (const auto& [c, p] : cells) {
    all.add(at(c, p));
    if (!any_told || told(c)) counted.add(at(c, p));
  }
  out.requests = all.requests, out.finished = all.finished, out.rejected = all.rejected;
  out.lost = all.lost;
  out.in_flight = all.requests - all.finished - all.rejected - all.lost;
  out.input_tokens = all.input, out.output_tokens = all.output, out.cached_tokens = all.cached;
  out.preemptions = all.preempted;
  out.attained = counted.requests > 0 ? double(counted.good) / double(counted.requests) : 0;
  out.goodput_s = span_s > 0 ? double(counted.good) / span_s : 0;
  times(cells, out.ttft, out.tpot, out.e2e);
}

void Ledger::Reading::whole(Summary& s) {
  Pick cells;
  for (std::size_t c = 0; c < classes(); ++c)
    for (std::size_t p = 0; p <= l_.pools_; ++p) cells.emplace_back(c, p);
  s.span_s = std::max(0.0, l_.latest_s_ - l_.begin_s_);
  Served all;
  fill(cells, s.span_s, all);
  s.requests = all.requests, s.finished = all.finished, s.rejected = all.rejected;
  s.lost = all.lost, s.in_flight = all.in_flight;
  s.shed = l_.shed_, s.too_long = l_.too_long_, s.retried = l_.retried_;
  s.no_pool = l_.no_pool_;
  for (std::size_t c = 0; c < classes(); ++c) s.residency += residency(c);
  s.input_tokens = all.input_tokens, s.output_tokens = all.output_tokens;
  s.cached_tokens = all.cached_tokens, s.preemptions = all.preemptions;
  s.ttft = all.ttft, s.tpot = all.tpot, s.e2e = all.e2e;
  s.itl.mean = l_.gaps_ > 0 ? l_.gap_sum_ / l_.gaps_ : 0;
  s.attained = all.attained, s.goodput_s = all.goodput_s;
  s.overloaded = l_.overloaded();
}

}  // namespace headroom::serving
