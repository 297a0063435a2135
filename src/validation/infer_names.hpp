// Names: what serving results call models, GPUs, engines and formats, found in the catalogue.
//
//   find_model(catalog, "meta-llama/Llama-3.1-70B-Instruct-FP8")   llama-3.1-70b
//   find_device(catalog, "h200_sxm")                               h200-sxm
//
// MODELS. Catalogue ids and names, Hugging Face ids, with what names a tuning or a format taken
// away (Instruct, chat, hf, FP8, AWQ, dates); distilled models resolve to the shape they have
// (DeepSeek-R1-Distill-Llama-70B is a Llama 3.3). A name that only begins like a catalogue entry
// and goes on with another size or generation is unknown.
// DEVICES. As machine.hpp finds them, beside devices that differ from an entry by their memory
// (GH200) and texts whose "480GB" is not the memory of the GPU.
// FORMATS. bf16, fp16, fp8, int8, int4 (AWQ, GPTQ, Q4_K_M), nvfp4, mxfp4; "fp4 + fp8 kv" says
// both.
//
// Nothing found is an answer with a reason, never an error. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "catalog/accelerator.hpp"
#include "catalog/catalog.hpp"
#include "catalog/model.hpp"
#include "catalog/precision.hpp"
#include "fabric/path.hpp"
#include "infer/step.hpp"

namespace headroom::validation {

/// The catalogue's model for a name, or nullptr.
const catalog::Model* find_model(const catalog::Catalog& catalog, const std::string& name);

struct ServingDevice {
  std::string id;  ///< catalogue id, or "gh200-96gb" for a device that only its memory tells apart
  std::shared_ptr<const catalog::Accelerator> accelerator;
  fabric::Path path;  ///< within the scale-up domain; over PCIe where there is no link
};
/// The device of a text; nothing, with the reason.
std::optional<ServingDevice> find_device(const catalog::Catalog& catalog, const std::string& gpu,
                                         std::string& reason);

struct ServingEngine {
  infer::Engine engine = infer::Engine::vllm;
  std::string name;     ///< "vllm", "tensorrt-llm", "sglang", "llama.cpp"
  std::string version;  ///< as the row writes it, or that of its generation; may be empty
};
std::optional<ServingEngine> find_engine(const std::string& text, const std::string& version);

struct Formats {
  Precision weights = Precision::bf16;
  std::optional<Precision> kv;
  bool weight_only = false;  ///< int4 of AWQ, GPTQ and llama.cpp: products run at 16 bit
};
std::optional<Formats> find_formats(const std::string& text);

}  // namespace headroom::validation
