#include "report/book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/units.hpp"
#include "report/book_cash.hpp"
#include "report/workbook.hpp"
#include "site/calendar.hpp"

namespace headroom::report {
namespace {

using study::ReportFigures;
using Sheet = Workbook::Sheet;

constexpr int summary_width = 60;  // characters

double shown(double si, const std::string& unit) {
  const auto parsed = parse_unit(unit);
  return parsed ? (si - parsed->offset) / parsed->factor : si;
}

std::string trust_of(const TraceNode& n) {
  return n.origin.source ? trust_name(n.origin.source->trust) : "";
}

class Book {
 public:
  Book(const ReportFigures& f, const study::FacilityAnswer* year, long day)
      : f_(f), v_(f.verdict), year_(year), book_(f.verdict.scenario, day) {}

  std::string write() {
    auto& summary = book_.sheet("Summary");
    auto& inputs = book_.sheet("Inputs");
    auto& cash = book_.sheet("Cash flow");
    auto& margins = book_.sheet("Margins");
    auto& bill = book_.sheet("Bill of materials");
    auto& energy = book_.sheet("Energy");
    auto& figures = book_.sheet("Figures");
    write_bill(bill);
    CashBook money(f_, sums_);
    write_inputs(inputs, money);
    money.write_flow(book_, cash);
    write_margins(margins);
    write_energy(energy);
    write_figures(figures);
    write_summary(summary);
    return book_.bytes();
  }

 private:
  void write_summary(Sheet& s);
  void write_inputs(Sheet& s, CashBook& money);
  void write_margins(Sheet& s);
  void write_bill(Sheet& s);
  void write_energy(Sheet& s);
  void write_figures(Sheet& s);
  void section(Sheet& s, int& row, const study::Section& section);
  /// By line of the bill, the cause that money counts it under.
  std::map<std::string, std::string> causes_of_lines() const;

  const ReportFigures& f_;
  const study::Verdict& v_;
  const study::FacilityAnswer* year_;
  Workbook book_;
  std::map<std::string, NamedCell> sums_;  ///< of the bill, by cause
};

// --- Summary ----------------------------------------------------------------------------

void Book::section(Sheet& s, int& row, const study::Section& section) {
  if (section.lines.empty()) return;
  s.text(++row, 0, section.title, Look::bold);
  for (const auto& line : section.lines) {
    ++row;
    s.text(row, 0, line.label);
    s.number(row, 1, shown(line.si, line.unit));
    s.text(row, 2, line.unit);
    s.text(row, 3, line.node == no_node ? "" : v_.trace.at(line.node).id, Look::note);
  }
  ++row;
}

void Book::write_summary(Sheet& s) {
  s.text(0, 0, v_.scenario, Look::title);
  const auto* binding = v_.binding();
  std::string verdict = v_.fits ? "It fits." : "It does not fit.";
  if (binding != nullptr)
    verdict += fmt::format(" The limit with the least headroom is {} ({:+.1f} %).", binding->limit,
                           100 * binding->headroom());
  s.text(1, 0, verdict, Look::bold);
  if (binding != nullptr) s.text(2, 0, binding->why, Look::plain);
  int row = 3;
  if (binding != nullptr && !binding->remedies.empty()) {
    s.head(row++, {"what lifts it", "cost, USD", "lead time, wk", "source"});
    for (const auto& r : binding->remedies) {
      s.text(row, 0, r.action, Look::wrapped);
      s.lines(row, 1 + int(r.action.size()) / summary_width);
      if (r.cost) s.number(row, 1, r.cost->in(dollar), Look::usd);
      if (r.lead_time) s.number(row, 2, r.lead_time->in(week));
      s.text(row++, 3, r.source, Look::note);
    }
  }
  s.head(row++, {"figure", "value", "unit", "id, as `headroom explain` takes it"});
  section(s, row, v_.money);
  for (const auto& w : v_.workloads) section(s, row, w);
  for (const auto* part : {&v_.energy, &v_.carbon, &v_.water}) section(s, row, *part);
  if (!v_.remarks.empty()) s.text(++row, 0, "Remarks", Look::bold);
  for (const auto& remark : v_.remarks) s.text(++row, 0, remark);
  s.width(0, summary_width), s.width(1, 18), s.width(2, 14), s.width(3, 40);
  s.one_page_wide();
}

// --- Inputs and figures -----------------------------------------------------------------

void Book::write_inputs(Sheet& s, CashBook& money) {
  s.text(0, 0, "Inputs", Look::title);
  int row = money.write_inputs(book_, s, 2);
  s.text(row++, 0, "Every input of the answer, with its source; changing these needs headroom",
         Look::bold);
  s.head(row++, {"input", "value", "unit", "low", "high", "source", "trust", "where", "link"});
  std::set<std::string> seen;
  for (auto it = v_.trace.nodes().rbegin(); it != v_.trace.nodes().rend(); ++it) {
    const auto& n = *it;  // the last record of an id counts
    if (!n.formula.empty() || !seen.insert(n.id).second) continue;
    s.text(row, 0, n.id);
    if (n.text.empty())
      s.number(row, 1, shown(n.si, n.unit));
    else
      s.text(row, 1, n.text);
    s.text(row, 2, n.unit);
    if (n.low != n.high)
      s.number(row, 3, shown(n.low, n.unit)), s.number(row, 4, shown(n.high, n.unit));
    if (n.origin.source) s.text(row, 5, describe(*n.origin.source));
    s.text(row, 6, trust_of(n));
    s.text(row, 7, place(n.origin));
    if (n.origin.source && !n.origin.source->url.empty())
      s.link(row, 8, n.origin.source->url, n.origin.source->url);
    ++row;
  }
  s.width(0, 46), s.width(1, 20), s.width(2, 14), s.width(5, 60), s.width(6, 34), s.width(7, 40);
  s.one_page_wide();
}

void Book::write_figures(Sheet& s) {
  s.text(0, 0, "Every computed figure, with what it was computed from", Look::title);
  s.head(1, {"figure", "value", "unit", "formula", "from"});
  int row = 2;
  for (const auto& n : v_.trace.nodes()) {
    if (n.formula.empty()) continue;
    std::string from;
    for (const NodeId i : n.inputs)
      if (i != no_node) from += (from.empty() ? "" : ", ") + v_.trace.at(i).id;
    s.text(row, 0, n.id);
    s.number(row, 1, shown(n.si, n.unit));
    s.text(row, 2, n.unit);
    s.text(row, 3, n.formula);
    s.text(row++, 4, from, Look::note);
  }
  s.width(0, 46), s.width(1, 20), s.width(2, 14), s.width(3, 70), s.width(4, 70);
  s.freeze(2, 1);
  s.one_page_wide();
}

// --- Margins ----------------------------------------------------------------------------

void Book::write_margins(Sheet& s) {
  s.text(0, 0, "Limits: headroom is have / need - 1", Look::title);
  s.head(1, {"layer", "limit", "need", "have", "unit", "headroom", "holds", "why", "id"});
  int row = 2;
  for (const auto& m : v_.margins) {
    s.text(row, 0, m.layer);
    s.text(row, 1, m.limit);
    s.number(row, 2, shown(m.need, m.unit), Look::input);
    s.number(row, 3, shown(m.have, m.unit), Look::input);
    s.text(row, 4, m.unit);
    const std::string need = cell_name(row, 2), have = cell_name(row, 3);
    if (m.need > 0)
      s.formula(row, 5, fmt::format("={}/{}-1", have, need), m.headroom(), Look::percent);
    else
      s.text(row, 5, "nothing is needed");
    s.formula(row, 6, fmt::format("=IF(OR({0}<=0,{0}<={1}*(1+1E-9)),\"yes\",\"no\")", need, have),
              m.holds() ? std::string("yes") : std::string("no"), Look::plain);
    s.text(row, 7, m.why);
    s.text(row++, 8, m.id, Look::note);
  }
  s.width(0, 12), s.width(1, 40), s.width(2, 14), s.width(3, 14), s.width(5, 12), s.width(7, 90);
  s.width(8, 34);
  s.freeze(2, 2);
  s.one_page_wide();
}

// --- Bill of materials ------------------------------------------------------------------

std::map<std::string, std::string> Book::causes_of_lines() const {
  std::map<std::string, std::string> out;
  constexpr std::string_view prefix = "money.bill.";
  for (const auto& cause : f_.causes) {
    const NodeId sum = v_.trace.find(std::string(prefix) + cause);
    if (sum == no_node) continue;
    for (const NodeId i : v_.trace.at(sum).inputs) {
      if (i == no_node) continue;
      const auto& id = v_.trace.at(i).id;
      if (id.starts_with(prefix)) out[id.substr(prefix.size())] = cause;
    }
  }
  return out;
}

void Book::write_bill(Sheet& s) {
  s.text(0, 0, "Bill of materials, USD", Look::title);
  s.head(1, {"item", "category", "count", "unit price", "total", "low", "high", "lead time, wk",
             "counts as", "id"});
  const auto causes = causes_of_lines();
  std::map<std::string, double> sums;
  int row = 2;
  for (const auto& line : v_.bill.lines()) {
    s.text(row, 0, line.item);
    s.text(row, 1, line.category);
    s.number(row, 2, line.count, Look::input);
    if (line.unit_price) {
      s.number(row, 3, line.unit_price->in(dollar), Look::input);
      s.formula(row, 4, fmt::format("={}*{}", cell_name(row, 2), cell_name(row, 3)),
                line.total().in(dollar), Look::usd);
      if (line.price_high > line.price_low)
        s.number(row, 5, line.price_low, Look::usd), s.number(row, 6, line.price_high, Look::usd);
    } else {
      s.text(row, 3, "no price is known");
    }
    if (line.lead_time) s.number(row, 7, line.lead_time->in(week));
    if (const auto it = causes.find(line.id); it != causes.end()) {
      s.text(row, 8, it->second);
      sums[it->second] += line.total().in(dollar);
    } else {
      s.text(row, 8, line.unit_price ? "priced otherwise" : "");
    }
    s.text(row++, 9, line.id, Look::note);
  }
  const int last = row;
  const auto lines = [&](int column) {
    return cell_name(2, column, true) + ":" + cell_name(std::max(2, last - 1), column, true);
  };
  s.text(++row, 0, "all lines with a price", Look::bold);
  s.formula(row, 4, fmt::format("=SUM({})", lines(4)), v_.bill.total().in(dollar), Look::sum);
  for (const auto& [cause, usd] : sums) {
    s.text(++row, 0, "counts as " + cause);
    s.formula(row, 4, fmt::format("=SUMIF({},\"{}\",{})", lines(8), cause, lines(4)), usd,
              Look::usd);
    const std::string name = "bill_" + cause;
    book_.name(name, "'" + s.name() + "'!" + cell_name(row, 4, true));
    sums_[cause] = {name, usd};
  }
  s.width(0, 60), s.width(1, 14), s.width(3, 16), s.width(4, 20), s.width(8, 16), s.width(9, 34);
  s.freeze(2, 1);
  s.one_page_wide();
}

// --- Energy -----------------------------------------------------------------------------

void Book::write_energy(Sheet& s) {
  constexpr double joule_per_mwh = 3.6e9;
  s.text(0, 0, "Energy of a year", Look::title);
  int row = 2;
  if (year_ == nullptr || !year_->has_year) {
    section(s, row, v_.energy);
    s.width(0, 50), s.width(1, 18);
    return;
  }
  s.text(1, 0, year_->boundary + "; weather: " + year_->weather, Look::note);
  s.head(row++, {"in", "MWh", "share of the meter"});
  const int first = row;
  const int last = first + int(year_->energy.size()) - 1;
  for (const auto& item : year_->energy) {
    s.text(row, 0, item.label);
    s.number(row, 1, item.amount / joule_per_mwh, Look::usd);
    s.formula(row, 2,
              fmt::format("={}/SUM({}:{})", cell_name(row, 1), cell_name(first, 1, true),
                          cell_name(last, 1, true)),
              year_->meter_j > 0 ? item.amount / year_->meter_j : 0, Look::percent);
    ++row;
  }
  s.text(row, 0, "at the meter", Look::bold);
  s.formula(row++, 1, fmt::format("=SUM({}:{})", cell_name(first, 1), cell_name(last, 1)),
            year_->meter_j / joule_per_mwh, Look::sum);
  s.text(row, 0, "PUE", Look::bold);
  s.formula(row, 1, fmt::format("={}/{}", cell_name(row - 1, 1), cell_name(first, 1)), year_->pue,
            Look::factor);
  row += 2;
  s.head(row++, {"month", "IT, MWh", "at the meter, MWh", "PUE", "water, m3", "chiller hours"});
  for (std::size_t m = 0; m < year_->months.size(); ++m) {
    const auto& x = year_->months[m];
    s.number(row, 0, double(m + 1), Look::whole);
    s.number(row, 1, x.it_j / joule_per_mwh, Look::usd);
    s.number(row, 2, x.meter_j / joule_per_mwh, Look::usd);
    s.formula(row, 3, fmt::format("={}/{}", cell_name(row, 2), cell_name(row, 1)), x.pue(),
              Look::factor);
    s.number(row, 4, x.water_kg / 1e3, Look::usd);
    s.number(row++, 5, x.chiller_h, Look::whole);
  }
  s.width(0, 40);
  for (int i = 1; i < 6; ++i) s.width(i, 20);
  s.one_page_wide();
}

}  // namespace

std::string book(const ReportFigures& figures, const study::FacilityAnswer* year,
                 const std::string& date) {
  constexpr long undated = 20454;  // 2026-01-01
  return Book(figures, year, site::day_number(date).value_or(undated)).write();
}

}  // namespace headroom::report
