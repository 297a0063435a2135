// Who watches the work of a command, and what a person at a terminal sees and does meanwhile.
//
//   Progress progress;
//   const Watched watched(&progress);       // this thread's verbs hand it to the library
//   ... verb: request.progress = Watched::current() ...
//
// `Session` is that for the program itself. Work that takes more than a second shows a line on
// standard error, ten times a second, if that is a terminal: stage, bar in eighths of a character,
// share, counts, time left. It is gone before anything is printed. Ctrl-C asks the work to stop;
// where the work does not hear it within 110 ms (a file being read), the process ends all the same.
// Either way the exit status is 130 and a line says what was under way. No file is cut short: files
// are written whole or not at all, and one that is being written is waited for. A second Ctrl-C
// ends the process as it does any other.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/progress.hpp"

namespace CLI {
class App;
}

namespace headroom::cli {

/// While it lives, work of this thread is watched by this Progress; null: by nobody.
class Watched {
 public:
  explicit Watched(Progress* progress);
  ~Watched();
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  /// The thread's, or null.
  static Progress* current();

 private:
  Progress* outer_;
};

/// How a line of progress looks.
struct BarLook {
  int width = 80;  ///< columns of the terminal
  bool colour = false;
  bool blocks = true;  ///< eighths of a character; else '#'
};
/// The line, at most `look.width - 1` columns; `seconds` since the stage began.
std::string bar_line(const Progress::Now& now, double seconds, const BarLook& look);
/// "searching plans, 31 of 120"; empty before the first stage.
std::string stage_words(const Progress::Now& now);

/// The program's own run, from start to exit; one at a time.
class Session {
 public:
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// No line from here on; what is there is wiped.
  static void hush();
  /// While it lives, Ctrl-C waits: a file is being written.
  class Writing {
   public:
    Writing() { ++count; }
    ~Writing() { --count; }
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    static std::atomic<int> count;
  };

 private:
  void run();
  void draw();
  void wipe();

  Progress progress_;
  Watched watched_{&progress_};
  std::mutex mutex_;
  std::condition_variable end_;
  bool ended_ = false, drawn_ = false;
  std::atomic<bool> quiet_{false};
  bool terminal_ = false;
  std::uint64_t stage_ = 0;
  double stage_s_ = 0;
  std::thread thread_;
};

/// `--quiet`: no line of progress.
void add_quiet(CLI::App& verb, const std::string& group = {});

}  // namespace headroom::cli
