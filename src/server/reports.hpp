// The verb `report` for the page: the same file as on the command line, made in memory.
// Internal to server.
#pragma once

#include <string>

#include "base/progress.hpp"
#include "server/jobs.hpp"
#include "server/verbs.hpp"

namespace headroom::server {

/// What is to be reported. The form stands among the command's words.
struct ReportAsk {
  std::string called;  ///< the scenario's name in messages, with its folder
  std::string label;   ///< the file is called so, with the form's ending
  std::string text;
  int threads = 1;
};

/// Status 0 and the file; or 2 and the mistakes (`errors` in the result); or 130.
Outcome make_report(const Command& command, const ReportAsk& ask, Progress* progress);

/// "Campus 100k/..yaml" and ".html" give "Campus-100k-..yaml.html": safe in a header, never a path.
std::string file_name(const std::string& label, const std::string& ending);

}  // namespace headroom::server
