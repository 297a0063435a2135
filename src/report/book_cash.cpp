#include "report/book_cash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace headroom::report {
namespace {

using study::CostItem;

constexpr int least_rows = 120;        // months that the table has room for
constexpr double hours_a_month = 730;  // base/quantity.hpp
constexpr double hours_a_year = 8760;
constexpr double same = 1e-9;  // relative: a formula gives what the engine says

bool outlives(const std::string& cause) { return cause == "racks" || cause == "facility"; }

bool equal(double a, double b) { return std::abs(a - b) <= same * std::abs(b); }

/// "in_money_person" of "money.person".
std::string name_of(std::string_view prefix, std::string_view id) {
  std::string out(prefix);
  for (const char ch : id) {
    const bool good =
        (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
    out += good ? ch : '_';
  }
  return out;
}

double factor_of(const std::string& unit) {
  const auto parsed = parse_unit(unit);
  return parsed ? parsed->factor : 1;
}

std::string times(const std::string& text, double k) {
  return k == 1 ? text : text + fmt::format("*{:.17g}", k);
}

const double usd_a_year = (dollar / year).factor;

bool is_run(const study::CostProduct::Price& price) { return price.id.ends_with(".per_run"); }

}  // namespace

CashBook::CashBook(const study::ReportFigures& figures, std::map<std::string, NamedCell> bill)
    : f_(figures), trace_(figures.verdict.trace), bill_(std::move(bill)) {
  if (f_.ways.empty()) return;
  if (const NodeId gpus = trace_.find("study.accelerators"); gpus != no_node)
    names_[gpus] = "in_gpus";
  for (const auto& item : f_.ways.front().capital) capital_.push_back(capital(item));
  for (const auto& item : f_.ways.front().operating) running_.push_back(running(item));
  find_drivers();
  rows_ = std::max(f_.terms.months, least_rows);
}

// --- What amounts are made from ---------------------------------------------------------

/// A leaf or a figure that an amount is made from, as a cell of its own.
CashBook::Term CashBook::driver(NodeId node) {
  const auto& n = trace_.at(node);
  const double shown = n.si / factor_of(n.unit);
  if (const auto it = names_.find(node); it != names_.end()) return {it->second, shown};
  drivers_.push_back(node);
  return {names_[node] = name_of("in_", n.id), shown};
}

CashBook::Term CashBook::si(const Term& term, const std::string& unit) const {
  const double k = factor_of(unit);
  return {times(term.text, k), term.value * k};
}

CashBook::Amount CashBook::capital(const CostItem& item) {
  Amount out{item.label, "", item.usd, false, false, item.cause, item.id};
  const NodeId at = trace_.find(item.id), lines = trace_.find("money.bill." + item.cause);
  if (at == no_node || lines == no_node) return out;
  const auto& from = trace_.at(lines).inputs;
  Term term;
  const auto bill = bill_.find(item.cause);
  if (bill != bill_.end()) term = {bill->second.name, bill->second.value};
  if (from.size() == 2 && trace_.at(from[1]).id == "study.accelerators") {
    const Term each = driver(from[0]), gpus = driver(from[1]);
    const double k = factor_of(trace_.at(from[0]).unit) / dollar.factor;
    term = {times(each.text + "*" + gpus.text, k), each.value * gpus.value * k};
  }
  const auto& inputs = trace_.at(at).inputs;
  if (item.cause == "facility" && inputs.size() == 3) {
    const Term price = driver(inputs[0]), power = driver(inputs[1]);
    const double k =
        factor_of(trace_.at(inputs[0]).unit) * factor_of(trace_.at(inputs[1]).unit) / dollar.factor;
    const double built = price.value * power.value * k;
    const std::string text = times(price.text + "*" + power.text, k);
    term = term.text.empty()
               ? Term{text, built}
               : Term{fmt::format("MAX({},{})", text, term.text), std::max(built, term.value)};
  }
  out.live = !term.text.empty() && equal(term.value, item.usd);
  out.formula = "=" + term.text;
  return out;
}

/// All inputs multiplied; one of them may be a share a year.
std::optional<CashBook::Term> CashBook::product_of(const TraceNode& node) {
  if (node.inputs.empty() || node.inputs.size() > 3) return std::nullopt;
  double si_value = 1;
  for (const NodeId i : node.inputs)
    if (i == no_node) return std::nullopt;
  for (const NodeId i : node.inputs) si_value *= trace_.at(i).si;
  const bool share_a_year = equal(si_value / year.factor, node.si);  // of a price, not of a rate
  if (!share_a_year && !equal(si_value, node.si)) return std::nullopt;
  Term out{"", 1};
  double k = share_a_year ? 1 / dollar.factor : 1 / usd_a_year;
  for (const NodeId i : node.inputs) {
    const Term t = driver(i);
    out.text += (out.text.empty() ? "" : "*") + t.text;
    out.value *= t.value;
    k *= factor_of(trace_.at(i).unit);
  }
  return Term{times(out.text, k), out.value * k};
}

/// Energy x price + demand charge x max(peak, take-or-pay share x contracted).
std::optional<CashBook::Term> CashBook::energy(const TraceNode& node) {
  const auto& in = node.inputs;
  if (in.empty()) return std::nullopt;
  const auto unit = [&](std::size_t i) { return trace_.at(in[i]).unit; };
  const auto term = [&](std::size_t i) { return si(driver(in[i]), unit(i)); };
  std::size_t next = 1;
  Term sum{"", 0};
  if (next < in.size() && unit(next).find("Wh") != std::string::npos) {
    const Term rate = term(0), price = term(next);
    sum = {rate.text + "*" + price.text, rate.value * price.value};
    ++next;
  }
  if (next + 2 < in.size()) {
    const Term charge = term(next), peak = term(next + 1), share = term(next + 2);
    Term billed = peak;
    if (next + 3 < in.size()) {
      const Term contracted = term(next + 3);
      billed = {fmt::format("MAX({},{}*{})", peak.text, share.text, contracted.text),
                std::max(peak.value, share.value * contracted.value)};
    }
    sum.text += (sum.text.empty() ? "" : "+") + charge.text + "*" + billed.text;
    sum.value += charge.value * billed.value;
  }
  if (sum.text.empty()) return std::nullopt;
  return Term{fmt::format("({})/{:.17g}", sum.text, usd_a_year), sum.value / usd_a_year};
}

CashBook::Amount CashBook::running(const CostItem& item) {
  Amount out{item.label, "", item.usd, false, item.grows, item.cause, item.id};
  const NodeId at = trace_.find(item.id);
  if (at == no_node) return out;
  const auto& node = trace_.at(at);
  std::optional<Term> term;
  if (item.cause == "energy") {
    term = energy(node);
  } else if (item.label == "IT upkeep" && !node.inputs.empty()) {
    double it = 0;
    std::string cells;
    for (const auto& c : capital_) {
      if (outlives(c.cause)) continue;
      it += c.usd;
      cells += (cells.empty() ? "" : "+") + name_of("cap_", c.cause);
    }
    const Term share = si(driver(node.inputs[0]), trace_.at(node.inputs[0]).unit);
    term = Term{fmt::format("{}*({})", share.text, cells), share.value * it};
  } else {
    term = product_of(node);
  }
  if (!term) return out;
  out.live = equal(term->value, item.usd);
  out.formula = "=" + term->text;
  return out;
}

/// What products are made from, so that it stands among the inputs.
void CashBook::find_drivers() {
  for (const auto& p : f_.products)
    for (const auto& price : p.prices) {
      const NodeId at = trace_.find(price.id);
      if (at == no_node) continue;
      for (const NodeId i : trace_.at(at).inputs) {
        if (i == no_node) continue;
        const auto& id = trace_.at(i).id;
        if (!id.starts_with("money.own.") && !id.starts_with("money.product.")) driver(i);
        if (id.ends_with(".prefill_share")) driver(i);
      }
    }
}

// --- Inputs -----------------------------------------------------------------------------

void CashBook::named(Workbook& book, Workbook::Sheet& s, int row, const std::string& label,
                     const std::string& name, double value, const std::string& unit,
                     const std::string& origin) {
  s.text(row, 0, label);
  s.number(row, 1, value, Look::input);
  s.text(row, 2, unit);
  s.text(row, 5, origin);
  book.name(name, s.name() + "!" + cell_name(row, 1, true));
}

void CashBook::curve(Workbook& book, Workbook::Sheet& s, int& row) {
  const int first = row;
  s.text(row, 0, "what used IT fetches: age in months, share of its price", Look::bold);
  for (const auto& [age, share] : f_.terms.resale) {
    ++row;
    s.number(row, 0, age, Look::input);
    s.number(row, 1, share, Look::input);
  }
  if (row == first) {
    s.number(++row, 0, 0, Look::input);
    s.number(row, 1, 0, Look::input);
  }
  const auto range = [&](int column) {
    return s.name() + "!" + cell_name(first + 1, column, true) + ":" + cell_name(row, column, true);
  };
  book.name("in_ages", range(0));
  book.name("in_shares", range(1));
  ++row;
}

int CashBook::write_inputs(Workbook& book, Workbook::Sheet& s, int row) {
  if (f_.ways.empty()) return row;
  const auto& t = f_.terms;
  const auto origin = [&](const char* id) {
    const NodeId n = trace_.find(id);
    if (n == no_node || !trace_.at(n).origin.source) return std::string();
    return describe(*trace_.at(n).origin.source);
  };
  s.text(row++, 0,
         "What the cash flow of owning is made from: change a coloured cell, and the "
         "cash flow follows",
         Look::bold);
  s.head(row++, {"input", "value", "unit", "low", "high", "source", "id"});
  const auto put = [&](const char* label, const char* name, double value, const char* unit,
                       const char* id) {
    named(book, s, row, label, name, value, unit, origin(id));
    s.text(row++, 6, id);
  };
  put(fmt::format("horizon, at most {} months here", rows_).c_str(), "in_months", t.months, "mo",
      "money.horizon");
  put("discount rate, a year", "in_discount", t.discount, "share", "money.discount");
  put("growth of running cost, a year", "in_escalation", t.escalation, "share", "money.escalation");
  put("share of GPU-hours put to use", "in_utilisation", t.utilisation, "share",
      "money.utilisation");
  put("GPUs", "in_gpus", t.accelerators, "GPU", "study.accelerators");
  put("economic life of IT", "in_it_life", std::max(1.0, std::round(t.economic_life)), "mo",
      "money.economic_life");
  put("life of racks and facility", "in_facility_life", std::max(1.0, t.facility_life), "mo",
      "money.facility_life");
  put("tax rate", "in_tax", t.tax.value_or(0), "share", "money.tax");
  put("life of IT for tax", "in_tax_life", std::max(1.0, t.tax_life), "mo", "money.tax_life");
  s.text(row, 0, "share of IT's price at the horizon; empty: by the curve below");
  if (t.residual)
    s.number(row, 1, *t.residual, Look::input);
  else
    s.text(row, 1, "", Look::input);
  book.name("in_residual", s.name() + "!" + cell_name(row++, 1, true));
  for (const NodeId node : drivers_) {
    const auto& n = trace_.at(node);
    const double k = factor_of(n.unit);
    named(book, s, row, n.id, names_[node], n.si / k, n.unit,
          n.formula.empty() ? (n.origin.source ? describe(*n.origin.source) : "")
                            : "from the engine: " + n.formula);
    if (n.low != n.high) s.number(row, 3, n.low / k), s.number(row, 4, n.high / k);
    s.text(row++, 6, n.id);
  }
  ++row;
  curve(book, s, row);
  ++row;
  amounts(book, s, row);
  return row + 1;
}

void CashBook::amounts(Workbook& book, Workbook::Sheet& s, int& row) {
  const auto write = [&](const Amount& a, const std::string& name, const char* unit) {
    s.text(row, 0, a.label);
    if (a.live)
      s.formula(row, 1, a.formula, a.usd, Look::usd);
    else
      s.number(row, 1, a.usd, Look::input);
    s.text(row, 2, unit);
    s.text(row, 5, a.live ? "" : "a number from the engine; not recalculated");
    s.text(row, 6, a.id);
    book.name(name, s.name() + "!" + cell_name(row++, 1, true));
  };
  s.head(row++, {"capital on the first day", "value", "unit", "", "", "", "id"});
  for (const auto& a : capital_) write(a, name_of("cap_", a.cause), "USD");
  ++row;
  s.head(row++, {"running cost of the first year", "value", "unit", "", "", "", "id"});
  for (const auto& a : running_) write(a, name_of("run_", a.label), "USD/yr");
}

// --- The flow ---------------------------------------------------------------------------

double CashBook::resale_at(double age) const {
  const auto& curve = f_.terms.resale;
  if (curve.empty()) return 0;
  if (age <= curve.front().first) return curve.front().second;
  for (std::size_t k = 1; k < curve.size(); ++k) {
    const auto& [x0, y0] = curve[k - 1];
    const auto& [x1, y1] = curve[k];
    if (age <= x1 && x1 > x0) return y0 + (age - x0) / (x1 - x0) * (y1 - y0);
  }
  return curve.back().second;
}

void CashBook::month(Workbook::Sheet& s, int row, int m) {
  const auto& t = f_.terms;
  const auto& way = f_.ways.front();
  const int n = t.months;
  const bool within = m <= n;
  const int life = int(std::max(1.0, std::round(t.economic_life)));
  const auto ref = [&](int column) { return cell_name(row, column); };
  int col = 0;
  s.number(row, col++, m, Look::whole);
  s.text(row, col++, within ? way.dates[std::size_t(m)] : "");
  const std::string M = ref(0), in = ref(2), growth = ref(4), age = ref(5), share = ref(6);
  const double df = within ? std::pow(1 + t.discount, -m / 12.0) : 0;
  const double grown = within && m > 0 ? std::pow(1 + t.escalation, (m - 1) / 12) : 0;
  const int old = m > 0 ? m - (m - 1) / life * life : 0;
  const bool sold = within && m > 0 && (m == n || m % life == 0);
  const double fetched = !sold ? 0 : m == n && t.residual ? *t.residual : resale_at(old);
  s.formula(row, col++, fmt::format("=IF({}<=in_months,1,0)", M), within ? 1 : 0, Look::whole);
  s.formula(row, col++, fmt::format("=IF({}=1,(1+in_discount)^(-{}/12),0)", in, M), df,
            Look::factor);
  s.formula(row, col++,
            fmt::format("=IF(AND({}=1,{}>0),(1+in_escalation)^INT(({}-1)/12),0)", in, M, M), grown,
            Look::factor);
  s.formula(row, col++,
            fmt::format("=IF(AND({0}=1,{1}>0,OR({1}=in_months,MOD({1},in_it_life)=0)),"
                        "{1}-INT(({1}-1)/in_it_life)*in_it_life,0)",
                        in, M),
            sold ? old : 0, Look::whole);
  s.formula(
      row, col++,
      fmt::format("=IF({0}=0,0,IF(AND({1}=in_months,ISNUMBER(in_residual)),in_residual,"
                  "IF({0}<=INDEX(in_ages,1),INDEX(in_shares,1),"
                  "IF({0}>=INDEX(in_ages,ROWS(in_ages)),INDEX(in_shares,ROWS(in_shares)),"
                  "INDEX(in_shares,MATCH({0},in_ages,1))+({0}-INDEX(in_ages,MATCH({0},in_ages,1)))"
                  "/(INDEX(in_ages,MATCH({0},in_ages,1)+1)-INDEX(in_ages,MATCH({0},in_ages,1)))"
                  "*(INDEX(in_shares,MATCH({0},in_ages,1)+1)-INDEX(in_shares,MATCH({0},in_ages,1)))"
                  "))))",
                  age, M),
      fetched, Look::factor);

  double total = 0, it = 0, lasting = 0, running = 0;
  std::string it_cells = "0", lasting_cells = "0";
  const int first = col;
  for (const auto& a : capital_) {
    const std::string cell = name_of("cap_", a.cause);
    double usd = 0;
    if (outlives(a.cause)) {
      usd = m == 0 ? a.usd : 0;
      s.formula(row, col++, fmt::format("=IF({}=0,{},0)", M, cell), usd, Look::usd);
      lasting += a.usd, lasting_cells += "+" + cell;
    } else {
      usd = within && m < n && m % life == 0 ? a.usd : 0;
      s.formula(
          row, col++,
          fmt::format("=IF(AND({0}=1,{1}<in_months,MOD({1},in_it_life)=0),{2},0)", in, M, cell),
          usd, Look::usd);
      it += a.usd, it_cells += "+" + cell;
    }
    total += usd;
  }
  const int first_running = col;
  for (const auto& a : running_) {
    const double usd = within && m > 0 ? a.usd / 12 * (a.grows ? grown : 1) : 0;
    s.formula(row, col++,
              fmt::format("=IF(AND({}=1,{}>0),{}/12{},0)", in, M, name_of("run_", a.label),
                          a.grows ? "*" + growth : ""),
              usd, Look::usd);
    running += usd;
  }
  const int last_running = col - 1;
  const double back_it = -it * fetched;
  s.formula(row, col++, fmt::format("=IF({}>0,-({})*{},0)", age, it_cells, share), back_it,
            Look::usd);
  const double left = m == n ? std::max(0.0, 1 - n / std::max(1.0, t.facility_life)) : 0;
  s.formula(row, col++,
            fmt::format("=IF(AND({}=1,{}=in_months),-({})*MAX(0,1-in_months/in_facility_life),0)",
                        in, M, lasting_cells),
            -lasting * left, Look::usd);
  const double tax_life = std::max(1.0, t.tax_life), facility = std::max(1.0, t.facility_life);
  const auto book = [](double months, double of) { return std::max(0.0, 1 - months / of); };
  double base = 0;
  if (within && m > 0)
    base = running + it * (book(old - 1, tax_life) - book(old, tax_life)) +
           (sold ? it * (book(old, tax_life) - fetched) : 0) +
           lasting * (book(m - 1, facility) - book(m, facility));
  const double tax = -t.tax.value_or(0) * base;
  const std::string k = fmt::format("({0}-INT(({0}-1)/in_it_life)*in_it_life)", M);
  const std::string sum_running =
      running_.empty() ? "0" : fmt::format("SUM({}:{})", ref(first_running), ref(last_running));
  s.formula(
      row, col++,
      fmt::format("=IF(OR({0}=0,{1}=0),0,-in_tax*({2}+({3})*(MAX(0,1-({4}-1)/in_tax_life)"
                  "-MAX(0,1-{4}/in_tax_life))+IF({5}>0,({3})*(MAX(0,1-{5}/in_tax_life)-{6}),0)"
                  "+({7})*(MAX(0,1-({1}-1)/in_facility_life)-MAX(0,1-{1}/in_facility_life))))",
                  in, M, sum_running, it_cells, k, age, share, lasting_cells),
      tax, Look::usd);
  total += running + back_it - lasting * left + tax;
  s.formula(row, col, fmt::format("=SUM({}:{})", ref(first), ref(col - 1)), total, Look::usd);
  s.formula(row, col + 1, fmt::format("={}*{}", ref(col), ref(3)), total * df, Look::usd);
}

void CashBook::write_flow(Workbook& book, Workbook::Sheet& s) {
  s.text(0, 0, "Cash flow of owning, USD, nominal; paid is positive, what comes back negative",
         Look::title);
  if (f_.ways.empty()) {
    s.text(1, 0, "The scenario asks for no money.");
    return;
  }
  int row = 2;
  first_ = 2 + 8 + int(4 * f_.products.size()) + 3;
  std::vector<std::string> names = {"month",           "date",   "counts",
                                    "discount factor", "growth", "age of what is sold, mo",
                                    "share it fetches"};
  for (const auto& a : capital_) names.push_back("buy: " + a.label);
  for (const auto& a : running_) names.push_back("run: " + a.label);
  for (const char* name : {"resale of IT", "left of racks and facility", "tax", "paid", "present"})
    names.emplace_back(name);
  result(book, s, row);
  products(book, s, row);
  s.head(first_ - 1, names);
  for (int m = 0; m <= rows_; ++m) month(s, first_ + m, m);
  s.width(0, 38), s.width(1, 18);
  for (int i = 2; i < int(names.size()); ++i) s.width(i, 15);
  s.freeze(first_);
  s.one_page_wide();
}

void CashBook::result(Workbook& book, Workbook::Sheet& s, int& row) {
  const auto& way = f_.ways.front();
  const int paid = 7 + int(capital_.size() + running_.size()) + 3;
  const auto range = [&](int column, int from) {
    return cell_name(first_ + from, column) + ":" + cell_name(first_ + rows_, column);
  };
  double hours = 0;
  for (int m = 1; m <= f_.terms.months; ++m) hours += std::pow(1 + f_.terms.discount, -m / 12.0);
  hours *= f_.terms.accelerators * hours_a_month;
  const auto put = [&](const char* label, const char* name, const std::string& formula,
                       double value, const char* unit, Look look) {
    s.text(row, 0, label);
    s.formula(row, 1, formula, value, look);
    s.text(row, 2, unit);
    book.name(name, "'" + s.name() + "'!" + cell_name(row++, 1, true));
  };
  double sum = 0;
  for (const auto& month : way.months)
    for (const double usd : month) sum += usd;
  put("paid over the horizon", "out_paid", "=SUM(" + range(paid, 0) + ")", sum, "USD", Look::usd);
  put("present cost", "out_present", "=SUM(" + range(paid + 1, 0) + ")", way.present_usd, "USD",
      Look::usd);
  put("present GPU-hours", "out_hours",
      fmt::format("=in_gpus*{}*SUM({})", hours_a_month, range(3, 1)), hours, "h", Look::whole);
  put("cost of an installed GPU-hour", "out_installed", "=out_present/out_hours/(1-in_tax)",
      way.per_installed_gpu_hour, "USD/GPU/h", Look::factor);
  put("cost of a GPU-hour put to use", "out_used", "=out_installed/in_utilisation",
      way.per_used_gpu_hour, "USD/GPU/h", Look::factor);
}

void CashBook::products(Workbook& book, Workbook::Sheet& s, int& row) {
  double held = 0;
  for (const auto& p : f_.products) held += p.gpus;
  for (const auto& p : f_.products) {
    const std::string rate = name_of("out_year_", p.name);
    s.text(row, 0, p.name + ": a year of its GPUs");
    s.formula(row, 1,
              fmt::format("=out_installed*in_gpus*{}*{:.17g}", hours_a_year,
                          held > 0 ? p.gpus / held : 0),
              p.usd_per_year, Look::usd);
    s.text(row, 2, "USD/yr");
    book.name(rate, "'" + s.name() + "'!" + cell_name(row++, 1, true));
    const std::string run = name_of("out_run_", p.name);
    auto prices = p.prices;  // of the run first: tokens are made from it
    std::stable_partition(prices.begin(), prices.end(), is_run);
    for (const auto& price : prices) {
      const auto term = price_of(price, rate, run);
      const double usd = price.si / factor_of(is_run(price) ? "USD" : price.unit);
      s.text(row, 0, p.name + ": " + price.label);
      if (term && equal(term->value, usd))
        s.formula(row, 1, "=" + term->text, usd, is_run(price) ? Look::usd : Look::factor);
      else
        s.number(row, 1, usd, Look::number);
      s.text(row, 2, is_run(price) ? "USD" : price.unit);
      if (is_run(price)) book.name(run, "'" + s.name() + "'!" + cell_name(row, 1, true));
      ++row;
    }
  }
}

/// A price of a product from the cost of its GPUs; nothing where it is made in another way.
std::optional<CashBook::Term> CashBook::price_of(const study::CostProduct::Price& price,
                                                 const std::string& rate, const std::string& run) {
  const NodeId at = trace_.find(price.id);
  if (at == no_node) return std::nullopt;
  const auto& in = trace_.at(at).inputs;
  if (in.size() < 2 || in[0] == no_node) return std::nullopt;
  const auto as = [&](NodeId node, const char* unit) {
    const Term t = driver(node);
    const double k = factor_of(trace_.at(node).unit) / factor_of(unit);
    return Term{times(t.text, k), t.value * k};
  };
  const auto& from = trace_.at(in[0]);
  if (is_run(price) && in.size() == 3) {
    const Term gpus = as(in[1], ""), hours = as(in[2], "h");
    const double used = f_.ways.front().per_used_gpu_hour;
    return Term{fmt::format("out_used*{}*{}", gpus.text, hours.text),
                used * gpus.value * hours.value};
  }
  if (from.id.ends_with(".per_run")) {
    const Term tokens = as(in[1], "Mtoken");
    return Term{fmt::format("{}/({})", run, tokens.text), from.si / dollar.factor / tokens.value};
  }
  if (!from.id.ends_with(".cost_rate")) return std::nullopt;
  Term made{"0", 0}, share{"", 1};
  for (std::size_t i = 1; i < in.size(); ++i) {
    if (in[i] == no_node) continue;
    if (trace_.at(in[i]).id.ends_with(".prefill_share")) {
      share = as(in[i], "");
      if (price.id.ends_with(".per_output_token"))
        share = {"(1-" + share.text + ")", 1 - share.value};
      continue;
    }
    const Term tokens = as(in[i], "Mtoken/yr");
    made = {made.text + "+" + tokens.text, made.value + tokens.value};
  }
  if (made.value <= 0) return std::nullopt;
  const std::string text = rate + (share.text.empty() ? "" : "*" + share.text);
  return Term{fmt::format("{}/({})", text, made.text),
              from.si / usd_a_year * share.value / made.value};
}

}  // namespace headroom::report
