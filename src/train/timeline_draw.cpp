// The terminal picture of a timeline.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "train/timeline.hpp"

namespace headroom::train {
namespace {

constexpr double ms = 1e3;  // per second
constexpr int kinds = 4;    // of Pass

struct Look {
  std::string_view utf8[kinds] = {"░", "▓", "█", "▒"};
  std::string_view ascii[kinds] = {"-", "=", "+", "~"};
  /// ANSI 256-colour backgrounds, two shades that alternate between micro-batches.
  int shade[kinds][2] = {{75, 69}, {71, 65}, {79, 73}, {179, 173}};
};
constexpr Look look;

/// A stretch of time and the columns it is drawn on.
struct Window {
  double from = 0, to = 0;
  int columns = 0;
  double cell() const { return (to - from) / columns; }
};

/// One column of a lane.
struct Cell {
  int kind = -1;  ///< of Pass; -1 idle
  char text = 0;  ///< digit of the micro-batch's number
  bool odd_batch = false, odd_chunk = false;
};

/// Columns an average forward pass should have to be told apart.
constexpr double legible = 2;

double forward_s(const Timeline& t) {
  double sum = 0, count = 0;
  for (const auto& r : t.ranks)
    for (const auto& op : r.ops)
      if (op.slot.pass == Pass::forward) sum += op.end - op.start, ++count;
  return count > 0 ? sum / count : 0;
}

/// The whole step, or its beginning and end where the whole would not be legible.
std::vector<Window> windows(const Timeline& t, int columns) {
  const double pass = forward_s(t);
  const Window whole{0, t.total, columns};
  if (whole.cell() * legible <= pass || pass <= 0) return {whole};
  const int half = (columns - 3) / 2;
  for (const double want : {legible, 1.0}) {
    const double length = half * pass / want;
    // Worth it only if filling and draining, and something of the middle, are seen.
    if (2 * length >= t.total) return {whole};
    if (length >= 1.5 * t.pipeline.ranks * pass)
      return {{0, length, half}, {t.total - length, t.total, half}};
  }
  return {whole};
}

std::vector<Cell> lane(const RankTrace& rank, const Window& w, bool colour) {
  std::vector<Cell> cells(w.columns);
  for (const auto& op : rank.ops) {
    double start = op.start, end = op.end;
    if (op.slot.paired) {  // run together, drawn side by side
      const double middle = (start + end) / 2;
      (op.slot.pass == Pass::forward ? end : start) = middle;
    }
    if (end <= w.from || start >= w.to) continue;
    const int from = std::max(0, int(std::lround((start - w.from) / w.cell())));
    const int to = std::min(w.columns, int(std::lround((end - w.from) / w.cell())));
    const auto number = fmt::format("{}", op.slot.micro_batch + 1);
    // Without colour a digit hides what the pass is: leave a column that shows it.
    const bool room = to - from >= int(number.size()) + (colour ? 0 : 1);
    for (int i = from; i < to; ++i) {
      auto& c = cells[i];
      c = {int(op.slot.pass), 0, op.slot.micro_batch % 2 == 1, op.slot.chunk % 2 == 1};
      if (room && i - from < int(number.size())) c.text = number[i - from];
    }
  }
  return cells;
}

std::string cell_text(const Cell& c, const DrawOptions& o) {
  if (c.kind < 0) return o.utf8 ? "·" : ".";
  if (c.text) return std::string(1, c.text);
  if (o.colour) return " ";
  return std::string(o.utf8 ? look.utf8[c.kind] : look.ascii[c.kind]);
}

std::string paint(const Cell& c, const DrawOptions& o) {
  if (!o.colour) return "";
  if (c.kind < 0) return "\x1b[0;2m";
  return fmt::format("\x1b[0;38;5;{};48;5;{}m", c.odd_chunk ? 231 : 16,
                     look.shade[c.kind][c.odd_batch]);
}

std::string lane_text(const std::vector<Cell>& cells, const DrawOptions& o) {
  std::string out, last;
  for (const auto& c : cells) {
    const auto now = paint(c, o);
    if (now != last) out += now, last = now;
    out += cell_text(c, o);
  }
  return o.colour ? out + "\x1b[0m" : out;
}

/// 1, 2 or 5 times a power of ten, at least `least`.
double round_step(double least) {
  const double unit = std::pow(10, std::floor(std::log10(least)));
  for (const double k : {1.0, 2.0, 5.0})
    if (k * unit >= least * (1 - 1e-9)) return k * unit;
  return 10 * unit;
}

struct Axis {
  std::string ticks, labels;
};

Axis axis(const Window& w, const DrawOptions& o) {
  const double cell_ms = w.cell() * ms, step = round_step(12 * cell_ms);
  std::vector<bool> mark(w.columns, false);
  std::string labels(w.columns, ' ');
  for (double at = std::ceil(w.from * ms / step - 1e-9) * step; at < w.to * ms; at += step) {
    const auto column = std::size_t(std::lround((at - w.from * ms) / cell_ms));
    const auto text = fmt::format("{:g}", at + 0.0);  // -0 reads 0
    if (column >= mark.size()) break;
    mark[column] = true;
    if (column + text.size() <= labels.size()) labels.replace(column, text.size(), text);
  }
  Axis out;
  for (const bool m : mark) out.ticks += o.utf8 ? (m ? "┴" : "─") : (m ? "+" : "-");
  out.labels = labels;
  return out;
}

const char* title(Schedule s, int chunks) {
  switch (s) {
    case Schedule::gpipe:
      return "GPipe";
    case Schedule::one_f_one_b:
      return chunks > 1 ? "interleaved 1F1B" : "1F1B";
    case Schedule::zero_bubble_h1:
      return "ZB-H1";
    case Schedule::zero_bubble_v:
      return "ZB-V";
    case Schedule::dualpipe:
      return "DualPipe";
  }
  return "";
}

std::string plural(int n, const char* word) {
  return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s");
}

std::string heading(const Timeline& t) {
  const auto& p = t.pipeline;
  double idle = 0;
  for (const auto& r : t.ranks) idle += r.idle();
  const int chunks = stage_count(p) / std::max(1, p.ranks);
  std::string out = fmt::format("{}, {}", title(p.schedule, p.chunks), plural(p.ranks, "rank"));
  if (chunks > 1) out += fmt::format(" x {}", plural(chunks, "chunk"));
  return out + fmt::format(", {} micro-batch{}: {:.4g} ms, {:.1f} % idle\n", p.micro_batches,
                           p.micro_batches == 1 ? "" : "es", t.total * ms,
                           t.total > 0 ? 100 * idle / t.total / p.ranks : 0);
}

/// Entries side by side, as many a line as fit.
class Legend {
 public:
  explicit Legend(int columns) : columns_(columns) {}
  /// `width`: columns that `text` takes on the terminal.
  void add(const std::string& text, std::size_t width) {
    if (used_ > 0 && used_ + 3 + int(width) > columns_) out_ += "\n", used_ = 0;
    if (used_ > 0) out_ += "   ", used_ += 3;
    out_ += text, used_ += int(width);
  }
  void add(const std::string& plain) { add(plain, plain.size()); }
  std::string text() const { return out_ + "\n"; }

 private:
  int columns_, used_ = 0;
  std::string out_;
};

std::string legend(const Timeline& t, const DrawOptions& o) {
  bool seen[kinds] = {}, pairs = false;
  for (const auto& r : t.ranks)
    for (const auto& op : r.ops) seen[int(op.slot.pass)] = true, pairs |= op.slot.paired;
  Legend out(o.columns);
  for (int k = 0; k < kinds; ++k) {
    if (!seen[k]) continue;
    std::vector<Cell> sample(3, Cell{k, 0, false, false});
    sample[0].text = '1';
    const std::string name(pass_name(Pass(k)));
    out.add(lane_text(sample, o) + " " + name, sample.size() + 1 + name.size());
  }
  out.add(std::string(o.utf8 ? "··" : "..") + " idle", 7);
  if (pairs) out.add("side by side: run together");
  if (o.colour && (stage_count(t.pipeline) > t.pipeline.ranks || pairs))
    out.add(pairs ? "white: the other direction" : "white: odd chunks");
  out.add("held: most micro-batches whose activations a rank keeps");
  return out.text();
}

/// Ranks to draw; -1 stands for those left out.
std::vector<int> rows(int ranks, int most) {
  std::vector<int> out;
  const int side = std::max(1, most / 4);
  const int head = ranks > most ? side : ranks, tail = ranks > most ? side : 0;
  for (int r = 0; r < head; ++r) out.push_back(r);
  if (ranks > most) out.push_back(-1);
  for (int r = ranks - tail; r < ranks; ++r) out.push_back(r);
  return out;
}

}  // namespace

std::string draw(const Timeline& t, const DrawOptions& options) {
  auto o = options;
  o.columns = std::clamp(o.columns, 60, 400);
  if (!(t.total > 0)) return heading(t);  // nothing takes time
  constexpr int label = 6, right = 16;    // "rank n " and "  12.3 %  12.34"
  const auto parts = windows(t, o.columns - label - right);
  const std::string gap = o.utf8 ? " ⋯ " : "...", bar = o.utf8 ? "│" : "|";
  std::string out = heading(t);
  out += fmt::format("{:<{}}{:>7}{:>7}\n", " rank", o.columns - 15, "idle", "held");
  for (const int r : rows(int(t.ranks.size()), o.rows)) {
    if (r < 0) {
      out += o.utf8 ? "    ⋮\n" : "    :\n";
      continue;
    }
    const auto& rank = t.ranks[r];
    std::string line;
    for (const auto& w : parts)
      line += (line.empty() ? "" : gap) + lane_text(lane(rank, w, o.colour), o);
    const int pad = parts.size() == 2 ? (o.columns - label - right - 3) % 2 : 0;
    out += fmt::format("{:>5}{}{}{:{}}{:>6.1f} %{:>6.4g}\n", r, bar, line, "", pad + 1,
                       t.total > 0 ? 100 * rank.idle() / t.total : 0, rank.in_flight);
  }
  std::string ticks, labels;
  for (const auto& w : parts) {
    const auto a = axis(w, o);
    ticks += (ticks.empty() ? "" : "   ") + a.ticks;
    labels += (labels.empty() ? "" : "   ") + a.labels;
  }
  while (!labels.empty() && labels.back() == ' ') labels.pop_back();
  out += fmt::format("     {}{}\n   ms {}\n", o.utf8 ? "└" : "+", ticks, labels);
  out += legend(t, o);
  if (parts.size() == 2)
    out += fmt::format("left out: {:.4g} to {:.4g} ms\n", parts[0].to * ms, parts[1].from * ms);
  return out;
}

}  // namespace headroom::train
