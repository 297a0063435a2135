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
#include "api/report_curve.hpp"
#include "api/train.hpp"
#include "report/book.hpp"
#include "report/document.hpp"
#include "report/figures_json.hpp"
#include "report/page.hpp"
#include "spec/node.hpp"
#include "study/report_figures.hpp"
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
using PartList = std::vector<ReportPart>;

ReportPart part(std::string key, Made made) {
  if (!made) return {std::move(key), "", words(made.error())};
  return {std::move(key), std::move(*made), ""};
}

/// Parts in the order of the document, made on several threads.
class Parts {
 public:
  explicit Parts(const Source& source) : source_(source) {}

  void add(std::string key, std::function<Made()> make) {
    tasks_.push_back(
        [key = std::move(key), make = std::move(make)] { return PartList{part(key, make())}; });
  }
  void add(std::function<PartList()> make) { tasks_.push_back(std::move(make)); }

  PartList run(int threads, Progress* progress) {
    std::vector<PartList> made(tasks_.size());
    Stage stage(progress, "parts of the report", tasks_.size());
    std::atomic<std::size_t> next{0};
    std::exception_ptr thrown;
    std::atomic_flag taken;
    const auto work = [&] {
      const spec::TextInput text(source_.name, source_.text);
      try {
        for (std::size_t i = next++; i < tasks_.size(); i = next++) {
          made[i] = tasks_[i]();
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
    PartList out;
    for (auto& list : made)
      for (auto& p : list) out.push_back(std::move(p));
    return out;
  }

 private:
  const Source& source_;
  std::vector<std::function<PartList()>> tasks_;
};

/// What a later part is made from beside its own answer.
struct Kept {
  std::optional<study::FacilityAnswer> year;
  std::optional<study::ReportFigures> figures;
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

void add_halls(const ReportRequest& r, const study::Scenario& s, Kept& kept, Parts& parts) {
  if (!s.building || s.building->halls.empty()) return;
  const auto request = asked<FacilityRequest>(r);
  parts.add("year", [=, &kept]() -> Made {
    auto answer = facility(request);
    if (!answer) return failure(answer.error());
    kept.year = std::move(*answer);
    return report::year_part(*kept.year);
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
  parts.add([=] {
    auto request = asked<InferRequest>(r);
    request.answer.front = true;
    request.answer.advice = r.full;
    if (!r.full) request.answer.finalists = 0;
    const auto answer = infer(request);
    if (!answer) return PartList{{"infer", "", words(answer.error())}};
    PartList out{{"infer", report::compact(report::infer_json(*answer)), ""}};
    if (auto curve = load_curve(asked<InferRequest>(r), *answer))
      out.push_back(part("curve", std::move(*curve)));
    return out;
  });
}

/// A scenario to compare with, and its mistakes.
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

  Kept kept;
  Parts parts(*source);
  parts.add("check", [&]() -> Made {
    return check(asked<Request>(r)).map([](const auto& v) {
      return report::compact(report::json(v));
    });
  });
  parts.add([&] {  // joined with the year below
    study::CheckOptions options;
    options.overlay = r.catalog;
    kept.figures = study::report_figures(*loaded, catalog->get(), options);
    return PartList{};
  });
  add_halls(r, loaded->scenario, kept, parts);
  add_work(r, loaded->scenario, parts);
  parts.add("claims", [] {
    return claims(ClaimsForm::json, "").map([](const auto& a) {
      return report::claims_part(a.text);
    });
  });
  out.parts = parts.run(r.threads, r.progress);
  const auto* year = kept.year ? &*kept.year : nullptr;
  out.parts.insert(out.parts.begin() + 1,
                   {"figures", report::figures_part(*kept.figures, year), ""});
  return out;
}

}  // namespace

Result<ReportForm> report_form(const std::string& file) {
  for (const auto& f : forms)
    if (file.ends_with(f.ending)) return f.form;
  return failure({"-o " + file, 0, 0, "", "its ending names no form of a report",
                  ".html, .xlsx, .json or .csv, e.g. -o report.html; or --form html", ""});
}

std::string_view media_type(ReportForm form) {
  for (const auto& f : forms)
    if (f.form == form) return f.media;
  return {};
}

namespace {

Result<report::ReportDocument> document_or_stop(const ReportRequest& request) {
  try {
    return document(request);
  } catch (const Stopped& stopped) {
    return failure({"", 0, 0, "", stopped.what(), "nothing was written", ""});
  }
}

Result<std::string> table(const ReportRequest& request) {
  const auto verdict = check({request.file, request.sets, false, request.catalog});
  if (!verdict) return failure(verdict.error());
  return report::report_csv(*verdict);
}

Result<std::string> workbook(const ReportRequest& request) {
  const auto source = read_source(request.file);
  if (!source) return failure(source.error());
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  const spec::TextInput text(source->name, source->text);
  const auto loaded = study::load("-", request.sets, catalog->get());
  if (!loaded) return failure(loaded.error());
  study::CheckOptions options;
  options.overlay = request.catalog;
  options.sensitivities = false;
  const auto figures = study::report_figures(*loaded, catalog->get(), options);
  std::optional<study::FacilityAnswer> year;
  if (loaded->scenario.building && !loaded->scenario.building->halls.empty())
    if (auto answer = facility(asked<FacilityRequest>(request))) year = std::move(*answer);
  return report::book(figures, year ? &*year : nullptr, loaded->scenario.as_of);
}

}  // namespace

Result<std::string> report(const ReportRequest& request, ReportForm form) {
  if (form == ReportForm::csv) return table(request);
  if (form == ReportForm::xlsx) return workbook(request);
  const auto d = document_or_stop(request);
  if (!d) return failure(d.error());
  auto json = report::document_json(*d);
  return form == ReportForm::html ? report::page_with(json) : json;
}

}  // namespace headroom::api
