#include "api/train.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/catalogue.hpp"
#include "api/stoppable.hpp"
#include "api/train_options.hpp"
#include "base/units.hpp"
#include "catalog/accelerator.hpp"
#include "spec/reader.hpp"

namespace headroom::api {
namespace {

constexpr const char* cluster_name = "gpus";
constexpr const char* work_name = "run";
constexpr const char* made_system = "from-options";

/// Power of a whole server over that of its accelerators: 10.2 kW over 8 x 700 W, NVIDIA DGX
/// H100 user guide (2023). For accelerators given without a system.
constexpr double server_over_gpus = 1.82;
constexpr double usual_nic_gbit = 400;
constexpr int usual_domain = 8;

/// One request on its way to a scenario: collects every mistake.
class Builder {
 public:
  Builder(const TrainRequest& request, const catalog::Catalog& catalog)
      : request_(request),
        catalog_(catalog),
        in_(request.options, mistakes_),
        scenario_(train_option_paths(), in_, {request.file, "train", request.answer.workload},
                  mistakes_) {}

  /// The scenario, and what of the options is none of it in `answer`.
  Result<study::Loaded> build(study::TrainingOptions& answer) {
    in_.price("--price", answer.price);
    auto document = scenario_.open();
    if (!document) return failure(std::move(mistakes_));
    if (scenario_.from_file())
      change(document->root);
    else
      skeleton(document->root);
    scenario_.place(document->root, [&](const OptionPath& p, std::string t) { return text(p, t); });
    for (const auto& set : request_.sets) spec::apply_set(*document, set, mistakes_);
    const double sequences = batch(*document);
    auto loaded = study::read_scenario(*document, std::move(brought_), catalog_);
    if (!loaded) scenario_.take(loaded.error());
    if (!mistakes_.empty()) return failure(std::move(mistakes_));
    if (sequences > 0) study::set_batch_sequences(*loaded, catalog_, sequences);
    return loaded;
  }

 private:
  bool has(const char* name) const { return in_.has(name); }
  const std::string& value(const char* name) const { return in_.value(name); }
  std::string shown(const char* name) const { return in_.shown(name); }
  void fail(std::string option, std::string message, std::string hint = {}) {
    in_.fail(std::move(option), std::move(message), std::move(hint));
  }
  bool learns() const { return has("--method") && value("--method") == "rl"; }

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
    scenario_.model(root, brought_, "llama-3.1-405b");
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
    if (!has("--gpus")) fail("--gpus", "how many GPUs?", "for example --gpus 1024");
    return in_.count("--gpus", 1, 1, 8e6, "GPUs");
  }

  /// What of --gpu, --domain, --nic and --system does not go together.
  void machine_options() {
    in_.contradiction("--gpu", "--system");
    for (const char* with : {"--domain", "--nic"})
      if (has(with) && !has("--gpu"))
        fail(shown(with), "describes the machine around --gpu",
             "a --system brings its own; change it with --gpu ID instead");
  }

  /// The system's accelerators; makes one up from --gpu.
  int choose_machine(spec::Node& cluster) {
    machine_options();
    if (has("--gpu")) {
      put(cluster, "system", made_system);
      return make_system();
    }
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

  int make_system() {
    in_.entries("--gpu", catalog_, catalog::Accelerator::kind);
    const auto* gpu = catalog_.find<catalog::Accelerator>(value("--gpu"));
    const double domain = number("--domain", usual_domain, "GPU", 1, 1e5);
    const double nic = number("--nic", usual_nic_gbit, "Gb/s", 0.1, 1e5);
    auto system = std::make_unique<catalog::System>();
    const int each = std::max(usual_domain, static_cast<int>(domain));
    const auto source =
        std::make_shared<Source>(Source{"options", "--gpu, --domain, --nic", "", "", Trust::user});
    system->id = made_system;
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

  /// What of the machine and the model stands in no path of the table.
  void change(spec::Node& root) {
    scenario_.model(root, brought_, "llama-3.1-405b");
    machine_options();
    if (has("--gpu")) {
      make_system();
      for (auto* cluster : scenario_.clusters(root)) put(*cluster, "system", made_system);
    }
    for (auto* work : scenario_.works(root)) {
      if (learns()) put_map(*work, "rl");
      if (has("--gpus")) put(*work, "gpus", fmt::format("{:.0f}", gpu_count()));
    }
  }

  // --- Both -------------------------------------------------------------------------------

  std::optional<std::string> text(const OptionPath& path, std::string given) {
    const std::string name(path.info.name);
    if (path.path.starts_with("rl.") && !learns() && !scenario_.from_file()) {
      fail(in_.shown(name), "describes reinforcement learning", "add --method rl");
      return std::nullopt;
    }
    return name == "--method" && learns() ? "full-finetune" : given;
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
    scenario_.place(document.root, {{"--global-batch", {}, {}}, OptionPlace::work, "global_batch"},
                    text);
    return 0;
  }

  const TrainRequest& request_;
  const catalog::Catalog& catalog_;
  Diagnostics mistakes_;
  OptionReader in_;
  ScenarioOptions scenario_;
  study::Loaded brought_;
};

}  // namespace

Result<study::TrainingAnswer> train(const TrainRequest& request) {
  auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  auto options = request.answer;
  Diagnostics mistakes = study::check_options(options);
  auto loaded = Builder(request, catalog->get()).build(options);
  if (!loaded) mistakes.add(loaded.error());
  if (!mistakes.empty()) return failure(std::move(mistakes));
  options.strict = true;
  return stoppable([&] { return study::plan_training(*loaded, catalog->get(), options); });
}

}  // namespace headroom::api
