// `headroom ui`: the verb and its options. The server is in serve.cpp.
#include "ui.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "common.hpp"

namespace headroom::cli {
namespace {

Ui carried = nullptr;

constexpr const char* examples =
    "Examples:\n"
    "  headroom ui scenarios/campus-100k.yaml\n"
    "  headroom ui mine.yaml --port 9000 --no-open\n"
    "  ssh -L 8420:localhost:8420 there headroom ui mine.yaml --port 8420 --no-open\n"
    "Nothing leaves this machine. Ctrl-C stops it. More: docs/ui.md.\n"
    "Exit status: 0 stopped by Ctrl-C, 2 bad input, 3 internal error.";

bool good_token(const std::string& token) {
  return token.size() >= 12 && token.size() <= 256 &&
         std::all_of(token.begin(), token.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_';
         });
}

int run(const UiOptions& o) {
  Diagnostics mistakes;
  if (!o.token.empty() && !good_token(o.token))
    mistakes.add({"--token", 0, 0, "", "is 12 to 256 letters, digits, - and _",
                  "leave it out: a random one is made", ""});
  if (!o.token.empty() && o.no_token)
    mistakes.add({"--no-token", 0, 0, "", "contradicts --token", "give one of them", ""});
  if (o.file == "-")
    mistakes.add({"FILE", 0, 0, "", "standard input cannot be saved to",
                  "a file, or none: the page opens a template", ""});
  if (carried == nullptr)
    mistakes.add(
        {"ui", 0, 0, "", "this build carries no server", "the program headroom has it", ""});
  if (!mistakes.empty()) return refuse(mistakes, false);
  return carried(o);
}

}  // namespace

void carry_ui(Ui ui) { carried = ui; }

Run add_ui_verb(CLI::App& app) {
  const auto o = std::make_shared<UiOptions>();
  auto* verb = app.add_subcommand("ui", "A page in the browser to play with a scenario");
  verb->footer(examples);
  verb->add_option("FILE", o->file, "Scenario (YAML) to open and save; none: a template");
  verb->add_option("--port", o->port, "Port to listen on, e.g. 9000; 8420, or any when it is taken")
      ->check(CLI::Range(1, 65535));
  verb->add_option("--host", o->host,
                   "Address to listen on, e.g. 0.0.0.0; 127.0.0.1: this machine alone");
  verb->add_option("--token", o->token,
                   "What a browser must know, 12 letters and more; a random one. Others on this "
                   "machine can read a command line: HEADROOM_TOKEN in the environment is unseen")
      ->envname("HEADROOM_TOKEN");
  add_catalog(*verb, o->catalog);
  verb->add_flag("--no-token", o->no_token, "Answer everybody who reaches the port");
  verb->add_flag("--no-open", o->no_open, "Print the address and open no browser");
  return [=]() -> std::optional<int> {
    if (!*verb) return std::nullopt;
    return run(*o);
  };
}

}  // namespace headroom::cli
