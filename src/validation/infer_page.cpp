#include "validation/infer_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace headroom::validation {
namespace {

using Wanted = std::function<bool(const InferFact&)>;

/// Rows of a validation whose facts are wanted, those skipped left aside.
Report rows_of(const InferValidation& v, const Wanted& wanted) {
  Report out;
  for (std::size_t i = 0; i < v.facts.size(); ++i)
    if (wanted(v.facts[i])) out.rows.push_back(v.report.rows[i]);
  return out;
}

bool closed_tpot(const InferFact& f) {
  return f.job.scene == Scene::closed_loop && f.metric.rfind("tpot", 0) == 0;
}
bool dense(const InferFact& f) { return !f.job.model->is_mixture(); }
/// Published tables of exact lengths; MLPerf's data sets are judged by their own rows.
bool saturated(const InferFact& f) { return f.job.scene == Scene::offline && f.job.input_cv == 0; }
/// What the bar on closed loops means: times per token and saturated rates.
bool serving(const InferFact& f) { return closed_tpot(f) || saturated(f); }

struct Modes {
  InferValidation shipped, raw, half, left;

  Modes(const InferRows& rows, const catalog::Catalog& catalog) {
    const auto with = [&](InferMode mode) {
      InferOptions o;
      o.mode = mode;
      return validate_infer(rows, o, catalog);
    };
    shipped = with(InferMode::shipped), raw = with(InferMode::raw);
    half = with(InferMode::half), left = with(InferMode::left_group);
  }
};

std::string percent(double v) { return fmt::format("{:.1f} %", 100 * v); }

std::string bar_line(const std::string& what, std::size_t rows, double have, double low,
                     double high) {
  const bool met = have >= low && have <= high;
  const auto want = low > 0 ? fmt::format("{:.0f} to {:.0f} %", 100 * low, 100 * high)
                            : fmt::format("at most {:.0f} %", 100 * high);
  return fmt::format("| {} | {} | {} | {} | {} |\n", what, rows, percent(have), want,
                     met ? "met" : "**missed**");
}

void add_bar(std::string& out, const std::string& what, const Report& r, double median,
             double p90) {
  const auto s = summarise(r);
  if (s.rows == 0) return;
  out += bar_line(what + ", median", s.rows, s.median, 0, median);
  if (p90 > 0) out += bar_line(what + ", p90", s.rows, s.p90, 0, p90);
}

void add_coverage(std::string& out, const std::string& what, const Report& r) {
  const auto s = summarise(r);
  if (s.intervals > 0)
    out += bar_line(what + ", 80 % intervals hold", s.rows, s.coverage80, 0.75, 0.88);
}

void closed_bars(std::string& out, const Modes& m) {
  struct Mode {
    const char* name;
    const InferValidation* v;
    double median, p90;
  };
  for (const auto& mode : {Mode{"in-domain (half of each group)", &m.half, 0.04, 0.12},
                           Mode{"whole groups left out", &m.left, 0.11, 0.28}}) {
    const auto both = rows_of(*mode.v, serving);
    add_bar(out, fmt::format("time per token and throughput, {}", mode.name), both, mode.median,
            mode.p90);
    add_bar(out, fmt::format("closed-loop time per token, {}", mode.name),
            rows_of(*mode.v, closed_tpot), mode.median, mode.p90);
    add_bar(out, fmt::format("of dense models, {}", mode.name),
            rows_of(*mode.v, [](const InferFact& f) { return closed_tpot(f) && dense(f); }),
            mode.median, mode.p90);
    add_coverage(out, fmt::format("time per token and throughput, {}", mode.name), both);
  }
}

void open_bars(std::string& out, const InferValidation& v) {
  struct Bar {
    const char* metric;
    double most;
  };
  for (const auto& bar : {Bar{"ttft_mean", 0.08}, Bar{"ttft_p90", 0.08}, Bar{"ttft_p99", 0.15},
                          Bar{"itl_mean", 0.04}, Bar{"e2e_mean", 0.04}})
    add_bar(out, fmt::format("open loop below overload, {}", bar.metric),
            rows_of(v,
                    [&](const InferFact& f) {
                      return f.job.scene == Scene::open_loop && !f.job.overloaded &&
                             f.metric == bar.metric;
                    }),
            bar.most, 0);
  if (v.overloads.empty()) return;
  const auto wrong = std::count_if(v.overloads.begin(), v.overloads.end(),
                                   [](const Overload& x) { return x.predicted != x.measured; });
  out += fmt::format("| stages told wrongly as below or beyond overload | {} | {} | 0 | {} |\n",
                     v.overloads.size(), wrong, wrong == 0 ? "met" : "**missed**");
}

void log_bars(std::string& out, const InferValidation& v) {
  for (const char* what : {"ttft", "latency", "tpot"}) {
    const double most = std::string(what) == "tpot" ? 0.03 : 0.08;
    const auto r = rows_of(v, [&](const InferFact& f) {
      return f.job.scene == Scene::log && f.metric.rfind(what, 0) == 0 &&
             !f.metric.ends_with("_mean");
    });
    const auto s = summarise(r);
    if (s.rows > 0)
      out += bar_line(fmt::format("request logs, {} p50, p90, p99, worst", what), s.rows, s.worst,
                      0, most);
  }
}

std::string bars(const Modes& m) {
  std::string out = "| bar | rows | reached | wanted | |\n|---|---:|---:|---:|---|\n";
  closed_bars(out, m), open_bars(out, m.shipped), log_bars(out, m.shipped);
  return out;
}

std::string section(const std::string& title, const std::string& command, const std::string& body) {
  return fmt::format("\n## {}\n`{}`\n\n{}", title, command, body);
}

/// Times per token by (model, GPU, engine, precision).
std::string group_table(const InferValidation& v) {
  auto r = rows_of(v, serving);
  std::size_t i = 0;
  for (const auto& f : v.facts)
    if (serving(f)) r.rows[i++].label = f.group;
  return to_markdown(r, GroupBy::label, "model, GPU, engine, precision");
}

std::string miss_table(const Report& all, double from) {
  std::string out = "| row | measured | predicted | error |\n|---|---:|---:|---:|\n";
  auto rows = all.rows;
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::abs(a.error()) > std::abs(b.error());
  });
  for (const auto& r : rows)
    if (std::abs(r.error()) > from)
      out += fmt::format("| {} | {:.4g} {} | {:.4g} | {:+.1f} % |\n", r.id, r.measured, r.unit,
                         r.predicted, 100 * r.error());
  return out;
}

/// Bars in a table cell would end it.
std::string escaped(std::string text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool inner = text[i] == '|' && i > 0 && i + 1 < text.size() && text[i - 1] != ' ' &&
                       text[i + 1] != ' ' && text[i - 1] != '\n' && text[i + 1] != '\n' &&
                       text[i - 1] != '-' && text[i + 1] != '-';
    out += inner ? std::string(" / ") : std::string(1, text[i]);
  }
  return out;
}

std::string overload_table(const InferValidation& v) {
  std::string out =
      "| stage | requests/s | saturation | told | measured |\n|---|---:|---:|---|---|\n";
  for (const auto& x : v.overloads)
    out += fmt::format("| {} | {:.4g} | {:.4g} | {} | {} |\n", x.id, x.rate_s, x.saturation_s,
                       x.predicted ? "overload" : "below", x.measured ? "overload" : "below");
  return out;
}

constexpr const char* head =
    "# Validation of serving\n\n"
    "Predicted against measured for every published serving run at hand. Written by\n"
    "`headroom validate infer FILES --page`; do not edit. FILES are `measured.yaml`,\n"
    "`open_loop.yaml` and the folder `requests` of the project's data; each row names its own\n"
    "source there. Errors are |predicted / measured - 1|.\n\n";

}  // namespace

std::string infer_page(const InferRows& rows, const catalog::Catalog& catalog) {
  const Modes m(rows, catalog);
  std::string out = head;
  out += "## Bars\n\n" + bars(m);
  out += section("Calibrated, as shipped", "headroom validate infer FILES",
                 to_markdown(m.shipped.report));
  out += section("Raw: no calibration of any group",
                 "headroom validate infer FILES --no-calibration", to_markdown(m.raw.report));
  out += section("In-domain: half of each group calibrates, the other half is scored",
                 "headroom validate infer FILES --half", escaped(group_table(m.half)));
  out += section("Whole groups left out", "headroom validate infer FILES --leave-one-group-out",
                 escaped(group_table(m.left)) + "\n" +
                     (m.left.notes.empty() ? std::string() : m.left.notes.front() + ".\n"));
  if (!m.shipped.overloads.empty())
    out += section("Stages told as below or beyond overload before they ran",
                   "headroom validate infer open_loop.yaml", overload_table(m.shipped));
  constexpr double miss = 0.12;
  out += section("Times per token and saturated rates off by more than 12 %, calibrated",
                 "headroom validate infer FILES --rows",
                 miss_table(rows_of(m.shipped, serving), miss));
  return out;
}

}  // namespace headroom::validation
