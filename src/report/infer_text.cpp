#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/infer_report.hpp"
#include "report/table.hpp"

namespace headroom::report {
namespace {

using study::ConfigurationRow;
using study::InferenceRun;
using study::Section;

constexpr std::size_t most_rows = 25;  // of a table, for people

std::string percent(double share, int digits = 1) {
  return fmt::format("{:.{}f} %", 100 * share, digits);
}

std::string seconds(double s) {
  if (!std::isfinite(s) || s > 1e9) return "never";
  if (s >= 60) return format_scaled(s, "s");
  if (s >= 1) return fmt::format("{} s", format_number(s, 3));
  if (s >= 1e-3) return fmt::format("{} ms", format_number(s * 1e3, 3));
  return s > 0 ? fmt::format("{} us", format_number(s * 1e6, 3)) : std::string("0");
}

std::string number(double x, int digits = 3) { return x > 0 ? format_number(x, digits) : "-"; }

class Writer {
 public:
  Writer(const InferenceRun& run, const TextOptions& options)
      : r_(run), o_(options), width_(std::size_t(std::max(60, options.width))) {}

  std::string write() {
    headline();
    job();
    slos();
    times();
    replays();
    for (const auto& stage : r_.stages) lines(stage);
    lines(r_.rates), lines(r_.use), lines(r_.energy), lines(r_.money);
    if (!r_.price_origin.empty() && !r_.money.lines.empty())
      out_ += wrap("price: " + r_.price_origin, width_, "  ");
    step();
    memory();
    table("Next best", r_.others);
    table("Pareto front: cost, time per token, power", r_.front);
    table("Other models, same traffic and promise", r_.compared);
    boxes();
    intervals();
    changes();
    flags();
    limits();
    remarks();
    return std::move(out_);
  }

 private:
  std::string paint(const std::string& text, const char* code) const {
    return o_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }
  void title(const std::string& text) { out_ += "\n" + paint(text, "1") + "\n"; }

  void headline() {
    out_ += paint(r_.fits ? "FITS" : "DOES NOT FIT", r_.fits ? "1;32" : "1;31") + "  " + r_.title +
            "\n";
    out_ += wrap(r_.verdict, width_, "");
    if (r_.evaluated > 0)
      out_ += fmt::format("{} configurations by the closed form, {} meet the SLOs\n", r_.evaluated,
                          r_.feasible);
  }

  void job() {
    if (r_.job.empty()) return;
    title("Asked");
    Table table({{"", Align::left, 14}, {"", Align::left, 0}});
    for (const auto& [key, value] : r_.job) table.add({key, value});
    out_ += table.str();
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
                s.headroom() < 0 && o_.colour ? "31" : "");
    out_ += table.str();
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
    out_ += table.str();
    for (const auto& [key, what] : r_.definitions) {
      if (key == "ttft" || key == "tpot" || (key == "itl" && !r_.replays.empty()))
        out_ += wrap(fmt::format("{}: {}", key, what), width_, "  ");
    }
  }

  void replays() {
    for (const auto& replay : r_.replays) {
      title("Times at the peak, engine: " + replay.summary);
      Table table(time_columns(""));
      for (const auto& t : replay.times)
        table.add({t.label, seconds(t.mean), seconds(t.p50), seconds(t.p90), seconds(t.p99)});
      out_ += table.str();
      out_ += wrap(
          fmt::format("{:.0f} requests replayed: {} inside the SLOs, goodput {} request/s, busy "
                      "{}, KV cache {} used, {:.0f} preemptions{}",
                      replay.requests, percent(replay.attained), format_number(replay.goodput_s),
                      percent(replay.busy), percent(replay.kv_used), replay.preemptions,
                      replay.overloaded ? "; OVERLOADED: the queue grows" : ""),
          width_, "  ");
      if (!replay.holds)
        out_ += wrap("the engine does not keep every promise with this one", width_, "  ");
    }
  }

  void lines(const Section& section) {
    if (section.lines.empty()) return;
    title(section.title);
    Table table({{"", Align::left, 60}, {"", Align::right, 0}});
    for (const auto& line : section.lines)
      table.add({line.label, format_scaled(line.si, line.unit)});
    out_ += table.str();
  }

  void step() {
    if (r_.step.empty()) return;
    title(fmt::format("A mean step at the peak, {}", seconds(r_.step_s)));
    Table table({{"", Align::left, 30}, {"", Align::right, 0}, {"", Align::right, 0}});
    for (const auto& part : r_.step)
      table.add({part.name, seconds(part.value), percent(part.value / r_.step_s)});
    out_ += table.str();
  }

  void memory() {
    if (r_.memory.empty()) return;
    title(fmt::format("Memory of a GPU, {:.0f} GB", r_.memory_have / 1e9));
    Table table({{"", Align::left, 30}, {"", Align::right, 0}, {"", Align::right, 0}});
    for (const auto& item : r_.memory)
      table.add({item.name, fmt::format("{:.1f} GB", item.value / 1e9),
                 percent(item.value / std::max(r_.memory_have, 1.0))});
    out_ += table.str();
  }

  void table(const char* what, const std::vector<ConfigurationRow>& rows) {
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
                 number(r.usd_per_moutput), number(r.j_per_output), r.fits ? "" : "no: " + r.why});
    }
    out_ += table.str();
    if (rows.size() > most_rows)
      out_ += fmt::format("  and {} more (--json)\n", rows.size() - most_rows);
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
      table.add({r.summary, number(r.user_tokens_s), seconds(r.ttft_p), number(r.j_per_output),
                 number(r.usd_per_moutput), r.fits ? "" : "no: " + r.why});
    if (r_.chosen.gpus > 0)
      table.add({"the fleet above, a user of many", number(r_.chosen.user_tokens_s),
                 seconds(r_.chosen.ttft_p), number(r_.chosen.j_per_output),
                 number(r_.chosen.usd_per_moutput), ""});
    out_ += table.str();
  }

  void intervals() {
    if (!r_.intervals.empty()) {
      title("80 % interval");
      Table table({{"", Align::left, 30},
                   {"low", Align::right, 0},
                   {"likely", Align::right, 0},
                   {"high", Align::right, 0}});
      for (const auto& i : r_.intervals)
        table.add({i.label, format_scaled(i.low, i.unit), format_scaled(i.likely, i.unit),
                   format_scaled(i.high, i.unit)});
      out_ += table.str();
      out_ += wrap("from " + r_.interval_origin, width_, "  ");
    }
    for (const auto& why : r_.outside)
      out_ += wrap("outside of what was held against measurements: " + why, width_, "  ");
  }

  void changes() {
    if (r_.tried == 0) return;
    title("What to change next");
    if (r_.changes.empty()) {
      out_ += fmt::format("  Nothing: of {} changes that were searched none saves more than 1 %.\n",
                          r_.tried);
      return;
    }
    for (const auto& c : r_.changes)
      out_ += wrap(fmt::format("{:>+5.0f} % work for the same money: {}; needs {} (then {})",
                               100 * c.gain, c.action, c.needs, c.plan),
                   width_, "  ");
    out_ += wrap(fmt::format("each searched alone; the best of {} tried", r_.tried), width_, "  ");
  }

  void flags() {
    for (const auto& f : r_.flags) {
      title(f.program);
      out_ += f.text;
      for (const auto& c : f.cannot) out_ += wrap("not expressed: " + c, width_, "# ");
    }
  }

  void limits() {
    bool headed = false;
    for (const auto& m : r_.margins) {
      if (m.holds() && (m.headroom() > 0.1 || m.remedies.empty())) continue;
      if (!headed) title("Limits that fall short or are close");
      headed = true;
      out_ +=
          "  " + paint(m.limit, m.holds() ? "33" : "31") + " " + headroom_text(m.headroom()) + "\n";
      out_ += wrap(m.why, width_, "    ");
      for (const auto& r : m.remedies) out_ += wrap("- " + r.action, width_, "    ");
    }
  }

  void remarks() {
    if (r_.remarks.empty()) return;
    title("Remarks");
    for (const auto& remark : r_.remarks) out_ += wrap("- " + remark, width_, "  ");
  }

  const InferenceRun& r_;
  const TextOptions& o_;
  std::size_t width_;
  std::string out_;
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
