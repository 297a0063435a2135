// What the verbs of the command line share: printing, refusing, files, options by table.
//
//   JobOptions job;                       // lives as long as the verb's command
//   job.add(*verb, api::infer_options());
//   ... parse ...
//   request.options = job.given(*verb);
#pragma once

#include <CLI/App.hpp>

#include <cstdio>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/headroom.hpp"
#include "api/options.hpp"
#include "verbs.hpp"

namespace headroom::cli {

/// On the stream, or into the thread's Kept.
void print(const std::string& text, FILE* to = stdout);

/// While it lives, what this thread prints is kept instead.
class Kept {
 public:
  Kept();
  ~Kept();
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  /// The thread's, or null.
  static Kept* current();

  void add(const std::string& text, bool to_err) { (to_err ? err_ : out_) += text; }
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  std::string out_, err_;
  Kept* outer_;
};
/// Mistakes for people on standard error, or for programs on standard output; exit status 2. Of a
/// failure that is a stop: what was under way, and exit status 130.
int stop(bool json);
int refuse(const Diagnostics& mistakes, bool json);
/// The text, or its mistakes; exit status 0 or 2.
int finish(const Result<std::string>& text, bool json);

/// All of the file, or what was there before: written beside it and renamed. On failure says so
/// with `option`, which may be empty.
bool write_whole(const std::string& path, const std::string& text, const std::string& option = {});
/// Mistakes of a file to be written: a folder that is not there, an ending that is none of `ends`.
Diagnostics check_out(const std::string& option, const std::string& path,
                      std::initializer_list<std::string_view> ends = {});

/// Options that a table of the library describes, while the command line is parsed.
class JobOptions {
 public:
  void add(CLI::App& verb, std::span<const api::OptionInfo> table, const std::string& prefix = {});
  /// Those that were given, in the table's order.
  std::vector<api::Option> given(const CLI::App& verb) const;

 private:
  std::vector<api::OptionInfo> table_;
  std::map<std::string, std::string> values_;              ///< by option
  std::map<std::string, std::vector<std::string>> lists_;  ///< of options that repeat
  std::map<std::string, bool> switches_;
};

void add_set(CLI::App& verb, std::vector<std::string>& sets, const std::string& doc);
void add_catalog(CLI::App& verb, std::string& folder);
/// `--json`, in `group` where it has one; `page` documents its names.
CLI::Option* add_json(CLI::App& verb, bool& json, const std::string& group = {},
                      const std::string& page = {});
/// Names out of a list, where "all" stands for every one of them.
std::vector<std::string> all_or(const std::vector<std::string>& wanted,
                                const std::vector<std::string>& all);

/// Runs `run(command, terminal)` when the command's verb was given.
template <class Command, class Function>
Run when_given(std::shared_ptr<Command> command, std::function<Terminal()> terminal, Function run) {
  return
      [command = std::move(command), terminal = std::move(terminal), run]() -> std::optional<int> {
        if (!*command->verb) return std::nullopt;
        return run(*command, terminal());
      };
}

}  // namespace headroom::cli
