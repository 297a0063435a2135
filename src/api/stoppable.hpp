// Where the wish to stop (base/progress.hpp) becomes an answer: work throws `Stopped`, the facade
// returns a failure that says so.
//
//   return stoppable([&] { return study::plan_training(loaded, catalog, options); });
//   ...
//   if (!answer && is_stop(answer.error())) ...     // no mistake, and no answer either
#pragma once

#include <algorithm>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace headroom::api {

/// What the one diagnostic of a stop says.
inline constexpr const char* stop_message = "stopped before there was an answer";

/// Whether a failure is a stop, not mistakes of the input.
inline bool is_stop(const Diagnostics& failed) {
  return std::any_of(failed.all().begin(), failed.all().end(), [](const Diagnostic& d) {
    return d.file.empty() && d.message == stop_message;
  });
}

/// What `work` returns, a Result; a failure that `is_stop` when it was asked to stop.
template <class Work>
auto stoppable(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const Stopped&) { return failure(Diagnostic{"", 0, 0, "", stop_message, "", ""}); }
}

}  // namespace headroom::api
