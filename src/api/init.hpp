// A first scenario from five answers, or a published one as a template.
//
//   auto text = api::scenario_from({.work = "serve", .model = "llama-3.1-70b",
//                                   .machines = "4 x dgx-h100", .load = "20 request/s",
//                                   .place = "us-iowa, 500 kW"});
//
// The text is a scenario that `check` reads without a mistake: every number that was not among the
// answers is left to headroom's defaults, except the racks and their cooling, which are worked out
// from the machine's catalogue entry (how many of it stand in a rack, how warm that rack gets) and
// say so in a comment. Mistakes in the answers are told in one pass, with the nearest right thing.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::api {

/// The five answers. `name` may be empty: one is made from the others.
struct InitAnswers {
  std::string work;      ///< serve, train, finetune, rag
  std::string model;     ///< catalogue id
  std::string machines;  ///< "4 x dgx-h100"
  std::string load;      ///< serve, rag: "20 request/s"; train, finetune: "2e12 token in 60 d"
  std::string place;     ///< "us-iowa, 2 MW": region, and power of the grid connection
  std::string name;
};

/// What is asked, in order, for a terminal: key of the answer, question, example.
struct InitQuestion {
  std::string_view key, question, example;
};
std::span<const InitQuestion> init_questions();

/// The field of an answer that a question's key names.
std::string& answer_to(InitAnswers& answers, std::string_view key);

Result<std::string> scenario_from(const InitAnswers& answers);

/// A scenario of the project, as its file stands.
struct Template {
  std::string_view name, text;
};
std::span<const Template> templates();
/// Text of one; names the nearest when there is none.
Result<std::string> template_text(const std::string& name);

}  // namespace headroom::api
