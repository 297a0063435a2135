// The local server behind `headroom ui`: the page, and the engine as an API of JSON (docs/ui.md).
//
//   server::Options o{.port = 8420, .token = "k3..."};
//   auto server = server::Server::open(o, door);   // listens from here on
//   if (!server) show(server.error());
//   print((*server)->url());                       // http://127.0.0.1:8420/?token=k3...
//   wait_for_ctrl_c();                             // the destructor stops jobs, then connections
//
// The engine is reached through one door, which takes the words of a command line and gives what
// it printed. So a verb here and a verb in a shell are one code path: the same options, the same
// documents to the byte, the same mistakes; the layer stays below the applications, whose command
// line is the door.
//
// Who may ask: whoever sends the token (cookie, header); the host's name must be an address,
// `localhost` or the one that was listened on, and a page may only come from here. What may be
// asked: the verbs and options of verbs.hpp, none of which names a file. Bounds: limits.hpp.
//
// Thread-safety: all members. Nothing here prints or exits; the clock is read for deadlines and for
// how long a run took, never for an answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "server/limits.hpp"

namespace headroom::server {

/// One command for the engine.
struct Call {
  std::vector<std::string> arguments;  ///< without the program's name; "-" is `text`
  std::string name;  ///< of the scenario, in messages; files that it names lie in its folder
  std::string text;  ///< the scenario; none: the arguments do not name "-"
  Progress* progress = nullptr;  ///< null: nobody watches
};
/// What it said: exit status 0 fits, 1 falls short, 2 bad input, 3 internal error, 130 stopped.
struct Said {
  int status = 0;
  std::string out, err;
};
/// Called from many threads at once.
using Door = std::function<Said(const Call&)>;

struct Options {
  std::string host = "127.0.0.1";
  int port = 0;         ///< 0: any that is free
  std::string token;    ///< empty: everybody may ask
  std::string file;     ///< scenario to open and save; empty: none
  std::string catalog;  ///< folder laid over the built-in catalogue; may be empty
  std::string sample;   ///< name of the template that is shown when there is no file
  Limits limits;
};

/// 128 random bits of the system, as 32 hexadecimal digits.
std::string random_token();

class Server {
 public:
  /// Reads the file, binds and begins to answer. Refuses a port in use, a host that is none, a file
  /// that cannot be read; a file with mistakes in it is fine, the page shows them.
  static Result<std::unique_ptr<Server>> open(const Options& options, Door door);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  /// With the token in it.
  std::string url() const;
  /// Asks jobs to stop, ends streams, closes connections. Returns when all threads are gone.
  void stop();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace headroom::server
