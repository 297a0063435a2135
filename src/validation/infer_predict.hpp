// InferPredict: what the infer layer says of a case, quantity by quantity.
//
// CLOSED LOOP of C users, prompts of n tokens, answers of m, B = min(C, what the cache holds):
//   TPOT = t(B) + 0.95 (B - 1) / m x (steps of a prompt) x p     prompts of the others cut in
//   TTFT = t/2 + own chunks + M/D/1 wait behind other prompts + wait for a place
//   rate = C / (TTFT + (m - 1) TPOT)
// p is what a step takes more with a chunk in it; where the engine does not mix prompts and
// decodes (SGLang), a step of its own. tools/fit-infer fits the engines' terms to the same form.
// OFFLINE   as many sequences as the cache holds: m / (t(B) + p B/m) tokens
// ONLINE    Replica::operate below saturation, the offline rate above
// STATIC    prompts of the whole batch, then m steps of the growing context
//
// Times per token come with their parts (`OperatingLoad`), so that a fit can weigh them.
//
// Complexity: some tens of microseconds a case.
#pragma once

#include <string>
#include <vector>

#include "validation/infer_case.hpp"

namespace headroom::validation {

/// Kernels and host behind one token of one sequence, in seconds.
struct TokenParts {
  infer::StepTime decode;  ///< one step of decodes alone
  infer::StepTime prompt;  ///< prompt work that falls to one step
  double steps = 1;        ///< steps a token, further ones for prompts beyond the budget included
  double prompts = 0;      ///< prompts that fall to one step
  double decodes = 0, context = 0;  ///< of the step
  double prompt_tokens = 0;         ///< fresh prompt tokens a step
  double prompt_keys = 0;           ///< keys that each attends to
};

struct Estimate {
  std::string metric;
  double value = 0;     ///< seconds or tokens/s
  bool parted = false;  ///< `parts` explain it: value = scale x parts^(1 or -1)
  TokenParts parts;
  std::string why;  ///< operating point in words
};

/// One estimate for each measure of the case, in their order; an empty metric where there is
/// none. Scenes that need the engine (open loop, log) are left to infer_replay.
std::vector<Estimate> predict(const InferCase& c, const infer::StepModel& step);

}  // namespace headroom::validation
