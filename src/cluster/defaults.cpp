#include "cluster/defaults.hpp"

namespace headroom::cluster {

Value<Time> default_repair() {
  return {2.2 * hour, 24 * hour, 10 * day,
          assumed("under a day with spares on site, 3 to 14 working days without; 2.2 h is the "
                  "recovery of NCSA Delta")};
}
Value<Time> default_detection() {
  return {10 * second, 60 * second, 1800 * second,
          assumed("between ByteRobust's 10-30 s and the 10-30 min of a collective's timeout")};
}
Value<Time> default_restart() {
  return {
      60 * second, 300 * second, 900 * second,
      assumed("reschedule, load and warm up; Meta RSC assumes 5 min, MegaScale reports 15 min")};
}
Value<Scalar> default_node_share() {
  return {0.77,
          assumed("321 of the 419 interruptions of Llama 3 were of a node's hardware or host")};
}
Value<Scalar> default_percentile() {
  return {0.99, assumed("ByteRobust sizes its standby machines at the 99th percentile")};
}
Value<Scalar> default_occupancy() {
  return {1.0,
          assumed("whole-node jobs placed once; a shared cluster loses some to fragmentation")};
}

std::string default_population(const std::string& accelerator) {
  if (accelerator.starts_with("a100")) return "meta-rsc-1";
  if (accelerator.starts_with("h200")) return "crusoe-h200";
  return "llama-3-405b";
}

}  // namespace headroom::cluster
