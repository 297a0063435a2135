#include "api/infer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/catalogue.hpp"
#include "api/infer_options.hpp"
#include "api/stoppable.hpp"
#include "base/units.hpp"
#include "catalog/accelerator.hpp"
#include "spec/reader.hpp"

namespace headroom::api {
namespace {

constexpr const char* cluster_name = "gpus";
constexpr const char* work_name = "serve";

/// One request on its way to a scenario: collects every mistake.
class Builder {
 public:
  Builder(const InferRequest& request, const catalog::Catalog& catalog)
      : request_(request),
        catalog_(catalog),
        in_(request.options, mistakes_),
        scenario_(infer_option_paths(), in_, {request.file, "serve", request.answer.workload},
                  mistakes_),
        answer_(request.answer) {}

  Result<study::Loaded> build() {
    answer_.free_size = !scenario_.from_file();
    formats();
    machines();
    in_.price("--price", answer_.price);
    sweep();
    auto document = scenario_.open();
    if (!document) return failure(std::move(mistakes_));
    auto& root = document->root;
    if (scenario_.from_file())
      change(root);
    else
      skeleton(root);
    scenario_.place(root, [&](const OptionPath& path, std::string text) {
      const bool swept = path.info.name == "--rate" && !sweep_.rates_s.empty();
      return swept ? fmt::format("{:.17g} request/s", sweep_.most()) : text;
    });
    session(root);
    speculation(root);
    for (const auto& set : request_.sets) spec::apply_set(*document, set, mistakes_);
    auto loaded = study::read_scenario(*document, std::move(brought_), catalog_);
    if (!loaded) scenario_.take(loaded.error());
    if (!mistakes_.empty()) return failure(std::move(mistakes_));
    return loaded;
  }
  const study::InferenceOptions& answer() const { return answer_; }
  const study::Sweep& asked_sweep() const { return sweep_; }

 private:
  bool has(const char* name) const { return in_.has(name); }
  const std::string& value(const char* name) const { return in_.value(name); }
  std::string shown(const char* name) const { return in_.shown(name); }
  void fail(std::string option, std::string message, std::string hint = {}) {
    in_.fail(std::move(option), std::move(message), std::move(hint));
  }

  // --- What is no path of a scenario ------------------------------------------------------

  void formats() {
    answer_.weights = in_.formats("--precision");
    if (has("--kv-precision") && value("--kv-precision") != "auto")
      answer_.kv = in_.formats("--kv-precision");
    for (const auto p : answer_.kv)
      if (element_bits(p) > 16 || element_bits(p) < 4 || p == Precision::int4)
        fail(shown("--kv-precision"), fmt::format("no engine keeps its KV cache in {}", name(p)),
             "bf16, fp16, fp8, int8 or nvfp4");
  }

  void machines() {
    answer_.gpus_had = in_.count("--gpus", 0, 1, 8e6, "GPUs");
    in_.contradiction("--accelerator", "--system");
    if (has("--system")) answer_.systems = in_.entries("--system", catalog_, catalog::System::kind);
    if (!has("--accelerator")) return;
    answer_.any_accelerator = value("--accelerator") == "any";
    if (answer_.any_accelerator) return;
    for (const auto& id : in_.entries("--accelerator", catalog_, catalog::Accelerator::kind))
      accelerator(id);
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
    if (found != nullptr)
      answer_.systems.push_back(found->id);
    else
      fail(shown("--accelerator"), "no system of the catalogue holds " + id,
           "`headroom catalog system` lists them");
  }

  /// Points of a curve in place of one load.
  void sweep() {
    if (has("--rate") && split(value("--rate")).size() > 1) sweep_.rates_s = in_.rates("--rate");
    if (has("--concurrency"))
      for (const auto& word : split(value("--concurrency"))) {
        const auto n = split_number(word);
        constexpr double most = 1e7;
        if (n && n->unit.empty() && n->number >= 1 && n->number <= most &&
            n->number == std::floor(n->number))
          sweep_.concurrency.push_back(n->number);
        else
          fail(shown("--concurrency"), fmt::format("'{}' is no number of requests in flight", word),
               "whole numbers from 1 on, for example 32 or 1,4,16,64");
      }
    in_.contradiction("--concurrency", "--rate", "a closed loop has no rate of its own");
    if (!wants_sweep()) return;
    for (const char* name : {"--peak", "--spare", "--utilisation"})
      if (has(name))
        fail(name, "sizes a fleet for a peak, and a sweep loads a fleet as it is",
             "leave it out, or give one --rate");
    const auto& a = request_.answer;
    for (const auto& [name, given] :
         {std::pair("--disaggregated", a.disaggregated), std::pair("--pareto", a.front),
          std::pair("--compare", !a.compare.empty()), std::pair("--edge", !a.edge.empty()),
          std::pair("--flags", !a.launchers.empty())})
      if (given)
        fail(name, "belongs to a fleet sized for one load, and a sweep has several",
             "leave it out, or give one --rate");
  }
  bool wants_sweep() const { return has("--concurrency") || !sweep_.rates_s.empty(); }

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
    scenario_.model(root, brought_, "llama-3.1-70b");
    put(root, "money.horizon", "4 yr");
    if (has("--rate") || has("--peak")) return;
    if (!has("--concurrency"))
      fail("--rate", "how many requests a second?",
           "for example --rate 20/s, or --concurrency 32 for so many in flight");
    put(work, "traffic.rate", "1 request/s");  // a closed loop has its own
  }

  std::string first_system() {
    if (!answer_.systems.empty()) return answer_.systems.front();
    if (!has("--system") && !has("--accelerator"))
      fail("--system", "which machine?",
           "for example --system dgx-h100 or --accelerator any; `headroom catalog system` lists "
           "them");
    return "dgx-h100";
  }

  // --- With a file ------------------------------------------------------------------------

  bool other_machine() const { return has("--system") || has("--accelerator"); }

  /// What of the machine and the model stands in no path of the table.
  void change(spec::Node& root) {
    scenario_.model(root, brought_, "llama-3.1-70b");
    if (has("--gpus") && !other_machine() && !wants_sweep()) {
      for (auto* work : scenario_.works(root))
        put(*work, "gpus", fmt::format("{:.0f}", answer_.gpus_had));
      answer_.gpus_had = 0;
    }
    if (other_machine()) replace_others(root);
  }

  /// Retrieval, embedding, pictures: no search chooses their machine, the option names it.
  void replace_others(spec::Node& root) {
    for (const auto kind : study::work_kind_names()) {
      if (kind == "serve" || kind == "train") continue;
      ScenarioOptions other(infer_option_paths(), in_,
                            {request_.file, std::string(kind), request_.answer.workload},
                            mistakes_);
      const auto clusters = other.clusters(root);
      if (clusters.empty()) continue;
      if (answer_.systems.size() == 1)
        for (auto* cluster : clusters) put(*cluster, "system", answer_.systems.front());
      else if (scenario_.works(root).empty())
        fail(shown(has("--system") ? "--system" : "--accelerator"),
             fmt::format("only language models are searched over several machines, and this "
                         "workload is {}",
                         kind),
             "name one system");
    }
  }

  // --- Both -------------------------------------------------------------------------------

  /// A session's prompts grow by what is asked and answered; all but the newest part is cached.
  ///   mean prompt = q (k + 1) / 2 + a (k - 1) / 2,   cached = mean - q
  void session(spec::Node& root) {
    if (!has("--turns")) return;
    const double turns = in_.count("--turns", 1, 1, 10000);
    in_.contradiction("--prefix-share", "--turns",
                      "turns say what is cached: all that came before");
    const auto tokens = [&](const char* name, double usual) {
      const auto n = has(name) ? split_number(value(name)) : std::nullopt;
      return n && n->number > 0 ? n->number : usual;
    };
    const double asked = tokens("--input", 1155), answered = tokens("--output", 211);
    const double mean = asked * (turns + 1) / 2 + answered * (turns - 1) / 2;
    for (auto* work : scenario_.works(root)) {
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
    const auto parts = in_.parts("--speculation");
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
    for (auto* work : scenario_.works(root)) {
      put(*work, "engine.speculation.length", fmt::format("{}", parts[0]));
      if (parts.size() > 1)
        put(*work, "engine.speculation.acceptance", fmt::format("{} %", 100 * parts[1]));
      if (parts.size() > 2)
        put(*work, "engine.speculation.draft_cost", fmt::format("{} %", 100 * parts[2]));
    }
  }

  const InferRequest& request_;
  const catalog::Catalog& catalog_;
  Diagnostics mistakes_;
  OptionReader in_;
  ScenarioOptions scenario_;
  study::InferenceOptions answer_;
  study::Sweep sweep_;
  study::Loaded brought_;
};

/// A request read: its scenario, and what of the options is none of it.
struct Read {
  study::Loaded loaded;
  study::InferenceOptions answer;
  study::Sweep sweep;
};

Result<Read> read(const InferRequest& request, const catalog::Catalog& catalog) {
  Diagnostics mistakes = study::check_options(request.answer, catalog);
  Builder builder(request, catalog);
  auto loaded = builder.build();
  if (!loaded) mistakes.add(loaded.error());
  if (!mistakes.empty()) return failure(std::move(mistakes));
  return Read{std::move(*loaded), builder.answer(), builder.asked_sweep()};
}

}  // namespace

bool wants_curve(const InferRequest& request) {
  return std::any_of(request.options.begin(), request.options.end(), [](const Option& o) {
    return o.name == "--concurrency" || (o.name == "--rate" && split(o.value).size() > 1);
  });
}

Result<study::InferenceAnswer> infer(const InferRequest& request) {
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  auto r = read(request, catalog->get());
  if (!r) return failure(r.error());
  return stoppable(
      [&] { return study::plan_inference(std::move(r->loaded), catalog->get(), r->answer); });
}

Result<study::CurveAnswer> infer_curve(const InferRequest& request) {
  const auto catalog = catalogue(request.catalog);
  if (!catalog) return failure(catalog.error());
  auto r = read(request, catalog->get());
  if (!r) return failure(r.error());
  return stoppable([&] {
    return study::inference_curves(std::move(r->loaded), catalog->get(), r->answer, r->sweep);
  });
}

}  // namespace headroom::api
