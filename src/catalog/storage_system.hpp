// StorageSystem: what data is kept on: drives in the nodes, a shared file
// system, an object store, or a cloud service.
//
// It is counted in units (an appliance, a storage node, a drive bay of one
// compute node); every figure is of one unit, so that capacity and bandwidth
// grow together. A cloud service has no unit to buy: it has a price per stored
// gigabyte and month, and grows as asked.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/value.hpp"
#include "catalog/catalog.hpp"

namespace headroom::catalog {

enum class StorageClass : unsigned char { local, parallel, nas, object, cloud };
std::span<const std::string_view> storage_class_names();

enum class StorageDrive : unsigned char { nvme, ssd, hdd, mixed };
std::span<const std::string_view> storage_drive_names();

using StorageRent = decltype(MoneyRate{} / Information{});  ///< USD/GB/mo

struct StorageSystem : Entry {
  static constexpr std::string_view kind = "storage-system";

  std::string vendor;
  StorageClass storage_class = StorageClass::parallel;
  StorageDrive drive = StorageDrive::nvme;
  std::string unit;  ///< what one unit is: "appliance", "storage node"
  int year = 0;
  int min_units = 1;
  Value<Information> capacity;  ///< usable, of one unit, after protection
  Value<Bandwidth> read;        ///< sequential, of one unit
  Value<Bandwidth> write;
  Value<Scalar> fill;       ///< share of usable capacity that may be filled
  Value<Bandwidth> client;  ///< most that one client reads
  int rack_units = 0;       ///< of one unit
  Value<Power> power;       ///< of one unit at load
  Value<Mass> weight;
  Value<Money> price;                          ///< of one unit; or:
  Value<InformationPrice> price_per_capacity;  ///< of usable capacity
  Value<StorageRent> rent;                     ///< cloud: stored data
  Value<InformationPrice> egress;              ///< cloud: data that leaves the region
  Value<Time> lead_time;
  Value<Time> latency;  ///< first byte

  void fields(spec::Fields& f);

  /// Price of one unit: as listed, or from capacity; not given when neither is known.
  Value<Money> unit_price() const;
};

}  // namespace headroom::catalog
