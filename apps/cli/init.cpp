// `headroom init`: a first scenario from five questions or from a template.
#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>
#include <memory>

#include "api/init.hpp"
#include "common.hpp"

namespace headroom::cli {
namespace {

struct InitCommand {
  api::InitAnswers answers;
  std::string from_template, out;
  bool force = false, list = false;
};

/// Asks on standard error, so that standard output stays a scenario. An empty line takes the
/// example. False at the end of input.
bool ask(api::InitAnswers& answers) {
  for (const auto& q : api::init_questions()) {
    auto& answer = api::answer_to(answers, q.key);
    if (!answer.empty()) continue;
    const auto first = q.example.substr(0, q.example.find(", or "));
    std::cerr << q.question << "\n  [" << first << "] " << std::flush;
    if (!std::getline(std::cin, answer)) return false;
    if (answer.find_first_not_of(" \t\r") == std::string::npos) answer = first;
  }
  return true;
}

int deliver(const InitCommand& c, const Result<std::string>& text) {
  if (!text || c.out.empty()) return finish(text, false);
  if (!c.force && std::filesystem::exists(c.out)) {
    std::cerr << c.out << ": exists already; --force writes over it\n";
    return bad_input;
  }
  if (!write_whole(c.out, *text)) return bad_input;
  std::cerr << c.out << " written. Next: headroom check " << c.out << "\n";
  return fits;
}

int run(InitCommand& c) {
  if (c.list) {
    for (const auto& t : api::templates()) std::cout << t.name << "\n";
    return fits;
  }
  if (!c.from_template.empty()) return deliver(c, api::template_text(c.from_template));
  if (!ask(c.answers)) {
    std::cerr << "\nheadroom init: the answers ended early; nothing is written\n";
    return bad_input;
  }
  return deliver(c, api::scenario_from(c.answers));
}

}  // namespace

Run add_init_verb(CLI::App& app) {
  auto* verb = app.add_subcommand("init", "A first scenario: five questions, or a template");
  const auto c = std::make_shared<InitCommand>();
  for (const auto& q : api::init_questions()) {
    std::string doc(q.question);
    doc.append(" For example: ").append(q.example);
    verb->add_option("--" + std::string(q.key), api::answer_to(c->answers, q.key), doc);
  }
  verb->add_option("--name", c->answers.name, "Name of the scenario");
  verb->add_option("--template", c->from_template, "A published scenario instead of questions");
  verb->add_flag("--list", c->list, "The templates");
  verb->add_option("-o,--out", c->out, "File to write; left out: standard output");
  verb->add_flag("--force", c->force, "Write over a file that is there");
  verb->footer(
      "Examples:\n"
      "  headroom init -o mine.yaml\n"
      "  headroom init --work serve --model llama-3.1-70b --machines '4 x dgx-h100'\n"
      "      --load '20 request/s' --place 'us-iowa, 500 kW' -o mine.yaml\n"
      "  headroom init --template nvl72-row -o mine.yaml");
  return [=]() -> std::optional<int> {
    if (!*verb) return std::nullopt;
    return run(*c);
  };
}

}  // namespace headroom::cli
