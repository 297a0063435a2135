#include "watch.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <CLI/App.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "verbs.hpp"

namespace headroom::cli {
namespace {

using namespace std::chrono_literals;

thread_local Progress* watching = nullptr;
std::atomic<Progress*> interrupted{nullptr};
std::atomic<Session*> session{nullptr};

constexpr auto look_every = 25ms;   // whether to stop
constexpr int looks_a_frame = 4;    // ten lines a second
constexpr auto patience = 110ms;    // with work that does not hear that it should stop
constexpr double show_after_s = 1;  // shorter work shows nothing

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void on_interrupt(int) {
  if (Progress* progress = interrupted.load()) progress->ask_stop();
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

/// Whether the terminal's characters are UTF-8; the first of these that is set decides.
bool utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (is_set(name)) {
      const std::string value = std::getenv(name);
      return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
    }
  return false;
}

BarLook look() {
  BarLook out;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) out.width = size.ws_col;
  out.colour = !is_set("NO_COLOR");
  out.blocks = utf8();
  return out;
}

void say(const std::string& text) {
  // write(2): stdio may be held by the thread that does not answer.
  for (std::size_t at = 0; at < text.size();) {
    const auto n = write(STDERR_FILENO, text.data() + at, text.size() - at);
    if (n <= 0) return;
    at += static_cast<std::size_t>(n);
  }
}

std::string count(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string time(double s) {
  if (s < 60) return fmt::format("{:.0f} s", s);
  if (s < 3600) return fmt::format("{:.0f} min {:02.0f} s", std::floor(s / 60), std::fmod(s, 60));
  return fmt::format("{:.0f} h {:02.0f} min", std::floor(s / 3600), std::fmod(s / 60, 60));
}

std::string bar(double share, int cells, const BarLook& look) {
  static constexpr const char* eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int parts = static_cast<int>(share * cells * 8);
  const int whole = std::min(cells, parts / 8);
  std::string out;
  for (int i = 0; i < whole; ++i) out += look.blocks ? "█" : "#";
  if (whole < cells) out += look.blocks ? eighths[parts % 8] : "-";
  for (int i = whole + 1; i < cells; ++i) out += look.blocks ? " " : "-";
  return look.colour ? "\033[36m" + out + "\033[0m" : out;
}

}  // namespace

Watched::Watched(Progress* progress) : outer_(watching) { watching = progress; }
Watched::~Watched() { watching = outer_; }
Progress* Watched::current() { return watching; }

std::string stage_words(const Progress::Now& now) {
  if (*now.stage == '\0') return {};
  if (now.total > 0)
    return fmt::format("{}, {} of {}", now.stage, count(now.done), count(now.total));
  return now.done > 0 ? fmt::format("{}, {}", now.stage, count(now.done)) : now.stage;
}

std::string bar_line(const Progress::Now& now, double seconds, const BarLook& look) {
  const int room = std::max(1, look.width - 1);
  if (now.total == 0) {
    auto text = stage_words(now) + ", " + time(seconds);
    return text.substr(0, static_cast<std::size_t>(room));
  }
  const double share = std::min(1.0, double(now.done) / double(now.total));
  std::string tail = fmt::format(" {:3.0f} %  {} of {}", std::floor(100 * share), count(now.done),
                                 count(now.total));
  if (share > 0 && share < 1)
    tail += fmt::format("  {} to go", time(seconds * (1 - share) / share));
  const std::string name = now.stage;
  constexpr int least = 8, most = 40;
  const int cells = std::min(most, room - static_cast<int>(name.size() + tail.size()) - 1);
  if (cells < least) return (name + tail).substr(0, static_cast<std::size_t>(room));
  return name + " " + bar(share, cells, look) + tail;
}

std::atomic<int> Session::Writing::count{0};

Session::Session() {
  const char* term = std::getenv("TERM");
  terminal_ = isatty(STDERR_FILENO) != 0 && (term == nullptr || std::strcmp(term, "dumb") != 0);
  session = this;
  interrupted = &progress_;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  // The thread takes no signals: a verb that waits for them (`ui`) must be the one who gets them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Session::~Session() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  end_.notify_all();
  thread_.join();
  std::signal(SIGINT, SIG_DFL);
  interrupted = nullptr, session = nullptr;
}

void Session::run() {
  std::unique_lock lock(mutex_);
  for (int look = 1; !end_.wait_for(lock, look_every, [&] { return ended_; }); ++look) {
    if (!progress_.stop_asked()) {
      if (look % looks_a_frame == 0) draw();
      continue;
    }
    wipe();
    if (end_.wait_for(lock, patience, [&] { return ended_; })) break;
    while (Writing::count > 0)
      if (end_.wait_for(lock, 1ms, [&] { return ended_; })) return;
    const auto what = stage_words(progress_.now());
    say(fmt::format("stopped{}; no answer\n", what.empty() ? "" : " at " + what));
    _exit(stopped);
  }
  wipe();
}

void Session::draw() {
  const auto now = progress_.now();
  if (!terminal_ || quiet_ || now.stages == 0) return;
  if (now.stages != stage_) stage_ = now.stages, stage_s_ = now_s();
  const double seconds = now_s() - stage_s_;
  if (!drawn_ && seconds < show_after_s) return;
  drawn_ = true;
  say("\r" + bar_line(now, seconds, look()) + "\033[K");
}

void Session::wipe() {
  if (drawn_) say("\r\033[K");
  drawn_ = false;
}

void Session::hush() {
  Session* here = session;
  if (here == nullptr) return;
  here->quiet_ = true;
  const std::lock_guard lock(here->mutex_);
  here->wipe();
}

void add_quiet(CLI::App& verb, const std::string& group) {
  auto* option = verb.add_flag_callback(
      "--quiet", [] { Session::hush(); }, "No line of progress, which a terminal is shown");
  if (!group.empty()) option->group(group);
}

}  // namespace headroom::cli
