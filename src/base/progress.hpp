// How far long work has come, and the wish that it stop.
//
// The worker writes, anybody reads: counters are atomic, nothing is called back, no clock is read.
// So the library stays quiet, and who watches (a bar on a terminal, a stream of events) chooses its
// own pace. A worker takes a `Progress*` in its options; null means that nobody watches.
//
// The worker calls `advance` in its loop, at least every 100 ms or so, and `stop_asked` beside it.
// When asked to stop it throws `Stopped` (after its own threads have joined), which the facade
// turns into an answer; what was found until then is kept where the work says so.
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
  std::atomic<bool> stop_{false};
};

/// For workers that may be unwatched.
inline void advance(Progress* progress, std::uint64_t units = 1) {
  if (progress == nullptr) return;
  progress->advance(units);
  progress->check();
}

}  // namespace headroom
