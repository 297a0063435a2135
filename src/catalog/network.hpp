// What networks are built from: switches, NICs and cables.
//
// A Switch is counted by its radix: `ports` of `speed`, each of which may be
// split (QM9700: 64 x 400 Gb/s or 128 x 200 Gb/s) up to `max_ports`. Its power
// is without optics: plugs are counted, priced and powered by the cable that
// holds them, so nothing is paid for twice.
//
// A Cable is one link of `speed` from end to end and of one medium: a passive or
// active copper assembly, an active optical cable, or two transceivers and the
// fibre between them. Its two kinds of ends differ (a NIC takes a single plug, a
// switch half of a twin-port plug), hence `nic_end` and `switch_end`.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/value.hpp"
#include "catalog/catalog.hpp"

namespace headroom::catalog {

enum class NetworkTechnology : unsigned char { infiniband, ethernet, nvlink, slingshot, omni_path };
std::span<const std::string_view> network_technology_names();

struct NetworkDevicePower {
  Value<Power> max;      ///< all ports busy, without optics
  Value<Power> typical;  ///< with passive cables (ATIS mix)

  void fields(spec::Fields& f);
};

struct Switch : Entry {
  static constexpr std::string_view kind = "switch";

  std::string vendor;
  NetworkTechnology technology = NetworkTechnology::ethernet;
  int year = 0;
  int ports = 0;           ///< at `speed`
  Value<Bandwidth> speed;  ///< of a port, per direction
  int max_ports = 0;       ///< after splitting; 0: cannot be split
  int rack_units = 0;
  NetworkDevicePower power;
  Value<Time> latency;  ///< port to port
  Value<Mass> weight;
  Value<Money> price;  ///< without optics
  Value<Time> lead_time;
  bool adaptive_routing = false;  ///< spreads packets over paths, so that no hash collides
  bool in_network_reduction = false;
  bool reference = false;  ///< listed for comparison, not sold alone (NVLink switch trays)

  void fields(spec::Fields& f);

  /// Ports at a link speed: splits wider ports; 0 when a port is slower than the link.
  int radix(Bandwidth link) const;
};

struct Nic : Entry {
  static constexpr std::string_view kind = "nic";

  std::string vendor;
  NetworkTechnology technology = NetworkTechnology::ethernet;
  int year = 0;
  int ports = 1;
  Value<Bandwidth> speed;    ///< of the card, all ports, per direction
  Value<Scalar> efficiency;  ///< of line rate that collectives of large messages reach
  Value<Time> latency;       ///< one send or receive path
  NetworkDevicePower power;
  Value<Money> price;
  Value<Time> lead_time;

  void fields(spec::Fields& f);
};

enum class Medium : unsigned char { passive_copper, active_copper, multimode, single_mode };
std::span<const std::string_view> medium_names();
inline bool is_copper(Medium m) { return m <= Medium::active_copper; }

struct CableEnd {
  Value<Power> power;  ///< drawn by this end's plug (share of a twin plug)
  Value<Money> price;
  int half_plugs = 0;  ///< modules at this end, in halves: 2, or 1 of a twin-port plug

  void fields(spec::Fields& f);
};

struct Cable : Entry {
  static constexpr std::string_view kind = "cable";

  std::string vendor;
  Medium medium = Medium::passive_copper;
  Value<Bandwidth> speed;  ///< of one link, per direction
  Value<Length> reach;
  CableEnd nic_end;
  CableEnd switch_end;
  Value<Money> base_price;  ///< of the assembly or fibre, apart from the plugs
  Value<decltype(Money{} / Length{})> length_price;
  Value<Time> lead_time;

  void fields(spec::Fields& f);
};

}  // namespace headroom::catalog
