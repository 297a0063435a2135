#include "api/infer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "api/catalogue.hpp"
#include "api/infer_options.hpp"
#include "base/units.hpp"
#include "catalog/accelerator.hpp"
#include "spec/reader.hpp"

namespace headroom::api {
namespace {

constexpr const char* cluster_name = "gpus";
constexpr const char* work_name = "serve";

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    if (comma > at) out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

/// One request on its way to a scenario: collects every mistake.
class Builder {
 public:
  Builder(const InferRequest& request, const catalog::Catalog& catalog)
      : request_(request), catalog_(catalog), answer_(request.answer) {
    for (const auto& o : request.options) given_[o.name] = o.value;
  }

  Result<study::Loaded> build() {
    spec::Document document;
    answer_.free_size = request_.file.empty();
    formats();
    machines();
    price();
    if (request_.file.empty()) {
      document.file = std::make_shared<std::string>("command line");
      skeleton(document.root);
    } else if (auto read = spec::load_yaml(request_.file, mistakes_)) {
      document = std::move(*read);
      not_with_a_file();
    } else {
      return failure(std::move(mistakes_));
    }
    place_options(document.root);
    session(document.root);
    speculation(document.root);
    for (const auto& set : request_.sets) spec::apply_set(document, set, mistakes_);
    auto loaded = study::read_scenario(document, std::move(brought_), catalog_);
    if (!loaded) take(loaded.error());
    if (!mistakes_.empty()) return failure(std::move(mistakes_));
    return loaded;
  }
  const study::InferenceOptions& answer() const { return answer_; }

 private:
  bool has(const char* name) const { return given_.count(name) > 0; }
  const std::string& value(const char* name) const { return given_.at(name); }
  void fail(std::string option, std::string message, std::string hint = {}) {
    mistakes_.add({std::move(option), 0, 0, "", std::move(message), std::move(hint), ""});
  }
  std::string shown(const char* name) const { return fmt::format("{} {}", name, value(name)); }

  double number(const char* name, double usual, double low, double high) {
    if (!has(name)) return usual;
    const auto n = split_number(value(name));
    if (n && (n->unit.empty() || n->unit == "GPU") && n->number >= low && n->number <= high &&
        n->number == std::floor(n->number))
      return n->number;
    fail(shown(name), fmt::format("expected a whole number, {:g} to {:g}", low, high));
    return usual;
  }

  // --- What is no path of a scenario ------------------------------------------------------

  void formats(const char* name, std::vector<Precision>& out) {
    if (!has(name)) return;
    for (const auto& word : split(value(name))) {
      const auto p = parse_precision(word);
      if (p) {
        out.push_back(*p);
        continue;
      }
      std::vector<std::string> known;
      for (const auto n : precision_names()) known.emplace_back(n);
      const auto near = did_you_mean(word, known);
      fail(shown(name), fmt::format("'{}' is no number format", word),
           near.empty() ? fmt::format("one of {}", fmt::join(known, ", ")) : near);
    }
  }
  void formats() {
    formats("--precision", answer_.weights);
    formats("--kv-precision", answer_.kv);
    for (const auto p : answer_.kv)
      if (element_bits(p) > 16 || element_bits(p) < 4 || p == Precision::int4)
        fail(shown("--kv-precision"), fmt::format("no engine keeps its KV cache in {}", name(p)),
             "bf16, fp16, fp8, int8 or nvfp4");
  }

  void machines() {
    answer_.gpus_had = number("--gpus", 0, 1, 8e6);
    if (has("--system") && has("--accelerator"))
      fail(shown("--accelerator"), "contradicts " + shown("--system"), "give one of them");
    if (has("--system")) {
      for (const auto& id : split(value("--system"))) {
        if (catalog_.find<catalog::System>(id) == nullptr)
          fail(shown("--system"), "the catalogue has no system '" + id + "'",
               did_you_mean(id, catalog_.ids(catalog::System::kind)));
        else
          answer_.systems.push_back(id);
      }
    }
    if (!has("--accelerator")) return;
    if (value("--accelerator") == "any") {
      answer_.any_accelerator = true;
      return;
    }
    for (const auto& id : split(value("--accelerator"))) accelerator(id);
  }

  /// The first system of the catalogue that holds it, servers before racks.
  void accelerator(const std::string& id) {
    const catalog::System* found = nullptr;
    for (const auto* s : catalog_.all<catalog::System>()) {
      if (s->accelerator != id) continue;
      if (found == nullptr ||
          (s->form == catalog::SystemForm::server && found->form != catalog::SystemForm::server))
        found = s;
    }
    if (found != nullptr) {
      answer_.systems.push_back(found->id);
    } else if (catalog_.find<catalog::Accelerator>(id) == nullptr) {
      fail(shown("--accelerator"), "the catalogue has no accelerator '" + id + "'",
           did_you_mean(id, catalog_.ids(catalog::Accelerator::kind)));
    } else {
      fail(shown("--accelerator"), "no system of the catalogue holds " + id,
           "`headroom catalog system` lists them");
    }
  }

  void price() {
    if (!has("--price")) return;
    const auto& text = value("--price");
    const auto n = split_number(text);
    const std::string full = n && n->unit.empty() ? text + " USD/GPU/h" : text;
    double si = 0;
    std::string message, hint;
    if (spec::read_number(full, MoneyRate::dim, false, "USD/GPU/h", si, message, hint) && si >= 0) {
      answer_.price = {MoneyRate::from_si(si),
                       std::make_shared<Source>(Source{"user", "--price", "", "", Trust::user})};
      return;
    }
    if (message.empty()) message = "a price is not negative";
    fail(shown("--price"), message, hint);
  }

  // --- Without a file ---------------------------------------------------------------------

  void skeleton(spec::Node& root) {
    const std::string model = has("--model") ? value("--model") : "the model of --hf";
    put(root, "name", fmt::format("{}, inference", model));
    spec::Node& cluster = element(root, "clusters", cluster_name);
    put(cluster, "system", first_system());
    put(cluster, "count", "1");
    spec::Node& work = element(root, "workloads", work_name);
    put(work, "kind", "serve");
    put(work, "on", cluster_name);
    choose_model(work);
    put(root, "money.horizon", "4 yr");
    if (!has("--rate") && !has("--peak")) {
      fail("--rate", "how many requests a second?", "for example --rate 20/s");
      put(work, "traffic.rate", "1 request/s");
    }
  }

  std::string first_system() {
    if (!answer_.systems.empty()) return answer_.systems.front();
    if (!has("--system") && !has("--accelerator"))
      fail("--system", "which machine?",
           "for example --system dgx-h100 or --accelerator any; `headroom catalog system` lists "
           "them");
    return "dgx-h100";
  }

  void choose_model(spec::Node& work) {
    if (has("--hf") && has("--model"))
      fail(shown("--hf"), "contradicts " + shown("--model"), "give one of them");
    if (!has("--hf") && !has("--model"))
      fail("--model", "which model?",
           "for example --model llama-3.1-70b, or --hf config.json; `headroom catalog model` "
           "lists them");
    if (!has("--hf")) {
      if (!has("--model")) put(work, "model", "llama-3.1-8b");
      return;
    }
    const bool read = study::bring_model(brought_, value("--hf"), "from-hf", mistakes_);
    put(work, "model", read ? "from-hf" : "llama-3.1-8b");
  }

  // --- With a file ------------------------------------------------------------------------

  void not_with_a_file() {
    for (const char* name : {"--hf", "--system", "--accelerator", "--pue", "--gpus"})
      if (has(name))
        fail(shown(name), "the scenario describes the machine and brings its models",
             "change it there, or by --set clusters.NAME.system=ID");
  }

  // --- Both -------------------------------------------------------------------------------

  void place_options(spec::Node& root) {
    for (const auto& option : request_.options) {
      const auto* path = find(option.name);
      if (path == nullptr || path->place == OptionPlace::own) continue;
      if (path->place == OptionPlace::cluster && !request_.file.empty()) continue;
      std::string text = path->info.flag ? "true" : option.value;
      const auto n = split_number(text);
      if (n && !n->unit.empty() && n->unit.front() == '/')  // 20/s
        text = fmt::format("{} request{}", n->number, n->unit);
      else if (!path->unit.empty() && n && n->unit.empty())
        text += " " + std::string(path->unit);
      place(root, *path, text);
    }
  }

  void place(spec::Node& root, const OptionPath& path, const std::string& text) {
    switch (path.place) {
      case OptionPlace::own:
        return;
      case OptionPlace::root:
        return put(root, path.path, text);
      case OptionPlace::site:
        return put(root, "site." + std::string(path.path), text);
      case OptionPlace::money:
        return put(root, "money." + std::string(path.path), text);
      case OptionPlace::cluster:
        return put(element(root, "clusters", cluster_name), path.path, text);
      case OptionPlace::work:
        for (auto* work : serving(root)) put(*work, path.path, text);
    }
  }

  std::vector<spec::Node*> serving(spec::Node& root) const {
    std::vector<spec::Node*> out;
    spec::Node* list = root.get("workloads");
    if (list == nullptr) return out;
    const auto& wanted = request_.answer.workload;
    for (auto& work : list->items) {
      const spec::Node* kind = work.get("kind");
      const spec::Node* name = work.get("name");
      if (kind == nullptr || kind->text != "serve") continue;
      if (wanted.empty() || (name != nullptr && name->text == wanted)) out.push_back(&work);
    }
    return out;
  }

  /// A session's prompts grow by what is asked and answered; all but the newest part is cached.
  ///   mean prompt = q (k + 1) / 2 + a (k - 1) / 2,   cached = mean - q
  void session(spec::Node& root) {
    if (!has("--turns")) return;
    const double turns = number("--turns", 1, 1, 10000);
    if (has("--prefix-share"))
      fail(shown("--prefix-share"), "contradicts " + shown("--turns"),
           "turns say what is cached: all that came before");
    const auto tokens = [&](const char* name, double usual) {
      const auto n = has(name) ? split_number(value(name)) : std::nullopt;
      return n && n->number > 0 ? n->number : usual;
    };
    const double asked = tokens("--input", 1155), answered = tokens("--output", 211);
    const double mean = asked * (turns + 1) / 2 + answered * (turns - 1) / 2;
    for (auto* work : serving(root)) {
      put(*work, "traffic.input.mean", fmt::format("{} token", mean));
      put(*work, "traffic.prefix_share", fmt::format("{} %", 100 * (1 - asked / mean)));
    }
  }

  void speculation(spec::Node& root) {
    if (!has("--speculation")) return;
    if (value("--speculation") == "try") {
      answer_.try_speculation = true;
      return;
    }
    std::vector<double> parts;
    std::string text = value("--speculation");
    std::replace(text.begin(), text.end(), ':', ',');
    for (const auto& part : split(text)) {
      const auto n = split_number(part);
      if (!n || !n->unit.empty())
        parts.push_back(-1);
      else
        parts.push_back(n->number);
    }
    const bool good =
        !parts.empty() && parts.size() <= 3 && parts[0] >= 1 && parts[0] <= 16 &&
        parts[0] == std::floor(parts[0]) &&
        std::all_of(parts.begin() + 1, parts.end(), [](double x) { return x >= 0 && x <= 1; });
    if (!good) {
      fail(shown("--speculation"),
           "expected drafted tokens (1 to 16), acceptance and cost (0 to 1)",
           "for example 4:0.8:0.05, or try");
      return;
    }
    for (auto* work : serving(root)) {
      put(*work, "engine.speculation.length", fmt::format("{}", parts[0]));
      if (parts.size() > 1)
        put(*work, "engine.speculation.acceptance", fmt::format("{} %", 100 * parts[1]));
      if (parts.size() > 2)
        put(*work, "engine.speculation.draft_cost", fmt::format("{} %", 100 * parts[2]));
    }
  }

  /// Mistakes of the reader, each told with the option that it stands in.
  void take(const Diagnostics& found) {
    for (auto d : found.all()) {
      if (const auto* option = option_of(d.path)) {
        const std::string name(option->info.name);
        d.file = option->info.flag || !has(name.c_str()) ? name : shown(name.c_str());
        d.path.clear();
        d.line = d.column = 0;
      }
      mistakes_.add(std::move(d));
    }
  }

  static const OptionPath* find(std::string_view name) {
    for (const auto& p : infer_option_paths())
      if (p.info.name == name) return &p;
    return nullptr;
  }

  const OptionPath* option_of(const std::string& path) const {
    if (!request_.file.empty()) return nullptr;
    for (const auto& p : infer_option_paths()) {
      if (p.place == OptionPlace::own || !has(std::string(p.info.name).c_str())) continue;
      if (path == prefix(p.place) + std::string(p.path)) return &p;
    }
    return nullptr;
  }
  static std::string prefix(OptionPlace place) {
    if (place == OptionPlace::site) return "site.";
    if (place == OptionPlace::money) return "money.";
    if (place == OptionPlace::cluster) return fmt::format("clusters.{}.", cluster_name);
    if (place == OptionPlace::work) return fmt::format("workloads.{}.", work_name);
    return {};
  }

  const InferRequest& request_;
  const catalog::Catalog& catalog_;
  study::InferenceOptions answer_;
  std::map<std::string, std::string> given_;
  study::Loaded brought_;
  Diagnostics mistakes_;
};

}  // namespace

Result<study::InferenceAnswer> infer(const InferRequest& request) {
  auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  Diagnostics mistakes = study::check_options(request.answer, catalog->get());
  Builder builder(request, catalog->get());
  auto loaded = builder.build();
  if (!loaded) mistakes.add(loaded.error());
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return study::plan_inference(std::move(*loaded), catalog->get(), builder.answer());
}

}  // namespace headroom::api
