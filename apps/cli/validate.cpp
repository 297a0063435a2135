// `headroom validate ...` and `headroom calibrate ...`: models against measured runs.
#include <CLI/CLI.hpp>

#include <map>
#include <memory>

#include "api/validation.hpp"
#include "common.hpp"
#include "watch.hpp"

namespace headroom::cli {
namespace {

using validation::InferBy;
using validation::TrainBy;

CLI::App* add_validate_train(CLI::App& validate, api::ValidateTrain& request, bool& raw) {
  auto* verb = validate.add_subcommand("train", "The training step against measured runs");
  verb->footer(
      "Examples:\n"
      "  headroom validate train measured.yaml vtrain_multi.csv\n"
      "  headroom validate train measured.yaml --no-calibration --by hardware\n"
      "  headroom validate train measured.yaml --leave-one-source-out --json");
  auto& o = request.options;
  verb->add_option("FILE", o.files,
                   "Rows: measured.yaml's layout (models, hw, rows), memory.yaml's, vTrain's CSV")
      ->required();
  verb->add_option(
          "--tier", o.tier,
          "Widest tier compared: A (configuration known), B (parts unknown), C (headlines)")
      ->check(CLI::IsMember({"A", "B", "C"}, CLI::ignore_case));
  verb->add_flag("--no-calibration", raw, "The raw model: no efficiency scalar");
  verb->add_flag("--leave-one-source-out", o.leave_source_out,
                 "Use nothing that was fitted from a row's own source");
  verb->add_option("--by", o.by, "Groups of the text table, e.g. model")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, TrainBy>{{"source", TrainBy::source},
                                                                 {"framework", TrainBy::framework},
                                                                 {"hardware", TrainBy::hardware},
                                                                 {"precision", TrainBy::precision},
                                                                 {"model", TrainBy::model}},
                                  CLI::ignore_case));
  verb->add_flag("--rows", o.all_rows, "Every row, not the 15 worst");
  verb->add_flag("--page", request.page, "The page docs/validation.md");
  add_catalog(*verb, o.catalog);
  verb->add_flag("--json", request.json, "For programs; field names are stable");
  add_quiet(*verb);
  return verb;
}

CLI::App* add_validate_infer(CLI::App& validate, api::ValidateInfer& request) {
  auto* verb = validate.add_subcommand("infer", "Serving against measured runs");
  verb->footer(
      "Examples:\n"
      "  headroom validate infer measured.yaml open_loop.yaml requests/RTXPRO6000_Qwen3-32B\n"
      "  headroom validate infer measured.yaml --leave-one-group-out --by engine\n"
      "  headroom validate infer measured.yaml --terms --json");
  auto& o = request.options;
  verb->add_option("FILE", o.files,
                   "measured.yaml's layout (rows), open_loop.yaml's (rows with stages), or folders "
                   "with meta.json, config.json and requests.jsonl.gz")
      ->required();
  auto* raw = verb->add_flag_callback(
      "--no-calibration", [&o] { o.mode = validation::InferMode::raw; },
      "The raw model: no calibration of any group");
  auto* half = verb->add_flag_callback(
      "--half", [&o] { o.mode = validation::InferMode::half; },
      "In-domain: half of each group calibrates, the other half is scored");
  auto* left = verb->add_flag_callback(
      "--leave-one-group-out", [&o] { o.mode = validation::InferMode::left_group; },
      "Use nothing that was fitted to a row's own (model, GPU, engine, precision)");
  raw->excludes(half)->excludes(left), half->excludes(left);
  verb->add_option("--by", o.by, "Groups of the text table, e.g. model")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, InferBy>{{"source", InferBy::source},
                                                                 {"model", InferBy::model},
                                                                 {"gpu", InferBy::gpu},
                                                                 {"engine", InferBy::engine},
                                                                 {"precision", InferBy::precision}},
                                  CLI::ignore_case));
  verb->add_flag("--rows", o.all_rows, "Every row, not the 15 worst");
  verb->add_flag("--page", request.page, "The page docs/validation-infer.md");
  verb->add_flag("--terms", o.terms, "With --json: the parts of each prediction");
  add_catalog(*verb, o.catalog);
  verb->add_flag("--json", request.json, "For programs; field names are stable");
  add_quiet(*verb);
  return verb;
}

CLI::App* add_validate_facility(CLI::App& validate, api::ValidateFacility& request) {
  auto* verb = validate.add_subcommand("facility", "Power and cooling against published figures");
  verb->footer(
      "Examples:\n"
      "  headroom validate facility\n"
      "  headroom validate facility --epw weather --json");
  verb->add_option(
      "--targets", request.options.targets,
      "Targets, e.g. mine.yaml; left out: data/validation/facility.yaml, which is built in");
  verb->add_option("--epw", request.options.epw,
                   "Folder of EPW files of the climates, e.g. weather/; left out: synthetic years")
      ->check(CLI::ExistingDirectory);
  verb->add_flag("--rows", request.options.all_rows, "Every row, not the 15 worst");
  verb->add_flag("--json", request.json, "For programs; field names are stable");
  add_quiet(*verb);
  return verb;
}

/// Options that describe the job of all logs, by the key of a measured row.
struct JobOption {
  const char* flag;
  const char* key;
  const char* doc;
};
constexpr JobOption job_options[] = {
    {"--model", "model", "Catalogue model, e.g. gpt-3-175b, or a Hugging Face config.json"},
    {"--system,--hw", "hw", "Catalogue system or accelerator, e.g. dgx-h100"},
    {"--gpus", "gpus", "GPUs of the job, e.g. 128"},
    {"--tp", "tp", "Tensor parallelism, e.g. 8"},
    {"--pp", "pp", "Pipeline stages, e.g. 8"},
    {"--vpp", "vpp", "Virtual stages on a pipeline rank, e.g. 6"},
    {"--cp", "cp", "Context parallelism, e.g. 2"},
    {"--ep", "ep", "Expert parallelism, e.g. 8"},
    {"--micro-batch", "mbs", "Sequences a micro-batch, e.g. 1"},
    {"--global-batch", "gbs", "Sequences a step, e.g. 2048; left out: what the log prints"},
    {"--sequence", "seq", "Tokens a sequence, e.g. 4096"},
    {"--precision", "prec", "bf16 (default), fp16, fp8, mxfp8, nvfp4"},
    {"--zero", "zero", "0 replicated, 1 optimiser, 2 gradients, 3 FSDP"},
    {"--recompute", "recompute", "none, selective, selective:[moe_act], full"},
};

/// Options that describe the deployment of all result files.
constexpr JobOption deployment_options[] = {
    {"--model", "model",
     "Catalogue model or Hugging Face id, e.g. llama-3.1-70b; left out: as the files say"},
    {"--gpu,--hw", "gpu", "Accelerator, e.g. h100-sxm"},
    {"--tp", "tp", "Tensor parallelism, e.g. 8"},
    {"--ep", "ep", "Expert parallelism, e.g. 8"},
    {"--attention-dp", "attention_dp", "Data-parallel attention ranks, e.g. 8"},
    {"--precision", "precision", "bf16, fp8, nvfp4, int4-awq, ..."},
    {"--engine", "engine", "vllm (default), tensorrt-llm, sglang"},
    {"--engine-version", "version", "Version of the engine, e.g. 0.12.0"},
    {"--max-num-seqs", "max_num_seqs", "Most sequences of a step, e.g. 256"},
    {"--max-num-batched-tokens", "max_num_batched_tokens", "Token budget of a step, e.g. 8192"},
};

CLI::App* add_calibrate_infer(CLI::App& calibrate, api::CalibrateInfer& request) {
  auto* verb =
      calibrate.add_subcommand("infer", "Host and scale terms from your own serving benchmarks");
  verb->footer(
      "Examples:\n"
      "  headroom calibrate infer c1.json c16.json c64.json --gpu h100 --tp 4 --precision fp8\n"
      "  headroom calibrate infer benchmarks.json --model llama-3.1-70b --gpu h200-sxm --tp 2\n"
      "  headroom calibrate infer a.json@tp=1 b.json@tp=4 --gpu l40s --json");
  auto& o = request.options;
  verb->add_option("RESULT", o.files,
                   "Results of vllm bench serve, GuideLLM or AIPerf; RESULT@tp=4,precision=fp8 "
                   "says what differs")
      ->required();
  for (const auto& option : deployment_options)
    verb->add_option_function<std::string>(
        option.flag, [&o, key = option.key](const std::string& v) { o.job.set(key, v); },
        option.doc);
  add_catalog(*verb, request.catalog);
  verb->add_flag("--json", request.json, "For programs; field names are stable");
  add_quiet(*verb);
  return verb;
}

CLI::App* add_calibrate_train(CLI::App& calibrate, api::CalibrateTrain& request) {
  auto* verb = calibrate.add_subcommand("train", "A site's scalar from its own training logs");
  verb->footer(
      "Examples:\n"
      "  headroom calibrate train run.log --model gpt3-175b --system dgx-h100 --gpus 128 --tp 4\n"
      "      --pp 8 --vpp 6 --micro-batch 1 --sequence 2048 --precision fp8\n"
      "  headroom calibrate train a.log b.log@tp=8,pp=4 --scenario scenarios/llama3-405b.yaml");
  auto& o = request.options;
  verb->add_option("LOG", o.logs,
                   "Logs of Megatron-LM, NeMo or torchtitan; LOG@tp=4,pp=2 says what differs")
      ->required();
  for (const auto& option : job_options)
    verb->add_option_function<std::string>(
        option.flag, [&o, key = option.key](const std::string& v) { o.job.set(key, v); },
        option.doc);
  verb->add_option("--framework", o.framework,
                   "Catalogue training-software, e.g. megatron-core; left out: by the log");
  verb->add_option("--scenario", request.scenario,
                   "Scenario whose training workload is the job, e.g. scenarios/llama3-405b.yaml");
  verb->add_option("--workload", request.workload,
                   "Which training workload of the scenario, e.g. pretrain");
  add_catalog(*verb, request.catalog);
  verb->add_flag("--json", request.json, "For programs; field names are stable");
  add_quiet(*verb);
  return verb;
}

}  // namespace

Run add_validation_verbs(CLI::App& app) {
  auto* validate = app.add_subcommand("validate", "Predicted against measured, with error bars");
  validate->require_subcommand(1);
  const auto request = std::make_shared<api::ValidateTrain>();
  const auto raw = std::make_shared<bool>(false);
  auto* train = add_validate_train(*validate, *request, *raw);
  const auto serving = std::make_shared<api::ValidateInfer>();
  auto* infer = add_validate_infer(*validate, *serving);
  const auto site_facts = std::make_shared<api::ValidateFacility>();
  auto* facility = add_validate_facility(*validate, *site_facts);
  auto* calibrate = app.add_subcommand("calibrate", "Fit the model to your own machines");
  calibrate->require_subcommand(1);
  const auto results = std::make_shared<api::CalibrateInfer>();
  auto* serving_site = add_calibrate_infer(*calibrate, *results);
  const auto site = std::make_shared<api::CalibrateTrain>();
  auto* logs = add_calibrate_train(*calibrate, *site);
  return [=]() -> std::optional<int> {
    if (*serving_site) return finish(api::calibrate_infer(*results), results->json);
    if (*logs) return finish(api::calibrate_train(*site), site->json);
    if (*facility) return finish(api::validate_facility(*site_facts), site_facts->json);
    serving->options.progress = request->options.progress = Watched::current();
    if (*infer) return finish(api::validate_infer(*serving), serving->json);
    if (!*train) return std::nullopt;
    request->options.calibration = !*raw;
    return finish(api::validate_train(*request), request->json);
  };
}

}  // namespace headroom::cli
