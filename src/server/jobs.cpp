#include "server/jobs.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace headroom::server {

struct Jobs::Job {
  std::uint64_t number = 0;
  std::string verb;
  std::size_t bytes = 0;
  Work work;
  Progress progress;
  JobState state = JobState::queued;
  std::shared_ptr<const Outcome> outcome;
  Clock::time_point ended;
};

namespace {

constexpr int stopped_status = 130;

std::size_t held(const Outcome& o) { return o.result.size() + (o.file ? o.file->bytes.size() : 0); }

std::uint64_t number_of(const std::string& id) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  return error == std::errc() && end == id.data() + id.size() ? number : 0;
}

}  // namespace

const char* name_of(JobState state) {
  switch (state) {
    case JobState::queued:
      return "queued";
    case JobState::running:
      return "running";
    case JobState::done:
      return "done";
    case JobState::stopped:
      return "stopped";
    case JobState::failed:
      break;
  }
  return "failed";
}

Jobs::Jobs(const Limits& limits) : limits_(limits) {
  for (int i = 0; i < limits.jobs_running; ++i) threads_.emplace_back([this] { loop(); });
}

Jobs::~Jobs() { stop(); }

std::optional<std::string> Jobs::submit(std::string verb, std::size_t bytes, Work work) {
  const std::lock_guard lock(mutex_);
  forget_old(Clock::now());
  if (stopping_ || queue_.size() >= limits_.jobs_waiting ||
      waiting_bytes_ + bytes > limits_.waiting_bytes)
    return std::nullopt;
  const auto job = std::make_shared<Job>();
  job->number = ++last_;
  job->verb = std::move(verb);
  job->bytes = bytes;
  job->work = std::move(work);
  waiting_bytes_ += bytes;
  jobs_.emplace(job->number, job);
  queue_.push_back(job);
  changed_.notify_all();
  return std::to_string(job->number);
}

JobView Jobs::view(const Job& job) {
  const auto now = job.progress.now();
  return {
      std::to_string(job.number), job.verb, job.state, now.stage, now.done, now.total, job.outcome};
}

std::vector<JobView> Jobs::all() {
  const std::lock_guard lock(mutex_);
  forget_old(Clock::now());
  std::vector<JobView> out;
  for (const auto& [number, job] : jobs_) out.push_back(view(*job));
  return out;
}

std::optional<JobView> Jobs::find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  forget_old(Clock::now());
  const auto at = jobs_.find(number_of(id));
  if (at == jobs_.end()) return std::nullopt;
  return view(*at->second);
}

bool Jobs::ask_stop(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(number_of(id));
  if (at == jobs_.end()) return false;
  const JobPtr& job = at->second;
  job->progress.ask_stop();
  if (job->state != JobState::queued) return true;
  queue_.erase(std::find(queue_.begin(), queue_.end(), job));
  waiting_bytes_ -= job->bytes;
  job->state = JobState::stopped;
  job->ended = Clock::now();
  job->work = nullptr;
  ++kept_;
  changed_.notify_all();
  return true;
}

std::optional<JobView> Jobs::wait(const std::string& id, JobState seen) {
  std::unique_lock lock(mutex_);
  const auto at = jobs_.find(number_of(id));
  if (at == jobs_.end()) return std::nullopt;
  const JobPtr job = at->second;
  changed_.wait_for(lock, limits_.tick, [&] { return job->state != seen; });
  return view(*job);
}

void Jobs::loop() {
  // The kernel keeps a thread's own priority; threads it begins take it over.
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const JobPtr job = queue_.front();
    queue_.pop_front();
    waiting_bytes_ -= job->bytes;
    run(lock, job);
    forget_old(Clock::now());
  }
}

void Jobs::run(std::unique_lock<std::mutex>& lock, const JobPtr& job) {
  job->state = JobState::running;
  changed_.notify_all();
  lock.unlock();
  std::shared_ptr<const Outcome> outcome;
  try {
    outcome = std::make_shared<const Outcome>(job->work(job->progress));
  } catch (const std::exception&) {  // no memory, above all
    outcome = std::make_shared<const Outcome>(Outcome{3, "null"});
  }
  job->work = nullptr;  // and with it the scenario
  lock.lock();
  // Who asked it to stop after its last step still gets what it found.
  job->state = outcome->status == stopped_status ? JobState::stopped
               : outcome->status >= 2            ? JobState::failed
                                                 : JobState::done;
  kept_bytes_ += held(*outcome);
  ++kept_;
  job->outcome = std::move(outcome);
  job->ended = Clock::now();
  changed_.notify_all();
}

void Jobs::forget_old(Clock::time_point now) {
  for (auto at = jobs_.begin(); at != jobs_.end();) {
    const Job& job = *at->second;
    const bool over = kept_ > limits_.jobs_kept || kept_bytes_ > limits_.kept_bytes;
    if (!ended(job.state) || (!over && now - job.ended < limits_.kept)) {
      ++at;
      continue;
    }
    if (job.outcome) kept_bytes_ -= held(*job.outcome);
    --kept_;
    at = jobs_.erase(at);
  }
}

void Jobs::ask_stop_all() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (const auto& [number, job] : jobs_) job->progress.ask_stop();
  for (const auto& job : queue_) {
    job->state = JobState::stopped;
    job->work = nullptr;
  }
  queue_.clear();
  changed_.notify_all();
}

void Jobs::stop() {
  ask_stop_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

}  // namespace headroom::server
