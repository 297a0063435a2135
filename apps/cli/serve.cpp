// The server behind `headroom ui`: started, told of, and stopped by a signal.
#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "cli.hpp"
#include "common.hpp"
#include "server/server.hpp"
#include "spec/node.hpp"
#include "ui.hpp"

extern "C" char** environ;

namespace headroom::cli {
namespace {

constexpr int usual_port = 8420;  // free at IANA; none of the usual developers' servers
constexpr const char* sample = "campus-100k";

/// The command line as the server's door to the engine.
server::Said ask_engine(const server::Call& call) {
  const spec::TextInput input(call.name, call.text);
  Said said = invoke(call.arguments, call.progress);
  return {said.status, std::move(said.out), std::move(said.err)};
}

/// A page that leads to the address. The address is not given to the browser's command line, which
/// others on this machine can read. Removed with the object.
class Pointer {
 public:
  explicit Pointer(const std::string& url) {
    const char* folder = std::getenv("XDG_RUNTIME_DIR");
    std::error_code error;
    path_ =
        std::string(folder != nullptr && std::filesystem::is_directory(folder, error) ? folder
                                                                                      : "/tmp") +
        "/headroom-XXXXXX.html";
    const int file = ::mkstemps(path_.data(), 5);  // 0600
    if (file < 0) {
      path_.clear();
      return;
    }
    const std::string text = fmt::format(
        "<!doctype html><meta charset=\"utf-8\"><title>headroom</title><meta "
        "http-equiv=\"refresh\" content=\"0;url={0}\"><a href=\"{0}\">headroom</a>\n",
        url);
    if (::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      std::remove(path_.c_str()), path_.clear();
    ::close(file);
  }
  ~Pointer() {
    if (!path_.empty()) std::remove(path_.c_str());
  }
  Pointer(const Pointer&) = delete;
  Pointer& operator=(const Pointer&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool has_display() {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  return set("DISPLAY") || set("WAYLAND_DISPLAY");
}

/// Best effort: without a browser the address is printed anyway.
void open_browser(const std::string& path) {
  if (path.empty()) return;
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = "xdg-open", page = path;
  char* words[] = {program.data(), page.data(), nullptr};
  pid_t child = 0;
  (void)::posix_spawnp(&child, "xdg-open", &quiet, nullptr, words, environ);
  posix_spawn_file_actions_destroy(&quiet);
}

/// Ctrl-C, a closed terminal or a plain kill, whichever thread hears it; a second one ends the
/// process at once.
class Ending {
 public:
  Ending() {
    if (::pipe2(pipe_, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    struct sigaction action {};
    action.sa_handler = [](int) { (void)!::write(pipe_[1], "", 1); };
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction before {};
      sigaction(signal, nullptr, &before);
      // Under nohup a closed terminal is no end. Ctrl-C always is.
      if (signal != SIGHUP || before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
    }
  }
  void wait() const {
    char byte = 0;
    while (::read(pipe_[0], &byte, 1) < 0 && errno == EINTR) {}
  }

 private:
  static int pipe_[2];  // a handler knows nothing else
};
int Ending::pipe_[2] = {-1, -1};

server::Options options_of(const UiOptions& o, const std::string& token) {
  server::Options out;
  out.host = o.host;
  out.port = o.port == 0 ? usual_port : o.port;
  out.token = token;
  out.file = o.file;
  out.catalog = o.catalog;
  out.sample = sample;
  const int cores = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 64);
  out.limits.runs = std::max(2, cores);
  out.limits.job_threads = std::max(1, cores / 2);
  return out;
}

Result<std::unique_ptr<server::Server>> open(server::Options options, bool any_port) {
  auto opened = server::Server::open(options, ask_engine);
  if (opened || !any_port) return opened;
  options.port = 0;
  auto other = server::Server::open(options, ask_engine);
  return other ? std::move(other) : std::move(opened);
}

}  // namespace

int serve(const UiOptions& o) {
  const Ending ending;
  const std::string token = o.no_token ? "" : o.token.empty() ? server::random_token() : o.token;
  auto opened = open(options_of(o, token), o.port == 0);
  if (!opened) return refuse(opened.error(), false);
  const auto server = std::move(*opened);
  const bool own_machine = o.host == "127.0.0.1" || o.host == "localhost" || o.host == "::1";
  if (!own_machine)
    print(o.no_token ? "headroom ui: everybody who reaches this port may ask, without a token\n"
                     : "headroom ui: others can reach this port; the token is sent unencrypted\n",
          stderr);
  print(fmt::format("{}\nOpen it in a browser; Ctrl-C stops it.\n", server->url()));
  std::fflush(stdout);
  std::optional<Pointer> pointer;
  if (!o.no_open && has_display()) open_browser(pointer.emplace(server->url()).path());

  ending.wait();
  server->stop();
  print("\nheadroom ui: stopped\n", stderr);
  return fits;
}

}  // namespace headroom::cli
