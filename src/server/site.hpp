// The paths of the server: what is asked where, and the answers' JSON (docs/ui.md has the list).
// Internal to server; knows no sockets, so tests and the fuzzer call it as it is.
#pragma once

#include <string>

#include "server/body.hpp"
#include "server/gate.hpp"
#include "server/jobs.hpp"
#include "server/reports.hpp"
#include "server/server.hpp"
#include "server/turns.hpp"
#include "server/verbs.hpp"
#include "server/wire.hpp"
#include "server/work_file.hpp"

namespace headroom::server {

class Site : public Handler {
 public:
  Site(const Options& options, Door door, int port);

  std::optional<Answer> admit(const Ask& ask) const override;
  Answer answer(Ask& ask) override;

  /// Runs and jobs at work stop where they are.
  void ask_stop();
  /// Returns when jobs have ended.
  void stop() { jobs_.stop(); }

 private:
  Answer page(const Ask& ask) const;
  Answer start();
  Answer run(Ask& ask);
  Answer job_list();
  Answer job_new(Ask& ask);
  Answer job(const std::string& id);
  Answer job_file(const std::string& id);
  Answer job_events(const std::string& id);
  Answer job_stop(const std::string& id);
  Answer catalog(const std::string& kind, const std::string& id) const;
  Answer template_of(const std::string& name) const;
  Answer save(Ask& ask);
  Answer report(Ask& ask);
  ReportAsk report_ask(const Body& body) const;
  Answer dispatch(Ask& ask);
  Answer dispatch_jobs(Ask& ask, const std::string& rest);

  /// Name of a scenario in messages, in the folder that it may read from.
  std::string called(const std::string& name) const;

  const Options options_;
  const Door door_;
  Gate gate_;
  WorkFile file_;
  Jobs jobs_;
  Turns turns_;
  Progress ending_;  ///< of all that runs while a client waits: asks them to stop, counts nothing
};

/// The page with a nonce on each of its scripts.
std::string page_with_nonce(std::string_view page, const std::string& nonce);
/// `bytes` random bytes of the system, as hexadecimal digits.
std::string random_hex(std::size_t bytes);

}  // namespace headroom::server
