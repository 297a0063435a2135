// Limits of `check` that cost more than a check, and are found only where a scenario asks for them.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "study/facility_parts.hpp"

namespace headroom::study {
namespace {

constexpr double near_shortfall = 0.10;
/// Enough for 3 % of four nines' outage hours; `--availability` takes the scenario's own number.
constexpr int histories_of_check = 4000;

std::string groups_of(const AvailabilityAnswer& a, const availability::Cause& cause) {
  std::string text;
  for (const int g : cause.groups)
    text += (text.empty() ? "" : " + ") + a.system.groups[static_cast<std::size_t>(g)].title;
  return text.empty() ? "nothing" : text;
}

void availability_target(Context& c) {
  if (!c.scenario.availability || !c.scenario.availability->target) return;
  AvailabilityOptions options;
  options.histories = std::min(c.scenario.availability->histories, histories_of_check);
  options.remedies = false;
  const auto answer = availability_of(c, options);
  if (!answer) {
    for (const auto& d : answer.error().all())
      c.verdict.remarks.push_back("availability: " + d.message);
    return;
  }
  const auto target = c.trace.input("availability.target", c.scenario.availability->target, "%");
  const double hours_of_year = 8766;
  for (const auto& load : answer->result.loads) {
    const auto i = static_cast<std::size_t>(&load - answer->result.loads.data());
    const auto& hall = answer->system.loads[i];
    const std::string id = "availability." + hall.name;
    const double down = load.hours + answer->result.planned_hours;
    const auto need = c.trace.derive(
        id + ".down", Time::from_si(down * 3600), "h",
        fmt::format("outages of a year, of {} histories of {:g} years; and planned ones",
                    answer->simulated.histories, answer->simulated.years),
        {c.it_max.node});
    const auto have =
        c.trace.derive(id + ".allowed", Time::from_si((1 - target.value) * hours_of_year * 3600),
                       "h", "a year x (1 - target)", {target.node});
    auto m = make_margin(id, "time down a year, " + hall.title, need, have, "h");
    m.why = fmt::format(
        "{:.5g} % of the time the hall has all it asks for: {:.3g} outages and {:.3g} h a year "
        "(+- {:.2g} h over all halls){}; {:.5g} % is asked.",
        100 * (1 - down / hours_of_year), load.outages, load.hours, answer->result.site_hours.error,
        answer->result.planned_hours > 0
            ? fmt::format(" and {:.3g} h planned", answer->result.planned_hours)
            : "",
        100 * target.value);
    if (m.headroom() < near_shortfall && !answer->result.causes.empty()) {
      const auto worst =
          std::max_element(answer->result.causes.begin(), answer->result.causes.end(),
                           [](const auto& a, const auto& b) { return a.hours < b.hours; });
      m.remedies.push_back(
          {fmt::format("see to {}, out together for {:.3g} h a year (facility --availability says "
                       "what one more of each saves)",
                       groups_of(*answer, *worst), worst->hours),
           {},
           {},
           ""});
    }
    c.verdict.margins.push_back(std::move(m));
  }
}

/// The limits of the answer that the scenario itself gives.
bool is_given(const std::string& id, const power::TransientLimits& l) {
  const std::string_view name = std::string_view(id).substr(id.rfind('.') + 1);
  if (name == "range") return l.range_w.given;
  if (name == "band") return l.line_w.given;
  if (name == "ramp-second" || name == "start-second") return l.ramp_second_w_s.given;
  if (name == "start-minute") return l.ramp_minute_w_s.given;
  if (name == "generator-step") return l.generator_step.given;
  if (name == "flicker") return l.flicker.given;
  return name == "leave";  // has no default
}

void transient_limits(Context& c) {
  if (!c.scenario.power || c.work.empty()) return;
  const auto& spec = c.scenario.power->transient;
  if (!spec.range && !spec.band && !spec.ramp && !spec.ramp_second && !spec.leave &&
      !spec.generator.step && !spec.flicker)
    return;
  TransientAnswer answer;
  transient_of(c, {}, answer);
  if (answer.loads.empty()) return;
  for (auto& m : answer.margins) {
    if (!is_given(m.id, answer.limits)) continue;
    m.need_node = c.trace
                      .derive(m.id + ".need", Scalar(m.need), "",
                              "of the aggregate waveform, behind the scenario's filters "
                              "(facility --transient), SI",
                              {c.meter_typical.node})
                      .node;
    m.have_node =
        c.trace.derive(m.id + ".have", Scalar(m.have), "", m.why, {c.meter_max.node}).node;
    c.verdict.margins.push_back(std::move(m));
  }
}

}  // namespace

void assess_asked(Context& c) {
  if (!c.has_facility) return;
  availability_target(c);
  transient_limits(c);
}

}  // namespace headroom::study
