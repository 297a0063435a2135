#include "api/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <functional>
#include <optional>
#include <thread>

#include "api/catalogue.hpp"
#include "api/facility.hpp"
#include "api/facility_availability.hpp"
#include "api/facility_layout.hpp"
#include "api/facility_supply.hpp"
#include "api/facility_transient.hpp"
#include "api/headroom.hpp"
#include "api/infer.hpp"
#include "api/train.hpp"
#include "report/document.hpp"
#include "report/page.hpp"
#include "spec/node.hpp"
#include "study/scenario.hpp"

namespace headroom::api {
namespace {

using report::ReportPart;

struct Form {
  ReportForm form;
  std::string_view ending, media;
};
constexpr std::array<Form, 4> forms{{
    {ReportForm::html, ".html", "text/html; charset=utf-8"},
    {ReportForm::xlsx, ".xlsx",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {ReportForm::json, ".json", "application/json"},
    {ReportForm::csv, ".csv", "text/csv; charset=utf-8"},
}};

/// A scenario as it was read, once: every part sees the same text.
struct Source {
  std::string name, text;
};

Result<Source> read_source(const std::string& file) {
  Diagnostics mistakes;
  const auto document = spec::load_yaml(file, mistakes);
  if (!document) return failure(std::move(mistakes));
  return Source{*document->file, document->text ? *document->text : std::string()};
}

/// What a mistake says, in one line.
std::string words(const Diagnostics& mistakes) {
  std::string out;
  for (const auto& d : mistakes.all()) {
    if (!out.empty()) out += "; ";
    out += d.message + (d.hint.empty() ? "" : " (" + d.hint + ")");
  }
  return out;
}

using Made = Result<std::string>;

/// Parts in the order of the document, made on several threads.
class Parts {
 public:
  explicit Parts(const Source& source) : source_(source) {}

  void add(std::string key, std::function<Made()> make) {
    tasks_.push_back({std::move(key), std::move(make)});
  }

  std::vector<ReportPart> run(int threads, Progress* progress) {
    std::vector<ReportPart> out(tasks_.size());
    Stage stage(progress, "parts of the report", tasks_.size());
    std::atomic<std::size_t> next{0};
    std::exception_ptr thrown;
    std::atomic_flag taken;
    const auto work = [&] {
      const spec::TextInput text(source_.name, source_.text);
      try {
        for (std::size_t i = next++; i < tasks_.size(); i = next++) {
          out[i] = part(tasks_[i]);
          stage.advance();
        }
      } catch (...) {
        if (!taken.test_and_set()) thrown = std::current_exception();
        next = tasks_.size();
      }
    };
    std::vector<std::thread> others;
    for (int t = 1; t < std::min<int>(threads, int(tasks_.size())); ++t) others.emplace_back(work);
    work();
    for (auto& t : others) t.join();
    if (thrown) std::rethrow_exception(thrown);
    return out;
  }

 private:
  struct Task {
    std::string key;
    std::function<Made()> make;
  };
  static ReportPart part(const Task& task) {
    auto made = task.make();
    if (!made) return {task.key, "", words(made.error())};
    return {task.key, std::move(*made), ""};
  }

  const Source& source_;
  std::vector<Task> tasks_;
};

/// "-" is the text that the thread holds.
template <class Request>
Request asked(const ReportRequest& r) {
  Request out;
  out.file = "-";
  out.sets = r.sets;
  out.catalog = r.catalog;
  return out;
}

bool works(const study::Scenario& s, bool train) {
  return std::any_of(s.workloads.begin(), s.workloads.end(), [&](const study::WorkSpec& w) {
    return (w.kind == study::WorkKind::train) == train;
  });
}

void add_halls(const ReportRequest& r, const study::Scenario& s, Parts& parts) {
  if (!s.building || s.building->halls.empty()) return;
  const auto request = asked<FacilityRequest>(r);
  parts.add("year", [=]() -> Made {
    return facility(request).map([](const auto& a) { return report::year_part(a); });
  });
  parts.add("chain", [=]() -> Made {
    auto chain = request;
    chain.chain = true;
    return facility(chain).map(
        [](const auto& a) { return report::compact(report::facility_json(a)); });
  });
  parts.add("layout", [=]() -> Made {
    return facility_layout(request).map([](auto a) { return report::layout_part(std::move(a)); });
  });
  parts.add("gantt", [=]() -> Made {
    return facility_gantt(request).map(
        [](const auto& a) { return report::compact(report::gantt_json(a)); });
  });
  if (s.supply)
    parts.add("supply", [=]() -> Made {
      return facility_supply(request).map(
          [](const auto& a) { return report::compact(report::supply_json(a)); });
    });
  if (!r.full) return;
  parts.add("availability", [=]() -> Made {
    return facility_availability(request).map(
        [](const auto& a) { return report::compact(report::availability_json(a)); });
  });
  parts.add("transient", [=]() -> Made {
    return facility_transient(asked<TransientRequest>(r)).map([](const auto& a) {
      return report::compact(report::transient_json(a));
    });
  });
}

void add_work(const ReportRequest& r, const study::Scenario& s, Parts& parts) {
  if (works(s, true))
    parts.add("train", [=]() -> Made {
      auto request = asked<TrainRequest>(r);
      request.answer.front = request.answer.pipeline_json = request.answer.ranks = true;
      request.answer.advice = r.full;
      return train(request).map([](const auto& a) { return report::train_part(a); });
    });
  if (!works(s, false)) return;
  parts.add("infer", [=]() -> Made {
    auto request = asked<InferRequest>(r);
    request.answer.front = true;
    request.answer.advice = r.full;
    if (!r.full) request.answer.finalists = 0;
    return infer(request).map([](const auto& a) { return report::compact(report::infer_json(a)); });
  });
}

/// The first part, and the scenario's mistakes.
Made check_part(const ReportRequest& r, const Source& source, std::string& name) {
  const spec::TextInput text(source.name, source.text);
  const auto verdict = check(asked<Request>(r));
  if (!verdict) return failure(verdict.error());
  name = verdict->scenario;
  return report::compact(report::json(*verdict));
}

Result<report::ReportVariant> variant(const ReportRequest& r, const std::string& file) {
  const auto source = read_source(file);
  if (!source) return failure(source.error());
  report::ReportVariant out{"", source->name, source->text, {}};
  auto made = check_part(r, *source, out.name);
  if (!made) return failure(made.error());
  out.parts.push_back({"check", std::move(*made), ""});
  return out;
}

Result<report::ReportDocument> document(const ReportRequest& r) {
  auto source = read_source(r.file);
  if (!source) return failure(source.error());
  const auto catalog = catalogue(r.catalog);
  if (!catalog) return failure(catalog.error());
  const spec::TextInput text(source->name, source->text);
  const auto loaded = study::load("-", r.sets, catalog->get());
  if (!loaded) return failure(loaded.error());

  report::ReportDocument out;
  out.version = version().substr(version().rfind(' ') + 1);
  out.name = loaded->scenario.name;
  out.file = source->name;
  out.date = loaded->scenario.as_of;
  out.scenario = source->text;
  Diagnostics mistakes;
  for (const auto& file : r.also) {
    auto v = variant(r, file);
    if (v)
      out.also.push_back(std::move(*v));
    else
      mistakes.add(v.error());
  }
  if (!mistakes.empty()) return failure(std::move(mistakes));

  Parts parts(*source);
  parts.add("check", [&]() -> Made {
    return check(asked<Request>(r)).map([](const auto& v) {
      return report::compact(report::json(v));
    });
  });
  add_halls(r, loaded->scenario, parts);
  add_work(r, loaded->scenario, parts);
  out.parts = parts.run(r.threads, r.progress);
  return out;
}

}  // namespace

Result<ReportForm> report_form(const std::string& file) {
  for (const auto& f : forms)
    if (file.ends_with(f.ending)) return f.form;
  return failure({"-o " + file, 0, 0, "", "its ending names no form of a report",
                  ".html, .xlsx, .json or .csv, e.g. -o report.html", ""});
}

std::string_view media_type(ReportForm form) {
  for (const auto& f : forms)
    if (f.form == form) return f.media;
  return {};
}

Result<std::string> report(const ReportRequest& request, ReportForm form) {
  if (form == ReportForm::csv || form == ReportForm::xlsx) {
    const auto verdict = check({request.file, request.sets, false, request.catalog});
    if (!verdict) return failure(verdict.error());
    return report::csv(*verdict);
  }
  const auto d = document(request);
  if (!d) return failure(d.error());
  auto json = report::document_json(*d);
  return form == ReportForm::html ? report::page_with(json) : json;
}

}  // namespace headroom::api
