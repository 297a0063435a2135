// How far long work has come, and the wish that it stop.
//
// The worker writes, anybody reads: counters are atomic, nothing is called back, no clock is read.
// So the library stays quiet, and who watches (a bar on a terminal, a stream of events) chooses its
// own pace. A worker takes a `Progress*` in its options; null means that nobody watches.
//
//   Stage stage(options.progress, "searching plans", cells.size());
//   for (const auto& cell : cells) walk(cell), stage.advance();
//
// The worker advances its stage in its loop, at least every 100 ms or so. When asked to stop it
// throws `Stopped` (after its own threads have joined: threads look at `stop_asked` and return),
// which the facade turns into an answer; what was found until then is kept where the work says so.
// A stage within another counts nothing, so what people see is the outermost, but it hears the wish
// to stop all the same: a search inside "trying changes" needs to know nothing of it.
//
// Thread-safety: every member may be called from any thread. Cost: one relaxed atomic a call.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>

namespace headroom {

/// Thrown by a worker that was asked to stop; never leaves the facade.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped on request"; }
};

class Progress {
 public:
  struct Now {
    const char* stage = "";    ///< what is being done, e.g. "candidates"; "" before the first stage
    std::uint64_t done = 0;    ///< units of this stage done
    std::uint64_t total = 0;   ///< units of this stage; 0 when not known
    std::uint64_t stages = 0;  ///< stages begun, for who shows each once
  };

  /// A new stage; `stage` lives for ever (a literal).
  void begin(const char* stage, std::uint64_t total) {
    done_.store(0, std::memory_order_relaxed);
    total_.store(total, std::memory_order_relaxed);
    stage_.store(stage, std::memory_order_release);
    stages_.fetch_add(1, std::memory_order_release);
  }
  void advance(std::uint64_t units = 1) { done_.fetch_add(units, std::memory_order_relaxed); }
  Now now() const {
    return {stage_.load(std::memory_order_acquire), done_.load(std::memory_order_relaxed),
            total_.load(std::memory_order_relaxed), stages_.load(std::memory_order_acquire)};
  }

  /// Whether the stage that begins here is the outermost; `leave` ends it.
  bool enter() { return depth_.fetch_add(1, std::memory_order_acq_rel) == 0; }
  void leave() { depth_.fetch_sub(1, std::memory_order_acq_rel); }
  void to(std::uint64_t done) { done_.store(done, std::memory_order_relaxed); }

  /// Async-signal-safe.
  void ask_stop() { stop_.store(true, std::memory_order_relaxed); }
  bool stop_asked() const { return stop_.load(std::memory_order_relaxed); }
  /// Throws `Stopped` when asked to stop; for loops of one thread.
  void check() const {
    if (stop_asked()) throw Stopped();
  }

 private:
  std::atomic<const char*> stage_{""};
  std::atomic<std::uint64_t> done_{0}, total_{0}, stages_{0};
  std::atomic<int> depth_{0};
  std::atomic<bool> stop_{false};
};

/// A stage of work that may be unwatched, from here to the end of the scope.
class Stage {
 public:
  /// `name` lives for ever and says what is done ("searching plans"); `total` 0: not known.
  Stage(Progress* progress, const char* name, std::uint64_t total) : progress_(progress) {
    if (progress_ == nullptr) return;
    if (!progress_->enter()) return;
    shown_ = progress_;
    shown_->begin(name, total);
  }
  ~Stage() {
    if (progress_ != nullptr) progress_->leave();
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// Counts; for threads of a worker, which must not throw.
  void count(std::uint64_t units = 1) {
    if (shown_ != nullptr) shown_->advance(units);
  }
  bool stop_asked() const { return progress_ != nullptr && progress_->stop_asked(); }
  /// Throws `Stopped` when asked to stop.
  void check() const {
    if (progress_ != nullptr) progress_->check();
  }
  void advance(std::uint64_t units = 1) { count(units), check(); }
  /// So much of the stage is done.
  void to(std::uint64_t done) {
    if (shown_ != nullptr) shown_->to(done);
    check();
  }

 private:
  Progress* progress_;
  Progress* shown_ = nullptr;  ///< of the outermost stage
};

}  // namespace headroom
