#include "catalog/chiller.hpp"

namespace headroom::catalog {

void Curve2::fields(spec::Fields& f) {
  f.number("c1", c1, "", "Constant").between(-1e3, 1e3).required();
  f.number("c2", c2, "", "Of x").between(-1e3, 1e3).required();
  f.number("c3", c3, "", "Of x squared").between(-1e3, 1e3).required();
  f.number("c4", c4, "", "Of y").between(-1e3, 1e3).required();
  f.number("c5", c5, "", "Of y squared").between(-1e3, 1e3).required();
  f.number("c6", c6, "", "Of x times y").between(-1e3, 1e3).required();
}

double Curve2::at(double x, double y) const {
  return c1.get() + x * (c2.get() + x * c3.get()) + y * (c4.get() + y * c5.get()) +
         x * y * c6.get();
}

void Curve1::fields(spec::Fields& f) {
  f.number("c1", c1, "", "Constant").between(-1e3, 1e3).required();
  f.number("c2", c2, "", "Of x").between(-1e3, 1e3).required();
  f.number("c3", c3, "", "Of x squared").between(-1e3, 1e3).required();
}

double Curve1::at(double x) const { return c1.get() + x * (c2.get() + x * c3.get()); }

void Chiller::fields(spec::Fields& f) {
  entry_fields(f);
  f.flag("air_cooled", air_cooled, "Rejects heat to air instead of tower water");
  f.number("capacity", capacity, "kW", "Cooling at the nominal point").above(0).required();
  f.number("cop", cop, "", "Cooling over electricity at the nominal point").above(0).required();
  f.temperature("leaving", leaving, "Water leaving the evaporator, nominal")
      .between(-60, 80)
      .required();
  f.temperature("entering", entering, "Water or air entering the condenser, nominal")
      .between(-60, 80)
      .required();
  f.temperature("leaving_min", leaving_min, "Lower end of the curves").between(-60, 80).required();
  f.temperature("leaving_max", leaving_max, "Upper end of the curves").between(-60, 80).required();
  f.temperature("entering_min", entering_min, "Lower end of the curves")
      .between(-60, 80)
      .required();
  f.temperature("entering_max", entering_max, "Upper end of the curves")
      .between(-60, 80)
      .required();
  f.number("load_min", load_min, "", "Lowest part-load ratio").between(0, 1);
  f.number("load_max", load_max, "", "Highest part-load ratio").between(0.5, 2);
  f.object("capacity_curve", capacity_curve, "Capacity over nominal");
  f.object("eir_curve", eir_curve, "Electricity per cooling over nominal");
  f.object("load_curve", load_curve, "Electricity over full-load electricity by part load");
}

}  // namespace headroom::catalog
