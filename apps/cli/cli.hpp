// The command line as a library: the program `headroom` is `run`, and so is the Python module.
//
// Exit status: 0 it fits, 1 a limit falls short, 2 bad input, 3 internal error, 130 stopped on
// request. Thread-safe: what a command prints, and who watches it, is kept by thread.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"

namespace headroom::cli {

/// Parses, calls the facade, prints on the process's streams. Shows progress to a terminal and
/// stops on Ctrl-C (watch.hpp).
int run(int argc, char** argv);

/// What a command said.
struct Said {
  int status = 0;
  std::string out, err;
};
/// The same with the output kept; `arguments` without the program's name. Never throws on input.
/// Who watches by `progress` may ask it to stop: then the status is 130.
Said invoke(const std::vector<std::string>& arguments, Progress* progress = nullptr);

/// An option of a verb, for programs that offer it by name.
struct OptionInfo {
  std::string name;  ///< "--slo-ttft"
  std::string doc;
  bool takes_value = false;
  bool repeats = false;
};
/// Options of a verb ("train"; "validate", "train"); none when there is no such verb.
std::vector<OptionInfo> options_of(const std::vector<std::string>& verb);

}  // namespace headroom::cli
