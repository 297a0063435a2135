#include "api/init.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "api/catalogue.hpp"
#include "base/units.hpp"
#include "catalog/model.hpp"
#include "catalog/region.hpp"
#include "catalog/system.hpp"

namespace headroom::api {
namespace {

constexpr InitQuestion questions[] = {
    {"work", "What should it do: serve, train, finetune or rag?", "serve"},
    {"model", "With which model? (headroom catalog model)", "llama-3.1-70b"},
    {"machines", "On how many of which machines? (headroom catalog system)", "4 x dgx-h100"},
    {"load", "How much: requests a second, or tokens in how many days?",
     "20 request/s, or 2e12 token in 60 d"},
    {"place", "Where, and with how much power? (headroom catalog region)", "us-iowa, 500 kW"},
};

std::string trimmed(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1));
}

struct Parsed {
  std::string work, model, system, region, load, within, power;
  const catalog::System* machine = nullptr;
  long count = 0;
};

class Reader {
 public:
  explicit Reader(const InitAnswers& answers) : answers_(answers) {}

  Result<Parsed> read() {
    work();
    p_.model = known<catalog::Model>("model", answers_.model);
    machines();
    load();
    place();
    if (!mistakes_.empty()) return failure(std::move(mistakes_));
    return p_;
  }

 private:
  void mistake(std::string path, std::string message, std::string hint) {
    Diagnostic d;
    d.file = "answers";
    d.path = std::move(path);
    d.message = std::move(message);
    d.hint = std::move(hint);
    mistakes_.add(std::move(d));
  }

  template <class T>
  std::string known(const char* key, const std::string& given) {
    auto id = trimmed(given);
    const auto& all = catalog::Catalog::builtin();
    if (!all.find<T>(id))
      mistake(key, fmt::format("'{}' is no {} of the catalogue", id, T::kind),
              did_you_mean(id, all.ids(T::kind)));
    return id;
  }

  void work() {
    p_.work = trimmed(answers_.work);
    const std::vector<std::string> kinds{"serve", "train", "finetune", "rag"};
    if (std::find(kinds.begin(), kinds.end(), p_.work) == kinds.end()) {
      const auto hint = did_you_mean(p_.work, kinds);
      mistake("work", fmt::format("'{}', expected serve, train, finetune or rag", p_.work), hint);
    }
  }

  void machines() {
    const auto text = trimmed(answers_.machines);
    const auto number = split_number(text);
    if (!number || number->number < 1 || number->number > 1e6 ||
        number->number != std::floor(number->number)) {
      mistake("machines", fmt::format("'{}', expected a count and a system", text),
              "for example '4 x dgx-h100'");
      return;
    }
    p_.count = std::lround(number->number);
    auto rest = trimmed(number->unit);
    if (rest.starts_with("x ")) rest = trimmed(rest.substr(2));
    p_.system = known<catalog::System>("machines", rest);
    p_.machine = catalog::Catalog::builtin().find<catalog::System>(p_.system);
  }

  bool quantity(const char* key, const std::string& text, Dim dim, std::string_view example) {
    const auto number = split_number(text);
    const auto unit = number ? parse_unit(trimmed(number->unit)) : std::nullopt;
    if (number && unit && unit->dim == dim && number->number > 0) return true;
    mistake(key,
            fmt::format("'{}', expected {} ({})", text, dimension_name(dim), dimension_units(dim)),
            fmt::format("for example '{}'", example));
    return false;
  }

  void load() {
    const auto text = trimmed(answers_.load);
    if (p_.work == "train" || p_.work == "finetune") {
      const auto in = text.find(" in ");
      p_.load = trimmed(text.substr(0, in));
      quantity("load", p_.load, Tokens::dim, "2e12 token in 60 d");
      if (in == std::string::npos) return;
      p_.within = trimmed(text.substr(in + 4));
      quantity("load", p_.within, Time::dim, "2e12 token in 60 d");
    } else {
      p_.load = text;
      quantity("load", p_.load, Rate::dim, "20 request/s");
    }
  }

  void place() {
    const auto text = trimmed(answers_.place);
    const auto comma = text.find(',');
    p_.region = known<catalog::Region>("place", text.substr(0, comma));
    if (comma == std::string::npos) return;
    p_.power = trimmed(text.substr(comma + 1));
    quantity("place", p_.power, Power::dim, "us-iowa, 500 kW");
  }

  const InitAnswers& answers_;
  Parsed p_;
  Diagnostics mistakes_;
};

/// Racks that hold the machines, and what cools them.
struct Racks {
  long machines = 1;  ///< in one rack
  long count = 1;
  const char* cooling = "crah";
  double heat_kw = 0;
};

// What the usual technologies carry, for a first choice only; `check` gives the verdict. Legacy
// perimeter cooling with contained aisles stops near 20 kW a rack, rear doors near 45.
Racks racks_for(const Parsed& p) {
  const auto& m = *p.machine;
  Racks r;
  const bool whole = m.form == catalog::SystemForm::rack || m.rack_units <= 0;
  if (!whole) r.machines = m.max_per_rack > 0 ? m.max_per_rack : std::max(1, 40 / m.rack_units);
  const double each = m.power.max ? m.power.max.get().si() / 1e3 : 10;
  const bool air = m.heat.cooling == catalog::SystemCooling::air ||
                   m.heat.cooling == catalog::SystemCooling::passive;
  if (!whole && air)
    r.machines = std::clamp<long>(std::lround(std::floor(42 / each)), 1, r.machines);
  r.machines = std::min(r.machines, p.count);
  r.heat_kw = each * double(r.machines);
  if (!air)
    r.cooling = "cold-plate";
  else if (r.heat_kw > 20)
    r.cooling = "rear-door";
  // A tenth of the racks, at least one, for network and storage.
  const long full = (p.count + r.machines - 1) / r.machines;
  r.count = full + std::max<long>(1, (full + 9) / 10);
  return r;
}

std::string workload(const Parsed& p) {
  if (p.work == "train" || p.work == "finetune") {
    auto out = fmt::format("  - name: run\n    kind: train\n    model: {}\n", p.model);
    if (p.work == "finetune") out += "    method: full-finetune     # or lora, qlora\n";
    out += fmt::format("    tokens: {}\n", p.load);
    if (!p.within.empty()) out += fmt::format("    finish_within: {}\n", p.within);
    return out;
  }
  const bool rag = p.work == "rag";
  const std::string in = rag ? "      " : "    ";
  std::string out = fmt::format("  - name: answers\n    kind: {}\n", p.work);
  if (rag)
    out +=
        "    documents: 1e6            # assumed, as the next three: put yours\n"
        "    document_tokens: 1500 token\n    embedding_model: bge-m3\n    first_token: 3 s\n"
        "    llm:\n";
  out += fmt::format(
      "{0}model: {1}\n{0}traffic: {{rate: {2}}}  # add peak, input, output or trace\n"
      "{0}slo: {{ttft: {3}, tpot: 50 ms, percentile: 99 %}}\n",
      in, p.model, p.load, rag ? "2 s" : "1 s");
  return out;
}

std::string title(const InitAnswers& a, const Parsed& p) {
  if (auto own = trimmed(a.name); !own.empty()) return own;
  return fmt::format("{} {} on {} x {}", p.work, p.model, p.count, p.system);
}

/// A YAML double-quoted string.
std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c < ' ' && c >= 0 ? ' ' : c;
  }
  return out + '"';
}

std::string write(const InitAnswers& answers, const Parsed& p) {
  const auto r = racks_for(p);
  std::string out = fmt::format(
      "# Begun by `headroom init`. What is left out has a default; `headroom check` counts the\n"
      "# assumed ones and `headroom explain` names them. Every key: docs/reference/scenario.md.\n"
      "name: {}\n\nsite: {{region: {}}}\n",
      quoted(title(answers, p)), p.region);
  if (!p.power.empty()) out += fmt::format("\npower:\n  grid: {{capacity: {}}}\n", p.power);
  out += fmt::format(
      "\nbuilding:\n  halls:\n    # {} of {} at {:.3g} kW in a rack; a tenth more racks for "
      "network "
      "and storage\n    - {{name: A, racks: {}, cooling: {{kind: {}}}}}\n",
      r.machines, p.system, r.heat_kw, r.count, r.cooling);
  out +=
      fmt::format("\nclusters:\n  - {{name: gpu, system: {}, count: {}, per_rack: {}, hall: A}}\n",
                  p.system, p.count, r.machines);
  return out + "\nworkloads:\n" + workload(p) + "\nmoney: {horizon: 4 yr}\n";
}

}  // namespace

std::span<const InitQuestion> init_questions() { return questions; }

std::string& answer_to(InitAnswers& a, std::string_view key) {
  if (key == "work") return a.work;
  if (key == "model") return a.model;
  if (key == "machines") return a.machines;
  if (key == "load") return a.load;
  if (key == "place") return a.place;
  return a.name;
}

Result<std::string> scenario_from(const InitAnswers& answers) {
  const auto parsed = Reader(answers).read();
  if (!parsed) return tl::unexpected(parsed.error());
  return write(answers, *parsed);
}

Result<std::string> template_text(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& t : templates()) {
    if (t.name == name) return std::string(t.text);
    names.emplace_back(t.name);
  }
  Diagnostic d;
  d.file = "--template";
  d.message = fmt::format("'{}' is no template; there are {}", name, fmt::join(names, ", "));
  d.hint = did_you_mean(name, names);
  return failure(std::move(d));
}

}  // namespace headroom::api
