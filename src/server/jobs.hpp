// Long work in the background: a bounded queue, a few threads, results that expire.
//
// A job is queued, running, then done, stopped or failed. Threads of jobs run at a lower priority
// (nice 10), so that what a person waits for is answered first. Memory: limits.waiting_bytes of
// scenarios, limits.kept_bytes of results, what jobs_running jobs need.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/server.hpp"

namespace headroom::server {

enum class JobState : unsigned char { queued, running, done, stopped, failed };
const char* name_of(JobState state);
inline bool ended(JobState state) { return state > JobState::running; }

/// A file that a job made.
struct JobFile {
  std::string name, type, bytes;
};
/// What came of a job.
struct Outcome {
  int status = 0;      ///< the verb's exit status; 130: stopped
  std::string result;  ///< JSON of the run
  std::shared_ptr<const JobFile> file{};
};

/// A job as it is at a moment.
struct JobView {
  std::string id, verb;
  JobState state = JobState::queued;
  std::string stage;
  std::uint64_t done = 0, total = 0;
  std::shared_ptr<const Outcome> outcome;  ///< null until it ended by itself
};

class Jobs {
 public:
  using Work = std::function<Outcome(Progress&)>;

  explicit Jobs(const Limits& limits);
  ~Jobs();

  /// Its id, or nothing when the queue is full. `bytes` of memory are held while it waits.
  std::optional<std::string> submit(std::string verb, std::size_t bytes, Work work);
  std::vector<JobView> all();
  std::optional<JobView> find(const std::string& id);
  /// Asks it to stop; false when there is none such.
  bool ask_stop(const std::string& id);
  /// Takes no more, and asks all to stop.
  void ask_stop_all();
  /// Returns when the job has changed its state from `seen`, or after a tick.
  std::optional<JobView> wait(const std::string& id, JobState seen);

  /// The same, and waits for the threads.
  void stop();

 private:
  struct Job;
  using JobPtr = std::shared_ptr<Job>;
  using Clock = std::chrono::steady_clock;

  void loop();
  void run(std::unique_lock<std::mutex>& lock, const JobPtr& job);
  void forget_old(Clock::time_point now);
  static JobView view(const Job& job);

  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, JobPtr> jobs_;  ///< by number: oldest first
  std::deque<JobPtr> queue_;
  std::size_t waiting_bytes_ = 0, kept_bytes_ = 0, kept_ = 0;
  std::uint64_t last_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace headroom::server
