#include "report/facility_layout.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "report/parts.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;
using study::HallLayout;
using study::LayoutAnswer;

constexpr double m2_per_ft2 = 0.3048 * 0.3048;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

std::string square(double m2) { return format_number(m2, m2 < 100 ? 3 : 4) + " m2"; }

/// Load over ground in both units of the trade.
std::vector<std::string> density_row(const std::string& zone, double w, double m2) {
  if (m2 <= 0) return {zone, format_scaled(w, "W"), "-", "-", "-"};
  return {zone, format_scaled(w, "W"), square(m2), fmt::format("{:.0f}", w / m2 * m2_per_ft2),
          fmt::format("{:.1f}", w / m2 / 1e3)};
}

void densities(Sheet& sheet, const HallLayout& h) {
  Table t({{"zone", Align::left, 40},
           {"power", Align::right, 0},
           {"area", Align::right, 0},
           {"W/ft2", Align::right, 0},
           {"kW/m2", Align::right, 0}});
  for (const auto& z : h.plan.zones) {
    t.add(density_row(z.name + ", footprint", z.power_w, z.footprint_m2));
    t.add(density_row(z.name + ", with half aisles", z.power_w, z.with_aisles_m2));
  }
  t.add(density_row("rows' room as drawn", h.it_max_w, h.plan.area_m2()));
  if (h.area_given_m2 > 0) t.add(density_row("white space there is", h.it_max_w, h.area_given_m2));
  sheet.title("Load over ground, " + h.title);
  sheet.put(t);
}

void weights(Sheet& sheet, const HallLayout& h) {
  Table t({{"racks", Align::left, 40},
           {"count", Align::right, 0},
           {"full", Align::right, 0},
           {"footprint", Align::right, 0},
           {"a foot", Align::right, 0},
           {"with clearance", Align::right, 0}});
  for (std::size_t i = 0; i < h.input.kinds.size(); ++i) {
    const auto& k = h.input.kinds[i];
    if (k.count <= 0) continue;
    if (k.mass_kg <= 0) {
      t.add({k.name, std::to_string(k.count), "not known", "-", "-", "-"});
      continue;
    }
    const double foot = k.width_m * k.depth_m;
    double ground = foot;
    for (const auto& z : h.plan.zones)
      if (z.name == k.name) ground = z.with_aisles_m2 / z.racks;
    t.add({k.name, std::to_string(k.count), format_number(k.mass_kg, 4) + " kg",
           fmt::format("{:.1f} kPa", k.mass_kg * standard_gravity.si() / foot / 1e3),
           fmt::format("{:.0f} kg", k.mass_kg / 4),
           fmt::format("{:.1f} kPa", building::clearance_load_pa(k.mass_kg, foot, ground) / 1e3)});
  }
  sheet.title("Weight, " + h.title);
  sheet.put(t);
}

double route_length(const building::Layout& p) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < p.route.size(); ++i)
    sum += std::hypot(p.route[i + 1].x_m - p.route[i].x_m, p.route[i + 1].y_m - p.route[i].y_m);
  return sum;
}

void hall_text(Sheet& sheet, const HallLayout& h) {
  const auto& p = h.plan;
  sheet.title(h.title);
  std::string line = fmt::format(
      "{} racks in {} positions: {} row{} of at most {}, {} block{} of rows, {:.1f} m along the "
      "rows x "
      "{:.1f} m across = {}.",
      p.racks, p.positions, p.rows, p.rows == 1 ? "" : "s", p.racks_a_row, p.blocks_of_rows,
      p.blocks_of_rows == 1 ? "" : "s", p.needed_length_m, p.needed_width_m,
      square(p.needed_area_m2()));
  if (h.area_given_m2 > 0)
    line += fmt::format(" The white space is {}: {}.", square(h.area_given_m2),
                        p.fits ? "it fits" : "it does not fit");
  else if (!p.fits)
    line += " It does not fit the room's length and width.";
  if (p.most_positions >= 0)
    line += fmt::format(" With these aisles it takes {} positions.", p.most_positions);
  sheet.prose(line);
  Table t({{"area", Align::left, 0}, {"m2", Align::right, 0}, {"share", Align::right, 0}});
  for (const auto& [name, m2] : p.areas)
    if (m2 > 1e-6)
      t.add({name, fmt::format("{:.1f}", m2), percent(m2 / std::max(1e-9, p.area_m2()), 0)});
  t.add({"room", fmt::format("{:.1f}", p.area_m2()), "100 %"});
  if (p.power_room_m2 > 0)
    t.add({"power room, beside", fmt::format("{:.1f}", p.power_room_m2), ""});
  sheet.put(t);
  densities(sheet, h);
  weights(sheet, h);
  if (!p.route.empty())
    sheet.prose(
        fmt::format("Way in to the heaviest rack: {:.0f} m; aisles are clear by {:.2f} m cold and "
                    "{:.2f} m hot; "
                    "a rack {:.2f} m deep {} in the cold aisle.",
                    route_length(p), p.clear_cold_m, p.clear_hot_m, p.deepest_m,
                    p.clear_cold_m + 1e-9 >= p.deepest_m ? "turns" : "does not turn"));
  sheet.limits(h.limits);
}

Json block(const building::Block& b, const HallLayout& h) {
  Json j = {{"what", building::block_kind_name(b.what)},
            {"x_m", number(b.x_m)},
            {"y_m", number(b.y_m)},
            {"w_m", number(b.w_m)},
            {"h_m", number(b.h_m)}};
  if (b.row >= 0) j["row"] = b.row;
  if (b.count > 1) j["count"] = b.count;
  if (b.kind >= 0) j["racks_of"] = h.input.kinds[std::size_t(b.kind)].name;
  return j;
}

Json limit(const Margin& m) {
  return {{"id", m.id},
          {"limit", m.limit},
          {"need", number(in_unit(m.need, m.unit))},
          {"have", number(in_unit(m.have, m.unit))},
          {"unit", m.unit},
          {"holds", m.holds()}};
}

Json hall_json(const HallLayout& h) {
  const auto& p = h.plan;
  Json areas = Json::object(), zones = Json::array(), kinds = Json::array(), blocks = Json::array(),
       route = Json::array(), limits = Json::array();
  for (const auto& [name, m2] : p.areas) areas[name] = number(m2);
  for (const auto& z : p.zones)
    zones.push_back({{"name", z.name},
                     {"racks", z.racks},
                     {"power_w", number(z.power_w)},
                     {"footprint_m2", number(z.footprint_m2)},
                     {"with_aisles_m2", number(z.with_aisles_m2)},
                     {"w_per_m2", number(z.power_w / z.with_aisles_m2)}});
  for (const auto& k : h.input.kinds)
    kinds.push_back({{"name", k.name},
                     {"count", k.count},
                     {"width_m", k.width_m},
                     {"depth_m", k.depth_m},
                     {"mass_kg", k.mass_kg > 0 ? Json(k.mass_kg) : Json(nullptr)},
                     {"power_w", number(k.power_w)}});
  for (const auto& b : p.blocks) blocks.push_back(block(b, h));
  for (const auto& r : p.route) route.push_back({number(r.x_m), number(r.y_m)});
  for (const auto& m : h.limits) limits.push_back(limit(m));
  return {{"hall", h.title},
          {"racks", p.racks},
          {"positions", p.positions},
          {"rows", p.rows},
          {"racks_a_row", p.racks_a_row},
          {"blocks_of_rows", p.blocks_of_rows},
          {"length_m", number(p.length_m)},
          {"width_m", number(p.width_m)},
          {"needed_m2", number(p.needed_area_m2())},
          {"area_m2", h.area_given_m2 > 0 ? Json(h.area_given_m2) : Json(nullptr)},
          {"fits", p.fits},
          {"most_positions", p.most_positions >= 0 ? Json(p.most_positions) : Json(nullptr)},
          {"clear_cold_m", number(p.clear_cold_m)},
          {"clear_hot_m", number(p.clear_hot_m)},
          {"power_room_m2", number(p.power_room_m2)},
          {"it_max_w", number(h.it_max_w)},
          {"areas_m2", areas},
          {"zones", zones},
          {"kinds", kinds},
          {"route_m", route},
          {"limits", limits},
          {"blocks", blocks}};
}

}  // namespace

std::string layout_text(const LayoutAnswer& a, const TextOptions& options) {
  Sheet sheet(options);
  for (const auto& h : a.halls) hall_text(sheet, h);
  sheet.title("Building");
  std::string line =
      fmt::format("Rooms, power rooms and support take {} gross.", square(a.gross_needed_m2));
  if (a.gross_given_m2 > 0)
    line += fmt::format(" The building has {}: {}.", square(a.gross_given_m2),
                        a.gross_fits() ? "it fits" : "it does not fit");
  sheet.prose(line);
  if (a.area) sheet.limits({*a.area});
  sheet.remarks(a.remarks);
  return sheet.take();
}

std::string layout_json(const LayoutAnswer& a) {
  Json halls = Json::array();
  for (const auto& h : a.halls) halls.push_back(hall_json(h));
  return Json{{"scenario", a.scenario},
              {"fits", a.holds()},
              {"gross_needed_m2", number(a.gross_needed_m2)},
              {"gross_m2", a.gross_given_m2 > 0 ? Json(a.gross_given_m2) : Json(nullptr)},
              {"limit", a.area ? limit(*a.area) : Json(nullptr)},
              {"halls", halls},
              {"remarks", a.remarks}}
             .dump(2) +
         "\n";
}

}  // namespace headroom::report
