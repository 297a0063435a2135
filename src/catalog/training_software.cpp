#include "catalog/training_software.hpp"

#include <array>

namespace headroom::catalog {
namespace {

constexpr std::array<std::string_view, 4> attention_kernels = {"tuned", "flash2", "triton",
                                                               "unfused"};

constexpr std::array<std::string_view, 3> flops_counts{"unknown", "causal", "full"};
}  // namespace

void ValidatedRuns::fields(spec::Fields& f) {
  f.text("group", group, "Source of the runs, as the ids of its rows begin").required();
  f.integer("rows", rows, "Measured rows").at_least(0);
  f.number("rate", rate, "",
           "Measured over modelled rate: median of the rows and the range of 80 % of them")
      .above(0)
      .at_most(10);
  f.texts("accelerators", accelerators, "Accelerators of the runs");
  f.texts("precisions", precisions, "Precisions of the runs");
  f.integer("gpus", gpus, "Most GPUs of one run").at_least(0);
  f.integer("sequence", sequence, "Longest sequence in tokens").at_least(0);
  f.flag("dense", dense, "Runs of dense models are among them");
  f.flag("mixture", mixture, "Runs of mixtures of experts are among them");
}

void MemoryHabits::fields(spec::Fields& f) {
  f.number("logit_bytes", logit_bytes, "",
           "Bytes for each logit while the loss runs, forward and backward; 8 when left out")
      .at_least(0);
  f.number("split_logit_bytes", split_logit_bytes, "",
           "The same where tensor ranks share the vocabulary; logit_bytes when left out")
      .at_least(0);
  f.number("bucket", bucket, "GB", "Flat buffers of gradients; none when left out").at_least(0);
  f.number("usable_share", usable_share, "%",
           "Share of the data sheet's capacity that no known run failed below; 95 % when left out")
      .above(0)
      .at_most(107);
  f.flag("stage_outputs", stage_outputs, "A stage keeps its output until the micro-batch is back");
  f.flag("gradient_copy", gradient_copy, "16-bit gradients stay beside the fp32 ones");
  f.flag("step_gradients", step_gradients, "The step widens 16-bit gradients of its shard to fp32");
  f.flag("fp32_shards", fp32_shards, "FSDP shards the fp32 weight itself, with no 16-bit one");
  f.flag("narrow_inputs", narrow_inputs, "fp8 products keep their inputs in fp8");
  f.flag("unused_outputs", unused_outputs,
         "Op-level recomputation keeps outputs that no gradient reads");
}

void TrainingSoftware::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("framework", framework, "Framework's name").required();
  f.texts("matches", matches, "Texts by which the source of a measured row names it");
  f.texts("when", when,
          "Facts that a measured row must state besides, as key=value (compile=false) or as "
          "key~part|part (gpu~h100|h200: its text has one); the entry with most of them is taken");
  f.date("from", from, "First release of this generation");
  f.date("until", until, "Last release of this generation");
  f.reference("stands_in", stands_in, kind, "Generation whose calibration serves when it has none");
  f.number("tensor_overlap", tensor_overlap, "%", "Share of tensor-parallel communication hidden")
      .between(0, 100);
  f.number("expert_overlap", expert_overlap, "%", "Share of the expert all-to-all hidden")
      .between(0, 100);
  f.number("pipeline_overlap", pipeline_overlap, "%", "Share of sends between stages hidden")
      .between(0, 100);
  f.flag("data_overlap", data_overlap, "Gradients are reduced during the backward pass");
  f.number("host_per_layer", host_per_layer, "ms",
           "Host time to launch a layer's kernels, forward and backward")
      .at_least(0);
  f.flag("cuda_graphs", cuda_graphs, "Layers are replayed from graphs, so the host never limits");
  f.number("stream_passes", stream_passes, "",
           "Passes over the residual stream of a layer's forward that no matrix product absorbs")
      .at_least(0);
  f.choice("attention", attention, attention_kernels,
           "Attention kernel, by the instructions it uses");
  f.flag("early_stop", early_stop,
         "Full recomputation ends before the layer's last product, whose output nobody saves");
  f.flag("dropout", dropout, "Dropout masks are kept for the backward pass");
  f.flag("node_dedupe", node_dedupe, "A token crosses to a node once and fans out there");
  f.number("contention", contention, "",
           "Slow-down of compute over the time that data-parallel traffic runs beside it")
      .between(0, 2);
  f.number("jitter", jitter, "%", "Step time lost to stragglers per doubling of GPUs beyond 8")
      .between(0, 20);
  f.number("kernels", kernels, "",
           "Small kernels of a dense layer's forward, each of which costs a launch")
      .at_least(0);
  f.number("optimiser_passes", optimiser_passes, "",
           "Passes of the optimiser over its state; 1 when it is one fused kernel")
      .at_least(1);
  f.number("selective_products", selective_products, "%",
           "Share of a layer's forward products that selective recomputation runs again")
      .between(0, 100);
  f.flag("whole_reduce", whole_reduce,
         "ZeRO 1 reduces whole gradients on every rank before it shards the update");
  f.flag("sequence_parallel", sequence_parallel, "Norms are split over tensor-parallel ranks");
  f.flag("balanced", balanced, "The last stage gives up layers for the output head");
  f.flag("sharded_optimiser", sharded_optimiser, "Optimiser state is sharded over replicas");
  f.number("reserve_share", reserve_share, "%", "Reserved over allocated memory, minus one")
      .between(0, 100);
  f.choice("flops_count", flops_count, flops_counts,
           "Attention that printed TFLOP/s count: the causal half or the full square");
  f.object("memory", memory, "What the framework holds in memory beside state and activations");
  f.number("calibration", calibration, "",
           "Measured over modelled rate: median of the validated rows and the range of 80 % of "
           "them")
      .above(0)
      .at_most(3);
  f.integer("rows", rows, "Measured rows behind the calibration").at_least(0);
  f.list("runs", runs, "The measured rows by source, and what they cover");
}

}  // namespace headroom::catalog
