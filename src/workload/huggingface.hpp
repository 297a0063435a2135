// Any Hugging Face `config.json` as a catalogue Model.
//
// Understands the model types listed by `huggingface_types()`: Llama and its many
// relatives, Mistral, Mixtral, Qwen 2/3 with their mixtures, DeepSeek V2/V3 and Kimi K2,
// Gemma 1-3, Phi-3/4, GPT-OSS, GLM-4 mixtures, Llama 4's text part, GPT-2, GPT-NeoX,
// Falcon, BLOOM, and BERT or XLM-RoBERTa encoders. A multimodal config's `text_config`
// is read in place of the whole; its vision tower is left out and the note says so.
//
// What is wrong is reported with file, line and column, all of it in one pass: broken
// JSON, an unknown model type, a missing field (with the nearest key that is there), a
// value of the wrong kind or out of range, head counts that do not divide.
//
// The result's numbers carry a `user` source that names the file.
// Complexity: linear in the text. Files above 4 MiB are refused unread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.hpp"
#include "catalog/model.hpp"

namespace headroom::workload {

/// Reads the text of a config; `file` is named in messages. Nothing when it has mistakes.
std::optional<catalog::Model> read_huggingface(std::string_view text, const std::string& file,
                                               Diagnostics& diagnostics);
/// Reads a config file from disk.
std::optional<catalog::Model> load_huggingface(const std::string& path, Diagnostics& diagnostics);
/// The model types that can be read, sorted.
std::vector<std::string> huggingface_types();

}  // namespace headroom::workload
