#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/units.hpp"
#include "catalog/accelerator.hpp"
#include "study/facility_parts.hpp"
#include "study/training_parts.hpp"

namespace headroom::study {
namespace {

using cooling::Failure;
using cooling::FailureEvent;

constexpr std::size_t of_hour = 60, of_day = 24 * 60;

/// The nodes of one kind, and all of them together under the kind's own name.
class Nodes {
 public:
  void add(const std::string& place, const std::string& kind, const std::string& what,
           Failure failure, const std::vector<std::size_t>& indices, double share = 1) {
    std::vector<FailureEvent> events;
    for (const auto index : indices) {
      events.emplace_back();
      events.back().what = failure, events.back().index = index, events.back().share = share;
    }
    single_.push_back({place + "." + kind, what + " of " + place, events, {}, 0, 0});
    for (auto& node : all_) {
      if (node.name != kind) continue;
      node.events.insert(node.events.end(), events.begin(), events.end());
      return;
    }
    all_.push_back({kind, what, std::move(events), {}, 0, 0});
  }
  /// One of `count` units of `each`, where `need` is needed of what the model's `capacity` stands
  /// for.
  void add_unit(const std::string& name, const std::string& what, Failure failure,
                std::span<const std::size_t> indices, int count, double each, double need,
                double reserve = 1) {
    if (count < 1 || each <= 0 || need <= 0) return;
    FacilityNode node;
    node.name = name + "-1";
    node.what = count == 1 ? "the only " + what : fmt::format("one of {} {}s", count, what);
    node.units = count;
    node.left = (count - 1) * each / need;
    for (const auto index : indices) {
      FailureEvent event;
      event.what = failure, event.index = index;
      event.share = 1 - std::min(1.0, node.left / reserve);
      node.events.push_back(event);
    }
    units_.push_back(std::move(node));
  }
  std::vector<FacilityNode> list() && {
    FailureEvent everything;
    std::vector<FacilityNode> out = std::move(all_);
    out.insert(out.end(), single_.begin(), single_.end());
    out.insert(out.end(), units_.begin(), units_.end());
    out.push_back({"all-cooling", "all cooling", {everything}, {}, 0, 0});
    return out;
  }

 private:
  std::vector<FacilityNode> all_, single_, units_;
};

/// Units that the scenario counts: one of them lost leaves the others, which run harder.
void add_units(const Context& c, const cooling::Plant& plant, const std::vector<bool>& used,
               Nodes& nodes) {
  for (std::size_t i = 0; i < c.halls.size(); ++i) {
    const auto& spec = c.halls[i].spec->cooling;
    if (!spec) continue;
    double it = 0, liquid = 0;
    std::vector<std::size_t> cooled;
    for (const std::size_t k : plant.halls[i].groups) {
      const auto& g = plant.groups[k];
      it += g.racks * g.rack_w, liquid += g.racks * g.rack_w * g.liquid_share;
      if (g.liquid_share > 0) cooled.push_back(k);
    }
    const std::size_t one[] = {i};
    const auto& place = c.halls[i].scope;
    nodes.add_unit(place + ".cdu", "CDU", Failure::coolant_pumps, cooled, spec->cdus.count,
                   spec->cdus.each.or_else(Power{}).si(), liquid);
    nodes.add_unit(place + ".room-unit", "room unit", Failure::hall_fans, one, spec->units.count,
                   spec->units.each.or_else(Power{}).si(), it - liquid + plant.halls[i].loss_w);
    if (liquid > 0 && spec->cdus.count > 1)  // racks on one CDU's manifold
      nodes.add(place, "manifold", "racks (those on one CDU's manifold) isolated by a leak",
                Failure::leak, cooled, 1.0 / spec->cdus.count);
  }
  if (!c.scenario.cooling) return;
  const auto& p = *c.scenario.cooling;
  std::vector<std::size_t> loops;
  for (std::size_t l = 0; l < plant.loops.size(); ++l)
    if (used[l]) loops.push_back(l);
  const double need = c.cooling.at_design.plant_heat.si();
  const double each = p.capacity.each.or_else(Power{}).si();
  if (c.cooling.design.plant.has_chiller()) {
    // The detailed plant's chillers have `reserve` times the heat there is; the scenario's have
    // not.
    double capacity = 0;
    for (const auto l : loops) capacity = std::max(capacity, plant.loops[l].chillers.capacity_w);
    nodes.add_unit("chiller", "chiller", Failure::chillers, loops, p.capacity.count, each, need,
                   need > 0 ? std::max(1.0, capacity / need) : 1);
  } else {
    const char* name = c.cooling.design.plant.on_tower() ? "tower" : "dry-cooler";
    nodes.add_unit(name, c.cooling.design.plant.on_tower() ? "tower" : "dry cooler", Failure::tower,
                   loops, p.capacity.count, each, need);
  }
  const int usable = catalog::usable_units(p.pumps, p.pump_redundancy);
  if (p.pumps > 0)
    nodes.add_unit("loop-pump", "pump", Failure::loop_pumps, loops, p.pumps, 1,
                   std::max(1, usable));
}

/// "cdu-pumps" and "CDU-Pump" are "cdu-pump".
std::string plain(std::string text) {
  for (char& ch : text) {
    if (ch >= 'A' && ch <= 'Z') ch = static_cast<char>(ch - 'A' + 'a');
    if (ch == '_' || ch == ' ') ch = '-';
  }
  if (text.size() > 3 && text.back() == 's') text.pop_back();
  return text;
}

/// "hh:mm" as minutes of the day; -1: it is none.
int clock_minutes(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return -1;
  const auto h = split_number(text.substr(0, colon)), m = split_number(text.substr(colon + 1));
  const auto whole = [](const std::optional<NumberText>& n, double most) {
    return n && n->unit.empty() && n->number >= 0 && n->number <= most &&
           n->number == std::floor(n->number);
  };
  if (!whole(h, 23) || !whole(m, 59)) return -1;
  return static_cast<int>(h->number * 60 + m->number);
}

Diagnostic mistake(const std::string& text, std::string message, std::string hint = {}) {
  return {"--lose " + text, 0, 0, "", std::move(message), std::move(hint), ""};
}

const FacilityNode* find(const std::vector<FacilityNode>& nodes, const std::string& name) {
  const std::string wanted = plain(name);
  for (const auto& node : nodes)
    if (node.name == wanted) return &node;
  for (const auto& node : nodes)  // a name of the user's own may end in s
    if (plain(node.name) == wanted) return &node;
  // "chiller-3" is one of the units of "chiller-1".
  const auto dash = wanted.rfind('-');
  const auto n = dash == std::string::npos ? std::nullopt : split_number(wanted.substr(dash + 1));
  if (!n || !n->unit.empty() || n->number != std::floor(n->number)) return nullptr;
  for (const auto& node : nodes)
    if (node.units > 0 && n->number >= 1 && n->number <= node.units &&
        node.name == wanted.substr(0, dash) + "-1")
      return &node;
  return nullptr;
}

std::string nearest_node(const std::vector<FacilityNode>& nodes, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& node : nodes) names.push_back(node.name);
  const auto hint = did_you_mean(plain(name), names);
  if (!hint.empty()) return hint;
  constexpr std::size_t most = 40;
  if (names.size() <= most) return fmt::format("one of {}", fmt::join(names, ", "));
  names.resize(most);
  return fmt::format("one of {} ...; --chain lists all", fmt::join(names, ", "));
}

/// The lost share of the clock over the walk, of one group: seconds.
double lost_seconds(const cooling::GroupWalk& w, double dt, double until_s,
                    const cooling::Throttle& throttle) {
  double lost = 0;
  for (std::size_t k = 0; k + 1 < w.power.size(); ++k) {
    if (static_cast<double>(k) * dt >= until_s) break;
    const double power = w.power[k];
    lost += dt * (power >= 1 - 1e-6 ? 0 : 1 - cooling::clock_share(throttle, power));
  }
  return lost;
}

/// The loads of hall `scope` that lost power; null: nothing of the chain was lost.
const power::HallPower* power_of(const FacilityWalk& w, const std::string& scope) {
  if (!w.power) return nullptr;
  for (const auto& h : w.power->halls)
    if (h.hall == scope) return &h;
  return nullptr;
}

/// Seconds of a hall's work that heat (`hot_s`) and dead racks take together.
double with_power(double hot_s, const power::HallPower* p) {
  if (p == nullptr || p->it_w <= 0) return hot_s;
  return p->dark_w_s / p->it_w + (1 - p->dropped_share()) * hot_s;
}

double most_of(const std::vector<float>& v) {
  return v.empty() ? -273.15 : double(*std::max_element(v.begin(), v.end()));
}

RackLoss rack_loss(const RackLoads& racks, const cooling::Plant& plant, std::size_t index,
                   const cooling::Walk& walk, const cooling::Throttle& throttle) {
  const auto& w = walk.groups[index];
  const auto& group = plant.groups[index];
  RackLoss out;
  out.name = racks.name, out.group = index;
  out.racks = group.racks, out.rack_w = group.rack_w;
  if (racks.machines != nullptr) out.gpus = racks.machines->gpus.value;
  out.throttle_at_s = w.throttle_at_s, out.shutdown_at_s = w.shutdown_at_s;
  out.liquid = group.liquid_share > 0;
  out.has_chip = out.liquid && group.chip.power_w > 0;
  // Tripped by their air, without throttling.
  if (out.throttle_at_s == out.shutdown_at_s) out.throttle_at_s = -1;
  out.hottest_chip_c = most_of(w.chip_c), out.hottest_coolant_c = most_of(w.coolant_c);
  if (!w.power.empty()) out.lowest_power = *std::min_element(w.power.begin(), w.power.end());
  const double forever = std::numeric_limits<double>::infinity();
  out.lost_gpu_s = out.gpus * lost_seconds(w, walk.control_s, forever, throttle);
  return out;
}

double earlier(double a, double b) { return a < 0 ? b : b < 0 ? a : std::min(a, b); }

HallLoss hall_loss(const HallLoads& hall, const cooling::Plant& plant, std::size_t index,
                   const cooling::Walk& walk, const cooling::Throttle& throttle) {
  HallLoss out;
  out.scope = hall.scope, out.title = hall.title;
  out.hottest_inlet_c = most_of(walk.inlet_c[index]);
  out.hottest_chip_c = out.hottest_coolant_c = -273.15;
  for (std::size_t k = 0; k < hall.groups.size(); ++k) {
    auto r = rack_loss(hall.groups[k], plant, plant.halls[index].groups[k], walk, throttle);
    out.gpus += r.gpus, out.lost_gpu_s += r.lost_gpu_s;
    out.throttle_at_s = earlier(out.throttle_at_s, r.throttle_at_s);
    out.shutdown_at_s = earlier(out.shutdown_at_s, r.shutdown_at_s);
    out.lowest_power = std::min(out.lowest_power, r.lowest_power);
    out.liquid = out.liquid || r.liquid, out.has_chip = out.has_chip || r.has_chip;
    if (r.has_chip) out.hottest_chip_c = std::max(out.hottest_chip_c, r.hottest_chip_c);
    if (r.liquid) out.hottest_coolant_c = std::max(out.hottest_coolant_c, r.hottest_coolant_c);
    out.groups.push_back(std::move(r));
  }
  return out;
}

/// Tokens a workload makes in a second of full speed; 0: no rate is known.
double tokens_s(const Work& work) {
  const auto& p = work.product;
  if (!work.has_product) return 0;
  if (p.kind == money::Product::Kind::training)
    return p.run_time.value.si() > 0 ? p.run_tokens.value.si() / p.run_time.value.si() : 0;
  return p.output_rate.node != no_node ? p.output_rate.value.si() : 0;
}

void add_work(const Context& c, const cooling::Walk& walk, const cooling::Throttle& throttle,
              double horizon_s, FacilityWalk& out) {
  for (const auto& work : c.work) {
    const double rate = tokens_s(work);
    if (rate <= 0 || work.machines == nullptr) continue;
    for (const auto& hall : out.halls) {
      const auto racks = std::find_if(hall.groups.begin(), hall.groups.end(), [&](const auto& r) {
        return r.gpus > 0 && r.name == work.machines->scope;
      });
      if (racks == hall.groups.end()) continue;
      const auto& w = walk.groups[racks->group];
      const auto* p = power_of(out, hall.scope);
      double until = work.gang && w.shutdown_at_s >= 0 ? w.shutdown_at_s : horizon_s;
      if (work.gang && p != nullptr && p->dropped_at_s >= 0)
        until = std::min(until, p->dropped_at_s);
      const double hot = lost_seconds(w, walk.control_s, until, throttle);
      const double lost = work.gang ? hot + horizon_s - until : with_power(hot, p);
      out.work.push_back({work.spec->name, rate * lost});
    }
  }
}

void add_power(const power::HallPower* p, HallLoss& out) {
  if (p == nullptr) return;
  out.dropped_at_s = p->dropped_at_s, out.dropped_share = p->dropped_share();
  // Racks that are dark can get no hotter.
  const bool dark = out.dropped_share > 1 - 1e-9;
  if (dark && out.throttle_at_s > out.dropped_at_s) out.throttle_at_s = -1;
  if (dark && out.shutdown_at_s > out.dropped_at_s) out.shutdown_at_s = -1;
  if (out.gpus > 0) out.lost_gpu_s = out.gpus * with_power(out.lost_gpu_s / out.gpus, p);
}

/// `share` of a node's units, rounded up; below 0: the outage's own.
power::TimedLoss timed(power::Outage outage, double share, double at_s, double back_s) {
  if (share > 0) outage.units = std::max(1, to_count(std::ceil(outage.units * share - 1e-9)));
  power::TimedLoss out;
  out.lost = outage, out.at_s = at_s;
  if (back_s > 0) out.back_s = at_s + back_s;
  return out;
}

std::string in_words(const Loss& loss, double share) {
  std::string text = loss.node->what;
  if (loss.node->units > 0 && loss.share < 0)
    text += fmt::format(" (the others can carry {:.0f} % of what full load needs)",
                        100 * loss.node->left);
  else if (share > 0 && share < 1)
    text = fmt::format("{:.3g} % of {}", 100 * share, text);
  if (loss.minute >= 0)
    text += fmt::format(" at {:02}:{:02}", loss.minute / int(of_hour), loss.minute % int(of_hour));
  return text;
}

}  // namespace

double tokens_per_s(const Work& work) { return tokens_s(work); }

std::vector<FacilityNode> facility_nodes(const Context& c, const cooling::Plant& plant) {
  Nodes nodes;
  for (std::size_t i = 0; i < c.halls.size(); ++i) {
    const auto& place = c.halls[i].scope;
    std::vector<std::size_t> cooled;
    std::size_t most = 0;  // the racks with the most power: a leak is one of theirs
    for (const std::size_t k : plant.halls[i].groups) {
      const auto& g = plant.groups[k];
      if (g.liquid_share <= 0) continue;
      const auto& now = plant.groups[most];
      if (cooled.empty() || g.racks * g.rack_w > now.racks * now.rack_w) most = k;
      cooled.push_back(k);
    }
    if (!cooled.empty()) {
      nodes.add(place, "cdu-pump", "pumps (or door fans) of the coolant", Failure::coolant_pumps,
                cooled);
      nodes.add(place, "leak", "racks isolated by a leak", Failure::leak, {most},
                1 / std::max(1.0, plant.groups[most].racks));
    }
    nodes.add(place, "room-fan", "fans of the room units", Failure::hall_fans, {i});
  }
  std::vector<bool> used(plant.loops.size());
  for (const auto& g : plant.groups)
    if (g.liquid_share > 0) used[g.loop] = true;
  for (const auto& h : plant.halls)
    if (!h.direct_expansion) used[h.loop] = true;
  for (std::size_t l = 0; l < plant.loops.size(); ++l) {
    const auto& loop = plant.loops[l];
    if (!used[l]) continue;
    const std::string place = loop.name + "-loop";
    nodes.add(place, "loop-pump", "facility water pumps", Failure::loop_pumps, {l});
    if (loop.tower.water > 0) nodes.add(place, "tower", "towers", Failure::tower, {l});
    if (loop.dry.ua_w_k > 0) nodes.add(place, "dry-cooler", "dry coolers", Failure::tower, {l});
    if (loop.chillers.capacity_w > 0)
      nodes.add(place, "chiller", "chillers", Failure::chillers, {l});
  }
  add_units(c, plant, used, nodes);
  return std::move(nodes).list();
}

std::vector<Loss> read_losses(const std::vector<std::string>& texts,
                              const std::vector<FacilityNode>& nodes, Diagnostics& mistakes) {
  std::vector<Loss> out;
  for (const auto& text : texts) {
    Loss loss;
    loss.text = text;
    std::string name = text;
    if (const auto at = name.find('@'); at != std::string::npos) {
      loss.minute = clock_minutes(name.substr(at + 1));
      if (loss.minute < 0)
        mistakes.add(mistake(text, "'" + name.substr(at + 1) + "' is no time of day",
                             "hh:mm, 00:00 to 23:59"));
      name.resize(at);
    }
    if (const auto at = name.find('='); at != std::string::npos) {
      const auto n = split_number(std::string_view(name).substr(at + 1));
      loss.share = n ? n->number / (n->unit == "%" ? 100 : 1) : 0;
      if (!n || (n->unit != "%" && !n->unit.empty()) || loss.share <= 0 || loss.share > 1)
        mistakes.add(mistake(text, "'" + name.substr(at + 1) + "' is no share that is lost",
                             "above 0 up to 100 %"));
      name.resize(at);
    }
    loss.node = find(nodes, name);
    if (loss.node == nullptr)
      mistakes.add(
          mistake(text, "nothing here is called '" + name + "'", nearest_node(nodes, name)));
    out.push_back(std::move(loss));
  }
  return out;
}

std::vector<std::vector<power::Outage>> read_together(const std::vector<std::string>& texts,
                                                      const std::vector<FacilityNode>& nodes,
                                                      Diagnostics& mistakes) {
  std::vector<std::vector<power::Outage>> out;
  for (const auto& text : texts) {
    const auto wrong = [&](std::string message, std::string hint) {
      mistakes.add({"--lose-both " + text, 0, 0, "", std::move(message), std::move(hint), ""});
    };
    std::vector<std::string> names;
    for (std::size_t from = 0; from <= text.size();) {
      const auto to = std::min(text.find_first_of(",+", from), text.size());
      names.push_back(text.substr(from, to - from));
      from = to + 1;
    }
    if (names.size() < 2) wrong("names one node", "two or more: NODE,NODE");
    Diagnostics inside;
    const auto losses = read_losses(names, nodes, inside);
    for (const auto& d : inside.all()) wrong(d.message, d.hint);
    if (!inside.empty()) continue;
    out.emplace_back();
    for (const auto& loss : losses) {
      if (loss.minute >= 0) wrong("'" + loss.text + "' has a time; this is the steady state", "");
      if (loss.node->outages.empty())
        wrong("'" + loss.text + "' is of the cooling, not of the power chain",
              "--lose " + loss.node->name + " follows it second by second");
      for (const auto& outage : loss.node->outages)
        out.back().push_back(timed(outage, loss.share, 0, 0).lost);
    }
  }
  return out;
}

FacilityWalk walk_facility(Context& c, const cooling::Plant& plant,
                           const cooling::WeatherYear& weather, std::size_t peak_hour,
                           const std::vector<Loss>& losses, const FacilityOptions& options,
                           const FacilityChain& chain) {
  const int none = static_cast<int>(of_day);
  int first = none;
  for (const auto& loss : losses)
    if (loss.minute >= 0) first = std::min(first, loss.minute);
  FacilityWalk out;
  out.hour = first == none ? peak_hour : peak_hour / 24 * 24 + std::size_t(first) / of_hour;
  std::vector<FailureEvent> events;
  std::vector<power::TimedLoss> outages;
  double last = 0;
  for (const auto& loss : losses) {
    const double at = loss.minute >= 0 ? 60.0 * (loss.minute - first) : 0;
    last = std::max(last, at);
    for (auto event : loss.node->events) {
      if (loss.share > 0) event.share = loss.share;
      event.at_s = at;
      if (options.back_s > 0) event.back_s = at + options.back_s;
      events.push_back(event);
    }
    for (const auto& outage : loss.node->outages)
      outages.push_back(timed(outage, loss.share, at, options.back_s));
    out.lost.push_back(in_words(
        loss, loss.node->events.empty() ? std::max(loss.share, 0.0) : events.back().share));
  }
  cooling::HourInput in;
  in.hour = out.hour;
  in.dry_bulb_c = out.dry_bulb_c = weather.dry_bulb_c[out.hour];
  in.wet_bulb_c = out.wet_bulb_c = weather.wet_bulb_c[out.hour];
  in.pressure_pa = weather.pressure_pa[out.hour];
  in.humidity = weather.humidity[out.hour];
  cooling::WalkOptions walk_options;
  walk_options.horizon_s = out.horizon_s = last + options.horizon_s;
  out.back_s = options.back_s;
  if (!outages.empty()) {
    power::ChainWalkOptions chain_options;
    chain_options.horizon_s = out.horizon_s;
    out.power = power::walk_chain(chain.graph, outages, chain_options);
    for (const auto& event : cooling_without_power(*out.power)) events.push_back(event);
  }
  out.walk = cooling::walk(plant, in, events, walk_options);
  out.recovered = out.walk.recovered && (!out.power || out.power->dropped_racks() <= 0);
  for (std::size_t i = 0; i < c.halls.size(); ++i) {
    out.halls.push_back(hall_loss(c.halls[i], plant, i, out.walk, walk_options.throttle));
    add_power(power_of(out, c.halls[i].scope), out.halls.back());
    out.lost_gpu_s += out.halls.back().lost_gpu_s;
  }
  add_work(c, out.walk, walk_options.throttle, out.horizon_s, out);
  if (const auto price = gpu_hour_price(c, {}); price.known()) {
    out.usd = out.lost_gpu_s * price.rate.value.si();
    out.price_origin = price.origin;
  }
  return out;
}

}  // namespace headroom::study
