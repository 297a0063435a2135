// Verbs and options that may be asked for. An option that names a file, a folder or a number of
// threads is none of them; a new option of the command line is refused until it is added here. The
// verb `report` names its form (--format) where the command line names a file.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::server {

struct Verb {
  std::string_view name;
  bool scenario = false;  ///< its first word is the scenario
  bool needs_scenario = false;
  bool document = false;      ///< answers in JSON (--json); else text
  bool catalog = true;        ///< knows --catalog
  int words = 0;              ///< of its own, at most: explain ID
  bool threads = false;       ///< its search may use several
  bool quick = false;         ///< may run while the client waits
  std::string_view values{};  ///< options with a value, between spaces
  std::string_view flags{};
  std::string_view slow{};  ///< of both, those that make it a job
};

std::span<const Verb> verbs();

/// A command line whose every word is known.
struct Command {
  std::vector<std::string> arguments;
  const Verb* verb = nullptr;
  bool quick = false;
};

/// `options` are words as in a shell ("--set", "a.b=1", "--ranges", "money.capital"). All mistakes
/// in one pass. `catalog` is the server's own folder laid over the catalogue; may be empty.
Result<Command> command(const std::string& verb, const std::vector<std::string>& options,
                        bool with_scenario, int threads, const std::string& catalog = {});

}  // namespace headroom::server
