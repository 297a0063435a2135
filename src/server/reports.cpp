#include "server/reports.hpp"

#include <fmt/format.h>

#include <chrono>

#include "api/report.hpp"
#include "server/answers.hpp"
#include "spec/node.hpp"

namespace headroom::server {
namespace {

constexpr std::string_view set = "--set=", format = "--format=", catalog = "--catalog=";

Outcome refused(const Diagnostics& mistakes) {
  const auto& first = mistakes.all().front();
  return {2, fmt::format("{{\"status\": 2, \"document\": null, \"text\": null, \"error\": {}, "
                         "\"errors\": {}, \"err\": \"\", \"millis\": 0}}\n",
                         quoted(first.message), errors_json(mistakes))};
}

/// The request and its form from the command's words; .html when none is named.
api::ReportRequest request_of(const Command& command, std::string& form) {
  api::ReportRequest out;
  out.file = "-";
  form = "html";
  for (const auto& word : command.arguments) {
    if (word.starts_with(set)) out.sets.push_back(word.substr(set.size()));
    if (word.starts_with(format)) form = word.substr(format.size());
    if (word.starts_with(catalog)) out.catalog = word.substr(catalog.size());
    if (word == "--full") out.full = true;
  }
  return out;
}

}  // namespace

std::string file_name(const std::string& label, const std::string& ending) {
  std::string out;
  for (const char c : label.substr(0, 100)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '.' || c == '_' || c == '-';
    out += plain ? c : '-';
  }
  for (const std::string_view yaml : {".yaml", ".yml"})
    if (out.ends_with(yaml)) out.resize(out.size() - yaml.size());
  while (out.starts_with('.') || out.starts_with('-')) out.erase(0, 1);
  return (out.empty() ? "report" : out) + ending;
}

Outcome make_report(const Command& command, const ReportAsk& ask, Progress* progress) {
  const auto begin = std::chrono::steady_clock::now();
  std::string ending;
  auto request = request_of(command, ending);
  request.threads = ask.threads;
  request.progress = progress;
  ending = "." + ending;
  const auto form = api::report_form("report" + ending);
  if (!form)
    return refused(
        failure({"format", 0, 0, "", "names no form of a report", "html, xlsx, json or csv", ""})
            .value());
  try {
    const spec::TextInput text(ask.called, ask.text);
    auto bytes = api::report(request, *form);
    if (progress != nullptr && progress->stop_asked()) throw Stopped();
    if (!bytes) return refused(bytes.error());
    Outcome out;
    out.file = std::make_shared<const JobFile>(JobFile{
        file_name(ask.label, ending), std::string(api::media_type(*form)), std::move(*bytes)});
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    out.result = fmt::format(
        "{{\"status\": 0, \"document\": null, \"text\": null, \"errors\": [], \"err\": \"\", "
        "\"file\": \"{}\", \"millis\": {:.1f}}}\n",
        out.file->name, took.count());
    return out;
  } catch (const Stopped& stop) {
    return {130, fmt::format("{{\"status\": 130, \"document\": null, \"text\": null, \"errors\": "
                             "[], \"err\": \"{}\", \"millis\": 0}}\n",
                             stop.what())};
  }
}

}  // namespace headroom::server
