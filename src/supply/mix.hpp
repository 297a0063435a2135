// Carbon and carbon-free share of what a load took, hour by hour, through storage.
//
// All energy of an hour is one mix: sources' output beside what storage gives. A store holds the
// mix it was charged with, stirred. Its losses take carbon-free energy along but no carbon: what
// was emitted counts with what arrives, spilled energy's too. Its first content is that of the
// year's end (three passes).
//
//   24/7 carbon-free share = sum of carbon-free energy at the load / energy served
#pragma once

namespace headroom::supply {

struct Problem;
struct Dispatch;

/// Fills `carbon_kg`, `clean`, `clean_share`, `renewable_share` and `served_mwh`.
void mix(const Problem& problem, Dispatch& dispatch);

}  // namespace headroom::supply
