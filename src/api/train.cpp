#include "api/train.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "api/catalogue.hpp"
#include "api/train_options.hpp"
#include "base/units.hpp"
#include "catalog/accelerator.hpp"
#include "spec/reader.hpp"

namespace headroom::api {
namespace {

constexpr const char* cluster_name = "gpus";
constexpr const char* work_name = "run";

/// Power of a whole server over that of its accelerators: 10.2 kW over 8 x 700 W, NVIDIA DGX
/// H100 user guide (2023). For accelerators given without a system.
constexpr double server_over_gpus = 1.82;
constexpr double usual_nic_gbit = 400;
constexpr int usual_domain = 8;

/// One request on its way to a scenario: collects every mistake.
class Builder {
 public:
  Builder(const TrainRequest& request, const catalog::Catalog& catalog)
      : request_(request), catalog_(catalog) {
    for (const auto& o : request.options) given_[o.name] = o.value;
  }

  Result<study::Loaded> build() {
    spec::Document document;
    if (request_.file.empty()) {
      document.file = std::make_shared<std::string>("command line");
      skeleton(document.root);
    } else if (auto read = spec::load_yaml(request_.file, mistakes_)) {
      document = std::move(*read);
      not_with_a_file();
    } else {
      return failure(std::move(mistakes_));
    }
    place_options(document);
    for (const auto& set : request_.sets) spec::apply_set(document, set, mistakes_);
    const double sequences = batch(document);
    auto loaded = study::read_scenario(document, std::move(brought_), catalog_);
    if (!loaded) take(loaded.error());
    if (!mistakes_.empty()) return failure(std::move(mistakes_));
    if (sequences > 0) study::set_batch_sequences(*loaded, catalog_, sequences);
    return loaded;
  }

 private:
  bool has(const char* name) const { return given_.count(name) > 0; }
  const std::string& value(const char* name) const { return given_.at(name); }
  void fail(std::string option, std::string message, std::string hint = {}) {
    mistakes_.add({std::move(option), 0, 0, "", std::move(message), std::move(hint), ""});
  }
  bool learns() const { return has("--method") && value("--method") == "rl"; }
  std::string shown(const char* name) const { return fmt::format("{} {}", name, value(name)); }

  // --- Without a file ---------------------------------------------------------------------

  void skeleton(spec::Node& root) {
    const double gpus = gpu_count();
    put(root, "name", title(gpus));
    spec::Node& cluster = element(root, "clusters", cluster_name);
    const int each = choose_machine(cluster);
    put(cluster, "count", fmt::format("{:.0f}", std::max(1.0, std::ceil(gpus / each))));
    spec::Node& work = element(root, "workloads", work_name);
    put(work, "kind", "train");
    put(work, "on", cluster_name);
    put(work, "gpus", fmt::format("{:.0f}", gpus));
    if (learns()) put_map(work, "rl");
    choose_model(work);
    put(root, "money.horizon", "4 yr");
    check_product(gpus);
  }

  std::string title(double gpus) const {
    const std::string model = has("--model") ? value("--model") : "the model of --hf";
    const std::string machine = has("--system") ? value("--system")
                                : has("--gpu")  ? value("--gpu")
                                                : "GPUs";
    return fmt::format("{} on {:.0f} GPUs ({})", model, gpus, machine);
  }

  double gpu_count() {
    if (!has("--gpus")) {
      fail("--gpus", "how many GPUs?", "for example --gpus 1024");
      return 1;
    }
    const auto n = split_number(value("--gpus"));
    constexpr double most = 8e6;
    if (n && (n->unit.empty() || n->unit == "GPU") && n->number >= 1 && n->number <= most &&
        n->number == std::floor(n->number))
      return n->number;
    fail(shown("--gpus"), fmt::format("expected a whole number of GPUs, 1 to {:.0f}", most));
    return 1;
  }

  /// The system's accelerators; makes one up from --gpu.
  int choose_machine(spec::Node& cluster) {
    if (has("--gpu") && has("--system"))
      fail(shown("--gpu"), "contradicts " + shown("--system"), "give one of them");
    for (const char* with : {"--domain", "--nic"})
      if (has(with) && !has("--gpu"))
        fail(shown(with), "describes the machine around --gpu",
             "a --system brings its own; change it with --gpu ID instead");
    if (has("--gpu")) return make_system(cluster);
    if (!has("--system")) {
      fail("--system", "which machine?",
           "for example --system dgx-h100, or --gpu h100-sxm --domain 8 --nic 400; "
           "`headroom catalog system` lists them");
      put(cluster, "system", "dgx-h100");
      return usual_domain;
    }
    const auto* system = catalog_.find<catalog::System>(value("--system"));
    return system != nullptr ? std::max(1, system->accelerators) : usual_domain;
  }

  int make_system(spec::Node& cluster) {
    put(cluster, "system", "from-options");
    const auto* gpu = catalog_.find<catalog::Accelerator>(value("--gpu"));
    if (gpu == nullptr)
      fail(shown("--gpu"), "the catalogue has no accelerator '" + value("--gpu") + "'",
           did_you_mean(value("--gpu"), catalog_.ids(catalog::Accelerator::kind)));
    const double domain = number("--domain", usual_domain, "GPU", 1, 1e5);
    const double nic = number("--nic", usual_nic_gbit, "Gb/s", 0.1, 1e5);
    auto system = std::make_unique<catalog::System>();
    const int each = std::max(usual_domain, static_cast<int>(domain));
    const auto source =
        std::make_shared<Source>(Source{"options", "--gpu, --domain, --nic", "", "", Trust::user});
    system->id = "from-options";
    system->name = fmt::format("{} in domains of {:.0f}, {:g} Gb/s a GPU",
                               gpu != nullptr ? gpu->name : "GPUs", domain, nic);
    system->accelerator = gpu != nullptr ? gpu->id : "h100-sxm";
    system->accelerators = each;
    system->form = each > usual_domain ? catalog::SystemForm::rack : catalog::SystemForm::server;
    system->rack_units = 8;
    system->max_per_rack = 1;
    system->compute_nics = {each, {nic * gigabit_per_second, source}};
    system->scale_up.domain = static_cast<int>(domain);
    if (gpu != nullptr && gpu->power.max)
      system->power.max = {gpu->power.max.get() * (each * server_over_gpus),
                           assumed("1.82 x the accelerators' power, as a DGX H100")};
    brought_.systems.push_back(std::move(system));
    return each;
  }

  double number(const char* name, double usual, const char* unit, double low, double high) {
    if (!has(name)) return usual;
    const auto n = split_number(value(name));
    const bool bare = n && (n->unit.empty() || n->unit == unit);
    if (bare && n->number >= low && n->number <= high) return n->number;
    fail(shown(name), fmt::format("expected a number of {}, {:g} to {:g}", unit, low, high));
    return usual;
  }

  void choose_model(spec::Node& work) {
    if (has("--hf") && has("--model"))
      fail(shown("--hf"), "contradicts " + shown("--model"), "give one of them");
    if (!has("--hf") && !has("--model"))
      fail("--model", "which model?",
           "for example --model llama-3.1-405b, or --hf config.json; "
           "`headroom catalog model` lists them");
    if (!has("--hf")) {
      if (!has("--model")) put(work, "model", "llama-3.1-8b");
      return;
    }
    const bool read = study::bring_model(brought_, value("--hf"), "from-hf", mistakes_);
    put(work, "model", read ? "from-hf" : "llama-3.1-8b");
  }

  /// All of tp, pp, dp (cp is 1 unless given) say how many GPUs there are.
  void check_product(double gpus) {
    double product = 1;
    std::string text;
    for (const char* dim : {"--tp", "--pp", "--cp", "--dp"}) {
      if (!has(dim) && std::string_view(dim) == "--cp") continue;
      const auto n = has(dim) ? split_number(value(dim)) : std::nullopt;
      if (!n || n->number < 1) return;
      product *= n->number;
      text += (text.empty() ? "" : " x ") + std::string(dim + 2) + " " + value(dim);
    }
    if (product == gpus || !has("--gpus")) return;
    const double inner = product / split_number(value("--dp"))->number;
    const double fit = std::floor(gpus / inner);
    fail("the plan", fmt::format("{} is {:.0f} GPUs, and --gpus says {:.0f}", text, product, gpus),
         fit >= 1
             ? fmt::format("--dp {:.0f} takes {:.0f}; or --gpus {:.0f}", fit, fit * inner, product)
             : fmt::format("--gpus {:.0f}, or smaller --tp, --pp or --cp", product));
  }

  // --- With a file ------------------------------------------------------------------------

  void not_with_a_file() {
    for (const char* name : {"--hf", "--gpu", "--domain", "--nic", "--system", "--oversubscription",
                             "--gpu-mtbf", "--pue"})
      if (has(name))
        fail(shown(name), "the scenario describes the machine and brings its models",
             "change it there, or by --set clusters.NAME.system=ID");
  }

  // --- Both -------------------------------------------------------------------------------

  void place_options(spec::Document& document) {
    for (const auto& option : request_.options) {
      const auto* path = find_option(option.name);
      if (path == nullptr || path->place == OptionPlace::own) continue;
      if (path->place == OptionPlace::cluster && !request_.file.empty()) continue;
      const bool of_rl = path->path.substr(0, 3) == "rl.";
      if (of_rl && !learns() && request_.file.empty()) {
        fail(shown(option.name.c_str()), "describes reinforcement learning", "add --method rl");
        continue;
      }
      std::string text = option.value;
      if (option.name == "--method" && learns()) text = "full-finetune";
      if (path->info.flag)
        text = path->info.name.find("no-") != std::string_view::npos ||
                       path->info.name.find("sync") != std::string_view::npos
                   ? "false"
                   : "true";
      const auto n = split_number(text);
      if (!path->unit.empty() && n && n->unit.empty()) text += " " + std::string(path->unit);
      place(document.root, *path, text);
    }
    if (!request_.file.empty() && has("--gpus"))
      place(document.root, {{}, OptionPlace::work, "gpus", ""}, value("--gpus"));
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
        for (auto* work : training(root)) put(*work, path.path, text);
    }
  }

  std::vector<spec::Node*> training(spec::Node& root) const {
    std::vector<spec::Node*> out;
    spec::Node* list = root.get("workloads");
    if (list == nullptr) return out;
    const auto& wanted = request_.answer.workload;
    for (auto& work : list->items) {
      const spec::Node* kind = work.get("kind");
      const spec::Node* name = work.get("name");
      if (kind != nullptr && kind->text != "train") continue;
      if (wanted.empty() || (name != nullptr && name->text == wanted)) out.push_back(&work);
    }
    return out;
  }

  /// Sequences of a step, or 0 when the batch is not given or given in tokens.
  double batch(spec::Document& document) {
    if (!has("--global-batch")) return 0;
    const auto n = split_number(value("--global-batch"));
    const auto is = [&](std::initializer_list<const char*> words) {
      return std::any_of(words.begin(), words.end(), [&](const char* w) { return n->unit == w; });
    };
    if (n && is({"", "sequence", "sequences", "seq", "samples"})) {
      if (n->number >= 1 && n->number == std::floor(n->number) && n->number <= 1e9)
        return n->number;
      fail(shown("--global-batch"), "expected a whole number of sequences, 1 to 1e9");
      return 0;
    }
    std::string text = value("--global-batch");
    if (n && is({"tokens"})) text = fmt::format("{} token", n->number);
    if (n && is({"M", "Mtokens"})) text = fmt::format("{} Mtoken", n->number);
    place(document.root, {{}, OptionPlace::work, "global_batch", ""}, text);
    return 0;
  }

  /// Mistakes of the reader, each told with the option that it stands in.
  void take(const Diagnostics& found) {
    for (auto d : found.all()) {
      if (const auto* option = option_of(d.path)) {
        const std::string name(option->info.name);
        d.file = option->info.flag || !has(name.c_str()) ? name : shown(name.c_str());
        d.path.clear();
        d.line = d.column = 0;
      } else if (d.path == fmt::format("workloads.{}.global_batch", work_name)) {
        d.file = shown("--global-batch"), d.path.clear();
      }
      mistakes_.add(std::move(d));
    }
  }

  const OptionPath* option_of(const std::string& path) const {
    if (!request_.file.empty()) return nullptr;
    for (const auto& p : option_paths()) {
      if (p.place == OptionPlace::own || !has(std::string(p.info.name).c_str())) continue;
      const std::string full = prefix(p.place) + std::string(p.path);
      if (path == full) return &p;
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

  const TrainRequest& request_;
  const catalog::Catalog& catalog_;
  std::map<std::string, std::string> given_;
  study::Loaded brought_;
  Diagnostics mistakes_;
};

/// The price of a GPU-hour, in USD where it has no unit.
bool read_price(const std::string& text, Value<MoneyRate>& price, Diagnostics& mistakes) {
  const auto n = split_number(text);
  const std::string full = n && n->unit.empty() ? text + " USD/GPU/h" : text;
  double si = 0;
  std::string message, hint;
  if (spec::read_number(full, MoneyRate::dim, false, "USD/GPU/h", si, message, hint) && si >= 0) {
    price = {MoneyRate::from_si(si),
             std::make_shared<Source>(Source{"user", "--price", "", "", Trust::user})};
    return true;
  }
  if (message.empty()) message = "a price is not negative";
  mistakes.add({"--price " + text, 0, 0, "", message, hint, ""});
  return false;
}

}  // namespace

Result<study::TrainingAnswer> train(const TrainRequest& request) {
  auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  auto options = request.answer;
  Diagnostics mistakes = study::check_options(options);
  for (const auto& o : request.options)
    if (o.name == "--price") read_price(o.value, options.price, mistakes);
  auto loaded = Builder(request, catalog->get()).build();
  if (!loaded) mistakes.add(loaded.error());
  if (!mistakes.empty()) return failure(std::move(mistakes));
  options.strict = true;
  return study::plan_training(*loaded, catalog->get(), options);
}

}  // namespace headroom::api
