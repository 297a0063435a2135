// DecodeTable: the step oracle along the line on which a decoding batch moves.
//
// While a batch of B sequences decodes, only the keys in its caches grow. A step's time is then
// all but linear in them (attention reads them; everything else stays), so the table asks the
// oracle at fixed contexts (keys / B) and draws straight lines between: 32 tokens apart up to a
// context of 1,024, then 1/32 of an octave of (context + 1,024). Cells are filled on first use;
// a curve K^1/2 under such a line is off by 6e-5 at most (h^2/8 of its curvature), and the test
// holds it to 1e-4 of the oracle.
//
// Complexity: a look-up ~3 ns, a cell's first use two oracle calls; `run` O(cells crossed).
// Memory 4 kB for each batch size met.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "infer/oracle.hpp"

namespace headroom::serving {

class Gaps;

class DecodeTable {
 public:
  /// Steps that check `verify` drafted tokens beside each decode.
  explicit DecodeTable(const infer::StepOracle& oracle, int verify = 0)
      : oracle_(&oracle), verify_(verify) {}

  /// Time of one step of `decodes` sequences with `keys` tokens in their caches, summed, that use
  /// `adapters` LoRA adapters.
  double step_s(int decodes, double keys, int adapters = 0);

  /// A run of steps in which each sequence gains a token.
  struct Run {
    std::int64_t steps = 0;
    double seconds = 0;
    double last_s = 0;     ///< of its last step
    double longest_s = 0;  ///< of its longest step
  };
  /// The steps that start less than `within_s` after the first one starts, at least one and at
  /// most `most`. Each step adds `users` gaps of its length to `gaps`, if given.
  Run run(int decodes, double keys, int adapters, std::int64_t most, double within_s, Gaps* gaps,
          double users);

 private:
  struct Line {
    double at_s = 0;   ///< time at the keys asked for
    double slope = 0;  ///< s per key
    double ends = 0;   ///< keys at which the next line begins
  };
  Line line(int decodes, double keys, int adapters);
  double node(std::vector<double>& row, int decodes, int adapters, int index);
  std::vector<double>& row(int decodes, int adapters);

  const infer::StepOracle* oracle_;
  int verify_;
  /// By adapters, then batch; a row is empty until it is needed.
  std::vector<std::vector<std::vector<double>>> rows_;
};

}  // namespace headroom::serving
