#include "validation/infer_fit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>

#include "validation/report.hpp"

namespace headroom::validation {
namespace {

// What a row scatters by where everything is known, and how far a family's numbers lie from the
// wider one's: spread of the visible groups' own fits (docs/validation.md prints what they give).
constexpr double noise = 0.05;
constexpr Tuning spread{0.2, 0.3, 0.5, 0.4, 1.0e-3, 1e-5, 3e-4};
// How far a group's level lies from its family's, as a share: rows of one group are no
// independent witnesses of the family.
constexpr double between_groups = 0.12;
// All kernels of a group together lie further off than each beside the others.
constexpr double scale_spread = 0.1;
constexpr std::size_t factors = 4;  // of the numbers: products, caches, links, prompts
constexpr double family_tightness = 0.1;
constexpr Tuning least{0.2, 0.1, 0.1, 0.1, 0, 0, 0};

/// What a row with this relative error counts for: one alone (Huber) far off may be right, whole
/// groups far off say nothing of their family (Cauchy).
double weight_of(double error, std::size_t level) {
  constexpr double knee = 0.10;
  const double e = std::abs(error) / knee;
  if (level + 1 < tuning_levels) return 1 / (1 + e * e);
  return e <= 1 ? 1 : 1 / e;
}

/// What a row counts for: several statistics of one measured row share its weight, and above the
/// last level the rows of a group share what one group can tell.
std::vector<double> shares(const std::vector<const FitRow*>& rows, std::size_t level) {
  std::map<std::string, double> by_row, by_group;
  for (const auto* r : rows) by_row[r->row] += 1, by_group[r->families.back()] += 1;
  std::vector<double> out;
  for (const auto* r : rows) {
    const double n = level + 1 < tuning_levels ? by_group.at(r->families.back()) : 0;
    const double variance = noise * noise + n * between_groups * between_groups;
    out.push_back(noise * noise / variance / by_row.at(r->row));
  }
  return out;
}

/// Numbers on their way: all factors share one scale, and each number leaves it by itself.
struct Search {
  Tuning wider{};
  double scale = 1;
  Tuning own{};  ///< beside scale x wider

  Tuning numbers() const {
    Tuning x{};
    for (std::size_t k = 0; k < tuning_terms; ++k)
      x[k] = std::max(least[k], (k < factors ? scale : 1) * wider[k] + own[k]);
    return x;
  }
};

/// The best step along one direction (what a row's time grows by): weighted squares and the
/// prior's (now - at)^2 / sd^2.
double best_step(const std::vector<const FitRow*>& rows, const std::vector<double>& weights,
                 const Tuning& x, const Tuning& direction, double now, double sd) {
  double a = 1 / (sd * sd), b = -now * a;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& r = *rows[i];
    double slope = 0;
    for (std::size_t k = 0; k < tuning_terms; ++k) slope += direction[k] * r.terms[k];
    slope /= r.measured;
    const double w = weights[i] / (noise * noise);
    a += w * slope * slope, b += w * slope * (1 - r.predicted(x) / r.measured);
  }
  return b / a;
}

/// One pass of coordinate descent.
void descend(const std::vector<const FitRow*>& rows, const std::vector<double>& weights,
             double tightness, Search& s) {
  Tuning all{};
  for (std::size_t k = 0; k < factors; ++k) all[k] = s.wider[k];
  s.scale += best_step(rows, weights, s.numbers(), all, s.scale - 1, scale_spread);
  s.scale = std::max(0.1, s.scale);
  for (std::size_t k = 0; k < tuning_terms; ++k) {
    Tuning one{};
    one[k] = 1;
    s.own[k] += best_step(rows, weights, s.numbers(), one, s.own[k], spread[k] * tightness);
    const double base = (k < factors ? s.scale : 1) * s.wider[k];
    s.own[k] = std::max(s.own[k], least[k] - base);
  }
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 14695981039346656037ull;  // FNV-1a
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  // Ids that differ in their last digit alone must not stay neighbours.
  h ^= h >> 33, h *= 0xff51afd7ed558ccdull, h ^= h >> 33;
  return h;
}

Tuning fit_level(const std::vector<const FitRow*>& rows, const Tuning& wider, std::size_t level,
                 double tightness) {
  Search s{wider};
  Tuning x = wider;
  const auto share = shares(rows, level);
  std::vector<double> weights(rows.size(), 1);
  constexpr int rounds = 5, passes = 15;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      weights[i] = share[i] * weight_of(rows[i]->predicted(x) / rows[i]->measured - 1, level);
    for (int pass = 0; pass < passes; ++pass) descend(rows, weights, tightness, s);
    x = s.numbers();
  }
  return x;
}

}  // namespace

Families families_of(const InferCase& c) {
  const auto& software = c.software->id;
  const auto precision = std::string(name(c.layout.weights));
  // DeepSeek's V3 and R1 are one network.
  const auto& m = *c.model;
  const auto network = fmt::format("{}|{}x{}x{}", software, m.layers, m.hidden, m.moe.experts);
  const auto format = fmt::format("{}|{}", network, precision);
  const bool split = c.scene == Scene::disaggregated;
  return {"", software, network, format,
          fmt::format("{}|{}|{}{}", format, c.device.id, m.id, split ? "|split" : "")};
}

double FitRow::predicted(const Tuning& t) const {
  double s = rest;
  for (std::size_t k = 0; k < tuning_terms; ++k) s += t[k] * terms[k];
  return s;
}

FitRow fit_row(const InferCase& c, const Estimate& e, const Measure& m) {
  const auto& d = e.parts.decode;
  const auto& p = e.parts.prompt;
  FitRow r;
  r.row = c.id, r.families = families_of(c);
  r.terms = {(d.linear + d.experts + d.activations).si(),
             d.attention.si(),
             (d.collectives + p.collectives).si(),
             (p.linear + p.experts + p.activations + p.attention).si(),
             e.parts.steps,
             e.parts.decodes,
             e.parts.prompts};
  r.rest = (d.host + p.host).si();
  const double total = r.predicted(no_tuning);
  r.measured = m.unit == "s" ? total * m.value / e.value : total * e.value / m.value;
  return r;
}

namespace {

/// Mean of |ln error| of a group's rows, each measured row left out in turn; large errors count
/// as much as one of 30 %.
double left_out_loss(const std::vector<const FitRow*>& rows, const Tuning& wider,
                     double tightness) {
  std::set<std::string> ids;
  for (const auto* r : rows) ids.insert(r->row);
  double loss = 0;
  for (const auto& id : ids) {
    std::vector<const FitRow*> others;
    for (const auto* r : rows)
      if (r->row != id) others.push_back(r);
    const auto x = fit_level(others, wider, tuning_levels - 1, tightness);
    for (const auto* r : rows)
      if (r->row == id)
        loss += std::min(0.3, std::abs(std::log(std::max(1e-12, r->predicted(x)) / r->measured)));
  }
  return loss / double(rows.size());
}

}  // namespace

Tuning fit_group(const std::vector<const FitRow*>& rows, const Tuning& wider, double tightness) {
  constexpr std::array choices{0.1, 0.5, 2.0};
  constexpr double usual = 0.5, most = 60;  // beyond so many rows the choice hardly matters
  if (tightness <= 0) {
    tightness = usual;
    double best = 1e300;
    if (rows.size() > 2 && rows.size() <= most)
      for (const double c : choices)
        if (const double loss = left_out_loss(rows, wider, c); loss < best * 0.98)
          best = loss, tightness = c;
  }
  return fit_level(rows, wider, tuning_levels - 1, tightness);
}

void Tunings::fit(const std::vector<FitRow>& rows, const std::string& without, std::size_t levels) {
  for (std::size_t level = 0; level < levels; ++level) {
    std::map<std::string, std::vector<const FitRow*>> families;
    for (const auto& r : rows)
      if (without.empty() || r.families.back() != without)
        families[r.families[level]].push_back(&r);
    for (const auto& [family, members] : families) {
      Tuning wider = no_tuning;
      if (level > 0) wider = by_family_.at(members.front()->families[level - 1]);
      by_family_[family] = level + 1 < tuning_levels
                               ? fit_level(members, wider, level, family_tightness)
                               : fit_group(members, wider);
    }
  }
}

Tunings Tunings::of_others(const std::vector<FitRow>& rows, const std::string& group) {
  Tunings t;
  t.fit(rows, group, tuning_levels - 1);
  return t;
}

const Tuning& Tunings::of(const Families& families) const {
  const int level = level_of(families);
  return level < 0 ? no_tuning : by_family_.at(families[std::size_t(level)]);
}

int Tunings::level_of(const Families& families) const {
  for (int level = tuning_levels - 1; level >= 0; --level)
    if (by_family_.count(families[std::size_t(level)]) > 0) return level;
  return -1;
}

std::vector<Residual> leave_one_row_out(const std::vector<FitRow>& rows) {
  const Tunings all(rows);
  std::map<std::string, std::vector<const FitRow*>> groups;
  for (const auto& r : rows) groups[r.families.back()].push_back(&r);
  std::vector<Residual> out;
  for (const auto& [group, members] : groups) {
    Families wider = members.front()->families;
    wider.back() = "?";  // the family without the group's own numbers
    std::set<std::string> ids;
    for (const auto* r : members) ids.insert(r->row);
    for (const auto& id : ids) {
      std::vector<const FitRow*> others;
      for (const auto* r : members)
        if (r->row != id) others.push_back(r);
      const auto tuning = others.empty() ? Tunings::of_others(rows, group).of(wider)
                                         : fit_group(others, all.of(wider));
      for (const auto* r : members)
        if (r->row == id)
          out.push_back({r->families, r->row, "token",
                         std::log(r->measured / std::max(1e-12, r->predicted(tuning)))});
    }
  }
  return out;
}

std::vector<Residual> leave_one_group_out(const std::vector<FitRow>& rows) {
  std::map<std::string, std::vector<const FitRow*>> groups;
  for (const auto& r : rows) groups[r.families.back()].push_back(&r);
  std::vector<Residual> out;
  for (const auto& [group, members] : groups) {
    const auto others = Tunings::of_others(rows, group);
    for (const auto* r : members)
      out.push_back(
          {r->families, r->row, "token",
           std::log(r->measured / std::max(1e-12, r->predicted(others.of(r->families))))});
  }
  return out;
}

namespace {

/// The quantile of which a further value falls short with this chance: the (n + 1) share-th order
/// statistic, where the plain one covers too little for small n.
double further(std::vector<double> values, double share) {
  const double n = double(values.size());
  if (n < 2) return quantile(std::move(values), share);
  return quantile(std::move(values), std::clamp(((n + 1) * share - 1) / (n - 1), 0.0, 1.0));
}

}  // namespace

Spread Spreads::of(const Families& families, const std::string& kind, const std::string& row,
                   bool whole_group, const Spread& start) const {
  Spread s = start;
  constexpr double drawn = 12;  // rows that weigh as much as the wider level
  for (std::size_t level = 0; level < tuning_levels; ++level) {
    std::vector<double> values;
    for (const auto& r : residuals_) {
      if (r.kind != kind || r.families[level] != families[level] || r.row == row) continue;
      if (whole_group && r.families.back() == families.back()) continue;
      values.push_back(r.ln);
    }
    const double n = double(values.size());
    if (n < 1) continue;
    const double own = n / (n + drawn);
    s.low = own * further(values, 0.1) + (1 - own) * s.low;
    s.high = own * further(values, 0.9) + (1 - own) * s.high;
    s.rows = values.size();
  }
  return s;
}

std::map<std::string, bool> halves(const std::vector<std::pair<std::string, std::string>>& groups) {
  std::map<std::string, std::set<std::pair<std::uint64_t, std::string>>> members;
  for (const auto& [group, id] : groups) members[group].insert({hash_of(id), id});
  std::map<std::string, bool> out;
  for (const auto& [group, ids] : members) {
    std::size_t i = 0;
    for (const auto& [hash, id] : ids) out[id] = i++ < ids.size() / 2;
  }
  return out;
}

}  // namespace headroom::validation
