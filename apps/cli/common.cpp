#include "common.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "api/stoppable.hpp"
#include "base/whole_file.hpp"
#include "watch.hpp"

namespace headroom::cli {

namespace {
thread_local Kept* kept = nullptr;
}  // namespace

Kept::Kept() : outer_(kept) { kept = this; }
Kept::~Kept() { kept = outer_; }
Kept* Kept::current() { return kept; }

void print(const std::string& text, FILE* to) {
  if (Kept* here = Kept::current())
    here->add(text, to == stderr);
  else
    Session::hush(), std::fwrite(text.data(), 1, text.size(), to);
}

int refuse(const Diagnostics& mistakes, bool json) {
  if (api::is_stop(mistakes)) return stop(json);
  if (json)
    print(report::json(mistakes));
  else
    print(render(mistakes), stderr);
  return bad_input;
}

int stop(bool json) {
  const Progress* progress = Watched::current();
  const auto what = progress != nullptr ? stage_words(progress->now()) : std::string();
  print(fmt::format("stopped{}; no answer, and no file was written\n",
                    what.empty() ? "" : " at " + what),
        stderr);
  if (json) print("{\"verdict\": \"stopped\"}\n");
  return stopped;
}

int finish(const Result<std::string>& text, bool json) {
  if (!text) return refuse(text.error(), json);
  print(*text);
  return fits;
}

bool write_whole(const std::string& path, const std::string& text, const std::string& option) {
  const Session::Writing writing;
  if (headroom::write_whole(path, text)) return true;
  print((option.empty() ? "" : option + " ") + path + ": cannot be written\n", stderr);
  return false;
}

Diagnostics check_out(const std::string& option, const std::string& path,
                      std::initializer_list<std::string_view> ends) {
  Diagnostics mistakes;
  if (path.empty()) return mistakes;
  const auto ends_so = [&](std::string_view end) { return path.ends_with(end); };
  if (ends.size() > 0 && std::none_of(ends.begin(), ends.end(), ends_so))
    mistakes.add({option + " " + path, 0, 0, "",
                  fmt::format("is neither {}", fmt::join(ends, " nor ")),
                  fmt::format("for example {} requests{}", option, *ends.begin()), ""});
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error))
    mistakes.add({option + " " + path, 0, 0, "", "there is no folder " + folder.string(), "", ""});
  return mistakes;
}

void JobOptions::add(CLI::App& verb, std::span<const api::OptionInfo> table,
                     const std::string& prefix) {
  for (const auto& option : table) {
    table_.push_back(option);
    const std::string name(option.name), doc(option.doc),
        group = prefix + std::string(option.group);
    if (option.flag)
      verb.add_flag(name, switches_[name], doc)->group(group);
    else if (option.repeats)
      verb.add_option(name, lists_[name], doc)->allow_extra_args(false)->group(group);
    else
      verb.add_option(name, values_[name], doc)->group(group);
  }
}

std::vector<api::Option> JobOptions::given(const CLI::App& verb) const {
  std::vector<api::Option> out;
  for (const auto& option : table_) {
    const std::string name(option.name);
    if (verb.count(name) == 0) continue;
    if (option.repeats)
      for (const auto& text : lists_.at(name)) out.push_back({name, text});
    else
      out.push_back({name, option.flag ? "true" : values_.at(name)});
  }
  return out;
}

void add_set(CLI::App& verb, std::vector<std::string>& sets, const std::string& doc) {
  verb.add_option("--set", sets, doc)->allow_extra_args(false);
}

void add_catalog(CLI::App& verb, std::string& folder) {
  verb.add_option("--catalog", folder,
                  "Folder of catalogue files laid over the built-in ones, e.g. ours/");
}

CLI::Option* add_json(CLI::App& verb, bool& json, const std::string& group,
                      const std::string& page) {
  auto* option = verb.add_flag("--json", json,
                               page.empty() ? "For programs; names are stable"
                                            : "For programs; names are stable (" + page + ")");
  if (!group.empty()) option->group(group);
  return option;
}

std::vector<std::string> all_or(const std::vector<std::string>& wanted,
                                const std::vector<std::string>& all) {
  return std::find(wanted.begin(), wanted.end(), "all") != wanted.end() ? all : wanted;
}

}  // namespace headroom::cli
