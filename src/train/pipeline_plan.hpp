// The pipeline of a plan: times of its stages from the cost of a layer and of the ends.
//
// A layer's backward pass is split for the schedules that run it in two: by weights is
// half of its matrix products (each product has one by inputs and one by weights of the
// same FLOPs; attention and the small operators have none), by inputs everything else,
// with what is recomputed. Of LoRA, whose weights are frozen, only the adapters have a
// pass by weights. Embedding: by weights only. Output head: half and half.
//
// Chunks: with vpp > 1 the ends give up layers of their outermost chunk first (Llama 3:
// the first chunk holds the embedding alone, the last one the head alone); a chunk that
// would be below empty takes the rest from the others. zero_bubble_v lays the layers on
// 2 pp stages, so that both ends of the model are on rank 0.
//
// Schedules that run a forward and a backward pass together (DualPipe) hide the expert
// all-to-all of each behind the other's compute; nothing else is hidden by it.
#pragma once

#include "train/pipeline_simulation.hpp"
#include "train/step.hpp"

namespace headroom::train {

/// Seconds that a layer's backward pass computes again.
double recompute_layer_s(const Job& job, const LayerCost& c, const ParallelPlan& plan);

/// Seconds of one micro-batch's activations between neighbouring ranks; 0 without a
/// pipeline. Every tensor-parallel rank sends its part (Narayanan et al. 2021, 4.1).
double send_s(const Job& job, const ParallelPlan& plan);

/// Layers of the stages: of a rank, or of half a rank for zero_bubble_v.
StageLayers pipeline_layers(const Job& job, const Sizes& sizes, const ParallelPlan& plan);

/// O(1), no allocation. Not legal (layers that cannot be laid out): micro_batches 0.
Pipeline plan_pipeline(const Job& job, const PlanCosts& costs, const ParallelPlan& plan);

/// What stands in the way of the plan's schedule, with the nearest choice; empty if nothing.
std::string schedule_problem(const Job& job, const ParallelPlan& plan);

}  // namespace headroom::train
