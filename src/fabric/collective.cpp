#include "fabric/collective.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::fabric {
namespace {

// Everything below is in seconds, bytes and bytes per second.
struct Level {
  double steps;       // ring steps
  double tree_steps;  // 0 when no tree is possible
  double wire_b;
  double bandwidth_b_s;
};

double bytes_per_second(Bandwidth b) { return b.si() / 8; }

double protocol_time_s(const Protocol& p, double steps, double wire_b, double bandwidth_b_s) {
  return steps * p.hop.si() + p.fill.si() + wire_b / (p.share * bandwidth_b_s);
}

double level_time_s(const Protocols& protocols, const Level& level, double tree_share) {
  if (level.bandwidth_b_s <= 0) return INFINITY;
  double best_s = INFINITY;
  for (const Protocol& p : protocols.p) {
    best_s = std::min(best_s, protocol_time_s(p, level.steps, level.wire_b, level.bandwidth_b_s));
    if (level.tree_steps > 0)
      best_s = std::min(best_s, protocol_time_s(p, level.tree_steps, level.wire_b,
                                                level.bandwidth_b_s * tree_share));
  }
  return best_s;
}

/// Two phases of which the shorter hides behind the longer, all but `1 - overlap` of it.
/// Infinite when a phase has no network to run on.
double pipelined_s(double up_s, double out_s, double overlap) {
  double longer_s = std::max(up_s, out_s);
  if (!std::isfinite(longer_s)) return longer_s;
  return longer_s + (1 - overlap) * std::min(up_s, out_s);
}

struct Group {
  double ranks, inside, across;
};

Group group_of(const Path& path, double ranks, double per_domain) {
  double most = path.has_scale_up() ? std::min(path.domain, ranks) : 1;
  double inside = std::clamp(per_domain, 1.0, std::max(1.0, most));
  return {ranks, inside, ranks / inside};
}

/// Across domains with the switches adding; infinite where they do not.
double in_network_s(const Path& path, double bytes, Group g, double passes) {
  if (path.in_network.si() <= 0) return INFINITY;
  const double sent = passes == 2 ? 1 : (g.ranks - 1) / g.ranks;
  return path.in_network_hop.si() + sent * bytes / g.inside / bytes_per_second(path.in_network);
}

/// One pass is a reduce-scatter or an all-gather; an all-reduce makes two.
double ring_family_s(const Path& path, double bytes, Group g, double passes, bool reducible) {
  double up_s = 0, out_s = 0;
  if (g.inside > 1) {
    double b = bytes_per_second(path.scale_up);
    if (reducible && passes == 2 && g.inside > path.nvls_above) b *= path.nvls;
    Level level{passes * (g.inside - 1), 0, passes * (g.inside - 1) / g.inside * bytes, b};
    up_s = level_time_s(path.up, level, 1);
  }
  if (g.across > 1) {
    // A ring needs 2(k-1) steps, a tree 2 log2(k); only a reduction or a broadcast can be a tree.
    double tree = passes == 2 ? 2 * std::ceil(std::log2(g.across)) : 0;
    Level level{passes * (g.across - 1), tree, passes * (g.ranks - 1) / g.ranks * bytes / g.inside,
                bytes_per_second(path.scale_out)};
    out_s = level_time_s(path.out, level, path.tree);
    if (reducible) out_s = std::min(out_s, in_network_s(path, bytes, g, passes));
  }
  return pipelined_s(up_s, out_s, path.overlap);
}

double own_part_s(const Path& path, double bytes, double ranks) {
  return path.copy.si() > 0 ? bytes / ranks / bytes_per_second(path.copy) : 0;
}

bool nothing(Information bytes, double ranks) { return bytes.si() <= 0 || ranks <= 1; }

double direct_reduce_s(const Path& path, double bytes, double ranks) {
  const DirectReduce& d = path.direct;
  const double b = bytes_per_second(path.scale_up), more = (ranks - 2) * d.per_rank.si();
  const double one = d.base.si() + more + (ranks - 1) * bytes / (b * d.share);
  const double two =
      d.two_base.si() + 2 * more + 2 * (ranks - 1) / ranks * bytes / (b * d.two_share);
  return std::min(one, two);
}

double all_to_all_out_b_s(const Path& path, double ranks) {
  double leaving = std::clamp((ranks - path.leaf) / (ranks - 1), 0.0, 1.0);
  return bytes_per_second(path.scale_out) / std::max(1.0, path.oversubscription * leaving);
}

}  // namespace

double traffic_factor(Collective op, double ranks) {
  if (ranks <= 1) return 0;
  switch (op) {
    case Collective::all_reduce:
      return 2 * (ranks - 1) / ranks;
    case Collective::all_gather:
    case Collective::reduce_scatter:
    case Collective::all_to_all:
      return (ranks - 1) / ranks;
    case Collective::broadcast:
    case Collective::point_to_point:
      return 1;
  }
  return 1;
}

Time all_reduce(const Path& path, Information bytes, double ranks, double per_domain) {
  if (nothing(bytes, ranks)) return {};
  Group g = group_of(path, ranks, per_domain);
  double b = bytes.si() / 8;
  double t_s = path.launch.si() + ring_family_s(path, b, g, 2, true) + own_part_s(path, b, ranks);
  if (path.direct.enabled && g.across <= 1) t_s = std::min(t_s, direct_reduce_s(path, b, ranks));
  return t_s * second;
}

namespace {

Time one_pass(const Path& path, Information bytes, double ranks, double per_domain,
              bool reducible) {
  if (nothing(bytes, ranks)) return {};
  Group g = group_of(path, ranks, per_domain);
  double b = bytes.si() / 8;
  return (path.launch.si() + ring_family_s(path, b, g, 1, reducible) + own_part_s(path, b, ranks)) *
         second;
}

}  // namespace

Time all_gather(const Path& path, Information bytes, double ranks, double per_domain) {
  return one_pass(path, bytes, ranks, per_domain, false);
}

Time reduce_scatter(const Path& path, Information bytes, double ranks, double per_domain) {
  return one_pass(path, bytes, ranks, per_domain, true);
}

Time all_to_all(const Path& path, Information bytes, double ranks, double per_domain) {
  if (nothing(bytes, ranks)) return {};
  Group g = group_of(path, ranks, per_domain);
  double each_b = bytes.si() / 8 / ranks;  // to one peer
  double up_s = 0, out_s = 0;
  // Sends to different peers are posted together, so latency is one step and the posting of all.
  if (g.inside > 1) {
    Level level{1, 0, each_b * (g.inside - 1), bytes_per_second(path.scale_up) * path.all_to_all};
    up_s = level_time_s(path.up, level, 1);
  }
  if (g.across > 1) {
    Level level{1 + std::log2(g.across), 0, each_b * (ranks - g.inside),
                all_to_all_out_b_s(path, ranks)};
    out_s = level_time_s(path.out, level, 1);
  }
  return (path.launch.si() + pipelined_s(up_s, out_s, path.overlap) +
          own_part_s(path, bytes.si() / 8, ranks)) *
         second;
}

Time broadcast(const Path& path, Information bytes, double ranks, double per_domain) {
  if (nothing(bytes, ranks)) return {};
  Group g = group_of(path, ranks, per_domain);
  double b = bytes.si() / 8, up_s = 0, out_s = 0;
  if (g.inside > 1)
    up_s = level_time_s(path.up, {g.inside - 1, 0, b, bytes_per_second(path.scale_up)}, 1);
  if (g.across > 1)
    out_s = level_time_s(path.out,
                         {g.across - 1, std::ceil(std::log2(g.across)), b / g.inside,
                          bytes_per_second(path.scale_out)},
                         path.tree);
  return (path.launch.si() + pipelined_s(up_s, out_s, path.overlap)) * second;
}

Time point_to_point(const Path& path, Information bytes, bool same_domain) {
  if (bytes.si() <= 0) return {};
  bool up = same_domain && path.has_scale_up();
  Level level{1, 0, bytes.si() / 8, bytes_per_second(up ? path.scale_up : path.scale_out)};
  return (path.launch.si() + level_time_s(up ? path.up : path.out, level, 1)) * second;
}

Time collective(Collective op, const Path& path, Information bytes, double ranks,
                double per_domain) {
  switch (op) {
    case Collective::all_reduce:
      return all_reduce(path, bytes, ranks, per_domain);
    case Collective::all_gather:
      return all_gather(path, bytes, ranks, per_domain);
    case Collective::reduce_scatter:
      return reduce_scatter(path, bytes, ranks, per_domain);
    case Collective::all_to_all:
      return all_to_all(path, bytes, ranks, per_domain);
    case Collective::broadcast:
      return broadcast(path, bytes, ranks, per_domain);
    case Collective::point_to_point:
      break;
  }
  return point_to_point(path, bytes, per_domain > 1);
}

Bandwidth bus_bandwidth(Collective op, Information bytes, double ranks, Time time) {
  if (time.si() <= 0) return {};
  return traffic_factor(op, ranks) * bytes / time;
}

Path ideal_path(Bandwidth scale_up, double domain, Bandwidth scale_out) {
  Path p;
  p.scale_up = scale_up;
  p.domain = domain;
  p.scale_out = scale_out;
  return p;
}

}  // namespace headroom::fabric
