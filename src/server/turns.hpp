// Turns at something that only so many may do at a time, first come first served. (The standard's
// semaphore lets who comes late overtake: under load one client in a hundred waited for seconds.)
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

namespace headroom::server {

class Turns {
 public:
  explicit Turns(int at_a_time) : free_(at_a_time) {}

  /// One of them, from here to the end of the scope; not got when it took longer than `longest`.
  class Turn {
   public:
    Turn(Turns& turns, std::chrono::milliseconds longest)
        : turns_(turns), got_(turns.take(longest)) {}
    ~Turn() {
      if (got_) turns_.give();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    bool got() const { return got_; }

   private:
    Turns& turns_;
    const bool got_;
  };

 private:
  struct Waiting {
    std::condition_variable called_up;
    bool called = false;
  };

  bool take(std::chrono::milliseconds longest) {
    std::unique_lock lock(mutex_);
    if (free_ > 0) return --free_, true;
    const auto at = queue_.emplace(queue_.end());
    if (at->called_up.wait_for(lock, longest, [&] { return at->called; })) {
      queue_.erase(at);
      return true;
    }
    queue_.erase(at);
    return false;
  }
  void give() {
    const std::lock_guard lock(mutex_);
    for (auto& waiting : queue_)
      if (!waiting.called) {
        waiting.called = true;  // the turn passes on; it is never free in between
        waiting.called_up.notify_one();
        return;
      }
    ++free_;
  }

  std::mutex mutex_;
  int free_;
  std::list<Waiting> queue_;
};

}  // namespace headroom::server
