#include "infer/launch.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/quantity.hpp"

namespace headroom::infer {

namespace {

constexpr std::array<std::string_view, 4> names{"vllm", "trtllm", "sglang", "k8s"};

enum class Role : unsigned char { all, prefill, decode };

/// One argument a line, joined as a shell or a YAML list wants it.
using Arguments = std::vector<std::string>;

struct Job {
  const catalog::Model& model;
  const Device& device;
  const Candidate& c;
  const LaunchSettings& settings;
  std::vector<std::string>& cannot;

  const Pool& pool(Role role) const { return role == Role::prefill ? c.prefill : c.serve; }
  long longest() const {
    return std::lround(settings.longest > 0 ? settings.longest : model.context);
  }
  /// Weights that are not what the publisher ships.
  bool converted() const {
    return c.serve.layout.weights != model.weights && element_bits(c.serve.layout.weights) < 16;
  }
};

std::string share(double x) { return fmt::format("{:.2f}", x); }
long whole(double x) { return std::lround(x); }

void note_weights(const Job& j) {
  const auto w = j.c.serve.layout.weights;
  if (!j.converted() || w == Precision::fp8 || w == Precision::mxfp8) return;
  j.cannot.push_back(
      fmt::format("{} weights must be in the checkpoint: set MODEL to one of {} "
                  "that was quantised so",
                  name(w), j.model.name));
}

/// On-line conversion of 16-bit weights; other formats come with the checkpoint.
const char* online(const Job& j) {
  const auto w = j.c.serve.layout.weights;
  return j.converted() && (w == Precision::fp8 || w == Precision::mxfp8) ? "fp8" : nullptr;
}

bool narrow_kv(const Pool& p) { return element_bits(p.layout.kv) <= 8; }

// --- vLLM -------------------------------------------------------------------------------

Arguments vllm_arguments(const Job& j, Role role) {
  const Pool& p = j.pool(role);
  const auto& l = p.limits;
  Arguments a{fmt::format("--tensor-parallel-size {}", p.layout.tp)};
  if (p.layout.pp > 1) a.push_back(fmt::format("--pipeline-parallel-size {}", p.layout.pp));
  if (p.layout.attention_dp > 1)
    a.push_back(fmt::format("--data-parallel-size {}", p.layout.attention_dp));
  if (p.layout.ep > 1) a.emplace_back("--enable-expert-parallel");
  if (const char* q = online(j)) a.push_back(fmt::format("--quantization {}", q));
  if (narrow_kv(p)) a.emplace_back("--kv-cache-dtype fp8");
  a.push_back(fmt::format("--max-model-len {}", j.longest()));
  a.push_back(fmt::format("--max-num-seqs {}", whole(l.max_batch)));
  a.push_back(fmt::format("--max-num-batched-tokens {}", whole(l.budget)));
  a.push_back(fmt::format("--gpu-memory-utilization {}", share(l.memory_share)));
  a.emplace_back(j.settings.prefix_cache ? "--enable-prefix-caching"
                                         : "--no-enable-prefix-caching");
  if (l.speculation > 0 && role != Role::prefill)
    a.push_back(
        fmt::format("--speculative-config '{{\"method\": \"eagle3\", \"model\": "
                    "\"'$DRAFT'\", \"num_speculative_tokens\": {}}}'",
                    whole(l.speculation)));
  if (role != Role::all)
    a.push_back(
        fmt::format("--kv-transfer-config '{{\"kv_connector\": \"NixlConnector\", "
                    "\"kv_role\": \"{}\"}}'",
                    role == Role::prefill ? "kv_producer" : "kv_consumer"));
  return a;
}

std::string command(const std::string& head, const Arguments& a) {
  std::string out = head;
  for (const auto& x : a) out += " \\\n    " + x;
  return out + "\n";
}

/// The repository of the published weights, or the catalogue's id where none is known.
const std::string& repository(const Job& j) {
  return j.model.hugging_face.empty() ? j.model.id : j.model.hugging_face;
}

std::string variables(const Job& j) {
  std::string out = fmt::format("MODEL={}  # {}\n", repository(j),
                                j.model.hugging_face.empty()
                                    ? "replace by the path of your weights of " + j.model.name
                                    : "Hugging Face; or the path of your weights");
  if (j.c.serve.limits.speculation > 0) out += "DRAFT=eagle3-head  # name or path of the draft\n";
  return out;
}

std::string fleet_line(const Job& j) {
  const auto gpus = [](const Pool& p) {
    return fmt::format("{} x {} GPU{}", whole(p.replicas), p.layout.gpus(),
                       p.layout.gpus() > 1 ? "s" : "");
  };
  if (!j.c.disaggregated)
    return fmt::format("# replicas behind one balancer: {}, on {}\n", gpus(j.c.serve),
                       j.device.name);
  return fmt::format("# prefill: {}; decode: {}; on {}\n", gpus(j.c.prefill), gpus(j.c.serve),
                     j.device.name);
}

/// The command of every role, one after the other.
template <class Head, class Args>
std::string commands(const Job& j, Head head, Args args) {
  std::string out = fleet_line(j) + variables(j);
  if (!j.c.disaggregated) return out + command(head(Role::all), args(j, Role::all));
  out += "# prefill\n" + command(head(Role::prefill), args(j, Role::prefill));
  return out + "# decode\n" + command(head(Role::decode), args(j, Role::decode));
}

LaunchText vllm(const Job& j) {
  LaunchText t{Launcher::vllm, "vLLM (vllm serve, V1 engine)", {}, {}};
  t.text = commands(
      j, [](Role) { return std::string("vllm serve \"$MODEL\""); }, vllm_arguments);
  if (j.c.disaggregated)
    j.cannot.emplace_back(
        "requests go through a router that sends each first to prefill, then to decode (llm-d, "
        "the Production Stack or Dynamo); `vllm serve` has none of its own");
  return t;
}

// --- SGLang -----------------------------------------------------------------------------

Arguments sglang_arguments(const Job& j, Role role) {
  const Pool& p = j.pool(role);
  const auto& l = p.limits;
  // SGLang counts attention's replicas inside its tensor degree.
  Arguments a{"--model-path \"$MODEL\"", fmt::format("--tp-size {}", p.layout.stage_ranks())};
  if (p.layout.attention_dp > 1) {
    a.push_back(fmt::format("--dp-size {}", p.layout.attention_dp));
    a.emplace_back("--enable-dp-attention");
  }
  if (p.layout.ep > 1) a.push_back(fmt::format("--ep-size {}", p.layout.ep));
  if (p.layout.pp > 1) a.push_back(fmt::format("--pp-size {}", p.layout.pp));
  if (const char* q = online(j)) a.push_back(fmt::format("--quantization {}", q));
  if (narrow_kv(p)) a.emplace_back("--kv-cache-dtype fp8_e4m3");
  a.push_back(fmt::format("--context-length {}", j.longest()));
  a.push_back(fmt::format("--max-running-requests {}", whole(l.max_batch)));
  a.push_back(fmt::format("--chunked-prefill-size {}", whole(l.budget)));
  a.push_back(fmt::format("--mem-fraction-static {}", share(l.memory_share)));
  if (role == Role::all) a.emplace_back("--enable-mixed-chunk");
  if (!j.settings.prefix_cache) a.emplace_back("--disable-radix-cache");
  if (l.speculation > 0 && role != Role::prefill) {
    a.emplace_back("--speculative-algorithm EAGLE3");
    a.emplace_back("--speculative-draft-model-path \"$DRAFT\"");
    a.push_back(fmt::format("--speculative-num-steps {}", whole(l.speculation)));
    a.emplace_back("--speculative-eagle-topk 1");
    a.push_back(fmt::format("--speculative-num-draft-tokens {}", whole(l.speculation) + 1));
  }
  if (role != Role::all)
    a.push_back(
        fmt::format("--disaggregation-mode {}", role == Role::prefill ? "prefill" : "decode"));
  return a;
}

LaunchText sglang(const Job& j) {
  LaunchText t{Launcher::sglang, "SGLang (python -m sglang.launch_server)", {}, {}};
  t.text = commands(
      j, [](Role) { return std::string("python -m sglang.launch_server"); }, sglang_arguments);
  if (j.c.disaggregated)
    t.text +=
        "# router\npython -m sglang_router.launch_router --pd-disaggregation \\\n"
        "    --prefill http://PREFILL:30000 --decode http://DECODE:30000\n";
  j.cannot.emplace_back(
      "--mem-fraction-static counts weights and KV cache only, where vLLM's share counts "
      "activations too: lower it if the server runs out of memory");
  return t;
}

// --- TensorRT-LLM -----------------------------------------------------------------------

Arguments trtllm_arguments(const Job& j, Role role) {
  const Pool& p = j.pool(role);
  const auto& l = p.limits;
  // TensorRT-LLM, too, counts attention's replicas inside its tensor degree.
  Arguments a{"--backend pytorch", fmt::format("--tp_size {}", p.layout.stage_ranks())};
  if (p.layout.ep > 1) a.push_back(fmt::format("--ep_size {}", p.layout.ep));
  if (p.layout.pp > 1) a.push_back(fmt::format("--pp_size {}", p.layout.pp));
  a.push_back(fmt::format("--max_batch_size {}", whole(l.max_batch)));
  a.push_back(fmt::format("--max_num_tokens {}", whole(l.budget)));
  a.push_back(fmt::format("--max_seq_len {}", j.longest()));
  a.push_back(fmt::format("--kv_cache_free_gpu_memory_fraction {}", share(l.memory_share)));
  a.push_back(fmt::format("--extra_llm_api_options {}.yaml", role == Role::prefill ? "prefill"
                                                             : role == Role::decode
                                                                 ? "decode"
                                                                 : "extra-llm-api-options"));
  return a;
}

std::string trtllm_yaml(const Job& j, Role role) {
  const Pool& p = j.pool(role);
  std::string out = "enable_chunked_prefill: true\n";
  if (p.layout.attention_dp > 1) out += "enable_attention_dp: true\n";
  out += "kv_cache_config:\n";
  out += fmt::format("  enable_block_reuse: {}\n", j.settings.prefix_cache ? "true" : "false");
  if (narrow_kv(p)) out += "  dtype: fp8\n";
  out += fmt::format("cuda_graph_config:\n  enable_padding: true\n  max_batch_size: {}\n",
                     whole(p.limits.max_batch));
  if (p.limits.speculation > 0 && role != Role::prefill)
    out += fmt::format(
        "speculative_config:\n  decoding_type: Eagle3\n  max_draft_len: {}\n"
        "  speculative_model: DRAFT  # path\n",
        whole(p.limits.speculation));
  if (role != Role::all)
    out += fmt::format(
        "cache_transceiver_config:\n  backend: DEFAULT\n"
        "  max_tokens_in_buffer: {}\n",
        j.longest());
  if (role == Role::prefill) out += "disable_overlap_scheduler: true\n";
  return out;
}

std::string here(const std::string& file, const std::string& yaml) {
  return fmt::format("cat > {}.yaml <<'YAML'\n{}YAML\n", file, yaml);
}

LaunchText trtllm(const Job& j) {
  LaunchText t{Launcher::trtllm, "TensorRT-LLM (trtllm-serve, PyTorch back end)", {}, {}};
  std::string files;
  if (!j.c.disaggregated) {
    files = here("extra-llm-api-options", trtllm_yaml(j, Role::all));
  } else {
    files =
        here("prefill", trtllm_yaml(j, Role::prefill)) +
        here("decode", trtllm_yaml(j, Role::decode)) +
        here("disaggregated", fmt::format("hostname: 0.0.0.0\nport: 8000\ncontext_servers:\n"
                                          "  num_instances: {}\n  urls: [\"PREFILL:8001\"]\n"
                                          "generation_servers:\n  num_instances: {}\n"
                                          "  urls: [\"DECODE:8002\"]\n",
                                          whole(j.c.prefill.replicas), whole(j.c.serve.replicas)));
  }
  t.text =
      files + commands(
                  j, [](Role) { return std::string("trtllm-serve \"$MODEL\""); }, trtllm_arguments);
  if (j.c.disaggregated) t.text += "# router\ntrtllm-serve disaggregated -c disaggregated.yaml\n";
  if (online(j) != nullptr)
    j.cannot.push_back(
        fmt::format("trtllm-serve does not convert weights: set MODEL to an fp8 checkpoint of {}",
                    j.model.name));
  return t;
}

// --- Kubernetes -------------------------------------------------------------------------

std::string yaml_arguments(const Arguments& arguments) {
  std::string out;
  for (const auto& a : arguments) {
    const auto blank = a.find(' ');
    out += "            - " + a.substr(0, blank) + "\n";
    if (blank == std::string::npos) continue;
    std::string value = a.substr(blank + 1);
    for (std::size_t at = value.find("'$DRAFT'"); at != std::string::npos;
         at = value.find("'$DRAFT'"))
      value.replace(at, 8, "$(DRAFT)");
    const bool quoted = value.front() == '\'';
    out += "            - " + (quoted ? value : fmt::format("\"{}\"", value)) + "\n";
  }
  return out;
}

std::string deployment(const Job& j, Role role, const std::string& app) {
  const Pool& p = j.pool(role);
  std::string env =
      fmt::format("            - {{name: MODEL, value: {}}}{}\n", repository(j),
                  j.model.hugging_face.empty() ? "  # replace by the path of your weights" : "");
  if (p.limits.speculation > 0) env += "            - {name: DRAFT, value: eagle3-head}\n";
  return fmt::format(
      R"yaml(apiVersion: apps/v1
kind: Deployment
metadata: {{name: {app}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec:
      containers:
        - name: engine
          image: vllm/vllm-openai:latest  # pin a version
          command: ["vllm", "serve", "$(MODEL)"]
          args:
{args}          env:
{env}          ports: [{{name: http, containerPort: 8000}}]
          resources:
            limits: {{nvidia.com/gpu: "{gpus}"}}
          startupProbe:
            httpGet: {{path: /health, port: http}}
            periodSeconds: 10
            failureThreshold: 180  # half an hour to load the weights
          readinessProbe:
            httpGet: {{path: /health, port: http}}
            periodSeconds: 5
          livenessProbe:
            httpGet: {{path: /health, port: http}}
            periodSeconds: 10
            failureThreshold: 6
          volumeMounts: [{{name: shm, mountPath: /dev/shm}}]
      volumes:
        - name: shm
          emptyDir: {{medium: Memory, sizeLimit: 16Gi}}
)yaml",
      fmt::arg("app", app), fmt::arg("replicas", whole(p.replicas)),
      fmt::arg("args", yaml_arguments(vllm_arguments(j, role))), fmt::arg("env", env),
      fmt::arg("gpus", p.layout.gpus()));
}

std::string scaling(const Job& j, const std::string& app) {
  const double n = j.c.serve.replicas;
  return fmt::format(
      R"yaml(---
# Needs KEDA and a Prometheus that scrapes the pods' /metrics.
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: {app}}}
spec:
  scaleTargetRef: {{name: {app}}}
  minReplicaCount: {least}
  maxReplicaCount: {most}
  cooldownPeriod: 600
  triggers:
    - type: prometheus
      metadata:
        serverAddress: http://prometheus:9090
        query: sum(vllm:num_requests_waiting)
        threshold: "{waiting}"
)yaml",
      fmt::arg("app", app), fmt::arg("least", std::max(1L, whole(std::ceil(n / 2)))),
      fmt::arg("most", whole(std::ceil(1.5 * n))), fmt::arg("waiting", whole(j.settings.waiting)));
}

LaunchText kubernetes(const Job& j) {
  LaunchText t{Launcher::k8s, "Kubernetes (vLLM): kubectl apply -f", {}, {}};
  const std::string app = "headroom-serve";
  const auto service = fmt::format(
      "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {0}}}\nspec:\n"
      "  selector: {{app: {0}}}\n  ports: [{{name: http, port: 80, targetPort: http}}]\n",
      app);
  t.text = fleet_line(j);
  if (j.c.disaggregated)
    t.text +=
        deployment(j, Role::prefill, app + "-prefill") + "---\n" + deployment(j, Role::decode, app);
  else
    t.text += deployment(j, Role::all, app);
  t.text += service + scaling(j, app);
  if (j.c.serve.layout.gpus() > 8)
    j.cannot.emplace_back(
        "a replica spans servers: run it as a LeaderWorkerSet with Ray in place of a Deployment");
  if (j.c.disaggregated)
    j.cannot.emplace_back("the Service reaches decode pods; a router in front of both is yours");
  return t;
}

}  // namespace

std::span<const std::string_view> launcher_names() { return names; }

LaunchText launch_text(Launcher launcher, const catalog::Model& model, const Device& device,
                       const Candidate& candidate, const LaunchSettings& settings) {
  std::vector<std::string> cannot;
  const Job j{model, device, candidate, settings, cannot};
  note_weights(j);
  LaunchText t;
  switch (launcher) {
    case Launcher::vllm:
      t = vllm(j);
      break;
    case Launcher::trtllm:
      t = trtllm(j);
      break;
    case Launcher::sglang:
      t = sglang(j);
      break;
    case Launcher::k8s:
      t = kubernetes(j);
      break;
  }
  t.cannot = std::move(cannot);
  return t;
}

}  // namespace headroom::infer
