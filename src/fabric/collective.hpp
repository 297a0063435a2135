// How long a collective takes: the LogGP layer of fabric.
//
// A `Path` is what GPUs talk over, reduced to the numbers that decide: a
// scale-up domain (NVLink, xGMI, ICI) of `domain` GPUs, and a scale-out network
// that gives each GPU its share of NICs. `make_path` (fabric/path.hpp) builds
// one from the catalogue and a network design; tests write them by hand.
//
//   Path path = hgx_h100_path();
//   Time tp = all_reduce(path, 64 * megabyte_, 8, 8);       // inside one box
//   Time dp = all_reduce(path, 2 * gigabyte, 128, 1);       // one rank a box
//   Time world = all_reduce(path, 2 * gigabyte, 1024, 8);   // 128 boxes of 8
//
// `ranks` is the size of the group, `per_domain` how many of its ranks sit in
// one scale-up domain (1 <= per_domain <= ranks; all groups of the domain run at
// once, each on its own NICs). Both are doubles: plan searches work on ratios.
//
// MODEL. Of three protocols p (LL, LL128, Simple) the library takes the fastest:
//
//   t = launch + min_p [ steps x hop_p + fill_p + wire / (share_p x B) ] + S / (n C)
//
// wire is what a link carries by the busbw definitions of nccl-tests
// (PERFORMANCE.md): all-reduce 2(n-1)/n S, all-gather, reduce-scatter and
// all-to-all (n-1)/n S, broadcast S. S is the size of the whole buffer: of the
// gathered result for all-gather, of each rank's send buffer for all-to-all.
// C is the rate at which a GPU handles the n-th part that never leaves it.
// steps is 2(n-1) for a ring all-reduce, n-1 for the others, 2 log2(k) across
// k domains when a tree is faster.
//
// Across k = ranks / per_domain domains a ring passes through every domain: what
// a link carries leaves each domain once, spread over the NICs of its per_domain
// ranks, wire / per_domain a NIC. Hops inside and across run at the same time:
//
//   t = alpha + max(up, out) + (1 - overlap) x min(up, out)
//
// In-switch reduction inside a domain (NVLS) raises the rate of all-reduce by `nvls`
// when more than `nvls_above` ranks share a domain.
//
// IN-NETWORK REDUCTION across domains (SHARP on InfiniBand, NCCL's CollNet), when
// `in_network` is set: switches add, so a NIC sends its share of the buffer once and
// receives the sum once, S / per_domain each way instead of a ring's 2(n-1)/n of it, and
// the depth of the switch tree takes the place of the ring's steps:
//
//   out = in_network_hop + S / (per_domain x in_network)
//
// A reduce-scatter still sends (n-1)/n of it, so it only gains the steps. The library takes
// this or the ring, whichever is faster. Off unless somebody asks for it, as in production.
//
//
// A ring passes each leaf once, so its rate does not suffer from a tapered
// fabric when ranks are placed contiguously (assumed). All-to-all does: the
// share of traffic that leaves a leaf, (n - leaf) / (n - 1), is served at
// scale_out / oversubscription.
//
// VALIDITY. 2 to ~4,000 ranks, 1 KiB to 16 GiB; errors against measured sweeps
// in docs/models/fabric.md. Not for congested RoCE without spraying: put the tax
// in `scale_out`. Results are never negative or NaN; one rank or no bytes take no
// time, and a group that spans domains without a network takes infinitely long.
//
// COMPLEXITY. O(1), no allocation, under 100 ns a call. Thread-safe (pure).
#pragma once

#include "base/quantity.hpp"

namespace headroom::fabric {

/// One protocol of a collective library on one level of the network.
struct Protocol {
  Time hop;          ///< latency of one step
  Time fill;         ///< once: filling the pipeline with chunks
  double share = 1;  ///< of the asymptotic bandwidth that this protocol reaches
};

/// LL, LL128, Simple.
struct Protocols {
  Protocol p[3];
};

/// One-shot and two-shot all-reduce kernels of serving engines (vLLM, TensorRT-LLM), which
/// beat NCCL for small messages inside a domain. Used when `enabled`. Of n ranks, B bytes each,
///   one shot   every rank reads all others' whole: base + (n - 2) per_rank + (n - 1) B / b1
///   two shots  reduce-scatter, all-gather: two_base + 2 (n - 2) per_rank + 2 (n - 1)/n B / b2
/// whichever is less.
struct DirectReduce {
  bool enabled = false;
  Time base;         ///< floor of one call inside a CUDA graph
  Time per_rank;     ///< added by every further rank
  double share = 1;  ///< b1 of scale_up
  Time two_base;     ///< floor of the two-shot kernel
  double two_share = 1;
};

/// What one GPU sees of the network.
struct Path {
  Bandwidth
      scale_up;    ///< bus bandwidth of ring collectives for large messages, per GPU and direction
  Bandwidth copy;  ///< C above; 0: costs nothing
  double domain = 1;    ///< GPUs per scale-up domain (8 in HGX, 72 in NVL72)
  Bandwidth scale_out;  ///< NIC share per GPU and direction, after protocol efficiency
  Time launch;          ///< fixed cost of one call, in a domain
  Protocols up;
  Protocols out;
  double tree = 0.37;     ///< share of bandwidth that a tree across domains reaches
  DirectReduce direct;    ///< set `direct.enabled` for tensor parallelism in serving
  double nvls = 1;        ///< factor on all-reduce rate in a domain by in-switch reduction
  double nvls_above = 4;  ///< it is used only when more ranks than this share a domain
  double overlap = 1;     ///< share of the shorter phase hidden behind the longer (0..1)
  Bandwidth in_network;   ///< a GPU's NICs, per direction, while switches reduce; 0: they do not
  Time in_network_hop;    ///< up the switch tree and down
  double all_to_all = 1;  ///< factor on rates for all-to-all against ring, in a domain
  double oversubscription = 1;  ///< down : up bandwidth of the scale-out network's worst tier
  double leaf = 1e9;            ///< GPUs below which scale-out traffic stays under full bandwidth

  /// A network that costs nothing: for one GPU.
  bool has_scale_up() const { return domain > 1 && scale_up.si() > 0; }
};

enum class Collective : unsigned char {
  all_reduce,
  all_gather,
  reduce_scatter,
  all_to_all,
  broadcast,
  point_to_point
};

/// Bytes on a link per byte of buffer: 2(n-1)/n, (n-1)/n, 1 (nccl-tests PERFORMANCE.md).
double traffic_factor(Collective op, double ranks);

Time all_reduce(const Path& path, Information bytes, double ranks, double per_domain);
Time all_gather(const Path& path, Information bytes, double ranks, double per_domain);
Time reduce_scatter(const Path& path, Information bytes, double ranks, double per_domain);
Time all_to_all(const Path& path, Information bytes, double ranks, double per_domain);
Time broadcast(const Path& path, Information bytes, double ranks, double per_domain);
/// Send and receive between two GPUs, in one domain or over the network.
Time point_to_point(const Path& path, Information bytes, bool same_domain);
Time collective(Collective op, const Path& path, Information bytes, double ranks,
                double per_domain);

/// Bus bandwidth, as nccl-tests prints it: traffic_factor x bytes / time.
Bandwidth bus_bandwidth(Collective op, Information bytes, double ranks, Time time);

/// A path without latency, launch cost or protocol loss, for closed-form checks.
Path ideal_path(Bandwidth scale_up, double domain, Bandwidth scale_out);

}  // namespace headroom::fabric
