#include "validation/train_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "validation/train_fit.hpp"

namespace headroom::validation {
namespace {

/// Step time off by more than this is a miss of the p90 bar, listed by name.
constexpr double step_miss = 0.12;
constexpr double memory_miss = 0.15;

std::string percent(double v) { return fmt::format("{:.1f} %", 100 * v); }

Report only(const Report& all, const std::function<bool(const std::string&)>& wanted) {
  Report out;
  for (const auto& r : all.rows)
    if (wanted(r.group)) out.rows.push_back(r);
  for (const auto& s : all.skipped)
    if (wanted(s.group)) out.skipped.push_back(s);
  return out;
}
bool is_vtrain(const std::string& group) { return group.rfind("vtrain", 0) == 0; }
Report published(const Report& all) {
  return only(all, [](const std::string& g) { return !is_vtrain(g); });
}
Report source(const Report& all, const char* name) {
  return only(all, [&](const std::string& g) { return g == name; });
}

/// All modes of the same rows.
struct Modes {
  TrainValidation calibrated, raw, left_out, left_out_raw;
  Report left_row_out;

  Modes(const TrainRows& rows, const catalog::Catalog& catalog) {
    const auto with = [&](bool calibration, bool leave) {
      TrainOptions o;
      o.calibration = calibration, o.leave_source_out = leave;
      return validate_train(rows, o, catalog);
    };
    calibrated = with(true, false), raw = with(false, false);
    left_out = with(true, true), left_out_raw = with(false, true);
    left_row_out = leave_one_row_out(raw);
  }
};

// --- Bars ---------------------------------------------------------------------------------

std::string bar_line(const std::string& what, double have, double low, double high) {
  const bool met = have >= low && have <= high;
  const auto want = low > 0 ? fmt::format("{:.0f} to {:.0f} %", 100 * low, 100 * high)
                            : fmt::format("at most {:.0f} %", 100 * high);
  return fmt::format("| {} | {} | {} | {} |\n", what, percent(have), want,
                     met ? "met" : "**missed**");
}

std::string bars(const Modes& m) {
  std::string out = "| bar | reached | wanted | |\n|---|---:|---:|---|\n";
  const auto pair = [&](const std::string& what, const Summary& s, double median, double p90) {
    if (s.rows == 0) return;
    out += bar_line(what + ", median", s.median, 0, median);
    out += bar_line(what + ", p90", s.p90, 0, p90);
  };
  pair("tier A, calibrated", summarise(published(m.calibrated.steps)), 0.04, 0.12);
  pair("tier A, each source left out, no scalar", summarise(published(m.left_out_raw.steps)), 0.09,
       0.25);
  if (const auto s = summarise(source(m.calibrated.steps, "korth")); s.rows > 0) {
    out += bar_line("Korthikanti's eight, mean", s.mean, 0, 0.03);
    out += bar_line("Korthikanti's eight, worst", s.worst, 0, 0.07);
  }
  if (const auto s = summarise(source(m.calibrated.steps, "vtrain-multi")); s.rows > 0)
    out += bar_line("vTrain multi-node, mean", s.mean, 0, 0.06);
  const auto coverage = [&](const std::string& what, const Report& r) {
    if (const auto s = summarise(r); s.rows > 0)
      out += bar_line("80 % intervals, " + what, s.coverage80, 0.75, 0.88);
  };
  coverage("calibrated", published(m.calibrated.steps));
  coverage("each row left out", published(m.left_row_out));
  coverage("each source left out", published(m.left_out.steps));
  if (const auto s = summarise(m.calibrated.memory); s.rows > 0) {
    out += bar_line("memory, median", s.median, 0, 0.06);
    out += bar_line("memory, worst", s.worst, 0, 0.15);
  }
  const auto& overflows = m.calibrated.overflows;
  const auto faults =
      std::count_if(overflows.begin(), overflows.end(), [](const auto& x) { return x.fault(); });
  if (!overflows.empty())
    out += fmt::format("| runs measured out of memory that are called safe | {} of {} | 0 | {} |\n",
                       faults, overflows.size(), faults == 0 ? "met" : "**missed**");
  return out;
}

// --- Tables -------------------------------------------------------------------------------

std::string section(const char* title, const std::string& command, const std::string& body) {
  return fmt::format("\n## {}\n`{}`\n\n{}", title, command, body);
}

std::string scalars(const catalog::Catalog& catalog) {
  std::string out =
      "| software | rows | scalar | 80 % of rows | sources (rows: scalar) |\n"
      "|---|---:|---:|---|---|\n";
  for (const auto* e : catalog.all<catalog::TrainingSoftware>()) {
    if (!e->calibration) continue;
    std::vector<std::string> sources;
    for (const auto& r : e->runs)
      sources.push_back(fmt::format("{} ({}: {:.3f})", r.group, r.rows, r.rate.likely));
    out += fmt::format("| {} | {} | {:.3f} | {:.3f} to {:.3f} | {} |\n", e->id, e->rows,
                       e->calibration.likely, e->calibration.low, e->calibration.high,
                       e->runs.empty() ? "all sources, each with weight sqrt(rows)"
                                       : fmt::format("{}", fmt::join(sources, ", ")));
  }
  return out;
}

std::string coverage(const Modes& m) {
  std::string out =
      "| rows | calibrated (in-sample) | each row left out | each source left out | no scalar |\n"
      "|---|---:|---:|---:|---:|\n";
  const auto line = [&](const char* name, const auto& pick) {
    const auto share = [&](const Report& r) { return percent(summarise(pick(r)).coverage80); };
    if (pick(m.raw.steps).rows.empty()) return;
    out += fmt::format("| {} | {} | {} | {} | {} |\n", name, share(m.calibrated.steps),
                       share(m.left_row_out), share(m.left_out.steps), share(m.raw.steps));
  };
  line("tier A", published);
  const auto mean = [](const Report& r) {
    double sum = 0, n = 0;
    for (const auto& g : by_group(published(r)))
      if (g.summary.rows > 0) sum += g.summary.coverage80, n += 1;
    return percent(n > 0 ? sum / n : 0);
  };
  out +=
      fmt::format("| tier A, mean over sources | {} | {} | {} | {} |\n", mean(m.calibrated.steps),
                  mean(m.left_row_out), mean(m.left_out.steps), mean(m.raw.steps));
  line("vTrain multi-node", [](const Report& r) { return source(r, "vtrain-multi"); });
  line("vTrain single-node", [](const Report& r) { return source(r, "vtrain-single"); });
  return out;
}

std::string row_table(const Report& report, double beyond) {
  std::string out =
      "| row | measured | predicted | error | 80 % interval |\n|---|---:|---:|---:|---|\n";
  auto rows = report.rows;
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::abs(a.error()) > std::abs(b.error());
  });
  for (const auto& r : rows) {
    if (std::abs(r.error()) < beyond) continue;
    const bool bytes = r.unit == "B";
    const double scale = bytes ? 1e-9 : 1;
    out += fmt::format("| {} | {:.4g} {} | {:.4g} | {:+.1f} % | {} |\n", r.id, r.measured * scale,
                       bytes ? "GB" : r.unit, r.predicted * scale, 100 * r.error(),
                       bytes ? "-" : fmt::format("{:.4g} to {:.4g}", r.low, r.high));
  }
  return out;
}

std::string overflow_table(const TrainValidation& v) {
  std::string out = "\n| measured out of memory | predicted | of | |\n|---|---:|---:|---|\n";
  for (const auto& x : v.overflows)
    out += fmt::format("| {} | {:.1f} GB | {:.1f} GB | {} |\n", x.id, x.predicted_bytes / 1e9,
                       x.have_bytes / 1e9, x.fault() ? "**called safe**" : "out of memory too");
  return out;
}

constexpr const char* head =
    "# Validation\n\n"
    "Predicted against measured for every published run at hand. Written by `tools/fit-train`; do "
    "not edit.\n"
    "Errors are of the step time, |predicted / measured - 1|; rows are those of tier A "
    "(configuration\n"
    "known). FILES are `measured.yaml`, `vtrain_multi.csv`, `vtrain_single.csv` and `memory.yaml` "
    "of the\n"
    "project's data; each row names its own source there.\n\n";

}  // namespace

std::string train_page(const TrainRows& rows, const catalog::Catalog& catalog) {
  const Modes m(rows, catalog);
  std::string out = head;
  out += "## Bars\n\n" + bars(m);
  out += section("Calibrated: one scalar for each software", "headroom validate train FILES",
                 to_markdown(m.calibrated.steps));
  out += section("Raw: no scalar anywhere", "headroom validate train FILES --no-calibration",
                 to_markdown(m.raw.steps));
  out += section("Each source left out: scalar and interval from the others",
                 "headroom validate train FILES --leave-one-source-out",
                 to_markdown(m.left_out.steps) + "\n" + m.left_out.notes.front() + ".\n");
  out += section("Scalars", "headroom catalog training-software",
                 "Measured over modelled rate; `any` serves software that nobody measured.\n\n" +
                     scalars(catalog));
  out += section("Coverage of the 80 % intervals", "headroom validate train FILES --page",
                 coverage(m));
  out += section("Korthikanti et al. 2022, table 5", "headroom validate train FILES --rows",
                 row_table(source(m.calibrated.steps, "korth"), 0));
  out += section("Memory", "headroom validate train FILES",
                 to_markdown(m.calibrated.memory) + overflow_table(m.calibrated));
  out +=
      section("Every row off by more than 12 %, calibrated", "headroom validate train FILES --rows",
              row_table(published(m.calibrated.steps), step_miss));
  out +=
      "\nMemory readings off by more than 15 %:\n\n" + row_table(m.calibrated.memory, memory_miss);
  const auto single = source(m.calibrated.steps, "vtrain-single");
  const auto multi = source(m.calibrated.steps, "vtrain-multi");
  const auto beyond = [](const Report& r) {
    return std::count_if(r.rows.begin(), r.rows.end(),
                         [](const Row& x) { return std::abs(x.error()) > step_miss; });
  };
  out += fmt::format(
             "\nvTrain: {} of {} single-node and {} of {} multi-node rows are off by more "
             "than 12 %; the latter:\n\n",
             beyond(single), single.rows.size(), beyond(multi), multi.rows.size()) +
         row_table(multi, step_miss);
  return out;
}

}  // namespace headroom::validation
