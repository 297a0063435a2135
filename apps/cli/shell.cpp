// `headroom completion SHELL` and `headroom man`: written from the verbs and options that the
// command line really has, so they cannot fall behind it.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <array>
#include <cstdio>
#include <memory>

#include "common.hpp"

namespace headroom::cli {
namespace {

struct Opt {
  std::vector<std::string> names;  ///< with dashes; empty: positional
  std::string label, doc, group;
  std::vector<std::string> choices;
  bool value = false;
};

struct Verb {
  std::string path, name, doc, footer;  ///< path: "validate train"; empty: the program
  std::vector<Opt> options, positionals;
  std::vector<Verb> children;
};

/// Catalogue kind whose ids an option takes.
std::string_view kind_of(std::string_view option) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kinds{{
      {"--model", "model"},
      {"--draft", "model"},
      {"--compare", "model"},
      {"--system", "system"},
      {"--accelerator", "accelerator"},
      {"--gpu", "accelerator"},
      {"--framework", "training-software"},
      {"--engine", "serving-software"},
      {"--region", "region"},
      {"--storage", "storage-system"},
  }};
  for (const auto& [name, kind] : kinds)
    if (name == option) return kind;
  return {};
}

/// "TEXT:{a,b,c}" of CLI11's membership checks.
std::vector<std::string> choices_in(const std::string& type) {
  const auto open = type.find('{'), close = type.find('}');
  std::vector<std::string> out;
  if (open == std::string::npos || close == std::string::npos || close < open) return out;
  std::string word;
  for (const char c : type.substr(open + 1, close - open - 1) + ",") {
    if (c == ',') {
      const auto arrow = word.find("->");  // transformers print name->value
      if (!word.empty()) out.push_back(word.substr(0, arrow));
      word.clear();
    } else {
      word += c;
    }
  }
  return out;
}

Opt read_option(const CLI::Option& o) {
  Opt out;
  for (const auto& s : o.get_snames()) out.names.push_back("-" + s);
  for (const auto& l : o.get_lnames()) out.names.push_back("--" + l);
  out.value = o.get_items_expected_max() > 0;
  out.label = o.get_name(true);
  out.doc = o.get_description();
  out.group = o.get_group();
  out.choices = choices_in(o.get_type_name());
  return out;
}

Verb read_verb(CLI::App& app, const std::string& path) {
  Verb v{path, app.get_name(), app.get_description(), app.get_footer(), {}, {}, {}};
  for (const auto* o : app.get_options()) {
    auto opt = read_option(*o);
    (opt.names.empty() ? v.positionals : v.options).push_back(std::move(opt));
  }
  for (auto* sub : app.get_subcommands({}))
    v.children.push_back(
        read_verb(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name()));
  return v;
}

template <class F>
void each(const Verb& v, F&& f) {
  f(v);
  for (const auto& c : v.children) each(c, f);
}

std::string names_of(const std::vector<Verb>& verbs) {
  std::string out;
  for (const auto& v : verbs) out += (out.empty() ? "" : " ") + v.name;
  return out;
}

std::string option_words(const Verb& v) {
  std::string out;
  for (const auto& o : v.options)
    for (const auto& n : o.names) out += (out.empty() ? "" : " ") + n;
  return out;
}

constexpr std::string_view ids_command =
    "headroom catalog \"$1\" 2>/dev/null | awk 'NR > 1 && NF { print $1 }'";

// ------------------------------------------------------------------ bash

std::string bash_values(const Verb& root) {
  std::string out;
  each(root, [&](const Verb& v) {
    for (const auto& o : v.options) {
      if (!o.value) continue;
      for (const auto& n : o.names) {
        if (!o.choices.empty())
          out += fmt::format("    '{} {}') words='{}' ;;\n", v.path, n, fmt::join(o.choices, " "));
        else if (const auto kind = kind_of(n); !kind.empty())
          out += fmt::format("    '{} {}') words=$(_headroom_ids {}) ;;\n", v.path, n, kind);
        else
          out += fmt::format("    '{} {}') return ;;\n", v.path, n);
      }
    }
  });
  return out;
}

std::string bash(const Verb& root) {
  std::string paths, options, subs;
  each(root, [&](const Verb& v) {
    if (!v.path.empty()) paths += (paths.empty() ? "'" : "|'") + v.path + "'";
    options += fmt::format("    '{}') words='{}' ;;\n", v.path, option_words(v));
    if (!v.children.empty())
      subs += fmt::format("    '{}') words='{}' ;;\n", v.path, names_of(v.children));
  });
  return fmt::format(
      R"(# bash completion of headroom: headroom completion bash > ~/.local/share/bash-completion/completions/headroom
_headroom_ids() {{ {ids}; }}
_headroom() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} verb='' words='' i try
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    try="${{verb:+$verb }}${{COMP_WORDS[i]}}"
    case "$try" in {paths}) verb=$try ;; esac
  done
  case "$verb $prev" in
{values}  esac
  if [[ -z $words && $cur == -* ]]; then
    case "$verb" in
{options}    esac
  elif [[ -z $words ]]; then
    case "$verb" in
{subs}    'catalog')
      if [[ $prev == catalog ]]; then words=$(_headroom_ids ''); else words=$(_headroom_ids "$prev"); fi ;;
    esac
  fi
  [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _headroom headroom
)",
      fmt::arg("ids", ids_command), fmt::arg("paths", paths), fmt::arg("values", bash_values(root)),
      fmt::arg("options", options), fmt::arg("subs", subs));
}

// ------------------------------------------------------------------- zsh

/// Inside '...[doc]': quotes, brackets, colons and backslashes are escaped.
std::string zsh_text(std::string_view s) {
  std::string out;
  for (const char c : s) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == '\n') {
      out += ' ';
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string zsh_action(const Opt& o, std::string_view name) {
  if (!o.value) return {};
  if (!o.choices.empty()) return fmt::format(":value:({})", fmt::join(o.choices, " "));
  if (const auto kind = kind_of(name); !kind.empty())
    return fmt::format(":{}:_headroom_ids {}", kind, kind);
  return ":value:_files";
}

std::string function_name(const Verb& v) {
  std::string name = "_headroom_verb_" + v.path;
  for (auto& c : name)
    if (c == ' ' || c == '-') c = '_';
  return name;
}

std::string zsh_verb(const Verb& v) {
  std::string out = function_name(v) + "() {\n";
  if (!v.children.empty()) {
    out += "  local state line\n  _arguments -C";
    for (const auto& o : v.options)
      for (const auto& n : o.names)
        out += fmt::format(" \\\n    '{}[{}]{}'", n, zsh_text(o.doc), zsh_action(o, n));
    out +=
        " \\\n    '1: :->verb' '*::argument:->rest'\n  case $state in\n  verb)\n    local verbs=(";
    for (const auto& c : v.children) out += fmt::format("\n      '{}:{}'", c.name, zsh_text(c.doc));
    out += ")\n    _describe verb verbs ;;\n  rest)\n    case $line[1] in\n";
    for (const auto& c : v.children)
      out += fmt::format("    {}) {} ;;\n", c.name, function_name(c));
    return out + "    esac ;;\n  esac\n}\n";
  }
  out += "  _arguments";
  for (const auto& o : v.options)
    for (const auto& n : o.names)
      out += fmt::format(" \\\n    '*{}[{}]{}'", n, zsh_text(o.doc), zsh_action(o, n));
  if (v.name == "catalog")
    out += " \\\n    '1:kind:_headroom_ids \"\"' '2:id:_headroom_ids $words[2]'";
  else if (!v.positionals.empty())
    out += fmt::format(" \\\n    '*:{}:_files'", zsh_text(v.positionals.front().label));
  return out + "\n}\n";
}

std::string zsh(const Verb& root) {
  std::string out =
      "#compdef headroom\n# zsh completion of headroom: headroom completion zsh > "
      "\"${fpath[1]}/_headroom\"\n";
  out += fmt::format("_headroom_ids() {{ local ids=(${{(f)\"$({})\"}}); compadd -a ids; }}\n",
                     ids_command);
  each(root, [&](const Verb& v) { out += zsh_verb(v); });
  return out + function_name(root) + " \"$@\"\n";
}

// ------------------------------------------------------------------ fish

std::string fish_text(std::string_view s) {
  std::string out;
  for (const char c : s) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

/// The condition under which a verb's own words are offered.
std::string fish_when(const Verb& v) {
  if (v.path.empty()) return "__fish_use_subcommand";
  std::string out;
  std::string word;
  for (const char c : v.path + " ") {
    if (c != ' ') {
      word += c;
      continue;
    }
    out += (out.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") + word;
    word.clear();
  }
  if (!v.children.empty()) out += "; and not __fish_seen_subcommand_from " + names_of(v.children);
  return out;
}

std::string fish_option(const Verb& v, const Opt& o) {
  std::string out = fmt::format("complete -c headroom -n '{}'", fish_when(v));
  std::string kind;
  for (const auto& n : o.names) {
    out += n.starts_with("--") ? " -l " + n.substr(2) : " -s " + n.substr(1);
    if (kind.empty()) kind = kind_of(n);
  }
  if (o.value) out += " -r";
  if (o.value && !o.choices.empty())
    out += fmt::format(" -f -a '{}'", fmt::join(o.choices, " "));
  else if (o.value && !kind.empty())
    out += fmt::format(" -f -a '(__headroom_ids {})'", kind);
  return out + fmt::format(" -d '{}'\n", fish_text(o.doc));
}

std::string fish(const Verb& root) {
  std::string out =
      "# fish completion of headroom: headroom completion fish > "
      "~/.config/fish/completions/headroom.fish\n"
      "function __headroom_ids\n"
      "  headroom catalog $argv[1] 2>/dev/null | awk 'NR > 1 && NF { print $1 }'\nend\n";
  each(root, [&](const Verb& v) {
    for (const auto& c : v.children)
      out += fmt::format("complete -c headroom -f -n '{}' -a {} -d '{}'\n", fish_when(v), c.name,
                         fish_text(c.doc));
    for (const auto& o : v.options) out += fish_option(v, o);
  });
  return out +
         "complete -c headroom -f -n '__fish_seen_subcommand_from catalog' -a '(__headroom_ids "
         "\"\")'\n";
}

// ------------------------------------------------------------------- man

/// Text as roff: backslashes and dashes escaped, no line begins with a control character.
std::string roff(std::string_view s) {
  std::string out;
  bool start = true;
  for (const char c : s) {
    if (start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    start = c == '\n';
  }
  return out;
}

std::string man_options(const Verb& v) {
  std::string out;
  for (const auto& o : v.positionals)
    out += fmt::format(".TP\n.I {}\n{}\n", roff(o.label), roff(o.doc));
  for (const auto& o : v.options) {
    std::string names;
    for (const auto& n : o.names) names += (names.empty() ? "" : ", ") + roff(n);
    out += fmt::format(".TP\n.B {}\n{}\n", names, roff(o.doc));
    if (!o.choices.empty()) out += roff(fmt::format("One of: {}.\n", fmt::join(o.choices, ", ")));
  }
  return out;
}

std::string man(const Verb& root, const std::string& version) {
  std::string out = fmt::format(
      ".TH HEADROOM 1 \"\" \"headroom {}\" \"User commands\"\n.SH NAME\nheadroom \\- {}\n"
      ".SH SYNOPSIS\n.B headroom\n.I VERB\n.RI [ ARGUMENTS ]\n.SH DESCRIPTION\n"
      "From one scenario file headroom follows the work through every layer, from the grid\n"
      "connection to the token, and names the limit that breaks first.\n.SH VERBS\n",
      version, roff("what your AI infrastructure can carry, and which limit breaks first"));
  each(root, [&](const Verb& v) {
    if (v.path.empty()) return;
    out += fmt::format(".SS headroom {}\n{}\n", roff(v.path), roff(v.doc));
    if (v.children.empty()) out += man_options(v);
    if (!v.footer.empty()) out += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(v.footer));
  });
  return out +
         ".SH EXIT STATUS\n.TP\n.B 0\nIt fits.\n.TP\n.B 1\nA limit falls short.\n"
         ".TP\n.B 2\nBad input.\n.TP\n.B 3\nInternal error.\n"
         ".TP\n.B 130\nStopped by Ctrl-C before there was an answer; no file was written.\n"
         ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nWhen set and not empty, no colours.\n";
}

}  // namespace

Run add_shell_verbs(CLI::App& app, const std::string& version) {
  auto* completion = app.add_subcommand("completion", "Completion script for a shell");
  const auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->footer(
      "Examples:\n"
      "  headroom completion bash > ~/.local/share/bash-completion/completions/headroom\n"
      "  headroom completion zsh > \"${fpath[1]}/_headroom\"\n"
      "  headroom completion fish > ~/.config/fish/completions/headroom.fish");
  auto* page = app.add_subcommand("man", "The manual page, as roff");
  page->footer("Example:\n  headroom man > headroom.1 && man ./headroom.1");
  return [=, &app]() -> std::optional<int> {
    if (!*completion && !*page) return std::nullopt;
    const auto root = read_verb(app, "");
    const auto text = *page              ? man(root, version)
                      : *shell == "bash" ? bash(root)
                      : *shell == "zsh"  ? zsh(root)
                                         : fish(root);
    print(text);
    return fits;
  };
}

}  // namespace headroom::cli
