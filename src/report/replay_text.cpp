#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "report/parts.hpp"
#include "report/replay_fleet.hpp"
#include "report/replay_report.hpp"

namespace headroom::report {
namespace {

using serving::Percentiles;
using serving::Summary;

std::string count(double n) { return format_number(n, 9); }

class Writer {
 public:
  Writer(const study::ReplayAnswer& answer, const TextOptions& options)
      : a_(answer),
        s_(answer.run.summary),
        o_(options),
        width_(static_cast<std::size_t>(std::max(60, options.width))) {}

  std::string write() {
    headline();
    latencies();
    intervals();
    promises();
    out_ += replay_parts_text(a_, o_);
    use();
    time();
    bill();
    search();
    for (const auto& remark : a_.remarks) out_ += wrap("- " + remark, width_, "  ");
    return std::move(out_);
  }

 private:
  std::string paint(const std::string& text, std::string_view style) const {
    return o_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", style, text) : text;
  }
  void title(const std::string& text) { out_ += "\n" + paint(text, "1") + "\n"; }
  void line(const std::string& label, const std::string& text) {
    out_ += fmt::format("  {:<22}{}\n", label, text);
  }

  std::string verdict() const {
    if (!a_.reachable) return "No count of replicas meets the SLOs";
    if (s_.overloaded) return "Overloaded: the queue grows";
    if (!a_.met) return "The SLOs are not met";
    return a_.slo.any() || !s_.headroom.empty() ? "The SLOs are met" : "The fleet keeps up";
  }

  void headline() {
    out_ += paint(a_.pools.empty()
                      ? fmt::format("{} on {} x {}", a_.model, count(a_.replicas), a_.machine)
                      : fmt::format("{}: {} pools, {} replicas, {} GPUs on average", a_.fleet,
                                    a_.pools.size(), a_.replicas, format_number(s_.gpus, 3)),
                  "1") +
            "\n";
    out_ += paint(verdict(), a_.fits() ? "32" : "31") + "\n";
    if (!a_.unreachable.empty()) out_ += wrap(a_.unreachable, width_, "  ");
    line("trace",
         fmt::format("{}: {} requests in {}, {} tokens in and {} out", a_.trace,
                     count(double(s_.requests)), seconds(s_.span_s),
                     format_scaled(s_.input_tokens, ""), format_scaled(s_.output_tokens, "")));
    if (!a_.pools.empty()) return;
    line("replica", fmt::format("{} GPUs, {}; {} KV tokens", format_number(a_.gpus_per_replica, 3),
                                a_.layout, count(a_.kv_tokens)));
    line("engine", fmt::format("{}, {} sequences, {} tokens a step", a_.engine,
                               a_.config.max_num_seqs, a_.config.max_num_batched_tokens));
  }

  void latencies() {
    const auto& d = a_.definitions;
    title("Latency");
    Table table({{"", Align::left},
                 {"mean", Align::right},
                 {"p50", Align::right},
                 {"p90", Align::right},
                 {"p95", Align::right},
                 {"p99", Align::right},
                 {"worst", Align::right},
                 {"", Align::left}});
    const auto row = [&](const char* name, const Percentiles& p, const char* what) {
      table.add({name, seconds(p.mean), seconds(p.p50), seconds(p.p90), seconds(p.p95),
                 seconds(p.p99), seconds(p.worst), what});
    };
    row("TTFT", s_.ttft,
        d.ttft == serving::TtftFrom::arrival ? "arrival to first token"
                                             : "scheduled to first token");
    row("TPOT", s_.tpot,
        d.tpot == serving::TpotOver::excluding_first ? "(end - first token) / (tokens - 1)"
                                                     : "end to end / tokens");
    row("ITL", s_.itl, "all gaps between tokens");
    row("E2E", s_.e2e, "arrival to last token");
    out_ += table.str();
  }

  void intervals() {
    if (a_.intervals.empty()) return;
    std::string text = "80 % interval: ";
    for (const auto& i : a_.intervals)
      text += fmt::format("{}{} {} to {}", &i == &a_.intervals.front() ? "" : ", ", i.label,
                          seconds(i.low), seconds(i.high));
    out_ += wrap(text + " (" + a_.interval_origin + ")", width_, "  ");
  }

  void promises() {
    if (s_.headroom.empty()) return;
    title(fmt::format("SLOs at p{:g}{}", 100 * a_.percentile,
                      a_.slo.any() ? "" : ", of the class nearest to each"));
    Table table({{"", Align::left},
                 {"reached", Align::right},
                 {"SLO", Align::right},
                 {"headroom", Align::right},
                 {"", Align::left},
                 {"bound by", Align::left}});
    for (const auto& h : s_.headroom)
      table.add({h.name, seconds(h.reached_s), seconds(h.slo_s), headroom_text(h.margin()),
                 headroom_bar(h.margin(), 20), serving::resource_name(h.binding)},
                h.margin() < 0 && o_.colour ? "31" : "");
    out_ += table.str();
    line("goodput", fmt::format("{} request/s, {} of all requests inside every SLO",
                                format_number(s_.goodput_s, 4), percent(s_.attained)));
  }

  void use() {
    title("Load");
    const double span = std::max(1e-9, s_.span_s);
    line("requests", fmt::format("{} finished, {} rejected, {} lost, {} tried again",
                                 count(double(s_.finished)), count(double(s_.rejected)),
                                 count(double(s_.lost)), count(double(s_.retried))));
    const auto& f = a_.forecast;
    std::string rate = fmt::format("{} request/s offered", format_number(f.offered_s));
    if (a_.pools.empty()) rate += fmt::format(", {} in the last third", format_number(f.late_s));
    if (f.inside_slo_s > 0)
      rate += fmt::format("; a replica carries {} inside the SLOs, {} at most (closed form)",
                          format_number(f.inside_slo_s), format_number(f.saturation_s));
    else if (a_.pools.empty())
      rate += fmt::format("; a replica carries {} at most (closed form)",
                          format_number(f.saturation_s));
    line("rate", rate);
    line("tokens",
         fmt::format("{} token/s in, {} token/s out, {} of prompts from the cache",
                     format_number(s_.input_tokens / span), format_number(s_.output_tokens / span),
                     percent(s_.input_tokens > 0 ? s_.cached_tokens / s_.input_tokens : 0)));
    line("replicas",
         fmt::format("{} busy, {} sequences running and {} waiting on each", percent(s_.busy),
                     format_number(s_.running, 3), format_number(s_.waiting, 3)));
    line("KV cache", fmt::format("{} mean, {} peak; {} preemptions", percent(s_.kv_used),
                                 percent(s_.kv_peak), count(s_.preemptions)));
    for (const auto& p : s_.pools) {
      if (s_.pools.size() < 2 && p.started == 0 && p.failures == 0) continue;
      line(p.name,
           fmt::format("{} replicas mean, {} most; {} started, {} stopped, {} failures; {} busy",
                       format_number(p.replicas_mean, 3), p.replicas_most, p.started, p.stopped,
                       p.failures, percent(p.busy)));
    }
  }

  void time() {
    const auto& t = s_.split;
    if (t.total() <= 0) return;
    const auto part = [&](double x) { return percent(x / t.total(), 0); };
    line("time of steps",
         fmt::format("{} compute, {} memory bandwidth, {} network, {} host", part(t.compute_s),
                     part(t.bandwidth_s), part(t.network_s), part(t.host_s)));
  }

  void bill() {
    const auto& b = s_.bill;
    title("Energy and money");
    line("power",
         fmt::format("{} at the meter, PUE {}; {} token/s out per MW", format_scaled(b.mean_w, "W"),
                     format_number(b.it_j > 0 ? b.meter_j / b.it_j : a_.tariff.pue, 3),
                     format_number(b.output_s_per_mw)));
    line("a token out",
         fmt::format("{} J, {} mgCO2e{}", format_number(b.j_per_output, 3),
                     format_number(1e3 * b.g_per_output, 3),
                     a_.tariff.place.empty() ? "" : fmt::format(" ({})", a_.tariff.place)));
    if (b.usd <= 0) return;
    line("cost", !a_.pools.empty()
                     ? fmt::format("{} for {} GPU-hours", format_scaled(b.usd, "USD"),
                                   format_number(b.gpu_hours))
                     : fmt::format("{} for {} GPU-hours at {} USD ({})",
                                   format_scaled(b.usd, "USD"), format_number(b.gpu_hours),
                                   format_number(a_.tariff.usd_per_gpu_s * 3600, 3),
                                   a_.tariff.rent_origin));
    line("a million tokens",
         fmt::format("{} USD in, {} USD out (by time on prompts and on decoding)",
                     format_number(b.usd_per_minput, 3), format_number(b.usd_per_moutput, 3)));
  }

  void search() {
    if (!a_.searched || a_.tried.empty()) return;
    title("Replicas tried");
    Table table({{"", Align::right},
                 {"TTFT", Align::right},
                 {"TPOT", Align::right},
                 {"E2E", Align::right},
                 {"", Align::left}});
    for (const auto& t : a_.tried)
      table.add({count(t.replicas), seconds(t.ttft_s), seconds(t.tpot_s), seconds(t.e2e_s),
                 t.overloaded ? "overloaded"
                 : t.met      ? "met"
                              : "not met"});
    out_ += table.str();
    if (a_.forecast.replicas > 0)
      line("closed form", fmt::format("{} for the mean rate, {} binds",
                                      format_number(a_.forecast.replicas, 3), a_.forecast.binding));
  }

  const study::ReplayAnswer& a_;
  const Summary& s_;
  const TextOptions& o_;
  std::size_t width_;
  std::string out_;
};

}  // namespace

std::string replay_text(const study::ReplayAnswer& answer, const TextOptions& options) {
  return Writer(answer, options).write();
}

}  // namespace headroom::report
