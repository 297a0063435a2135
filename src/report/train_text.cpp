#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/parts.hpp"
#include "report/train_report.hpp"

namespace headroom::report {
namespace {

using study::PlanRow;
using study::Section;
using study::TrainingRun;

std::string step_time(double s) { return seconds(s, 4); }  // steps differ by little

class Writer : Sheet {
 public:
  Writer(const TrainingRun& run, const TextOptions& options) : Sheet(options), r_(run) {}

  std::string write() {
    if (!r_.rl.empty()) return learning();
    headline();
    job();
    const bool held = fits_memory();
    if (!held) limits(r_.margins);
    if (r_.laid_out && held) answer();
    if (r_.laid_out && !held) memory();
    if (held) limits(r_.margins);
    remarks(r_.remarks);
    return take();
  }

 private:
  // --- Reinforcement learning -----------------------------------------------------------

  std::string learning() {
    raw(paint(of_job("model") + ", reinforcement learning on " + of_job("gpus"), "1") + "\n");
    const auto& best = r_.rl.front();
    if (best.fits)
      prose(fmt::format("{}: {} an iteration of {}, {} and {} GPU-hours", placement(best),
                        step_time(best.iteration_s), of_job("iteration"),
                        format_scaled(r_.rl_usd, "USD"), format_number(best.gpu_hours(), 3)),
            "");
    job();
    for (const auto& plan : r_.rl) phases(plan);
    section(r_.run);
    section(r_.energy);
    money(r_.money, r_.price_origin);
    if (best.fits) prose("outside what was validated: " + r_.outside.front());
    remarks(r_.remarks);
    return take();
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
      prose("does not fit: " + plan.why);
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
      table.add({phase.name, step_time(phase.seconds), percent(share), format_number(phase.gpus, 9),
                 bar(share, 30)});
    }
    table.add({"iteration", step_time(plan.iteration_s), "100 %",
               format_number(plan.generation_gpus + plan.training_gpus, 9), ""},
              style("1"));
    put(table);
    prose(
        fmt::format("{:.0f} replicas of {} GPUs with {:.0f} answers at once, {} of generation in "
                    "the tail of the longest; {} of GPU time idle; trains with {}",
                    plan.replicas, plan.replica_gpus, plan.batch, percent(plan.tail_share, 0),
                    percent(plan.idle_share, 0), plan.training_plan));
  }

  void ranks() {
    if (r_.ranks.empty()) return;
    title("Memory by pipeline rank, GiB a GPU");
    std::vector<Column> columns;
    for (const char* head : {"rank", "layers", "weights", "gradients, optimiser", "activations",
                             "other", "allocated", "reserved", "total"})
      columns.push_back({head, Align::right, 0});
    Table table(columns);
    for (const auto& r : r_.ranks) {
      std::vector<std::string> cells = {fmt::format("{}", r.rank), fmt::format("{}", r.layers)};
      for (const double bytes :
           {r.weights, r.state, r.activations, r.other, r.allocated, r.reserved, r.total})
        cells.push_back(fmt::format("{:.1f}", bytes / bytes_per_gib));
      table.add(cells);
    }
    put(table);
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
      raw(r_.pipeline);
    }
    for (const auto* s : {&r_.speed, &r_.run, &r_.reliability, &r_.energy}) section(*s);
    money(r_.money, r_.price_origin);
    intervals(r_.intervals, r_.interval_origin);
    changes();
    flags(r_.flags);
  }

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
    raw(paint(of_job("model") + " on " + of_job("gpus"), "1") + "\n");
    if (!r_.laid_out) {
      raw(paint("No plan can be laid out.", "31") + "\n");
      return;
    }
    const PlanRow& best = r_.plans.front();
    const bool held = fits_memory();
    raw(held ? paint(r_.fits ? "It fits: " : "It runs, but a limit falls short: ",
                     r_.fits ? "32" : "33")
             : paint("It does not fit the memory; least of all needs ", "31"));
    raw(best.summary + "\n");
    if (!held) {
      raw(fmt::format("{} of {} a GPU\n", gibibytes(r_.memory_total), gibibytes(r_.memory_have)));
      return;
    }
    std::string text =
        fmt::format("{} tokens/s, {} a step, MFU {}", format_number(best.tokens_per_s),
                    step_time(best.step_s), percent(best.mfu));
    if (best.days > 0) text += fmt::format(", {} days", format_number(best.days, 3));
    if (const double usd = of(r_.money, "run"); usd > 0) text += ", " + format_scaled(usd, "USD");
    text += fmt::format(", {} of {} a GPU", gibibytes(r_.memory_total), gibibytes(r_.memory_have));
    prose(text, "");
    if (!r_.in_domain) {
      std::string why;
      for (const auto& reason : r_.outside) why += (why.empty() ? "" : "; ") + reason;
      prose(paint("Outside what was validated: ", "33") + why, "");
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
    prose(text);
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
      cells.push_back(step_time(row.step_s));
      cells.push_back(percent(row.mfu));
      cells.push_back(gibibytes(row.memory));
      cells.push_back(row.usd_per_token > 0 ? format_number(row.usd_per_token * 1e9, 3) : "-");
      cells.push_back(row.days > 0 ? format_number(row.days, 3) : "-");
      table.add(cells);
    }
    put(table);
    if (rows.size() > most) raw(fmt::format("  and {} more (--json)\n", rows.size() - most));
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
          part.name, part.seconds < 0 ? "-" + step_time(-part.seconds) : step_time(part.seconds),
          percent(total > 0 ? part.seconds / total : 0)};
      if (hidden > 0) cells.push_back(part.hidden > 0 ? step_time(part.hidden) : "");
      cells.push_back(bar(total > 0 ? part.seconds / total : 0, 30));
      table.add(cells);
    }
    std::vector<std::string> sum = {"step", step_time(total), "100 %"};
    if (hidden > 0) sum.emplace_back("");
    sum.emplace_back("");
    table.add(sum, style("1"));
    put(table);
  }

  void memory() {
    title("Memory of one GPU, " + r_.memory_rank);
    Table table({{"", Align::left, 40}, {"", Align::right, 0}, {"", Align::left, 0}});
    for (const auto& item : r_.memory) {
      if (item.bytes < 5e6) continue;
      table.add({item.name, gibibytes(item.bytes),
                 bar(r_.memory_have > 0 ? item.bytes / r_.memory_have : 0, 30)});
    }
    table.add({"allocated", gibibytes(r_.memory_allocated), ""}, style("1"));
    table.add({"reserved", gibibytes(r_.memory_reserved), ""}, style("1"));
    table.add({fmt::format("needed of {}, {} of it safe", gibibytes(r_.memory_have),
                           gibibytes(r_.memory_safe)),
               gibibytes(r_.memory_total), ""},
              style("1"));
    put(table);
  }

  void changes() {
    if (r_.tried == 0) return;
    title("What to change next");
    if (r_.changes.empty()) {
      raw(fmt::format("  Nothing: of {} changes that were evaluated none gains more than 1 %.\n",
                      r_.tried));
      return;
    }
    for (const auto& c : r_.changes)
      prose(fmt::format("{:>+5.0f} %  {}; needs {}{}", 100 * c.gain, c.action, c.needs,
                        c.plan.empty() || c.action.find(c.plan) != std::string::npos
                            ? ""
                            : " (then " + c.plan + ")"));
    prose(fmt::format("each re-planned and evaluated alone; the best of {} tried", r_.tried));
  }

  const TrainingRun& r_;
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
