#include "serving/engine.hpp"

#include <gtest/gtest.h>

#include "infer/fixtures.hpp"

namespace headroom::serving {
namespace {

using namespace infer::test;

infer::StepOracle seventy() {
  return infer::StepOracle(
      infer::StepModel(llama_70b(), h100(), hgx(), infer::Layout{8, 1, Precision::bf16}));
}

requests::Request ask(std::int32_t prompt, std::int32_t output) {
  requests::Request r;
  r.prompt = prompt;
  r.output = output;
  return r;
}

// Alone on the replica a request takes one step for its prompt and one for each further token.
TEST(Engine, OneRequestTakesAPromptStepAndADecodeStepAToken) {
  const auto oracle = seventy();
  Engine engine(oracle, {.kv_blocks = 1000});
  engine.submit(7, ask(100, 3), {}, 1.0);
  std::vector<Outcome> ended;
  engine.run_until(Engine::never, ended);
  ASSERT_EQ(ended.size(), 1u);
  const double prompt = oracle.step_s({.prefill = 100, .prefill_pairs = 5050, .prompts = 1});
  const double first = oracle.step_s({.decodes = 1, .keys = 101});
  const double second = oracle.step_s({.decodes = 1, .keys = 102});
  EXPECT_EQ(ended[0].request, 7u);
  EXPECT_NEAR(ended[0].ttft_s(), prompt, 1e-9);
  EXPECT_NEAR(ended[0].e2e_s(), prompt + first + second, 1e-4 * ended[0].e2e_s());
  EXPECT_EQ(engine.free_blocks(), 1000);
  EXPECT_TRUE(engine.idle());
}

}  // namespace
}  // namespace headroom::serving
