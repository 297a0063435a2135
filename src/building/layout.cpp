#include "building/layout.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace headroom::building {
namespace {

constexpr double tiny = 1e-9;
constexpr int most_blocks = 64;         // of rows, side by side
constexpr std::size_t most_tries = 60;  // plans drawn before the best estimate is taken
constexpr double usual_aspect = 2.5;

struct Rect {
  double x = 0, y = 0, w = 0, h = 0;
};

bool overlap(const Rect& a, const Rect& b) {
  return a.x < b.x + b.w - tiny && b.x < a.x + a.w - tiny && a.y < b.y + b.h - tiny &&
         b.y < a.y + a.h - tiny;
}

/// Columns of a square grid, none on the axes.
struct Columns {
  double spacing = 0, side = 0;

  bool any() const { return spacing > 0; }
  Rect at(int i, int j) const {
    return {i * spacing - side / 2, j * spacing - side / 2, side, side};
  }
  /// First x from `x` on at which w x h stands clear of every column.
  double clear_x(double x, double y, double w, double h) const {
    if (!any()) return x;
    for (bool moved = true; moved;) {
      moved = false;
      const int j0 = std::max(1, int((y - side) / spacing));
      for (int j = j0; j * spacing - side / 2 < y + h; ++j) {
        const int i0 = std::max(1, int((x - side) / spacing));
        for (int i = i0; i * spacing - side / 2 < x + w; ++i) {
          const Rect c = at(i, j);
          if (!overlap({x, y, w, h}, c)) continue;
          x = c.x + c.w;
          moved = true;
        }
      }
    }
    return x;
  }
  double clear_y(double x, double y, double w, double h) const {
    return Columns{spacing, side}.any() ? swapped(x, y, w, h) : y;
  }

 private:
  double swapped(double x, double y, double w, double h) const { return clear_x(y, x, h, w); }
};

/// The input with its defaults and what follows from it alone.
struct Setting {
  const LayoutInput& in;
  double cold, hot, end, pipes;
  int row;
  bool cdus_in_gallery;
  Columns columns;
  double depth = 0, widest = 0;
  int racks = 0;
  std::vector<Rect> gallery;  ///< sizes of what stands there: w across, h along the wall
  std::vector<BlockKind> gallery_kind;
  double gallery_depth = 0, gallery_length = 0;

  explicit Setting(const LayoutInput& input) : in(input) {
    const LayoutSpec s = with_defaults(input.spec);
    cold = s.cold_aisle.get().si(), hot = s.hot_aisle.get().si(), end = s.end_aisle.get().si();
    pipes = in.liquid ? s.pipe_space.get().si() : 0;
    row = s.row;
    cdus_in_gallery = s.cdus == CduPlace::gallery;
    if (s.column_spacing) columns = {s.column_spacing.get().si(), s.column.get().si()};
    for (const auto& k : in.kinds) {
      racks += std::max(0, k.count);
      depth = std::max(depth, k.depth_m), widest = std::max(widest, k.width_m);
    }
    if (in.kinds.empty()) depth = 1.2, widest = 0.6;
    if (row_cdus() > 0) depth = std::max(depth, cdu_depth_m);
    if (in.pdus > 0) depth = std::max(depth, pdu_depth_m);
    for (int i = 0; i < in.room_units; ++i)
      stand(BlockKind::room_unit, room_unit_width_m, room_unit_length_m);
    if (cdus_in_gallery)
      for (int i = 0; i < in.cdus; ++i) stand(BlockKind::cdu, cdu_depth_m, cdu_width_m);
  }
  int row_cdus() const { return cdus_in_gallery ? 0 : std::max(0, in.cdus); }
  int row_pdus() const { return std::max(0, in.pdus); }

 private:
  void stand(BlockKind kind, double across, double along) {
    gallery.push_back({0, 0, across, along});
    gallery_kind.push_back(kind);
    gallery_depth = std::max(gallery_depth, across);
    gallery_length += along;
  }
};

/// Racks in a row and blocks of rows.
struct Choice {
  int n = 1, blocks = 1, lines = 1;
  double length = 0, width = 0, score = 0;
};

double rows_width(const Setting& s, int lines) {
  const int cold = lines / 2 + 1, hot = lines + 1 - cold;
  return lines * s.depth + cold * s.cold + hot * s.hot;
}

Choice estimate(const Setting& s, int positions, int n, int blocks) {
  Choice c{n, blocks, (positions + n * blocks - 1) / (n * blocks), 0, 0, 0};
  // A hall that waits for its racks still has a row for what stands at its end.
  if (s.row_cdus() + s.row_pdus() > 0) c.lines = std::max(1, c.lines);
  const int rows = std::max(1, c.lines * blocks);
  const double ends = (s.row_cdus() + rows - 1) / rows * cdu_width_m +
                      (s.row_pdus() + rows - 1) / rows * pdu_width_m;
  c.width = rows_width(s, c.lines);
  int strips = 0;
  if (s.gallery_length > 0) strips = s.gallery_length <= c.width ? 1 : 2;
  if (strips == 2) c.width = std::max(c.width, s.gallery_length / 2 + room_unit_length_m);
  c.length = s.pipes + strips * s.gallery_depth + s.end + blocks * (n * s.widest + ends + s.end);
  const double aspect = std::max(c.length, c.width) / std::min(c.length, c.width);
  c.score = c.length * c.width * (1 + 0.2 * std::max(0.0, aspect - usual_aspect));
  return c;
}

/// How far a room of this size exceeds what there is; 0: it fits.
double excess(const Setting& s, double length, double width) {
  const auto& spec = s.in.spec;
  double over = 0;
  if (spec.length) over += std::max(0.0, length / spec.length.get().si() - 1 - tiny);
  if (spec.width) over += std::max(0.0, width / spec.width.get().si() - 1 - tiny);
  if (s.in.area_m2 > 0) over += std::max(0.0, length * width / s.in.area_m2 - 1 - tiny);
  return over;
}

std::vector<Choice> choices(const Setting& s, int positions) {
  std::vector<Choice> out;
  for (int n = 1; n <= std::min(s.row, std::max(1, positions)); ++n) {
    const int most = std::min(most_blocks, (positions + n - 1) / n);
    for (int b = 1; b <= std::max(1, most); ++b) out.push_back(estimate(s, positions, n, b));
  }
  std::stable_sort(out.begin(), out.end(), [&](const Choice& a, const Choice& b) {
    const double ea = excess(s, a.length, a.width), eb = excess(s, b.length, b.width);
    return ea != eb ? ea < eb : a.score < b.score;
  });
  return out;
}

/// Draws one choice.
class Draw {
 public:
  Draw(const Setting& s, const Choice& c, int positions) : s_(s), c_(c), positions_(positions) {}

  Layout run() {
    out_.positions = positions_, out_.racks = s_.racks;
    out_.racks_a_row = c_.n, out_.blocks_of_rows = c_.blocks, out_.row_lines = c_.lines;
    out_.deepest_m = 0;
    for (const auto& k : s_.in.kinds) out_.deepest_m = std::max(out_.deepest_m, k.depth_m);
    width_ = rows_width(s_, c_.lines);
    double x = s_.pipes;
    x = gallery(x);
    rows(x);
    finish();
    return std::move(out_);
  }

 private:
  Block& add(BlockKind what, double x, double y, double w, double h) {
    Block b;
    b.what = what, b.x_m = x, b.y_m = y, b.w_m = w, b.h_m = h;
    out_.blocks.push_back(b);
    return out_.blocks.back();
  }

  /// The strip at the first wall; what it does not take waits for the other wall.
  double gallery(double x) {
    if (s_.gallery.empty()) return x;
    if (s_.gallery_length > width_)
      width_ = std::max(width_, s_.gallery_length / 2 + room_unit_length_m);
    at_wall(x, width_);
    return x + s_.gallery_depth;
  }
  void at_wall(double x, double until) {
    double y = 0;
    for (; next_ < s_.gallery.size(); ++next_) {
      const Rect& g = s_.gallery[next_];
      y = s_.columns.clear_y(x, y, g.w, g.h);
      if (y + g.h > until + tiny) return;
      add(s_.gallery_kind[next_], x, y, g.w, g.h);
      y += g.h;
      gallery_end_ = std::max(gallery_end_, y);
    }
  }

  double line_y(int line) const {
    double y = s_.cold;
    for (int i = 0; i < line; ++i) y += s_.depth + (i % 2 == 0 ? s_.hot : s_.cold);
    return y;
  }

  void rows(double x) {
    ends_.push_back(x);
    x += s_.end;
    const int all_rows = c_.lines * c_.blocks;
    for (int b = 0; b < c_.blocks; ++b) {
      const double from = x;
      double until = x;
      for (int line = 0; line < c_.lines; ++line)
        until = std::max(until, row(from, line_y(line), b * c_.lines + line, all_rows));
      aisles(from, until);
      ends_.push_back(until);
      x = until + s_.end;
    }
    end_x_ = x;
    if (next_ < s_.gallery.size()) {  // the far wall
      at_wall(x, 1e12);
      end_x_ = x + s_.gallery_depth;
    }
    width_ = std::max(width_, gallery_end_);
    for (const double e : ends_) add(BlockKind::end_aisle, e, 0, s_.end, width_);
  }

  double row(double x, double y, int index, int all_rows) {
    bool used = false;
    for (int i = 0; i < c_.n && placed_ < positions_; ++i, ++placed_) {
      const int kind = next_kind();
      const double w = kind < 0 ? s_.widest : s_.in.kinds[std::size_t(kind)].width_m;
      const double h = kind < 0 ? s_.depth : s_.in.kinds[std::size_t(kind)].depth_m;
      x = s_.columns.clear_x(x, y, w, s_.depth);
      // Fronts stand in line on the cold aisle: below an even line, above an odd one.
      auto& b = add(kind < 0 ? BlockKind::free_position : BlockKind::rack, x,
                    index % c_.lines % 2 == 0 ? y : y + s_.depth - h, w, h);
      b.kind = kind, b.row = index;
      x += w;
      used = true;
    }
    if (used) ++out_.rows;
    x = at_end(BlockKind::cdu, s_.row_cdus(), cdu_width_m, cdu_depth_m, x, y, index, all_rows);
    return at_end(BlockKind::pdu, s_.row_pdus(), pdu_width_m, pdu_depth_m, x, y, index, all_rows);
  }
  double at_end(BlockKind what, int count, double w, double h, double x, double y, int index,
                int all_rows) {
    // Spread evenly: the row that holds item i is floor(i rows / count).
    const auto first = [&](long long r) { return (r * count + all_rows - 1) / all_rows; };
    for (auto i = first(index); i < first(index + 1); ++i) {
      x = s_.columns.clear_x(x, y, w, h);
      add(what, x, y, w, h).row = index;
      x += w;
    }
    return x;
  }
  int next_kind() {
    while (kind_ < s_.in.kinds.size() && of_kind_ >= s_.in.kinds[kind_].count)
      ++kind_, of_kind_ = 0;
    if (kind_ == s_.in.kinds.size()) return -1;
    ++of_kind_;
    return int(kind_);
  }

  void aisles(double from, double until) {
    if (until <= from) return;
    double y = 0;
    for (int i = 0; i <= c_.lines; ++i) {
      const bool cold = i % 2 == 0;
      const double h = cold ? s_.cold : s_.hot;
      add(cold ? BlockKind::cold_aisle : BlockKind::hot_aisle, from, y, until - from, h);
      y += h + s_.depth;
    }
  }

  void finish() {
    out_.needed_length_m = end_x_, out_.needed_width_m = width_;
    const auto& spec = s_.in.spec;
    out_.length_m = spec.length ? std::max(end_x_, spec.length.get().si()) : end_x_;
    out_.width_m = spec.width ? std::max(width_, spec.width.get().si()) : width_;
    out_.fits = excess(s_, end_x_, width_) <= 0;
    if (s_.pipes > 0) add(BlockKind::pipes, 0, 0, s_.pipes, width_);
    columns();
    power_room();
    clear_ways();
    add_areas();
    add_zones();
    find_route();
  }
  void columns() {
    if (!s_.columns.any()) return;
    for (int j = 1; j * s_.columns.spacing + s_.columns.side / 2 <= out_.width_m; ++j)
      for (int i = 1; i * s_.columns.spacing + s_.columns.side / 2 <= out_.length_m; ++i) {
        const Rect c = s_.columns.at(i, j);
        add(BlockKind::column, c.x, c.y, c.w, c.h);
      }
  }
  void power_room() {
    double area = s_.in.it_max_w * power_room_m2_w;
    if (s_.in.spec.power_room) area = s_.in.spec.power_room.get().si();
    out_.power_room_m2 = std::max(0.0, area);
    if (area <= 0 || out_.length_m <= 0) return;
    const double h = area / out_.length_m;
    add(BlockKind::power_room, 0, -h, out_.length_m, h);
  }
  void clear_ways() {
    out_.clear_cold_m = s_.cold, out_.clear_hot_m = s_.hot;
    if (!s_.columns.any()) return;
    for (const Block& a : out_.blocks) {
      if (a.what != BlockKind::cold_aisle && a.what != BlockKind::hot_aisle) continue;
      double& clear = a.what == BlockKind::cold_aisle ? out_.clear_cold_m : out_.clear_hot_m;
      for (const Block& c : out_.blocks)
        if (c.what == BlockKind::column &&
            overlap({a.x_m, a.y_m, a.w_m, a.h_m}, {c.x_m, c.y_m, c.w_m, c.h_m}))
          clear = std::min(clear, std::max({0.0, c.y_m - a.y_m, a.top_m() - c.top_m()}));
    }
  }
  void add_areas() {
    std::vector<double> by(std::size_t(BlockKind::power_room) + 1);
    for (const Block& b : out_.blocks) by[std::size_t(b.what)] += b.area_m2();
    for (const Block& c : out_.blocks) {  // a column takes its place from the aisle it stands in
      if (c.what != BlockKind::column) continue;
      for (const Block& a : out_.blocks) {
        if (a.what != BlockKind::cold_aisle && a.what != BlockKind::hot_aisle &&
            a.what != BlockKind::end_aisle && a.what != BlockKind::pipes)
          continue;
        const double w = std::min(a.right_m(), c.right_m()) - std::max(a.x_m, c.x_m);
        const double h = std::min(a.top_m(), c.top_m()) - std::max(a.y_m, c.y_m);
        if (w > 0 && h > 0) by[std::size_t(a.what)] -= w * h;
      }
    }
    double used = 0;
    for (std::size_t i = 0; i < std::size_t(BlockKind::power_room); ++i) {
      if (by[i] <= 0) continue;
      out_.areas.emplace_back(block_kind_name(BlockKind(i)), by[i]);
      used += by[i];
    }
    out_.areas.emplace_back("rest", out_.area_m2() - used);
  }
  void add_zones() {
    for (std::size_t k = 0; k < s_.in.kinds.size(); ++k) {
      const auto& kind = s_.in.kinds[k];
      if (kind.count <= 0) continue;
      ZoneDensity z;
      z.name = kind.name, z.racks = kind.count, z.power_w = kind.count * kind.power_w;
      z.footprint_m2 = kind.count * kind.width_m * kind.depth_m;
      z.with_aisles_m2 = kind.count * kind.width_m * (s_.depth + (s_.cold + s_.hot) / 2);
      out_.zones.push_back(std::move(z));
    }
  }
  void find_route() {
    double most = 0;
    for (std::size_t i = 0; i < out_.blocks.size(); ++i) {
      const Block& b = out_.blocks[i];
      if (b.kind < 0) continue;
      const double mass = s_.in.kinds[std::size_t(b.kind)].mass_kg;
      // The last of the heaviest: the longest way.
      if (mass > 0 && mass >= most) most = mass, out_.heaviest = int(i);
    }
    if (out_.heaviest < 0) return;
    const Block& b = out_.blocks[std::size_t(out_.heaviest)];
    const int line = b.row % c_.lines;
    const double y =
        line % 2 == 0 ? line_y(line) - s_.cold / 2 : line_y(line) + s_.depth + s_.cold / 2;
    const double x = ends_.front() + s_.end / 2, to = b.x_m + b.w_m / 2;
    out_.route = {{x, 0}, {x, y}, {to, y}, {to, line % 2 == 0 ? b.y_m : b.top_m()}};
  }

  const Setting& s_;
  const Choice& c_;
  int positions_;
  Layout out_;
  double width_ = 0, end_x_ = 0, gallery_end_ = 0;
  std::vector<double> ends_;
  std::size_t next_ = 0, kind_ = 0;
  int of_kind_ = 0, placed_ = 0;
};

Layout best(const Setting& s, int positions) {
  Layout first;
  double over = 0;
  std::size_t tries = 0;
  for (const Choice& c : choices(s, positions)) {
    Layout plan = Draw(s, c, positions).run();
    if (plan.fits) return plan;
    const double e = excess(s, plan.needed_length_m, plan.needed_width_m);
    if (tries == 0 || e < over) first = std::move(plan), over = e;
    // Without columns a drawing is never larger than its estimate: the first says it.
    if (++tries == (s.columns.any() ? most_tries : 8)) break;
  }
  return first;
}

int most_positions(const Setting& s, const Layout& plan) {
  const bool limited = s.in.area_m2 > 0 || s.in.spec.length || s.in.spec.width;
  const bool bounded = s.in.area_m2 > 0 || (s.in.spec.length && s.in.spec.width);
  if (!limited || !bounded) return -1;
  const double area =
      s.in.area_m2 > 0 ? s.in.area_m2 : s.in.spec.length.get().si() * s.in.spec.width.get().si();
  int low = plan.fits ? plan.positions : 0;
  int high = int(std::min(1e6, area / (s.widest * s.depth))) + 1;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (best(s, middle).fits ? low : high) = middle;
  }
  return low;
}

}  // namespace

const char* block_kind_name(BlockKind kind) {
  switch (kind) {
    case BlockKind::rack:
      return "racks";
    case BlockKind::free_position:
      return "free positions";
    case BlockKind::cdu:
      return "CDUs";
    case BlockKind::room_unit:
      return "room units";
    case BlockKind::pdu:
      return "floor PDUs";
    case BlockKind::column:
      return "columns";
    case BlockKind::cold_aisle:
      return "cold aisles";
    case BlockKind::hot_aisle:
      return "hot aisles";
    case BlockKind::end_aisle:
      return "end aisles";
    case BlockKind::pipes:
      return "pipe space";
    case BlockKind::power_room:
      return "power room";
  }
  return "";
}

Layout lay_out(const LayoutInput& input) {
  const Setting s(input);
  const int positions = std::max({s.racks, input.positions, 0});
  Layout plan = best(s, positions);
  plan.most_positions = most_positions(s, plan);
  return plan;
}

double gross_area_m2(const std::vector<Layout>& halls) {
  double sum = 0;
  for (const auto& h : halls) sum += h.area_m2() + h.power_room_m2;
  return sum * (1 + support_share);
}

double clearance_load_pa(double mass_kg, double footprint_m2, double with_aisles_m2) {
  if (with_aisles_m2 <= 0) return 0;
  constexpr double clearance = 73.24, everywhere = 48.82;  // kg/m2: 15 and 10 lb/ft2
  const double total = mass_kg + clearance * 0.5 * std::max(0.0, with_aisles_m2 - footprint_m2) +
                       everywhere * with_aisles_m2;
  return total * standard_gravity.si() / with_aisles_m2;
}

Layout merged(Layout plan) {
  std::vector<Block> out;
  for (const auto& b : plan.blocks) {
    const bool stands = b.row >= 0 && (b.kind >= 0 || b.what == BlockKind::free_position);
    if (stands && !out.empty()) {
      Block& last = out.back();
      const bool alike = last.what == b.what && last.kind == b.kind && last.row == b.row &&
                         last.y_m == b.y_m && last.h_m == b.h_m;
      if (alike && std::abs(last.right_m() - b.x_m) < 1e-6) {
        last.w_m += b.w_m;
        ++last.count;
        continue;
      }
    }
    out.push_back(b);
  }
  plan.blocks = std::move(out);
  plan.heaviest = -1;
  return plan;
}

}  // namespace headroom::building
