// What the parts of one assessment share; inner header of assess.cpp and limits.cpp.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "train/assess.hpp"

namespace headroom::train {

/// Everything the parts of one assessment share.
struct Work;

/// Catalogue figures and choices that a part of the step was computed from, recorded in
/// the trace once, and how the part follows from them.
class StepSources {
 public:
  StepSources(const Work& w, const Job& job, NodeId plan);
  std::vector<NodeId> inputs(std::string_view part) const;
  static const char* formula(std::string_view part);

 private:
  NodeId plan_, model_, rate_ = no_node, gemm_ = no_node, attention_ = no_node, memory_ = no_node,
                        scale_up_ = no_node, network_ = no_node, software_, jitter_;
};

struct Work {
  const JobSpec& spec;
  const Demand& demand;
  Trace& trace;
  Result& out;

  std::string id(std::string_view what) const {
    return "train." + demand.scope + "." + std::string(what);
  }
  template <class Q>
  Figure<Q> derive(std::string_view what, Q q, const char* unit, std::string_view formula,
                   std::vector<NodeId> inputs) const {
    return trace.derive(id(what), q, unit, formula, std::move(inputs));
  }
  double goodput() const { return std::clamp(demand.goodput.or_else(1.0).si(), 1e-6, 1.0); }
};

void memory_limit(Work& w, const Job& job, const SearchOptions& options);
void finish_limit(Work& w, const Job& job, const SearchOptions& options);
void checkpoint_limit(Work& w, const Job& job);
/// The user's fixed plan cannot be laid out: a limit in GPUs.
void layout_limit(Work& w, const Job& job, const SearchOptions& options, const std::string& why);

}  // namespace headroom::train
