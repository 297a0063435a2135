#include "catalog/storage_system.hpp"

#include <array>

namespace headroom::catalog {
namespace {

constexpr std::array<std::string_view, 5> classes{"local", "parallel", "nas", "object", "cloud"};
constexpr std::array<std::string_view, 4> drives{"nvme", "ssd", "hdd", "mixed"};

}  // namespace

std::span<const std::string_view> storage_class_names() { return classes; }
std::span<const std::string_view> storage_drive_names() { return drives; }

void StorageSystem::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("vendor", vendor, "Maker or project");
  f.choice("class", storage_class, classes, "What kind of store it is");
  f.choice("drive", drive, drives, "Drives");
  f.text("unit", unit, "What one unit is");
  f.integer("year", year, "General availability");
  f.integer("min_units", min_units, "Fewest units that work").at_least(1);
  f.number("capacity", capacity, "TB", "Usable capacity of one unit, after protection").at_least(0);
  f.number("read", read, "GB/s", "Sequential read of one unit").at_least(0);
  f.number("write", write, "GB/s", "Sequential write of one unit").at_least(0);
  f.number("fill", fill, "%", "Share of usable capacity that may be filled").between(1, 100);
  f.number("client", client, "GB/s", "Most that one client reads").at_least(0);
  f.integer("rack_units", rack_units, "Height of one unit").at_least(0);
  f.number("power", power, "W", "Power of one unit at load").at_least(0);
  f.number("weight", weight, "kg", "Weight of one unit").at_least(0);
  f.number("price", price, "USD", "Price of one unit").at_least(0);
  f.number("price_per_capacity", price_per_capacity, "USD/TB", "Price of usable capacity")
      .at_least(0);
  f.number("rent", rent, "USD/GB/mo", "Rent of stored data").at_least(0);
  f.number("egress", egress, "USD/GB", "Data that leaves the region").at_least(0);
  f.number("lead_time", lead_time, "wk", "Order to delivery").at_least(0);
  f.number("latency", latency, "us", "First byte").at_least(0);
}

Value<Money> StorageSystem::unit_price() const {
  if (price) return price;
  if (!price_per_capacity || !capacity) return {};
  Value<Money> out;
  static_cast<Number&>(out) = static_cast<const Number&>(price_per_capacity);
  const double each = capacity.get().si();
  out.likely *= each;
  out.low *= each;
  out.high *= each;
  return out;
}

}  // namespace headroom::catalog
