// ServingSoftware: what a serving engine of one generation adds to its kernels.
//
// Physics sets how long the kernels and collectives of a step take (infer/step.hpp); the
// engine decides how many small kernels surround them, what its host does between two steps
// and whether prompts share a step with decodes. Those figures differ between generations of
// one engine by more than its users expect: TensorRT-LLM from 0.17 to 1.0 moved -10 to +22 %
// on the same machine, model and lengths.
//
//   step = factor x (products, experts) + attention + small kernels + collectives
//          + per_step + per_layer x layers + per_sequence x sequences + per_prompt x prompts
//
// `calibrations` holds what measured runs of one (model, accelerator, precision) group say
// beside that: three or four factors and two or three times a group, none negative, written by
// tools/fit-infer with the rows behind them and the range of its residuals. `unseen` is the range
// of measured over modelled time of whole groups that were left out of the fit: the interval of a
// prediction that has no calibration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"

namespace headroom::catalog {

/// What engines make of the kernels of one format on one generation of GPUs: fusion, newer
/// libraries and the power limit against the standalone tables. Shared by all engines.
struct KernelFactor {
  std::string precision;         ///< of the weights; "fp8-block" with a scale a block
  std::string architecture;      ///< a part of Accelerator::architecture; empty: any other
  Value<Scalar> products;        ///< on products of decoding tokens
  Value<Scalar> prompts;         ///< on products of prompt tokens
  Value<Scalar> experts;         ///< on grouped products of decoding tokens
  Value<Scalar> expert_prompts;  ///< on grouped products of prompt tokens

  void fields(spec::Fields& f);
};

/// Measured runs of one model on one accelerator in one format, and what they correct:
///   step = products x kernels + caches x decode attention + links x collectives
///          + prompts x kernels of prompt tokens + per_step + per_sequence x sequences
///          + per_prompt x prompts
/// Factors are on top of the engine's; times replace the engine's host terms. Without `links`
/// collectives go with the kernels of their tokens, without `per_prompt` the engine's holds.
struct ServingCalibration {
  std::string model;         ///< id in the catalogue
  std::string accelerator;   ///< id in the catalogue
  std::string precision;     ///< of the weights, as a scenario writes it
  Value<Scalar> products;    ///< factor on products, experts, collectives, small kernels
  Value<Scalar> caches;      ///< factor on attention over the cache
  Value<Scalar> links;       ///< factor on collectives; unset: those of the kernels
  Value<Scalar> prompts;     ///< factor on the kernels of prompt tokens
  Value<Time> per_step;      ///< host time of a step, all layers
  Value<Time> per_sequence;  ///< host time of a decoding sequence
  Value<Time> per_prompt;    ///< host time of a prompt or a part of one
  Value<Scalar> residual;    ///< measured over corrected time of held-out rows: median, 80 %
  int rows = 0;              ///< measured rows behind it

  void fields(spec::Fields& f);
};

struct ServingSoftware : Entry {
  static constexpr std::string_view kind = "serving-software";

  std::string engine;                 ///< "vLLM"
  std::vector<std::string> matches;   ///< texts by which a measured row's source names it
  std::vector<std::string> versions;  ///< begin of the versions it stands for: "0.8", "1."
  std::string from, until;            ///< release dates of the generation
  std::string stands_in;              ///< entry whose calibrations serve when this has none

  Value<Time> per_step;         ///< host and scheduler between two steps
  Value<Time> per_layer;        ///< gaps between a layer's kernels in a CUDA graph
  Value<Time> eager_layer;      ///< host time to launch a layer without a graph
  Value<Time> per_sequence;     ///< host work for each sequence that gets a token
  Value<Time> per_prompt;       ///< host work for each prompt or part of one in a step
  Value<Scalar> small_kernels;  ///< norms, rotary, cache writes, activations: kernels a layer
  Value<Scalar> stream_passes;  ///< passes of those over the residual stream
  Value<Scalar> collectives;    ///< factor on collectives: skew between ranks, gaps
  std::vector<KernelFactor> kernels;
  bool mixed = true;             ///< prompts and decodes share a step
  bool joint_attention = false;  ///< one attention call for the prompts and decodes of a step
  Value<Scalar> unseen;  ///< measured over modelled time of groups left out: median, 80 % range
  int rows = 0;          ///< measured rows behind `unseen`
  std::vector<ServingCalibration> calibrations;

  void fields(spec::Fields& f);

  /// The factors of this format on this generation of GPUs: the first entry that fits, or nullptr.
  const KernelFactor* factor(std::string_view precision, std::string_view architecture) const;
  /// The calibration of this group, or nullptr.
  const ServingCalibration* calibration(std::string_view model, std::string_view accelerator,
                                        std::string_view precision) const;
};

/// The generation that a source means by an engine's name and version ("vllm", "0.12.0"), by
/// `matches` and the longest of `versions` that the version begins with; without a version or a
/// match the newest generation of that engine; `any` for an unknown engine.
const ServingSoftware& serving_software(const Catalog& catalog, std::string_view engine,
                                        std::string_view version = {});

}  // namespace headroom::catalog
