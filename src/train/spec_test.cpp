// What a scenario says of a plan's finer settings is read, and contradictions are named.
#include "train/spec.hpp"

#include <gtest/gtest.h>

#include "spec/reader.hpp"

namespace headroom::train {
namespace {

struct Outcome {
  PlanSpec plan;
  Diagnostics diagnostics;
};

Outcome read_plan(const std::string& text) {
  Outcome out;
  const auto document = spec::parse_yaml("plan.yaml", text, out.diagnostics);
  if (!document) return out;
  spec::ReadContext context;
  context.file = document->file;
  context.document = &*document;
  context.default_source = std::make_shared<Source>(Source{"plan.yaml", "", "", "", Trust::user});
  spec::read(document->root, out.plan, context, out.diagnostics);
  return out;
}

/// The only mistake of a text, rendered.
std::string mistake(const std::string& text) {
  const auto out = read_plan(text);
  EXPECT_EQ(out.diagnostics.count(), 1u) << text << "\n" << render(out.diagnostics);
  return out.diagnostics.empty() ? "" : render(out.diagnostics.all().front());
}

TEST(PlanSpecFields, ReadTheFinerSettings) {
  const auto out = read_plan(
      "tp: 2\npp: 4\nep: 8\netp: 2\nhsdp: 16\ncontext: all-to-all\n"
      "recompute_modules: [core_attn, moe_act]\nfirst_layers: 13\nlast_layers: 12\n"
      "offload_activations: 50 %\noffload_optimiser: 25 %\n");
  ASSERT_TRUE(out.diagnostics.empty()) << render(out.diagnostics);
  ParallelPlan p;
  out.plan.apply(p);
  EXPECT_EQ(p.etp, 2);
  EXPECT_EQ(p.hsdp, 16);
  EXPECT_EQ(p.context, ContextKind::all_to_all);
  EXPECT_EQ(p.modules, Modules{}.with(Module::core_attn).with(Module::moe_act));
  EXPECT_EQ(p.recompute, Recompute::selective);
  EXPECT_EQ(p.first_layers, 13);
  EXPECT_EQ(p.last_layers, 12);
  EXPECT_DOUBLE_EQ(p.offload_activations, 0.5);
  EXPECT_DOUBLE_EQ(p.offload_optimiser, 0.25);
}

TEST(PlanSpecFields, NothingGivenChangesNothing) {
  const auto out = read_plan("tp: 2\n");
  ASSERT_TRUE(out.diagnostics.empty()) << render(out.diagnostics);
  ParallelPlan p;
  out.plan.apply(p);
  EXPECT_EQ(p, ParallelPlan{});
}

TEST(PlanSpecFields, ContradictionsAreNamed) {
  const auto says = [](const std::string& text, const char* part) {
    const auto message = mistake(text);
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  says("recompute_modules: [mlpp]\n", "no module is called 'mlpp'");
  says("recompute: full\nrecompute_modules: [mlp]\n", "selective recomputation only");
  says("recompute: selective\nrecompute_layers: 4\n", "full recomputation only");
  says("recompute_layers: 4\nrecompute_modules: [mlp]\n", "cannot both");
  says("pp: 1\nfirst_layers: 4\n", "need a pipeline");
  says("zero: 0\nhsdp: 8\n", "ZeRO stage 0");
  says("context: circle\n", "circle");
  says("offload_optimiser: 120 %\n", "100");
}

TEST(TrainingState, EveryNameHasItsBytes) {
  // Weight, gradient, master and moments of Adam: 2 + 4 + 4 + 4 and 2 + 2 + 2 + 4.
  const auto bytes = [](StatePrecision s) {
    return workload::parameter_state(workload::Optimiser::adam, training_state(s, Precision::bf16))
        .total()
        .in(byte);
  };
  EXPECT_DOUBLE_EQ(bytes(StatePrecision::by_precision), 18);
  EXPECT_DOUBLE_EQ(bytes(StatePrecision::bf16_moments), 14);
  EXPECT_DOUBLE_EQ(bytes(StatePrecision::bf16_lean), 10);
}

}  // namespace
}  // namespace headroom::train
