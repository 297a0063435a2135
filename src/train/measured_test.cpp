// The step model against published measurements, when the project's data folder is there.
// The figures that these tests print stand in docs/models/train.md; the bounds they hold
// are those figures rounded up, so that a change that makes the model worse is noticed.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "fabric/path.hpp"
#include "train/search.hpp"

namespace headroom::train {
namespace {

/// Beside the checkout, or where HEADROOM_DATA says.
const std::filesystem::path data_folder =
    std::getenv("HEADROOM_DATA") != nullptr
        ? std::filesystem::path(std::getenv("HEADROOM_DATA")) / "train"
        : std::filesystem::path(HEADROOM_SOURCE_DIR) / ".." / "shared" / "data" / "train";

double number(const YAML::Node& n, const char* key, double fallback = 0) {
  return n[key] && !n[key].IsNull() ? n[key].as<double>() : fallback;
}
std::string text(const YAML::Node& n, const char* key) {
  return n[key] && n[key].IsScalar() ? n[key].as<std::string>() : std::string();
}

catalog::Model model_of(const YAML::Node& n) {
  catalog::Model m;
  const auto i = [&](const char* key) { return int(number(n, key)); };
  m.layers = i("layers"), m.hidden = i("hidden"), m.heads = i("heads"), m.kv_heads = i("kv_heads");
  m.head_dim = i("head_dim"), m.ffn = i("ffn"), m.vocab = i("vocab");
  m.gated = text(n, "gated") == "true", m.tied = text(n, "tied") == "true";
  m.window = i("sliding_window"), m.global_every = m.window > 0 ? i("sliding_every") : 0;
  m.mla.q_rank = i("q_lora"), m.mla.kv_rank = i("kv_lora"), m.mla.nope_dim = i("qk_nope");
  m.mla.rope_dim = i("qk_rope"), m.mla.value_dim = i("v_head");
  m.moe.experts = i("experts"), m.moe.active = i("topk"), m.moe.ffn = i("moe_ffn");
  m.moe.shared_ffn = i("shared_ffn"), m.moe.shared = m.moe.shared_ffn > 0;
  m.moe.first_dense = i("dense_layers");
  return m;
}

struct Machine {
  std::string accelerator;
  int domain = 8;
  double net_gbit = 0;
  bool ethernet = false;
};

Machine machine_of(const std::string& hw) {
  static const std::map<std::string, Machine> machines = {
      {"a100-80-selene", {"a100-sxm-80gb", 8, 200, false}},
      {"a100-40-roce", {"a100-sxm-40gb", 8, 200, true}},
      {"a100-80-roce", {"a100-sxm-80gb", 8, 200, true}},
      {"a100-80-jz", {"a100-sxm-80gb", 8, 50, false}},
      {"h100-eos", {"h100-sxm", 8, 400, false}},
      {"h100-mosaic", {"h100-sxm", 8, 400, true}},
      {"h100-oci", {"h100-sxm", 8, 400, true}},
      {"h100-meta-roce", {"h100-sxm", 8, 400, true}},
      {"h100-96-hbm2e-500w", {"h100-sxm", 8, 400, true}},
      {"h200-cx7", {"h200-sxm", 8, 400, true}},
      {"dgx-b200", {"b200-sxm", 8, 400, false}},
      {"dgx-b300", {"b300-sxm", 8, 800, false}},
      {"gb200-nvl72", {"gb200", 72, 400, false}},
      {"gb300-nvl72", {"gb300", 72, 800, false}},
  };
  const auto it = machines.find(hw);
  return it == machines.end() ? Machine{} : it->second;
}

fabric::Path path_of(const Machine& m, const catalog::Accelerator& a) {
  catalog::System s;
  s.scale_up.domain = m.domain;
  fabric::ScaleOut out;
  out.per_gpu = m.net_gbit * gigabit_per_second;
  out.ethernet = m.ethernet;
  return fabric::make_path(s, a, out);
}

Precision precision_of(std::string p) {
  if (p.rfind("amp_", 0) == 0) p = p.substr(4);
  return parse_precision(p).value_or(Precision::bf16);
}

Recompute recompute_of(const std::string& r) {
  if (r.rfind("full", 0) == 0) return Recompute::full;
  if (r.rfind("selective", 0) == 0 && r != "selective:[]") return Recompute::selective;
  return Recompute::none;
}

Software software_of(const std::string& row, const std::string& group,
                     const catalog::Accelerator& a) {
  const auto entry = [&](const char* id) {
    return make_software(*catalog::Catalog::builtin().find<catalog::TrainingSoftware>(id), a,
                         false);
  };
  if (group == "mpt")
    return entry(row.find("h100") != std::string::npos ? "llm-foundry-2024" : "llm-foundry-2023");
  if (group == "tt" || group == "tt2506")
    return entry(row.find("eager") != std::string::npos   ? "torchtitan-eager"
                 : row.find("async") != std::string::npos ? "torchtitan-async"
                                                          : "torchtitan");
  if (group == "korth" || group == "sc21" || group == "bs") return classic_software();
  if (group == "mpt" || group == "tt" || group == "tt2506") {
    Software s = fsdp_software();
    if (row.find("compile") != std::string::npos || group == "tt2506" ||
        row.find("h200") != std::string::npos)
      s.host_per_layer_s = 0.5e-3, s.stream_passes = 7;
    s.early_stop = true;
    s.attention_rate = attention_rate(
        group == "mpt" ? catalog::AttentionKernel::triton : catalog::AttentionKernel::flash2, a);
    if (row.find("async") != std::string::npos) s.tensor_overlap = 0.7;
    return s;
  }
  Software s = current_software();
  if (group == "mb") s.host_per_layer_s = 0;
  return s;
}

/// The generation whose memory habits a row shows.
const char* generation_of(const YAML::Node& row, const std::string& group) {
  if (group == "bs") return "megatron-deepspeed-2022";
  if (group != "tt" && group != "tt2506") return "megatron-core";
  if (group == "tt2506" || text(row, "source").find("2025") != std::string::npos)
    return "torchtitan-2025";
  return text(row, "compile") == "false" ? "torchtitan-eager" : "torchtitan";
}

/// nvidia-smi counts the device; torchtitan logs what its allocator reserved.
double needed_bytes(const YAML::Node& row, const std::string& group, Job job, ParallelPlan plan,
                    const catalog::Accelerator& a) {
  const auto* entry =
      catalog::Catalog::builtin().find<catalog::TrainingSoftware>(generation_of(row, group));
  job.software = make_software(*entry, a);
  if (text(row, "recompute").rfind("selective-op", 0) == 0)
    plan.modules = Modules{}.with(Module::op);
  const auto need = memory(job, plan);
  if (std::getenv("TRAIN_ROWS") && (row["mem_gb"] || row["mem_gib"] || row["oom"]))
    std::printf(
        "%-52s read %s %s: w %.1f g %.1f o %.1f act %.1f work %.1f head %.1f buf %.1f res %.1f "
        "comm %.1f = alloc %.1f reserved %.1f total %.1f GB\n",
        text(row, "id").c_str(), text(row, "mem_gb").c_str(), text(row, "mem_gib").c_str(),
        need.weights / 1e9, need.gradients / 1e9, need.optimiser / 1e9, need.activations / 1e9,
        need.working / 1e9, need.head / 1e9, need.buffers / 1e9, need.reserve / 1e9,
        need.communicators / 1e9, need.allocated() / 1e9, need.reserved() / 1e9,
        need.total() / 1e9);
  return row["mem_gib"] ? need.reserved() : need.total();
}

struct Error {
  std::string id, group;
  double error = 0;
  bool memory = false;
};

void add(std::vector<Error>& out, const std::string& id, const std::string& group, double predicted,
         double measured, bool memory) {
  if (measured > 0) out.push_back({id, group, predicted / measured - 1, memory});
}

double measured_seconds(const YAML::Node& r, const Job& job, const ParallelPlan& p) {
  if (r["s_per_iter"]) return number(r, "s_per_iter");
  if (r["tok_s_gpu"]) return job.sequences * job.sequence / (number(r, "tok_s_gpu") * p.gpus());
  if (r["s_per_iter_derived"]) return number(r, "s_per_iter_derived");
  if (r["tflops_model"] && text(r, "tier") == "A")
    return (text(r, "id").rfind("mz", 0) == 0 ? step_flops(job, p).model_causal
                                              : step_flops(job, p).model_full) /
           (number(r, "tflops_model") * 1e12 * p.gpus());
  return 0;
}

void dump_row(const std::string& id, double measured, double scale, const Job& job,
              const ParallelPlan& p, const StepTime& t, const std::string& hw,
              const std::string& prec, const std::string& rec) {
  if (const char* dump = std::getenv("TRAIN_DUMP")) {
    static std::FILE* f = std::fopen(dump, "w");
    const auto c = plan_costs(job, p);
    const auto& l = c.layer;
    std::fprintf(f, "{\"id\":\"%s\",\"meas\":%.9g,\"pred\":%.9g,\"scale\":%.9g,", id.c_str(),
                 measured, t.total() * scale, scale);
    const std::pair<const char*, double> v[] = {{"gemm_f", l.gemm_f},
                                                {"gemm_b", l.gemm_b},
                                                {"att_f", l.attention_f},
                                                {"att_b", l.attention_b},
                                                {"str_f", l.stream_f},
                                                {"str_b", l.stream_b},
                                                {"ten_f", l.tensor_f},
                                                {"exp_f", l.expert_f},
                                                {"ctx_f", l.context_f},
                                                {"ctx_b", l.context_b},
                                                {"head_f", c.ends.head_f},
                                                {"head_b", c.ends.head_b},
                                                {"emb_f", c.ends.embedding_f},
                                                {"emb_b", c.ends.embedding_b},
                                                {"layers", double(job.model->layers)},
                                                {"hidden", double(job.model->hidden)},
                                                {"heads", double(job.model->heads)},
                                                {"vocab", double(job.model->vocab)},
                                                {"seq", job.sequence},
                                                {"m", double(p.micro_batches)},
                                                {"mbs", double(p.micro_batch)},
                                                {"gpus", double(job.gpus)},
                                                {"tp", double(p.tp)},
                                                {"pp", double(p.pp)},
                                                {"vpp", double(p.vpp)},
                                                {"dp", double(p.dp)},
                                                {"cp", double(p.cp)},
                                                {"ep", double(p.ep)},
                                                {"zero", double(int(p.zero))},
                                                {"recompute", double(int(p.recompute))},
                                                {"t_gemm", t.gemm},
                                                {"t_att", t.attention},
                                                {"t_str", t.stream},
                                                {"t_rec", t.recompute},
                                                {"t_ends", t.ends},
                                                {"t_launch", t.launch},
                                                {"t_ten", t.tensor},
                                                {"t_exp", t.expert},
                                                {"t_ctx", t.context},
                                                {"t_bub", t.bubble},
                                                {"t_send", t.sends},
                                                {"t_data", t.data},
                                                {"t_opt", t.optimiser},
                                                {"t_con", t.hidden.data},
                                                {"last_f", l.last_f},
                                                {"h_ten", t.hidden.tensor},
                                                {"h_exp", t.hidden.expert},
                                                {"t_jit", t.jitter},
                                                {"eff", job.software.efficiency}};
    for (const auto& [k, x] : v) std::fprintf(f, "\"%s\":%.9g,", k, x);
    std::fprintf(f, "\"hw\":\"%s\",\"prec\":\"%s\",\"rec\":\"%s\",\"sw\":\"%s\"}\n", hw.c_str(),
                 prec.c_str(), rec.c_str(), job.software.id.c_str());
    std::fflush(f);
  }
}

std::vector<Error> errors(const YAML::Node& file) {
  std::vector<Error> out;
  std::map<std::string, catalog::Model> models;
  for (const auto& m : file["models"]) models[m.first.as<std::string>()] = model_of(m.second);
  const auto& cat = catalog::Catalog::builtin();
  for (const auto& r : file["rows"]) {
    if (text(r, "tier") != "A") continue;
    const auto id = text(r, "id"), group = id.substr(0, id.find('-'));
    const auto machine = machine_of(text(r, "hw"));
    const auto* a = cat.find<catalog::Accelerator>(machine.accelerator);
    if (a == nullptr) continue;
    const compute::Device device(*a);
    Job job;
    job.model = &models.at(text(r, "model"));
    job.device = &device;
    job.path = path_of(machine, *a);
    job.domain = machine.domain;
    job.gpus = int(number(r, "gpus"));
    job.memory_bytes = 1e15;
    job.sequence = number(r, "seq");
    job.sequences = number(r, "gbs");
    job.precision = precision_of(text(r, "prec"));
    job.state = training_state(StatePrecision::by_precision, job.precision);
    if (group == "mpt")
      job.state = text(r, "fsdp_mp") == "PURE" ? workload::TrainingPrecision::bf16_bf16_grads
                                               : workload::TrainingPrecision::bf16;
    job.software = software_of(id, group == "nemo2407" ? "nemo" : group, *a);
    ParallelPlan p;
    p.tp = int(number(r, "tp", 1)), p.pp = int(number(r, "pp", 1)),
    p.vpp = int(number(r, "vpp", 1));
    p.cp = int(number(r, "cp", 1)), p.ep = int(number(r, "ep", 1));
    p.dp = std::max(1, job.gpus / (p.tp * p.pp * p.cp));
    p.micro_batch = int(number(r, "mbs", 1));
    p.micro_batches = std::max(1, int(std::lround(job.sequences / (double(p.dp) * p.micro_batch))));
    p.zero = static_cast<Zero>(int(number(r, "zero", 1)));
    p.recompute = recompute_of(text(r, "recompute"));
    p.sequence_parallel = p.tp > 1 && group != "bs" && group != "sc21" && text(r, "sp") != "false";
    p.balanced = group != "bs" && group != "sc21" && group != "korth";
    if (r["oom"]) {
      needed_bytes(r, group, job, p, *a);
      continue;
    }
    const auto t = step_time(job, p);
    const double scale = job.sequences / p.global_batch();
    add(out, id, group, t.total() * scale, measured_seconds(r, job, p), false);
    const double gb = number(r, "mem_gb") * 1e9 + number(r, "mem_gib") * 1073741824.0;
    add(out, id, group, needed_bytes(r, group, job, p, *a), gb, true);
    dump_row(id, measured_seconds(r, job, p), scale, job, p, t, text(r, "hw"), text(r, "prec"),
             text(r, "recompute"));
    if (std::getenv("TRAIN_ROWS")) {
      const double m = measured_seconds(r, job, p);
      std::printf("%-60s %+6.1f%% step %.3f:", id.c_str(), 100 * (t.total() * scale / m - 1),
                  t.total());
      for (const auto& part : parts(t))
        if (part.seconds > 0.005 * t.total())
          std::printf(" %s %.1f%%", part.name, 100 * part.seconds / t.total());
      std::printf("\n");
    }
  }
  return out;
}

struct Summary {
  std::size_t n = 0;
  double median = 0, mean = 0, p90 = 0, worst = 0, bias = 0;
};

Summary summarise(const std::vector<Error>& all, const std::string& group, bool memory) {
  std::vector<double> e, s;
  for (const auto& x : all)
    if (x.memory == memory && (group.empty() || x.group == group))
      e.push_back(std::abs(x.error)), s.push_back(x.error);
  Summary out;
  out.n = e.size();
  if (e.empty()) return out;
  std::sort(e.begin(), e.end()), std::sort(s.begin(), s.end());
  out.median = e[e.size() / 2], out.p90 = e[std::min(e.size() - 1, e.size() * 9 / 10)];
  out.worst = e.back(), out.bias = s[s.size() / 2];
  for (double x : e) out.mean += x / double(e.size());
  return out;
}

void print(const char* name, const Summary& s) {
  if (s.n > 0)
    std::printf(
        "%-12s n %3zu  median %5.1f %%  mean %5.1f %%  p90 %5.1f %%  worst %6.1f %%  bias %+6.1f "
        "%%\n",
        name, s.n, 100 * s.median, 100 * s.mean, 100 * s.p90, 100 * s.worst, 100 * s.bias);
}

/// Iteration times of Megatron-DeepSpeed on A100 nodes (vTrain, KAIST; MIT): GPT models in fp16
/// with full recomputation, all of it known but the NICs (HDR, recalled).
std::vector<Error> vtrain_errors(const std::filesystem::path& file, bool named_size) {
  std::vector<Error> out;
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  const auto& a = *catalog::Catalog::builtin().find<catalog::Accelerator>("a100-sxm-80gb");
  const compute::Device device(a);
  while (std::getline(in, line)) {
    std::vector<double> v;
    std::stringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) v.push_back(std::atof(cell.c_str()));
    if (named_size) v.erase(v.begin());
    if (v.size() < 11) continue;
    catalog::Model m;
    m.hidden = int(v[3]), m.heads = int(v[4]), m.layers = int(v[5]), m.ffn = 4 * m.hidden;
    m.gated = false, m.vocab = 51200, m.tied = true;
    Job job;
    job.model = &m, job.device = &device, job.path = path_of({"", 8, 100, false}, a);
    job.gpus = int(v[0]), job.sequences = v[1], job.sequence = v[6];
    job.precision = Precision::fp16, job.state = workload::TrainingPrecision::fp16;
    job.software = classic_software();
    ParallelPlan p;
    p.micro_batch = int(v[2]), p.tp = int(v[7]), p.dp = int(v[8]), p.pp = int(v[9]);
    p.micro_batches = std::max(1, int(std::lround(job.sequences / (v[8] * v[2]))));
    p.zero = Zero::replicated, p.recompute = Recompute::full;
    p.sequence_parallel = false, p.balanced = false;
    add(out, line, "vtrain", step_time(job, p).total(), v[10] / 1e3, false);
    dump_row(named_size ? "vtm-" + line : "vts-" + line, v[10] / 1e3, 1, job, p, step_time(job, p),
             "a100-80", "fp16", "full");
  }
  return out;
}

TEST(TrainMeasured, VTrainIterationTimes) {
  const auto multi = data_folder / "vtrain_multi.csv", single = data_folder / "vtrain_single.csv";
  if (!std::filesystem::exists(multi)) GTEST_SKIP() << "no " << multi;
  const auto m = summarise(vtrain_errors(multi, true), "", false);
  const auto s = summarise(vtrain_errors(single, false), "", false);
  print("vtrain multi", m);
  print("vtrain single", s);
  EXPECT_GT(m.n, 70u);
  EXPECT_LT(m.median, 0.16);
  EXPECT_LT(s.median, 0.25);
}

TEST(TrainMeasured, TierARowsOfThePublishedSet) {
  const auto file = data_folder / "measured.yaml";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  const auto all = errors(YAML::LoadFile(file.string()));
  std::map<std::string, int> groups;
  for (const auto& e : all) ++groups[e.group];
  for (const auto& [g, n] : groups) print(g.c_str(), summarise(all, g, false));
  print("all", summarise(all, "", false));
  for (const auto& [g, n] : groups) print((g + " mem").c_str(), summarise(all, g, true));
  print("all memory", summarise(all, "", true));
  const auto steps = summarise(all, "", false), bloom = summarise(all, "bs", true);
  EXPECT_EQ(steps.n, 242u);
  EXPECT_LT(steps.median, 0.10);
  EXPECT_LT(steps.mean, 0.13);
  EXPECT_LT(steps.p90, 0.28);
  EXPECT_LT(std::abs(steps.bias), 0.03);  // what the one efficiency scalar stands for
  EXPECT_LT(bloom.median, 0.07);
  EXPECT_LT(bloom.worst, 0.16);
}

}  // namespace
}  // namespace headroom::train
