#include <cmath>
#include <nlohmann/json.hpp>

#include "report/facility_availability.hpp"

namespace headroom::report {
namespace {

using Json = nlohmann::ordered_json;
using availability::Estimate;
using study::AvailabilityAnswer;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json estimate(const Estimate& e, double per = 1) {
  return {{"mean", number(e.mean / per)}, {"half_width_95", number(e.error / per)}};
}

class Builder {
 public:
  explicit Builder(const AvailabilityAnswer& a) : a_(a) {}

  Json names(const std::vector<int>& groups) const {
    Json out = Json::array();
    for (const int g : groups) out.push_back(a_.system.groups[std::size_t(g)].name);
    return out;
  }
  Json money(double gpu_s) const {
    return a_.price_origin.empty() ? Json(nullptr) : number(gpu_s * a_.usd_per_gpu_s);
  }
  Json halls() const {
    Json out = Json::array();
    for (std::size_t i = 0; i < a_.result.loads.size(); ++i) {
      const auto& l = a_.result.loads[i];
      out.push_back({{"hall", a_.system.loads[i].name},
                     {"gpus", number(a_.system.loads[i].gpus)},
                     {"availability", number(l.availability)},
                     {"outages", number(l.outages)},
                     {"hours", number(l.hours)},
                     {"lost_gpu_h", estimate(l.lost_gpu_s, 3600)}});
    }
    return out;
  }
  Json causes() const {
    Json out = Json::array();
    for (const auto& c : a_.result.causes)
      out.push_back({{"out", names(c.groups)},
                     {"outages", number(c.outages)},
                     {"hours", number(c.hours)},
                     {"lost_gpu_h", number(c.lost_gpu_s / 3600)},
                     {"usd", money(c.lost_gpu_s)}});
    return out;
  }
  Json triggers() const {
    Json out = Json::object();
    for (std::size_t i = 0; i < availability::triggers; ++i)
      out[availability::trigger_name(availability::Trigger(i))] = number(a_.result.by_trigger[i]);
    return out;
  }
  Json lengths() const {
    Json bins = Json::array();
    for (std::size_t i = 0; i < a_.result.lengths.size(); ++i)
      if (a_.result.lengths[i] > 0)
        bins.push_back({{"from_s", i == 0 ? 0.0 : std::ldexp(1.0, int(i))},
                        {"to_s", std::ldexp(1.0, int(i) + 1)},
                        {"outages", number(a_.result.lengths[i])}});
    return {{"median_s", number(a_.result.length_s(0.5))},
            {"p90_s", number(a_.result.length_s(0.9))},
            {"longest_s", number(a_.result.longest_s)},
            {"bins", bins}};
  }
  Json exact() const {
    Json cuts = Json::array(), importance = Json::array();
    for (const auto& c : a_.exact.cuts) {
      Json units = Json::object();
      for (const auto& [g, n] : c.units) units[a_.system.groups[std::size_t(g)].name] = n;
      cuts.push_back({{"out", units}, {"chance", number(c.chance)}});
    }
    for (const auto& i : a_.exact.importance)
      importance.push_back({{"bank", a_.system.groups[std::size_t(i.group)].name},
                            {"unit_unavailability", number(i.unavailability)},
                            {"birnbaum", number(i.birnbaum)},
                            {"fussell_vesely", number(i.fussell_vesely)},
                            {"share_of_lost_gpu_time", number(a_.result.share_of(i.group))}});
    return {{"unavailability", number(a_.exact.unavailability)},
            {"bound", number(a_.exact.bound)},
            {"order", a_.exact_order},
            {"outages", number(a_.exact.frequency * 8760 * 3600)},
            {"cuts", cuts},
            {"importance", importance}};
  }
  Json remedies() const {
    Json out = Json::array();
    for (const auto& r : a_.remedies)
      out.push_back({{"what", r.what},
                     {"hours_saved", estimate(r.hours)},
                     {"gpu_h_saved", estimate(r.lost_gpu_s, 3600)},
                     {"usd_saved", a_.price_origin.empty() ? Json(nullptr) : number(r.usd)},
                     {"capital_usd", r.capital_usd ? number(*r.capital_usd) : Json(nullptr)},
                     {"price_source", r.capital_usd ? Json(r.price_source) : Json(nullptr)},
                     {"clear", r.clear}});
    return out;
  }
  Json banks() const {
    Json out = Json::array();
    for (const auto& g : a_.system.groups)
      out.push_back({{"name", g.name},
                     {"units", g.units},
                     {"mtbf_h", g.mtbf_s > 0 ? number(g.mtbf_s / 3600) : Json(nullptr)},
                     {"mttr_h", number(g.repair.mean_s / 3600)},
                     {"beta", number(g.beta)},
                     {"standby", g.standby},
                     {"path", g.path}});
    return out;
  }
  Json write() const {
    const auto& r = a_.result;
    Json rides = Json::array(), figures = Json::array(), work = Json::array();
    for (const auto& x : a_.rides)
      rides.push_back({{"hall", x.hall},
                       {"lost", x.what},
                       {"share", number(x.lost)},
                       {"seconds", x.seconds < 0 ? Json(nullptr) : number(x.seconds)},
                       {"speed_after", number(x.after)}});
    for (const auto& f : a_.figures)
      figures.push_back({{"part", f.part},
                         {"what", f.what},
                         {"value", f.text},
                         {"source", f.source},
                         {"trust", trust_name(f.trust)}});
    for (const auto& w : a_.work)
      work.push_back({{"workload", w.name}, {"tokens_lost", number(w.tokens)}});
    return {{"scenario", a_.scenario},
            {"histories", a_.simulated.histories},
            {"years", number(a_.simulated.years)},
            {"seed", a_.simulated.seed},
            {"availability", number(r.availability)},
            {"outages", estimate(r.site_outages)},
            {"hours", estimate(r.site_hours)},
            {"lost_gpu_h", estimate(r.lost_gpu_s, 3600)},
            {"usd_lost", money(r.lost_gpu_s.mean)},
            {"price", a_.price_origin},
            {"planned",
             {{"hours", number(r.planned_hours)},
              {"outages", number(r.planned_outages)},
              {"lost_gpu_h", number(r.planned_lost_gpu_s / 3600)},
              {"usd_lost", money(r.planned_lost_gpu_s)},
              {"banks", names(r.planned_groups)}}},
            {"work", work},
            {"halls", halls()},
            {"lengths", lengths()},
            {"begin_with", triggers()},
            {"causes", causes()},
            {"exact", exact()},
            {"tier",
             {{"level", a_.tier.level},
              {"not_redundant", names(a_.tier.not_redundant)},
              {"not_maintainable", names(a_.tier.not_maintained)},
              {"gaps", a_.tier.gaps},
              {"means", "as the published definitions read, not a certification"}}},
            {"ride_through", rides},
            {"remedies", remedies()},
            {"banks", banks()},
            {"figures", figures},
            {"imbalance", number(r.worst_imbalance)},
            {"remarks", a_.remarks}};
  }

 private:
  const AvailabilityAnswer& a_;
};

}  // namespace

std::string availability_json(const AvailabilityAnswer& a) {
  return Builder(a).write().dump(2) + "\n";
}

}  // namespace headroom::report
