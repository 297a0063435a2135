// What is left of a rating where air is thin or hot.
//
//   left = (1 - altitude a above h0) (1 - heat above t0)
//
// | gear                  | altitude                    | ambient                 | source |
// | transformer           | 0.3 % / 100 m above 1,000 m | 1 % / K above 40 degC   | Eaton, "How to
// derate |                       |                             |   (assumed)             | a
// transformer for use |                       |                             | | at high altitudes?"
// | generator             | 4 % / 300 m above 1,525 m   | 2 % / 11 K above 40 degC| Chongqing
// Cummins by |                       |                             |                         |
// aosif.com (secondary) | UPS, rectifier, shelf | 1 % / 100 m above 1,000 m   | 1 % / K above 40
// degC   | ABB ACS880-107 manual, |                       |                             | | a drive
// (assumed for UPS) | switchgear, PDU,      | none                        | none | breakers and
// bars: not | busway, feeds         |                             |                         |
// modelled
//
// A maker's own table goes before these: `power.generator.derating` replaces the generator's.
// Valid to 4,000 m and 55 degC; beyond, the line goes on, never below 0.2. O(1).
#pragma once

#include "power/graph.hpp"

namespace headroom::power {

/// The air where gear stands.
struct SiteAir {
  double altitude_m = 0;
  double outdoor_c = 40;  ///< at generators and transformers: the hottest hour
  double indoor_c = 30;   ///< at UPS and below (assumed)
};

/// Rating left, of 1.
double derating(NodeKind kind, const SiteAir& air);

}  // namespace headroom::power
