#include "serving/replay.hpp"

#include "serving/fleet.hpp"

namespace headroom::serving {

Replay replay(const requests::Stream& stream, const Deployment& deployment, const Slo& slo) {
  return Fleet(stream, deployment, slo).run();
}

}  // namespace headroom::serving
