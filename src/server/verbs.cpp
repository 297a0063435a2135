#include "server/verbs.hpp"

#include <algorithm>
#include <cstdlib>

namespace headroom::server {
namespace {

constexpr int most_requests = 1'000'000;  // of a replay

constexpr std::string_view train_values =
    " --set --model --method --tokens --sequence --global-batch --precision --state --optimiser"
    " --lora-rank --lora-targets --finish-within --checkpoint-interval --gpus --system --gpu"
    " --domain --nic --oversubscription --gpu-mtbf --tp --pp --vpp --dp --cp --ep --micro-batch"
    " --zero --etp --hsdp --context --schedule --recompute-modules --recompute-layers"
    " --first-layers --last-layers --offload-activations --offload-optimiser --recompute"
    " --framework --mfu --software-efficiency --tensor-overlap --expert-overlap --imbalance"
    " --attention-rate --jitter --prompts --samples --prompt-length --response-length"
    " --response-cv --longest-response --updates --reward-model --environment-time --placement"
    " --generation-precision --generation-gpus --iterations --region --electricity --pue --price"
    " --as-of --workload --objective --top --flags ";
constexpr std::string_view train_flags =
    " --cuda-graphs --no-flash-attention --sync-checkpoints --no-reference --exhaustive --pareto"
    " --pipeline --ranks --no-advice --validate-domain ";

constexpr std::string_view infer_values =
    " --set --model --precision --kv-precision --rate --concurrency --peak --cv --input"
    " --input-p99 --output --output-p99 --trace --prefix-share --turns --slo-ttft --slo-tpot"
    " --slo-e2e --percentile --context --utilisation --tp --pp --ep --attention-dp"
    " --max-num-seqs --max-num-batched-tokens --gpu-memory-utilization --speculation --system"
    " --accelerator --gpus --region --electricity --pue --price --as-of --workload --objective"
    " --engine --top --compare --edge --flags --finalists --requests ";
constexpr std::string_view infer_flags =
    " --spare --disaggregated --pareto --no-engine --no-advice --validate-domain ";

// Without --fleet, --offline and --lengths, which name files; a synthetic load alone.
constexpr std::string_view replay_values =
    " --model --precision --kv-precision --system --accelerator --domain --mig --power-cap"
    " --power-caps --power-caps-every --tp --pp --ep --dp --engine --max-num-seqs"
    " --max-num-batched-tokens --max-model-len --gpu-memory-utilization --speculate --block-size"
    " --num-gpu-blocks-override --watermark --long-prefill-token-threshold --offload-cpu"
    " --offload-disk --max-loras --max-lora-rank --max-cpu-loras --replicas --routing"
    " --disaggregate --kv-link --max-in-flight --max-queue --offline-below --lose --mtbf --mttr"
    " --retries --autoscale --min-replicas --max-replicas --autoscale-target"
    " --autoscale-interval --autoscale-window --autoscale-idle --provisioning --engine-start"
    " --storage --slo-ttft --slo-tpot --slo-e2e --percentile --classes --ttft-from --tpot-over"
    " --rate-scale --limit --rate --region --pue --price --electricity --seed --requests"
    " --arrivals --duration --input --output --like --sessions --prefixes --adapters --diurnal"
    " --class --block-tokens ";
constexpr std::string_view replay_flags =
    " --no-prefix-cache --no-chunked-prefill --static --priorities --speculate-adaptive"
    " --reserve-full --async-scheduling ";

constexpr std::string_view facility_values =
    " --set --warmer --reclaimed --cap --resolution --lose --for --back --histories --sag --sample"
    " --seed ";
constexpr std::string_view facility_flags =
    " --year --chain --pairs --phases --availability --supply --transient --layout --gantt"
    " --by-weight ";
constexpr std::string_view facility_slow =
    " --pairs --phases --availability --supply --transient --resolution --lose ";

constexpr Verb table[] = {
    {.name = "check",
     .scenario = true,
     .needs_scenario = true,
     .document = true,
     .quick = true,
     .values = " --set ",
     .flags = " --ranges --all ",
     .slow = " --ranges "},
    {.name = "explain",
     .scenario = true,
     .needs_scenario = true,
     .words = 1,
     .quick = true,
     .values = " --set "},
    {.name = "schema", .catalog = false, .words = 1, .quick = true},
    {.name = "catalog", .document = true, .words = 2, .quick = true},
    {.name = "claims", .document = true, .catalog = false, .words = 1},
    {.name = "facility",
     .scenario = true,
     .needs_scenario = true,
     .document = true,
     .quick = true,
     .values = facility_values,
     .flags = facility_flags,
     .slow = facility_slow},
    {.name = "train",
     .scenario = true,
     .document = true,
     .threads = true,
     .values = train_values,
     .flags = train_flags},
    {.name = "infer",
     .scenario = true,
     .document = true,
     .threads = true,
     .values = infer_values,
     .flags = infer_flags},
    {.name = "replay",
     .document = true,
     .threads = true,
     .values = replay_values,
     .flags = replay_flags},
    {.name = "report",
     .scenario = true,
     .needs_scenario = true,
     .values = " --set --format ",
     .flags = " --full "},
};

bool holds(std::string_view words, const std::string& word) {
  return word.find(' ') == std::string::npos &&
         words.find(" " + word + " ") != std::string_view::npos;
}

std::vector<std::string> listed(std::string_view words) {
  std::vector<std::string> out;
  for (std::size_t at = words.find_first_not_of(' '); at != std::string_view::npos;
       at = words.find_first_not_of(' ', at)) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    out.emplace_back(words.substr(at, end - at));
    at = end;
  }
  return out;
}

std::string shown(const std::string& word) {
  return word.size() <= 80 ? word : word.substr(0, 80) + "...";
}

/// Reads the words after a verb.
class Reader {
 public:
  Reader(const Verb& verb, Command& out) : verb_(verb), out_(out) {}

  Diagnostics read(const std::vector<std::string>& options) {
    for (std::size_t i = 0; i < options.size(); ++i) {
      const std::string& word = options[i];
      if (word.find('\0') != std::string::npos) {
        fail(shown(word.substr(0, word.find('\0'))), "holds a NUL byte", "");
      } else if (!word.starts_with("-")) {
        own_.push_back(word);
      } else if (const auto equals = word.find('='); equals != std::string::npos) {
        value(word.substr(0, equals), word.substr(equals + 1));
      } else if (holds(verb_.flags, word)) {
        take(word, word);
      } else if (holds(verb_.values, word) && i + 1 < options.size()) {
        value(word, options[++i]);
      } else if (holds(verb_.values, word)) {
        fail(word, "needs a value", "");
      } else {
        unknown(word);
      }
    }
    for (std::size_t i = std::size_t(verb_.words); i < own_.size(); ++i)
      fail(shown(own_[i]), "is one word too many", "an option begins with --");
    return std::move(mistakes_);
  }
  const std::vector<std::string>& own() const { return own_; }

 private:
  void fail(std::string option, std::string message, std::string hint) {
    mistakes_.add({std::move(option), 0, 0, "", std::move(message), std::move(hint), ""});
  }
  void unknown(const std::string& word) {
    auto known = listed(verb_.values);
    for (auto& flag : listed(verb_.flags)) known.push_back(std::move(flag));
    fail(shown(word), "is no option of " + std::string(verb_.name) + " here",
         did_you_mean(shown(word), known));
  }
  void value(const std::string& name, const std::string& text) {
    if (!holds(verb_.values, name)) return unknown(name);
    take(name, name + "=" + text);
  }
  void take(const std::string& name, std::string word) {
    if (holds(verb_.slow, name)) out_.quick = false;
    out_.arguments.push_back(std::move(word));
  }

  const Verb& verb_;
  Command& out_;
  std::vector<std::string> own_;
  Diagnostics mistakes_;
};

/// A synthetic load is as long as its options say, and lies in memory: a request about 200 bytes.
void bound_requests(std::vector<std::string>& arguments, Diagnostics& mistakes) {
  constexpr std::string_view name = "--requests=";
  bool given = false;
  for (const auto& word : arguments) {
    if (!word.starts_with(name)) continue;
    given = true;
    const std::string text = word.substr(name.size());
    char* end = nullptr;
    const double requests = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || *end != '\0' || !(requests >= 0 && requests <= most_requests))
      mistakes.add({"--requests", 0, 0, "", "'" + shown(text) + "' is no number up to 1,000,000",
                    "the most that is replayed here; headroom replay takes more", ""});
  }
  if (!given) arguments.push_back(std::string(name) + std::to_string(most_requests));
}

}  // namespace

std::span<const Verb> verbs() { return table; }

Result<Command> command(const std::string& name, const std::vector<std::string>& options,
                        bool with_scenario, int threads, const std::string& catalog) {
  const auto verb = std::find_if(std::begin(table), std::end(table),
                                 [&](const Verb& v) { return v.name == name; });
  if (verb == std::end(table)) {
    std::vector<std::string> known;
    for (const auto& v : table) known.emplace_back(v.name);
    std::string hint = did_you_mean(shown(name), known);
    if (hint.empty())
      for (const auto& k : known) hint += (hint.empty() ? "there are: " : ", ") + k;
    return failure({"verb", 0, 0, "", "'" + shown(name) + "' is no verb here", hint, ""});
  }
  Command out;
  out.verb = &*verb;
  out.quick = verb->quick;
  out.arguments.emplace_back(verb->name);
  Reader reader(*verb, out);
  Diagnostics mistakes = reader.read(options);
  if (name == "replay") bound_requests(out.arguments, mistakes);
  if (verb->needs_scenario && !with_scenario)
    mistakes.add({"text", 0, 0, "", "which scenario?", "its YAML as text", ""});
  if (!mistakes.empty()) return failure(std::move(mistakes));
  if (verb->catalog && !catalog.empty()) out.arguments.push_back("--catalog=" + catalog);
  if (verb->document) out.arguments.emplace_back("--json");
  if (verb->threads && threads > 1) out.arguments.push_back("--threads=" + std::to_string(threads));
  out.arguments.emplace_back("--");  // what follows is no option, whatever it begins with
  if (verb->scenario && with_scenario) out.arguments.emplace_back("-");
  out.arguments.insert(out.arguments.end(), reader.own().begin(), reader.own().end());
  return out;
}

}  // namespace headroom::server
