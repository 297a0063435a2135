// Jobs that this layer's tests share.
#pragma once

#include <memory>

#include "fabric/path.hpp"
#include "train/search.hpp"

namespace headroom::train::test {

inline const catalog::Model& model(const char* id) {
  const auto* m = catalog::Catalog::builtin().find<catalog::Model>(id);
  if (m == nullptr) throw std::runtime_error(id);
  return *m;
}
inline const catalog::Accelerator& accelerator(const char* id) {
  const auto* a = catalog::Catalog::builtin().find<catalog::Accelerator>(id);
  if (a == nullptr) throw std::runtime_error(id);
  return *a;
}

/// 400 Gb/s a GPU behind a domain of eight, or as told.
inline fabric::Path path(const catalog::Accelerator& a, int domain = 8, double gbit = 400) {
  catalog::System s;
  s.scale_up.domain = domain;
  fabric::ScaleOut out;
  out.per_gpu = gbit * gigabit_per_second;
  out.ethernet = true;
  return fabric::make_path(s, a, out);
}

/// A job with its device; copyable, keeps the device alive.
struct Bench {
  std::shared_ptr<compute::Device> device;
  Job job;
};

inline Bench bench(const char* model_id, const char* accelerator_id, int gpus, double sequence,
                   double sequences) {
  Bench b;
  const auto& a = accelerator(accelerator_id);
  b.device = std::make_shared<compute::Device>(a);
  b.job.model = &model(model_id);
  b.job.device = b.device.get();
  b.job.path = path(a);
  b.job.gpus = gpus;
  b.job.memory_bytes = a.memory.get().in(byte);
  b.job.sequence = sequence;
  b.job.sequences = sequences;
  b.job.software = current_software();
  return b;
}

inline ParallelPlan plan(int tp, int pp, int vpp, int dp, int micro_batches) {
  ParallelPlan p;
  p.tp = tp, p.pp = pp, p.vpp = vpp, p.dp = dp, p.micro_batches = micro_batches;
  p.sequence_parallel = tp > 1;
  return p;
}

}  // namespace headroom::train::test
