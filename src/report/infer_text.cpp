#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/infer_report.hpp"
#include "report/parts.hpp"

namespace headroom::report {
namespace {

using study::ConfigurationRow;
using study::InferenceRun;

class Writer : Sheet {
 public:
  Writer(const InferenceRun& run, const TextOptions& options) : Sheet(options), r_(run) {}

  std::string write() {
    headline();
    job();
    slos();
    times();
    replays();
    for (const auto& stage : r_.stages) section(stage);
    for (const auto* s : {&r_.rates, &r_.use, &r_.energy}) section(*s);
    Sheet::money(r_.money, r_.price_origin);
    step();
    memory();
    configurations("Next best", r_.others);
    configurations("Pareto front: cost, time per token, power", r_.front);
    configurations("Other models, same traffic and promise", r_.compared);
    boxes();
    intervals();
    changes();
    flags(r_.flags);
    limits(r_.margins);
    remarks(r_.remarks);
    return take();
  }

 private:
  void headline() {
    raw(paint(r_.fits ? "FITS" : "DOES NOT FIT", r_.fits ? "1;32" : "1;31") + "  " + r_.title +
        "\n");
    prose(r_.verdict, "");
    if (r_.evaluated > 0)
      raw(fmt::format("{} configurations by the closed form, {} meet the SLOs\n", r_.evaluated,
                      r_.feasible));
  }

  void job() {
    if (r_.job.empty()) return;
    title("Asked");
    Table table({{"", Align::left, 14}, {"", Align::left, 0}});
    for (const auto& [key, value] : r_.job) table.add({key, value});
    put(table);
  }

  void slos() {
    if (r_.slos.empty()) return;
    title("Promises");
    Table table({{"", Align::left, 8},
                 {"asked", Align::right, 0},
                 {"at the peak", Align::right, 0},
                 {"headroom", Align::right, 0},
                 {"", Align::left, 0},
                 {"binds", Align::left, 0}});
    for (const auto& s : r_.slos)
      table.add({s.label, seconds(s.asked), seconds(s.reached), headroom_text(s.headroom()),
                 headroom_bar(s.headroom(), 21), s.resource},
                s.headroom() < 0 ? style("31") : "");
    put(table);
  }

  static std::vector<Column> time_columns(const char* first) {
    return {{first, Align::left, 0},
            {"mean", Align::right, 0},
            {"p50", Align::right, 0},
            {"p90", Align::right, 0},
            {"p99", Align::right, 0}};
  }

  void times() {
    if (r_.times.empty()) return;
    title("Times at the peak, closed form");
    Table table(time_columns(""));
    for (const auto& t : r_.times)
      table.add({t.label, seconds(t.mean), seconds(t.p50), seconds(t.p90), seconds(t.p99)});
    put(table);
    for (const auto& [key, what] : r_.definitions) {
      if (key == "ttft" || key == "tpot" || (key == "itl" && !r_.replays.empty()))
        prose(fmt::format("{}: {}", key, what));
    }
  }

  void replays() {
    for (const auto& replay : r_.replays) {
      title("Times at the peak, engine: " + replay.summary);
      Table table(time_columns(""));
      for (const auto& t : replay.times)
        table.add({t.label, seconds(t.mean), seconds(t.p50), seconds(t.p90), seconds(t.p99)});
      put(table);
      prose(
          fmt::format("{:.0f} requests replayed: {} inside the SLOs, goodput {} request/s, busy "
                      "{}, KV cache {} used, {:.0f} preemptions{}",
                      replay.requests, percent(replay.attained), format_number(replay.goodput_s),
                      percent(replay.busy), percent(replay.kv_used), replay.preemptions,
                      replay.overloaded ? "; OVERLOADED: the queue grows" : ""));
      if (!replay.holds) prose("the engine does not keep every promise with this one");
    }
  }

  void step() {
    if (r_.step.empty()) return;
    title(fmt::format("A mean step at the peak, {}", seconds(r_.step_s)));
    Table table({{"", Align::left, 30}, {"", Align::right, 0}, {"", Align::right, 0}});
    for (const auto& part : r_.step)
      table.add({part.name, seconds(part.value), percent(part.value / r_.step_s)});
    put(table);
  }

  void memory() {
    if (r_.memory.empty()) return;
    title(fmt::format("Memory of a GPU, {}", gibibytes(r_.memory_have)));
    Table table({{"", Align::left, 30}, {"", Align::right, 0}, {"", Align::right, 0}});
    for (const auto& item : r_.memory)
      table.add(
          {item.name, gibibytes(item.value), percent(item.value / std::max(r_.memory_have, 1.0))});
    put(table);
  }

  void configurations(const char* what, const std::vector<ConfigurationRow>& rows) {
    if (rows.empty()) return;
    title(what);
    Table table({{"model", Align::left, 22},
                 {"configuration", Align::left, 74},
                 {"TTFT", Align::right, 0},
                 {"TPOT", Align::right, 0},
                 {"USD/Mtok out", Align::right, 0},
                 {"J/tok", Align::right, 0},
                 {"", Align::left, 30}});
    for (std::size_t i = 0; i < std::min(rows.size(), most_rows); ++i) {
      const auto& r = rows[i];
      table.add({r.model, r.summary, seconds(r.ttft_p), seconds(r.tpot_p),
                 figure(r.usd_per_moutput), figure(r.j_per_output), r.fits ? "" : "no: " + r.why});
    }
    put(table);
    if (rows.size() > most_rows)
      raw(fmt::format("  and {} more (--json)\n", rows.size() - most_rows));
  }

  void boxes() {
    if (r_.edge.empty()) return;
    title("One user on a box of his own (bound by memory bandwidth)");
    Table table({{"", Align::left, 60},
                 {"token/s", Align::right, 0},
                 {"TTFT", Align::right, 0},
                 {"J/tok", Align::right, 0},
                 {"USD/Mtok out", Align::right, 0},
                 {"", Align::left, 46}});
    for (const auto& r : r_.edge)
      table.add({r.summary, figure(r.user_tokens_s), seconds(r.ttft_p), figure(r.j_per_output),
                 figure(r.usd_per_moutput), r.fits ? "" : "no: " + r.why});
    if (r_.chosen.gpus > 0)
      table.add({"the fleet above, a user of many", figure(r_.chosen.user_tokens_s),
                 seconds(r_.chosen.ttft_p), figure(r_.chosen.j_per_output),
                 figure(r_.chosen.usd_per_moutput), ""});
    put(table);
  }

  void intervals() {
    Sheet::intervals(r_.intervals, r_.interval_origin);
    for (const auto& why : r_.outside)
      prose("outside of what was held against measurements: " + why);
  }

  void changes() {
    if (r_.tried == 0) return;
    title("What to change next");
    if (r_.changes.empty()) {
      raw(fmt::format("  Nothing: of {} changes that were searched none saves more than 1 %.\n",
                      r_.tried));
      return;
    }
    for (const auto& c : r_.changes)
      prose(fmt::format("{:>+5.0f} % work for the same money: {}; needs {} (then {})", 100 * c.gain,
                        c.action, c.needs, c.plan));
    prose(fmt::format("each searched alone; the best of {} tried", r_.tried));
  }

  const InferenceRun& r_;
};

}  // namespace

std::string infer_text(const study::InferenceAnswer& answer, const TextOptions& options) {
  std::string out;
  for (const auto& run : answer.runs) {
    if (!out.empty()) out += "\n";
    out += Writer(run, options).write();
  }
  return out;
}

}  // namespace headroom::report
