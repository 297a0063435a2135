// Hardware and models of this layer's tests, written out by hand from data sheets so
// that the expected figures can be worked out on paper beside them.
#pragma once

#include "fabric/path.hpp"
#include "infer/service.hpp"

namespace headroom::infer::test {

inline SourcePtr sheet() {
  static const SourcePtr s = published("data sheet, for tests");
  return s;
}

inline catalog::Accelerator accelerator(std::string id, double tflops16, double tflops8,
                                        double gigabytes, double gigabytes_s) {
  catalog::Accelerator a;
  a.id = a.name = std::move(id);
  a.memory = {gigabytes * gigabyte, sheet()};
  a.memory_bandwidth = {gigabytes_s * gigabyte_per_second, sheet()};
  a.rates.push_back({Precision::bf16, {tflops16 * teraflop_per_second, sheet()}});
  if (tflops8 > 0) a.rates.push_back({Precision::fp8, {tflops8 * teraflop_per_second, sheet()}});
  // What kernels of data-centre GPUs reach (the catalogue's entries of A100 to H200).
  a.compute_units = 132;
  a.gemm_efficiency = {Scalar(0.78), sheet()};
  a.stream_efficiency = {Scalar(0.88), sheet()};
  a.decode_efficiency = {Scalar(0.88), sheet()};
  a.launch = {3 * microsecond, sheet()};
  a.scale_up.link = "NVLink 4";
  a.scale_up.bandwidth = {450 * gigabyte_per_second, sheet()};
  a.scale_up.domain = 8;
  a.power.max = {700 * watt, sheet()};
  a.power.idle = {70 * watt, sheet()};
  return a;
}

/// Data-sheet figures by hand; what its kernels reach from the catalogue's measured tables.
inline catalog::Accelerator h100() {
  auto a = accelerator("h100-sxm", 989, 1979, 80, 3350);
  const auto* measured = catalog::Catalog::builtin().find<catalog::Accelerator>("h100-sxm");
  a.architecture = measured->architecture;
  a.gemm = measured->gemm;
  a.attention = measured->attention;
  a.decode_efficiency = measured->decode_efficiency;
  a.stream_efficiency = measured->stream_efficiency;
  return a;
}

/// What an H100 sees in an HGX board, or with `domain` 1 alone.
inline fabric::Path hgx(int domain = 8) {
  catalog::System s;
  s.scale_up.domain = domain;
  s.scale_up.bandwidth = {450 * gigabyte_per_second, sheet()};
  return fabric::make_path(s, h100(), {50 * gigabyte_per_second});
}

inline catalog::Model dense(std::string id, int layers, int hidden, int heads, int kv_heads,
                            int ffn, int vocab) {
  catalog::Model m;
  m.id = m.name = std::move(id);
  m.layers = layers;
  m.hidden = hidden;
  m.heads = heads;
  m.kv_heads = kv_heads;
  m.ffn = ffn;
  m.vocab = vocab;
  m.context = 131072;
  m.origin.source = sheet();
  return m;
}

inline catalog::Model llama_8b() { return dense("llama-3.1-8b", 32, 4096, 32, 8, 14336, 128256); }
inline catalog::Model llama_70b() { return dense("llama-3.1-70b", 80, 8192, 64, 8, 28672, 128256); }
inline catalog::Model llama2_7b() { return dense("llama-2-7b", 32, 4096, 32, 32, 11008, 32000); }

inline catalog::Model mixtral() {
  auto m = dense("mixtral-8x7b", 32, 4096, 32, 8, 0, 32000);
  m.moe.experts = 8;
  m.moe.active = 2;
  m.moe.ffn = 14336;
  return m;
}

/// DeepSeek-V3's attention and experts.
inline catalog::Model deepseek() {
  auto m = dense("deepseek-v3", 61, 7168, 128, 128, 18432, 129280);
  m.mla = {.q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128};
  m.moe.experts = 256;
  m.moe.active = 8;
  m.moe.shared = 1;
  m.moe.ffn = 2048;
  m.moe.first_dense = 3;
  return m;
}

}  // namespace headroom::infer::test
