#include "validation/train_calibrate.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include "train/interval.hpp"
#include "train/search.hpp"
#include "validation/train_fit.hpp"
#include "workload/huggingface.hpp"

namespace headroom::validation {
namespace {

constexpr int fewest_steps = 3;
// Published runs lie between 0.6 and 1.2 (docs/validation.md).
constexpr double least_scalar = 0.4, most_scalar = 1.5;
constexpr std::array keys{"model", "hw",        "gpus", "tp",   "pp",      "vpp",
                          "cp",    "ep",        "etp",  "mbs",  "gbs",     "seq",
                          "prec",  "recompute", "sp",   "zero", "schedule"};

Diagnostic mistake(const std::string& file, const std::string& message,
                   const std::string& hint = {}) {
  return {file, 0, 0, "", message, hint, ""};
}

/// Whose generation a log's format speaks for when nobody names one.
const char* framework_of(LogFormat format) {
  switch (format) {
    case LogFormat::megatron:
    case LogFormat::nemo:
      return "megatron-core";
    case LogFormat::torchtitan:
      return "torchtitan";
  }
  return "any";
}

/// "FILE@key=value,..." taken apart; the values go over those for all logs.
std::optional<Diagnostic> split_log(const std::string& given, std::string& file, Facts& job) {
  const auto at = given.rfind('@');
  file = given.substr(0, at);
  if (at == std::string::npos) return std::nullopt;
  for (std::size_t from = at + 1; from < given.size();) {
    const auto to = std::min(given.find(',', from), given.size());
    const auto pair = given.substr(from, to - from);
    const auto equals = pair.find('=');
    const auto key = pair.substr(0, equals);
    if (equals == std::string::npos || std::find(keys.begin(), keys.end(), key) == keys.end())
      return mistake(file, fmt::format("'{}' is no key=value of a configuration", pair),
                     did_you_mean(key, {keys.begin(), keys.end()}));
    job.set(key, pair.substr(equals + 1));
    from = to + 1;
  }
  return std::nullopt;
}

/// The row that a log stands for.
TrainRow row_of(const std::string& file, const Facts& job, const CalibrateOptions& o) {
  TrainRow row;
  row.id = file, row.group = "site", row.file = file, row.tier = "A", row.facts = job;
  row.model = o.model, row.model_name = job.text("model");
  row.machine = o.machine, row.machine_name = job.text("hw");
  return row;
}

Result<std::shared_ptr<const catalog::Model>> model_file(const std::string& path) {
  Diagnostics mistakes;
  auto m = workload::load_huggingface(path, mistakes);
  if (!m) return failure(std::move(mistakes));
  return std::make_shared<const catalog::Model>(std::move(*m));
}

/// Points the row at its model and machine.
Result<TrainRow> complete(TrainRow row, const catalog::Catalog& catalog) {
  if (row.model == nullptr && row.model_name.ends_with(".json")) {
    auto m = model_file(row.model_name);
    if (!m) return failure(m.error());
    row.model = *m;
  }
  if (row.machine == nullptr)
    if (const auto* s = catalog.find<catalog::System>(row.machine_name))
      row.machine = machine_of(*s);
  return row;
}

/// Seconds a step, whatever the log prints.
std::vector<double> seconds_of(const TrainLog& log, double tokens, double gpus) {
  std::vector<double> out;
  for (const auto& s : log.steps)
    out.push_back(s.seconds > 0 ? s.seconds : tokens / (s.tokens_per_gpu * gpus));
  return out;
}

std::string parts_of(const train::StepTime& t) {
  std::string out;
  for (const auto& p : train::parts(t))
    if (std::abs(p.seconds) > 0.02 * t.total())
      out += fmt::format("{}{} {:.0f} %", out.empty() ? "" : ", ", p.name,
                         100 * p.seconds / t.total());
  return out;
}

/// The batch that the log prints is what ran, whatever the job says.
void use_batch(CalibratedLog& out, Facts& job) {
  const double printed = out.log.global_batch;
  if (printed <= 0) return;
  if (const auto said = job.number("gbs"); said && *said != printed)
    out.doubts.push_back(fmt::format(
        "the log prints a global batch of {} sequences, the job says {}: the log's is used",
        printed, *said));
  job.set("gbs", fmt::format("{}", printed));
}

Result<CalibratedLog> fit_log(const std::string& given, const CalibrateOptions& o,
                              CaseBuilder& builder, const catalog::Catalog& catalog) {
  std::string file;
  Facts job = o.job;
  if (const auto wrong = split_log(given, file, job)) return failure(*wrong);
  auto log = read_train_log(file);
  if (!log) return failure(log.error());
  CalibratedLog out;
  out.log = std::move(*log);
  use_batch(out, job);
  for (const char* split : {"tp", "pp"}) job.set_default(split, "1");
  job.set("s_per_iter", "1");  // a case needs one; what the log says comes below
  const auto row = complete(row_of(file, job, o), catalog);
  if (!row) return failure(row.error());
  out.software = o.framework.empty() ? framework_of(out.log.format) : o.framework;
  auto named = *row;
  named.facts.set("software", out.software);
  const auto c = builder.build(named);
  if (!c)
    return failure(mistake(file, c.error(), "say it with its option, e.g. --tp 8 --sequence 4096"));
  if (const auto why = train::illegal(c->job, c->plan); !why.empty())
    return failure(mistake(file, why));
  out.plan = train::summary(c->plan);
  const auto step = train::step_time(c->job, c->plan);
  out.modelled_s = step.total() * c->batch_scale, out.breakdown = parts_of(step);
  out.steps =
      steady(seconds_of(out.log, c->job.sequences * c->job.sequence, double(c->plan.gpus())));
  if (int(out.steps.seconds.size()) < fewest_steps)
    return failure(
        {file, out.log.steps.back().line, 0, "",
         fmt::format("{} steady steps of {}", out.steps.seconds.size(), out.log.steps.size()),
         fmt::format("at least {} are needed, behind the warm-up", fewest_steps), ""});
  out.scalar = out.modelled_s / out.steps.median;
  if (out.scalar < least_scalar || out.scalar > most_scalar)
    out.doubts.push_back(fmt::format(
        "a scalar of {:.2f} is hardly possible: is the job described as it ran?", out.scalar));
  return out;
}

void leave_one_out(SiteCalibration& c) {
  if (c.logs.size() < 2) return;
  for (std::size_t i = 0; i < c.logs.size(); ++i) {
    std::vector<double> others;
    for (std::size_t k = 0; k < c.logs.size(); ++k)
      if (k != i) others.push_back(c.logs[k].scalar);
    c.logs[i].left_out_error = c.logs[i].scalar / quantile(others, 0.5) - 1;
  }
}

/// The site's scalar and its range.
void fit_site(SiteCalibration& c, const catalog::Catalog& catalog) {
  std::vector<SourcedRate> rates;
  for (const auto& l : c.logs) rates.push_back({std::log(l.scalar), "site"});
  const auto own = fit_range(rates);
  const train::Residuals residuals(catalog);
  const auto* software = catalog.find<catalog::TrainingSoftware>(c.logs.front().software);
  const auto published = software != nullptr ? residuals.of(*software) : train::RateRange{};
  const auto prior = train::shrunk(published, residuals.pooled());
  c.prior = published.rows > 0 ? residuals.runs_of(*software).id : "all sources";
  const auto range = train::shrunk(own, prior);
  c.likely = std::exp(range.likely), c.low = std::exp(range.low), c.high = std::exp(range.high);
  // The statistical interval of the log whose scalar is the middle one.
  const auto middle =
      std::min_element(c.logs.begin(), c.logs.end(), [&](const auto& a, const auto& b) {
        return std::abs(std::log(a.scalar) - range.likely) <
               std::abs(std::log(b.scalar) - range.likely);
      });
  c.median_low = c.likely * middle->steps.median / middle->steps.high;
  c.median_high = c.likely * middle->steps.median / middle->steps.low;
}

}  // namespace

std::shared_ptr<const Machine> machine_of(const catalog::System& s) {
  Machine m;
  m.id = s.id;
  const auto number = [](double v) { return fmt::format("{}", v); };
  m.facts.set("gpu", s.accelerator);
  m.facts.set("per_node", number(s.accelerators));
  m.facts.set("nvlink_domain", number(std::max(1, s.scale_up.domain)));
  if (s.scale_up.bandwidth)
    m.facts.set("nvlink_GBps", number(s.scale_up.bandwidth.get().in(gigabyte_per_second)));
  m.facts.set("net", "InfiniBand");
  if (s.compute_nics.count > 0 && s.compute_nics.speed && s.accelerators > 0)
    m.facts.set("net_Gbps_per_gpu",
                number(s.compute_nics.count * s.compute_nics.speed.get().in(gigabit_per_second) /
                       s.accelerators));
  return std::make_shared<const Machine>(std::move(m));
}

Result<SiteCalibration> calibrate_train(const CalibrateOptions& o,
                                        const catalog::Catalog& catalog) {
  if (!o.framework.empty() && catalog.find<catalog::TrainingSoftware>(o.framework) == nullptr)
    return failure(
        mistake("", fmt::format("no training software '{}'", o.framework),
                did_you_mean(o.framework, catalog.ids(catalog::TrainingSoftware::kind))));
  SiteCalibration out;
  Diagnostics mistakes;
  CaseBuilder builder(catalog);
  for (const auto& given : o.logs) {
    auto one = fit_log(given, o, builder, catalog);
    if (one)
      out.logs.push_back(std::move(*one));
    else
      mistakes.add(one.error());
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));
  if (out.logs.empty()) return failure(mistake("", "no log given"));
  leave_one_out(out);
  fit_site(out, catalog);
  return out;
}

std::string yaml_lines(const SiteCalibration& c) {
  return fmt::format("efficiency:\n  software: {{low: {:.3f}, likely: {:.3f}, high: {:.3f}}}\n",
                     c.low, c.likely, c.high);
}

std::string to_text(const SiteCalibration& c) {
  std::string out;
  for (const auto& l : c.logs) {
    out += fmt::format("{}: {}, {} steps, {} used ({} warm-up, {} outliers)\n", l.log.file,
                       log_format_name(l.log.format), l.log.steps.size(), l.steps.seconds.size(),
                       l.steps.warm_up, l.steps.outliers);
    out += fmt::format(
        "  {}\n  measured {:.4g} s ({:.4g} to {:.4g}), modelled {:.4g} s as {}: "
        "scalar {:.3f}\n  {}\n",
        l.plan, l.steps.median, l.steps.low, l.steps.high, l.modelled_s, l.software, l.scalar,
        l.breakdown);
    if (c.logs.size() > 1)
      out += fmt::format("  with the others' scalar: {:+.1f} %\n", 100 * l.left_out_error);
    for (const auto& d : l.doubts) out += "  doubtful: " + d + "\n";
    for (const auto& r : l.log.remarks) out += "  passed over: " + r + "\n";
  }
  out += fmt::format(
      "\nSite scalar {:.3f}: {:.3f} to {:.3f} for 80 % of configurations (spread: {}"
      "); {:.3f} to {:.3f} from the scatter of the steps alone\n\n"
      "Paste into the workload of a scenario:\n{}",
      c.likely, c.low, c.high, c.prior, c.median_low, c.median_high, yaml_lines(c));
  return out;
}

std::string to_json(const SiteCalibration& c) {
  using Json = nlohmann::ordered_json;
  Json j;
  j["software"] = {{"low", c.low}, {"likely", c.likely}, {"high", c.high}};
  j["median_interval"] = {{"low", c.median_low}, {"high", c.median_high}};
  j["spread_of"] = c.prior;
  j["configurations"] = Json::array();
  for (const auto& l : c.logs)
    j["configurations"].push_back(
        {{"file", l.log.file},
         {"format", log_format_name(l.log.format)},
         {"software", l.software},
         {"plan", l.plan},
         {"steps", l.log.steps.size()},
         {"used", l.steps.seconds.size()},
         {"warm_up", l.steps.warm_up},
         {"outliers", l.steps.outliers},
         {"measured_s", l.steps.median},
         {"low_s", l.steps.low},
         {"high_s", l.steps.high},
         {"modelled_s", l.modelled_s},
         {"scalar", l.scalar},
         {"leave_one_out_error", c.logs.size() > 1 ? Json(l.left_out_error) : Json(nullptr)},
         {"doubts", l.doubts},
         {"remarks", l.log.remarks}});
  j["yaml"] = yaml_lines(c);
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace headroom::validation
