#include "power/waveform_spec.hpp"

#include <algorithm>

namespace headroom::power {
namespace {

template <class Q>
Used used(const Value<Q>& value, double otherwise, const char* source) {
  if (!value) return {otherwise, source, false};
  return {value.get().si(), value.origin.source ? describe(*value.origin.source) : "", true};
}

}  // namespace

void GeneratorLimitSpec::fields(spec::Fields& f) {
  f.number("step", step, "%",
           "Sudden change of load that the generators bear, over what is left of their rating; "
           "default 20 %")
      .between(0, 100);
}

void GpuControlSpec::fields(spec::Fields& f) {
  f.number("floor", floor, "%",
           "Least draw of an accelerator while its job runs, over its maximum; none when left out")
      .between(0, 100);
  f.number("ramp", ramp, "MW/min",
           "How fast a job's accelerators may come up and go down when it starts and stops; as "
           "fast as they do when left out")
      .above(0);
}

void ShelfSpec::fields(spec::Fields& f) {
  f.number("energy", energy, "J",
           "Storage in the rack's power shelves for each accelerator; none when left out")
      .at_least(0);
}

void StorageSpec::fields(spec::Fields& f) {
  f.number("energy", energy, "kWh", "Usable energy; none when left out").at_least(0);
  f.number("power", power, "MW", "Most it takes or gives; no limit when left out").above(0);
  f.number("efficiency", efficiency, "%", "Of a round trip; default 92 % (UPS), 86 % (BESS)")
      .between(1, 100);
  f.number("response", response, "ms",
           "Time constant with which its power follows; default 10 ms (UPS), 50 ms (BESS)")
      .at_least(0);
}

void RideSpec::fields(spec::Fields& f) {
  f.number("transfer_below", transfer_below, "%",
           "Voltage below which the UPS goes to its battery; default 88 %")
      .between(50, 90);
  f.number("requalify", requalify, "s",
           "How long the voltage must be good before the UPS returns; default 10 s")
      .at_least(0);
  f.number("walk_in", walk_in, "s", "Ramp of the UPS back to the grid; default 10 s").above(0);
  f.integer("count", count,
            "Disturbances within count_window after which the site stays off the grid; 0 means "
            "no counter")
      .between(0, 100);
  f.number("count_window", count_window, "s", "Window of the counter; default 60 s").above(0);
  f.number("manual_return", manual_return, "h",
           "Until a latched site is returned by hand; default 4 h")
      .at_least(0);
  f.number("generator_order", generator_order, "s",
           "Outage after which generators are called; default 3 s")
      .at_least(0);
  f.number("retransfer", retransfer, "min",
           "From the return of the voltage to the return from generators; default 30 min")
      .at_least(0);
  f.number("restart", restart, "min", "Machines that fell until they compute again; default 10 min")
      .at_least(0);
  f.number("mechanical_restart", mechanical_restart, "s",
           "Cooling that dropped until it runs again; default 150 s")
      .at_least(0);
  f.choice("it_curve", it_curve, tolerance_names(), "What machines without a UPS bear");
  f.choice("mechanical_curve", mechanical_curve, tolerance_names(), "What cooling bears");
}

void TransientSpec::fields(spec::Fields& f) {
  f.number("ramp", ramp, "MW/min",
           "Limit of the ramp between means of a minute; default 6.7 % of the rating a minute")
      .above(0);
  f.number("ramp_second", ramp_second, "MW/s",
           "Limit of the ramp between means of a second; default 5 % of the rating a second")
      .above(0);
  f.number("range", range, "%",
           "Limit of peak to trough in steady work, over the rating; default 10 %")
      .above(0);
  f.number("band", band, "%",
           "Limit of the strongest line between band_low and band_high, amplitude over the rating; "
           "default 1 %")
      .above(0);
  f.number("band_low", band_low, "Hz", "Lowest frequency that is limited; default 0.1 Hz").above(0);
  f.number("band_high", band_high, "Hz", "Highest frequency that is limited; default 20 Hz")
      .between(0.2, 50);
  f.number("short_circuit", short_circuit, "MVA",
           "Short-circuit power at the point of connection; no flicker is computed when left out")
      .above(0);
  f.number("x_over_r", x_over_r, "", "Of the grid at that point; default 10").at_least(0);
  f.number("flicker", flicker, "", "Limit of Pst there; default 0.8").above(0);
  f.number("wait_power", wait_power, "%",
           "Draw of an accelerator that waits for others, over its maximum; default 35 %")
      .between(0, 100);
  f.number("spread", spread, "ms",
           "Between the first and the last rank that switches; default 20 ms")
      .at_least(0);
  f.number("start", start, "s", "Over which a job's ranks come up; default 2 s").at_least(0);
  f.number("stop", stop, "s", "Over which they fall when the job stops; default 0.2 s").at_least(0);
  f.object("generator", generator, "What on-site generators bear");
  f.object("gpu", gpu, "Power limits in the accelerators");
  f.object("shelf", shelf, "Storage in rack power shelves");
  f.object("ups", ups, "UPS or battery shelves that smooth");
  f.object("bess", bess, "Battery plant of the site that smooths");
  f.object("ride", ride, "What sags of the grid do");
  f.texts("sags", sags,
          "Sags to ride through, e.g. 30%@60ms x6/82s: 30 % left for 60 ms, six within 82 s; "
          "default those of 10 July 2024 in Virginia");
  if (band_low && band_high && band_low.get() >= band_high.get())
    f.mistake("band_high", "is not above band_low", "0.1 Hz to 20 Hz");
  std::vector<Sag> read;
  for (const auto& text : sags)
    if (auto wrong = read_sags(text, read)) f.mistake("sags", *wrong);
  if (auto wrong = order_sags(read)) f.mistake("sags", *wrong);
}

TransientLimits limits_of(const TransientSpec& s, double rating_w) {
  TransientLimits l;
  l.rating_w = rating_w;
  l.ramp_minute_w_s =
      used(s.ramp, rating_w / 15 / 60,
           "10 MW/min for a site of 150 MW (arXiv 2606.21833, as a digest repeats it)");
  l.ramp_second_w_s = used(s.ramp_second, 0.05 * rating_w, "assumed: 5 % of the rating a second");
  l.range_w = {0.1 * rating_w, "assumed: 10 % of the rating", false};
  l.line_w = {0.01 * rating_w, "assumed: 1 % of the rating", false};
  if (s.range)
    l.range_w = {rating_w * double(s.range.get()), describe(*s.range.origin.source), true};
  if (s.band) l.line_w = {rating_w * double(s.band.get()), describe(*s.band.origin.source), true};
  l.low_hz = used(s.band_low, 0.1, "inter-area modes (issue; arXiv 2508.14318 names the problem)");
  l.high_hz = used(s.band_high, 20, "torsional modes begin near 7 Hz (digest of arXiv 2508.14318)");
  l.generator_step =
      used(s.generator.step, 0.2,
           "last block of an ISO 8528-5 G2 acceptance test, 80 to 100 % (a published "
           "project specification)");
  l.flicker = used(s.flicker, 0.8, "planning level of IEC 61000-3-7 (recalled, unverified)");
  return l;
}

RideSetup ride_of(const RideSpec& s) {
  RideSetup r;
  const auto set = [](auto& to, const auto& value) {
    if (value) to = value.get().si();
  };
  set(r.transfer_below, s.transfer_below);
  set(r.requalify_s, s.requalify), set(r.walk_in_s, s.walk_in);
  r.count = s.count;
  set(r.count_window_s, s.count_window), set(r.manual_s, s.manual_return);
  set(r.order_s, s.generator_order), set(r.retransfer_s, s.retransfer);
  set(r.restart_s, s.restart), set(r.mechanical_restart_s, s.mechanical_restart);
  r.it_curve = static_cast<std::size_t>(s.it_curve);
  r.mechanical_curve = static_cast<std::size_t>(s.mechanical_curve);
  return r;
}

SwingDefaults swing_of(const TransientSpec& s) {
  SwingDefaults d;
  d.wait_power = used(s.wait_power, 0.35,
                      "assumed, between idle and the 70 % a white paper names (prophetstor)");
  d.spread_s = used(s.spread, 0.02, "assumed");
  d.start_s = used(s.start, 2, "assumed");
  d.stop_s = used(s.stop, 0.2, "rise and fall within 0.2 s (rencewise.com)");
  return d;
}

}  // namespace headroom::power
