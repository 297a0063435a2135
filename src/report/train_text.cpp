#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/table.hpp"
#include "report/train_report.hpp"

namespace headroom::report {
namespace {

using study::PlanRow;
using study::Section;
using study::TrainingRun;

constexpr std::size_t most_rows = 25;  // of the front, for people

std::string percent(double share, int digits = 1) {
  return fmt::format("{:.{}f} %", 100 * share, digits);
}

std::string seconds(double s) {
  if (s >= 1) return fmt::format("{} s", format_number(s));
  if (s >= 1e-3) return fmt::format("{} ms", format_number(s * 1e3, 3));
  return s > 0 ? fmt::format("{} us", format_number(s * 1e6, 3)) : std::string("0");
}

std::string gigabytes(double bytes) { return fmt::format("{:.1f} GB", bytes / 1e9); }

std::string bar(double share, std::size_t width) {
  static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double cells = std::clamp(share, 0.0, 1.0) * double(width);
  std::string out;
  for (int i = 0; i < int(cells); ++i) out += "█";
  return out + eighths[int((cells - std::floor(cells)) * 8)];
}

class Writer {
 public:
  Writer(const TrainingRun& run, const TextOptions& options)
      : r_(run), o_(options), width_(static_cast<std::size_t>(std::max(60, options.width))) {}

  std::string write() {
    if (!r_.rl.empty()) return learning();
    headline();
    job();
    const bool held = fits_memory();
    if (!held) limits();
    if (r_.laid_out && held) answer();
    if (r_.laid_out && !held) memory();
    if (held) limits();
    remarks();
    return std::move(out_);
  }

 private:
  // --- Reinforcement learning -----------------------------------------------------------

  std::string learning() {
    out_ += paint(of_job("model") + ", reinforcement learning on " + of_job("gpus"), "1") + "\n";
    const auto& best = r_.rl.front();
    if (best.fits)
      out_ += wrap(fmt::format("{}: {} an iteration of {}, {} and {} GPU-hours", placement(best),
                               seconds(best.iteration_s), of_job("iteration"),
                               format_scaled(r_.rl_usd, "USD"), format_number(best.gpu_hours(), 3)),
                   width_, "");
    job();
    for (const auto& plan : r_.rl) phases(plan);
    lines(r_.run);
    lines(r_.energy);
    money();
    if (best.fits) out_ += wrap("outside what was validated: " + r_.outside.front(), width_, "  ");
    remarks();
    return std::move(out_);
  }

  static std::string placement(const study::RlPlan& plan) {
    if (plan.placement == study::Placement::colocated)
      return "Colocated, generation and training in turn";
    return fmt::format("Disaggregated, {} GPUs generate and {} train", plan.generation_gpus,
                       plan.training_gpus);
  }

  void phases(const study::RlPlan& plan) {
    title(placement(plan));
    if (!plan.fits) {
      out_ += wrap("does not fit: " + plan.why, width_, "  ");
      return;
    }
    Table table({{"", Align::left, 30},
                 {"time", Align::right, 0},
                 {"of iteration", Align::right, 0},
                 {"GPUs", Align::right, 0},
                 {"", Align::left, 0}});
    for (const auto& phase : plan.phases) {
      if (phase.seconds <= 0) continue;
      const double share = phase.seconds / plan.iteration_s;
      table.add({phase.name, seconds(phase.seconds), percent(share), format_number(phase.gpus, 9),
                 bar(share, 30)});
    }
    table.add({"iteration", seconds(plan.iteration_s), "100 %",
               format_number(plan.generation_gpus + plan.training_gpus, 9), ""},
              o_.colour ? "1" : "");
    out_ += table.str();
    out_ += wrap(
        fmt::format("{:.0f} replicas of {} GPUs with {:.0f} answers at once, {} of generation in "
                    "the tail of the longest; {} of GPU time idle; trains with {}",
                    plan.replicas, plan.replica_gpus, plan.batch, percent(plan.tail_share, 0),
                    percent(plan.idle_share, 0), plan.training_plan),
        width_, "  ");
  }

  void ranks() {
    if (r_.ranks.empty()) return;
    title("Memory by pipeline rank, GB a GPU");
    std::vector<Column> columns;
    for (const char* head : {"rank", "layers", "weights", "gradients, optimiser", "activations",
                             "other", "allocated", "reserved", "total"})
      columns.push_back({head, Align::right, 0});
    Table table(columns);
    for (const auto& r : r_.ranks) {
      std::vector<std::string> cells = {fmt::format("{}", r.rank), fmt::format("{}", r.layers)};
      for (const double bytes :
           {r.weights, r.state, r.activations, r.other, r.allocated, r.reserved, r.total})
        cells.push_back(fmt::format("{:.1f}", bytes / 1e9));
      table.add(cells);
    }
    out_ += table.str();
  }

  void answer() {
    plans("Plans: " + format_number(double(r_.evaluated)) + " legal ones looked at, best first",
          r_.plans);
    plans("Pareto front: no plan beats these in speed, GPUs and memory at once", r_.front,
          most_rows);
    step();
    memory();
    ranks();
    if (!r_.pipeline.empty()) {
      title("One step of the pipeline");
      out_ += r_.pipeline;
    }
    for (const auto* section : {&r_.speed, &r_.run, &r_.reliability, &r_.energy}) lines(*section);
    money();
    intervals();
    changes();
    flags();
  }

  std::string paint(const std::string& text, const char* style) const {
    return o_.colour ? "\033[" + std::string(style) + "m" + text + "\033[0m" : text;
  }
  void title(const std::string& text) { out_ += "\n" + paint(text, "1") + "\n"; }

  bool fits_memory() const { return r_.memory_total <= r_.memory_safe; }

  std::string of_job(const char* key) const {
    for (const auto& [k, value] : r_.job)
      if (k == key) return value;
    return {};
  }
  double of(const Section& section, const char* key) const {
    for (const auto& line : section.lines)
      if (line.key == key) return line.si;
    return 0;
  }

  void headline() {
    out_ += paint(of_job("model") + " on " + of_job("gpus"), "1") + "\n";
    if (!r_.laid_out) {
      out_ += paint("No plan can be laid out.", "31") + "\n";
      return;
    }
    const PlanRow& best = r_.plans.front();
    const bool held = fits_memory();
    out_ += held ? paint(r_.fits ? "It fits: " : "It runs, but a limit falls short: ",
                         r_.fits ? "32" : "33")
                 : paint("It does not fit the memory; least of all needs ", "31");
    out_ += best.summary + "\n";
    if (!held) {
      out_ +=
          fmt::format("{} of {} a GPU\n", gigabytes(r_.memory_total), gigabytes(r_.memory_have));
      return;
    }
    std::string text =
        fmt::format("{} tokens/s, {} a step, MFU {}", format_number(best.tokens_per_s),
                    seconds(best.step_s), percent(best.mfu));
    if (best.days > 0) text += fmt::format(", {} days", format_number(best.days, 3));
    if (const double usd = of(r_.money, "run"); usd > 0) text += ", " + format_scaled(usd, "USD");
    text += fmt::format(", {} of {} a GPU", gigabytes(r_.memory_total), gigabytes(r_.memory_have));
    out_ += wrap(text, width_, "");
    if (!r_.in_domain) {
      std::string why;
      for (const auto& reason : r_.outside) why += (why.empty() ? "" : "; ") + reason;
      out_ += wrap(paint("Outside what was validated: ", "33") + why, width_, "");
    }
  }

  void job() {
    std::string text;
    for (const auto& [key, value] : r_.job) {
      if (key == "model" || key == "gpus") continue;
      std::string word = key;
      std::replace(word.begin(), word.end(), '_', ' ');
      text += (text.empty() ? "" : "; ") + word + " " + value;
    }
    out_ += wrap(text, width_, "  ");
  }

  static std::string dim(const PlanRow& row, const char* key) {
    for (const auto& [k, value] : row.dims)
      if (k == key) return value;
    return "";
  }

  void plans(const std::string& head, const std::vector<PlanRow>& rows,
             std::size_t most = std::size_t(-1)) {
    if (rows.empty()) return;
    title(head);
    std::vector<Column> columns = {{"", Align::right, 0}};
    // Dimensions that are 1 in every row say nothing.
    struct Dim {
      const char* key;
      const char* head;
    };
    std::vector<Dim> dims;
    for (const Dim d : {Dim{"tp", "TP"},
                        {"pp", "PP"},
                        {"vpp", "VPP"},
                        {"cp", "CP"},
                        {"ep", "EP"},
                        {"etp", "ETP"},
                        {"dp", "DP"}}) {
      const bool always = d.key == std::string("tp") || d.key == std::string("dp");
      const bool used = std::any_of(rows.begin(), rows.end(), [&](const PlanRow& r) {
        const auto v = dim(r, d.key);
        return !v.empty() && v != "1";
      });
      if (always || used) dims.push_back(d);
    }
    for (const auto& d : dims) columns.push_back({d.head, Align::right, 0});
    for (const char* name : {"batch", "ZeRO", "recompute"})
      columns.push_back({name, Align::left, 0});
    for (const char* name : {"GPUs", "tokens/s", "step", "MFU", "memory", "USD/Btoken", "days"})
      columns.push_back({name, Align::right, 0});
    Table table(columns);
    std::size_t number = 0;
    for (const auto& row : rows) {
      if (number == most) break;
      std::vector<std::string> cells = {fmt::format("{}", ++number)};
      for (const auto& d : dims) cells.push_back(dim(row, d.key));
      cells.push_back(dim(row, "micro_batch") + " x " + dim(row, "micro_batches"));
      cells.push_back(dim(row, "zero"));
      cells.push_back(dim(row, "recompute"));
      cells.push_back(format_number(row.gpus, 9));
      cells.push_back(format_number(row.tokens_per_s));
      cells.push_back(seconds(row.step_s));
      cells.push_back(percent(row.mfu));
      cells.push_back(gigabytes(row.memory));
      cells.push_back(row.usd_per_token > 0 ? format_number(row.usd_per_token * 1e9, 3) : "-");
      cells.push_back(row.days > 0 ? format_number(row.days, 3) : "-");
      table.add(cells);
    }
    out_ += table.str();
    if (rows.size() > most) out_ += fmt::format("  and {} more (--json)\n", rows.size() - most);
  }

  void step() {
    title("One step");
    double total = 0, hidden = 0;
    for (const auto& part : r_.step) total += part.seconds, hidden += part.hidden;
    std::vector<Column> columns = {
        {"", Align::left, 40}, {"time", Align::right, 0}, {"share", Align::right, 0}};
    if (hidden > 0) columns.push_back({"and hidden", Align::right, 0});
    columns.push_back({"", Align::left, 0});
    Table table(columns);
    for (const auto& part : r_.step) {
      if (std::abs(part.seconds) < 5e-4 * total && part.hidden < 5e-4 * total) continue;
      std::vector<std::string> cells = {
          part.name, part.seconds < 0 ? "-" + seconds(-part.seconds) : seconds(part.seconds),
          percent(total > 0 ? part.seconds / total : 0)};
      if (hidden > 0) cells.push_back(part.hidden > 0 ? seconds(part.hidden) : "");
      cells.push_back(bar(total > 0 ? part.seconds / total : 0, 30));
      table.add(cells);
    }
    std::vector<std::string> sum = {"step", seconds(total), "100 %"};
    if (hidden > 0) sum.emplace_back("");
    sum.emplace_back("");
    table.add(sum, o_.colour ? "1" : "");
    out_ += table.str();
  }

  void memory() {
    title("Memory of one GPU, " + r_.memory_rank);
    Table table({{"", Align::left, 40}, {"", Align::right, 0}, {"", Align::left, 0}});
    for (const auto& item : r_.memory) {
      if (item.bytes < 5e6) continue;
      table.add({item.name, gigabytes(item.bytes),
                 bar(r_.memory_have > 0 ? item.bytes / r_.memory_have : 0, 30)});
    }
    table.add({"allocated", gigabytes(r_.memory_allocated), ""}, o_.colour ? "1" : "");
    table.add({"reserved", gigabytes(r_.memory_reserved), ""}, o_.colour ? "1" : "");
    table.add({fmt::format("needed of {}, {} of it safe", gigabytes(r_.memory_have),
                           gigabytes(r_.memory_safe)),
               gigabytes(r_.memory_total), ""},
              o_.colour ? "1" : "");
    out_ += table.str();
  }

  void lines(const Section& section) {
    if (section.lines.empty()) return;
    title(section.title);
    Table table({{"", Align::left, 60}, {"", Align::right, 0}});
    for (const auto& line : section.lines)
      table.add({line.label, format_scaled(line.si, line.unit)});
    out_ += table.str();
  }

  void money() {
    lines(r_.money);
    if (!r_.price_origin.empty() && !r_.money.lines.empty())
      out_ += wrap("price: " + r_.price_origin, width_, "  ");
  }

  void intervals() {
    if (r_.intervals.empty()) return;
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

  void changes() {
    if (r_.tried == 0) return;
    title("What to change next");
    if (r_.changes.empty()) {
      out_ += fmt::format(
          "  Nothing: of {} changes that were evaluated none gains more than 1 %.\n", r_.tried);
      return;
    }
    for (const auto& c : r_.changes)
      out_ += wrap(fmt::format("{:>+5.0f} %  {}; needs {}{}", 100 * c.gain, c.action, c.needs,
                               c.plan.empty() || c.action.find(c.plan) != std::string::npos
                                   ? ""
                                   : " (then " + c.plan + ")"),
                   width_, "  ");
    out_ += wrap(fmt::format("each re-planned and evaluated alone; the best of {} tried", r_.tried),
                 width_, "  ");
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

  const TrainingRun& r_;
  const TextOptions& o_;
  std::size_t width_;
  std::string out_;
};

}  // namespace

std::string train_text(const study::TrainingAnswer& answer, const TextOptions& options) {
  std::string out;
  for (const auto& run : answer.runs) {
    if (!out.empty()) out += "\n";
    if (answer.runs.size() > 1) out += "Workload " + run.workload + "\n";
    out += Writer(run, options).write();
  }
  return out;
}

}  // namespace headroom::report
