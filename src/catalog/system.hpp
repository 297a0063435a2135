// System: what is bought and wheeled in: a server, a rack sold as one, a cloud
// host, a workstation, a laptop, an edge box.
//
// Power is of the whole system at its input; `liquid_fraction` of the heat
// leaves by liquid, the rest warms the room. Everything that a hall must give a
// system (floor, units, feeds, air or water and how warm) is here; what its
// accelerators compute is in their own entry.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/value.hpp"
#include "catalog/catalog.hpp"

namespace headroom::catalog {

enum class SystemForm : unsigned char { server, rack, desktop, laptop, edge };
std::span<const std::string_view> system_form_names();

/// What must carry the heat away. `hybrid`: cold plates on the accelerators,
/// air for the rest.
enum class SystemCooling : unsigned char { air, hybrid, liquid, passive };
std::span<const std::string_view> system_cooling_names();

struct SystemPower {
  Value<Power> max;      ///< what the feed must carry
  Value<Power> typical;  ///< while training or serving at load
  Value<Power> idle;

  void fields(spec::Fields& f);
};

struct SystemHeat {
  SystemCooling cooling = SystemCooling::air;
  Value<Scalar> liquid_fraction;              ///< of heat at load; 0 for air
  Value<TemperatureDifference> max_inlet;     ///< absolute: warmest air at the front
  Value<TemperatureDifference> max_coolant;   ///< absolute: warmest liquid supply
  Value<TemperatureDifference> air_rise;      ///< front to back at load
  Value<TemperatureDifference> coolant_rise;  ///< supply to return at load

  void fields(spec::Fields& f);
};

/// Power supplies or shelves.
struct SystemSupply {
  int count = 0;
  Value<Power> each;
  int needed = 0;  ///< supplies that must live at full load; 0: not known
  int feeds = 2;   ///< cords' sides: 2 when A and B may be split

  void fields(spec::Fields& f);
};

struct SystemNics {
  int count = 0;
  Value<Bandwidth> speed;  ///< of each, per direction

  void fields(spec::Fields& f);
};

struct SystemStorage {
  Value<Information> capacity;  ///< local data drives, raw
  Value<Bandwidth> read;
  Value<Bandwidth> write;

  void fields(spec::Fields& f);
};

struct SystemScaleUp {
  int domain = 1;              ///< accelerators that reach each other at `bandwidth`
  Value<Bandwidth> bandwidth;  ///< of one accelerator, per direction

  void fields(spec::Fields& f);
};

struct System : Entry {
  static constexpr std::string_view kind = "system";

  std::string vendor;
  std::string accelerator;  ///< id of a catalogue accelerator
  int accelerators = 0;
  SystemForm form = SystemForm::server;
  int year = 0;
  int rack_units = 0;    ///< height; 0 for a whole rack, a desk or a wall
  int max_per_rack = 0;  ///< the maker's advice; 0: none
  Value<Mass> weight;    ///< installed, wet where it holds liquid
  Value<Length> width, depth, height;
  SystemPower power;
  SystemHeat heat;
  SystemSupply supply;
  SystemNics compute_nics;  ///< scale-out
  SystemNics storage_nics;  ///< storage and management's in-band network
  Value<Information> host_memory;
  int host_cores = 0;
  SystemStorage storage;
  SystemScaleUp scale_up;
  Value<Money> price;
  Value<Time> lead_time;       ///< order to delivery
  bool rentable_only = false;  ///< cloud hosts that nobody can buy

  void fields(spec::Fields& f);

  /// Ground that a rack covers (width x depth); 0 when not known or not a rack.
  Area footprint() const;
};

}  // namespace headroom::catalog
