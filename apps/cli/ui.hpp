// What `headroom ui` was asked for, and who answers. The verb is known to every build of the
// command line (help, completion, man page); the server is linked into the program alone, so the
// Python module does not carry it.
#pragma once

#include <string>

namespace headroom::cli {

struct UiOptions {
  std::string file;     ///< scenario; may be empty
  std::string catalog;  ///< folder laid over the built-in catalogue; may be empty
  std::string host = "127.0.0.1";
  int port = 0;       ///< 0: the usual one, or another when that is taken
  std::string token;  ///< empty: a random one
  bool no_token = false, no_open = false;
};

/// Serves until it is stopped; the exit status.
using Ui = int (*)(const UiOptions&);

/// The program says so before it runs a command. Without it the verb refuses.
void carry_ui(Ui ui);

/// The server of this repository (serve.cpp; linked into the program alone).
int serve(const UiOptions& options);

}  // namespace headroom::cli
