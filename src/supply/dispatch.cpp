#include "supply/dispatch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "supply/lp.hpp"
#include "supply/mix.hpp"

namespace headroom::supply {
namespace {

double at(const std::vector<double>& v, std::size_t h) { return v.size() == 1 ? v[0] : v[h]; }
double share(const std::vector<double>& v, std::size_t h) { return v.empty() ? 1 : v[h]; }

/// The program's columns and rows by what they stand for.
class Program {
 public:
  explicit Program(const Problem& p) : p_(p), hours_(p.load_mw.size()) {
    for (std::size_t h = 0; h < hours_; ++h)
      balance_.push_back(lp_.row(p.load_mw[h], p.load_mw[h]));
    for (std::size_t h = 0; h < hours_; ++h) months_ = std::max(months_, month(h) + 1);
    for (const auto& s : p.sources) source(s);
    for (const auto& b : p.storages) storage(b);
    for (const auto& r : p.responses) response(r);
    const bool spills = std::any_of(p.sources.begin(), p.sources.end(),
                                    [](const Source& s) { return s.floor > 0; });
    for (std::size_t h = 0; h < hours_; ++h) {
      unserved_.push_back(lp_.column(0, Lp::infinite, p.unserved_usd_mwh));
      lp_.add(balance_[h], unserved_.back(), 1);
      if (!spills) continue;
      spill_.push_back(lp_.column(0, Lp::infinite, 0));
      lp_.add(balance_[h], spill_.back(), -1);
    }
  }

  Result<Dispatch> solve() {
    a_ = lp_.solve(p_.progress);
    if (a_.status != LpStatus::optimal) {
      Diagnostics d;
      d.add({"", 0, 0, "", "the program of the year has no answer",
             a_.status == LpStatus::unbounded ? "a price below 0 without a limit" : "", ""});
      return failure(std::move(d));
    }
    d_.columns = lp_.columns(), d_.rows = lp_.rows(), d_.iterations = a_.iterations;
    d_.objective = a_.objective;
    for (std::size_t s = 0; s < p_.sources.size(); ++s) read_source(s);
    for (std::size_t b = 0; b < p_.storages.size(); ++b) read_storage(b);
    for (std::size_t r = 0; r < p_.responses.size(); ++r) read_response(r);
    for (std::size_t h = 0; h < hours_; ++h) {
      d_.unserved_mw.push_back(value(unserved_[h]));
      d_.spill_mw.push_back(spill_.empty() ? 0 : value(spill_[h]));
      d_.price_usd_mwh.push_back(a_.price[std::size_t(balance_[h])]);
      d_.load_mwh += p_.load_mw[h];
      d_.unserved_mwh += d_.unserved_mw[h], d_.spill_mwh += d_.spill_mw[h];
    }
    d_.usd += d_.unserved_mwh * p_.unserved_usd_mwh;
    balance();
    mix(p_, d_);
    return std::move(d_);
  }

 private:
  struct SourceColumns {
    int first = 0, peak = -1, brief = -1, size = -1, full_row = -1, take_row = -1;
  };
  struct StorageColumns {
    int in = 0, out = 0, charge = 0, size = -1;
  };
  struct ResponseColumns {
    int first = 0, year_row = -1;
    std::vector<int> day_rows;
  };

  int month(std::size_t h) const { return p_.month.empty() ? 0 : p_.month[h]; }
  double value(int column) const { return std::max(0.0, a_.x[std::size_t(column)]); }
  double reduced(int column) const { return a_.reduced[std::size_t(column)]; }

  /// x <= factor * size, of what is sized.
  void at_most(int column, double factor, int size) {
    const int row = lp_.row(-Lp::infinite, 0);
    lp_.add(row, column, 1);
    if (factor > 0) lp_.add(row, size, -factor);
  }

  void source(const Source& s) {
    SourceColumns c;
    c.first = lp_.columns();
    double produced = 0;
    for (std::size_t h = 0; h < hours_; ++h) {
      const double a = share(s.available, h);
      produced += a;
      const double most = s.sized ? (a > 0 ? Lp::infinite : 0) : a * s.capacity_mw;
      const int g = lp_.column(s.sized ? 0 : s.floor * most, most, at(s.cost_usd_mwh, h));
      lp_.add(balance_[h], g, 1);
    }
    if (s.sized) size_source(s, produced, c);
    peaks(s, c);
    sums(s, c);
    sources_.push_back(c);
  }

  void size_source(const Source& s, double produced, SourceColumns& c) {
    c.size = lp_.column(0, s.most_mw, s.fixed_usd_mw + s.paid_usd_mwh * produced);
    for (std::size_t h = 0; h < hours_; ++h) {
      const double a = share(s.available, h);
      if (a <= 0) continue;
      at_most(c.first + int(h), a, c.size);
      if (s.floor <= 0) continue;
      const int row = lp_.row(0, Lp::infinite);
      lp_.add(row, c.first + int(h), 1), lp_.add(row, c.size, -a * s.floor);
    }
  }

  void peaks(const Source& s, SourceColumns& c) {
    if (s.demand_usd_mw <= 0) return;
    c.peak = lp_.columns();
    for (int m = 0; m < months_; ++m) lp_.column(s.least_billed_mw, Lp::infinite, s.demand_usd_mw);
    for (std::size_t h = 0; h < hours_; ++h) at_most(c.first + int(h), 1, c.peak + month(h));
  }

  void sums(const Source& s, SourceColumns& c) {
    const auto sum = [&](double factor, bool upper) {
      const double side = s.sized ? 0 : factor * s.capacity_mw;
      const int row = upper ? lp_.row(-Lp::infinite, side) : lp_.row(side, Lp::infinite);
      for (std::size_t h = 0; h < hours_; ++h) lp_.add(row, c.first + int(h), 1);
      if (s.sized) lp_.add(row, c.size, -factor);
      return row;
    };
    if (std::isfinite(s.full_hours)) c.full_row = sum(s.full_hours, true);
    if (s.take <= 0) return;
    c.take_row = sum(s.take * double(hours_), false);
    c.brief = lp_.column(0, Lp::infinite, s.take_usd_mwh);
    lp_.add(c.take_row, c.brief, 1);
  }

  void storage(const Storage& b) {
    StorageColumns c;
    const double power = b.sized ? Lp::infinite : b.power_mw;
    const double energy = b.sized ? Lp::infinite : b.energy_mwh;
    const auto bank = [&](double most, double cost) {
      const int first = lp_.columns();
      for (std::size_t h = 0; h < hours_; ++h) lp_.column(0, most, cost);
      return first;
    };
    c.in = bank(power, 0), c.out = bank(power, b.wear_usd_mwh), c.charge = bank(energy, 0);
    if (b.sized) c.size = lp_.column(0, b.most_mw, b.fixed_usd_mw);
    for (std::size_t h = 0; h < hours_; ++h) {
      const int i = int(h), before = h == 0 ? int(hours_) - 1 : i - 1;
      lp_.add(balance_[h], c.out + i, 1), lp_.add(balance_[h], c.in + i, -1);
      const int row = lp_.row(0, 0);
      lp_.add(row, c.in + i, b.in), lp_.add(row, c.out + i, -1 / b.out);
      if (before == i) {
        lp_.add(row, c.charge + i, b.keep - 1);
      } else {
        lp_.add(row, c.charge + i, -1), lp_.add(row, c.charge + before, b.keep);
      }
      if (!b.sized) continue;
      at_most(c.in + i, 1, c.size), at_most(c.out + i, 1, c.size);
      at_most(c.charge + i, b.hours, c.size);
    }
    storages_.push_back(c);
  }

  void response(const Response& r) {
    ResponseColumns c;
    c.first = lp_.columns();
    for (std::size_t h = 0; h < hours_; ++h) {
      const double most = std::min(r.power_mw, p_.load_mw[h]) * share(r.allowed, h);
      const int x = lp_.column(0, most, r.lost_usd_mwh - r.paid_usd_mwh);
      lp_.add(balance_[h], x, 1);
    }
    const auto limit = [&](std::size_t from, std::size_t to, double most) {
      const int row = lp_.row(-Lp::infinite, most * r.power_mw);
      for (std::size_t h = from; h < to; ++h) lp_.add(row, c.first + int(h), 1);
      return row;
    };
    if (std::isfinite(r.hours)) c.year_row = limit(0, hours_, r.hours);
    if (std::isfinite(r.day_hours))
      for (std::size_t h = 0; h < hours_; h += 24)
        c.day_rows.push_back(limit(h, std::min(h + 24, hours_), r.day_hours));
    responses_.push_back(c);
  }

  void read_source(std::size_t k) {
    const auto& s = p_.sources[k];
    const auto& c = sources_[k];
    SourceYear y;
    y.capacity_mw = s.sized ? value(c.size) : s.capacity_mw;
    double produced = 0, slope = 0;
    for (std::size_t h = 0; h < hours_; ++h) {
      const double a = share(s.available, h), g = value(c.first + int(h));
      y.used_mw.push_back(g);
      y.used_mwh += g, produced += a;
      y.energy_usd += g * at(s.cost_usd_mwh, h);
      y.carbon_kg += g * at(s.carbon_kg_mwh, h);
      y.low_h += g > 1e-6 && g < (s.low - 1e-9) * y.capacity_mw ? 1 : 0;
      const double d = reduced(c.first + int(h));
      slope += d < 0 ? d * a : d * a * s.floor;
    }
    y.available_mwh = produced * y.capacity_mw;
    const double fixed = s.fixed_usd_mw + s.paid_usd_mwh * produced;
    y.fixed_usd = fixed * y.capacity_mw;
    for (int m = 0; c.peak >= 0 && m < months_; ++m) {
      y.peak_mw.push_back(value(c.peak + m));
      y.demand_usd += y.peak_mw.back() * s.demand_usd_mw;
    }
    if (c.full_row >= 0) slope += a_.price[std::size_t(c.full_row)] * s.full_hours;
    if (c.take_row >= 0) {
      slope += a_.price[std::size_t(c.take_row)] * s.take * double(hours_);
      y.not_taken_mwh = value(c.brief);
      y.take_usd = y.not_taken_mwh * s.take_usd_mwh;
    }
    y.saving_usd_mw = s.sized ? -reduced(c.size) : -(slope + fixed);
    d_.usd += y.usd();
    d_.sources.push_back(std::move(y));
  }

  void read_storage(std::size_t k) {
    const auto& b = p_.storages[k];
    const auto& c = storages_[k];
    StorageYear y;
    y.power_mw = b.sized ? value(c.size) : b.power_mw;
    y.energy_mwh = b.sized ? y.power_mw * b.hours : b.energy_mwh;
    const double hours = b.power_mw > 0 ? b.energy_mwh / b.power_mw : 0;
    double slope = 0;
    for (int h = 0; h < int(hours_); ++h) {
      y.in_mw.push_back(value(c.in + h)), y.out_mw.push_back(value(c.out + h));
      y.charge_mwh.push_back(value(c.charge + h));
      y.in_mwh += y.in_mw.back(), y.out_mwh += y.out_mw.back();
      slope += std::min(0.0, reduced(c.in + h)) + std::min(0.0, reduced(c.out + h)) +
               hours * std::min(0.0, reduced(c.charge + h));
    }
    y.wear_usd = y.out_mwh * b.wear_usd_mwh;
    y.fixed_usd = b.fixed_usd_mw * y.power_mw;
    y.saving_usd_mw = b.sized ? -reduced(c.size) : -(slope + b.fixed_usd_mw);
    d_.usd += y.wear_usd + y.fixed_usd;
    d_.storages.push_back(std::move(y));
  }

  void read_response(std::size_t k) {
    const auto& r = p_.responses[k];
    const auto& c = responses_[k];
    ResponseYear y;
    double slope = -r.income_usd_mw;
    for (std::size_t h = 0; h < hours_; ++h) {
      y.less_mw.push_back(value(c.first + int(h)));
      y.less_mwh += y.less_mw.back();
      if (r.power_mw < p_.load_mw[h])
        slope += std::min(0.0, reduced(c.first + int(h))) * share(r.allowed, h);
    }
    if (c.year_row >= 0) slope += a_.price[std::size_t(c.year_row)] * r.hours;
    for (const int row : c.day_rows) slope += a_.price[std::size_t(row)] * r.day_hours;
    y.income_usd = y.less_mwh * r.paid_usd_mwh + r.power_mw * r.income_usd_mw;
    y.lost_usd = y.less_mwh * r.lost_usd_mwh;
    y.saving_usd_mw = -slope;
    d_.usd += y.lost_usd - y.income_usd;
    d_.responses.push_back(std::move(y));
  }

  /// The program leaves out what does not depend on it.
  void balance() {
    for (const auto& s : d_.sources)
      if (const auto k = std::size_t(&s - d_.sources.data()); !p_.sources[k].sized)
        d_.objective += s.fixed_usd;
    for (std::size_t k = 0; k < d_.storages.size(); ++k)
      if (!p_.storages[k].sized) d_.objective += d_.storages[k].fixed_usd;
    for (const auto& r : p_.responses) d_.objective -= r.power_mw * r.income_usd_mw;
    const double most = *std::max_element(p_.load_mw.begin(), p_.load_mw.end());
    for (std::size_t h = 0; h < hours_; ++h) {
      double sum = d_.unserved_mw[h] - d_.spill_mw[h] - p_.load_mw[h];
      for (const auto& s : d_.sources) sum += s.used_mw[h];
      for (const auto& b : d_.storages) sum += b.out_mw[h] - b.in_mw[h];
      for (const auto& r : d_.responses) sum += r.less_mw[h];
      d_.imbalance = std::max(d_.imbalance, std::abs(sum) / std::max(most, 1e-12));
    }
  }

  const Problem& p_;
  std::size_t hours_;
  int months_ = 1;
  Lp lp_;
  LpAnswer a_;
  Dispatch d_;
  std::vector<int> balance_, unserved_, spill_;
  std::vector<SourceColumns> sources_;
  std::vector<StorageColumns> storages_;
  std::vector<ResponseColumns> responses_;
};

bool fits(const std::vector<double>& v, std::size_t hours, bool may_be_empty) {
  return (may_be_empty && v.empty()) || (!may_be_empty && v.size() == 1) || v.size() == hours;
}
bool within(const std::vector<double>& v, double low, double high) {
  return std::all_of(v.begin(), v.end(), [&](double x) { return x >= low && x <= high; });
}

}  // namespace

std::vector<std::string> mistakes_of(const Problem& p) {
  std::vector<std::string> out;
  const auto wrong = [&](bool bad, const std::string& name, const char* what) {
    if (bad) out.push_back(fmt::format("{}: {}", name, what));
  };
  const std::size_t n = p.load_mw.size();
  constexpr double most = 1e12;
  wrong(n == 0, "load", "has no hour");
  wrong(!within(p.load_mw, 0, most), "load", "is below 0 or no number");
  wrong(!p.month.empty() && p.month.size() != n, "months", "are not one an hour");
  wrong(!(p.unserved_usd_mwh > 0), "unserved energy", "must cost something");
  for (const auto& s : p.sources) {
    wrong(!fits(s.available, n, true) || !within(s.available, 0, 1), s.name,
          "its availability is not one share an hour");
    wrong(!fits(s.cost_usd_mwh, n, false) || !within(s.cost_usd_mwh, -most, most), s.name,
          "its cost is not one number, or one an hour");
    wrong(!fits(s.carbon_kg_mwh, n, false), s.name, "its carbon is not one number, or one an hour");
    wrong(!fits(s.clean, n, false) || !within(s.clean, 0, 1), s.name,
          "its carbon-free share is not one share, or one an hour");
    wrong(!(s.capacity_mw >= 0 && s.capacity_mw <= most), s.name, "its capacity is below 0");
    wrong(!(s.floor >= 0 && s.floor <= 1), s.name, "its floor is no share");
    wrong(s.sized && !(s.most_mw > 0 && s.most_mw <= most), s.name, "is sized without a most");
  }
  for (const auto& b : p.storages) {
    wrong(!(b.in > 0 && b.in <= 1 && b.out > 0 && b.out <= 1), b.name,
          "its efficiency is not between 0 and 1");
    wrong(!(b.keep >= 0 && b.keep <= 1), b.name, "what it keeps an hour is no share");
    wrong(!(b.power_mw >= 0 && b.energy_mwh >= 0), b.name, "its power or energy is below 0");
    wrong(b.sized && !(b.most_mw > 0 && b.hours > 0), b.name, "is sized without a most");
  }
  for (const auto& r : p.responses)
    wrong(!fits(r.allowed, n, true) || !within(r.allowed, 0, 1), r.name,
          "its hours are not one flag an hour");
  return out;
}

Result<Dispatch> dispatch(const Problem& problem) {
  Diagnostics mistakes;
  for (const auto& text : mistakes_of(problem)) mistakes.add({"", 0, 0, "", text, "", ""});
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return Program(problem).solve();
}

}  // namespace headroom::supply
