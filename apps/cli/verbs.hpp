// Verb families that stand in files of their own. Each adds its verbs to the application and
// returns what runs when one of them was given: the exit status, or nothing.
#pragma once

#include <CLI/App.hpp>

#include <functional>
#include <optional>
#include <string>

namespace headroom::cli {

enum Exit { fits = 0, falls_short = 1, bad_input = 2, internal_error = 3, stopped = 130 };

using Run = std::function<std::optional<int>()>;

/// What is known of the terminal.
struct Terminal {
  bool colour = false;
  int width = 100;
};

/// `train`.
Run add_train_verb(CLI::App& app, std::function<Terminal()> terminal);

/// `replay`.
Run add_replay_verb(CLI::App& app, std::function<Terminal()> terminal);

/// `infer`.
Run add_infer_verb(CLI::App& app, std::function<Terminal()> terminal);

/// `facility`.
Run add_facility_verb(CLI::App& app, std::function<Terminal()> terminal);

/// `validate ...`, `calibrate ...`.
Run add_validation_verbs(CLI::App& app);

/// `init`.
Run add_init_verb(CLI::App& app);

/// `report`.
Run add_report_verb(CLI::App& app, std::function<Terminal()> terminal);

/// `load`.
Run add_load_verb(CLI::App& app);

/// `ui`.
Run add_ui_verb(CLI::App& app);

/// `completion`, `man`.
Run add_shell_verbs(CLI::App& app, const std::string& version);

}  // namespace headroom::cli
