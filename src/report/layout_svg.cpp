#include "report/layout_svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/units.hpp"

namespace headroom::report {
namespace {

using building::Block;
using building::BlockKind;
using study::HallLayout;

constexpr double drawing_px = 1120;  // width of a hall
constexpr double margin_px = 56;
constexpr double letter_px = 6.4;  // mean advance of 11 px text
constexpr int steps = 5;

/// Light and dark colours of a class; spelt out, for readers of SVG that know no CSS variables.
struct Colour {
  const char *selector, *property, *light, *dark;
};
constexpr Colour colours[] = {
    {"svg", "background", "#fff", "#12171d"},  {".bg", "fill", "#fff", "#12171d"},
    {"text", "fill", "#1c2733", "#e4e9ee"},    {".soft", "fill", "#5b6875", "#a3afbb"},
    {".rack", "stroke", "#fff", "#12171d"},    {".gap", "stroke", "#fff", "#12171d"},
    {".wall", "stroke", "#1c2733", "#e4e9ee"}, {".dim", "stroke", "#5b6875", "#a3afbb"},
    {".free", "stroke", "#5b6875", "#a3afbb"}, {".way", "stroke", "#c2185b", "#ff5c9a"},
    {".cold", "fill", "#dcebf7", "#17324a"},   {".hot", "fill", "#fae3da", "#452a22"},
    {".end", "fill", "#eef0f2", "#222a32"},    {".pipe", "fill", "#cfe8e2", "#1d3f3a"},
    {".room", "fill", "#f3ecd6", "#3a3422"},   {".cdu", "fill", "#2a9d8f", "#3fc1b0"},
    {".unit", "fill", "#7fb3d5", "#4a7fa5"},   {".pdu", "fill", "#b08ad6", "#9670c4"},
    {".col", "fill", "#55606b", "#aab4be"},    {".none", "fill", "#c9ced4", "#4b545d"},
    {".s0", "fill", "#fde4b0", "#6b5524"},     {".s1", "fill", "#fbc16a", "#94672a"},
    {".s2", "fill", "#f28e3c", "#c0702c"},     {".s3", "fill", "#d9542b", "#e05f3a"},
    {".s4", "fill", "#9c1f1f", "#ff8a7a"},
};

std::string style() {
  std::string light, dark;
  for (const auto& c : colours) {
    light += fmt::format("{}{{{}:{}}}\n", c.selector, c.property, c.light);
    dark += fmt::format("{}{{{}:{}}}\n", c.selector, c.property, c.dark);
  }
  return "<style>\nsvg{font:11px system-ui,sans-serif;color-scheme:light "
         "dark}.h{font-size:15px;font-weight:600}\n"
         ".free,.wall,.way,.dim,.gap{fill:none}.rack,.free,.gap{stroke-width:.6}.wall{stroke-width:"
         "1.5}\n"
         ".free{stroke-dasharray:2 2}.way{stroke-width:2;stroke-dasharray:7 4}\n" +
         light + "@media (prefers-color-scheme:dark){\n" + dark + "}\n</style>\n";
}

const char* class_of(BlockKind k) {
  switch (k) {
    case BlockKind::free_position:
      return "free";
    case BlockKind::cdu:
      return "cdu";
    case BlockKind::room_unit:
      return "unit";
    case BlockKind::pdu:
      return "pdu";
    case BlockKind::column:
      return "col";
    case BlockKind::cold_aisle:
      return "cold";
    case BlockKind::hot_aisle:
      return "hot";
    case BlockKind::end_aisle:
      return "end";
    case BlockKind::pipes:
      return "pipe";
    case BlockKind::power_room:
      return "room";
    default:
      return "none";
  }
}

/// Steps of a legend between nothing and the most.
struct Scale {
  double most = 0;
  bool weight = false;

  double value(const building::RackKind& k) const { return weight ? k.mass_kg : k.power_w; }
  int step(double v) const {
    return most <= 0 ? 0 : std::clamp(int(std::ceil(v / most * steps)) - 1, 0, steps - 1);
  }
  std::string words(double v) const {
    return weight ? format_number(v, 3) + " kg" : format_scaled(v, "W");
  }
};

class Drawing {
 public:
  Drawing(const HallLayout& hall, bool by_weight, double top) : h_(hall), top_(top) {
    scale_.weight = by_weight;
    for (const auto& k : hall.input.kinds) scale_.most = std::max(scale_.most, scale_.value(k));
    double below = 0;
    for (const auto& b : hall.plan.blocks) below = std::max(below, -b.y_m);
    const double length = std::max(1.0, hall.plan.length_m);
    // A tall hall keeps its drawing within reach of a screen.
    px_ = std::min(drawing_px / length, 1600 / std::max(1.0, hall.plan.width_m + below));
    room_top_ = top_ + 76;
    bottom_ = room_top_ + hall.plan.width_m * px_;
    below_px_ = below * px_;
  }

  double draw(std::string& out) {
    heading();
    for (const auto& b : h_.plan.blocks)
      if (is_floor(b.what)) block(b);
    for (const auto& b : h_.plan.blocks)
      if (!is_floor(b.what)) block(b);
    put(R"(<rect class="wall" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>)", margin_px,
        room_top_, h_.plan.length_m * px_, h_.plan.width_m * px_);
    labels();
    route();
    dimensions();
    const double end = legend(bottom_ + below_px_ + 40);
    out += out_;
    return end;
  }
  double right() const { return margin_px + h_.plan.length_m * px_; }

 private:
  template <class... A>
  void put(fmt::format_string<A...> f, A&&... a) {
    fmt::format_to(std::back_inserter(out_), f, std::forward<A>(a)...);
    out_ += '\n';
  }
  static bool is_floor(BlockKind k) {
    return k == BlockKind::cold_aisle || k == BlockKind::hot_aisle || k == BlockKind::end_aisle ||
           k == BlockKind::pipes || k == BlockKind::power_room;
  }
  double x(double m) const { return margin_px + m * px_; }
  double y(double m) const { return bottom_ - m * px_; }  // y grows upwards in plans
  static double wide(const std::string& s) { return letter_px * double(s.size()); }

  void text(double px, double py, const std::string& s, const char* cls = "",
            const char* anchor = "start") {
    put(R"(<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}">{}</text>)", px, py, cls, anchor,
        xml_text(s));
  }

  void heading() {
    const auto& p = h_.plan;
    text(margin_px, top_ + 18, h_.title, "h");
    std::string line = fmt::format(
        "{} racks, {} row{} of at most {}, {:.1f} x {:.1f} m = {:.0f} m2", p.racks, p.rows,
        p.rows == 1 ? "" : "s", p.racks_a_row, p.length_m, p.width_m, p.area_m2());
    if (h_.area_given_m2 > 0) line += fmt::format(" of {:.0f} m2", h_.area_given_m2);
    line += p.fits ? ": fits" : ": does not fit";
    text(margin_px, top_ + 38, line, "soft");
  }

  void block(const Block& b) {
    std::string cls = class_of(b.what), tip = building::block_kind_name(b.what);
    if (b.kind >= 0) {
      const auto& k = h_.input.kinds[std::size_t(b.kind)];
      const double v = scale_.value(k);
      cls = v > 0 ? fmt::format("rack s{}", scale_.step(v)) : "rack none";
      tip = b.count > 1 ? fmt::format("{} x {}", b.count, k.name) : k.name;
      if (k.power_w > 0) tip += ", " + format_scaled(k.power_w, "W");
      if (k.mass_kg > 0) tip += ", " + format_number(k.mass_kg, 4) + " kg";
    }
    put(R"(<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>)",
        cls, x(b.x_m), y(b.top_m()), b.w_m * px_, b.h_m * px_, xml_text(tip));
    if (b.count > 1) gaps(b);
  }

  /// Lines between the units of a merged block, where they can be told apart.
  void gaps(const Block& b) {
    const double each = b.w_m / b.count * px_, deep = b.h_m * px_;
    if (each < 3) return;
    std::string d = fmt::format("M{:.1f} {:.1f}", x(b.x_m), y(b.top_m()));
    for (int i = 1; i < b.count; ++i)
      d += fmt::format("m{:.2f} {:.1f}v{:.1f}", each, i == 1 ? 0.0 : -deep, deep);
    put(R"(<path class="{}" d="{}"/>)", b.kind >= 0 ? "gap" : "free", d);
  }

  /// Words of aisles and rooms, where they have room of their own.
  void labels() {
    for (const auto& b : h_.plan.blocks) {
      if (!is_floor(b.what) || on_route(b)) continue;
      std::string s = building::block_kind_name(b.what);
      if (b.what == BlockKind::power_room) s = fmt::format("power room, {:.0f} m2", b.area_m2());
      if (b.what == BlockKind::cold_aisle || b.what == BlockKind::hot_aisle)
        s = fmt::format("{}, {:.1f} m",
                        b.what == BlockKind::cold_aisle ? "cold aisle" : "hot aisle", b.h_m);
      const double w = b.w_m * px_, h = b.h_m * px_;
      const double cx = x(b.x_m) + w / 2, cy = y(b.y_m) - h / 2;
      if (b.what == BlockKind::end_aisle || b.what == BlockKind::pipes) {
        if (w > 13 && h > wide(s) + 40)
          put(R"x(<text transform="translate({:.1f} {:.1f}) rotate(-90)" text-anchor="middle" class="soft">{}</text>)x",
              cx + 4, cy, s);
      } else if (h > 14 && w > wide(s) + 8 && !crossed(b)) {
        text(cx, cy + 4, s, "soft", "middle");
      }
    }
  }
  /// The way in passes through; words would lie under its line.
  bool on_route(const Block& b) const {
    const auto& r = h_.plan.route;
    for (std::size_t i = 0; i + 1 < r.size(); ++i) {
      const auto [x0, x1] = std::minmax(r[i].x_m, r[i + 1].x_m);
      const auto [y0, y1] = std::minmax(r[i].y_m, r[i + 1].y_m);
      if (x0 < b.right_m() && b.x_m < x1 + 1e-9 && y0 < b.top_m() && b.y_m < y1 + 1e-9) return true;
    }
    return false;
  }
  /// A column stands where the words would.
  bool crossed(const Block& b) const {
    return std::any_of(h_.plan.blocks.begin(), h_.plan.blocks.end(), [&](const Block& c) {
      return c.what == BlockKind::column && c.x_m < b.right_m() && b.x_m < c.right_m() &&
             c.y_m < b.top_m() && b.y_m < c.top_m();
    });
  }

  void route() {
    if (h_.plan.route.empty()) return;
    std::string points;
    for (const auto& p : h_.plan.route) points += fmt::format("{:.1f},{:.1f} ", x(p.x_m), y(p.y_m));
    points.pop_back();
    put(R"(<polyline class="way" points="{}"/>)", points);
  }

  void dimensions() {
    const double above = room_top_ - 10, left = margin_px - 10;
    put(R"(<path class="dim" d="M{0:.1f} {2:.1f}H{1:.1f}M{0:.1f} {3:.1f}v8M{1:.1f} {3:.1f}v8"/>)",
        x(0), x(h_.plan.length_m), above, above - 4);
    text((x(0) + x(h_.plan.length_m)) / 2, above - 5, fmt::format("{:.1f} m", h_.plan.length_m), "",
         "middle");
    put(R"(<path class="dim" d="M{2:.1f} {0:.1f}V{1:.1f}M{3:.1f} {0:.1f}h8M{3:.1f} {1:.1f}h8"/>)",
        y(0), y(h_.plan.width_m), left, left - 4);
    put(R"x(<text transform="translate({:.1f} {:.1f}) rotate(-90)" text-anchor="middle">{:.1f} m</text>)x",
        left - 6, (y(0) + y(h_.plan.width_m)) / 2, h_.plan.width_m);
  }

  double legend(double at) {
    double px = margin_px;
    const auto entry = [&](const std::string& cls, const std::string& words) {
      const double need = 18 + wide(words) + 18;
      if (px + need > std::max(right(), margin_px + 480) && px > margin_px)
        px = margin_px, at += 20;
      put(R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="12" height="12"/>)", cls, px, at - 10);
      text(px + 18, at, words);
      px += need;
    };
    for (int i = 0; i < steps && scale_.most > 0; ++i)
      entry(fmt::format("s{}", i),
            (i == 0 ? "rack up to " : "to ") + scale_.words(scale_.most * (i + 1) / steps));
    px = margin_px, at += 20;
    const auto is = [&](BlockKind k) {
      return std::any_of(h_.plan.blocks.begin(), h_.plan.blocks.end(),
                         [&](const Block& b) { return b.what == k; });
    };
    const bool unknown = std::any_of(h_.input.kinds.begin(), h_.input.kinds.end(),
                                     [&](const auto& k) { return scale_.value(k) <= 0; });
    if (unknown) entry("none", scale_.weight ? "weight not known" : "power not known");
    for (int k = 1; k <= int(BlockKind::power_room); ++k)
      if (is(BlockKind(k))) entry(class_of(BlockKind(k)), building::block_kind_name(BlockKind(k)));
    if (!h_.plan.route.empty()) {
      px = margin_px, at += 20;
      put(R"(<path class="way" d="M{:.1f} {:.1f}h28"/>)", px, at - 4);
      text(px + 36, at, "way in, door to the heaviest rack");
    }
    return at + 24;
  }

  const HallLayout& h_;
  Scale scale_;
  std::string out_;
  double top_, px_ = 1, room_top_ = 0, bottom_ = 0, below_px_ = 0;
};

}  // namespace

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

std::string layout_svg(const study::LayoutAnswer& a, bool by_weight) {
  std::string body;
  double y = 16, right = margin_px + 480;
  for (const auto& hall : a.halls) {
    Drawing d(hall, by_weight, y);
    y = d.draw(body);
    right = std::max(right, d.right());
  }
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
             "viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\"><title>{2}</title>\n",
             right + margin_px, y, xml_text(a.scenario)) +
         style() + "<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n" + body + "</svg>\n";
}

}  // namespace headroom::report
