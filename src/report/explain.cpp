#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/units.hpp"
#include "report/report.hpp"

namespace headroom::report {
namespace {

using study::Verdict;

class Tree {
 public:
  explicit Tree(const Trace& trace) : trace_(trace) {}

  void add(NodeId node, const std::string& lead, const std::string& rest) {
    const TraceNode& n = trace_.at(node);
    out_ += lead + n.id + (n.text.empty() ? " = " + format_scaled(n.si, n.unit) : ": " + n.text);
    if (n.low != n.high) {
      out_ += fmt::format("  [{} to {}]", format(n.low, n.unit), format(n.high, n.unit));
    }
    out_ += "\n";
    const bool seen = !shown_.insert(node).second;
    if (!n.formula.empty()) out_ += rest + "  = " + n.formula + "\n";
    if (n.origin.source) out_ += rest + "  from " + origin_text(n.origin) + "\n";
    if (seen && !n.inputs.empty()) {
      out_ += rest + "  (shown above)\n";
      return;
    }
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      const bool last = i + 1 == n.inputs.size();
      add(n.inputs[i], rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "));
    }
  }

  std::string take() { return std::move(out_); }

 private:
  static std::string origin_text(const Origin& origin) {
    const Source& s = *origin.source;
    std::string text = describe(s);
    const std::string where = place(origin);
    if (!where.empty()) text += " [" + where + "]";
    if (!s.url.empty()) text += " " + s.url;
    return text;
  }

  const Trace& trace_;
  std::set<NodeId> shown_;
  std::string out_;
};

void collect(const std::vector<study::Line>& lines, const std::string& section,
             std::vector<std::pair<std::string, NodeId>>& out) {
  for (const auto& line : lines) {
    if (line.node != no_node) out.emplace_back(section + "." + line.key, line.node);
  }
}

/// Every name a figure goes by beside its trace id: "money.capital".
std::vector<std::pair<std::string, NodeId>> named_lines(const Verdict& v) {
  std::vector<std::pair<std::string, NodeId>> out;
  for (const auto* s : {&v.money, &v.energy, &v.carbon, &v.water}) collect(s->lines, s->key, out);
  for (const auto& s : v.workloads) collect(s.lines, s.key, out);
  for (const auto& p : v.paths) collect(p.lines, p.key, out);
  return out;
}

std::string explain_margin(const Verdict& v, const Margin& m) {
  Tree tree(v.trace);
  std::string out = m.limit + " (" + m.id + "): need " + format(m.need, m.unit) + ", have " +
                    format(m.have, m.unit) + "\n" + m.why + "\n\nneed\n";
  if (m.need_node != no_node) tree.add(m.need_node, "", "");
  out += tree.take() + "\nhave\n";
  if (m.have_node != no_node) tree.add(m.have_node, "", "");
  return out + tree.take();
}

}  // namespace

Result<std::string> explain(const Verdict& v, const std::string& id) {
  const auto margin =
      std::find_if(v.margins.begin(), v.margins.end(), [&](const Margin& m) { return m.id == id; });
  if (margin != v.margins.end()) return explain_margin(v, *margin);
  NodeId node = v.trace.find(id);
  const auto lines = named_lines(v);
  for (const auto& [name, line_node] : lines) {
    if (node == no_node && name == id) node = line_node;
  }
  if (node != no_node) {
    Tree tree(v.trace);
    tree.add(node, "", "");
    return tree.take();
  }
  std::vector<std::string> known;
  for (const auto& m : v.margins) known.push_back(m.id);
  for (const auto& n : v.trace.nodes()) known.push_back(n.id);
  for (const auto& [name, line_node] : lines) known.push_back(name);
  std::string hint = did_you_mean(id, known);
  if (hint.empty()) hint = "`headroom check FILE --json` lists every id";
  return failure({v.file, 0, 0, "", "no figure is called '" + id + "'", hint, ""});
}

}  // namespace headroom::report
