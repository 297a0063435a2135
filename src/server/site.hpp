// The paths of the server: what is asked where, and the answers' JSON (docs/ui.md has the list).
// Internal to server; knows no sockets, so tests and the fuzzer call it as it is.
#pragma once

#include <semaphore>
#include <string>

#include "server/gate.hpp"
#include "server/jobs.hpp"
#include "server/server.hpp"
#include "server/verbs.hpp"
#include "server/wire.hpp"
#include "server/work_file.hpp"

namespace headroom::server {

class Site : public Handler {
 public:
  Site(const Options& options, Door door, int port);

  std::optional<Answer> admit(const Ask& ask) const override;
  Answer answer(Ask& ask) override;

  WorkFile& file() { return file_; }
  Jobs& jobs() { return jobs_; }

 private:
  Answer page(const Ask& ask) const;
  Answer start();
  Answer run(Ask& ask);
  Answer job_list();
  Answer job_new(Ask& ask);
  Answer job(const std::string& id);
  Answer job_events(const std::string& id);
  Answer job_stop(const std::string& id);
  Answer catalog(const std::string& kind, const std::string& id) const;
  Answer template_of(const std::string& name) const;
  Answer save(Ask& ask);
  Answer dispatch(Ask& ask);
  Answer dispatch_jobs(Ask& ask, const std::string& rest);

  /// Name of a scenario in messages, in the folder that it may read from.
  std::string called(const std::string& name) const;

  const Options options_;
  const Door door_;
  Gate gate_;
  WorkFile file_;
  Jobs jobs_;
  std::counting_semaphore<> turns_;
};

/// The JSON of one run, as `/api/run` and a job's `result` give it.
std::string run_json(const Command& command, const Said& said, double millis);
/// Mistakes as the list `errors`.
std::string errors_json(const Diagnostics& mistakes);

/// The page with a nonce on each of its scripts.
std::string page_with_nonce(std::string_view page, const std::string& nonce);
/// `bytes` random bytes of the system, as hexadecimal digits.
std::string random_hex(std::size_t bytes);

}  // namespace headroom::server
