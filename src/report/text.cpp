#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/units.hpp"
#include "report/report.hpp"
#include "report/table.hpp"

namespace headroom::report {
namespace {

using study::Line;
using study::Section;
using study::Verdict;

// Limits that hold by more than this are summed up unless all are asked for.
constexpr double far_from_binding = 1.0;

class Writer {
 public:
  Writer(const Verdict& verdict, const TextOptions& options)
      : v_(verdict), o_(options), width_(static_cast<std::size_t>(std::max(60, options.width))) {}

  std::string write() {
    headline();
    margins();
    shortfalls();
    for (const auto& section : v_.workloads) lines(section);
    plans();
    money();
    for (const auto* section : {&v_.energy, &v_.carbon, &v_.water}) lines(*section);
    sensitivities();
    remarks();
    return std::move(out_);
  }

 private:
  std::string bold(const std::string& text) const { return paint(text, "1"); }
  std::string paint(const std::string& text, const char* style) const {
    return o_.colour ? "\033[" + std::string(style) + "m" + text + "\033[0m" : text;
  }
  void title(const std::string& text) { out_ += "\n" + bold(text) + "\n"; }

  void headline() {
    out_ += bold(v_.scenario) + "\n";
    const Margin* binding = v_.binding();
    if (binding == nullptr) {
      out_ += "No limit was asked for.\n";
      return;
    }
    const auto short_count = std::count_if(v_.margins.begin(), v_.margins.end(),
                                           [](const Margin& m) { return !m.holds(); });
    if (v_.fits) {
      out_ += paint(fmt::format("It fits: all {} limits hold.", v_.margins.size()), "32") +
              " The first to break is " + binding->limit + " (" + binding->layer + "), with " +
              headroom_text(binding->headroom()) + ".\n";
    } else {
      out_ += paint(fmt::format("It does not fit: {} of {} limits fall short.", short_count,
                                v_.margins.size()),
                    "31") +
              " The first is " + binding->limit + " (" + binding->layer + "), " +
              headroom_text(binding->headroom()) + ".\n";
    }
    out_ += wrap(binding->why, width_, "");
  }

  /// Need and have in one unit, in which the smaller still reads well; each in its own when
  /// they are far apart. A condition is met or not.
  static std::pair<std::string, std::string> pair_text(const Margin& m) {
    if (m.unit == "rule") return {m.need > 0 ? format_number(m.need) + " missing" : "met", ""};
    const double small = std::min(m.need, m.have);
    const double large = std::max(m.need, m.have);
    if (small <= 0) return {format_scaled(m.need, m.unit), format_scaled(m.have, m.unit)};
    const bool apart = large > 1000 * small;
    const std::string unit = readable_unit(small, m.unit);
    return {format(m.need, apart ? readable_unit(m.need, m.unit) : unit),
            format(m.have, apart ? readable_unit(m.have, m.unit) : unit)};
  }

  static const char* style_of(const Margin& m) {
    if (!m.holds()) return "31";
    return m.headroom() < 0.1 ? "33" : "";
  }

  void margins() {
    title("Limits");
    const std::size_t bar = 20;
    Table table({{"layer", Align::left, 12},
                 {"limit", Align::left, 44},
                 {"need", Align::right, 0},
                 {"have", Align::right, 0},
                 {"headroom", Align::right, 0},
                 {"", Align::left, 0}});
    std::map<std::string, int> hidden;
    for (const auto& m : v_.margins) {
      const bool far = m.headroom() > far_from_binding;
      if (far && !o_.all && !first_of_layer(m)) {
        ++hidden[m.layer];
        continue;
      }
      const auto [need, have] = pair_text(m);
      table.add({m.layer, m.limit, need, have, headroom_text(m.headroom()),
                 headroom_bar(m.headroom(), bar)},
                o_.colour ? style_of(m) : "");
    }
    out_ += table.str();
    if (!hidden.empty()) {
      std::string list;
      for (const auto& [layer, n] : hidden)
        list += fmt::format("{}{} {}", list.empty() ? "" : ", ", n, layer);
      out_ += wrap("and with more than twice what they need: " + list + " (--all shows them)",
                   width_, "  ");
    }
    if (!v_.not_asked.empty()) {
      std::string list;
      for (const auto& layer : v_.not_asked) list += (list.empty() ? "" : ", ") + layer;
      out_ += "  not asked: " + list + "\n";
    }
  }

  bool first_of_layer(const Margin& margin) const {
    const auto it = std::find_if(v_.margins.begin(), v_.margins.end(),
                                 [&](const Margin& m) { return m.layer == margin.layer; });
    return &*it == &margin;
  }

  void shortfalls() {
    bool headed = false;
    for (const auto& m : v_.margins) {
      const bool near = m.headroom() < 0.1;
      if (!near) break;
      if (m.holds() && m.remedies.empty()) continue;
      if (!headed) title("What falls short or is close, and what lifts it");
      headed = true;
      out_ +=
          "  " + paint(m.limit, m.holds() ? "33" : "31") + " " + headroom_text(m.headroom()) + "\n";
      out_ += wrap(m.why, width_, "    ");
      for (const auto& r : m.remedies) out_ += wrap("- " + remedy_text(r), width_, "    ");
    }
  }

  static std::string remedy_text(const Remedy& r) {
    std::string text = r.action;
    std::string facts;
    if (r.cost) facts = format_scaled(r.cost->si(), "USD");
    if (r.lead_time) facts += (facts.empty() ? "" : ", ") + format(r.lead_time->si(), "wk");
    if (!facts.empty()) text += " (" + facts + (r.source.empty() ? "" : "; " + r.source) + ")";
    return text;
  }

  void lines(const Section& section) {
    if (section.lines.empty()) return;
    title(section.title);
    Table table({{"", Align::left, 60}, {"", Align::right, 0}});
    for (const auto& line : section.lines)
      table.add({line.label, format_scaled(line.si, line.unit)});
    out_ += table.str();
  }

  void plans() {
    if (v_.plans.empty()) return;
    title("Plans");
    for (const auto& plan : v_.plans) out_ += wrap(plan.id + ": " + plan.summary, width_, "  ");
  }

  void money() {
    lines(v_.money);
    if (v_.paths.empty()) return;
    out_ += "\n";
    std::vector<Column> columns = {{"the same work by", Align::left, 44}};
    for (const auto& line : v_.paths.front().lines)
      columns.push_back({line.label, Align::right, 0});
    columns.push_back({"own is cheaper above", Align::right, 0});
    Table table(columns);
    for (const auto& path : v_.paths) {
      std::vector<std::string> cells = {path.label};
      for (const auto& line : path.lines) {
        if (line.key != "break_even") cells.push_back(format_scaled(line.si, line.unit));
      }
      cells.push_back(path.break_even);
      table.add(cells);
    }
    out_ += table.str();
  }

  void sensitivities() {
    if (v_.sensitivities.empty()) return;
    title("What the ranged inputs do to the binding limit");
    Table table({{"input", Align::left, 40},
                 {"low", Align::right, 0},
                 {"high", Align::right, 0},
                 {"headroom at low", Align::right, 0},
                 {"at high", Align::right, 0}});
    for (const auto& s : v_.sensitivities) {
      table.add(
          {s.path, s.low, s.high, headroom_text(s.headroom_low), headroom_text(s.headroom_high)});
    }
    out_ += table.str();
  }

  void remarks() {
    title("Remarks");
    for (const auto& remark : v_.remarks) out_ += wrap("- " + remark, width_, "  ");
    out_ += wrap(fmt::format("- energy in = energy out + stored: off by {:.1e} of what enters",
                             v_.energy_imbalance),
                 width_, "  ");
    weak_sources();
  }

  /// How many of the figures used rest on assumption or memory: users must see it.
  void weak_sources() {
    int assumed_count = 0;
    int recalled_count = 0;
    int inputs = 0;
    for (const auto& node : v_.trace.nodes()) {
      if (!node.formula.empty() || !node.origin.source) continue;
      ++inputs;
      if (node.origin.source->trust == Trust::assumed) ++assumed_count;
      if (node.origin.source->trust == Trust::recalled) ++recalled_count;
    }
    out_ += wrap(
        fmt::format("- of {} inputs {} are assumed and {} recalled, unverified; `headroom explain` "
                    "FILE ID shows each figure's tree, `--json` all of them",
                    inputs, assumed_count, recalled_count),
        width_, "  ");
  }

  const Verdict& v_;
  const TextOptions& o_;
  std::size_t width_;
  std::string out_;
};

}  // namespace

std::string text(const Verdict& verdict, const TextOptions& options) {
  return Writer(verdict, options).write();
}

}  // namespace headroom::report
