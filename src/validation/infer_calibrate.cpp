#include "validation/infer_calibrate.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "spec/walk.hpp"
#include "validation/report.hpp"

namespace headroom::validation {
namespace {

constexpr std::array keys{"model",        "gpu",
                          "tp",           "ep",
                          "attention_dp", "precision",
                          "engine",       "version",
                          "n_gpu",        "max_num_seqs",
                          "kv",           "max_num_batched_tokens",
                          "concurrency",  "gpu_memory_utilization"};

Diagnostic mistake(const std::string& file, const std::string& message,
                   const std::string& hint = {}) {
  return {file, 0, 0, "", message, hint, ""};
}

/// "FILE@key=value,..." taken apart; the values go over those for all files.
std::optional<Diagnostic> split(const std::string& given, std::string& file, Facts& job) {
  const auto at = given.rfind('@');
  file = given.substr(0, at);
  if (at == std::string::npos) return std::nullopt;
  for (std::size_t from = at + 1; from < given.size();) {
    const auto to = std::min(given.find(',', from), given.size());
    const auto pair = given.substr(from, to - from);
    const auto equals = pair.find('=');
    const auto key = pair.substr(0, equals);
    if (equals == std::string::npos || std::find(keys.begin(), keys.end(), key) == keys.end())
      return mistake(file, fmt::format("'{}' is no key=value of a deployment", pair),
                     did_you_mean(key, {keys.begin(), keys.end()}));
    job.set(key, pair.substr(equals + 1));
    from = to + 1;
  }
  return std::nullopt;
}

/// The measured row that a benchmark stands for.
InferRow row_of(const ResultPoint& p, const Facts& job) {
  InferRow r;
  r.id = p.name, r.source = "site", r.facts = job;
  const auto number = [](double v) { return fmt::format("{}", v); };
  r.facts.set_default("model", p.model);
  r.facts.set_default("engine", "vllm");
  r.facts.set_default("concurrency", number(p.concurrency));
  r.facts.set("isl", number(p.input)), r.facts.set("osl", number(p.output));
  r.facts.set("scenario", "closed-loop site");
  for (const char* m : {"tpot_mean", "tpot_p50", "itl_mean"})
    if (const auto it = p.times.find(m); it != p.times.end()) {
      r.facts.set("tpot_ms", number(it->second * 1e3));
      break;
    }
  return r;
}

struct Fitted {
  CalibratedPoint point;
  InferCase job;
};

Result<std::vector<Fitted>> fit_file(const std::string& given, const CalibrateInferOptions& o,
                                     const catalog::Catalog& catalog, ServingFit& out) {
  std::string file;
  Facts job = o.job;
  if (const auto wrong = split(given, file, job)) return failure(*wrong);
  const auto results = read_results(file);
  if (!results) return failure(results.error());
  out.left_out.insert(out.left_out.end(), results->left_out.begin(), results->left_out.end());
  std::vector<Fitted> fitted;
  Diagnostics mistakes;
  for (const auto& p : results->points) {
    const auto row = row_of(p, job);
    auto c = build_case(row, catalog);
    if (!c) {
      mistakes.add(mistake(p.name, c.error(),
                           "say it with its option, e.g. --model llama-3.1-70b --gpu h100"));
      continue;
    }
    const infer::StepModel step(*c->model, *c->device.accelerator, c->device.path, c->layout,
                                *c->software, infer::StepModel::Use::raw);
    c->measures.push_back({"ttft", 1, "s", 0});
    const auto estimates = predict(*c, step);
    Fitted f{{}, *c};
    f.job.row = nullptr;  // the row ends here
    f.point.point = p, f.point.measured_s = c->measures.front().value;
    f.point.raw_s = estimates.front().value;
    f.point.row = fit_row(*c, estimates.front(), c->measures.front());
    f.point.modelled_ttft_s = estimates.back().value;
    for (const char* m : {"ttft_mean", "ttft_p50"})
      if (const auto it = p.times.find(m); it != p.times.end() && f.point.ttft_s <= 0)
        f.point.ttft_s = it->second;
    fitted.push_back(std::move(f));
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return fitted;
}

/// Host times of a step, of a sequence and of a prompt in it, uncalibrated.
struct Host {
  double step = 0, sequence = 0, prompt = 0;
};
Host host_of(const InferCase& c) {
  const infer::StepModel step(*c.model, *c.device.accelerator, c.device.path, c.layout, *c.software,
                              infer::StepModel::Use::raw);
  const auto at = [&](double decodes, double prompts) {
    return step
        .parts({.decodes = decodes, .context = 1, .prefill = 16 * prompts, .prompts = prompts})
        .host.si();
  };
  Host h;
  h.sequence = (at(9, 0) - at(1, 0)) / 8;
  h.step = at(1, 0) - h.sequence;
  h.prompt = at(0, 9) - at(0, 8);
  return h;
}

void fit_points(ServingFit& out, const InferCase& job) {
  std::vector<const FitRow*> rows;
  for (const auto& p : out.points) rows.push_back(&p.row);
  const auto tuning = fit_group(rows, no_tuning);
  const auto host = host_of(job);
  out.products = tuning[0], out.caches = tuning[1], out.links = tuning[2];
  out.prompts = tuning[3];
  out.per_step_s = host.step + tuning[4], out.per_sequence_s = host.sequence + tuning[5];
  out.per_prompt_s = host.prompt + tuning[6];
  std::vector<double> raw, fitted, left, ln;
  for (std::size_t i = 0; i < out.points.size(); ++i) {
    auto& p = out.points[i];
    const double scale = p.measured_s / p.row.measured;
    p.fitted_s = p.row.predicted(tuning) * scale;
    auto others = rows;
    others.erase(others.begin() + std::ptrdiff_t(i));
    p.left_out_s = p.row.predicted(fit_group(others, no_tuning)) * scale;
    raw.push_back(std::abs(p.raw_s / p.measured_s - 1));
    fitted.push_back(std::abs(p.fitted_s / p.measured_s - 1));
    left.push_back(std::abs(p.left_out_s / p.measured_s - 1));
    ln.push_back(std::log(p.measured_s / p.left_out_s));
  }
  out.uncalibrated = quantile(raw, 0.5), out.in_domain = quantile(fitted, 0.5);
  out.leave_one_out = quantile(left, 0.5);
  // Few points say little of their own spread: drawn to a factor of 1.15 either way.
  const double n = double(ln.size()), own = n / (n + 6), wide = std::log(1.15);
  out.likely = std::exp(own * quantile(ln, 0.5));
  out.low = std::min(out.likely, std::exp(own * quantile(ln, 0.1) - (1 - own) * wide));
  out.high = std::max(out.likely, std::exp(own * quantile(ln, 0.9) + (1 - own) * wide));
}

// --- The overlay -------------------------------------------------------------------------

std::string scalar(const std::string& text) {
  const bool plain = text.find_first_of(":#,[]{}\"'&*!|>%@`") == std::string::npos &&
                     !text.empty() && text.front() != ' ' && text.front() != '-';
  return plain ? text : nlohmann::json(text).dump();
}

std::string listed(const std::string& text) {
  std::string out = "[";
  for (std::size_t from = 0; from <= text.size();) {
    const auto to = std::min(text.find(", ", from), text.size());
    out += (from > 0 ? ", " : "") + nlohmann::json(text.substr(from, to - from)).dump();
    from = to + 2;
  }
  return out + "]";
}

/// A leaf's value as a file writes it.
std::string value_of(const spec::Leaf& leaf, const std::string& key) {
  if (key == "matches" || key == "versions") return listed(leaf.text);
  return leaf.number != nullptr ? spec::number_text(*leaf.number, leaf.unit) : scalar(leaf.text);
}

std::string calibration_line(const ServingFit& f) {
  const auto factor = [](double v) { return fmt::format("{:.4g} @site", v); };
  return fmt::format(
      "{{model: {}, accelerator: {}, precision: {}, products: {}, caches: {}, links: {}, "
      "prompts: {}, per_step: {:.4g} ms @site, per_sequence: {:.4g} us @site, "
      "per_prompt: {:.4g} us @site, "
      "residual: {{low: {:.4g}, likely: {:.4g} @site, high: {:.4g}}}, rows: {}}}",
      f.model, f.accelerator, f.precision, factor(f.products), factor(f.caches), factor(f.links),
      factor(f.prompts), std::max(0.0, f.per_step_s) * 1e3, std::max(0.0, f.per_sequence_s) * 1e6,
      std::max(0.0, f.per_prompt_s) * 1e6, f.low, f.likely, f.high, f.points.size());
}

/// The entry of the catalogue with the site's calibration in place of its own of that group.
std::string overlay(const ServingFit& f, const CalibrateInferOptions& o,
                    const catalog::Catalog& catalog) {
  std::string out = fmt::format(
      "# serving-software/site.yaml of a folder for --catalog\nsources:\n"
      "  shipped: {{title: As built into headroom, date: 2026-11, trust: derived}}\n"
      "  site: {{title: {}, date: 2026-11, trust: derived}}\n"
      "entries:\n  - id: {}\n    source: shipped\n",
      nlohmann::json(fmt::format("Our own runs: {}", fmt::join(o.files, " "))).dump(), f.software);
  // Lists of maps by name and element, in the order of the leaves.
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  std::string last;
  for (const auto& leaf :
       spec::leaves(catalog.find_object(catalog::ServingSoftware::kind, f.software))) {
    const auto dot = leaf.path.find('.');
    if (leaf.path == "id") continue;
    if (dot == std::string::npos) {
      out += fmt::format("    {}: {}\n", leaf.path, value_of(leaf, leaf.path));
      continue;
    }
    const auto end = leaf.path.find('.', dot + 1);
    const auto list = leaf.path.substr(0, dot), element = leaf.path.substr(0, end);
    if (end == std::string::npos) continue;  // no entry has a map that is no list
    if (lists.empty() || lists.back().first != list) lists.push_back({list, {}}), last.clear();
    auto& items = lists.back().second;
    // Elements are named by one of their fields, so neighbours may share a name: the first key
    // that comes again begins the next one.
    const auto key = leaf.path.substr(end + 1);
    if (element != last || items.back().rfind(key + ":", 0) == 0) items.emplace_back();
    last = element;
    items.back() +=
        fmt::format("{}{}: {}", items.back().empty() ? "" : ", ", key, value_of(leaf, key));
  }
  const auto own = fmt::format("model: {}, accelerator: {}, precision: {},", f.model, f.accelerator,
                               f.precision);
  bool written = false;
  for (const auto& [list, items] : lists) {
    out += fmt::format("    {}:\n", list);
    for (const auto& item : items)
      if (item.rfind(own, 0) != 0) out += fmt::format("      - {{{}}}\n", item);
    if (list == "calibrations")
      out += fmt::format("      - {}\n", calibration_line(f)), written = true;
  }
  if (!written) out += fmt::format("    calibrations:\n      - {}\n", calibration_line(f));
  return out;
}

void add_doubts(ServingFit& f) {
  if (f.points.size() < 4)
    f.doubts.push_back(fmt::format(
        "{} points for seven numbers: they stay near the uncalibrated model; measure users from "
        "few to many, and short and long prompts",
        f.points.size()));
  for (const auto& p : f.points) {
    const double ratio = p.measured_s / p.raw_s;
    if (ratio < 0.4 || ratio > 2.5)
      f.doubts.push_back(
          fmt::format("{}: measured {:.2f} x the uncalibrated model: is the deployment "
                      "described as it ran?",
                      p.point.name, ratio));
  }
}

}  // namespace

Result<ServingFit> calibrate_infer(const CalibrateInferOptions& o,
                                   const catalog::Catalog& catalog) {
  ServingFit out;
  Diagnostics mistakes;
  std::vector<Fitted> all;
  for (const auto& given : o.files) {
    auto one = fit_file(given, o, catalog, out);
    if (one)
      std::move(one->begin(), one->end(), std::back_inserter(all));
    else
      mistakes.add(one.error());
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));
  if (all.empty())
    return failure(mistake(o.files.empty() ? "" : o.files.front(), "no benchmark that can serve",
                           out.left_out.empty() ? "" : out.left_out.front()));
  const auto& job = all.front().job;
  for (const auto& f : all)
    if (f.job.group() != job.group() || f.job.software != job.software)
      mistakes.add(mistake(f.point.point.name,
                           fmt::format("is of {}, {} of {}", f.job.group(),
                                       all.front().point.point.name, job.group()),
                           "calibrate one model, GPU, engine and precision at a time"));
  if (!mistakes.empty()) return failure(std::move(mistakes));
  out.model = job.model->id, out.accelerator = job.device.id, out.engine = job.engine.name;
  out.precision = std::string(name(job.layout.weights)), out.software = job.software->id;
  for (auto& f : all) out.points.push_back(std::move(f.point));
  fit_points(out, job);
  add_doubts(out);
  out.entry = overlay(out, o, catalog);
  return out;
}

std::string to_text(const ServingFit& f) {
  std::string out = fmt::format(
      "{} on {} under {} ({}), {}: time per output token\n"
      "  {:>6} {:>7} {:>7} {:>10} {:>14} {:>14} {:>14}\n",
      f.model, f.accelerator, f.engine, f.software, f.precision, "users", "prompt", "answer",
      "measured", "uncalibrated", "calibrated", "left out");
  for (const auto& p : f.points) {
    const auto with = [&](double s) {
      return fmt::format("{:.2f} ms {:+.1f} %", s * 1e3, 100 * (s / p.measured_s - 1));
    };
    out += fmt::format("  {:>6.4g} {:>7.0f} {:>7.0f} {:>7.2f} ms {:>14} {:>14} {:>14}  {}\n",
                       p.point.concurrency, p.point.input, p.point.output, p.measured_s * 1e3,
                       with(p.raw_s), with(p.fitted_s), with(p.left_out_s), p.point.name);
  }
  out += fmt::format(
      "\nMedian error: uncalibrated {:.1f} %, in-domain {:.1f} %, leave-one-out {:.1f} %\n"
      "products x {:.3f}, caches x {:.3f}, links x {:.3f}, prompts x {:.3f}, {:.3f} ms a step, "
      "{:.2f} us a sequence, {:.1f} us a prompt; 80 % of further points between {:.3f} and {:.3f} "
      "of the calibrated time\n",
      100 * f.uncalibrated, 100 * f.in_domain, 100 * f.leave_one_out, f.products, f.caches, f.links,
      f.prompts, f.per_step_s * 1e3, f.per_sequence_s * 1e6, f.per_prompt_s * 1e6, f.low, f.high);
  std::vector<double> late;
  for (const auto& p : f.points)
    if (p.ttft_s > 0 && p.modelled_ttft_s > 0) late.push_back(p.ttft_s - p.modelled_ttft_s);
  if (!late.empty())
    out += fmt::format("Time to first token: measured {:+.1f} ms over the modelled one, median\n",
                       1e3 * quantile(late, 0.5));
  for (const auto& d : f.doubts) out += "doubtful: " + d + "\n";
  for (const auto& l : f.left_out) out += "left out: " + l + "\n";
  return out + "\nPut into DIR/serving-software/site.yaml and use --catalog DIR:\n\n" + f.entry;
}

std::string to_json(const ServingFit& f) {
  using Json = nlohmann::ordered_json;
  Json j;
  j["model"] = f.model, j["accelerator"] = f.accelerator, j["engine"] = f.engine;
  j["software"] = f.software, j["precision"] = f.precision;
  j["calibration"] = {{"products", f.products},
                      {"caches", f.caches},
                      {"links", f.links},
                      {"prompts", f.prompts},
                      {"per_step_s", f.per_step_s},
                      {"per_sequence_s", f.per_sequence_s},
                      {"per_prompt_s", f.per_prompt_s}};
  j["residual"] = {{"low", f.low}, {"likely", f.likely}, {"high", f.high}};
  j["median_error"] = {{"uncalibrated", f.uncalibrated},
                       {"in_domain", f.in_domain},
                       {"leave_one_out", f.leave_one_out}};
  j["points"] = Json::array();
  for (const auto& p : f.points)
    j["points"].push_back({{"name", p.point.name},
                           {"concurrency", p.point.concurrency},
                           {"input", p.point.input},
                           {"output", p.point.output},
                           {"measured_s", p.measured_s},
                           {"uncalibrated_s", p.raw_s},
                           {"calibrated_s", p.fitted_s},
                           {"left_out_s", p.left_out_s},
                           {"in_domain_error", p.fitted_s / p.measured_s - 1},
                           {"leave_one_out_error", p.left_out_s / p.measured_s - 1}});
  j["left_out"] = f.left_out, j["doubts"] = f.doubts, j["yaml"] = f.entry;
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace headroom::validation
