// Quantity<Dim>: a number that knows what it measures.
//
// A Quantity holds one double in SI base units and carries its dimension in its
// type, so that adding a power to an energy, or calling a bit rate a byte rate,
// does not compile. It is made by `120 * kilowatt` and read by `.in(kilowatt)`;
// there is no other way in or out, so no interface depends on which unit its
// author had in mind.
//
//   Power load = 4 * (10.2 * kilowatt);
//   Energy day = load * (24 * hour);
//   double kwh = day.in(kilowatt_hour);
//
// Beside the SI base units there are dimensions for what this trade counts:
// bit, US dollar, floating-point operation, token and kilogram of CO2
// equivalent. Pure counts (GPUs, racks, ports) are dimensionless: `Scalar`.
//
// Absolute temperature is a type of its own (`Temperature`), apart from a
// temperature difference (`TemperatureDifference`): 20 degC + 10 K is 30 degC,
// 20 degC + 10 degC has no meaning and does not compile.
//
// A year is 365 d = 8,760 h and a month 730 h, as the trade reckons tariffs,
// rental prices and availability.
//
// Complexity: as a double. Thread-safety: as a double.
#pragma once

#include <cmath>
#include <compare>

namespace headroom {

/// Exponents of the base dimensions.
struct Dim {
  signed char m{}, kg{}, s{}, K{}, A{}, bit{}, usd{}, flop{}, token{}, co2{};

  friend constexpr bool operator==(const Dim&, const Dim&) = default;
};

constexpr Dim operator*(Dim a, Dim b) {
  auto add = [](signed char x, signed char y) { return static_cast<signed char>(x + y); };
  return {add(a.m, b.m),         add(a.kg, b.kg),   add(a.s, b.s),     add(a.K, b.K),
          add(a.A, b.A),         add(a.bit, b.bit), add(a.usd, b.usd), add(a.flop, b.flop),
          add(a.token, b.token), add(a.co2, b.co2)};
}

constexpr Dim inverse(Dim a) {
  auto neg = [](signed char x) { return static_cast<signed char>(-x); };
  return {neg(a.m),   neg(a.kg),  neg(a.s),    neg(a.K),     neg(a.A),
          neg(a.bit), neg(a.usd), neg(a.flop), neg(a.token), neg(a.co2)};
}

constexpr Dim operator/(Dim a, Dim b) { return a * inverse(b); }

template <Dim D>
class Quantity;

/// A unit of dimension D: the size of one of it in SI base units.
template <Dim D>
struct UnitOf {
  double factor;
};

template <Dim A, Dim B>
constexpr UnitOf<A * B> operator*(UnitOf<A> a, UnitOf<B> b) {
  return {a.factor * b.factor};
}
template <Dim A, Dim B>
constexpr UnitOf<A / B> operator/(UnitOf<A> a, UnitOf<B> b) {
  return {a.factor / b.factor};
}

template <Dim D>
class Quantity {
 public:
  static constexpr Dim dim = D;

  constexpr Quantity() = default;

  /// The value in SI base units. For serialisers and hot loops, which name the
  /// unit in the variable (`power_w`); everything else reads with `in`.
  constexpr double si() const { return si_; }
  static constexpr Quantity from_si(double si) { return Quantity(si); }

  constexpr double in(UnitOf<D> unit) const { return si_ / unit.factor; }

  constexpr Quantity operator-() const { return Quantity(-si_); }
  constexpr Quantity& operator+=(Quantity o) {
    si_ += o.si_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity o) {
    si_ -= o.si_;
    return *this;
  }
  constexpr Quantity& operator*=(double f) {
    si_ *= f;
    return *this;
  }
  constexpr Quantity& operator/=(double f) {
    si_ /= f;
    return *this;
  }

  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.si_ + b.si_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.si_ - b.si_); }
  friend constexpr Quantity operator*(Quantity a, double f) { return Quantity(a.si_ * f); }
  friend constexpr Quantity operator*(double f, Quantity a) { return Quantity(a.si_ * f); }
  friend constexpr Quantity operator/(Quantity a, double f) { return Quantity(a.si_ / f); }
  friend constexpr auto operator<=>(Quantity a, Quantity b) { return a.si_ <=> b.si_; }
  friend constexpr bool operator==(Quantity a, Quantity b) { return a.si_ == b.si_; }

 private:
  explicit constexpr Quantity(double si) : si_(si) {}
  double si_ = 0;
};

/// Dimensionless: behaves as the double it is.
template <>
class Quantity<Dim{}> {
 public:
  static constexpr Dim dim = Dim{};

  constexpr Quantity() = default;
  constexpr Quantity(double v) : si_(v) {}           // NOLINT: a pure number is a double
  constexpr operator double() const { return si_; }  // NOLINT

  constexpr double si() const { return si_; }
  static constexpr Quantity from_si(double si) { return Quantity(si); }
  constexpr double in(UnitOf<Dim{}> unit) const { return si_ / unit.factor; }

 private:
  double si_ = 0;
};

template <Dim A, Dim B>
constexpr Quantity<A * B> operator*(Quantity<A> a, Quantity<B> b) {
  return Quantity<A * B>::from_si(a.si() * b.si());
}
template <Dim A, Dim B>
constexpr Quantity<A / B> operator/(Quantity<A> a, Quantity<B> b) {
  return Quantity<A / B>::from_si(a.si() / b.si());
}
template <Dim B>
constexpr Quantity<inverse(B)> operator/(double a, Quantity<B> b) {
  return Quantity<inverse(B)>::from_si(a / b.si());
}
template <Dim D>
constexpr Quantity<D> operator*(double v, UnitOf<D> u) {
  return Quantity<D>::from_si(v * u.factor);
}
/// `price / kilowatt_hour`: a quantity per unit.
template <Dim A, Dim B>
constexpr Quantity<A * B> operator*(Quantity<A> a, UnitOf<B> u) {
  return Quantity<A * B>::from_si(a.si() * u.factor);
}
template <Dim A, Dim B>
constexpr Quantity<A / B> operator/(Quantity<A> a, UnitOf<B> u) {
  return Quantity<A / B>::from_si(a.si() / u.factor);
}

template <Dim D>
constexpr Quantity<D> abs(Quantity<D> a) {
  return a.si() < 0 ? -a : a;
}

/// A computed count as an int, at most a thousand million: beyond that a scenario is
/// absurd, and the answer need only say "far too many" without overflowing.
constexpr int to_count(double x) {
  constexpr double most = 1e9;
  return x != x ? 0 : static_cast<int>(x < -most ? -most : x > most ? most : x);
}

// --- Dimensions ------------------------------------------------------------

using Scalar = Quantity<Dim{}>;
using Length = Quantity<Dim{.m = 1}>;
using Area = Quantity<Dim{.m = 2}>;
using Volume = Quantity<Dim{.m = 3}>;
using Mass = Quantity<Dim{.kg = 1}>;
using Time = Quantity<Dim{.s = 1}>;
using Rate = Quantity<Dim{.s = -1}>;  ///< events, requests per time
using TemperatureDifference = Quantity<Dim{.K = 1}>;
using Current = Quantity<Dim{.A = 1}>;
using Power = Quantity<Dim{.m = 2, .kg = 1, .s = -3}>;
using Energy = Quantity<Dim{.m = 2, .kg = 1, .s = -2}>;
using Voltage = Quantity<Dim{.m = 2, .kg = 1, .s = -3, .A = -1}>;
using Pressure = Quantity<Dim{.m = -1, .kg = 1, .s = -2}>;
using PowerDensity = Quantity<Dim{.kg = 1, .s = -3}>;  ///< W/m2
using FloorLoad = Pressure;                            ///< weight on an area
using AreaMass = Quantity<Dim{.m = -2, .kg = 1}>;
using MassFlow = Quantity<Dim{.kg = 1, .s = -1}>;
using VolumeFlow = Quantity<Dim{.m = 3, .s = -1}>;
using Density = Quantity<Dim{.m = -3, .kg = 1}>;
using SpecificHeat = Quantity<Dim{.m = 2, .s = -2, .K = -1}>;
using HeatConductance = Quantity<Dim{.m = 2, .kg = 1, .s = -3, .K = -1}>;
using Information = Quantity<Dim{.bit = 1}>;
using Bandwidth = Quantity<Dim{.s = -1, .bit = 1}>;
using Money = Quantity<Dim{.usd = 1}>;
using MoneyRate = Quantity<Dim{.s = -1, .usd = 1}>;  ///< USD/h, USD/month
using Flops = Quantity<Dim{.flop = 1}>;              ///< operations, not a rate
using FlopRate = Quantity<Dim{.s = -1, .flop = 1}>;  ///< FLOP/s
using Tokens = Quantity<Dim{.token = 1}>;
using TokenRate = Quantity<Dim{.s = -1, .token = 1}>;
using Carbon = Quantity<Dim{.co2 = 1}>;
using CarbonIntensity = decltype(Carbon{} / Energy{});
using EnergyPrice = decltype(Money{} / Energy{});
using PowerPrice = decltype(Money{} / Power{});          ///< USD/kW of capital
using PowerPriceRate = decltype(MoneyRate{} / Power{});  ///< USD/kW-month
using InformationPrice = decltype(Money{} / Information{});
using AreaPrice = decltype(Money{} / Area{});
using VolumePrice = decltype(Money{} / Volume{});
using WaterIntensity = decltype(Volume{} / Energy{});  ///< L/kWh
using TokenPrice = decltype(Money{} / Tokens{});
using TokenEnergy = decltype(Energy{} / Tokens{});
using TokenCarbon = decltype(Carbon{} / Tokens{});
using FlopsPerToken = decltype(Flops{} / Tokens{});
using InformationPerToken = decltype(Information{} / Tokens{});

// --- Units -------------------------------------------------------------------

inline constexpr UnitOf<Dim{}> one{1.0}, percent{0.01};
inline constexpr UnitOf<Length::dim> metre{1.0}, millimetre{1e-3}, kilometre{1e3}, foot{0.3048};
inline constexpr UnitOf<Area::dim> square_metre{1.0}, square_foot{0.3048 * 0.3048};
inline constexpr UnitOf<Volume::dim> cubic_metre{1.0}, litre{1e-3};
inline constexpr UnitOf<Mass::dim> kilogram{1.0}, tonne{1e3};
inline constexpr UnitOf<Time::dim> second{1.0}, millisecond{1e-3}, microsecond{1e-6}, minute{60.0},
    hour{3600.0}, day{86400.0}, week{7 * 86400.0}, month{730 * 3600.0}, year{8760 * 3600.0};
inline constexpr UnitOf<TemperatureDifference::dim> kelvin{1.0};
inline constexpr UnitOf<Power::dim> watt{1.0}, kilowatt{1e3}, megawatt{1e6}, gigawatt{1e9};
inline constexpr UnitOf<Energy::dim> joule{1.0}, kilowatt_hour{3.6e6}, megawatt_hour{3.6e9},
    gigawatt_hour{3.6e12};
inline constexpr UnitOf<Pressure::dim> pascal{1.0}, kilopascal{1e3};
inline constexpr UnitOf<Information::dim> bit{1.0}, byte{8.0}, gigabyte{8e9}, terabyte{8e12},
    petabyte{8e15}, gibibyte{8.0 * 1024 * 1024 * 1024};
inline constexpr UnitOf<Bandwidth::dim> gigabit_per_second{1e9}, gigabyte_per_second{8e9},
    terabyte_per_second{8e12};
inline constexpr UnitOf<Money::dim> dollar{1.0};
inline constexpr UnitOf<Flops::dim> flop{1.0};
inline constexpr UnitOf<FlopRate::dim> teraflop_per_second{1e12}, petaflop_per_second{1e15};
inline constexpr UnitOf<Tokens::dim> token{1.0}, million_tokens{1e6};
inline constexpr UnitOf<Carbon::dim> kilogram_co2e{1.0}, tonne_co2e{1e3};

/// Standard gravity, exact by definition (3rd CGPM, 1901).
inline constexpr auto standard_gravity = Quantity<Dim{.m = 1, .s = -2}>::from_si(9.80665);

// --- Absolute temperature ----------------------------------------------------

/// A point on the temperature scale. Differences of two are
/// `TemperatureDifference`; the sum of two does not exist.
class Temperature {
 public:
  constexpr Temperature() = default;
  static constexpr Temperature celsius(double c) { return Temperature(c + 273.15); }
  static constexpr Temperature from_si(double kelvin_value) { return Temperature(kelvin_value); }
  constexpr double in_celsius() const { return kelvin_ - 273.15; }
  constexpr double si() const { return kelvin_; }

  friend constexpr Temperature operator+(Temperature t, TemperatureDifference d) {
    return Temperature(t.kelvin_ + d.si());
  }
  friend constexpr Temperature operator-(Temperature t, TemperatureDifference d) {
    return Temperature(t.kelvin_ - d.si());
  }
  friend constexpr TemperatureDifference operator-(Temperature a, Temperature b) {
    return TemperatureDifference::from_si(a.kelvin_ - b.kelvin_);
  }
  friend constexpr auto operator<=>(Temperature a, Temperature b) {
    return a.kelvin_ <=> b.kelvin_;
  }
  friend constexpr bool operator==(Temperature a, Temperature b) { return a.kelvin_ == b.kelvin_; }

 private:
  explicit constexpr Temperature(double kelvin_value) : kelvin_(kelvin_value) {}
  double kelvin_ = 273.15;
};

}  // namespace headroom
